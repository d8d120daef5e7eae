#include "quarry/apps/l1_session.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::apps {

namespace json = boost::json;
namespace l1 = node::l1;
namespace wallet = node::wallet;

void add_hub_options(CLI::App& command, L1Options& options) {
    command.add_option("--l1", options.endpoints, "endpoints of an Ethereum node, in the order of preference")
        ->type_name("URL")
        ->envname("QUARRY_L1")
        ->required();
    command.add_option("--deployment", options.deployment, "what `quarry l1 deploy` wrote")->type_name("FILE");
    command.add_option("--hub", options.hub, "the hub, instead of --deployment")->type_name("ADDRESS");
    command.add_option("--rollup", options.rollup, "the rollup's number (default: the deployment's, or 1)")
        ->type_name("N");
    command.add_option("--first-block", options.first_block, "with --hub: a block before the hub's creation")
        ->type_name("N");
}

void add_sender_options(CLI::App& command, L1Options& options) {
    command.add_option("--key", options.key, "file with the secret key of the account that pays")
        ->type_name("FILE")
        ->envname("QUARRY_L1_KEY");
    command.add_option("--state", options.state, "folder of the account's journal (default: beside the key)")
        ->type_name("DIR");
    command.add_flag("--dry-run", options.dry_run, "send nothing: say what would be sent, and its cost");
}

void add_id_option(CLI::App& command, L1Options& options) {
    command.add_option("--id", options.id, "go on with an interrupted command: what it printed as its id")
        ->type_name("ID");
}

l1::Address address_of(const std::string& text, const std::string& flag) {
    const auto address = ethereum::parse_address(text);
    if (!address) throw Failure(exit_usage, "usage", flag + " is no address", "an address is 0x and 40 digits");
    return address.value();
}

l1::U256 ether_of(const std::string& text, const std::string& flag) {
    const auto wei = l1::parse_ether(text);
    if (!wei) throw Failure(exit_usage, "usage", flag + " is no amount of ether", "write it like 0.05");
    return *wei;
}

HubPlace hub_place(const L1Options& options) {
    HubPlace place;
    if (!options.hub.empty()) {
        place.hub = address_of(options.hub, "--hub");
        place.first_block = options.first_block;
        place.rollup = options.rollup == 0 ? 1 : options.rollup;
        return place;
    }
    if (options.deployment.empty()) {
        throw Failure(exit_usage, "usage", "neither --deployment nor --hub says which hub is meant",
                      "give the file that `quarry l1 deploy` wrote");
    }
    const l1::Deployment deployment = value_of(l1::read_deployment(options.deployment));
    return {deployment.hub, deployment.first_block, deployment.chain_id,
            options.rollup == 0 ? deployment.rollup : options.rollup};
}

std::unique_ptr<l1::Connection> connect(const L1Options& options, std::uint64_t chain_id) {
    l1::ConnectionOptions connection;
    connection.endpoints = options.endpoints;
    connection.chain_id = chain_id;
    return value_of(l1::Connection::open(connection));
}

std::unique_ptr<l1::HubView> follow(const l1::Connection& connection, const HubPlace& place) {
    auto view = value_of(connection.open_view(place.hub, place.first_block, ""));
    (void)value_of(l1::catch_up(*view));
    return view;
}

namespace {

void dry_run(const l1::Connection& connection, const ethereum::Address& sender, const wallet::L1Call& call,
             const Session& session) {
    const auto quote = value_of(wallet::quote_call(connection.chain(), sender, call));
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"dry_run", true},
                                {"what", call.what},
                                {"to", ethereum::to_hex(call.to)},
                                {"value", call.value.to_decimal()},
                                {"bytes", call.data.size()},
                                {"gas", quote.gas},
                                {"cost", quote.cost.to_decimal()}});
        return;
    }
    print(fmt::format("{}: nothing was sent\n  to     {}\n  value  {} ETH\n  gas    {}\n  cost   {} ETH\n", call.what,
                      ethereum::to_hex(call.to), l1::ether_text(call.value), with_commas(quote.gas),
                      l1::ether_text(quote.cost)));
}

}  // namespace

void send_call(const L1Options& options, const l1::Connection& connection, const wallet::L1Call& call,
               const Session& session) {
    if (options.key.empty()) {
        throw Failure(exit_usage, "usage", "no --key says which account pays", "give the file of its secret key");
    }
    const ethereum::PrivateKey key = value_of(l1::read_key_file(options.key));
    if (options.dry_run) return dry_run(connection, key.address(), call, session);
    const std::string folder =
        options.state.empty() ? std::filesystem::path(options.key).parent_path().string() : options.state;
    const std::string journal =
        (std::filesystem::path(folder) / (ethereum::to_hex(key.address()) + ".journal")).string();
    auto sender = value_of(wallet::L1Sender::open(journal, {.chain_id = connection.chain_id(), .confirmations = 1}, key,
                                                  connection.chain(), ethereum::system_clock()));
    // Named by what it does: one that an earlier command left under way is followed, not paid for once more. After it
    // has gone through, the same call again is another one.
    const std::string content =
        fmt::format("{} {} {}", ethereum::to_hex(call.to), call.value.to_decimal(), ethereum::to_hex(call.data));
    const std::string name = "call-" + ethereum::to_hex(keccak256(node::as_bytes(content))).substr(2, 16);
    const std::string id = options.id.empty() ? sender.attempt_of(name) : options.id;
    if (!session.quiet) (void)std::fprintf(stderr, "id %s\n", id.c_str());
    const auto& stopped = stop_requested();
    const auto receipt = value_of(sender.send(id, call, [](const auto&) {}, [&] { return stopped.load(); }));
    const l1::U256 cost = l1::saturated_product(receipt.effective_gas_price, receipt.gas_used);
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"what", call.what},
                                {"transaction", ethereum::to_hex(receipt.transaction_hash)},
                                {"block", receipt.block.number},
                                {"gas", receipt.gas_used},
                                {"cost", cost.to_decimal()}});
        return;
    }
    print(fmt::format("{}\n  transaction  {}\n  block        {}\n  gas          {}\n  cost         {} ETH\n", call.what,
                      ethereum::to_hex(receipt.transaction_hash), receipt.block.number, with_commas(receipt.gas_used),
                      l1::ether_text(cost)));
}

}  // namespace quarry::apps
