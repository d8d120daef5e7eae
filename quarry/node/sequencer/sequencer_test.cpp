/// The sequencer's thread.
#include "quarry/node/sequencer/sequencer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "quarry/node/sequencer/testing.hpp"

namespace quarry::node::sequencer::sequencer_test {
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

TEST(SequencerThread, ReadersThatAlwaysOverlapDoNotHoldItUp) {
    testing::World world;
    ASSERT_TRUE(world.create());
    ASSERT_EQ(world.start(), "");
    Sequencer::Options options;
    options.now = [] { return testing::kStart; };
    Sequencer sequencer(*world.engine, options);
    std::atomic<bool> stopping{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 8; ++i) {
        readers.emplace_back([&] {
            while (!stopping)
                sequencer.read([](const Engine&) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
        });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::promise<void> answered;
    ASSERT_TRUE(sequencer.submit({world.transfer(1, 2, 0)}, [&](const auto&) { answered.set_value(); }));
    EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
    stopping = true;
    for (std::thread& reader : readers) reader.join();
    sequencer.stop();
}

}  // namespace
}  // namespace quarry::node::sequencer::sequencer_test
