#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/signature/curve_cells.hpp"

namespace quarry::circuits {

inline constexpr std::size_t kCombRowEntries = 8;

/// One entry T_i[d] of the verifier's comb (curve/comb.hpp) with what the schedule wants to know of the digit d.
template <class T>
struct CombEntryCells {
    PointCells<T> point;
    T less;  ///< 1 iff d < the order's digit in this window
    T high;  ///< floor(d / cut), scalar_layout.hpp
    template <class V>
    void visit(V&& v) {
        v("point", point), v("less", less), v("high", high);
    }
};

/// Eight entries of a window a row, 256 rows a window, 32 windows: preprocessed, so bound by the key's root.
template <class T>
struct CombFixed {
    T window;       ///< i
    T base;         ///< d of entry 0
    T less_before;  ///< `less` of the entry before entry 0; 1 before the first
    std::array<CombEntryCells<T>, kCombRowEntries> entry;
    template <class V>
    void visit(V&& v) {
        v("window", window), v("base", base), v("less_before", less_before);
        for (std::size_t j = 0; j < kCombRowEntries; ++j) v(indexed("entry", j), entry[j]);
    }
};

/// How often each entry is looked up: free, since each entry is a true fact.
template <class T>
struct CombRow {
    std::array<T, kCombRowEntries> uses;
    template <class V>
    void visit(V&& v) {
        v("uses", uses);
    }
};

/// Provides kCombBus: all 32 x 2048 entries. No constraint: `less` falls from 1 to 0 exactly at the order's digit, so
/// that less_before - less of an entry says whether d is that digit.
struct CombTable {
    static constexpr const char* kName = "comb";
    static constexpr unsigned kLogHeight = 13;
    template <class T>
    using Fixed = CombFixed<T>;
    template <class T>
    using Row = CombRow<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// 27 values: S's digit in `window` is `digit`, high = floor(digit / cut), less = (digit < n's digit), eq = (digit =
/// n's digit), and T_window[digit] is the point.
template <class T>
std::vector<T> comb_tuple(const T& window, const T& digit, const T& high, const T& less, const T& eq,
                          const PointCells<T>& point) {
    return (TupleOf<T>() << window << digit << high << less << eq << point.x << point.y).take();
}

/// The table's 8192 preprocessed rows, from curve's comb. Computed once.
const std::vector<CombFixed<KoalaBear>>& comb_rows();
/// The tuple of an entry as the rows have it. Preconditions: window < 32, digit < 2048.
std::vector<KoalaBear> comb_entry_tuple(std::size_t window, std::size_t digit);
/// Where an entry is counted.
inline KoalaBear& comb_uses(std::vector<CombRow<KoalaBear>>& rows, std::size_t window, std::size_t digit) {
    return rows[window * 256 + digit / kCombRowEntries].uses[digit % kCombRowEntries];
}

}  // namespace quarry::circuits
