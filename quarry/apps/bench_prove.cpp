#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/node/batch_prover.hpp"
#include "quarry/node/development_batch.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct ProveBenchOptions {
    std::size_t transfers = 4096;
    std::size_t accounts = 1'000'000;
    unsigned security_bits = 100;
    unsigned runs = 3;
    std::uint64_t seed = 1;
    std::string out;
};

struct ProveRun {
    node::BatchProverPhases phases;
    double seconds = 0;
};

struct ProveMeasured {
    std::vector<ProveRun> runs;
    node::BatchProof proof;
    double verify_seconds = 0;  ///< proof bytes to verdict, median of 5
    double provable_bits = 0;
    std::uint64_t peak_rss_bytes = 0;

    [[nodiscard]] const ProveRun& median() const {
        std::vector<const ProveRun*> sorted;
        for (const ProveRun& run : runs) sorted.push_back(&run);
        std::sort(sorted.begin(), sorted.end(),
                  [](const ProveRun* a, const ProveRun* b) { return a->seconds < b->seconds; });
        return *sorted[sorted.size() / 2];
    }
};

double verify_once(const node::BatchProof& proof, unsigned security_bits) {
    const double start = now_seconds();
    const Status status = circuits::verify_segment(proof.statement, proof.bytes, security_bits);
    const double seconds = now_seconds() - start;
    if (status) return seconds;
    throw Failure(exit_internal, "own_proof_refused",
                  fmt::format("the proof just made is refused: {}", errc_name(status.error().code)),
                  "this is a bug of quarry or a fault of this machine's memory: please report it",
                  status.error().where);
}

ProveMeasured measure(const node::DevelopmentBatch& batch, const ProveBenchOptions& options, Progress& progress) {
    ProveMeasured measured;
    (void)circuits::segment_circuit();  // built once a process, not once a proof
    double last = 0;
    for (unsigned i = 0; i < options.runs; ++i) {
        ProveRun run;
        const double start = now_seconds();
        node::BatchProverOptions prover;
        prover.payee.bytes.fill(0x51);
        prover.security_bits = options.security_bits;
        prover.now = now_seconds;
        prover.phases = &run.phases;
        prover.on_phase = [&](const char* name) {
            const double in_run = last > 0 ? std::min(1.0, (now_seconds() - start) / last) : 0.0;
            std::optional<double> left;
            std::string rate;
            if (last > 0) {
                left = (options.runs - i - in_run) * last;
                rate = with_commas(whole(static_cast<double>(options.transfers) / last)) + " transfers/s";
            }
            progress.show(fmt::format("run {} of {}: {}", i + 1, options.runs, name), (i + in_run) / options.runs, rate,
                          left);
        };
        auto proof = node::prove_batch(batch.parameters, *batch.store, batch.queues, batch.header, batch.data, prover);
        run.seconds = now_seconds() - start;
        last = run.seconds;
        if (!proof) throw Failure(exit_internal, proof.error().name, proof.error().cause, "please report it");
        if (i > 0 && proof.value().bytes != measured.proof.bytes) {
            throw Failure(exit_internal, "not_deterministic", "two proofs of the same batch differ",
                          "this is a bug of quarry or a fault of this machine's memory: please report it");
        }
        measured.proof = std::move(proof).value();
        measured.runs.push_back(run);
    }
    std::vector<double> seconds;
    for (int i = 0; i < 5; ++i) seconds.push_back(verify_once(measured.proof, options.security_bits));
    std::sort(seconds.begin(), seconds.end());
    measured.verify_seconds = seconds[2];
    const StackLayout layout = make_stack_layout(circuits::segment_circuit(), measured.proof.heights).value();
    measured.provable_bits = provable_bits(layout.log_size, options.security_bits);
    measured.peak_rss_bytes = peak_rss_bytes();
    return measured;
}

std::vector<std::pair<const char*, double>> phase_list(const node::BatchProverPhases& p) {
    return {{"execute", p.execute},   {"signatures", p.signatures},
            {"timeline", p.timeline}, {"witness", p.rows},
            {"trace", p.trace},       {"commit", p.prove.commit},
            {"logup", p.prove.logup}, {"zerocheck", p.prove.zerocheck},
            {"open", p.prove.open},   {"encode", p.encode}};
}

