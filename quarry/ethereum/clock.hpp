#pragma once
#include <cstdint>
#include <memory>

namespace quarry::ethereum {

/// Time as a parameter.
class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    /// Milliseconds that never go back, from any start.
    [[nodiscard]] virtual std::uint64_t now_ms() = 0;
    virtual void sleep_ms(std::uint64_t duration_ms) = 0;
};

/// The machine's monotonic clock; one for the process.
Clock& system_clock();

}  // namespace quarry::ethereum
