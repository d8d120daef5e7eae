#include "quarry/node/durable_store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "quarry/node/state_loader.hpp"
#include "quarry/node/state_records.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node {

using rollup::Accepted;
using rollup::RejectCode;
using rollup::Verdict;

struct DurableStore::Engine {
    std::string directory;
    std::unique_ptr<rocksdb::DB> db;  ///< null: opened for reading only
    rollup::RollupParameters parameters;
    rollup::MemoryStore memory;
    Bytes note;
    std::optional<Bytes> next_note;
    std::optional<StorageError> error;

    /// Whether a write may be tried at all.
    Verdict ready();
    /// One synced atomic write. A failure is remembered, and is the last write that is tried.
    Verdict write(rocksdb::WriteBatch& records);
    /// Creates the database and writes everything that `memory` holds into it.
    Stored<Accepted> fill(const rocksdb::Options& options, std::span<const rollup::AccountKey> keys);
    /// Makes the directory and fills it with an engine that has everything but a database.
    static Stored<std::unique_ptr<DurableStore>> start(std::unique_ptr<Engine> engine,
                                                       std::span<const rollup::AccountKey> keys,
                                                       const StoreOptions& options);
};

namespace {

constexpr std::size_t kImportBytes = std::size_t{4} << 20;  // per write of an import
constexpr int kLockAttempts = 40;
constexpr int kLockPauseMicroseconds = 50'000;

/// Without a trailing slash, so that the parent is the folder that lists it.
std::string normalised(const std::string& directory) {
    std::string path = std::filesystem::path(directory).lexically_normal().string();
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

rocksdb::Options engine_options(const StoreOptions& options) {
    rocksdb::Options r;
    r.env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    // A record that a crash cut off at the end of the log was never acknowledged; damage anywhere else must be an
    // error, where the engine's default would silently go back to the batch before it.
    r.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    r.track_and_verify_wals_in_manifest = true;
    r.compression = rocksdb::kNoCompression;  // hashes and addresses: nothing to gain
    r.allow_fallocate = false;                // 70 MB for the log of an empty state
    r.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    r.keep_log_file_num = 2;
    r.stats_dump_period_sec = 0;
    r.stats_persist_period_sec = 0;
    return r;
}

rocksdb::WriteOptions synced() {
    rocksdb::WriteOptions r;
    r.sync = true;
    return r;
}

void put(rocksdb::WriteBatch& records, const Bytes& key, const Bytes& value) {
    records.Put(to_slice(key), to_slice(value));
}
void put_leaf(rocksdb::WriteBatch& records, rollup::SlotIndex slot, const rollup::Leaf& leaf) {
    put(records, leaf_record_key(slot), rollup::encode(leaf));
}
void put_keys(rocksdb::WriteBatch& records, std::span<const rollup::AccountKey> keys) {
    const auto hashes = rollup::key_hashes(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        Bytes value;
        rollup::WordWriter w(value);
        rollup::write_account_key(w, keys[i]);
        put(records, account_key_record_key(hashes[i]), value);
    }
}
void put_head(rocksdb::WriteBatch& records, const Head& head) {
    put(records, record_key(RecordKind::head), encode(head));
}
void remove(rocksdb::WriteBatch& records, const Bytes& key) { records.Delete(to_slice(key)); }

/// The engine's lock on a directory, while in scope: no process has it open for writing.
class DirectoryLock {
  public:
    DirectoryLock(rocksdb::Env* env, std::string path) : env_(env), path_(std::move(path)) {}
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;
    ~DirectoryLock() {
        if (lock_ != nullptr) env_->UnlockFile(lock_);
    }
    /// Waits up to two seconds: other readers hold the lock only while they load.
    rocksdb::Status acquire() {
        rocksdb::Status status;
        for (int i = 0; i < kLockAttempts; ++i) {
            status = env_->LockFile(path_, &lock_);
            if (status.ok()) return status;
            lock_ = nullptr;
            if (engine_error(status, path_).code != StorageCode::locked_by_another_process) return status;
            env_->SleepForMicroseconds(kLockPauseMicroseconds);
        }
        return status;
    }

  private:
    rocksdb::Env* env_;
    std::string path_;
    rocksdb::FileLock* lock_ = nullptr;
};

/// Makes the directory, or finds it empty. Durable: the parent is synced.
Stored<Accepted> make_directory(rocksdb::Env* env, const std::string& directory) {
    std::vector<std::string> children;
    if (env->GetChildren(directory, &children).ok()) {
        std::erase_if(children, [](const std::string& name) { return name == "." || name == ".."; });
        if (!children.empty()) return storage_error(StorageCode::exists_already, directory);
        return Accepted{};
    }
    if (env->FileExists(directory).ok())
        return storage_error(StorageCode::exists_already, directory, "it is not a directory");
    auto status = env->CreateDir(directory);
    const std::string parent = std::filesystem::path(directory).parent_path().string();
    std::unique_ptr<rocksdb::Directory> handle;
    if (status.ok()) status = env->NewDirectory(parent.empty() ? "." : parent, &handle);
    if (status.ok()) status = handle->Fsync();
    if (status.IsPathNotFound()) return storage_error(StorageCode::no_such_directory, parent);
    if (!status.ok()) return engine_error(status, directory);
    return Accepted{};
}

/// Why a directory cannot be opened at all, before the engine sees (and changes) it.
std::optional<StorageError> cannot_open(rocksdb::Env* env, const std::string& directory) {
    if (env->FileExists(directory + "/CURRENT").ok()) return std::nullopt;
    std::vector<std::string> children;
    const auto status = env->GetChildren(directory, &children);
    if (status.ok()) return storage_error(StorageCode::not_a_state_directory, directory);
    if (env->FileExists(directory).ok())
        return storage_error(StorageCode::not_a_state_directory, directory, "it is not a directory");
    return storage_error(StorageCode::no_such_directory, directory);
}

}  // namespace

Verdict DurableStore::Engine::ready() {
    if (db == nullptr) {
        error = storage_error(StorageCode::read_only, directory);
    } else if (error.has_value() && error->code != StorageCode::failed_before) {
        error = storage_error(StorageCode::failed_before, directory, error->message);
    }
    return error.has_value() ? Verdict(RejectCode::storage_failed) : Verdict(Accepted{});
}

Verdict DurableStore::Engine::write(rocksdb::WriteBatch& records) {
    const auto status = db->Write(synced(), &records);
    if (status.ok()) return Accepted{};
    error = engine_error(status, directory);
    return RejectCode::storage_failed;
}

Stored<Accepted> DurableStore::Engine::fill(const rocksdb::Options& options, std::span<const rollup::AccountKey> keys) {
    rocksdb::Options create = options;
    create.create_if_missing = true;
    create.error_if_exists = true;
    rocksdb::DB* opened = nullptr;
    auto status = rocksdb::DB::Open(create, directory, &opened);
    db.reset(opened);
    if (!status.ok()) return engine_error(status, directory);

    // First of all, so that an interrupted creation is known as one.
    status = db->Put(synced(), to_slice(record_key(RecordKind::format)), to_slice(encode_format()));
    rocksdb::WriteOptions unlogged;
    unlogged.disableWAL = true;
    rocksdb::WriteBatch records;
    const auto write_unlogged = [&](bool all) {
        if (!status.ok() || (!all && records.GetDataSize() < kImportBytes)) return;
        status = db->Write(unlogged, &records);
        records.Clear();
    };
    put(records, record_key(RecordKind::parameters), encode(parameters));
    for (rollup::SlotIndex slot = 0; slot < memory.state().slot_count; ++slot) {
        put_leaf(records, slot, *memory.leaf(slot));
        write_unlogged(false);
    }
    constexpr std::size_t kKeysAtOnce = 4096;
    for (std::size_t i = 0; i < keys.size(); i += kKeysAtOnce) {
        put_keys(records, keys.subspan(i, std::min(kKeysAtOnce, keys.size() - i)));
        write_unlogged(false);
    }
    write_unlogged(true);
    if (status.ok()) status = db->Flush(rocksdb::FlushOptions());  // syncs the files, and the list of files
    if (!status.ok()) return engine_error(status, directory);
    put_head(records, {memory.batch_number(), memory.finalised_number(), memory.state()});
    status = db->Write(synced(), &records);
    if (!status.ok()) return engine_error(status, directory);
    return Accepted{};
}

Stored<std::unique_ptr<DurableStore>> DurableStore::Engine::start(std::unique_ptr<Engine> engine,
                                                                  std::span<const rollup::AccountKey> keys,
                                                                  const StoreOptions& options) {
    if (auto keyed = check_published_keys(engine->memory, engine->directory); !keyed) return keyed.error();
    const auto engine_settings = engine_options(options);
    if (auto made = make_directory(engine_settings.env, engine->directory); !made) return made.error();
    if (auto filled = engine->fill(engine_settings, keys); !filled) {
        if (engine->db != nullptr) {
            engine->db.reset();
            rocksdb::DestroyDB(engine->directory, engine_settings);  // best effort: what is left is known as incomplete
        }
        return filled.error();
    }
    return std::unique_ptr<DurableStore>(new DurableStore(std::move(engine)));
}

DurableStore::DurableStore(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
DurableStore::~DurableStore() = default;

Stored<std::unique_ptr<DurableStore>> DurableStore::create(const std::string& directory,
                                                           const rollup::RollupParameters& parameters,
                                                           std::vector<rollup::Leaf> leaves,
                                                           std::span<const rollup::AccountKey> keys,
                                                           const StoreOptions& options) {
    auto engine = std::make_unique<Engine>();
    engine->directory = normalised(directory);
    engine->parameters = parameters;
    rollup::set_pairs(leaves);
    engine->memory = rollup::MemoryStore(std::move(leaves), keys);
    if (engine->parameters.genesis_root == Digest{}) engine->parameters.genesis_root = engine->memory.state().root;
    if (engine->parameters.genesis_root != engine->memory.state().root)
        return storage_error(StorageCode::root_mismatch, engine->directory, "genesis root");
    return Engine::start(std::move(engine), keys, options);
}

Stored<std::unique_ptr<DurableStore>> DurableStore::create_from_snapshot(const std::string& directory,
                                                                         const rollup::RollupParameters& parameters,
                                                                         rollup::Snapshot snapshot,
                                                                         const StoreOptions& options) {
    auto engine = std::make_unique<Engine>();
    engine->directory = normalised(directory);
    engine->parameters = parameters;
    const std::vector<rollup::AccountKey> keys = snapshot.keys;
    rollup::set_pairs(snapshot.leaves);
    auto memory = build_working_copy(std::move(snapshot), {}, engine->directory);
    if (!memory) return memory.error();
    engine->memory = std::move(memory).value();
    return Engine::start(std::move(engine), keys, options);
}

Stored<std::unique_ptr<DurableStore>> DurableStore::open(const std::string& directory, const StoreOptions& options) {
    auto engine = std::make_unique<Engine>();
    engine->directory = normalised(directory);
    const auto engine_settings = engine_options(options);
    if (auto error = cannot_open(engine_settings.env, engine->directory)) return std::move(*error);

    std::optional<DirectoryLock> lock;
    rocksdb::DB* opened = nullptr;
    rocksdb::Status status;
    if (options.read_only) {
        lock.emplace(engine_settings.env, engine->directory + "/LOCK");
        status = lock->acquire();
        if (status.ok()) status = rocksdb::DB::OpenForReadOnly(engine_settings, engine->directory, &opened);
    } else {
        status = rocksdb::DB::Open(engine_settings, engine->directory, &opened);
    }
    engine->db.reset(opened);
    if (!status.ok()) return engine_error(status, engine->directory);
    auto stored = read_stored_state(*engine->db, engine->directory);
    if (options.read_only) {
        engine->db.reset();
        lock.reset();
    }
    if (!stored) return stored.error();
    StoredState s = std::move(stored).value();
    engine->parameters = s.parameters;
    engine->note = std::move(s.note);
    auto memory = build_working_copy({s.head.batch_number, s.head.state, std::move(s.leaves), std::move(s.keys)},
                                     std::move(s.history), engine->directory);
    if (!memory) return memory.error();
    engine->memory = std::move(memory).value();
    if (auto keyed = check_published_keys(engine->memory, engine->directory); !keyed) return keyed.error();
    return std::unique_ptr<DurableStore>(new DurableStore(std::move(engine)));
}

const rollup::RollupParameters& DurableStore::parameters() const noexcept { return engine_->parameters; }
const rollup::State& DurableStore::state() const { return engine_->memory.state(); }
std::optional<rollup::Leaf> DurableStore::leaf(rollup::SlotIndex slot) const { return engine_->memory.leaf(slot); }
std::optional<rollup::AccountKey> DurableStore::key(const rollup::KeyHash& hash) const {
    return engine_->memory.key(hash);
}
std::uint64_t DurableStore::batch_number() const { return engine_->memory.batch_number(); }
std::uint64_t DurableStore::finalised_number() const { return engine_->memory.finalised_number(); }
const rollup::StateTree& DurableStore::tree() const { return engine_->memory.tree(); }
void DurableStore::set_note(Bytes note) { engine_->next_note = std::move(note); }
const Bytes& DurableStore::note() const noexcept { return engine_->note; }
const std::optional<StorageError>& DurableStore::last_error() const noexcept { return engine_->error; }

Verdict DurableStore::commit(const rollup::BatchCommit& batch, const rollup::TreeUpdate& update) {
    QUARRY_REQUIRE(engine_->ready());
    QUARRY_REQUIRE(engine_->memory.check(batch, update));
    rocksdb::WriteBatch records;
    for (const rollup::LeafChange& change : batch.changes) put_leaf(records, change.slot, change.after.value());
    put_keys(records, batch.keys);
    put(records, batch_record_key(RecordKind::undo, batch.number), rollup::encode(batch));
    const Bytes& note = engine_->next_note ? *engine_->next_note : engine_->note;
    if (!note.empty()) put(records, batch_record_key(RecordKind::note, batch.number), note);
    put_head(records, {batch.number, finalised_number(), batch.after});
    QUARRY_REQUIRE(engine_->write(records));

    QUARRY_CHECK(engine_->memory.commit(batch, update).ok());
    if (engine_->next_note) engine_->note = std::move(*engine_->next_note);
    engine_->next_note.reset();
    return Accepted{};
}

Verdict DurableStore::rollback(std::uint64_t number) {
    QUARRY_REQUIRE(engine_->ready());
    const auto plan = engine_->memory.plan_rollback(number);
    QUARRY_REQUIRE(plan);
    if (number == batch_number()) return Accepted{};
    rocksdb::WriteBatch records;
    for (const rollup::LeafChange& change : plan.value().changes) {
        if (change.after)
            put_leaf(records, change.slot, *change.after);
        else
            remove(records, leaf_record_key(change.slot));
    }
    for (std::uint64_t i = number + 1; i <= batch_number(); ++i) {
        remove(records, batch_record_key(RecordKind::undo, i));
        remove(records, batch_record_key(RecordKind::note, i));
    }
    put_head(records, {number, finalised_number(), plan.value().state});
    std::string note;
    const Bytes note_key = batch_record_key(RecordKind::note, number);
    const auto status = engine_->db->Get(rocksdb::ReadOptions(), to_slice(note_key), &note);
    if (!status.ok() && !status.IsNotFound()) {
        engine_->error = engine_error(status, engine_->directory);
        return RejectCode::storage_failed;
    }
    QUARRY_REQUIRE(engine_->write(records));

    engine_->memory.apply(plan.value());
    engine_->note.assign(note.begin(), note.end());
    return Accepted{};
}

Verdict DurableStore::finalise(std::uint64_t number) {
    QUARRY_REQUIRE(engine_->ready());
    if (number > batch_number()) return RejectCode::not_reversible;
    if (number <= finalised_number()) return Accepted{};
    rocksdb::WriteBatch records;
    for (std::uint64_t i = finalised_number(); i < number; ++i) {
        remove(records, batch_record_key(RecordKind::undo, i + 1));
        remove(records, batch_record_key(RecordKind::note, i));
    }
    put_head(records, {batch_number(), number, state()});
    QUARRY_REQUIRE(engine_->write(records));
    QUARRY_CHECK(engine_->memory.finalise(number).ok());
    return Accepted{};
}

rollup::Checked<rollup::MemoryStore> DurableStore::before_batch(std::uint64_t number) const {
    if (number == 0) return RejectCode::not_reversible;
    const auto plan = engine_->memory.plan_rollback(number - 1);
    QUARRY_REQUIRE(plan);
    rollup::MemoryStore copy = engine_->memory;
    copy.apply(plan.value());
    return copy;
}

}  // namespace quarry::node
