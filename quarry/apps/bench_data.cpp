#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <random>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/circuits/data/data.hpp"
#include "quarry/field/isa.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct DataBenchOptions {
    std::size_t words = rollup::kMaxDataWords;
    bool horner = false;
    unsigned security_bits = 100;
    unsigned runs = 5;
    std::uint64_t seed = 1;
};

struct DataRun {
    double statement = 0;  ///< accumulator, point and value: what whoever posts the data computes too
    double rows = 0;       ///< witness, table by table
    double trace = 0;      ///< laid out as columns, hash tables computed
    ProvePhases prove;
    double encode = 0;
    double seconds = 0;
};

struct DataMeasured {
    std::vector<DataRun> runs;
    rollup::DataStatement statement;
    std::vector<std::uint8_t> proof;
    Heights heights;
    std::size_t cells = 0;   ///< committed, padding of the last lane included
    std::size_t hashes = 0;  ///< compressions proven
    double provable_bits = 0;
    double verify_seconds = 0;  ///< proof bytes to verdict, median of 5

    [[nodiscard]] const DataRun& median() const {
        std::vector<const DataRun*> sorted;
        for (const DataRun& run : runs) sorted.push_back(&run);
        std::sort(sorted.begin(), sorted.end(),
                  [](const DataRun* a, const DataRun* b) { return a->seconds < b->seconds; });
        return *sorted[sorted.size() / 2];
    }
};

void prove_once(const std::vector<std::uint8_t>& words, const DataBenchOptions& options, DataMeasured& measured) {
    constexpr std::uint64_t kMinerTag = 1;
    rollup::L1Address payee;
    payee.bytes.fill(0x51);
    rollup::Bytes32 l1_hash;
    l1_hash.fill(0x01);
    DataRun run;
    const double start = now_seconds();
    measured.statement = rollup::make_data_statement(options.horner ? rollup::DataForm::horner : rollup::DataForm::blob,
                                                     Digest{}, words, l1_hash, payee, kMinerTag);
    const double with_statement = now_seconds();
    const auto rows = circuits::make_data_rows(measured.statement, kMinerTag, words);
    if (!rows) throw Failure(exit_internal, "no_witness", errc_text(rows.error().code), "choose another --seed");
    const double with_rows = now_seconds();
    const Trace trace = circuits::make_data_trace(rows.value());
    const double with_trace = now_seconds();
    ProveOptions prove_options;
    prove_options.security_bits = options.security_bits;
    prove_options.now = now_seconds;
    prove_options.phases = &run.prove;
    const Statement statement = circuits::data_public_input(measured.statement);
    const Proof proof = prove(circuits::data_circuit(), trace, statement, prove_options);
    const double with_proof = now_seconds();
    auto bytes = encode_proof(circuits::data_circuit(), proof, statement);
    const double end = now_seconds();
    run.statement = with_statement - start;
    run.rows = with_rows - with_statement;
    run.trace = with_trace - with_rows;
    run.encode = end - with_proof;
    run.seconds = end - start;
    if (!measured.runs.empty() && bytes != measured.proof) {
        throw Failure(exit_internal, "not_deterministic", "two proofs of the same data differ",
                      "this is a bug of quarry or a fault of this machine's memory: please report it");
    }
    measured.proof = std::move(bytes);
    measured.heights = trace.heights();
    measured.cells = trace.layout().used_lanes << trace.layout().log_lane();
    measured.hashes = rows.value().hashes.size();
    measured.runs.push_back(run);
}

double verify_once(const DataMeasured& measured, unsigned security_bits) {
    const double start = now_seconds();
    const Status status = circuits::verify_data(measured.statement, measured.proof, security_bits);
    const double seconds = now_seconds() - start;
    if (status) return seconds;
    throw Failure(exit_internal, "own_proof_refused",
                  fmt::format("the proof just made is refused: {}", errc_name(status.error().code)),
                  "this is a bug of quarry or a fault of this machine's memory: please report it",
                  status.error().where);
}

