/// The sequencer's engine: what it acknowledges, and what becomes of it.
#include "quarry/node/sequencer/engine.hpp"

#include <gtest/gtest.h>

#include "quarry/node/sequencer/testing.hpp"
#include "quarry/rollup/batch.hpp"

namespace quarry::node::sequencer::engine_test {
namespace {

using testing::kBalance;
using testing::World;

class SequencerEngine : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(world.create());
        ASSERT_EQ(world.start(), "");
    }
    BatchStatus phase(BatchPhase p, const char* code = "") const {
        BatchStatus status;
        status.phase = p;
        status.code = code;
        status.reason = code;
        status.transaction[0] = 1;
        return status;
    }
    World world;
};

TEST_F(SequencerEngine, ExecutesAtOnceAndClosesBySize) {
    std::vector<SignedTransaction> txs;
    for (rollup::Nonce n = 0; n < 10; ++n) txs.push_back(world.transfer(1, 2, n));
    EXPECT_EQ(world.submit_all(txs), std::vector<std::string>(10, "executed"));
    EXPECT_EQ(world.engine->status().batch, 1);
    EXPECT_EQ(world.engine->status().open_operations, 2);
    EXPECT_EQ(world.balance(2), kBalance + 100);
    EXPECT_EQ(world.engine->account(1)->next_nonce, 10);
    EXPECT_EQ(world.engine->operations_of(1).size(), 8);
    EXPECT_EQ(world.engine->operations_of(1).front(), world.id(txs[0]));
    const auto last = world.engine->receipt(world.id(txs[9]));
    EXPECT_EQ(last->batch, 2);
    EXPECT_EQ(last->index, 1);
    // What L1 shows is what a prover accepts.
    const BatchFiles& files = world.archive.batches.at(1);
    const auto before = world.store->before_batch(1);
    const auto replayed =
        rollup::replay(world.store->parameters(), before.value(), files.queues(), files.header, files.data);
    ASSERT_TRUE(replayed.ok());
    EXPECT_TRUE(all_verify(replayed.value().signature_checks));
}

TEST_F(SequencerEngine, ClosesByAge) {
    EXPECT_EQ(world.submit(world.transfer(1, 2, 0)), "executed");
    ASSERT_TRUE(world.tick(world.options.max_age_ms - 1));
    EXPECT_EQ(world.engine->status().batch, 0);
    ASSERT_TRUE(world.tick(1));
    EXPECT_EQ(world.engine->status().batch, 1);
    ASSERT_TRUE(world.tick(100 * world.options.max_age_ms));
    EXPECT_EQ(world.engine->status().batch, 1) << "an empty batch is not closed";
}

TEST_F(SequencerEngine, WaitsForEarlierNonces) {
    const auto late = world.transfer(1, 2, 1);
    EXPECT_EQ(world.submit(late), "received");
    EXPECT_EQ(world.engine->account(1)->next_nonce, 0);
    EXPECT_EQ(world.submit(world.transfer(1, 2, 0)), "executed");
    EXPECT_EQ(world.stage(late), "executed");
    EXPECT_EQ(world.engine->account(1)->next_nonce, 2);
}

TEST_F(SequencerEngine, RefusesWithTheCause) {
    auto forged = world.transfer(1, 2, 0);
    rollup::authorisation(forged.tx.op)->signature[20] ^= 1;
    auto stolen = world.transfer(1, 2, 0);
    std::get<rollup::Transfer>(stolen.tx.op).auth.slot = 3;
    auto expired = world.transfer(1, 2, 0);
    rollup::authorisation(expired.tx.op)->expiry = static_cast<rollup::Timestamp>(world.now / 1000 - 1);
    auto soon = world.transfer(1, 2, 0);
    rollup::authorisation(soon.tx.op)->expiry = static_cast<rollup::Timestamp>(world.now / 1000 + 5);
    auto other_token = world.transfer(1, 2, 0);
    other_token.tx.token = 9;
    auto nobody = world.transfer(1, 2, 0);
    std::get<rollup::Transfer>(nobody.tx.op).auth.slot = 99;
    EXPECT_EQ(world.submit_all({forged, stolen, expired, soon, other_token, nobody}),
              (std::vector<std::string>{"bad_signature", "wrong_key", "expired", "expires_too_soon", "wrong_token",
                                        "unknown_slot"}));
    EXPECT_EQ(world.submit_all({world.transfer(1, 2, 0, 10, 1), world.transfer(1, 2, 0, kBalance),
                                world.transfer(1, 2, 9), world.transfer(1, 1, 0), world.transfer(1, 2, 0, 0)}),
              (std::vector<std::string>{"fee_too_low", "insufficient_balance", "nonce_too_far", "self_transfer",
                                        "zero_amount"}));
    const auto good = world.transfer(1, 2, 0);
    EXPECT_EQ(world.submit_all({good, good}), (std::vector<std::string>{"executed", "executed"})) << "known, not twice";
    EXPECT_EQ(world.submit(world.transfer(1, 3, 0)), "nonce_too_low");
    EXPECT_EQ(world.balance(2), kBalance + 10);
    EXPECT_EQ(world.stage(forged), "executed") << "the signature is not part of the id";
    EXPECT_EQ(world.stage(world.transfer(1, 2, 9)), "unknown") << "what was never acknowledged leaves no trace";
}

