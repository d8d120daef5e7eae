#include "quarry/node/file_io.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "quarry/base/write_fully.hpp"

namespace quarry::node {
namespace {

/// 0 or the errno of what failed.
int sync_path(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    (void)::close(fd);
    return error;
}

std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

Problem cannot_read(const std::string& path, const std::string& why) {
    return {Problem::Kind::bad_input, "cannot_read", fmt::format("cannot read {}: {}", path, why),
            "give the path of a readable file"};
}

Problem cannot_write(const std::string& path, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return {Problem::Kind::environment, full ? "disk_full" : "cannot_write",
            fmt::format("cannot write {}: {}", path, errno_text(error)),
            full ? "free some space or choose another place" : "choose a place that you may write to"};
}

Problem bad_file(const char* name, const std::string& why) {
    return {Problem::Kind::bad_input, name, why, "copy the file again from its source"};
}

Outcome<std::vector<std::uint8_t>> read_whole_file(const std::string& path, std::size_t limit_bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_read(path, errno_text(errno));
    std::vector<std::uint8_t> bytes;
    std::size_t size = 0;
    int error = 0;
    while (error == 0 && size <= limit_bytes) {
        bytes.resize(size + (std::size_t{1} << 16));
        const ssize_t n = ::read(fd, bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) error = errno;
        if (n <= 0) break;
        size += static_cast<std::size_t>(n);
    }
    (void)::close(fd);
    if (error != 0) return cannot_read(path, errno_text(error));
    if (size > limit_bytes) return cannot_read(path, fmt::format("it has more than {} bytes", limit_bytes));
    bytes.resize(size);
    return bytes;
}

Outcome<Done> write_unsynced(const std::string& path, std::span<const std::uint8_t> bytes) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return cannot_write(path, errno);
    int error = write_fully(fd, bytes);
    if (::close(fd) != 0 && error == 0) error = errno;
    if (error != 0) return cannot_write(path, error);
    return Done{};
}

Outcome<Done> sync_paths(std::span<const std::string> paths) {
    std::vector<int> errors(paths.size());
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < paths.size(); ++i)
            threads.emplace_back([&errors, &paths, i] { errors[i] = sync_path(paths[i]); });
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (errors[i] != 0) return cannot_write(paths[i], errors[i]);
    }
    return Done{};
}

Outcome<Done> write_synced(const std::string& path, std::span<const std::uint8_t> bytes) {
    QUARRY_PASS_ON(write_unsynced(path, bytes));
    if (const int error = sync_path(path)) return cannot_write(path, error);
    return Done{};
}

Outcome<Done> replace_file(const std::string& path, std::span<const std::uint8_t> bytes) {
    const std::string beside = path + ".part";
    QUARRY_PASS_ON(write_synced(beside, bytes));
    QUARRY_PASS_ON(rename_path(beside, path));
    const std::string folder = folder_of(path);
    return sync_paths(std::span(&folder, 1));
}

Outcome<Done> make_folder(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return cannot_write(path, error.value());
    return Done{};
}

Outcome<Done> rename_path(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) return cannot_write(to, errno);
    return Done{};
}

AppendFile::AppendFile(AppendFile&& other) noexcept { *this = std::move(other); }

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(pending_, other.pending_);
    std::swap(size_, other.size_);
    std::swap(fd_, other.fd_);
    return *this;
}

AppendFile::~AppendFile() {
    if (fd_ >= 0) (void)::close(fd_);
}

Outcome<AppendFile> AppendFile::open(const std::string& path, std::uint64_t size) {
    AppendFile file;
    file.path_ = path;
    file.size_ = size;
    file.fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    struct stat info{};
    if (file.fd_ < 0 || ::fstat(file.fd_, &info) != 0) return cannot_write(path, errno);
    if (static_cast<std::uint64_t>(info.st_size) < size) {
        return Problem{Problem::Kind::bad_input, "too_short",
                       fmt::format("{} has {} bytes, but the state was saved when it had {}", path, info.st_size, size),
                       "give the folder that the interrupted run wrote to"};
    }
    if (::ftruncate(file.fd_, static_cast<off_t>(size)) != 0 || ::lseek(file.fd_, 0, SEEK_END) < 0)
        return cannot_write(path, errno);
    return file;
}

Outcome<Done> AppendFile::flush() {
    const int error = write_fully(fd_, as_bytes(pending_));
    if (error != 0) return cannot_write(path_, error);
    size_ += pending_.size();
    pending_.clear();
    return Done{};
}

}  // namespace quarry::node
