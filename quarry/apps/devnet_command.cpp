#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/devnet_status.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/ethereum/clock.hpp"
#include "quarry/node/devnet/folder.hpp"
#include "quarry/node/devnet/funding.hpp"
#include "quarry/node/devnet/layout.hpp"
#include "quarry/node/devnet/supervisor.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/connection.hpp"

/// `quarry devnet`: a chain, the contracts, a sequencer, provers and a load, in one folder, until a signal.
namespace quarry::apps {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
namespace devnet = node::devnet;

constexpr std::uint64_t kPollMs = 100;
constexpr std::uint64_t kStartSeconds = 120;                 // for a program to answer
constexpr const char* kAccountWei = "0x3635c9adc5dea00000";  // 1,000 ether

struct DevnetCommand {
    devnet::DevnetOptions options;
    bool reset = false;
    std::uint64_t status_seconds = 3;
    std::string account_balance = "10000000000000000";  // wei: 0.01 ether
};

std::uint64_t monotonic_ms() { return static_cast<std::uint64_t>(1000 * now_seconds()); }

devnet::SupervisorOptions supervisor_options() {
    devnet::SupervisorOptions options;
    options.now_ms = monotonic_ms;
    options.sleep_ms = [](std::uint64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); };
    return options;
}

Failure start_interrupted() {
    return {exit_environment, "interrupted", "the start was interrupted",
            "run the command again: it goes on where it was"};
}

class Devnet {
  public:
    Devnet(const DevnetCommand& command, const Session& session)
        : command_(command),
          session_(session),
          layout_(command.options),
          folder_(value_of(devnet::DevnetFolder::open(layout_, command.reset))),
          supervisor_(supervisor_options()),
          status_(layout_) {}

    void run() {
        const double begin = now_seconds();
        start_chain();
        deploy();
        fund();
        start_nodes();
        if (command_.options.rate > 0) start(layout_.load());
        ready(now_seconds() - begin);
        watch();
        say("stopping", {});
        supervisor_.stop();
        say("stopped", {{"folder", command_.options.folder}});
    }

  private:
    /// One line: text, or a JSON object.
    void say(const std::string& event, json::object fields) const {
        if (session_.json) {
            json::object line{{"event", event}};
            for (const auto& field : fields) line[field.key()] = field.value();
            print(json::serialize(line) + "\n");
        } else {
            std::string text = event;
            for (const auto& field : fields) {
                const json::value& v = field.value();
                text += "  " + std::string(field.key()) + " " +
                        (v.is_string() ? std::string(v.get_string()) : json::serialize(v));
            }
            print(text + "\n");
        }
        flush_stdout();
    }

    /// Throws once a signal asks to stop; takes in what happened to the services.
    void pause() {
        if (stop_requested()) throw start_interrupted();
        take_events();
        std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
    }

    void take_events() {
        for (const devnet::ServiceEvent& event : supervisor_.poll()) {
            if (event.ended) {
                say("ended", {{"name", event.name}, {"how", event.how}, {"again_in_ms", event.pause_ms}});
            } else {
                say("restarted", {{"name", event.name}});
            }
        }
    }

    void start(const devnet::ServiceSpec& spec) {
        (void)value_of(supervisor_.add(spec));
        say("started", {{"name", spec.name}, {"log", spec.log_path}});
    }

    template <class F>
    void wait_for(const std::string& what, const std::string& log, F&& holds) {
        const double end = now_seconds() + kStartSeconds;
        while (!holds()) {
            if (now_seconds() >= end) {
                throw Failure(exit_environment, "no_start", fmt::format("{} for {} seconds", what, kStartSeconds),
                              "see " + log);
            }
            pause();
        }
    }

    void start_chain() {
        start(layout_.chain());
        node::l1::ConnectionOptions options;
        options.endpoints = {layout_.l1_url()};
        options.timeout_ms = 2'000;
        wait_for("the chain did not answer", layout_.chain().log_path, [&] {
            auto opened = node::l1::Connection::open(options);
            if (opened) connection_ = std::move(opened).value();
            return connection_ != nullptr;
        });
        for (const std::string& name : layout_.account_names()) {
            const auto key = devnet::devnet_key(name);
            write_file(layout_.key_file(name), node::as_bytes(ethereum::to_hex(key.secret()) + "\n"));
            // The wallet takes no key that others may read.
            fs::permissions(layout_.key_file(name), fs::perms::owner_read | fs::perms::owner_write);
            const std::string address = ethereum::to_hex(key.address());
            call_chain("anvil_setBalance", fmt::format(R"(["{}","{}"])", address, kAccountWei));
        }
    }

