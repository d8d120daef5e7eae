#include "quarry/circuits/state/register_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::register_table_test {
namespace {

using testing::BusSums;
using testing::TestSegment;

TEST(RegisterTable, OpensAndClosesEachRegisterOnce) {
    const TestSegment segment(2, 60, 9, 40);
    const auto rows = register_rows(segment.timeline);
    ASSERT_EQ(rows.size(), kRegisters);
    const Table table = make_table<RegisterTable>();
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_FALSE(find_violation(table, columns).has_value());
    BusSums sums;
    sums.add_table(table, columns);
    EXPECT_EQ(sums.on(kPointBus).size(), 2 * kRegisters);
    EXPECT_EQ(rows[0].before[0], KoalaBear(segment.timeline.statement.before.state.slot_count));
    EXPECT_EQ(rows[0].after[0], KoalaBear(segment.timeline.statement.after.state.slot_count));
}

TEST(RegisterTable, NoCellIsFreeAndEachConstraintIsNeeded) {
    const TestSegment segment(2, 60, 9, 40);
    const Table table = make_table<RegisterTable>();
    const Columns columns = testing::columns_of_rows(register_rows(segment.timeline));
    EXPECT_EQ(testing::free_cells(table, columns, {0, 1, 2, 3}), std::vector<std::string>{});
    // Padding: everything but is_real, which would open a register.
    EXPECT_EQ(testing::free_cells(table, columns, {4}).size(), table.num_columns() - 1);
    EXPECT_EQ(testing::never_alone(table, columns, {0, 4}), std::set<std::string>{});
}

// A register opened twice takes its point twice.
TEST(RegisterTable, ASecondOpeningFindsNoPoint) {
    const TestSegment segment(2, 60, 9, 40);
    auto rows = register_rows(segment.timeline);
    const Table table = make_table<RegisterTable>();
    BusSums honest;
    honest.add_table(table, testing::columns_of_rows(rows));
    rows.push_back(rows[0]);
    BusSums twice;
    twice.add_table(table, testing::columns_of_rows(rows));
    const BusSums::Key key = honest.on(kPointBus).front();
    EXPECT_EQ(twice.sums().at(key), honest.sums().at(key) + honest.sums().at(key));
}

}  // namespace
}  // namespace quarry::circuits::register_table_test
