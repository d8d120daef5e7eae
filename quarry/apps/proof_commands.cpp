#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <set>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/node_files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/terminal_files.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/node/batch_files.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

void print_line(const std::string& name, const std::string& value) { print(fmt::format("  {:<20} {}\n", name, value)); }

struct ProofOptions {
    std::string file;
    std::string statement;
    std::string batch;
    unsigned security_bits = 100;
};

Error unknown_kind() { return {Errc::wrong_key, "circuit digest"}; }

rollup::SegmentStatement statement_of(const ProofFile& file, const ProofOptions& options) {
    if (!options.statement.empty()) return read_statement_file(options.statement);
    throw Failure(exit_usage, "usage", fmt::format("{} is a proof of a segment: it proves a statement", file.path),
                  "name the statement with --statement FILE");
}

/// Throws Failure(exit_refused) unless the statement is about operations of this batch, whoever proved them.
void check_batch(const rollup::SegmentStatement& statement, const ProofOptions& options) {
    const BatchName name = parse_batch_name(options.batch);
    const auto folder = value_of(node::BatchFolder::open(name.folder));
    const auto batch = value_of(folder.read(name.number));
    const auto verdict = node::check_part(folder.parameters(), batch, statement);
    if (verdict) return;
    throw Failure(exit_refused, errc_name(Errc::statement_mismatch),
                  fmt::format("{} does not say what {} claims: {}", options.statement, options.batch,
                              rollup::reject_text(verdict.code())),
                  "give the batch that was proven, or ask its prover for the statement",
                  rollup::reject_name(verdict.code()));
}

void verify_segment_file(const ProofFile& file, const ProofOptions& options, const Session& session) {
    const rollup::SegmentStatement statement = statement_of(file, options);
    if (!options.batch.empty()) check_batch(statement, options);
    const double start = now_seconds();
    const Status status = circuits::verify_segment(statement, file.bytes, options.security_bits);
    if (!status) throw refusal(exit_refused, file.path, status.error());
    const double end = now_seconds();

    const unsigned log_size = make_stack_layout(*file.circuit, file.header.heights).value().log_size;
    const double bits = provable_bits(log_size, file.header.security_bits);
    const auto hex = [](const Digest& d) { return node::to_hex(d); };
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"kind", file.kind},
                                {"words", statement.work.units},
                                {"first_word", statement.before.data.count},
                                {"root_before", hex(statement.before.state.root)},
                                {"root_after", hex(statement.after.state.root)},
                                {"payee", "0x" + to_hex(statement.payee.bytes)},
                                {"security_bits", file.header.security_bits},
                                {"provable_bits", bits},
                                {"proof_bytes", file.bytes.size()},
                                {"verify_ms", rounded((end - start) * 1e3, 3)}});
        return;
    }
    print(
        fmt::format("{}: accepted: {} words of operations from word {} on lead from state {}.. to {}.., {:.2f} "
                    "provable bits, {}, verified in {}\n",
                    file.path, with_commas(statement.work.units), with_commas(statement.before.data.count),
                    hex(statement.before.state.root).substr(0, 18), hex(statement.after.state.root).substr(0, 18), bits,
                    human_bytes(file.bytes.size()), human_seconds(end - start)));
}

void run_verify(const ProofOptions& options, const Session& session) {
    if (const auto node = read_node_file(options.file)) {
        return verify_node_file(options.file, *node, options.statement, options.batch, options.security_bits, session);
    }
    if (const auto terminal = read_terminal_file(options.file)) {
        return verify_terminal_file(options.file, *terminal, options.statement, options.batch, options.security_bits,
                                    session);
    }
    const ProofFile file = read_proof_file(options.file);
    if (!file.circuit) throw refusal(exit_refused, file.path, unknown_kind());
    if (file.is_segment()) return verify_segment_file(file, options, session);
    const double start = now_seconds();
    const auto proof = decode_proof(*file.circuit, file.bytes);
    if (!proof) throw refusal(exit_refused, file.path, proof.error());
    const double decoded = now_seconds();
    const Status status = verify(*file.circuit, proof.value(), {}, options.security_bits);
    if (!status) throw refusal(exit_refused, file.path, status.error());
    const double end = now_seconds();

    // One table, one permutation a row. verify() has checked the heights.
    const std::uint64_t permutations = std::uint64_t{1} << proof.value().heights[0];
    const unsigned log_size = make_stack_layout(*file.circuit, proof.value().heights).value().log_size;
    const double bits = provable_bits(log_size, proof.value().security_bits);
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"kind", file.kind},
                                {"permutations", permutations},
                                {"security_bits", proof.value().security_bits},
                                {"provable_bits", bits},
                                {"proof_bytes", file.bytes.size()},
                                {"decode_ms", rounded((decoded - start) * 1e3, 3)},
                                {"verify_ms", rounded((end - start) * 1e3, 3)}});
        return;
    }
    print(fmt::format("{}: accepted: knowledge of {} Poseidon permutations, {:.2f} provable bits, {}, verified in {}\n",
                      file.path, with_commas(permutations), bits, human_bytes(file.bytes.size()),
                      human_seconds(end - start)));
}

