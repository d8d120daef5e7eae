#include "quarry/rollup/execution.hpp"

#include <gtest/gtest.h>

#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::execution_test {
namespace {

using testing::make_address;
using testing::make_key;
using testing::make_owner;
using testing::World;

class Execution : public ::testing::Test {
  protected:
    /// Signs as the owner of the slot and applies.
    Verdict run(const Operation& op, std::uint32_t owner) {
        const Transaction tx = world.sign(op, make_key(owner), executor);
        return executor.apply(tx, world.signature_ok(tx));
    }
    void expect(const Verdict& verdict, RejectCode code) {
        ASSERT_FALSE(verdict.ok());
        EXPECT_EQ(verdict.code(), code) << reject_name(verdict.code());
    }
    std::uint64_t balance(SlotIndex slot) const {
        return static_cast<std::uint64_t>(executor.leaf(slot)->balance.wide());
    }

    World world;
    Executor executor{world.context(), world.store, world.queues};
};

TEST_F(Execution, TransferMovesAmountFeeAndNonce) {
    ASSERT_TRUE(run(testing::transfer(2, 4, 1000, 7), 2).ok());
    EXPECT_EQ(balance(2), testing::kInitialBalance - 1007);
    EXPECT_EQ(balance(4), testing::kInitialBalance + 1000);
    EXPECT_EQ(executor.leaf(2)->nonce, 1u);
    EXPECT_EQ(executor.leaf(4)->nonce, 0u);
    EXPECT_EQ(executor.fees().pending(1), Amount(7));
    EXPECT_EQ(executor.num_words(), 3u);
}

TEST_F(Execution, NewPairGetsTheNextSlot) {
    const Owner owner = make_owner(50);
    ASSERT_TRUE(run(testing::transfer_new(2, 8, 30, 10, owner), 2).ok());
    const auto leaf = executor.leaf(8);
    ASSERT_TRUE(leaf.has_value());
    EXPECT_EQ(leaf->owner, owner);
    EXPECT_EQ(leaf->pair, pair_hash(owner));
    EXPECT_EQ(leaf->token, 1);
    EXPECT_EQ(leaf->nonce, 0u);
    EXPECT_FALSE(leaf->key_published);
    EXPECT_EQ(executor.state().slot_count, 9u);
    // Several slots of one token for one pair are fine.
    EXPECT_TRUE(run(testing::transfer_new(2, 9, 30, 10, owner), 2).ok());
}

TEST_F(Execution, WithdrawalEmitsAnEffect) {
    ASSERT_TRUE(run(testing::withdraw(3, 40, 2), 3).ok());
    const WithdrawalEffect expected{make_address(99), 2, Amount(40)};
    EXPECT_EQ(std::get<WithdrawalEffect>(*executor.steps().back().effect), expected);
    EXPECT_EQ(balance(3), testing::kInitialBalance - 42);
}

TEST_F(Execution, ChangedKeySignsFromThenOn) {
    ASSERT_TRUE(run(ChangeKey{testing::auth(2), make_key(60)}, 2).ok());
    EXPECT_EQ(executor.leaf(2)->owner.address, make_address(2)) << "the L1 owner stays";
    EXPECT_EQ(executor.leaf(2)->pair, pair_hash({key_hash(make_key(60)), make_address(2)}));
    EXPECT_TRUE(executor.leaf(2)->key_published);
    expect(run(testing::transfer(2, 4, 1), 2), RejectCode::wrong_key);
    EXPECT_TRUE(run(testing::transfer(2, 4, 1), 60).ok());
}

TEST_F(Execution, KeyIsPublishedBeforeItsFirstUseOnly) {
    ASSERT_TRUE(run(testing::transfer(5, 3, 1), 5).ok());
    ASSERT_TRUE(run(testing::transfer(5, 3, 1), 5).ok());
    ASSERT_EQ(executor.steps().size(), 3u);
    EXPECT_TRUE(std::holds_alternative<PublishKey>(executor.steps()[0].op));
    EXPECT_EQ(executor.published_keys(), std::vector<AccountKey>{make_key(5)});
}

TEST_F(Execution, RefusedTransactionTakesItsPublicationBack) {
    expect(run(testing::transfer(5, 3, 10'000'000), 5), RejectCode::insufficient_balance);
    EXPECT_TRUE(executor.steps().empty());
    EXPECT_TRUE(executor.changes().empty());
    EXPECT_EQ(executor.num_words(), 0u);
    EXPECT_FALSE(executor.leaf(5)->key_published);
}

TEST_F(Execution, UnpublishedKeyCannotSign) {
    expect(executor.apply(testing::transfer(5, 3, 1)), RejectCode::key_not_published);
    expect(executor.apply(PublishKey{5, make_key(6)}), RejectCode::key_hash_mismatch);
    expect(executor.apply(PublishKey{2, make_key(2)}), RejectCode::key_already_published);
    expect(executor.apply(PublishKey{100, make_key(2)}), RejectCode::unknown_slot);
    ASSERT_TRUE(executor.apply(PublishKey{5, make_key(5)}).ok());
    EXPECT_TRUE(executor.apply(testing::transfer(5, 3, 1)).ok());
    ASSERT_EQ(executor.signature_checks().size(), 1u);
    EXPECT_EQ(executor.signature_checks()[0].key, make_key(5));
}

// --- ADVERSARIAL, Tables: "Balance overflow and underflow, self-transfer, nonce gaps, fee equal to balance, amount 0,
// ..." ---

TEST_F(Execution, BalanceUnderflow) {
    const std::uint64_t all = testing::kInitialBalance;
    expect(run(testing::transfer(2, 4, all + 1), 2), RejectCode::insufficient_balance);
    expect(run(testing::transfer(2, 4, all, 1), 2), RejectCode::insufficient_balance);
    Transfer huge{testing::auth(2, 1), 4, Amount::max()};
    expect(run(huge, 2), RejectCode::insufficient_balance);
    huge.auth.fee = *Amount::from_wide((Amount::Wide{1} << 72) - 1);
    expect(run(huge, 2), RejectCode::insufficient_balance);
    EXPECT_TRUE(run(testing::transfer(2, 4, all), 2).ok());
    EXPECT_EQ(balance(2), 0u);
}

TEST_F(Execution, FeeEqualToBalance) {
    expect(run(testing::transfer(2, 4, 1, testing::kInitialBalance), 2), RejectCode::insufficient_balance);
    EXPECT_TRUE(run(ChangeKey{testing::auth(2, testing::kInitialBalance), make_key(60)}, 2).ok());
    EXPECT_EQ(balance(2), 0u);
}

TEST_F(Execution, BalanceOverflow) {
    auto leaves = World::leaves();
    leaves[4].balance = Amount::max();
    World rich(leaves);
    Executor at(rich.context(), rich.store, rich.queues);
    const Transaction tx = rich.sign(testing::transfer(2, 4, 1), make_key(2), at);
    expect(at.apply(tx, true), RejectCode::balance_overflow);
}

TEST_F(Execution, SelfTransfer) {
    expect(run(testing::transfer(2, 2, 1), 2), RejectCode::self_transfer);
    expect(executor.apply(testing::transfer(2, 2, 1)), RejectCode::self_transfer);
}

TEST_F(Execution, AmountZero) {
    expect(run(testing::transfer(2, 4, 0), 2), RejectCode::zero_amount);
    expect(run(testing::withdraw(2, 0), 2), RejectCode::zero_amount);
    expect(run(testing::transfer_new(2, 8, 0, 10, make_owner(50)), 2), RejectCode::zero_amount);
}

TEST_F(Execution, NonceGapsAndReplays) {
    Transaction tx = world.sign(testing::transfer(2, 4, 1), make_key(2), executor);
    Transaction later = tx;
    later.nonce = 1;
    world.resign(later);
    expect(executor.apply(later, true), RejectCode::nonce_too_high);
    ASSERT_TRUE(executor.apply(tx, true).ok());
    expect(executor.apply(tx, true), RejectCode::nonce_too_low);
    EXPECT_TRUE(executor.apply(later, true).ok());
}

// In a batch's bytes the nonce is not written: a replayed operation gets another message, and its signature fails.
TEST_F(Execution, ReplayInsideABatchFailsItsSignature) {
    const Transaction tx = world.sign(testing::transfer(2, 4, 1), make_key(2), executor);
    ASSERT_TRUE(executor.apply(tx.op).ok());
    ASSERT_TRUE(executor.apply(tx.op).ok());
    const auto checks = executor.signature_checks();
    ASSERT_EQ(checks.size(), 2u);
    EXPECT_TRUE(testing::toy_verify(checks[0].key, checks[0].message, checks[0].signature));
    EXPECT_FALSE(testing::toy_verify(checks[1].key, checks[1].message, checks[1].signature));
}

TEST_F(Execution, NoncesEnd) {
    auto leaves = World::leaves();
    leaves[2].nonce = kMaxNonce - 1;
    World old(leaves);
    Executor at(old.context(), old.store, old.queues);
    ASSERT_TRUE(at.apply(testing::transfer(2, 4, 1)).ok());
    expect(at.apply(testing::transfer(2, 4, 1)), RejectCode::nonce_exhausted);
}

TEST_F(Execution, TokensDoNotMix) {
    expect(run(testing::transfer(2, 3, 1), 2), RejectCode::receiver_token_mismatch);
    expect(executor.apply(testing::transfer(2, 3, 1)), RejectCode::receiver_token_mismatch);
    Transaction tx = world.sign(testing::transfer(2, 4, 1), make_key(2), executor);
    tx.token = 9;
    world.resign(tx);
    expect(executor.apply(tx, true), RejectCode::wrong_token);
}

TEST_F(Execution, SlotsBeyondTheTree) {
    expect(run(testing::transfer(kMaxSlots, 4, 1), 2), RejectCode::slot_out_of_range);
    expect(run(testing::transfer(2, 0xffffffff, 1), 2), RejectCode::slot_out_of_range);
    expect(run(testing::transfer(8, 4, 1), 2), RejectCode::unknown_slot);
    expect(run(testing::transfer(2, 8, 1), 2), RejectCode::unknown_receiver);
    expect(executor.apply(testing::transfer(2, kMaxSlots - 1, 1)), RejectCode::unknown_receiver);
}

// "a payment to a slot whose pair is not the signed one"
TEST_F(Execution, ReceiverPairIsTheSignedOne) {
    Transaction tx = world.sign(testing::transfer(2, 4, 1), make_key(2), executor);
    std::get<Transfer>(tx.op).receiver = 6;
    ASSERT_TRUE(world.signature_ok(tx)) << "the number is not signed";
    expect(executor.apply(tx, true), RejectCode::receiver_pair_mismatch);
    ASSERT_TRUE(executor.apply(tx.op).ok()) << "the bytes alone are executed, but then the signature fails";
    EXPECT_FALSE(testing::all_verify(executor.signature_checks()));
}

// "creation over a non-empty leaf", and beside the counter
TEST_F(Execution, CreationOnlyAtTheCounter) {
    for (const SlotIndex slot : {0u, 2u, 7u, 9u, kMaxSlots - 1}) {
        expect(run(testing::transfer_new(2, slot, 30, 10, make_owner(50)), 2), RejectCode::wrong_new_slot);
    }
    expect(run(testing::transfer_new(2, 8, 30, 9, make_owner(50)), 2), RejectCode::fee_too_small);
}

TEST_F(Execution, ExpiryIsInclusive) {
    Transfer op{testing::auth(2, 0, testing::kNow - 1), 4, Amount(1)};
    expect(run(op, 2), RejectCode::expired);
    op.auth.expiry = testing::kNow;
    EXPECT_TRUE(run(op, 2).ok());
}

TEST_F(Execution, BadSignature) {
    Transaction tx = world.sign(testing::transfer(2, 4, 1), make_key(2), executor);
    authorisation(tx.op)->signature[0] ^= 1;
    expect(executor.apply(tx, world.signature_ok(tx)), RejectCode::bad_signature);
}

TEST_F(Execution, FeesPerTokenAreCollectedBySlotsOfTheFeeReceiver) {
    ASSERT_TRUE(run(testing::transfer(2, 4, 1, 5), 2).ok());
    ASSERT_TRUE(run(testing::transfer(3, 7, 1, 6), 3).ok());
    expect(executor.apply(Collect{2}), RejectCode::not_fee_receiver);
    expect(executor.apply(Collect{50}), RejectCode::unknown_slot);
    ASSERT_TRUE(executor.apply(Collect{0}).ok());
    EXPECT_EQ(balance(0), testing::kInitialBalance + 5);
    expect(executor.apply(Collect{0}), RejectCode::nothing_to_collect);
    EXPECT_FALSE(executor.fees().empty());
    ASSERT_TRUE(executor.apply(Collect{1}).ok());
    EXPECT_EQ(balance(1), testing::kInitialBalance + 6);
    EXPECT_TRUE(executor.fees().empty());
}

TEST_F(Execution, EffectsAreCapped) {
    for (std::uint32_t i = 0; i < kMaxEffects; ++i) ASSERT_TRUE(run(testing::withdraw(2, 1), 2).ok());
    expect(run(testing::withdraw(2, 1), 2), RejectCode::effects_full);
    world.queues.deposits.push_back({make_owner(2), make_address(2), 1, Amount(1), 2});
    world.queues.forced_entries.emplace_back(ForcedWithdrawalEntry{2, make_address(2)});
    world.queues.forced_entries.emplace_back(SetKeyEntry{2, make_address(2), {}});
    expect(executor.apply(Deposit{}), RejectCode::effects_full);
    expect(executor.apply(ForcedWithdrawal{}), RejectCode::effects_full);
    EXPECT_TRUE(run(testing::transfer(2, 4, 1), 2).ok()) << "transfers have no effect";
}

// --- entries of L1: the outcome is a function of the state ---

TEST_F(Execution, DepositOutcomes) {
    struct Case {
        const char* what;
        DepositEntry entry;
        bool applied;
    };
    const std::vector<Case> cases = {
        {"own slot", {make_owner(2), make_address(70), 1, Amount(9), 2}, true},
        {"new slot", {make_owner(50), make_address(70), 300, Amount(9), kNewSlot}, true},
        {"another pair's slot", {make_owner(3), make_address(70), 1, Amount(9), 2}, false},
        {"same key, other address",
         {{key_hash(make_key(2)), make_address(3)}, make_address(70), 1, Amount(9), 2},
         false},
        {"another token", {make_owner(2), make_address(70), 2, Amount(9), 2}, false},
        {"no such slot", {make_owner(2), make_address(70), 1, Amount(9), 20}, false},
        {"beyond the tree", {make_owner(2), make_address(70), 1, Amount(9), kMaxSlots + 2}, false},
        {"overflow", {make_owner(2), make_address(70), 1, Amount::max(), 2}, false},
    };
    for (const Case& c : cases) {
        World fresh;
        fresh.queues.deposits.push_back(c.entry);
        Executor at(fresh.context(), fresh.store, fresh.queues);
        ASSERT_TRUE(at.apply(Deposit{}).ok()) << c.what;
        const DepositEffect expected{c.applied, 0, c.entry};
        EXPECT_EQ(std::get<DepositEffect>(*at.steps()[0].effect), expected) << c.what;
        EXPECT_EQ(at.state().deposit_cursor, 1u);
        const SlotIndex slot = c.entry.target == kNewSlot ? 8 : 2;
        const std::uint64_t before = c.entry.target == kNewSlot ? 0 : testing::kInitialBalance;
        EXPECT_EQ(at.leaf(slot) ? at.leaf(slot)->balance : Amount(), Amount(before + (c.applied ? 9 : 0))) << c.what;
        // "the same deposit consumed twice"
        expect(at.apply(Deposit{}), RejectCode::no_queue_entry);
    }
}

TEST_F(Execution, ForcedWithdrawalOutcomes) {
    world.queues.forced_entries = {ForcedWithdrawalEntry{2, make_address(2)}, ForcedWithdrawalEntry{2, make_address(2)},
                                   ForcedWithdrawalEntry{3, make_address(2)},
                                   ForcedWithdrawalEntry{20, make_address(2)}, ForcedWithdrawalEntry{0xffffffff, {}}};
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(executor.apply(ForcedWithdrawal{}).ok());
    const auto effect = [&](std::size_t i) { return std::get<ForcedWithdrawalEffect>(*executor.steps()[i].effect); };
    EXPECT_TRUE(effect(0).applied);
    EXPECT_EQ(effect(0).amount, Amount(testing::kInitialBalance));
    EXPECT_EQ(effect(0).token, 1);
    EXPECT_TRUE(effect(1).applied) << "an empty slot pays nothing";
    EXPECT_TRUE(effect(1).amount.is_zero());
    for (std::size_t i = 2; i < 5; ++i) {
        EXPECT_FALSE(effect(i).applied);
        EXPECT_TRUE(effect(i).amount.is_zero());
    }
    EXPECT_EQ(balance(2), 0u);
    EXPECT_EQ(balance(3), testing::kInitialBalance);
    EXPECT_EQ(executor.leaf(2)->nonce, 0u);
    EXPECT_EQ(executor.state().forced_cursor, 5u);
    // "withdrawing more than deposited"
    expect(run(testing::withdraw(2, 1), 2), RejectCode::insufficient_balance);
}

TEST_F(Execution, SetKeyOutcomes) {
    world.queues.forced_entries = {SetKeyEntry{2, make_address(2), key_hash(make_key(60))},
                                   SetKeyEntry{3, make_address(2), key_hash(make_key(60))},
                                   SetKeyEntry{20, make_address(2), key_hash(make_key(60))}};
    expect(executor.apply(ForcedWithdrawal{}), RejectCode::queue_kind_mismatch);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(executor.apply(SetKey{}).ok());
    EXPECT_EQ(executor.leaf(2)->owner.key_hash, key_hash(make_key(60)));
    EXPECT_FALSE(executor.leaf(2)->key_published);
    EXPECT_EQ(executor.leaf(3)->owner, make_owner(3)) << "only the leaf's L1 address may";
    EXPECT_TRUE(std::get<SetKeyEffect>(*executor.steps()[0].effect).applied);
    EXPECT_FALSE(std::get<SetKeyEffect>(*executor.steps()[1].effect).applied);
    EXPECT_FALSE(std::get<SetKeyEffect>(*executor.steps()[2].effect).applied);
    expect(run(testing::transfer(2, 4, 1), 2), RejectCode::wrong_key);
    EXPECT_TRUE(run(testing::transfer(2, 4, 1), 60).ok());
    expect(executor.apply(SetKey{}), RejectCode::no_queue_entry);
}

// Both queues' records in the wrong order or without an entry cannot be marked as anything else.
TEST_F(Execution, QueueKindsMustMatch) {
    expect(executor.apply(Deposit{}), RejectCode::no_queue_entry);
    expect(executor.apply(SetKey{}), RejectCode::no_queue_entry);
    expect(executor.apply(ForcedWithdrawal{}), RejectCode::no_queue_entry);
    world.queues.forced_entries = {ForcedWithdrawalEntry{2, make_address(2)}};
    expect(executor.apply(SetKey{}), RejectCode::queue_kind_mismatch);
}

// A refused operation changes nothing, for every cause above: the executor's observable state before and after.
TEST_F(Execution, RefusalsChangeNothing) {
    ASSERT_TRUE(run(testing::transfer(2, 4, 1000, 7), 2).ok());
    const auto changes = executor.changes();
    const State state = executor.state();
    const FeeLedger fees = executor.fees();
    const std::vector<Operation> refused = {testing::transfer(2, 2, 1),
                                            testing::transfer(2, 4, 0),
                                            testing::transfer(2, 3, 1),
                                            testing::transfer(2, 4, 1 << 30),
                                            testing::withdraw(2, 1 << 30),
                                            Deposit{},
                                            Collect{2},
                                            PublishKey{2, make_key(2)}};
    for (const Operation& op : refused) EXPECT_FALSE(executor.apply(op).ok());
    EXPECT_EQ(executor.changes(), changes);
    EXPECT_EQ(executor.state(), state);
    EXPECT_EQ(executor.fees(), fees);
    EXPECT_EQ(executor.steps().size(), 1u);
}

TEST(FeeLedger, IsBoundedAndAFunctionOfTheSums) {
    FeeLedger fees;
    for (TokenId t = 0; t < FeeLedger::kCells; ++t) {
        ASSERT_TRUE(fees.check_add(t, Amount(1)).ok());
        fees.add(t, Amount(1));
    }
    EXPECT_EQ(fees.check_add(100, Amount(1)).code(), RejectCode::fee_ledger_full);
    EXPECT_TRUE(fees.check_add(100, Amount()).ok()) << "a fee of zero needs no cell";
    EXPECT_EQ(fees.check_add(3, Amount::max()).code(), RejectCode::fee_overflow);
    fees.clear(7);
    EXPECT_TRUE(fees.check_add(100, Amount(1)).ok());
    fees.add(100, Amount(1));
    EXPECT_EQ(fees.cells()[7].token, 8);
    EXPECT_EQ(fees.cells().back().token, 100);
    EXPECT_EQ(fees.pending(7), Amount());
    EXPECT_NE(fees.digest(), FeeLedger{}.digest());

    // The same sums in another order, with a token that comes and goes.
    FeeLedger other;
    other.add(100, Amount(1));
    other.add(7, Amount(5));
    for (TokenId t = FeeLedger::kCells; t-- > 0;) {
        if (t != 7) other.add(t, Amount(1));
        if (t == 9) other.clear(7);
    }
    EXPECT_EQ(other, fees);
    EXPECT_EQ(other.digest(), fees.digest());
    for (const TokenId t : {TokenId{100}, TokenId{0}, TokenId{8}}) fees.clear(t);
    EXPECT_EQ(fees.pending(9), Amount(1));
    EXPECT_EQ(fees.cells()[FeeLedger::kCells - 3], FeeLedger::Cell{}) << "no cell is left behind";
}

}  // namespace
}  // namespace quarry::rollup::execution_test
