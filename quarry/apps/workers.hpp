#pragma once
#include <CLI/App.hpp>
#include <cstdint>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/node/work_executor.hpp"

/// Tasks in processes of their own: what commands that start them have in common.
namespace quarry::apps {

struct WorkerOptions {
    unsigned workers = 1;
    std::uint64_t memory_cap_mib = 0;  ///< of each worker; 0: none
};
/// --workers and --memory-cap.
void add_worker_options(CLI::App& command, WorkerOptions& options);

/// Does the tasks of the folder in processes `quarry task run`, which share this process's threads evenly. Throws
/// Failure: what execute_work refuses. Stops when a signal asks for it.
node::WorkReport run_tasks(const node::WorkFolder& folder, const WorkerOptions& options, const Session& session,
                           Progress& progress);

}  // namespace quarry::apps
