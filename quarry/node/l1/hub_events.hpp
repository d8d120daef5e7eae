#pragma once
#include <optional>
#include <variant>
#include <vector>

#include "quarry/ethereum/chain.hpp"
#include "quarry/node/l1/hub_types.hpp"
#include "quarry/rollup/effects.hpp"

/// Events of the hub and of the bridge, as what they mean.
namespace quarry::node::l1 {

struct VerifiersAdded {
    std::uint32_t key = 0;
    bool is_pinned = false;
    VerifierSet set;
};
struct RollupRegistered {
    std::uint32_t rollup = 0;
    Address owner;
    Bytes32 domain{};
    U256 min_new_pair_fee;
    Parameters parameters;
};
struct SequencerSet {
    std::uint32_t rollup = 0;
    Address account;
    bool is_allowed = false;
};
struct UpgradeScheduled {
    std::uint32_t rollup = 0;
    std::uint64_t at = 0;
    Parameters parameters;
    friend bool operator==(const UpgradeScheduled&, const UpgradeScheduled&) noexcept = default;
};
struct UpgradeCancelled {
    std::uint32_t rollup = 0;
};
struct UpgradeApplied {
    std::uint32_t rollup = 0;
    Parameters parameters;
};
struct OwnershipOffered {
    std::uint32_t rollup = 0;
    Address new_owner;
};
struct OwnershipTransferred {
    std::uint32_t rollup = 0;
    Address new_owner;
};
struct BatchSubmitted {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    Address sequencer;
    std::uint64_t id = 0;
    Bytes32 header_hash{};
    Bytes header;  ///< what was hashed: of the version of the rollup's key, which may be one that is not known here
    std::uint8_t form = 0;
    std::vector<Bytes32> l1_hashes;
    Terms terms;
    U256 bond;
};
struct BountyRaised {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint64_t id = 0;
    std::uint64_t index = 0;
    Address from;
    U256 amount;
    std::uint64_t effective_block = 0;
};
struct RaiseReclaimed {
    std::uint64_t id = 0;
    std::uint64_t index = 0;
    Address to;
    U256 amount;
};
struct ProofCommitted {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint64_t id = 0;
    Address from;
    Bytes32 commitment{};
    std::uint64_t locked_until = 0;
};
struct CommitReturned {
    std::uint64_t id = 0;
    Address to;
    U256 amount;
};
struct CommitForfeited {
    std::uint64_t id = 0;
    U256 amount;
};
/// What can be claimed once the batch is final.
struct Withdrawal {
    rollup::TokenId token = 0;
    rollup::Amount amount;
    Address recipient;
    friend bool operator==(const Withdrawal&, const Withdrawal&) noexcept = default;
};
struct BatchProven {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    Address payee;
    std::uint64_t id = 0;
    Address relayer;
    U256 owed;
    std::uint32_t units = 0;
    Bytes32 work_root{};
    std::vector<Withdrawal> withdrawals;
};
struct BatchFinalised {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint64_t id = 0;
    Bytes32 header_hash{};
};
struct BatchReplaced {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint64_t old_id = 0;
    std::uint64_t new_id = 0;
};
struct BatchesDiscarded {
    std::uint32_t rollup = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};
struct BondSlashed {
    std::uint64_t id = 0;
    U256 burned;
    U256 awarded;
};
struct Settled {
    std::uint64_t id = 0;
    Address sequencer;
    U256 returned;
};
struct ItemSkipped {
    std::uint64_t index = 0;
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::array<std::uint8_t, 4> reason{};
};
struct CreditCollected {
    Address account;
    U256 amount;
};
struct TokenAdded {
    std::uint32_t rollup = 0;
    rollup::TokenId id = 0;
    Address token;
};
struct DepositQueued {
    std::uint32_t rollup = 0;
    std::uint64_t index = 0;
    rollup::DepositEntry entry;
    Bytes32 hash{};
};
struct ForcedQueued {
    std::uint32_t rollup = 0;
    std::uint64_t index = 0;
    rollup::ForcedEntry entry;
    U256 fee;
    Bytes32 hash{};
};
struct CursorsFinal {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint64_t deposit_cursor = 0;
    std::uint64_t forced_cursor = 0;
    Bytes32 withdrawals_root{};
};
struct WithdrawalClaimed {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint8_t index = 0;
    rollup::TokenId token = 0;
    U256 amount;
    Address recipient;
};
struct FeesCollected {
    Address sequencer;
    U256 amount;
};

using HubEvent =
    std::variant<VerifiersAdded, RollupRegistered, SequencerSet, UpgradeScheduled, UpgradeCancelled, UpgradeApplied,
                 OwnershipOffered, OwnershipTransferred, BatchSubmitted, BountyRaised, RaiseReclaimed, ProofCommitted,
                 CommitReturned, CommitForfeited, BatchProven, BatchFinalised, BatchReplaced, BatchesDiscarded,
                 BondSlashed, Settled, ItemSkipped, CreditCollected, TokenAdded, DepositQueued, ForcedQueued,
                 CursorsFinal, WithdrawalClaimed, FeesCollected>;

/// The event of a log of the hub or the bridge; empty: none of these. Total. Codes of the contract interface; also
/// out_of_range: a key hash or an amount that the contracts let nobody make.
ethereum::Decoded<std::optional<HubEvent>> decode_event(const ethereum::Log& log);

}  // namespace quarry::node::l1
