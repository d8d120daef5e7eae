// Attacks on the segment circuit as a whole: lies that are told in every table at once, and what refuses them. The
// lines are those of the project's list of what must be rejected (README.md has the table).

#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary::segment_test {
namespace {

using namespace circuits;  // buses
using rollup::Nonce;

Amount wrapped(Amount::Wide x) { return *Amount::from_wide(x & Amount::max().wide()); }

/// The data accumulator behind the last word.
Digest word_end(Witness& w) {
    std::size_t row = 0;
    while (w.cell(SegmentTable::word, row, "is_real") == KoalaBear(1)) ++row;
    Digest end;
    for (std::size_t i = 0; i < end.size(); ++i) {
        end[i] = w.cell(SegmentTable::word, row, "absorb.acc[" + std::to_string(i) + "]");
    }
    return end;
}

/// One honest batch per test, and the claim about it that the test bends.
class SegmentLies : public ::testing::Test {
  protected:
    RealRollup rollup;
    RealBatch batch{rollup};
};

TEST_F(SegmentLies, TheHonestClaimIsAccepted) {
    Claim c(rollup, every_operation(rollup));
    EXPECT_EQ(c.verdict(), accepted());
}

// --- amounts ---

// "balance underflow; withdrawing more than deposited"
TEST_F(SegmentLies, WithdrawingMoreThanThereIs) {
    Claim c(rollup, batch.add(rollup::Withdraw{auth(2), Amount(70), rollup.address(30)}).seal());
    const Amount amount(kBalance + 1);
    c.op<rollup::Withdraw>(0).amount = amount;
    std::get<rollup::WithdrawalEffect>(*c.batch.steps[0].effect).amount = amount;
    c.after(0).balance = wrapped(c.before(0).balance.wide() - amount.wide());
    c.sign(0);
    EXPECT_EQ(c.verdict(), broken({"signed.sender.balance.top"}));
}

// "balance overflow"
TEST_F(SegmentLies, MoreThanABalanceHolds) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 6, Amount(10)}).seal());
    ASSERT_EQ(c.after(0, 1).balance, Amount::max());
    ASSERT_EQ(c.verdict(), accepted());
    c.op<rollup::Transfer>(0).amount = Amount(11);
    c.after(0).balance = Amount(kBalance - 11);
    c.after(0, 1).balance = Amount();
    c.sign(0);
    EXPECT_EQ(c.verdict(), broken({"signed.to.balance.top"}));
}

// The effect is what leaves, so it must be what was debited.
TEST_F(SegmentLies, MoreLeavesThanIsDebited) {
    Claim c(rollup, batch.add(rollup::Withdraw{auth(2), Amount(70), rollup.address(30)}).seal());
    std::get<rollup::WithdrawalEffect>(*c.batch.steps[0].effect).amount = Amount(71);
    EXPECT_EQ(c.verdict(), unmet({kEffectWordBus}));
}

// "amount 0"
TEST_F(SegmentLies, AmountZero) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    c.op<rollup::Transfer>(0).amount = Amount();
    c.after(0).balance = c.before(0).balance;
    c.after(0, 1).balance = c.before(0, 1).balance;
    c.sign(0);
    EXPECT_EQ(c.verdict(), broken({"signed.amount.positive"}));
}

// N3
TEST_F(SegmentLies, FeeBelowTheMinimum) {
    Claim c(rollup, batch.add(rollup::TransferNew{auth(4, 10), 8, Amount(50), rollup.owner(20)}).seal());
    c.op<rollup::TransferNew>(0).auth.fee = c.batch.steps[0].fee = c.batch.steps[1].collected = Amount(9);
    c.after(0).balance = Amount(kBalance - 59);
    c.after(1).balance = Amount(kBalance + 9);
    c.sign(0);
    EXPECT_EQ(c.verdict(), unmet({kRange16Bus}));
}

// --- slots and nonces ---

