#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "quarry/circuits/segment.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/segment_input.hpp"
#include "quarry/rollup/batch.hpp"

/// From what L1 shows of a batch and the state before it to the bytes of a proof.
namespace quarry::node {

/// Seconds spent in each phase, in order.
struct BatchProverPhases {
    double execute = 0;     ///< replay of the batch
    double signatures = 0;  ///< native verification of every signature: an invalid batch must not cost a proof
    double timeline = 0;    ///< statement, times, tree update
    double rows = 0;        ///< witness, table by table
    double trace = 0;       ///< laid out as columns, hash tables computed
    ProvePhases prove;
    double encode = 0;
};

struct BatchProverOptions {
    rollup::L1Address payee;  ///< who is paid; not zero
    std::uint64_t miner_tag = 0;
    unsigned security_bits = 100;
    const Heights* least_heights = nullptr;     ///< tables at least so high: a profile that nodes verify
    std::function<double()> now;                ///< a clock in seconds; needed with `phases`
    BatchProverPhases* phases = nullptr;        ///< filled when given
    std::function<void(const char*)> on_phase;  ///< told the name of each phase as it starts
};

struct BatchProof {
    rollup::SegmentStatement statement;
    std::vector<std::uint8_t> bytes;
    std::size_t num_operations = 0;
    Heights heights;
    std::size_t used_cells = 0;       ///< of all columns, padding rows included
    std::size_t committed_cells = 0;  ///< and the padding of the last lane
    std::size_t num_hashes = 0;       ///< compressions proven
};

/// Executes the batch as L1 shows it, and checks its signatures. `store` is in the state before the batch. refused: the
/// batch is invalid (the code of the rule that it breaks) and can never be proven.
Outcome<rollup::ExecutedBatch> execute_batch(const rollup::RollupParameters& parameters,
                                             const rollup::StateStore& store, const rollup::L1Queues& queues,
                                             const rollup::Header& header, std::span<const std::uint8_t> data);

/// Proves the whole batch as one segment. `store` is in the state before the batch. Deterministic. refused: the batch
/// is invalid (the code of the rule that it breaks) or too large for one proof.
Outcome<BatchProof> prove_batch(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                                const rollup::L1Queues& queues, const rollup::Header& header,
                                std::span<const std::uint8_t> data, const BatchProverOptions& options);

/// Executes the batch, checks its signatures and cuts it into `count` segments of about equal cost (fewer if it has
/// fewer operations, at least one): what prove_segment takes, in order. Deterministic. refused: the batch is invalid.
Outcome<std::vector<SegmentInput>> split_batch(const rollup::RollupParameters& parameters,
                                               const rollup::StateStore& store, const rollup::L1Queues& queues,
                                               const rollup::Header& header, std::span<const std::uint8_t> data,
                                               std::size_t count);

/// Proves a segment from its input alone. refused: the input is damaged, or of an invalid batch.
Outcome<BatchProof> prove_segment(const SegmentInput& input, const BatchProverOptions& options);

/// The heights that its tables need, whoever proves it. Cost: its witness, not its proof. refused: as prove_segment.
Outcome<Heights> segment_heights(const SegmentInput& input);

}  // namespace quarry::node
