#include "quarry/circuits/state/merkle_table.hpp"

#include "quarry/base/parallel.hpp"
#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

void MerkleTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    b.boolean("is_real", row.is_real);
    b.boolean("is_upper", row.is_upper);
    b.boolean("is_root", row.is_root);
    b.boolean("touched_left", row.touched_left);
    b.boolean("touched_right", row.touched_right);
    b.zero("touched_left.real", row.touched_left * (Expr(1) - row.is_real));
    b.zero("touched_right.real", row.touched_right * (Expr(1) - row.is_real));
    b.zero("touched_right.below", row.touched_right * (row.is_upper + row.is_root));
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const std::string at = "[" + std::to_string(i) + "]";
        b.zero("left.same" + at, (Expr(1) - row.touched_left) * (row.left_before[i] - row.left_after[i]));
        b.zero("right.same" + at, (Expr(1) - row.touched_right) * (row.right_before[i] - row.right_after[i]));
    }

    require_hash(b, "before", row.is_real, row.left_before, row.right_before, row.parent_before);
    require_hash(b, "after", row.is_real, row.left_after, row.right_after, row.parent_after);
    const Expr below = row.level - 1;
    b.receive("left", kNodeBus, row.touched_left,
              node_tuple(row.is_root, below, row.index * 2, row.left_before, row.left_after));
    b.receive("right", kNodeBus, row.touched_right,
              node_tuple(Expr(0), below, row.index * 2 + 1, row.right_before, row.right_after));
    b.send("parent", kNodeBus, row.is_real,
           node_tuple(row.is_upper + row.is_root * 2, row.level, row.index, row.parent_before, row.parent_after));
}

namespace {

MerkleRow<KoalaBear> row_at(unsigned level, const rollup::NodeChange& node) {
    MerkleRow<KoalaBear> row;
    row.is_real = KoalaBear(1);
    row.is_upper = KoalaBear(level == rollup::kTreeDepth - 1 ? 1 : 0);
    row.is_root = KoalaBear(level == rollup::kTreeDepth ? 1 : 0);
    row.level = KoalaBear(level);
    row.index = KoalaBear(node.index);
    row.parent_before = node.before;
    row.parent_after = node.after;
    return row;
}

// The rows of the parents of `children`.
void fill_level(const Timeline& timeline, unsigned level, MerkleRow<KoalaBear>* rows) {
    const auto& children = timeline.update.levels[level - 1];
    const Digest* sibling = timeline.siblings[level - 1].data();
    std::size_t child = 0;
    for (const rollup::NodeChange& node : timeline.update.levels[level]) {
        MerkleRow<KoalaBear>& row = *rows++ = row_at(level, node);
        const bool left = children[child].index == 2 * node.index;
        row.touched_left = KoalaBear(left ? 1 : 0);
        row.left_before = left ? children[child].before : *sibling;
        row.left_after = left ? children[child].after : *sibling;
        if (left) ++child;
        const bool right = child < children.size() && children[child].index == 2 * node.index + 1;
        row.touched_right = KoalaBear(right ? 1 : 0);
        row.right_before = right ? children[child].before : *sibling;
        row.right_after = right ? children[child].after : *sibling;
        if (right) ++child;
        if (!left || !right) ++sibling;
    }
}

}  // namespace

std::vector<MerkleRow<KoalaBear>> merkle_rows(const Timeline& timeline) {
    const auto& levels = timeline.update.levels;
    std::array<std::size_t, rollup::kTreeDepth + 1> offset{};  // [l]: where the rows of level l + 1 start
    for (unsigned level = 1; level <= rollup::kTreeDepth; ++level) {
        offset[level] = offset[level - 1] + levels[level].size();
    }
    std::vector<MerkleRow<KoalaBear>> rows(offset[rollup::kTreeDepth]);
    parallel_for(rollup::kTreeDepth, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t l = begin; l < end; ++l) {
            fill_level(timeline, static_cast<unsigned>(l) + 1, rows.data() + offset[l]);
        }
    });
    if (rows.empty()) {
        const Digest& root = timeline.statement.before.state.root;
        MerkleRow<KoalaBear>& row = rows.emplace_back(row_at(rollup::kTreeDepth, {0, root, root}));
        row.left_before = row.left_after = timeline.root_children[0];
        row.right_before = row.right_after = timeline.root_children[1];
    }
    return rows;
}

}  // namespace quarry::circuits
