#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "quarry/circuits/segment.hpp"
#include "quarry/circuits/segment_source.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/operation_json.hpp"

/// All that one segment's prover needs, apart from batch and state: about 2 KiB an operation. What another process, or
/// another machine, is handed. Format: docs/spec/work-tree.md.
namespace quarry::node {

inline constexpr std::size_t kMaxSegmentInputBytes = std::size_t{128} << 20;

struct SegmentInput {
    rollup::RollupParameters parameters;
    rollup::Header header;
    rollup::BatchPoint before;
    rollup::FeeLedger fees;                  ///< before
    std::vector<std::uint8_t> data;          ///< the operations' words
    std::vector<QueueEntry> entries;         ///< consumed by the operations, in this order
    std::vector<rollup::LeafChange> leaves;  ///< existing slots that they touch, as before the segment; `after` unused
    std::vector<rollup::AccountKey>
        keys;  ///< under which their signatures verify; those that they publish may be left out
    circuits::Siblings siblings;
    std::array<Digest, 2> root_children{};
};

/// `source`: cut from the executed batch, whose signature checks are `checks`, the first step being `first_step`.
SegmentInput make_segment_input(const circuits::SegmentSource& source, std::span<const rollup::SignatureCheck> checks,
                                std::size_t first_step);

std::vector<std::uint8_t> encode(const SegmentInput& input);
/// Total: bytes that no encode made are refused.
rollup::Checked<SegmentInput> parse_segment_input(std::span<const std::uint8_t> bytes);

/// A segment executed from its input alone. Immovable: `source` points into it.
struct ExecutedSegment {
    ExecutedSegment() = default;
    ExecutedSegment(const ExecutedSegment&) = delete;
    ExecutedSegment& operator=(const ExecutedSegment&) = delete;
    std::vector<rollup::Step> steps;
    std::vector<rollup::SignatureCheck> signature_checks;  ///< not made yet; steps are the segment's
    circuits::SegmentSource source;
};
/// Refuses what cannot be proven from this input: an operation that its rules refuse, leaves that do not have the root.
rollup::Checked<std::unique_ptr<const ExecutedSegment>> execute_segment(const SegmentInput& input);

}  // namespace quarry::node
