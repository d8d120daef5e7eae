#pragma once
/// Shared by this module's tests: segments to prove.

#include <algorithm>
#include <vector>

#include "quarry/air/testing.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/circuits/timeline.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::circuits::testing {

inline constexpr std::uint64_t kMinerTag = 0x1234'5678'9abc'def0;

/// A batch of random traffic over a small world, and the segment of its steps [first, last).
struct TestSegment {
    explicit TestSegment(std::uint64_t seed, std::size_t num_operations = 60, std::size_t first = 0,
                         std::size_t last = SIZE_MAX) {
        rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
        rollup::testing::RandomTraffic(world, seed).run(builder, num_operations);
        batch = builder.seal().value();
        last = std::min(last, batch.steps.size());
        first = std::min(first, last);
        const auto start = rollup::batch_start(batch.before, rollup::header_hash(batch.header));
        const auto payee = rollup::testing::make_address(4242);
        const auto prefix =
            rollup::segment_statement(world.parameters, world.store, batch, 0, first, start, payee, kMinerTag);
        timeline = make_timeline(world.parameters, world.store, batch, first, last, prefix.after, payee, kMinerTag);
    }
    TestSegment(const TestSegment&) = delete;
    TestSegment& operator=(const TestSegment&) = delete;

    rollup::testing::World world;
    rollup::ExecutedBatch batch;
    Timeline timeline;
};

/// The rows as columns of the least height that holds them.
template <class Row>
Columns columns_of_rows(const std::vector<Row>& rows, const Row& padding = {}) {
    const std::size_t height = std::size_t{1} << log_height_for(rows.size());
    return columns_of(std::span<const Row>(rows), height, padding);
}

using quarry::testing::atoms_at;
using quarry::testing::BusSums;
using quarry::testing::free_cells;
using quarry::testing::lie_with_consequences;
using quarry::testing::Neighbourhood;
using quarry::testing::never_alone;

}  // namespace quarry::circuits::testing
