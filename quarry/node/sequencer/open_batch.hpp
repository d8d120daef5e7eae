#pragma once
#include <map>
#include <vector>

#include "quarry/node/sequencer/engine.hpp"

namespace quarry::node::sequencer {

/// The runs of the L1 queues that an open batch consumes, with the rolling hashes that its header states.
class OpenQueues final : public rollup::L1Queues {
  public:
    OpenQueues(const rollup::State& state, const SequencerNote& note)
        : deposits_{state.deposit_cursor, {note.deposit_hash}, {}},
          forced_{state.forced_cursor, {note.forced_hash}, {}} {}

    void push(const ConfirmedEntry& entry) {
        if (const auto* deposit = std::get_if<rollup::DepositEntry>(&entry.entry.entry)) {
            deposits_.entries.push_back(*deposit);
            deposits_.hashes.push_back(entry.rolling_hash);
            return;
        }
        const auto* withdrawal = std::get_if<rollup::ForcedWithdrawalEntry>(&entry.entry.entry);
        forced_.entries.push_back(withdrawal != nullptr
                                      ? rollup::ForcedEntry(*withdrawal)
                                      : rollup::ForcedEntry(std::get<rollup::SetKeyEntry>(entry.entry.entry)));
        forced_.hashes.push_back(entry.rolling_hash);
    }
    /// The entry that was pushed last was not consumed after all.
    void pop(bool deposit) {
        if (deposit) {
            deposits_.entries.pop_back();
            deposits_.hashes.pop_back();
        } else {
            forced_.entries.pop_back();
            forced_.hashes.pop_back();
        }
    }
    [[nodiscard]] std::size_t num_deposits() const noexcept { return deposits_.entries.size(); }
    [[nodiscard]] std::size_t num_forced() const noexcept { return forced_.entries.size(); }

    [[nodiscard]] std::optional<rollup::DepositEntry> deposit(std::uint64_t index) const override {
        return deposits_.at(index);
    }
    [[nodiscard]] std::optional<rollup::ForcedEntry> forced(std::uint64_t index) const override {
        return forced_.at(index);
    }
    [[nodiscard]] rollup::Bytes32 deposit_hash(std::uint64_t cursor) const override { return deposits_.hash(cursor); }
    [[nodiscard]] rollup::Bytes32 forced_hash(std::uint64_t cursor) const override { return forced_.hash(cursor); }

  private:
    template <class T>
    struct Side {
        std::uint64_t start = 0;
        std::vector<rollup::Bytes32> hashes;  ///< before each entry, and after the last
        std::vector<T> entries;
        [[nodiscard]] std::optional<T> at(std::uint64_t index) const {
            if (index < start || index - start >= entries.size()) return std::nullopt;
            return entries[index - start];
        }
        [[nodiscard]] rollup::Bytes32 hash(std::uint64_t cursor) const {
            QUARRY_CHECK(cursor >= start && cursor - start < hashes.size());
            return hashes[cursor - start];
        }
    };
    Side<rollup::DepositEntry> deposits_;
    Side<rollup::ForcedEntry> forced_;
};

/// A batch that takes operations.
struct Engine::OpenBatch {
    OpenBatch(const DurableStore& store, const SequencerNote& note, rollup::BatchPlan plan, std::size_t most_effects)
        : timestamp(plan.timestamp),
          max_effects(most_effects),
          queues(store.state(), note),
          builder(store.parameters(), std::move(plan), store, queues) {}

    [[nodiscard]] bool empty() const noexcept { return builder.executor().steps().empty(); }

    [[nodiscard]] rollup::Verdict room_for_effect() const {
        if (builder.executor().num_effects() >= max_effects) return rollup::RejectCode::effects_full;
        return rollup::Accepted{};
    }
    /// Precondition: the signature verifies.
    rollup::Verdict add(const rollup::Transaction& tx) {
        if (std::holds_alternative<rollup::Withdraw>(tx.op)) QUARRY_REQUIRE(room_for_effect());
        return builder.add(tx, true);
    }

    rollup::Timestamp timestamp;
    std::size_t max_effects;  ///< that L1 takes
    OpenQueues queues;
    rollup::BatchBuilder builder;
    Milliseconds first_step_ms = 0;
    bool announced = false;       ///< its opening is in the order of steps
    bool merged = false;          ///< has steps of several batches that were taken back
    std::size_t num_indexed = 0;  ///< steps whose slots are in the index of pairs
};

inline bool is_unposted(BatchPhase phase) { return phase == BatchPhase::unknown || phase == BatchPhase::sending; }

/// The next batch may take what this one has no room for.
inline bool is_full(rollup::RejectCode code) {
    return code == rollup::RejectCode::batch_full || code == rollup::RejectCode::effects_full ||
           code == rollup::RejectCode::fee_ledger_full || code == rollup::RejectCode::fee_overflow;
}

}  // namespace quarry::node::sequencer
