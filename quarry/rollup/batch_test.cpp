#include "quarry/rollup/batch.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::batch_test {
namespace {

using testing::make_key;
using testing::make_owner;
using testing::RandomTraffic;
using testing::World;

/// Total balance of each token.
std::map<TokenId, Amount::Wide> totals(const MemoryStore& store) {
    std::map<TokenId, Amount::Wide> r;
    for (SlotIndex slot = 0; slot < store.state().slot_count; ++slot) {
        const Leaf leaf = *store.leaf(slot);
        r[leaf.token] += leaf.balance.wide();
    }
    return r;
}

ExecutedBatch random_batch(World& world, std::uint64_t seed, std::size_t n) {
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    RandomTraffic(world, seed).run(builder, n);
    auto batch = builder.seal();
    QUARRY_CHECK(batch.ok());
    return std::move(batch).value();
}

// What leaves a token's total is what the effects say: deposits in, withdrawals out, nothing else.
RC_GTEST_PROP(BatchProperties, TotalsAreConserved, ()) {
    World world;
    auto expected = totals(world.store);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (std::uint64_t round = 0; round < 2; ++round) {
        const ExecutedBatch batch = random_batch(world, seed + round, 60);
        for (const Effect& effect : batch.effects) {
            if (const auto* w = std::get_if<WithdrawalEffect>(&effect)) expected[w->token] -= w->amount.wide();
            if (const auto* f = std::get_if<ForcedWithdrawalEffect>(&effect)) expected[f->token] -= f->amount.wide();
            if (const auto* d = std::get_if<DepositEffect>(&effect); d != nullptr && d->applied) {
                expected[d->entry.token] += d->entry.amount.wide();
            }
        }
        RC_ASSERT(world.store.commit(batch.commit, batch.update).ok());
        for (const auto& [token, sum] : totals(world.store)) RC_ASSERT(sum == expected[token]);
    }
}

// The prover, from L1's bytes alone, reaches the sequencer's result, and all signatures hold.
RC_GTEST_PROP(BatchProperties, ReplayFromBytesEqualsExecution, ()) {
    World world;
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (std::uint64_t round = 0; round < 2; ++round) {
        const ExecutedBatch batch = random_batch(world, seed + round, 60);
        const auto header = parse_header(encode(batch.header));
        const auto again = replay(world.parameters, world.store, world.queues, header.value(), batch.data);
        RC_ASSERT(again.ok());
        RC_ASSERT(again.value().effects == batch.effects);
        RC_ASSERT(again.value().commit.changes == batch.commit.changes);
        RC_ASSERT(again.value().commit.keys == batch.commit.keys);
        RC_ASSERT(again.value().commit.after == batch.commit.after);
        RC_ASSERT(testing::all_verify(again.value().signature_checks));
        RC_ASSERT(world.store.commit(batch.commit, batch.update).ok());
    }
}

// Changing any byte of the data makes the batch unprovable: refused, or a signature fails, or the claimed state is
// another.
RC_GTEST_PROP(BatchProperties, EveryDataByteIsBound, ()) {
    World world;
    const ExecutedBatch batch = random_batch(world, *rc::gen::arbitrary<std::uint64_t>(), 30);
    std::vector<std::uint8_t> data = batch.data;
    const auto i = *rc::gen::inRange<std::size_t>(0, data.size());
    data[i] = static_cast<std::uint8_t>(data[i] ^ (1 << *rc::gen::inRange(0, 8)));
    const auto again = replay(world.parameters, world.store, world.queues, batch.header, data);
    const bool provable = again.ok() && testing::all_verify(again.value().signature_checks);
    RC_ASSERT_FALSE(provable);
}

RC_GTEST_PROP(BatchProperties, RollbackEqualsReplay, ()) {
    World world;
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    std::vector<ExecutedBatch> batches;
    std::vector<State> states = {world.store.state()};
    for (std::uint64_t k = 0; k < 4; ++k) {
        batches.push_back(random_batch(world, seed + k, 25));
        RC_ASSERT(world.store.commit(batches.back().commit, batches.back().update).ok());
        states.push_back(world.store.state());
    }
    const auto target = *rc::gen::inRange<std::uint64_t>(0, 5);
    RC_ASSERT(world.store.rollback(target).ok());
    MemoryStore replayed(World::leaves(), World::keys());
    for (std::uint64_t k = 0; k < target; ++k) {
        const auto b = replay(world.parameters, replayed, world.queues, batches[k].header, batches[k].data);
        RC_ASSERT(b.ok());
        RC_ASSERT(replayed.commit(b.value().commit, b.value().update).ok());
    }
    RC_ASSERT(world.store.state() == states[target]);
    RC_ASSERT(replayed.state() == states[target]);
    RC_ASSERT(world.store.tree().root() == states[target].root);
    for (SlotIndex slot = 0; slot < states[target].slot_count + 3; ++slot)
        RC_ASSERT(world.store.leaf(slot) == replayed.leaf(slot));
    // and the undone batches can be applied again
    for (std::uint64_t k = target; k < batches.size(); ++k) {
        RC_ASSERT(world.store.commit(batches[k].commit, batches[k].update).ok());
    }
    RC_ASSERT(world.store.state() == states.back());
}

// Segments of any cut join into the statement of the whole batch.
RC_GTEST_PROP(BatchProperties, SegmentsJoin, ()) {
    World world;
    const ExecutedBatch batch = random_batch(world, *rc::gen::arbitrary<std::uint64_t>(), 30);
    const L1Address payee = testing::make_address(5);
    const std::size_t n = batch.steps.size();
    const auto a = *rc::gen::inRange<std::size_t>(0, n + 1);
    const auto b = *rc::gen::inRange<std::size_t>(a, n + 1);
    BatchPoint point = batch_start(batch.before, header_hash(batch.header));
    std::vector<SegmentStatement> parts;
    for (const auto& [first, last] : {std::pair{std::size_t{0}, a}, {a, b}, {b, n}}) {
        parts.push_back(segment_statement(world.parameters, world.store, batch, first, last, point, payee, 77));
        point = parts.back().after;
    }
    const auto left = merge(merge(parts[0], parts[1]).value(), parts[2]);
    const auto right = merge(parts[0], merge(parts[1], parts[2]).value());
    RC_ASSERT(left.ok() && right.ok());
    RC_ASSERT(left.value().after == right.value().after);
    SegmentStatement whole = whole_statement(world.parameters, batch, payee, 77);
    RC_ASSERT(check_whole(whole.header, whole.before, whole.after, batch.header).ok());
    RC_ASSERT(left.value().work.units == whole.work.units);
    whole.work.root = left.value().work.root;
    RC_ASSERT(left.value() == whole);
}

TEST(Batch, EmptyBatchIsValid) {
    World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    const ExecutedBatch batch = builder.seal().value();
    EXPECT_TRUE(batch.data.empty());
    EXPECT_EQ(batch.commit.after, world.store.state());
    EXPECT_TRUE(replay(world.parameters, world.store, world.queues, batch.header, batch.data).ok());
    EXPECT_EQ(whole_statement(world.parameters, batch, testing::make_address(5), 1).after.data.digest,
              header_hash(batch.header));
}

TEST(Batch, StartsFromTheEmptyTree) {
    World world{std::vector<Leaf>{}};
    world.queues.deposits = {{make_owner(2), make_owner(2).address, 4, Amount(100), kNewSlot}};
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    ASSERT_TRUE(builder.add_deposit().ok());
    const Transaction tx =
        world.sign(testing::transfer_new(0, 1, 40, 0, make_owner(3)), make_key(2), builder.executor());
    EXPECT_EQ(builder.add(tx, true).code(), RejectCode::fee_too_small);
    const ExecutedBatch batch = builder.seal().value();
    ASSERT_TRUE(world.store.commit(batch.commit, batch.update).ok());
    EXPECT_EQ(world.store.state().slot_count, 1u);
    EXPECT_EQ(world.store.tree().root(),
              root_from_path(0, leaf_hash(*world.store.leaf(0)), world.store.tree().path(0)));
}

// "root of one with data of another", "wrong state", and every claim of the header.
TEST(Batch, HeaderMustTellTheTruth) {
    World world;
    world.queues.deposits = {{make_owner(2), make_owner(2).address, 1, Amount(100), 2}};
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    ASSERT_TRUE(builder.add_deposit().ok());
    ASSERT_TRUE(builder.add(world.sign(testing::transfer(2, 4, 7, 3), make_key(2), world.store), true).ok());
    const ExecutedBatch batch = builder.seal().value();
    const auto code = [&](auto&& change) {
        Header header = batch.header;
        change(header);
        const auto r = replay(world.parameters, world.store, world.queues, header, batch.data);
        return r.ok() ? std::nullopt : std::optional(r.code());
    };
    EXPECT_EQ(code([](Header&) {}), std::nullopt);
    EXPECT_EQ(code([](Header& h) { h.version = 2; }), RejectCode::unsupported_version);
    EXPECT_EQ(code([](Header& h) { h.rollup_id = 8; }), RejectCode::wrong_rollup);
    EXPECT_EQ(code([](Header& h) { h.number = 2; }), RejectCode::wrong_parent);
    EXPECT_EQ(code([](Header& h) { h.byte_length += 31; }), RejectCode::byte_length_mismatch);
    EXPECT_EQ(code([](Header& h) { h.num_effects = 0; }), RejectCode::effect_count_mismatch);
    EXPECT_EQ(code([](Header& h) { h.post_slot_count = 9; }), RejectCode::slot_count_mismatch);
    EXPECT_EQ(code([](Header& h) { h.deposit_cursor = 0; }), RejectCode::cursor_mismatch);
    EXPECT_EQ(code([](Header& h) { h.forced_cursor = 1; }), RejectCode::cursor_mismatch);
    EXPECT_EQ(code([](Header& h) { h.deposit_hash[0] = 1; }), RejectCode::queue_hash_mismatch);
    EXPECT_EQ(code([](Header& h) { h.forced_hash[0] = 1; }), RejectCode::queue_hash_mismatch);
    EXPECT_EQ(code([](Header& h) { h.post_root[0] += KoalaBear(1); }), RejectCode::root_mismatch);
    EXPECT_EQ(code([](Header& h) { h.timestamp += 1; }), RejectCode::expired);
    EXPECT_EQ(code([](Header& h) { h.fee_receiver[0] += KoalaBear(1); }), RejectCode::not_fee_receiver);
}

// A batch that stops before its fees are paid out cannot be proven.
TEST(Batch, FeesMustBeCollected) {
    World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    ASSERT_TRUE(builder.add(world.sign(testing::transfer(2, 4, 7, 3), make_key(2), world.store), true).ok());
    ExecutedBatch batch = builder.seal().value();
    batch.data.resize(batch.data.size() - 31);
    batch.header.byte_length -= 31;
    const auto r = replay(world.parameters, world.store, world.queues, batch.header, batch.data);
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.code(), RejectCode::uncollected_fees);
}

