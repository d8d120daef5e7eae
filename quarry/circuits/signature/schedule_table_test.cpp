#include "quarry/circuits/signature/schedule_table.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "quarry/circuits/signature/testing.hpp"

namespace quarry::circuits::schedule_table_test {
namespace {

using namespace testing;
using Curve = SignatureCurve;
using Field = Curve::Field;
using Point = AffinePoint<Curve>;
using Row = ScheduleRow<KoalaBear>;
using Rows = std::vector<Row>;
using Names = std::vector<std::string>;

constexpr std::size_t kRun = 16;

const Table& table() {
    static const Table t = make_table<ScheduleTable>();
    return t;
}
const SignatureWitness& honest() {
    static const SignatureWitness w = make_signature_witness(signed_inputs(3), 2);
    return w;
}
/// The rows of one signature: a whole table.
Rows one_run() {
    const auto w = make_signature_witness(signed_inputs(1), 0);
    return {w.schedule.data(), w.schedule.data() + w.schedule.size()};
}
Names broken(const Rows& rows) {
    return broken_constraints(table(), columns_of(std::span<const Row>(rows), rows.size()));
}

// Where a lie is told: window `step` of a row, operation 0..3 a doubling, 4 the odd multiple, 5 the comb entry.
struct Lie {
    std::size_t row = ~std::size_t{0}, step = 0, operation = 0, coordinate = 0;
};
constexpr std::size_t kOdd = kDoublings;

class Simulator {
  public:
    explicit Simulator(Rows& rows) : rows_(rows) {}
    Lie lie;
    /// Changes a row that everything before it has been computed for.
    std::function<void(std::size_t, Row&)> touch = [](std::size_t, Row&) {};

    /// Recomputes slopes, checks, accumulators and `less` from points, digits and selectors, by the formulas alone.
    void run() {
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            touch(r, rows_[r]);
            Row& row = rows_[r];
            const Point offset = Point::offset();
            Point acc = to_point(row.acc);
            acc.x += (offset.x - acc.x) * row.is_first;
            acc.y += (offset.y - acc.y) * row.is_first;
            KoalaBear less = row.less;
            for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
                run_window(row.step[i], acc, Lie{r, i, 0, 0});
                less = row.step[i].less + row.step[i].eq * less;
            }
            Row& next = rows_[(r + 1) % rows_.size()];
            next.acc = point_cells(acc);
            next.less = less - row.is_last;
        }
    }

  private:
    Field touched(const Field& x, const Lie& at) const {
        const bool here = at.row == lie.row && at.step == lie.step && at.operation == lie.operation;
        return here ? lie_in(x, lie.coordinate) : x;
    }
    static void advance(Point& p, const Field& other_x, const Field& slope) {
        const Field x = slope * slope - p.x - other_x;
        p.y = slope * (p.x - x) - p.y;
        p.x = x;
    }
    void run_window(WindowCells<KoalaBear>& step, Point& acc, Lie at) {
        for (; at.operation < kDoublings; ++at.operation) {
            Field numerator = KoalaBear(3) * acc.x * acc.x;
            numerator[0] += KoalaBear::from_signed(Curve::kA);
            const Field slope = touched(numerator, at) * (KoalaBear(2) * acc.y).inverse();
            step.double_slope[at.operation] = slope.coefficients();
            advance(acc, acc.x, slope);
        }
        add(acc, step.odd, step.odd_slope, step.odd_check, at);
        ++at.operation;
        add(acc, step.comb, step.comb_slope, step.comb_check, at);
    }
    void add(Point& acc, const PointCells<KoalaBear>& operand, ElementOf<KoalaBear>& slope_cells,
             std::array<KoalaBear, 2>& check, const Lie& at) const {
        const Point q = to_point(operand);
        const Field d = acc.x - q.x;
        const Field slope = touched(acc.y - q.y, at) * d.inverse();
        slope_cells = slope.coefficients();
        check = {d[0].inverse(), KoalaBear()};
        advance(acc, q.x, slope);
    }
    Rows& rows_;
};

TEST(ScheduleTable, HonestRowsHold) {
    EXPECT_EQ(table().max_degree(), 4U);
    EXPECT_EQ(table().num_columns(), 265U);
    const Rows rows{honest().schedule.data(), honest().schedule.data() + honest().schedule.size()};
    EXPECT_EQ(broken(rows), Names());
    // Nothing depends on where a run starts.
    Rows rotated = rows;
    std::rotate(rotated.begin(), rotated.begin() + 5, rotated.end());
    EXPECT_EQ(broken(rotated), Names());
    Rows simulated = one_run();
    Simulator(simulated).run();
    EXPECT_EQ(broken(simulated), Names());
    EXPECT_EQ(cells_of(simulated[9]), cells_of(one_run()[9]));
}

