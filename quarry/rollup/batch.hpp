#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "quarry/rollup/execution.hpp"
#include "quarry/rollup/header.hpp"
#include "quarry/rollup/statement.hpp"

namespace quarry::rollup {

/// A batch that was executed: what goes to L1 (header, data, effects), what the store commits, what the prover needs.
struct ExecutedBatch {
    Header header;
    std::vector<std::uint8_t> data;
    std::vector<Effect> effects;
    State before;
    BatchCommit commit;
    TreeUpdate update;
    std::vector<Step> steps;
    std::vector<SignatureCheck> signature_checks;  ///< not made yet (replay only)
};

/// What the sequencer decides about a batch before it fills it.
struct BatchPlan {
    std::uint64_t number = 0;
    Bytes32 parent_hash{};
    Timestamp timestamp = 0;
    Digest fee_receiver{};                   ///< a pair hash
    std::map<TokenId, SlotIndex> fee_slots;  ///< its slots; fees in other tokens are refused
    std::size_t max_operations = 4096;       ///< queue entries and key publications not counted
};

/// The sequencer's side: takes transactions until the batch is full, and closes it.
class BatchBuilder {
  public:
    /// `store` and `queues` must live as long as the builder, and not change.
    BatchBuilder(const RollupParameters& parameters, BatchPlan plan, const StateStore& store, const L1Queues& queues);

    /// `signature_ok`: tx's signature verifies under tx.key for transaction_id(domain, tx).
    Verdict add(const Transaction& tx, bool signature_ok);
    /// Consumes the next entry of the deposit queue.
    Verdict add_deposit();
    /// Consumes the next entry of the forced queue, whichever it is.
    Verdict add_forced();

    [[nodiscard]] std::size_t num_operations() const noexcept { return num_operations_; }
    [[nodiscard]] const Executor& executor() const noexcept { return executor_; }

    /// Collects the fees, and makes the header, the bytes and the commit. The builder is used up. Refuses only when a
    /// fee slot was taken from the fee receiver within this very batch.
    Checked<ExecutedBatch> seal();

  private:
    /// Whether `num_words` more fit beside the collect records that seal will add.
    [[nodiscard]] Verdict check_room(std::size_t num_words) const;

    const RollupParameters parameters_;
    const BatchPlan plan_;
    const StateStore& store_;
    const L1Queues& queues_;
    Executor executor_;
    std::size_t num_operations_ = 0;
};

/// The prover's side: executes a batch from what L1 shows. Accepts exactly the batches that can be proven, once the
/// returned signature checks pass. Precondition: `store` is in the state before the batch.
Checked<ExecutedBatch> replay(const RollupParameters& parameters, const StateStore& store, const L1Queues& queues,
                              const Header& header, std::span<const std::uint8_t> data);

/// The statement of the steps [first, last) of a batch. `before`: the point before step `first`, e.g. batch_start or
/// the end of the statement of the steps before. Needs the tree updates of partial batches, hence the store before the
/// batch. Cost: two permutations a word, and one tree update.
SegmentStatement segment_statement(const RollupParameters& parameters, const StateStore& store,
                                   const ExecutedBatch& batch, std::size_t first, std::size_t last,
                                   const BatchPoint& before, const L1Address& payee, std::uint64_t miner_tag);
/// The same for the whole batch as one segment; needs no store.
SegmentStatement whole_statement(const RollupParameters& parameters, const ExecutedBatch& batch, const L1Address& payee,
                                 std::uint64_t miner_tag);
/// The same for steps that were executed on their own. `fees`: the ledger before the first of them; `root_after`: of
/// the state after the last.
SegmentStatement segment_statement(const RollupParameters& parameters, const Header& header, const BatchPoint& before,
                                   FeeLedger fees, std::span<const Step> steps, const Digest& root_after,
                                   const L1Address& payee, std::uint64_t miner_tag);
/// The fee ledger after these steps of a batch, which it starts with.
FeeLedger fees_after(std::span<const Step> steps);
/// What these steps of a batch change together, by rising slot.
std::vector<LeafChange> changes_of(std::span<const Step> steps);

}  // namespace quarry::rollup
