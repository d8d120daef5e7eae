#include "quarry/node/devnet/folder.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "quarry/node/file_io.hpp"

namespace quarry::node::devnet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = "lock";

/// Whether nobody listens there.
bool is_free(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const int on = 1;  // as the programs themselves: a port that was closed a moment ago is free
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    (void)::close(fd);
    return free;
}

Outcome<Done> check_ports(const DevnetOptions& options) {
    std::vector<std::uint16_t> ports{options.l1_port, options.rpc_port};
    for (unsigned i = 0; i <= options.provers; ++i)
        ports.push_back(static_cast<std::uint16_t>(options.metrics_port + i));
    for (const std::uint16_t port : ports) {
        if (is_free(port)) continue;
        return Problem{Problem::Kind::bad_input, "port_taken", fmt::format("somebody listens on port {}", port),
                       "stop that program, or choose others with --l1-port, --rpc-port, --metrics-port"};
    }
    return Done{};
}

/// Everything in the folder but its lock, and the marker, by which a reset that was interrupted is known again.
Outcome<Done> empty_folder(const Layout& layout) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(layout.options().folder, error)) {
        if (entry.path().filename() == kLock || entry.path() == layout.marker()) continue;
        fs::remove_all(entry.path(), error);
        if (error) return cannot_write(entry.path().string(), error.value());
    }
    return Done{};
}

/// Something that no interrupted start of a network leaves, which makes the marker before all else.
bool holds_something_else(const Layout& layout) {
    std::error_code error;
    if (fs::exists(layout.marker(), error)) return false;
    for (const auto& entry : fs::directory_iterator(layout.options().folder, error)) {
        const bool is_ours = entry.path().filename() == kLock || entry.path() == layout.marker() + ".part";
        if (!is_ours) return true;
    }
    return false;
}

}  // namespace

DevnetFolder::DevnetFolder(DevnetFolder&& other) noexcept : lock_fd_(std::exchange(other.lock_fd_, -1)) {}

DevnetFolder::~DevnetFolder() {
    if (lock_fd_ >= 0) (void)::close(lock_fd_);
}

Outcome<DevnetFolder> DevnetFolder::open(const Layout& layout, bool reset) {
    const std::string& folder = layout.options().folder;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return cannot_write(folder, error.value());
    if (holds_something_else(layout)) {
        return Problem{Problem::Kind::bad_input, "not_a_devnet", folder + " holds something else",
                       "choose an empty folder with --dir"};
    }
    DevnetFolder held(::open(layout.path(kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (held.lock_fd_ < 0) return cannot_write(layout.path(kLock), errno);
    if (::flock(held.lock_fd_, LOCK_EX | LOCK_NB) != 0) {
        return Problem{Problem::Kind::bad_input, "devnet_runs", "another process runs the network in " + folder,
                       "stop it first, or choose another folder with --dir"};
    }
    // First, so that a folder whose making was interrupted is known again.
    QUARRY_PASS_ON(replace_file(layout.marker(), as_bytes("{\"type\":\"quarry devnet\",\"version\":1}\n")));
    if (reset) QUARRY_PASS_ON(empty_folder(layout));
    QUARRY_PASS_ON(check_ports(layout.options()));
    for (const std::string& path : layout.folders()) {
        fs::create_directories(path, error);
        if (error) return cannot_write(path, error.value());
    }
    return held;
}

}  // namespace quarry::node::devnet
