#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "quarry/rollup/batch.hpp"
#include "quarry/rollup/memory_store.hpp"

namespace quarry::node {

/// A rollup in memory with one batch of signed transfers on top: what benchmarks and tests of provers start from.
struct DevelopmentBatch {
    rollup::RollupParameters parameters;
    std::unique_ptr<rollup::MemoryStore> store;  ///< before the batch
    rollup::MemoryQueues queues;                 ///< empty
    rollup::Header header;
    std::vector<std::uint8_t> data;
};

/// `num_transfers` transfers from as many different signers to receivers drawn from all accounts, each paying a fee,
/// and the record that collects the fees. A function of its arguments. On the caller's TBB arena. Preconditions: 2 <=
/// num_transfers + 1 <= num_accounts < 2^30, num_transfers <= 8191 (what a batch's bytes hold).
DevelopmentBatch make_development_batch(std::size_t num_accounts, std::size_t num_transfers, std::uint64_t seed);

}  // namespace quarry::node
