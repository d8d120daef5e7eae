#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/circuits/poseidon_table.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

constexpr const char* kRssNote =
    "peak resident memory of the whole process (code, thread pool, inputs, trace, prover, verifier), taken before the "
    "calibration";

struct PermutationsBenchOptions {
    unsigned log_count = 17;
    unsigned security_bits = 100;
    unsigned runs = 3;
    std::uint64_t seed = 1;
    std::string out;
};

/// One proof, from inputs set to proof bytes.
struct PermutationsRun {
    double trace_seconds = 0;
    double encode_seconds = 0;
    double total_seconds = 0;
    ProvePhases phases;
};

struct PermutationsOutcome {
    std::vector<PermutationsRun> runs;
    std::vector<std::uint8_t> proof;
    double verify_seconds = 0;  ///< from proof bytes to the verdict, median
    double provable_bits = 0;
    double cells_per_permutation = 0;
    std::uint64_t peak_rss_bytes = 0;

    [[nodiscard]] const PermutationsRun& median() const {
        std::vector<const PermutationsRun*> sorted;
        for (const PermutationsRun& run : runs) sorted.push_back(&run);
        std::sort(sorted.begin(), sorted.end(), [](const PermutationsRun* a, const PermutationsRun* b) {
            return a->total_seconds < b->total_seconds;
        });
        return *sorted[sorted.size() / 2];
    }
};

/// Progress of a run whose steps take as long as they took in the last run.
class Steps {
  public:
    Steps(Progress& progress, const PermutationsBenchOptions& options)
        : progress_(progress), options_(options), start_(now_seconds()), run_start_(start_) {}

    void start_run() { run_start_ = now_seconds(), step_ = 0; }
    void end_run() {
        ++done_;
        last_ = now_seconds() - run_start_;
    }
    void operator()(const std::string& name) {
        constexpr double kSteps = 7;  // inputs, trace, the four of prove(), encode and verify
        const double in_run = std::min(1.0, last_ > 0 ? (now_seconds() - run_start_) / last_ : step_ / kSteps);
        const double fraction = (done_ + in_run) / options_.runs;
        std::string rate;
        std::optional<double> left;
        if (last_ > 0) {
            rate = with_commas(static_cast<std::uint64_t>(std::exp2(options_.log_count) / last_)) + " permutations/s";
            left = (options_.runs - done_ - in_run) * last_;
        }
        progress_.show(fmt::format("run {} of {}: {}", done_ + 1, options_.runs, name), fraction, rate, left);
        step_ += 1;
    }

  private:
    Progress& progress_;
    const PermutationsBenchOptions& options_;
    double start_;
    double run_start_;
    double last_ = 0;
    double step_ = 0;
    unsigned done_ = 0;
};

/// SplitMix64 at position i of a stream: any seed gives the same inputs on any number of threads.
std::uint64_t random_word(std::uint64_t seed, std::uint64_t i) {
    std::uint64_t z = seed * 0xd1342543de82ef95 + (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void set_inputs(Trace& trace, std::uint64_t seed) {
    for (std::size_t c = 0; c < kPoseidonWidth; ++c) {
        const std::span<KoalaBear> column = trace.column(0, c);
        parallel_for(column.size(), std::size_t{1} << 14, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                column[i] = KoalaBear(random_word(seed, i * kPoseidonWidth + c));
            }
        });
    }
}

PermutationsRun prove_once(const Circuit& circuit, const PermutationsBenchOptions& options, Steps& step,
                           std::vector<std::uint8_t>& proof_bytes) {
    PermutationsRun run;
    step("inputs");
    Trace trace(circuit, {options.log_count});
    set_inputs(trace, options.seed);

    const double start = now_seconds();
    step("trace");
    fill_permutations(trace, 0);
    run.trace_seconds = now_seconds() - start;
    ProveOptions prove_options;
    prove_options.security_bits = options.security_bits;
    prove_options.phases = &run.phases;
    prove_options.now = now_seconds;
    prove_options.on_phase = [&](const char* name) {
        if (std::string_view(name) != "done") step(name);
    };
    const Proof proof = prove(circuit, trace, {}, prove_options);
    const double proven = now_seconds();
    proof_bytes = encode_proof(circuit, proof);
    const double end = now_seconds();
    run.encode_seconds = end - proven;
    run.total_seconds = end - start;
    return run;
}

