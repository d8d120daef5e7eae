#include "quarry/circuits/state/merkle_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_statement.hpp"
#include "quarry/circuits/segment_testing.hpp"
#include "quarry/circuits/state/slot_table.hpp"

namespace quarry::circuits::merkle_table_test {
namespace {

using testing::BusSums;
using testing::TestSegment;
using Row = MerkleRow<KoalaBear>;
const KoalaBear kOne(1);

struct Tree : public ::testing::Test {
    Tree() : slots(slot_rows(segment.timeline)), rows(merkle_rows(segment.timeline)) {}

    [[nodiscard]] std::vector<std::string> broken() const {
        auto names = broken_constraints(make_table<MerkleTable>(), testing::columns_of_rows(rows));
        const auto more = broken_constraints(make_table<SlotTable>(), testing::columns_of_rows(slots));
        names.insert(names.end(), more.begin(), more.end());
        return names;
    }
    // What is left on the node bus with the statement's roots.
    [[nodiscard]] std::size_t unmatched() const {
        BusSums sums;
        sums.add_table(make_table<MerkleTable>(), testing::columns_of_rows(rows));
        sums.add_table(make_table<SlotTable>(), testing::columns_of_rows(slots));
        for (const PublicTuple& t : segment_tuples(segment.timeline.statement))
            sums.add(t.bus, t.tuple, t.multiplicity);
        return sums.on(kNodeBus).size();
    }
    void expect_unmatched() const {
        EXPECT_EQ(broken(), std::vector<std::string>{});
        EXPECT_GT(unmatched(), 0U);
    }

    TestSegment segment{2, 60, 9, 40};
    std::vector<SlotRow<KoalaBear>> slots;
    std::vector<Row> rows;
};

TEST_F(Tree, LeadsFromSlotsToTheRoot) {
    EXPECT_EQ(broken(), std::vector<std::string>{});
    EXPECT_EQ(unmatched(), 0U);
    for (const Row& row : rows) {
        ASSERT_EQ(row.parent_before, poseidon_compress(row.left_before, row.right_before));
        ASSERT_EQ(row.parent_after, poseidon_compress(row.left_after, row.right_after));
    }
}

TEST_F(Tree, NoCellIsFree) {
    const Table table = make_table<MerkleTable>();
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_EQ(testing::free_cells(table, columns, {0, 1, rows.size() - 2, rows.size() - 1}),
              std::vector<std::string>{});
    // Padding has no say: flags that put something on a bus are held.
    for (const std::string& cell : testing::free_cells(table, columns, {rows.size()})) {
        EXPECT_FALSE(cell.starts_with("is_real") || cell.starts_with("touched")) << cell;
    }
}

TEST_F(Tree, EachConstraintIsNeeded) {
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_EQ(testing::never_alone(make_table<MerkleTable>(), columns,
                                   {0, 1, 2, rows.size() - 2, rows.size() - 1, rows.size()}, {rows.size()}),
              std::set<std::string>{});
}

// ADVERSARIAL, Tables: "one slot opened twice in a segment".
TEST_F(Tree, ASlotIsOpenedOnce) {
    slots.push_back(slots[1]);
    expect_unmatched();
    // With rows of its own up to the root, which is then there twice: "two root rows".
    const std::size_t levels = rows.size();
    for (std::size_t i = 0; i < levels; ++i) {
        const std::uint32_t level = rows[i].level.canonical();
        const std::uint64_t slot = slots[1].slot.canonical();
        if (slot >> level != rows[i].index.canonical()) continue;
        Row row = rows[i];
        const bool right = level < 31 && (slot >> (level - 1) & 1) != 0;
        row.touched_left = right ? KoalaBear() : kOne;
        row.touched_right = right ? kOne : KoalaBear();
        if (right) {
            row.left_after = row.left_before;
        } else {
            row.right_after = row.right_before;
        }
        rows.push_back(row);
    }
    expect_unmatched();
}

// "two root rows", "two copies of a node".
TEST_F(Tree, NodesAreThereOnce) {
    for (const std::size_t i : {std::size_t{0}, rows.size() - 2, rows.size() - 1}) {
        rows.push_back(rows[i]);
        expect_unmatched();
        rows.pop_back();
    }
}

// The segment circuit has two tables of these rows: which one a row is in says nothing.
TEST_F(Tree, MayLieInTwoTables) {
    const auto unmatched_with = [&](std::size_t first, std::size_t last) {  // the second table has rows [first, end)
        BusSums sums;
        const Table table = make_table<MerkleTable>();
        sums.add_table(table,
                       testing::columns_of_rows(std::vector<Row>(rows.begin(), rows.begin() + std::ptrdiff_t(last))));
        sums.add_table(table,
                       testing::columns_of_rows(std::vector<Row>(rows.begin() + std::ptrdiff_t(first), rows.end())));
        sums.add_table(make_table<SlotTable>(), testing::columns_of_rows(slots));
        for (const PublicTuple& t : segment_tuples(segment.timeline.statement))
            sums.add(t.bus, t.tuple, t.multiplicity);
        return sums.on(kNodeBus).size();
    };
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, rows.size() / 2, rows.size() - 1, rows.size()}) {
        EXPECT_EQ(unmatched_with(cut, cut), 0U);
        if (cut > 0) {
            EXPECT_GT(unmatched_with(cut - 1, cut), 0U);  // one node in both
        }
        if (cut < rows.size()) {
            EXPECT_GT(unmatched_with(cut + 1, cut), 0U);  // one in neither
        }
    }
}

