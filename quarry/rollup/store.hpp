#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/state_tree.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// What execution reads: the state before a batch.
class StateReader {
  public:
    virtual ~StateReader() = default;
    [[nodiscard]] virtual const State& state() const = 0;
    /// The leaf of a slot below state().slot_count; no value from there on.
    [[nodiscard]] virtual std::optional<Leaf> leaf(SlotIndex slot) const = 0;
    /// The published key with this hash.
    [[nodiscard]] virtual std::optional<AccountKey> key(const KeyHash& hash) const = 0;
};

/// All that one batch changes: the unit of atomicity, durability and rollback.
struct BatchCommit {
    std::uint64_t number = 0;  ///< the store's last batch + 1
    State before;
    State after;
    std::vector<LeafChange> changes;  ///< one for each touched slot, by rising slot
    std::vector<AccountKey> keys;     ///< published by the batch
};

/// A rollup's state with its unfinalised history. An implementation is either before a commit or after it, whenever it
/// stops: a commit that returned is durable to the degree that the implementation promises.
///
/// A durable implementation keeps leaves, keys, State, batch number and one undo record (a BatchCommit) for each
/// unfinalised batch; the tree is rebuilt from the leaves when it opens (n permutations) and must have the stored root.
class StateStore : public StateReader {
  public:
    /// Number of the last applied batch; 0: the genesis.
    [[nodiscard]] virtual std::uint64_t batch_number() const = 0;
    /// Batches up to this one cannot be rolled back.
    [[nodiscard]] virtual std::uint64_t finalised_number() const = 0;
    [[nodiscard]] virtual const StateTree& tree() const = 0;

    /// Applies the batch as a whole. `update`: plan_update of its changes. Refuses (stale_commit, root_mismatch,
    /// storage_failed) without changing anything.
    virtual Verdict commit(const BatchCommit& batch, const TreeUpdate& update) = 0;
    /// Back to the state after batch `number`, as a whole. Refuses numbers before finalised_number and after the last
    /// batch.
    virtual Verdict rollback(std::uint64_t number) = 0;
    /// Forgets how to undo batches up to `number`. Refuses numbers after the last batch; lower ones than before do
    /// nothing.
    virtual Verdict finalise(std::uint64_t number) = 0;
};

/// The tree update of a batch's changes: leaf hashes, then inner nodes.
TreeUpdate plan_update(const StateTree& tree, std::span<const LeafChange> changes);

/// Writes to a file, a socket or a vector; parts arrive in order.
using ByteSink = std::function<void(std::span<const std::uint8_t>)>;

/// The whole state in one canonical byte string (docs/spec/operations.md). A function of the state alone: unfinalised
/// history and keys that no slot uses are left out.
Verdict export_snapshot(const StateReader& store, std::uint64_t batch_number, const ByteSink& sink);

struct Snapshot {
    std::uint64_t batch_number = 0;
    State state;
    std::vector<Leaf> leaves;
    std::vector<AccountKey> keys;
};
/// Total. The root is recomputed, and is the one in the bytes; whether that is the finalised root is the caller's
/// question.
Checked<Snapshot> parse_snapshot(std::span<const std::uint8_t> bytes);

}  // namespace quarry::rollup