TEST_F(SequencerEngine, ReplacesAndExpiresWaitingOperations) {
    const auto first = world.transfer(1, 2, 1, 10, 20);
    EXPECT_EQ(world.submit(first), "received");
    EXPECT_EQ(world.submit(world.transfer(1, 3, 1, 10, 21)), "replacement_underpriced");
    const auto better = world.transfer(1, 3, 1, 10, 22);
    EXPECT_EQ(world.submit(better), "received");
    EXPECT_EQ(world.stage(first), "rejected");
    EXPECT_EQ(world.engine->receipt(world.id(first))->code, "replaced");
    EXPECT_EQ(world.stage(better), "received");
    world.now = 4'000'000'001'000;
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.engine->receipt(world.id(better))->code, "expired");
    EXPECT_EQ(world.engine->status().waiting, 0);
}

TEST_F(SequencerEngine, WaitsForRoomAndTakesByFee) {
    world.options.max_unposted = 1;
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.submit(world.transfer(1, 2, 0)), "executed");
    ASSERT_TRUE(world.close_batch());
    const auto poor = world.transfer(1, 2, 1, 10, 2);
    const auto rich = world.transfer(3, 2, 0, 10, 9);
    EXPECT_EQ(world.submit_all({poor, rich}), (std::vector<std::string>{"received", "received"}));
    world.settlement.statuses[1] = phase(BatchPhase::posted);
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.engine->receipt(world.id(rich))->index, 0);
    EXPECT_EQ(world.engine->receipt(world.id(poor))->index, 1);
}

TEST_F(SequencerEngine, RestartRepeatsTheOpenBatch) {
    const auto waiting = world.transfer(4, 2, 3);
    EXPECT_EQ(world.submit_all({world.transfer(1, 2, 0), world.transfer_new(2, 40, 0), waiting}).at(1), "executed");
    World twin;  // the same operations without a restart
    ASSERT_TRUE(twin.create());
    ASSERT_EQ(twin.start(), "");
    twin.submit_all({twin.transfer(1, 2, 0), twin.transfer_new(2, 40, 0)});
    ASSERT_TRUE(twin.close_batch());

    world.now += 60'000;
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.engine->status().open_operations, 2);
    EXPECT_EQ(world.stage(waiting), "received");
    EXPECT_EQ(world.engine->status().waiting, 1);
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(1)->record.hash, twin.engine->batch(1)->record.hash);
    EXPECT_EQ(world.engine->slots_of(rollup::pair_hash(world.owner(40)), 9), std::vector<rollup::SlotIndex>{12});
    world.settlement.posted.clear();
    ASSERT_EQ(world.start(), "");
    EXPECT_TRUE(world.settlement.posted.contains(1)) << "handed over again after a restart";
    EXPECT_EQ(world.submit_all({world.transfer(4, 2, 0), world.transfer(4, 2, 1), world.transfer(4, 2, 2)}),
              std::vector<std::string>(3, "executed"));
    EXPECT_EQ(world.stage(waiting), "executed");
}

TEST_F(SequencerEngine, OldOpenBatchIsExecutedAnew) {
    const auto tx = world.transfer(1, 2, 0);
    EXPECT_EQ(world.submit(tx), "executed");
    world.now += (world.options.max_resume_seconds + 1) * 1000;
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.stage(tx), "received");
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.stage(tx), "executed");
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(1)->record.header.timestamp, world.now / 1000);
}

TEST_F(SequencerEngine, FollowsABatchToTheEnd) {
    const auto tx = world.transfer(1, 2, 0);
    world.submit(tx);
    ASSERT_TRUE(world.close_batch());
    const std::pair<BatchPhase, const char*> stages[] = {{BatchPhase::sending, "executed"},
                                                         {BatchPhase::posted, "posted"},
                                                         {BatchPhase::proven, "proven"},
                                                         {BatchPhase::finalised, "claimable"}};
    for (const auto& [at, stage] : stages) {
        world.settlement.statuses[1] = phase(at);
        ASSERT_TRUE(world.tick());
        EXPECT_EQ(world.stage(tx), stage);
        ASSERT_EQ(world.start(), "");
        EXPECT_EQ(world.stage(tx), stage) << "after a restart";
    }
    EXPECT_EQ(world.store->finalised_number(), 1);
    EXPECT_EQ(world.engine->batch(1)->stage, Stage::claimable);
}

