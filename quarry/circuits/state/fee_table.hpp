#pragma once
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

/// The uncollected fees of a token on one side of the segment.
template <class T>
struct FeeCells {
    std::array<T, 6> sum;
    T exists;   ///< sum != 0
    T inverse;  ///< of the sum of limbs, if exists
    T rank;     ///< tokens before this one whose sum exists
    template <class V>
    void visit(V&& v) {
        v("sum", sum), v("exists", exists), v("inverse", inverse), v("rank", rank);
    }
};

/// One token a row, by rising token: those with fees before the segment, after it, or in between.
template <class T>
struct FeeRow {
    T is_real;
    T is_end;  ///< the row behind the last token
    T token;
    FeeCells<T> before, after;
    T last;  ///< time of the last access
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("is_end", is_end), v("token", token), v("before", before), v("after", after),
            v("last", last);
    }
};

/// Opens and closes the fee memory of each token, and hands the sums that exist to the ledgers, by rank: a ledger is
/// sorted by token, its cells in use come first.
///
/// No token is opened twice. A real row is followed by a real row or by an end row ("run"); where such a row follows
/// one that is not real, the table takes the mark of the start, which ChainTable puts once. So all real rows are one
/// run (a circle of them would be the whole table, without a start). Along the run tokens have 16 bits and rise by 1 to
/// 2^16 as field elements, hence as integers: strictly. Without the check of the token itself a long run could come
/// back to it through p.
///
/// exists is a bit, and tells zero from others: if a limb is not zero, exists is 1, and if all are, it is 0. (The sum
/// of six 16-bit limbs is no multiple of p but 0. Limbs after the segment were checked by the operations that wrote
/// them, limbs before it by those of earlier segments, whose digest binds them.)
struct FeeTable {
    static constexpr const char* kName = "fee";
    template <class T>
    using Row = FeeRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row for each of timeline.fees, and the end row.
std::vector<FeeRow<KoalaBear>> fee_rows(const Timeline& timeline);
/// The ledger's block of a token: sum, token, 0.
template <class T>
DigestOf<T> fee_block(const std::array<T, 6>& sum, const T& token) {
    return {sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], token, T(0)};
}

}  // namespace quarry::circuits
