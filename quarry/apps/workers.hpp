#pragma once
#include <CLI/App.hpp>
#include <cstdint>
#include <memory>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/node/work_executor.hpp"

/// Tasks in processes beside this one: what commands that start them have in common.
namespace quarry::apps {

struct WorkerOptions {
    unsigned workers = 1;
    std::uint64_t memory_cap_mib = 0;  ///< of each worker; 0: none
};
/// --workers and --memory-cap.
void add_worker_options(CLI::App& command, WorkerOptions& options);

/// Processes `quarry task serve`.
std::unique_ptr<node::WorkerPool> make_worker_pool(std::uint64_t memory_cap_mib, const Session& session);
/// What execute_work needs beside the folder. `pool`: of make_worker_pool, outlives them.
node::WorkExecutorOptions executor_options(node::WorkerPool& pool, unsigned workers, const std::atomic<bool>& stop);

/// Does the tasks of the folder in such processes, which share this process's threads. Throws Failure: what
/// execute_work refuses. Stops when a signal asks for it.
node::WorkReport run_tasks(const node::WorkFolder& folder, const WorkerOptions& options, const Session& session,
                           Progress& progress);

}  // namespace quarry::apps
