#include "quarry/circuits/state/slot_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::slot_table_test {
namespace {

using testing::BusSums;
using testing::TestSegment;
using Rows = std::vector<SlotRow<KoalaBear>>;

std::vector<std::string> broken(const Rows& rows) {
    return broken_constraints(make_table<SlotTable>(), testing::columns_of_rows(rows));
}
BusSums sums_of(const Rows& rows) {
    BusSums sums;
    sums.add_table(make_table<SlotTable>(), testing::columns_of_rows(rows));
    return sums;
}

struct Slots : public ::testing::Test {
    Slots() : rows(slot_rows(segment.timeline)) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            (rows[i].before.exists.is_zero() ? created : existing) = i;
        }
    }
    TestSegment segment{2, 60, 9, 40};
    Rows rows;
    std::size_t existing = 0, created = 0;
};

TEST_F(Slots, RowsHold) {
    EXPECT_TRUE(broken(rows).empty());
    ASSERT_FALSE(rows[existing].before.exists.is_zero());
    ASSERT_TRUE(rows[created].before.exists.is_zero());
    ASSERT_FALSE(rows[created].after.exists.is_zero());
}

TEST_F(Slots, NoCellIsFree) {
    const Table table = make_table<SlotTable>();
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_TRUE(testing::free_cells(table, columns, {existing, created}).empty());
    // Padding is on no bus: what it says of a slot and a time is nobody's business.
    const std::string at = " at row " + std::to_string(rows.size());
    EXPECT_EQ(testing::free_cells(table, columns, {rows.size()}), (std::vector<std::string>{"slot" + at, "last" + at}));
}

TEST_F(Slots, EachConstraintIsNeeded) {
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_EQ(testing::never_alone(make_table<SlotTable>(), columns, {existing, created, rows.size()}),
              std::set<std::string>{});
}

// The same digest read in another way: the key is called published, the token 65,536 less. Neither passes.
TEST_F(Slots, TokenAndPublishedAreReadInOneWay) {
    const KoalaBear wrap(1u << 16);
    Rows bad = rows;
    bad[existing].before.published = KoalaBear(1) - rows[existing].before.published;
    const bool was_published = bad[existing].before.published.is_zero();
    bad[existing].before.token += was_published ? wrap : -wrap;
    EXPECT_TRUE(broken(bad).empty());
    EXPECT_EQ(sums_of(bad).on(kHashBus), sums_of(rows).on(kHashBus));  // the tree does not see it
    std::size_t out_of_range = 0;
    for (const auto& key : sums_of(bad).on(kRange16Bus)) out_of_range += key[1] >= 1u << 16 ? 1 : 0;
    EXPECT_EQ(out_of_range, 1U);
    // A bit that is no bit would make the token fit again.
    bad = rows;
    bad[existing].before.published += KoalaBear(2);
    EXPECT_EQ(broken(bad), std::vector<std::string>{"before.published"});
}

// ADVERSARIAL, Tables: "creation over a non-empty leaf": a slot that exists cannot be opened as one that does not.
TEST_F(Slots, AnExistingSlotCannotBeOpenedAsAbsent) {
    Rows bad = rows;
    bad[existing].before = {};
    EXPECT_FALSE(broken(bad).empty());
    bad[existing].digest_before = {};
    EXPECT_TRUE(broken(bad).empty());
    EXPECT_NE(sums_of(bad).on(kNodeBus), sums_of(rows).on(kNodeBus));  // but then it is another tree
}

}  // namespace
}  // namespace quarry::circuits::slot_table_test
