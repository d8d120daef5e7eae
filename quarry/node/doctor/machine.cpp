#include "quarry/node/doctor/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>

#include "quarry/node/l1/connection.hpp"

namespace quarry::node::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kLeastPart = 20;  // a part of the disk space that is advised, without which nothing goes on
constexpr int kSyncs = 8;
constexpr double kSlowSyncSeconds = 0.05;  // a sequencer syncs before it acknowledges

/// Closed when it goes.
class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

  private:
    int fd_;
};

std::string gib(std::uint64_t bytes) { return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / kGiB); }

/// The folder, or the nearest one above it that is there.
std::string existing_part(const std::string& folder) {
    std::error_code error;
    fs::path path = fs::absolute(folder, error);
    while (!fs::is_directory(path, error) && path.has_relative_path()) path = path.parent_path();
    return path.string();
}

Finding cannot_write(const std::string& folder) {
    return fail(fmt::format("cannot write in {}: {}", folder, std::strerror(errno)),
                "give the node's user a folder of its own, on a disk that is mounted for writing");
}

}  // namespace

Needs sequencer_needs(std::size_t max_connections) {
    return {.cores = 2,
            .memory_bytes = 2 * kGiB,
            .disk_bytes = 20 * kGiB,
            .open_files = static_cast<std::uint64_t>(max_connections) + 1024};
}

Needs prover_needs() { return {.cores = 4, .memory_bytes = 10 * kGiB, .disk_bytes = 20 * kGiB, .open_files = 1024}; }

Finding check_kernels(std::string_view cpu, Isa chosen, Isa best) {
    const std::string text = fmt::format("{}, kernels: {}{}", cpu, isa_name(chosen), has_ifma() ? " with IFMA" : "");
    if (chosen != best) {
        return warn(text, fmt::format("unset QUARRY_ISA or --isa: this machine supports {}", isa_name(best)));
    }
    if (chosen == Isa::scalar) return warn(text, "proving takes many times as long as on a CPU with AVX2 or AVX-512");
    return ok(text);
}

Finding check_cores(unsigned cores, unsigned needed) {
    const std::string text = fmt::format("{} core{}", cores, cores == 1 ? "" : "s");
    if (cores >= needed) return ok(text);
    return warn(text, fmt::format("it runs, slowly: {} or more are advised", needed));
}

Finding check_memory(std::optional<std::uint64_t> free_bytes, std::uint64_t needed_bytes) {
    if (!free_bytes) return warn("unknown", fmt::format("see that {} are free", gib(needed_bytes)));
    const std::string text = fmt::format("{} free, {} needed", gib(*free_bytes), gib(needed_bytes));
    if (*free_bytes >= needed_bytes) return ok(text);
    return fail(text, "stop other programs, or use a machine with more memory");
}

Finding check_open_files(std::uint64_t limit, std::uint64_t needed) {
    const std::string text = limit == std::numeric_limits<std::uint64_t>::max()
                                 ? std::string("no limit")
                                 : fmt::format("limit {}, {} needed", limit, needed);
    if (limit >= needed) return ok(text);
    return warn(text, fmt::format("raise it: `ulimit -n {0}`, or LimitNOFILE={0} in the systemd unit", needed));
}

Finding check_disk(const std::string& folder, std::uint64_t needed_bytes) {
    const std::string place = existing_part(folder);
    struct statvfs status{};
    if (::statvfs(place.c_str(), &status) != 0)
        return fail(fmt::format("{}: {}", place, std::strerror(errno)), "name a folder on a disk that is there");
    const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    const std::string text = fmt::format("{} free at {}", gib(free), place);
    if (free >= needed_bytes) return ok(text);
    const std::string advice = fmt::format("{} are advised: free space, or name another folder", gib(needed_bytes));
    return free < needed_bytes / kLeastPart ? fail(text, advice) : warn(text, advice);
}

Finding check_sync(const std::string& folder, const std::function<double()>& now_seconds) {
    const std::string place = existing_part(folder);
    std::string name = place + "/.quarry-doctor-XXXXXX";
    const FileDescriptor file(::mkstemp(name.data()));
    if (file.get() < 0) return cannot_write(place);
    (void)::unlink(name.c_str());
    const std::array<char, 4096> block{};
    std::vector<double> seconds;
    for (int i = 0; i < kSyncs; ++i) {
        const double start = now_seconds();
        if (::write(file.get(), block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
            ::fsync(file.get()) != 0)
            return cannot_write(place);
        seconds.push_back(now_seconds() - start);
    }
    std::ranges::nth_element(seconds, seconds.begin() + kSyncs / 2);
    const double median = seconds[kSyncs / 2];
    const std::string text = fmt::format("{:.1f} ms to sync at {}", 1000 * median, place);
    if (median <= kSlowSyncSeconds) return ok(text);
    return warn(text, "each acknowledgement waits for a sync: use a local SSD");
}

Finding check_port(const std::string& host, std::uint16_t port) {
    const std::string where = fmt::format("{}:{}", host, port);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (code != 0) return fail(where + ": " + ::gai_strerror(code), "name an address of this machine");
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
    const FileDescriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (socket.get() >= 0 && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::bind(socket.get(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(socket.get(), 1) == 0) {
        return ok(where + " is free");
    }
    return fail(where + ": " + std::strerror(errno), errno == EADDRINUSE
                                                         ? "stop the program that listens there, or choose another port"
                                                         : "choose an address and a port that this user may listen on");
}

Finding check_key_file(const std::string& path) {
    const auto key = l1::read_key_file(path);
    if (!key) return fail(key.error().cause, key.error().remedy);
    return ok(fmt::format("{} of {}", path, ethereum::to_hex(key.value().address())));
}

}  // namespace quarry::node::doctor