/// The bytes of a decoded proof by part.
struct Sizes {
    struct Oracle {
        std::size_t queries = 0, distinct = 0, row_elements = 0, tree_height = 0;
        [[nodiscard]] std::size_t row_bytes() const { return 4 * distinct * row_elements; }
    };
    std::size_t header = 0, stream = 0, rows = 0, paths = 0;
    std::vector<Oracle> oracles;
};

Sizes measure(const ProofFile& file, const Proof& proof) {
    Sizes sizes;
    constexpr std::size_t kFixedHeaderBytes = 4 + 2 + 2 + 32 + 32 + 1 + 1;
    sizes.header = kFixedHeaderBytes + proof.heights.size();
    sizes.stream = 4 * proof.stream.size();
    for (const auto& round : proof.openings.oracles) {
        // A position that is asked for twice is written once; equal rows with equal paths are of one position.
        std::set<std::vector<std::uint32_t>> distinct;
        for (const Opening& opening : round) {
            std::vector<std::uint32_t> key;
            for (const KoalaBear x : opening.row) key.push_back(x.canonical());
            for (const Digest& d : opening.path) {
                for (const KoalaBear x : d) key.push_back(x.canonical());
            }
            distinct.insert(std::move(key));
        }
        sizes.oracles.push_back({round.size(), distinct.size(), round[0].row.size(), round[0].path.size()});
        sizes.rows += sizes.oracles.back().row_bytes();
    }
    sizes.paths = file.bytes.size() - sizes.header - sizes.stream - sizes.rows;
    return sizes;
}

json::object to_json(const Sizes& sizes) {
    json::array oracles;
    for (const Sizes::Oracle& o : sizes.oracles) {
        oracles.push_back(json::object{{"queries", o.queries},
                                       {"distinct_queries", o.distinct},
                                       {"row_elements", o.row_elements},
                                       {"tree_height", o.tree_height},
                                       {"row_bytes", o.row_bytes()}});
    }
    return json::object{{"header", sizes.header},
                        {"stream", sizes.stream},
                        {"opened_rows", sizes.rows},
                        {"merkle_paths", sizes.paths},
                        {"oracles", std::move(oracles)}};
}

void print_sizes(const Sizes& sizes) {
    print_line("  header", human_bytes(sizes.header));
    print_line("  prover messages", human_bytes(sizes.stream));
    print_line("  opened rows", human_bytes(sizes.rows));
    print_line("  Merkle paths", human_bytes(sizes.paths));
    for (std::size_t i = 0; i < sizes.oracles.size(); ++i) {
        const Sizes::Oracle& o = sizes.oracles[i];
        print(fmt::format("    oracle {}: {} queries at {} positions, rows of {} elements ({}), tree of height {}\n", i,
                          o.queries, o.distinct, o.row_elements, human_bytes(o.row_bytes()), o.tree_height));
    }
}

