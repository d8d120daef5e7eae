/// All tables of this folder together, against whole batches and what the rest of the circuit puts on the buses.

#include <gtest/gtest.h>

#include "quarry/circuits/operations/change_key_table.hpp"
#include "quarry/circuits/operations/collect_table.hpp"
#include "quarry/circuits/operations/new_pair_table.hpp"
#include "quarry/circuits/operations/publish_table.hpp"
#include "quarry/circuits/operations/signed_table.hpp"
#include "quarry/circuits/operations/testing.hpp"
#include "quarry/circuits/operations/withdraw_table.hpp"

namespace quarry::circuits::operations_test {
namespace {

using namespace testing;
using namespace rollup::testing;
using rollup::Amount;
using rollup::Opcode;

/// Bits [first, first + count) of a little-endian integer.
KoalaBear bits(std::span<const std::uint8_t> bytes, std::size_t first, std::size_t count) {
    std::uint32_t r = 0;
    for (std::size_t i = 0; i < count; ++i) {
        r |= ((std::uint32_t{bytes[(first + i) / 8]} >> ((first + i) % 8)) & 1u) << i;
    }
    return KoalaBear(r);
}

std::vector<KoalaBear> signature_of(const TimedStep& timed, const Digest& domain) {
    const auto signature = std::span<const std::uint8_t>(rollup::authorisation(timed.step->op)->signature);
    std::array<KoalaBear, 8> e;
    std::array<KoalaBear, kScalarLimbs> s;
    for (std::size_t i = 0; i < e.size(); ++i) e[i] = bits(signature.first(16), 16 * i, 16);
    for (std::size_t i = 0; i < s.size(); ++i) {
        const std::size_t first = i <= 15 ? 16 * i : 248 + 16 * (i - 16);
        s[i] = bits(signature.subspan(16), first, i == 15 ? 8 : 16);
    }
    const rollup::Message& message = *timed.step->message;
    return signature_tuple(KoalaBear(timed.time()), message.key_hash, rollup::message_hash(domain, message), e, s);
}

template <class F>
void for_words(std::span<const std::uint8_t> bytes, F&& f) {
    for (std::size_t i = 0; i * rollup::kWordBytes < bytes.size(); ++i) {
        f(static_cast<std::uint32_t>(i), word_cells(std::span<const std::uint8_t, rollup::kWordBytes>(
                                             bytes.data() + i * rollup::kWordBytes, rollup::kWordBytes)));
    }
}

/// What memory, fees and registers put when a segment opens and take when it closes.
void add_bounds(Exchange& x, const Timeline& timeline) {
    for (const SlotHistory& slot : timeline.slots) {
        put(x, kMemoryBus, memory_tuple<KoalaBear>(KoalaBear(slot.slot), {}, leaf_cells(slot.before)));
        take(x, kMemoryBus, memory_tuple(KoalaBear(slot.slot), KoalaBear(slot.last), leaf_cells(slot.after)));
    }
    for (const FeeHistory& fees : timeline.fees) {
        put(x, kFeeBus, fee_tuple<KoalaBear>(KoalaBear(fees.token), {}, amount_limbs(fees.before)));
        take(x, kFeeBus, fee_tuple(KoalaBear(fees.token), KoalaBear(fees.last), amount_limbs(fees.after)));
    }
    for (const Register id : {kSlotCount, kDepositCursor, kForcedCursor, kFeeTokens}) {
        const RegisterHistory& r = timeline.registers[id - 1];
        put(x, kRegisterBus, register_tuple<KoalaBear>(KoalaBear(id), {}, register_values(id, r.before)));
        take(x, kRegisterBus, register_tuple(KoalaBear(id), KoalaBear(r.last), register_values(id, r.after)));
    }
}

/// What a queue entry does to memory and registers.
void add_queue_entry(Exchange& x, const TimedStep& timed) {
    const KoalaBear time(timed.time());
    for (std::size_t k = 0; k < timed.step->num_accesses; ++k) {
        const rollup::LeafChange& access = timed.step->access[k];
        const KoalaBear slot(access.slot);
        take(x, kMemoryBus, memory_tuple(slot, KoalaBear(timed.previous[k]), leaf_cells(access.before)));
        put(x, kMemoryBus, memory_tuple(slot, time, leaf_cells(access.after)));
    }
    for (const Register id : {kSlotCount, kDepositCursor, kForcedCursor}) {
        const auto& access = timed.registers[id - 1];
        if (!access) continue;
        const KoalaBear previous(access->previous);
        take(x, kRegisterBus, register_tuple(KoalaBear(id), previous, register_values(id, access->before)));
        put(x, kRegisterBus, register_tuple(KoalaBear(id), time, register_values(id, access->after)));
    }
}

/// Everything that the other tables put and take, made from the timeline and not from rows.
Exchange neighbours(const Timeline& timeline) {
    Exchange x;
    add_bounds(x, timeline);
    for (const TimedStep& timed : timeline.steps) {
        const Opcode code = rollup::opcode(timed.step->op);
        if (code >= Opcode::deposit) {
            add_queue_entry(x, timed);
            continue;
        }
        std::vector<std::uint8_t> bytes;
        rollup::encode(timed.step->op, bytes);
        for_words(bytes, [&](std::uint32_t i, const WordCells<KoalaBear>& word) {
            put(x, kWordBus, word_tuple(KoalaBear(timed.word + i), word));
        });
        if (timed.step->message) put(x, kSignatureBus, signature_of(timed, timeline.statement.domain));
        if (!timed.step->effect) continue;
        bytes.clear();
        rollup::encode(*timed.step->effect, bytes);
        for_words(bytes, [&](std::uint32_t i, const WordCells<KoalaBear>& word) {
            take(x, kEffectWordBus, effect_word_tuple(KoalaBear(timed.time()), KoalaBear(i), word));
        });
    }
    return x;
}

template <class Definition, class Rows>
void add_table(Exchange& x, const Timeline& timeline, const Rows& rows) {
    const Judgement judgement = Judge<Definition>(timeline)(rows);
    EXPECT_EQ(judgement.faults, std::vector<std::string>()) << Definition::kName;
    for (const auto& [key, total] : judgement.exchange) {
        const std::vector<KoalaBear> tuple(key.begin() + 1, key.end());
        put(x, key[0], tuple, total);
    }
}

/// All constraints and lookups hold, and nothing is left on a bus.
void expect_proven(const Timeline& timeline) {
    Exchange x = neighbours(timeline);
    add_table<SignedTable>(x, timeline, signed_rows(timeline));
    add_table<NewPairTable>(x, timeline, new_pair_rows(timeline));
    add_table<WithdrawTable>(x, timeline, withdraw_rows(timeline));
    add_table<ChangeKeyTable>(x, timeline, change_key_rows(timeline));
    add_table<PublishTable>(x, timeline, publish_rows(timeline));
    add_table<CollectTable>(x, timeline, collect_rows(timeline));
    EXPECT_TRUE(x.empty()) << to_string(x);
}

TEST(OperationTables, EveryKindBalances) { expect_proven(every_kind()->timeline); }

TEST(OperationTables, RandomBatchesBalance) {
    std::set<Opcode> seen;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        World world;
        rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        RandomTraffic(world, seed).run(builder, 60);
        const Segment segment(world, builder);
        expect_proven(segment.timeline);
        for (const TimedStep& timed : segment.timeline.steps) seen.insert(rollup::opcode(timed.step->op));
    }
    EXPECT_EQ(seen.size(), rollup::kLastOpcode);
}

// A segment opens memory, fees and registers at what the one before it left, and counts words on.
TEST(OperationTables, SegmentsOfABatchBalance) {
    World world;
    rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    RandomTraffic(world, 7).run(builder, 60);
    const Segment whole(world, builder);
    const std::size_t num_steps = whole.batch.steps.size();
    rollup::BatchPoint point = rollup::batch_start(whole.batch.before, rollup::header_hash(whole.batch.header));
    for (const auto& [first, last] : {std::pair{std::size_t{0}, num_steps / 3}, std::pair{num_steps / 3, num_steps}}) {
        const Timeline timeline =
            make_timeline(world.parameters, world.store, whole.batch, first, last, point, make_address(5), 1);
        expect_proven(timeline);
        point = timeline.statement.after;
    }
}

Amount wide(Amount::Wide x) { return *Amount::from_wide(x); }
rollup::Leaf leaf_of(std::uint32_t owner, rollup::TokenId token, Amount balance, rollup::Nonce nonce = 0) {
    rollup::Leaf leaf = rollup::make_leaf(make_owner(owner), token, balance);
    leaf.key_published = true;
    leaf.nonce = nonce;
    return leaf;
}

// ADVERSARIAL, Tables: "balance overflow and underflow, fee equal to balance". What the executor accepts at the very
// edge can be proven; one step further both refuse: NothingCanBeDropped of each table.
TEST(OperationTables, TheLastAcceptableCanBeProven) {
    using rollup::kMaxNonce;
    constexpr Amount::Wide kMax = (Amount::Wide{1} << Amount::kBits) - 1;
    constexpr Amount::Wide kMaxFee = (Amount::Wide{1} << Amount::kFeeBits) - 1;
    constexpr Amount::Wide kMinimum = (Amount::Wide{1} << 64) + 5;
    World world({leaf_of(0, 1, wide(kMax - 5)), leaf_of(0, 2, Amount(0)), leaf_of(2, 1, Amount(12), kMaxNonce - 1),
                 leaf_of(3, 1, wide(kMax - 7)), leaf_of(4, 2, wide(kMax)), leaf_of(6, 3, wide(kMax)),
                 leaf_of(0, 3, Amount(0)), leaf_of(7, 3, Amount(1))});
    world.parameters.min_new_pair_fee = wide(kMinimum);
    rollup::BatchPlan plan = world.plan();
    plan.fee_slots[3] = 6;
    rollup::BatchBuilder builder(world.parameters, plan, world.store, world.queues);
    const auto add = [&](const rollup::Operation& op, std::uint32_t key) {
        const auto verdict = builder.add(world.sign(op, make_key(key), builder.executor()), true);
        EXPECT_TRUE(verdict.ok()) << rollup::reject_text(verdict.code());
    };
    // Everything that a slot has, with its last nonce, to the last unit that fits; in the last second.
    add(transfer(2, 3, 7, 5), 2);
    // All but nothing of 2^96 - 1, with the largest fee.
    rollup::L1Address high;
    high.bytes.fill(0xff);
    add(
        rollup::Withdraw{
            {.slot = 4, .expiry = 0xffffffff, .fee = wide(kMaxFee), .signature = {}}, wide(kMax - kMaxFee), high},
        4);
    // The minimum fee, and one with smaller limbs below its first; the elements of the new owner's hash are p - 1.
    // An expiry whose low limb is 0 borrows.
    const rollup::Timestamp later = ((kNow >> 16) + 1) << 16;
    rollup::Owner owner{{}, high};
    owner.key_hash.fill(-KoalaBear(1));
    add(rollup::TransferNew{{.slot = 5, .expiry = later, .fee = wide(kMinimum), .signature = {}}, 8, Amount(1), owner},
        6);
    add(
        rollup::TransferNew{
            {.slot = 5, .expiry = later, .fee = wide(Amount::Wide{1} << 65), .signature = {}}, 9, Amount(1), owner},
        6);
    // A fee that is the whole balance, and a key of the largest elements.
    rollup::AccountKey key;
    key.x.fill(-KoalaBear(1));
    key.y.fill(-KoalaBear(1));
    add(rollup::ChangeKey{auth(7, 1), key}, 7);
    const Segment segment(world, builder);
    EXPECT_EQ(segment.batch.steps[0].access[0].after->nonce, kMaxNonce);
    EXPECT_EQ(segment.batch.steps[0].access[1].after->balance, wide(kMax));
    EXPECT_EQ(segment.batch.commit.changes[0].after->balance, wide(kMax));  // of the fee receiver
    expect_proven(segment.timeline);
}

// S6: sixteen tokens with fees at once, the last of which fills the ledger; then the collections empty it.
TEST(OperationTables, SixteenTokensCanHaveFees) {
    constexpr std::uint32_t kTokens = rollup::FeeLedger::kCells;
    std::vector<rollup::Leaf> leaves;
    for (std::uint32_t i = 0; i < 2 * (kTokens + 1); ++i) {
        leaves.push_back(leaf_of(i % 2 == 0 ? 2 : 0, static_cast<rollup::TokenId>(i / 2), Amount(1000)));
    }
    World world(leaves);
    rollup::BatchPlan plan = world.plan();
    for (std::uint32_t t = 0; t <= kTokens; ++t) plan.fee_slots[static_cast<rollup::TokenId>(t)] = 2 * t + 1;
    rollup::BatchBuilder builder(world.parameters, plan, world.store, world.queues);
    for (std::uint32_t t = 0; t <= kTokens; ++t) {
        const auto tx = world.sign(transfer(2 * t, 2 * t + 1, 5, 2), make_key(2), builder.executor());
        EXPECT_EQ(builder.add(tx, true).ok(), t < kTokens);
    }
    const Segment segment(world, builder);
    EXPECT_EQ(segment.batch.steps.size(), 2 * kTokens);
    expect_proven(segment.timeline);
}

}  // namespace
}  // namespace quarry::circuits::operations_test
