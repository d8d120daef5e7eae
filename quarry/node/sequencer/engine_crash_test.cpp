/// Power failures and the end of the process at every event of the file system: what was acknowledged is there.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>

#include "quarry/node/sequencer/testing.hpp"

namespace quarry::node::sequencer::engine_crash_test {
namespace {

using node::testing::CrashEnv;
using node::testing::Loss;
using testing::World;

using testing::FakeSettlement;

struct Step {
    std::vector<SignedTransaction> group;
    std::optional<BatchStatus> status;             ///< of batch 1
    std::function<void(FakeSettlement&)> chain{};  ///< what L1's queues become before
};

/// Groups that execute, wait, close batches; queue entries; a batch that is posted and one that is taken back, both for
/// what L1 says of it and for a queue that changed.
std::vector<Step> sample_steps(const World& world) {
    std::vector<Step> steps;
    const std::array owners{world.owner(9), world.owner(12), world.owner(13)};
    steps.push_back({{world.transfer(1, 2, 0), world.transfer(3, 4, 1)}, {}, [owners](FakeSettlement& l1) {
                         l1.add_deposit(owners[1], 700, 1);
                         l1.add_deposit(owners[2], 800, 2);
                     }});
    steps.push_back({{world.transfer(1, 2, 1), world.transfer_new(5, 70, 0), world.transfer(12, 1, 0)}, {}});
    steps.push_back({{world.transfer(13, 12, 0), world.transfer(2, 1, 0)}, {}, [owners](FakeSettlement& l1) {
                         l1.deposits.pop_back();
                         l1.add_deposit(owners[2], 900, 3);
                         l1.add_set_key(9, owners[0]);
                     }});
    std::vector<SignedTransaction> many;
    for (rollup::Nonce n = 0; n < 8; ++n) many.push_back(world.transfer(6, 7, n));
    steps.push_back({many, {}});
    BatchStatus posted;
    posted.phase = BatchPhase::posted;
    steps.push_back({{}, posted});
    steps.push_back({{world.transfer(3, 4, 0), world.transfer(7, 1, 0), world.transfer(9, 1, 0)}, {}});
    BatchStatus reverted;
    reverted.phase = BatchPhase::reverted;
    reverted.code = "expired_unproven";
    reverted.reason = "nobody proved it";
    steps.push_back({{}, reverted});
    steps.push_back({{world.transfer(8, 1, 0)}, {}});
    return steps;
}

/// Every acknowledged operation has a receipt that says it is, or will be, executed.
void expect_kept(World& world, const std::vector<SignedTransaction>& acknowledged) {
    for (const SignedTransaction& tx : acknowledged) {
        const std::string stage = world.stage(tx);
        EXPECT_TRUE(stage == "executed" || stage == "received" || stage == "reverted" || stage == "posted") << stage;
    }
}

/// Runs until the file system fails; returns what was acknowledged. `done`: all steps ran.
std::vector<SignedTransaction> run(World& world, const std::vector<Step>& steps, bool& done) {
    std::vector<SignedTransaction> acknowledged;
    done = false;
    for (const Step& step : steps) {
        if (step.status) world.settlement.statuses[1] = *step.status;
        if (step.chain) step.chain(world.settlement);
        if (!world.tick(1000)) return acknowledged;
        const auto answers = world.submit_all(step.group);
        if (answers.size() != step.group.size()) return acknowledged;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            EXPECT_TRUE(answers[i] == "executed" || answers[i] == "received") << answers[i];
            acknowledged.push_back(step.group[i]);
        }
    }
    done = true;
    return acknowledged;
}

/// After the failure: nothing acknowledged is lost, all of it is executed in the end, and no money appeared.
void expect_recovery(World& world, const std::vector<SignedTransaction>& acknowledged) {
    ASSERT_EQ(world.start(), "");
    expect_kept(world, acknowledged);
    // Whatever is on its way to L1 is what the sequencer has: it fails after execution, before it hands a batch over,
    // before it records what L1 says, and in the middle of taking back.
    for (const auto& [number, batch] : world.settlement.posted) {
        const auto known = world.engine->batch(number);
        ASSERT_TRUE(known.has_value()) << number;
        EXPECT_EQ(known->record.hash, batch.hash) << number;
    }
    for (std::uint64_t n = world.store->finalised_number() + 1; n <= world.engine->status().batch; ++n)
        EXPECT_TRUE(world.settlement.posted.contains(n)) << n;
    world.settlement.statuses.clear();
    ASSERT_TRUE(world.tick(1000));
    ASSERT_TRUE(world.close_batch());
    std::uint64_t total = 0;
    for (rollup::SlotIndex slot = 0; slot < world.engine->status().slots; ++slot) total += world.balance(slot);
    std::uint64_t deposited = 0;
    for (const ConfirmedEntry& entry : world.settlement.deposits) {
        const auto& deposit = std::get<rollup::DepositEntry>(entry.entry.entry);
        deposited += static_cast<std::uint64_t>(deposit.amount.wide());
    }
    EXPECT_EQ(world.engine->status().deposits, world.settlement.deposits.size());
    EXPECT_EQ(world.engine->status().forced, world.settlement.forced.size());
    EXPECT_EQ(total, testing::kAccounts * testing::kBalance + deposited);
    for (const SignedTransaction& tx : acknowledged) {
        const auto receipt = world.engine->receipt(world.id(tx));
        ASSERT_TRUE(receipt.has_value());
        // One operation waits for a nonce that may have come after the failure.
        EXPECT_TRUE(receipt->stage == Stage::executed || (receipt->slot == 3 && receipt->stage == Stage::received))
            << stage_name(receipt->stage) << " " << receipt->code;
    }
}

void fail_everywhere(Loss loss, std::uint64_t stride) {
    std::mt19937_64 rng(5);
    std::size_t num_failed = 0;
    World model;
    ASSERT_TRUE(model.create());
    ASSERT_EQ(model.start(), "");
    const auto steps = sample_steps(model);
    model.stop();
    for (std::uint64_t extra = 1;; extra += stride) {
        World world;
        ASSERT_TRUE(world.create());
        ASSERT_EQ(world.start(), "");
        SCOPED_TRACE("fails " + std::to_string(extra) + " events after the start");
        world.env.fail_from(world.env.num_events() + extra);
        bool done = false;
        const auto acknowledged = run(world, steps, done);
        world.stop();
        world.env.crash(loss, rng);
        if (rng() % 3 == 0) {  // and once more while it recovers
            world.env.fail_from(world.env.num_events() + rng() % 12);
            (void)world.start();
            world.stop();
            world.env.crash(loss, rng);
        }
        expect_recovery(world, acknowledged);
        if (::testing::Test::HasFailure() || done) break;
        ++num_failed;
    }
    EXPECT_GT(num_failed * stride, 20) << "the steps hardly touch the disk";
}

TEST(SequencerCrash, PowerFailureLosesUnsyncedBytesSlow) { fail_everywhere(Loss::everything, 1); }
TEST(SequencerCrash, PowerFailureLosesUnsyncedBytes) { fail_everywhere(Loss::everything, 7); }
TEST(SequencerCrash, PowerFailureTearsFiles) { fail_everywhere(Loss::tails, 11); }
TEST(SequencerCrash, ProcessDies) { fail_everywhere(Loss::nothing, 13); }

/// What the device does not give is not taken for what is not there.
class SequencerReads : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(world.create());
        ASSERT_EQ(world.start(), "");
        world.options.max_operations = 100;
        ASSERT_EQ(world.start(), "");
        tx = world.transfer(1, 2, 0);
        // More than a block of the ledger's files, which opening it reads.
        std::vector<SignedTransaction> txs{tx};
        for (rollup::Nonce nonce = 1; nonce < 60; ++nonce) txs.push_back(world.transfer(1, 2, nonce));
        ASSERT_EQ(world.submit_all(txs), std::vector<std::string>(txs.size(), "executed"));
        ASSERT_TRUE(world.close_batch());
        BatchStatus status;
        status.phase = BatchPhase::posted;
        world.settlement.statuses[1] = status;
        ASSERT_TRUE(world.tick());
        ASSERT_EQ(world.start(), "") << "what it wrote is in files now";
    }
    World world;
    SignedTransaction tx;
};