/// What every proof has in its header.
json::object show_header(const ProofFile& file, const Session& session) {
    const ProofHeader& header = file.header;
    json::array heights(header.heights.begin(), header.heights.end());
    json::object document{{"ok", true},
                          {"kind", file.kind},
                          {"format_version", header.version},
                          {"key_digest", to_hex(header.key_digest)},
                          {"start_digest", to_hex(header.start_digest)},
                          {"security_bits", header.security_bits},
                          {"log_heights", std::move(heights)},
                          {"proof_bytes", file.bytes.size()}};
    if (session.json) return document;
    std::string heights_text;
    for (const unsigned h : header.heights) heights_text += fmt::format("{}2^{}", heights_text.empty() ? "" : ", ", h);
    print(fmt::format("{}: a proof of {}, format {}\n", file.path, file.kind, header.version));
    print_line("circuit digest", to_hex(header.key_digest));
    print_line("start digest", to_hex(header.start_digest));
    print_line("security", fmt::format("{} bits", header.security_bits));
    print_line("rows of each table", heights_text);
    print_line("size", human_bytes(file.bytes.size()));
    return document;
}

void show_parts(const ProofFile& file, const Result<Proof>& proof, json::object document, const Session& session) {
    if (!proof) throw refusal(exit_refused, file.path, proof.error());
    const Sizes sizes = measure(file, proof.value());
    if (session.json) {
        document["bytes"] = to_json(sizes);
        print_json(document);
    } else {
        print_sizes(sizes);
        print("  well-formed; not verified: `quarry verify` does that\n");
    }
}

void inspect_node(const std::string& path, const node::NodeProofFile& node, const Session& session) {
    const recursion::Catalog& catalog = pinned_catalog();
    const auto header = decode_header(node.proof);
    if (!header) throw refusal(exit_bad_input, path, header.error());
    const ProofFile file{path, node.proof, header.value(), kind_name(node.statement), nullptr};
    json::object document = show_header(file, session);
    const auto& kinds = recursion::node_kinds();
    const std::string kind = node.node_kind < kinds.size() ? kinds[node.node_kind].name : "unknown";
    if (session.json) {
        document["node"] = kind;
        document["key_table"] = node::to_hex(node.keys);
        document["statement"] = summary_json(node.statement);
    } else {
        print_line("node", kind);
        print_line("key table", node::to_hex(node.keys));
        print(summary(node.statement));
    }
    show_parts(file, node::decode(catalog, node), std::move(document), session);
}

void run_inspect(const ProofOptions& options, const Session& session) {
    if (const auto node = read_node_file(options.file)) return inspect_node(options.file, *node, session);
    if (const auto terminal = read_terminal_file(options.file)) {
        return inspect_terminal_file(options.file, *terminal, session);
    }
    const ProofFile file = read_proof_file(options.file);
    json::object document = show_header(file, session);
    // What follows the header can be read only by those who know the circuit; decoding does not verify.
    if (!file.circuit) throw refusal(exit_refused, file.path, unknown_kind());
    const auto proof = file.is_segment() ? circuits::decode_segment_proof(
                                               file.bytes, circuits::segment_public_input(statement_of(file, options)))
                                         : decode_proof(*file.circuit, file.bytes);
    show_parts(file, proof, std::move(document), session);
}

CLI::App* add_proof_command(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                            const std::string& example, const std::shared_ptr<ProofOptions>& options,
                            void (*run)(const ProofOptions&, const Session&)) {
    CLI::App* command =
        add_command(app, session, name, description, example, [options, run, &session] { run(*options, session); });
    command
        ->add_option("FILE", options->file,
                     "a proof, as `quarry prove`, `quarry aggregate` or `quarry bench permutations` writes it")
        ->type_name("")
        ->required();
    command
        ->add_option("--statement", options->statement,
                     "what it must prove, as it was written beside it; a segment's proof needs it")
        ->type_name("FILE");
    return command;
}

}  // namespace

void add_proof_commands(CLI::App& app, Session& session) {
    const auto options = std::make_shared<ProofOptions>();
    CLI::App* command =
        add_proof_command(app, session, "verify", "Verify a proof; exit 0 if it is accepted, 1 if refused",
                          "quarry verify proof.bin --statement proof.bin.statement.json", options, run_verify);
    command->add_option("--batch", options->batch, "also check that the statement is about this batch, or a part of it")
        ->type_name("BATCH");
    add_level(*command, "--security", options->security_bits, "provable bits that the proof must have at least");
    add_proof_command(app, session, "inspect", "Show the header of a proof and the size of its parts",
                      "quarry inspect proof.bin --json", options, run_inspect);
}

}  // namespace quarry::apps
