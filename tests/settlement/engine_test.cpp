// The sequencer's engine on a chain: what a reorganisation does to the queues that it follows.

#include "quarry/node/sequencer/engine.hpp"

#include <gtest/gtest.h>

#include "quarry/node/crash_env.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/workload.hpp"
#include "tests/settlement/hub_world.hpp"

namespace quarry::testing::engine_test {
namespace {

namespace sequencer = node::sequencer;

constexpr std::uint64_t kStake = 1'000'000;

class EngineOnHub : public ::testing::Test {
  protected:
    void SetUp() override {
        auto made = node::DurableStore::create("/state", hub.parameters(), {}, {}, {.read_only = false, .env = &env});
        ASSERT_TRUE(made.ok()) << made.error().message;
        store = std::move(made).value();
        auto opened = sequencer::Ledger::open("/ledger", rollup::domain_hash(store->parameters()), &env);
        ASSERT_TRUE(opened.ok());
        ledger = std::move(opened).value();
        auto folder = node::BatchFolder::create(hub.folder() + "/batches", store->parameters());
        ASSERT_TRUE(folder.ok());
        archive = std::make_unique<sequencer::FolderArchive>(std::move(folder).value());
        auto started = sequencer::Engine::start(*store, *ledger, *archive, hub.settlement(), {}, now());
        ASSERT_TRUE(started.ok()) << started.error().cause;
        engine = std::move(started).value();
    }
    sequencer::Milliseconds now() {
        (void)node::l1::catch_up(hub.view());
        return hub.view().head()->timestamp * 1000;
    }
    void tick() {
        sequencer::Events events;
        const auto done = engine->tick(now(), events);
        ASSERT_TRUE(done.ok()) << done.error().cause;
    }
    rollup::Owner owner(std::uint64_t account) const {
        return {rollup::key_hash(node::to_account_key(keys.secret(account).public_key())), keys.address(account)};
    }
    node::SignedTransaction transfer(rollup::SlotIndex from, rollup::SlotIndex to, rollup::Nonce nonce) const {
        rollup::Transfer op;
        op.auth.slot = from;
        op.auth.expiry = 4'000'000'000;
        op.receiver = to;
        op.amount = rollup::Amount(10);
        node::SignedTransaction tx;
        tx.tx.op = op;
        tx.tx.nonce = nonce;
        tx.tx.receiver_pair = rollup::pair_hash(owner(to));
        node::sign(tx, engine->domain(), keys.secret(from));
        return tx;
    }
    void expect_executed(const std::vector<node::SignedTransaction>& all) const {
        for (const auto& tx : all) {
            const auto receipt = engine->receipt(rollup::transaction_id(engine->domain(), tx.tx));
            ASSERT_TRUE(receipt.has_value());
            EXPECT_TRUE(receipt->stage == sequencer::Stage::executed || receipt->stage == sequencer::Stage::posted)
                << sequencer::stage_name(receipt->stage) << " " << receipt->code;
        }
    }
    std::uint64_t balance(rollup::SlotIndex slot) const {
        return static_cast<std::uint64_t>(engine->account(slot)->leaf.balance.wide());
    }

    HubWorld hub;
    node::testing::CrashEnv env;
    node::DevelopmentKeys keys{7};
    std::unique_ptr<node::DurableStore> store;
    std::unique_ptr<sequencer::Ledger> ledger;
    std::unique_ptr<sequencer::FolderArchive> archive;
    std::unique_ptr<sequencer::Engine> engine;
};

/// A deposit that a closed batch consumed is replaced by a reorganisation: nothing happens until the other one can be
/// used; then all is executed again, with it, and posted.
TEST_F(EngineOnHub, AReorganisedDepositIsReplacedOnceTheOtherIsDeepEnough) {
    hub.deposit_once(owner(0), kStake);
    hub.deposit_once(owner(1), kStake);
    for (int i = 0; i < 3; ++i) hub.step();
    hub.deposit_once(owner(2), kStake);
    hub.step();
    tick();
    ASSERT_EQ(engine->status().deposits, 3);
    const std::vector<node::SignedTransaction> all{transfer(2, 1, 0), transfer(0, 2, 0), transfer(1, 0, 0)};
    sequencer::Events events;
    ASSERT_TRUE(engine->submit(all, now(), events).ok());
    expect_executed(all);
    ASSERT_TRUE(engine->close_batch(events).ok());

    hub.anvil().reorganise(2);
    tick();
    hub.deposit_once(owner(2), kStake + 500);
    tick();
    EXPECT_EQ(engine->status().reverted_batches, 0) << "it cannot be used yet";
    expect_executed(all);
    hub.step();
    tick();
    EXPECT_EQ(engine->status().reverted_batches, 1);
    EXPECT_EQ(engine->status().rejected, 0);
    EXPECT_EQ(balance(2), kStake + 500);
    expect_executed(all);

    ASSERT_TRUE(engine->close_batch(events).ok());
    for (int i = 0; i < 30 && engine->status().posted == 0; ++i) {
        hub.step();
        tick();
    }
    EXPECT_EQ(engine->status().posted, 1);
    expect_executed(all);
}

/// A posted batch that a reorganisation and a late discard drop: its deposits keep their slots.
TEST_F(EngineOnHub, ADiscardedBatchIsExecutedAgainWithItsDeposits) {
    hub.options.discards_late = true;
    hub.options.discard_after_sec = 0;
    engine.reset();
    hub.restart();
    auto started = sequencer::Engine::start(*store, *ledger, *archive, hub.settlement(), {}, now());
    ASSERT_TRUE(started.ok());
    engine = std::move(started).value();

    hub.deposit_once(owner(0), kStake);
    hub.deposit_once(owner(1), kStake);
    for (int i = 0; i < 3; ++i) hub.step();
    tick();
    const std::vector<node::SignedTransaction> all{transfer(0, 1, 0), transfer(1, 0, 0), transfer(0, 1, 1)};
    sequencer::Events events;
    ASSERT_TRUE(engine->submit(all, now(), events).ok());
    ASSERT_TRUE(engine->close_batch(events).ok());
    for (int i = 0; i < 30 && engine->status().posted == 0; ++i) {
        hub.step();
        tick();
    }
    ASSERT_EQ(engine->status().posted, 1);
    hub.advance_time(2'000);  // nobody proves it
    for (int i = 0; i < 30 && engine->status().reverted_batches == 0; ++i) {
        hub.step();
        tick();
    }
    EXPECT_EQ(engine->status().reverted_batches, 1);
    EXPECT_EQ(engine->status().rejected, 0);
    expect_executed(all);
    EXPECT_EQ(engine->slots_of(rollup::pair_hash(owner(1)), 9), std::vector<rollup::SlotIndex>{1});
}

}  // namespace
}  // namespace quarry::testing::engine_test
