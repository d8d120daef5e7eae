#include "quarry/circuits/operations/new_pair_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/operations/testing.hpp"

namespace quarry::circuits::new_pair_table_test {
namespace {

using namespace testing;
using Row = NewPairRow<KoalaBear>;

constexpr std::uint32_t kLimb = 1u << 16;

struct NewPairTableTest : ::testing::Test {
    std::unique_ptr<Segment> segment = every_kind();
    Judge<NewPairTable> judge{segment->timeline};
    std::vector<Row> rows = new_pair_rows(segment->timeline);

    /// The pair that belongs to the row's owner: signed by an accomplice.
    static void complete(Row& row) {
        Digest key_hash;
        for (std::size_t i = 0; i < key_hash.size(); ++i) {
            key_hash[i] = row.key_hash[i].low + row.key_hash[i].high * KoalaBear(kLimb);
        }
        Digest block{};
        for (std::size_t k = 0; k < 3; ++k) {
            const KoalaBear low = row.address[3 * k + 1] - row.split[k] * KoalaBear(256);
            block[2 * k] = row.address[3 * k] + low * KoalaBear(kLimb);
            block[2 * k + 1] = row.split[k] + row.address[3 * k + 2] * KoalaBear(256);
        }
        block[6] = row.address[9];
        block[7] = KoalaBear(static_cast<std::uint32_t>(rollup::BlockTag::owner_pair));
        row.pair = poseidon_compress(key_hash, block);
    }
};

TEST_F(NewPairTableTest, HonestRowsHoldAndPaddingDoesNothing) {
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(judge(rows).faults, std::vector<std::string>());
    EXPECT_FALSE(find_violation(judge.table(), columns_of<Row>(rows, 512)).has_value());
    EXPECT_TRUE(judge(Row{}).faults.empty());
    EXPECT_TRUE(judge(Row{}).exchange.empty());
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace".
TEST_F(NewPairTableTest, EveryCellIsBound) { EXPECT_EQ(judge.free_cells(rows[0]), std::vector<std::string>()); }

TEST_F(NewPairTableTest, NothingCanBeDropped) {
    std::vector<Forgery<Row>> f;
    const auto add = [&](const std::string& obstacle, const auto& edit) {
        Row row = rows[0];
        edit(row);
        complete(row);
        f.push_back({obstacle, row});
    };
    add("is_real", [](Row& row) { row.is_real = KoalaBear(2); });
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        for (const auto& element : forged_elements(indexed("key_hash", i))) {
            add(element.obstacle, [&](Row& row) { row.key_hash[i] = element.row; });
        }
    }
    for (std::size_t k = 0; k < 3; ++k) {
        add(indexed("address.split", k), [k](Row& row) { row.split[k] += KoalaBear(1); });
    }
    f.push_back({"pair", rows[0]});  // an owner who is not the signed one
    f.back().row.address[0] += KoalaBear(1);

    // N3: another minimum; a fee below it, by each limb.
    add("minimum", [](Row& row) { row.minimum[0] -= KoalaBear(1); });
    for (std::size_t i = 0; i < 5; ++i) {
        const std::string name = indexed("fee.difference", i);
        add(name, [i](Row& row) { row.fee[i] = row.minimum[i] - KoalaBear(1); });
    }
    for (std::size_t i = 0; i < 4; ++i) {
        // 1 / 2^16 = -127 2^8: one limb more, and 127 2^8 are lent.
        add(indexed("fee.borrow", i), [i](Row& row) {
            row.borrow[i] = KoalaBear(kLimb).inverse();
            row.fee[i] = row.minimum[i];
        });
    }
    add("slot_count.order", [](Row& row) { row.count_previous = row.time; });
    add("created.order", [](Row& row) { row.previous = row.time; });
    expect_all_needed(judge, f);
}

// ADVERSARIAL, Tables: "creation over a non-empty leaf": what is read is a leaf of zeros, and it is the count's slot.
TEST_F(NewPairTableTest, CreatesTheNextSlotFromNothing) {
    const Row& row = rows[0];
    Exchange rest = judge(row).exchange;
    EXPECT_EQ(row.receiver, KoalaBear(8));
    put(rest, kMemoryBus, memory_tuple<KoalaBear>(row.receiver, {}, leaf_cells(std::nullopt)));
    take(rest, kMemoryBus,
         memory_tuple(row.receiver, row.time,
                      leaf_cells(rollup::make_leaf(rollup::testing::make_owner(20), 1, rollup::Amount(300)))));
    put(rest, kRegisterBus, register_tuple<KoalaBear>(KoalaBear(kSlotCount), {}, {KoalaBear(8), {}, {}, {}}));
    take(rest, kRegisterBus, register_tuple<KoalaBear>(KoalaBear(kSlotCount), row.time, {KoalaBear(9), {}, {}, {}}));
    for (const auto& [key, total] : rest) EXPECT_TRUE(key[0] == kExtensionBus || key[0] == kWordBus) << key[0];
}

}  // namespace
}  // namespace quarry::circuits::new_pair_table_test
