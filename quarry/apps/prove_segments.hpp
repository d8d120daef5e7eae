#pragma once
#include <functional>
#include <string>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/workers.hpp"
#include "quarry/node/batch_files.hpp"
#include "quarry/node/batch_work.hpp"
#include "quarry/rollup/memory_store.hpp"

namespace quarry::apps {

struct SegmentsJob {
    BatchName name;
    std::string folder;  ///< the work folder
    node::BatchFolder batches;
    node::BatchFiles batch;
    node::BatchWork work;
    WorkerOptions workers;
    /// The state before the batch: asked for only when the work is not planned yet. May throw Failure.
    std::function<rollup::MemoryStore()> before;
};

/// Proves the batch in segments, each in a process of its own, or goes on with it; leaves the proofs, their statements
/// and the merged statement in the work folder. Throws Failure.
void prove_segments(const SegmentsJob& job, const Session& session, Progress& progress);

}  // namespace quarry::apps
