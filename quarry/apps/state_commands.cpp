#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/development_keys.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/workload.hpp"
#include "quarry/rollup/store.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSnapshotBytes = std::size_t{64} << 30;

void print_line(const std::string& name, const std::string& value) { print(fmt::format("  {:<18} {}\n", name, value)); }

json::object to_json(const node::DurableStore& store) {
    const rollup::State& state = store.state();
    const rollup::RollupParameters& p = store.parameters();
    return {{"ok", true},
            {"root", node::to_hex(state.root)},
            {"slots", state.slot_count},
            {"batch", store.batch_number()},
            {"finalised_batch", store.finalised_number()},
            {"deposit_cursor", state.deposit_cursor},
            {"forced_cursor", state.forced_cursor},
            {"l1_chain_id", p.l1_chain_id},
            {"hub", node::to_hex(p.hub.bytes)},
            {"rollup_id", p.rollup_id},
            {"genesis_root", node::to_hex(p.genesis_root)},
            {"min_new_pair_fee", rollup::to_string(p.min_new_pair_fee)}};
}

void print_state(const node::DurableStore& store, const std::string& title, const Session& session,
                 const json::object& more = {}) {
    if (session.json) {
        json::object document = to_json(store);
        for (const auto& member : more) document[member.key()] = member.value();
        print_json(document);
        return;
    }
    const rollup::State& state = store.state();
    print(title + "\n");
    print_line("state root", node::to_hex(state.root));
    print_line("slots", with_commas(state.slot_count));
    print_line("batch", fmt::format("{} (finalised: {})", store.batch_number(), store.finalised_number()));
    print_line("L1 cursors", fmt::format("deposits {}, forced {}", state.deposit_cursor, state.forced_cursor));
    const rollup::RollupParameters& p = store.parameters();
    print_line("rollup", fmt::format("{} on chain {}, hub {}", p.rollup_id, p.l1_chain_id, node::to_hex(p.hub.bytes)));
    print_line("genesis root", node::to_hex(p.genesis_root));
}

// --- genesis

struct GenesisOptions {
    rollup::SlotIndex accounts = 0;
    std::string balance;
    std::uint64_t seed = 1;
    rollup::TokenId token = 1;
    std::string new_pair_fee = "10";
    std::string out;
};

void run_genesis(const GenesisOptions& options, const Session& session) {
    const rollup::Amount balance = amount_of(options.balance);
    const rollup::Amount new_pair_fee = amount_of(options.new_pair_fee);
    if (balance.wide() > rollup::Amount::max().wide() / options.accounts) {
        throw Failure(exit_usage, "usage", "all balances together reach 2^96", "choose a smaller --balance");
    }
    if (!new_pair_fee.fits_fee())
        throw Failure(exit_usage, "usage", "--new-pair-fee is 2^72 or more", "choose a smaller one");
    Progress progress(session.quiet);
    const double start = now_seconds();
    progress.show("keys of the accounts", 0);
    const node::DevelopmentKeys keys(options.seed);
    auto genesis = node::make_development_genesis(keys, options.accounts, options.token, balance, new_pair_fee);
    progress.show("tree and database", 0.5);
    const auto store =
        value_of(node::DurableStore::create(options.out, genesis.parameters, std::move(genesis.leaves), genesis.keys));
    write_development_seed(options.out, options.seed);
    progress.clear();
    const double seconds = now_seconds() - start;
    print_state(*store,
                fmt::format("{}: a development state of {} accounts, made in {}", options.out,
                            with_commas(options.accounts), human_seconds(seconds)),
                session,
                {{"accounts", options.accounts},
                 {"token", options.token},
                 {"balance", options.balance},
                 {"seed", options.seed},
                 {"seconds", rounded(seconds, 3)}});
}

// --- state show, export, import

struct StateOptions {
    std::string state;
    std::string file;
    std::string parameters_from;
};

void run_show(const StateOptions& options, const Session& session) {
    const auto store = open_state(options.state, true);
    print_state(*store, options.state + ":", session);
}

