#pragma once
#include <array>
#include <cstdint>
#include <span>
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
/// Why it can hold no other rows than v = 0 .. 65535, whatever a prover fills in. Where is_last is not 0, high is 255
/// and 0 in the next row, which no other row may do, so is_last is 1 ("high.step") and v starts again at 0. Elsewhere v
/// rises by 1; it cannot do so all around the 2^16 rows. From 0 on, high starts at 0, ends at 255, and only ever rises
/// by 1, where v - 256 high = 255, that is, where v - 256 high goes back to 0. Had it missed a rise, v - 256 high would
/// be above 255 from then on, and high could never rise again. So high is v >> 8 up to v = 65280 at least: there is
/// room for one such stretch, it takes all rows, and ends at 65535. below starts at 1, ends at 0, and changes nowhere
/// but behind 0x7eff.
struct RangeTable {
    static constexpr const char* kName = "range";
    static constexpr unsigned kLogHeight = 16;
    template <class T>
    using Row = RangeRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// All rows, without uses.
std::vector<RangeRow<KoalaBear>> range_rows();

/// Numbers that a row of the preprocessed table provides: v + 2^13 k, v the row. Eight a row, because a column that is
/// 2^16 high would keep small segments from small stacks, and v and v >> 8 of the other seven cost no cell.
inline constexpr std::size_t kRangeRowNumbers = 8;
inline constexpr std::size_t kHigh15RowNumbers = 4;  ///< of them, those that can be below 0x7f00

/// The same facts as preprocessed columns, for circuits that have a key anyway.
template <class T>
struct RangeFixed {
    T v;      ///< below 2^13
    T high;   ///< v >> 8
    T below;  ///< v + 0x6000 where that is below 0x7f00, 0 elsewhere: a fact for kHigh15Bus in every row
    template <class V>
    void visit(V&& visitor) {
        visitor("v", v), visitor("high", high), visitor("below", below);
    }
};
/// By k.
template <class T>
struct RangeUses {
    std::array<T, kRangeRowNumbers> range16_uses, split_uses;
    std::array<T, kHigh15RowNumbers> high15_uses;
    template <class V>
    void visit(V&& visitor) {
        visitor("range16_uses", range16_uses), visitor("split_uses", split_uses), visitor("high15_uses", high15_uses);
    }
};
/// Provides what RangeTable does. The uses are free, there is no constraint.
struct FixedRangeTable {
    static constexpr const char* kName = "range";
    static constexpr unsigned kLogHeight = 13;
    template <class T>
    using Fixed = RangeFixed<T>;
    template <class T>
    using Row = RangeUses<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};
/// All preprocessed rows.
std::vector<RangeFixed<KoalaBear>> fixed_range_rows();
/// Rows that count uses. [v]: of each 16-bit number; `high15`: of those below 0x7f00.
std::vector<RangeUses<KoalaBear>> range_uses_rows(std::span<const std::uint32_t> range16,
                                                  std::span<const std::uint32_t> split,
                                                  std::span<const std::uint32_t> high15);

}  // namespace quarry::circuits
