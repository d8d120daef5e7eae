/// Power failures, full disks and kill -9: what was acknowledged is there, what was not is there wholly or not at all.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <random>

#include "quarry/node/crash_env.hpp"
#include "quarry/node/testing.hpp"

namespace quarry::node::durable_store_crash_test {
namespace {

using testing::CrashEnv;
using testing::History;
using testing::kStateDirectory;
using testing::Loss;
using testing::point_of;
using testing::snapshot_bytes;
using testing::StorePointer;

/// Every kind of write, a batch that spans several blocks of the engine's log, and a restart in the middle.
History sample_history() {
    History h;
    h.commit(1, 12, {1});
    h.commit(2, 300, {});
    h.commit(3, 12, {3, 3});
    h.finalise(1);
    h.commit(4, 12, {4});
    h.reopen();
    h.rollback(2);
    h.commit(5, 12, {5});
    h.commit(6, 12, {6});
    h.finalise(3);
    return h;
}

std::unique_ptr<rocksdb::DB> open_engine(const rocksdb::Options& options, const std::string& directory) {
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, directory, &db);
    QUARRY_CHECK(status.ok());
    return std::unique_ptr<rocksdb::DB>(db);
}

/// Runs the history in `env` until it fails, and returns the number of acknowledged steps; no value if not even the
/// state was made.
std::optional<std::size_t> run_until_failure(const History& history, CrashEnv& env) {
    const StoreOptions options{.read_only = false, .env = &env};
    auto created = history.create(kStateDirectory, options);
    if (!created) return std::nullopt;
    StorePointer store = std::move(created).value();
    return history.run(store, 0, kStateDirectory, options);
}

/// After a failure: the store is after `acknowledged` steps or one more, and goes on to the end from there.
void expect_recovery(const History& history, CrashEnv& env, std::optional<std::size_t> acknowledged) {
    const StoreOptions options{.read_only = false, .env = &env};
    auto opened = DurableStore::open(kStateDirectory, options);
    if (!opened) {
        const StorageCode code = opened.error().code;
        ASSERT_FALSE(acknowledged.has_value()) << opened.error().message;
        ASSERT_TRUE(code == StorageCode::no_such_directory || code == StorageCode::not_a_state_directory ||
                    code == StorageCode::incomplete)
            << opened.error().message;
        env.remove_all();
        opened = history.create(kStateDirectory, options);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
    }
    StorePointer store = std::move(opened).value();
    std::size_t step = acknowledged.value_or(0);
    if (point_of(*store) != history.points()[step]) ++step;
    ASSERT_LT(step, history.points().size());
    ASSERT_EQ(point_of(*store), history.points()[step]) << "neither before nor after step " << step;
    ASSERT_EQ(history.run(store, step, kStateDirectory, options), history.size());
    ASSERT_EQ(point_of(*store), history.points().back());
    ASSERT_EQ(snapshot_bytes(*store, 0), snapshot_bytes(history.world().store, 0));
}

/// Fails at every event in turn, until a run needs fewer events than that.
void fail_everywhere(Loss loss) {
    const History history = sample_history();
    std::mt19937_64 rng(7);
    std::size_t num_unfinished = 0;
    for (std::uint64_t limit = 0;; ++limit) {
        SCOPED_TRACE("power off at event " + std::to_string(limit));
        CrashEnv env;
        env.fail_from(limit);
        const auto acknowledged = run_until_failure(history, env);
        if (env.num_events() < limit) break;
        num_unfinished += acknowledged.has_value() && *acknowledged < history.size() ? 1 : 0;
        env.crash(loss, rng);
        if (limit % 2 == 1) {  // and once more while it recovers
            env.fail_from(env.num_events() + rng() % 20);
            (void)DurableStore::open(kStateDirectory, {.read_only = false, .env = &env});
            env.crash(loss, rng);
        }
        expect_recovery(history, env, acknowledged);
        if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(num_unfinished, 2 * history.size()) << "the history hardly touches the disk";
}

TEST(DurableStoreCrash, PowerFailureLosesUnsyncedBytes) { fail_everywhere(Loss::everything); }
TEST(DurableStoreCrash, PowerFailureTearsFiles) { fail_everywhere(Loss::tails); }
TEST(DurableStoreCrash, ProcessDies) { fail_everywhere(Loss::nothing); }

// The tests above would notice a missing sync: without one, this file system forgets the write.
TEST(DurableStoreCrash, TheFileSystemForgetsWhatWasNotSynced) {
    for (const bool sync : {false, true}) {
        CrashEnv env;
        std::mt19937_64 rng(1);
        rocksdb::Options options;
        options.env = &env;
        options.create_if_missing = true;
        rocksdb::WriteOptions write;
        std::string value;
        ASSERT_TRUE(env.CreateDir(kStateDirectory).ok());
        std::unique_ptr<rocksdb::Directory> parent;
        ASSERT_TRUE(env.NewDirectory("/", &parent).ok());
        ASSERT_TRUE(parent->Fsync().ok());
        {
            const auto db = open_engine(options, kStateDirectory);
            write.sync = true;
            ASSERT_TRUE(db->Put(write, "first", "1").ok());
            write.sync = sync;
            ASSERT_TRUE(db->Put(write, "second", "2").ok());
        }
        env.crash(Loss::everything, rng);
        const auto db = open_engine(options, kStateDirectory);
        EXPECT_TRUE(db->Get({}, "first", &value).ok());
        EXPECT_EQ(db->Get({}, "second", &value).ok(), sync);
    }
}

/// A full disk from event `limit` on: the write that fails changes nothing in memory, later ones are refused, and once
/// there is space the store opens where it was. Returns whether the history ran through.
bool fill_disk_at(const History& history, std::uint64_t limit) {
    CrashEnv env;
    const StoreOptions options{.read_only = false, .env = &env};
    env.fail_from(limit, true);
    auto created = history.create(kStateDirectory, options);
    if (!created) {
        EXPECT_EQ(created.error().code, StorageCode::disk_full) << created.error().message;
        env.fail_from(CrashEnv::kNever);
        expect_recovery(history, env, std::nullopt);
        return false;
    }
    StorePointer store = std::move(created).value();
    const std::size_t done = history.run(store, 0, kStateDirectory, options);
    if (done == history.size()) return true;
    if (store != nullptr) {  // else the step was to open it again
        EXPECT_EQ(point_of(*store), history.points()[done]);
        EXPECT_EQ(store->last_error()->code, StorageCode::disk_full) << store->last_error()->message;
        EXPECT_EQ(store->finalise(store->batch_number()).code(), rollup::RejectCode::storage_failed);
        EXPECT_EQ(store->last_error()->code, StorageCode::failed_before);
        EXPECT_EQ(point_of(*store), history.points()[done]);
        store.reset();
    }
    env.fail_from(CrashEnv::kNever);
    expect_recovery(history, env, done);
    return false;
}

TEST(DurableStoreCrash, DiskFull) {
    const History history = sample_history();
    std::uint64_t limit = 0;
    while (!fill_disk_at(history, limit) && !::testing::Test::HasFailure()) ++limit;
    EXPECT_GT(limit, 20);
}

}  // namespace
}  // namespace quarry::node::durable_store_crash_test
