#include "quarry/circuits/operations/withdraw_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/operations/testing.hpp"

namespace quarry::circuits::withdraw_table_test {
namespace {

using namespace testing;
using Row = WithdrawRow<KoalaBear>;

struct WithdrawTableTest : ::testing::Test {
    std::unique_ptr<Segment> segment = every_kind();
    Judge<WithdrawTable> judge{segment->timeline};
    std::vector<Row> rows = withdraw_rows(segment->timeline);
};

TEST_F(WithdrawTableTest, HonestRowsHoldAndPaddingDoesNothing) {
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(judge(rows).faults, std::vector<std::string>());
    EXPECT_FALSE(find_violation(judge.table(), columns_of<Row>(rows, 512)).has_value());
    EXPECT_TRUE(judge(Row{}).faults.empty());
    EXPECT_TRUE(judge(Row{}).exchange.empty());
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace".
TEST_F(WithdrawTableTest, EveryCellIsBound) { EXPECT_EQ(judge.free_cells(rows[0]), std::vector<std::string>()); }

TEST_F(WithdrawTableTest, NothingCanBeDropped) {
    std::vector<Forgery<Row>> f;
    f.push_back({"is_real", rows[0]});
    f.back().row.is_real = KoalaBear(2);
    for (std::size_t k = 0; k < 3; ++k) {
        f.push_back({indexed("recipient.split", k), rows[0]});
        f.back().row.split[k] += KoalaBear(1);
    }
    expect_all_needed(judge, f);
}

TEST_F(WithdrawTableTest, TheEffectIsTheExecutors) {
    Exchange rest = judge(rows[0]).exchange;
    std::vector<std::uint8_t> bytes;
    rollup::encode(segment->batch.effects.at(0), bytes);
    ASSERT_EQ(bytes.size(), 2 * rollup::kWordBytes);
    for (std::uint32_t i = 0; i < 2; ++i) {
        const std::span<const std::uint8_t, rollup::kWordBytes> word(bytes.data() + i * rollup::kWordBytes,
                                                                     rollup::kWordBytes);
        take(rest, kEffectWordBus, effect_word_tuple(rows[0].time, KoalaBear(i), word_cells(word)));
    }
    for (const auto& [key, total] : rest) EXPECT_TRUE(key[0] == kExtensionBus || key[0] == kWordBus) << key[0];
}

}  // namespace
}  // namespace quarry::circuits::withdraw_table_test
