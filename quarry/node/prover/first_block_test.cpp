#include "quarry/node/prover/first_block.hpp"

#include <gtest/gtest.h>

#include "quarry/ethereum/silent_chain.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::prover::first_block_test {
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

/// A chain of a hundred blocks with a contract since block 70.
class ChainWithContract final : public ethereum::SilentChain {
  public:
    Answer<std::uint64_t> block_number() override { return std::uint64_t{100}; }
    Answer<ethereum::Bytes> code(const ethereum::Address& /*account*/, const ethereum::BlockId& at) override {
        if (++asked == 3 && failure) return ethereum::EthereumError{*failure, "once", {}};
        return std::get<std::uint64_t>(at) < 70 ? ethereum::Bytes{} : ethereum::Bytes{1};
    }
    std::size_t asked = 0;
    std::optional<ethereum::EthereumCode> failure;
};

TEST(FirstBlock, AnEndpointThatFailsOnceIsAskedAgain) {
    const node::testing::TemporaryPath path("quarry-first-block");
    ChainWithContract chain;
    chain.failure = ethereum::EthereumCode::timed_out;
    EXPECT_FALSE(find_creation(chain, {}, path.get()).ok());
    EXPECT_EQ(find_creation(chain, {}, path.get()).value(), 70U);
    // A node without old states will not have them later.
    const node::testing::TemporaryPath other("quarry-first-block-2");
    ChainWithContract pruned;
    pruned.failure = ethereum::EthereumCode::not_found;
    EXPECT_EQ(find_creation(pruned, {}, other.get()).value(), 0U);
    EXPECT_EQ(find_creation(pruned, {}, other.get()).value(), 0U);
}

}  // namespace
}  // namespace quarry::node::prover::first_block_test
