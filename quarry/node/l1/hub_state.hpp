#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quarry/node/l1/hub_events.hpp"
#include "quarry/rollup/header.hpp"

/// What a hub and its bridge show, as a function of their events alone.
namespace quarry::node::l1 {

/// Where on L1 something happened.
struct Place {
    std::uint64_t block = 0;
    std::uint64_t timestamp = 0;  ///< of the block, seconds
    ethereum::Hash transaction{};
    friend bool operator==(const Place&, const Place&) noexcept = default;
};

struct QueuedDeposit {
    rollup::DepositEntry entry;
    Bytes32 hash{};  ///< of the queue, after this entry
    Place place;
    friend bool operator==(const QueuedDeposit&, const QueuedDeposit&) noexcept = default;
};
struct QueuedForced {
    rollup::ForcedEntry entry;
    U256 fee;
    Bytes32 hash{};
    Place place;
    friend bool operator==(const QueuedForced&, const QueuedForced&) = default;
};

struct Raise {
    Address from;
    U256 amount;
    std::uint64_t effective_block = 0;
    bool is_reclaimed = false;
    friend bool operator==(const Raise&, const Raise&) noexcept = default;
};

/// One submission of a batch.
struct Submission {
    std::uint64_t id = 0;
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    rollup::Header header;
    Bytes32 header_hash{};
    Address sequencer;
    std::uint8_t form = 0;  ///< 1: blobs, 0: calldata of the transaction
    std::vector<Bytes32> l1_hashes;
    Terms terms;
    U256 bond;  ///< what slashing left
    std::uint32_t key = 0;
    std::uint64_t expected_at = 0;  ///< seconds: the bounty begins to grow
    std::uint64_t deadline = 0;
    std::uint64_t open_at = 0;  ///< from here on anyone may replace it
    U256 awarded;               ///< of the slashed bond, once that happened
    std::uint16_t slash_bps = 0;
    std::uint32_t rebate_gas = 0;  ///< that is repaid, whatever the rollup's parameters say later
    BatchState state = BatchState::pending;
    std::vector<Raise> raises;
    std::uint64_t locked_until = 0;   ///< seconds, of a committed proof; 0 without
    std::uint32_t commit_window = 0;  ///< seconds, of that
    Place submitted;
    Place proven;     ///< block 0: not yet
    Place finalised;  ///< block 0: not yet
    Place orphaned;   ///< block 0: not so
    Address payee;
    Address relayer;
    U256 owed;
    std::uint32_t units = 0;
    Bytes32 work_root{};
    std::vector<Withdrawal> withdrawals;
    std::set<std::uint8_t> claimed;
    friend bool operator==(const Submission&, const Submission&) = default;
};

struct RollupRecord {
    std::uint32_t id = 0;
    Address owner;
    Bytes32 domain{};
    U256 min_new_pair_fee;
    Parameters parameters;
    std::optional<UpgradeScheduled> scheduled;
    std::set<Address> sequencers;
    std::vector<Address> tokens;  ///< by id; 0 is ETH
    std::vector<QueuedDeposit> deposits;
    std::vector<QueuedForced> forced;
    std::map<std::uint64_t, std::uint64_t> chain;  ///< number -> id of the submission that has it now
    std::uint64_t head = 0;                        ///< last submitted batch
    std::uint64_t finalised = 0;                   ///< last final batch
    std::uint64_t final_deposit_cursor = 0;
    std::uint64_t final_forced_cursor = 0;
    std::set<std::uint64_t> orphans;  ///< ids of its orphaned submissions that are not settled
    std::set<std::uint64_t> raised;   ///< ids of its submissions with raises that are nobody's yet
    /// It submitted a batch whose header has another version than rollup::kProtocolVersion: from that event on nothing
    /// of it is followed, and what is here stays as it was.
    bool is_foreign = false;
    Place registered;

    /// The rolling hash of a queue before entry `cursor`. Empty: beyond the queue's end.
    [[nodiscard]] std::optional<Bytes32> deposit_hash(std::uint64_t cursor) const;
    [[nodiscard]] std::optional<Bytes32> forced_hash(std::uint64_t cursor) const;
    friend bool operator==(const RollupRecord&, const RollupRecord&) = default;
};

/// Why events are refused: the contract at this address is not a hub that follows the specification.
struct HubFault {
    std::string code;    ///< a stable word
    std::string detail;  ///< half a sentence
};

class HubState {
  public:
    /// Takes the next log of the hub or its bridge. Others than those that the interfaces name are ignored. After a
    /// fault the state is not to be used.
    [[nodiscard]] std::optional<HubFault> apply(const ethereum::Log& log, std::uint64_t timestamp);

    [[nodiscard]] const RollupRecord* rollup(std::uint32_t id) const;
    [[nodiscard]] const std::map<std::uint32_t, RollupRecord>& rollups() const noexcept { return rollups_; }
    [[nodiscard]] const Submission* submission(std::uint64_t id) const;
    /// The submission that has the number now.
    [[nodiscard]] const Submission* batch(std::uint32_t rollup, std::uint64_t number) const;
    /// The latest submission with this header, in the chain or orphaned.
    [[nodiscard]] const Submission* find(std::uint32_t rollup, const Bytes32& header_hash) const;
    [[nodiscard]] const std::map<std::uint64_t, Submission>& submissions() const noexcept { return submissions_; }
    [[nodiscard]] const std::map<std::uint32_t, VerifiersAdded>& verifiers() const noexcept { return verifiers_; }

  private:
    struct Apply;
    std::map<std::uint32_t, VerifiersAdded> verifiers_;
    std::map<std::uint32_t, RollupRecord> rollups_;
    std::map<std::uint64_t, Submission> submissions_;
    std::map<Bytes32, std::uint64_t> latest_;  ///< header hash -> id of the latest submission with it
    std::uint64_t last_id_ = 0;                ///< of all submissions, foreign rollups' included
};

/// Whether the raise goes back to its raiser: it was too young when the batch was proven, or the batch is an orphan.
bool is_returned(const Raise& raise, const Submission& submission);

/// What a proof of the batch would earn in a block of this number and time, without rebate: IHub.currentBounty. 0 if it
/// is not pending.
U256 bounty_at(const Submission& submission, std::uint64_t block, std::uint64_t timestamp);
/// min(rebateCap, rebateGas x base fee).
U256 rebate_at(const Submission& submission, const U256& base_fee);

}  // namespace quarry::node::l1
