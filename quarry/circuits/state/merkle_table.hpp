#pragma once
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

/// One touched inner node a row: parent = H(left, right) before and after.
template <class T>
struct MerkleRow {
    T is_real;
    T is_upper, is_root;  ///< level 31, level 32: no touched right child
    T touched_left, touched_right;
    T level, index;
    DigestOf<T> left_before, left_after, right_before, right_after, parent_before, parent_after;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("is_upper", is_upper), v("is_root", is_root), v("touched_left", touched_left),
            v("touched_right", touched_right), v("level", level), v("index", index), v("left_before", left_before),
            v("left_after", left_after), v("right_before", right_before), v("right_after", right_after),
            v("parent_before", parent_before), v("parent_after", parent_after);
    }
};

/// A touched child comes from its own row (SlotTable at level 0), an untouched one is the same before and after. The
/// parent goes to the row above, the root to the statement: kind 2, level 32, index 0.
///
/// Each touched node is updated exactly once, and each slot below 2^30. By induction from the root: the statement takes
/// one node, (2, 32, 0), so one row is the root. Each row takes at most one left child (kind of a root's child: 1, of
/// all others: 0; level - 1; 2 index) and, unless it is the root or of kind 1, one right child (0, level - 1,
/// 2 index + 1). So at most one row, or slot, with each (level, index) finds a taker, and every row must. Levels and
/// indices are forced by the bus: level 0 is reached 32 steps below the root (p more steps need more rows than there
/// are), the upper two steps lead to the left, and so an index at level l < 31 is an integer below 2^(30 - l): no two
/// nodes share a field element. A row of this table at level 0 or below could only have untouched children, in the end:
/// it changes nothing. An untouched child hides nothing, because its digest is the same on both sides. "Row" is a row
/// of any of the circuit's tables of this text: it has two, so that their heights add up to little more than is needed.
struct MerkleTable {
    static constexpr const char* kName = "merkle";
    template <class T>
    using Row = MerkleRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row for each inner node of timeline.update; the root alone when no slot is touched.
std::vector<MerkleRow<KoalaBear>> merkle_rows(const Timeline& timeline);

}  // namespace quarry::circuits
