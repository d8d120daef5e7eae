#include "quarry/rollup/memory_store.hpp"

#include <iterator>
#include <map>
#include <ranges>

#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::rollup {

TreeUpdate plan_update(const StateTree& tree, std::span<const LeafChange> changes) {
    std::vector<Digest> pairs;
    pairs.reserve(2 * changes.size());
    for (const LeafChange& change : changes) {
        pairs.push_back(change.after ? change.after->pair : Digest{});
        pairs.push_back(change.after ? leaf_block(*change.after) : Block{});
    }
    std::vector<Digest> hashes(changes.size());
    poseidon_compress_pairs(pairs, hashes);
    std::vector<LeafDigest> digests(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
        digests[i] = {changes[i].slot, changes[i].after ? hashes[i] : Digest{}};
    }
    return tree.plan(digests);
}

MemoryStore::MemoryStore() { state_.root = tree_.root(); }

MemoryStore::MemoryStore(std::vector<Leaf> leaves, std::span<const AccountKey> keys)
    : leaves_(std::move(leaves)), tree_(leaf_hashes(leaves_)) {
    state_.root = tree_.root();
    state_.slot_count = static_cast<SlotIndex>(leaves_.size());
    publish(keys);
}

MemoryStore::MemoryStore(Snapshot snapshot) : MemoryStore(std::move(snapshot.leaves), snapshot.keys) {
    QUARRY_CHECK(state_.root == snapshot.state.root && state_.slot_count == snapshot.state.slot_count);
    state_ = snapshot.state;
    batch_number_ = snapshot.batch_number;
}

Checked<MemoryStore> MemoryStore::restore(Snapshot snapshot, std::vector<BatchCommit> history) {
    State state = snapshot.state;
    std::uint64_t number = snapshot.batch_number;
    for (const BatchCommit& batch : std::views::reverse(history)) {
        if (batch.after != state || batch.number != number || number == 0) return RejectCode::stale_commit;
        state = batch.before;
        --number;
    }
    MemoryStore store(std::move(snapshot.leaves), snapshot.keys);
    if (store.state_.root != snapshot.state.root || store.state_.slot_count != snapshot.state.slot_count)
        return RejectCode::root_mismatch;
    store.state_ = snapshot.state;
    store.batch_number_ = snapshot.batch_number;
    store.undo_.assign(std::make_move_iterator(history.begin()), std::make_move_iterator(history.end()));
    return store;
}

std::optional<Leaf> MemoryStore::leaf(SlotIndex slot) const {
    if (slot >= leaves_.size()) return std::nullopt;
    return leaves_[slot];
}

std::optional<AccountKey> MemoryStore::key(const KeyHash& hash) const {
    const auto it = keys_.find(hash);
    if (it == keys_.end()) return std::nullopt;
    return it->second;
}

void MemoryStore::publish(std::span<const AccountKey> keys) {
    const std::vector<KeyHash> hashes = key_hashes(keys);
    if (keys_.empty()) keys_.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) keys_.emplace(hashes[i], keys[i]);
}

Verdict MemoryStore::check(const BatchCommit& batch, const TreeUpdate& update) const {
    if (batch.number != batch_number_ + 1 || batch.before != state_) return RejectCode::stale_commit;
    if (update.root_before != state_.root || update.root_after != batch.after.root) return RejectCode::root_mismatch;
    std::size_t num_created = 0;
    for (std::size_t i = 0; i < batch.changes.size(); ++i) {
        const LeafChange& change = batch.changes[i];
        if (i > 0 && change.slot <= batch.changes[i - 1].slot) return RejectCode::stale_commit;
        if (change.before != leaf(change.slot)) return RejectCode::stale_commit;
        if (!change.after || change.slot >= batch.after.slot_count) return RejectCode::stale_commit;
        num_created += change.before ? 0 : 1;
    }
    if (batch.after.slot_count != batch.before.slot_count + num_created) return RejectCode::stale_commit;
    return Accepted{};
}

Verdict MemoryStore::commit(const BatchCommit& batch, const TreeUpdate& update) {
    QUARRY_REQUIRE(check(batch, update));
    tree_.commit(update);
    leaves_.resize(batch.after.slot_count);
    for (const LeafChange& change : batch.changes) leaves_[change.slot] = *change.after;
    publish(batch.keys);
    state_ = batch.after;
    batch_number_ = batch.number;
    undo_.push_back(batch);
    return Accepted{};
}

Checked<RollbackPlan> MemoryStore::plan_rollback(std::uint64_t number) const {
    if (number < finalised_number() || number > batch_number_) return RejectCode::not_reversible;
    RollbackPlan plan{.number = number, .state = state_, .changes = {}, .update = {}};
    std::map<SlotIndex, std::optional<Leaf>> target;
    for (std::size_t i = undo_.size(); i > number - finalised_number(); --i) {
        const BatchCommit& batch = undo_[i - 1];
        for (const LeafChange& change : batch.changes) target[change.slot] = change.before;
        plan.state = batch.before;
    }
    plan.changes.reserve(target.size());
    for (const auto& [slot, before] : target) {
        // An undo record that came from a damaged disk may say anything.
        if (slot >= state_.slot_count || before.has_value() != (slot < plan.state.slot_count))
            return RejectCode::root_mismatch;
        plan.changes.push_back({slot, leaf(slot), before});
    }
    plan.update = plan_update(tree_, plan.changes);
    if (plan.update.root_after != plan.state.root) return RejectCode::root_mismatch;
    return plan;
}

void MemoryStore::apply(const RollbackPlan& plan) {
    tree_.commit(plan.update);
    leaves_.resize(plan.state.slot_count);
    for (const LeafChange& change : plan.changes) {
        if (change.after) leaves_[change.slot] = *change.after;
    }
    state_ = plan.state;
    undo_.resize(plan.number - finalised_number());
    batch_number_ = plan.number;
}

Verdict MemoryStore::rollback(std::uint64_t number) {
    const auto plan = plan_rollback(number);
    if (!plan) return plan.code();
    apply(plan.value());
    return Accepted{};
}

Verdict MemoryStore::finalise(std::uint64_t number) {
    if (number > batch_number_) return RejectCode::not_reversible;
    while (finalised_number() < number) undo_.pop_front();
    return Accepted{};
}

}  // namespace quarry::rollup
