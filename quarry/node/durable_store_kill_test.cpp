/// kill -9 of a process that commits: every batch that it acknowledged is there when the state is opened again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "quarry/node/testing.hpp"

namespace quarry::node::durable_store_kill_test {
namespace {

using testing::random_batch;
using testing::StorePointer;

constexpr const char* kDirectoryVariable = "QUARRY_KILL_TEST_DIRECTORY";
constexpr const char* kPipeVariable = "QUARRY_KILL_TEST_PIPE";

/// The one history that every process of the test follows.
class Reference {
  public:
    /// Batch `number`, which is the next one or was made before.
    const rollup::ExecutedBatch& batch(std::uint64_t number) {
        while (batches_.size() < number) {
            batches_.push_back(random_batch(world_, batches_.size(), 5));
            QUARRY_CHECK(world_.store.commit(batches_.back().commit, batches_.back().update).ok());
        }
        return batches_[number - 1];
    }
    rollup::State state(std::uint64_t number) { return number == 0 ? batch(1).before : batch(number).commit.after; }
    [[nodiscard]] const rollup::RollupParameters& parameters() const { return world_.parameters; }

  private:
    rollup::testing::World world_;
    std::vector<rollup::ExecutedBatch> batches_;
};

class Child {
  public:
    explicit Child(const std::string& directory) {
        int ends[2];
        QUARRY_CHECK(pipe2(ends, O_CLOEXEC) == 0);
        read_end_ = ends[0];
        setenv(kDirectoryVariable, directory.c_str(), 1);
        setenv(kPipeVariable, std::to_string(ends[1]).c_str(), 1);
        pid_ = fork();
        QUARRY_CHECK(pid_ >= 0);
        if (pid_ == 0) {  // nothing but exec: the engine's threads exist in the parent only
            fcntl(ends[1], F_SETFD, 0);
            dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
            execl("/proc/self/exe", "node_test", "--gtest_also_run_disabled_tests",
                  "--gtest_filter=DurableStoreKilled.DISABLED_CommitsUntilKilled", "--gtest_output=", nullptr);
            _exit(127);
        }
        close(ends[1]);
        unsetenv(kDirectoryVariable);
        unsetenv(kPipeVariable);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { close(read_end_); }

    /// The next batch number that the child acknowledged; no value once it is dead and all are read.
    std::optional<std::uint64_t> acknowledged() {
        std::uint64_t number = 0;
        if (read(read_end_, &number, sizeof number) != sizeof number) return std::nullopt;
        return number;
    }
    void kill_now() {
        kill(pid_, SIGKILL);
        int status = 0;
        QUARRY_CHECK(waitpid(pid_, &status, 0) == pid_);
        QUARRY_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }

  private:
    pid_t pid_ = 0;
    int read_end_ = -1;
};

// Not a test of its own: what the killed process does.
TEST(DurableStoreKilled, DISABLED_CommitsUntilKilled) {
    const char* directory = std::getenv(kDirectoryVariable);
    const char* pipe_number = std::getenv(kPipeVariable);
    if (directory == nullptr || pipe_number == nullptr) GTEST_SKIP() << "run by DurableStoreKill";
    const int pipe_end = std::atoi(pipe_number);
    auto opened = DurableStore::open(directory);
    QUARRY_CHECK(opened.ok());
    StorePointer store = std::move(opened).value();
    Reference reference;
    while (true) {
        const std::uint64_t number = store->batch_number() + 1;
        const auto& batch = reference.batch(number);
        store->set_note({static_cast<std::uint8_t>(number)});
        QUARRY_CHECK(store->commit(batch.commit, batch.update).ok());
        if (number % 4 == 0) QUARRY_CHECK(store->finalise(number - 2).ok());
        if (write(pipe_end, &number, sizeof number) != sizeof number) return;  // the parent is gone
    }
}

class DurableStoreKill : public ::testing::Test {
  protected:
    void SetUp() override {
        // What a killed process wrote is kept on any file system: the one in memory, where there is one, is faster.
        const std::filesystem::path memory = "/dev/shm";
        const bool in_memory = access(memory.c_str(), W_OK) == 0;
        const auto folder = in_memory ? memory : std::filesystem::temp_directory_path();
        std::string pattern = (folder / "quarry-kill-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    std::string root_;
};

TEST_F(DurableStoreKill, EveryAcknowledgedBatchIsThereSlow) {
    constexpr int kKills = 50;
    constexpr int kKillsPerState = 10;
    Reference reference;
    std::mt19937_64 rng(3);
    std::uint64_t last = 0;
    std::uint64_t num_acknowledged = 0;
    std::string directory;
    for (int i = 0; i < kKills; ++i) {
        if (i % kKillsPerState == 0) {
            directory = root_ + "/" + std::to_string(i);
            ASSERT_TRUE(DurableStore::create(directory, reference.parameters(), rollup::testing::World::leaves(),
                                             rollup::testing::World::keys())
                            .ok());
            last = 0;
        }
        Child child(directory);
        const auto first = child.acknowledged();
        ASSERT_TRUE(first.has_value()) << "the child died by itself";
        const std::uint64_t before = last;
        last = *first;
        if (i == 0) {
            const auto second = DurableStore::open(directory);
            ASSERT_FALSE(second.ok()) << "two processes write to one state";
            EXPECT_EQ(second.error().code, StorageCode::locked_by_another_process) << second.error().message;
        }
        usleep(static_cast<useconds_t>(rng() % 8000));
        child.kill_now();
        while (const auto number = child.acknowledged()) last = *number;
        num_acknowledged += last - before;

        const auto opened = DurableStore::open(directory, {.read_only = i % 2 == 0, .env = nullptr});
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        const DurableStore& store = *opened.value();
        ASSERT_GE(store.batch_number(), last) << "an acknowledged batch is gone";
        ASSERT_LE(store.batch_number(), last + 1);
        last = store.batch_number();
        ASSERT_EQ(store.state(), reference.state(last));
        ASSERT_EQ(store.note(), std::vector<std::uint8_t>{static_cast<std::uint8_t>(last)});
    }
    EXPECT_GE(num_acknowledged, std::uint64_t{kKills});
}

}  // namespace
}  // namespace quarry::node::durable_store_kill_test
