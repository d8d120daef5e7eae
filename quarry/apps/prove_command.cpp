#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/batch_files.hpp"
#include "quarry/node/batch_prover.hpp"
#include "quarry/node/statement_json.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

/// Whom a proof pays when nobody is named: nobody can collect for it, which is enough for a demonstration.
constexpr const char* kDevelopmentPayee = "0x000000000000000000000000000000000000dead";

struct Options {
    std::string batch;
    std::string state;
    std::string out;
    std::string statement;
    std::string payee = kDevelopmentPayee;
    std::uint64_t miner_tag = 0;
    unsigned security_bits = 100;
};

std::string check_address(const std::string& text) {
    if (!parse_address(text)) return "'" + text + "' is not an address: 0x and 40 hexadecimal digits, not all zero";
    return "";
}

/// Shows the phases; their shares of the time are those of a large batch.
class Phases {
  public:
    explicit Phases(Progress& progress) : progress_(progress) {}
    void operator()(const std::string& name) {
        constexpr std::array<std::pair<const char*, double>, 10> kDoneBefore{{{"execute", 0.0},
                                                                              {"signatures", 0.02},
                                                                              {"timeline", 0.05},
                                                                              {"witness", 0.08},
                                                                              {"trace", 0.14},
                                                                              {"commit", 0.18},
                                                                              {"logup", 0.65},
                                                                              {"zerocheck", 0.7},
                                                                              {"open", 0.9},
                                                                              {"encode", 0.99}}};
        for (const auto& [phase, fraction] : kDoneBefore) {
            if (name != phase) continue;
            const double elapsed = now_seconds() - start_;
            std::optional<double> left;
            if (fraction > 0.15) left = elapsed / fraction * (1 - fraction);
            progress_.show("proving: " + name, fraction, "", left);
        }
    }

  private:
    Progress& progress_;
    double start_ = now_seconds();
};

void run(const Options& options, const Session& session) {
    const BatchName name = parse_batch_name(options.batch);
    check_writable(options.out);
    const std::string statement_path = options.statement.empty() ? options.out + ".statement.json" : options.statement;
    check_writable(statement_path);
    Progress progress(session.quiet);
    progress.show("reading the state", 0);
    const auto folder = value_of(node::BatchFolder::open(name.folder));
    const auto batch = value_of(folder.read(name.number));
    const auto state = open_state(options.state, true);
    if (!(state->parameters() == folder.parameters())) {
        throw Failure(exit_bad_input, "wrong_rollup",
                      fmt::format("{} is the state of another rollup than {}", options.state, name.folder),
                      "give the state directory that the batch was executed on");
    }
    const auto before = state->before_batch(name.number);
    if (!before) {
        throw Failure(exit_bad_input, rollup::reject_name(before.code()),
                      fmt::format("{} cannot go back to the state before batch {}", options.state, name.number),
                      "give a state directory that has executed it, or all batches before it, and not finalised it");
    }

    const double start = now_seconds();
    Phases phases(progress);
    node::BatchProverOptions prover;
    prover.payee = *parse_address(options.payee);
    prover.miner_tag = options.miner_tag;
    prover.security_bits = options.security_bits;
    prover.on_phase = [&](const char* phase) { phases(phase); };
    const auto queues = batch.queues();
    const auto proof =
        value_of(node::prove_batch(state->parameters(), before.value(), queues, batch.header, batch.data, prover));
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
    const auto options = std::make_shared<Options>();
    CLI::App* command = add_command(app, session, "prove", "Prove a batch, from its data and the state before it",
                                    "quarry prove batches/batch-000001 --state state --out proof.bin",
                                    [options, &session] { run(*options, session); });
    command->add_option("BATCH", options->batch, "the folder of a batch, as `quarry execute` writes it")
        ->type_name("")
        ->required();
    command->add_option("--state", options->state, "the state directory")->type_name("DIR")->required();
    command->add_option("--out", options->out, "the proof to write")->type_name("FILE")->required();
    command->add_option("--statement", options->statement, "what it proves (default: FILE.statement.json)")
        ->type_name("FILE");
    command->add_option("--payee", options->payee, "the L1 address that the bounty is for: part of what is proven")
        ->type_name("ADDRESS")
        ->check(check_address)
        ->capture_default_str();
    command->add_option("--miner-tag", options->miner_tag, "64 bits that name the prover inside a pool")
        ->type_name("N")
        ->capture_default_str();
    add_level(*command, "--security", options->security_bits, "provable bits");
}

}  // namespace quarry::apps
