#include "quarry/node/sequencer/sequencer.hpp"

#include <chrono>

namespace quarry::node::sequencer {

Sequencer::Sequencer(Engine& engine, Options options)
    : engine_(engine), options_(std::move(options)), thread_([this] { run(); }) {}

Sequencer::~Sequencer() { stop(); }

bool Sequencer::submit(std::vector<SignedTransaction> operations, Done done) {
    const std::size_t count = operations.size();
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_ || queued_ + count > options_.max_queued) return false;
        queued_ += count;
        queue_.push_back({std::move(operations), std::move(done)});
    }
    changed_.notify_one();
    return true;
}

void Sequencer::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

std::optional<Problem> Sequencer::failure() const {
    return read([](const Engine& engine) { return engine.failure(); });
}

/// What is queued, up to a group; waits for it until the next tick.
std::vector<Sequencer::Submission> Sequencer::next_group() {
    std::vector<Submission> group;
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, next_tick_, [&] { return stopping_ || !queue_.empty(); });
    std::size_t size = 0;
    while (!queue_.empty() && (size == 0 || size + queue_.front().operations.size() <= options_.max_group)) {
        size += queue_.front().operations.size();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    queued_ -= size;
    return group;
}

void Sequencer::serve(std::vector<Submission> group) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<SignedTransaction> all;
    // The moved-from operations still count how many answers are theirs.
    for (Submission& s : group) std::move(s.operations.begin(), s.operations.end(), std::back_inserter(all));
    const std::size_t count = all.size();
    Events events;
    events.wanted = options_.events_wanted();
    auto answers = [&] {
        const auto lock = lock_engine();
        return engine_.submit(std::move(all), options_.now(), events);
    }();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    options_.on_group(count, seconds.count());
    if (!answers) {
        for (const Submission& s : group) s.done(answers.error());
        return;
    }
    auto next = answers.value().begin();
    for (const Submission& s : group) {
        const auto end = next + static_cast<std::ptrdiff_t>(s.operations.size());
        s.done(std::vector<Engine::Answer>(std::make_move_iterator(next), std::make_move_iterator(end)));
        next = end;
    }
    options_.on_events(events);
}

void Sequencer::tick() {
    const auto steady_now = std::chrono::steady_clock::now();
    if (steady_now < next_tick_) return;
    next_tick_ = steady_now + std::chrono::milliseconds(options_.tick_ms);
    Events events;
    events.wanted = options_.events_wanted();
    const bool done = [&] {
        const auto lock = lock_engine();
        return engine_.tick(options_.now(), events).ok();
    }();
    if (done) options_.on_events(events);
}

void Sequencer::run() {
    for (;;) {
        auto group = next_group();
        if (group.empty()) {
            const std::scoped_lock lock(mutex_);
            if (stopping_ && queue_.empty()) return;
        } else {
            serve(std::move(group));
        }
        tick();
    }
}

}  // namespace quarry::node::sequencer
