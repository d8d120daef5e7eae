#include "quarry/circuits/effect_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::effect_table_test {
namespace {

using testing::BusSums;
using testing::TestSegment;
using Row = EffectRow<KoalaBear>;
using Rows = std::vector<Row>;
const KoalaBear kOne(1);

std::vector<std::string> broken(const Rows& rows) {
    return broken_constraints(make_table<EffectTable>(), testing::columns_of_rows(rows));
}

BusSums sums_of(const Rows& rows) {
    BusSums sums;
    sums.add_table(make_table<EffectTable>(), testing::columns_of_rows(rows));
    return sums;
}

// Range lookups that no table of facts can answer.
std::size_t out_of_range(const BusSums& sums) {
    std::size_t n = 0;
    for (const auto& key : sums.on(kRange16Bus)) n += key[1] >= 1u << 16 ? 1 : 0;
    return n;
}

// Every hash right again.
void rehash(Rows& rows) {
    Digest acc = rows.front().absorb.acc;
    for (Row& row : rows) {
        row.absorb.acc = acc;
        if (row.is_real.is_zero()) continue;
        Digest block{row.absorb.word.byte};
        std::copy_n(row.absorb.word.limb.begin(), 7, block.begin() + 1);
        row.absorb.mid = poseidon_compress(acc, block);
        std::copy_n(row.absorb.word.limb.begin() + 7, 8, block.begin());
        acc = poseidon_compress(row.absorb.mid, block);
    }
}

struct Effects : public ::testing::Test {
    Effects() : rows(effect_rows(segment.timeline)) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (!rows[i].is_start.is_zero()) starts.push_back(i);
        }
    }
    TestSegment segment{2, 60, 9, 40};
    Rows rows;
    std::vector<std::size_t> starts;
};

TEST_F(Effects, LeadFromPointToPoint) {
    ASSERT_GE(starts.size(), 4U);
    EXPECT_TRUE(broken(rows).empty());
    const rollup::SegmentStatement& s = segment.timeline.statement;
    BusSums sums = sums_of(rows);
    EXPECT_EQ(out_of_range(sums), 0U);
    sums.add(kEffectsBus, effects_tuple(KoalaBear(), KoalaBear(s.before.effects.count), s.before.effects.digest), kOne);
    sums.add(kEffectsBus, effects_tuple(kOne, KoalaBear(s.after.effects.count), s.after.effects.digest), -kOne);
    EXPECT_TRUE(sums.on(kEffectsBus).empty());
}

TEST_F(Effects, NoCellOfAWordIsFree) {
    const Table table = make_table<EffectTable>();
    const Columns columns = testing::columns_of_rows(rows);
    EXPECT_TRUE(testing::free_cells(table, columns, {0, 1, starts[2], starts[2] + 1, rows.size() - 2}).empty());
    // The end row has no word; its flags, count, accumulator and time are held.
    for (const std::string& cell : testing::free_cells(table, columns, {rows.size() - 1})) {
        EXPECT_TRUE(cell.starts_with("position") || cell.starts_with("absorb.word") || cell.starts_with("absorb.mid"))
            << cell;
    }
}

TEST_F(Effects, EachConstraintIsNeeded) {
    const Table table = make_table<EffectTable>();
    const Columns columns = testing::columns_of_rows(rows);
    auto left = testing::never_alone(table, columns, {0, 1, starts[2], rows.size() - 1, rows.size()}, {rows.size()});
    const auto expect_alone = [&](const std::string& name, auto change) {
        Rows bad = rows;
        bad.resize(rows.size() + 1);
        change(bad);
        EXPECT_EQ(broken(bad), std::vector<std::string>{name});
        left.erase(name);
    };
    // A start behind the end, on a row that is not real.
    expect_alone("is_start.real", [&](Rows& bad) {
        bad.back().is_start = kOne;
        bad.back().time = bad[rows.size() - 1].time;
        bad[rows.size() - 1].position = -kOne;
    });
    // An effect whose first word is number 5.
    expect_alone("position.start", [&](Rows& bad) {
        for (std::size_t i = starts[1]; i < starts[2]; ++i) bad[i].position += KoalaBear(5);
    });
    EXPECT_EQ(left, std::set<std::string>{});
}

