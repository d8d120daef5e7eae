#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/circuits/data/data.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/batch_prover.hpp"
#include "quarry/node/development_batch.hpp"
#include "quarry/proof/wire.hpp"
#include "quarry/recursion/catalog.hpp"
#include "quarry/recursion/verifier_backend.hpp"
#include "quarry/rollup/effects.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
using recursion::NodeBuilder;
using recursion::NodeProof;
using rollup::JoinStatement;

constexpr std::size_t kSegments = 4;  // two joins of two, and a join of joins

struct RecursionBenchOptions {
    std::size_t transfers = 1024;
    std::size_t accounts = 100'000;
    unsigned runs = 5;
    std::uint64_t seed = 1;
};

struct Joined {
    JoinStatement statement;
    NodeProof proof;
};

std::size_t cells_of(const recursion::ShapeHeights& shape) {
    const auto circuit = recursion::make_circuit(shape);
    const Heights heights = recursion::heights_of(shape);
    std::size_t cells = 0;
    for (std::size_t t = 0; t < heights.size(); ++t) cells += circuit->tables()[t].num_columns() << heights[t];
    return cells;
}

/// A circuit that verifies two segments of the largest profile.
struct LargeChildren {
    recursion::ShapeHeights heights;
    std::array<std::size_t, recursion::kTableKinds> rows{};
};
LargeChildren verify_large_children() {
    const recursion::LeafShape leaf = recursion::segment_leaf(recursion::segment_profiles().back());
    const Proof blank = recursion::blank_proof(*leaf.circuit, leaf.heights);
    NodeBuilder node{Digest{}};
    for (int i = 0; i < 2; ++i) node.segment(leaf, {}, blank, {});
    const auto rows = std::move(node).finish_join();
    return {recursion::fit(rows), recursion::count_rows(rows)};
}

std::size_t node_kind(const std::string& name) {
    const auto& kinds = recursion::node_kinds();
    const auto at = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.name == name; });
    return static_cast<std::size_t>(at - kinds.begin());
}

void require_own_proof(const Status& status) {
    if (status) return;
    throw Failure(exit_internal, "own_proof_refused",
                  fmt::format("the proof just made is refused: {}", errc_name(status.error().code)), "please report it",
                  status.error().where);
}

/// The segments of one batch, each as a node of its own.
std::vector<Joined> lifted_segments(const recursion::Catalog& catalog, const node::DevelopmentBatch& batch,
                                    Progress& progress) {
    const recursion::SegmentProfile& profile = recursion::segment_profiles().front();
    const recursion::LeafShape leaf = recursion::segment_leaf(profile);
    node::BatchProverOptions options;
    options.payee.bytes.fill(0x51);
    options.least_heights = &profile.heights;
    const auto inputs =
        node::split_batch(batch.parameters, *batch.store, batch.queues, batch.header, batch.data, kSegments);
    if (!inputs) throw Failure(exit_internal, inputs.error().name, inputs.error().cause, "please report it");
    std::vector<Joined> parts;
    for (const node::SegmentInput& input : inputs.value()) {
        progress.show(fmt::format("segment {} of {}", parts.size() + 1, kSegments),
                      static_cast<double>(parts.size()) / kSegments);
        const auto segment = node::prove_segment(input, options);
        if (!segment) throw Failure(exit_internal, segment.error().name, segment.error().cause, "please report it");
        const rollup::SegmentStatement& s = segment.value().statement;
        if (segment.value().heights != profile.heights) {
            throw Failure(exit_usage, "usage", "the segments are too large for the smallest profile",
                          "choose fewer --transfers");
        }
        const Proof proof =
            circuits::decode_segment_proof(segment.value().bytes, circuits::segment_public_input(s)).value();
        const rollup::JoinPoint start{s.before, rollup::binding_start(s.header),
                                      rollup::binding_start(rollup::effects_start().digest)};
        const JoinStatement statement = rollup::lift(s, start.data, start.effects).value();
        NodeBuilder node(catalog.keys().digest());
        node.segment(leaf, s, proof, start);
        parts.push_back({statement, recursion::prove_node(catalog, node_kind("segment " + profile.name),
                                                          std::move(node).finish_join(), digest(statement))});
    }
    return parts;
}

