#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/phases.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/prove_segments.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/batch_files.hpp"
#include "quarry/node/batch_prover.hpp"
#include "quarry/node/statement_json.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct ProveOptions {
    std::string batch;
    std::string state;
    std::string out;
    std::string statement;
    std::string payee = kDevelopmentPayee;
    std::uint64_t miner_tag = 0;
    unsigned security_bits = 100;
    std::size_t segments = 1;
    WorkerOptions workers;
};

/// Shows the phases.
class Phases {
  public:
    explicit Phases(Progress& progress) : progress_(progress) {}
    void operator()(const std::string& name) {
        const double fraction = done_before_phase(name);
        if (fraction < 0) return;
        const double elapsed = now_seconds() - start_;
        std::optional<double> left;
        if (fraction > 0.15) left = elapsed / fraction * (1 - fraction);
        progress_.show("proving: " + name, fraction, "", left);
    }

  private:
    Progress& progress_;
    double start_ = now_seconds();
};

void run_in_segments(const ProveOptions& options, const Session& session) {
    const BatchName name = parse_batch_name(options.batch);
    if (!options.statement.empty()) {
        throw Failure(exit_usage, "usage", "--statement does not go with --segments: the folder has all statements",
                      "leave it out");
    }
    Progress progress(session.quiet);
    const auto folder = value_of(node::BatchFolder::open(name.folder));
    auto batch = value_of(folder.read(name.number));
    const rollup::Header header = batch.header;
    prove_segments({.name = name,
                    .folder = options.out,
                    .batches = folder,
                    .batch = std::move(batch),
                    .work = {.header = header,
                             .segments = options.segments,
                             .payee = *parse_address(options.payee),
                             .miner_tag = options.miner_tag,
                             .security_bits = options.security_bits},
                    .workers = options.workers,
                    .before = [&] { return state_before(options.state, name, folder.parameters()); }},
                   session, progress);
}

void run(const ProveOptions& options, const Session& session) {
    if (options.segments > 1) return run_in_segments(options, session);
    if (options.workers.workers > 1 || options.workers.memory_cap_mib > 0) {
        throw Failure(exit_usage, "usage", "--workers and --memory-cap are for batches in segments",
                      "choose a number of segments with --segments");
    }
    const BatchName name = parse_batch_name(options.batch);
    check_writable(options.out);
    const std::string statement_path = options.statement.empty() ? options.out + ".statement.json" : options.statement;
    check_writable(statement_path);
    Progress progress(session.quiet);
    progress.show("reading the state", 0);
    const auto folder = value_of(node::BatchFolder::open(name.folder));
    const auto batch = value_of(folder.read(name.number));
    const rollup::MemoryStore before = state_before(options.state, name, folder.parameters());

    const double start = now_seconds();
    Phases phases(progress);
    node::BatchProverOptions prover;
    prover.payee = *parse_address(options.payee);
    prover.miner_tag = options.miner_tag;
    prover.security_bits = options.security_bits;
    prover.on_phase = [&](const char* phase) { phases(phase); };
    const auto queues = batch.queues();
    const auto proof =
        value_of(node::prove_batch(folder.parameters(), before, queues, batch.header, batch.data, prover));
    const double seconds = now_seconds() - start;
    write_file(options.out, proof.bytes);
    const std::string statement = node::to_json(proof.statement);
    write_file(statement_path, std::span(reinterpret_cast<const std::uint8_t*>(statement.data()), statement.size()));
    progress.clear();

    const StackLayout layout = make_stack_layout(circuits::segment_circuit(), proof.heights).value();
    const double bits = provable_bits(layout.log_size, options.security_bits);
    const double rate = static_cast<double>(proof.num_operations) / seconds;
    const std::uint32_t words = proof.statement.work.units;
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"batch", name.number},
                                {"words", words},
                                {"operations", proof.num_operations},
                                {"seconds", rounded(seconds, 6)},
                                {"operations_per_second", rounded(rate, 1)},
                                {"committed_cells", proof.committed_cells},
                                {"compressions", proof.num_hashes},
                                {"provable_bits", bits},
                                {"proof_bytes", proof.bytes.size()},
                                {"peak_rss_bytes", peak_rss_bytes()},
                                {"proof", options.out},
                                {"statement", statement_path}});
        return;
    }
    print(fmt::format("batch {}: {} operations ({} words) proven in {}, {:.0f} a second\n", name.number,
                      with_commas(proof.num_operations), with_commas(words), human_seconds(seconds), rate));
    print(fmt::format("  {} cells, {} compressions, {:.2f} provable bits, peak memory {}\n",
                      with_commas(proof.committed_cells), with_commas(proof.num_hashes), bits,
                      human_bytes(peak_rss_bytes())));
    print(fmt::format("  proof      {} ({})\n  statement  {}\n", options.out, human_bytes(proof.bytes.size()),
                      statement_path));
}

}  // namespace

void add_prove_command(CLI::App& app, Session& session) {
    const auto options = std::make_shared<ProveOptions>();
    CLI::App* command = add_command(app, session, "prove", "Prove a batch, from its data and the state before it",
                                    "quarry prove batches/batch-000001 --state state --out proof.bin",
                                    [options, &session] { run(*options, session); });
    command->add_option("BATCH", options->batch, "the folder of a batch, as `quarry execute` writes it")
        ->type_name("")
        ->required();
    command->add_option("--state", options->state, "the state directory")->type_name("DIR")->required();
    command
        ->add_option("--out", options->out,
                     "the proof to write; with --segments the folder of the work, from which the same command goes on")
        ->type_name("PATH")
        ->required();
    command->add_option("--statement", options->statement, "what it proves (default: FILE.statement.json)")
        ->type_name("FILE");
    add_prover_options(*command, options->payee, options->miner_tag);
    add_number(*command, "--segments", options->segments, 1, 1024,
               "cut the batch into so many segments, each proven by a process of its own")
        ->capture_default_str();
    add_worker_options(*command, options->workers);
    add_level(*command, "--security", options->security_bits, "provable bits");
}

}  // namespace quarry::apps