// "self-transfer; two touches of one account in one transaction"
TEST_F(SegmentLies, SelfTransfer) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(100)}).seal());
    c.op<rollup::Transfer>(0).receiver = 2;
    const rollup::Leaf opening = c.before(0);
    c.batch.steps[0].access[1] = {2, c.after(0), c.after(0)};
    c.after(0, 1).balance = opening.balance;
    c.sign(0);
    // The second access would have to be after the first, which has the same time.
    Witness chained = c.witness();
    EXPECT_EQ(chained.verdict(), unmet({kRange16Bus}));
    // Or both read the opening: the credit is kept, the debit forgotten.
    c.before(0, 1) = opening;
    c.after(0, 1).balance = Amount(kBalance + 100);
    c.sign(0);
    Witness forked = c.witness();
    forked.cell(SegmentTable::signed_operation, 0, "to.previous") = KoalaBear();
    EXPECT_EQ(forked.verdict(), unmet({kMemoryBus}));
}

// "nonce gaps"
TEST_F(SegmentLies, NonceGap) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    c.after(0).nonce += 1;
    EXPECT_EQ(c.verdict(), unmet({kMemoryBus}));
}

// S4: the last nonce is spent, and the next would be 2^30.
TEST_F(SegmentLies, NonceExhausted) {
    Claim c(rollup,
            batch.add(rollup::Transfer{auth(7), 4, Amount(1)}).add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    ASSERT_EQ(c.after(0).nonce, rollup::kMaxNonce);
    ASSERT_EQ(c.verdict(), accepted());
    // The second transfer, as one of slot 7.
    c.op<rollup::Transfer>(1).auth.slot = 7;
    rollup::Leaf leaf = c.after(0);
    c.batch.steps[1].access[0] = {7, leaf, leaf};
    c.after(1).balance = Amount(kBalance - 2);
    c.after(1).nonce += 1;
    c.sign(1);
    EXPECT_EQ(c.verdict(), unmet({kRange16Bus}));
}

// A signature is good for one nonce.
TEST_F(SegmentLies, ReplayedTransfer) {
    Claim c(rollup,
            batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    ASSERT_EQ(c.verdict(), accepted());
    rollup::authorisation(c.batch.steps[1].op)->signature = rollup::authorisation(c.batch.steps[0].op)->signature;
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));  // the challenge of the second message is another
    c.batch.steps[1].message = c.batch.steps[0].message;
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));  // the old message does not have the nonce of the slot
}

// "unknown token": a receiver of another token.
TEST_F(SegmentLies, ReceiverOfAnotherToken) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(100)}).seal());
    c.op<rollup::Transfer>(0).receiver = 3;
    const rollup::Leaf other = *rollup.store.leaf(3);
    c.batch.steps[0].access[1] = {3, other, other};
    c.after(0, 1).balance = Amount(kBalance + 100);
    c.sign(0);
    EXPECT_EQ(c.verdict(), unmet({kMemoryBus}));
}

// T3: the slot that the lie credits is not in the tree.
TEST_F(SegmentLies, ReceiverThatDoesNotExist) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(100)}).seal());
    c.op<rollup::Transfer>(0).receiver = 20;
    c.batch.steps[0].access[1].slot = 20;
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));
}

// "a payment to a slot whose pair is not the signed one"
TEST_F(SegmentLies, PaymentToAnotherPair) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(5)}).seal());
    c.op<rollup::Transfer>(0).receiver = 7;  // not signed, but its pair is
    const rollup::Leaf other = *rollup.store.leaf(7);
    c.batch.steps[0].access[1] = {7, other, other};
    c.after(0, 1).balance = Amount(kBalance + 5);
    EXPECT_EQ(c.verdict(), unmet({kMemoryBus}));
    c.set_message(0);
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));
}

// "slot opened twice": a balance is spent twice, each time from what the slot held before the segment.
TEST_F(SegmentLies, DoubleSpendFromTwoOpenings) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(kBalance)})
                        .add(rollup::Transfer{auth(4), 7, Amount(kBalance)})
                        .seal());
    // The second transfer, as another one of slot 2.
    c.op<rollup::Transfer>(1).auth.slot = 2;
    c.batch.steps[1].access[0] = c.batch.steps[0].access[0];
    c.sign(1);
    Witness w = c.witness();
    w.cell(SegmentTable::signed_operation, 1, "sender.previous") = KoalaBear();
    EXPECT_EQ(w.verdict(), unmet({kMemoryBus}));
    // A second row opens the slot, and closes it behind the first transfer.
    constexpr std::size_t kSlot2 = 0;
    const std::size_t spare = 10;
    w.copy_row(SegmentTable::slot, kSlot2, spare);
    w.cell(SegmentTable::slot, spare, "last") = KoalaBear(1);
    EXPECT_EQ(w.verdict(), unmet({kNodeBus}));
}