TEST_F(SequencerEngine, ForgetsReceiptsOfOldBatches) {
    world.options.keep_batches = 1;
    ASSERT_EQ(world.start(), "");
    std::vector<SignedTransaction> txs;
    for (std::uint64_t b = 1; b <= 3; ++b) {
        txs.push_back(world.transfer(1, 2, static_cast<rollup::Nonce>(b - 1)));
        EXPECT_EQ(world.submit(txs.back()), "executed");
        ASSERT_TRUE(world.close_batch());
        world.settlement.statuses[b] = phase(BatchPhase::finalised);
        ASSERT_TRUE(world.tick());
    }
    EXPECT_EQ(world.stage(txs[1]), "unknown");
    EXPECT_EQ(world.stage(txs[2]), "claimable");
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.submit(world.transfer(1, 2, 3)), "executed");
}

TEST_F(SequencerEngine, RevertedBatchesAreExecutedAgain) {
    const auto a = world.transfer(1, 2, 0, kBalance - 100);
    const auto b = world.transfer(2, 3, 0, 2 * kBalance - 200);  // needs what `a` pays
    const auto c = world.transfer(3, 4, 0);
    EXPECT_EQ(world.submit_all({a}), std::vector<std::string>{"executed"});
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.submit_all({b}), std::vector<std::string>{"executed"});
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.submit_all({c}), std::vector<std::string>{"executed"});
    world.settlement.statuses[1] = phase(BatchPhase::posted);
    ASSERT_TRUE(world.tick());
    const auto old_hash = world.engine->batch(1)->record.hash;
    world.settlement.statuses[1] = phase(BatchPhase::reverted, "expired_unproven");
    world.now += 5000;
    Events events;
    ASSERT_TRUE(world.engine->tick(world.now, events).ok());
    EXPECT_EQ(world.stage(a), "executed");
    EXPECT_EQ(world.stage(b), "executed");
    EXPECT_EQ(world.stage(c), "executed");
    EXPECT_EQ(world.engine->receipt(world.id(a))->reverts, 1);
    EXPECT_EQ(world.engine->receipt(world.id(b))->batch, 1);
    EXPECT_EQ(world.store->batch_number(), 0);
    EXPECT_TRUE(world.archive.batches.empty());
    ASSERT_TRUE(world.close_batch());
    EXPECT_NE(world.engine->batch(1)->record.hash, old_hash);
    EXPECT_EQ(world.balance(4), kBalance + 10);
}

TEST_F(SequencerEngine, WhatSpendsTakenBackDepositsIsExecutedAgain) {
    World empty;
    empty.genesis.leaves.clear();
    empty.genesis.keys.clear();
    ASSERT_TRUE(empty.create());
    ASSERT_EQ(empty.start(), "");
    for (std::uint8_t i = 0; i < 3; ++i) empty.settlement.add_deposit(empty.owner(i), kBalance, i + 1);
    ASSERT_TRUE(empty.tick());
    ASSERT_TRUE(empty.close_batch());
    std::vector<SignedTransaction> paid;
    for (rollup::Nonce nonce = 0; nonce < 2; ++nonce)
        for (rollup::SlotIndex i = 0; i < 3; ++i) paid.push_back(empty.transfer(i, (i + 1) % 3, nonce));
    EXPECT_EQ(empty.submit_all(paid), std::vector<std::string>(paid.size(), "executed"));
    ASSERT_TRUE(empty.close_batch());
    empty.settlement.statuses[1] = phase(BatchPhase::posted);
    ASSERT_TRUE(empty.tick());
    empty.settlement.statuses[1] = phase(BatchPhase::reverted, "batch_discarded");
    ASSERT_TRUE(empty.tick());
    for (const SignedTransaction& tx : paid) EXPECT_EQ(empty.stage(tx), "executed");
    ASSERT_TRUE(empty.close_batch());
    EXPECT_EQ(empty.store->batch_number(), 2) << "fees go to slots of an earlier batch";
}

