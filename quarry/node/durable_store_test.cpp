/// A durable store is a memory store that can be opened again.
#include "quarry/node/durable_store.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/node/crash_env.hpp"
#include "quarry/node/testing.hpp"

namespace quarry::node::durable_store_test {
namespace {

using rollup::RejectCode;
using rollup::testing::World;
using testing::CrashEnv;
using testing::kStateDirectory;
using testing::random_batch;
using testing::snapshot_bytes;
using testing::StorePointer;

void expect_same_state(const rollup::StateStore& store, const rollup::MemoryStore& expected) {
    ASSERT_EQ(store.state(), expected.state());
    ASSERT_EQ(store.batch_number(), expected.batch_number());
    ASSERT_EQ(store.tree().root(), expected.tree().root());
    // Keys that no slot uses any more may be there or not.
    for (rollup::SlotIndex slot = 0; slot < expected.state().slot_count + 2; ++slot) {
        const auto leaf = expected.leaf(slot);
        ASSERT_EQ(store.leaf(slot), leaf) << slot;
        if (!leaf || !leaf->key_published) continue;
        ASSERT_TRUE(store.key(leaf->owner.key_hash).has_value()) << slot;
        ASSERT_EQ(store.key(leaf->owner.key_hash), expected.key(leaf->owner.key_hash)) << slot;
    }
}

void expect_equal(const rollup::StateStore& store, const rollup::MemoryStore& expected) {
    expect_same_state(store, expected);
    ASSERT_EQ(store.finalised_number(), expected.finalised_number());
}

class DurableStoreTest : public ::testing::Test {
  protected:
    [[nodiscard]] StoreOptions options(bool read_only = false) { return {.read_only = read_only, .env = &env_}; }
    [[nodiscard]] StorePointer create() {
        auto created =
            DurableStore::create(kStateDirectory, world_.parameters, World::leaves(), World::keys(), options());
        QUARRY_CHECK(created.ok());
        return std::move(created).value();
    }
    [[nodiscard]] StorePointer open(bool read_only = false) {
        auto opened = DurableStore::open(kStateDirectory, options(read_only));
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        return std::move(opened).value();
    }
    [[nodiscard]] StorageCode open_code(bool read_only = false) {
        const auto opened = DurableStore::open(kStateDirectory, options(read_only));
        QUARRY_CHECK(!opened.ok());
        EXPECT_TRUE(opened.error().message.starts_with(kStateDirectory + ": ")) << opened.error().message;
        EXPECT_EQ(opened.error().message.find('\n'), std::string::npos);
        return opened.error().code;
    }
    /// A batch on both stores.
    void commit(DurableStore& store, std::uint64_t seed) {
        const auto batch = random_batch(world_, seed, 20);
        ASSERT_TRUE(store.commit(batch.commit, batch.update).ok());
        ASSERT_TRUE(world_.store.commit(batch.commit, batch.update).ok());
    }

    CrashEnv env_;
    World world_;  ///< its store is what the durable one must equal
};

TEST_F(DurableStoreTest, FollowsAMemoryStore) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        SCOPED_TRACE(seed);
        env_.remove_all();
        world_ = World();
        StorePointer store = create();
        std::vector<rollup::MemoryStore> before;  // batch i + 1
        std::mt19937_64 rng(seed);
        for (std::uint64_t i = 0; i < 25; ++i) {
            const auto choice = rng() % 8;
            const std::uint64_t number = rng() % (store->batch_number() + 2);
            if (choice == 0) {
                const auto verdict = store->rollback(number);
                EXPECT_EQ(verdict.ok(), world_.store.rollback(number).ok());
                EXPECT_TRUE(verdict.ok() || verdict.code() == RejectCode::not_reversible);
                before.resize(store->batch_number(), rollup::MemoryStore());
            } else if (choice == 1) {
                const auto verdict = store->finalise(number / 2);
                EXPECT_EQ(verdict.ok(), world_.store.finalise(number / 2).ok());
            } else if (choice == 2) {
                store.reset();
                store = open(i % 2 == 0);
                if (i % 2 == 0) store = open();
            } else {
                before.push_back(world_.store);
                commit(*store, 100 * seed + i);
            }
            expect_equal(*store, world_.store);
            if (HasFatalFailure()) return;
            if (number > store->finalised_number() && number <= store->batch_number())
                expect_same_state(store->before_batch(number).value(), before[number - 1]);
        }
        EXPECT_EQ(store->parameters(), world_.parameters);
    }
}

