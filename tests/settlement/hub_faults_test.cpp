// What goes wrong between a sequencer and L1: reorganisations, kills, refusals, windows that end.

#include <gtest/gtest.h>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "tests/settlement/hub_world.hpp"

namespace quarry::testing {
namespace {

namespace l1 = node::l1;
using node::sequencer::BatchPhase;

struct Counts {
    std::size_t submissions = 0;
    std::uint64_t head = 0;
};
Counts counts(HubWorld& world) {
    return world.fresh_view()->read([&](const l1::HubState& state, const auto&) {
        return Counts{state.submissions().size(), state.rollup(world.options.rollup)->head};
    });
}

bool is_on_chain(HubWorld& world, const MadeBatch& made) {
    (void)l1::catch_up(world.view());
    return world.view().read([&](const l1::HubState& state, const auto&) {
        const l1::Submission* s = state.batch(world.options.rollup, made.batch.header.number);
        return s != nullptr && s->header_hash == made.hash;
    });
}

std::uint64_t sequencer_nonce(HubWorld& world) {
    return world.chain().transaction_count(world.sequencer().address(), ethereum::BlockTag::latest).value();
}

/// The chain drops deposits and batches; the view follows, the batches come back, each once.
TEST(HubFaults, ReorganisationsOfDepth137) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    std::vector<MadeBatch> all;
    for (const unsigned depth : {1U, 3U, 7U}) {
        SCOPED_TRACE(depth);
        world.deposit(1, 100 + depth);
        const MadeBatch& made = all.emplace_back(world.make_batch(all.empty() ? 3 : 1, 0, 2, 0));
        world.settlement().post(world.to_post(made));
        for (int i = 0; i < 20 && !is_on_chain(world, made); ++i) world.step();
        ASSERT_TRUE(is_on_chain(world, made));
        world.anvil().reorganise(depth);
        world.expect_consistent();
        EXPECT_FALSE(is_on_chain(world, made)) << "the reorganisation dropped it";
        EXPECT_NE(world.status(made).phase, BatchPhase::posted);
        for (int i = 0; i < 40 && world.status(made).phase != BatchPhase::posted; ++i) {
            world.step();
            if (i % 4 == 0) world.expect_consistent();
        }
        world.expect_consistent();
        EXPECT_EQ(world.status(made).phase, BatchPhase::posted) << world.status(made).code;
        for (const MadeBatch& before : all) EXPECT_TRUE(is_on_chain(world, before));
        EXPECT_EQ(counts(world).submissions, all.size());
    }
    EXPECT_GE(world.view().rollbacks().count, 3U);
    EXPECT_EQ(world.view().rollbacks().deepest, 7U);
    // A node that starts again from its store stands where it was.
    const auto before = world.view().head();
    world.restart();
    world.expect_consistent();
    EXPECT_EQ(world.view().head()->hash, before->hash);
}

/// A deposit that a reorganisation takes away, or changes, after it entered a batch: the hub never takes that batch,
/// and the sequencer hears so.
TEST(HubFaults, DepositsThatL1TookBack) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.deposit_once(2, 77);
    const MadeBatch lost = world.make_batch(3, 0, 1, 0);
    world.anvil().reorganise(1);
    world.expect_consistent();
    EXPECT_EQ(world.settlement().rolling_hash(node::sequencer::Queue::deposits, 3), std::nullopt);
    world.settlement().post(world.to_post(lost));
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.status(lost).phase, BatchPhase::sending) << "the deposit may come back";
    for (int i = 0; i < 30 && world.status(lost).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.status(lost).phase, BatchPhase::reverted);
    EXPECT_EQ(world.status(lost).code, "DepositCursor");

    world.deposit_once(2, 78);  // another one in its place
    world.step();
    const auto hash = world.settlement().rolling_hash(node::sequencer::Queue::deposits, 3);
    ASSERT_TRUE(hash.has_value());
    EXPECT_NE(*hash, lost.batch.header.deposit_hash);
    world.settlement().post(world.to_post(lost));
    for (int i = 0; i < 10 && world.status(lost).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.status(lost).code, "DepositHash");
    EXPECT_EQ(counts(world).submissions, 0U);
}

