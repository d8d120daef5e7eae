#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/wallet_commands.hpp"
#include "quarry/apps/wallet_l1_options.hpp"
#include "quarry/ethereum/rpc_chain.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/rollup/hashing.hpp"

/// Which rollup a wallet is connected to.
namespace quarry::apps {

std::unique_ptr<ethereum::Chain> open_chain(const std::string& url) {
    if (url.empty())
        throw Failure(exit_usage, "no_l1", "this needs an Ethereum node", "give one with --l1 URL, or set QUARRY_L1");
    ethereum::RpcOptions options;
    options.endpoints = {url};
    auto rpc = ethereum::JsonRpc::create(options, ethereum::make_http_transport(), ethereum::system_clock());
    if (!rpc)
        throw Failure(exit_usage, ethereum::ethereum_code_name(rpc.error().code),
                      fmt::format("--l1: {}", ethereum::ethereum_code_text(rpc.error().code)),
                      "give one such as http://127.0.0.1:8545");
    return ethereum::make_rpc_chain(std::move(rpc).value());
}

std::string show_ether(const ethereum::U256& wei) { return node::l1::ether_text(wei) + " ETH"; }

namespace {

namespace json = boost::json;
namespace wallet = node::wallet;

struct ConnectCommand {
    WalletOptions options;
    std::string hub;
    std::optional<std::uint32_t> rollup_id;
    bool replace = false;
};

/// What the owner says of the rollup must be so.
void compare(const ConnectCommand& command, const rollup::RollupParameters& p) {
    if (!command.hub.empty() && l1_address_of(command.hub, "--hub") != p.hub)
        throw Failure(exit_refused, "wrong_rollup",
                      fmt::format("the sequencer's hub is {}", wallet::format_l1_address(p.hub)),
                      "check --rpc and --hub with whoever runs the rollup");
    if (command.rollup_id && *command.rollup_id != p.rollup_id)
        throw Failure(exit_refused, "wrong_rollup", fmt::format("the sequencer's rollup is number {}", p.rollup_id),
                      "check --rpc and --rollup-id with whoever runs the rollup");
}

void run_connect(const ConnectCommand& command, const Session& session) {
    const auto folder = wallet_folder(command.options);
    if (!command.replace && std::filesystem::exists(folder.network_path()))
        throw Failure(exit_environment, "connected_already", fmt::format("{} is connected to a rollup", folder.path()),
                      "say --replace, or use another --wallet folder for another rollup");
    wallet::Network net;
    net.rpc = command.options.rpc;
    net.l1 = command.options.l1;
    for (const std::string& url : {net.rpc, net.l1}) {
        const bool is_plain = url.size() <= 1024 && url.find_first_of("\"\\") == std::string::npos &&
                              std::ranges::all_of(url, [](char c) { return c > ' ' && c <= '~'; });
        if (!is_plain)
            throw Failure(exit_usage, "bad_url", "a URL has characters that no URL has", "check --rpc, --l1");
    }
    auto client = sequencer(net);
    net.parameters = value_of(client.status()).parameters;
    compare(command, net.parameters);
    // Without the owner's word for the hub, all that L1 says is said by a contract of the sequencer's choice.
    std::string checked = command.hub.empty()
                              ? "hub taken from the sequencer: compare it with what whoever runs the rollup says"
                              : "it is at the hub that you named";
    if (!net.l1.empty()) {
        const auto chain = open_chain(net.l1);
        const auto contracts = value_of(wallet::find_contracts(*chain, net.parameters));
        net.tokens = value_of(wallet::read_tokens(*chain, contracts, net.parameters.rollup_id));
        checked += contracts.is_trusted
                       ? "; the hub confirms it; its proofs are verified by the hub's own contracts"
                       : "; the hub confirms it; NOT TRUSTED: its proofs are verified by foreign contracts";
    }
    value_of(wallet::make_private_folder(folder.path()));
    value_of(wallet::replace_private_file(folder.network_path(), node::as_bytes(wallet::format_network(net))));
    const rollup::RollupParameters& p = net.parameters;
    if (session.json) {
        json::array tokens;
        for (const wallet::Token& t : net.tokens)
            tokens.push_back(json::object{{"token", t.id},
                                          {"symbol", t.symbol},
                                          {"decimals", t.decimals},
                                          {"contract", wallet::format_l1_address(t.contract)}});
        print_json(json::object{{"ok", true},
                                {"rpc", net.rpc},
                                {"l1", net.l1},
                                {"l1_chain_id", p.l1_chain_id},
                                {"hub", wallet::format_l1_address(p.hub)},
                                {"rollup_id", p.rollup_id},
                                {"domain", node::to_hex(rollup::domain_hash(p))},
                                {"checked", checked},
                                {"tokens", std::move(tokens)}});
        return;
    }
    print(fmt::format("rollup {} of hub {} on chain {}\n  {}\n", p.rollup_id, wallet::format_l1_address(p.hub),
                      p.l1_chain_id, checked));
    for (const wallet::Token& t : net.tokens)
        print(fmt::format("  token {:<5} {:<12} {} decimals, {}\n", t.id, t.symbol, t.decimals,
                          wallet::format_l1_address(t.contract)));
}

}  // namespace

void add_wallet_network_commands(CLI::App& parent, Session& session) {
    auto options = std::make_shared<ConnectCommand>();
    options->options.rpc = "http://127.0.0.1:9545";
    CLI::App* command = add_command(parent, session, "connect", "Choose the rollup that the wallet signs for",
                                    "quarry wallet connect --rpc http://127.0.0.1:9545 --l1 http://127.0.0.1:8545",
                                    [options, &session] { run_connect(*options, session); });
    add_folder_option(*command, options->options);
    command->add_option("--rpc", options->options.rpc, "its sequencer")
        ->type_name("URL")
        ->envname("QUARRY_RPC")
        ->capture_default_str();
    command->add_option("--l1", options->options.l1, "an Ethereum node: the rollup is checked there, tokens are read")
        ->type_name("URL")
        ->envname("QUARRY_L1");
    command->add_option("--hub", options->hub, "the rollup's hub must be this one")->type_name("ADDRESS");
    command->add_option("--rollup-id", options->rollup_id, "the rollup's number must be this one")->type_name("N");
    command->add_flag("--replace", options->replace, "forget the rollup that it was connected to");
}

}  // namespace quarry::apps
