#include "quarry/node/sequencer/ledger.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <filesystem>

#include "quarry/node/state_loader.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node::sequencer {
namespace {

constexpr char kFormat = 'f';
constexpr char kOperation = 'o';
constexpr char kWaiting = 'w';
constexpr char kOrder = 'x';
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

    /// From the first key at or after `first`, while its kind is that of `first`.
    void scan(const Bytes& first, const std::function<bool(const rocksdb::Iterator&)>& call) const {
        const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(rocksdb::ReadOptions()));
        for (it->Seek(to_slice(first)); it->Valid() && it->key()[0] == static_cast<char>(first[0]); it->Next()) {
            if (it->key().size() != first.size() || !call(*it)) return;
        }
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
    for (const std::uint64_t number : changes.removed_batches) remove(numbered_key(kBatch, number));
    for (const BatchRecord& batch : changes.batches) put(numbered_key(kBatch, batch.header.number), encode(batch));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto status = engine_->db->Write(synced, &records);
    if (status.ok()) return rollup::Accepted{};
    engine_->failed = true;
    return engine_error(status, engine_->directory);
}

std::optional<OperationRecord> Ledger::operation(const Digest& id) const {
    rocksdb::PinnableSlice value;
    const auto status = engine_->db->Get(rocksdb::ReadOptions(), engine_->db->DefaultColumnFamily(),
                                         to_slice(operation_key(id)), &value);
    if (!status.ok()) return std::nullopt;
    return parse_operation_record(to_span(value));
}

std::optional<BatchRecord> Ledger::batch(std::uint64_t number) const {
    std::string value;
    if (!engine_->db->Get(rocksdb::ReadOptions(), to_slice(numbered_key(kBatch, number)), &value).ok())
        return std::nullopt;
    return parse_batch_record(to_span(value));
}

void Ledger::for_each_step(std::uint64_t first,
                           const std::function<bool(std::uint64_t, const OrderEntry&)>& call) const {
    std::uint64_t expected = first;
    engine_->scan(numbered_key(kOrder, first), [&](const rocksdb::Iterator& it) {
        if (number_of(it.key()) != expected) return false;
        const auto entry = parse_order_entry(to_span(it.value()));
        return entry && call(expected++, *entry);
    });
}

std::vector<BatchRecord> Ledger::batches_from(std::uint64_t first) const {
    std::vector<BatchRecord> r;
    engine_->scan(numbered_key(kBatch, first), [&](const rocksdb::Iterator& it) {
        auto record = parse_batch_record(to_span(it.value()));
        if (record) r.push_back(std::move(*record));
        return record.has_value();
    });
    return r;
}

std::uint64_t Ledger::order_end() const {
    const std::unique_ptr<rocksdb::Iterator> it(engine_->db->NewIterator(rocksdb::ReadOptions()));
    it->SeekForPrev(to_slice(numbered_key(kOrder, ~std::uint64_t{0})));
    return it->Valid() && it->key()[0] == kOrder ? number_of(it->key()) + 1 : 0;
}

std::vector<Digest> Ledger::waiting() const {
    std::vector<Digest> r;
    engine_->scan(numbered_key(kWaiting, 0), [&](const rocksdb::Iterator& it) {
        rollup::WordReader reader(to_span(it.value()));
        r.push_back(reader.digest());
        return reader.verdict().ok();
    });
    return r;
}

std::uint64_t Ledger::size_bytes() const {
    std::uint64_t files = 0;
    std::uint64_t memory = 0;
    engine_->db->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &files);
    engine_->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
    return files + memory;
}

}  // namespace quarry::node::sequencer