// "a read from the future": the earlier of two transfers spends what the later one leaves.
TEST_F(SegmentLies, ReadFromTheFuture) {
    Claim c(rollup,
            batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).add(rollup::Transfer{auth(2), 4, Amount(2)}).seal());
    const rollup::Leaf opening = c.before(0);
    rollup::Leaf between = opening;
    between.balance = Amount(kBalance - 2);
    between.nonce = 1;
    const rollup::Leaf closing = c.after(1);
    // Tree and statement are the honest ones; the two steps access slot 2 the other way round.
    circuits::Timeline bent = c.make_timeline();
    c.batch.steps[1].access[0] = {2, opening, between};
    c.batch.steps[0].access[0] = {2, between, closing};
    c.sign(0);
    c.sign(1);
    ASSERT_EQ(bent.slots[0].slot, 2U);
    bent.slots[0].last = bent.steps[0].time();
    bent.steps[0].previous[0] = bent.steps[1].time();
    bent.steps[1].previous[0] = 0;
    Witness w(bent, c.signatures());
    // The signatures are in the data.
    w.statement.after.data.digest = word_end(w);
    EXPECT_EQ(w.verdict(), unmet({kRange16Bus}));
}

// "creation over a non-empty leaf", and not at the end.
TEST_F(SegmentLies, CreationOfAWrongSlot) {
    Claim c(rollup, batch.add(rollup::TransferNew{auth(4, 10), 8, Amount(50), rollup.owner(20)}).seal());
    const rollup::LeafChange honest = c.batch.steps[0].access[1];
    c.op<rollup::TransferNew>(0).receiver = c.batch.steps[0].access[1].slot = 9;
    EXPECT_EQ(c.verdict(), unmet({kRegisterBus}));
    c.op<rollup::TransferNew>(0).receiver = 3;
    c.batch.steps[0].access[1] = {3, rollup.store.leaf(3), honest.after};
    EXPECT_EQ(c.verdict(), unmet({kMemoryBus, kRegisterBus}));
}

// --- authority ---

// S2, and a key that nobody has seen.
TEST_F(SegmentLies, UnpublishedKey) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(5), 3, Amount(1)}).seal());
    ASSERT_EQ(rollup::opcode(c.batch.steps[0].op), rollup::Opcode::publish_key);
    c.batch.steps.erase(c.batch.steps.begin());
    c.restrict(0, c.batch.steps.size());
    c.before(0).key_published = c.after(0).key_published = false;
    c.sign(0);
    EXPECT_EQ(c.verdict(), unmet({kMemoryBus}));
}

// P2, P3
TEST_F(SegmentLies, PublicationOfAnotherKey) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(5), 3, Amount(1)}).seal());
    c.op<rollup::PublishKey>(0).key = rollup.key(6);
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));
}

TEST_F(SegmentLies, ExpiredOperation) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    c.op<rollup::Transfer>(0).auth.expiry = kNow - 1;
    c.sign(0);
    EXPECT_EQ(c.verdict(), unmet({kRange16Bus}));
    Witness w = c.witness();  // with another time than the header's
    w.cell(SegmentTable::signed_operation, 0, "timestamp[0]") -= KoalaBear(1);
    w.cell(SegmentTable::signed_operation, 0, "borrow") = KoalaBear();
    EXPECT_EQ(w.verdict(), unmet({kTimestampBus}));
}

// A signature for another rollup, and somebody else's.
TEST_F(SegmentLies, ForeignSignatures) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    auto parameters = rollup.parameters;
    parameters.rollup_id += 1;
    c.sign(0, rollup::domain_hash(parameters));
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));
    const Digest message = rollup::message_hash(rollup::domain_hash(rollup.parameters), *c.batch.steps[0].message);
    rollup::authorisation(c.batch.steps[0].op)->signature = rollup.sign(rollup.key_hash(4), message);
    EXPECT_EQ(c.verdict(), unmet({kHashBus}));
    // Under the thief's key, for the thief's signature: the slot does not have that key.
    Claim thief(rollup, c.batch);
    thief.batch.steps[0].message->key_hash = rollup.key_hash(4);
    EXPECT_TRUE(thief.verdict().unmet.contains(kSignatureBus));
}

