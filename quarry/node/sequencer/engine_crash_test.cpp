/// Power failures and the end of the process at every event of the file system: what was acknowledged is there.
#include <gtest/gtest.h>

#include <random>

#include "quarry/node/sequencer/testing.hpp"

namespace quarry::node::sequencer {
namespace {

using node::testing::CrashEnv;
using node::testing::Loss;
using testing::World;

struct Step {
    std::vector<SignedTransaction> group;
    std::optional<BatchStatus> status;  ///< of batch 1
};

/// Groups that execute, wait, close batches; a batch that is posted and one that is taken back.
std::vector<Step> sample_steps(const World& world) {
    std::vector<Step> steps;
    steps.push_back({{world.transfer(1, 2, 0), world.transfer(3, 4, 1)}, {}});
    steps.push_back({{world.transfer(1, 2, 1), world.transfer_new(5, 70, 0), world.transfer(2, 1, 0)}, {}});
    std::vector<SignedTransaction> many;
    for (rollup::Nonce n = 0; n < 8; ++n) many.push_back(world.transfer(6, 7, n));
    steps.push_back({many, {}});
    BatchStatus posted;
    posted.phase = BatchPhase::posted;
    steps.push_back({{}, posted});
    steps.push_back({{world.transfer(3, 4, 0), world.transfer(7, 1, 0)}, {}});
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
    EXPECT_EQ(total, testing::kAccounts * testing::kBalance);
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

}  // namespace
}  // namespace quarry::node::sequencer
