#include "quarry/apps/workers.hpp"

#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>

#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/batch_work.hpp"

namespace quarry::apps {

void add_worker_options(CLI::App& command, WorkerOptions& options) {
    add_number(command, "--workers", options.workers, 1, 256, "processes that prove side by side")
        ->capture_default_str();
    add_number(command, "--memory-cap", options.memory_cap_mib, 0, 1u << 24,
               "MiB of memory that a worker may ask for; 0: no cap")
        ->capture_default_str();
}

node::WorkReport run_tasks(const node::WorkFolder& folder, const WorkerOptions& options, const Session& session,
                           Progress& progress) {
    const int threads = std::max(1, tbb::this_task_arena::max_concurrency() / static_cast<int>(options.workers));
    node::WorkExecutorOptions executor;
    executor.workers = options.workers;
    executor.memory_cap_bytes = options.memory_cap_mib << 20;
    executor.now = now_seconds;
    executor.check = node::check_task_output;
    executor.stop = &stop_requested();
    executor.command = [&](const ContentId& id) {
        std::vector<std::string> argv{
            "/proc/self/exe",        "task",   "run", folder.path(), quarry::to_hex(id), "--threads",
            std::to_string(threads), "--quiet"};
        if (!session.isa.empty()) argv.insert(argv.end(), {"--isa", session.isa});
        return argv;
    };
    executor.on_progress = [&](const node::WorkProgress& p) {
        const std::string rate =
            p.units_per_second > 0 ? with_commas(whole(p.units_per_second)) + " words/s" : std::string();
        progress.show(fmt::format("proving: {} of {} tasks done, {} running", p.done, p.tasks, p.running), p.fraction,
                      rate, p.seconds_left);
    };
    return value_of(node::execute_work(folder, executor));
}

}  // namespace quarry::apps
