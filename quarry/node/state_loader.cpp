#include "quarry/node/state_loader.hpp"

#include <oneapi/tbb/parallel_invoke.h>
#include <rocksdb/iterator.h>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "quarry/base/parallel.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node {

using rollup::Accepted;
using rollup::RejectCode;
using rollup::Verdict;
using rollup::WordReader;

namespace {

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

Verdict add_leaf(StoredState& out, std::span<const std::uint8_t> key, std::span<const std::uint8_t> value) {
    const auto slot = parse_leaf_record_key(key);
    QUARRY_REQUIRE(slot);
    if (slot.value() != out.leaves.size()) return RejectCode::slot_count_mismatch;  // a slot is missing before this one
    if (value.size() != rollup::kLeafBytes) return RejectCode::bad_length;
    WordReader r(value);
    out.leaves.push_back(rollup::read_leaf(r));
    return r.verdict();
}

Verdict add_account_key(StoredState& out, std::vector<rollup::KeyHash>& hashes, std::span<const std::uint8_t> key,
                        std::span<const std::uint8_t> value) {
    WordReader key_reader(key.subspan(1));
    hashes.push_back(key_reader.digest());
    QUARRY_REQUIRE(key_reader.verdict());
    if (key_reader.left() != 0 || value.size() != rollup::kAccountKeyBytes) return RejectCode::bad_length;
    WordReader r(value);
    out.keys.push_back(rollup::read_account_key(r));
    return r.verdict();
}

Verdict add_undo(StoredState& out, std::span<const std::uint8_t> key, std::span<const std::uint8_t> value) {
    const auto number = parse_batch_record_key(key);
    QUARRY_REQUIRE(number);
    auto batch = rollup::parse_batch_commit(value);
    QUARRY_REQUIRE(batch);
    if (batch.value().number != number.value()) return RejectCode::stale_commit;
    out.history.push_back(std::move(batch).value());
    return Accepted{};
}

Verdict add_note(StoredState& out, std::span<const std::uint8_t> key, std::span<const std::uint8_t> value) {
    const auto number = parse_batch_record_key(key);
    QUARRY_REQUIRE(number);
    if (number.value() == out.head.batch_number) out.note.assign(value.begin(), value.end());
    return Accepted{};
}

/// Everything but the three single records, which are read before.
Verdict add_record(StoredState& out, std::vector<rollup::KeyHash>& hashes, std::span<const std::uint8_t> key,
                   std::span<const std::uint8_t> value) {
    switch (RecordKind{key.empty() ? std::uint8_t{0} : key[0]}) {
        case RecordKind::leaf:
            return add_leaf(out, key, value);
        case RecordKind::account_key:
            return add_account_key(out, hashes, key, value);
        case RecordKind::undo:
            return add_undo(out, key, value);
        case RecordKind::note:
            return add_note(out, key, value);
        case RecordKind::format:
        case RecordKind::head:
        case RecordKind::parameters:
            return key.size() == 1 ? Verdict(Accepted{}) : Verdict(RejectCode::bad_length);
    }
    return RejectCode::unknown_opcode;
}

StorageError damaged(const std::string& directory, const std::string& what, RejectCode code) {
    return storage_error(StorageCode::corrupt, directory, what + ": " + rollup::reject_text(code));
}

/// The records with keys in [first, last); an empty `last` is the end of all.
std::optional<StorageError> read_range(rocksdb::DB& db, const std::string& directory, const std::string& first,
                                       const std::string& last, StoredState& out,
                                       std::vector<rollup::KeyHash>& hashes) {
    const rocksdb::Slice bound(last);
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = std::size_t{2} << 20;
    if (!last.empty()) options.iterate_upper_bound = &bound;
    const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
    for (it->Seek(first); it->Valid(); it->Next()) {
        const auto added = add_record(out, hashes, to_span(it->key()), to_span(it->value()));
        if (!added) return damaged(directory, "record " + it->key().ToString(true), added.code());
    }
    if (!it->status().ok()) return engine_error(it->status(), directory);
    return std::nullopt;
}

/// Format, parameters and head.
Stored<StoredState> read_single_records(rocksdb::DB& db, const std::string& directory) {
    const rocksdb::ReadOptions options;
    std::string value;
    const auto bytes = [&value] { return to_span(value); };
    const auto get = [&](RecordKind kind) { return db.Get(options, to_slice(record_key(kind)), &value); };

    auto status = get(RecordKind::format);
    if (status.IsNotFound()) return storage_error(StorageCode::not_a_state_directory, directory);
    if (!status.ok()) return engine_error(status, directory);
    if (const auto format = parse_format(bytes()); !format) {
        if (format.code() == RejectCode::unsupported_version)
            return storage_error(StorageCode::wrong_version, directory);
        if (format.code() == RejectCode::bad_magic) return storage_error(StorageCode::not_a_state_directory, directory);
        return damaged(directory, "format record", format.code());
    }
    StoredState out;
    status = get(RecordKind::head);
    if (status.IsNotFound()) return storage_error(StorageCode::incomplete, directory);
    if (!status.ok()) return engine_error(status, directory);
    const auto head = parse_head(bytes());
    if (!head) return damaged(directory, "head record", head.code());
    out.head = head.value();
    status = get(RecordKind::parameters);
    if (status.IsNotFound()) return storage_error(StorageCode::corrupt, directory, "the parameters are missing");
    if (!status.ok()) return engine_error(status, directory);
    const auto parameters = parse_parameters(bytes());
    if (!parameters) return damaged(directory, "parameters record", parameters.code());
    out.parameters = parameters.value();
    return out;
}

}  // namespace

