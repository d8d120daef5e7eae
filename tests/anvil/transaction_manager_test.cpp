// The transaction manager on a real node: blocks are mined by hand, time is a number.

#include "quarry/ethereum/transaction_manager.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "quarry/ethereum/rpc_chain.hpp"
#include "tests/anvil/anvil_process.hpp"

namespace quarry::ethereum::transaction_manager_test {
namespace {

using quarry::testing::AnvilProcess;

class ManualClock final : public Clock {
  public:
    std::uint64_t now_ms() override { return time_ms; }
    void sleep_ms(std::uint64_t duration_ms) override { time_ms += duration_ms; }
    std::uint64_t time_ms = 1'000;
};

class TransactionManagerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string error;
        anvil_ = AnvilProcess::start({}, error);
        ASSERT_NE(anvil_, nullptr) << error;
        std::string pattern = (std::filesystem::temp_directory_path() / "quarry-manager-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        options_.chain_id = 31337;
        options_.confirmations = 3;
        restart();
    }
    void TearDown() override {
        manager_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    /// As if the process had been killed and started again.
    void restart() {
        manager_.reset();
        auto journal = open_journal_file(folder_ + "/journal", {31337, AnvilProcess::key(0).address()});
        ASSERT_TRUE(journal.ok()) << journal.error().detail;
        auto manager = TransactionManager::create(options_, AnvilProcess::key(0), anvil_->chain(),
                                                  std::move(journal).value(), clock_);
        ASSERT_TRUE(manager.ok()) << manager.error().detail;
        manager_ = std::move(manager).value();
    }
    static Intent transfer(const std::string& id, std::uint64_t wei = 5) {
        Intent intent;
        intent.id = id;
        intent.to = AnvilProcess::key(1).address();
        intent.value = U256(wei);
        return intent;
    }
    void step() {
        const auto done = manager_->step();
        ASSERT_TRUE(done.ok()) << ethereum_code_name(done.error().code) << " " << done.error().detail;
    }
    void mine_and_step(unsigned num_blocks = 1) {
        anvil_->mine(num_blocks);
        step();
    }
    IntentStatus status(const std::string& id) { return manager_->status(id).value(); }
    std::uint64_t mined_nonce() {
        return anvil_->chain().transaction_count(AnvilProcess::key(0).address(), BlockTag::latest).value();
    }
    void set_base_fee(std::uint64_t wei) {
        anvil_->call("anvil_setNextBlockBaseFeePerGas", "[\"" + to_quantity(wei) + "\"]");
        anvil_->mine();
    }

    std::unique_ptr<AnvilProcess> anvil_;
    std::string folder_;
    ManualClock clock_;
    TransactionManagerOptions options_;
    std::unique_ptr<TransactionManager> manager_;
};

TEST_F(TransactionManagerTest, SendsInOrderAndConfirms) {
    for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(manager_->submit(transfer(id)).ok());
    EXPECT_TRUE(manager_->submit(transfer("b")).ok()) << "the same again";
    EXPECT_EQ(manager_->submit(transfer("b", 6)).error().code, EthereumCode::intent_conflict);
    EXPECT_EQ(status("a").stage, IntentStage::queued);
    step();
    EXPECT_EQ(status("c").stage, IntentStage::sent);
    EXPECT_EQ(status("c").nonce, 2U);
    mine_and_step();
    EXPECT_EQ(status("b").stage, IntentStage::mined);
    mine_and_step(2);
    for (const char* id : {"a", "b", "c"}) EXPECT_EQ(status(id).stage, IntentStage::confirmed);
    EXPECT_EQ(manager_->num_open(), 0U);
    // An end is remembered across a restart, and submitting again changes nothing.
    restart();
    EXPECT_EQ(status("b").stage, IntentStage::confirmed);
    EXPECT_TRUE(manager_->submit(transfer("b")).ok());
    EXPECT_EQ(manager_->submit(transfer("b", 6)).error().code, EthereumCode::intent_conflict);
    step();
    mine_and_step();
    EXPECT_EQ(mined_nonce(), 3U);
}

TEST_F(TransactionManagerTest, ReorganisationsOfDepth137LoseNothing) {
    std::uint64_t num_sent = 0;
    options_.confirmations = 9;
    restart();
    anvil_->mine(8);
    for (const unsigned depth : {1U, 3U, 7U}) {
        const std::string id = "depth " + std::to_string(depth);
        ASSERT_TRUE(manager_->submit(transfer(id)).ok());
        step();
        mine_and_step(depth);
        EXPECT_EQ(status(id).stage, IntentStage::mined);
        anvil_->reorganise(depth);
        EXPECT_EQ(mined_nonce(), num_sent) << "the reorganisation took it out";
        step();
        EXPECT_EQ(status(id).stage, IntentStage::sent);
        EXPECT_FALSE(status(id).receipt.has_value());
        mine_and_step();
        EXPECT_EQ(status(id).stage, IntentStage::mined);
        mine_and_step(8);
        EXPECT_EQ(status(id).stage, IntentStage::confirmed);
        EXPECT_EQ(mined_nonce(), ++num_sent);
    }
}

/// What was let go of is not sent again, but no nonce is missing for what comes later.
TEST_F(TransactionManagerTest, NoncesOfFinalTransactionsThatAReorganisationTookAreGivenAgain) {
    options_.confirmations = 2;
    restart();
    anvil_->mine(4);
    ASSERT_TRUE(manager_->submit(transfer("gone")).ok());
    step();
    mine_and_step(2);
    ASSERT_EQ(status("gone").stage, IntentStage::confirmed);
    anvil_->reorganise(3);
    ASSERT_EQ(mined_nonce(), 0U);
    ASSERT_TRUE(manager_->submit(transfer("next")).ok());
    step();
    EXPECT_EQ(status("next").nonce, 0U);
    mine_and_step(2);
    EXPECT_EQ(status("next").stage, IntentStage::confirmed);
}

TEST_F(TransactionManagerTest, AnEmptyTransferTakesANonceThatOthersWaitFor) {
    options_.confirmations = 2;
    restart();
    anvil_->mine(4);
    ASSERT_TRUE(manager_->submit(transfer("gone")).ok());
    step();
    anvil_->mine();
    ASSERT_TRUE(manager_->submit(transfer("waits")).ok());
    step();
    mine_and_step();
    ASSERT_EQ(status("gone").stage, IntentStage::confirmed);
    ASSERT_EQ(status("waits").stage, IntentStage::mined);
    anvil_->reorganise(3);
    ASSERT_EQ(mined_nonce(), 0U);
    step();
    EXPECT_EQ(status("waits").nonce, 1U);
    mine_and_step(2);
    EXPECT_EQ(mined_nonce(), 2U);
    EXPECT_EQ(status("waits").stage, IntentStage::confirmed);
    EXPECT_EQ(manager_->num_open(), 0U);
}

TEST_F(TransactionManagerTest, CallersMayBeContentWithFewerConfirmations) {
    options_.confirmations = 9;
    restart();
    ASSERT_TRUE(manager_->submit(transfer("x")).ok());
    EXPECT_EQ(manager_->open_ids(), std::vector<std::string>{"x"});
    step();
    EXPECT_EQ(status("x").stage_at(1), IntentStage::sent);
    mine_and_step(2);
    EXPECT_EQ(status("x").stage, IntentStage::mined);
    EXPECT_EQ(status("x").stage_at(2), IntentStage::confirmed);
    EXPECT_EQ(status("x").stage_at(3), IntentStage::mined);
    anvil_->reorganise(2);
    step();
    EXPECT_EQ(status("x").stage_at(1), IntentStage::sent) << "it is still looked after";
    mine_and_step(9);
    EXPECT_EQ(status("x").stage, IntentStage::confirmed);
}

TEST_F(TransactionManagerTest, AStuckTransactionIsReplacedWithinItsLimits) {
    ASSERT_TRUE(manager_->submit(transfer("stuck")).ok());
    step();
    const Hash first = status("stuck").hashes.at(0);
    set_base_fee(50'000'000'000);  // above what was offered: it stays where it is
    step();
    EXPECT_EQ(mined_nonce(), 0U);
    clock_.time_ms += options_.bump_after_ms;
    step();
    ASSERT_EQ(status("stuck").hashes.size(), 2U);
    EXPECT_FALSE(status("stuck").error.has_value()) << "the node took the replacement";
    mine_and_step(3);
    EXPECT_EQ(status("stuck").stage, IntentStage::confirmed);
    EXPECT_NE(status("stuck").receipt->transaction_hash, first);
    EXPECT_EQ(mined_nonce(), 1U);
}

TEST_F(TransactionManagerTest, AFeeSpikePausesInsteadOfOverpaying) {
    set_base_fee(8'000'000'000);
    set_base_fee(50 * std::uint64_t{8'000'000'000});  // x50: 400 gwei, above the cap of 300
    ASSERT_TRUE(manager_->submit(transfer("patient")).ok());
    step();
    EXPECT_EQ(status("patient").stage, IntentStage::queued);
    EXPECT_EQ(status("patient").error->code, EthereumCode::fee_above_cap);
    EXPECT_FALSE(status("patient").nonce.has_value());
    set_base_fee(8'000'000'000);
    step();
    EXPECT_EQ(status("patient").stage, IntentStage::sent);
    EXPECT_FALSE(status("patient").error.has_value());
    // And what is already sent is not chased above the cap.
    set_base_fee(400'000'000'000);
    clock_.time_ms += options_.bump_after_ms;
    step();
    EXPECT_EQ(status("patient").hashes.size(), 1U);
    EXPECT_EQ(status("patient").error->code, EthereumCode::fee_above_cap);
    set_base_fee(8'000'000'000);
    clock_.time_ms += options_.bump_after_ms;
    step();  // anvil does not mine again what once was too cheap for a block: a replacement does it
    mine_and_step(3);
    EXPECT_EQ(status("patient").stage, IntentStage::confirmed);
    Intent cheap = transfer("own limit");
    cheap.max_total_fee = U256(21'000) * 1'000'000'000;
    ASSERT_TRUE(manager_->submit(cheap).ok());
    set_base_fee(8'000'000'000);
    step();
    EXPECT_EQ(status("own limit").error->code, EthereumCode::fee_above_cap);
    EXPECT_EQ(status("own limit").stage, IntentStage::queued);
}

TEST_F(TransactionManagerTest, ARestartInTheMiddleOfSendingSendsOnce) {
    ASSERT_TRUE(manager_->submit(transfer("x")).ok());
    restart();  // taken over, never sent
    step();
    const IntentStatus before = status("x");
    ASSERT_EQ(before.stage, IntentStage::sent);
    // The node forgets its pool, as if the process had died between journal and node.
    anvil_->call("anvil_dropAllTransactions");
    restart();
    EXPECT_EQ(status("x").hashes, before.hashes) << "the journal says what may have been sent";
    ASSERT_TRUE(manager_->submit(transfer("y")).ok());
    step();
    EXPECT_EQ(status("y").nonce, 1U);
    mine_and_step(3);
    EXPECT_EQ(status("x").stage, IntentStage::confirmed);
    EXPECT_EQ(status("x").receipt->transaction_hash, before.hashes[0]);
    EXPECT_EQ(status("y").stage, IntentStage::confirmed);
    EXPECT_EQ(mined_nonce(), 2U);
}

TEST_F(TransactionManagerTest, BlobsAreSentKeptAndNeverInFlightTogetherWithOthers) {
    const auto kzg = Kzg::shared();
    ASSERT_TRUE(kzg.ok()) << kzg.error().detail;
    auto sidecar = kzg.value()->make_sidecar({Blob(kBlobBytes, 0)});
    ASSERT_TRUE(sidecar.ok());
    Intent blob = transfer("blob");
    blob.sidecar = std::make_shared<const BlobSidecar>(std::move(sidecar).value());
    ASSERT_TRUE(manager_->submit(transfer("before")).ok());
    ASSERT_TRUE(manager_->submit(blob).ok());
    ASSERT_TRUE(manager_->submit(transfer("after")).ok());
    step();
    EXPECT_EQ(status("before").stage, IntentStage::sent);
    EXPECT_EQ(status("blob").stage, IntentStage::queued);
    mine_and_step();
    EXPECT_EQ(status("blob").stage, IntentStage::sent) << status("blob").error->detail;
    EXPECT_EQ(status("after").stage, IntentStage::queued);
    EXPECT_EQ(manager_->cancel("blob").error().code, EthereumCode::not_cancellable);
    anvil_->call("anvil_dropAllTransactions");
    restart();  // the blobs come from the journal
    step();
    mine_and_step();
    EXPECT_EQ(status("blob").stage, IntentStage::mined);
    EXPECT_EQ(status("blob").receipt->blob_gas_used, kGasPerBlob);
    EXPECT_EQ(status("after").stage, IntentStage::sent);
    mine_and_step(3);
    EXPECT_EQ(status("after").stage, IntentStage::confirmed);
}

TEST_F(TransactionManagerTest, WhatCannotWorkFailsWithoutANonce) {
    Intent intent = transfer("reverts");
    intent.to = parse_address("0x00000000000000000000000000000000000bad00").value();
    intent.value = U256();
    anvil_->call("anvil_setCode", "[\"" + to_hex(*intent.to) + "\",\"0x60006000fd\"]");
    ASSERT_TRUE(manager_->submit(intent).ok());
    step();
    EXPECT_EQ(status("reverts").stage, IntentStage::failed);
    EXPECT_EQ(status("reverts").error->code, EthereumCode::execution_reverted);
    // With a gas limit of its own it is sent, and its failure on chain is an end of its own.
    intent.id = "reverts on chain";
    intent.gas_limit = 100'000;
    ASSERT_TRUE(manager_->submit(intent).ok());
    step();
    mine_and_step(3);
    EXPECT_EQ(status("reverts on chain").stage, IntentStage::reverted);

    Intent large = transfer("large");
    large.data = Bytes(kMaxTransactionBytes, 1);
    EXPECT_EQ(manager_->submit(large).error().code, EthereumCode::transaction_too_large);
    large.data = Bytes(100'000, 1);
    large.gas_limit = 21'000 + 40 * 100'000 - 1;
    EXPECT_EQ(manager_->submit(large).error().code, EthereumCode::gas_below_floor);
    large.gas_limit = kTransactionGasCap + 1;
    EXPECT_EQ(manager_->submit(large).error().code, EthereumCode::gas_above_cap);
    large.gas_limit = 0;
    ASSERT_TRUE(manager_->submit(large).ok());
    step();
    mine_and_step(3);
    EXPECT_EQ(status("large").stage, IntentStage::confirmed) << "estimated above the floor";

    ASSERT_TRUE(manager_->submit(transfer("poor")).ok());
    anvil_->call("anvil_setBalance", "[\"" + to_hex(AnvilProcess::key(0).address()) + "\",\"0x10\"]");
    step();
    EXPECT_EQ(status("poor").stage, IntentStage::queued);
    EXPECT_EQ(status("poor").error->code, EthereumCode::insufficient_funds);
    ASSERT_TRUE(manager_->cancel("poor").ok());
    step();
    EXPECT_EQ(status("poor").stage, IntentStage::cancelled);
}

TEST_F(TransactionManagerTest, CancellingReplacesWhatIsOnItsWay) {
    ASSERT_TRUE(manager_->submit(transfer("unwanted", 1'000'000)).ok());
    step();
    const U256 before = anvil_->chain().balance(AnvilProcess::key(1).address(), BlockTag::latest).value();
    ASSERT_TRUE(manager_->cancel("unwanted").ok());
    step();
    mine_and_step(3);
    EXPECT_EQ(status("unwanted").stage, IntentStage::cancelled);
    EXPECT_EQ(anvil_->chain().balance(AnvilProcess::key(1).address(), BlockTag::latest).value(), before);
    EXPECT_EQ(mined_nonce(), 1U);
}

TEST_F(TransactionManagerTest, ANonceThatSomebodyElseUsedIsAFailureOfItsOwn) {
    ASSERT_TRUE(manager_->submit(transfer("mine")).ok());
    step();
    anvil_->call("anvil_dropAllTransactions");
    Transaction t;
    t.chain_id = 31337;
    t.max_priority_fee_per_gas = U256(1'000'000'000);
    t.max_fee_per_gas = U256(100'000'000'000);
    t.gas_limit = 21'000;
    t.to = AnvilProcess::key(2).address();
    ASSERT_TRUE(anvil_->chain().send_raw(encode_transaction(sign_transaction(t, AnvilProcess::key(0)))).ok());
    mine_and_step();
    EXPECT_EQ(status("mine").stage, IntentStage::sent) << "a reorganisation may still give it back";
    mine_and_step(12);
    EXPECT_EQ(status("mine").stage, IntentStage::failed);
    EXPECT_EQ(status("mine").error->code, EthereumCode::nonce_too_low);
    ASSERT_TRUE(manager_->submit(transfer("next")).ok());
    step();
    mine_and_step(3);
    EXPECT_EQ(status("next").stage, IntentStage::confirmed);
}

TEST_F(TransactionManagerTest, AnEndpointThatIsDownDelaysAndTheOtherOneServes) {
    std::string error;
    // The first endpoint accepts connections and never answers; the second is the real one.
    const auto silent = AnvilProcess::start({}, error);
    ASSERT_NE(silent, nullptr) << error;
    silent->freeze();
    RpcOptions options;
    options.endpoints = {silent->url(), anvil_->url()};
    options.timeout_ms = 1'000;
    options.rest_ms = 600'000;
    options.chain_id = 31337;
    auto rpc = JsonRpc::create(options, make_http_transport(), system_clock());
    ASSERT_TRUE(rpc.ok());
    const std::shared_ptr<JsonRpc> shared = std::move(rpc).value();
    const auto chain = make_rpc_chain(shared);
    manager_.reset();
    auto manager = TransactionManager::create(
        options_, AnvilProcess::key(0), *chain,
        open_journal_file(folder_ + "/journal", {31337, AnvilProcess::key(0).address()}).value(), clock_);
    ASSERT_TRUE(manager.ok()) << manager.error().detail;
    ASSERT_TRUE(manager.value()->submit(transfer("x")).ok());
    ASSERT_TRUE(manager.value()->step().ok());
    EXPECT_EQ(manager.value()->status("x").value().stage, IntentStage::sent);
    EXPECT_EQ(shared->endpoints()[0].num_requests, 1U) << "an endpoint that failed is not asked first again";
    EXPECT_TRUE(shared->endpoints()[0].is_resting);
    EXPECT_EQ(shared->endpoints()[0].last_error, "timed_out");
    // Both down: an error, and nothing is lost.
    anvil_->freeze();
    EXPECT_EQ(manager.value()->step().error().code, EthereumCode::timed_out);
    anvil_->thaw();
    anvil_->mine(3);
    ASSERT_TRUE(manager.value()->step().ok());
    EXPECT_EQ(manager.value()->status("x").value().stage, IntentStage::confirmed);
    silent->thaw();
}

}  // namespace
}  // namespace quarry::ethereum::transaction_manager_test
