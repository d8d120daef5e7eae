#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

struct LeafDigest {
    SlotIndex slot = 0;
    Digest digest{};
};

/// A node that an update touches: level 0 are the leaves, level kTreeDepth is the root.
struct NodeChange {
    std::uint32_t index = 0;
    Digest before{};
    Digest after{};
};

/// Every node above (and with) the leaves that an update changes, level by level, by rising index. What the Merkle
/// table of the circuit lists, and what StateTree::commit writes.
struct TreeUpdate {
    std::array<std::vector<NodeChange>, kTreeDepth + 1> levels;
    Digest root_before{};
    Digest root_after{};
};

/// Siblings from the leaf up.
using TreePath = std::array<Digest, kTreeDepth>;

/// The root that `path` leads to from a leaf digest in `slot`.
Digest root_from_path(SlotIndex slot, const Digest& leaf, const TreePath& path) noexcept;

/// The digest of an empty subtree of height `level`: zeros at level 0.
const Digest& empty_digest(unsigned level) noexcept;

/// The Poseidon tree over the slots: node = H(left, right). Slots are given out in order, so each level is stored
/// densely up to the last slot in use; everything beyond is empty.
class StateTree {
  public:
    StateTree() = default;
    /// The tree with these leaves in slots 0, 1, ..
    explicit StateTree(std::span<const Digest> leaves);

    [[nodiscard]] Digest root() const noexcept { return node(kTreeDepth, 0); }
    /// Preconditions: level <= kTreeDepth, index < 2^(kTreeDepth - level).
    [[nodiscard]] Digest node(unsigned level, std::uint32_t index) const noexcept;
    [[nodiscard]] TreePath path(SlotIndex slot) const noexcept;

    /// The update that sets these leaves, without making it. Precondition: slots rise and are below kMaxSlots.
    /// Cost for k leaves among n: about k (log2(n / k) + 2) permutations in batches of at least 8; about twice as many
    /// digests copied.
    [[nodiscard]] TreeUpdate plan(std::span<const LeafDigest> leaves) const;
    /// Precondition: planned on this very state (checked by the root).
    void commit(const TreeUpdate& update);

  private:
    std::array<std::vector<Digest>, kTreeDepth + 1> levels_;
};

}  // namespace quarry::rollup
