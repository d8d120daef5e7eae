#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <memory>
#include <optional>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/input_executor.hpp"
#include "quarry/node/workload.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

// --- workload

struct WorkloadCommand {
    std::string state;
    std::string out;
    std::size_t count = 0;
    std::size_t num_invalid = 0;
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> key_seed;
    std::string mix = "transfer=80,new=5,withdraw=10,deposit=5";
    std::string fee = "1";
    rollup::Timestamp expiry = node::WorkloadOptions().expiry;
};

/// "transfer=80,new=5": what is not named does not occur. An error message, or the mix.
std::string parse_mix(std::string_view text, node::WorkloadMix& mix) {
    mix = {0, 0, 0, 0, 0, 0, 0};
    const std::vector<std::pair<std::string_view, unsigned*>> kinds{
        {"transfer", &mix.transfer}, {"new", &mix.new_pair},  {"withdraw", &mix.withdraw}, {"deposit", &mix.deposit},
        {"change", &mix.change_key}, {"forced", &mix.forced}, {"setkey", &mix.set_key}};
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        const std::size_t equals = item.find('=');
        const std::string_view name = item.substr(0, equals);
        const std::string_view digits = equals == std::string_view::npos ? "" : item.substr(equals + 1);
        const auto kind = std::ranges::find(kinds, name, &std::pair<std::string_view, unsigned*>::first);
        if (kind == kinds.end())
            return fmt::format("'{}' is none of transfer, new, withdraw, deposit, change, forced, setkey", name);
        unsigned weight = 0;
        const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
        if (end.ec != std::errc() || end.ptr != digits.data() + digits.size() || weight > 1'000'000)
            return fmt::format("'{}' is not NAME=WEIGHT with a weight up to 1000000", item);
        *kind->second = weight;
    }
    return mix.total() == 0 ? "all weights are zero" : "";
}

void run_workload(const WorkloadCommand& options, const Session& session) {
    node::WorkloadOptions workload{.count = options.count,
                                   .num_invalid = options.num_invalid,
                                   .seed = options.seed,
                                   .mix = {},
                                   .fee = amount_of(options.fee),
                                   .expiry = options.expiry};
    (void)parse_mix(options.mix, workload.mix);
    if (workload.num_invalid > workload.count) {
        throw Failure(exit_usage, "usage", "--invalid is more than --count", "choose a smaller number");
    }
    if (!workload.fee.fits_fee()) throw Failure(exit_usage, "usage", "--fee is 2^72 or more", "choose a smaller one");
    const auto store = open_state(options.state, true);
    const node::DevelopmentKeys keys(options.key_seed ? *options.key_seed : read_development_seed(options.state));
    Progress progress(session.quiet);
    progress.show("keys of the accounts", 0);
    OutputFile file(options.out);
    const double start = now_seconds();
    std::size_t lines = 0;
    std::uint64_t bytes = 0;
    const auto report =
        value_of(node::make_workload(*store, store->parameters(), keys, workload, [&](std::string_view text) {
            file.write(text);
            bytes += text.size();
            lines += static_cast<std::size_t>(std::ranges::count(text, '\n'));
            const double rate = static_cast<double>(lines) / (now_seconds() - start);
            progress.show("signing", static_cast<double>(lines) / static_cast<double>(options.count),
                          with_commas(whole(rate)) + " lines/s", static_cast<double>(options.count - lines) / rate);
            return true;
        }));
    file.finish();
    progress.clear();
    const double seconds = now_seconds() - start;
    if (session.json) {
        json::object invalid;
        for (const auto& [code, count] : report.invalid) invalid[code] = count;
        print_json(json::object{{"ok", true},
                                {"lines", options.count},
                                {"valid", report.valid},
                                {"invalid", std::move(invalid)},
                                {"bytes", bytes},
                                {"seconds", rounded(seconds, 3)}});
        return;
    }
    print(fmt::format("{}: {} lines, {} of them meant to be refused, {}, made in {}\n", options.out,
                      with_commas(options.count), with_commas(options.num_invalid), human_bytes(bytes),
                      human_seconds(seconds)));
}

// --- execute

struct ExecuteCommand {
    std::string state;
    std::string in;
    std::string out;
    std::size_t batch_size = 4096;
    std::optional<rollup::Timestamp> timestamp;
};

json::object to_json(const node::ExecutionReport& report, const node::DurableStore& store, double seconds) {
    json::object by_code;
    for (const auto& [code, count] : report.rejects_by_code) by_code[code] = count;
    return {{"ok", true},
            {"executed", report.totals.executed},
            {"queue_entries", report.totals.queued},
            {"rejected", report.totals.rejected},
            {"rejects_by_code", std::move(by_code)},
            {"batches", report.num_batches},
            {"first_batch", report.totals.first_batch},
            {"last_batch", store.batch_number()},
            {"timestamp", report.totals.timestamp},
            {"resumed", report.resumed},
            {"executed_here", report.executed_here},
            {"seconds", rounded(seconds, 4)},
            {"executed_per_second", whole(static_cast<double>(report.executed_here) / seconds)},
            {"slots", store.state().slot_count},
            {"root", node::to_hex(store.state().root)}};
}

