#include "quarry/circuits/range_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::range_table_test {
namespace {

using Rows = std::vector<RangeRow<KoalaBear>>;
constexpr std::size_t kHeight = std::size_t{1} << RangeTable::kLogHeight;

Columns columns_with_uses(const Rows& rows) {
    Rows used = rows;
    for (std::size_t v : {std::size_t{0}, std::size_t{255}, std::size_t{256}, std::size_t{0x7eff}}) {
        used[v].range16_uses = used[v].split_uses = used[v].high15_uses = KoalaBear(1);
    }
    return columns_of(std::span<const RangeRow<KoalaBear>>(used), kHeight);
}

std::vector<std::string> broken(const Rows& rows) {
    return broken_constraints(make_table<RangeTable>(),
                              columns_of(std::span<const RangeRow<KoalaBear>>(rows), kHeight));
}

TEST(RangeTable, RowsAreTheNumbers) {
    const Rows rows = range_rows();
    ASSERT_EQ(rows.size(), kHeight);
    for (std::uint32_t v = 0; v < kHeight; ++v) {
        ASSERT_EQ(rows[v].v, KoalaBear(v));
        ASSERT_EQ(rows[v].high, KoalaBear(v / 256));
        ASSERT_EQ(rows[v].below, KoalaBear(v < 0x7f00 ? 1 : 0));
    }
    EXPECT_TRUE(broken(rows).empty());
    EXPECT_EQ(make_table<RangeTable>().fixed_log_height, 16U);
}

TEST(RangeTable, NoCellIsFree) {
    const Table table = make_table<RangeTable>();
    EXPECT_TRUE(testing::free_cells(table, columns_with_uses(range_rows()), {0, 255, 256, 0x7eff}).empty());
    // Above 0x7eff nothing can be sold as below it.
    Rows rows = range_rows();
    rows[0x7f00].high15_uses = KoalaBear(1);
    EXPECT_EQ(broken(rows), std::vector<std::string>{"high15_uses"});
}

using Names = std::vector<std::string>;

TEST(RangeTable, EachConstraintIsNeeded) {
    const Rows honest = range_rows();
    const auto expect_alone = [&](const char* name, auto change) {
        Rows rows = honest;
        change(rows);
        EXPECT_EQ(broken(rows), Names{name});
    };
    // 65,536 + 10 is no 16-bit number: every row claims 10 more than the honest one, high and below follow as they can.
    expect_alone("v", [](Rows& rows) {
        for (std::size_t i = 0; i < kHeight; ++i) {
            rows[i].v = KoalaBear(i + 10);
            rows[i].high = KoalaBear(std::min<std::size_t>((i + 10) / 256, 255));
            rows[i].below = KoalaBear(i + 10 < 0x7f00 ? 1 : 0);
        }
    });
    // 256 = 256 * 2 - 256.
    expect_alone("high.step", [](Rows& rows) {
        for (std::size_t v = 256; v < 512; ++v) rows[v].high = KoalaBear(2);
    });
    // 511 >> 8 = 2: one step early.
    expect_alone("high.where", [](Rows& rows) { rows[511].high = KoalaBear(2); });
    // The last rise is missed: 65,535 = 256 * 254 + 511.
    expect_alone("high.last", [](Rows& rows) {
        for (std::size_t v = 65280; v < kHeight; ++v) rows[v].high = KoalaBear(254);
    });
    // It starts one too high: 0 = 256 - 256.
    expect_alone("high.first", [](Rows& rows) {
        for (std::size_t v = 0; v < 256; ++v) rows[v].high = KoalaBear(1);
    });
    expect_alone("below.where", [](Rows& rows) { rows[0x7f00].below = KoalaBear(1); });
    // All below, none below.
    expect_alone("below.last", [](Rows& rows) {
        for (auto& row : rows) row.below = KoalaBear(1);
    });
    expect_alone("below.first", [](Rows& rows) {
        for (auto& row : rows) row.below = KoalaBear();
    });
    expect_alone("high15_uses", [](Rows& rows) { rows.back().high15_uses = KoalaBear(3); });
}

// Were is_last allowed anywhere but at 65,535, a table could end early and hold a number twice, or never.
TEST(RangeTable, EndsOnlyAtTheLastNumber) {
    Rows rows = range_rows();
    rows[40000].is_last = KoalaBear(1);
    EXPECT_FALSE(broken(rows).empty());
    rows = range_rows();
    rows.back().is_last = KoalaBear(2);
    EXPECT_FALSE(broken(rows).empty());
    rows.back().is_last = KoalaBear();
    EXPECT_FALSE(broken(rows).empty());
}

/// What a row of the preprocessed table provides, as the integers that the tuples are, by bus.
std::map<std::uint32_t, std::set<std::vector<std::uint32_t>>> provided(const Table& table,
                                                                       const RangeFixed<KoalaBear>& fixed) {
    std::vector<KoalaBear> cells(table.num_witness(), KoalaBear(1));
    cells.insert(cells.end(), {fixed.v, fixed.high, fixed.below});
    const auto lift = [](KoalaBear x) { return x; };
    const auto atoms = evaluate_atoms(table.graph, cells, cells, lift);
    std::map<std::uint32_t, std::set<std::vector<std::uint32_t>>> r;
    for (const Interaction& i : table.interactions) {
        EXPECT_EQ(evaluate_form(i.multiplicity, atoms, lift), KoalaBear(1));
        std::vector<std::uint32_t> tuple;
        for (const LinearForm& f : i.tuple) tuple.push_back(evaluate_form(f, atoms, lift).canonical());
        EXPECT_TRUE(r[i.bus].insert(tuple).second || i.bus == kHigh15Bus);
    }
    return r;
}

// The same facts as preprocessed columns: what all rows provide together, against plain integers.
TEST(FixedRangeTable, ProvidesWhatRangeTableDoes) {
    const Table table = make_table<FixedRangeTable>();
    EXPECT_TRUE(table.constraints.empty());
    EXPECT_EQ(table.num_witness(), 20U);
    EXPECT_EQ(table.fixed_log_height, 13U);
    const auto rows = fixed_range_rows();
    ASSERT_EQ(rows.size(), std::size_t{1} << 13);
    std::set<std::uint32_t> range16, split, high15;
    for (const RangeFixed<KoalaBear>& row : rows) {
        auto facts = provided(table, row);
        ASSERT_EQ(facts.size(), 3U);
        for (const auto& tuple : facts[kRange16Bus]) {
            ASSERT_EQ(tuple.size(), 1U);
            range16.insert(tuple[0]);
        }
        for (const auto& tuple : facts[kSplitBus]) {
            ASSERT_EQ(tuple.size(), 2U);
            ASSERT_EQ(tuple[1], tuple[0] / 256);
            split.insert(tuple[0]);
        }
        for (const auto& tuple : facts[kHigh15Bus]) {
            ASSERT_EQ(tuple.size(), 1U);
            high15.insert(tuple[0]);
        }
    }
    EXPECT_EQ(range16.size(), kHeight);
    EXPECT_EQ(*range16.rbegin(), 65535U);
    EXPECT_EQ(split, range16);
    EXPECT_EQ(high15.size(), 0x7f00U);
    EXPECT_EQ(*high15.rbegin(), 0x7effU);
}

// Each use is counted where its number is provided.
TEST(FixedRangeTable, CountsUsesWhereTheNumberIs) {
    std::vector<std::uint32_t> range16(kHeight), split(kHeight), high15(0x7f00);
    range16[0] = 1, range16[8191] = 2, range16[8192] = 3, range16[65535] = 4;
    split[257] = 5, split[65535] = 6;
    high15[0] = 7, high15[0x6000] = 8, high15[0x7eff] = 9;
    const auto rows = range_uses_rows(range16, split, high15);
    const Table table = make_table<FixedRangeTable>();
    const auto fixed = fixed_range_rows();
    std::map<std::vector<std::uint32_t>, std::uint32_t> uses;  // by bus and number
    const auto offsets = cell_offsets<RangeUses<KoalaBear>>();
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::vector<KoalaBear> cells;
        for (const std::size_t offset : offsets) {
            cells.push_back(*reinterpret_cast<const KoalaBear*>(reinterpret_cast<const std::byte*>(&rows[r]) + offset));
        }
        if (std::ranges::all_of(cells, [](KoalaBear x) { return x.is_zero(); })) continue;
        cells.insert(cells.end(), {fixed[r].v, fixed[r].high, fixed[r].below});
        const auto lift = [](KoalaBear x) { return x; };
        const auto atoms = evaluate_atoms(table.graph, cells, cells, lift);
        for (const Interaction& i : table.interactions) {
            const std::uint32_t n = evaluate_form(i.multiplicity, atoms, lift).canonical();
            if (n != 0) uses[{i.bus, evaluate_form(i.tuple[0], atoms, lift).canonical()}] += n;
        }
    }
    const std::map<std::vector<std::uint32_t>, std::uint32_t> expected{
        {{kRange16Bus, 0}, 1},     {{kRange16Bus, 8191}, 2},  {{kRange16Bus, 8192}, 3},
        {{kRange16Bus, 65535}, 4}, {{kSplitBus, 257}, 5},     {{kSplitBus, 65535}, 6},
        {{kHigh15Bus, 0}, 7},      {{kHigh15Bus, 0x6000}, 8}, {{kHigh15Bus, 0x7eff}, 9}};
    EXPECT_EQ(uses, expected);
}

}  // namespace
}  // namespace quarry::circuits::range_table_test
