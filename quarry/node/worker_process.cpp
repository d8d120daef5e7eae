#include "quarry/node/worker_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace quarry::node {
namespace {

constexpr std::size_t kMaxKept = 4096;
constexpr int kCannotStart = 126;

Problem cannot_start(const std::string& what, int error) {
    return {Problem::Kind::environment, "cannot_start",
            "cannot start " + what + ": " + std::generic_category().message(error),
            "free memory and processes, then try again"};
}

/// What the child does between fork and exec: only what a child of a process with threads may do.
[[noreturn]] void become(char* const* argv, int input_fd, int output_fd, int error_fd, std::uint64_t memory_cap_bytes,
                         pid_t parent) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(kCannotStart);
    (void)::setpgid(0, 0);  // a Ctrl-C on the terminal is the parent's to handle
    if (memory_cap_bytes > 0) {
        const rlimit cap{memory_cap_bytes, memory_cap_bytes};
        if (::setrlimit(RLIMIT_DATA, &cap) != 0) ::_exit(kCannotStart);
    }
    if (::dup2(input_fd, STDIN_FILENO) < 0 || ::dup2(output_fd, STDOUT_FILENO) < 0 ||
        ::dup2(error_fd, STDERR_FILENO) < 0) {
        ::_exit(kCannotStart);
    }
    ::execv(argv[0], argv);
    ::_exit(kCannotStart);
}

/// Appends what can be read without waiting.
void drain(int fd, std::string& text) {
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

void close_fd(int& fd) {
    if (fd >= 0) (void)::close(fd);
    fd = -1;
}

}  // namespace

Outcome<WorkerProcess> WorkerProcess::start(const std::vector<std::string>& argv, std::uint64_t memory_cap_bytes) {
    QUARRY_CHECK(!argv.empty());
    std::vector<char*> pointers;
    for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);

    WorkerProcess process;
    std::array<int, 2> input{-1, -1};
    std::array<int, 2> output{-1, -1};
    std::array<int, 2> errors{-1, -1};
    // A socket, since writing into one that nobody reads can be told not to raise a signal.
    const bool made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) == 0 &&
                      ::pipe2(output.data(), O_CLOEXEC) == 0 && ::pipe2(errors.data(), O_CLOEXEC) == 0;
    const int why = errno;
    process.input_fd_ = input[0];
    process.output_fd_ = output[0];
    process.error_fd_ = errors[0];
    const auto close_childs = [&] {
        for (int* fd : {&input[1], &output[1], &errors[1]}) close_fd(*fd);
    };
    if (!made) {
        close_childs();
        return cannot_start(argv[0], why);
    }
    for (const int fd : {output[0], errors[0]}) (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
    const pid_t parent = ::getpid();
    process.pid_ = ::fork();
    const int error = errno;
    if (process.pid_ == 0) become(pointers.data(), input[1], output[1], errors[1], memory_cap_bytes, parent);
    close_childs();
    if (process.pid_ < 0) return cannot_start(argv[0], error);
    return process;
}

WorkerProcess& WorkerProcess::operator=(WorkerProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(input_fd_, other.input_fd_);
    std::swap(output_fd_, other.output_fd_);
    std::swap(error_fd_, other.error_fd_);
    std::swap(output_, other.output_);
    std::swap(errors_, other.errors_);
    return *this;
}

WorkerProcess::~WorkerProcess() {
    if (pid_ > 0) {
        signal(SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    close_fd(input_fd_);
    close_fd(output_fd_);
    close_fd(error_fd_);
}

bool WorkerProcess::write_line(const std::string& line) {
    const std::string text = line + "\n";
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t n = ::send(input_fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    return true;
}

std::vector<std::string> WorkerProcess::read_lines() {
    drain(output_fd_, output_);
    std::vector<std::string> lines;
    for (std::size_t end = output_.find('\n'); end != std::string::npos; end = output_.find('\n')) {
        lines.push_back(output_.substr(0, end));
        output_.erase(0, end + 1);
    }
    if (output_.size() > kMaxKept) output_.clear();
    return lines;
}

std::string WorkerProcess::last_words() {
    drain(error_fd_, errors_);
    if (errors_.size() > kMaxKept) errors_.erase(0, errors_.size() - kMaxKept);
    std::string text = errors_;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const std::size_t last = text.rfind('\n');
    return last == std::string::npos ? text : text.substr(last + 1);
}

std::optional<ProcessEnd> WorkerProcess::poll_end() {
    if (pid_ <= 0) return std::nullopt;
    int status = 0;
    rusage usage{};
    if (::wait4(pid_, &status, WNOHANG, &usage) != pid_) return std::nullopt;
    pid_ = -1;
    const auto milliseconds = [](const timeval& t) {
        return static_cast<std::uint64_t>(t.tv_sec) * 1000 + static_cast<std::uint64_t>(t.tv_usec) / 1000;
    };
    return ProcessEnd{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                      .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                      .cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
                      .peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
}

void WorkerProcess::signal(int number) const {
    if (pid_ > 0) (void)::kill(pid_, number);
}

}  // namespace quarry::node
