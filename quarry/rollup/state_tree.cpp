#include "quarry/rollup/state_tree.hpp"

#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::rollup {

const Digest& empty_digest(unsigned level) noexcept {
    static const auto digests = [] {
        std::array<Digest, kTreeDepth + 1> r{};
        for (unsigned l = 0; l < kTreeDepth; ++l) r[l + 1] = poseidon_compress(r[l], r[l]);
        return r;
    }();
    return digests[level];
}

Digest root_from_path(SlotIndex slot, const Digest& leaf, const TreePath& path) noexcept {
    Digest node = leaf;
    for (unsigned level = 0; level < kTreeDepth; ++level) {
        const bool right = (slot >> level & 1) != 0;
        node = right ? poseidon_compress(path[level], node) : poseidon_compress(node, path[level]);
    }
    return node;
}

StateTree::StateTree(std::span<const Digest> leaves) {
    QUARRY_CHECK(leaves.size() <= kMaxSlots);
    if (leaves.empty()) return;
    levels_[0].assign(leaves.begin(), leaves.end());
    for (unsigned level = 0; level < kTreeDepth; ++level) {
        std::vector<Digest>& children = levels_[level];
        if (children.size() % 2 != 0) children.push_back(empty_digest(level));
        levels_[level + 1].resize(children.size() / 2);
        poseidon_compress_pairs(children, levels_[level + 1]);
    }
}

Digest StateTree::node(unsigned level, std::uint32_t index) const noexcept {
    const std::vector<Digest>& nodes = levels_[level];
    return index < nodes.size() ? nodes[index] : empty_digest(level);
}

TreePath StateTree::path(SlotIndex slot) const noexcept {
    TreePath r;
    for (unsigned level = 0; level < kTreeDepth; ++level) r[level] = node(level, (slot >> level) ^ 1);
    return r;
}

TreeUpdate StateTree::plan(std::span<const LeafDigest> leaves) const {
    TreeUpdate update;
    update.root_before = root();
    update.root_after = update.root_before;
    if (leaves.empty()) return update;

    update.levels[0].reserve(leaves.size());
    for (const LeafDigest& leaf : leaves) {
        QUARRY_CHECK(leaf.slot < kMaxSlots && (update.levels[0].empty() || update.levels[0].back().index < leaf.slot));
        update.levels[0].push_back({leaf.slot, node(0, leaf.slot), leaf.digest});
    }
    std::vector<Digest> pairs;
    std::vector<Digest> parents;
    for (unsigned level = 0; level < kTreeDepth; ++level) {
        const std::vector<NodeChange>& children = update.levels[level];
        std::vector<NodeChange>& above = update.levels[level + 1];
        above.reserve(children.size());
        pairs.clear();
        for (std::size_t i = 0; i < children.size(); ++i) {
            const std::uint32_t parent = children[i].index / 2;
            const bool is_right = children[i].index % 2 != 0;
            const bool both = !is_right && i + 1 < children.size() && children[i + 1].index == children[i].index + 1;
            pairs.push_back(is_right ? node(level, 2 * parent) : children[i].after);
            if (both) ++i;
            pairs.push_back(is_right || both ? children[i].after : node(level, 2 * parent + 1));
            above.push_back({parent, node(level + 1, parent), {}});
        }
        parents.resize(above.size());
        poseidon_compress_pairs(pairs, parents);
        for (std::size_t i = 0; i < above.size(); ++i) above[i].after = parents[i];
    }
    update.root_after = update.levels[kTreeDepth].front().after;
    return update;
}

void StateTree::commit(const TreeUpdate& update) {
    QUARRY_CHECK(update.root_before == root());
    for (unsigned level = 0; level <= kTreeDepth; ++level) {
        const std::vector<NodeChange>& changes = update.levels[level];
        if (changes.empty()) continue;
        std::vector<Digest>& nodes = levels_[level];
        if (changes.back().index >= nodes.size())
            nodes.resize(changes.back().index + std::size_t{1}, empty_digest(level));
        for (const NodeChange& change : changes) nodes[change.index] = change.after;
    }
}

}  // namespace quarry::rollup
