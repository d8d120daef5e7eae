#include "quarry/recursion/tables/wire_rows.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/rows.hpp"
#include "quarry/recursion/tables/tables_testing.hpp"

namespace quarry::recursion::wire_rows_test {
namespace {

using quarry::testing::free_cells;
using quarry::testing::never_alone;
using testing::world_table;
using testing::WorldTable;
using Names = std::vector<std::string>;

const KoalaBear kOne(1);
const KoalaBear kHalf = KoalaBear(2).inverse();

TEST(PackTable, OnlyCellsOfNoWireAreFree) {
    const WorldTable w = world_table(TableKind::pack);
    for (const std::string& cell : free_cells(*w.table, w.columns, w.rows())) {
        const std::size_t row = std::stoul(cell.substr(cell.rfind(' ') + 1));
        EXPECT_FALSE(w.is_set("results", row)) << cell;
        // A row that takes a base wire off its bus without a use for it has room for four more elements.
        EXPECT_FALSE(cell.starts_with("x[0]") && w.is_set("reads_first", row)) << cell;
        EXPECT_FALSE(w.is_set("reads_rest", row) || (w.is_set("lifts", row) && !cell.starts_with("x[0]"))) << cell;
    }
}
TEST(PackTable, EachConstraintIsNeeded) {
    const WorldTable w = world_table(TableKind::pack);
    EXPECT_EQ(never_alone(*w.table, w.columns, w.rows()), std::set<std::string>{});
}

TEST(DigestTable, OnlyUnusedRowsHaveFreeCells) {
    const WorldTable w = world_table(TableKind::digest);
    for (const std::string& cell : free_cells(*w.table, w.columns, w.rows())) {
        const std::size_t row = std::stoul(cell.substr(cell.rfind(' ') + 1));
        for (const char* use : {"reads", "firsts", "seconds", "lifts"}) EXPECT_FALSE(w.is_set(use, row)) << cell;
    }
    EXPECT_TRUE(w.table->constraints.empty());
}

TEST(ConstantTable, NoCellIsFree) {
    const WorldTable w = world_table(TableKind::constant);
    EXPECT_EQ(free_cells(*w.table, w.columns, w.rows()), Names{});
    EXPECT_EQ(never_alone(*w.table, w.columns, w.rows()), std::set<std::string>{});
}

TEST(IndexTableCells, NoCellIsFree) {
    const WorldTable w = world_table(TableKind::index);
    EXPECT_EQ(free_cells(*w.table, w.columns, w.rows()), Names{});
}

/// A row of the index table alone, and what its wires would be.
class IndexTableTest : public ::testing::Test {
  protected:
    const Table table = make_table<IndexTable>(kMinLogHeight);
    using Row = IndexRow<KoalaBear>;
    using Fixed = IndexFixed<KoalaBear>;

