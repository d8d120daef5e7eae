// What a node may say about logs, and what of it is believed.

#include "quarry/ethereum/log_follower.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "quarry/ethereum/silent_chain.hpp"

namespace quarry::ethereum::log_follower_test {
namespace {

constexpr std::uint64_t kNumBlocks = 1'000;
constexpr std::uint64_t kBlockWithLogs = 5;

Hash hash_of(std::uint64_t number) {
    Hash r{};
    r[0] = 1;
    r[30] = static_cast<std::uint8_t>(number >> 8);
    r[31] = static_cast<std::uint8_t>(number);
    return r;
}
Address contract(std::uint8_t last) {
    Address r;
    r.bytes[19] = last;
    return r;
}

/// Block 5 has two logs of contract 1; what is said of ranges is what `lie` makes of the truth.
class LyingChain final : public SilentChain {
  public:
    std::function<void(std::vector<Log>&)> lie = [](std::vector<Log>&) {};
    std::size_t num_by_hash = 0;

    static BlockHeader header(std::uint64_t number) {
        BlockHeader r;
        r.number = number;
        r.hash = hash_of(number);
        r.parent_hash = hash_of(number - 1);
        if (number == kBlockWithLogs) r.logs_bloom.fill(0xff);
        return r;
    }
    static std::vector<Log> truth() {
        std::vector<Log> r(2);
        for (std::size_t i = 0; i < r.size(); ++i) {
            r[i].address = contract(1);
            r[i].block_number = kBlockWithLogs;
            r[i].block_hash = hash_of(kBlockWithLogs);
            r[i].log_index = 7 + i;
        }
        return r;
    }
    Answer<BlockHeader> block(const BlockId& /*id*/) override { return header(kNumBlocks); }
    Answer<std::vector<BlockHeader>> blocks(std::uint64_t first, std::size_t count) override {
        std::vector<BlockHeader> r;
        for (std::uint64_t n = first; n < first + count; ++n) r.push_back(header(n));
        return r;
    }
    Answer<std::vector<Log>> logs(const LogFilter& /*filter*/, std::uint64_t first, std::uint64_t last) override {
        std::vector<Log> r;
        if (first <= kBlockWithLogs && kBlockWithLogs <= last) r = truth();
        lie(r);
        return r;
    }
    Answer<std::vector<Log>> logs_of(const LogFilter& /*filter*/, const Hash& block) override {
        ++num_by_hash;
        return block == hash_of(kBlockWithLogs) ? truth() : std::vector<Log>();
    }
};

/// The logs of block 5, or why there are none.
Answer<std::vector<Log>> follow(LyingChain& chain) {
    LogFollowerOptions options;
    options.filter.addresses = {contract(1)};
    options.range_blocks = 16;
    FollowCursor cursor;
    cursor.next_number = 1;
    LogFollower follower(chain, options, cursor);
    for (std::uint64_t n = 1;; ++n) {
        QUARRY_TRY_ASSIGN(auto event, follower.next());
        auto& block = std::get<BlockEvent>(event.value());
        EXPECT_EQ(block.header.number, n);
        if (n == kBlockWithLogs) return std::move(block.logs);
    }
}

TEST(LogFollower, TheTruthIsDeliveredInItsOrder) {
    LyingChain chain;
    EXPECT_EQ(follow(chain).value(), LyingChain::truth());
    EXPECT_EQ(chain.num_by_hash, 0u);
    chain.lie = [](std::vector<Log>& logs) { std::reverse(logs.begin(), logs.end()); };
    EXPECT_EQ(follow(chain).value(), LyingChain::truth());
}

TEST(LogFollower, LogsThatARangeLeavesOutAreAskedForByTheBloomHoweverDeep) {
    LyingChain chain;
    chain.lie = [](std::vector<Log>& logs) { logs.clear(); };
    EXPECT_EQ(follow(chain).value(), LyingChain::truth());
    EXPECT_EQ(chain.num_by_hash, 1u);
}

TEST(LogFollower, LiesAreRefused) {
    LyingChain chain;
    const std::vector<std::function<void(std::vector<Log>&)>> lies{
        [](auto& logs) { logs[0].block_hash = hash_of(6); },
        [](auto& logs) { logs[0].block_number = 6; },
        [](auto& logs) { logs[0].block_number = 0; },
        [](auto& logs) { logs[0].block_number = 17; },
        [](auto& logs) { logs[0].block_number = ~std::uint64_t{0}; },
        [](auto& logs) { logs[0].address = contract(2); },
        [](auto& logs) { logs.push_back(logs[0]); },
        [](auto& logs) { logs[1].log_index = logs[0].log_index; },
    };
    for (std::size_t i = 0; i < lies.size(); ++i) {
        chain.lie = lies[i];
        EXPECT_EQ(follow(chain).error().code, EthereumCode::inconsistent_logs) << i;
    }
}

TEST(LogFollower, RewindsToItsOldestBlock) {
    LyingChain chain;
    LogFollowerOptions options;
    options.filter.addresses = {contract(1)};
    options.ring_blocks = 4;
    FollowCursor cursor;
    cursor.next_number = 1;
    LogFollower follower(chain, options, cursor);
    EXPECT_FALSE(follower.rewind().has_value());
    chain.lie = [](std::vector<Log>& logs) { logs.pop_back(); };  // nothing else of the answer tells
    for (std::uint64_t n = 1; n <= 7; ++n) ASSERT_TRUE(follower.next().value().has_value());
    chain.lie = [](std::vector<Log>&) {};
    const auto undone = follower.rewind();
    ASSERT_TRUE(undone.has_value());
    EXPECT_EQ(undone->ancestor, LyingChain::header(4).ref());
    EXPECT_EQ(undone->depth, 3u);
    const auto event = follower.next();
    EXPECT_EQ(std::get<BlockEvent>(*event.value()).logs, LyingChain::truth());
    EXPECT_EQ(follower.cursor().next_number, 6u);
}

}  // namespace
}  // namespace quarry::ethereum::log_follower_test