StorageError engine_error(const rocksdb::Status& status, const std::string& directory) {
    const std::string text = status.ToString();
    const auto code = [&] {
        if (status.IsNoSpace()) return StorageCode::disk_full;
        if (contains(text, "While lock file") || contains(text, "lock hold by current process"))
            return StorageCode::locked_by_another_process;
        if (contains(text, "Permission denied") || contains(text, "Read-only file system"))
            return StorageCode::permission_denied;
        // Files that the engine's own records name are gone, or say what they cannot.
        if (status.IsCorruption() || status.IsPathNotFound() || status.IsInvalidArgument() || status.IsNotSupported())
            return StorageCode::corrupt;
        return StorageCode::io_error;
    }();
    return storage_error(code, directory, text);
}

Stored<StoredState> read_stored_state(rocksdb::DB& db, const std::string& directory) {
    auto single = read_single_records(db, directory);
    if (!single) return single;
    StoredState out = std::move(single).value();

    // Leaves on one core, everything else on another: they fill different members.
    constexpr char kLeaf = static_cast<char>(RecordKind::leaf);
    const std::string first_leaf{kLeaf};
    const std::string after_leaves{kLeaf + 1};
    std::vector<rollup::KeyHash> hashes;
    std::optional<StorageError> leaf_error;
    std::optional<StorageError> other_error;
    tbb::parallel_invoke(
        [&] {
            leaf_error = read_range(db, directory, first_leaf, after_leaves, out, hashes);
            rollup::set_pairs(out.leaves);
        },
        [&] {
            other_error = read_range(db, directory, {}, first_leaf, out, hashes);
            if (!other_error) other_error = read_range(db, directory, after_leaves, {}, out, hashes);
            if (!other_error && rollup::key_hashes(out.keys) != hashes)
                other_error = damaged(directory, "account keys", RejectCode::key_hash_mismatch);
        });
    if (leaf_error) return std::move(*leaf_error);
    if (other_error) return std::move(*other_error);
    if (out.leaves.size() != out.head.state.slot_count)
        return damaged(directory, "number of leaves", RejectCode::slot_count_mismatch);
    if (out.history.size() != out.head.batch_number - out.head.finalised_number)
        return damaged(directory, "number of undo records", RejectCode::stale_commit);
    return out;
}

Stored<rollup::MemoryStore> build_working_copy(rollup::Snapshot snapshot, std::vector<rollup::BatchCommit> history,
                                               const std::string& directory) {
    auto memory = rollup::MemoryStore::restore(std::move(snapshot), std::move(history));
    if (!memory) {
        if (memory.code() == RejectCode::root_mismatch) return storage_error(StorageCode::root_mismatch, directory);
        return damaged(directory, "undo records", memory.code());
    }
    return std::move(memory).value();
}

Stored<Accepted> check_published_keys(const rollup::MemoryStore& store, const std::string& directory) {
    const rollup::SlotIndex num_slots = store.state().slot_count;
    std::atomic<rollup::SlotIndex> first_missing = num_slots;
    constexpr std::size_t kGrain = 4096;
    parallel_for(num_slots, kGrain, [&](std::size_t begin, std::size_t end) {
        for (auto slot = static_cast<rollup::SlotIndex>(begin); slot < end; ++slot) {
            const auto leaf = store.leaf(slot);
            if (!leaf->key_published || store.key(leaf->owner.key_hash)) continue;
            rollup::SlotIndex known = first_missing;
            while (slot < known && !first_missing.compare_exchange_weak(known, slot)) continue;
            return;
        }
    });
    if (first_missing == num_slots) return Accepted{};
    return storage_error(StorageCode::missing_key, directory, "slot " + std::to_string(first_missing));
}

}  // namespace quarry::node
