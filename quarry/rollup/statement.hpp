#pragma once
#include <cstdint>
#include <vector>

#include "quarry/rollup/header.hpp"
#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"
#include "quarry/rollup/words.hpp"

/// What proofs say. The order of the field elements is normative: docs/spec/operations.md, section 6.
namespace quarry::rollup {

/// First element of a statement: which kind of proof may make it.
enum class StatementKind : std::uint32_t { segment = 1, batch = 2, data = 3 };

/// Who proved how much. A unit is one word of batch data that was applied (a transfer has three).
/// Leaf: root = H((tag in 4 limbs, units in 2, 0, 0), (0, .., 0, tag of work)); join: H(left root, right root).
struct Work {
    std::uint32_t units = 0;
    Digest root{};
    friend bool operator==(const Work&, const Work&) noexcept = default;
};
Work leaf_work(std::uint64_t miner_tag, std::uint32_t units);
Checked<Work> merge(const Work& left, const Work& right);

/// A position inside a batch: everything that operations change.
struct BatchPoint {
    State state;
    Digest fees{};        ///< FeeLedger::digest
    Accumulator data;     ///< count: words
    Accumulator effects;  ///< count: effects
    friend bool operator==(const BatchPoint&, const BatchPoint&) noexcept = default;
};
/// The point before the first operation: empty fee ledger, data accumulator = header hash, effects accumulator at its
/// start.
BatchPoint batch_start(const State& before, const Digest& header_hash);

/// Applying the operations whose words lead from before.data to after.data turns `before` into `after`.
struct SegmentStatement {
    Digest domain{};  ///< domain_hash: fixes chain, hub, rollup, genesis
    Digest header{};  ///< header_hash: fixes timestamp, fee receiver and what the batch claims
    L1Address payee;
    BatchPoint before;
    BatchPoint after;
    Work work;
    friend bool operator==(const SegmentStatement&, const SegmentStatement&) noexcept = default;
};

/// A whole batch: its segments run from batch_start to what its header claims.
struct BatchStatement {
    Digest domain{};
    Digest header{};
    L1Address payee;
    State before;
    State after;
    Accumulator data;     ///< at the end
    Accumulator effects;  ///< at the end
    Work work;
    friend bool operator==(const BatchStatement&, const BatchStatement&) noexcept = default;
};

/// The statement's elements, in the order in which proofs absorb them.
std::vector<KoalaBear> elements(const SegmentStatement& statement);
std::vector<KoalaBear> elements(const BatchStatement& statement);

/// The statement of `left` followed by `right`. Refuses what does not meet.
Checked<SegmentStatement> merge(const SegmentStatement& left, const SegmentStatement& right);
/// The statement of the whole batch, if the segment is one under this header.
Checked<BatchStatement> close(const SegmentStatement& segment, const Header& header);

}  // namespace quarry::rollup
