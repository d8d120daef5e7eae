#include "quarry/circuits/range_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits {
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

// The same facts as preprocessed columns: what every row provides, against plain integers.
TEST(FixedRangeTable, ProvidesWhatRangeTableDoes) {
    const Table table = make_table<FixedRangeTable>();
    EXPECT_TRUE(table.constraints.empty());
    EXPECT_EQ(table.num_witness(), 3U);
    EXPECT_EQ(table.fixed_log_height, 16U);
    const auto rows = fixed_range_rows();
    ASSERT_EQ(rows.size(), kHeight);
    for (std::uint32_t v = 0; v < kHeight; v += v % 256 == 2 && v != 0x7e02 ? 251 : 1) {
        const std::vector<KoalaBear> cells{KoalaBear(1), KoalaBear(1), KoalaBear(1),
                                           rows[v].v,    rows[v].high, rows[v].below};
        const std::uint32_t below = v < 0x7f00 ? v : 0;
        const auto atoms = evaluate_atoms(table.graph, cells, cells, [](KoalaBear x) { return x; });
        std::vector<std::vector<KoalaBear>> tuples;
        for (const Interaction& i : table.interactions) {
            EXPECT_EQ(evaluate_form(i.multiplicity, atoms, [](KoalaBear x) { return x; }), KoalaBear(1));
            tuples.push_back({KoalaBear(i.bus)});
            for (const LinearForm& f : i.tuple) {
                tuples.back().push_back(evaluate_form(f, atoms, [](KoalaBear x) { return x; }));
            }
        }
        const std::vector<std::vector<KoalaBear>> expected{{KoalaBear(kRange16Bus), KoalaBear(v)},
                                                           {KoalaBear(kSplitBus), KoalaBear(v), KoalaBear(v / 256)},
                                                           {KoalaBear(kHigh15Bus), KoalaBear(below)}};
        ASSERT_EQ(tuples, expected) << v;
    }
}

}  // namespace
}  // namespace quarry::circuits