void print_report(const ExecuteCommand& options, const node::ExecutionReport& report, const node::DurableStore& store,
                  double seconds) {
    print(fmt::format("{}: {} operations and {} queue entries executed in {} batches{}\n", options.in,
                      with_commas(report.totals.executed), with_commas(report.totals.queued),
                      with_commas(report.num_batches), report.resumed ? " (an earlier run began)" : ""));
    print(fmt::format("  {:<14} {}/s, {} in {}\n", "here",
                      with_commas(whole(static_cast<double>(report.executed_here) / seconds)),
                      with_commas(report.executed_here), human_seconds(seconds)));
    print(fmt::format(
        "  {:<14} {}{}\n", "rejected", with_commas(report.totals.rejected),
        report.totals.rejected == 0 ? "" : fmt::format(", listed in {}/{}", options.out, node::kRejectsFile)));
    for (const auto& [code, count] : report.rejects_by_code)
        print(fmt::format("    {:<24} {}\n", code, with_commas(count)));
    print(fmt::format("  {:<14} {}\n", "last batch", store.batch_number()));
    print(fmt::format("  {:<14} {}\n", "state root", node::to_hex(store.state().root)));
}

void run_execute(const ExecuteCommand& options, const Session& session) {
    const auto store = open_state(options.state, false);
    Progress progress(session.quiet);
    progress.show("reading the input", 0);
    const double start = now_seconds();
    std::optional<std::uint64_t> before;  // what earlier runs executed
    node::ExecutionOptions execution;
    execution.batch_size = options.batch_size;
    execution.timestamp = options.timestamp;
    execution.now = static_cast<rollup::Timestamp>(unix_seconds());
    execution.on_progress = [&](const node::ExecutionNote& totals, double fraction) {
        const std::uint64_t done = totals.executed + totals.queued;
        if (!before) before = done;
        const double rate = static_cast<double>(done - *before) / (now_seconds() - start);
        progress.show(fmt::format("batch {}, {} rejected", store->batch_number(), with_commas(totals.rejected)),
                      fraction, with_commas(whole(rate)) + " operations/s");
    };
    const auto report = value_of(node::execute_file(*store, options.in, options.out, execution));
    progress.clear();
    const double seconds = now_seconds() - start;
    if (session.json) {
        print_json(to_json(report, *store, seconds));
    } else {
        print_report(options, report, *store, seconds);
    }
}

}  // namespace

void add_execute_commands(CLI::App& app, Session& session) {
    const auto workload = std::make_shared<WorkloadCommand>();
    CLI::App* command = add_command(app, session, "workload", "Make signed operations for a development state",
                                    "quarry workload --state state --count 20000 --seed 1 --out operations.jsonl",
                                    [workload, &session] { run_workload(*workload, session); });
    command->add_option("--state", workload->state, "the state directory, only read")->type_name("DIR")->required();
    add_number(*command, "--count", workload->count, 1, 1'000'000'000, "lines")->required();
    command->add_option("--seed", workload->seed, "of the traffic; equal seeds on equal states give equal files")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--key-seed", workload->key_seed, "of the accounts' keys (default: what genesis left in DIR)")
        ->type_name("N");
    command
        ->add_option(
            "--mix", workload->mix,
            "weights of transfer, new, withdraw, deposit, change, forced, setkey; what is left out does not occur")
        ->type_name("MIX")
        ->check([](const std::string& text) {
            node::WorkloadMix mix;
            return parse_mix(text, mix);
        })
        ->capture_default_str();
    add_number(*command, "--invalid", workload->num_invalid, 0, 1'000'000'000, "lines that are to be refused")
        ->capture_default_str();
    add_amount(*command, "--fee", workload->fee, "of each operation")->capture_default_str();
    add_number(*command, "--expiry", workload->expiry, 1, 0xffffffff, "of each operation, seconds since 1970")
        ->capture_default_str();
    command->add_option("--out", workload->out, "the file to write")->type_name("FILE")->required();

    const auto execute = std::make_shared<ExecuteCommand>();
    command = add_command(app, session, "execute",
                          "Execute a file of operations; a run that was stopped is continued by the same command",
                          "quarry execute --state state --in operations.jsonl --out batches",
                          [execute, &session] { run_execute(*execute, session); });
    command->add_option("--state", execute->state, "the state directory")->type_name("DIR")->required();
    command->add_option("--in", execute->in, "operations, one JSON object a line (docs/spec/json-lines.md)")
        ->type_name("FILE")
        ->required();
    command->add_option("--out", execute->out, "the folder of batches, made if missing")->type_name("DIR")->required();
    add_number(*command, "--batch-size", execute->batch_size, 1, 8192, "signed operations in a batch")
        ->capture_default_str();
    command->add_option("--timestamp", execute->timestamp, "of the batches, seconds since 1970 (default: now)")
        ->type_name("N");
}

}  // namespace quarry::apps