TEST_F(SequencerEngine, SubscribersHearOfReverts) {
    const auto a = world.transfer(1, 2, 0);
    world.submit(a);
    ASSERT_TRUE(world.close_batch());
    world.settlement.statuses[1] = phase(BatchPhase::posted);
    ASSERT_TRUE(world.tick());
    world.settlement.statuses[1] = phase(BatchPhase::reverted, "batch_discarded");
    Events events;
    ASSERT_TRUE(world.engine->tick(world.now, events).ok());
    ASSERT_EQ(events.receipts.size(), 2);
    EXPECT_EQ(events.receipts[0].id, world.id(a));
    EXPECT_EQ(events.receipts[0].stage, Stage::reverted);
    EXPECT_EQ(events.receipts[0].code, "batch_discarded");
    EXPECT_EQ(events.receipts[1].stage, Stage::executed) << "and again";
    EXPECT_TRUE(world.settlement.posted.empty()) << "L1's poster gives the batch up";
}

TEST_F(SequencerEngine, EndsWhenL1HasGoneAnotherWay) {
    world.submit(world.transfer(1, 2, 0));
    world.settlement.trouble = Problem{Problem::Kind::refused, "forked_from_l1", "another sequencer", "stop it"};
    EXPECT_FALSE(world.tick());
    EXPECT_EQ(world.engine->failure()->name, "forked_from_l1");
}

TEST_F(SequencerEngine, BatchesCarryL1sTime) {
    world.settlement.at.timestamp = static_cast<rollup::Timestamp>(world.now / 1000 - 500);
    world.submit(world.transfer(1, 2, 0));
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(1)->record.header.timestamp, world.now / 1000 - 500) << "the own clock is fast";
    world.settlement.at.timestamp -= 7;
    world.submit(world.transfer(1, 2, 1));
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(2)->record.header.timestamp, world.now / 1000 - 500) << "never before the parent";
    world.settlement.at.connected = false;
    world.submit(world.transfer(1, 2, 2));
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(3)->record.header.timestamp, world.now / 1000);
}

TEST_F(SequencerEngine, AHeadThatStandsStillIsNotL1sTime) {
    world.settlement.at.timestamp = static_cast<rollup::Timestamp>(world.now / 1000);
    const std::uint64_t head = world.settlement.at.timestamp;
    world.now += 5 * 3'600'000;
    world.submit(world.transfer(1, 2, 0));
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(1)->record.header.timestamp, head) << "the hub still takes it";
    world.now += 2 * 3'600'000;
    world.submit(world.transfer(1, 2, 1));
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(2)->record.header.timestamp, world.now / 1000);
}

TEST_F(SequencerEngine, ClosesByAgeAfterTheClockWasSetBack) {
    world.submit(world.transfer(1, 2, 0));
    world.now -= 3'600'000;
    ASSERT_TRUE(world.tick());
    ASSERT_TRUE(world.tick(world.options.max_age_ms));
    EXPECT_EQ(world.engine->status().batch, 1);
}

TEST_F(SequencerEngine, ReloadsWhatItAcknowledgedWhateverTheLimit) {
    std::vector<SignedTransaction> waiting;
    for (rollup::SlotIndex slot = 1; slot <= 6; ++slot) waiting.push_back(world.transfer(slot, 0, 1));
    EXPECT_EQ(world.submit_all(waiting), std::vector<std::string>(6, "received"));
    world.options.mempool.max_operations = 3;
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.engine->status().waiting, 6);
}

TEST_F(SequencerEngine, RevertIsShownUntilThereIsRoom) {
    world.options.max_unposted = 1;
    ASSERT_EQ(world.start(), "");
    const auto a = world.transfer(1, 2, 0);
    EXPECT_EQ(world.submit(a), "executed");
    ASSERT_TRUE(world.close_batch());
    world.settlement.statuses[1] = phase(BatchPhase::posted);
    ASSERT_TRUE(world.tick());
    const auto b = world.transfer(3, 2, 0);
    EXPECT_EQ(world.submit(b), "executed");
    ASSERT_TRUE(world.close_batch());
    world.settlement.statuses[2] = phase(BatchPhase::reverted, "replaced_by_l1");
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.stage(a), "posted") << "batches before it stay";
    EXPECT_EQ(world.stage(b), "executed");
    EXPECT_EQ(world.engine->receipt(world.id(b))->batch, 2);
}

