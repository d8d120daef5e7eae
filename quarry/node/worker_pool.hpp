#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/node/worker_process.hpp"

namespace quarry::node {

/// Processes that do tasks one after the other: what the next task needs too (keys of circuits, memory that was
/// touched) is there. One that fails or is killed costs its own task only, and another one takes its place. For one
/// thread, with which the processes die.
class WorkerPool {
  public:
    struct Worker {
        WorkerProcess process;
        std::uint64_t cpu_ms = 0;  ///< of its tasks so far
        bool did_last = false;     ///< it has what the last task of a tree needs, which is most of the memory
    };
    /// `argv`: a program that reads lines `TASK THREADS FOLDER` and does these tasks. For each it calls
    /// WorkFolder::put_output, writes a line `alive` to stdout at least every few seconds, `progress FRACTION` when it
    /// likes, and `done CPU_MS PEAK_RSS_BYTES` at the end: CPU time of the task, memory of the process so far. Where it
    /// fails it ends, and the last line on its stderr says why. `memory_cap_bytes`: WorkerProcess::start.
    explicit WorkerPool(std::vector<std::string> argv, std::uint64_t memory_cap_bytes = 0)
        : argv_(std::move(argv)), memory_cap_bytes_(memory_cap_bytes) {}

    /// One that waits for a task. The last task of each tree goes to the same one as long as that lives, and other
    /// tasks go to it only if no other one waits. environment (cannot_start).
    Outcome<Worker> take(bool is_last);
    /// One that has done its task.
    void put_back(Worker worker) { idle_.push_back(std::move(worker)); }

  private:
    std::vector<std::string> argv_;
    std::uint64_t memory_cap_bytes_;
    std::vector<Worker> idle_;
};

}  // namespace quarry::node
