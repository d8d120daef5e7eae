#pragma once
#include <array>
#include <cstddef>
#include <vector>

#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/signature/curve_cells.hpp"
#include "quarry/iop/logup.hpp"

namespace quarry::circuits {

inline constexpr std::size_t kCombRowEntries = 8;

/// One entry T_i[d] of the verifier's comb (curve/comb.hpp) with what the schedule wants to know of the digit d.
template <class T>
struct CombEntryCells {
    PointCells<T> point;
    T less;  ///< 1 iff d < the order's digit in this window
    T high;  ///< floor(d / cut), scalar_layout.hpp
    T uses;  ///< how often it is looked up
    template <class V>
    void visit(V&& v) {
        v("point", point), v("less", less), v("high", high), v("uses", uses);
    }
};

/// Eight entries of a window a row, 256 rows a window, 32 windows:
///
///   entry[j + 1] = entry[j] + step,    next.entry[0] = entry[7] + step
template <class T>
struct CombMultiplesRow {
    T window;    ///< i
    T base;      ///< d of entry 0
    T is_first;  ///< first row of a window
    T is_last;   ///< last row of a window
    T order;     ///< digit i of the group's order n
    T cut;
    T less_before;  ///< of the entry before entry 0; 1 before the first
    T high_before;  ///< of the entry before entry 0; 0 before the first
    PointCells<T> step;
    std::array<CombEntryCells<T>, kCombRowEntries> entry;
    template <class V>
    void visit(V&& v) {
        v("window", window), v("base", base), v("is_first", is_first), v("is_last", is_last), v("order", order),
            v("cut", cut), v("less_before", less_before), v("high_before", high_before), v("step", step);
        for (std::size_t j = 0; j < kCombRowEntries; ++j) v("entry[" + std::to_string(j) + "]", entry[j]);
    }
};

/// Provides kCombBus: all 32 x 2048 entries.
///
/// Why there is nothing else in it. Runs: base grows by 8 from row to row except after a last row, and around the whole
/// table it cannot only grow, for 8 2^13 is not 0 mod p. After a last row base = 0 and is_first = 1, the next last row
/// is where base = 2040, 255 rows on. So the 8192 rows are 32 runs of 256, in some rotation. Each run takes one tuple
/// of kCombStartBus, and the circuit's constants put exactly 32 there, one a window: each window has one run.
///
/// Points: entry 0 of a run is the constant; entry 1 too, by kCombSecondBus, for it doubles the step in windows 0..30.
/// From there on each entry is determined by the one before, because x differs from the step's: entry d is (d + 1) step
/// (in window 31 minus 2^128 H), and comb_constants() checks that none has the step's x.
///
/// less goes from 1 (before a run) to 0 (checked at its end) and changes only where d = order, so it changes once:
/// there. eq = less_before - less is therefore 1 iff d = order.
///
/// high: low = d - cut high is -1 before a run and cut - 1 at its end. From one entry to the next it grows by 1, or
/// high does and low goes back to 0, which is allowed only where low was cut - 1. An omitted step back leaves low =
/// cut, from where it never comes down again in the p steps that it would need. So high = floor(d / cut).
struct CombMultiplesTable {
    static constexpr const char* kName = "comb";
    static constexpr unsigned kLogHeight = 13;
    template <class T>
    using Row = CombMultiplesRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// 27 values: S's digit in `window` is `digit`, high = floor(digit / cut), less = (digit < n's digit), eq = (digit =
/// n's digit), and T_window[digit] is the point.
template <class T>
std::vector<T> comb_tuple(const T& window, const T& digit, const T& high, const T& less, const T& eq,
                          const PointCells<T>& point) {
    return (TupleOf<T>() << window << digit << high << less << eq << point.x << point.y).take();
}
/// 47 values.
template <class T>
std::vector<T> comb_start_tuple(const T& window, const T& order, const T& cut, const PointCells<T>& first,
                                const PointCells<T>& step) {
    return (TupleOf<T>() << window << order << cut << first.x << first.y << step.x << step.y).take();
}
/// 23 values.
template <class T>
std::vector<T> comb_second_tuple(const T& window, const PointCells<T>& second) {
    return (TupleOf<T>() << window << second.x << second.y).take();
}

/// The 64 tuples on kCombStartBus and kCombSecondBus that every circuit with this table has as constants. Checks that
/// the chord law never degenerates on them.
std::vector<PublicTuple> comb_constants();

/// The table's 8192 rows, without uses. Computed once.
const std::vector<CombMultiplesRow<KoalaBear>>& comb_rows();
/// Where an entry lies.
inline CombEntryCells<KoalaBear>& comb_entry(std::vector<CombMultiplesRow<KoalaBear>>& rows, std::size_t window,
                                             std::size_t digit) {
    return rows[window * 256 + digit / kCombRowEntries].entry[digit % kCombRowEntries];
}

}  // namespace quarry::circuits
