/// Headers, effects and snapshots: round trips and hostile bytes.
#include <gtest/gtest.h>

#include <random>

#include "quarry/rollup/store_codec.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::codec_test {
namespace {

using testing::make_address;
using testing::make_key;
using testing::make_owner;
using testing::World;

Header sample_header() {
    Header h{.version = kProtocolVersion,
             .rollup_id = 0x01020304,
             .number = 0x1112131415161718,
             .parent_hash = {},
             .byte_length = 31 * 77,
             .timestamp = 0x21222324,
             .fee_receiver = pair_hash(make_owner(1)),
             .num_effects = 200,
             .deposit_cursor = 0x3132333435363738,
             .deposit_hash = {},
             .forced_cursor = 0x4142434445464748,
             .forced_hash = {},
             .post_root = key_hash(make_key(3)),
             .post_slot_count = kMaxSlots};
    for (std::size_t i = 0; i < 32; ++i) {
        h.parent_hash[i] = static_cast<std::uint8_t>(i);
        h.deposit_hash[i] = static_cast<std::uint8_t>(64 + i);
        h.forced_hash[i] = static_cast<std::uint8_t>(128 + i);
    }
    return h;
}

TEST(HeaderCodec, RoundTripAndEveryByteMatters) {
    const Header header = sample_header();
    const auto bytes = encode(header);
    ASSERT_EQ(bytes.size(), kHeaderBytes);
    EXPECT_EQ(parse_header(bytes).value(), header);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] ^= 1;
        const auto parsed = parse_header(changed);
        if (!parsed) continue;
        EXPECT_NE(parsed.value(), header);
        EXPECT_NE(header_hash(parsed.value()), header_hash(header)) << "byte " << i << " is not in the hash";
        EXPECT_EQ(encode(parsed.value()), changed);
    }
}

TEST(HeaderCodec, Refusals) {
    const auto code = [](auto&& change) {
        auto bytes = encode(sample_header());
        change(bytes);
        const auto r = parse_header(bytes);
        QUARRY_CHECK(!r.ok());
        return r.code();
    };
    EXPECT_EQ(code([](auto& b) { b.pop_back(); }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b.push_back(0); }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b.clear(); }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b[1] = 2; }), RejectCode::unsupported_version);
    EXPECT_EQ(code([](auto& b) { b[49] ^= 1; }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b[46] = 1; }), RejectCode::too_many_words);
    EXPECT_EQ(code([](auto& b) { b[54] = 0x7f, b[55] = 0xff; }), RejectCode::non_canonical_element);
    EXPECT_EQ(code([](auto& b) { b[86] = 2; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& b) { b[b.size() - 1] = 1; }), RejectCode::slot_out_of_range);
}

std::vector<Effect> sample_effects() {
    const DepositEntry deposit{make_owner(4), make_address(5), 6, *Amount::from_wide(Amount::Wide{7} << 80), kNewSlot};
    return {WithdrawalEffect{make_address(1), 2, Amount::max()},
            DepositEffect{true, 0x0102030405060708, deposit},
            DepositEffect{false, 9, deposit},
            ForcedWithdrawalEffect{true, 10, {0xffffffff, make_address(2)}, 3, Amount(4)},
            ForcedWithdrawalEffect{false, 11, {2, make_address(2)}, 0, {}},
            SetKeyEffect{true, 12, {3, make_address(3), key_hash(make_key(1))}},
            SetKeyEffect{false, 13, {3, make_address(3), key_hash(make_key(1))}}};
}

TEST(EffectCodec, RoundTripAndEveryByteMatters) {
    std::vector<std::uint8_t> bytes;
    for (const Effect& effect : sample_effects()) encode(effect, bytes);
    EXPECT_EQ(bytes.size(), kWordBytes * (2 + 4 + 4 + 2 + 2 + 3 + 3));
    EXPECT_EQ(parse_effects(bytes).value(), sample_effects());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int bit : {0, 7}) {
            auto changed = bytes;
            changed[i] = static_cast<std::uint8_t>(changed[i] ^ (1 << bit));
            const auto parsed = parse_effects(changed);
            if (!parsed) continue;
            EXPECT_NE(parsed.value(), sample_effects()) << i;
            std::vector<std::uint8_t> again;
            for (const Effect& effect : parsed.value()) encode(effect, again);
            EXPECT_EQ(again, changed);
        }
    }
}

