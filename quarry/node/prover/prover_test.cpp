#include "quarry/node/prover/prover.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "quarry/node/batch_work.hpp"
#include "quarry/node/prover/prover_fixture.hpp"

namespace quarry::node::prover::prover_test {
namespace {

using node::testing::TemporaryPath;
using testing::kMe;
using testing::kOther;
using testing::ManualRunner;
using testing::SimL1;
using ProverTest = testing::ProverFixture;

TEST_F(ProverTest, FromABatchOnL1ToTheBounty) {
    step();
    EXPECT_EQ(states(), "");
    l1.post_next();
    step();
    EXPECT_EQ(states(), "proving ");
    EXPECT_TRUE(runner->is_busy());
    runner->finish();
    step();
    EXPECT_EQ(states(), "submitted ");
    ASSERT_EQ(l1.sent.size(), 1U);
    const ProofToSubmit& proof = l1.sent.begin()->second.proof;
    EXPECT_EQ(proof.key, 1U);
    EXPECT_EQ(proof.items.size(), 1U);
    EXPECT_FALSE(proof.items[0].parent);
    EXPECT_EQ(proof.items[0].data, l1.at(1).data);
    EXPECT_EQ(proof.items[0].effects.size(), 8 * rollup::kWordBytes);
    const auto& item = proof.proof.bundle.items[0];
    EXPECT_EQ(item.batch.payee, kMe);
    EXPECT_EQ(item.header, l1.at(1).batch.header);
    EXPECT_EQ(item.data[0].l1_hash, l1.at(1).batch.l1_hashes[0]);
    l1.include();
    step();
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(l1.at(1).batch.payee, kMe);
    EXPECT_EQ(prover->status().counters.settled_batches, 1U);
    EXPECT_TRUE(prover->status().is_ready());
    // The next one is handed in with its parent's header, from which L1 takes the state before it.
    l1.post_next();
    log.at_once = true;
    step(2);
    ASSERT_EQ(l1.sent.size(), 2U);
    for (const auto& [name, s] : l1.sent) {
        if (s.proof.items[0].parent) {
            EXPECT_EQ(*s.proof.items[0].parent, l1.at(1).batch.header);
        }
    }
}

TEST_F(ProverTest, OneProofOfSeveralRollups) {
    l1.add_rollup(2);
    for (int i = 0; i < 3; ++i) l1.post_next(1, 1);
    for (int i = 0; i < 2; ++i) l1.post_next(1, 2);
    log.at_once = true;
    step(2);
    ASSERT_EQ(l1.sent.size(), 1U);
    l1.include();
    step();
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(l1.rollups()[0].finalised, 3U);
    EXPECT_EQ(l1.rollups()[1].finalised, 2U);
}

/// As many as one proof takes, after a time in which it did not follow.
TEST_F(ProverTest, ChoosesOnceItHasCaughtUp) {
    options.batches_per_step = 4;
    open();
    for (int i = 0; i < 9; ++i) l1.post_next();
    step(2);
    EXPECT_EQ(states(), "") << "nine are posted, eight executed";
    step();
    ASSERT_EQ(states(), "proving ");
    EXPECT_EQ(only_job().batches.size(), 9U);
}

TEST_F(ProverTest, AnInvalidBatchIsNotProvenAndWhatFollowsWaits) {
    l1.post_next();
    const auto batch = l1.rollup().make_batch(1);
    auto wrong = batch.header;
    wrong.post_root[0] = wrong.post_root[0] + KoalaBear(1);
    l1.post(wrong, batch.data);
    log.at_once = true;
    step(2);
    EXPECT_TRUE(said("invalid_batch"));
    EXPECT_EQ(log.batches, (std::vector<std::vector<std::uint64_t>>{{1}}));
    const auto status = prover->status();
    EXPECT_EQ(status.rollups[0].invalid, 2U);
    EXPECT_EQ(status.rollups[0].code, "root_mismatch");
    EXPECT_TRUE(status.is_ready());  // it is the sequencer's trouble
    l1.post(batch.header, batch.data);
    l1.include();
    step(2);
    EXPECT_EQ(log.batches, (std::vector<std::vector<std::uint64_t>>{{1}, {2}}));
    EXPECT_EQ(prover->status().rollups[0].invalid, 0U);
}

TEST_F(ProverTest, WorkOnABatchThatOthersHaveProvenStops) {
    l1.post_next();
    step();
    ASSERT_TRUE(runner->is_busy());
    l1.prove(1, 1, kOther);
    step();
    EXPECT_EQ(states(), "lost ");
    EXPECT_EQ(only_job().code, "proven_by_others");
    EXPECT_EQ(log.stopped, 1U);
    step();
    EXPECT_FALSE(runner->is_busy());
    EXPECT_EQ(log.started, 1U);
}

TEST_F(ProverTest, WhatIsLeftOfAJobIsProvenIfItPays) {
    for (int i = 0; i < 3; ++i) l1.post_next(1);
    step();
    ASSERT_TRUE(runner->is_busy());
    l1.prove(1, 1, kOther);
    step();
    EXPECT_EQ(states(), "proving ");  // the other two pay for all of it
    l1.at(2).batch.base = l1.at(3).batch.base = 0;
    l1.at(2).batch.max = l1.at(3).batch.max = 0;
    step();
    EXPECT_EQ(states(), "lost ");
    EXPECT_EQ(only_job().code, "not_worth_it");
}

TEST_F(ProverTest, AReorganisationDropsABatchAndBringsItBack) {
    l1.post_next();
    const auto posted = l1.at(1);
    step();
    ASSERT_TRUE(runner->is_busy());
    runner->finish();
    l1.reorganise(posted.batch.block);
    step();
    EXPECT_EQ(states(), "dropped ");
    EXPECT_TRUE(said("batches_rolled_back"));
    // The same content, submitted again: the same job, and nothing is proven twice.
    l1.post(posted.batch.header, posted.data);
    log.at_once = true;
    step(2);
    EXPECT_EQ(states(), "submitted ");
    EXPECT_EQ(log.made, 1U);
    EXPECT_EQ(only_job().batches[0].submission, l1.at(1).batch.submission);
    // The transaction is in a block that a reorganisation takes back, and drops: it is sent again.
    l1.include(false);
    ASSERT_EQ(l1.at(1).batch.phase, BatchPhase::finalised);
    step();
    EXPECT_EQ(states(), "submitted ");
    l1.reorganise(l1.block);
    ASSERT_EQ(l1.at(1).batch.phase, BatchPhase::pending);
    step();
    EXPECT_EQ(l1.transactions, 2U);
    l1.include();
    step();
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(log.made, 1U);
}

TEST_F(ProverTest, TroubleOfTheMachineEndsNoJob) {
    l1.post_next();
    step();
    for (std::size_t i = 1; i <= 10; ++i) {
        EXPECT_EQ(log.started, i);
        runner->fail({Problem::Kind::environment, "task_failed", "no memory", ""});
        step();
        EXPECT_EQ(states(), "proving ");
        EXPECT_FALSE(runner->is_busy());  // not at once
        now += 64 * options.retry_seconds;
        step();
    }
    runner->finish();
    step();
    EXPECT_EQ(states(), "submitted ");
}

// Killed before its work was planned; meanwhile the first of its batches was settled for good.
TEST_F(ProverTest, AJobThatCannotBePlannedAnyMoreMakesRoomForItsOpenBatches) {
    for (int i = 0; i < 2; ++i) l1.post_next(1);
    step();
    ASSERT_EQ(only_job().batches.size(), 2U);
    l1.prove(1, 1, kOther);
    l1.mine(l1.finality);
    log.at_once = true;
    open();
    step(3);
    EXPECT_EQ(log.batches, (std::vector<std::vector<std::uint64_t>>{{2}}));
    EXPECT_NE(states().find("dropped"), std::string::npos) << states();
    EXPECT_NE(states().find("submitted"), std::string::npos) << states();
}

TEST_F(ProverTest, APatientProverLeavesABatchToOthersForAWhile) {
    options.patience_seconds = 60;
    open();
    l1.post_next();
    l1.mine(4);  // of 12 seconds
    step();
    EXPECT_EQ(states(), "");
    l1.mine();
    step();
    EXPECT_EQ(states(), "proving ");
}

TEST_F(ProverTest, TheKeyOfTheBatchIsToBeTrustedNotThatOfItsRollup) {
    l1.post_next();
    l1.trusted = false;
    l1.post_next();
    log.at_once = true;
    step(2);
    EXPECT_EQ(log.batches, (std::vector<std::vector<std::uint64_t>>{{1}}));
    options.untrusted = true;
    open();
    l1.include();
    step(2);
    EXPECT_EQ(log.batches, (std::vector<std::vector<std::uint64_t>>{{1}, {2}}));
}

TEST_F(ProverTest, OnlyRollupsWithABountyAreFollowedAndNotTooMany) {
    options.max_rollups = 2;
    open();
    for (std::uint32_t id = 2; id < 6; ++id) l1.add_rollup(id);
    step();
    EXPECT_TRUE(prover->status().rollups.empty());
    for (std::uint32_t id = 3; id < 6; ++id) l1.post_next(1, id);
    l1.at(1, 3).batch.max = 0;
    step();
    const auto rollups = prover->status().rollups;
    ASSERT_EQ(rollups.size(), 2U);
    EXPECT_EQ(rollups[0].rollup, 4U);
    EXPECT_EQ(rollups[1].rollup, 5U);
    // Named ones always are.
    options.rollups = {2};
    open();
    step();
    ASSERT_EQ(prover->status().rollups.size(), 1U);
    EXPECT_EQ(prover->status().rollups[0].rollup, 2U);
}

// Rollups that offer dust, or a great bounty for a batch that nobody can prove, keep no place.
TEST_F(ProverTest, PlacesGoToTheRollupsWithTheGreatestOpenBounty) {
    options.max_rollups = 2;
    open();
    const auto followed = [&] {
        std::set<std::uint32_t> ids;
        for (const auto& r : prover->status().rollups) ids.insert(r.rollup);
        return ids;
    };
    using Ids = std::set<std::uint32_t>;
    for (std::uint32_t id = 2; id < 6; ++id) l1.add_rollup(id);
    l1.bounty = 5;
    for (std::uint32_t id = 1; id < 4; ++id) l1.post_next(1, id);
    step();
    EXPECT_EQ(followed(), (Ids{1, 2}));
    l1.bounty = 1000 * testing::kEther;
    auto wrong = l1.rollup(4).make_batch(1);
    ++wrong.header.post_slot_count;
    l1.post(wrong.header, wrong.data);
    step();
    EXPECT_EQ(followed(), (Ids{1, 4}));
    step();
    EXPECT_EQ(followed(), (Ids{1, 2}));
    l1.bounty = testing::kEther;
    l1.post_next(1, 5);
    log.at_once = true;
    step(2);
    EXPECT_EQ(followed(), (Ids{1, 5}));
    l1.include();
    step(2);
    EXPECT_EQ(states(), "settled ");
    EXPECT_EQ(followed(), (Ids{1, 2})) << "what offers nothing gives its place up";
}

TEST_F(ProverTest, ABatchThatWasReplacedEarnsNothing) {
    for (int i = 0; i < 2; ++i) l1.post_next(1);
    step();
    ASSERT_TRUE(runner->is_busy());
    l1.at(1).batch.base = l1.at(1).batch.max = 0;
    l1.at(2).batch.hash[0] ^= 1;
    step();
    EXPECT_EQ(states().find("proving"), std::string::npos) << states();
}

TEST_F(ProverTest, AJobWhoseWorkStillStopsIsNotForgotten) {
    options.keep_jobs = 0;
    open();
    l1.post_next();
    step();
    l1.prove(1, 1, kOther);
    step();
    EXPECT_EQ(states(), "lost ");
    step();
    EXPECT_EQ(states(), "");
    EXPECT_FALSE(runner->is_busy());
}

// The process ends after every single round, and before the result of work was taken in.
TEST_F(ProverTest, ARestartAtEachStepProvesNothingTwice) {
    log.at_once = true;
    for (int i = 0; i < 3; ++i) {
        l1.post_next();
        for (int k = 0; k < 4; ++k) {
            step();
            if (k == 3) l1.include();
            open();
        }
        step();
    }
    EXPECT_EQ(states(), "settled settled settled ");
    EXPECT_EQ(log.made, 3U);
    EXPECT_EQ(l1.transactions, 3U);
    EXPECT_EQ(l1.fetches, 3U);
    EXPECT_EQ(l1.rollups()[0].finalised, 3U);
}

TEST_F(ProverTest, StopsAndGoesOn) {
    l1.post_next();
    step();
    prover->stop();
    EXPECT_EQ(log.stopped, 1U);
    step();
    EXPECT_TRUE(prover->is_stopped());
    step();
    EXPECT_EQ(log.started, 1U);
    EXPECT_EQ(states(), "proving ");
    log.at_once = true;
    open();
    step(2);
    EXPECT_EQ(states(), "submitted ");
}

TEST_F(ProverTest, ServesSnapshotsAndBatchesToOthers) {
    for (int i = 0; i < 2; ++i) l1.post_next();
    l1.prove(1, 1, kOther);
    l1.mine(l1.finality);
    step();
    EXPECT_EQ(prover->batch(1, 2).value().data, l1.at(2).data);
    EXPECT_EQ(prover->batch(7, 2).error().name, "unknown_rollup");
    EXPECT_EQ(prover->snapshot(7).error().name, "unknown_rollup");
    const TemporaryPath other("quarry-prover-2");
    auto with = options;
    with.folder = other.get();
    with.fetch_snapshot = [&](std::uint32_t rollup) -> Outcome<std::vector<std::uint8_t>> {
        return *prover->snapshot(rollup).value();
    };
    ManualRunner::Log other_log;
    auto second = Prover::open(with, l1, std::make_unique<ManualRunner>(other_log)).value();
    const std::size_t fetches = l1.fetches;
    ASSERT_TRUE(second->step(now).ok());
    EXPECT_EQ(l1.fetches, fetches + 1);  // the second batch alone
    EXPECT_EQ(second->replica(1)->state(), prover->replica(1)->state());
    // One that is not L1's is refused, and said so.
    const TemporaryPath third_path("quarry-prover-3");
    with.folder = third_path.get();
    with.fetch_snapshot = [](std::uint32_t) -> Outcome<std::vector<std::uint8_t>> {
        return std::vector<std::uint8_t>{1, 2};
    };
    events.clear();
    auto third = Prover::open(with, l1, std::make_unique<ManualRunner>(other_log)).value();
    ASSERT_TRUE(third->step(now).ok());
    EXPECT_TRUE(said("snapshot_not_final"));
    EXPECT_FALSE(third->status().is_ready());
}

// Whoever takes an answer byte by byte holds no copy of his own, and few answers are held at a time.
TEST_F(ProverTest, SnapshotsAreSharedAndFewAndForgotten) {
    options.rollups = {1};  // nothing of it is open
    open();
    const auto next = [&] {
        l1.post_next();
        l1.prove(1, l1.rollups()[0].head, kOther);
        l1.mine(l1.finality);
        step();
    };
    next();
    auto first = prover->snapshot(1).value();
    EXPECT_EQ(prover->snapshot(1).value(), first);
    next();
    auto second = prover->snapshot(1).value();
    EXPECT_NE(second, first);
    next();
    EXPECT_EQ(prover->snapshot(1).error().name, "busy");
    first.reset();
    const std::weak_ptr<const std::vector<std::uint8_t>> third = prover->snapshot(1).value();
    EXPECT_FALSE(third.expired());
    step(300 / 12 + 1);
    EXPECT_TRUE(third.expired());
}

TEST_F(ProverTest, MetricsAndStatus) {
    l1.post_next();
    step();
    const std::string metrics = to_prometheus(prover->status());
    EXPECT_NE(metrics.find("quarry_prover_executed_batch{rollup=\"1\"} 1\n"), std::string::npos);
    EXPECT_NE(metrics.find("quarry_prover_jobs{state=\"proving\"} 1\n"), std::string::npos);
    EXPECT_NE(metrics.find("# TYPE quarry_prover_started_jobs_total counter\nquarry_prover_started_jobs_total 1\n"),
              std::string::npos);
    EXPECT_NE(to_json(prover->status()).find("\"ready\":true"), std::string::npos);
    auto nobody = options;
    nobody.payee = {};
    EXPECT_EQ(Prover::open(nobody, l1, std::make_unique<ManualRunner>(log)).error().name, "missing_payee");
}

// From L1 data to a proof that the contract's verifier accepts, every task in this process.
TEST(ProverProof, ATinyBatchFromL1ToATerminalProofSlow) {
    const TemporaryPath path("quarry-prover-proof");
    SimL1 l1;
    l1.post_next(1);
    ProverOptions options;
    options.folder = path.get();
    options.payee = kMe;
    options.confirmations = 1;
    std::size_t tasks = 0;
    const auto doer = [&](const WorkFolder& folder, const std::atomic<bool>&) -> Outcome<WorkReport> {
        WorkReport report;
        for (const WorkTree::Node& node : folder.tree().nodes()) {
            const auto there = folder.read_output(node.id);
            if (there && there.value()) {
                ++report.reused;
                continue;
            }
            const auto inputs = folder.read_inputs(node.task).value();
            const TaskKind* kind = find_task_kind(node.task.kind);
            const auto output = kind->run({node.task, inputs, {}});
            if (!output) return output.error();
            EXPECT_TRUE(kind->check(node.task, output.value())) << node.task.kind;
            QUARRY_PASS_ON(folder.put_output(node.id, output.value()));
            ++report.executed;
            ++tasks;
        }
        return report;
    };
    const auto wait = [&](Prover& prover) {
        while (l1.sent.empty() && prover.status().counters.failed_jobs == 0) {
            ASSERT_TRUE(prover.step(1'700'000'000).ok());
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    };
    {
        auto prover = Prover::open(options, l1, make_proof_runner(doer)).value();
        ASSERT_NO_FATAL_FAILURE(wait(*prover));
    }
    ASSERT_EQ(l1.sent.size(), 1U);
    const std::size_t made = tasks;
    const TerminalProofFile file = l1.sent.begin()->second.proof.proof;  // outlives what was sent
    const recursion::Terminal terminal(*find_catalog(), 0);
    const Status status = verify(terminal, terminal.proving_key().verifying_key(), file);
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(file.bundle.items[0].batch.payee, kMe);
    auto stolen = file;
    stolen.bundle.items[0].batch.payee = kOther;
    EXPECT_FALSE(verify(terminal, terminal.proving_key().verifying_key(), stolen).ok());
    // Dropped with its transaction: what is on disk is handed in again.
    l1.sent.clear();
    auto prover = Prover::open(options, l1, make_proof_runner(doer)).value();
    ASSERT_NO_FATAL_FAILURE(wait(*prover));
    EXPECT_EQ(tasks, made);
    EXPECT_EQ(l1.sent.begin()->second.proof.proof.proof, file.proof);
    l1.include();
    ASSERT_TRUE(prover->step(1'700'000'000).ok());
    EXPECT_EQ(prover->status().counters.settled_jobs, 1U);
}

}  // namespace
}  // namespace quarry::node::prover::prover_test