    void call_chain(const std::string& method, const std::string& params) {
        const auto result = connection_->rpc()->call({.method = method, .params = params});
        if (!result) (void)value_of(node::Outcome<node::Done>(node::l1::chain_problem(result.error())));
    }

    void deploy() {
        const devnet::ServiceSpec spec = layout_.deploy();
        say("deploying", {{"log", spec.log_path}});
        const int code = value_of(supervisor_.run_once(spec, [] { return stop_requested().load(); }));
        if (code != 0) {
            throw Failure(exit_environment, "not_deployed", fmt::format("`quarry l1 deploy` ended with {}", code),
                          fmt::format("see {}; --reset begins with a new chain", spec.log_path));
        }
        deployment_ = value_of(node::l1::read_deployment(layout_.deployment()));
        say("deployed", {{"hub", ethereum::to_hex(deployment_.hub)},
                         {"bridge", ethereum::to_hex(deployment_.bridge)},
                         {"rollup", deployment_.rollup}});
    }

    void fund() {
        const auto sender = value_of(connection_->open_sender({.confirmations = 1}, devnet::devnet_key("bank"),
                                                              layout_.path("l1/bank.journal")));
        const devnet::Funding funding{command_.options.seed, command_.options.accounts,
                                      amount_of(command_.account_balance)};
        (void)value_of(devnet::fund_accounts(funding, deployment_, connection_->chain(), *sender,
                                             ethereum::system_clock(), [] { return stop_requested().load(); }));
        say("funded", {{"accounts", command_.options.accounts}, {"wei_each", command_.account_balance}});
    }

    void start_nodes() {
        start(layout_.sequencer());
        for (unsigned i = 0; i < command_.options.provers; ++i) start(layout_.prover(i, deployment_));
        // The first batch has no receiver of fees, since there is no slot yet: nothing pays before it is closed.
        wait_for("the sequencer did not execute the first deposits", layout_.sequencer().log_path, [&] {
            const DevnetFigures figures = status_.read();
            return figures.slots >= command_.options.accounts && figures.batch > 0;
        });
    }

    void ready(double seconds) {
        json::object keys;
        for (const std::string& name : layout_.account_names()) keys[name] = layout_.key_file(name);
        json::array payees;
        for (unsigned i = 0; i < command_.options.provers; ++i)
            payees.emplace_back(ethereum::to_hex(devnet::Layout::payee(i)));
        json::object network{{"l1", layout_.l1_url()},
                             {"rpc", layout_.rpc_url()},
                             {"deployment", layout_.deployment()},
                             {"hub", ethereum::to_hex(deployment_.hub)},
                             {"bridge", ethereum::to_hex(deployment_.bridge)},
                             {"rollup", deployment_.rollup},
                             {"first_block", deployment_.first_block}};
        if (session_.json) {
            network["keys"] = std::move(keys);
            network["payees"] = std::move(payees);
            network["seconds"] = rounded(seconds, 1);
            return say("ready", std::move(network));
        }
        say("ready", std::move(network));
        print(fmt::format(
            "  a funded Ethereum key   {}\n  state, keys and logs    {}\n  Ctrl-C stops everything; the same "
            "command goes on, with --reset it begins anew\n",
            layout_.key_file("user"), command_.options.folder));
        flush_stdout();
    }

    /// Until a signal.
    void watch() {
        double last_time = now_seconds();
        std::uint64_t last_executed = status_.read().executed;
        while (!stop_requested()) {
            take_events();
            std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
            const double now = now_seconds();
            if (now - last_time < static_cast<double>(command_.status_seconds)) continue;
            const DevnetFigures figures = status_.read();
            const double executed =
                figures.executed >= last_executed ? static_cast<double>(figures.executed - last_executed) : 0;
            const double rate = executed / (now - last_time);
            last_time = now;
            last_executed = figures.executed;
            if (session_.json) {
                print(json::serialize(status_json(figures, rate, supervisor_.states())) + "\n");
            } else {
                print(status_line(figures, rate) + "\n");
            }
            flush_stdout();
        }
    }