TEST_F(SequencerEngine, ConsumesDepositsAndFollowsTheQueue) {
    const rollup::Owner owner = world.owner(50);
    world.settlement.add_deposit(owner, 777, 1);
    ASSERT_TRUE(world.tick());
    const auto slots = world.engine->slots_of(rollup::pair_hash(owner), 9);
    ASSERT_EQ(slots, std::vector<rollup::SlotIndex>{12});
    EXPECT_EQ(world.balance(12), 777);
    EXPECT_FALSE(world.engine->account(12)->committed.has_value());
    const auto spend = world.transfer(1, 2, 0);
    world.submit(spend);
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.balance(12), 777) << "the open batch has it after a restart";

    // L1 puts another deposit in its place.
    world.settlement.deposits.clear();
    world.settlement.add_deposit(owner, 555, 2);
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.balance(12), 555);
    EXPECT_EQ(world.stage(spend), "executed");
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(1)->record.header.deposit_hash[0], 2);
    EXPECT_EQ(world.engine->batch(1)->record.header.deposit_cursor, 1);

    // And again, under a closed batch that is not on L1 yet.
    world.settlement.deposits.clear();
    world.settlement.add_deposit(owner, 444, 3);
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.balance(12), 444);
    EXPECT_EQ(world.stage(spend), "executed");
    EXPECT_EQ(world.engine->receipt(world.id(spend))->code, "");
    EXPECT_EQ(world.store->batch_number(), 0);
}

TEST_F(SequencerEngine, KeepsTheRollupsLimits) {
    world.options.max_forced = 1;
    world.settlement.asked = {.max_effects = 3, .forced_cap = 2};
    ASSERT_EQ(world.start(), "");
    for (std::uint8_t i = 0; i < 3; ++i) world.settlement.add_deposit(world.owner(50 + i), 777, i + 1);
    for (rollup::SlotIndex slot = 5; slot < 8; ++slot) world.settlement.add_set_key(slot, world.owner(slot));
    ASSERT_TRUE(world.tick());
    ASSERT_TRUE(world.close_batch());
    ASSERT_GE(world.engine->status().batch, 2);
    const rollup::Header first = world.engine->batch(1)->record.header;
    EXPECT_EQ(first.forced_cursor, 2) << "as many as the hub may ask for";
    EXPECT_EQ(first.deposit_cursor, 1) << "and no more effects than it takes";
    EXPECT_EQ(first.num_effects, 3);
    EXPECT_EQ(world.engine->batch(2)->record.header.forced_cursor, 3);
    EXPECT_EQ(world.engine->batch(2)->record.header.deposit_cursor, 3);
}

TEST_F(SequencerEngine, ForcedEntriesAtTheFeeSlotStandWithoutOperations) {
    world.submit(world.transfer(1, 2, 0));
    world.settlement.add_set_key(0, {world.owner(60).key_hash, world.keys.address(0)});
    world.settlement.add_set_key(5, world.owner(5));
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.engine->status().batch, 2) << "what was open, then the entries";
    EXPECT_EQ(world.engine->batch(2)->record.header.forced_cursor, 2) << "the hub may ask for both at once";
    EXPECT_EQ(world.engine->batch(2)->record.operations, 0);
    EXPECT_EQ(world.submit(world.transfer(1, 2, 1)), "executed");
    ASSERT_TRUE(world.close_batch());
    EXPECT_EQ(world.engine->batch(3)->record.header.fee_receiver,
              rollup::pair_hash({world.owner(60).key_hash, world.keys.address(0)}));
}

/// Slots of one pair, all in token 0 but for the last, which is in token 1.
void give_all_to_one(World& world, std::size_t num_slots) {
    auto& leaves = world.genesis.leaves;
    leaves.resize(num_slots, leaves.at(0));
    std::ranges::fill(leaves, leaves.at(0));
    leaves.back().token = 1;
}

TEST(SequencerPairs, FeesAreTakenInTheTokensOfAllSlots) {
    World world;
    give_all_to_one(world, 300);
    world.options.min_fees = {{0, rollup::Amount(2)}, {1, rollup::Amount(2)}};
    ASSERT_TRUE(world.create());
    ASSERT_EQ(world.start(), "");
    EXPECT_TRUE(world.engine->fee_quote(1).accepted);
    EXPECT_FALSE(world.engine->fee_quote(2).accepted);
}

/// Quadratic cost would not end.
TEST(SequencerPairs, OneMayHaveManySlots) {
    World world;
    give_all_to_one(world, 100'000);
    ASSERT_TRUE(world.create());
    ASSERT_EQ(world.start(), "");
    const Digest pair = world.genesis.leaves.at(0).pair;
    EXPECT_EQ(world.engine->slots_of(pair, 3), (std::vector<rollup::SlotIndex>{0, 1, 2}));
    EXPECT_EQ(world.engine->slots_of(pair, 200'000).size(), 100'000);
    for (int i = 0; i < 100'000; ++i) ASSERT_EQ(world.engine->slots_of(pair, 1).size(), 1);
}

}  // namespace
}  // namespace quarry::node::sequencer::engine_test
