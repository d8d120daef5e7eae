#include "quarry/node/work_executor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>

#include "quarry/node/work_testing.hpp"

namespace quarry::node::work_executor_test {
namespace {

namespace fs = std::filesystem;
using testing::concat;
using testing::TemporaryPath;
using testing::TextWork;

constexpr const char* kWorkerVariable = "QUARRY_TEST_WORKER";

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
void alive() {
    (void)std::puts("alive");
    (void)std::fflush(stdout);
}

/// What a special leaf does instead of its work; false: its work after all.
bool misbehave(const WorkFolder& folder, const ContentId& id, const std::string& how) {
    const std::string mark = folder.path() + "/mark";
    const bool first = !fs::exists(mark);
    QUARRY_CHECK(write_synced(mark, {}).ok());
    if (how == "killed once" && first) (void)std::raise(SIGKILL);
    if (how == "wrong once" && first) return folder.put_output(id, as_bytes("something else")).ok();
    if (how == "nothing once" && first) return true;
    if (how == "silent once" && first) std::this_thread::sleep_for(std::chrono::minutes(10));
    if (how == "fails") {
        (void)std::fputs("first line\nthe reason\n", stderr);
        std::_Exit(3);
    }
    if (how == "greedy") {
        const std::vector<std::uint8_t> much(std::size_t{768} << 20, 1);
        return folder.put_output(id, std::span(much).first(1)).ok();
    }
    if (how == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(300));
    while (how == "waits" && !fs::exists(folder.path() + "/go")) {
        alive();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

void do_task(const std::string& path, const std::string& task) {
    alive();
    const WorkFolder folder = WorkFolder::open(path).value();
    const ContentId id = parse_content_id(task).value();
    const Task& work = *folder.tree().find(id);
    const auto how = work.parameters.find("how");
    if (how != work.parameters.end() && misbehave(folder, id, how->second)) return;
    QUARRY_CHECK(folder.put_output(id, as_bytes(concat(folder.read_inputs(work).value()))).ok());
}

/// Not a test: what the workers of the tests below are, this very program under a variable.
TEST(WorkerEntry, DoesTasks) {
    if (std::getenv(kWorkerVariable) == nullptr) GTEST_SKIP() << "no worker";
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string task, threads, path;
        words >> task >> threads >> path;
        do_task(path, task);
        (void)std::puts("done 7 1000");
        (void)std::fflush(stdout);
    }
}

class WorkExecutorTest : public ::testing::Test {
  protected:
    const TemporaryPath path{"quarry-work-executor"};
    WorkFolder folder = WorkFolder::create(path.get()).value();
    std::atomic<bool> stop = false;
    const std::vector<std::string> worker{"/usr/bin/env", std::string(kWorkerVariable) + "=1",
                                          fs::read_symlink("/proc/self/exe").string(),
                                          "--gtest_filter=WorkerEntry.DoesTasks"};
    WorkerPool pool{worker};

    WorkExecutorOptions options(unsigned workers = 2) {
        WorkExecutorOptions o;
        o.pool = &pool;
        o.workers = workers;
        o.now = now;
        o.stop = &stop;
        o.check = [this](const Task& task, std::span<const std::uint8_t> output) {
            const auto inputs = folder.read_inputs(task);
            return inputs && as_text(output) == concat(inputs.value());
        };
        return o;
    }
    std::string output(const ContentId& id) { return std::string(as_text(*folder.read_output(id).value())); }
    /// Of each execution, in the order in which they began.
    static std::vector<std::string> processes(const WorkFolder& one) {
        std::vector<std::string> pids;
        const auto log = read_whole_file(one.path() + "/log.jsonl", 1 << 20).value();
        std::istringstream lines{std::string(as_text(log))};
        for (std::string line; std::getline(lines, line);) {
            const auto at = line.find("\"pid\":");
            if (at != std::string::npos) pids.push_back(line.substr(at, line.find_first_of(",}", at) - at));
        }
        return pids;
    }
    std::uint64_t started(const ContentId& id) { return folder.history()[id].started; }
    /// Every task was executed once, but the third leaf twice.
    void expect_one_repeat(const TextWork& work, const Outcome<WorkReport>& report, const std::string& outcome) {
        ASSERT_TRUE(report.ok()) << report.error().cause;
        EXPECT_EQ(report.value().executed, 8u);
        EXPECT_EQ(report.value().failed, 1u);
        EXPECT_EQ(output(work.top), "(((a)(b))((c)(d)))");
        for (const auto& node : folder.tree().nodes()) EXPECT_EQ(started(node.id), node.id == work.leaves[2] ? 2u : 1u);
        const auto log = read_whole_file(path.get() + "/log.jsonl", 1 << 20).value();
        EXPECT_NE(as_text(log).find("\"" + outcome + "\""), std::string_view::npos);
    }
};

TEST_F(WorkExecutorTest, DoesTheGraphAndThenNothing) {
    const TextWork work(folder);
    std::vector<double> fractions;
    auto o = options();
    o.on_progress = [&](const WorkProgress& p) {
        EXPECT_EQ(p.tasks, 7u);
        EXPECT_LE(p.running, 2u);
        fractions.push_back(p.fraction);
    };
    const auto report = execute_work(folder, o);
    ASSERT_TRUE(report.ok()) << report.error().cause;
    EXPECT_EQ(report.value().executed, 7u);
    EXPECT_EQ(report.value().failed, 0u);
    EXPECT_EQ(output(work.top), "(((a)(b))((c)(d)))");
    EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
    EXPECT_EQ(fractions.back(), 1.0);
    const auto again = execute_work(folder, o);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again.value().executed, 0u);
    EXPECT_EQ(again.value().reused, 7u);
}

TEST_F(WorkExecutorTest, AProcessDoesManyTasksAlsoOfOtherFolders) {
    const TextWork work(folder);
    auto o = options(1);
    ASSERT_TRUE(execute_work(folder, o).ok());
    const TemporaryPath other_path("quarry-work-executor-2");
    WorkFolder other = WorkFolder::create(other_path.get()).value();
    const TextWork more(other);
    ASSERT_TRUE(execute_work(other, o).ok());
    std::set<std::string> all;
    for (const WorkFolder* one : {&folder, &other}) {
        for (const auto& process : processes(*one)) all.insert(process);
        for (const auto& node : one->tree().nodes()) EXPECT_EQ(one->history()[node.id].last_end->cpu_ms, 7U);
    }
    EXPECT_EQ(all.size(), 1U);
}

/// What the last task needs stays in one process, whichever of them ends its own task last.
TEST_F(WorkExecutorTest, LastTasksAreDoneByTheSameProcess) {
    std::set<std::string> last;
    std::set<std::string> all;
    for (int i = 0; i < 4; ++i) {
        const TemporaryPath one_path("quarry-work-executor-" + std::to_string(i));
        WorkFolder one = WorkFolder::create(one_path.get()).value();
        const TextWork work(one, i % 2 == 0 ? std::map<std::string, std::string>{{"how", "slow"}}
                                            : std::map<std::string, std::string>{});
        auto o = options(2);
        o.check = [](const Task&, std::span<const std::uint8_t>) { return true; };
        ASSERT_TRUE(execute_work(one, o).ok());
        const auto pids = processes(one);
        last.insert(pids.back());
        all.insert(pids.begin(), pids.end());
    }
    EXPECT_EQ(last.size(), 1U);
    EXPECT_EQ(all.size(), 2U);
}

TEST_F(WorkExecutorTest, AKilledWorkerCostsItsOwnTask) {
    const TextWork work(folder, {{"how", "killed once"}});
    expect_one_repeat(work, execute_work(folder, options()), "killed");
}

TEST_F(WorkExecutorTest, AWorkerThatMakesSomethingElseFails) {
    const TextWork work(folder, {{"how", "wrong once"}});
    expect_one_repeat(work, execute_work(folder, options()), "failed");
}

TEST_F(WorkExecutorTest, AWorkerThatMakesNothingFails) {
    const TextWork work(folder, {{"how", "nothing once"}});
    expect_one_repeat(work, execute_work(folder, options()), "failed");
}

TEST_F(WorkExecutorTest, ASilentWorkerIsKilled) {
    const TextWork work(folder, {{"how", "silent once"}});
    auto o = options();
    o.silence_limit_seconds = 1.5;
    expect_one_repeat(work, execute_work(folder, o), "silent");
}

TEST_F(WorkExecutorTest, ATaskIsGivenUpAfterTwoTriesAndTheRestIsDone) {
    const TextWork work(folder, {{"how", "fails"}});
    const auto report = execute_work(folder, options());
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "task_failed");
    EXPECT_NE(report.error().cause.find("the reason"), std::string::npos) << report.error().cause;
    EXPECT_EQ(started(work.leaves[2]), 2u);
    const auto states = folder.states();
    EXPECT_EQ(states.at(work.joins[0]), TaskState::done);
    EXPECT_EQ(states.at(work.joins[1]), TaskState::waiting);
    // The next run tries again, and only what is missing.
    EXPECT_FALSE(execute_work(folder, options()).ok());
    EXPECT_EQ(started(work.leaves[2]), 4u);
    EXPECT_EQ(started(work.leaves[0]), 1u);
}

TEST_F(WorkExecutorTest, DamagedOutputsAreMadeAgain) {
    const TextWork work(folder);
    ASSERT_TRUE(execute_work(folder, options()).ok());
    // One whose bytes are not those of its name, and one that is whole and wrong.
    ASSERT_TRUE(
        write_synced(path.get() + "/objects/" + quarry::to_hex(keccak256(as_bytes("(b)"))), as_bytes("(x)")).ok());
    ASSERT_TRUE(folder.put_output(work.joins[1], as_bytes("((c)(e))")).ok());
    const auto report = execute_work(folder, options());
    ASSERT_TRUE(report.ok()) << report.error().cause;
    EXPECT_GE(report.value().damaged, 2u);
    EXPECT_EQ(output(work.top), "(((a)(b))((c)(d)))");
    EXPECT_EQ(started(work.leaves[0]), 1u);
    EXPECT_EQ(started(work.leaves[1]), 2u);
    EXPECT_EQ(started(work.joins[1]), 2u);
}

TEST_F(WorkExecutorTest, TwoExecutorsAreOneTooMany) {
    const TextWork work(folder);
    const auto lock = WorkLock::take(path.get());
    const auto report = execute_work(folder, options());
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "locked_by_another_process");
    EXPECT_TRUE(folder.history().empty());
}