void run_export(const StateOptions& options, const Session& session) {
    const auto store = open_state(options.state, true);
    Progress progress(session.quiet);
    progress.show("snapshot", 0);
    OutputFile file(options.file);
    std::uint64_t size = 0;
    const auto verdict =
        rollup::export_snapshot(*store, store->batch_number(), [&](std::span<const std::uint8_t> part) {
            file.write({reinterpret_cast<const char*>(part.data()), part.size()});
            size += part.size();
        });
    if (!verdict) {
        throw Failure(exit_bad_input, rollup::reject_name(verdict.code()),
                      fmt::format("{}: {}", options.state, rollup::reject_text(verdict.code())),
                      "restore the state from a backup");
    }
    file.finish();
    progress.clear();
    print_state(*store, fmt::format("{}: a snapshot of {}, {}", options.file, options.state, human_bytes(size)),
                session, {{"snapshot_bytes", size}});
}

void run_import(const StateOptions& options, const Session& session) {
    const auto parameters = open_state(options.parameters_from, true)->parameters();
    Progress progress(session.quiet);
    progress.show("snapshot", 0);
    const auto bytes = read_file(options.file, kMaxSnapshotBytes);
    auto snapshot = rollup::parse_snapshot(bytes);
    if (!snapshot) {
        throw Failure(exit_bad_input, rollup::reject_name(snapshot.code()),
                      fmt::format("{}: {}", options.file, rollup::reject_text(snapshot.code())),
                      "give a file that `quarry state export` has written");
    }
    const auto store =
        value_of(node::DurableStore::create_from_snapshot(options.state, parameters, std::move(snapshot).value()));
    progress.clear();
    print_state(*store, fmt::format("{}: the state of {}", options.state, options.file), session);
}

}  // namespace

void add_state_commands(CLI::App& app, Session& session) {
    const auto genesis = std::make_shared<GenesisOptions>();
    CLI::App* command = add_command(app, session, "genesis", "Make the state of a development network",
                                    "quarry genesis --accounts 100000 --balance 1000000 --seed 1 --out state",
                                    [genesis, &session] { run_genesis(*genesis, session); });
    add_number(*command, "--accounts", genesis->accounts, 1, 1U << 26, "accounts, each with a slot and a published key")
        ->required();
    add_amount(*command, "--balance", genesis->balance, "of each account")->required();
    command->add_option("--seed", genesis->seed, "of keys and addresses: whoever knows it can sign for every account")
        ->type_name("N")
        ->capture_default_str();
    add_number(*command, "--token", genesis->token, 0, 65535, "of every slot")->capture_default_str();
    add_amount(*command, "--new-pair-fee", genesis->new_pair_fee, "least fee of a transfer that creates a slot")
        ->capture_default_str();
    command->add_option("--out", genesis->out, "the state directory to make")->type_name("DIR")->required();

    CLI::App* state = app.add_subcommand("state", "Show, export or import a state directory");
    state->require_subcommand(1);
    state->footer("Example:\n  quarry state show --state state");
    const auto options = std::make_shared<StateOptions>();
    const auto add = [&](const char* name, const char* description, const char* example,
                         void (*run)(const StateOptions&, const Session&)) {
        CLI::App* c = add_command(*state, session, name, description, example,
                                  [options, run, &session] { run(*options, session); });
        c->add_option("--state", options->state, "the state directory")->type_name("DIR")->required();
        return c;
    };
    add("show", "Show root, counters and parameters", "quarry state show --state state", run_show);
    add("export", "Write a snapshot: the whole state in one file, without history",
        "quarry state export --state state --out snapshot.bin", run_export)
        ->add_option("--out", options->file, "the snapshot to write")
        ->type_name("FILE")
        ->required();
    CLI::App* import = add("import", "Make a state directory from a snapshot",
                           "quarry state import --in snapshot.bin --like state --state copy", run_import);
    import->add_option("--in", options->file, "a snapshot, as `quarry state export` writes it")
        ->type_name("FILE")
        ->required();
    import
        ->add_option("--like", options->parameters_from,
                     "a state directory of the same rollup: whose parameters to use")
        ->type_name("DIR")
        ->required();
}

}  // namespace quarry::apps
