#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace quarry::apps {

std::string cpu_model();                           ///< /proc/cpuinfo's name; "unknown" without one
std::uint64_t peak_rss_bytes();                    ///< of this whole process so far: code, heap, stacks, thread pools
std::uint64_t unix_seconds();                      ///< the clock of this machine
double cpu_seconds();                              ///< that this process has used so far, all threads
std::optional<std::uint64_t> free_memory_bytes();  ///< what can be allocated without swapping, cgroup limit included
/// Ticks per second of the time stamp counter (the nominal clock), measured for 50 ms; nullopt on another CPU.
std::optional<double> tsc_frequency();

}  // namespace quarry::apps
