#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/ethereum/chain.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/l1/hub_events.hpp"
#include "quarry/node/wallet/network.hpp"

/// The rollup's contracts as a wallet sees them: what it checks before it sends anything there, and what it can claim.
namespace quarry::node::wallet {

/// l1_unreachable, l1_refused (with the contract's error where it has one), bad_contract.
Problem l1_problem(const ethereum::EthereumError& error);

struct Contracts {
    ethereum::Address hub;
    ethereum::Address bridge;
    bool is_trusted = false;  ///< the rollup's proofs are verified by contracts of the hub's own list
};
/// wrong_chain; wrong_rollup: the hub computes another domain for the rollup's number than `parameters` have.
Outcome<Contracts> find_contracts(ethereum::Chain& chain, const rollup::RollupParameters& parameters);

/// The rollup's tokens with what their contracts say of themselves; those with more decimals than kMaxDecimals are left
/// out.
Outcome<std::vector<Token>> read_tokens(ethereum::Chain& chain, const Contracts& contracts, std::uint32_t rollup_id);

/// A transaction to be.
struct L1Call {
    std::string what;  ///< for people: "deposit of 0.5 ETH"
    ethereum::Address to;
    ethereum::U256 value;
    ethereum::Bytes data;
};
/// What the bridge needs allowance for is approved first: nothing, an approval, or (where another amount is approved:
/// some tokens want that taken back before) two.
Outcome<std::vector<L1Call>> approvals(ethereum::Chain& chain, const Token& token, const ethereum::Address& holder,
                                       const ethereum::Address& bridge, rollup::Amount amount);

/// A withdrawal of a final batch with its path in the batch's tree.
struct Claimable {
    std::uint64_t batch = 0;
    std::uint8_t index = 0;
    l1::Withdrawal withdrawal;
    std::array<Bytes32, 8> path{};
    bool is_claimed = false;
};
/// Withdrawals to `recipient` in the final batches that were proven in blocks first_block and later; with `only_batch`
/// above 0, of that batch. Every path leads to the root that the bridge has.
Outcome<std::vector<Claimable>> find_withdrawals(ethereum::Chain& chain, const Contracts& contracts,
                                                 std::uint32_t rollup_id, const ethereum::Address& recipient,
                                                 std::uint64_t first_block, std::uint64_t only_batch);

}  // namespace quarry::node::wallet
