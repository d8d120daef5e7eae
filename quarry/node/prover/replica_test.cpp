#include "quarry/node/prover/replica.hpp"

#include <gtest/gtest.h>

#include "quarry/node/prover/prover_testing.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::prover::replica_test {
namespace {

using node::testing::TemporaryPath;
using testing::SimL1;

class ReplicaTest : public ::testing::Test {
  protected:
    FollowReport follow() {
        auto report = replica->follow(l1, l1.rollups()[0], 100);
        EXPECT_TRUE(report.ok()) << report.error().cause;
        return report ? report.value() : FollowReport{};
    }
    void reopen() {
        replica.reset();
        replica = Replica::open(path.get(), l1.rollups()[0]).value();
    }

    TemporaryPath path{"quarry-replica"};
    SimL1 l1;
    std::unique_ptr<Replica> replica = Replica::open(path.get(), l1.rollups()[0]).value();
};

TEST_F(ReplicaTest, TheStateFromL1DataAlone) {
    for (int i = 0; i < 3; ++i) l1.post_next();
    EXPECT_EQ(follow().executed, 3U);
    EXPECT_EQ(replica->state(), l1.rollup().store.state());
    EXPECT_EQ(replica->read_batch(2).value().header, l1.at(2).batch.header);
    EXPECT_EQ(replica->entries().at(1).effect_words, 8U);  // two deposits
    reopen();
    EXPECT_EQ(replica->batch_number(), 3U);
    EXPECT_EQ(follow().executed, 0U);
    EXPECT_EQ(l1.fetches, 3U);  // what was executed is not fetched again
    EXPECT_EQ(replica->state(), l1.rollup().store.state());
}

TEST_F(ReplicaTest, AReorganisationTakesBatchesBack) {
    l1.post_next();
    l1.post_next();
    EXPECT_EQ(follow().executed, 2U);
    const auto first = l1.at(1);
    const auto second = l1.at(2);
    l1.reorganise(second.batch.block);
    EXPECT_EQ(follow().rolled_back, 1U);
    EXPECT_EQ(replica->state(), first.batch.header.post_state());
    // The same batch, submitted once more: other data could be behind the same header, so it is executed again.
    l1.post(second.batch.header, second.data);
    EXPECT_EQ(follow().executed, 1U);
    l1.at(2).batch.submission = 77;
    const auto report = follow();
    EXPECT_EQ(report.rolled_back, 1U);
    EXPECT_EQ(report.executed, 1U);
    reopen();
    EXPECT_TRUE(replica->has(l1.at(2).batch));
    l1.reorganise(0);
    EXPECT_EQ(follow().rolled_back, 2U);
    EXPECT_EQ(replica->state().slot_count, 0U);
}

TEST_F(ReplicaTest, WhatIsIrreversibleIsNotTakenBack) {
    l1.post_next();
    l1.prove(1, 1, testing::kOther);
    l1.mine(l1.finality);
    EXPECT_EQ(follow().executed, 1U);
    EXPECT_EQ(replica->finalised_number(), 1U);
    l1.at(1).batch.hash[0] ^= 1;
    const auto report = replica->follow(l1, l1.rollups()[0], 1);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "final_batch_changed");
}

TEST_F(ReplicaTest, AnInvalidBatchIsReportedOnceAndSkippedUntilItIsReplaced) {
    l1.post_next();
    const auto batch = l1.rollup().make_batch(2);
    auto wrong = batch.header;
    ++wrong.post_slot_count;
    l1.post(wrong, batch.data);
    auto report = follow();
    EXPECT_EQ(report.executed, 1U);
    EXPECT_EQ(report.invalid, std::vector<std::uint64_t>{2});
    ASSERT_TRUE(replica->invalid());
    EXPECT_EQ(replica->invalid()->code, "slot_count_mismatch");
    EXPECT_FALSE(replica->invalid()->reason.empty());
    EXPECT_TRUE(follow().invalid.empty());
    l1.post(batch.header, batch.data);
    report = follow();
    EXPECT_EQ(report.executed, 1U);
    EXPECT_FALSE(replica->invalid());
}

TEST_F(ReplicaTest, ABatchWithAForgedSignatureIsInvalid) {
    l1.post_next(4);
    follow();
    auto& sim = l1.rollup();
    rollup::BatchPlan plan;
    plan.number = 2;
    plan.parent_hash = sim.parent;
    plan.timestamp = rollup::testing::kNow;
    rollup::BatchBuilder builder(sim.parameters, plan, sim.store, sim.queues);
    rollup::Transaction tx{
        rollup::Withdraw{
            {.slot = 1, .expiry = rollup::testing::kNow, .fee = {}, .signature = {}}, rollup::Amount(5), {{9}}},
        rollup::testing::make_key(1),
        0,
        0,
        {}};
    ASSERT_TRUE(builder.add(tx, true).ok());  // a sequencer that checks nothing
    const auto batch = builder.seal();
    ASSERT_TRUE(batch.ok());
    l1.post(batch.value().header, batch.value().data);
    EXPECT_EQ(follow().invalid.size(), 1U);
    EXPECT_EQ(replica->invalid()->code, "bad_signature");
}

TEST_F(ReplicaTest, DataThatNobodyServes) {
    l1.post_next();
    follow();
    l1.post_next();
    l1.no_data = true;
    const auto report = follow();
    ASSERT_TRUE(report.waits);
    EXPECT_EQ(report.waits->name, "data_unavailable");
    EXPECT_EQ(replica->batch_number(), 1U);
    // A final batch that was executed before is in the own archive.
    l1.no_data = false;
    follow();
    l1.prove(1, 1, testing::kOther);
    l1.prove(1, 2, testing::kOther);
    l1.at(2).batch.submission = 78;
    l1.no_data = true;
    EXPECT_EQ(follow().executed, 1U);
    EXPECT_EQ(replica->state(), l1.rollup().store.state());
}