/// Joins two nodes `runs` times; the seconds from two proofs to one, without its encoding.
Joined join(const recursion::Catalog& catalog, const Joined& left, const Joined& right, unsigned runs,
            std::vector<double>& seconds) {
    Joined joined{rollup::merge(left.statement, right.statement).value(), {}};
    for (unsigned i = 0; i < runs; ++i) {
        const double start = now_seconds();
        NodeBuilder node(catalog.keys().digest());
        for (const Joined* child : {&left, &right}) {
            node.join(catalog.node_shape(), child->statement, child->proof.proof,
                      catalog.child_key(child->proof.node_kind));
        }
        joined.proof =
            recursion::prove_node(catalog, node_kind("join"), std::move(node).finish_join(), digest(joined.statement));
        seconds.push_back(now_seconds() - start);
    }
    require_own_proof(
        recursion::verify_node(catalog, rollup::StatementKind::join, digest(joined.statement), joined.proof));
    return joined;
}

/// The batch's data, bound to a blob, as the part that follows `part`.
Joined data_part(const recursion::Catalog& catalog, const node::DevelopmentBatch& batch, const JoinStatement& part) {
    const auto statement = rollup::make_data_statement(rollup::DataForm::blob, part.header, batch.data,
                                                       keccak256(batch.data), part.payee, 0);
    const auto rows = circuits::make_data_rows(statement, 0, batch.data, &recursion::data_heights());
    if (!rows) throw Failure(exit_internal, errc_name(rows.error().code), rows.error().where, "please report it");
    const Proof proof = prove(circuits::data_circuit(), circuits::make_data_trace(rows.value()),
                              circuits::data_public_input(statement));
    const JoinStatement after = rollup::lift(rollup::data_run(statement), rollup::DataRole::data, part.payee,
                                             statement.work, part.domain, part.header, part.after)
                                    .value();
    NodeBuilder node(catalog.keys().digest());
    node.data({&circuits::data_circuit(), recursion::data_heights(), 100, nullptr}, rollup::DataRole::data, statement,
              proof, part.domain, part.header, part.after);
    return {after, recursion::prove_node(catalog, node_kind("data"), std::move(node).finish_join(), digest(after))};
}

/// The whole batch, closed, twice in one bundle; the seconds from two bundles of one to one of two.
void bundle(const recursion::Catalog& catalog, const Joined& whole, const rollup::Header& header, unsigned runs,
            std::vector<double>& seconds) {
    NodeBuilder closing(catalog.keys().digest());
    closing.join(catalog.node_shape(), whole.statement, whole.proof.proof, catalog.child_key(whole.proof.node_kind));
    closing.close(header);
    const rollup::BundleStatement one = rollup::bundle_of(rollup::close(whole.statement, header).value());
    const NodeProof of_one =
        recursion::prove_node(catalog, node_kind("batch"), std::move(closing).finish_bundle(), digest(one));
    const rollup::BundleStatement two = rollup::merge(one, one).value();
    NodeProof of_two;
    for (unsigned i = 0; i < runs; ++i) {
        const double start = now_seconds();
        NodeBuilder node(catalog.keys().digest());
        for (int child = 0; child < 2; ++child) {
            node.bundle(catalog.node_shape(), one, of_one.proof, catalog.child_key(of_one.node_kind));
        }
        of_two = recursion::prove_node(catalog, node_kind("bundle"), std::move(node).finish_bundle(), digest(two));
        seconds.push_back(now_seconds() - start);
    }
    require_own_proof(recursion::verify_node(catalog, rollup::StatementKind::bundle, digest(two), of_two));
}