TEST_F(DurableStoreTest, BeforeBatchIsIndependent) {
    StorePointer store = create();
    for (std::uint64_t i = 1; i <= 3; ++i) commit(*store, i);
    const auto state = store->state();
    rollup::MemoryStore first = store->before_batch(1).value();
    EXPECT_EQ(first.state().root, world_.parameters.genesis_root);
    EXPECT_EQ(store->before_batch(4).value().state(), state) << "before the next batch: now";
    EXPECT_EQ(store->before_batch(0).code(), RejectCode::not_reversible);
    EXPECT_EQ(store->before_batch(5).code(), RejectCode::not_reversible);
    ASSERT_TRUE(store->finalise(1).ok());
    EXPECT_EQ(store->before_batch(1).code(), RejectCode::not_reversible);
    EXPECT_TRUE(store->before_batch(2).ok());
    EXPECT_EQ(store->state(), state);
}

TEST_F(DurableStoreTest, RefusalsChangeNothing) {
    StorePointer store = create();
    commit(*store, 1);
    const auto batch = random_batch(world_, 2, 20);
    auto wrong = batch;
    wrong.commit.number = 3;
    EXPECT_EQ(store->commit(wrong.commit, wrong.update).code(), RejectCode::stale_commit);
    wrong = batch;
    wrong.commit.before.deposit_cursor += 1;
    EXPECT_EQ(store->commit(wrong.commit, wrong.update).code(), RejectCode::stale_commit);
    wrong = batch;
    wrong.commit.after.root[0] += KoalaBear(1u);
    EXPECT_EQ(store->commit(wrong.commit, wrong.update).code(), RejectCode::root_mismatch);
    wrong = batch;
    std::swap(wrong.commit.changes[0], wrong.commit.changes[1]);
    EXPECT_EQ(store->commit(wrong.commit, wrong.update).code(), RejectCode::stale_commit);
    EXPECT_EQ(store->rollback(2).code(), RejectCode::not_reversible);
    EXPECT_EQ(store->finalise(2).code(), RejectCode::not_reversible);
    EXPECT_FALSE(store->last_error().has_value());
    expect_equal(*store, world_.store);
    store.reset();
    store = open();
    expect_equal(*store, world_.store);
    EXPECT_TRUE(store->commit(batch.commit, batch.update).ok());
}

TEST_F(DurableStoreTest, NotesBelongToTheirState) {
    using Note = std::vector<std::uint8_t>;
    StorePointer store = create();
    EXPECT_TRUE(store->note().empty());
    commit(*store, 1);
    EXPECT_TRUE(store->note().empty());
    store->set_note({1, 2, 3});
    EXPECT_TRUE(store->note().empty()) << "stored by the next commit, not before";
    commit(*store, 2);
    EXPECT_EQ(store->note(), (Note{1, 2, 3}));
    commit(*store, 3);
    EXPECT_EQ(store->note(), (Note{1, 2, 3})) << "kept until another is set";
    store->set_note({4});
    commit(*store, 4);
    store.reset();
    store = open();
    EXPECT_EQ(store->note(), (Note{4}));
    ASSERT_TRUE(store->rollback(3).ok());
    EXPECT_EQ(store->note(), (Note{1, 2, 3}));
    ASSERT_TRUE(store->finalise(2).ok());
    ASSERT_TRUE(store->rollback(2).ok());
    EXPECT_EQ(store->note(), (Note{1, 2, 3})) << "the note of the finalised batch is kept";
    store.reset();
    EXPECT_EQ(open()->note(), (Note{1, 2, 3}));
}

