#pragma once
#include "quarry/apps/commands.hpp"

namespace quarry::apps {

/// `quarry wallet` and everything below it.
void add_wallet_commands(CLI::App& app, Session& session);

void add_wallet_key_commands(CLI::App& wallet, Session& session);
void add_wallet_network_commands(CLI::App& wallet, Session& session);
void add_wallet_payment_commands(CLI::App& wallet, Session& session);
void add_wallet_l1_commands(CLI::App& wallet, Session& session);

}  // namespace quarry::apps