TEST_F(WorkExecutorTest, StoppingLeavesAFolderToGoOnFrom) {
    const TextWork work(folder, {{"how", "waits"}});
    auto o = options();
    o.on_progress = [&](const WorkProgress& p) { stop = p.done == 4 && p.running == 1; };
    const auto report = execute_work(folder, o);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "stopped");
    EXPECT_EQ(folder.states().at(work.joins[0]), TaskState::done);
    EXPECT_EQ(folder.states().at(work.leaves[2]), TaskState::ready);
    ASSERT_TRUE(write_synced(path.get() + "/go", {}).ok());
    stop = false;
    o.on_progress = nullptr;
    const auto rest = execute_work(folder, o);
    ASSERT_TRUE(rest.ok()) << rest.error().cause;
    EXPECT_EQ(rest.value().reused, 4u);
    EXPECT_EQ(rest.value().executed, 3u);
}

// Named Slow because a sanitizer's shadow memory is beyond any cap.
TEST_F(WorkExecutorTest, AWorkerHasNoMoreMemoryThanItsCapSlow) {
    const TextWork work(folder, {{"how", "greedy"}});
    auto o = options();
    WorkerPool capped(worker, std::uint64_t{512} << 20);
    o.pool = &capped;
    const auto report = execute_work(folder, o);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "task_failed");
    EXPECT_EQ(folder.states().at(work.joins[0]), TaskState::done);
}

TEST_F(WorkExecutorTest, WhatCannotBeStartedFails) {
    const TextWork work(folder);
    auto o = options();
    WorkerPool none({"/no/such/program"});
    o.pool = &none;
    const auto report = execute_work(folder, o);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().name, "task_failed");
}

}  // namespace
}  // namespace quarry::node::work_executor_test
