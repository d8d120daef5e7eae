#pragma once
#include <functional>
#include <memory>
#include <string>

#include "quarry/apps/wallet_options.hpp"
#include "quarry/node/wallet/contracts.hpp"
#include "quarry/node/wallet/l1_sender.hpp"

/// What the wallet's commands on L1 have in common. Everything here throws Failure.
namespace quarry::apps {

/// The chain behind an endpoint. no_l1: none is given.
std::unique_ptr<ethereum::Chain> open_chain(const std::string& url);

/// "0.5 ETH" of wei; exact.
std::string show_ether(const ethereum::U256& wei);

}  // namespace quarry::apps