/// Killed between execution and posting, and between posting and recording: the batch is sent once.
TEST(HubFaults, KillsAroundPosting) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    const std::uint64_t nonce = sequencer_nonce(world);
    world.restart();  // executed; never handed over
    EXPECT_EQ(world.status(made).phase, BatchPhase::unknown);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.settlement().step().ok());
    EXPECT_EQ(world.status(made).phase, BatchPhase::sending);
    world.restart();  // sent; not mined
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.settlement().step().ok());
    world.anvil().mine();
    world.restart();  // mined; nobody knows
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    EXPECT_EQ(sequencer_nonce(world), nonce + 1) << "one transaction";
    EXPECT_EQ(counts(world).submissions, 1U);
    world.restart();  // posted; the sequencer hands over everything that is not final
    world.settlement().post(world.to_post(made));
    for (int i = 0; i < 3; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::posted);
    EXPECT_EQ(sequencer_nonce(world), nonce + 1);
}

TEST(HubFaults, RefusedForGoodThenReplaced) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    node::sequencer::BatchToPost bad = world.to_post(made);
    bad.header.deposit_hash[3] ^= 1;
    bad.hash = keccak256(rollup::encode(bad.header));
    world.settlement().post(bad);
    for (int i = 0; i < 10 && world.settlement().status(1, bad.hash).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.settlement().status(1, bad.hash).phase, BatchPhase::reverted);
    EXPECT_EQ(world.settlement().status(1, bad.hash).code, "DepositHash");
    world.settlement().post(world.to_post(made));
    EXPECT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;

    // Another batch of this number is refused without sending anything.
    const std::uint64_t nonce = sequencer_nonce(world);
    world.settlement().post(bad);
    for (int i = 0; i < 3; ++i) world.step();
    EXPECT_EQ(world.settlement().status(1, bad.hash).code, "batch_superseded");
    EXPECT_EQ(sequencer_nonce(world), nonce);
}

/// Fees far above the caps: nothing is sent until they have fallen.
TEST(HubFaults, FeeSpike) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    const std::uint64_t nonce = sequencer_nonce(world);
    world.anvil().call("anvil_setNextBlockBaseFeePerGas", "[\"0x1d1a94a2000\"]");  // 2,000 gwei; the cap is 300
    world.anvil().mine();
    world.settlement().post(world.to_post(made));
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::sending);
    EXPECT_EQ(world.status(made).code, "fee_above_cap");
    EXPECT_EQ(sequencer_nonce(world), nonce);
    EXPECT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    EXPECT_EQ(sequencer_nonce(world), nonce + 1);
}

/// A batch that nobody proves: the bounty grows and is raised, then the batch is discarded and its escrow comes back.
TEST(HubFaults, WindowsEnd) {
    HubWorld world;
    l1::SettlementOptions options = world.options;
    options.discards_late = true;
    options.raise_amount = l1::U256(1'000'000'000'000'000);
    world.restart(options);
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.user_call(world.deployment().bridge, l1::bridge_call::force_withdraw(world.options.rollup, 1),
                    2'000'000'000'000'000);
    world.expect_consistent();
    const MadeBatch made = world.make_batch(2, 1, 2, 0);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    const auto submission = [&] {
        (void)l1::catch_up(world.view());
        return world.view().read(
            [&](const l1::HubState& s, const auto&) { return *s.find(options.rollup, made.hash); });
    };
    // Our bounty is the contract's, at every age.
    const auto compare = [&] {
        const l1::Submission s = submission();
        const auto head = world.view().head();
        const auto bounty = l1::HubReader(world.chain(), world.deployment().hub).current_bounty(options.rollup, 1);
        ASSERT_TRUE(bounty.ok());
        EXPECT_EQ(l1::bounty_at(s, head->number, head->timestamp), bounty.value());
    };
    compare();
    world.advance_time(300);
    compare();
    EXPECT_GT(l1::bounty_at(submission(), 0, world.view().head()->timestamp), submission().terms.base);
    world.step();
    EXPECT_EQ(world.settlement().figures().raises, 0U) << "too early";
    world.advance_time(420);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().raises, 1U);
    compare();
    world.advance_time(150);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().raises, 2U);
    EXPECT_EQ(submission().raises.size(), 2U);
    compare();
    EXPECT_EQ(world.status(made).phase, BatchPhase::posted);

    world.advance_time(200);
    compare();  // late: half of the slashed bond is on top
    for (int i = 0; i < 10 && world.status(made).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::reverted);
    EXPECT_EQ(world.status(made).code, "batch_discarded");
    EXPECT_EQ(world.settlement().figures().discards, 1U);
    world.expect_consistent();
    const auto credit = l1::HubReader(world.chain(), world.deployment().hub).credit(world.sequencer().address());
    EXPECT_GE(credit.value(), submission().terms.max) << "the escrow came back";
}

}  // namespace
}  // namespace quarry::testing
