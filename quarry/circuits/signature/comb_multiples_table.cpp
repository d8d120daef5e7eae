#include "quarry/circuits/signature/comb_multiples_table.hpp"

#include <string>

#include "quarry/base/check.hpp"
#include "quarry/circuits/signature/scalar_layout.hpp"
#include "quarry/curve/comb.hpp"

namespace quarry::circuits {
namespace {

constexpr std::size_t kRowsPerWindow = kDigits / kCombRowEntries;
static_assert(kWindows * kRowsPerWindow == std::size_t{1} << CombMultiplesTable::kLogHeight);

// r = p + q by the chord law without the slope: with d = x_p - x_q,
//   (x_r + x_p + x_q) d^2 = (y_p - y_q)^2,    (y_r + y_p) d = (y_p - y_q)(x_p - x_r).
void require_point_sum(AirBuilder& b, const std::string& name, const Expr& m, const ExprPoint& p, const ExprPoint& q,
                       const ExprPoint& r) {
    const ExprElement dx = p.x - q.x;
    const ExprElement dy = p.y - q.y;
    require_equal(b, name + ".x", multiply(r.x + p.x + q.x, named(square(dx))), square(dy), m);
    require_equal(b, name + ".y", multiply(r.y + p.y, dx), multiply(dy, p.x - r.x), m);
}

// From the entry before (digit `digit` - 1) to the next one.
struct Digit {
    Expr digit, less, high;
};
void require_next_digit(AirBuilder& b, const std::string& name, const Digit& before, const Digit& entry,
                        const Expr& order, const Expr& cut) {
    b.zero(name + ".eq", (before.less - entry.less) * (entry.digit - order));
    const Expr step = entry.high - before.high;
    b.boolean(name + ".step", step);
    b.zero(name + ".wrap", step * (before.digit + 1 - cut * (before.high + 1)));
}

}  // namespace

void CombMultiplesTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    const auto& last = row.entry[kCombRowEntries - 1];
    const Expr goes_on = Expr(1) - row.is_last;

    // Runs of rows.
    b.boolean("is_last", row.is_last);
    b.zero("is_last.base", row.is_last * (row.base - static_cast<int>(kDigits - kCombRowEntries)));
    b.equal("next.is_first", next.is_first, row.is_last);
    b.equal("next.base", next.base, goes_on * (row.base + static_cast<int>(kCombRowEntries)));
    b.zero("next.window", goes_on * (next.window - row.window));
    b.zero("next.order", goes_on * (next.order - row.order));
    b.zero("next.cut", goes_on * (next.cut - row.cut));
    require_equal(b, "next.step.x", next.step.x, row.step.x, goes_on);
    require_equal(b, "next.step.y", next.step.y, row.step.y, goes_on);
    b.receive("start", kCombStartBus, row.is_first,
              comb_start_tuple(row.window, row.order, row.cut, row.entry[0].point, row.step));
    b.receive("second", kCombSecondBus, row.is_first, comb_second_tuple(row.window, row.entry[1].point));

    // Points.
    require_point_sum(b, "entry[1]", Expr(1) - row.is_first, row.entry[0].point, row.step, row.entry[1].point);
    for (std::size_t j = 2; j < kCombRowEntries; ++j) {
        require_point_sum(b, "entry[" + std::to_string(j) + "]", Expr(1), row.entry[j - 1].point, row.step,
                          row.entry[j].point);
    }
    require_point_sum(b, "next.entry", goes_on, last.point, row.step, next.entry[0].point);

    // Digits.
    b.equal("next.less_before", next.less_before, last.less + row.is_last);  // 1 after the end, where last.less = 0
    b.equal("next.high_before", next.high_before, goes_on * last.high);
    b.zero("end.less", row.is_last * last.less);
    b.zero("end.low", row.is_last * (row.base + static_cast<int>(kCombRowEntries) - row.cut * (last.high + 1)));
    Digit before{row.base - 1, row.less_before, row.high_before};
    for (std::size_t j = 0; j < kCombRowEntries; ++j) {
        const auto& entry = row.entry[j];
        const Digit digit{row.base + static_cast<int>(j), entry.less, entry.high};
        const std::string name = "entry[" + std::to_string(j) + "]";
        require_next_digit(b, name, before, digit, row.order, row.cut);
        b.send(name, kCombBus, entry.uses,
               comb_tuple(row.window, digit.digit, entry.high, entry.less, before.less - entry.less, entry.point));
        before = digit;
    }
}

