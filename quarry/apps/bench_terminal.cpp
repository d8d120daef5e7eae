#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/temporary_folder.hpp"
#include "quarry/apps/terminal_figures.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/node/aggregate_work.hpp"
#include "quarry/node/batch_work.hpp"
#include "quarry/node/development_batch.hpp"
#include "quarry/node/node_prover.hpp"
#include "quarry/node/terminal_proof.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct TerminalBenchOptions {
    unsigned profile = 16;
    unsigned runs = 5;
    std::uint64_t seed = 1;
    std::string folder;
};

/// A bundle of one small real batch, then of twice as many of it until the profile is full.
node::NodeProofFile full_bundle(const recursion::Catalog& catalog, const TerminalBenchOptions& options,
                                Progress& progress) {
    const TemporaryFolder temporary(options.folder);
    auto folder = value_of(node::WorkFolder::create(temporary / "work"));
    node::Aggregator who;
    who.payee.bytes.fill(0x51);
    node::AggregatePlan plan(folder, catalog, who);
    progress.show("accounts, keys and signatures", 0);
    const auto batch = node::make_development_batch(1000, 100, options.seed);
    const node::BatchFiles files{batch.header, batch.data, {}, batch.store->state(), {}};
    value_of(plan.add_batch(files, value_of(node::cut_for_nodes(batch.parameters, *batch.store, files, 1)),
                            node::DataPlacement::blobs));
    const WorkTree tree = value_of(std::move(plan).finish("bench"));
    value_of(folder.write_tree(tree));
    std::vector<std::uint8_t> bytes;
    for (const WorkTree::Node& node : tree.nodes()) {
        progress.show("proving: " + node.task.kind, 0.1);
        const auto inputs = value_of(folder.read_inputs(node.task));
        bytes = value_of(node::find_task_kind(node.task.kind)->run({node.task, inputs, {}}));
        value_of(folder.put_output(node.id, bytes));
    }
    node::NodeProofFile file = value_of(node::parse_node_proof(bytes));
    const std::size_t bundle = *recursion::find_node_kind("bundle");
    while (std::get<node::BundleContent>(file.statement).items.size() < options.profile) {
        node::BundleContent twice = std::get<node::BundleContent>(file.statement);
        progress.show(fmt::format("a bundle of {}", 2 * twice.items.size()), 0.2);
        const auto half = twice.items;
        twice.items.insert(twice.items.end(), half.begin(), half.end());
        ++twice.depth;
        const std::vector<std::vector<std::uint8_t>> children{encode(file), encode(file)};
        file = value_of(node::prove_node_of(catalog, bundle, twice, children));
    }
    return file;
}

