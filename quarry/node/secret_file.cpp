#include "quarry/node/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "quarry/curve/scalar.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::node {

Outcome<std::vector<std::uint8_t>> read_secret_file(const std::string& path, std::size_t limit_bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_read(path, std::generic_category().message(errno));
    struct stat info{};
    int error = ::fstat(fd, &info) == 0 ? 0 : errno;
    const bool is_open_to_others = S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    std::vector<std::uint8_t> bytes(limit_bytes + 1);  // at once: where a vector grows it leaves copies
    std::size_t size = 0;
    while (error == 0 && !is_open_to_others && size < bytes.size()) {
        const ssize_t n = ::read(fd, bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) error = errno;
        if (n <= 0) break;
        size += static_cast<std::size_t>(n);
    }
    (void)::close(fd);
    if (error == 0 && !is_open_to_others && size <= limit_bytes) {
        bytes.resize(size);
        return bytes;
    }
    wipe(bytes.data(), bytes.size());
    if (is_open_to_others)
        return Problem{Problem::Kind::bad_input, "open_to_others", fmt::format("{} may be read by other users", path),
                       fmt::format("chmod 600 {}", path)};
    if (error != 0) return cannot_read(path, std::generic_category().message(error));
    return cannot_read(path, fmt::format("it has more than {} bytes", limit_bytes));
}

}  // namespace quarry::node
