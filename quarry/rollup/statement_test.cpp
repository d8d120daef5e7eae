#include "quarry/rollup/statement.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::statement_test {
namespace {

using testing::make_key;
using testing::World;

/// Two segments of one batch with fees pending between them, and an effect in each.
class Statement : public ::testing::Test {
  protected:
    Statement() {
        BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        for (int i = 0; i < 2; ++i) {
            QUARRY_CHECK(
                builder.add(world.sign(testing::withdraw(2, 5, 3), make_key(2), builder.executor()), true).ok());
        }
        batch = builder.seal().value();
        const BatchPoint start = batch_start(batch.before, header_hash(batch.header));
        left = segment_statement(world.parameters, world.store, batch, 0, 1, start, payee, 1);
        right = segment_statement(world.parameters, world.store, batch, 1, batch.steps.size(), left.after, payee, 2);
    }
    void expect_merge(RejectCode code, const std::function<void(SegmentStatement&)>& change) {
        SegmentStatement changed = right;
        change(changed);
        const auto r = merge(left, changed);
        ASSERT_FALSE(r.ok()) << reject_name(code);
        EXPECT_EQ(r.code(), code) << reject_name(r.code());
    }

    World world;
    const L1Address payee = testing::make_address(5);
    ExecutedBatch batch;
    SegmentStatement left;
    SegmentStatement right;
};

TEST_F(Statement, JoinsToTheWholeBatch) {
    const auto joined = merge(left, right);
    ASSERT_TRUE(joined.ok());
    const SegmentStatement& s = joined.value();
    EXPECT_TRUE(check_whole(s.header, s.before, s.after, batch.header).ok());
    EXPECT_EQ(s.work.units, batch.header.byte_length / kWordBytes);
    EXPECT_EQ(s.work.root, poseidon_compress(leaf_work(1, 4).root, leaf_work(2, 5).root));
}

// ADVERSARIAL, Recursion: "out of order, overlapping, with a gap; the same child twice; another rollup; payee differs".
TEST_F(Statement, RefusesWhatDoesNotMeet) {
    expect_merge(RejectCode::domain_mismatch, [](auto& s) { s.domain[0] += KoalaBear(1); });
    expect_merge(RejectCode::header_mismatch, [](auto& s) { s.header[0] += KoalaBear(1); });
    expect_merge(RejectCode::payee_mismatch, [](auto& s) { s.payee = testing::make_address(6); });
    expect_merge(RejectCode::payee_mismatch, [](auto& s) { s.payee = {}; });
    expect_merge(RejectCode::state_gap, [](auto& s) { s.before.state.root[7] += KoalaBear(1); });
    expect_merge(RejectCode::state_gap, [](auto& s) { s.before.state.slot_count += 1; });
    expect_merge(RejectCode::state_gap, [](auto& s) { s.before.state.deposit_cursor += 1; });
    expect_merge(RejectCode::state_gap, [](auto& s) { s.before.state.forced_cursor += 1; });
    expect_merge(RejectCode::fees_gap, [](auto& s) { s.before.fees[0] += KoalaBear(1); });
    expect_merge(RejectCode::data_gap, [](auto& s) { s.before.data.digest[0] += KoalaBear(1); });
    expect_merge(RejectCode::data_gap, [](auto& s) { s.before.data.count += 1; });
    expect_merge(RejectCode::effects_gap, [](auto& s) { s.before.effects.digest[0] += KoalaBear(1); });
    expect_merge(RejectCode::effects_gap, [](auto& s) { s.before.effects.count += 1; });
    expect_merge(RejectCode::work_overflow, [](auto& s) { s.work.units = 0xffffffff; });
    expect_merge(RejectCode::counter_falls, [](auto& s) { s.after.data.count = 0; });
    expect_merge(RejectCode::limit_exceeded, [](auto& s) { s.after.effects.count = kMaxEffects + 1; });
    EXPECT_EQ(merge(left, left).code(), RejectCode::state_gap);
    EXPECT_EQ(merge(right, left).code(), RejectCode::state_gap);
    SegmentStatement unpaid = left;
    unpaid.payee = {};
    EXPECT_EQ(merge(unpaid, unpaid).code(), RejectCode::missing_payee);
}

// "segments that stop before the batch's end", and begin after its start.
TEST_F(Statement, WholeBatchesOnly) {
    const SegmentStatement whole = merge(left, right).value();
    const auto check = [](const SegmentStatement& s, const Header& h) {
        return check_whole(s.header, s.before, s.after, h).code();
    };
    EXPECT_EQ(check(left, batch.header), RejectCode::not_at_end);
    EXPECT_EQ(check(right, batch.header), RejectCode::not_at_start);
    const auto code = [&](auto&& change) {
        SegmentStatement s = whole;
        Header h = batch.header;
        change(s, h);
        s.header = header_hash(h);
        s.before = batch_start(s.before.state, s.header);
        return check(s, h);
    };
    EXPECT_EQ(check(whole, Header{}), RejectCode::header_mismatch);
    EXPECT_EQ(code([](auto& s, auto&) { s.after.fees[0] += KoalaBear(1); }), RejectCode::uncollected_fees);
    EXPECT_EQ(code([](auto&, auto& h) { h.num_effects += 1; }), RejectCode::effect_count_mismatch);
    EXPECT_EQ(code([](auto&, auto& h) { h.post_root[0] += KoalaBear(1); }), RejectCode::root_mismatch);
    EXPECT_EQ(code([](auto&, auto& h) { h.post_slot_count += 1; }), RejectCode::slot_count_mismatch);
    EXPECT_EQ(code([](auto&, auto& h) { h.deposit_cursor += 1; }), RejectCode::cursor_mismatch);
    EXPECT_EQ(code([](auto&, auto& h) { h.forced_cursor += 1; }), RejectCode::cursor_mismatch);
    EXPECT_EQ(code([](auto&, auto& h) { h.byte_length += 31; }), RejectCode::not_at_end);
}

// The lists are injective: every field, at its place, once.
TEST_F(Statement, ElementsHoldEveryField) {
    EXPECT_EQ(elements(left).size(), 2u + 8 + 8 + 10 + 2 * 43 + 10);
    const std::vector<std::function<void(SegmentStatement&)>> changes = {
        [](auto& s) { s.domain[3] += KoalaBear(1); },
        [](auto& s) { s.header[3] += KoalaBear(1); },
        [](auto& s) { s.payee.bytes[0] ^= 1; },
        [](auto& s) { s.payee.bytes[19] ^= 1; },
        [](auto& s) { s.before.state.root[0] += KoalaBear(1); },
        [](auto& s) { s.before.state.slot_count += 1; },
        [](auto& s) { s.after.state.deposit_cursor += std::uint64_t{1} << 63; },
        [](auto& s) { s.after.state.forced_cursor += 1; },
        [](auto& s) { s.after.fees[7] += KoalaBear(1); },
        [](auto& s) { s.after.data.digest[7] += KoalaBear(1); },
        [](auto& s) { s.after.data.count += 1; },
        [](auto& s) { s.after.effects.digest[7] += KoalaBear(1); },
        [](auto& s) { s.after.effects.count += 1; },
        [](auto& s) { s.work.units += 65536; },
        [](auto& s) { s.work.root[0] += KoalaBear(1); }};
    std::vector<std::vector<KoalaBear>> seen = {elements(left)};
    for (const auto& change : changes) {
        SegmentStatement s = left;
        change(s);
        seen.push_back(elements(s));
        for (std::size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_NE(seen[i], seen.back());
    }
}

// "units or tag not computed": the work root fixes both.
TEST(Work, RootFixesTagAndUnits) {
    EXPECT_NE(leaf_work(1, 3).root, leaf_work(2, 3).root);
    EXPECT_NE(leaf_work(1, 3).root, leaf_work(1, 4).root);
    EXPECT_NE(leaf_work(1, 3).root, leaf_work(std::uint64_t{1} << 48, 3).root);
    EXPECT_EQ(merge(leaf_work(1, 0xffffffff), leaf_work(1, 1)).code(), RejectCode::work_overflow);
}

}  // namespace
}  // namespace quarry::rollup::statement_test
