#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/log.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/settings.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/l1/sequencer_link.hpp"
#include "quarry/node/sequencer/node_process.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
using node::sequencer::SequencerConfig;

struct SequencerCommand {
    std::string config;
    std::optional<std::string> state;
    std::vector<std::string> endpoints;
    std::optional<std::string> deployment;
    std::optional<std::string> key;
    std::optional<std::string> rpc_port;
    std::vector<std::string> settings;  ///< NAME=VALUE
    bool without_l1 = false;
    bool show = false;
};

node::sequencer::Milliseconds now_ms() {
    return static_cast<node::sequencer::Milliseconds>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
}

/// Defaults, then the file, then the environment, then the command line.
SequencerConfig read_config(const SequencerCommand& command) {
    SequencerConfig config;
    const node::Settings settings = settings_of(config);
    load_settings(settings, command.config);
    if (command.state) config.state = *command.state;
    if (!command.endpoints.empty()) config.l1.endpoints = command.endpoints;
    if (command.deployment) config.l1_deployment = *command.deployment;
    if (command.key) config.l1_key = *command.key;
    if (command.rpc_port) (void)value_of(settings.set("rpc.port", *command.rpc_port));
    apply_settings(settings, command.settings);
    return config;
}

void check_config(const SequencerCommand& command, const SequencerConfig& config) {
    if (config.state.empty())
        throw Failure(exit_usage, "usage", "no state directory is named", "set sequencer.state, or --state DIR");
    if (command.without_l1) return;
    if (config.l1.endpoints.empty()) {
        throw Failure(exit_usage, "l1_missing", "no L1 is configured to post batches to",
                      "set l1.endpoints, or --l1 URL; for development, say --development-without-l1");
    }
    if (config.l1_deployment.empty() || config.l1_key.empty()) {
        throw Failure(exit_usage, "l1_missing", "it is not said which rollup this is, or which account posts",
                      "set l1.deployment and l1.key, or --deployment FILE and --key FILE");
    }
    (void)value_of(node::sequencer::check_fees(config.engine));
}

/// The state directory holds the deployment's rollup: made from its genesis, the empty state, if there is none yet.
void prepare_state(const std::string& directory, const node::l1::Deployment& deployment) {
    const auto parameters = deployment.rollup_parameters();
    std::error_code error;
    if (!std::filesystem::exists(directory, error)) {
        (void)value_of(node::DurableStore::create(directory, parameters, {}, {}));
        return;
    }
    const auto store = open_state(directory, true);
    if (rollup::domain_hash(store->parameters()) == rollup::domain_hash(parameters)) return;
    throw Failure(exit_bad_input, "wrong_rollup", directory + " holds the state of another rollup",
                  "name another state directory, or the deployment that it belongs to");
}

/// Waits for an endpoint; no value once a signal asks to stop.
std::unique_ptr<node::l1::SequencerLink> open_link(const SequencerConfig& config,
                                                   const node::l1::Deployment& deployment, const node::LogSink& log) {
    const auto key = value_of(node::l1::read_key_file(config.l1_key));
    std::string reported;
    while (!stop_requested()) {
        auto link = node::l1::SequencerLink::open(config.l1, deployment, key, log);
        if (link) return std::move(link).value();
        if (link.error().kind != node::Problem::Kind::environment) throw to_failure(link.error());
        if (link.error().name != reported)
            log(node::LogLevel::warning, "waiting_for_l1",
                {{"code", link.error().name}, {"reason", link.error().cause}});
        reported = link.error().name;
        std::this_thread::sleep_for(std::chrono::milliseconds(config.l1.poll_ms));
    }
    return nullptr;
}

void run_sequencer(const SequencerCommand& command, const Session& session) {
    SequencerConfig config = read_config(command);
    if (command.show) return show_settings(settings_of(config), session);
    check_config(command, config);
    const auto log = make_log(config.log_level);
    const auto& stop = stop_requested();
    node::sequencer::NoSettlement no_settlement;
    node::sequencer::Settlement* settlement = &no_settlement;
    std::unique_ptr<node::l1::SequencerLink> link;
    if (command.without_l1) {
        config.engine.max_unposted = std::numeric_limits<std::size_t>::max();  // none ever is
    } else {
        if (config.l1.folder.empty()) config.l1.folder = config.state + ".l1";
        const auto deployment = value_of(node::l1::read_deployment(config.l1_deployment));
        prepare_state(config.state, deployment);
        link = open_link(config, deployment, log);
        if (link == nullptr) return;
        settlement = &link->settlement();
    }
    const auto sequencer = value_of(node::sequencer::Node::start(config, *settlement, QUARRY_VERSION, now_ms, log));
    if (link != nullptr) link->start();
    log(node::LogLevel::info, "started",
        {{"rpc", fmt::format("{}:{}", config.rpc.host, sequencer->rpc_port())},
         {"metrics", fmt::format("{}:{}", config.metrics.host, sequencer->metrics_port())},
         {"state", config.state},
         {"batch", std::to_string(sequencer->status().batch)},
         {"l1", link == nullptr ? std::string("none") : ethereum::to_hex(link->sender())}});
    if (session.json) {
        print(json::serialize(json::object{{"ok", true},
                                           {"rpc_port", sequencer->rpc_port()},
                                           {"metrics_port", sequencer->metrics_port()},
                                           {"pid", ::getpid()}}) +
              "\n");
        flush_stdout();
    }
    std::optional<node::Problem> failure;
    while (!stop && !failure) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        failure = sequencer->failure();
    }
    log(node::LogLevel::info, "stopping", {});
    sequencer->stop();
    if (link != nullptr) link->stop();
    log(node::LogLevel::info, "stopped", {{"batch", std::to_string(sequencer->status().batch)}});
    if (failure) throw to_failure(*failure);
}

}  // namespace

void add_sequencer_command(CLI::App& app, Session& session) {
    const auto sequencer = std::make_shared<SequencerCommand>();
    CLI::App* command = add_command(app, session, "sequencer", "Accept operations over RPC, execute and batch them",
                                    "quarry sequencer --config sequencer.toml",
                                    [sequencer, &session] { run_sequencer(*sequencer, session); });
    command->add_option("--config", sequencer->config, "settings, TOML (docs/sequencer.md)")->type_name("FILE");
    command->add_option("--state", sequencer->state, "the state directory (setting sequencer.state)")->type_name("DIR");
    command->add_option("--l1", sequencer->endpoints, "endpoints of an Ethereum node (setting l1.endpoints)")
        ->type_name("URL");
    command->add_option("--deployment", sequencer->deployment, "what `quarry l1 deploy` wrote (setting l1.deployment)")
        ->type_name("FILE");
    command->add_option("--key", sequencer->key, "key of the account that posts (setting l1.key)")->type_name("FILE");
    command->add_option("--rpc-port", sequencer->rpc_port, "port of RPC, 0: any (setting rpc.port)")->type_name("N");
    command->add_option("--set", sequencer->settings, "another setting; over the environment and the file")
        ->type_name("NAME=VALUE");
    command->add_flag("--development-without-l1", sequencer->without_l1,
                      "post batches nowhere: for development and tests alone");
    command->add_flag("--show", sequencer->show, "print all settings as they are now, and end");
}

}  // namespace quarry::apps
