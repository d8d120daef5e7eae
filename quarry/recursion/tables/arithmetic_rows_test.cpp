#include "quarry/recursion/tables/arithmetic_rows.hpp"

#include <gtest/gtest.h>

#include "quarry/recursion/tables/tables_testing.hpp"

namespace quarry::recursion::arithmetic_rows_test {
namespace {

using quarry::testing::free_cells;
using quarry::testing::never_alone;
using testing::world_table;
using testing::WorldTable;
using Names = std::vector<std::string>;

const KoalaBear kOne(1);

/// "column[3] at row 7" -> column, row.
std::pair<std::string, std::size_t> parse(const std::string& cell) {
    return {cell.substr(0, cell.find_first_of("[ ")), std::stoul(cell.substr(cell.rfind(' ') + 1))};
}

class FoldTables : public ::testing::TestWithParam<TableKind> {};
INSTANTIATE_TEST_SUITE_P(All, FoldTables,
                         ::testing::Values(TableKind::base_fold, TableKind::extension_fold, TableKind::polynomial));

class SumTables : public ::testing::TestWithParam<TableKind> {};
INSTANTIATE_TEST_SUITE_P(All, SumTables, ::testing::Values(TableKind::sum, TableKind::form));

TEST_P(SumTables, NoCellIsFree) {
    const WorldTable w = world_table(GetParam());
    EXPECT_EQ(free_cells(*w.table, w.columns, w.rows()), Names{});
}
TEST_P(SumTables, EachConstraintIsNeeded) {
    const WorldTable w = world_table(GetParam());
    EXPECT_EQ(never_alone(*w.table, w.columns, w.rows()), std::set<std::string>{});
}

TEST_P(FoldTables, OnlyUnusedRowsHaveFreeCells) {
    const WorldTable w = world_table(GetParam());
    for (const std::string& cell : free_cells(*w.table, w.columns, w.rows())) {
        const auto [column, row] = parse(cell);
        // Nothing reads a product with zero; sums are constrained on every row.
        const bool folds_several = GetParam() == TableKind::base_fold;
        const std::string reads = !folds_several          ? "reads"
                                  : column.front() == 'x' ? "reads[" + column.substr(1) + "]"
                                                          : "reads[0]";
        EXPECT_FALSE(w.is_set(reads, row)) << cell;
        EXPECT_NE(column.substr(0, 3), "sum") << cell;
        EXPECT_NE(column, "square") << cell;
    }
}
TEST_P(FoldTables, EachConstraintIsNeeded) {
    const WorldTable w = world_table(GetParam());
    EXPECT_EQ(never_alone(*w.table, w.columns, w.rows()), std::set<std::string>{});
}

TEST(PowerTable, OnlyUnusedCellsAreFree) {
    const WorldTable w = world_table(TableKind::power);
    for (const std::string& cell : free_cells(*w.table, w.columns, w.rows())) {
        const auto [column, row] = parse(cell);
        EXPECT_FALSE(w.is_set("step", row)) << cell;
        // The row after the last factor has no factor of its own; unused rows have nothing.
        if (row < w.num_rows) {
            EXPECT_EQ(column, "r") << cell;
        }
    }
}
TEST(PowerTable, EachConstraintIsNeeded) {
    const WorldTable w = world_table(TableKind::power);
    auto left = never_alone(*w.table, w.columns, w.rows());
    // A product that starts with another element and goes on consistently.
    const std::size_t start = w.row_where([&](std::size_t r) { return w.is_set("start", r); });
    for (std::size_t k = 0; k < kDegree; ++k) {
        Columns bad = w.columns;
        ExtField product(k == 0 ? 1 : 0);
        const auto write = [&](std::size_t row) {
            for (std::size_t i = 0; i < kDegree; ++i) bad[w.column("product", i)][row] = product[i];
        };
        product = ExtField(1);
        product[k] += kOne;
        write(start);
        for (std::size_t r = start; w.is_set("step", r); ++r) {
            ExtField factor;
            for (std::size_t i = 0; i < kDegree; ++i) factor[i] = w.columns[w.column("r", i)][r];
            product = product * (ExtField(1) + factor * (w.at("x", r) - kOne));
            write(r + 1);
        }
        const std::string name = indexed("start", k);
        EXPECT_EQ(w.broken(bad), Names{name});
        left.erase(name);
    }
    EXPECT_EQ(left, std::set<std::string>{});
}

// A power of no factors would be a row without a start.
TEST(PowerTable, NeedsAFactor) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    CircuitBuilder b;
    const BaseExpr x = b.base_witness(KoalaBear(3));
    EXPECT_DEATH((void)b.power(x, {}), "");
}

/// A circuit whose polynomials have exactly `num_rows` rows: chains of three, the last one of what is left.
CircuitRows polynomials_of(std::size_t num_rows) {
    CircuitBuilder b;
    const BaseExpr x = b.base_witness(KoalaBear(9));
    std::vector<ExtensionExpr> coefficients;
    for (std::uint64_t i = 0; i < 5 * kBlock; ++i) coefficients.push_back(b.witness(ExtField(KoalaBear(i))));
    while (b.rows().polynomial.rows.size() < num_rows) {
        const std::size_t left = num_rows - b.rows().polynomial.rows.size();
        const auto some = std::span<const ExtensionExpr>(coefficients).first((left < 6 ? left : 3) * kBlock);
        (void)b.evaluate(some, std::span(&x, 1));
    }
    b.expose(b.witness(Digest{kOne}));
    return std::move(b).finish();
}

// "wrap-around": the row after the last one is the first. No chain goes on there, in a full table too; one that did
// would put its sum into the first row.
TEST(Wrap, NothingGoesOnFromTheLastRow) {
    const Names flags{"carries", "leaf", "path", "goes_on", "step"};
    const auto check = [&](const testing::LaidOut& laid) {
        const auto columns = laid.columns();
        for (std::size_t t = 0; t < columns.size(); ++t) {
            const Table& table = laid.circuit->tables()[t];
            for (std::size_t c = table.num_witness(); c < table.num_columns(); ++c) {
                if (std::ranges::find(flags, table.columns[c]) == flags.end()) continue;
                EXPECT_TRUE(columns[t][c].back().is_zero()) << table.name << " " << table.columns[c];
            }
        }
    };
    check(testing::small_world_laid_out());
    const CircuitRows full = polynomials_of(512);
    ASSERT_EQ(full.polynomial.rows.size(), 512U);
    const testing::LaidOut laid(full);
    ASSERT_EQ(laid.shape[static_cast<std::size_t>(TableKind::polynomial)], std::vector<unsigned>{9});
    EXPECT_EQ(laid.complaint(Digest{kOne}), "");
    check(laid);
}

TEST(Wrap, AChainThatWentOnFromTheLastRowWouldReachTheFirst) {
    for (const auto& [kind, sum] :
         {std::pair{TableKind::base_fold, "sum0[2]"}, {TableKind::extension_fold, "sum[2]"}}) {
        const std::string name = kind == TableKind::base_fold ? "sum[0][2]" : "sum[2]";
        const WorldTable w = world_table(kind);
        Columns bad = w.columns;
        // An unused row's sum is zero, whatever goes on from it: only a sum in it would get through.
        bad[w.column("goes_on")].back() = kOne;
        EXPECT_EQ(w.broken(bad), Names{});
        bad[w.column(sum)].back() = kOne;
        EXPECT_EQ(w.broken(bad), Names{name});
        bad[w.column(sum)].front() += kOne;
        const Names broken = w.broken(bad);
        EXPECT_EQ(broken, Names{name});
        // The first row's own sum fits now; the row before the last is what refuses the lie.
        const auto atoms = quarry::testing::atoms_at(*w.table, bad, bad[0].size() - 1);
        for (const Constraint& c : w.table->constraints) {
            EXPECT_TRUE(evaluate_form(c.form, atoms, [](KoalaBear x) { return x; }).is_zero()) << c.name;
        }
    }
}

// Two tables of a kind: a chain that would cross from one to the other is moved to the second as a whole.
TEST(Wrap, ChainsAreNotCutBetweenTables) {
    const CircuitRows rows = polynomials_of(700);
    ASSERT_EQ(rows.polynomial.first[512], 0) << "no chain crosses row 512: the test shows nothing";
    ShapeHeights shape = fit(rows);
    shape[static_cast<std::size_t>(TableKind::polynomial)] = {9, 9};
    testing::LaidOut laid(rows, shape);
    EXPECT_EQ(laid.complaint(Digest{kOne}), "");
    const auto t = static_cast<std::size_t>(TableKind::polynomial);
    const auto columns = laid.columns();
    std::size_t place = 0;  // of the first of the two among all tables
    for (std::size_t k = 0; k < t; ++k) place += shape[k].size();
    const Table& table = laid.circuit->tables()[place];
    const auto flag =
        static_cast<std::size_t>(std::ranges::find(table.columns, std::string("goes_on")) - table.columns.begin());
    EXPECT_TRUE(columns[place][flag].back().is_zero());
    EXPECT_FALSE(columns[place + 1][flag].front().is_zero());
    // Too small for what is moved: no layout.
    const CircuitRows more = polynomials_of(1024);
    ASSERT_EQ(more.polynomial.rows.size(), 1024U);
    ASSERT_EQ(more.polynomial.first[512], 0);
    shape = fit(more);
    shape[t] = {9, 9};
    const auto circuit = make_circuit(shape);
    EXPECT_FALSE(lay_out_preprocessed(*circuit, shape, more).has_value());
}

}  // namespace
}  // namespace quarry::recursion::arithmetic_rows_test
