// How proofs get to L1: what they may cost, what is refused, what others were first with.

#include <gtest/gtest.h>

#include "quarry/node/prover/prover_fixture.hpp"

namespace quarry::node::prover::hand_in_test {
namespace {

using testing::kGwei;
using testing::kOther;
using HandInTest = testing::ProverFixture;

TEST_F(HandInTest, AProofWaitsForGasThatItCanPay) {
    l1.post_next();
    log.at_once = true;
    step();
    l1.base_fee = 5000 * kGwei;
    step(3);
    EXPECT_EQ(states(), "proven ");
    EXPECT_EQ(std::count(events.begin(), events.end(), "gas_too_expensive"), 1);
    open();
    step();
    EXPECT_EQ(states(), "proven ");
    l1.base_fee = kGwei;
    step();
    EXPECT_EQ(states(), "submitted ");
    // Nothing is begun at such a price either.
    l1.base_fee = 5000 * kGwei;
    l1.post_next();
    step();
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(prover->status().skipped_code, "not_worth_it");
}

// It may have been damaged on disk: it is made again once, and not twice.
TEST_F(HandInTest, AProofThatL1RejectsIsMadeAgainOnce) {
    l1.post_next();
    log.at_once = true;
    step(2);
    ASSERT_EQ(states(), "submitted ");
    refuse_last("ProofRejected(0x12345678)");
    step();
    EXPECT_EQ(states(), "proving ");
    step(2);
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(log.made, 2U);
    refuse_last("ProofRejected(0x12345678)");
    step(3);
    EXPECT_EQ(states(), "failed ");
    EXPECT_EQ(only_job().code, "ProofRejected(0x12345678)");
    EXPECT_EQ(log.made, 2U);
    EXPECT_EQ(prover->status().counters.failed_jobs, 1U);
}

TEST_F(HandInTest, AProofIsMadeAgainThoughL1RefusedItForSomethingElseBefore) {
    l1.post_next();
    log.at_once = true;
    step(2);
    refuse_last("WrongParent");
    step(2);
    ASSERT_EQ(states(), "submitted ");
    refuse_last("ProofRejected(0x12345678)");
    step(4);
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(log.made, 2U);
}

TEST_F(HandInTest, WhatL1RefusesInOneBlockIsHandedInAgainInAnother) {
    l1.post_next();
    log.at_once = true;
    step(2);
    refuse_last("WrongKey");
    step();
    EXPECT_EQ(states(), "proven ");
    step();
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(l1.transactions, 2U);
    l1.include();
    step();
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(log.made, 1U);
    // Not for ever, nor where the proof itself is wrong.
    l1.post_next();
    step(2);
    refuse_last("DataMismatch");
    step();
    EXPECT_EQ(prover->status().counters.failed_jobs, 1U);
}

TEST_F(HandInTest, AProofThatMayNotCostEnoughIsHandedInAgainWhenItEarnsMore) {
    l1.post_next();
    log.at_once = true;
    step(2);
    ASSERT_EQ(l1.sent.size(), 1U);
    const Wei first = l1.sent.begin()->second.proof.max_fee;
    l1.sent.begin()->second.status.above_max_fee = true;
    l1.base_fee = 5000 * kGwei;
    step(2);
    l1.base_fee = kGwei;
    step(2);
    EXPECT_EQ(l1.transactions, 1U);  // it earns no more than before
    l1.at(1).batch.raised = 1000 * testing::kEther;
    step();
    EXPECT_EQ(l1.sent.begin()->second.status.phase, SubmissionPhase::cancelled);
    step(2);
    ASSERT_EQ(l1.transactions, 2U);
    EXPECT_GE(l1.sent.rbegin()->second.proof.max_fee, first + 1000 * testing::kEther);
    EXPECT_EQ(states(), "submitted ");
}

// A proof that may cost anything waits for fees below the sender's cap: there is nothing to gain by handing it in
// again.
TEST_F(HandInTest, AProofThatMayCostAnythingIsNotHandedInAgain) {
    options.margin_percent = -100;
    open();
    l1.post_next();
    log.at_once = true;
    step(2);
    ASSERT_EQ(l1.sent.size(), 1U);
    EXPECT_EQ(l1.sent.begin()->second.proof.max_fee, 0U);
    l1.sent.begin()->second.status.above_max_fee = true;
    step(4);
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(l1.transactions, 1U);
}

// While it waits for a block, the proof of somebody else comes in: it would be paid for and earn nothing.
TEST_F(HandInTest, AHandInThatComesTooLateIsTakenBack) {
    l1.post_next();
    log.at_once = true;
    step(2);
    ASSERT_EQ(states(), "submitted ");
    l1.prove(1, 1, kOther);
    step();
    EXPECT_EQ(l1.sent.begin()->second.status.phase, SubmissionPhase::cancelled);
    step();
    EXPECT_EQ(states(), "lost ");
}

TEST_F(HandInTest, AHandInThatIsInABlockIsNotTakenBack) {
    l1.post_next();
    log.at_once = true;
    step(2);
    l1.include(false);
    step();
    EXPECT_EQ(l1.sent.begin()->second.status.phase, SubmissionPhase::sending);
}

// L1 takes a proof of several batches for those that it can take it for. The others are not tried again, whatever they
// offer.
TEST_F(HandInTest, WhatL1SkipsOfAProofIsNotProvenAgain) {
    for (int i = 0; i < 3; ++i) l1.post_next(1);
    log.at_once = true;
    step(2);
    ASSERT_EQ(states(), "submitted ");
    l1.skipped = {l1.at(3).batch.submission};
    l1.include();
    step(3);
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(only_job().code, "batches_skipped");
    EXPECT_EQ(prover->status().counters.settled_batches, 2U);
    open();
    step(2);
    EXPECT_EQ(l1.transactions, 1U);
    // In another submission it is another batch.
    l1.skipped.clear();
    l1.at(3).batch.submission = ++l1.submissions;
    step(2);
    EXPECT_EQ(l1.transactions, 2U);
}

TEST_F(HandInTest, WhatTransactionsCostCountsWhateverComesOfThem) {
    l1.post_next();
    l1.post_next();
    log.at_once = true;
    step(2);
    l1.sent.begin()->second.status.fee = 5;
    refuse_last("AlreadyProven");
    l1.prove(1, 1, kOther);
    step(2);
    ASSERT_EQ(l1.transactions, 2U);
    EXPECT_EQ(prover->status().counters.fees, 5U);
    for (auto& [name, sent] : l1.sent) {
        if (sent.status.phase == SubmissionPhase::sending) sent.status.fee = 7;
    }
    l1.include();
    step(2);
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(prover->status().counters.fees, 12U);
    EXPECT_EQ(prover->status().counters.settled_batches, 1U);
}

TEST_F(HandInTest, AHandInThatFailsIsNotRepeatedInEveryRound) {
    l1.post_next();
    log.at_once = true;
    l1.refuse_submit = true;
    step(100);
    EXPECT_EQ(states(), "proven ");
    EXPECT_LE(l1.submit_calls, 10U);
    EXPECT_EQ(std::count(events.begin(), events.end(), "l1_unreachable"), 1);
    l1.refuse_submit = false;
    now += 64 * options.retry_seconds;
    step();
    EXPECT_EQ(states(), "submitted ");
}

// The process ended after the sender took the proof over and before the record said so.
TEST_F(HandInTest, AHandInThatTheRecordDoesNotHaveIsFound) {
    l1.post_next();
    log.at_once = true;
    step(2);
    auto jobs = JobStore::open(path.get() + "/jobs").value();
    Job job = jobs.jobs().begin()->second;
    job.state = JobState::proven;
    ASSERT_TRUE(jobs.put(job).ok());
    open();
    step();
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(l1.transactions, 1U);
    l1.include();
    step();
    EXPECT_EQ(states(), "settled ");
}

TEST_F(HandInTest, AProofIsBegunAtOnceAndLeavesWhenItsBatchIsDeep) {
    options.confirmations = 3;
    open();
    log.at_once = true;
    l1.post_next();
    step(2);
    EXPECT_EQ(states(), "proven ");
    l1.mine();
    step();
    EXPECT_EQ(l1.transactions, 0U);
    l1.mine();
    step();
    EXPECT_EQ(l1.transactions, 1U);
}

TEST_F(HandInTest, L1IsDownForAWhile) {
    l1.post_next();
    step();
    l1.down = true;
    runner->finish();
    step(3);
    EXPECT_EQ(states(), "proven ");
    EXPECT_FALSE(prover->status().is_ready());
    l1.down = false;
    l1.refuse_submit = true;
    step(2);
    EXPECT_EQ(states(), "proven ");
    EXPECT_EQ(l1.transactions, 0U);
    l1.refuse_submit = false;
    step(2);
    EXPECT_EQ(l1.transactions, 1U);
    l1.include();
    step();
    EXPECT_EQ(states(), "settled ");
}

}  // namespace
}  // namespace quarry::node::prover::hand_in_test
