#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "quarry/node/sequencer/engine.hpp"

namespace quarry::node::sequencer {

/// An engine with a thread of its own: groups what comes meanwhile, so that one sync serves many requests.
class Sequencer {
  public:
    struct Options {
        std::uint64_t tick_ms = 100;
        std::size_t max_group = 1024;     ///< operations that are checked and synced together
        std::size_t max_queued = 16'384;  ///< operations that wait to be looked at
        std::function<Milliseconds()> now;
        /// Called on the sequencer's thread, with what is durable; `wanted` is asked before.
        std::function<void(const Events&)> on_events = [](const Events&) {};
        std::function<bool()> events_wanted = [] { return true; };
        /// Called after each group: operations, seconds.
        std::function<void(std::size_t, double)> on_group = [](std::size_t, double) {};
    };
    /// Called once, on the sequencer's thread.
    using Done = std::function<void(const Outcome<std::vector<Engine::Answer>>&)>;

    Sequencer(Engine& engine, Options options);
    Sequencer(const Sequencer&) = delete;
    Sequencer& operator=(const Sequencer&) = delete;
    /// As stop().
    ~Sequencer();

    /// Queues operations that belong together. False: the queue is full, or it is stopping; `done` is not called.
    bool submit(std::vector<SignedTransaction> operations, Done done);
    /// Finishes what is queued, and ends the thread.
    void stop();

    /// Reads the engine, beside other readers. Not from within another read.
    template <class F>
    auto read(const F& f) const {
        std::unique_lock turn(turn_);
        const std::shared_lock lock(engine_mutex_);
        turn.unlock();
        return f(static_cast<const Engine&>(engine_));
    }
    /// Why it takes no operations any more; no value: it does.
    [[nodiscard]] std::optional<Problem> failure() const;

  private:
    std::unique_lock<std::shared_mutex> lock_engine() const {
        const std::scoped_lock turn(turn_);
        return std::unique_lock(engine_mutex_);
    }
    struct Submission {
        std::vector<SignedTransaction> operations;
        Done done;
    };
    void run();
    std::vector<Submission> next_group();
    void serve(std::vector<Submission> group);
    void tick();

    Engine& engine_;
    Options options_;
    /// Held while one waits for the engine: readers that come after the sequencer's thread let it go first, which
    /// std::shared_mutex does not promise.
    mutable std::mutex turn_;
    mutable std::shared_mutex engine_mutex_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Submission> queue_;
    std::size_t queued_ = 0;
    bool stopping_ = false;
    std::chrono::steady_clock::time_point next_tick_;  ///< `now` may be set back
    std::thread thread_;
};

}  // namespace quarry::node::sequencer
