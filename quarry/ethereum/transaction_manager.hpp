#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/clock.hpp"
#include "quarry/ethereum/journal.hpp"
#include "quarry/ethereum/transaction.hpp"

/// Sends transactions of one account so that each happens once, whatever happens to this process, to the node or to the
/// chain.
///
///     queued --(nonce journaled)--> sent --> mined --(confirmations)--> confirmed | reverted
///        |  \-> failed: it would revert, it breaks a rule                |
///        \-- waits while fees are above the cap      sent <--(reorganisation)
///
/// A nonce is journaled with its intent before the first transaction that uses it leaves, and every version of that
/// transaction before it leaves, so that a restart knows all hashes that may be mined. Signing is deterministic: a
/// version is re-made from its record.
///
/// A reorganisation deeper than `confirmations` takes transactions away that were final: they are not sent again, but
/// their nonces are given to others, or to an empty transfer where others wait for them.
namespace quarry::ethereum {

/// What a caller wants done once.
struct Intent {
    std::string id;             ///< the caller's own; at most 200 bytes
    std::optional<Address> to;  ///< empty: makes a contract
    U256 value;
    Bytes data;
    std::shared_ptr<const BlobSidecar> sidecar;  ///< with it, a blob transaction
    std::uint64_t gas_limit = 0;                 ///< 0: the node's estimate and a margin
    U256 max_total_fee;                          ///< wei that gas and blobs may cost at most; 0: no limit of its own
};

enum class IntentStage {
    queued,     ///< no nonce yet: waits for its turn, for fees or for funds
    sent,       ///< has a nonce
    mined,      ///< in a block, not yet deep enough
    confirmed,  ///< final: succeeded
    reverted,   ///< final: in a block, but the call failed
    failed,     ///< final: never sent (it would revert, it breaks a rule), or its nonce was used by somebody else
    cancelled,  ///< final
};
const char* intent_stage_name(IntentStage stage) noexcept;

struct IntentStatus {
    IntentStage stage = IntentStage::queued;
    std::optional<std::uint64_t> nonce;
    std::vector<Hash> hashes;                   ///< of every version sent, the latest last
    std::optional<Receipt> receipt;             ///< from mined on
    IntentStage outcome = IntentStage::queued;  ///< while mined: what it ends as, if no reorganisation takes it out
    std::uint64_t depth = 0;                    ///< while mined: blocks on top as of the last step, its own included
    std::optional<EthereumError> error;         ///< why it waits or why it failed
    [[nodiscard]] bool is_final() const noexcept { return stage >= IntentStage::confirmed; }
    /// For whom `confirmations` blocks are enough, where the manager waits for more before it lets go of it.
    [[nodiscard]] IntentStage stage_at(unsigned confirmations) const noexcept {
        return stage == IntentStage::mined && depth >= confirmations ? outcome : stage;
    }
};

struct TransactionManagerOptions {
    std::uint64_t chain_id = 0;
    unsigned confirmations = 2;            ///< blocks on top, the one that contains it included, until it is let go of
    std::uint64_t bump_after_ms = 36'000;  ///< without being mined: a replacement with higher fees
    std::uint64_t resend_after_ms = 15'000;
    U256 max_fee_per_gas{300'000'000'000};       ///< wei; above it, nothing is sent
    U256 max_fee_per_blob_gas{100'000'000'000};  ///< wei
    U256 min_priority_fee{10'000'000};           ///< wei
    U256 max_priority_fee{50'000'000'000};       ///< wei: most of what an endpoint suggests that is believed
    unsigned gas_margin_percent = 15;            ///< on estimates
    std::size_t max_in_flight = 16;              ///< with a nonce and not yet confirmed
    std::size_t max_queued = 1'024;
    std::size_t keep_final = 1'024;  ///< ids whose outcome is remembered: submitting them again does nothing
};

class TransactionManager {
  public:
    /// Reads the journal and takes up what it finds. journal_damaged, journal_failed, wrong_chain, errors of the way.
    static Answer<std::unique_ptr<TransactionManager>> create(TransactionManagerOptions options, PrivateKey key,
                                                              Chain& chain, std::unique_ptr<Journal> journal,
                                                              Clock& clock);
    TransactionManager(const TransactionManager&) = delete;
    TransactionManager& operator=(const TransactionManager&) = delete;
    ~TransactionManager();

    /// Takes the intent over: when this returns, it is on disk. Submitting the same again under its id is not an error
    /// and does nothing. intent_conflict, transaction_too_large, gas_above_cap, too_many_blobs, pool_full,
    /// journal_failed.
    Answer<Done> submit(Intent intent);
    /// Drops what has no nonce yet; replaces what has one by an empty transfer to the own account. A transaction with
    /// blobs that was sent cannot be taken back. unknown_intent, not_cancellable.
    Answer<Done> cancel(const std::string& id);
    /// unknown_intent.
    [[nodiscard]] Answer<IntentStatus> status(const std::string& id) const;
    [[nodiscard]] std::size_t num_open() const;
    /// Ids of those that are not final, in the order of submission.
    [[nodiscard]] std::vector<std::string> open_ids() const;
    [[nodiscard]] const Address& address() const noexcept;

    /// Looks at the chain and does what is due: sends, replaces, confirms, sends again what a reorganisation dropped.
    /// Called by the owner at every new head and every second or so. Returns the first error of the way (the next call
    /// tries again, other intents first); errors of single intents are in their status. node_behind: the node is
    /// not asked for more, and nothing is done.
    Answer<Done> step();

  private:
    class Impl;
    explicit TransactionManager(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace quarry::ethereum
