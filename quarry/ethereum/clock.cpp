#include "quarry/ethereum/clock.hpp"

#include <chrono>
#include <thread>

namespace quarry::ethereum {
namespace {

class SystemClock final : public Clock {
  public:
    std::uint64_t now_ms() override {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    }
    void sleep_ms(std::uint64_t duration_ms) override {
        std::this_thread::sleep_for(std::chrono::milliseconds(duration_ms));
    }
};

}  // namespace

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

}  // namespace quarry::ethereum
