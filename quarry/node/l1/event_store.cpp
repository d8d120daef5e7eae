#include "quarry/node/l1/event_store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "quarry/ethereum/rlp.hpp"

namespace quarry::node::l1 {

using ethereum::Bytes;
using ethereum::ByteView;
using ethereum::CodecCode;
using ethereum::CodecError;
using ethereum::Decoded;
using ethereum::Log;
using ethereum::RlpReader;
using ethereum::RlpWriter;

namespace {

constexpr std::size_t kMaxTopics = 4;

RlpWriter encode_log(const Log& log) {
    RlpWriter topics;
    for (const ethereum::Hash& topic : log.topics) topics.string(topic);
    RlpWriter out;
    out.address(log.address).list(topics).string(log.data);
    out.string(log.block_hash).string(log.transaction_hash).integer(log.transaction_index).integer(log.log_index);
    return out;
}

#define QUARRY_READ(expression)                         \
    do {                                                \
        const auto quarry_read_ = (expression);         \
        if (!quarry_read_) return quarry_read_.error(); \
    } while (false)

Decoded<bool> read_integer(RlpReader& in, std::uint64_t& out) {
    const auto x = in.integer64();
    if (!x) return x.error();
    out = x.value();
    return true;
}

Decoded<Log> decode_log(RlpReader in, std::uint64_t number) {
    Log log;
    log.block_number = number;
    QUARRY_READ(in.fixed(log.address.bytes));
    auto topics = in.list();
    if (!topics) return topics.error();
    while (!topics.value().at_end()) {
        if (log.topics.size() == kMaxTopics) return CodecError{CodecCode::limit_exceeded, "topics"};
        QUARRY_READ(topics.value().fixed(log.topics.emplace_back()));
    }
    const auto data = in.string();
    if (!data) return data.error();
    log.data.assign(data.value().begin(), data.value().end());
    QUARRY_READ(in.fixed(log.block_hash));
    QUARRY_READ(in.fixed(log.transaction_hash));
    QUARRY_READ(read_integer(in, log.transaction_index));
    QUARRY_READ(read_integer(in, log.log_index));
    QUARRY_READ(in.finish());
    return log;
}

class MemoryEventStore final : public EventStore {
  public:
    Stored<Content> load() override { return content_; }
    Stored<Done> write(std::optional<std::uint64_t> keep, const std::vector<StoredBlock>& blocks,
                       const ethereum::FollowCursor& cursor) override {
        if (keep) std::erase_if(content_.blocks, [&](const StoredBlock& b) { return b.number > *keep; });
        content_.blocks.insert(content_.blocks.end(), blocks.begin(), blocks.end());
        content_.cursor = cursor;
        return Done{};
    }

  private:
    Content content_;
};

constexpr std::string_view kIdentityKey = "I";
constexpr std::string_view kCursorKey = "C";

std::string block_key(std::uint64_t number) {
    std::string key = "B";
    for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
    return key;
}

rocksdb::Slice slice_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
ByteView view_of(const rocksdb::Slice& slice) {
    return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

StorageError failure(const std::string& path, const rocksdb::Status& status) {
    const auto code = status.IsCorruption() ? StorageCode::corrupt
                      : status.IsNoSpace()  ? StorageCode::disk_full
                      : status.IsBusy()     ? StorageCode::locked_by_another_process
                                            : StorageCode::io_error;
    return storage_error(code, path, status.ToString());
}

class RocksEventStore final : public EventStore {
  public:
    RocksEventStore(std::string path, std::unique_ptr<rocksdb::DB> db) : path_(std::move(path)), db_(std::move(db)) {}

    Stored<Done> identify(const std::string& identity) {
        std::string found;
        const rocksdb::Status status = db_->Get({}, std::string(kIdentityKey), &found);
        if (status.ok() && found == identity) return Done{};
        if (status.ok()) return storage_error(StorageCode::not_a_state_directory, path_, "it follows " + found);
        if (!status.IsNotFound()) return failure(path_, status);
        const rocksdb::Status written = db_->Put({}, std::string(kIdentityKey), identity);
        if (!written.ok()) return failure(path_, written);
        return Done{};
    }

    Stored<Content> load() override {
        Content content;
        const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
        for (it->Seek("B"); it->Valid() && it->key().starts_with("B"); it->Next()) {
            auto block = decode_block(view_of(it->value()));
            if (!block) return storage_error(StorageCode::corrupt, path_, block.error().where);
            content.blocks.push_back(std::move(block).value());
        }
        if (!it->status().ok()) return failure(path_, it->status());
        std::string bytes;
        const rocksdb::Status status = db_->Get({}, std::string(kCursorKey), &bytes);
        if (status.IsNotFound()) return content;
        if (!status.ok()) return failure(path_, status);
        auto cursor = ethereum::FollowCursor::decode(view_of(bytes));
        if (!cursor) return storage_error(StorageCode::corrupt, path_, "the position");
        content.cursor = std::move(cursor).value();
        return content;
    }

    Stored<Done> write(std::optional<std::uint64_t> keep, const std::vector<StoredBlock>& blocks,
                       const ethereum::FollowCursor& cursor) override {
        rocksdb::WriteBatch batch;
        if (keep) batch.DeleteRange(block_key(*keep + 1), std::string(kCursorKey));
        for (const StoredBlock& block : blocks) batch.Put(block_key(block.number), slice_of(encode(block)));
        batch.Put(std::string(kCursorKey), slice_of(cursor.encode()));
        const rocksdb::Status status = db_->Write({}, &batch);
        if (!status.ok()) return failure(path_, status);
        return Done{};
    }

  private:
    std::string path_;
    std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

Bytes encode(const StoredBlock& block) {
    RlpWriter logs;
    for (const Log& log : block.logs) logs.list(encode_log(log));
    RlpWriter out;
    out.integer(block.number).integer(block.timestamp).list(logs);
    return out.as_list();
}

Decoded<StoredBlock> decode_block(ByteView bytes) {
    RlpReader outer(bytes);
    auto fields = outer.list();
    if (!fields) return fields.error();
    QUARRY_READ(outer.finish());
    RlpReader& in = fields.value();
    StoredBlock block;
    QUARRY_READ(read_integer(in, block.number));
    QUARRY_READ(read_integer(in, block.timestamp));
    auto logs = in.list();
    if (!logs) return logs.error();
    QUARRY_READ(in.finish());
    while (!logs.value().at_end()) {
        const auto item = logs.value().list();
        if (!item) return item.error();
        auto log = decode_log(item.value(), block.number);
        if (!log) return log.error();
        block.logs.push_back(std::move(log).value());
    }
    return block;
}

#undef QUARRY_READ

Stored<std::unique_ptr<EventStore>> open_event_store(const std::string& path, const std::string& identity) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return storage_error(StorageCode::permission_denied, path, error.message());
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.allow_fallocate = false;
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.keep_log_file_num = 2;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
    if (!status.ok()) {
        const bool is_locked = status.ToString().find("lock") != std::string::npos;
        if (is_locked) return storage_error(StorageCode::locked_by_another_process, path, status.ToString());
        return failure(path, status);
    }
    auto store = std::make_unique<RocksEventStore>(path, std::unique_ptr<rocksdb::DB>(db));
    const auto identified = store->identify(identity);
    if (!identified) return identified.error();
    return std::unique_ptr<EventStore>(std::move(store));
}

std::unique_ptr<EventStore> make_memory_event_store() { return std::make_unique<MemoryEventStore>(); }

}  // namespace quarry::node::l1