// "a child with another level or index".
TEST_F(Tree, ChildrenAreWhereTheyBelong) {
    for (const std::size_t i : {std::size_t{0}, rows.size() / 2, rows.size() - 1}) {
        const Row honest = rows[i];
        rows[i].level += kOne;
        expect_unmatched();
        rows[i] = honest;
        rows[i].index += kOne;
        expect_unmatched();
        rows[i] = honest;
    }
    slots[0].slot += kOne;
    expect_unmatched();
}

// "an untouched child with old != new; a changed child marked untouched".
TEST_F(Tree, UntouchedChildrenStayTheSame) {
    std::size_t lonely = rows.size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].touched_right.is_zero() && rows[i].touched_left == kOne) lonely = i;
    }
    ASSERT_LT(lonely, rows.size());
    const Row honest = rows[lonely];
    rows[lonely].right_after[0] += kOne;
    EXPECT_EQ(broken(), std::vector<std::string>{"right.same[0]"});
    rows[lonely] = honest;
    rows[lonely].touched_left = KoalaBear();
    EXPECT_FALSE(broken().empty());
    // The same child on both sides: its changes are dropped, and their node finds no taker.
    rows[lonely].left_after = rows[lonely].left_before;
    expect_unmatched();
}

// The upper two levels have no touched right child, so that no slot is 2^30 or more, and no index has two values mod p.
TEST_F(Tree, SlotsStayBelow2To30) {
    for (Row& row : rows) {
        if (row.is_root.is_zero() && row.is_upper.is_zero()) continue;
        const Row honest = row;
        row.touched_right = kOne;
        EXPECT_EQ(broken(), std::vector<std::string>{"touched_right.below"});
        row = honest;
        // Without its flag the row is a node of another kind, which nobody takes.
        row.touched_right = kOne;
        row.is_root = row.is_upper = KoalaBear();
        expect_unmatched();
        row = honest;
    }
}

// "non-boolean multiplicity".
TEST_F(Tree, MultiplicitiesAreBits) {
    const std::size_t last = rows.size();
    rows.emplace_back().is_real = KoalaBear(2);
    EXPECT_EQ(broken(), std::vector<std::string>{"is_real"});
    rows[last].is_real = kOne;
    for (const auto touched : {&Row::touched_left, &Row::touched_right}) {
        rows[last].*touched = -kOne;
        EXPECT_EQ(broken().size(), 1U);
        rows[last].*touched = KoalaBear();
    }
    EXPECT_TRUE(broken().empty());
}

}  // namespace
}  // namespace quarry::circuits::merkle_table_test