void run_prove(const ProveBenchOptions& options, const Session& session) {
    if (options.transfers >= options.accounts) {
        throw Failure(exit_usage, "usage", "--transfers must be below --accounts: every signer is another account",
                      "choose more accounts");
    }
    if (!options.out.empty()) check_writable(options.out);
    Progress progress(session.quiet);
    progress.show("accounts, keys and signatures", 0);
    const auto batch = node::make_development_batch(options.accounts, options.transfers, options.seed);
    const ProveMeasured measured = measure(batch, options, progress);
    if (!options.out.empty()) write_file(options.out, measured.proof.bytes);
    const Calibration calibration = calibrate(progress);
    progress.clear();

    const ProveRun& run = measured.median();
    const auto count = static_cast<double>(options.transfers);
    const double cells = static_cast<double>(measured.proof.committed_cells) / count;
    if (session.json) {
        json::object phases;
        for (const auto& [name, seconds] : phase_list(run.phases)) phases[name] = rounded(seconds, 6);
        json::array seconds;
        for (const ProveRun& r : measured.runs) seconds.push_back(rounded(r.seconds, 6));
        json::object heights;
        for (std::size_t t = 0; t < measured.proof.heights.size(); ++t) {
            heights[circuits::segment_circuit().tables()[t].name] = measured.proof.heights[t];
        }
        print_json(
            json::object{{"transfers", options.transfers},
                         {"accounts", options.accounts},
                         {"transfers_per_second", rounded(count / run.seconds, 1)},
                         {"seconds", rounded(run.seconds, 6)},
                         {"run_seconds", std::move(seconds)},
                         {"phases", std::move(phases)},
                         {"witness_share", rounded((run.phases.rows + run.phases.trace) / run.seconds, 4)},
                         {"cells_per_transfer", rounded(cells, 1)},
                         {"hashes_per_transfer", rounded(static_cast<double>(measured.proof.num_hashes) / count, 2)},
                         {"log_heights", std::move(heights)},
                         {"security_bits", options.security_bits},
                         {"provable_bits", measured.provable_bits},
                         {"proof_bytes", measured.proof.bytes.size()},
                         {"verify_ms", rounded(measured.verify_seconds * 1e3, 3)},
                         {"peak_rss_bytes", measured.peak_rss_bytes},
                         {"threads", tbb::this_task_arena::max_concurrency()},
                         {"isa", isa_name(current_isa())},
                         {"cpu", cpu_model()},
                         {"calibration", to_json(calibration)}});
        return;
    }
    print(fmt::format("one batch of {} transfers from as many signers, {} accounts ({} threads, {}, {})\n\n",
                      with_commas(options.transfers), with_commas(options.accounts),
                      tbb::this_task_arena::max_concurrency(), isa_name(current_isa()), cpu_model()));
    const auto line = [](const std::string& name, const std::string& value, const std::string& note = "") {
        print(fmt::format("  {:<24} {:>14}{}{}\n", name, value, note.empty() ? "" : "   ", note));
    };
    line("transfers/s", with_commas(whole(count / run.seconds)),
         fmt::format("batch bytes and state to proof bytes, median of {}", measured.runs.size()));
    line("time", human_seconds(run.seconds));
    for (const auto& [name, seconds] : phase_list(run.phases)) line(std::string("  ") + name, human_seconds(seconds));
    line("cells per transfer", with_commas(whole(cells)), "committed, padding included");
    line("provable security", fmt::format("{:.2f} bits", measured.provable_bits), "every message: quarry security");
    line("proof", human_bytes(measured.proof.bytes.size()), options.out.empty() ? "" : "written to " + options.out);
    line("verify", human_seconds(measured.verify_seconds), "proof bytes to verdict");
    line("peak memory", human_bytes(measured.peak_rss_bytes), "whole process");
    print("\n" + to_text(calibration));
}

}  // namespace

void add_bench_prove(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<ProveBenchOptions>();
    CLI::App* command = add_command(bench, session, "prove", "Prove and verify one batch of signed transfers",
                                    "quarry bench prove --transfers 4096 --accounts 1000000 --json",
                                    [options, &session] { run_prove(*options, session); });
    add_number(*command, "--transfers", options->transfers, 1, 8191, "transfers in the batch, each by another signer")
        ->capture_default_str();
    add_number(*command, "--accounts", options->accounts, 2, 1u << 26, "accounts in the state")->capture_default_str();
    add_level(*command, "--security", options->security_bits, "provable bits");
    add_number(*command, "--runs", options->runs, 1, 1000, "prove so often; the median is shown")
        ->capture_default_str();
    command->add_option("--seed", options->seed, "of keys, amounts and receivers")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--out", options->out, "write the proof to FILE")->type_name("FILE");
}

}  // namespace quarry::apps
