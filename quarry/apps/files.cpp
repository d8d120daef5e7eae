#include "quarry/apps/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/base/write_fully.hpp"

namespace quarry::apps {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

Failure cannot_read(const std::string& path, const std::string& why) {
    return {exit_bad_input, "cannot_read", fmt::format("cannot read {}: {}", path, why),
            "give the path of a readable file"};
}

Failure cannot_write(const std::string& path, int error) {
    return {exit_environment, error == ENOSPC ? "disk_full" : "cannot_write",
            fmt::format("cannot write {}: {}", path, reason(error)),
            error == ENOSPC ? "free some space or choose another place" : "choose a place that you may write to"};
}

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) (void)::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int close() {
        const int fd = fd_;
        fd_ = -1;
        return ::close(fd);
    }

  private:
    int fd_;
};

/// 0 or the errno of what failed. `sync`: on disk when this returns.
int write_all(const std::string& path, int flags, std::span<const std::uint8_t> bytes, bool sync) {
    Descriptor file(::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0644));
    if (file.get() < 0) return errno;
    if (const int error = write_fully(file.get(), bytes)) return error;
    if (sync && ::fsync(file.get()) != 0) return errno;
    return file.close() == 0 ? 0 : errno;
}

std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path, std::size_t limit_bytes) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) throw cannot_read(path, reason(errno));
    std::vector<std::uint8_t> bytes;
    for (std::size_t size = 0;;) {
        if (size > limit_bytes) {
            throw cannot_read(path, "larger than " + human_bytes(limit_bytes) + ", so it is no proof");
        }
        bytes.resize(size + (std::size_t{1} << 16));
        const ssize_t n = ::read(file.get(), bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw cannot_read(path, reason(errno));
        size += static_cast<std::size_t>(n);
        bytes.resize(size);
        if (n == 0) break;
    }
    if (bytes.empty()) throw cannot_read(path, "the file is empty");
    return bytes;
}

void check_writable(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) {
        if (S_ISDIR(info.st_mode)) throw cannot_write(path, EISDIR);
        if (::access(path.c_str(), W_OK) != 0) throw cannot_write(path, errno);
        if (!S_ISREG(info.st_mode)) return;
    }
    const std::string folder = folder_of(path);
    if (::stat(folder.c_str(), &info) != 0) throw cannot_write(path, errno);
    if (!S_ISDIR(info.st_mode)) throw cannot_write(path, ENOTDIR);
    if (::access(folder.c_str(), W_OK | X_OK) != 0) throw cannot_write(path, errno);
}

void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
    check_writable(path);
    struct stat info{};
    if (::lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
        if (const int error = write_all(path, O_TRUNC, bytes, false)) throw cannot_write(path, error);
        return;
    }
    const std::string beside = fmt::format("{}.{}.part", path, ::getpid());
    int error = write_all(beside, O_CREAT | O_TRUNC, bytes, true);
    if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error = errno;
    if (error == 0) return;
    (void)::unlink(beside.c_str());
    throw cannot_write(path, error);
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
    check_writable(path_);
    struct stat info{};
    const bool direct = ::lstat(path_.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
    written_path_ = direct ? path_ : fmt::format("{}.{}.part", path_, ::getpid());
    fd_ = ::open(written_path_.c_str(), (direct ? 0 : O_CREAT | O_TRUNC) | O_WRONLY | O_CLOEXEC, 0644);
    if (fd_ < 0) throw cannot_write(path_, errno);
}

OutputFile::~OutputFile() {
    if (fd_ < 0) return;
    (void)::close(fd_);
    if (written_path_ != path_) (void)::unlink(written_path_.c_str());
}

void OutputFile::write(std::string_view text) {
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (const int error = write_fully(fd_, bytes)) throw cannot_write(path_, error);
}

void OutputFile::finish() {
    const bool direct = written_path_ == path_;
    if (!direct && ::fsync(fd_) != 0) throw cannot_write(path_, errno);
    if (!direct && std::rename(written_path_.c_str(), path_.c_str()) != 0) throw cannot_write(path_, errno);
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) throw cannot_write(path_, errno);
}

}  // namespace quarry::apps