// A prover who reorders effects must break the order of times, or cut the run, and then the points do not meet.
TEST_F(Effects, CannotBeReordered) {
    Rows bad = rows;
    std::rotate(bad.begin() + static_cast<std::ptrdiff_t>(starts[1]),
                bad.begin() + static_cast<std::ptrdiff_t>(starts[2]),
                bad.begin() + static_cast<std::ptrdiff_t>(starts[3]));
    KoalaBear count = bad.front().count - kOne;
    for (Row& row : bad) row.count = (count += row.is_start);
    rehash(bad);
    EXPECT_TRUE(broken(bad).empty());
    EXPECT_GT(out_of_range(sums_of(bad)), 0U);

    // Two runs, each in order, whose accumulators and counts meet: the point in the middle has two sides.
    Rows cut = bad;
    const auto at = cut.begin() + static_cast<std::ptrdiff_t>(starts[1] + starts[3] - starts[2]);
    Row end;
    end.is_end = kOne;
    end.time = (at - 1)->time + kOne;
    end.count = (at - 1)->count;
    end.absorb.acc = at->absorb.acc;
    cut.insert(at, {end, Row{}});
    EXPECT_TRUE(broken(cut).empty());
    EXPECT_EQ(out_of_range(sums_of(cut)), 0U);
    EXPECT_EQ(sums_of(cut).on(kEffectsBus).size(), 4U);
}

TEST_F(Effects, CannotBeDroppedDoubledOrSplit) {
    const auto expect_refused = [&](auto change) {
        Rows bad = rows;
        change(bad);
        rehash(bad);
        const BusSums sums = sums_of(bad);
        EXPECT_TRUE(!broken(bad).empty() || out_of_range(sums) > 0 ||
                    sums.on(kEffectWordBus) != sums_of(rows).on(kEffectWordBus));
    };
    const auto iterator = [](Rows& bad, std::size_t i) { return bad.begin() + static_cast<std::ptrdiff_t>(i); };
    // An effect left out; its last word left out; a word doubled; two words swapped; one effect sold as two.
    expect_refused([&](Rows& bad) {
        bad.erase(iterator(bad, starts[1]), iterator(bad, starts[2]));
        for (std::size_t i = starts[1]; i < bad.size(); ++i) bad[i].count -= kOne;
    });
    expect_refused([&](Rows& bad) { bad.erase(iterator(bad, starts[2] - 1)); });
    expect_refused([&](Rows& bad) { bad.insert(iterator(bad, starts[1]), bad[starts[1]]); });
    expect_refused([&](Rows& bad) { std::swap(bad[starts[1]], bad[starts[1] + 1]); });
    expect_refused([&](Rows& bad) {
        bad[starts[1] + 1].is_start = kOne;
        for (std::size_t i = starts[1] + 1; i < bad.size(); ++i) bad[i].count += kOne;
    });
}

// Rule B2: 256 effects fit, the next does not.
TEST_F(Effects, AreAtMost256) {
    const auto shifted = [&](std::uint32_t last) {
        Rows bad = rows;
        const KoalaBear shift = KoalaBear(last) - bad.back().count;
        for (Row& row : bad) row.count += shift;
        EXPECT_TRUE(broken(bad).empty());
        return out_of_range(sums_of(bad));
    };
    EXPECT_EQ(shifted(256), 0U);
    EXPECT_EQ(shifted(257), 1U);
}

TEST(EffectTable, WithoutEffectsTheEndIsTheStart) {
    const TestSegment segment(3, 60, 7, 7);
    const Rows rows = effect_rows(segment.timeline);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_TRUE(broken(rows).empty());
    const auto& point = segment.timeline.statement.before.effects;
    BusSums sums = sums_of(rows);
    sums.add(kEffectsBus, effects_tuple(KoalaBear(), KoalaBear(point.count), point.digest), kOne);
    sums.add(kEffectsBus, effects_tuple(kOne, KoalaBear(point.count), point.digest), -kOne);
    EXPECT_TRUE(sums.sums().empty());
}

}  // namespace
}  // namespace quarry::circuits::effect_table_test
