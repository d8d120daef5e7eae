#include "quarry/node/batch_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "quarry/node/file_io.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::node::batch_files_test {
namespace {

namespace fs = std::filesystem;
using rollup::testing::RandomTraffic;
using rollup::testing::World;

/// A folder of its own for each test, removed at the end.
class BatchFolderTest : public ::testing::Test {
  protected:
    void SetUp() override {
        path_ = (fs::temp_directory_path() / ("quarry-batches-" + std::to_string(::getpid()))).string();
        fs::remove_all(path_);
    }
    void TearDown() override { fs::remove_all(path_); }

    /// Executes `count` batches of random traffic and writes them.
    std::vector<rollup::ExecutedBatch> write_batches(World& world, std::size_t count) {
        const BatchFolder folder = BatchFolder::create(path_, world.parameters).value();
        RandomTraffic traffic(world, 5);
        std::vector<rollup::ExecutedBatch> batches;
        for (std::size_t i = 0; i < count; ++i) {
            rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
            traffic.run(builder, 60 + 17 * i);
            batches.push_back(builder.seal().value());
            EXPECT_TRUE(folder.write(make_batch_files(batches.back())).ok());
            EXPECT_TRUE(world.store.commit(batches.back().commit, batches.back().update).ok());
        }
        return batches;
    }
    void damage(const std::string& file, const std::vector<std::uint8_t>& bytes) {
        ASSERT_TRUE(write_synced(path_ + "/batch-000001/" + file, bytes).ok());
    }
    std::string path_;
};

TEST_F(BatchFolderTest, WhatWasWrittenIsReadAndReplaysFromItsFilesAlone) {
    World world;
    auto before = world.store;
    const auto batches = write_batches(world, 3);
    const BatchFolder folder = BatchFolder::open(path_).value();
    EXPECT_EQ(folder.parameters(), world.parameters);
    EXPECT_EQ(folder.numbers(), (std::vector<std::uint64_t>{1, 2, 3}));
    for (const auto& batch : batches) {
        const BatchFiles files = folder.read(batch.header.number).value();
        EXPECT_EQ(files.header, batch.header);
        EXPECT_EQ(files.data, batch.data);
        EXPECT_EQ(files.effects, batch.effects);
        EXPECT_EQ(files.before, batch.before);
        const QueueWindow queues = files.queues();
        const auto again = rollup::replay(folder.parameters(), before, queues, files.header, files.data);
        ASSERT_TRUE(again.ok()) << rollup::reject_name(again.code());
        ASSERT_TRUE(before.commit(again.value().commit, again.value().update).ok());
    }
    EXPECT_EQ(before.state(), world.store.state());
}

TEST_F(BatchFolderTest, StatementsAreThoseOfTheExecutedBatches) {
    World world;
    auto before = world.store;
    const auto batches = write_batches(world, 3);
    const BatchFolder folder = BatchFolder::open(path_).value();
    EXPECT_FALSE(folder.read_statement(1).ok());
    ASSERT_TRUE(folder.write_statements(1, 3).ok());
    ASSERT_TRUE(folder.write_statements(1, 3).ok());
    for (const auto& batch : batches) {
        const auto start = rollup::batch_start(batch.before, rollup::header_hash(batch.header));
        const auto want =
            rollup::segment_statement(world.parameters, before, batch, 0, batch.steps.size(), start, {}, 0);
        EXPECT_EQ(folder.read_statement(batch.header.number).value(), want);
        ASSERT_TRUE(before.commit(batch.commit, batch.update).ok());
    }
}

TEST_F(BatchFolderTest, ManyStatementsAtOnceAreThoseOfEachAlone) {
    World world;
    write_batches(world, 1);
    std::vector<BatchFiles> batches(20, BatchFolder::open(path_).value().read(1).value());
    for (std::size_t i = 0; i < batches.size(); ++i) {
        batches[i].header.timestamp += static_cast<rollup::Timestamp>(i);
        batches[i].data.resize(batches[i].data.size() - i * rollup::kWordBytes);
        batches[i].effects.resize(batches[i].effects.size() - i % 3);
    }
    const auto together = batch_statements(world.parameters, batches);
    for (std::size_t i = 0; i < batches.size(); ++i)
        EXPECT_EQ(batch_statements(world.parameters, std::span(batches).subspan(i, 1))[0], together[i]) << i;
}

TEST_F(BatchFolderTest, DamageIsNoticed) {
    World world;
    const auto batches = write_batches(world, 1);
    const BatchFolder folder = BatchFolder::open(path_).value();
    const std::string in = path_ + "/batch-000001/";
    for (const std::string file : {"header.bin", "data.bin", "effects.bin", "queue.jsonl"}) {
        const auto good = read_whole_file(in + file, 1 << 20).value();
        auto cut = good;
        cut.pop_back();
        damage(file, cut);
        EXPECT_EQ(folder.read(1).error().kind, Problem::Kind::bad_input) << file;
        auto longer = good;
        longer.push_back('x');
        damage(file, longer);
        EXPECT_EQ(folder.read(1).error().kind, Problem::Kind::bad_input) << file;
        damage(file, {});
        EXPECT_FALSE(folder.read(1).ok()) << file;
        fs::remove(in + file);
        EXPECT_EQ(folder.read(1).error().name, "cannot_read") << file;
        damage(file, good);
        EXPECT_TRUE(folder.read(1).ok()) << file;
    }
    // A consistent file of another batch.
    auto header = batches[0].header;
    header.number = 2;
    damage("header.bin", encode(header));
    EXPECT_EQ(folder.read(1).error().name, "wrong_parent");
    header.number = 1;
    header.deposit_cursor += 1;
    damage("header.bin", encode(header));
    EXPECT_EQ(folder.read(1).error().name, "cursor_mismatch");
    EXPECT_EQ(folder.read(2).error().name, "cannot_read");
}

TEST_F(BatchFolderTest, IsOfOneRollup) {
    World world;
    EXPECT_EQ(BatchFolder::open(path_).error().name, "not_a_batch_folder");
    ASSERT_TRUE(BatchFolder::create(path_, world.parameters).ok());
    ASSERT_TRUE(BatchFolder::create(path_, world.parameters).ok());
    auto other = world.parameters;
    other.rollup_id += 1;
    EXPECT_EQ(BatchFolder::create(path_, other).error().name, "wrong_rollup");
    ASSERT_TRUE(write_synced(path_ + "/rollup.json", as_bytes("{}")).ok());
    EXPECT_EQ(BatchFolder::open(path_).error().name, "missing_field");
    fs::remove(path_ + "/rollup.json");
    ASSERT_TRUE(write_synced(path_ + "/letter.txt", as_bytes("dear reader")).ok());
    EXPECT_EQ(BatchFolder::create(path_, world.parameters).error().name, "not_empty");
    EXPECT_EQ(BatchFolder::create(path_ + "/letter.txt", world.parameters).error().name, "cannot_write");
}

}  // namespace
}  // namespace quarry::node::batch_files_test
