#include "quarry/node/wallet/payments.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "quarry/node/development_keys.hpp"
#include "quarry/node/wallet/fake_sequencer.hpp"

namespace quarry::node::wallet::payments_test {
namespace {

using rollup::Amount;

const DevelopmentKeys kKeys(8);
constexpr std::uint64_t kNow = 1'790'000'000;

rollup::Owner owner(std::uint64_t i) { return {kKeys.public_keys(i, 1)[0].hash(), kKeys.address(i)}; }

/// Slots 1 and 3 are ours, 2 is owner 2's, 4 has another token.
class WalletPayments : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::remove_all(folder_);
        sequencer_->parameters = {31337, kKeys.hub_address(), 1, {}, Amount(1)};
        domain_ = rollup::domain_hash(sequencer_->parameters);
        sequencer_->accounts = {{1, {owner(1), 0, 50, 7}},
                                {2, {owner(2), 0, 5, 0}},
                                {3, {owner(1), 0, 1000, 4}},
                                {4, {owner(1), 6, 99, 0}}};
        reopen();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void reopen() {
        log_.reset();
        auto log = SignedLog::open(folder_, owner(1).key_hash, domain_);
        ASSERT_TRUE(log.ok()) << log.error().cause;
        log_.emplace(std::move(log).value());
    }
    Outcome<PreparedPayment> prepare(const PaymentRequest& request, std::uint64_t now = kNow) {
        return prepare_payment(request, owner(1), client_, *log_, now);
    }
    std::string problem(const PaymentRequest& request, std::uint64_t now = kNow) {
        const auto r = prepare(request, now);
        return r ? "none" : r.error().name;
    }
    Outcome<ReceiptView> pay(const PaymentRequest& request) {
        auto payment = prepare(request);
        if (!payment) return payment.error();
        return sign_and_send(payment.value(), kKeys.secret(1), domain_, [](auto) {}, client_, *log_, kNow);
    }
    static PaymentRequest to_owner(std::uint64_t i, std::uint64_t amount) {
        PaymentRequest r;
        r.to = PayOwner{owner(i)};
        r.token = ether();
        r.amount = Amount(amount);
        return r;
    }
    static ethereum::Answer<ethereum::HttpReply> lost() {
        return ethereum::EthereumError{ethereum::EthereumCode::connection_lost, "", {}};
    }