void run_recursion(const RecursionBenchOptions& options, const Session& session) {
    Progress progress(session.quiet);
    progress.show("accounts, keys and signatures", 0);
    const auto batch = node::make_development_batch(options.accounts, options.transfers, options.seed);
    progress.show("every circuit and its key", 0);
    const double start = now_seconds();
    const recursion::Catalog catalog;
    const double catalog_seconds = now_seconds() - start;
    const LargeChildren large = verify_large_children();
    const std::size_t cells_per_child = cells_of(large.heights) / 2;
    const std::vector<Joined> parts = lifted_segments(catalog, batch, progress);
    progress.show("joins", 0);
    std::vector<double> of_segments;
    std::vector<double> of_joins;
    const Joined left = join(catalog, parts[0], parts[1], options.runs, of_segments);
    const Joined right = join(catalog, parts[2], parts[3], 1, of_segments);
    const Joined whole = join(catalog, left, right, options.runs, of_joins);
    progress.show("a bundle", 0);
    std::vector<double> of_bundles;
    std::vector<double> of_data;
    const Joined bound = join(catalog, whole, data_part(catalog, batch, whole.statement), 1, of_data);
    bundle(catalog, bound, batch.header, options.runs, of_bundles);
    const auto layout = make_stack_layout(*catalog.node_shape().circuit, catalog.node_shape().heights).value();
    const std::size_t proof_bytes =
        encode_proof(*catalog.node_shape().circuit, whole.proof.proof,
                     recursion::digest_statement(recursion::exposed_digest(
                         rollup::StatementKind::join, catalog.keys().digest(), digest(whole.statement))),
                     &catalog.proving_key(whole.proof.node_kind).verifying_key())
            .size();
    const Calibration calibration = calibrate(progress);
    progress.clear();
    const std::size_t node_cells = cells_of(catalog.shape_heights());
    if (session.json) {
        json::object rows;
        for (std::size_t k = 0; k < recursion::kTableKinds; ++k) {
            if (large.rows[k] == 0) continue;
            rows[table_kind_name(static_cast<recursion::TableKind>(k))] = (large.rows[k] + 1) / 2;
        }
        print_json(json::object{{"cells_per_child", cells_per_child},
                                {"join_seconds", rounded(median(of_segments), 6)},
                                {"join_of_joins_seconds", rounded(median(of_joins), 6)},
                                {"bundle_seconds", rounded(median(of_bundles), 6)},
                                {"rows_per_child", std::move(rows)},
                                {"node_cells", node_cells},
                                {"log_size", layout.log_size},
                                {"proof_bytes", proof_bytes},
                                {"catalog_seconds", rounded(catalog_seconds, 3)},
                                {"provable_bits", provable_bits(layout.log_size, 100)},
                                {"peak_rss_bytes", peak_rss_bytes()},
                                {"threads", tbb::this_task_arena::max_concurrency()},
                                {"isa", isa_name(current_isa())},
                                {"cpu", cpu_model()},
                                {"calibration", to_json(calibration)}});
        return;
    }
    print(fmt::format("joins of real proofs: {} segments of one batch, two by two ({} threads, {}, {})\n\n", kSegments,
                      tbb::this_task_arena::max_concurrency(), isa_name(current_isa()), cpu_model()));
    const auto line = [](const char* name, const std::string& value, const char* note = "") {
        print(fmt::format("  {:<24} {:>14}   {}\n", name, value, note));
    };
    line("cells per child", with_commas(cells_per_child), "a segment of 2^26 cells, one of two; padding counted");
    line("join of two", human_seconds(median(of_segments)), "two proofs to one");
    line("join of two joins", human_seconds(median(of_joins)));
    line("bundle of two", human_seconds(median(of_bundles)), "the batch with its data proof, twice");
    line("cells of a node", with_commas(node_cells), "all columns, padding and preprocessed ones counted");
    line("proof", human_bytes(proof_bytes));
    line("provable security", fmt::format("{:.2f} bits", provable_bits(layout.log_size, 100)));
    line("circuits and keys", human_seconds(catalog_seconds), "made once");
    line("peak memory", human_bytes(peak_rss_bytes()), "whole process");
    print("\n" + to_text(calibration));
}

}  // namespace

void add_bench_recursion(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<RecursionBenchOptions>();
    CLI::App* command =
        add_command(bench, session, "recursion", "Join proofs of segments, and joins of them",
                    "quarry bench recursion --json", [options, &session] { run_recursion(*options, session); });
    add_number(*command, "--transfers", options->transfers, 4, 2048, "transfers in the batch that is cut in four")
        ->capture_default_str();
    add_number(*command, "--accounts", options->accounts, 4096, 1u << 26, "accounts in the state")
        ->capture_default_str();
    add_number(*command, "--runs", options->runs, 1, 1000, "join so often; the median is shown")->capture_default_str();
    command->add_option("--seed", options->seed, "of keys, amounts and receivers")
        ->type_name("N")
        ->capture_default_str();
}

}  // namespace quarry::apps
