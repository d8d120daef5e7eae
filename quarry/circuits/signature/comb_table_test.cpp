#include "quarry/circuits/signature/comb_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/signature/scalar_layout.hpp"
#include "quarry/circuits/signature/testing.hpp"
#include "quarry/curve/comb.hpp"

namespace quarry::circuits::comb_table_test {
namespace {

using namespace testing;
using Curve = SignatureCurve;

const Table& table() {
    static const Table t = make_table<CombTable>();
    return t;
}
/// A row as the table's columns have it: the witness, then the preprocessed cells.
std::vector<KoalaBear> all_cells(const CombRow<KoalaBear>& uses, const CombFixed<KoalaBear>& fixed) {
    std::vector<KoalaBear> cells = cells_of(uses);
    const std::vector<KoalaBear> rest = cells_of(fixed);
    cells.insert(cells.end(), rest.begin(), rest.end());
    return cells;
}

TEST(CombTable, HasNoConstraintAndOneHeight) {
    EXPECT_TRUE(table().constraints.empty());
    EXPECT_EQ(table().fixed_log_height, 13U);
    EXPECT_EQ(table().num_witness(), kCombRowEntries);
    EXPECT_TRUE(table().next_columns().empty());
    EXPECT_EQ(comb_rows().size(), 8192U);
}

// All 65,536 entries, against curve's comb and plain integers.
TEST(CombTable, ProvidesEveryEntryOfTheComb) {
    const auto& comb = comb_table<Curve>();
    CombRow<KoalaBear> once;
    once.uses.fill(KoalaBear(1));
    std::size_t n = 0;
    for (const CombFixed<KoalaBear>& fixed : comb_rows()) {
        const auto cells = all_cells(once, fixed);
        const auto tuples = tuples_between(table(), cells, cells);
        ASSERT_EQ(tuples.size(), kCombRowEntries);
        for (const auto& tuple : tuples) {
            const std::size_t window = n / kDigits;
            const std::size_t digit = n % kDigits;
            const std::uint64_t order = scalar_digit(Curve::kOrder, window);
            const std::uint64_t cut = std::uint64_t{1} << cut_bits(window);
            const auto expected = comb_tuple(KoalaBear(window), KoalaBear(digit), KoalaBear(digit / cut),
                                             KoalaBear(digit < order ? 1 : 0), KoalaBear(digit == order ? 1 : 0),
                                             point_cells(comb.entry(window, digit)));
            ASSERT_EQ(tuple[0], KoalaBear(kCombBus));
            ASSERT_EQ(tuple[1], KoalaBear(1));
            ASSERT_EQ(std::vector<KoalaBear>(tuple.begin() + 2, tuple.end()), expected) << window << " " << digit;
            ASSERT_EQ(comb_entry_tuple(window, digit), expected);
            ++n;
        }
    }
    EXPECT_EQ(n, kWindows * kDigits);
}

// "Mutate every cell": another tuple, or one more. `less_before` says whether entry 0 is the order's digit.
TEST(CombTable, EveryCellIsInATuple) {
    CombRow<KoalaBear> once;
    once.uses.fill(KoalaBear(1));
    for (const std::size_t r : {std::size_t{0}, std::size_t{255}, std::size_t{256}, std::size_t{8191}}) {
        const auto cells = all_cells(once, comb_rows()[r]);
        const auto honest = tuples_between(table(), cells, cells);
        for (std::size_t c = 0; c < cells.size(); ++c) {
            auto mutant = cells;
            mutant[c] += KoalaBear(1);
            EXPECT_NE(tuples_between(table(), mutant, mutant), honest) << table().columns[c];
        }
    }
}

}  // namespace
}  // namespace quarry::circuits::comb_table_test