TEST_F(SequencerReads, FailAtTheStart) {
    world.engine.reset();
    world.ledger.reset();
    auto ledger = Ledger::open("/ledger", rollup::domain_hash(world.store->parameters()), &world.env);
    ASSERT_TRUE(ledger.ok());
    world.env.fail_reads(true);
    const auto started =
        Engine::start(*world.store, *ledger.value(), world.archive, world.settlement, world.options, world.now);
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().name, "io_error");
}

TEST_F(SequencerReads, FailAtASubmission) {
    world.env.fail_reads(true);
    EXPECT_TRUE(world.submit_all({tx}).empty());
    EXPECT_EQ(world.engine->failure()->name, "io_error");
}

TEST_F(SequencerReads, FailWhileALookUpGoesOn) {
    world.env.fail_reads(true);
    EXPECT_EQ(world.stage(tx), "unknown");
    EXPECT_FALSE(world.tick()) << "nobody is told that twice";
    EXPECT_EQ(world.engine->failure()->name, "io_error");
}

TEST_F(SequencerReads, FailWhileABatchIsTakenBack) {
    world.settlement.statuses[1].phase = BatchPhase::reverted;
    world.settlement.statuses[1].code = "batch_discarded";
    world.env.fail_reads(true);
    EXPECT_FALSE(world.tick());
    EXPECT_EQ(world.engine->failure()->name, "io_error");
    world.env.fail_reads(false);
    world.settlement.statuses.clear();
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.stage(tx), "reverted");
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.stage(tx), "executed");
}

}  // namespace
}  // namespace quarry::node::sequencer::engine_crash_test
