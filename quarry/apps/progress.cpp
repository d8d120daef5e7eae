#include "quarry/apps/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "quarry/apps/output.hpp"

namespace quarry::apps {
namespace {

constexpr double kSecondsBetweenLines = 2;

std::size_t terminal_width() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

}  // namespace

double now_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::show(const std::string& what, double fraction, const std::string& rate,
                    std::optional<double> seconds_left) {
    if (quiet_) return;
    const double now = now_seconds();
    if (!terminal_ && now - last_line_ < kSecondsBetweenLines) return;
    last_line_ = now;

    std::string line = fmt::format("{:3.0f}%  {}", 100 * std::clamp(fraction, 0.0, 1.0), what);
    if (!rate.empty()) line += "  " + rate;
    if (seconds_left) line += "  " + human_seconds(std::max(0.0, *seconds_left)) + " left";
    if (!terminal_) {
        fmt::print(stderr, "{}\n", line);
        return;
    }
    constexpr std::size_t kBar = 24;
    const auto filled = static_cast<std::size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * kBar));
    line = fmt::format("[{}{}] {}", std::string(filled, '#'), std::string(kBar - filled, '.'), line);
    line.resize(std::min(line.size(), terminal_width() - 1));
    fmt::print(stderr, "\r\033[K{}", line);
    (void)std::fflush(stderr);
    drawn_ = true;
}

void Progress::clear() {
    if (!drawn_) return;
    (void)std::fputs("\r\033[K", stderr);
    (void)std::fflush(stderr);
    drawn_ = false;
}

}  // namespace quarry::apps
