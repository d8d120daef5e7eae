#pragma once
#include <memory>
#include <string>
#include <vector>

#include "quarry/apps/commands.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deployment.hpp"
#include "quarry/node/wallet/l1_sender.hpp"

/// What the commands that talk to a hub share: flags, connection, messages.
namespace quarry::apps {

struct L1Options {
    std::vector<std::string> endpoints;
    std::string deployment;  ///< file
    std::string hub;
    std::uint32_t rollup = 0;  ///< 0: the deployment's
    std::uint64_t first_block = 0;
    std::string key;    ///< file
    std::string state;  ///< folder
    std::string id;     ///< of a transaction that an earlier command sent; empty: by what it does
    bool dry_run = false;
};

/// --l1, --deployment, --hub, --rollup.
void add_hub_options(CLI::App& command, L1Options& options);
/// --key, --state, --dry-run.
void add_sender_options(CLI::App& command, L1Options& options);
/// --id, of commands that send one transaction.
void add_id_option(CLI::App& command, L1Options& options);

/// The hub that the flags mean. Throws Failure.
struct HubPlace {
    node::l1::Address hub;
    std::uint64_t first_block = 0;
    std::uint64_t chain_id = 0;
    std::uint32_t rollup = 0;
};
HubPlace hub_place(const L1Options& options);

std::unique_ptr<node::l1::Connection> connect(const L1Options& options, std::uint64_t chain_id);
/// At the head of the chain when it returns.
std::unique_ptr<node::l1::HubView> follow(const node::l1::Connection& connection, const HubPlace& place);
node::l1::Address address_of(const std::string& text, const std::string& flag);
node::l1::U256 ether_of(const std::string& text, const std::string& flag);

/// Sends one call and waits until it is confirmed, or with --dry-run only estimates it; prints which, and its cost.
void send_call(const L1Options& options, const node::l1::Connection& connection, const node::wallet::L1Call& call,
               const Session& session);

}  // namespace quarry::apps
