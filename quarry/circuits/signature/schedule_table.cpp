#include "quarry/circuits/signature/schedule_table.hpp"

#include "quarry/circuits/signature/scalar_layout.hpp"

namespace quarry::circuits {
namespace {

// acc + q, with the two checks that make the slope the only one.
ExprPoint added(AirBuilder& b, const std::string& name, const ExprPoint& acc, const ExprPoint& q,
                const ExprElement& slope, const std::array<Expr, 2>& check) {
    require_chord(b, name + "_slope", acc, q, slope);
    Expr one = (acc.x[0] - q.x[0]) * check[0];
    one += (acc.x[1] - q.x[1]) * check[1];
    b.equal(name + "_check", one, Expr(1));
    return follow_slope(acc, q.x, slope);
}

// One window; returns the accumulator after it.
ExprPoint run_window(AirBuilder& b, const std::string& name, ExprPoint acc, const WindowCells<Expr>& step) {
    for (std::size_t i = 0; i < kDoublings; ++i) {
        require_tangent(b, indexed(name + ".double_slope", i), acc, step.double_slope[i]);
        acc = follow_slope(acc, acc.x, step.double_slope[i]);
    }
    acc = added(b, name + ".odd", acc, step.odd, step.odd_slope, step.odd_check);
    return added(b, name + ".comb", acc, step.comb, step.comb_slope, step.comb_check);
}

// H in a first row.
ExprPoint start_of(const ScheduleRow<Expr>& row) {
    const auto offset = AffinePoint<SignatureCurve>::offset();
    return {named(row.acc.x + scaled(row.is_first, constant_element(offset.x) - row.acc.x)),
            named(row.acc.y + scaled(row.is_first, constant_element(offset.y) - row.acc.y))};
}

}  // namespace

void ScheduleTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    const Expr goes_on = Expr(1) - row.is_last;
    constexpr int kLastWindow = static_cast<int>(kWindows - kWindowsPerRow);

    // Runs of rows.
    b.boolean("is_last", row.is_last);
    b.zero("is_last.window", row.is_last * (row.window - kLastWindow));
    b.equal("next.is_first", next.is_first, row.is_last);
    b.equal("next.window", next.window, goes_on * (row.window + static_cast<int>(kWindowsPerRow)));
    b.zero("next.id", goes_on * (next.id - row.id));

    // Points.
    ExprPoint acc = start_of(row);
    for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
        acc = run_window(b, indexed("step", i), acc, row.step[i]);
    }
    require_equal(b, "next.acc.x", next.acc.x, acc.x);
    require_equal(b, "next.acc.y", next.acc.y, acc.y);

    // S < n.
    Expr less = row.less;
    for (const auto& step : row.step) less = (step.less + step.eq * less).named();
    b.zero("less", row.is_last * (less - 1));
    b.equal("next.less", next.less, less - row.is_last);  // 0 at the next one's start, as less = 1 here

    for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
        const auto& step = row.step[i];
        const std::string name = indexed("step", i);
        const Expr window = row.window + static_cast<int>(i);
        b.receive(name + ".odd", kOddBus, Expr(1), odd_tuple(row.id, step.e, step.odd));
        b.receive(name + ".comb", kCombBus, Expr(1),
                  comb_tuple(window, step.digit, step.high, step.less, step.eq, step.comb));
    }
    b.send("digits", kDigitsBus, Expr(1),
           digits_tuple(row.id, row.window, {row.step[0].e, row.step[1].e}, {row.step[0].digit, row.step[1].digit},
                        {row.step[0].high, row.step[1].high}));
    b.send("commitment", kCommitmentBus, row.is_last, commitment_tuple(row.id, commitment_coordinates(next.acc)));
}

}  // namespace quarry::circuits
