#include "quarry/circuits/data/point_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/data/data_testing.hpp"

namespace quarry::circuits {
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
    // top, with the cells that it would excuse.
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const std::string index = "[" + std::to_string(i) + "]";
        const auto bits = static_cast<unsigned>(i);
        const auto expect_alone = [&](const std::string& name, KoalaBear first, KoalaBear whole, KoalaBear last) {
            Rows rows = some.point;
            auto& row = rows[0];
            row.top[i] = kOne;
            if (i > 0) row.finish[i - 1] = first;
            row.z[2 * i] = whole;
            const KoalaBear next = i + 1 < kDigestSize ? row.finish[i] * KoalaBear(1u << (15 - bits)) : KoalaBear();
            row.z[2 * i + 1] = last + next;
            // The limb before holds this element's first bits.
            EXPECT_EQ(broken_constraints(table(), testing::columns_of_rows(rows)), std::vector<std::string>{name});
            left.erase(name);
        };
        const KoalaBear largest(127u << (8 - bits));
        expect_alone("top.last" + index, KoalaBear(), KoalaBear(), largest - kOne);
        expect_alone("top.whole" + index, KoalaBear(), kOne, largest);
        if (i > 0) expect_alone("top.first" + index, kOne, KoalaBear(), largest);
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
}  // namespace quarry::circuits
