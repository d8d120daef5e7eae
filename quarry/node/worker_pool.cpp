#include "quarry/node/worker_pool.hpp"

#include <algorithm>

namespace quarry::node {

Outcome<WorkerPool::Worker> WorkerPool::take(bool is_last) {
    std::erase_if(idle_, [](Worker& worker) { return worker.process.poll_end().has_value(); });
    if (!idle_.empty()) {
        auto it = std::ranges::find(idle_, is_last, &Worker::did_last);
        if (it == idle_.end()) it = std::prev(idle_.end());
        Worker worker = std::move(*it);
        idle_.erase(it);
        worker.did_last |= is_last;
        return worker;
    }
    auto process = WorkerProcess::start(argv_, memory_cap_bytes_);
    if (!process) return process.error();
    return Worker{.process = std::move(process).value(), .did_last = is_last};
}

}  // namespace quarry::node
