#include "quarry/circuits/segment_source.hpp"

#include <gtest/gtest.h>

#include "quarry/rollup/testing.hpp"

namespace quarry::circuits::segment_source_test {
namespace {

using rollup::testing::RandomTraffic;
using rollup::testing::World;

struct Fixture {
    World world;
    rollup::ExecutedBatch batch;
    explicit Fixture(std::uint64_t seed) {
        rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        RandomTraffic(world, seed).run(builder, 80);
        batch = builder.seal().value();
    }
};

bool same(const rollup::TreeUpdate& a, const rollup::TreeUpdate& b) {
    if (a.root_before != b.root_before || a.root_after != b.root_after) return false;
    for (std::size_t level = 0; level < a.levels.size(); ++level) {
        const auto equal = [](const rollup::NodeChange& x, const rollup::NodeChange& y) {
            return x.index == y.index && x.before == y.before && x.after == y.after;
        };
        if (!std::equal(a.levels[level].begin(), a.levels[level].end(), b.levels[level].begin(), b.levels[level].end(),
                        equal))
            return false;
    }
    return true;
}

TEST(SegmentSource, CutsMeetAndAreThoseOfTheWholeBatch) {
    const Fixture f(3);
    const std::size_t n = f.batch.steps.size();
    const auto payee = rollup::testing::make_address(9);
    BatchCutter cutter(f.world.parameters, f.world.store, f.batch);
    rollup::BatchPoint at = rollup::batch_start(f.batch.before, rollup::header_hash(f.batch.header));
    std::size_t first = 0;
    std::optional<rollup::SegmentStatement> merged;
    for (const std::size_t last : {std::size_t{0}, n / 5, n / 5 + 1, n / 2, n, n}) {
        const SegmentSource source = cutter.next(last);
        const auto statement = statement_of(source, payee, first);
        EXPECT_EQ(statement,
                  rollup::segment_statement(f.world.parameters, f.world.store, f.batch, first, last, at, payee, first));
        const SegmentSource alone = cut_segment(f.world.parameters, f.world.store, f.batch, first, last, at);
        EXPECT_TRUE(same(source.update, alone.update));
        EXPECT_EQ(source.siblings, alone.siblings);
        EXPECT_EQ(source.root_children, alone.root_children);
        EXPECT_EQ(source.fees, alone.fees);
        merged = merged ? merge(*merged, statement).value() : statement;
        at = statement.after;
        first = last;
    }
    EXPECT_TRUE(check_whole(merged->header, merged->before, merged->after, f.batch.header).ok());
}

TEST(SegmentSource, SiblingsAreEnoughToUpdateTheTree) {
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
        const Fixture f(seed);
        BatchCutter cutter(f.world.parameters, f.world.store, f.batch);
        for (const std::size_t last : {f.batch.steps.size() / 3, f.batch.steps.size()}) {
            const SegmentSource source = cutter.next(last);
            const auto changes = rollup::changes_of(source.steps);
            const auto update = plan_from_siblings(changes, source.siblings);
            ASSERT_TRUE(update.ok());
            EXPECT_TRUE(same(update.value(), source.update));
            for (const unsigned level : {0u, 5u, rollup::kTreeDepth - 1}) {
                Siblings more = source.siblings;
                more[level].emplace_back();
                EXPECT_EQ(plan_from_siblings(changes, more).code(), rollup::RejectCode::bad_length);
                Siblings other = source.siblings;
                if (other[level].empty()) continue;
                other[level][0][0] += KoalaBear(1);
                EXPECT_NE(plan_from_siblings(changes, other).value().root_before, source.update.root_before);
                other[level].pop_back();
                EXPECT_EQ(plan_from_siblings(changes, other).code(), rollup::RejectCode::bad_length);
            }
        }
    }
}

}  // namespace
}  // namespace quarry::circuits::segment_source_test
