#pragma once
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/store.hpp"

namespace quarry::rollup {

/// A rollback that was planned but not made.
struct RollbackPlan {
    std::uint64_t number = 0;         ///< the batch after which the state is the target
    State state;                      ///< the target
    std::vector<LeafChange> changes;  ///< from now to then, by rising slot; no value after: the slot vanishes
    TreeUpdate update;
};

/// Everything in memory, nothing durable: for tests, for provers, and as the working copy inside a durable store.
class MemoryStore final : public StateStore {
  public:
    /// The empty rollup.
    MemoryStore();
    /// A genesis with these leaves in slots 0, 1, .. and nothing consumed from the queues.
    explicit MemoryStore(std::vector<Leaf> leaves, std::span<const AccountKey> keys = {});
    explicit MemoryStore(Snapshot snapshot);
    /// A snapshot with the unfinalised batches that led to it, oldest first: what a durable store finds when it opens.
    /// Refuses (root_mismatch) leaves that do not have the snapshot's root, and (stale_commit) a history that does not
    /// lead to its state.
    static Checked<MemoryStore> restore(Snapshot snapshot, std::vector<BatchCommit> history);

    [[nodiscard]] const State& state() const override { return state_; }
    [[nodiscard]] std::optional<Leaf> leaf(SlotIndex slot) const override;
    [[nodiscard]] std::optional<AccountKey> key(const KeyHash& hash) const override;
    [[nodiscard]] std::uint64_t batch_number() const override { return batch_number_; }
    [[nodiscard]] std::uint64_t finalised_number() const override { return batch_number_ - undo_.size(); }
    [[nodiscard]] const StateTree& tree() const override { return tree_; }

    Verdict commit(const BatchCommit& batch, const TreeUpdate& update) override;
    Verdict rollback(std::uint64_t number) override;
    Verdict finalise(std::uint64_t number) override;

    /// What commit would answer. Changes nothing.
    [[nodiscard]] Verdict check(const BatchCommit& batch, const TreeUpdate& update) const;
    /// What rollback(number) would do, net of everything in between; refuses (root_mismatch) a history from which the
    /// target's root does not come out. A durable store writes this down before it calls rollback.
    [[nodiscard]] Checked<RollbackPlan> plan_rollback(std::uint64_t number) const;
    /// Makes a rollback that was planned on this very state (checked by the root).
    void apply(const RollbackPlan& plan);

  private:
    void publish(std::span<const AccountKey> keys);

    std::vector<Leaf> leaves_;
    std::unordered_map<KeyHash, AccountKey, DigestHasher> keys_;
    StateTree tree_;
    State state_;
    std::uint64_t batch_number_ = 0;
    std::deque<BatchCommit> undo_;  ///< unfinalised batches, oldest first
};

}  // namespace quarry::rollup
