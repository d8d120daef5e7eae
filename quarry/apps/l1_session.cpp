#include "quarry/apps/l1_session.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/deploy.hpp"
#include "quarry/node/l1/hub_abi.hpp"

namespace quarry::apps {

namespace json = boost::json;
namespace l1 = node::l1;

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

void dry_run(const l1::Connection& connection, const ethereum::Address& sender, const std::string& what,
             const l1::Address& to, const l1::Bytes& data, const l1::U256& value, const Session& session) {
    ethereum::CallRequest request;
    request.from = sender;
    request.to = to;
    request.data = data;
    request.value = value;
    const auto gas = connection.chain().estimate_gas(request);
    if (!gas) {
        const auto problem = l1::chain_problem(gas.error());
        if (gas.error().revert_data.empty()) {
            throw Failure(exit_environment, problem.name, problem.cause, problem.remedy);
        }
        throw Failure(exit_refused, l1::revert_name(gas.error().revert_data), "the transaction would revert",
                      "the code says why: docs/spec/settlement.md");
    }
    const auto fees = connection.chain().suggest_fees();
    const l1::U256 price = fees ? l1::saturated_sum(fees.value().base_fee, fees.value().priority_fee) : l1::U256{};
    const l1::U256 cost = l1::saturated_product(price, gas.value());
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"dry_run", true},
                                {"what", what},
                                {"to", ethereum::to_hex(to)},
                                {"value", value.to_decimal()},
                                {"bytes", data.size()},
                                {"gas", gas.value()},
                                {"cost", cost.to_decimal()}});
        return;
    }
    print(fmt::format("{}: nothing was sent\n  to     {}\n  value  {} ETH\n  gas    {}\n  cost   {} ETH\n", what,
                      ethereum::to_hex(to), l1::ether_text(value), with_commas(gas.value()), l1::ether_text(cost)));
}

}  // namespace

void send_call(const L1Options& options, const l1::Connection& connection, const std::string& what,
               const l1::Address& to, l1::Bytes data, const l1::U256& value, const Session& session) {
    if (options.key.empty()) {
        throw Failure(exit_usage, "usage", "no --key says which account pays", "give the file of its secret key");
    }
    const ethereum::PrivateKey key = value_of(l1::read_key_file(options.key));
    if (options.dry_run) return dry_run(connection, key.address(), what, to, data, value, session);
    const std::string folder =
        options.state.empty() ? std::filesystem::path(options.key).parent_path().string() : options.state;
    const std::string journal =
        (std::filesystem::path(folder) / (ethereum::to_hex(key.address()) + ".journal")).string();
    const auto sender = value_of(connection.open_sender(l1::long_lived_sender(), key, journal));
    const auto nonce = connection.chain().transaction_count(key.address(), ethereum::BlockTag::latest);
    if (!nonce) (void)value_of(node::Outcome<node::Done>(l1::chain_problem(nonce.error())));
    ethereum::Intent intent;
    // The same call again, after this one has gone through, is another one.
    intent.id = fmt::format("{}/{}/{}", what, ethereum::to_hex(keccak256(data)), nonce.value());
    intent.to = to;
    intent.data = std::move(data);
    intent.value = value;
    const std::string id = intent.id;
    const auto submitted = sender->submit(std::move(intent));
    if (!submitted) (void)value_of(node::Outcome<node::Done>(l1::chain_problem(submitted.error())));
    const auto receipt = value_of(l1::wait_for(connection.chain(), *sender, id, 1, ethereum::system_clock(),
                                               [] { return stop_requested().load(); }));
    const l1::U256 cost = l1::saturated_product(receipt.effective_gas_price, receipt.gas_used);
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"what", what},
                                {"transaction", ethereum::to_hex(receipt.transaction_hash)},
                                {"block", receipt.block.number},
                                {"gas", receipt.gas_used},
                                {"cost", cost.to_decimal()}});
        return;
    }
    print(fmt::format("{}\n  transaction  {}\n  block        {}\n  gas          {}\n  cost         {} ETH\n", what,
                      ethereum::to_hex(receipt.transaction_hash), receipt.block.number, with_commas(receipt.gas_used),
                      l1::ether_text(cost)));
}

}  // namespace quarry::apps
