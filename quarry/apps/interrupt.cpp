#include "quarry/apps/interrupt.hpp"

#include <csignal>

namespace quarry::apps {
namespace {

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // or the handler could not set it

void on_signal(int number) {
    stop = true;
    (void)std::signal(number, SIG_DFL);
}

}  // namespace

const std::atomic<bool>& stop_requested() {
    (void)std::signal(SIGINT, on_signal);
    (void)std::signal(SIGTERM, on_signal);
    return stop;
}

}  // namespace quarry::apps