TEST_F(ReplicaTest, SnapshotsOfTheLastFinalState) {
    l1.post_next();
    l1.post_next();
    l1.prove(1, 1, testing::kOther);
    l1.mine(l1.finality);
    follow();
    const auto bytes = replica->snapshot().value().bytes;
    const auto open = [&](const TemporaryPath& folder, std::span<const std::uint8_t> snapshot) {
        return Replica::open_with_snapshot(folder.get(), l1.rollups()[0], l1, snapshot);
    };
    const TemporaryPath folder("quarry-replica-2");
    {
        auto other = open(folder, bytes).value();
        EXPECT_EQ(other->batch_number(), 1U);
        EXPECT_EQ(other->state(), l1.at(1).batch.header.post_state());
        EXPECT_EQ(other->follow(l1, l1.rollups()[0], 100).value().executed, 1U);
        EXPECT_EQ(other->state(), l1.rollup().store.state());
    }
    const auto refusal = [&](std::span<const std::uint8_t> snapshot) {
        const TemporaryPath fresh("quarry-replica-3");
        const auto opened = open(fresh, snapshot);
        EXPECT_FALSE(Replica::exists(fresh.get()));
        return opened ? std::string() : opened.error().name;
    };
    // Of a batch that is not final, of another root, damaged.
    std::vector<std::uint8_t> pending;
    QUARRY_CHECK(rollup::export_snapshot(l1.rollup().store, 2, [&](std::span<const std::uint8_t> part) {
                     pending.insert(pending.end(), part.begin(), part.end());
                 }).ok());
    EXPECT_EQ(refusal(pending), "snapshot_not_final");
    rollup::MemoryStore another;
    std::vector<std::uint8_t> wrong;
    QUARRY_CHECK(rollup::export_snapshot(another, 1, [&](std::span<const std::uint8_t> part) {
                     wrong.insert(wrong.end(), part.begin(), part.end());
                 }).ok());
    EXPECT_EQ(refusal(wrong), "snapshot_not_final");
    EXPECT_EQ(refusal(std::span(bytes).first(bytes.size() - 1)), "snapshot_not_final");
}

// A final batch that is not irreversible yet can be taken back: a state that was built on it is no good.
TEST_F(ReplicaTest, ASnapshotWhoseBatchIsTakenBack) {
    l1.post_next();
    std::vector<std::uint8_t> bytes;
    QUARRY_CHECK(rollup::export_snapshot(l1.rollup().store, 1, [&](std::span<const std::uint8_t> part) {
                     bytes.insert(bytes.end(), part.begin(), part.end());
                 }).ok());
    l1.prove(1, 1, testing::kOther);
    const TemporaryPath folder("quarry-replica-2");
    auto other = Replica::open_with_snapshot(folder.get(), l1.rollups()[0], l1, bytes).value();
    ASSERT_TRUE(other->follow(l1, l1.rollups()[0], 100).ok());
    l1.reorganise(l1.at(1).batch.block);
    const auto report = other->follow(l1, l1.rollups()[0], 100);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "final_batch_changed");
}

// Killed while the state was made, at whatever point: it is made again, from a snapshot too.
TEST_F(ReplicaTest, AHalfMadeStateIsNone) {
    l1.post_next();
    l1.prove(1, 1, testing::kOther);
    l1.mine(l1.finality);
    follow();
    const auto bytes = replica->snapshot().value().bytes;
    replica.reset();
    const std::string state = path.get() + "/state";
    std::filesystem::rename(state, state + ".part");
    EXPECT_FALSE(Replica::exists(path.get()));
    std::filesystem::remove(state + ".part/CURRENT");
    replica = Replica::open_with_snapshot(path.get(), l1.rollups()[0], l1, bytes).value();
    EXPECT_EQ(replica->batch_number(), 1U);
    EXPECT_FALSE(std::filesystem::exists(state + ".part"));
    replica.reset();
    std::filesystem::remove_all(state);
    std::filesystem::create_directory(state);  // as made before the first file in it
    std::filesystem::create_directory(state + ".part");
    ASSERT_TRUE(write_synced(state + ".part/LOCK", {}).ok());
    reopen();
    EXPECT_EQ(replica->batch_number(), 0U);
    EXPECT_EQ(follow().executed, 1U);
}

TEST_F(ReplicaTest, WhatIsNoStateIsNotDeleted) {
    replica.reset();
    std::filesystem::remove_all(path.get());
    std::filesystem::create_directories(path.get() + "/state");
    ASSERT_TRUE(write_synced(path.get() + "/state/part", as_bytes("x")).ok());
    const auto opened = Replica::open(path.get(), l1.rollups()[0]);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().name, "not_a_state_directory");
}

TEST(ExecutedEntries, Codec) {
    const ExecutedEntries entries{{7, {{1}, 5, 9}}, {8, {{2}, 6, 0}}};
    auto bytes = encode(entries);
    EXPECT_EQ(parse_executed_entries(bytes), entries);
    EXPECT_EQ(parse_executed_entries({}), ExecutedEntries{});
    EXPECT_FALSE(parse_executed_entries(std::span(bytes).first(bytes.size() - 1)));
    bytes[7] = 9;  // not contiguous
    EXPECT_FALSE(parse_executed_entries(bytes));
}

}  // namespace
}  // namespace quarry::node::prover::replica_test
