#include "quarry/recursion/tables/public_rows.hpp"

#include <gtest/gtest.h>

#include "quarry/air/testing.hpp"
#include "quarry/recursion/testing.hpp"

namespace quarry::recursion::public_rows_test {
namespace {

using testing::LaidOut;
using Values = std::vector<KoalaBear>;

Values counting(std::size_t count, std::uint64_t first) {
    Values values;
    for (std::size_t i = 0; i < count; ++i) values.emplace_back(first + i);
    return values;
}
/// A row in part and a whole one, every value compared with a constant, the sum of one of them read.
std::vector<Values> two_rows() { return {counting(5, 100), counting(kPublicValues, 200)}; }
CircuitRows read_rows(const std::vector<Values>& rows, const std::vector<Values>& expected) {
    CircuitBuilder b;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const PublicRow row = b.public_row(rows[r]);
        KoalaBear total;
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            b.require_equal(row.values[i].lifted(), ExtensionExpr(ExtField(expected[r][i])));
            total += expected[r][i];
        }
        if (r > 0) b.require_equal(row.sum.lifted(), ExtensionExpr(ExtField(total)));
    }
    return std::move(b).finish();
}

TEST(PublicRows, AreTheStatement) {
    const auto rows = two_rows();
    const LaidOut laid(read_rows(rows, rows));
    EXPECT_EQ(laid.complaint(public_statement(rows)), "");
    for (const auto& change : std::vector<std::function<void(Statement&)>>{
             [](auto& s) { s.tuples[0].tuple[1] += KoalaBear(1); },
             [](auto& s) { s.tuples[0].tuple[kPublicValues] += KoalaBear(1); },  // where no wire is
             [](auto& s) { s.tuples[1].tuple[kPublicValues] += KoalaBear(1); },
             [](auto& s) { std::swap(s.tuples[0].tuple[0], s.tuples[1].tuple[0]); },
             [](auto& s) { s.tuples[1].multiplicity = KoalaBear(2); }, [](auto& s) { s.tuples.pop_back(); },
             [](auto& s) { s.tuples.push_back(s.tuples[1]); }}) {
        Statement changed = public_statement(rows);
        change(changed);
        EXPECT_NE(laid.complaint(changed), "");
    }
}

TEST(PublicRows, OtherValuesHaveNoWitness) {
    const auto rows = two_rows();
    for (const auto& [r, i] : std::vector<std::array<std::size_t, 2>>{{0, 0}, {0, 4}, {1, 0}, {1, 57}}) {
        auto other = rows;
        other[r][i] += KoalaBear(1);
        EXPECT_NE(LaidOut(read_rows(other, rows)).complaint(public_statement(other)), "") << r << ' ' << i;
    }
    // Values that a row has no wires for must be zero.
    auto other = rows;
    other[0].resize(kFirstPublicValues + 3);
    other[0].back() = KoalaBear(1);
    LaidOut laid(read_rows(rows, rows));
    laid.trace.column(laid.circuit->tables().size() - 1, kFirstPublicValues + 2)[0] = KoalaBear(1);
    EXPECT_NE(laid.complaint(public_statement(rows)), "");
}

TEST(PublicTable, OnlyUnusedRowsHaveFreeCells) {
    const auto rows = two_rows();
    const LaidOut laid(read_rows(rows, rows));
    const Table& table = laid.circuit->tables().back();
    ASSERT_EQ(table.name, PublicTable::kName);
    EXPECT_TRUE(table.constraints.empty());
    EXPECT_EQ(quarry::testing::free_cells(table, laid.columns().back(), {0, 1}), std::vector<std::string>{});
}

TEST(PublicTable, IsThereOnlyIfItIsUsed) {
    CircuitBuilder b;
    b.expose(b.constant(Digest{}));
    const auto circuit = make_circuit(fit(std::move(b).finish()));
    for (const Table& table : circuit->tables()) EXPECT_NE(table.name, PublicTable::kName);
}

// A value with no reader or two is our own mistake.
TEST(PublicRowsDeathTest, EachValueIsReadOnce) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto build = [](int readers) {
        CircuitBuilder b;
        const PublicRow row = b.public_row(counting(1, 3));
        for (int i = 0; i < readers; ++i) b.require_equal(row.values[0].lifted(), ExtensionExpr(ExtField(3)));
        return std::move(b).finish();
    };
    EXPECT_EQ(LaidOut(build(1)).complaint(public_statement(std::vector<Values>{counting(1, 3)})), "");
    EXPECT_DEATH((void)build(0), "");
    EXPECT_DEATH((void)build(2), "");
}

}  // namespace
}  // namespace quarry::recursion::public_rows_test