// C2
TEST_F(SegmentLies, FeesForAnotherSlot) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2, 5), 4, Amount(1)}).seal());
    const rollup::Leaf thief = *rollup.store.leaf(7);
    c.op<rollup::Collect>(1).slot = 7;
    c.batch.steps[1].access[0] = {7, thief, thief};
    c.after(1).balance = Amount(kBalance + 5);
    EXPECT_EQ(c.verdict(), unmet({kFeeReceiverBus}));
}

// --- queues ---

// "an applicable L1 entry as a no-op"
TEST_F(SegmentLies, ApplicableEntriesAsAbsent) {
    Claim c(rollup, batch.deposit({rollup.owner(3), rollup.address(31), 2, Amount(40), 3})
                        .forced(rollup::ForcedWithdrawalEntry{3, rollup.address(3)})
                        .forced(rollup::SetKeyEntry{3, rollup.address(3), rollup.key_hash(26)})
                        .seal());
    ASSERT_EQ(c.verdict(), accepted());
    for (rollup::Step& step : c.batch.steps) step.num_accesses = 0;
    std::get<rollup::DepositEffect>(*c.batch.steps[0].effect).applied = false;
    auto& withdrawal = std::get<rollup::ForcedWithdrawalEffect>(*c.batch.steps[1].effect);
    withdrawal = {false, withdrawal.index, withdrawal.entry, 0, {}};
    std::get<rollup::SetKeyEffect>(*c.batch.steps[2].effect).applied = false;
    EXPECT_EQ(c.verdict(), broken({"deposit.absent.high", "forced.absent.high"}));
}

// "and the reverse; account index beyond the tree": numbers that the field cannot tell from a slot's.
TEST_F(SegmentLies, SlotNumbersBeyondTheField) {
    constexpr std::uint32_t kAlias = KoalaBear::kModulus + 3;
    Claim c(rollup, batch.deposit({rollup.owner(3), rollup.address(31), 2, Amount(40), 3}).seal());
    std::get<rollup::DepositEffect>(*c.batch.steps[0].effect).entry.target = kAlias;
    EXPECT_EQ(c.verdict(), unmet({kRange16Bus}));
    RealBatch other(rollup);
    Claim f(rollup, other.forced(rollup::ForcedWithdrawalEntry{3, rollup.address(3)}).seal());
    std::get<rollup::ForcedWithdrawalEffect>(*f.batch.steps[0].effect).entry.slot = kAlias;
    EXPECT_EQ(f.verdict(), unmet({kRange16Bus}));
}

// "the same deposit consumed twice"
TEST_F(SegmentLies, DepositConsumedTwice) {
    const rollup::DepositEntry entry{rollup.owner(4), rollup.address(31), 1, Amount(40), 4};
    Claim c(rollup, batch.deposit(entry).deposit(entry).seal());
    std::get<rollup::DepositEffect>(*c.batch.steps[1].effect).index = 0;
    EXPECT_EQ(c.verdict(), unmet({kEffectWordBus}));
    Witness w = c.witness();  // both read the cursor as it was
    w.cell(SegmentTable::deposit, 1, "cursor.before[0]") = KoalaBear();
    w.cell(SegmentTable::deposit, 1, "cursor.previous") = KoalaBear();
    w.statement.after.state.deposit_cursor = 1;
    w.cell(SegmentTable::register_file, 1, "after[0]") = KoalaBear(1);
    EXPECT_EQ(w.verdict(), unmet({kRegisterBus}));
}

// --- the whole ---

// Data that nobody executes.
TEST_F(SegmentLies, OperationLeftOut) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)})
                        .add(rollup::Withdraw{auth(4), Amount(7), rollup.address(30)})
                        .seal());
    Witness whole = c.witness();
    c.restrict(0, 1);
    Witness w = c.witness();
    w.columns(SegmentTable::word) = whole.columns(SegmentTable::word);
    w.columns(SegmentTable::chain) = whole.columns(SegmentTable::chain);
    w.statement.after.data = whole.statement.after.data;
    w.statement.work = whole.statement.work;
    EXPECT_EQ(w.verdict(), unmet({kWordBus}));
}

