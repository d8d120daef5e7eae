#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/operation_json.hpp"

/// What a sequencer sees of the chain that its rollup settles on. Every call answers at once, from what the
/// implementation has followed of the chain so far; only the sequencer's thread calls, but for head(), which any may.
namespace quarry::node::sequencer {

/// An entry of an L1 queue that is buried deep enough to be used.
struct ConfirmedEntry {
    IndexedEntry entry;
    rollup::Bytes32 rolling_hash{};   ///< of its queue, after this entry
    rollup::Timestamp timestamp = 0;  ///< of the L1 block that holds it
    friend bool operator==(const ConfirmedEntry&, const ConfirmedEntry&) = default;
};

/// The queue of deposits, and the one of forced withdrawals and set-keys.
enum class Queue { deposits, forced };
inline Queue queue_of(const ConfirmedEntry& entry) {
    return std::holds_alternative<rollup::DepositEntry>(entry.entry.entry) ? Queue::deposits : Queue::forced;
}

/// How far L1 is with a batch.
enum class BatchPhase {
    unknown,    ///< L1 has no such batch, and nothing is on its way
    sending,    ///< handed to the chain; not deep enough in it yet
    posted,     ///< its data are on L1
    proven,     ///< a proof was verified; an earlier batch is not final yet
    finalised,  ///< final: cannot be taken back
    reverted,   ///< was posted and is not any more (replaced, discarded, expired), or L1 refuses it for good
};
const char* batch_phase_name(BatchPhase phase) noexcept;

struct BatchStatus {
    BatchPhase phase = BatchPhase::unknown;
    rollup::Bytes32 transaction{};  ///< that posted it; zero before
    std::uint64_t block = 0;        ///< L1 block of the transaction
    std::string code;               ///< of a reverted batch: a stable word
    std::string reason;             ///< of a reverted batch: a sentence
    friend bool operator==(const BatchStatus&, const BatchStatus&) = default;
};

struct SettlementHead {
    bool connected = false;
    std::uint64_t block = 0;
    std::uint64_t confirmed = 0;      ///< the last block whose queue entries are deep enough
    rollup::Timestamp timestamp = 0;  ///< of `block`: no batch may be later when it is posted. 0: not known
    std::string trouble;              ///< a stable word for what keeps batches from L1 now; empty: nothing
    std::string reason;               ///< and a sentence
};

/// What L1 asks of a batch beyond the protocol.
struct BatchRules {
    std::size_t max_effects = rollup::kMaxEffects;
    std::size_t forced_cap = 1;  ///< of the forced entries that are due, a batch consumes all, or at least so many
    std::uint64_t forced_delay_seconds = std::numeric_limits<std::uint32_t>::max();  ///< until such an entry is due
};

/// A batch that is closed and on disk, on its way to L1.
struct BatchToPost {
    rollup::Header header;
    rollup::Bytes32 hash{};  ///< Keccak-256 of the header's bytes: names the batch
    std::string path;        ///< its folder: header.bin, data.bin, effects.bin, queue.jsonl
};

class Settlement {
  public:
    virtual ~Settlement() = default;

    /// No value: there is no chain.
    [[nodiscard]] virtual std::optional<SettlementHead> head() const = 0;
    /// Confirmed entries of a queue from number `first` on, in order without gaps; at most `limit`.
    [[nodiscard]] virtual std::vector<ConfirmedEntry> entries(Queue queue, std::uint64_t first,
                                                              std::size_t limit) const = 0;
    /// The rolling hash of a queue before entry `cursor`, once the entry before that is buried as deep as entries()
    /// asks for. No value: not known (yet). The sequencer compares it with what its unposted batches consumed, and
    /// takes these back when L1 has changed.
    [[nodiscard]] virtual std::optional<rollup::Bytes32> rolling_hash(Queue queue, std::uint64_t cursor) const = 0;

    /// Brings a batch to L1, in order of their numbers. Idempotent by hash: after a restart every batch that is not
    /// final is handed over again. A batch of the same number with another hash replaces one that was reverted.
    virtual void post(const BatchToPost& batch) = 0;
    /// The batches from this number on were taken back: what is not on L1 of them is not brought there any more.
    virtual void withdraw(std::uint64_t from) = 0;
    [[nodiscard]] virtual BatchStatus status(std::uint64_t number, const rollup::Bytes32& hash) const = 0;
    [[nodiscard]] virtual BatchRules rules() const = 0;
    /// Why no batch of this sequencer will ever get to L1 again, unless somebody does what the remedy says.
    [[nodiscard]] virtual std::optional<Problem> failure() const = 0;
};

/// Development without L1: empty queues, and batches that stay where they are.
class NoSettlement final : public Settlement {
  public:
    [[nodiscard]] std::optional<SettlementHead> head() const override { return std::nullopt; }
    [[nodiscard]] std::vector<ConfirmedEntry> entries(Queue, std::uint64_t, std::size_t) const override { return {}; }
    [[nodiscard]] std::optional<rollup::Bytes32> rolling_hash(Queue, std::uint64_t) const override {
        return std::nullopt;
    }
    void post(const BatchToPost&) override {}
    void withdraw(std::uint64_t) override {}
    [[nodiscard]] BatchStatus status(std::uint64_t, const rollup::Bytes32&) const override { return {}; }
    [[nodiscard]] BatchRules rules() const override { return {}; }
    [[nodiscard]] std::optional<Problem> failure() const override { return std::nullopt; }
};

}  // namespace quarry::node::sequencer
