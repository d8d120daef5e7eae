#include "quarry/circuits/signature/comb_multiples_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/circuits/signature/testing.hpp"

namespace quarry::circuits {
namespace {

using namespace testing;
using Curve = SignatureCurve;
using Field = Curve::Field;
using Point = AffinePoint<Curve>;
using Row = CombMultiplesRow<KoalaBear>;
using Rows = std::vector<Row>;
using Names = std::vector<std::string>;

constexpr std::size_t kRowsPerWindow = 256;

const Table& table() {
    static const Table t = make_table<CombMultiplesTable>();
    return t;
}
/// One window's rows: they close upon themselves, so they are a table but for its height.
Rows window_rows(std::size_t window) {
    const auto first = comb_rows().begin() + static_cast<std::ptrdiff_t>(kRowsPerWindow * window);
    return {first, first + kRowsPerWindow};
}
Names broken(const Rows& rows) {
    return broken_constraints(table(), columns_of(std::span<const Row>(rows), rows.size()));
}
std::string bracket(std::size_t i) { return "[" + std::to_string(i) + "]"; }

TEST(CombMultiplesTable, ConstantRowsHold) {
    EXPECT_EQ(table().max_degree(), 4U);
    EXPECT_EQ(table().fixed_log_height, 13U);
    ASSERT_EQ(comb_rows().size(), 8192U);
    const Rows& rows = comb_rows();
    // Every window's ends and, of its middle, the rows where the comparison with n changes; windows 21 and 31 whole.
    for (std::size_t i = 0; i < kWindows; ++i) {
        for (const std::size_t r : {std::size_t{0}, std::size_t{1}, std::size_t{254}, std::size_t{255},
                                    std::size_t{scalar_digit(Curve::kOrder, i) / 8}}) {
            const std::size_t at = kRowsPerWindow * i + r;
            EXPECT_EQ(broken_between(table(), cells_of(rows[at]), cells_of(rows[(at + 1) % rows.size()])), Names());
        }
    }
    for (const std::size_t i : {21, 31}) EXPECT_EQ(broken(window_rows(i)), Names());
    const auto names = constraint_names(table());
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

// What it provides, against plain integers.
TEST(CombMultiplesTable, ProvidesEveryDigitOnce) {
    for (const std::size_t i : {0, 7, 16, 22, 30, 31}) {
        const std::uint64_t order = scalar_digit(Curve::kOrder, i);
        const std::uint64_t cut = std::uint64_t{1} << cut_bits(i);
        std::uint64_t digit = 0;
        for (Row row : window_rows(i)) {
            for (auto& entry : row.entry) entry.uses = KoalaBear(1);
            for (const auto& tuple : tuples_between(table(), cells_of(row), cells_of(row))) {
                if (tuple[0] != KoalaBear(kCombBus)) continue;
                ASSERT_EQ(tuple.size(), 29U);
                const std::array<std::uint64_t, 5> expected{i, digit, digit / cut, digit < order ? 1U : 0U,
                                                            digit == order ? 1U : 0U};
                for (std::size_t k = 0; k < expected.size(); ++k) ASSERT_EQ(tuple[2 + k], KoalaBear(expected[k]));
                const Point point = comb_table<Curve>().entry(i, digit);
                for (std::size_t k = 0; k < kCoordinates; ++k) {
                    ASSERT_EQ(tuple[7 + k], point.x[k]);
                    ASSERT_EQ(tuple[18 + k], point.y[k]);
                }
                ++digit;
            }
        }
        EXPECT_EQ(digit, kDigits);
    }
}

// The table takes the circuit's constants, each once.
TEST(CombMultiplesTable, TakesTheConstants) {
    std::multiset<std::vector<std::uint32_t>> given, taken;
    const auto key = [](std::span<const KoalaBear> tuple) {
        std::vector<std::uint32_t> r;
        for (const KoalaBear x : tuple) r.push_back(x.canonical());
        return r;
    };
    for (const auto& constant : comb_constants()) {
        std::vector<KoalaBear> tuple{KoalaBear(constant.bus), -constant.multiplicity};
        tuple.insert(tuple.end(), constant.tuple.begin(), constant.tuple.end());
        given.insert(key(tuple));
    }
    for (std::size_t r = 0; r < comb_rows().size(); r += kRowsPerWindow / 2) {  // the rows between send nothing
        const auto cells = cells_of(comb_rows()[r]);
        for (const auto& tuple : tuples_between(table(), cells, cells)) taken.insert(key(tuple));
    }
    EXPECT_EQ(given.size(), 2 * kWindows);
    EXPECT_EQ(given, taken);
}

TEST(CombMultiplesTable, EveryCellIsBound) {
    for (const std::size_t r : {std::size_t{255}, std::size_t{256}, std::size_t{300}}) {
        const Rows& rows = comb_rows();
        // uses is what a prover may choose; each row is a true fact. With uses = 0 mutation puts a tuple on the bus.
        EXPECT_EQ(free_cells(table(), rows[r - 1], rows[r], rows[r + 1]), Names()) << r;
    }
}

// Each constraint, dropped, lets rows through that nothing else in the table refuses.
class CombRedundancy : public ::testing::Test {
  protected:
    void expect_alone(const Names& names, const std::string& name) {
        EXPECT_EQ(names, Names{name});
        alone_.insert(name);
    }
    void points();
    void runs();
    void digits();
    std::set<std::string> alone_;
};

// Two rows in the middle of a window, the entries from `first` on recomputed with a lie in one coordinate of one
// equation. Behind them a window goes on by the same formulas, and its end asks nothing of its points.
std::array<Row, 2> lying_points(std::size_t first, std::size_t coordinate, bool in_y) {
    std::array<Row, 2> rows{comb_rows()[300], comb_rows()[301]};
    const auto entry = [&](std::size_t j) -> auto& { return rows[j / 8].entry[j % 8].point; };
    const Point step = to_point(rows[0].step);
    for (std::size_t j = first; j < 16; ++j) {
        const Point p = to_point(entry(j - 1));
        const Field inverse = (p.x - step.x).inverse();
        const Field dy = p.y - step.y;
        const bool lies = j == first;
        Point q;
        q.x = (lies && !in_y ? lie_in(dy * dy, coordinate) : dy * dy) * inverse * inverse - p.x - step.x;
        q.y = (lies && in_y ? lie_in(dy * (p.x - q.x), coordinate) : dy * (p.x - q.x)) * inverse - p.y;
        entry(j) = point_cells(q);
    }
    return rows;
}

void CombRedundancy::points() {
    for (std::size_t first = 1; first <= 8; ++first) {
        for (std::size_t k = 0; k < kCoordinates; ++k) {
            for (const bool in_y : {false, true}) {
                const auto rows = lying_points(first, k, in_y);
                const std::string name = first < 8 ? "entry" + bracket(first) : "next.entry";
                expect_alone(broken_between(table(), cells_of(rows[0]), cells_of(rows[1])),
                             name + (in_y ? ".y" : ".x") + bracket(k));
            }
        }
    }
    // Another step from the middle of a window on.
    for (std::size_t k = 0; k < kCoordinates; ++k) {
        for (const bool is_y : {false, true}) {
            std::array<Row, 2> rows{comb_rows()[300], comb_rows()[301]};
            (is_y ? rows[1].step.y : rows[1].step.x)[k] += kLie;
            expect_alone(broken_between(table(), cells_of(rows[0]), cells_of(rows[1])),
                         std::string("next.step.") + (is_y ? "y" : "x") + bracket(k));
        }
    }
}

void CombRedundancy::runs() {
    const Rows& rows = comb_rows();
    const auto between = [&](const Row& row, const Row& next) {
        return broken_between(table(), cells_of(row), cells_of(next));
    };
    const Row& last = rows[255];
    const Row& first = rows[256];
    // is_last = 2: the next row is what its equations ask for (base - 2048, less_before 2, high_before negated), its
    // points go on by the formula.
    Row row = last;
    Row next = first;
    row.is_last = next.is_first = KoalaBear(2);
    next.base = -KoalaBear(2048);
    next.less_before = KoalaBear(2);
    next.high_before = -row.entry[7].high;
    next.window = row.window;
    next.order = row.order;
    next.cut = row.cut;
    next.step = row.step;
    const auto sum = add<Curve>(to_point(row.entry[7].point), JacobianPoint<Curve>(to_point(row.step))).affine();
    next.entry[0].point = point_cells(sum.value());
    expect_alone(between(row, next), "is_last");
    // A window that ends too early: n's digit lies below, high is complete.
    row = rows[254];
    next = first;
    row.is_last = KoalaBear(1);
    row.cut = KoalaBear(2040);  // a constant of another window could be anything
    for (auto& entry : row.entry) entry.high = KoalaBear();
    row.high_before = KoalaBear();
    expect_alone(between(row, next), "is_last.base");
    // A window that starts unannounced; one that starts and takes no constants.
    next = rows[301];
    next.is_first = KoalaBear(1);
    expect_alone(between(rows[300], next), "next.is_first");
    next = rows[301];
    next.base += KoalaBear(8);
    expect_alone(between(rows[300], next), "next.base");
    next = rows[301];
    next.window += KoalaBear(1);
    expect_alone(between(rows[300], next), "next.window");
    next = rows[301];
    next.order += KoalaBear(1);
    expect_alone(between(rows[300], next), "next.order");
    next = rows[301];
    next.cut += KoalaBear(1);
    expect_alone(between(rows[300], next), "next.cut");
}

void CombRedundancy::digits() {
    const Rows& rows = comb_rows();
    const auto between = [&](const Row& row, const Row& next) {
        return broken_between(table(), cells_of(row), cells_of(next));
    };
    Row next = rows[301];
    next.less_before += KoalaBear(1);
    expect_alone(between(rows[300], next), "next.less_before");
    next = rows[301];
    next.high_before += KoalaBear(1);
    expect_alone(between(rows[300], next), "next.high_before");
    // "Below n" to the end of a window.
    Row row = rows[255];
    next = rows[256];
    row.less_before = KoalaBear(1);
    for (auto& entry : row.entry) entry.less = KoalaBear(1);
    next.less_before += KoalaBear(1);
    expect_alone(between(row, next), "end.less");
    // A wrap that was left out.
    row = rows[255];
    row.high_before -= KoalaBear(1);
    for (auto& entry : row.entry) entry.high -= KoalaBear(1);
    expect_alone(between(row, rows[256]), "end.low");

    for (std::size_t j = 0; j < kCombRowEntries; ++j) {
        // n's digit is taken to be somewhere else.
        row = rows[300];
        next = rows[301];
        for (std::size_t i = j; i < kCombRowEntries; ++i) row.entry[i].less += KoalaBear(1);
        next.less_before += KoalaBear(1);
        expect_alone(between(row, next), "entry" + bracket(j) + ".eq");
        // A wrap that came too early.
        row = rows[301];  // digits 360 .. 367 of a window with cut 32
        next = rows[302];
        for (std::size_t i = j; i < kCombRowEntries; ++i) row.entry[i].high += KoalaBear(1);
        next.high_before += KoalaBear(1);
        expect_alone(between(row, next), "entry" + bracket(j) + ".wrap");
        // A double step at a wrap: only where low = cut - 1 before it, so that the wrap itself is in order.
        row = rows[300];
        next = rows[301];
        row.high_before = KoalaBear();
        row.cut = row.base + KoalaBear(j);  // the digit is a multiple of the cut
        for (std::size_t i = 0; i < kCombRowEntries; ++i) row.entry[i].high = KoalaBear(i < j ? 0 : 2);
        next.cut = row.cut;
        next.high_before = KoalaBear(2);
        expect_alone(between(row, next), "entry" + bracket(j) + ".step");
    }
}

TEST_F(CombRedundancy, NoConstraintIsRedundant) {
    points();
    runs();
    digits();
    const auto names = constraint_names(table());
    EXPECT_EQ(alone_, std::set<std::string>(names.begin(), names.end()));
}

}  // namespace
}  // namespace quarry::circuits