void run(const TerminalBenchOptions& options, const Session& session) {
    Progress progress(session.quiet);
    const recursion::Catalog catalog;
    const node::NodeProofFile file = full_bundle(catalog, options, progress);
    const auto& content = std::get<node::BundleContent>(file.statement);
    const unsigned log_profile = *node::terminal_profile(options.profile);
    const auto limbs = value_of(node::terminal_limbs(content, log_profile));
    const auto child = node::decode(catalog, file);
    if (!child) throw Failure(exit_internal, errc_name(child.error().code), child.error().where, "please report it");

    const recursion::Terminal terminal(catalog, log_profile);
    progress.show("the key of the terminal circuit", 0.25);
    const double key_start = now_seconds();
    const KeccakVerifyingKey& key = terminal.proving_key().verifying_key();
    const double key_seconds = now_seconds() - key_start;
    std::vector<double> seconds, wrap_seconds;
    ProvePhases phases;
    std::vector<std::uint8_t> proof;
    for (unsigned i = 0; i < options.runs; ++i) {
        progress.show(fmt::format("terminal proof {} of {}", i + 1, options.runs), 0.3 + 0.7 * i / options.runs);
        phases = {};
        const double start = now_seconds();
        const Proof wrapped = recursion::wrap_bundle(terminal, content.statement(), {file.node_kind, child.value()});
        wrap_seconds.push_back(now_seconds() - start);
        const auto rows = terminal.rows(limbs, content.statement(), wrapped);
        proof = recursion::prove_terminal(terminal, rows, limbs, &phases, now_seconds);
        seconds.push_back(now_seconds() - start);
    }
    const double verify_start = now_seconds();
    const Status status = recursion::verify_terminal(terminal, key, limbs, proof);
    if (!status) {
        throw Failure(exit_internal, "own_proof_refused",
                      fmt::format("the proof just made is refused: {}", errc_name(status.error().code)),
                      "please report it", status.error().where);
    }
    const double verify_seconds = now_seconds() - verify_start;
    const Calibration calibration = calibrate(progress);
    progress.clear();

    const auto median_of = [](std::vector<double> sorted) {
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    };
    const double median = median_of(seconds);
    const double wrap_median = median_of(wrap_seconds);
    const TerminalFigures figures = terminal_figures(terminal, limbs, proof.size());
    if (session.json) {
        json::array all;
        for (const double s : seconds) all.push_back(rounded(s, 3));
        json::object document = to_json(figures);
        document["profile"] = options.profile;
        document["terminal_seconds"] = rounded(median, 3);
        document["wrap_seconds"] = rounded(wrap_median, 3);
        document["run_seconds"] = std::move(all);
        document["phases"] = json::object{{"commit", rounded(phases.commit, 3)},
                                          {"logup", rounded(phases.logup, 3)},
                                          {"zerocheck", rounded(phases.zerocheck, 3)},
                                          {"open", rounded(phases.open, 3)}};
        document["key_seconds"] = rounded(key_seconds, 3);
        document["verify_ms"] = rounded(verify_seconds * 1e3, 3);
        document["peak_rss_bytes"] = peak_rss_bytes();
        document["threads"] = tbb::this_task_arena::max_concurrency();
        document["isa"] = isa_name(current_isa());
        document["cpu"] = cpu_model();
        document["calibration"] = to_json(calibration);
        print_json(document);
        return;
    }
    print(fmt::format("the terminal proof of a bundle of {}, median of {} ({} threads, {}, {})\n\n", options.profile,
                      options.runs, tbb::this_task_arena::max_concurrency(), isa_name(current_isa()), cpu_model()));
    const auto line = [](const std::string& name, const std::string& value, const std::string& note = "") {
        print(fmt::format("  {:<20} {:>12}   {}\n", name, value, note));
    };
    line("proving", human_seconds(median),
         fmt::format("wrap {}, commit {}, sums {}, constraints {}, opening {}", human_seconds(wrap_median),
                     human_seconds(phases.commit), human_seconds(phases.logup), human_seconds(phases.zerocheck),
                     human_seconds(phases.open)));
    line("keys", human_seconds(key_seconds), "of the wrap and of the terminal, made once");
    line("verified in", human_seconds(verify_seconds), "natively");
    print(to_text(figures));
    line("peak memory", human_bytes(peak_rss_bytes()), "whole process");
    print("\n" + to_text(calibration));
}

}  // namespace

void add_bench_terminal(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<TerminalBenchOptions>();
    CLI::App* command =
        add_command(bench, session, "terminal", "From the proof of a bundle to the one that a contract verifies",
                    "quarry bench terminal --json", [options, &session] { run(*options, session); });
    command->add_option("--profile", options->profile, "batches that there is room for, all taken: 1, 4 or 16")
        ->type_name("N")
        ->check(CLI::IsMember({1U, 4U, 16U}))
        ->capture_default_str();
    add_number(*command, "--runs", options->runs, 1, 100, "proofs; the median counts")->capture_default_str();
    command->add_option("--seed", options->seed, "of keys, amounts and receivers")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--folder", options->folder, "where to put the temporary work (default: TMPDIR or /tmp)")
        ->type_name("DIR");
}

}  // namespace quarry::apps
