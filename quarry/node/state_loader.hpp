#pragma once
#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "quarry/node/state_records.hpp"
#include "quarry/node/storage_error.hpp"
#include "quarry/rollup/memory_store.hpp"

/// From a state directory's records to the working copy in memory. Whatever the records say, these functions return.
namespace quarry::node {

/// What went wrong in the engine, by cause.
StorageError engine_error(const rocksdb::Status& status, const std::string& directory);

inline rocksdb::Slice to_slice(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::uint8_t> to_span(const rocksdb::Slice& slice) {
    return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

struct StoredState {
    rollup::RollupParameters parameters;
    Head head;
    std::vector<rollup::Leaf> leaves;
    std::vector<rollup::AccountKey> keys;
    std::vector<rollup::BatchCommit> history;  ///< unfinalised batches, oldest first
    Bytes note;                                ///< after the last batch
};

/// Reads every record once, leaves and the rest in parallel. Refuses databases of another kind or version, incomplete
/// ones, and records that do not parse, are missing or are too many.
Stored<StoredState> read_stored_state(rocksdb::DB& db, const std::string& directory);

/// The working copy: rebuilds the tree (about 3 permutations a slot), which must have the stored root, and checks that
/// the history leads to the state. `directory` is for messages.
Stored<rollup::MemoryStore> build_working_copy(rollup::Snapshot snapshot, std::vector<rollup::BatchCommit> history,
                                               const std::string& directory);

/// That the store has the key of every slot that says so: no root covers the keys themselves.
Stored<rollup::Accepted> check_published_keys(const rollup::MemoryStore& store, const std::string& directory);

}  // namespace quarry::node