// The native schedule's points, window by window, and what leaves on the buses.
TEST(ScheduleTable, AccumulatorsAreTheNativeOnes) {
    const auto input = signed_inputs(1)[0];
    const auto limbs = limbs_from_bytes<Scalar<Curve>::kLimbs>(input.signature.s);
    const auto native = schedule_accumulators<Curve>(input.key, input.signature.e, limbs);
    ASSERT_TRUE(native.has_value());
    const Rows rows = one_run();
    for (std::size_t r = 0; r < kRun; ++r) {
        EXPECT_EQ(to_point(rows[(r + 1) % kRun].acc), (*native)[2 * r + 1]);
    }
}

TEST(ScheduleTable, EveryCellIsBound) {
    const auto& rows = honest().schedule;
    for (const std::size_t r : {std::size_t{15}, std::size_t{16}, std::size_t{20}}) {
        EXPECT_EQ(free_cells(table(), rows[r - 1], rows[r], rows[r + 1]), Names()) << r;
    }
}

// Each constraint, dropped, lets rows through that nothing else in the table refuses.
class ScheduleRedundancy : public ::testing::Test {
  protected:
    void expect_alone(const Rows& rows, const std::string& name) {
        EXPECT_EQ(broken(rows), Names{name});
        alone_.insert(name);
    }
    /// One run of rows with this window, whose other cells come from an honest run.
    static Rows run_of(const std::vector<int>& windows) {
        const Rows model = one_run();
        Rows rows;
        for (std::size_t r = 0; r < windows.size(); ++r) {
            Row row = model[r % kRun];
            row.window = KoalaBear::from_signed(windows[r]);
            row.is_first = KoalaBear(r == 0 ? 1 : 0);
            row.is_last = KoalaBear(r + 1 == windows.size() ? 1 : 0);
            rows.push_back(row);
        }
        return rows;
    }
    /// S's digits are all below n's: less = 1.
    static void make_less(Row& row) {
        for (auto& step : row.step) {
            step.less = KoalaBear(1);
            step.eq = KoalaBear();
        }
    }
    void points();
    void runs();
    void order();
    std::set<std::string> alone_;
};

void ScheduleRedundancy::points() {
    const auto bracket = [](std::size_t i) { return "[" + std::to_string(i) + "]"; };
    for (std::size_t k = 0; k < kCoordinates; ++k) {
        for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
            for (std::size_t operation = 0; operation < kDoublings + 2; ++operation) {
                Rows rows = one_run();
                Simulator simulator(rows);
                simulator.lie = {3 + k % 2, i, operation, k};
                simulator.run();
                const std::string name = operation < kDoublings ? ".double_slope" + bracket(operation)
                                         : operation == kOdd    ? ".odd_slope"
                                                                : ".comb_slope";
                expect_alone(rows, "step" + bracket(i) + name + bracket(k));
            }
        }
        for (const bool is_y : {false, true}) {
            Rows rows = one_run();
            Simulator simulator(rows);
            simulator.touch = [&](std::size_t r, Row& row) {
                if (r == 7) (is_y ? row.acc.y : row.acc.x)[k] += kLie;
            };
            simulator.run();
            expect_alone(rows, std::string("next.acc.") + (is_y ? "y" : "x") + bracket(k));
        }
    }
    for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
        Rows rows = one_run();
        rows[4].step[i].odd_check = {};
        expect_alone(rows, "step" + bracket(i) + ".odd_check");
        rows = one_run();
        rows[4].step[i].comb_check = {};
        expect_alone(rows, "step" + bracket(i) + ".comb_check");
    }
}

void ScheduleRedundancy::runs() {
    std::vector<int> whole;
    for (int w = 0; w < 32; w += 2) whole.push_back(w);
    // A last row with is_last = 2: the next run starts at -32 from 2 H - R and is 32 rows long.
    Rows rows = run_of(whole);
    std::vector<int> longer;
    for (int w = -32; w < 32; w += 2) longer.push_back(w);
    const Rows second = run_of(longer);
    rows.insert(rows.end(), second.begin(), second.end());
    rows[kRun - 1].is_last = rows[kRun].is_first = KoalaBear(2);
    for (Row& row : rows) make_less(row);
    Simulator(rows).run();
    expect_alone(rows, "is_last");

    // A run of one row.
    rows = run_of({0});
    make_less(rows[0]);
    Simulator(rows).run();
    expect_alone(rows, "is_last.window");
    // A run that jumps to the last window.
    rows = run_of({0, 30});
    for (Row& row : rows) make_less(row);
    Simulator(rows).run();
    expect_alone(rows, "next.window");
    // The accumulator goes back to H in the middle.
    rows = run_of(whole);
    rows[5].is_first = KoalaBear(1);
    Simulator(rows).run();
    expect_alone(rows, "next.is_first");
    // Half of a run for another signature.
    rows = run_of(whole);
    for (std::size_t r = 8; r < kRun; ++r) rows[r].id = KoalaBear(99);
    expect_alone(rows, "next.id");
}