TEST(EffectCodec, Refusals) {
    std::vector<std::uint8_t> bytes;
    encode(sample_effects()[4], bytes);
    const auto code = [&](std::size_t at, std::uint8_t value) {
        auto changed = bytes;
        changed[at] = value;
        return parse_effects(changed).code();
    };
    EXPECT_EQ(code(0, 0), RejectCode::unknown_opcode);
    EXPECT_EQ(code(0, 8), RejectCode::unknown_opcode);
    EXPECT_EQ(code(14, 1), RejectCode::nonzero_padding) << "a void withdrawal with a token";
    EXPECT_EQ(code(26, 1), RejectCode::nonzero_padding) << "a void withdrawal with an amount";
    EXPECT_EQ(code(31, 1), RejectCode::nonzero_padding) << "first byte of the second word";
    EXPECT_EQ(code(61, 1), RejectCode::nonzero_padding);
    EXPECT_EQ(parse_effects(std::span(bytes).first(kWordBytes)).code(), RejectCode::truncated);
    EXPECT_EQ(parse_effects(std::span(bytes).first(kWordBytes + 1)).code(), RejectCode::bad_length);
    std::vector<std::uint8_t> many;
    for (std::uint32_t i = 0; i < kMaxEffects; ++i) encode(sample_effects()[0], many);
    EXPECT_TRUE(parse_effects(many).ok());
    encode(sample_effects()[0], many);
    EXPECT_EQ(parse_effects(many).code(), RejectCode::effects_full);
}

TEST(EffectAccumulator, OrderAndContentMatter) {
    Accumulator ab = effects_start();
    Accumulator ba = effects_start();
    absorb(ab, sample_effects()[0]);
    absorb(ab, sample_effects()[1]);
    absorb(ba, sample_effects()[1]);
    absorb(ba, sample_effects()[0]);
    EXPECT_EQ(ab.count, 2u);
    EXPECT_NE(ab.digest, ba.digest);
}

std::vector<std::uint8_t> snapshot_bytes(const StateReader& store, std::uint64_t number) {
    std::vector<std::uint8_t> bytes;
    const auto sink = [&](std::span<const std::uint8_t> part) { bytes.insert(bytes.end(), part.begin(), part.end()); };
    QUARRY_CHECK(export_snapshot(store, number, sink).ok());
    return bytes;
}

TEST(SnapshotCodec, RoundTrip) {
    World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    testing::RandomTraffic(world, 5).run(builder, 200);
    const ExecutedBatch batch = builder.seal().value();
    ASSERT_TRUE(world.store.commit(batch.commit, batch.update).ok());
    const auto bytes = snapshot_bytes(world.store, world.store.batch_number());
    const MemoryStore copy(parse_snapshot(bytes).value());
    EXPECT_EQ(copy.state(), world.store.state());
    EXPECT_EQ(copy.batch_number(), 1u);
    EXPECT_EQ(copy.finalised_number(), 1u);
    EXPECT_EQ(copy.tree().root(), world.store.tree().root());
    for (SlotIndex slot = 0; slot < copy.state().slot_count; ++slot) {
        EXPECT_EQ(copy.leaf(slot), world.store.leaf(slot));
        const Leaf leaf = *copy.leaf(slot);
        if (leaf.key_published) {
            EXPECT_EQ(copy.key(leaf.owner.key_hash), world.store.key(leaf.owner.key_hash));
        }
    }
    EXPECT_EQ(snapshot_bytes(copy, 1), bytes) << "a function of the state alone";
}

TEST(SnapshotCodec, EveryByteIsBoundByTheRoot) {
    const World world;
    const auto bytes = snapshot_bytes(world.store, 0);
    ASSERT_TRUE(parse_snapshot(bytes).ok());
    constexpr std::size_t kBatchNumberAt = 4;
    constexpr std::size_t kCursorsAt = 4 + 8 + 32 + 4;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        // The number and the cursors are not in the root: L1's contract fixes them.
        if ((i >= kBatchNumberAt && i < kBatchNumberAt + 8) || (i >= kCursorsAt && i < kCursorsAt + 16)) continue;
        auto changed = bytes;
        changed[i] ^= 1;
        EXPECT_FALSE(parse_snapshot(changed).ok()) << i;
    }
}

TEST(SnapshotCodec, Refusals) {
    const World world;
    const auto bytes = snapshot_bytes(world.store, 0);
    const auto code = [&](auto&& change) {
        auto b = bytes;
        change(b);
        return parse_snapshot(b).code();
    };
    EXPECT_EQ(code([](auto& b) { b[0] = 0; }), RejectCode::bad_magic);
    EXPECT_EQ(code([](auto& b) { b.resize(20); }), RejectCode::truncated);
    EXPECT_EQ(code([](auto& b) { b.pop_back(); }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b.push_back(0); }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b[44] = 0xff; }), RejectCode::limit_exceeded) << "slots without bytes";
    EXPECT_EQ(code([](auto& b) { b[64] = 0xff; }), RejectCode::limit_exceeded) << "keys without slots";
    EXPECT_EQ(code([](auto& b) { b[12] ^= 1; }), RejectCode::root_mismatch);
    EXPECT_EQ(code([](auto& b) { b[68 + 54] = 2; }), RejectCode::bad_flag);
    EXPECT_EQ(code([](auto& b) { b[68 + 54] = 0; }), RejectCode::root_mismatch);
    EXPECT_EQ(code([](auto& b) { b[68 + 67] = 0xff; }), RejectCode::limit_exceeded) << "nonce";
    EXPECT_EQ(code([](auto& b) { b[b.size() - 1] ^= 1; }), RejectCode::key_hash_mismatch);
    EXPECT_EQ(code([](auto& b) { b[68 + 5 * 71 + 54] = 1; }), RejectCode::key_not_published);
}

