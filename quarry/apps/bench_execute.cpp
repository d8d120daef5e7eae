#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <boost/json.hpp>
#include <memory>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/temporary_folder.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/input_executor.hpp"
#include "quarry/node/workload.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

constexpr rollup::TokenId kToken = 1;
constexpr std::uint64_t kBalance = 1'000'000'000;
constexpr rollup::Timestamp kTimestamp = 1'700'000'000;

struct ExecuteBenchOptions {
    std::size_t transfers = 20'000;
    rollup::SlotIndex accounts = 100'000;
    std::size_t batch_size = 4096;
    std::uint64_t seed = 1;
    std::string folder;
};

struct ExecuteOutcome {
    node::ExecutionReport report;
    double seconds = 0;
    double cpu_seconds = 0;  ///< of all threads, during `seconds`
    double genesis_seconds = 0;
    double signing_seconds = 0;
    std::uint64_t input_bytes = 0;
    double sync_ms = 0;  ///< one small file written and synced, median
};

/// What a commit cannot be faster than.
double measure_sync_ms(const TemporaryFolder& folder) {
    std::vector<double> runs;
    for (int i = 0; i < 9; ++i) {
        const double start = now_seconds();
        value_of(node::write_synced(folder / "sync", node::as_bytes(std::to_string(i))));
        runs.push_back((now_seconds() - start) * 1e3);
    }
    std::ranges::sort(runs);
    return runs[runs.size() / 2];
}

void make_input(const ExecuteBenchOptions& options, const node::DurableStore& store, const node::DevelopmentKeys& keys,
                const std::string& path, ExecuteOutcome& outcome, Progress& progress) {
    node::WorkloadOptions workload;
    workload.count = options.transfers;
    workload.seed = options.seed;
    workload.mix = {1, 0, 0, 0, 0, 0, 0};
    OutputFile file(path);
    value_of(node::make_workload(store, store.parameters(), keys, workload, [&](std::string_view text) {
        file.write(text);
        outcome.input_bytes += text.size();
        progress.show("signing", 0.5);
        return true;
    }));
    file.finish();
}

ExecuteOutcome measure(const ExecuteBenchOptions& options, Progress& progress) {
    ExecuteOutcome outcome;
    const TemporaryFolder folder(options.folder);
    const node::DevelopmentKeys keys(options.seed);
    double start = now_seconds();
    progress.show("genesis", 0);
    auto genesis =
        node::make_development_genesis(keys, options.accounts, kToken, rollup::Amount(kBalance), rollup::Amount(10));
    const auto store = value_of(
        node::DurableStore::create(folder / "state", genesis.parameters, std::move(genesis.leaves), genesis.keys));
    outcome.genesis_seconds = now_seconds() - start;
    start = now_seconds();
    progress.show("signing", 0.2);
    make_input(options, *store, keys, folder / "operations.jsonl", outcome, progress);
    outcome.signing_seconds = now_seconds() - start;

    progress.show("executing", 0.9);
    node::ExecutionOptions execution;
    execution.batch_size = options.batch_size;
    execution.timestamp = kTimestamp;
    execution.write_statements = false;  // the prover's business
    const double cpu_start = cpu_seconds();
    start = now_seconds();
    outcome.report = value_of(node::execute_file(*store, folder / "operations.jsonl", folder / "batches", execution));
    outcome.seconds = now_seconds() - start;
    outcome.cpu_seconds = cpu_seconds() - cpu_start;
    if (outcome.report.totals.executed != options.transfers) {
        throw Failure(exit_internal, "own_input_refused", "transfers that were made for this state are refused",
                      "this is a bug of quarry: please report it");
    }
    outcome.sync_ms = measure_sync_ms(folder);
    return outcome;
}

void run(const ExecuteBenchOptions& options, const Session& session) {
    Progress progress(session.quiet);
    const ExecuteOutcome outcome = measure(options, progress);
    const std::uint64_t peak = peak_rss_bytes();
    const Calibration calibration = calibrate(progress);
    progress.clear();
    const double rate = static_cast<double>(options.transfers) / outcome.seconds;
    const auto threads = tbb::this_task_arena::max_concurrency();
    if (session.json) {
        json::object machine = to_json(calibration);
        machine["disk_sync_ms"] = rounded(outcome.sync_ms, 3);
        print_json(json::object{{"transfers_per_second", whole(rate)},
                                {"seconds", rounded(outcome.seconds, 4)},
                                {"cpu_seconds", rounded(outcome.cpu_seconds, 4)},
                                {"transfers", options.transfers},
                                {"accounts", options.accounts},
                                {"batches", outcome.report.num_batches},
                                {"batch_size", options.batch_size},
                                {"input_bytes", outcome.input_bytes},
                                {"genesis_seconds", rounded(outcome.genesis_seconds, 3)},
                                {"signing_seconds", rounded(outcome.signing_seconds, 3)},
                                {"peak_rss_bytes", peak},
                                {"threads", threads},
                                {"isa", isa_name(current_isa())},
                                {"cpu", cpu_model()},
                                {"calibration", std::move(machine)}});
        return;
    }
    print(fmt::format("{} transfers among {} accounts, signatures checked, {} batches on disk ({} threads, {}, {})\n\n",
                      with_commas(options.transfers), with_commas(options.accounts), outcome.report.num_batches,
                      threads, isa_name(current_isa()), cpu_model()));
    print(fmt::format("  {:<16} {:>12}   text of the operations to durable batches and state\n", "transfers/s",
                      with_commas(whole(rate))));
    print(fmt::format("  {:<16} {:>12}   {} of CPU time on all threads\n", "time", human_seconds(outcome.seconds),
                      human_seconds(outcome.cpu_seconds)));
    print(fmt::format("  {:<16} {:>12}   whole process\n", "peak memory", human_bytes(peak)));
    print(fmt::format("\n  not counted: genesis {}, signing {}\n", human_seconds(outcome.genesis_seconds),
                      human_seconds(outcome.signing_seconds)));
    print(fmt::format("  this machine: {}, {:.2f} ms to sync a file\n", to_text(calibration), outcome.sync_ms));
}

}  // namespace

void add_bench_execute(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<ExecuteBenchOptions>();
    CLI::App* command =
        add_command(bench, session, "execute",
                    "Execute signed transfers: parse, check signatures, execute, batches and state to disk",
                    "quarry bench execute --transfers 20000 --accounts 100000 --json",
                    [options, &session] { run(*options, session); });
    add_number(*command, "--transfers", options->transfers, 1, 100'000'000, "signed transfers")->capture_default_str();
    add_number(*command, "--accounts", options->accounts, 2, 1U << 26,
               "senders and receivers are drawn from them evenly")
        ->capture_default_str();
    add_number(*command, "--batch-size", options->batch_size, 1, 4096, "transfers in a batch")->capture_default_str();
    command->add_option("--seed", options->seed, "of keys and traffic")->type_name("N")->capture_default_str();
    command->add_option("--folder", options->folder, "where to put the temporary state (default: TMPDIR or /tmp)")
        ->type_name("DIR");
}

}  // namespace quarry::apps