void ScheduleRedundancy::order() {
    const auto greater = [](Row& row) {
        for (auto& step : row.step) step.less = step.eq = KoalaBear();
    };
    Rows rows = one_run();
    for (Row& row : rows) greater(row);
    Simulator(rows).run();
    EXPECT_EQ(rows[0].less, -KoalaBear(1));  // what a run leaves that does not end below n
    expect_alone(rows, "less");

    rows = one_run();
    for (Row& row : rows) greater(row);
    for (auto& step : rows[kRun - 1].step) step.eq = KoalaBear(1);
    Simulator simulator(rows);
    simulator.touch = [](std::size_t r, Row& row) {
        if (r == kRun - 1) row.less = KoalaBear(1);
    };
    simulator.run();
    expect_alone(rows, "next.less");
}

TEST_F(ScheduleRedundancy, NoConstraintIsRedundant) {
    points();
    runs();
    order();
    const auto names = constraint_names(table());
    const std::set<std::string> all(names.begin(), names.end());
    EXPECT_EQ(all.size(), names.size());
    EXPECT_EQ(alone_, all);
}

// ADVERSARIAL, Tables, elliptic-curve rows: "equal points, opposite points, a zero slope denominator must not free
// lambda". The operand is put where the accumulator is; for equal points every slope satisfies the chord.
TEST(ScheduleTable, EqualAndOppositePoints) {
    for (const bool opposite : {false, true}) {
        for (const bool comb : {false, true}) {
            Rows rows = one_run();
            // The accumulator before the addition, from the slopes.
            Point acc = to_point(rows[6].acc);
            const auto follow = [&](const ElementOf<KoalaBear>& cells, const Field& other) {
                const Field slope(cells);
                const Field x = slope * slope - acc.x - other;
                acc = {x, slope * (acc.x - x) - acc.y};
            };
            auto& step = rows[6].step[0];
            for (const auto& slope : step.double_slope) follow(slope, acc.x);
            if (comb) follow(step.odd_slope, Field(step.odd.x));
            (comb ? step.comb : step.odd) = point_cells(opposite ? acc.negated() : acc);
            auto& slope = comb ? step.comb_slope : step.odd_slope;
            auto& check = comb ? step.comb_check : step.odd_check;
            const std::string name = comb ? "step[0].comb" : "step[0].odd";
            for (const std::uint64_t value : {0, 1, 4711}) {
                slope[0] = KoalaBear(value);
                check = {KoalaBear(value), KoalaBear(3 * value)};
                const auto names = broken_between(table(), cells_of(rows[6]), cells_of(rows[7]));
                const auto has = [&](const std::string& x) {
                    return std::find(names.begin(), names.end(), x) != names.end();
                };
                EXPECT_TRUE(has(name + "_check"));
                EXPECT_EQ(has(name + "_slope[0]"), opposite);
            }
        }
    }
}

// The native verifier refuses x_acc - x_B whose first two coordinates are 0, even if others are not; so does the check.
TEST(ScheduleTable, FirstTwoCoordinatesDecide) {
    Rows rows = one_run();
    const auto at = [&](KoalaBear shift0, KoalaBear shift1) {
        Rows r = rows;
        Simulator simulator(r);
        simulator.run();
        auto& step = r[6].step[0];
        Point acc = to_point(r[6].acc);
        for (const auto& cells : step.double_slope) {
            const Field slope(cells);
            const Field x = slope * slope - acc.x - acc.x;
            acc = {x, slope * (acc.x - x) - acc.y};
        }
        Point q = acc;
        q.x[0] -= shift0;
        q.x[1] -= shift1;
        q.x[5] += KoalaBear(1);
        step.odd = point_cells(q);
        step.odd_check = {shift0.inverse(), shift0.is_zero() ? shift1.inverse() : KoalaBear()};
        step.odd_slope = ((acc.y - q.y) * (acc.x - q.x).inverse()).coefficients();
        const auto names = broken_between(table(), cells_of(r[6]), cells_of(r[7]));
        return std::find(names.begin(), names.end(), "step[0].odd_check") != names.end();
    };
    EXPECT_TRUE(at(KoalaBear(), KoalaBear()));
    EXPECT_FALSE(at(KoalaBear(5), KoalaBear()));
    EXPECT_FALSE(at(KoalaBear(), KoalaBear(5)));
}

}  // namespace
}  // namespace quarry::circuits::schedule_table_test
