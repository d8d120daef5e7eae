#include "quarry/rollup/join.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <set>

#include "quarry/rollup/statement_testing.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::join_test {
namespace {

using testing::join_changes;
using testing::MadeUpBatch;

JoinStatement without_root(JoinStatement s) {
    s.work.root = {};
    return s;
}

MadeUpBatch draw_batch() {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto effects = *rc::gen::inRange<std::uint16_t>(0, 4);
    const auto segments = *rc::gen::inRange<std::size_t>(1, 6);
    const bool calldata = *rc::gen::arbitrary<bool>();
    const std::uint32_t limit = calldata ? kBlobWords : kMaxBatchWords;
    const auto words = *rc::gen::inRange<std::uint32_t>(0, limit + 1);
    return {seed, words, effects, segments, calldata ? BindingForm::horner : BindingForm::blob};
}

// Any tree over the same leaves, in any order that their runs allow, says the same; only the root of the work is a
// function of the tree.
RC_GTEST_PROP(JoinProperties, EveryTreeOfTheSameLeavesSaysTheSame, ()) {
    MadeUpBatch batch = draw_batch();
    const JoinStatement one = batch.whole();
    const JoinStatement other = batch.whole();
    RC_ASSERT(without_root(one) == without_root(other));
    const auto closed = close(one, batch.header);
    RC_ASSERT(closed.ok());
    RC_ASSERT(closed.value().after == batch.header.post_state());
    std::vector<L1Binding> bindings;
    for (const DataRun& run : batch.data) bindings.push_back(run.binding);
    RC_ASSERT(closed.value().data == binding_list(bindings));
    RC_ASSERT(closed.value().effects.count == (batch.header.num_effects > 0 ? 1u : 0u));
    std::uint64_t units = 0;
    for (const SegmentStatement& s : batch.segments) units += s.work.units;
    for (const DataRun& run : batch.data) units += run.binding.words;
    if (batch.effects) units += batch.effects->binding.words;
    RC_ASSERT(closed.value().work.units == units);
}

RC_GTEST_PROP(JoinProperties, MergeIsAssociative, ()) {
    MadeUpBatch batch = draw_batch();
    const auto parts = batch.parts();
    if (parts.size() < 3) return;
    const auto i = *rc::gen::inRange<std::size_t>(0, parts.size() - 2);
    const auto left = merge(merge(parts[i], parts[i + 1]).value(), parts[i + 2]);
    const auto right = merge(parts[i], merge(parts[i + 1], parts[i + 2]).value());
    RC_ASSERT(left.ok() && right.ok());
    RC_ASSERT(without_root(left.value()) == without_root(right.value()));
    RC_ASSERT(left.value().work.root != right.value().work.root);
    // And order matters: what does not change nothing cannot come first.
    RC_ASSERT(!merge(parts[i + 1], parts[i]).ok());
    RC_ASSERT(!merge(parts[i], parts[i]).ok());
    RC_ASSERT(!merge(parts[i], parts[i + 2]).ok());
}

// A field of a child that is not what its leaves made it is refused by the join, or changes what the join says; and
// what the join says, changed, is refused by close or changes the batch's digest.
RC_GTEST_PROP(JoinProperties, NoFieldIsFree, ()) {
    MadeUpBatch batch = draw_batch();
    const auto parts = batch.parts();
    const JoinStatement whole = batch.merge_all(parts);
    const Digest closed = digest(close(whole, batch.header).value());
    for (const auto& change : join_changes()) {
        JoinStatement changed = whole;
        change.make(changed);
        RC_ASSERT(digest(changed) != digest(whole));
        const auto r = close(changed, batch.header);
        // What a batch does not say of itself: how many words its effects have. Their binding says it.
        const bool silent = std::string(change.name) == "after bound effect words";
        if (r.ok()) RC_ASSERT(silent == (digest(r.value()) == closed));
        if (parts.size() < 2) continue;
        const auto i = *rc::gen::inRange<std::size_t>(0, parts.size() - 1);
        const JoinStatement honest = merge(parts[i], parts[i + 1]).value();
        for (const bool is_left : {true, false}) {
            JoinStatement left = parts[i];
            JoinStatement right = parts[i + 1];
            change.make(is_left ? left : right);
            const auto joined = merge(left, right);
            if (joined.ok()) RC_ASSERT(digest(joined.value()) != digest(honest));
        }
    }
}

// Any cut of an executed batch, merged in any tree, is the statement of the batch as one segment.
RC_GTEST_PROP(JoinProperties, CutsOfAnExecutedBatchSayWhatOneSegmentSays, ()) {
    testing::World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    testing::RandomTraffic(world, *rc::gen::arbitrary<std::uint64_t>()).run(builder, 30);
    const ExecutedBatch batch = builder.seal().value();
    const L1Address payee = testing::make_address(5);
    const SegmentStatement one = whole_statement(world.parameters, batch, payee, 1);
    const BindingPoint data = binding_start(one.header);
    const BindingPoint effects = binding_start(effects_start().digest);
    std::vector<JoinStatement> parts;
    BatchPoint at = one.before;
    for (std::size_t first = 0; first < batch.steps.size();) {
        const auto last = *rc::gen::inRange<std::size_t>(first, batch.steps.size() + 1);
        const SegmentStatement s =
            segment_statement(world.parameters, world.store, batch, first, last, at, payee, first);
        parts.push_back(lift(s, data, effects).value());
        at = s.after;
        first = std::max(last, first + (parts.size() > 8 ? 1u : 0u));
        if (parts.size() > 8) {
            const SegmentStatement rest =
                segment_statement(world.parameters, world.store, batch, last, batch.steps.size(), at, payee, last);
            parts.push_back(lift(rest, data, effects).value());
            break;
        }
    }
    if (parts.empty()) parts.push_back(lift(one, data, effects).value());
    MadeUpBatch tree(*rc::gen::arbitrary<std::uint64_t>(), 1, 0, 1);
    const JoinStatement merged = tree.merge_all(parts);
    RC_ASSERT(without_root(merged) == without_root(lift(one, data, effects).value()));
}

class Join : public ::testing::Test {
  protected:
    MadeUpBatch batch{7, 2 * kBlobWords + 5, 3, 3};
    JoinStatement whole = batch.whole();

