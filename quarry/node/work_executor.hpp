#pragma once
#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/work_folder.hpp"
#include "quarry/node/worker_pool.hpp"

/// Executes a work folder on this machine, in processes beside this one.
namespace quarry::node {

struct WorkProgress {
    std::size_t tasks = 0;
    std::size_t done = 0;
    std::size_t running = 0;
    double fraction = 0;                 ///< of all units, those of running tasks as far as they got
    double units_per_second = 0;         ///< of this run; 0: not known yet
    std::optional<double> seconds_left;  ///< once it can be told
};

struct WorkExecutorOptions {
    WorkerPool* pool = nullptr;         ///< whose processes do the tasks
    unsigned workers = 1;               ///< of them, side by side
    unsigned threads = 1;               ///< that these share evenly; the last task of the tree has all
    unsigned attempts = 2;              ///< executions of a task in one run, before it is given up
    double silence_limit_seconds = 60;  ///< a worker that says nothing for so long is killed
    std::function<double()> now;        ///< a clock in seconds, monotonic
    /// Whether the bytes are what the task should have made: asked of every output, old or new.
    std::function<bool(const Task&, std::span<const std::uint8_t>)> check;
    std::function<void(const WorkProgress&)> on_progress;
    const std::atomic<bool>* stop = nullptr;  ///< when it turns true, workers are stopped: environment (stopped)
};

struct WorkReport {
    std::size_t reused = 0;            ///< tasks that were done before
    std::size_t executed = 0;          ///< executions that this run started
    std::size_t failed = 0;            ///< of these, how many did not end well
    std::size_t damaged = 0;           ///< outputs that were there, but not what they should be: made again
    std::uint64_t cpu_ms = 0;          ///< of all executions
    std::uint64_t peak_rss_bytes = 0;  ///< of the largest
};

/// Does every task of the folder that is not done. Whatever fails or is killed costs its own task only; what is done
/// stays, so that the next call goes on from there. environment: locked_by_another_process, stopped, task_failed (the
/// rest was done as far as it could be). bad_input (bad_path): the folder's name has a line break.
Outcome<WorkReport> execute_work(const WorkFolder& folder, const WorkExecutorOptions& options);

/// "units", if the task has such a parameter; 1 else: how tasks are weighed for progress.
double task_weight(const Task& task);

}  // namespace quarry::node
