#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <map>
#include <memory>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/temporary_folder.hpp"
#include "quarry/apps/workers.hpp"
#include "quarry/circuits/segment_key.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/node/batch_work.hpp"
#include "quarry/node/development_batch.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct SplitBenchOptions {
    std::size_t transfers = 4096;
    std::size_t accounts = 1'000'000;
    std::size_t segments = 8;
    WorkerOptions workers;
    unsigned security_bits = 100;
    unsigned runs = 3;
    std::uint64_t seed = 1;
    std::string folder;
};

/// One way of cutting the batch, and what proving it took.
struct Cut {
    node::WorkReport report;
    double seconds = 0;
    rollup::SegmentStatement statement;
    std::size_t segments = 0;
    std::size_t proof_bytes = 0;
    std::vector<std::uint64_t> cells;      ///< committed, by table, of all segments
    std::uint64_t preprocessed_cells = 0;  ///< opened with them, not committed again
    std::map<unsigned, Heights> sizes;     ///< heights of one of the proofs of each size of the stack
    [[nodiscard]] double cpu_seconds() const { return static_cast<double>(report.cpu_ms) / 1e3; }
    [[nodiscard]] std::uint64_t all_cells() const {
        std::uint64_t n = 0;
        for (const std::uint64_t c : cells) n += c;
        return n;
    }
};

/// One batch, cut in both ways, one after the other: what else the machine does meanwhile meets both.
struct SplitRun {
    Cut one, many;
    [[nodiscard]] double ratio() const { return many.cpu_seconds() / one.cpu_seconds(); }
};

const SplitRun& median(const std::vector<SplitRun>& runs) {
    std::vector<const SplitRun*> sorted;
    for (const SplitRun& run : runs) sorted.push_back(&run);
    std::sort(sorted.begin(), sorted.end(),
              [](const SplitRun* a, const SplitRun* b) { return a->ratio() < b->ratio(); });
    return *sorted[sorted.size() / 2];
}

Cut prove_cut(const node::DevelopmentBatch& batch, std::size_t segments, const std::string& path,
              const SplitBenchOptions& options, const Session& session, Progress& progress) {
    node::BatchWork work;
    work.header = batch.header;
    work.segments = segments;
    work.security_bits = options.security_bits;
    work.payee.bytes.fill(0x51);
    auto folder = value_of(node::WorkFolder::create(path));
    const auto inputs =
        value_of(node::split_batch(batch.parameters, *batch.store, batch.queues, batch.header, batch.data, segments));
    value_of(node::plan_batch(folder, work, inputs));

    Cut cut;
    const double start = now_seconds();
    cut.report = run_tasks(folder, options.workers, session, progress);
    cut.seconds = now_seconds() - start;
    const auto proofs = value_of(node::collect_segments(folder, batch.header));
    cut.statement = proofs.statement;
    cut.segments = proofs.segments.size();
    const auto tables = circuits::segment_circuit().tables();
    cut.cells.resize(tables.size());
    for (const node::SegmentProof& segment : proofs.segments) {
        cut.proof_bytes += segment.proof.size();
        const auto header = decode_header(segment.proof);
        const Heights& heights = header.value().heights;
        for (std::size_t t = 0; t < tables.size(); ++t) {
            if (heights[t] == 0) continue;  // absent
            cut.cells[t] += std::uint64_t{tables[t].num_witness()} << heights[t];
            cut.preprocessed_cells += std::uint64_t{tables[t].num_preprocessed} << heights[t];
        }
        cut.sizes[make_stack_layout(circuits::segment_circuit(), heights).value().log_size] = heights;
    }
    return cut;
}

std::vector<SplitRun> prove_runs(const node::DevelopmentBatch& batch, const SplitBenchOptions& options,
                                 const Session& session, Progress& progress) {
    const TemporaryFolder folder(options.folder);
    std::vector<SplitRun> runs;
    for (unsigned i = 0; i < options.runs; ++i) {
        const std::string number = std::to_string(i);
        Cut one = prove_cut(batch, 1, folder / ("one-" + number), options, session, progress);
        Cut many = prove_cut(batch, options.segments, folder / ("many-" + number), options, session, progress);
        runs.push_back({std::move(one), std::move(many)});
    }
    return runs;
}

/// Keys are made once a machine, not once a batch: whatever the first use of a size costs is not a cut's. All sizes but
/// the largest.
void make_keys(unsigned security_bits) {
    for (unsigned log_size = circuits::kMinSegmentLogSize; log_size < kMaxLogStack; ++log_size) {
        const Heights heights = circuits::heights_of_segment_size(log_size);
        (void)circuits::segment_keys().proving_key(heights, security_bits);
    }
}