    RejectCode close_code(const std::function<void(JoinStatement&, Header&)>& change) {
        JoinStatement s = whole;
        Header h = batch.header;
        change(s, h);
        const auto r = close(s, h);
        return r.ok() ? RejectCode::storage_failed : r.code();
    }
};

// ADVERSARIAL, Recursion: "out of order, overlapping, with a gap; the same child twice; another rollup; payee differs;
// a leaf without a payee", a code for each cause.
TEST_F(Join, RefusesWhatDoesNotMeet) {
    const auto parts = batch.parts();
    const auto code = [&](const std::function<void(JoinStatement&)>& change) {
        JoinStatement right = parts[1];
        change(right);
        const auto r = merge(parts[0], right);
        return r.ok() ? RejectCode::storage_failed : r.code();
    };
    EXPECT_EQ(code([](auto& s) { s.domain[0] += KoalaBear(1); }), RejectCode::domain_mismatch);
    EXPECT_EQ(code([](auto& s) { s.header[0] += KoalaBear(1); }), RejectCode::header_mismatch);
    EXPECT_EQ(code([](auto& s) { s.payee.bytes[0] ^= 1; }), RejectCode::payee_mismatch);
    EXPECT_EQ(code([](auto& s) { s.before.operations.state.slot_count += 1; }), RejectCode::state_gap);
    EXPECT_EQ(code([](auto& s) { s.before.operations.fees[0] += KoalaBear(1); }), RejectCode::fees_gap);
    EXPECT_EQ(code([](auto& s) { s.before.operations.data.count += 1; }), RejectCode::data_gap);
    EXPECT_EQ(code([](auto& s) { s.before.operations.effects.count += 1; }), RejectCode::effects_gap);
    EXPECT_EQ(code([](auto& s) { s.before.data.words.count += 1; }), RejectCode::binding_gap);
    EXPECT_EQ(code([](auto& s) { s.before.effects.bindings.digest[0] += KoalaBear(1); }), RejectCode::binding_gap);
    EXPECT_EQ(code([](auto& s) { s.after.data.words.count = kMaxBatchWords + 1; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& s) { s.after.data.bindings.count = kMaxBlobs + 1; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& s) { s.after.effects.bindings.count = 2; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& s) { s.after.effects.words.count = kMaxEffectWords + 1; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& s) { s.after.operations.effects.count = kMaxEffects + 1; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& s) { s.after.operations.state.slot_count = kMaxSlots + 1; }), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& s) { s.work.units = 0xffffffff; }), RejectCode::work_overflow);
    JoinStatement falling = whole;
    std::swap(falling.before, falling.after);
    EXPECT_EQ(merge(whole, falling).code(), RejectCode::counter_falls);
    JoinStatement unpaid = parts[0];
    unpaid.payee = {};
    EXPECT_EQ(merge(unpaid, unpaid).code(), RejectCode::missing_payee);
    SegmentStatement leaf = batch.segments[0];
    leaf.payee = {};
    EXPECT_EQ(lift(leaf, {}, {}).code(), RejectCode::missing_payee);
    EXPECT_EQ(lift(batch.data[0], DataRole::data, {}, {}, batch.domain, leaf.header, whole.before).code(),
              RejectCode::missing_payee);
}