    std::string folder_ = testing::TempDir() + "wallet_payments_test";
    std::shared_ptr<FakeSequencer> sequencer_ = std::make_shared<FakeSequencer>();
    FakeClock clock_;
    SequencerClient client_ = SequencerClient::connect("http://127.0.0.1:1", sequencer_, clock_).value();
    Digest domain_{};
    std::optional<SignedLog> log_;
};

TEST_F(WalletPayments, PaysFromTheFullestSlotOfTheToken) {
    const auto receipt = pay(to_owner(2, 100));
    ASSERT_TRUE(receipt.ok()) << receipt.error().cause;
    ASSERT_EQ(sequencer_->received.size(), 1u);
    const SignedTransaction& tx = sequencer_->received[0];
    const auto& transfer = std::get<rollup::Transfer>(tx.tx.op);
    EXPECT_EQ(transfer.auth.slot, 3u);
    EXPECT_EQ(transfer.receiver, 2u);
    EXPECT_EQ(transfer.amount, Amount(100));
    EXPECT_EQ(transfer.auth.fee, Amount(2));
    EXPECT_EQ(transfer.auth.expiry, kNow + 24 * 3600);
    EXPECT_EQ(tx.tx.nonce, 4u);
    EXPECT_EQ(tx.tx.receiver_pair, rollup::pair_hash(owner(2)));
    EXPECT_EQ(verify_signatures(domain_, std::span(&tx, 1)), std::vector<bool>{true});
    EXPECT_EQ(receipt.value().stage, Stage::executed);
}

TEST_F(WalletPayments, MakesASlotForAnOwnerThatHasNone) {
    ASSERT_TRUE(pay(to_owner(9, 100)).ok());
    const auto& tx = std::get<rollup::TransferNew>(sequencer_->received[0].tx.op);
    EXPECT_EQ(tx.owner, owner(9));
    EXPECT_EQ(tx.auth.fee, Amount(5));  // a new pair costs more
}

TEST_F(WalletPayments, WithdrawsEverythingLessTheFee) {
    PaymentRequest request = to_owner(2, 1);
    request.to = WithdrawTo{kKeys.address(1)};
    request.amount.reset();
    ASSERT_TRUE(pay(request).ok());
    const auto& tx = std::get<rollup::Withdraw>(sequencer_->received[0].tx.op);
    EXPECT_EQ(tx.amount, Amount(998));
    EXPECT_EQ(tx.recipient, kKeys.address(1));
}

TEST_F(WalletPayments, RefusesWhatCannotBe) {
    EXPECT_EQ(problem(to_owner(2, 999)), "insufficient_balance");
    EXPECT_EQ(problem(to_owner(2, 998)), "none");
    PaymentRequest request = to_owner(2, 10);
    request.from_slot = 2;
    EXPECT_EQ(problem(request), "wrong_slot");
    request.from_slot.reset();
    request.token.id = 5;
    EXPECT_EQ(problem(request), "no_account");
    request = to_owner(2, 10);
    request.to = PaySlot{77};
    EXPECT_EQ(problem(request), "unknown_receiver");
    request.to = PaySlot{4};
    EXPECT_EQ(problem(request), "token_mismatch");
    request.to = PaySlot{3};
    EXPECT_EQ(problem(request), "own_account");
    sequencer_->accepts_fee = false;
    EXPECT_EQ(problem(to_owner(2, 100)), "fee_not_accepted");
}

TEST_F(WalletPayments, ASequencerCannotNameAnyFee) {
    sequencer_->suggested_fee = "500";
    EXPECT_EQ(problem(to_owner(2, 100)), "fee_above_limit");
    PaymentRequest request = to_owner(2, 100);
    request.max_fee = Amount(500);
    EXPECT_EQ(prepare(request).value().fee, Amount(500));
    request.max_fee = Amount(499);
    EXPECT_EQ(problem(request), "fee_above_limit");
    request.fee = Amount(3);
    EXPECT_EQ(prepare(request).value().fee, Amount(3));
}

TEST_F(WalletPayments, NeverSignsANonceTwiceUnawares) {
    // The sequencer answers to everything, but not to the operation itself: it may have it, or not.
    sequencer_->disturb = [](const std::string& method) -> std::optional<ethereum::Answer<ethereum::HttpReply>> {
        if (method == "quarry_sendOperation") return lost();
        return std::nullopt;
    };
    EXPECT_EQ(pay(to_owner(2, 100)).error().name, "rpc_unreachable");
    reopen();  // another process
    ASSERT_EQ(log_->entries().size(), 1u);
    EXPECT_EQ(problem(to_owner(2, 100)), "operation_pending");
    sequencer_->disturb = nullptr;
    EXPECT_EQ(problem(to_owner(2, 100)), "operation_pending");
    // The same signature again is no second operation.
    auto resent = send_again(owner(1), client_, *log_);
    ASSERT_TRUE(resent.ok());
    ASSERT_EQ(resent.value().size(), 1u);
    EXPECT_EQ(resent.value()[0].receipt->stage, Stage::executed);
    ASSERT_EQ(sequencer_->received.size(), 1u);
    EXPECT_EQ(problem(to_owner(2, 100)), "nonce_conflict");  // executed, and yet the old nonce is asked for
    sequencer_->accounts[3].nonce = 5;
    EXPECT_EQ(prepare(to_owner(2, 100)).value().tx.tx.nonce, 5u);
    EXPECT_TRUE(send_again(owner(1), client_, *log_).value().empty());
    // The operation has used its nonce, and the sequencer denies it: paid again, it would be paid twice.
    const std::string id = to_hex(log_->entries()[0].id);
    PaymentRequest request = to_owner(2, 100);
    for (const bool replace : {false, true}) {
        request.replace = replace;
        sequencer_->stages[id] = "rejected";
        EXPECT_EQ(problem(request), "nonce_conflict");
        sequencer_->stages.erase(id);
        EXPECT_EQ(problem(request), "nonce_conflict");
    }
    request.in_addition = true;
    EXPECT_EQ(prepare(request).value().tx.tx.nonce, 5u);
    request.in_addition = false;
    const std::uint64_t expiry = kNow + 24 * 3600;
    EXPECT_EQ(problem(request, expiry + kMaxBatchAgeSeconds), "nonce_conflict");
    EXPECT_EQ(problem(request, expiry + kMaxBatchAgeSeconds + 1), "none") << "nobody can execute it any more";
}

TEST_F(WalletPayments, OneOfTheOperationsOfAUsedNonceExplainsIt) {
    PaymentRequest request = to_owner(2, 100);
    ASSERT_TRUE(pay(request).ok());
    request.replace = true;
    request.amount = Amount(70);
    ASSERT_TRUE(pay(request).ok());
    sequencer_->accounts[3].nonce = 5;
    request.replace = false;
    for (const std::size_t dropped : {0, 1}) {
        sequencer_->stages[to_hex(log_->entries()[0].id)] = "executed";
        sequencer_->stages[to_hex(log_->entries()[1].id)] = "executed";
        sequencer_->stages[to_hex(log_->entries()[dropped].id)] = "rejected";
        EXPECT_EQ(prepare(request).value().tx.tx.nonce, 5u);
    }
}

TEST_F(WalletPayments, ALaterNonceIsNotReplacedByAnEarlierOne) {
    // Nonces 4 and 5 are signed; 4 is rejected when its batch is taken back, and 5 waits for it.
    ASSERT_TRUE(pay(to_owner(2, 100)).ok());
    sequencer_->accounts[3].nonce = 5;
    ASSERT_TRUE(pay(to_owner(2, 50)).ok());
    sequencer_->accounts[3].nonce = 4;
    sequencer_->stages[to_hex(log_->entries()[0].id)] = "rejected";
    sequencer_->stages[to_hex(log_->entries()[1].id)] = "received";
    PaymentRequest request = to_owner(2, 50);
    EXPECT_EQ(problem(request), "later_nonce_signed");
    request.replace = true;
    EXPECT_EQ(problem(request), "later_nonce_signed") << "both would count";
    request.replace = false;
    request.in_addition = true;
    EXPECT_EQ(prepare(request).value().tx.tx.nonce, 4u);
    EXPECT_EQ(prepare(request).value().replaces, log_->entries()[0].id);
}

TEST_F(WalletPayments, TheReceiptOfAnotherOperationIsNone) {
    sequencer_->receipt_id = "0x" + std::string(64, '0');
    const auto sent = pay(to_owner(2, 100));
    ASSERT_FALSE(sent.ok());
    EXPECT_EQ(sent.error().name, "bad_answer");
    EXPECT_NE(sent.error().remedy.find("resend"), std::string::npos);
    EXPECT_EQ(client_.receipt(log_->entries()[0].id).error().name, "bad_answer");
}

TEST_F(WalletPayments, ReplacesOnlyWhenToldOrRejected) {
    ASSERT_TRUE(pay(to_owner(2, 100)).ok());
    const Digest first = log_->entries()[0].id;
    PaymentRequest request = to_owner(2, 70);
    request.replace = true;
    EXPECT_EQ(prepare(request).value().replaces, first);
    sequencer_->stages[to_hex(first)] = "rejected";
    EXPECT_EQ(prepare(to_owner(2, 70)).value().replaces, first);
    sequencer_->stages[to_hex(first)] = "reverted";
    EXPECT_EQ(problem(to_owner(2, 70)), "nonce_conflict");
}

TEST_F(WalletPayments, ResendsNeitherWhatWasRejectedNorWhatWasReplaced) {
    ASSERT_TRUE(pay(to_owner(2, 100)).ok());
    const Digest first = log_->entries()[0].id;
    PaymentRequest request = to_owner(2, 70);
    request.replace = true;
    ASSERT_TRUE(pay(request).ok());
    const Digest second = log_->entries()[1].id;
    sequencer_->stages.clear();  // a sequencer that knows neither
    sequencer_->received.clear();
    auto resent = send_again(owner(1), client_, *log_).value();
    ASSERT_EQ(resent.size(), 1u);
    EXPECT_EQ(resent[0].entry.id, second);
    EXPECT_EQ(sequencer_->received.size(), 1u);
    // Its owner may have paid from elsewhere since.
    sequencer_->stages[to_hex(second)] = "rejected";
    EXPECT_TRUE(send_again(owner(1), client_, *log_).value().empty());
    EXPECT_EQ(sequencer_->received.size(), 1u);
    EXPECT_NE(first, second);
}

TEST_F(WalletPayments, WaitsForAStage) {
    ASSERT_TRUE(pay(to_owner(2, 100)).ok());
    const Digest id = log_->entries()[0].id;
    std::string& stage = sequencer_->stages[to_hex(id)];
    const std::vector<std::string> way{"executed", "executed", "posted", "reverted", "executed", "proven", "claimable"};
    std::size_t asked = 0;
    sequencer_->disturb = [&](const std::string&) -> std::optional<ethereum::Answer<ethereum::HttpReply>> {
        stage = way[std::min(asked++, way.size() - 1)];
        return std::nullopt;
    };
    std::vector<Stage> shown;
    const auto show = [&](const ReceiptView& r) { shown.push_back(r.stage); };
    const auto go_on = [] { return false; };
    ASSERT_TRUE(wait_for_stage(id, Stage::claimable, 60'000, client_, clock_, show, go_on).ok());
    EXPECT_EQ(shown, (std::vector<Stage>{Stage::executed, Stage::posted, Stage::reverted, Stage::executed,
                                         Stage::proven, Stage::claimable}));
    sequencer_->disturb = nullptr;
    stage = "executed";
    const auto wait = [&](auto stop) { return wait_for_stage(id, Stage::posted, 60'000, client_, clock_, show, stop); };
    EXPECT_EQ(wait(go_on).error().name, "wait_timed_out");
    EXPECT_EQ(wait([] { return true; }).error().name, "interrupted");
    stage = "rejected";
    EXPECT_EQ(wait(go_on).error().name, "operation_rejected");
}

TEST_F(WalletPayments, TheLogSurvivesACrashAndKeepsOthersOut) {
    EXPECT_EQ(SignedLog::open(folder_, owner(1).key_hash, domain_).error().name, "wallet_busy");
    ASSERT_TRUE(pay(to_owner(2, 100)).ok());
    ASSERT_TRUE(pay([] {
                    auto r = to_owner(2, 1);
                    r.from_slot = 1;
                    r.fee = Amount(1);
                    return r;
                }())
                    .ok());
    log_.reset();
    const std::string path = std::filesystem::directory_iterator(folder_ + "/operations")->path().string();
    std::ofstream(path, std::ios::app) << "1790000000 {\"type\":\"transf";  // what a crash leaves of a third
    reopen();
    ASSERT_EQ(log_->entries().size(), 2u);
    EXPECT_EQ(log_->entries()[1].time, kNow);
    EXPECT_EQ(log_->alive(3, kNow).size(), 1u);
    EXPECT_EQ(log_->alive(2, kNow).size(), 0u);
    ASSERT_TRUE(log_->append(kNow, log_->entries()[0].tx).ok());
    reopen();
    EXPECT_EQ(log_->entries().size(), 3u);
    log_.reset();
    std::ofstream(path, std::ios::app) << "1790000000 {}\n";
    EXPECT_EQ(SignedLog::open(folder_, owner(1).key_hash, domain_).error().name, "log_damaged");
}

TEST_F(WalletPayments, AnswersThatAreNoneAreRefused) {
    std::string body;
    sequencer_->disturb = [&](const std::string&) -> std::optional<ethereum::Answer<ethereum::HttpReply>> {
        return ethereum::HttpReply{200, body, 0};
    };
    for (const char* bad : {"", "[]", "{}", "nonsense", R"({"result":{}})", R"({"result":{"accounts":{}}})",
                            R"({"result":{"accounts":[1]}})", R"({"result":{"accounts":[{"slot":-1}]}})"}) {
        body = bad;
        EXPECT_EQ(client_.accounts_of(owner(1)).error().name, "bad_answer") << bad;
    }
    sequencer_->disturb = nullptr;
    // Somebody else's account under our name.
    const auto real = client_.account(2).value();
    EXPECT_EQ(real.owner, owner(2));
    EXPECT_EQ(client_.account(77).error().name, "unknown_account");
}

}  // namespace
}  // namespace quarry::node::wallet::payments_test
