#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/node/durable_store.hpp"
#include "quarry/node/prover/l1_view.hpp"

/// A rollup's state and batches, made from L1 data alone.
namespace quarry::node::prover {

/// A batch that the state has, as L1 had it when it was executed.
struct ExecutedEntry {
    rollup::Bytes32 hash{};
    std::uint64_t submission = 0;
    std::uint32_t effect_words = 0;
    friend bool operator==(const ExecutedEntry&, const ExecutedEntry&) = default;
};
/// By number.
using ExecutedEntries = std::map<std::uint64_t, ExecutedEntry>;
std::vector<std::uint8_t> encode(const ExecutedEntries& entries);
/// Total. No value: no such bytes.
std::optional<ExecutedEntries> parse_executed_entries(std::span<const std::uint8_t> bytes);

/// A batch that nobody can prove, nor any after it: its sequencer has to be replaced or to replace it.
struct InvalidBatch {
    std::uint64_t number = 0;
    std::uint64_t submission = 0;
    rollup::Bytes32 hash{};
    std::string code;
    std::string reason;
};

/// What one call of follow() did.
struct FollowReport {
    std::size_t executed = 0;
    std::size_t rolled_back = 0;
    std::vector<std::uint64_t> invalid;  ///< found to be so now
    std::optional<Problem> waits;        ///< why the next batch was not executed, if that is not L1's pace
};

/// One thread changes it and asks it; others may call read_batch(), snapshot() and snapshot_number() meanwhile.
class Replica {
  public:
    /// Opens what is in the folder, or makes the empty state of the genesis there. A state is there as a whole or not
    /// at all: what an interrupted creation left is removed. environment, bad_input: as DurableStore::open;
    /// wrong_rollup.
    static Outcome<std::unique_ptr<Replica>> open(const std::string& folder, const RollupOnL1& rollup);
    /// Starts from a snapshot instead, if the folder holds no state yet. refused (snapshot_not_final): its number,
    /// root, slot count and cursors are not those of a batch that L1 has as final, of which no later one is
    /// irreversible; or it is no snapshot.
    static Outcome<std::unique_ptr<Replica>> open_with_snapshot(const std::string& folder, const RollupOnL1& rollup,
                                                                const L1View& view,
                                                                std::span<const std::uint8_t> bytes);
    /// Whether there is a state in the folder.
    static bool exists(const std::string& folder);

    /// Rolls back what L1 has no more, executes up to `limit` batches, and forgets how to undo what is irreversible. An
    /// error is of the own disk, or final_batch_changed: L1 contradicts what was irreversible, or what a snapshot said.
    Outcome<FollowReport> follow(L1View& view, const RollupOnL1& rollup, std::size_t limit);

    [[nodiscard]] const rollup::RollupParameters& parameters() const noexcept { return store_->parameters(); }
    [[nodiscard]] const rollup::State& state() const noexcept { return store_->state(); }
    [[nodiscard]] std::uint64_t batch_number() const noexcept { return store_->batch_number(); }
    [[nodiscard]] std::uint64_t finalised_number() const noexcept { return store_->finalised_number(); }
    /// Of the last batch, and of those that are not irreversible.
    [[nodiscard]] const ExecutedEntries& entries() const noexcept { return entries_; }
    /// Whether this very submission is part of the state.
    [[nodiscard]] bool has(const BatchOnL1& batch) const;
    [[nodiscard]] const std::optional<InvalidBatch>& invalid() const noexcept { return invalid_; }

    /// From the own archive, which keeps what was executed for good. bad_input: it is not there, or damaged.
    [[nodiscard]] Outcome<BatchFiles> read_batch(std::uint64_t number) const { return archive_.read(number); }
    /// The state before the batch. bad_input (not_reversible). Cost: a copy of it.
    [[nodiscard]] Outcome<std::shared_ptr<rollup::MemoryStore>> before_batch(std::uint64_t number) const;
    /// Of the state after the last batch that is irreversible. Cost: seconds, and a copy of the state meanwhile.
    struct Snapshot {
        std::uint64_t number = 0;  ///< of that batch
        std::vector<std::uint8_t> bytes;
    };
    [[nodiscard]] Outcome<Snapshot> snapshot() const;
    /// That batch's number now.
    [[nodiscard]] std::uint64_t snapshot_number() const;

  private:
    Replica(std::unique_ptr<DurableStore> store, BatchFolder archive)
        : store_(std::move(store)), archive_(std::move(archive)) {}
    /// Makes a state in the folder of this path.
    using MakeStore = std::function<Stored<Done>(const std::string& path)>;
    /// Makes it beside its place and moves it there when it is on disk; then opens it.
    static Outcome<std::unique_ptr<Replica>> make(const std::string& folder, const RollupOnL1& rollup,
                                                  const MakeStore& make_store);
    static Outcome<std::unique_ptr<Replica>> take_over(std::unique_ptr<DurableStore> store, const std::string& folder,
                                                       const RollupOnL1& rollup);
    [[nodiscard]] bool is_on(const L1View& view, std::uint64_t number) const;
    /// Whether L1 has the batch after which the state's last irreversible one is; after a start from a snapshot it has
    /// no entry, and its state is compared. Precondition: nothing is on top of it that L1 has not.
    [[nodiscard]] bool has_base(const L1View& view) const;
    Outcome<Done> roll_back(const L1View& view, FollowReport& report);
    /// Whether there may be another one to execute.
    Outcome<bool> execute_next(L1View& view, const RollupOnL1& rollup, const BatchOnL1& batch, FollowReport& report);
    Outcome<Done> commit(const rollup::ExecutedBatch& executed, const BatchOnL1& batch);
    Outcome<Done> stored(const rollup::Verdict& verdict) const;
    void mark_invalid(const BatchOnL1& batch, const Problem& why, FollowReport& report);

    std::unique_ptr<DurableStore> store_;
    BatchFolder archive_;
    ExecutedEntries entries_;
    std::optional<InvalidBatch> invalid_;
    mutable std::mutex mutex_;  ///< held while the state changes, and by other threads that read it
};

}  // namespace quarry::node::prover
