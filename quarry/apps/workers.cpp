#include "quarry/apps/workers.hpp"

#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

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

std::unique_ptr<node::WorkerPool> make_worker_pool(std::uint64_t memory_cap_mib, const Session& session) {
    std::vector<std::string> argv{
        "/proc/self/exe", "task", "serve", "--threads", std::to_string(tbb::this_task_arena::max_concurrency()),
        "--quiet"};
    if (!session.isa.empty()) argv.insert(argv.end(), {"--isa", session.isa});
    return std::make_unique<node::WorkerPool>(std::move(argv), memory_cap_mib << 20);
}

node::WorkExecutorOptions executor_options(node::WorkerPool& pool, unsigned workers, const std::atomic<bool>& stop) {
    node::WorkExecutorOptions executor;
    executor.pool = &pool;
    executor.workers = workers;
    executor.threads = static_cast<unsigned>(tbb::this_task_arena::max_concurrency());
    executor.now = now_seconds;
    executor.check = node::check_task_output;
    executor.stop = &stop;
    return executor;
}

node::WorkReport run_tasks(const node::WorkFolder& folder, const WorkerOptions& options, const Session& session,
                           Progress& progress) {
    const auto pool = make_worker_pool(options.memory_cap_mib, session);
    node::WorkExecutorOptions executor = executor_options(*pool, options.workers, stop_requested());
    executor.on_progress = [&](const node::WorkProgress& p) {
        const std::string rate =
            p.units_per_second > 0 ? with_commas(whole(p.units_per_second)) + " words/s" : std::string();
        progress.show(fmt::format("proving: {} of {} tasks done, {} running", p.done, p.tasks, p.running), p.fraction,
                      rate, p.seconds_left);
    };
    return value_of(node::execute_work(folder, executor));
}

}  // namespace quarry::apps
