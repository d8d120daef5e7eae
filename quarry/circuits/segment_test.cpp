#include "quarry/circuits/segment.hpp"

#include <gtest/gtest.h>

namespace quarry::circuits::segment_test {
namespace {

TEST(SegmentHeights, PairsOfTablesHoldWhatTheyHoldTogether) {
    const auto with = [](std::initializer_list<std::pair<SegmentTable, unsigned>> heights) {
        Heights r(kSegmentTables, 10);
        for (const auto& [t, h] : heights) r[static_cast<std::size_t>(t)] = h;
        return r;
    };
    const Heights one = with({{SegmentTable::merkle, 15}, {SegmentTable::more_merkle, 0}});
    EXPECT_TRUE(heights_hold(one, one));
    EXPECT_TRUE(heights_hold(one, with({{SegmentTable::merkle, 13}, {SegmentTable::more_merkle, 12}})));
    EXPECT_FALSE(heights_hold(one, with({{SegmentTable::merkle, 15}, {SegmentTable::more_merkle, 9}})));
    const Heights two = with({{SegmentTable::merkle, 13}, {SegmentTable::more_merkle, 12}});
    EXPECT_TRUE(heights_hold(two, with({{SegmentTable::merkle, 13}, {SegmentTable::more_merkle, 0}})));
    EXPECT_FALSE(heights_hold(two, with({{SegmentTable::merkle, 14}, {SegmentTable::more_merkle, 0}})));
    const Heights hashes = with({{SegmentTable::hash, 14}, {SegmentTable::more_hash, 9}});
    EXPECT_TRUE(heights_hold(hashes, with({{SegmentTable::hash, 13}, {SegmentTable::more_hash, 12}})));
    EXPECT_FALSE(heights_hold(hashes, with({{SegmentTable::hash, 14}, {SegmentTable::more_hash, 10}})));
    EXPECT_TRUE(heights_hold(with({}), with({{SegmentTable::word, 0}})));
    EXPECT_FALSE(heights_hold(with({}), with({{SegmentTable::word, 11}})));
    EXPECT_FALSE(heights_hold(with({{SegmentTable::deposit, 0}}), with({})));
}

}  // namespace
}  // namespace quarry::circuits::segment_test
