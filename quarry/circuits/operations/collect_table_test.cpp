#include "quarry/circuits/operations/collect_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/operations/testing.hpp"

namespace quarry::circuits::collect_table_test {
namespace {

using namespace testing;
using Row = CollectRow<KoalaBear>;

struct CollectTableTest : ::testing::Test {
    std::unique_ptr<Segment> segment = every_kind();
    Judge<CollectTable> judge{segment->timeline};
    std::vector<Row> rows = collect_rows(segment->timeline);
};

TEST_F(CollectTableTest, HonestRowsHoldAndPaddingDoesNothing) {
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(judge(rows).faults, std::vector<std::string>());
    EXPECT_FALSE(find_violation(judge.table(), columns_of<Row>(rows, 512)).has_value());
    EXPECT_TRUE(judge(Row{}).faults.empty());
    EXPECT_TRUE(judge(Row{}).exchange.empty());
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace".
TEST_F(CollectTableTest, EveryCellIsBound) { EXPECT_EQ(judge.free_cells(rows[0]), std::vector<std::string>()); }

TEST_F(CollectTableTest, NothingCanBeDropped) {
    std::vector<Forgery<Row>> f;
    const auto add = [&](const std::string& obstacle, const auto& edit) {
        f.push_back({obstacle, rows[0]});
        edit(f.back().row);
    };
    add("is_real", [](Row& row) {
        row.is_real = KoalaBear(2);
        row.sum_inverse *= KoalaBear(2);
    });
    add("slot.upper", [](Row& row) { row.slot[1] = KoalaBear(1u << 14); });
    add("fee_receiver", [](Row& row) { row.pair = rollup::pair_hash(rollup::testing::make_owner(3)); });  // C2
    add("slot.order", [](Row& row) { row.previous = row.word + KoalaBear(1); });
    add("fees.order", [](Row& row) { row.fees_previous = row.word + KoalaBear(1); });
    add("fee_tokens.order", [](Row& row) { row.count_previous = row.word + KoalaBear(1); });
    // C3: nothing to collect, which would count a token away that is not there.
    add("sum.positive", [](Row& row) {
        row.sum = {};
        row.credited = row.balance;
    });
    // C4, and sums that do not add up.
    for (std::size_t i = 0; i < rollup::Amount::kLimbs; ++i) {
        add(carry_name("balance", i), [i](Row& row) { forge_carry(row.balance, i); });
        add(indexed("credited", i), [i](Row& row) {
            row.credited[i] += KoalaBear(1u << 16);
            row.balance[i] += KoalaBear(1u << 16);
        });
    }
    expect_all_needed(judge, f);
}

// The whole sum goes to the receiver: nothing of it stays in the ledger.
TEST_F(CollectTableTest, TakesTheWholeSum) {
    const Row& row = rows[0];
    const KoalaBear time = row.word + KoalaBear(1);
    Exchange rest = judge(row).exchange;
    const rollup::Amount sum(5 + 12 + 2);
    put(rest, kFeeBus, fee_tuple(KoalaBear(1), row.fees_previous, amount_limbs(sum)));
    take(rest, kFeeBus, fee_tuple<KoalaBear>(KoalaBear(1), time, {}));
    put(rest, kRegisterBus,
        register_tuple<KoalaBear>(KoalaBear(kFeeTokens), row.count_previous, {KoalaBear(2), {}, {}, {}}));
    take(rest, kRegisterBus, register_tuple<KoalaBear>(KoalaBear(kFeeTokens), time, {KoalaBear(1), {}, {}, {}}));
    auto leaf = leaf_cells(rollup::testing::World::leaves()[0]);
    put(rest, kMemoryBus, memory_tuple<KoalaBear>({}, {}, leaf));
    leaf.balance = amount_limbs(rollup::Amount(rollup::testing::kInitialBalance + 19));
    take(rest, kMemoryBus, memory_tuple<KoalaBear>({}, time, leaf));
    for (const auto& [key, total] : rest) EXPECT_EQ(key[0], kWordBus);
}

}  // namespace
}  // namespace quarry::circuits::collect_table_test
