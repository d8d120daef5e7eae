#pragma once
/// QUARRY_CHECK: our own bugs. Always on; prints the location and aborts. Untrusted input never reaches it: it enters
/// through functions that return Result (quarry/base/result.hpp).

namespace quarry {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}

#define QUARRY_CHECK(condition)                                                   \
    do {                                                                          \
        if (!(condition)) ::quarry::check_failed(#condition, __FILE__, __LINE__); \
    } while (false)
