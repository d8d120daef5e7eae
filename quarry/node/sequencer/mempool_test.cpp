#include "quarry/node/sequencer/mempool.hpp"

#include <gtest/gtest.h>

namespace quarry::node::sequencer::mempool_test {
namespace {

WaitingOperation waiting(rollup::SlotIndex slot, rollup::Nonce nonce, std::uint64_t priority, std::uint64_t sequence,
                         rollup::Timestamp expiry = 1000) {
    WaitingOperation w;
    rollup::Transfer transfer;
    transfer.auth.slot = slot;
    transfer.auth.expiry = expiry;
    w.tx.tx.op = transfer;
    w.tx.tx.nonce = nonce;
    w.priority = priority;
    w.sequence = sequence;
    w.id[0] = decltype(w.id)::value_type(static_cast<std::uint32_t>(sequence));
    return w;
}

/// Slots in the order in which their operations come, account nonces rising.
std::vector<rollup::SlotIndex> drain(Mempool& pool) {
    std::vector<rollup::SlotIndex> order;
    while (const WaitingOperation* best = pool.best()) {
        const rollup::SlotIndex slot = best->slot();
        const rollup::Nonce nonce = best->tx.tx.nonce;
        order.push_back(slot);
        (void)pool.take(slot, nonce);
        pool.set_nonce(slot, nonce + 1);
    }
    return order;
}

TEST(Mempool, TakesByFeeWithNoncesInOrder) {
    Mempool pool({100, 10});
    for (const auto& w : {waiting(1, 1, 900, 1), waiting(1, 0, 10, 2), waiting(2, 0, 50, 3), waiting(3, 0, 50, 4),
                          waiting(4, 7, 999, 5)})
        EXPECT_FALSE(pool.add(w, 0, false).has_value());
    EXPECT_EQ(pool.next_nonce(1, 0), 2);
    EXPECT_EQ(pool.num_ready(), 3);
    EXPECT_EQ(drain(pool), (std::vector<rollup::SlotIndex>{2, 3, 1, 1}));
    EXPECT_EQ(pool.size(), 1) << "a gap waits";
}

TEST(Mempool, ReturnedOperationsStay) {
    Mempool pool({2, 10});
    auto returned = waiting(1, 0, 1, 8);
    returned.returned = true;
    pool.add(returned, 0, true);
    pool.add(waiting(2, 0, 5, 9), 0, true);
    EXPECT_EQ(pool.refusal(waiting(1, 0, 999, 10), 0, false), AdmissionCode::replacement_underpriced);
    const auto displaced = pool.add(waiting(3, 0, 999, 11), 0, false);
    ASSERT_TRUE(displaced.has_value());
    EXPECT_EQ(displaced->operation.slot(), 2) << "it pays more, and is evicted";
    EXPECT_EQ(pool.find(returned.id)->slot(), 1);
    EXPECT_EQ(pool.find(displaced->operation.id), nullptr);
}

TEST(Mempool, ReplacementPaysATenthMore) {
    Mempool pool({100, 10});
    pool.add(waiting(1, 3, 100, 1), 0, false);
    EXPECT_EQ(pool.refusal(waiting(1, 3, 109, 2), 0, false), AdmissionCode::replacement_underpriced);
    const auto better = waiting(1, 3, 110, 3);
    EXPECT_FALSE(pool.refusal(better, 0, false).has_value());
    const auto displaced = pool.add(better, 0, false);
    ASSERT_TRUE(displaced.has_value());
    EXPECT_EQ(displaced->operation.sequence, 1);
    EXPECT_EQ(displaced->code, AdmissionCode::replaced);
    EXPECT_EQ(pool.size(), 1);
    // Nothing is free to replace: also from 0 it must rise.
    pool.add(waiting(2, 3, 0, 4), 0, false);
    EXPECT_EQ(pool.refusal(waiting(2, 3, 0, 5), 0, false), AdmissionCode::replacement_underpriced);
}

TEST(Mempool, LimitsAndEviction) {
    Mempool pool({3, 2});
    pool.add(waiting(1, 1, 5, 1), 0, false);
    pool.add(waiting(1, 2, 9, 2), 0, false);
    EXPECT_EQ(pool.refusal(waiting(1, 0, 9, 3), 0, false), AdmissionCode::account_full);
    EXPECT_FALSE(pool.refusal(waiting(1, 0, 9, 3), 0, true).has_value()) << "does not wait, and lets the others go";
    EXPECT_EQ(pool.refusal(waiting(2, 3, 9, 3), 0, false), AdmissionCode::nonce_too_far);
    pool.add(waiting(2, 1, 7, 3), 0, false);
    EXPECT_EQ(pool.refusal(waiting(3, 1, 7, 4), 0, false), AdmissionCode::mempool_full);
    const auto better = waiting(3, 1, 8, 4);
    EXPECT_FALSE(pool.refusal(better, 0, false).has_value());
    const auto displaced = pool.add(better, 0, false);
    ASSERT_TRUE(displaced.has_value());
    EXPECT_EQ(displaced->code, AdmissionCode::evicted);
    EXPECT_EQ(displaced->operation.slot(), 2) << "the worst paid last operation of an account";
    EXPECT_EQ(pool.size(), 3);
}

TEST(Mempool, Expiry) {
    Mempool pool({100, 10});
    pool.add(waiting(1, 0, 5, 1, 100), 0, false);
    pool.add(waiting(2, 0, 5, 2, 200), 0, false);
    EXPECT_TRUE(pool.take_expired(100).empty());
    const auto expired = pool.take_expired(101);
    ASSERT_EQ(expired.size(), 1);
    EXPECT_EQ(expired[0].slot(), 1);
    EXPECT_EQ(pool.size(), 1);
}

}  // namespace
}  // namespace quarry::node::sequencer::mempool_test
