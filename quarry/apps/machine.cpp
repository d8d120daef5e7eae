#include "quarry/apps/machine.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "quarry/apps/progress.hpp"

namespace quarry::apps {
namespace {

/// The number in a file that holds one number; nullopt for "max", or no such file.
std::optional<std::uint64_t> number_in(const char* path) {
    std::ifstream file(path);
    std::uint64_t x = 0;
    if (file >> x) return x;
    return std::nullopt;
}

}  // namespace

std::string cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown";
}

std::uint64_t peak_rss_bytes() {
    rusage usage{};
    (void)getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t unix_seconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

double cpu_seconds() {
    rusage usage{};
    (void)getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<std::uint64_t> free_memory_bytes() {
    std::optional<std::uint64_t> free;
    std::ifstream file("/proc/meminfo");
    std::string key;
    for (std::uint64_t kib = 0; file >> key >> kib; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
        if (key == "MemAvailable:") free = kib * 1024;
    }
    const auto limit = number_in("/sys/fs/cgroup/memory.max");
    const auto used = number_in("/sys/fs/cgroup/memory.current");
    if (limit && used) {
        const std::uint64_t left = *limit - std::min(*limit, *used);
        free = free ? std::min(*free, left) : left;
    }
    return free;
}

std::optional<double> tsc_frequency() {
#ifdef __x86_64__
    const double start = now_seconds();
    const std::uint64_t ticks = __rdtsc();
    while (now_seconds() - start < 0.05) {
    }
    return static_cast<double>(__rdtsc() - ticks) / (now_seconds() - start);
#else
    return std::nullopt;
#endif
}

}  // namespace quarry::apps
