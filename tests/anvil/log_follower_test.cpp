// The log follower and the head watcher on a real node, through reorganisations.

#include "quarry/ethereum/log_follower.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "quarry/ethereum/transaction.hpp"
#include "tests/anvil/anvil_process.hpp"

namespace quarry::ethereum::log_follower_test {
namespace {

using quarry::testing::AnvilProcess;

/// A contract that logs its calldata word as topic 0 with no data: code
///     calldataload(0) 0 0 log1
constexpr const char* kLogCode = "0x60003560006000a100";
const Address kEmitter = parse_address("0x00000000000000000000000000000000000e3174").value();

/// What a consumer of events would store: it must always equal what the node says about its chain.
struct Model {
    std::map<std::uint64_t, Hash> blocks;
    std::map<std::uint64_t, std::vector<Log>> logs;
    std::uint64_t num_rollbacks = 0;
    std::uint64_t deepest = 0;

    void apply(const FollowEvent& event) {
        if (const auto* const block = std::get_if<BlockEvent>(&event)) {
            const std::uint64_t number = block->header.number;
            ASSERT_FALSE(blocks.contains(number)) << "delivered twice";
            if (!blocks.empty()) {
                ASSERT_EQ(number, blocks.rbegin()->first + 1) << "out of order";
                ASSERT_EQ(block->header.parent_hash, blocks.rbegin()->second);
            }
            blocks[number] = block->header.hash;
            if (!block->logs.empty()) logs[number] = block->logs;
            return;
        }
        const auto& rollback = *std::get_if<RollbackEvent>(&event);
        ++num_rollbacks;
        deepest = std::max(deepest, rollback.depth);
        std::uint64_t num_undone = 0;
        while (!blocks.empty() && blocks.rbegin()->first > rollback.ancestor.number) {
            logs.erase(blocks.rbegin()->first);
            blocks.erase(std::prev(blocks.end()));
            ++num_undone;
        }
        ASSERT_EQ(num_undone, rollback.depth);
        if (!blocks.empty()) ASSERT_EQ(blocks.rbegin()->second, rollback.ancestor.hash);
    }
};

class LogFollowerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string error;
        anvil_ = AnvilProcess::start({}, error);
        ASSERT_NE(anvil_, nullptr) << error;
        anvil_->call("anvil_setCode", "[\"" + to_hex(kEmitter) + "\",\"" + kLogCode + "\"]");
        options_.filter.addresses = {kEmitter};
    }
    /// Puts a log into the next block.
    void emit(std::uint8_t topic) {
        Transaction t;
        t.chain_id = 31337;
        t.nonce = anvil_->chain().transaction_count(AnvilProcess::key(0).address(), BlockTag::pending).value();
        t.max_priority_fee_per_gas = U256(1'000'000'000);
        t.max_fee_per_gas = U256(20'000'000'000);
        t.gas_limit = 50'000;
        t.to = kEmitter;
        t.data = Bytes(32, topic);
        const auto sent = anvil_->chain().send_raw(encode_transaction(sign_transaction(t, AnvilProcess::key(0))));
        ASSERT_TRUE(sent.ok()) << sent.error().detail;
    }
    static void drain(LogFollower& follower, Model& model) {
        for (;;) {
            const auto event = follower.next();
            ASSERT_TRUE(event.ok()) << ethereum_code_name(event.error().code) << " " << event.error().detail;
            if (!event.value()) return;
            model.apply(*event.value());
        }
    }
    void expect_as_chain(const Model& model) {
        Chain& chain = anvil_->chain();
        const std::uint64_t head = chain.block_number().value();
        ASSERT_EQ(model.blocks.rbegin()->first, head);
        for (const auto& [number, hash] : model.blocks) ASSERT_EQ(chain.block(number).value().hash, hash);
        std::vector<Log> all;
        for (const auto& [number, logs] : model.logs) all.insert(all.end(), logs.begin(), logs.end());
        EXPECT_EQ(all, chain.logs(options_.filter, 0, head).value());
    }

    std::unique_ptr<AnvilProcess> anvil_;
    LogFollowerOptions options_;
};

TEST_F(LogFollowerTest, CatchesUpInRangesAndThenFollows) {
    for (std::uint8_t i = 0; i < 30; ++i) {
        if (i % 3 == 0) emit(i);
        if (i % 6 == 0) emit(static_cast<std::uint8_t>(i + 100));
        anvil_->mine();
    }
    options_.range_blocks = 8;
    LogFollower follower(anvil_->chain(), options_, {});
    Model model;
    drain(follower, model);
    EXPECT_EQ(model.logs.size(), 10U);
    EXPECT_EQ(model.logs.at(1).size(), 2U);
    expect_as_chain(model);
    emit(7);
    anvil_->mine(2);
    drain(follower, model);
    expect_as_chain(model);
    EXPECT_EQ(model.num_rollbacks, 0U);
}

TEST_F(LogFollowerTest, RollsBackThroughReorganisationsOfDepth137) {
    LogFollower follower(anvil_->chain(), options_, {});
    Model model;
    std::uint8_t topic = 0;
    for (const unsigned depth : {1U, 3U, 7U}) {
        for (unsigned i = 0; i < 8; ++i) {
            emit(topic++);
            anvil_->mine();
            if (i % 3 == 0) drain(follower, model);
        }
        drain(follower, model);
        anvil_->reorganise(depth);
        drain(follower, model);
        expect_as_chain(model);
        EXPECT_EQ(model.deepest, depth);
    }
    EXPECT_EQ(model.num_rollbacks, 3U);
}

TEST_F(LogFollowerTest, ResumesFromItsCursorAfterAReorganisationInBetween) {
    Model model;
    FollowCursor cursor;
    {
        LogFollower follower(anvil_->chain(), options_, {});
        for (unsigned i = 0; i < 6; ++i) {
            emit(static_cast<std::uint8_t>(i));
            anvil_->mine();
        }
        // Stops in the middle: what was fetched but not handed out must come again.
        for (unsigned i = 0; i < 5; ++i) {
            const auto event = follower.next();
            ASSERT_TRUE(event.ok() && event.value().has_value());
            model.apply(*event.value());
        }
        cursor = FollowCursor::decode(follower.cursor().encode()).value();
        EXPECT_EQ(cursor, follower.cursor());
    }
    anvil_->reorganise(3);
    anvil_->mine(2);
    LogFollower follower(anvil_->chain(), options_, cursor);
    drain(follower, model);
    EXPECT_EQ(model.num_rollbacks, 1U);
    expect_as_chain(model);
}

TEST_F(LogFollowerTest, GivesUpWhenTheForkIsDeeperThanItsRing) {
    options_.ring_blocks = 3;
    LogFollower follower(anvil_->chain(), options_, {});
    Model model;
    anvil_->mine(10);
    drain(follower, model);
    anvil_->reorganise(5);
    const auto event = follower.next();
    ASSERT_FALSE(event.ok());
    EXPECT_EQ(event.error().code, EthereumCode::reorg_too_deep);
}

TEST_F(LogFollowerTest, RandomMiningAndReorganisationsAlwaysEndAtTheChain) {
    options_.range_blocks = 5;
    std::mt19937 rng(7);
    auto follower = std::make_unique<LogFollower>(anvil_->chain(), options_, FollowCursor{});
    Model model;
    anvil_->mine(8);
    for (int round = 0; round < 25; ++round) {
        const unsigned action = static_cast<unsigned>(rng() % 4);
        if (action < 2) {
            emit(static_cast<std::uint8_t>(round));
            anvil_->mine(1 + rng() % 4);
        } else if (action == 2) {
            anvil_->reorganise(1 + rng() % 7);
        } else {
            follower = std::make_unique<LogFollower>(anvil_->chain(), options_, follower->cursor());
        }
        const unsigned num_events = static_cast<unsigned>(rng() % 2 == 0 ? rng() % 6 : 100);
        for (unsigned i = 0; i < num_events; ++i) {
            const auto event = follower->next();
            ASSERT_TRUE(event.ok()) << event.error().detail;
            if (!event.value()) break;
            model.apply(*event.value());
        }
    }
    drain(*follower, model);
    expect_as_chain(model);
    EXPECT_GT(model.num_rollbacks, 2U);
}

}  // namespace
}  // namespace quarry::ethereum::log_follower_test
