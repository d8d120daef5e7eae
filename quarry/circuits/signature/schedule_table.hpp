#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "quarry/circuits/signature/comb_table.hpp"
#include "quarry/circuits/signature/curve_cells.hpp"

namespace quarry::circuits {

inline constexpr std::size_t kWindowsPerRow = 2;
inline constexpr std::size_t kDoublings = 4;  ///< a window

/// One window of the row schedule (curve/schnorr.hpp): four doublings, the challenge's odd multiple, the comb's entry.
template <class T>
struct WindowCells {
    std::array<ElementOf<T>, kDoublings> double_slope;
    T e;                ///< digit of E
    PointCells<T> odd;  ///< (2 e - 15) P
    ElementOf<T> odd_slope;
    std::array<T, 2> odd_check;  ///< shows that the first two coordinates of x_acc - x_odd are not both 0
    T digit, high, less, eq;     ///< of S, as in comb_tuple
    PointCells<T> comb;          ///< T_window[digit]
    ElementOf<T> comb_slope;
    std::array<T, 2> comb_check;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kDoublings; ++i) v(indexed("double_slope", i), double_slope[i]);
        v("e", e), v("odd", odd), v("odd_slope", odd_slope), v("odd_check", odd_check), v("digit", digit),
            v("high", high), v("less", less), v("eq", eq), v("comb", comb), v("comb_slope", comb_slope),
            v("comb_check", comb_check);
    }
};

/// Two windows a row, 16 rows a signature:
///
///   acc := H in the first row;  per window  acc := 16 acc + (2 e - 15) P + T_window[digit];  next.acc = acc
///
/// Every row belongs to a signature. `acc` of a first row is the R of the signature before it, cyclically.
template <class T>
struct ScheduleRow {
    T id;      ///< of the signature
    T window;  ///< of the first of the two
    T is_first, is_last;
    T less;  ///< 1 iff the digits of S below `window` are a smaller number than those of n
    PointCells<T> acc;
    std::array<WindowCells<T>, kWindowsPerRow> step;
    template <class V>
    void visit(V&& v) {
        v("id", id), v("window", window), v("is_first", is_first), v("is_last", is_last), v("less", less),
            v("acc", acc);
        for (std::size_t i = 0; i < kWindowsPerRow; ++i) v(indexed("step", i), step[i]);
    }
};

/// Sends the digits that a signature used (kDigitsBus) and its R (kCommitmentBus), once each; checks S < n.
///
/// Runs: the window grows by 2 from row to row except after a last row, and around the whole table it cannot only grow,
/// for twice a power of two is not 0 mod p. After a last row comes window 0 with is_first = 1, and the next last row is
/// where window = 30, 15 rows on. is_first = 1 nowhere else. So the table is whole runs of 16 rows in some rotation,
/// and a run's windows are 0, 2, .., 30, once each, under one id.
///
/// Points: only slopes are cells, each determined by what it multiplies. acc is on the curve throughout: H is, P is
/// (SignatureTable), comb entries are. So a doubling's 2 y is not 0, the order being odd; and x_acc - x_B of an
/// addition has an inverse because it is not 0, by the check cells. The native verifier refuses where they do not
/// exist, so nothing is lost.
///
/// S < n: less' = less_digit + eq_digit less from the lowest digit up, 0 before it, 1 after the last.
struct ScheduleTable {
    static constexpr const char* kName = "schedule";
    template <class T>
    using Row = ScheduleRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// The digits of two windows of signature `id`: 8 values.
template <class T>
std::vector<T> digits_tuple(const T& id, const T& window, const std::array<T, 2>& e, const std::array<T, 2>& digit,
                            const std::array<T, 2>& high) {
    return (TupleOf<T>() << id << window << e[0] << e[1] << digit[0] << high[0] << digit[1] << high[1]).take();
}
/// The point (2 d - 15) P of signature `id`: 24 values.
template <class T>
std::vector<T> odd_tuple(const T& id, const T& d, const PointCells<T>& point) {
    return (TupleOf<T>() << id << d << point.x << point.y).take();
}
/// The first 16 coordinates of R of signature `id`: 17 values.
inline constexpr std::size_t kCommitmentCoordinates = 16;
template <class T>
std::vector<T> commitment_tuple(const T& id, const std::array<T, kCommitmentCoordinates>& r) {
    return (TupleOf<T>() << id << r).take();
}
/// x, then as much of y as is hashed.
template <class T>
std::array<T, kCommitmentCoordinates> commitment_coordinates(const PointCells<T>& r) {
    std::array<T, kCommitmentCoordinates> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i < kCoordinates ? r.x[i] : r.y[i - kCoordinates];
    return out;
}

}  // namespace quarry::circuits