// What a durable store writes for each batch, and how it opens again: the same states, and the same way back.
TEST(StoreCodec, HistoryRestoresAndRollsBack) {
    World world;
    std::vector<BatchCommit> history;
    std::vector<State> states = {world.store.state()};
    for (std::uint64_t k = 0; k < 3; ++k) {
        BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        testing::RandomTraffic(world, 9 + k).run(builder, 60);
        const ExecutedBatch batch = builder.seal().value();
        ASSERT_TRUE(world.store.commit(batch.commit, batch.update).ok());
        states.push_back(world.store.state());
        const auto parsed = parse_batch_commit(encode(batch.commit));
        ASSERT_TRUE(parsed.ok()) << reject_name(parsed.code());
        EXPECT_EQ(encode(parsed.value()), encode(batch.commit));
        EXPECT_EQ(parsed.value().changes, batch.commit.changes);
        EXPECT_EQ(parsed.value().keys, batch.commit.keys);
        history.push_back(parsed.value());
    }
    const Snapshot snapshot = parse_snapshot(snapshot_bytes(world.store, 3)).value();
    auto restored = MemoryStore::restore(snapshot, history);
    ASSERT_TRUE(restored.ok());
    MemoryStore& store = restored.value();
    EXPECT_EQ(store.finalised_number(), 0u);
    for (std::uint64_t k = 3; k-- > 0;) {
        ASSERT_TRUE(store.rollback(k).ok());
        EXPECT_EQ(store.state(), states[k]);
        EXPECT_EQ(store.tree().root(), states[k].root);
    }
    std::vector<BatchCommit> gap = {history[0], history[2]};
    EXPECT_EQ(MemoryStore::restore(snapshot, gap).code(), RejectCode::stale_commit);
    EXPECT_EQ(MemoryStore::restore(snapshot, {history[1]}).code(), RejectCode::stale_commit);
}

TEST(StoreCodec, LeavesRoundTrip) {
    Leaf leaf = make_leaf(make_owner(3), 7, Amount::max());
    leaf.nonce = kMaxNonce;
    leaf.key_published = true;
    const auto bytes = encode(leaf);
    EXPECT_EQ(bytes.size(), kLeafBytes);
    EXPECT_EQ(parse_leaf(bytes).value(), leaf);
    EXPECT_EQ(parse_leaf(std::span(bytes).first(70)).code(), RejectCode::bad_length);
}

TEST(StoreCodec, HostileHistory) {
    World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    testing::RandomTraffic(world, 1).run(builder, 20);
    const auto bytes = encode(builder.seal().value().commit);
    constexpr std::size_t kCountsAt = 8 + 2 * kStateBytes;
    const auto code = [&](auto&& change) {
        auto b = bytes;
        change(b);
        return parse_batch_commit(b).code();
    };
    EXPECT_EQ(code([](auto& b) { b[kCountsAt] = 0xff; }), RejectCode::truncated) << "changes without bytes";
    EXPECT_EQ(code([](auto& b) { b[kCountsAt + 4] = 0xff; }), RejectCode::truncated) << "keys without bytes";
    EXPECT_EQ(code([](auto& b) { b.push_back(0); }), RejectCode::bad_length);
    EXPECT_EQ(code([](auto& b) { b.pop_back(); }), RejectCode::truncated);
    EXPECT_EQ(code([](auto& b) { b[kCountsAt + 8 + 4] = 2; }), RejectCode::bad_flag);
    EXPECT_EQ(code([](auto& b) { b[kCountsAt + 8 + 2] = 1; }), RejectCode::stale_commit) << "slots out of order";
    EXPECT_EQ(code([](auto& b) { b[8 + 32] = 0xff; }), RejectCode::limit_exceeded) << "slot count";
    for (std::size_t n = 0; n < bytes.size(); n += 7) EXPECT_FALSE(parse_batch_commit(std::span(bytes).first(n)).ok());
}

}  // namespace
}  // namespace quarry::rollup::codec_test
