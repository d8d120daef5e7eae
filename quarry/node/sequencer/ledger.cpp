#include "quarry/node/sequencer/ledger.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <mutex>

#include "quarry/node/state_loader.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node::sequencer {
namespace {

constexpr char kFormat = 'f';
constexpr char kOperation = 'o';
constexpr char kWaiting = 'w';
constexpr char kOrder = 'x';
constexpr char kReturned = 'r';
constexpr char kBatch = 'b';

Bytes numbered_key(char kind, std::uint64_t number) {
    Bytes key{static_cast<std::uint8_t>(kind)};
    rollup::WordWriter(key).integer(number);
    return key;
}
Bytes operation_key(const Digest& id) {
    Bytes key{static_cast<std::uint8_t>(kOperation)};
    rollup::WordWriter(key).elements(id);
    return key;
}
std::optional<Digest> parse_id(std::span<const std::uint8_t> bytes) {
    rollup::WordReader reader(bytes);
    const Digest id = reader.digest();
    if (!reader.verdict() || reader.left() != 0) return std::nullopt;
    return id;
}
std::uint64_t number_of(const rocksdb::Slice& key) {
    return rollup::WordReader(to_span(key).subspan(1)).integer<std::uint64_t>();
}
Bytes format_record(const Digest& domain) {
    Bytes bytes;
    rollup::WordWriter w(bytes);
    w.integer(kLedgerMagic);
    w.elements(domain);
    return bytes;
}

rocksdb::Options ledger_options(rocksdb::Env* env) {
    rocksdb::Options r;
    r.env = env != nullptr ? env : rocksdb::Env::Default();
    r.create_if_missing = true;
    // As for the state: a torn end of the log was never acknowledged, other damage is an error.
    r.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    r.track_and_verify_wals_in_manifest = true;
    r.compression = rocksdb::kNoCompression;
    r.allow_fallocate = false;
    r.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    r.keep_log_file_num = 2;
    r.stats_dump_period_sec = 0;
    r.stats_persist_period_sec = 0;
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // most ids that are looked up are new
    r.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return r;
}

/// A new folder is there after a power failure only if the one that lists it is synced.
rocksdb::Status make_directory(rocksdb::Env* env, const std::string& directory) {
    if (env->FileExists(directory + "/CURRENT").ok()) return rocksdb::Status::OK();
    auto status = env->CreateDirIfMissing(directory);
    const std::string parent = std::filesystem::path(directory).lexically_normal().parent_path().string();
    std::unique_ptr<rocksdb::Directory> handle;
    if (status.ok()) status = env->NewDirectory(parent.empty() ? "." : parent, &handle);
    if (status.ok()) status = handle->Fsync();
    return status;
}

}  // namespace

struct Ledger::Engine {
    std::string directory;
    std::unique_ptr<rocksdb::DB> db;
    bool failed = false;

    mutable std::mutex mutex;
    mutable std::optional<StorageError> read_failure;

    StorageError note_failure(StorageError error) const {
        const std::scoped_lock lock(mutex);
        if (!read_failure) read_failure = error;
        return error;
    }
    StorageError damaged(const char* what) const {
        return note_failure(storage_error(StorageCode::corrupt, directory, what));
    }

    /// The record under a key. No value: there is none.
    template <class T>
    Stored<std::optional<T>> get(const Bytes& key, std::optional<T> (*parse)(std::span<const std::uint8_t>)) const {
        rocksdb::PinnableSlice value;
        const auto status = db->Get(rocksdb::ReadOptions(), db->DefaultColumnFamily(), to_slice(key), &value);
        if (status.IsNotFound()) return std::optional<T>();
        if (!status.ok()) return note_failure(engine_error(status, directory));
        auto record = parse(to_span(value));
        if (!record) return damaged("a record");
        return record;
    }

    /// Calls with the numbers and records from `first` on of a kind, rising, until the call returns false.
    template <class T>
    Stored<rollup::Accepted> scan(char kind, std::uint64_t first,
                                  std::optional<T> (*parse)(std::span<const std::uint8_t>),
                                  const std::function<bool(std::uint64_t, T)>& call) const {
        const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(rocksdb::ReadOptions()));
        const Bytes start = numbered_key(kind, first);
        for (it->Seek(to_slice(start)); it->Valid() && it->key()[0] == kind; it->Next()) {
            if (it->key().size() != start.size()) return damaged("a key");
            auto record = parse(to_span(it->value()));
            if (!record) return damaged("a record");
            if (!call(number_of(it->key()), *std::move(record))) break;
        }
        if (!it->status().ok()) return note_failure(engine_error(it->status(), directory));
        return rollup::Accepted{};
    }

    /// The same; the numbers have no gaps from the first one on.
    Stored<rollup::Accepted> scan_steps(char kind, std::uint64_t first, std::optional<std::uint64_t> expected,
                                        const std::function<bool(std::uint64_t, OrderEntry)>& call) const {
        bool has_gap = false;
        auto scanned = scan<OrderEntry>(kind, first, parse_order_entry, [&](std::uint64_t number, OrderEntry entry) {
            has_gap = expected.value_or(number) != number;
            expected = number + 1;
            return !has_gap && call(number, std::move(entry));
        });
        if (has_gap) return damaged("a gap in the order of steps");
        return scanned;
    }
};

