#include "quarry/recursion/tables/poseidon_rows.hpp"

#include <gtest/gtest.h>

#include "quarry/recursion/tables/tables_testing.hpp"

namespace quarry::recursion::poseidon_rows_test {
namespace {

using quarry::testing::free_cells;
using quarry::testing::recompute_after;
using testing::world_table;
using testing::WorldTable;
using Names = std::vector<std::string>;

const KoalaBear kOne(1);

/// The last cell that is a function of those before it.
std::size_t last_defined(const WorldTable& w) {
    return w.table->name == SpongeTable::kName ? w.column("out", kPoseidonWidth - 1) : w.column("result", kBlock - 1);
}
/// Everything behind column `c` of a row as it follows.
void follow(const WorldTable& w, Columns& columns, std::size_t row, std::size_t c) {
    recompute_after(*w.table, columns, row, c, last_defined(w));
}
void follow(const WorldTable& w, Columns& columns, std::size_t row) {
    follow(w, columns, row, w.column("in", kPoseidonWidth - 1));
}

/// Adds `by` to an input of a row and lets everything in the row follow.
Columns with_input(const WorldTable& w, std::size_t row, std::size_t i, KoalaBear by = kOne) {
    Columns bad = w.columns;
    bad[w.column("in", i)][row] += by;
    follow(w, bad, row);
    return bad;
}

/// Each constraint that defines a cell from cells before it in its row: a lie with everything after it recomputed, in a
/// row after which nothing goes on.
void expect_cells_are_defined(const WorldTable& w, std::size_t row, std::set<std::string>& left) {
    for (std::size_t c = w.column("after_2", 0); c <= last_defined(w); ++c) {
        const std::string& name = w.table->columns[c];
        Columns bad = w.columns;
        bad[c][row] += kOne;
        follow(w, bad, row, c);
        const quarry::testing::Neighbourhood changed(*w.table, bad, row);
        EXPECT_EQ(changed.broken, std::set<std::string>{name});
        left.erase(name);
    }
}
std::set<std::string> all_names(const Table& table) {
    std::set<std::string> names;
    for (const Constraint& c : table.constraints) names.insert(c.name);
    return names;
}
/// `bad` differs from the honest columns in `row` only, and breaks this constraint alone.
void expect_alone(const WorldTable& w, const Columns& bad, std::size_t row, const std::string& name,
                  std::set<std::string>& left) {
    const quarry::testing::Neighbourhood changed(*w.table, bad, row);
    EXPECT_EQ(changed.broken, std::set<std::string>{name}) << "row " << row;
    left.erase(name);
}

TEST(SpongeTable, NoCellIsFree) {
    const WorldTable w = world_table(TableKind::sponge);
    EXPECT_EQ(free_cells(*w.table, w.columns, {0, 1, 2, w.num_rows - 1, w.num_rows, w.columns[0].size() - 1}), Names{});
}

TEST(SpongeTable, EachConstraintIsNeeded) {
    const WorldTable w = world_table(TableKind::sponge);
    auto left = all_names(*w.table);
    const auto ends = [&](std::size_t r) { return !w.is_set("gives", r) && !w.is_set("carries", r); };
    const std::size_t single = w.row_where([&](std::size_t r) { return ends(r) && w.is_set("start", r); });
    const std::size_t last = w.row_where([&](std::size_t r) { return ends(r) && !w.is_set("start", r); });
    ASSERT_TRUE(w.is_set("carries", last - 1));
    expect_cells_are_defined(w, single, left);
    for (std::size_t i = kBlock; i < kPoseidonWidth; ++i) {
        // A transcript that starts with another capacity.
        expect_alone(w, with_input(w, single, i), single, indexed("start", i), left);
    }
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        // A squeeze from another rate; one whose capacity forgets what it saw.
        expect_alone(w, with_input(w, last, i), last, indexed("carried", i), left);
    }
    // Elements behind the end of a partial block, with everything that follows from them: the sponge goes on with the
    // rows that the lie makes.
    const auto with_rate = [](const WorldTable& of, std::size_t row, std::size_t i, KoalaBear by) {
        Columns bad = with_input(of, row, i, by);
        for (std::size_t r = row; of.is_set("carries", r); ++r) {
            for (std::size_t k = 0; k < kPoseidonWidth; ++k) {
                bad[of.column("in", k)][r + 1] = bad[of.column("out", k)][r];
            }
            follow(of, bad, r + 1);
        }
        return bad;
    };
    std::size_t shortest = 0;
    for (std::size_t row = 0; row < w.num_rows; ++row) {
        if (!w.is_set("absorbs", row) || w.is_set("write_5", row)) continue;
        for (std::size_t i = w.is_set("write_2", row) ? 5 : 2; i < kBlock; ++i) {
            if (!left.contains(indexed("padding", i))) continue;
            EXPECT_EQ(w.broken(with_rate(w, row, i, kOne)), Names{indexed("padding", i)});
            left.erase(indexed("padding", i));
        }
        if (!w.is_set("write_2", row)) shortest = row;
    }
    // A block that is absorbed has an element, so that its first two are on wires. Where they were not they would be
    // zero.
    WorldTable without = w;
    without.columns[w.column("write_0")][shortest] = KoalaBear();
    EXPECT_EQ(w.broken(without.columns), Names{"padding[0]"});
    without.columns = with_rate(without, shortest, 0, -w.at("in[0]", shortest));
    EXPECT_EQ(w.broken(without.columns), Names{});
    EXPECT_EQ(w.broken(with_rate(without, shortest, 1, kOne)), Names{"padding[1]"});
    left.erase("padding[0]");
    left.erase("padding[1]");
    EXPECT_EQ(left, std::set<std::string>{});
}

// The number of elements of a partial block enters the capacity: blocks that differ in padding only are different.
TEST(SpongeTable, PartialBlocksAreCounted) {
    const WorldTable w = world_table(TableKind::sponge);
    const std::size_t row = w.row_where([&](std::size_t r) { return w.is_set("count", r); });
    EXPECT_TRUE(w.is_set("absorbs", row + 1));
    EXPECT_EQ(w.at("in[8]", row + 1), w.at("out[8]", row) + w.at("count", row));
    const Columns bad = with_input(w, row + 1, kBlock, -w.at("count", row));
    const quarry::testing::Neighbourhood honest(*w.table, w.columns, row + 1);
    const quarry::testing::Neighbourhood changed(*w.table, bad, row + 1);
    EXPECT_NE(changed.sums, honest.sums);
}

// "A transcript that forgets": the capacity that a block starts with is the one that the block before it ended with,
// whichever tables their rows are in.
TEST(SpongeTable, CapacitiesGoOverTheBus) {
    const auto transcript = [](const std::vector<std::size_t>& heights) {
        CircuitBuilder b;
        SpongeWires sponge(b);
        for (std::uint64_t i = 0; i < kBlock * 700; ++i) (void)sponge.absorb(KoalaBear(i));
        for (int i = 0; i < 20; ++i) (void)sponge.squeeze();
        b.expose(b.constant(Digest{}));
        const CircuitRows rows = std::move(b).finish();
        ShapeHeights shape = fit(rows);
        if (!heights.empty()) shape[static_cast<std::size_t>(TableKind::sponge)].assign(heights.begin(), heights.end());
        return testing::LaidOut(rows, shape);
    };
    const testing::LaidOut two = transcript({9, 9});
    ASSERT_EQ(two.circuit->tables()[1].name, SpongeTable::kName);
    EXPECT_EQ(two.complaint(Digest{}), "");
    EXPECT_EQ(transcript({}).complaint(Digest{}), "");
    // The last row of the first table, and the first of the second, with everything in the row as it follows.
    for (const std::size_t t : {std::size_t{0}, std::size_t{1}}) {
        const Table& table = two.circuit->tables()[t];
        Columns bad = two.columns()[t];
        const std::size_t row = t == 0 ? bad[0].size() - 1 : 0;
        const quarry::testing::Neighbourhood honest(table, bad, row);
        ASSERT_TRUE(honest.broken.empty());
        const WorldTable w{&table, bad, bad[0].size()};
        const Columns changed = with_input(w, row, kBlock + 3);
        const quarry::testing::Neighbourhood lie(table, changed, row);
        EXPECT_TRUE(lie.broken.empty());
        EXPECT_NE(lie.sums, honest.sums);
    }
}

TEST(TreeTable, OnlyBitsOfNoStepAreFree) {
    const WorldTable w = world_table(TableKind::tree);
    std::vector<std::size_t> rows{w.num_rows, w.columns[0].size() - 1};
    // Every pattern of flags twice.
    std::map<std::vector<bool>, int> seen;
    for (std::size_t r = 0; r < w.num_rows; ++r) {
        std::vector<bool> flags{r > 0 && w.is_set("path", r - 1), r > 0 && w.is_set("leaf", r - 1)};
        for (const char* f : {"reads_left", "reads_right", "reads_bit", "writes_block", "results", "leaf", "path"}) {
            flags.push_back(w.is_set(f, r));
        }
        flags.push_back(w.is_set("bit", r));
        if (++seen[flags] <= 2) rows.push_back(r);
    }
    EXPECT_GT(seen.size(), 7U);
    std::size_t num_free = 0;
    for (const std::string& cell : free_cells(*w.table, w.columns, rows)) {
        const std::size_t row = std::stoul(cell.substr(cell.rfind(' ') + 1));
        EXPECT_TRUE(cell.starts_with("bit ")) << cell;
        EXPECT_FALSE(w.is_set("reads_bit", row) || (row > 0 && w.is_set("path", row - 1))) << cell;
        ++num_free;
    }
    EXPECT_GT(num_free, 0U);
}

TEST(TreeTable, EachConstraintIsNeeded) {
    const WorldTable w = world_table(TableKind::tree);
    auto left = all_names(*w.table);
    const auto ends = [&](std::size_t r) { return !w.is_set("leaf", r) && !w.is_set("path", r); };
    const std::size_t compression = w.row_where([&](std::size_t r) { return w.is_set("reads_right", r); });
    ASSERT_TRUE(ends(compression));
    expect_cells_are_defined(w, compression, left);
    const std::size_t block = w.row_where([&](std::size_t r) { return r > 0 && w.is_set("leaf", r - 1) && ends(r); });
    const std::size_t step = w.row_where([&](std::size_t r) { return r > 0 && w.is_set("path", r - 1) && ends(r); });
    for (std::size_t i = 0; i < kBlock; ++i) {
        // The next block of a leaf with another digest of those before; a step from another node.
        expect_alone(w, with_input(w, block, i), block, indexed("leaf", i), left);
        const std::size_t half = w.is_set("bit", step) ? kBlock : 0;
        expect_alone(w, with_input(w, step, half + i), step, indexed("path", i), left);
    }
    // A bit of 3 that says "node" of two siblings that have nothing to do with it: any path would do.
    Columns bad = w.columns;
    const std::size_t free_step = w.row_where(
        [&](std::size_t r) { return r > 0 && w.is_set("path", r - 1) && ends(r) && !w.is_set("reads_bit", r); });
    const KoalaBear bit(3);
    bad[w.column("bit")][free_step] = bit;
    for (std::size_t i = 0; i < kBlock; ++i) {
        const KoalaBear node = w.columns[w.column("result", i)][free_step - 1];
        const KoalaBear forged(100 + i);
        bad[w.column("in", i)][free_step] = forged;
        bad[w.column("in", kBlock + i)][free_step] = forged + (node - forged) * bit.inverse();
    }
    follow(w, bad, free_step);
    expect_alone(w, bad, free_step, "bit", left);
    EXPECT_EQ(left, std::set<std::string>{});
}

// "sibling order": node and sibling swapped, or the bit alone.
TEST(TreeTable, SiblingsHaveAnOrder) {
    const WorldTable w = world_table(TableKind::tree);
    for (std::size_t row = 1; row < w.num_rows; ++row) {
        if (!w.is_set("path", row - 1)) continue;
        Columns bad = w.columns;
        bad[w.column("bit")][row] = kOne - bad[w.column("bit")][row];
        quarry::testing::Neighbourhood changed(*w.table, bad, row);
        EXPECT_TRUE(changed.broken.contains("path[0]")) << row;
        if (w.is_set("path", row)) continue;  // the next step would have to follow
        for (std::size_t i = 0; i < kBlock; ++i) {
            std::swap(bad[w.column("in", i)][row], bad[w.column("in", kBlock + i)][row]);
        }
        follow(w, bad, row);
        // With both it is a step of another path: the bit that the bus has, or the root, tells.
        changed = quarry::testing::Neighbourhood(*w.table, bad, row);
        EXPECT_FALSE(changed.broken.contains("path[0]")) << row;
        const quarry::testing::Neighbourhood honest(*w.table, w.columns, row);
        EXPECT_TRUE(!changed.broken.empty() || changed.sums != honest.sums) << row;
    }
}

TEST(UpperTable, OnlyNumbersOfUnusedRowsAreFree) {
    const WorldTable w = world_table(TableKind::upper);
    const std::size_t last = w.columns[0].size() - 1;
    ASSERT_LT(w.num_rows, last);
    EXPECT_EQ(free_cells(*w.table, w.columns, w.rows()),
              (Names{"number at row " + std::to_string(w.num_rows), "number at row " + std::to_string(last)}));
}

TEST(UpperTable, EachConstraintIsNeeded) {
    const WorldTable w = world_table(TableKind::upper);
    auto left = all_names(*w.table);
    expect_cells_are_defined(w, 0, left);
    // "free multiplicity on padding rows": a row that takes no node would give any two that it likes.
    for (const char* count : {"lefts", "rights"}) {
        Columns bad = w.columns;
        bad[w.column(count)][w.num_rows] = kOne;
        expect_alone(w, bad, w.num_rows, count, left);
    }
    EXPECT_EQ(left, std::set<std::string>{});
}

TEST(CapTable, OnlyNodesOfUnusedRowsAreFree) {
    const WorldTable w = world_table(TableKind::cap);
    for (const std::string& cell : free_cells(*w.table, w.columns, w.rows())) {
        EXPECT_TRUE(cell.starts_with("x[")) << cell;
        EXPECT_FALSE(w.is_set("reads", std::stoul(cell.substr(cell.rfind(' ') + 1)))) << cell;
    }
    EXPECT_EQ(quarry::testing::never_alone(*w.table, w.columns, w.rows()), std::set<std::string>{});
}

// No two trees have a level in common, a level of 2^d nodes has 2^d rows, and each level is the next one's parent: a
// tuple is above its children whatever the prover writes.
TEST(UpperTable, LevelsRiseFromTheRootAndAreNotShared) {
    const CircuitRows rows = testing::small_world();
    std::map<std::uint32_t, std::size_t> rows_of;
    for (const auto& fixed : rows.upper.fixed) ++rows_of[fixed.level.canonical()];
    std::set<std::uint32_t> seen;
    std::uint32_t root = 0;
    std::size_t num_trees = 0;
    for (const auto& fixed : rows.cap.fixed) {
        const std::uint32_t level = fixed.level.canonical();
        if (fixed.sends == kOne) {
            ++num_trees;
            root = level;
            for (unsigned depth = 0; depth < 2; ++depth) {
                EXPECT_TRUE(seen.insert(root + depth).second);
                EXPECT_EQ(rows_of[root + depth], std::size_t{1} << depth);
            }
            EXPECT_TRUE(seen.insert(root + 2).second);
            EXPECT_EQ(rows_of.count(root + 2), 0U);
        } else {
            EXPECT_EQ(level, root + 2);
        }
    }
    EXPECT_EQ(num_trees, 2U);
}

}  // namespace
}  // namespace quarry::recursion::poseidon_rows_test
