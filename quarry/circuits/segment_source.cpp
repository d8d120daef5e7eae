#include "quarry/circuits/segment_source.hpp"

#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::circuits {

namespace {

using rollup::NodeChange;
using rollup::TreeUpdate;

std::vector<Digest> untouched_siblings(const rollup::StateTree& tree, unsigned level,
                                       const std::vector<NodeChange>& nodes) {
    std::vector<Digest> r;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::uint32_t sibling = nodes[i].index ^ 1;
        if (i + 1 < nodes.size() && nodes[i + 1].index == sibling)
            ++i;  // both children of one node
        else
            r.push_back(tree.node(level, sibling));
    }
    return r;
}

/// `tree`: before the steps of `source`, which are known.
void plan_tree(SegmentSource& source, const rollup::StateTree& tree) {
    source.root_children = {tree.node(rollup::kTreeDepth - 1, 0), tree.node(rollup::kTreeDepth - 1, 1)};
    source.update = rollup::plan_update(tree, rollup::changes_of(source.steps));
    for (unsigned level = 0; level < rollup::kTreeDepth; ++level) {
        source.siblings[level] = untouched_siblings(tree, level, source.update.levels[level]);
    }
}

}  // namespace

rollup::SegmentStatement statement_of(const SegmentSource& source, const rollup::L1Address& payee,
                                      std::uint64_t miner_tag) {
    return rollup::segment_statement(source.parameters, source.header, source.before, source.fees, source.steps,
                                     source.update.root_after, payee, miner_tag);
}

BatchCutter::BatchCutter(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                         const rollup::ExecutedBatch& batch)
    : parameters_(parameters),
      batch_(batch),
      tree_(store.tree()),
      point_(rollup::batch_start(batch.before, rollup::header_hash(batch.header))) {
    QUARRY_CHECK(store.state() == batch.before);
}

SegmentSource BatchCutter::next(std::size_t last) {
    QUARRY_CHECK(first_ <= last && last <= batch_.steps.size());
    SegmentSource source{.parameters = parameters_,
                         .header = batch_.header,
                         .before = point_,
                         .fees = fees_,
                         .steps = std::span(batch_.steps).subspan(first_, last - first_),
                         .update = {},
                         .siblings = {},
                         .root_children = {}};
    plan_tree(source, tree_);
    point_ = statement_of(source, {}, 0).after;
    fees_ = rollup::fees_after(std::span(batch_.steps).first(last));
    tree_.commit(source.update);
    first_ = last;
    return source;
}

SegmentSource cut_segment(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                          const rollup::ExecutedBatch& batch, std::size_t first, std::size_t last,
                          const rollup::BatchPoint& before) {
    QUARRY_CHECK(store.state() == batch.before && first <= last && last <= batch.steps.size());
    const std::span<const rollup::Step> steps(batch.steps);
    SegmentSource source{.parameters = parameters,
                         .header = batch.header,
                         .before = before,
                         .fees = rollup::fees_after(steps.first(first)),
                         .steps = steps.subspan(first, last - first),
                         .update = {},
                         .siblings = {},
                         .root_children = {}};
    if (first == 0) {
        plan_tree(source, store.tree());
    } else {
        rollup::StateTree tree = store.tree();
        tree.commit(rollup::plan_update(tree, rollup::changes_of(steps.first(first))));
        plan_tree(source, tree);
    }
    return source;
}

rollup::Checked<TreeUpdate> plan_from_siblings(std::span<const rollup::LeafChange> changes, const Siblings& siblings) {
    QUARRY_CHECK(!changes.empty());
    TreeUpdate update;
    for (const rollup::LeafChange& change : changes) {
        update.levels[0].push_back(
            {change.slot, rollup::leaf_digest(change.before), rollup::leaf_digest(change.after)});
    }
    std::vector<Digest> pairs;
    std::vector<Digest> parents;
    for (unsigned level = 0; level < rollup::kTreeDepth; ++level) {
        const std::vector<NodeChange>& children = update.levels[level];
        std::vector<NodeChange>& above = update.levels[level + 1];
        std::size_t used = 0;
        pairs.clear();  // before, after, before, after, ..
        for (std::size_t i = 0; i < children.size(); ++i) {
            const std::uint32_t index = children[i].index;
            const bool both = index % 2 == 0 && i + 1 < children.size() && children[i + 1].index == index + 1;
            if (!both && used == siblings[level].size()) return rollup::RejectCode::bad_length;
            const NodeChange other =
                both ? children[i + 1] : NodeChange{index ^ 1, siblings[level][used], siblings[level][used]};
            if (!both) ++used;
            const NodeChange& left = index % 2 == 0 ? children[i] : other;
            const NodeChange& right = index % 2 == 0 ? other : children[i];
            pairs.insert(pairs.end(), {left.before, right.before, left.after, right.after});
            above.push_back({index / 2, {}, {}});
            if (both) ++i;
        }
        if (used != siblings[level].size()) return rollup::RejectCode::bad_length;
        parents.resize(2 * above.size());
        poseidon_compress_pairs(pairs, parents);
        for (std::size_t i = 0; i < above.size(); ++i) {
            above[i].before = parents[2 * i];
            above[i].after = parents[2 * i + 1];
        }
    }
    update.root_before = update.levels[rollup::kTreeDepth].front().before;
    update.root_after = update.levels[rollup::kTreeDepth].front().after;
    return update;
}

}  // namespace quarry::circuits
