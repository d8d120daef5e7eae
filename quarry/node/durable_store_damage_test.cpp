/// Damaged state directories: an error that says so, or the right state; never a crash, never another state.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <random>

#include "quarry/node/crash_env.hpp"
#include "quarry/node/state_loader.hpp"
#include "quarry/node/testing.hpp"

namespace quarry::node::durable_store_damage_test {
namespace {

using testing::CrashEnv;
using testing::History;
using testing::kStateDirectory;
using testing::point_of;
using testing::StorePointer;

History sample_history() {
    History h;
    h.commit(1, 15, {1});
    h.finalise(1);
    h.reopen();  // a store that was only just made leaves no log behind
    h.commit(2, 15, {2});
    h.commit(3, 15, {3});
    return h;
}

class DamagedState : public ::testing::Test {
  protected:
    void SetUp() override { make(); }
    /// The history in an otherwise empty file system, closed.
    void make() {
        env_.remove_all();
        auto created = history_.create(kStateDirectory, options_);
        ASSERT_TRUE(created.ok());
        StorePointer store = std::move(created).value();
        ASSERT_EQ(history_.run(store, 0, kStateDirectory, options_), history_.size());
    }
    /// With the engine itself, so that its own checksums hold.
    template <class Change>
    void change(Change make_change) {
        rocksdb::Options options;
        options.env = &env_;
        rocksdb::DB* db = nullptr;
        ASSERT_TRUE(rocksdb::DB::Open(options, kStateDirectory, &db).ok());
        const std::unique_ptr<rocksdb::DB> owned(db);
        make_change(*db);
    }
    void put(const Bytes& key, const Bytes& value) {
        change([&](rocksdb::DB& db) { ASSERT_TRUE(db.Put({}, to_slice(key), to_slice(value)).ok()); });
    }
    void remove(const Bytes& key) {
        change([&](rocksdb::DB& db) { ASSERT_TRUE(db.Delete({}, to_slice(key)).ok()); });
    }
    [[nodiscard]] StorageCode open_code() {
        const auto opened = DurableStore::open(kStateDirectory, options_);
        if (opened) {
            ADD_FAILURE() << "opened";
            return {};
        }
        return opened.error().code;
    }

