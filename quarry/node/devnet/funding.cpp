#include "quarry/node/devnet/funding.hpp"

#include <fmt/format.h>

#include "quarry/node/development_keys.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deploy.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::devnet {
namespace {

// Stated, so that the node is not asked for an estimate of each.
constexpr std::uint64_t kDepositGas = 200'000;

}  // namespace

Outcome<Done> fund_accounts(const Funding& funding, const l1::Deployment& deployment, ethereum::Chain& chain,
                            ethereum::TransactionManager& sender, ethereum::Clock& clock,
                            const std::function<bool()>& stops) {
    const DevelopmentKeys keys(funding.seed);
    const auto points = keys.public_keys(0, funding.accounts);
    const std::string amount = l1::to_u256(funding.amount).to_decimal();
    const auto id_of = [&](std::uint64_t i) { return fmt::format("fund/{}/{}/{}", funding.seed, i, amount); };
    for (std::uint64_t i = 0; i < funding.accounts; ++i) {
        rollup::Owner owner;
        owner.key_hash = rollup::key_hash(to_account_key(points[i]));
        owner.address = keys.address(i);
        ethereum::Intent intent;
        intent.id = id_of(i);
        intent.to = deployment.bridge;
        intent.value = l1::to_u256(funding.amount);
        intent.data = l1::bridge_call::deposit(deployment.rollup, 0, funding.amount, owner, rollup::kNewSlot);
        intent.gas_limit = kDepositGas;
        const auto submitted = sender.submit(std::move(intent));
        if (!submitted) return l1::chain_problem(submitted.error());
    }
    for (std::uint64_t i = 0; i < funding.accounts; ++i) {
        const auto receipt = l1::wait_for(chain, sender, id_of(i), 1, clock, stops);
        if (!receipt) return receipt.error();
    }
    return Done{};
}

}  // namespace quarry::node::devnet