TEST_F(Join, DataIsBoundInOrderAndOnce) {
    const BindingPoint start = whole.before.data;
    const BindingPoint one = bind_data(start, batch.data[0]).value();
    EXPECT_EQ(bind_data(start, batch.data[1]).code(), RejectCode::binding_gap);
    EXPECT_EQ(bind_data(one, batch.data[0]).code(), RejectCode::binding_gap);
    DataRun run = batch.data[0];
    run.binding.words = kBlobWords + 1;
    EXPECT_EQ(bind_data(start, run).code(), RejectCode::limit_exceeded);
    run.binding.words = kBlobWords - 1;
    const BindingPoint part = bind_data(start, run).value();
    EXPECT_EQ(bind_data(part, {run.after, {}, batch.data[1].binding}).code(), RejectCode::binding_order);
    run.binding = {.form = BindingForm::horner, .words = kBlobWords + 1};
    EXPECT_EQ(bind_data(start, run).code(), RejectCode::limit_exceeded);
    run.binding.words = 5;
    EXPECT_EQ(bind_data(one, {one.words.digest, {}, run.binding}).code(), RejectCode::binding_order);
    // Effects are calldata, bound once.
    const BindingPoint none = whole.before.effects;
    DataRun effects = *batch.effects;
    const BindingPoint bound = bind_effects(none, effects).value();
    EXPECT_EQ(bind_effects(bound, {bound.words.digest, {}, effects.binding}).code(), RejectCode::binding_order);
    effects.binding.form = BindingForm::blob;
    EXPECT_EQ(bind_effects(none, effects).code(), RejectCode::binding_order);
    effects.binding.form = BindingForm::horner;
    effects.binding.words = kMaxEffectWords + 1;
    EXPECT_EQ(bind_effects(none, effects).code(), RejectCode::limit_exceeded);
}

// "root of one with data of another"; batches without data proofs, with too few, with effects unbound.
TEST_F(Join, ClosesBoundBatchesOnly) {
    EXPECT_TRUE(close(whole, batch.header).ok());
    EXPECT_EQ(close_code([](auto& s, auto&) { s.payee = {}; }), RejectCode::missing_payee);
    EXPECT_EQ(close_code([](auto&, auto& h) { h.number += 1; }), RejectCode::header_mismatch);
    EXPECT_EQ(close_code([](auto& s, auto& h) {
                  h.version += 1;
                  s.header = header_hash(h);
              }),
              RejectCode::unsupported_version);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.after.data = s.before.data; }), RejectCode::unbound_data);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.after.data.words.digest[0] += KoalaBear(1); }),
              RejectCode::unbound_data);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.after.data.bindings.count = 0; }), RejectCode::unbound_data);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.before.data.bindings.digest[0] += KoalaBear(1); }),
              RejectCode::not_at_start);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.before.effects.bindings.digest[0] += KoalaBear(1); }),
              RejectCode::not_at_start);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.after.effects = s.before.effects; }), RejectCode::unbound_effects);
    EXPECT_EQ(close_code([](auto& s, auto&) { s.after.effects.words.digest[0] += KoalaBear(1); }),
              RejectCode::unbound_effects);
    // A batch without effects has no binding of them, not even of nothing.
    MadeUpBatch plain(8, 40, 0, 1);
    JoinStatement s = plain.whole();
    EXPECT_TRUE(close(s, plain.header).ok());
    s.after.effects =
        bind_effects(s.before.effects,
                     {s.before.effects.words.digest, s.before.effects.words.digest, {.form = BindingForm::horner}})
            .value();
    EXPECT_EQ(close(s, plain.header).code(), RejectCode::unbound_effects);
}

