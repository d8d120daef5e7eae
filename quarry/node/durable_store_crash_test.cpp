/// Power failures, full disks and kill -9: what was acknowledged is there, what was not is there wholly or not at all.
#include <gtest/gtest.h>

#include <random>

#include "quarry/node/crash_env.hpp"
#include "quarry/node/testing.hpp"

namespace quarry::node {
namespace {

using testing::CrashEnv;
using testing::History;
using testing::Loss;
using testing::point_of;
using testing::snapshot_bytes;
using testing::StorePointer;

const std::string kDirectory = "/state";

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

/// Runs the history in `env` until it fails, and returns the number of acknowledged steps; no value if not even the
/// state was made.
std::optional<std::size_t> run_until_failure(const History& history, CrashEnv& env) {
    const StoreOptions options{.env = &env};
    auto created = history.create(kDirectory, options);
    if (!created) return std::nullopt;
    StorePointer store = std::move(created).value();
    return history.run(store, 0, kDirectory, options);
}

/// After a failure: the store is after `acknowledged` steps or one more, and goes on to the end from there.
void expect_recovery(const History& history, CrashEnv& env, std::optional<std::size_t> acknowledged) {
    const StoreOptions options{.env = &env};
    auto opened = DurableStore::open(kDirectory, options);
    if (!opened) {
        const StorageCode code = opened.error().code;
        ASSERT_FALSE(acknowledged.has_value()) << opened.error().message;
        ASSERT_TRUE(code == StorageCode::no_such_directory || code == StorageCode::not_a_state_directory ||
                    code == StorageCode::incomplete)
            << opened.error().message;
        env.remove_all();
        opened = history.create(kDirectory, options);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
    }
    StorePointer store = std::move(opened).value();
    std::size_t step = acknowledged.value_or(0);
    if (point_of(*store) != history.points()[step]) ++step;
    ASSERT_LT(step, history.points().size());
    ASSERT_EQ(point_of(*store), history.points()[step]) << "neither before nor after step " << step;
    ASSERT_EQ(history.run(store, step, kDirectory, options), history.size());
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
        expect_recovery(history, env, acknowledged);
        if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(num_unfinished, 2 * history.size()) << "the history hardly touches the disk";
}

TEST(DurableStoreCrash, PowerFailureLosesUnsyncedBytes) { fail_everywhere(Loss::everything); }
TEST(DurableStoreCrash, PowerFailureTearsFiles) { fail_everywhere(Loss::tails); }
TEST(DurableStoreCrash, ProcessDies) { fail_everywhere(Loss::nothing); }

}  // namespace
}  // namespace quarry::node
