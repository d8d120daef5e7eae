#include "quarry/circuits/state/fee_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::fee_table_test {
namespace {

using testing::BusSums;
using Row = FeeRow<KoalaBear>;
using Rows = std::vector<Row>;
const KoalaBear kOne(1);

std::vector<std::string> broken(const Rows& rows) {
    return broken_constraints(make_table<FeeTable>(), testing::columns_of_rows(rows));
}
BusSums sums_of(const Rows& rows) {
    BusSums sums;
    sums.add_table(make_table<FeeTable>(), testing::columns_of_rows(rows));
    return sums;
}
std::size_t out_of_range(const Rows& rows) {
    std::size_t n = 0;
    for (const auto& key : sums_of(rows).on(kRange16Bus)) n += key[1] >= 1u << 16 ? 1 : 0;
    return n;
}

// Fees before only, on both sides, after only, and in between only; the least and the greatest token.
Timeline make_fees() {
    Timeline timeline;
    timeline.fees = {{0, rollup::Amount(5), rollup::Amount(), 9},
                     {7, rollup::Amount(70'000), rollup::Amount(70'001), 4},
                     {8, rollup::Amount(), *rollup::Amount::from_wide(rollup::Amount::Wide{1} << 80), 12},
                     {300, rollup::Amount(), rollup::Amount(), 13},
                     {65535, rollup::Amount(1), rollup::Amount::max(), 20}};
    return timeline;
}

struct Fees : public ::testing::Test {
    Rows rows = fee_rows(make_fees());
};

TEST_F(Fees, BlocksAreThoseOfTheLedgers) {
    EXPECT_TRUE(broken(rows).empty());
    EXPECT_EQ(out_of_range(rows), 0U);
    for (const std::uint32_t side : {0u, 1u}) {
        rollup::FeeLedger ledger;
        for (const FeeHistory& f : make_fees().fees) ledger.add(f.token, side == 0 ? f.before : f.after);
        BusSums sums = sums_of(rows);
        for (std::uint32_t i = 0; i < 3; ++i) {
            const auto& cell = ledger.cells()[i];
            const auto block = fee_block(amount_limbs(cell.sum), KoalaBear(cell.token));
            sums.add(kFeeBlockBus, fee_block_tuple(KoalaBear(side), KoalaBear(i), block), -kOne);
        }
        EXPECT_EQ(sums.on(kFeeBlockBus).size(), 4U);  // the other side and the start
    }
}

TEST_F(Fees, NoCellIsFree) {
    const Table table = make_table<FeeTable>();
    const Columns columns = testing::columns_of_rows(rows);
    // Of no sum there is no inverse: any will do. A rank without a sum counts on, and is held by the next.
    EXPECT_EQ(testing::free_cells(table, columns, {0, 1, 2, 3, 4}),
              (std::vector<std::string>{"after.inverse at row 0", "before.inverse at row 2", "before.inverse at row 3",
                                        "after.inverse at row 3"}));
    for (const std::string& cell : testing::free_cells(table, columns, {5, 6})) {
        EXPECT_FALSE(cell.starts_with("is_") || cell.find("exists") != std::string::npos || cell.starts_with("sum"));
    }
}

TEST_F(Fees, EachConstraintIsNeeded) {
    const Table table = make_table<FeeTable>();
    auto left = testing::never_alone(table, testing::columns_of_rows(rows), {0, 1, 2, 3, 5, 6}, {0, 3, 6});
    const auto expect_alone = [&](const std::string& name, const Rows& bad) {
        EXPECT_EQ(broken(bad), std::vector<std::string>{name});
        left.erase(name);
    };
    // A block of the ledger whose token is never opened.
    for (const auto side : {&Row::before, &Row::after}) {
        Rows bad = rows;
        bad.resize(rows.size() + 1);
        (bad.back().*side).sum[0] = (bad.back().*side).exists = (bad.back().*side).inverse = kOne;
        expect_alone(side == &Row::before ? "before.real" : "after.real", bad);
    }
    // Every row opens its token twice.
    Row twice;
    twice.is_real = KoalaBear(2);
    expect_alone("is_real", Rows(512, twice));
    EXPECT_EQ(left, std::set<std::string>{});
}

// ADVERSARIAL, Tables: a memory address opened twice.
TEST_F(Fees, ATokenIsOpenedOnce) {
    const auto rerank = [](Rows& bad) {
        KoalaBear before, after;
        for (Row& row : bad) {
            row.before.rank = before;
            row.after.rank = after;
            before += row.before.exists;
            after += row.after.exists;
        }
    };
    // Next to itself, behind others, behind the end.
    Rows bad = rows;
    bad.insert(bad.begin() + 3, rows[3]);
    rerank(bad);
    EXPECT_TRUE(broken(bad).empty());
    EXPECT_EQ(out_of_range(bad), 1U);
    bad = rows;
    bad.insert(bad.begin() + 4, rows[1]);
    rerank(bad);
    EXPECT_TRUE(broken(bad).empty());
    EXPECT_EQ(out_of_range(bad), 1U);
    // A run of its own starts twice, and there is one mark.
    bad = rows;
    Row second = rows[3];
    second.before.rank = second.after.rank = KoalaBear();
    Row end;
    end.is_end = kOne;
    end.token = second.token + kOne;
    bad.insert(bad.end(), {Row{}, second, end});
    EXPECT_TRUE(broken(bad).empty());
    EXPECT_EQ(out_of_range(bad), 0U);
    const auto start = fee_block_tuple(KoalaBear(2), KoalaBear(), Digest{});
    BusSums sums = sums_of(rows);
    sums.add(kFeeBlockBus, start, kOne);
    const std::size_t blocks = sums.on(kFeeBlockBus).size();
    sums = sums_of(bad);
    sums.add(kFeeBlockBus, start, kOne);
    EXPECT_EQ(sums.on(kFeeBlockBus).size(), blocks + 1);
    // Around through p, by rows that open tokens which do not exist.
    bad = rows;
    bad[4].token = KoalaBear(1u << 16);
    EXPECT_GT(out_of_range(bad), 0U);
}

// 1 - 1 is no way to have nothing: limbs that cancel are not zero.
TEST_F(Fees, LimbsThatCancelAreNoZero) {
    rows[3].before.sum[0] = kOne;
    rows[3].before.sum[1] = -kOne;
    EXPECT_EQ(broken(rows), (std::vector<std::string>{"before.none[0]", "before.none[1]"}));
}

TEST(FeeTable, WithoutFeesTheEndIsTheStart) {
    const Rows rows = fee_rows(Timeline{});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_TRUE(broken(rows).empty());
    BusSums sums = sums_of(rows);
    sums.add(kFeeBlockBus, fee_block_tuple(KoalaBear(2), KoalaBear(), Digest{}), kOne);
    EXPECT_TRUE(sums.sums().empty());
}

}  // namespace
}  // namespace quarry::circuits::fee_table_test
