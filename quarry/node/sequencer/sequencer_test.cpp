/// The sequencer's thread.
#include "quarry/node/sequencer/sequencer.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "quarry/node/sequencer/testing.hpp"

namespace quarry::node::sequencer {
namespace {

TEST(SequencerThread, TicksWhileTheClockIsSetBack) {
    testing::World world;
    ASSERT_TRUE(world.create());
    ASSERT_EQ(world.start(), "");
    std::atomic<Milliseconds> now{testing::kStart};
    std::atomic<unsigned> ticks{0};
    Sequencer::Options options;
    options.tick_ms = 1;
    options.now = [&] { return now -= 1000; };
    options.on_events = [&](const Events&) { ++ticks; };
    Sequencer sequencer(*world.engine, options);
    for (int i = 0; i < 5'000 && ticks < 3; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    sequencer.stop();
    EXPECT_GE(ticks, 3U);
}

}  // namespace
}  // namespace quarry::node::sequencer
