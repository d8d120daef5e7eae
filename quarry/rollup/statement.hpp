#pragma once
#include <cstdint>
#include <vector>

#include "quarry/rollup/header.hpp"
#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"
#include "quarry/rollup/words.hpp"

/// What leaf proofs say about operations, and the parts that all statements are made of. The order of the field
/// elements is normative: docs/spec/operations.md, section 6. Data proofs: binding.hpp; what proofs of proofs say:
/// join.hpp, bundle.hpp.
namespace quarry::rollup {

/// First element of a statement: which kind of proof may make it.
enum class StatementKind : std::uint32_t { segment = 1, batch = 2, data = 3, join = 4, bundle = 5, terminal = 6 };

/// Who proved how much. A unit is one word of batch data that was applied (a transfer has three).
/// Leaf: root = H((tag in 4 limbs, units in 2, 0, 0), (0, .., 0, tag of work)); join: H(left root, right root).
/// The root is a function of the tree of joins: whoever joined knows the tree, and opens a leaf by its path.
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

/// The statement's elements, in the order in which proofs absorb them.
std::vector<KoalaBear> elements(const SegmentStatement& statement);
/// The chain "quarry/segment/v1" over them: what a proof of proofs calls this statement.
Digest digest(const SegmentStatement& statement);

/// That two runs are of one rollup, batch and payee.
Verdict check_same_batch(const Digest& left_domain, const Digest& right_domain, const Digest& left_header,
                         const Digest& right_header, const L1Address& left_payee, const L1Address& right_payee);
/// That a run of operations can be followed by one that starts at `next`.
Verdict check_meets(const BatchPoint& end, const BatchPoint& next);
/// That no count falls from one point to the other or is above its limit.
Verdict check_counts(const BatchPoint& before, const BatchPoint& after);

/// The statement of `left` followed by `right`, as if it were one segment. Refuses what does not meet.
Checked<SegmentStatement> merge(const SegmentStatement& left, const SegmentStatement& right);
/// Whether a run of operations is the whole batch under this header: from batch_start to what the header claims.
Verdict check_whole(const Digest& header_hash, const BatchPoint& before, const BatchPoint& after, const Header& header);

}  // namespace quarry::rollup