namespace {

using Point = AffinePoint<SignatureCurve>;

// The step of a window: T_i[1] - T_i[0] for window 31, T_i[0] for the others, where it is the same point.
Point step_of(std::size_t window) {
    const auto& comb = comb_table<SignatureCurve>();
    const Point first = comb.entry(window, 0);
    if (window != kWindows - 1) return first;
    const auto difference =
        add<SignatureCurve>(comb.entry(window, 1), JacobianPoint<SignatureCurve>(first.negated())).affine();
    QUARRY_CHECK(difference.has_value());
    return *difference;
}

CombMultiplesRow<KoalaBear> comb_row(std::size_t window, std::size_t base, const Point& step) {
    const auto& comb = comb_table<SignatureCurve>();
    const std::uint64_t order = scalar_digit(SignatureCurve::kOrder, window);
    const unsigned k = cut_bits(window);
    CombMultiplesRow<KoalaBear> row{};
    row.window = KoalaBear(window);
    row.base = KoalaBear(base);
    row.is_first = KoalaBear(base == 0 ? 1 : 0);
    row.is_last = KoalaBear(base + kCombRowEntries == kDigits ? 1 : 0);
    row.order = KoalaBear(order);
    row.cut = KoalaBear(std::uint64_t{1} << k);
    row.less_before = KoalaBear(base <= order ? 1 : 0);
    row.high_before = KoalaBear(base == 0 ? 0 : (base - 1) >> k);
    row.step = point_cells(step);
    for (std::size_t j = 0; j < kCombRowEntries; ++j) {
        const std::size_t digit = base + j;
        row.entry[j] = {point_cells(comb.entry(window, digit)), KoalaBear(digit < order ? 1 : 0), KoalaBear(digit >> k),
                        KoalaBear()};
    }
    return row;
}

std::vector<CombMultiplesRow<KoalaBear>> make_comb_rows() {
    (void)comb_table<SignatureCurve>();
    std::vector<CombMultiplesRow<KoalaBear>> rows(kWindows * kRowsPerWindow);
    for (std::size_t i = 0; i < kWindows; ++i) {
        const Point step = step_of(i);
        for (std::size_t r = 0; r < kRowsPerWindow; ++r) {
            rows[i * kRowsPerWindow + r] = comb_row(i, kCombRowEntries * r, step);
        }
    }
    return rows;
}

}  // namespace

std::vector<PublicTuple> comb_constants() {
    const auto& comb = comb_table<SignatureCurve>();
    std::vector<PublicTuple> tuples;
    for (std::size_t i = 0; i < kWindows; ++i) {
        const Point step = step_of(i);
        for (std::size_t d = 1; d + 1 < kDigits; ++d) QUARRY_CHECK(comb.entry(i, d).x != step.x);
        const KoalaBear window(i);
        tuples.push_back({kCombStartBus, KoalaBear(1),
                          comb_start_tuple(window, KoalaBear(scalar_digit(SignatureCurve::kOrder, i)),
                                           KoalaBear(std::uint64_t{1} << cut_bits(i)), point_cells(comb.entry(i, 0)),
                                           point_cells(step))});
        tuples.push_back({kCombSecondBus, KoalaBear(1), comb_second_tuple(window, point_cells(comb.entry(i, 1)))});
    }
    return tuples;
}

const std::vector<CombMultiplesRow<KoalaBear>>& comb_rows() {
    static const std::vector<CombMultiplesRow<KoalaBear>> rows = make_comb_rows();
    return rows;
}

}  // namespace quarry::circuits
