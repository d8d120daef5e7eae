#include "quarry/node/work_folder.hpp"

#include <gtest/gtest.h>

#include "quarry/node/work_testing.hpp"

namespace quarry::node::work_folder_test {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryPath;
using testing::TextWork;

class WorkFolderTest : public ::testing::Test {
  protected:
    const TemporaryPath path{"quarry-work-folder"};
    WorkFolder folder = WorkFolder::create(path.get()).value();
};

TEST_F(WorkFolderTest, WhatIsDoneIsWhatIsThere) {
    EXPECT_EQ(WorkFolder::open(path.get()).error().name, "not_a_work_folder");
    const TextWork work(folder);
    const WorkFolder other = WorkFolder::open(path.get()).value();
    EXPECT_EQ(other.tree().to_text(), folder.tree().to_text());
    EXPECT_EQ(other.states().at(work.leaves[0]), TaskState::ready);
    EXPECT_EQ(other.states().at(work.joins[0]), TaskState::waiting);
    EXPECT_FALSE(other.read_output(work.leaves[0]).value().has_value());
    EXPECT_EQ(other.read_inputs(*folder.tree().find(work.joins[0])).error().name, "missing_input");
    for (const ContentId& leaf : {work.leaves[0], work.leaves[1]}) {
        const auto inputs = folder.read_inputs(*folder.tree().find(leaf)).value();
        ASSERT_TRUE(folder.put_output(leaf, as_bytes(testing::concat(inputs))).ok());
    }
    EXPECT_EQ(other.states().at(work.leaves[0]), TaskState::done);
    EXPECT_EQ(other.states().at(work.joins[0]), TaskState::ready);
    EXPECT_EQ(other.states().at(work.joins[1]), TaskState::waiting);
    EXPECT_EQ(testing::concat(other.read_inputs(*folder.tree().find(work.joins[0])).value()), "((a)(b))");
    ASSERT_TRUE(folder.forget_output(work.leaves[0]).ok());
    ASSERT_TRUE(folder.forget_output(work.leaves[0]).ok());
    EXPECT_EQ(other.states().at(work.leaves[0]), TaskState::ready);
    // Making it again with the same tree changes nothing.
    ASSERT_TRUE(WorkFolder::create(path.get()).ok());
    EXPECT_EQ(WorkFolder::create(path.get()).value().tree().to_text(), folder.tree().to_text());
}

TEST_F(WorkFolderTest, DamageIsNoticed) {
    const TextWork work(folder);
    const ContentId& task = work.leaves[0];
    ASSERT_TRUE(folder.put_output(task, as_bytes("what it made")).ok());
    const std::string object = path.get() + "/objects/" + quarry::to_hex(keccak256(as_bytes("what it made")));
    const std::string result = path.get() + "/results/" + quarry::to_hex(task);
    for (const std::string& bytes : std::vector<std::string>{"", "what it mad", "what it made.", "What it made"}) {
        ASSERT_TRUE(write_synced(object, as_bytes(bytes)).ok());
        EXPECT_EQ(folder.read_output(task).error().name, "damaged_object") << bytes;
        EXPECT_EQ(folder.states().at(task), TaskState::damaged);
    }
    fs::remove(object);
    EXPECT_EQ(folder.read_output(task).error().name, "damaged_object");
    ASSERT_TRUE(folder.put_output(task, as_bytes("what it made")).ok());
    for (const std::string& bytes :
         {std::string(), std::string("object"), std::string("object 12\n"), "subject " + std::string(64, '0') + "\n"}) {
        ASSERT_TRUE(write_synced(result, as_bytes(bytes)).ok());
        EXPECT_EQ(folder.read_output(task).error().name, "damaged_result") << bytes;
    }
    ASSERT_TRUE(write_synced(path.get() + "/tree.txt", as_bytes("quarry work tree 1\nsegment\n")).ok());
    EXPECT_EQ(WorkFolder::open(path.get()).error().name, "damaged_tree");
}

TEST_F(WorkFolderTest, OtherFoldersAreLeftAlone) {
    const TemporaryPath other("quarry-other-folder");
    fs::create_directories(other.get());
    ASSERT_TRUE(write_synced(other.get() + "/letter.txt", as_bytes("dear reader")).ok());
    EXPECT_EQ(WorkFolder::create(other.get()).error().name, "not_empty");
    EXPECT_EQ(WorkFolder::create(other.get() + "/letter.txt").error().name, "cannot_write");
}

TEST_F(WorkFolderTest, OneProcessExecutes) {
    auto lock = WorkLock::take(path.get());
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(WorkLock::take(path.get()).error().name, "locked_by_another_process");
    {
        const WorkLock moved = std::move(lock).value();
    }
    EXPECT_TRUE(WorkLock::take(path.get()).ok());
}

TEST_F(WorkFolderTest, HistoryCountsAndSurvivesTornLines) {
    const TextWork work(folder);
    EXPECT_TRUE(folder.history().empty());
    ASSERT_TRUE(folder.log_start(work.top, 1, 7).ok());
    ASSERT_TRUE(folder.log_end({.task = work.top, .attempt = 1, .outcome = "killed", .wall_ms = 5}).ok());
    ASSERT_TRUE(folder.log_start(work.top, 2, 8).ok());
    const std::string log = path.get() + "/log.jsonl";
    auto bytes = read_whole_file(log, 1 << 20).value();
    for (const std::string& torn :
         std::vector<std::string>{"{\"event\":\"sta", "\n\nnonsense\n", "{\"event\":\"start\"}\n"}) {
        auto more = bytes;
        more.insert(more.end(), torn.begin(), torn.end());
        ASSERT_TRUE(write_synced(log, more).ok());
        const auto history = folder.history();
        EXPECT_EQ(history.at(work.top).started, 2u);
        EXPECT_EQ(history.at(work.top).last_end->outcome, "killed");
        EXPECT_EQ(history.at(work.top).last_end->wall_ms, 5u);
    }
}

}  // namespace
}  // namespace quarry::node::work_folder_test
