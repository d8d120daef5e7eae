#pragma once
#include <array>
#include <span>
#include <vector>

#include "quarry/rollup/batch.hpp"

/// A segment cut out of its batch: what its witness is made from, without the rest of the state and of the batch.
namespace quarry::circuits {

/// By level: the siblings of an update's nodes that the update does not touch, by rising index.
using Siblings = std::array<std::vector<Digest>, rollup::kTreeDepth>;

struct SegmentSource {
    rollup::RollupParameters parameters;
    rollup::Header header;
    rollup::BatchPoint before;
    rollup::FeeLedger fees;                 ///< before the first step
    std::span<const rollup::Step> steps;    ///< must outlive what is made from this
    rollup::TreeUpdate update;              ///< of the slots that the steps touch; without a slot: no node at all
    Siblings siblings;                      ///< of `update`
    std::array<Digest, 2> root_children{};  ///< before: a root row is needed even when no slot is touched
};

/// What a segment says, for a payee and a miner.
rollup::SegmentStatement statement_of(const SegmentSource& source, const rollup::L1Address& payee,
                                      std::uint64_t miner_tag);

/// Cuts an executed batch into segments, in order. Cost: a copy of the tree, then of each segment its own update.
class BatchCutter {
  public:
    /// `store` is in the state before the batch; `batch` must live as long as the segments.
    BatchCutter(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                const rollup::ExecutedBatch& batch);
    /// The segment from where the last one ended to step `last`. Precondition: not before that.
    SegmentSource next(std::size_t last);

  private:
    rollup::RollupParameters parameters_;
    const rollup::ExecutedBatch& batch_;
    rollup::StateTree tree_;
    rollup::BatchPoint point_;
    rollup::FeeLedger fees_;
    std::size_t first_ = 0;
};

/// One segment of a batch; `before`: the point before step `first`.
SegmentSource cut_segment(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                          const rollup::ExecutedBatch& batch, std::size_t first, std::size_t last,
                          const rollup::BatchPoint& before);

/// The tree update of `changes` (by rising slot, at least one) in a tree of which only the siblings of its nodes are
/// known. bad_length: not as many siblings as the update needs.
rollup::Checked<rollup::TreeUpdate> plan_from_siblings(std::span<const rollup::LeafChange> changes,
                                                       const Siblings& siblings);

}  // namespace quarry::circuits
