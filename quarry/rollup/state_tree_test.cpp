#include "quarry/rollup/state_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace quarry::rollup::state_tree_test {
namespace {

Digest random_digest(std::mt19937_64& rng) {
    Digest d;
    for (KoalaBear& x : d) x = KoalaBear(rng());
    return d;
}

/// The definition: the root of a subtree of height `level` that starts at slot `begin`.
Digest naive_root(const std::map<SlotIndex, Digest>& leaves, unsigned level, std::uint64_t begin) {
    const auto first = leaves.lower_bound(static_cast<SlotIndex>(begin));
    const bool empty = first == leaves.end() || first->first >= begin + (std::uint64_t{1} << level);
    if (level == 0) return empty ? Digest{} : first->second;
    if (empty) {
        Digest d{};
        for (unsigned l = 0; l < level; ++l) d = poseidon_compress(d, d);
        return d;
    }
    const std::uint64_t half = std::uint64_t{1} << (level - 1);
    return poseidon_compress(naive_root(leaves, level - 1, begin), naive_root(leaves, level - 1, begin + half));
}

TEST(StateTree, EmptyRootIsTheDefinition) {
    EXPECT_EQ(StateTree().root(), naive_root({}, kTreeDepth, 0));
    EXPECT_EQ(StateTree(std::span<const Digest>{}).root(), StateTree().root());
    EXPECT_EQ(StateTree().plan({}).root_after, StateTree().root());
}

TEST(StateTree, BatchedEqualsOneByOneEqualsNaive) {
    std::mt19937_64 rng(1);
    StateTree batched;
    StateTree single;
    std::map<SlotIndex, Digest> model;
    SlotIndex count = 0;
    for (int round = 0; round < 12; ++round) {
        std::map<SlotIndex, Digest> changes;
        for (std::uint64_t i = rng() % 5; i > 0; --i) changes[count++] = random_digest(rng);
        for (int i = 0; count > 0 && i < 6; ++i) changes[static_cast<SlotIndex>(rng() % count)] = random_digest(rng);
        std::vector<LeafDigest> leaves;
        for (const auto& [slot, digest] : changes) {
            leaves.push_back({slot, digest});
            single.commit(single.plan(std::vector<LeafDigest>{{slot, digest}}));
            model[slot] = digest;
        }
        const Digest before = batched.root();
        const TreeUpdate update = batched.plan(leaves);
        EXPECT_EQ(batched.root(), before) << "plan must not change the tree";
        batched.commit(update);
        EXPECT_EQ(batched.root(), update.root_after);
        EXPECT_EQ(batched.root(), single.root());
        EXPECT_EQ(batched.root(), naive_root(model, kTreeDepth, 0));
    }
    std::vector<Digest> all;
    for (const auto& [slot, digest] : model) all.push_back(digest);
    EXPECT_EQ(StateTree(all).root(), batched.root());
    for (const auto& [slot, digest] : model)
        EXPECT_EQ(root_from_path(slot, digest, batched.path(slot)), batched.root());
    EXPECT_EQ(root_from_path(count + 1000, Digest{}, batched.path(count + 1000)), batched.root());
}

// ADVERSARIAL, Merkle and hashing: a leaf at another index, and the ends of the slot range.
TEST(StateTree, PathsAreBoundToTheirSlot) {
    std::mt19937_64 rng(2);
    const std::vector<Digest> leaves = {random_digest(rng), random_digest(rng), random_digest(rng)};
    const StateTree tree(leaves);
    EXPECT_NE(root_from_path(1, leaves[0], tree.path(0)), tree.root());
    EXPECT_NE(root_from_path(0, leaves[1], tree.path(0)), tree.root());
    EXPECT_NE(root_from_path(2, Digest{}, tree.path(2)), tree.root());
    EXPECT_EQ(root_from_path(kMaxSlots - 1, Digest{}, tree.path(kMaxSlots - 1)), tree.root());
    EXPECT_DEATH((void)tree.plan(std::vector<LeafDigest>{{kMaxSlots, Digest{}}}), "check failed");
    EXPECT_DEATH((void)tree.plan(std::vector<LeafDigest>{{1, Digest{}}, {1, Digest{}}}), "check failed");
}

TEST(StateTree, UpdateListsEveryTouchedNodeOnce) {
    std::mt19937_64 rng(3);
    std::vector<Digest> leaves;
    for (int i = 0; i < 100; ++i) leaves.push_back(random_digest(rng));
    const StateTree tree(leaves);
    const std::vector<LeafDigest> changed = {
        {3, random_digest(rng)}, {4, leaves[4]}, {5, random_digest(rng)}, {90, random_digest(rng)}};
    const TreeUpdate update = tree.plan(changed);
    for (unsigned level = 0; level <= kTreeDepth; ++level) {
        std::map<std::uint32_t, int> expected;
        for (const LeafDigest& leaf : changed)
            expected[static_cast<std::uint32_t>(std::uint64_t{leaf.slot} >> level)] = 1;
        ASSERT_EQ(update.levels[level].size(), expected.size()) << level;
        std::size_t i = 0;
        for (const auto& [index, one] : expected) {
            EXPECT_EQ(update.levels[level][i].index, index);
            EXPECT_EQ(update.levels[level][i].before, tree.node(level, index));
            ++i;
        }
    }
}

}  // namespace
}  // namespace quarry::rollup::state_tree_test
