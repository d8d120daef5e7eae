#pragma once
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>

namespace quarry {

/// Writes all bytes, however many calls it takes. 0 or the errno of what failed.
inline int write_fully(int fd, std::span<const std::uint8_t> bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : EIO;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return 0;
}

}  // namespace quarry
