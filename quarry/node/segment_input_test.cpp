#include "quarry/node/segment_input.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/rollup/testing.hpp"

namespace quarry::node::segment_input_test {
namespace {

using rollup::RejectCode;
using rollup::testing::RandomTraffic;
using rollup::testing::World;

/// A batch of every kind of operation, executed from its bytes, and its segments' inputs.
struct Fixture {
    World world;
    rollup::ExecutedBatch batch;
    std::vector<std::size_t> cuts;
    std::vector<SegmentInput> inputs;
    std::vector<rollup::SegmentStatement> statements;

    explicit Fixture(std::uint64_t seed, std::size_t pieces = 4) {
        rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        RandomTraffic(world, seed).run(builder, 90);
        const auto sealed = builder.seal().value();
        batch = rollup::replay(world.parameters, world.store, world.queues, sealed.header, sealed.data).value();
        circuits::BatchCutter cutter(world.parameters, world.store, batch);
        std::size_t first = 0;
        for (std::size_t i = 1; i <= pieces; ++i) {
            const std::size_t last = batch.steps.size() * i / pieces;
            const auto source = cutter.next(last);
            statements.push_back(circuits::statement_of(source, rollup::testing::make_address(1), 5));
            inputs.push_back(make_segment_input(source, batch.signature_checks, first));
            cuts.push_back(first);
            first = last;
        }
    }
};

TEST(SegmentInput, ASegmentExecutesFromItsInputAlone) {
    for (std::uint64_t seed = 1; seed < 8; ++seed) {
        const Fixture f(seed);
        for (std::size_t i = 0; i < f.inputs.size(); ++i) {
            const auto bytes = encode(f.inputs[i]);
            const auto parsed = parse_segment_input(bytes);
            ASSERT_TRUE(parsed.ok()) << rollup::reject_name(parsed.code());
            EXPECT_EQ(encode(parsed.value()), bytes);
            const auto executed = execute_segment(parsed.value());
            ASSERT_TRUE(executed.ok()) << seed << " " << i << " " << rollup::reject_name(executed.code());
            EXPECT_EQ(circuits::statement_of(executed.value()->source, rollup::testing::make_address(1), 5),
                      f.statements[i]);
            EXPECT_EQ(executed.value()->source.siblings, f.inputs[i].siblings);
            // The checks of the whole batch, of these steps, numbered from the segment's first.
            std::size_t seen = 0;
            for (const auto& check : f.batch.signature_checks) {
                const std::size_t last = i + 1 < f.cuts.size() ? f.cuts[i + 1] : f.batch.steps.size();
                if (check.step < f.cuts[i] || check.step >= last) continue;
                const auto& here = executed.value()->signature_checks.at(seen++);
                EXPECT_EQ(here.step + f.cuts[i], check.step);
                EXPECT_EQ(here.message, check.message);
                EXPECT_EQ(here.key, check.key);
                EXPECT_EQ(here.signature, check.signature);
            }
            EXPECT_EQ(seen, executed.value()->signature_checks.size());
        }
    }
}

TEST(SegmentInput, AnEmptyBatchIsASegmentToo) {
    World world;
    rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    const auto batch = builder.seal().value();
    circuits::BatchCutter cutter(world.parameters, world.store, batch);
    const auto source = cutter.next(0);
    const auto parsed = parse_segment_input(encode(make_segment_input(source, {}, 0)));
    ASSERT_TRUE(parsed.ok());
    const auto executed = execute_segment(parsed.value());
    ASSERT_TRUE(executed.ok()) << rollup::reject_name(executed.code());
    EXPECT_EQ(circuits::statement_of(executed.value()->source, {}, 0), circuits::statement_of(source, {}, 0));
}

// Damage is refused, or makes another statement than the one that was asked for: never a crash, never the same.
TEST(SegmentInput, ReadingIsTotal) {
    const Fixture f(2, 8);
    const auto bytes = encode(f.inputs[3]);
    for (std::size_t n = 0; n < bytes.size(); n += 1 + n / 64)
        EXPECT_FALSE(parse_segment_input(std::span(bytes).first(n)).ok()) << n;
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(parse_segment_input(longer).code(), RejectCode::bad_length);
    std::mt19937_64 rng(1);
    for (int i = 0; i < 400; ++i) {
        auto changed = bytes;
        changed[rng() % changed.size()] ^= static_cast<std::uint8_t>(1u << (rng() % 8));
        const auto parsed = parse_segment_input(changed);
        if (!parsed) continue;
        EXPECT_EQ(encode(parsed.value()), changed);
        const auto executed = execute_segment(parsed.value());
        if (!executed) continue;
        const auto statement = circuits::statement_of(executed.value()->source, rollup::testing::make_address(1), 5);
        if (statement != f.statements[3]) continue;
        // Free is only a key that the segment publishes itself before it needs it.
        SegmentInput same = parsed.value();
        same.keys = f.inputs[3].keys;
        EXPECT_EQ(encode(same), bytes) << i;
    }
}

TEST(SegmentInput, LeavesThatTheStateDoesNotHaveAreRefused) {
    const Fixture f(4);
    SegmentInput input = f.inputs[1];
    ASSERT_FALSE(input.leaves.empty());
    input.leaves.front().before->balance = *checked_add(input.leaves.front().before->balance, rollup::Amount(1));
    EXPECT_EQ(execute_segment(input).code(), RejectCode::root_mismatch);
    input = f.inputs[1];
    input.root_children[1][0] += KoalaBear(1);
    EXPECT_EQ(execute_segment(input).code(), RejectCode::root_mismatch);
    input = f.inputs[1];
    input.leaves.clear();
    EXPECT_FALSE(execute_segment(input).ok());
    input = f.inputs[1];
    input.keys.clear();
    EXPECT_EQ(execute_segment(input).code(), RejectCode::storage_failed);
}

}  // namespace
}  // namespace quarry::node::segment_input_test