/// Seconds from proof bytes to the verdict. A refusal of our own proof is our own bug.
double verify_once(const Circuit& circuit, const PermutationsBenchOptions& options,
                   std::span<const std::uint8_t> bytes) {
    const double start = now_seconds();
    const auto proof = decode_proof(circuit, bytes);
    const Status status = proof ? verify(circuit, proof.value(), {}, options.security_bits) : Status(proof.error());
    const double seconds = now_seconds() - start;
    if (status) return seconds;
    throw Failure(exit_internal, "own_proof_refused",
                  fmt::format("the proof just made is refused: {}", errc_name(status.error().code)),
                  "this is a bug of quarry or a fault of this machine's memory: please report it",
                  status.error().where);
}

PermutationsOutcome measure(const Circuit& circuit, const PermutationsBenchOptions& options, Progress& progress) {
    PermutationsOutcome outcome;
    Steps step(progress, options);
    std::vector<double> verify_seconds;
    for (unsigned i = 0; i < options.runs; ++i) {
        step.start_run();
        std::vector<std::uint8_t> bytes;
        outcome.runs.push_back(prove_once(circuit, options, step, bytes));
        if (i > 0 && bytes != outcome.proof) {
            throw Failure(exit_internal, "not_deterministic", "two proofs of the same inputs differ",
                          "this is a bug of quarry or a fault of this machine's memory: please report it");
        }
        outcome.proof = std::move(bytes);
        step("verify");
        verify_seconds.push_back(verify_once(circuit, options, outcome.proof));
        step.end_run();
    }
    while (verify_seconds.size() < 5) verify_seconds.push_back(verify_once(circuit, options, outcome.proof));
    std::sort(verify_seconds.begin(), verify_seconds.end());
    outcome.verify_seconds = verify_seconds[verify_seconds.size() / 2];

    const StackLayout layout = make_stack_layout(circuit, {options.log_count}).value();
    outcome.provable_bits = provable_bits(layout.log_size, options.security_bits);
    const std::size_t committed = layout.used_lanes << layout.log_lane();
    outcome.cells_per_permutation = static_cast<double>(committed) / std::exp2(options.log_count);
    outcome.peak_rss_bytes = peak_rss_bytes();
    return outcome;
}

void check_memory(const PermutationsBenchOptions& options) {
    // 400 bytes of trace, 896 of codeword, 128 of Merkle tree, and what the opening adds (1.8 KB measured in all).
    constexpr double kBytesPerPermutation = 2048;
    constexpr double kProgramBytes = 64 << 20;
    const auto needed = static_cast<std::uint64_t>(kBytesPerPermutation * std::exp2(options.log_count) + kProgramBytes);
    const auto free = free_memory_bytes();
    if (!free || needed <= *free) return;
    throw Failure(exit_environment, "out_of_memory",
                  fmt::format("proving 2^{} permutations needs about {} of memory, {} are free", options.log_count,
                              human_bytes(needed), human_bytes(*free)),
                  "choose a smaller --log-count or stop other programs");
}

json::object to_json(const PermutationsBenchOptions& options, const PermutationsOutcome& outcome,
                     const Calibration& calibration) {
    const PermutationsRun& run = outcome.median();
    json::array seconds;
    for (const PermutationsRun& r : outcome.runs) seconds.push_back(rounded(r.total_seconds, 6));
    json::object document{{"log_count", options.log_count},
                          {"permutations", std::uint64_t{1} << options.log_count},
                          {"permutations_per_second", whole(std::exp2(options.log_count) / run.total_seconds)},
                          {"seconds", rounded(run.total_seconds, 6)},
                          {"run_seconds", std::move(seconds)},
                          {"trace_seconds", rounded(run.trace_seconds, 6)}};
    document["phases"] = json::object{{"commit", rounded(run.phases.commit, 6)},
                                      {"logup", rounded(run.phases.logup, 6)},
                                      {"zerocheck", rounded(run.phases.zerocheck, 6)},
                                      {"open", rounded(run.phases.open, 6)}};
    document["encode_seconds"] = rounded(run.encode_seconds, 6);
    document["security_bits"] = options.security_bits;
    document["provable_bits"] = outcome.provable_bits;
    document["proof_bytes"] = outcome.proof.size();
    document["verify_ms"] = rounded(outcome.verify_seconds * 1e3, 3);
    document["peak_rss_bytes"] = outcome.peak_rss_bytes;
    document["peak_rss_note"] = kRssNote;
    document["cells_per_permutation"] = outcome.cells_per_permutation;
    document["threads"] = tbb::this_task_arena::max_concurrency();
    document["isa"] = isa_name(current_isa());
    document["cpu"] = cpu_model();
    document["calibration"] = to_json(calibration);
    return document;
}

