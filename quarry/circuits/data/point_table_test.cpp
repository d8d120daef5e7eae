#include "quarry/circuits/data/point_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/data/data_testing.hpp"

namespace quarry::circuits::point_table_test {
namespace {

using rollup::DataForm;
using testing::DataWitness;
using Faults = std::set<std::string>;
using Free = std::map<std::string, std::set<std::size_t>>;
using Rows = std::vector<PointRow<KoalaBear>>;
const KoalaBear kOne(1);

const Table& table() { return testing::table_of(DataTable::point); }

TEST(PointTable, NoCellIsFree) {
    const DataWitness some(DataForm::blob, testing::random_words(3));
    EXPECT_EQ(testing::free_data_cells(DataTable::point, some.point, {0}), Free());
    const DataWitness none(DataForm::horner, {});
    EXPECT_EQ(testing::free_data_cells(DataTable::point, none.point, {0}), Free());
}

TEST(PointTable, EachConstraintIsNeeded) {
    const DataWitness some(DataForm::blob, testing::random_words(3));
    const DataWitness none(DataForm::horner, {});
    const Faults left_by_none = testing::never_alone(table(), testing::columns_of_rows(none.point), {0, 1});
    Faults left;
    for (const std::string& name : testing::never_alone(table(), testing::columns_of_rows(some.point), {0, 1})) {
        if (left_by_none.contains(name)) left.insert(name);
    }
    const auto expect_alone = [&](const std::string& name, const Rows& bad) {
        EXPECT_EQ(broken_constraints(table(), testing::columns_of_rows(bad)), std::vector<std::string>{name});
        left.erase(name);
    };
    Rows bad = none.point;
    bad[0].words = bad[0].units = kOne;
    bad[0].spare = KoalaBear(7);
    expect_alone("empty.words", bad);
    bad = some.point;
    bad[0].is_real = KoalaBear(2);  // with a gap to twice the largest y
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        bad[0].value_gap[k] = KoalaBear(2 * (order_limbs()[k] - (k == 0 ? 1 : 0))) - bad[0].value[k];
    }
    expect_alone("is_real", bad);
    for (std::size_t k = 0; k + 1 < kFieldLimbs; ++k) {
        bad = some.point;
        bad[0].value_gap[k] += KoalaBear(1u << 17);
        bad[0].value_gap[k + 1] -= KoalaBear(2);
        expect_alone(indexed("value.carry", k), bad);
    }
    // Element i of the point is p - 1, or almost.
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const std::string index = "[" + std::to_string(i) + "]";
        const KoalaBear largest(127u << (8 - i));
        const auto with = [&](KoalaBear top, KoalaBear first, KoalaBear whole, KoalaBear last) {
            Rows rows = some.point;
            auto& row = rows[0];
            row.top[i] = top;
            if (i > 0) row.finish[i - 1] = first;
            row.z[2 * i] = whole;
            row.z[2 * i + 1] = last + (i + 1 < kDigestSize ? row.finish[i] * KoalaBear(1u << (15 - i)) : KoalaBear());
            return rows;
        };
        expect_alone("top" + index, with(KoalaBear(2), KoalaBear(), KoalaBear(), largest));
        expect_alone("top.last" + index, with(kOne, KoalaBear(), KoalaBear(), largest - kOne));
        expect_alone("top.whole" + index, with(kOne, KoalaBear(), kOne, largest));
        if (i > 0) expect_alone("top.first" + index, with(kOne, kOne, KoalaBear(), largest));
    }
    EXPECT_EQ(left, Faults());
}

// h[i] = p - 1 has the largest upper bits, and p itself (which is 0) has them too: only the first can be said.
TEST(PointTable, ElementsOfThePointAreCanonical) {
    const auto faults_with = [](std::uint32_t h, bool top) {
        rollup::DataStatement s = testing::data_statement(DataForm::horner, {});
        Rows rows = point_rows(s, testing::kMinerTag, {});
        auto& row = rows[0];
        row.z = {};
        row.finish = {};
        row.top = {};
        row.z[0] = KoalaBear(h & 0xffff);
        row.z[1] = KoalaBear(h >> 16);
        row.top[0] = KoalaBear(top ? 1 : 0);
        testing::DataVerdict verdict;
        verdict.check_rows(table(), rows);
        Faults faults = verdict.own_faults();
        faults.erase("lookup on bus 1");  // the point is no longer the hash
        return faults;
    };
    constexpr std::uint32_t p = KoalaBear::kModulus;
    EXPECT_EQ(faults_with(0, false), Faults());
    EXPECT_EQ(faults_with(p - 2, false), Faults());
    EXPECT_EQ(faults_with(p - 1, true), Faults());
    EXPECT_EQ(faults_with(p - 1, false), Faults{"lookup on bus 4"});
    EXPECT_EQ(faults_with(p, true), Faults{"point.top.whole[0]"});
    EXPECT_EQ(faults_with(p, false), Faults{"lookup on bus 4"});
    EXPECT_EQ(faults_with((1u << 31) - 1, false), Faults{"lookup on bus 4"});
}

// ADVERSARIAL, Tables: "units not computed in the circuit".
TEST(PointTable, UnitsAreWordsByEightRoundedUp) {
    for (const std::size_t n : {0, 1, 8, 9}) {
        const DataWitness honest(DataForm::horner, testing::random_words(n));
        EXPECT_EQ(testing::faults_of(honest), Faults()) << n;
        DataWitness w = honest;
        w.statement.work = rollup::leaf_work(testing::kMinerTag, honest.statement.work.units + 1);
        w.point[0].units += kOne;
        w.point[0].spare += KoalaBear(8);
        w.point[0].work = w.statement.work.root;
        EXPECT_EQ(testing::faults_of(w), Faults{"lookup on bus 2"}) << n;
    }
}

// Data that is not empty as if it were: the accumulator and the sum would be free.
TEST(PointTable, OnlyNoWordsAreEmpty) {
    DataWitness w(DataForm::blob, testing::random_words(2));
    w.point[0].empty = kOne;
    const auto faults = testing::faults_of(w);
    EXPECT_TRUE(faults.contains("point.empty.words"));
    EXPECT_TRUE(faults.contains("bus 40"));
    EXPECT_TRUE(faults.contains("bus 41"));
}

}  // namespace
}  // namespace quarry::circuits::point_table_test