Ledger::Ledger(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Ledger::~Ledger() = default;

Stored<std::unique_ptr<Ledger>> Ledger::open(const std::string& directory, const Digest& domain, rocksdb::Env* env) {
    auto engine = std::make_unique<Engine>();
    engine->directory = directory;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Options options = ledger_options(env);
    auto status = make_directory(options.env, directory);
    if (status.ok()) status = rocksdb::DB::Open(options, directory, &opened);
    engine->db.reset(opened);
    if (!status.ok()) return engine_error(status, directory);
    std::string format;
    status = engine->db->Get(rocksdb::ReadOptions(), std::string(1, kFormat), &format);
    const Bytes expected = format_record(domain);
    if (status.IsNotFound()) {
        rocksdb::WriteOptions synced;
        synced.sync = true;
        status = engine->db->Put(synced, std::string(1, kFormat), to_slice(expected));
    } else if (status.ok() && rocksdb::Slice(format) != to_slice(expected)) {
        return storage_error(StorageCode::not_a_state_directory, directory, "a ledger of another rollup or format");
    }
    if (!status.ok()) return engine_error(status, directory);
    return std::unique_ptr<Ledger>(new Ledger(std::move(engine)));
}

Stored<rollup::Accepted> Ledger::write(const LedgerChanges& changes) {
    if (engine_->failed) return storage_error(StorageCode::failed_before, engine_->directory);
    rocksdb::WriteBatch records;
    const auto put = [&](const Bytes& key, const Bytes& value) { records.Put(to_slice(key), to_slice(value)); };
    const auto remove = [&](const Bytes& key) { records.Delete(to_slice(key)); };
    for (const LedgerChanges::Operation& operation : changes.operations) {
        const OperationRecord& record = operation.record;
        put(operation_key(operation.id), encode(record));
        const bool waits = record.state == OperationState::waiting || record.state == OperationState::reverted;
        if (operation.waited_as && (!waits || *operation.waited_as != record.sequence))
            remove(numbered_key(kWaiting, *operation.waited_as));
        Bytes id;
        rollup::WordWriter(id).elements(operation.id);
        if (waits) put(numbered_key(kWaiting, record.sequence), id);
    }
    for (const Digest& id : changes.forgotten) remove(operation_key(id));
    for (const std::uint64_t position : changes.removed_order) remove(numbered_key(kOrder, position));
    for (const auto& [position, entry] : changes.order) put(numbered_key(kOrder, position), encode(entry));
    for (const std::uint64_t number : changes.removed_returned) remove(numbered_key(kReturned, number));
    for (const auto& [number, entry] : changes.returned) put(numbered_key(kReturned, number), encode(entry));
    for (const std::uint64_t number : changes.removed_batches) remove(numbered_key(kBatch, number));
    for (const BatchRecord& batch : changes.batches) put(numbered_key(kBatch, batch.header.number), encode(batch));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto status = engine_->db->Write(synced, &records);
    if (status.ok()) return rollup::Accepted{};
    engine_->failed = true;
    return engine_error(status, engine_->directory);
}

std::optional<StorageError> Ledger::read_failure() const {
    const std::scoped_lock lock(engine_->mutex);
    return engine_->read_failure;
}

Stored<std::optional<OperationRecord>> Ledger::operation(const Digest& id) const {
    return engine_->get<OperationRecord>(operation_key(id), parse_operation_record);
}

Stored<std::optional<BatchRecord>> Ledger::batch(std::uint64_t number) const {
    return engine_->get<BatchRecord>(numbered_key(kBatch, number), parse_batch_record);
}

Stored<rollup::Accepted> Ledger::for_each_step(
    std::uint64_t first, const std::function<bool(std::uint64_t, const OrderEntry&)>& call) const {
    return engine_->scan_steps(kOrder, first, first, call);
}

Stored<std::vector<std::pair<std::uint64_t, OrderEntry>>> Ledger::returned() const {
    std::vector<std::pair<std::uint64_t, OrderEntry>> steps;
    const auto scanned = engine_->scan_steps(kReturned, 0, std::nullopt, [&](std::uint64_t number, OrderEntry entry) {
        steps.emplace_back(number, std::move(entry));
        return true;
    });
    if (!scanned) return scanned.error();
    return steps;
}

Stored<std::vector<BatchRecord>> Ledger::batches_from(std::uint64_t first) const {
    std::vector<BatchRecord> batches;
    const auto scanned =
        engine_->scan<BatchRecord>(kBatch, first, parse_batch_record, [&](std::uint64_t, BatchRecord record) {
            batches.push_back(std::move(record));
            return true;
        });
    if (!scanned) return scanned.error();
    return batches;
}

Stored<std::vector<Digest>> Ledger::waiting() const {
    std::vector<Digest> ids;
    const auto scanned = engine_->scan<Digest>(kWaiting, 0, parse_id, [&](std::uint64_t, const Digest& id) {
        ids.push_back(id);
        return true;
    });
    if (!scanned) return scanned.error();
    return ids;
}

std::uint64_t Ledger::size_bytes() const {
    std::uint64_t files = 0;
    std::uint64_t memory = 0;
    engine_->db->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &files);
    engine_->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
    return files + memory;
}

}  // namespace quarry::node::sequencer
