#include "quarry/circuits/data/field_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/data/data_testing.hpp"

namespace quarry::circuits::field_table_test {
namespace {

using rollup::BlsScalar;
using rollup::DataForm;
using testing::DataWitness;
using Faults = std::set<std::string>;
const KoalaBear kOne(1);

const Table& table() { return testing::table_of(DataTable::field); }

// The integers behind a gate's equations cannot reach p: then an equation modulo p is one of integers.
TEST(FieldCells, EquationsDoNotWrap) {
    constexpr std::int64_t kProducts = 31 * 255 * 255 + 256 * 32 * std::int64_t{255} * 255;  // a column of 16 bits
    constexpr std::int64_t kAddend = std::int64_t{4096} * 65535;  // scale r, or scale out; the sums are below 2^27
    constexpr std::int64_t kCarry = kCarryBound + (std::int64_t{kCarryBound} << 16);
    static_assert(kAddend > std::int64_t{1} << 27);
    // (alpha a + beta) adds up to 1 to the lowest byte.
    constexpr std::int64_t kBeta = 255 * 257;
    EXPECT_LT(kProducts + kBeta + kAddend + kCarry, std::int64_t{KoalaBear::kModulus});
    // What honest carries need is let pass.
    EXPECT_LT((kProducts + kBeta + kAddend) / 65535 + 1, std::int64_t{kCarryBound});
}

TEST(FieldCells, GatesHoldForExtremeNumbers) {
    FieldNumber largest;
    largest.fill(~std::uint64_t{0});
    const FieldNumber below_order = (-BlsScalar(1)).limbs();
    for (const FieldNumber& x : {FieldNumber{}, FieldNumber{1}, below_order}) {
        for (const FieldNumber& y : {FieldNumber{}, FieldNumber{1}, below_order}) {
            LimbsOf<std::int64_t> addend{};
            const FieldNumber product = (BlsScalar::from_limbs(x) * BlsScalar::from_limbs(y)).limbs();
            add_limbs_of(addend, product, -1);
            const auto gate = gate_cells(x, y, addend);
            for (const KoalaBear carry : gate.carry) {
                EXPECT_LT((carry + KoalaBear(kCarryBound)).canonical(), 2 * kCarryBound);
            }
        }
    }
    EXPECT_EQ(field_cells(largest).high[15], KoalaBear(255));
    EXPECT_EQ(field_cells(largest).limb[0], KoalaBear(65535));
}

// Free are numbers that a step multiplies by 0: a and b where the sum is reduced, a in the horner form's last step, the
// addend wherever there is none.
TEST(FieldTable, NoCellIsFreeSlow) {
    using Free = std::map<std::string, std::set<std::size_t>>;
    const DataWitness blob(DataForm::blob, testing::random_words(3));
    EXPECT_EQ(testing::free_data_cells(DataTable::field, blob.field, {0, 12, 13}),
              (Free{{"a.limb", {12}}, {"addend", {0, 13}}, {"b.limb", {12}}}));
    const DataWitness horner(DataForm::horner, testing::random_words(3));
    EXPECT_EQ(testing::free_data_cells(DataTable::field, horner.field, {0, 12, 13}),
              (Free{{"a.limb", {12, 13}}, {"addend", {0, 13}}, {"b.limb", {12}}}));
}

TEST(FieldTable, EachConstraintIsNeeded) {
    const DataWitness w(DataForm::blob, testing::random_words(3));
    Faults left;
    for (const Constraint& c : table().constraints) left.insert(c.name);
    const Columns honest = testing::columns_of_rows(w.field);
    const std::size_t padding = w.field.size();
    const auto expect_alone = [&](const std::string& name, const Columns& bad) {
        EXPECT_EQ(testing::broken_around(table(), bad, padding), Faults{name});
        left.erase(name);
    };
    // A wrong quotient, and carries that hide it in all equations but one.
    for (std::size_t open = 0; open < 32; ++open) {
        Columns columns = honest;
        columns[testing::column_of(table(), "gate.quotient.limb[0]")][1] += kOne;
        testing::close_gate_but(table(), columns, 1, {"gate", "gate"}, open);
        expect_alone(indexed("gate", open), columns);
    }
    // A row that nobody ordered takes or puts a number.
    for (const auto& [name, cell] :
         {std::pair("is_real", "is_real"), std::pair("padding.alpha", "step.alpha"),
          std::pair("padding.uses_b", "step.uses_b"), std::pair("padding.uses_out", "step.uses_out"),
          std::pair("padding.uses_addend", "step.uses_addend")}) {
        Columns columns = honest;
        columns[testing::column_of(table(), cell)][padding] = KoalaBear(2);
        expect_alone(name, columns);
    }
    EXPECT_EQ(left, Faults());
}

// y + r is the same number modulo r, and not what L1 means: the circuit takes the one below r only.
TEST(FieldTable, AValueAboveTheOrderIsRefused) {
    DataWitness w(DataForm::blob, testing::random_words(3));
    FieldNumber value = rollup::Bls12381::kOrder;
    FieldNumber y{};
    for (std::size_t i = 0; i < 32; ++i) y[i / 8] |= std::uint64_t{w.statement.value[31 - i]} << (8 * (i % 8));
    ASSERT_EQ(add_limbs(value, y), 0U);
    for (std::size_t i = 0; i < 32; ++i) {
        w.statement.value[31 - i] = static_cast<std::uint8_t>(value[i / 8] >> (8 * (i % 8)));
    }
    const LimbsOf<KoalaBear> sum = w.point[0].sum;
    w.point = point_rows(w.statement, testing::kMinerTag, sum);
    // The arithmetic is right: 4096 r is 4096 more multiples of r.
    auto& last = w.field.back();
    last.out = field_cells(value);
    FieldNumber quotient{};
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        quotient[k / 4] |= std::uint64_t{last.gate.quotient.limb[k].canonical()} << (16 * (k % 4));
    }
    LimbsOf<std::int64_t> addend{};
    add_limbs_of(addend, rollup::Bls12381::kOrder, 4096);
    add_limbs_of(addend, value, -4096);
    FieldNumber a{}, b{};
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        a[k / 4] |= std::uint64_t{last.a.limb[k].canonical()} << (16 * (k % 4));
        b[k / 4] |= std::uint64_t{last.b.limb[k].canonical()} << (16 * (k % 4));
    }
    subtract_limbs(a, FieldNumber{1});
    last.gate = gate_cells(a, b, addend);
    const auto faults = testing::faults_of(w);
    EXPECT_EQ(faults, (Faults{"point.value.top"}));
}

}  // namespace
}  // namespace quarry::circuits::field_table_test
