#include "quarry/circuits/operations/change_key_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/operations/testing.hpp"

namespace quarry::circuits::change_key_table_test {
namespace {

using namespace testing;
using Row = ChangeKeyRow<KoalaBear>;

struct ChangeKeyTableTest : ::testing::Test {
    std::unique_ptr<Segment> segment = every_kind();
    Judge<ChangeKeyTable> judge{segment->timeline};
    std::vector<Row> rows = change_key_rows(segment->timeline);
};

TEST_F(ChangeKeyTableTest, HonestRowsHoldAndPaddingDoesNothing) {
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(judge(rows).faults, std::vector<std::string>());
    EXPECT_FALSE(find_violation(judge.table(), columns_of<Row>(rows, 512)).has_value());
    EXPECT_TRUE(judge(Row{}).faults.empty());
    EXPECT_TRUE(judge(Row{}).exchange.empty());
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace".
TEST_F(ChangeKeyTableTest, EveryCellIsBound) { EXPECT_EQ(judge.free_cells(rows[0]), std::vector<std::string>()); }

TEST_F(ChangeKeyTableTest, NothingCanBeDropped) {
    std::vector<Forgery<Row>> f;
    const auto add = [&](const std::string& obstacle, const auto& edit) {
        f.push_back({obstacle, rows[0]});
        edit(f.back().row);
    };
    const auto rehash = [](Row& row) {
        const Digest block = rollup::address_block(rollup::testing::make_address(6),
                                                   KoalaBear(static_cast<std::uint32_t>(rollup::BlockTag::owner_pair)));
        row.new_key_hash = hash_of(row.key);
        row.new_pair = poseidon_compress(row.new_key_hash, block);
    };
    add("is_real", [](Row& row) { row.is_real = KoalaBear(2); });
    for (auto& forgery : forge_elements(rows[0], rehash)) f.push_back(forgery);
    add("key.hash", [&](Row& row) { row.key[14].low += KoalaBear(1); });
    add("pair", [](Row& row) { row.key_hash[0] += KoalaBear(1); });
    // Another L1 address than the old one: the thief of a key would take the forced exit too.
    add("pair", [](Row& row) {
        const auto thief = rollup::testing::make_address(99);
        row.address = address_pieces(thief);
        row.new_pair = rollup::pair_hash({row.new_key_hash, thief});
    });
    add("new_pair", [](Row& row) { row.new_pair[0] += KoalaBear(1); });
    expect_all_needed(judge, f);
}

// The signed debit comes first, at `time`; the key changes at time + 1, and the slot stays published.
TEST_F(ChangeKeyTableTest, LeavesWhatTheExecutorLeaves) {
    const Row& row = rows[0];
    const rollup::LeafChange& access = segment->batch.steps[4].access[0];
    rollup::Leaf debited = *access.before;
    debited.balance = access.after->balance;
    debited.nonce = access.after->nonce;
    Exchange rest = judge(row).exchange;
    put(rest, kMemoryBus, memory_tuple(row.slot, row.time, leaf_cells(debited)));
    take(rest, kMemoryBus, memory_tuple(row.slot, row.time + KoalaBear(1), leaf_cells(access.after)));
    for (const auto& [key, total] : rest) EXPECT_TRUE(key[0] == kExtensionBus || key[0] == kWordBus) << key[0];
}

}  // namespace
}  // namespace quarry::circuits::change_key_table_test