// The lists are injective: every field, at its place, once; and no two kinds share a digest.
TEST_F(Join, ElementsHoldEveryField) {
    EXPECT_EQ(elements(whole).size(), 2u + 8 + 8 + 10 + 2 * (43 + 2 * 18) + 10);
    EXPECT_EQ(elements(batch.segments[0]).size(), 124u);
    const BatchStatement closed = close(whole, batch.header).value();
    EXPECT_EQ(elements(closed).size(), 2u + 8 + 8 + 10 + 2 * 17 + 2 * 9 + 10);
    EXPECT_EQ(elements(batch.data[0].binding).size(), 42u);
    std::set<std::vector<std::uint32_t>> seen;
    const auto add = [&](const std::vector<KoalaBear>& list) {
        std::vector<std::uint32_t> key;
        for (const KoalaBear x : list) key.push_back(x.canonical());
        EXPECT_TRUE(seen.insert(key).second);
    };
    add(elements(whole));
    add(elements(closed));
    for (const auto& change : join_changes()) {
        JoinStatement s = whole;
        change.make(s);
        add(elements(s));
    }
    const std::vector<std::function<void(BatchStatement&)>> changes = {
        [](auto& s) { s.domain[7] += KoalaBear(1); },
        [](auto& s) { s.header[7] += KoalaBear(1); },
        [](auto& s) { s.payee.bytes[0] ^= 1; },
        [](auto& s) { s.before.root[0] += KoalaBear(1); },
        [](auto& s) { s.before.slot_count += 1; },
        [](auto& s) { s.before.deposit_cursor ^= 1ull << 63; },
        [](auto& s) { s.before.forced_cursor += 1; },
        [](auto& s) { s.after.root[0] += KoalaBear(1); },
        [](auto& s) { s.after.slot_count += 1; },
        [](auto& s) { s.after.deposit_cursor += 1; },
        [](auto& s) { s.after.forced_cursor += 1; },
        [](auto& s) { s.data.digest[0] += KoalaBear(1); },
        [](auto& s) { s.data.count += 1; },
        [](auto& s) { s.effects.digest[0] += KoalaBear(1); },
        [](auto& s) { s.effects.count += 1; },
        [](auto& s) { s.work.units += 1; },
        [](auto& s) { s.work.root[7] += KoalaBear(1); }};
    for (const auto& change : changes) {
        BatchStatement s = closed;
        change(s);
        add(elements(s));
    }
}

TEST_F(Join, EveryFieldOfABindingIsInTheList) {
    const std::vector<std::function<void(L1Binding&)>> changes = {[](auto& b) { b.form = BindingForm::horner; },
                                                                  [](auto& b) { b.words -= 1; },
                                                                  [](auto& b) { b.l1_hash[0] ^= 1; },
                                                                  [](auto& b) { b.l1_hash[31] ^= 1; },
                                                                  [](auto& b) { b.point[7] += KoalaBear(1); },
                                                                  [](auto& b) { b.value[0] ^= 1; },
                                                                  [](auto& b) { b.value[31] ^= 1; }};
    const L1Binding honest = batch.data[0].binding;
    const Accumulator list = binding_list(std::span(&honest, 1));
    for (const auto& change : changes) {
        L1Binding changed = honest;
        change(changed);
        EXPECT_NE(binding_list(std::span(&changed, 1)), list);
    }
}

}  // namespace
}  // namespace quarry::rollup::join_test
