#include "quarry/node/development_keys.hpp"

#include <gtest/gtest.h>

#include <set>

namespace quarry::node::development_keys_test {
namespace {

TEST(DevelopmentKeys, PublicKeysAreThoseOfTheSecrets) {
    const DevelopmentKeys keys(7);
    // Over a chunk's border, and a last chunk of one key.
    const auto all = keys.public_keys(0, 2049);
    for (const std::size_t i : {0U, 1U, 2U, 1022U, 1023U, 1024U, 1025U, 2047U, 2048U})
        EXPECT_EQ(all[i], keys.secret(i).public_key()) << i;
    const auto some = keys.public_keys(1000, 30);
    for (std::size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i], all[1000 + i]) << i;
    EXPECT_TRUE(keys.public_keys(5, 0).empty());
}

TEST(DevelopmentKeys, FollowEachOtherByOneGenerator) {
    const DevelopmentKeys keys(1);
    const auto two = keys.public_keys(41, 2);
    EXPECT_EQ(add<KB11>(two[0].point(), AffinePoint<KB11>::generator()).affine().value(), two[1].point());
}

TEST(DevelopmentKeys, DependOnSeedAndNumber) {
    std::set<std::array<std::uint8_t, 44>> keys;
    std::set<std::array<std::uint8_t, 20>> addresses;
    for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 40, ~0ULL}) {
        const DevelopmentKeys of_seed(seed);
        for (const std::uint64_t i : {0ULL, 1ULL, 1ULL << 40}) {
            keys.insert(of_seed.secret(i).public_key().encode());
            addresses.insert(of_seed.address(i).bytes);
        }
        addresses.insert(of_seed.hub_address().bytes);
        EXPECT_EQ(DevelopmentKeys(seed).secret(3).public_key(), of_seed.secret(3).public_key());
    }
    EXPECT_EQ(keys.size(), 12U);
    EXPECT_EQ(addresses.size(), 16U);
}

}  // namespace
}  // namespace quarry::node::development_keys_test