TEST(Batch, LimitsOfTheBuilder) {
    World world;
    BatchPlan plan = world.plan();
    plan.max_operations = 2;
    plan.fee_slots = {{1, 0}, {2, 0}};
    BatchBuilder builder(world.parameters, plan, world.store, world.queues);
    EXPECT_EQ(builder.add(world.sign(testing::transfer(3, 7, 1, 1), make_key(3), world.store), true).code(),
              RejectCode::no_fee_slot);
    EXPECT_EQ(builder.add_deposit().code(), RejectCode::no_queue_entry);
    EXPECT_EQ(builder.add_forced().code(), RejectCode::no_queue_entry);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(builder.add(world.sign(testing::transfer(2, 4, 1, 1), make_key(2), builder.executor()), true).ok());
    }
    EXPECT_EQ(builder.add(world.sign(testing::transfer(2, 4, 1, 1), make_key(2), builder.executor()), true).code(),
              RejectCode::batch_full);
}

TEST(Batch, SixBlobsAreTheLimit) {
    World world;
    BatchPlan plan = world.plan();
    plan.max_operations = 100'000;
    BatchBuilder builder(world.parameters, plan, world.store, world.queues);
    Verdict verdict = Accepted{};
    std::size_t n = 0;
    const auto key = make_key(2);
    while (verdict) {
        verdict = builder.add(world.sign(testing::transfer(2, 4, 1, 1), key, builder.executor()), true);
        ++n;
    }
    EXPECT_EQ(verdict.code(), RejectCode::batch_full);
    EXPECT_GT(n, 8000u);
    const ExecutedBatch batch = builder.seal().value();
    EXPECT_LE(batch.data.size(), kMaxBatchWords * kWordBytes);
    EXPECT_TRUE(replay(world.parameters, world.store, world.queues, batch.header, batch.data).ok());
}

}  // namespace
}  // namespace quarry::rollup::batch_test
