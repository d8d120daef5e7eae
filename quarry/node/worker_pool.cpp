#include "quarry/node/worker_pool.hpp"

namespace quarry::node {

Outcome<WorkerPool::Worker> WorkerPool::take() {
    while (!idle_.empty()) {
        Worker worker = std::move(idle_.back());
        idle_.pop_back();
        if (!worker.process.poll_end()) return worker;
    }
    auto process = WorkerProcess::start(argv_, memory_cap_bytes_);
    if (!process) return process.error();
    return Worker{std::move(process).value()};
}

}  // namespace quarry::node
