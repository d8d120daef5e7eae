#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/log.hpp"
#include "quarry/apps/node_files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/settings.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/workers.hpp"
#include "quarry/node/prover/service.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
using node::prover::ProverConfig;

struct ProverCommand {
    std::string config;
    std::vector<std::string> endpoints;
    std::vector<std::string> beacon;
    std::optional<std::string> hub, payee, key, folder, snapshot, port;
    std::vector<std::string> settings;  ///< NAME=VALUE
    bool show = false;
};

/// Defaults, then the file, then the environment, then the command line.
ProverConfig read_config(const ProverCommand& command) {
    ProverConfig config;
    const node::Settings settings = settings_of(config);
    load_settings(settings, command.config);
    if (!command.endpoints.empty()) config.endpoints = command.endpoints;
    if (!command.beacon.empty()) config.beacon = command.beacon;
    const auto set = [&](const char* name, const std::optional<std::string>& value) {
        if (value) (void)value_of(settings.set(name, *value));
    };
    set("l1.hub", command.hub);
    set("l1.key", command.key);
    set("prover.payee", command.payee);
    set("prover.folder", command.folder);
    set("prover.snapshot", command.snapshot);
    set("http.port", command.port);
    apply_settings(settings, command.settings);
    return config;
}

/// In processes that stay from one proof to the next.
node::prover::WorkDoer make_doer(const ProverConfig& config, const Session& session) {
    const std::shared_ptr<node::WorkerPool> pool = make_worker_pool(config.memory_cap_mib, session);
    const auto options = executor_options(*pool, config.workers, stop_requested());
    return [pool, options](const node::WorkFolder& folder, const std::atomic<bool>& stop) {
        node::WorkExecutorOptions executor = options;
        executor.stop = &stop;
        return node::execute_work(folder, executor);
    };
}

void run_prover(const ProverCommand& command, const Session& session) {
    ProverConfig config = read_config(command);
    if (command.show) return show_settings(settings_of(config), session);
    (void)pinned_catalog();  // before anything else: without the circuits' keys nothing can be proven
    const auto log = make_log(config.log_level);
    const auto& stop = stop_requested();
    const auto service = value_of(node::prover::Service::start(config, make_doer(config, session), log));
    log(node::LogLevel::info, "started",
        {{"http", fmt::format("{}:{}", config.host, service->port())},
         {"hub", config.hub},
         {"payee", config.payee},
         {"folder", config.folder}});
    if (session.json) {
        print(json::serialize(json::object{{"ok", true}, {"port", service->port()}, {"pid", ::getpid()}}) + "\n");
        flush_stdout();
    }
    (void)value_of(service->run(stop));
    log(node::LogLevel::info, "stopped", {});
}

}  // namespace

void add_prover_command(CLI::App& app, Session& session) {
    const auto prover = std::make_shared<ProverCommand>();
    CLI::App* command = add_command(app, session, "prover", "Follow the rollups of a hub, prove their batches, collect",
                                    "quarry prover --l1 http://127.0.0.1:8545 --hub ADDRESS --payee ADDRESS --key FILE",
                                    [prover, &session] { run_prover(*prover, session); });
    command->add_option("--config", prover->config, "settings, TOML (docs/prover.md)")->type_name("FILE");
    command->add_option("--l1", prover->endpoints, "endpoints of an Ethereum node, in the order of preference")
        ->type_name("URL")
        ->envname("QUARRY_L1");
    command->add_option("--beacon", prover->beacon, "beacon nodes that serve blobs (default: the endpoints do)")
        ->type_name("URL");
    command->add_option("--hub", prover->hub, "the hub's address")->type_name("ADDRESS");
    command->add_option("--payee", prover->payee, "who is paid for proofs")->type_name("ADDRESS");
    command->add_option("--key", prover->key, "file with the secret key of the account that sends; none: proofs wait")
        ->type_name("FILE");
    command->add_option("--folder", prover->folder, "where states, batches and proofs are kept (default: prover)")
        ->type_name("DIR");
    command->add_option("--snapshot", prover->snapshot, "a prover to start from, instead of the first batch")
        ->type_name("URL");
    command->add_option("--port", prover->port, "port of metrics, health and snapshots, 0: any")->type_name("N");
    command->add_option("--set", prover->settings, "another setting; over the environment and the file")
        ->type_name("NAME=VALUE");
    command->add_flag("--show", prover->show, "print all settings as they are now, and end");
}

}  // namespace quarry::apps