/// CPU seconds of making a key from nothing.
double key_cpu_seconds(const Heights& heights) {
    const std::clock_t start = std::clock();
    const ProvingKey key(circuits::segment_preprocessed(heights));
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// Equal but for the root of the work, which tells in how many pieces it was done.
bool same_but_for_the_pieces(rollup::SegmentStatement a, const rollup::SegmentStatement& b) {
    a.work.root = b.work.root;
    return a == b;
}

json::object to_json(const Cut& cut) {
    return json::object{{"segments", cut.segments},
                        {"seconds", rounded(cut.seconds, 3)},
                        {"cpu_seconds", rounded(cut.cpu_seconds(), 3)},
                        {"executions", cut.report.executed},
                        {"worker_peak_rss_bytes", cut.report.peak_rss_bytes},
                        {"cells", cut.all_cells()},
                        {"preprocessed_cells", cut.preprocessed_cells},
                        {"proof_bytes", cut.proof_bytes}};
}

void run(const SplitBenchOptions& options, const Session& session) {
    if (options.transfers >= options.accounts) {
        throw Failure(exit_usage, "usage", "--transfers must be below --accounts: every signer is another account",
                      "choose more accounts");
    }
    Progress progress(session.quiet);
    progress.show("accounts, keys and signatures", 0);
    const auto batch = node::make_development_batch(options.accounts, options.transfers, options.seed);
    progress.show("keys", 0);
    make_keys(options.security_bits);
    const std::vector<SplitRun> runs = prove_runs(batch, options, session, progress);
    const Cut& one = median(runs).one;
    const Cut& many = median(runs).many;
    const double ratio = median(runs).ratio();
    const bool same = std::ranges::all_of(
        runs, [&](const SplitRun& r) { return same_but_for_the_pieces(r.many.statement, r.one.statement); });
    const double cells_ratio = static_cast<double>(many.all_cells()) / static_cast<double>(one.all_cells());
    std::map<unsigned, Heights> sizes = one.sizes;
    sizes.insert(many.sizes.begin(), many.sizes.end());
    json::object keys;
    for (const auto& [log_size, heights] : sizes) {
        keys[std::to_string(log_size)] = rounded(key_cpu_seconds(heights), 3);
    }
    const Calibration calibration = calibrate(progress);
    progress.clear();

    const auto tables = circuits::segment_circuit().tables();
    if (session.json) {
        json::object cells;
        for (std::size_t t = 0; t < tables.size(); ++t)
            cells[tables[t].name] = json::object{{"one", one.cells[t]}, {"split", many.cells[t]}};
        json::array ratios;
        for (const SplitRun& run : runs) ratios.push_back(rounded(run.ratio(), 4));
        print_json(json::object{{"transfers", options.transfers},
                                {"accounts", options.accounts},
                                {"segments", many.segments},
                                {"workers", options.workers.workers},
                                {"same_statement", same},
                                {"cpu_ratio", rounded(ratio, 4)},
                                {"cpu_ratios", std::move(ratios)},
                                {"cells_ratio", rounded(cells_ratio, 4)},
                                {"one", to_json(one)},
                                {"split", to_json(many)},
                                {"cells_by_table", std::move(cells)},
                                {"key_cpu_seconds_by_log_size", std::move(keys)},
                                {"threads", tbb::this_task_arena::max_concurrency()},
                                {"isa", isa_name(current_isa())},
                                {"cpu", cpu_model()},
                                {"calibration", to_json(calibration)}});
        return;
    }
    print(fmt::format("one batch of {} transfers, {} accounts, in one segment and in {} ({} workers, {})\n\n",
                      with_commas(options.transfers), with_commas(options.accounts), many.segments,
                      options.workers.workers, cpu_model()));
    print(fmt::format("  {:<18} {:>14} {:>14} {:>8}\n", "", "one", "split", "ratio"));
    const auto line = [](const std::string& name, const std::string& a, const std::string& b, double r) {
        print(fmt::format("  {:<18} {:>14} {:>14} {:>8.3f}\n", name, a, b, r));
    };
    line("CPU time", human_seconds(one.cpu_seconds()), human_seconds(many.cpu_seconds()), ratio);
    line("cells", with_commas(one.all_cells()), with_commas(many.all_cells()), cells_ratio);
    for (std::size_t t = 0; t < tables.size(); ++t) {
        line("  " + tables[t].name, with_commas(one.cells[t]), with_commas(many.cells[t]),
             static_cast<double>(many.cells[t]) / static_cast<double>(one.cells[t]));
    }
    print(
        fmt::format("\n  CPU time of making keys, once a machine, by log2 of the cells: {}\n", json::serialize(keys)));
    if (runs.size() > 1) {
        print("\n  ratios of CPU time, run by run:");
        for (const SplitRun& run : runs) print(fmt::format(" {:.3f}", run.ratio()));
        print("\n");
    }
    print(fmt::format("\n  the statements are {}\n", same ? "the same" : "NOT the same"));
    print("\n" + to_text(calibration));
}

}  // namespace

void add_bench_split(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<SplitBenchOptions>();
    CLI::App* command =
        add_command(bench, session, "split", "What proving a batch in segments costs, against one proof",
                    "quarry bench split --segments 8 --json", [options, &session] { run(*options, session); });
    add_number(*command, "--transfers", options->transfers, 1, 8191, "transfers in the batch, each by another signer")
        ->capture_default_str();
    add_number(*command, "--accounts", options->accounts, 2, 1u << 26, "accounts in the state")->capture_default_str();
    add_number(*command, "--segments", options->segments, 2, 1024, "segments that it is cut into")
        ->capture_default_str();
    add_worker_options(*command, options->workers);
    add_number(*command, "--runs", options->runs, 1, 1000, "prove both so often; the run of the median ratio is shown")
        ->capture_default_str();
    add_level(*command, "--security", options->security_bits, "provable bits");
    command->add_option("--seed", options->seed, "of keys, amounts and receivers")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--folder", options->folder, "where to put the temporary work (default: TMPDIR or /tmp)")
        ->type_name("DIR");
}

}  // namespace quarry::apps
