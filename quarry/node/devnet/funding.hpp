#pragma once
#include <cstdint>
#include <functional>

#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/l1/deployment.hpp"

namespace quarry::node::devnet {

/// Deposits of ETH that give development accounts 0, 1, .. of a seed a slot each.
struct Funding {
    std::uint64_t seed = 1;
    std::uint64_t accounts = 0;
    rollup::Amount amount;  ///< wei, for each
};

/// Sends them in order and waits for them, so that account i gets slot i if nobody else has deposited before. What an
/// earlier call sent is not sent again; another amount is another deposit, into slots of its own. refused: a deposit
/// reverts; environment: the endpoint, `stops`.
Outcome<Done> fund_accounts(const Funding& funding, const l1::Deployment& deployment, ethereum::Chain& chain,
                            ethereum::TransactionManager& sender, ethereum::Clock& clock,
                            const std::function<bool()>& stops);

}  // namespace quarry::node::devnet