    CrashEnv env_;
    StoreOptions options_{.read_only = false, .env = &env_};
    History history_ = sample_history();
};

TEST_F(DamagedState, RecordsOfOtherPrograms) {
    remove(record_key(RecordKind::format));
    EXPECT_EQ(open_code(), StorageCode::not_a_state_directory);
    put(record_key(RecordKind::format), {1, 2, 3, 4, 0, 0, 0, 1});
    EXPECT_EQ(open_code(), StorageCode::not_a_state_directory);
    Bytes format = encode_format();
    format.back() += 1;
    put(record_key(RecordKind::format), format);
    EXPECT_EQ(open_code(), StorageCode::wrong_version);
    format = encode_format();
    format.push_back(0);
    put(record_key(RecordKind::format), format);
    EXPECT_EQ(open_code(), StorageCode::corrupt);
    put(record_key(RecordKind::format), encode_format());
    EXPECT_TRUE(DurableStore::open(kStateDirectory, options_).ok());
}

TEST_F(DamagedState, MissingRecords) {
    remove(record_key(RecordKind::head));
    EXPECT_EQ(open_code(), StorageCode::incomplete);
    const auto code_without = [&](const Bytes& key) {
        make();
        remove(key);
        return open_code();
    };
    EXPECT_EQ(code_without(record_key(RecordKind::parameters)), StorageCode::corrupt);
    EXPECT_EQ(code_without(leaf_record_key(0)), StorageCode::corrupt);
    EXPECT_EQ(code_without(leaf_record_key(history_.points().back().state.slot_count - 1)), StorageCode::corrupt);
    EXPECT_EQ(code_without(batch_record_key(RecordKind::undo, 2)), StorageCode::corrupt);
    EXPECT_EQ(code_without(batch_record_key(RecordKind::undo, 3)), StorageCode::corrupt);
    const auto hash = rollup::key_hash(rollup::testing::make_key(0));
    EXPECT_EQ(code_without(account_key_record_key(hash)), StorageCode::missing_key);
}

TEST_F(DamagedState, RecordsTooMany) {
    const auto code_with = [&](const Bytes& key, const Bytes& value) {
        make();
        put(key, value);
        return open_code();
    };
    const rollup::testing::World world;
    const auto slot_count = history_.points().back().state.slot_count;
    EXPECT_EQ(code_with({'z'}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with({}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with({'f', 0}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with({'k', 0}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with({'l'}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with({'n', 1}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with({'u', 1}, {}), StorageCode::corrupt);
    EXPECT_EQ(code_with(leaf_record_key(slot_count), rollup::encode(*world.store.leaf(0))), StorageCode::corrupt);
    EXPECT_EQ(code_with(leaf_record_key(slot_count + 1), rollup::encode(*world.store.leaf(0))), StorageCode::corrupt);
    const auto undo =
        rollup::encode(rollup::BatchCommit{.number = 1, .before = {}, .after = {}, .changes = {}, .keys = {}});
    EXPECT_EQ(code_with(batch_record_key(RecordKind::undo, 1), undo), StorageCode::corrupt);
    EXPECT_EQ(code_with(batch_record_key(RecordKind::undo, 2), undo), StorageCode::corrupt);
}

// Every value of every record with a bit changed: refused when the store opens, or when what it says is used, or it
// changes no state (an undo record may say anything about leaves that later batches wrote, a note is opaque).
TEST_F(DamagedState, AnyBitOfAnyRecord) {
    std::vector<std::pair<std::string, std::string>> records;
    change([&](rocksdb::DB& db) {
        const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator({}));
        for (it->SeekToFirst(); it->Valid(); it->Next())
            records.emplace_back(it->key().ToString(), it->value().ToString());
    });
    std::mt19937_64 rng(5);
    std::size_t num_opened = 0;
    std::size_t num_refused = 0;
    for (const auto& [key, value] : records) {
        for (int i = 0; i < 3; ++i) {
            SCOPED_TRACE("record " + rocksdb::Slice(key).ToString(true));
            std::string changed = value;
            changed[rng() % changed.size()] ^= static_cast<char>(1 << rng() % 8);
            change([&](rocksdb::DB& db) { ASSERT_TRUE(db.Put({}, key, changed).ok()); });
            auto opened = DurableStore::open(kStateDirectory, options_);
            if (opened) {
                ++num_opened;
                const DurableStore& store = *opened.value();
                EXPECT_EQ(store.state(), history_.points().back().state);
                const auto rolled_back = opened.value()->rollback(1);
                const std::size_t step = rolled_back ? 1 : history_.points().size() - 1;
                EXPECT_EQ(store.state(), history_.points()[step].state);
                opened.value().reset();
                make();
                continue;
            }
            ++num_refused;
            change([&](rocksdb::DB& db) { ASSERT_TRUE(db.Put({}, key, value).ok()); });
        }
    }
    EXPECT_GT(num_refused, 5 * num_opened);
    EXPECT_GT(num_opened, 0);
}

// A byte of the engine's own files changed, or a file cut or gone.
TEST_F(DamagedState, AnyFile) {
    std::mt19937_64 rng(6);
    std::size_t num_refused = 0;
    for (const std::string& path : env_.files()) {
        for (int i = 0; i < 12; ++i) {
            make();
            SCOPED_TRACE(path + " try " + std::to_string(i));
            std::string& bytes = env_.content(path);
            if (bytes.empty()) continue;
            const std::size_t at = rng() % bytes.size();
            if (i == 0)
                ASSERT_TRUE(env_.DeleteFile(path).ok());
            else if (i < 4)
                bytes.resize(at);
            else
                bytes[at] ^= static_cast<char>(1 << rng() % 8);
            const auto opened = DurableStore::open(kStateDirectory, options_);
            if (!opened) {
                ++num_refused;
                continue;
            }
            const testing::Point point = point_of(*opened.value());
            if (!path.ends_with(".log")) {
                EXPECT_EQ(point, history_.points().back());
                continue;
            }
            // The end of the log cannot be told from a write that the power cut off: a shorter log is an earlier state,
            // and a wrong length of its last record is that record's loss.
            EXPECT_NE(std::ranges::find(history_.points(), point), history_.points().end());
            const bool is_cut = i < 4;
            EXPECT_TRUE(is_cut || point.batch_number + 1 >= history_.points().back().batch_number);
        }
    }
    EXPECT_GT(num_refused, 10);
}

}  // namespace
}  // namespace quarry::node::durable_store_damage_test