DataMeasured measure(const DataBenchOptions& options, Progress& progress) {
    std::mt19937_64 rng(options.seed);
    std::vector<std::uint8_t> words(options.words * rollup::kWordBytes);
    for (std::uint8_t& byte : words) byte = static_cast<std::uint8_t>(rng());
    (void)circuits::data_circuit();  // built once a process, not once a proof
    DataMeasured measured;
    for (unsigned i = 0; i < options.runs; ++i) {
        progress.show(fmt::format("run {} of {}", i + 1, options.runs), double(i) / options.runs);
        prove_once(words, options, measured);
    }
    std::vector<double> seconds;
    for (int i = 0; i < 5; ++i) seconds.push_back(verify_once(measured, options.security_bits));
    std::sort(seconds.begin(), seconds.end());
    measured.verify_seconds = seconds[2];
    const StackLayout layout = make_stack_layout(circuits::data_circuit(), measured.heights).value();
    measured.provable_bits = provable_bits(layout.log_size, options.security_bits);
    return measured;
}

std::vector<std::pair<const char*, double>> phase_list(const DataRun& run) {
    return {{"statement", run.statement}, {"witness", run.rows},      {"trace", run.trace},
            {"commit", run.prove.commit}, {"logup", run.prove.logup}, {"zerocheck", run.prove.zerocheck},
            {"open", run.prove.open},     {"encode", run.encode}};
}

json::object to_json(const DataBenchOptions& options, const DataMeasured& measured, const Calibration& calibration) {
    const DataRun& run = measured.median();
    json::object phases;
    for (const auto& [name, seconds] : phase_list(run)) phases[name] = rounded(seconds, 6);
    json::array seconds;
    for (const DataRun& r : measured.runs) seconds.push_back(rounded(r.seconds, 6));
    json::object heights;
    for (std::size_t t = 0; t < measured.heights.size(); ++t) {
        heights[circuits::data_circuit().tables()[t].name] = measured.heights[t];
    }
    return {{"words", options.words},
            {"form", options.horner ? "horner" : "blob"},
            {"blob_seconds", rounded(run.seconds, 6)},
            {"run_seconds", std::move(seconds)},
            {"phases", std::move(phases)},
            {"cells", measured.cells},
            {"hashes", measured.hashes},
            {"units", measured.statement.work.units},
            {"log_heights", std::move(heights)},
            {"security_bits", options.security_bits},
            {"provable_bits", measured.provable_bits},
            {"proof_bytes", measured.proof.size()},
            {"verify_ms", rounded(measured.verify_seconds * 1e3, 3)},
            {"peak_rss_bytes", peak_rss_bytes()},
            {"threads", tbb::this_task_arena::max_concurrency()},
            {"isa", isa_name(current_isa())},
            {"cpu", cpu_model()},
            {"calibration", to_json(calibration)}};
}

void run_data(const DataBenchOptions& options, const Session& session) {
    Progress progress(session.quiet);
    const DataMeasured measured = measure(options, progress);
    const Calibration calibration = calibrate(progress);
    progress.clear();
    if (session.json) return print_json(to_json(options, measured, calibration));

    const DataRun& run = measured.median();
    print(fmt::format("{} random words as {} ({} threads, {}, {})\n\n", with_commas(options.words),
                      options.horner ? "calldata" : "a blob", tbb::this_task_arena::max_concurrency(),
                      isa_name(current_isa()), cpu_model()));
    const auto line = [](const std::string& name, const std::string& value, const std::string& note = "") {
        print(fmt::format("  {:<24} {:>14}{}{}\n", name, value, note.empty() ? "" : "   ", note));
    };
    line("time", human_seconds(run.seconds), fmt::format("words to proof bytes, median of {}", measured.runs.size()));
    for (const auto& [name, seconds] : phase_list(run)) line(std::string("  ") + name, human_seconds(seconds));
    line("cells", with_commas(measured.cells), "committed, padding included");
    line("provable security", fmt::format("{:.2f} bits", measured.provable_bits), "every message: quarry security");
    line("proof", human_bytes(measured.proof.size()));
    line("verify", human_seconds(measured.verify_seconds), "proof bytes to verdict");
    print("\n" + to_text(calibration));
}

}  // namespace

void add_bench_data(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<DataBenchOptions>();
    CLI::App* command = add_command(bench, session, "data", "Prove and verify that words are the content of one blob",
                                    "quarry bench data --json", [options, &session] { run_data(*options, session); });
    add_number(*command, "--words", options->words, 0, rollup::kMaxDataWords, "words of 31 bytes")
        ->capture_default_str();
    command->add_flag("--horner", options->horner, "as calldata instead of a blob");
    add_level(*command, "--security", options->security_bits, "provable bits");
    add_number(*command, "--runs", options->runs, 1, 1000, "prove so often; the median is shown")
        ->capture_default_str();
    command->add_option("--seed", options->seed, "of the words")->type_name("N")->capture_default_str();
}

}  // namespace quarry::apps
