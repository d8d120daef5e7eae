#include "quarry/node/prover/first_block.hpp"

#include <gtest/gtest.h>

namespace quarry::node::prover {
namespace {

using ethereum::Answer;

TEST(FirstBlock, IsFoundWithFewQuestions) {
    constexpr std::uint64_t kHead = 24'000'000;
    for (const std::uint64_t made : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{17'654'321}, kHead - 1, kHead}) {
        std::size_t asked = 0;
        const auto found = first_block_where(kHead, [&](std::uint64_t block) -> Answer<bool> {
            ++asked;
            return block >= made;
        });
        EXPECT_EQ(found.value(), made);
        EXPECT_LE(asked, 25U);
    }
}

TEST(FirstBlock, ANodeWithoutOldStates) {
    const auto found = first_block_where(100, [&](std::uint64_t block) -> Answer<bool> {
        if (block < 90) return ethereum::EthereumError{ethereum::EthereumCode::not_found, "state is pruned", {}};
        return true;
    });
    EXPECT_FALSE(found.ok());
}

}  // namespace
}  // namespace quarry::node::prover