TEST_F(DurableStoreTest, Snapshots) {
    StorePointer store = create();
    for (std::uint64_t i = 1; i <= 3; ++i) commit(*store, i);
    const auto bytes = snapshot_bytes(*store, store->batch_number());
    const auto snapshot = rollup::parse_snapshot(bytes);
    ASSERT_TRUE(snapshot.ok());
    const std::string other = "/other";
    auto created = DurableStore::create_from_snapshot(other, store->parameters(), snapshot.value(), options());
    ASSERT_TRUE(created.ok()) << created.error().message;
    created.value().reset();
    auto opened = DurableStore::open(other, options());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    StorePointer copy = std::move(opened).value();
    EXPECT_EQ(copy->parameters(), store->parameters());
    EXPECT_EQ(copy->finalised_number(), 3);
    EXPECT_EQ(snapshot_bytes(*copy, 3), bytes);
    const auto batch = random_batch(world_, 9, 20);
    EXPECT_TRUE(copy->commit(batch.commit, batch.update).ok());
    EXPECT_TRUE(store->commit(batch.commit, batch.update).ok());
    EXPECT_EQ(copy->state(), store->state());

    rollup::Snapshot wrong = snapshot.value();
    wrong.leaves[0].nonce += 1;
    EXPECT_EQ(DurableStore::create_from_snapshot("/w", store->parameters(), wrong, options()).error().code,
              StorageCode::root_mismatch);
    wrong = snapshot.value();
    wrong.keys.pop_back();
    EXPECT_EQ(DurableStore::create_from_snapshot("/w", store->parameters(), wrong, options()).error().code,
              StorageCode::missing_key);
    EXPECT_TRUE(env_.FileExists("/w").IsNotFound()) << "nothing is made before everything is checked";
}

TEST_F(DurableStoreTest, CreateFillsInTheGenesisRoot) {
    auto parameters = world_.parameters;
    parameters.genesis_root = {};
    {
        const auto created =
            DurableStore::create(kStateDirectory, parameters, World::leaves(), World::keys(), options());
        ASSERT_TRUE(created.ok());
        EXPECT_EQ(created.value()->parameters(), world_.parameters);
    }
    EXPECT_EQ(open()->parameters(), world_.parameters);
    parameters.genesis_root[7] = KoalaBear(1u);
    const auto code = [&](const std::string& directory, const auto& keys) {
        return DurableStore::create(directory, parameters, World::leaves(), keys, options()).error().code;
    };
    EXPECT_EQ(code("/x", World::keys()), StorageCode::root_mismatch);
    parameters.genesis_root = {};
    EXPECT_EQ(code("/x", std::vector<rollup::AccountKey>{}), StorageCode::missing_key);
    EXPECT_EQ(code(kStateDirectory, World::keys()), StorageCode::exists_already);
    EXPECT_EQ(code("/missing/x", World::keys()), StorageCode::no_such_directory);
}

TEST_F(DurableStoreTest, OneWriterOrManyReaders) {
    {
        const StorePointer store = create();
        EXPECT_EQ(open_code(), StorageCode::locked_by_another_process);
        EXPECT_EQ(open_code(true), StorageCode::locked_by_another_process);
    }
    const StorePointer first = open(true);
    const StorePointer second = open(true);
    const auto batch = random_batch(world_, 1, 20);
    EXPECT_EQ(first->commit(batch.commit, batch.update).code(), RejectCode::storage_failed);
    EXPECT_EQ(first->last_error()->code, StorageCode::read_only);
    EXPECT_EQ(first->rollback(0).code(), RejectCode::storage_failed);
    EXPECT_EQ(first->finalise(0).code(), RejectCode::storage_failed);
    expect_equal(*first, world_.store);
    commit(*open(), 2);  // readers have loaded all: they hold nothing
    EXPECT_EQ(first->batch_number(), 0);
    EXPECT_EQ(open(true)->batch_number(), 1);
}

TEST_F(DurableStoreTest, WrongDirectories) {
    EXPECT_EQ(open_code(), StorageCode::no_such_directory);
    EXPECT_EQ(open_code(true), StorageCode::no_such_directory);
    ASSERT_TRUE(env_.CreateDir(kStateDirectory).ok());
    EXPECT_EQ(open_code(), StorageCode::not_a_state_directory);
    ASSERT_TRUE(rocksdb::WriteStringToFile(&env_, "hello", kStateDirectory + "/notes.txt").ok());
    EXPECT_EQ(open_code(true), StorageCode::not_a_state_directory);
    EXPECT_EQ(env_.files().size(), 1) << "opening makes no files";
    const auto created =
        DurableStore::create(kStateDirectory, world_.parameters, World::leaves(), World::keys(), options());
    EXPECT_EQ(created.error().code, StorageCode::exists_already);
    const auto inside = DurableStore::open(kStateDirectory + "/notes.txt", options());
    EXPECT_EQ(inside.error().code, StorageCode::not_a_state_directory);
}

}  // namespace
}  // namespace quarry::node::durable_store_test