    static Fixed reading(std::initializer_list<std::uint64_t> readers) {
        Fixed fixed{.base = KoalaBear(1000), .reads = kOne, .bits = KoalaBear(2000), .point = kOne, .points = kOne};
        std::size_t i = 0;
        for (const std::uint64_t r : readers) fixed.used[i++] = KoalaBear(r);
        return fixed;
    }
    [[nodiscard]] static Columns columns(const Row& row, const Fixed& fixed) {
        Columns all = circuits::columns_of(std::span(&row, 1), 1);
        for (auto& c : circuits::columns_of(std::span(&fixed, 1), 1)) all.push_back(std::move(c));
        return all;
    }
    [[nodiscard]] Names broken(const Row& row, const Fixed& fixed) const {
        return broken_constraints(table, columns(row, fixed));
    }
    /// Bits of a number below 2^31, whatever its size, with the products and the flag that follow from them.
    static Row row_of_bits(const std::array<KoalaBear, kElementBits>& bits, const Fixed& fixed, KoalaBear x) {
        Row row{};
        row.x = x;
        row.bits = bits;
        follow(row, fixed);
        return row;
    }
    static void follow(Row& row, const Fixed& fixed) {
        row.top = kOne;
        for (std::size_t i = kIndexBitLimit; i < kElementBits; ++i) row.top *= row.bits[i];
        KoalaBear product(1);
        for (std::size_t i = 0; i < kIndexBitLimit; ++i) {
            const KoalaBear factor = KoalaBear::two_adic_root(static_cast<unsigned>(i + 1)) - kOne;
            if (!fixed.used[i].is_zero()) product *= kOne + row.bits[i] * factor;
            if (i % kPointStep == kPointStep - 1) row.products[i / kPointStep] = product;
        }
    }
    static std::array<KoalaBear, kElementBits> bits_of(std::uint64_t number) {
        std::array<KoalaBear, kElementBits> bits;
        for (std::size_t i = 0; i < kElementBits; ++i) bits[i] = KoalaBear(number >> i & 1);
        return bits;
    }
};

constexpr std::uint64_t kP = KoalaBear::kModulus;

TEST_F(IndexTableTest, TakesEveryElementInItsCanonicalFormOnly) {
    const Fixed fixed = reading({1, 1, 2, 0, 1});
    for (const std::uint64_t x : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{5}, (std::uint64_t{1} << 24) - 2,
                                  (std::uint64_t{1} << 24) - 1, std::uint64_t{1} << 24, kP - 2, kP - 1}) {
        EXPECT_EQ(broken(row_of_bits(bits_of(x), fixed, KoalaBear(x)), fixed), Names{}) << x;
        // Another number that is x modulo p: below 2^31 there is one exactly for x < 2^24 - 1.
        if (((x + kP) >> kElementBits) != 0) continue;
        EXPECT_EQ(broken(row_of_bits(bits_of(x + kP), fixed, KoalaBear(x)), fixed), Names{"canonical"}) << x;
    }
}

TEST_F(IndexTableTest, BitsAreBits) {
    const Fixed fixed = reading({1, 2, 1, 1, 0, 1});
    for (std::size_t i = 0; i < kElementBits; ++i) {
        // 2 2^i for 2^(i+1), 2^30/2 for 2^29: the same x.
        auto bits = bits_of(i + 1 < kElementBits ? std::uint64_t{2} << i : std::uint64_t{1} << (i - 1));
        const Row honest = row_of_bits(
            bits, fixed, KoalaBear(i + 1 < kElementBits ? std::uint64_t{2} << i : std::uint64_t{1} << (i - 1)));
        EXPECT_EQ(broken(honest, fixed), Names{});
        if (i + 1 < kElementBits) {
            bits[i] = KoalaBear(2);
            bits[i + 1] = KoalaBear();
        } else {
            bits[i] = kHalf;
            bits[i - 1] = KoalaBear();
        }
        EXPECT_EQ(broken(row_of_bits(bits, fixed, honest.x), fixed), Names{indexed("bit", i)});
    }
}

TEST_F(IndexTableTest, EachOtherConstraintIsNeeded) {
    const Fixed fixed = reading({1, 2, 1, 1, 0, 1});
    const Row honest = row_of_bits(bits_of(0b101101), fixed, KoalaBear(0b101101));
    Row bad = honest;
    bad.x += kOne;
    EXPECT_EQ(broken(bad, fixed), Names{"x"});
    // A flag that denies that the top bits are set, for a number that is not canonical.
    bad = row_of_bits(bits_of(kP + 4), fixed, KoalaBear(4));
    bad.top = KoalaBear();
    EXPECT_EQ(broken(bad, fixed), Names{"top"});
    for (std::size_t j = 0; j < kIndexBitLimit / kPointStep; ++j) {
        bad = honest;
        const KoalaBear factor(7);
        for (std::size_t k = j; k < kIndexBitLimit / kPointStep; ++k) bad.products[k] *= factor;
        EXPECT_EQ(broken(bad, fixed), Names{indexed("product", j)});
    }
}

// Bits with no reader, with one and with two: the point has a factor for each bit with a reader, once; the bus has the
// bit as often as it is read.
TEST_F(IndexTableTest, ReadersOfBits) {
    const std::uint64_t x = 0b110111;
    const Fixed fixed = reading({0, 1, 2, 1, 0, 2});
    const Row row = row_of_bits(bits_of(x), fixed, KoalaBear(x));
    EXPECT_EQ(broken(row, fixed), Names{});
    KoalaBear point(1);
    for (const unsigned i : {1U, 2U, 5U}) point *= KoalaBear::two_adic_root(i + 1);
    EXPECT_EQ(row.products.back(), point);
    quarry::testing::BusSums sums;
    sums.add_row(table, quarry::testing::atoms_at(table, columns(row, fixed), 0));
    const auto total = [&](std::uint32_t bus, const std::vector<std::uint64_t>& tuple) {
        std::vector<std::uint32_t> key{bus};
        for (const std::uint64_t v : tuple) key.push_back(KoalaBear(v).canonical());
        const auto it = sums.sums().find(key);
        return it == sums.sums().end() ? KoalaBear() : it->second;
    };
    for (std::uint64_t i = 0; i < kIndexBitLimit; ++i) {
        EXPECT_EQ(total(kBaseBus, {2000 + i, x >> i & 1}), fixed.used[i]) << i;
        EXPECT_EQ(total(kBaseBus, {2000 + i, 1 - (x >> i & 1)}), KoalaBear()) << i;
    }
    EXPECT_EQ(total(kBaseBus, {1000, x}), -kOne);
    EXPECT_EQ(total(kExtensionBus, {1, point.canonical(), 0, 0, 0, 0}), kOne);
    // The row that the builder makes is this one when its first bits have readers.
    const Fixed first = reading({1, 2, 1, 1});
    const Row made = IndexTable::make_row(KoalaBear(x), 4);
    EXPECT_EQ(columns(made, first), columns(row_of_bits(bits_of(x), first, KoalaBear(x)), first));
    // Bits 4 and up have no reader: a point with a factor for them is another one.
    EXPECT_NE(broken(IndexTable::make_row(KoalaBear(x), 5), first), Names{});
}

// A bit with three readers would be no factor (u (3 - u) / 2 = 0): the builder never gives it a third.
TEST_F(IndexTableTest, ABitHasTwoReadersAtMost) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto build = [](int readers) {
        CircuitBuilder b;
        SpongeWires sponge(b);
        for (std::uint64_t i = 0; i < kBlock; ++i) (void)sponge.absorb(KoalaBear(i));
        const auto [address, value] = sponge.squeeze();
        const IndexWires index = b.index(address, value, 1);
        for (int i = 0; i < readers; ++i) b.require_equal(index.bits, b.base_witness(KoalaBear(index.value)));
        b.expose(b.constant(Digest{}));
        return std::move(b).finish();
    };
    for (const int readers : {1, 2}) EXPECT_EQ(testing::LaidOut(build(readers)).complaint(Digest{}), "") << readers;
    EXPECT_DEATH((void)build(3), "");
}

}  // namespace
}  // namespace quarry::recursion::wire_rows_test
