/// Batches that are taken back are executed again as they were: the same operations and entries, in the same order.
#include <gtest/gtest.h>

#include "quarry/node/sequencer/testing.hpp"

namespace quarry::node::sequencer::engine_returned_test {
namespace {

using testing::kBalance;
using testing::World;

class SequencerReturned : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(world.create());
        ASSERT_EQ(world.start(), "");
    }
    void set_phase(std::uint64_t number, BatchPhase phase) {
        BatchStatus status;
        status.phase = phase;
        if (phase == BatchPhase::reverted) status.code = status.reason = "batch_discarded";
        world.settlement.statuses[number] = status;
    }
    /// L1 has the batch, and discards it.
    void discard(std::uint64_t number) {
        set_phase(number, BatchPhase::posted);
        ASSERT_TRUE(world.tick());
        set_phase(number, BatchPhase::reverted);
        ASSERT_TRUE(world.tick());
        world.settlement.statuses.clear();
    }
    void execute(const SignedTransaction& tx) {
        ASSERT_EQ(world.submit(tx), "executed");
        executed.push_back(tx);
    }
    void expect_all_executed() const {
        for (const SignedTransaction& tx : executed) {
            const auto receipt = world.engine->receipt(world.id(tx));
            EXPECT_EQ(receipt->stage, Stage::executed)
                << receipt->type << " of slot " << receipt->slot << ": " << receipt->code;
        }
    }
    std::vector<rollup::SlotIndex> slots_of(std::uint64_t account) const {
        return world.engine->slots_of(rollup::pair_hash(world.owner(account)), 9);
    }
    World world;
    std::vector<SignedTransaction> executed;
};

using Slots = std::vector<rollup::SlotIndex>;

TEST_F(SequencerReturned, EntriesAndOperationsKeepTheirOrder) {
    // Deposits make slots 12 and 14, an operation makes the one between them.
    world.settlement.add_deposit(world.owner(12), kBalance, 1);
    ASSERT_TRUE(world.tick());
    execute(world.transfer_new(1, 13, 0));
    world.settlement.add_deposit(world.owner(14), kBalance, 2);
    ASSERT_TRUE(world.tick());
    execute(world.transfer(12, 13, 0));
    execute(world.transfer(13, 14, 0));
    execute(world.transfer(14, 13, 0));
    // What slot 3 pays, it has no more after its forced withdrawal.
    execute(world.transfer(3, 4, 0, kBalance / 2));
    ASSERT_TRUE(world.close_batch());
    world.settlement.add_withdrawal(3, world.owner(3));
    // More deposits than a batch takes.
    for (std::uint8_t i = 15; i < 145; ++i) world.settlement.add_deposit(world.owner(i), kBalance, i);
    ASSERT_TRUE(world.tick());
    ASSERT_TRUE(world.close_batch());
    ASSERT_TRUE(world.tick());
    for (rollup::SlotIndex slot = 140; slot < 145; ++slot) execute(world.transfer(slot, 12, 0));
    ASSERT_TRUE(world.close_batch());
    execute(world.transfer(144, 3, 1));
    ASSERT_EQ(world.engine->status().batch, 3);

    const auto expect_repeated = [&] {
        expect_all_executed();
        for (rollup::SlotIndex account = 12; account < 145; ++account) EXPECT_EQ(slots_of(account), Slots{account});
        EXPECT_EQ(world.balance(3), 10) << "what came after the withdrawal";
        EXPECT_EQ(world.balance(4), kBalance + kBalance / 2);
        EXPECT_EQ(world.engine->status().deposits, 132);
        EXPECT_EQ(world.engine->status().forced, 1);
    };
    expect_repeated();
    discard(1);
    expect_repeated();
    ASSERT_EQ(world.start(), "");
    expect_repeated();
    ASSERT_TRUE(world.close_batch());
    discard(1);
    expect_repeated();
    EXPECT_EQ(world.engine->receipt(world.id(executed[0]))->reverts, 2);
}

