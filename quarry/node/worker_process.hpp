#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/expected.hpp"

/// A child process that is told on its standard input what to do, and says on its standard output how it gets on.
namespace quarry::node {

/// How a process ended, and what it used.
struct ProcessEnd {
    int exit_code = 0;  ///< when it exited by itself
    int signal = 0;     ///< what ended it; 0: it exited by itself
    std::uint64_t cpu_ms = 0;
    std::uint64_t peak_rss_bytes = 0;
};

class WorkerProcess {
  public:
    /// Starts argv[0] (a path) with these arguments. The child dies with the calling thread, and may not have more than
    /// `memory_cap_bytes` of memory of its own (0: no cap): code and files not counted, what it asks for and does not
    /// use counted, so that the cap is one of what it can ever occupy.
    static Outcome<WorkerProcess> start(const std::vector<std::string>& argv, std::uint64_t memory_cap_bytes);
    WorkerProcess(WorkerProcess&& other) noexcept { *this = std::move(other); }
    WorkerProcess& operator=(WorkerProcess&& other) noexcept;
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;
    /// Kills and reaps what still runs.
    ~WorkerProcess();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] int output_fd() const noexcept { return output_fd_; }
    [[nodiscard]] int error_fd() const noexcept { return error_fd_; }

    /// Puts one line on its standard input. False: it does not read any more.
    bool write_line(const std::string& line);

    /// The whole lines that arrived on its standard output, without their ends. Never waits.
    std::vector<std::string> read_lines();
    /// The end of what arrived on its standard error, in one line.
    [[nodiscard]] std::string last_words();
    /// No value while it runs. Never waits.
    std::optional<ProcessEnd> poll_end();
    void signal(int number) const;

  private:
    WorkerProcess() = default;
    pid_t pid_ = -1;  ///< -1: reaped, or never started
    int input_fd_ = -1;
    int output_fd_ = -1;
    int error_fd_ = -1;
    std::string output_;
    std::string errors_;
};

}  // namespace quarry::node