    const DevnetCommand& command_;
    const Session& session_;
    devnet::Layout layout_;
    devnet::DevnetFolder folder_;
    devnet::Supervisor supervisor_;
    DevnetStatus status_;
    std::unique_ptr<node::l1::Connection> connection_;
    node::l1::Deployment deployment_;
};

void run_devnet(const DevnetCommand& given, const Session& session) {
    DevnetCommand command = given;
    if (command.options.provers > 0 && command.options.accounts == 0 && command.options.rate > 0) {
        throw Failure(exit_usage, "usage", "a load needs accounts", "choose --accounts of at least 2, or --rate 0");
    }
    command.options.folder = fs::absolute(command.options.folder).lexically_normal().string();
    command.options.program = fs::read_symlink("/proc/self/exe").string();
    if (::access(command.options.anvil.c_str(), X_OK) != 0) {
        throw Failure(exit_bad_input, "no_anvil", command.options.anvil + " is no program",
                      "run `npm ci --ignore-scripts` in Quarry's folder, or name it with --anvil PATH");
    }
    (void)stop_requested();
    Devnet(command, session).run();
}

}  // namespace

void add_devnet_command(CLI::App& app, Session& session) {
    const auto devnet = std::make_shared<DevnetCommand>();
    devnet->options.anvil = QUARRY_ANVIL;
    CLI::App* command = add_command(
        app, session, "devnet", "A whole network on this machine: chain, contracts, sequencer, provers, load",
        "quarry devnet --dir devnet --provers 2 --rate 20", [devnet, &session] { run_devnet(*devnet, session); });
    devnet::DevnetOptions& o = devnet->options;
    command->add_option("--dir", o.folder, "folder that holds everything")->type_name("DIR")->required();
    command->add_flag("--reset", devnet->reset, "forget what an earlier run left in the folder");
    add_number(*command, "--provers", o.provers, 0, 16, "provers; each takes what those before it leave")
        ->capture_default_str();
    add_number(*command, "--workers", o.workers, 1, 64, "processes that each prover proves with")
        ->capture_default_str();
    add_number(*command, "--rate", o.rate, 0, 100'000, "transfers a second that are sent; 0: none")
        ->capture_default_str();
    add_number(*command, "--accounts", o.accounts, 2, 128, "that get a slot, and send the transfers")
        ->capture_default_str();
    add_amount(*command, "--account-balance", devnet->account_balance, "wei that each of them gets")
        ->capture_default_str();
    command->add_option("--seed", o.seed, "of their development keys")->type_name("N")->capture_default_str();
    add_number(*command, "--batch-seconds", o.batch_seconds, 1, 3600, "after which a batch is closed")
        ->capture_default_str();
    add_number(*command, "--l1-port", o.l1_port, 1, 65535, "of the chain")->capture_default_str();
    add_number(*command, "--rpc-port", o.rpc_port, 1, 65535, "of the sequencer's RPC")->capture_default_str();
    add_number(*command, "--metrics-port", o.metrics_port, 1, 65500, "of the sequencer; the provers' follow it")
        ->capture_default_str();
    command->add_option("--anvil", o.anvil, "the chain's program")->type_name("PATH")->capture_default_str();
    command->add_option("--contracts", o.contracts, "compiled contracts (default: as `quarry l1 deploy`)")
        ->type_name("DIR");
    command->add_option("--verifiers", o.verifiers, "compiled verifying contracts (default: as `quarry l1 deploy`)")
        ->type_name("DIR");
    command->add_option("--set", o.sequencer_settings, "a setting of the sequencer")->type_name("NAME=VALUE");
    command->add_option("--prover-set", o.prover_settings, "a setting of each prover")->type_name("NAME=VALUE");
    add_number(*command, "--proving-seconds", o.proving_seconds, 10, 7200,
               "the window in which a batch is to be proven")
        ->capture_default_str();
    add_number(*command, "--status-seconds", devnet->status_seconds, 1, 3600, "between status lines")
        ->capture_default_str();
}

}  // namespace quarry::apps