TEST_F(SequencerReturned, WaitsForAnEntryThatIsNotDeepEnough) {
    execute(world.transfer(1, 2, 0));
    world.settlement.add_deposit(world.owner(12), kBalance, 1);
    ASSERT_TRUE(world.tick());
    execute(world.transfer(12, 1, 0));
    execute(world.transfer(2, 1, 0));
    ASSERT_TRUE(world.close_batch());
    world.settlement.shallow = 1;
    discard(1);
    const auto expect_waiting = [&] {
        EXPECT_EQ(world.stage(executed[0]), "executed") << "is before the entry";
        EXPECT_EQ(world.stage(executed[1]), "reverted");
        EXPECT_EQ(world.stage(executed[2]), "reverted");
    };
    expect_waiting();
    EXPECT_EQ(world.engine->account(2)->next_nonce, 1);
    EXPECT_EQ(world.submit(world.transfer(2, 3, 0, 10, 1'000)), "replacement_underpriced");
    const auto later = world.transfer(5, 1, 0);
    EXPECT_EQ(world.submit(later), "received");
    ASSERT_EQ(world.start(), "");
    ASSERT_TRUE(world.tick());
    expect_waiting();
    EXPECT_EQ(world.stage(later), "received");
    // The batch with what could be executed is discarded, too.
    ASSERT_TRUE(world.close_batch());
    discard(1);
    expect_waiting();
    world.settlement.shallow = 0;
    ASSERT_TRUE(world.tick());
    expect_all_executed();
    EXPECT_EQ(world.stage(later), "executed");
    EXPECT_EQ(slots_of(12), Slots{12});
}

TEST_F(SequencerReturned, GivesUpAnEntryThatL1Lost) {
    world.settlement.at.timestamp = static_cast<rollup::Timestamp>(world.now / 1000);
    for (std::uint8_t i = 12; i < 14; ++i) {
        world.settlement.add_deposit(world.owner(i), kBalance, i);
        world.settlement.deposits.back().timestamp = world.settlement.at.timestamp;
    }
    ASSERT_TRUE(world.tick());
    const auto lost = world.transfer(13, 1, 0);
    EXPECT_EQ(world.submit(lost), "executed");
    execute(world.transfer(1, 2, 0));
    ASSERT_TRUE(world.close_batch());
    world.settlement.deposits.clear();
    world.settlement.add_deposit(world.owner(12), kBalance, 99);
    discard(1);
    EXPECT_EQ(slots_of(12), Slots{12}) << "another entry in the first one's place";
    EXPECT_EQ(world.stage(executed[0]), "reverted");
    world.settlement.at.confirmed = world.settlement.at.block + 7;
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.stage(executed[0]), "reverted");
    ++world.settlement.at.confirmed;
    ASSERT_TRUE(world.tick());
    expect_all_executed();
    EXPECT_EQ(world.engine->receipt(world.id(lost))->code, "unknown_slot");
}

TEST_F(SequencerReturned, ForcedEntriesThatAreDueGoFirst) {
    world.settlement.asked.forced_delay_seconds = 100;
    world.settlement.at.timestamp = static_cast<rollup::Timestamp>(world.now / 1000);
    const auto paid = world.transfer(3, 4, 0, kBalance / 2);
    EXPECT_EQ(world.submit(paid), "executed");
    ASSERT_TRUE(world.close_batch());
    world.settlement.add_withdrawal(3, world.owner(3));
    world.settlement.forced.back().timestamp = world.settlement.at.timestamp;
    ASSERT_TRUE(world.tick());
    ASSERT_TRUE(world.close_batch());
    world.settlement.at.timestamp += 49;
    discard(1);
    EXPECT_EQ(world.stage(paid), "executed");
    ASSERT_TRUE(world.close_batch());
    world.settlement.at.timestamp += 1;
    discard(1);
    EXPECT_EQ(world.engine->receipt(world.id(paid))->code, "insufficient_balance");
    EXPECT_EQ(world.engine->status().forced, 1) << "once";
}

TEST_F(SequencerReturned, ABatchIsClosedAgainWhereWhatFollowsNeedsItsFees) {
    execute(world.transfer(0, 1, 0, kBalance - 2));
    execute(world.transfer(1, 2, 0));
    execute(world.transfer(2, 1, 0));
    ASSERT_TRUE(world.close_batch());
    execute(world.transfer(0, 1, 1, 4));
    ASSERT_TRUE(world.close_batch());
    execute(world.transfer(3, 1, 0));
    ASSERT_TRUE(world.close_batch());
    discard(1);
    expect_all_executed();
    EXPECT_EQ(world.engine->receipt(world.id(executed[3]))->batch, 2);
    EXPECT_EQ(world.engine->receipt(world.id(executed[4]))->batch, 2) << "and is not where that is not needed";
}

TEST_F(SequencerReturned, ABatchIsClosedAgainAfterARestart) {
    execute(world.transfer(0, 1, 0, kBalance - 2));
    execute(world.transfer(1, 2, 0));
    execute(world.transfer(2, 1, 0));
    ASSERT_TRUE(world.close_batch());
    world.settlement.add_deposit(world.owner(12), kBalance, 1);
    ASSERT_TRUE(world.tick());
    execute(world.transfer(0, 1, 1, 4));
    ASSERT_TRUE(world.close_batch());
    world.settlement.shallow = 1;
    discard(1);
    EXPECT_EQ(world.engine->status().open_operations, 3);
    ASSERT_EQ(world.start(), "");
    world.settlement.shallow = 0;
    ASSERT_TRUE(world.tick());
    expect_all_executed();
    EXPECT_EQ(world.engine->status().batch, 1);
}

TEST_F(SequencerReturned, OperationsBehindARejectedOneWaitForItsNonce) {
    world.settlement.add_deposit(world.owner(12), kBalance, 1);
    ASSERT_TRUE(world.tick());
    const auto first = world.transfer(12, 1, 0, kBalance - 100);
    const auto second = world.transfer(12, 1, 1);
    EXPECT_EQ(world.submit_all({first, second}), std::vector<std::string>(2, "executed"));
    ASSERT_TRUE(world.close_batch());
    world.settlement.deposits.clear();
    world.settlement.add_deposit(world.owner(12), 500, 2);
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.engine->receipt(world.id(first))->code, "insufficient_balance");
    EXPECT_EQ(world.stage(second), "received");
    EXPECT_EQ(world.submit(world.transfer(12, 2, 0)), "executed");
    EXPECT_EQ(world.stage(second), "executed");
}

TEST_F(SequencerReturned, NothingIsTakenBackForAChangeThatIsNotDeepEnough) {
    world.settlement.add_deposit(world.owner(12), kBalance, 1);
    ASSERT_TRUE(world.tick());
    execute(world.transfer(12, 1, 0));
    ASSERT_TRUE(world.close_batch());
    const auto before = world.settlement.deposits;
    world.settlement.deposits.clear();
    world.settlement.add_deposit(world.owner(13), kBalance, 2);
    world.settlement.shallow = 1;
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.engine->status().batch, 1);
    world.settlement.deposits = before;
    world.settlement.shallow = 0;
    ASSERT_TRUE(world.tick());
    EXPECT_EQ(world.engine->status().reverted_batches, 0);
    expect_all_executed();
}

}  // namespace
}  // namespace quarry::node::sequencer::engine_returned_test
