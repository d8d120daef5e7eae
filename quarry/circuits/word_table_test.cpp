#include "quarry/circuits/word_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::word_table_test {
namespace {

using testing::BusSums;
using testing::TestSegment;
using Rows = std::vector<WordRow<KoalaBear>>;

BusSums sums_of(const Rows& rows) {
    const Table table = make_table<WordTable>();
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_FALSE(find_violation(table, columns).has_value());
    BusSums sums;
    sums.add_table(table, columns);
    return sums;
}

TEST(WordTable, LeadsFromPointToPoint) {
    const TestSegment segment(2, 60, 9, 40);
    const rollup::SegmentStatement& s = segment.timeline.statement;
    BusSums sums = sums_of(word_rows(segment.timeline));
    EXPECT_EQ(sums.on(kDataBus).size(), 2U);
    sums.add(kDataBus, accumulator_tuple(KoalaBear(s.before.data.count), s.before.data.digest), KoalaBear(1));
    sums.add(kDataBus, accumulator_tuple(KoalaBear(s.after.data.count), s.after.data.digest), -KoalaBear(1));
    EXPECT_TRUE(sums.on(kDataBus).empty());
    EXPECT_EQ(sums.on(kWordBus).size(), s.after.data.count - s.before.data.count);
}

TEST(WordTable, NoCellOfAWordIsFree) {
    const TestSegment segment(2, 60, 9, 40);
    const Table table = make_table<WordTable>();
    const Rows rows = word_rows(segment.timeline);
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_TRUE(testing::free_cells(table, columns, {0, 5, rows.size() - 2}).empty());
    // Behind the words only the accumulator counts, and that the row is not real.
    std::set<std::string> held;
    const auto free = testing::free_cells(table, columns, {rows.size() - 1});
    for (const std::string& column : table.columns) {
        if (std::find(free.begin(), free.end(), column + " at row " + std::to_string(rows.size() - 1)) == free.end()) {
            held.insert(column.substr(0, column.find('[')));
        }
    }
    EXPECT_EQ(held, (std::set<std::string>{"is_real", "absorb.acc"}));
}

TEST(WordTable, EachConstraintIsNeeded) {
    const TestSegment segment(2, 60, 9, 40);
    const Columns columns = testing::columns_of_rows(word_rows(segment.timeline));
    EXPECT_TRUE(testing::never_alone(make_table<WordTable>(), columns, {0}).empty());
}

// ADVERSARIAL, Tables: "padding that pretends to be real", "segments that stop before the batch's end". Rows hold their
// constraints, but the points do not meet.
TEST(WordTable, WordsCannotBeLeftOutRepeatedOrSwapped) {
    const TestSegment segment(2, 60, 9, 40);
    const Rows honest = word_rows(segment.timeline);
    const auto expect_refused = [&](auto change) {
        Rows rows = honest;
        change(rows);
        // The prover makes every hash right again from the changed row on.
        Digest acc = rows.front().absorb.acc;
        for (auto& row : rows) {
            row.absorb.acc = acc;
            Digest block{row.absorb.word.byte};
            std::copy_n(row.absorb.word.limb.begin(), 7, block.begin() + 1);
            row.absorb.mid = poseidon_compress(acc, block);
            std::copy_n(row.absorb.word.limb.begin() + 7, 8, block.begin());
            acc = poseidon_compress(row.absorb.mid, block);
        }
        EXPECT_NE(sums_of(rows).on(kDataBus), sums_of(honest).on(kDataBus));
    };
    // Two words that differ: two queue records of one kind would not.
    std::size_t at = 4;
    while (honest[at].absorb.word.byte == honest[at + 1].absorb.word.byte) ++at;
    ASSERT_LT(at + 2, honest.size());
    const auto place = static_cast<std::ptrdiff_t>(at);
    expect_refused([&](Rows& rows) { rows.erase(rows.begin() + place); });
    expect_refused([&](Rows& rows) { rows.insert(rows.begin() + place, rows[at]); });
    expect_refused([&](Rows& rows) { std::swap(rows[at], rows[at + 1]); });
    expect_refused([&](Rows& rows) { std::swap(rows[at].absorb.word, rows[at + 1].absorb.word); });
    expect_refused([&](Rows& rows) { rows[rows.size() - 2] = {}; });
    expect_refused([&](Rows& rows) { rows[at].index += KoalaBear(1); });
}

}  // namespace
}  // namespace quarry::circuits::word_table_test
