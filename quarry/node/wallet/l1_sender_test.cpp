#include "quarry/node/wallet/l1_sender.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "quarry/ethereum/silent_chain.hpp"
#include "quarry/node/wallet/fake_sequencer.hpp"

namespace quarry::node::wallet::l1_sender_test {
namespace {

using ethereum::Address;
using ethereum::Answer;
using ethereum::BlockId;
using ethereum::EthereumCode;
using ethereum::EthereumError;
using ethereum::IntentStage;
using ethereum::U256;

/// A chain on which nothing is mined unless told.
class SlowChain final : public ethereum::SilentChain {
  public:
    std::optional<EthereumCode> estimate_error;
    std::vector<ethereum::Bytes> sent;
    bool is_reachable = true;
    std::optional<bool> mined;  ///< in block 100: whether it succeeded

    Answer<std::uint64_t> chain_id() override { return std::uint64_t{31337}; }
    Answer<std::uint64_t> block_number() override {
        if (!is_reachable) return EthereumError{EthereumCode::timed_out, "", {}};
        return std::uint64_t{100};
    }
    Answer<ethereum::BlockHeader> block(const BlockId& /*id*/) override {
        QUARRY_TRY_ASSIGN(const std::uint64_t number, block_number());
        ethereum::BlockHeader head;
        head.number = number;
        return head;
    }
    Answer<std::uint64_t> transaction_count(const Address& /*account*/, const BlockId& /*at*/) override {
        return std::uint64_t{mined ? 1U : 0U};
    }
    Answer<std::optional<ethereum::Receipt>> receipt(const ethereum::Hash& transaction) override {
        if (!mined) return std::optional<ethereum::Receipt>();
        ethereum::Receipt r;
        r.transaction_hash = transaction;
        r.block.number = 100;
        r.is_success = *mined;
        return std::optional(r);
    }
    Answer<std::uint64_t> estimate_gas(const ethereum::CallRequest& /*request*/) override {
        if (estimate_error) return EthereumError{*estimate_error, "", {}};
        return std::uint64_t{50'000};
    }
    Answer<ethereum::FeeSuggestion> suggest_fees() override { return fees; }
    Answer<U256> balance(const Address& /*account*/, const BlockId& /*at*/) override {
        return U256(1'000'000'000'000'000'000);
    }
    Answer<ethereum::Hash> send_raw(ethereum::ByteView transaction) override {
        sent.emplace_back(transaction.begin(), transaction.end());
        return ethereum::Hash{};
    }
    ethereum::FeeSuggestion fees{U256(1'000'000'000), U256(1'000'000'000), U256(1)};
};

class WalletL1Sender : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::remove_all(folder_);
        open();
    }
    void TearDown() override {
        sender_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        sender_.reset();
        auto sender =
            L1Sender::open(l1_journal_path(folder_, 31337, key_.address()),
                           {.chain_id = 31337, .confirmations = 1, .timeout_ms = 30'000}, key_, chain_, clock_);
        ASSERT_TRUE(sender.ok()) << sender.error().cause;
        sender_.emplace(std::move(sender).value());
    }
    std::string problem(const std::string& id, bool stops = false, std::uint64_t value = 7) {
        const L1Call call{"call", ethereum::Address{}, U256(value), {}};
        const auto receipt = sender_->send(id, call, [&](const auto& p) { stage_ = p.stage; }, [&] { return stops; });
        if (receipt) return "none";
        cause_ = receipt.error().cause;
        return receipt.error().name;
    }

    std::string folder_ = testing::TempDir() + "wallet_l1_sender_test";
    ethereum::PrivateKey key_ = *ethereum::PrivateKey::from_hex(std::string(63, '0') + "1");
    SlowChain chain_;
    FakeClock clock_;
    std::optional<L1Sender> sender_;
    IntentStage stage_{};
    std::string cause_;
};

TEST_F(WalletL1Sender, WhatHasNotLeftIsTakenBackWhenNobodyWaits) {
    chain_.estimate_error = EthereumCode::insufficient_funds;
    EXPECT_EQ(problem("a", true), "interrupted");
    EXPECT_NE(cause_.find("taken back"), std::string::npos) << cause_;
    EXPECT_EQ(problem("b"), "wait_timed_out");
    EXPECT_NE(cause_.find("taken back"), std::string::npos) << cause_;
    chain_.estimate_error.reset();
    open();  // a later command, with funds: what was given up stays given up
    EXPECT_EQ(problem("c", true), "interrupted");
    EXPECT_EQ(cause_.find("taken back"), std::string::npos) << cause_;
    EXPECT_EQ(chain_.sent.size(), 1u);
}

TEST_F(WalletL1Sender, WhatHasLeftGoesItsWayAndIsFollowedUnderItsName) {
    EXPECT_EQ(problem("a", true), "interrupted");
    ASSERT_EQ(chain_.sent.size(), 1u);
    open();
    EXPECT_TRUE(sender_->knows("a"));
    EXPECT_FALSE(sender_->knows("b"));
    // Whatever is asked for the second time: it is the same transaction.
    EXPECT_EQ(problem("a", true, 8), "interrupted");
    EXPECT_EQ(stage_, IntentStage::sent);
    for (const ethereum::Bytes& bytes : chain_.sent) EXPECT_EQ(bytes, chain_.sent[0]);
}

TEST_F(WalletL1Sender, AFinishedAttemptIsFollowedByAnother) {
    EXPECT_EQ(sender_->attempt_of("claim"), "claim/1");
    chain_.estimate_error = EthereumCode::execution_reverted;
    EXPECT_EQ(problem("claim/1"), "l1_refused");
    EXPECT_EQ(sender_->attempt_of("claim"), "claim/2");
    chain_.estimate_error.reset();
    EXPECT_EQ(problem(sender_->attempt_of("claim"), true), "interrupted");
    open();
    EXPECT_EQ(sender_->attempt_of("claim"), "claim/2") << "under way";
}

TEST_F(WalletL1Sender, ACommandThatIsRunAgainDoesNotPayAgain) {
    EXPECT_EQ(problem("raise/1", true), "interrupted");
    chain_.mined = true;  // while nobody looked
    open();
    EXPECT_EQ(sender_->attempt_of("raise"), "raise/1");
    EXPECT_EQ(problem("raise/1"), "none");
    EXPECT_EQ(sender_->attempt_of("raise"), "raise/1") << "a reorganisation may still take it out";
    // What is in a block and failed is over at once.
    chain_.mined = false;
    open();
    EXPECT_EQ(sender_->attempt_of("raise"), "raise/2");
}

TEST_F(WalletL1Sender, NoPriceOfAnEndpointIsTooLarge) {
    const U256 huge = U256::from_hex("0x" + std::string(64, 'f')).value();
    chain_.fees = {huge, huge, huge};
    EXPECT_EQ(quote_call(chain_, key_.address(), {"call", ethereum::Address{}, {}, {}}).value().cost, huge);
    EXPECT_EQ(problem("a", true), "interrupted");
    EXPECT_TRUE(chain_.sent.empty());
}

TEST_F(WalletL1Sender, AnEndpointDoesNotChooseTheTip) {
    const U256 gwei(1'000'000'000);
    chain_.fees = {gwei, gwei * 140, U256(1)};
    EXPECT_EQ(problem("a", true), "interrupted");
    ASSERT_EQ(chain_.sent.size(), 1u);
    const auto sent = ethereum::decode_transaction(chain_.sent[0]).value();
    EXPECT_EQ(sent.body.max_priority_fee_per_gas, gwei * 50);
}

TEST_F(WalletL1Sender, AnUnreachableChainLeavesItQueuedAndSaysSo) {
    chain_.is_reachable = false;
    EXPECT_EQ(problem("a", true), "interrupted");
    EXPECT_NE(cause_.find("not sent yet"), std::string::npos) << cause_;
}

}  // namespace
}  // namespace quarry::node::wallet::l1_sender_test
