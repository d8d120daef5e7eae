// What a node may say to the transaction manager, and what of it is believed.

#include "quarry/ethereum/transaction_manager.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "quarry/ethereum/silent_chain.hpp"

namespace quarry::ethereum::transaction_manager_test {
namespace {

constexpr std::uint64_t kAbsurdHead = std::uint64_t{1} << 63;

class ManualClock final : public Clock {
  public:
    std::uint64_t now_ms() override { return time_ms; }
    void sleep_ms(std::uint64_t duration_ms) override { time_ms += duration_ms; }
    std::uint64_t time_ms = 1'000;
};

Hash hash_of(std::uint64_t number) {
    Hash r{};
    for (std::size_t i = 0; i < 8; ++i) r[31 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return r;
}

/// Blocks 0..length - 1; what it says of its head is another matter.
class LyingChain final : public SilentChain {
  public:
    std::uint64_t length = 11;
    std::uint64_t head = 10;
    std::uint64_t nonce = 0;
    std::optional<std::uint64_t> mined_in;                 ///< what was sent, once it was
    std::map<std::uint64_t, EthereumCode> estimate_error;  ///< by the value of the call

    static BlockHeader header(std::uint64_t number) {
        BlockHeader r;
        r.number = number;
        r.hash = hash_of(number);
        if (number != 0) r.parent_hash = hash_of(number - 1);
        return r;
    }
    Answer<std::uint64_t> chain_id() override { return std::uint64_t{1}; }
    Answer<std::uint64_t> block_number() override { return head; }
    Answer<BlockHeader> block(const BlockId& /*id*/) override { return header(head); }
    Answer<std::vector<BlockHeader>> blocks(std::uint64_t first, std::size_t count) override {
        std::vector<BlockHeader> r;
        for (std::uint64_t n = first; n < first + count && n < length; ++n) r.push_back(header(n));
        return r;
    }
    Answer<std::uint64_t> transaction_count(const Address& /*account*/, const BlockId& /*at*/) override {
        return nonce;
    }
    Answer<std::optional<Receipt>> receipt(const Hash& transaction) override {
        if (!mined_in) return std::optional<Receipt>();
        Receipt r;
        r.transaction_hash = transaction;
        r.block = {*mined_in, hash_of(*mined_in)};
        r.is_success = true;
        return std::optional(r);
    }
    Answer<std::uint64_t> estimate_gas(const CallRequest& request) override {
        const auto error = estimate_error.find(request.value.low_u64());
        if (error != estimate_error.end()) return EthereumError{error->second, "", {}};
        return std::uint64_t{50'000};
    }
    Answer<FeeSuggestion> suggest_fees() override { return FeeSuggestion{U256(1'000), U256(1'000), U256(1)}; }
    Answer<U256> balance(const Address& /*account*/, const BlockId& /*at*/) override {
        return U256(1'000'000'000'000'000'000);
    }
    Answer<Hash> send_raw(ByteView /*transaction*/) override { return Hash{}; }
};

class LyingNode : public testing::Test {
  protected:
    void SetUp() override {
        options_.chain_id = 1;
        options_.confirmations = 3;
        auto manager = TransactionManager::create(options_, *PrivateKey::from_hex(std::string(63, '0') + "1"), chain_,
                                                  make_memory_journal(std::make_shared<std::vector<Bytes>>()), clock_);
        ASSERT_TRUE(manager.ok());
        manager_ = std::move(manager).value();
    }
    void submit(const std::string& id, std::uint64_t value = 0) {
        Intent intent;
        intent.id = id;
        intent.to = Address{};
        intent.value = U256(value);
        ASSERT_TRUE(manager_->submit(std::move(intent)).ok());
    }
    IntentStage stage(const std::string& id) { return manager_->status(id).value().stage; }
    std::string step() {
        const auto done = manager_->step();
        return done ? "" : ethereum_code_name(done.error().code);
    }

    LyingChain chain_;
    ManualClock clock_;
    TransactionManagerOptions options_;
    std::unique_ptr<TransactionManager> manager_;
};

TEST_F(LyingNode, OneFalseHeadDoesNotSilenceTheAccount) {
    EXPECT_EQ(step(), "");
    chain_.head = kAbsurdHead;
    EXPECT_EQ(step(), "");
    chain_.head = 11;
    submit("a");
    EXPECT_EQ(step(), "node_behind");
    EXPECT_EQ(stage("a"), IntentStage::queued);
    clock_.time_ms += options_.bump_after_ms;
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("a"), IntentStage::sent);
}

TEST_F(LyingNode, NodesThatDifferByABlockAreNoTrouble) {
    EXPECT_EQ(step(), "");
    submit("a");
    chain_.head = 9;
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("a"), IntentStage::queued) << "the account's nonce may be an old one";
    chain_.head = 10;
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("a"), IntentStage::sent);
}

TEST_F(LyingNode, FinalIsWhatBlocksConfirm) {
    submit("a");
    EXPECT_EQ(step(), "");
    chain_.mined_in = 10;
    chain_.nonce = 1;
    chain_.head = kAbsurdHead;
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("a"), IntentStage::mined);
    chain_.head = 12;
    chain_.length = 13;
    clock_.time_ms += options_.bump_after_ms;
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("a"), IntentStage::confirmed);
}

TEST_F(LyingNode, ANonceIsLostAfterBlocksAndNotAfterNumbers) {
    submit("a");
    EXPECT_EQ(step(), "");
    chain_.nonce = 1;  // and no receipt
    EXPECT_EQ(step(), "");
    chain_.head = ~std::uint64_t{0};
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("a"), IntentStage::sent);
    clock_.time_ms += options_.bump_after_ms;
    for (chain_.head = 11; chain_.head < 25; ++chain_.head) {
        chain_.length = chain_.head + 1;
        EXPECT_EQ(step(), "");
    }
    EXPECT_EQ(stage("a"), IntentStage::failed);
}

TEST_F(LyingNode, AnIntentThatCannotBeAnsweredKeepsNoOther) {
    chain_.estimate_error[7] = EthereumCode::timed_out;
    submit("poisoned", 7);
    submit("a");
    submit("b");
    EXPECT_EQ(step(), "timed_out");
    clock_.time_ms += 1'000;
    EXPECT_EQ(step(), "timed_out");
    EXPECT_EQ(stage("a"), IntentStage::sent);
    EXPECT_EQ(stage("b"), IntentStage::sent);
    EXPECT_EQ(stage("poisoned"), IntentStage::queued);
    chain_.estimate_error.clear();
    EXPECT_EQ(step(), "");
    EXPECT_EQ(stage("poisoned"), IntentStage::sent);
}

}  // namespace
}  // namespace quarry::ethereum::transaction_manager_test