// The sender is debited, and nothing leaves.
TEST_F(SegmentLies, WithdrawalWithoutItsEffect) {
    Claim c(rollup, batch.add(rollup::Withdraw{auth(4), Amount(7), rollup.address(30)}).seal());
    c.batch.steps[0].effect.reset();
    EXPECT_EQ(c.verdict(), unmet({kEffectWordBus}));
    Witness w = c.witness();
    w.clear_row(SegmentTable::withdraw, 0);
    EXPECT_EQ(w.verdict(), unmet({kWordBus, circuits::kExtensionBus}));
}

// "non-boolean multiplicity": two effects for one debit, or a row that takes back.
TEST_F(SegmentLies, MultiplicitiesOtherThanBits) {
    Claim c(rollup, batch.add(rollup::Withdraw{auth(4), Amount(7), rollup.address(30)}).seal());
    Witness w = c.witness();
    for (const KoalaBear m : {KoalaBear(2), -KoalaBear(1)}) {
        w.cell(SegmentTable::withdraw, 0, "is_real") = m;
        EXPECT_EQ(w.verdict().broken, std::set<std::string>{"withdraw.is_real"});
    }
    w.cell(SegmentTable::withdraw, 0, "is_real") = KoalaBear(1);
    w.cell(SegmentTable::slot, 0, "is_real") = KoalaBear(2);
    EXPECT_EQ(w.verdict().broken, std::set<std::string>{"slot.is_real"});
}

// "units or tag not computed in the circuit", and a payee of the verifier's choice.
TEST_F(SegmentLies, WorkAndPayee) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    Witness w = c.witness();
    const rollup::SegmentStatement honest = w.statement;
    w.statement.work = rollup::leaf_work(9, honest.work.units + 1);
    EXPECT_EQ(w.verdict(), unmet({kWorkBus}));
    w.statement.work = rollup::leaf_work(10, honest.work.units);
    EXPECT_EQ(w.verdict(), unmet({kWorkBus}));
    w.statement = honest;
    w.statement.payee = rollup.address(36);
    EXPECT_EQ(w.verdict(), unmet({kWorkBus}));
}

// "segments that stop before the batch's end": true, but no batch.
TEST_F(SegmentLies, SegmentsThatStopEarlyAreNoBatch) {
    Claim c(rollup, every_operation(rollup));
    const std::size_t num_steps = c.batch.steps.size();
    const auto is_whole = [&] {
        const auto s = c.make_timeline().statement;
        return rollup::check_whole(s.header, s.before, s.after, c.batch.header).ok();
    };
    EXPECT_TRUE(is_whole());
    for (const std::size_t last : {num_steps / 2, num_steps - 1}) {
        c.restrict(0, last);
        EXPECT_FALSE(is_whole());
    }
    c.restrict(1, num_steps);
    EXPECT_FALSE(is_whole());
}

// Numbers that are too large for their element, refused before the proof is looked at.
TEST_F(SegmentLies, StatementsThatNoBatchHas) {
    Claim c(rollup, batch.add(rollup::Transfer{auth(2), 4, Amount(1)}).seal());
    const rollup::SegmentStatement honest = c.make_timeline().statement;
    const auto expect_mismatch = [&](auto change) {
        rollup::SegmentStatement s = honest;
        change(s);
        const Status status = verify_segment(s, std::vector<std::uint8_t>());
        ASSERT_FALSE(status.ok());
        EXPECT_EQ(status.error().code, Errc::statement_mismatch);
    };
    ASSERT_NE(verify_segment(honest, std::vector<std::uint8_t>()).error().code, Errc::statement_mismatch);
    expect_mismatch([](auto& s) { s.payee = {}; });
    for (const auto point : {&rollup::SegmentStatement::before, &rollup::SegmentStatement::after}) {
        expect_mismatch([&](auto& s) { (s.*point).state.slot_count += KoalaBear::kModulus; });
        expect_mismatch([&](auto& s) { (s.*point).data.count += KoalaBear::kModulus; });
        expect_mismatch([&](auto& s) { (s.*point).effects.count += KoalaBear::kModulus; });
    }
    expect_mismatch([](auto& s) { s.work.units += KoalaBear::kModulus; });
    expect_mismatch([](auto& s) { std::swap(s.before.data, s.after.data); });
}

}  // namespace
}  // namespace quarry::adversary::segment_test
