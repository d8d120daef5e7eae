#include "quarry/circuits/operations/publish_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/operations/testing.hpp"

namespace quarry::circuits::publish_table_test {
namespace {

using namespace testing;
using Row = PublishRow<KoalaBear>;

struct PublishTableTest : ::testing::Test {
    std::unique_ptr<Segment> segment = every_kind();
    Judge<PublishTable> judge{segment->timeline};
    std::vector<Row> rows = publish_rows(segment->timeline);
};

TEST_F(PublishTableTest, HonestRowsHoldAndPaddingDoesNothing) {
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(judge(rows).faults, std::vector<std::string>());
    EXPECT_FALSE(find_violation(judge.table(), columns_of<Row>(rows, 512)).has_value());
    EXPECT_TRUE(judge(Row{}).faults.empty());
    EXPECT_TRUE(judge(Row{}).exchange.empty());
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace".
TEST_F(PublishTableTest, EveryCellIsBound) { EXPECT_EQ(judge.free_cells(rows[0]), std::vector<std::string>()); }

TEST_F(PublishTableTest, NothingCanBeDropped) {
    std::vector<Forgery<Row>> f;
    const auto add = [&](const std::string& obstacle, const auto& edit) {
        f.push_back({obstacle, rows[0]});
        edit(f.back().row);
    };
    const auto rehash = [](Row& row) {
        row.key_hash = hash_of(row.key);
        row.pair = rollup::pair_hash({row.key_hash, rollup::testing::make_address(5)});
    };
    add("is_real", [](Row& row) { row.is_real = KoalaBear(2); });
    add("slot.upper", [](Row& row) { row.slot[1] = KoalaBear(1u << 14); });
    for (auto& forgery : forge_elements(rows[0], rehash)) f.push_back(forgery);
    // P3: another key.
    add("key.hash", [&](Row& row) { row.key[0].low += KoalaBear(1); });
    add("pair", [](Row& row) {
        row.key = key_cells(rollup::testing::make_key(40));
        row.key_hash = hash_of(row.key);
    });
    add("slot.order", [](Row& row) { row.previous = row.word + KoalaBear(1); });
    expect_all_needed(judge, f);
}

// P1, P2: what is read exists and is not published.
TEST_F(PublishTableTest, ReadsAnUnpublishedSlotThatExists) {
    const Row& row = rows[0];
    const auto step = std::find_if(segment->timeline.steps.begin(), segment->timeline.steps.end(), [](const auto& t) {
        return rollup::opcode(t.step->op) == rollup::Opcode::publish_key;
    });
    const rollup::LeafChange& access = step->step->access[0];
    ASSERT_FALSE(access.before->key_published);
    Exchange rest = judge(row).exchange;
    put(rest, kMemoryBus, memory_tuple(KoalaBear(5), row.previous, leaf_cells(access.before)));
    take(rest, kMemoryBus, memory_tuple(KoalaBear(5), row.word + KoalaBear(1), leaf_cells(access.after)));
    for (const auto& [key, total] : rest) EXPECT_EQ(key[0], kWordBus);
}

}  // namespace
}  // namespace quarry::circuits::publish_table_test
