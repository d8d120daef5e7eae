#pragma once
#include <vector>

#include "quarry/air/table.hpp"

namespace quarry::circuits {

/// One 16-bit number a row, with its upper byte: v < 2^16, high = v >> 8, below = (v < 0x7f00).
template <class T>
struct RangeRow {
    T v, high, below;
    T is_last;  ///< 1 where v = 65535
    T range16_uses, split_uses, high15_uses;
    template <class V>
    void visit(V&& visitor) {
        visitor("v", v), visitor("high", high), visitor("below", below), visitor("is_last", is_last),
            visitor("range16_uses", range16_uses), visitor("split_uses", split_uses),
            visitor("high15_uses", high15_uses);
    }
};

/// Provides (v), (v, v >> 8), and (v) for v < 0x7f00. The uses are free: each row is a true fact.
///
/// Why it can hold no other rows than v = 0 .. 65535, whatever a prover fills in. Going around the 2^16 rows, v rises
/// by 1 except behind is_last; were is_last nowhere 1, the rises would add up to 2^16, not to 0. So v starts again at 0
/// somewhere, and from there it takes all 2^16 rows to reach 65535, where alone is_last may be 1. On the way from 0 to
/// 65535, high starts at 0, ends at 255, and only ever rises by 1, where v - 256 high = 255, that is, where v - 256
/// high goes back to 0. Had it missed a rise, v - 256 high would be above 255 from then on, and high could never rise
/// again. below starts at 1, ends at 0, and changes nowhere but behind 0x7eff.
struct RangeTable {
    static constexpr const char* kName = "range";
    static constexpr unsigned kLogHeight = 16;
    template <class T>
    using Row = RangeRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// All rows, without uses.
std::vector<RangeRow<KoalaBear>> range_rows();

}  // namespace quarry::circuits
