#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/storage_error.hpp"
#include "quarry/rollup/memory_store.hpp"
#include "quarry/rollup/store.hpp"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace quarry::node {

struct StoreOptions {
    bool read_only = false;       ///< for open: load everything, then let go of the directory; nothing can be changed
    rocksdb::Env* env = nullptr;  ///< file system and threads of the engine; null: the machine's. Outlives the store
};

/// A rollup's state in a directory, over RocksDB: what a commit, rollback or finalise that returned Accepted did
/// survives the end of the process and of the machine; one that was interrupted happened wholly or not at all.
///
/// The working copy is in memory (about 0.4 KB a slot): reads cost no I/O. One process at a time may open a directory
/// for writing. Not safe for concurrent use by several threads, except of const functions.
class DurableStore final : public rollup::StateStore {
  public:
    /// A new state in `directory` (made if missing; must be empty): these leaves in slots 0, 1, .., batch number 0.
    /// `keys`: at least those of leaves with a published key. A zero parameters.genesis_root is filled in; any other
    /// must be the leaves' root (root_mismatch). Durable when it returns.
    static Stored<std::unique_ptr<DurableStore>> create(const std::string& directory,
                                                        const rollup::RollupParameters& parameters,
                                                        std::vector<rollup::Leaf> leaves,
                                                        std::span<const rollup::AccountKey> keys,
                                                        const StoreOptions& options = {});
    /// The same from a snapshot, which is the finalised state of the new store. Whether to believe its root is the
    /// caller's question. The genesis root must be in `parameters`.
    static Stored<std::unique_ptr<DurableStore>> create_from_snapshot(const std::string& directory,
                                                                      const rollup::RollupParameters& parameters,
                                                                      rollup::Snapshot snapshot,
                                                                      const StoreOptions& options = {});
    /// Opens what create made. Reads everything and rebuilds the tree, whose root must be the stored one. Read-only:
    /// any number of processes, while none has it open for writing.
    static Stored<std::unique_ptr<DurableStore>> open(const std::string& directory, const StoreOptions& options = {});

    DurableStore(const DurableStore&) = delete;
    DurableStore& operator=(const DurableStore&) = delete;
    ~DurableStore() override;

    [[nodiscard]] const rollup::RollupParameters& parameters() const noexcept;

    [[nodiscard]] const rollup::State& state() const override;
    [[nodiscard]] std::optional<rollup::Leaf> leaf(rollup::SlotIndex slot) const override;
    [[nodiscard]] std::optional<rollup::AccountKey> key(const rollup::KeyHash& hash) const override;
    [[nodiscard]] std::uint64_t batch_number() const override;
    [[nodiscard]] std::uint64_t finalised_number() const override;
    [[nodiscard]] const rollup::StateTree& tree() const override;

    /// Each is one synced atomic write. storage_failed: last_error() says why, the working copy is unchanged, and the
    /// store refuses every further write, because only opening it again tells whether this one reached the disk.
    rollup::Verdict commit(const rollup::BatchCommit& batch, const rollup::TreeUpdate& update) override;
    rollup::Verdict rollback(std::uint64_t number) override;
    rollup::Verdict finalise(std::uint64_t number) override;

    /// Bytes of the owner's own, such as its position in its input: stored by the next commit, in the same write.
    /// A rollback brings back the note that the state had.
    void set_note(std::vector<std::uint8_t> note);
    /// The note of the last commit that set one; empty before that.
    [[nodiscard]] const std::vector<std::uint8_t>& note() const noexcept;

    /// The state before batch `number`, finalised_number() < number <= batch_number() + 1 (else not_reversible), in
    /// memory and independent of this store: what a prover replays the batch on. Cost: a copy of the whole state.
    [[nodiscard]] rollup::Checked<rollup::MemoryStore> before_batch(std::uint64_t number) const;

    /// Why the last write returned storage_failed; no value if none did.
    [[nodiscard]] const std::optional<StorageError>& last_error() const noexcept;

  private:
    struct Engine;
    explicit DurableStore(std::unique_ptr<Engine> engine);
    std::unique_ptr<Engine> engine_;
};

}  // namespace quarry::node
