#include "quarry/recursion/pinned_keys.hpp"

#include <gtest/gtest.h>

#include "quarry/recursion/catalog.hpp"

namespace quarry::recursion::pinned_keys_test {
namespace {

/// A key is of rows in the order in which the verifier's text asks for them. If an expression leaves that order to the
/// compiler, one compiler's circuits do not have the keys that another's have.
bool has_pinned_key(const Catalog& catalog, const char* kind) {
    const auto place = find_node_kind(kind);
    return place && catalog.find_proving_key(*place, catalog.blank(*place)) != nullptr;
}

TEST(PinnedKeys, DescribeTheseCircuits) { EXPECT_TRUE(are_current(pinned_keys())); }

TEST(PinnedKeys, AreOfTheRowsThatEveryCompilerMakes) {
    const Catalog catalog(pinned_keys());
    for (const char* kind : {"batch 512", "batch of two parts"}) EXPECT_TRUE(has_pinned_key(catalog, kind)) << kind;
}

TEST(PinnedKeys, AreNotOfOtherRows) {
    const Catalog catalog(pinned_keys());
    const auto data = find_node_kind("data");
    const auto effects = find_node_kind("effects");
    ASSERT_TRUE(data && effects);
    EXPECT_EQ(catalog.find_proving_key(*data, catalog.blank(*effects)), nullptr);
}

}  // namespace
}  // namespace quarry::recursion::pinned_keys_test
