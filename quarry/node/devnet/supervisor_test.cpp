#include "quarry/node/devnet/supervisor.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace quarry::node::devnet::supervisor_test {
namespace {

namespace fs = std::filesystem;

/// Real processes on a clock that the test moves.
struct World {
    std::uint64_t now = 1'000;
    fs::path folder = fs::path(::testing::TempDir()) / ("supervisor-" + std::to_string(::getpid()));
    World() {
        fs::remove_all(folder);
        fs::create_directories(folder);
    }
    ~World() { fs::remove_all(folder); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] SupervisorOptions options() {
        SupervisorOptions o;
        o.first_pause_ms = 100;
        o.max_pause_ms = 350;
        o.steady_ms = 10'000;
        o.now_ms = [this] { return now; };
        o.sleep_ms = [this](std::uint64_t ms) {
            now += ms;
            std::this_thread::sleep_for(std::chrono::milliseconds(ms));
        };
        return o;
    }
    [[nodiscard]] ServiceSpec shell(const std::string& name, const std::string& script, unsigned tier = 0) const {
        ServiceSpec spec;
        spec.name = name;
        spec.argv = {"/bin/sh", "-c", script};
        spec.log_path = (folder / (name + ".log")).string();
        spec.tier = tier;
        return spec;
    }
    [[nodiscard]] std::string log(const std::string& name) const {
        std::ifstream in(folder / (name + ".log"));
        return {std::istreambuf_iterator<char>(in), {}};
    }
    /// Polls in real time, the test's clock standing still, until something happens.
    static std::vector<ServiceEvent> next_events(Supervisor& supervisor) {
        for (int i = 0; i < 500; ++i) {
            auto events = supervisor.poll();
            if (!events.empty()) return events;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return {};
    }
    /// Ended, whether or not somebody has taken note of it.
    static bool is_gone(pid_t pid) {
        std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
        std::string number;
        std::string name;
        std::string state;
        return !(in >> number >> name >> state) || state == "Z" || state == "X";
    }
    static bool wait_until(const std::function<bool()>& holds) {
        for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return holds();
    }
};

TEST(SupervisorTest, StartsAgainAfterPausesThatGrowAndKeepsTheLog) {
    World world;
    Supervisor supervisor(world.options());
    ASSERT_TRUE(supervisor.add(world.shell("short", "echo once; exit 3")));
    for (const std::uint64_t pause : {100u, 200u, 350u, 350u}) {
        auto events = World::next_events(supervisor);
        ASSERT_EQ(events.size(), 1u);
        EXPECT_TRUE(events[0].ended);
        EXPECT_EQ(events[0].how, "exit 3");
        EXPECT_EQ(events[0].pause_ms, pause);
        world.now += pause - 1;
        EXPECT_TRUE(supervisor.poll().empty());
        world.now += 1;
        events = supervisor.poll();
        ASSERT_EQ(events.size(), 1u);
        EXPECT_FALSE(events[0].ended);
    }
    EXPECT_EQ(supervisor.states()[0].restarts, 4u);
    ASSERT_EQ(World::next_events(supervisor).size(), 1u);
    EXPECT_EQ(world.log("short"), "once\nonce\nonce\nonce\nonce\n");
}

TEST(SupervisorTest, WhatRanLongBeginsWithTheFirstPause) {
    World world;
    Supervisor supervisor(world.options());
    ASSERT_TRUE(supervisor.add(world.shell("steady", "exec sleep 60")));
    for (int i = 0; i < 2; ++i) {
        world.now += 10'000;
        ::kill(supervisor.states()[0].pid, SIGKILL);
        const auto events = World::next_events(supervisor);
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].how, "signal 9");
        EXPECT_EQ(events[0].pause_ms, 100u);
        world.now += 100;
        ASSERT_EQ(supervisor.poll().size(), 1u);
    }
}

TEST(SupervisorTest, StopsHigherTiersFirstAndKillsWhatDoesNotEnd) {
    World world;
    Supervisor supervisor(world.options());
    const std::string order = (world.folder / "order").string();
    const auto script = [&](const std::string& name) {
        return "trap 'echo " + name + " >>" + order + "; exit 0' TERM; echo up; while :; do sleep 0.02; done";
    };
    ASSERT_TRUE(supervisor.add(world.shell("chain", script("chain"), 0)));
    ASSERT_TRUE(supervisor.add(world.shell("node", script("node"), 1)));
    ServiceSpec deaf = world.shell("deaf", "trap '' TERM; echo up; while :; do sleep 0.02; done", 2);
    deaf.grace_ms = 200;
    ASSERT_TRUE(supervisor.add(deaf));
    ASSERT_TRUE(World::wait_until(
        [&] { return world.log("chain") == "up\n" && world.log("node") == "up\n" && world.log("deaf") == "up\n"; }));
    ::kill(supervisor.states()[1].pid, SIGSTOP);  // a frozen one ends too
    supervisor.stop();
    const auto states = supervisor.states();
    EXPECT_EQ(states[0].last_end, "exit 0");
    EXPECT_EQ(states[1].last_end, "exit 0");
    EXPECT_EQ(states[2].last_end, "signal 9");
    std::ifstream in(order);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "node\nchain\n");
    EXPECT_TRUE(supervisor.poll().empty());  // nothing is started again
}

TEST(SupervisorTest, ChildrenDieWithTheParent) {
    World world;
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        Supervisor supervisor(world.options());
        if (!supervisor.add(world.shell("orphan", "echo $$; exec sleep 60"))) ::_exit(1);
        while (true) ::pause();
    }
    ASSERT_TRUE(World::wait_until([&] { return world.log("orphan").ends_with('\n'); }));
    const pid_t child = std::stoi(world.log("orphan"));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    EXPECT_TRUE(World::wait_until([&] { return World::is_gone(child); }));
}

TEST(SupervisorTest, RunsACommandToItsEnd) {
    World world;
    Supervisor supervisor(world.options());
    const auto never = [] { return false; };
    const auto done = supervisor.run_once(world.shell("deploy", "echo made; exit 7"), never);
    ASSERT_TRUE(done);
    EXPECT_EQ(done.value(), 7);
    EXPECT_EQ(world.log("deploy"), "made\n");
    const auto killed = supervisor.run_once(world.shell("dead", "kill -9 $$"), never);
    ASSERT_TRUE(killed);
    EXPECT_EQ(killed.value(), 128 + 9);
    const auto interrupted = supervisor.run_once(world.shell("long", "exec sleep 60"), [] { return true; });
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().name, "interrupted");
    const auto missing = supervisor.run_once(
        {.name = "missing", .argv = {"/does/not/exist"}, .log_path = (world.folder / "m").string()}, never);
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing.value(), 126);
    ServiceSpec unwritable = world.shell("x", "true");
    unwritable.log_path = (world.folder / "no-folder" / "x.log").string();
    EXPECT_FALSE(supervisor.add(unwritable));
}

}  // namespace
}  // namespace quarry::node::devnet::supervisor_test
