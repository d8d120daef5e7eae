#include "quarry/rollup/reject.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "quarry/rollup/statement_testing.hpp"
#include "quarry/rollup/store_codec.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::reject_test {
namespace {

using testing::make_address;
using testing::make_key;
using testing::make_owner;
using testing::World;

/// A state whose slots are all taken.
class FullReader final : public StateReader {
  public:
    explicit FullReader(const StateReader& inner) : inner_(inner), state_(inner.state()) {
        state_.slot_count = kMaxSlots;
    }
    [[nodiscard]] const State& state() const override { return state_; }
    [[nodiscard]] std::optional<Leaf> leaf(SlotIndex slot) const override { return inner_.leaf(slot); }
    [[nodiscard]] std::optional<AccountKey> key(const KeyHash&) const override { return std::nullopt; }

  private:
    const StateReader& inner_;
    State state_;
};

/// The code of the last of some operations, given as batch bytes would give them; the ones before must be accepted.
RejectCode run(const World& world, const StateReader& reader, const std::vector<Operation>& ops) {
    Executor executor(world.context(), reader, world.queues);
    for (std::size_t i = 0; i + 1 < ops.size(); ++i) QUARRY_CHECK(executor.apply(ops[i]).ok());
    return executor.apply(ops.back()).code();
}
RejectCode run(const std::vector<Operation>& ops) {
    const World world;
    return run(world, world.store, ops);
}
/// The code of a transfer of 1 from slot 2 to slot 4 with something wrong in its claims.
RejectCode submit(const std::function<void(Transaction&)>& change, bool signature_ok = true) {
    const World world;
    Executor executor(world.context(), world.store, world.queues);
    QUARRY_CHECK(executor.apply(world.sign(testing::transfer(2, 4, 1), make_key(2), executor), true).ok());
    Transaction tx = world.sign(testing::transfer(2, 4, 1), make_key(2), executor);
    change(tx);
    return executor.apply(tx, signature_ok).code();
}
RejectCode parse(Operation op, std::size_t byte, std::uint8_t value) {
    std::vector<std::uint8_t> bytes;
    encode(op, bytes);
    bytes[byte] = value;
    return parse_operation(bytes).code();
}
RejectCode with_leaf(SlotIndex slot, const std::function<void(Leaf&)>& change, const Operation& op) {
    auto leaves = World::leaves();
    change(leaves[slot]);
    const World world(leaves);
    return run(world, world.store, {op});
}
/// The code of a replay under a changed header of a batch with one transfer and its fee.
RejectCode replay_code(const std::function<void(ExecutedBatch&)>& change) {
    const World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    QUARRY_CHECK(builder.add(world.sign(testing::transfer(2, 4, 7, 3), make_key(2), world.store), true).ok());
    ExecutedBatch batch = builder.seal().value();
    change(batch);
    return replay(world.parameters, world.store, world.queues, batch.header, batch.data).code();
}
RejectCode merge_code(const std::function<void(SegmentStatement&)>& change) {
    SegmentStatement a;
    a.payee = make_address(1);
    SegmentStatement b = a;
    change(b);
    return merge(a, b).code();
}

RejectCode close_code(const std::function<void(JoinStatement&)>& change) {
    testing::MadeUpBatch batch(1, 40, 0, 1);
    JoinStatement part = batch.whole();
    change(part);
    return close(part, batch.header).code();
}
RejectCode open_code(const std::function<void(TerminalItem&)>& change) {
    TerminalItem item = testing::MadeUpBatch(1, 40, 0, 1).item();
    const BundleStatement bundle = bundle_of(item.batch);
    change(item);
    return open(bundle, 0, {item}).code();
}

std::vector<Operation> seventeen_tokens(World& world) {
    std::vector<Operation> ops;
    for (SlotIndex slot = 0; slot < 17; ++slot)
        ops.emplace_back(Transfer{testing::auth(slot, 1), slot + 20, Amount(1)});
    std::vector<Leaf> leaves;
    for (SlotIndex slot = 0; slot < 40; ++slot) {
        Leaf leaf = make_leaf(make_owner(2), static_cast<TokenId>(slot % 20), Amount(10));
        leaf.key_published = true;
        leaves.push_back(leaf);
    }
    world = World(leaves);
    return ops;
}

RejectCode commit_code(const std::function<void(ExecutedBatch&)>& change) {
    World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    QUARRY_CHECK(builder.add(world.sign(testing::transfer(2, 4, 7), make_key(2), world.store), true).ok());
    ExecutedBatch batch = builder.seal().value();
    change(batch);
    const State before = world.store.state();
    const RejectCode code = world.store.commit(batch.commit, batch.update).code();
    QUARRY_CHECK(world.store.state() == before && world.store.tree().root() == before.root);
    return code;
}

const std::map<RejectCode, std::function<RejectCode()>>& attempts() {
    using enum RejectCode;
    static const std::map<RejectCode, std::function<RejectCode()>> table = {
        {truncated, [] { return parse_operation({}).code(); }},
        {bad_length, [] { return parse_operations(std::vector<std::uint8_t>(30)).code(); }},
        {too_many_words,
         [] { return parse_operations(std::vector<std::uint8_t>((kMaxBatchWords + 1) * kWordBytes)).code(); }},
        {unknown_opcode, [] { return parse(Deposit{}, 0, 0); }},
        {nonzero_padding, [] { return parse(Deposit{}, 30, 1); }},
        {slot_out_of_range, [] { return parse(Collect{1}, 1, 0x40); }},
        {non_canonical_element, [] { return parse(ChangeKey{testing::auth(1), make_key(1)}, 94, 0x80); }},
        {bad_flag,
         [] {
             auto bytes = encode(World::leaves()[0]);
             bytes[54] = 2;
             return parse_leaf(bytes).code();
         }},
        {fee_too_large,
         [] {
             return submit([](auto& tx) { authorisation(tx.op)->fee = *Amount::from_wide(Amount::Wide{1} << 72); });
         }},
        {bad_amount, [] { return parse_amount("-1").code(); }},
        {amount_too_large, [] { return parse_amount("79228162514264337593543950336").code(); }},
        {bad_magic, [] { return parse_snapshot({}).code(); }},
        {unsupported_version, [] { return replay_code([](auto& b) { b.header.version = 9; }); }},
        {limit_exceeded,
         [] {
             auto bytes = encode(Header{});
             bytes[86] = 0xff;
             return parse_header(bytes).code();
         }},
        {unknown_slot, [] { return run({testing::transfer(100, 4, 1)}); }},
        {key_not_published, [] { return run({testing::transfer(5, 3, 1)}); }},
        {expired, [] { return run({Transfer{testing::auth(2, 0, testing::kNow - 1), 4, Amount(1)}}); }},
        {wrong_key, [] { return submit([](auto& tx) { tx.key = make_key(3); }); }},
        {wrong_token, [] { return submit([](auto& tx) { tx.token = 2; }); }},
        {nonce_too_low, [] { return submit([](auto& tx) { tx.nonce = 0; }); }},
        {nonce_too_high, [] { return submit([](auto& tx) { tx.nonce = 2; }); }},
        {nonce_exhausted,
         [] { return with_leaf(2, [](Leaf& l) { l.nonce = kMaxNonce; }, testing::transfer(2, 4, 1)); }},
        {bad_signature, [] { return submit([](auto&) {}, false); }},
        {zero_amount, [] { return run({testing::transfer(2, 4, 0)}); }},
        {self_transfer, [] { return run({testing::transfer(2, 2, 1)}); }},
        {unknown_receiver, [] { return run({testing::transfer(2, 8, 1)}); }},
        {receiver_token_mismatch, [] { return run({testing::transfer(2, 3, 1)}); }},
        {receiver_pair_mismatch, [] { return submit([](auto& tx) { tx.receiver_pair = {}; }); }},
        {insufficient_balance, [] { return run({testing::transfer(2, 4, testing::kInitialBalance + 1)}); }},
        {balance_overflow,
         [] { return with_leaf(4, [](Leaf& l) { l.balance = Amount::max(); }, testing::transfer(2, 4, 1)); }},
        {fee_too_small, [] { return run({testing::transfer_new(2, 8, 1, 9, make_owner(9))}); }},
        {wrong_new_slot, [] { return run({testing::transfer_new(2, 9, 1, 10, make_owner(9))}); }},
        {tree_full,
         [] {
             const World world;
             return run(world, FullReader(world.store),
                        {testing::transfer_new(2, kMaxSlots - 1, 1, 10, make_owner(9))});
         }},
        {fee_ledger_full,
         [] {
             World world;
             const auto ops = seventeen_tokens(world);
             return run(world, world.store, ops);
         }},
        {fee_overflow,
         [] {
             return FeeLedger{}.check_add(1, Amount(1)).ok() ? [] {
                 FeeLedger fees;
                 fees.add(1, Amount::max());
                 return fees.check_add(1, Amount(1)).code();
             }()
                                                             : truncated;
         }},
        {no_fee_slot,
         [] {
             const World world;
             BatchPlan plan = world.plan();
             plan.fee_slots.clear();
             BatchBuilder builder(world.parameters, plan, world.store, world.queues);
             return builder.add(world.sign(testing::transfer(2, 4, 1, 1), make_key(2), world.store), true).code();
         }},
        {key_already_published, [] { return run({PublishKey{2, make_key(2)}}); }},
        {key_hash_mismatch, [] { return run({PublishKey{5, make_key(2)}}); }},
        {not_fee_receiver, [] { return run({testing::transfer(2, 4, 1, 1), Collect{2}}); }},
        {nothing_to_collect, [] { return run({Collect{0}}); }},
        {no_queue_entry, [] { return run({Deposit{}}); }},
        {queue_kind_mismatch,
         [] {
             World world;
             world.queues.forced_entries = {ForcedWithdrawalEntry{2, make_address(2)}};
             return run(world, world.store, {SetKey{}});
         }},
        {effects_full, [] { return run(std::vector<Operation>(kMaxEffects + 1, testing::withdraw(2, 1))); }},
        {batch_full, [] { return run(std::vector<Operation>(kMaxBatchWords / 3 + 1, testing::transfer(2, 4, 1))); }},
        {uncollected_fees, [] { return replay_code([](auto& b) { b.data.resize(93), b.header.byte_length = 93; }); }},
        {byte_length_mismatch, [] { return replay_code([](auto& b) { b.header.byte_length = 93; }); }},
        {effect_count_mismatch, [] { return replay_code([](auto& b) { b.header.num_effects = 1; }); }},
        {cursor_mismatch, [] { return replay_code([](auto& b) { b.header.forced_cursor = 1; }); }},
        {slot_count_mismatch, [] { return replay_code([](auto& b) { b.header.post_slot_count = 1; }); }},
        {root_mismatch, [] { return replay_code([](auto& b) { b.header.post_root = {}; }); }},
        {queue_hash_mismatch, [] { return replay_code([](auto& b) { b.header.deposit_hash[5] = 1; }); }},
        {wrong_rollup, [] { return replay_code([](auto& b) { b.header.rollup_id = 1; }); }},
        {wrong_parent, [] { return replay_code([](auto& b) { b.header.number = 7; }); }},
        {domain_mismatch, [] { return merge_code([](auto& s) { s.domain[0] = KoalaBear(1); }); }},
        {header_mismatch, [] { return merge_code([](auto& s) { s.header[0] = KoalaBear(1); }); }},
        {payee_mismatch, [] { return merge_code([](auto& s) { s.payee = make_address(2); }); }},
        {missing_payee, [] { return merge(SegmentStatement{}, SegmentStatement{}).code(); }},
        {state_gap, [] { return merge_code([](auto& s) { s.before.state.slot_count = 1; }); }},
        {data_gap, [] { return merge_code([](auto& s) { s.before.data.count = 1; }); }},
        {effects_gap, [] { return merge_code([](auto& s) { s.before.effects.count = 1; }); }},
        {fees_gap, [] { return merge_code([](auto& s) { s.before.fees[0] = KoalaBear(1); }); }},
        {work_overflow, [] { return merge(Work{0xffffffff, {}}, Work{1, {}}).code(); }},
        {counter_falls, [] { return close_code([](auto& s) { s.before.effects.words.count = 1; }); }},
        {binding_gap, [] { return bind_data(binding_start({}), {make_owner(1).key_hash, {}, {}}).code(); }},
        {binding_order,
         [] {
             const auto half = bind_data(binding_start({}), {{}, {}, {.words = 7}}).value();
             return bind_data(half, {{}, {}, {.words = 1}}).code();
         }},
        {unbound_data, [] { return close_code([](auto& s) { s.after.data.words.count -= 1; }); }},
        {unbound_effects, [] { return close_code([](auto& s) { s.after.effects.bindings.count = 1; }); }},
        {binding_mismatch, [] { return open_code([](auto& item) { item.data[0].value[31] ^= 1; }); }},
        {bundle_mismatch, [] { return open_code([](auto& item) { item.batch.work.units += 1; }); }},
        {bundle_shape, [] { return widen({.depth = 2, .count = 1, .root = {}}, 1).code(); }},
        {not_at_start,
         [] {
             SegmentStatement s;
             s.header = header_hash(Header{});
             return check_whole(s.header, s.before, s.after, Header{}).code();
         }},
        {not_at_end,
         [] {
             Header h;
             h.byte_length = 31;
             SegmentStatement s;
             s.header = header_hash(h);
             s.before = s.after = batch_start({}, s.header);
             return check_whole(s.header, s.before, s.after, h).code();
         }},
        {stale_commit, [] { return commit_code([](auto& b) { b.commit.number = 2; }); }},
        {not_reversible, [] { return World().store.rollback(1).code(); }},
        {storage_failed,
         [] {
             const World world;  // the key of slot 2 is published, but this reader has lost it
             return run(world, FullReader(world.store), {testing::transfer(2, 4, 1)});
         }},
    };
    return table;
}

TEST(RejectCode, EveryCauseIsReached) {
    for (const auto& [code, attempt] : attempts()) {
        const RejectCode got = attempt();
        EXPECT_EQ(got, code) << reject_name(code) << " expected, " << reject_name(got) << " found";
    }
    std::size_t num_codes = 0;
#define QUARRY_X(name, text) \
    ++num_codes;             \
    EXPECT_TRUE(attempts().contains(RejectCode::name)) << #name << " is not tried";
    QUARRY_REJECT_CODES(QUARRY_X)
#undef QUARRY_X
    EXPECT_EQ(attempts().size(), num_codes);
}

TEST(RejectCode, NamesAndSentencesAreDistinct) {
    std::set<std::string> names;
    std::set<std::string> texts;
    for (const auto& [code, attempt] : attempts()) {
        EXPECT_TRUE(names.insert(reject_name(code)).second);
        EXPECT_TRUE(texts.insert(reject_text(code)).second) << reject_text(code);
    }
}

// A refused commit leaves the store as it was (checked in commit_code), whatever is wrong with it.
TEST(MemoryStore, RefusesForeignCommits) {
    EXPECT_EQ(commit_code([](auto& b) { b.commit.before.deposit_cursor = 1; }), RejectCode::stale_commit);
    EXPECT_EQ(commit_code([](auto& b) { b.commit.after.root = {}; }), RejectCode::root_mismatch);
    EXPECT_EQ(commit_code([](auto& b) { b.update.root_before = {}; }), RejectCode::root_mismatch);
    EXPECT_EQ(commit_code([](auto& b) { b.commit.changes[0].before->balance = Amount(); }), RejectCode::stale_commit);
    EXPECT_EQ(commit_code([](auto& b) { b.commit.changes[0].after.reset(); }), RejectCode::stale_commit);
    EXPECT_EQ(commit_code([](auto& b) { b.commit.changes[0].slot = 100; }), RejectCode::stale_commit);
    EXPECT_EQ(commit_code([](auto& b) { b.commit.after.slot_count += 1; }), RejectCode::stale_commit);
}

TEST(MemoryStore, FinalisedBatchesStay) {
    World world;
    for (int i = 0; i < 3; ++i) {
        BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        QUARRY_CHECK(builder.add(world.sign(testing::transfer(2, 4, 7), make_key(2), world.store), true).ok());
        const ExecutedBatch batch = builder.seal().value();
        ASSERT_TRUE(world.store.commit(batch.commit, batch.update).ok());
    }
    EXPECT_EQ(world.store.finalise(4).code(), RejectCode::not_reversible);
    ASSERT_TRUE(world.store.finalise(2).ok());
    ASSERT_TRUE(world.store.finalise(1).ok()) << "already";
    EXPECT_EQ(world.store.finalised_number(), 2u);
    EXPECT_EQ(world.store.rollback(1).code(), RejectCode::not_reversible);
    ASSERT_TRUE(world.store.rollback(2).ok());
    EXPECT_EQ(world.store.leaf(2)->nonce, 2u);
}

}  // namespace
}  // namespace quarry::rollup::reject_test