void print_text(const PermutationsBenchOptions& options, const PermutationsOutcome& outcome,
                const Calibration& calibration) {
    const PermutationsRun& run = outcome.median();
    const double count = std::exp2(options.log_count);
    print(fmt::format("{} Poseidon permutations proven and verified ({} threads, {}, {})\n\n",
                      with_commas(std::uint64_t{1} << options.log_count), tbb::this_task_arena::max_concurrency(),
                      isa_name(current_isa()), cpu_model()));
    const auto line = [](const char* name, const std::string& value, const std::string& note = "") {
        print(fmt::format("  {:<24} {:>14}{}{}\n", name, value, note.empty() ? "" : "   ", note));
    };
    line("permutations/s", with_commas(whole(count / run.total_seconds)),
         fmt::format("inputs to proof bytes, median of {}", outcome.runs.size()));
    line("time", human_seconds(run.total_seconds));
    line("  trace", human_seconds(run.trace_seconds));
    line("  commit", human_seconds(run.phases.commit));
    line("  logup", human_seconds(run.phases.logup));
    line("  zerocheck", human_seconds(run.phases.zerocheck));
    line("  open", human_seconds(run.phases.open));
    line("  encode", human_seconds(run.encode_seconds));
    line("provable security", fmt::format("{:.2f} bits", outcome.provable_bits), "every message: quarry security");
    line("proof", human_bytes(outcome.proof.size()), options.out.empty() ? "" : "written to " + options.out);
    line("verify", human_seconds(outcome.verify_seconds), "proof bytes to verdict");
    line("peak memory", human_bytes(outcome.peak_rss_bytes), "whole process");
    line("cells per permutation", fmt::format("{:.1f}", outcome.cells_per_permutation), "committed, padding included");
    print(fmt::format("\n  this machine: {}\n", to_text(calibration)));
}

void run_permutations(const PermutationsBenchOptions& options, const Session& session) {
    if (!options.out.empty()) check_writable(options.out);
    check_memory(options);
    Progress progress(session.quiet);
    const auto circuit = make_permutation_circuit();
    const PermutationsOutcome outcome = measure(*circuit, options, progress);
    if (!options.out.empty()) write_file(options.out, outcome.proof);
    const Calibration calibration = calibrate(progress);
    progress.clear();
    if (session.json) {
        print_json(to_json(options, outcome, calibration));
    } else {
        print_text(options, outcome, calibration);
    }
}

}  // namespace

void add_bench_permutations(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<PermutationsBenchOptions>();
    CLI::App* command =
        add_command(bench, session, "permutations",
                    "Prove and verify 2^N random Poseidon permutations; the proof can be kept with --out",
                    "quarry bench permutations --log-count 17 --threads 2 --out proof.bin",
                    [options, &session] { run_permutations(*options, session); });
    add_number(*command, "--log-count", options->log_count, 9, 20, "prove 2^N permutations")->capture_default_str();
    add_level(*command, "--security", options->security_bits, "provable bits");
    add_number(*command, "--runs", options->runs, 1, 1000, "prove so often; the median is shown")
        ->capture_default_str();
    command->add_option("--seed", options->seed, "of the inputs; equal seeds give equal proofs")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--out", options->out, "write the proof to FILE")->type_name("FILE");
}

}  // namespace quarry::apps
