#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/node/prover/job.hpp"
#include "quarry/node/terminal_proof.hpp"
#include "quarry/node/work_executor.hpp"
#include "quarry/rollup/memory_store.hpp"

/// From a job's batches to its terminal proof, by the tasks of a work folder: what is done stays done, whatever stops
/// the process, and what another job's folder has already is not done again.
namespace quarry::node::prover {

/// All that planning a job takes. Of each rollup every batch from the first to the last that is to be proven: those in
/// between are executed, not proven.
struct JobMaterial {
    struct Batch {
        rollup::RollupParameters parameters;
        BatchFiles files;
        bool prove = true;
        DataPlacement placement = DataPlacement::blobs;
        std::vector<rollup::Bytes32> l1_hashes;
    };
    std::vector<Batch> batches;                                            ///< in the bundle's order
    std::map<std::uint32_t, std::shared_ptr<rollup::MemoryStore>> states;  ///< before each rollup's first one
};

struct ProofWork {
    std::string job;                  ///< its id: names the work
    std::string folder;               ///< of the work; made if it is not there
    std::vector<std::string> others;  ///< folders of other work that may have results of the same tasks
    rollup::L1Address payee;
    std::uint64_t miner_tag = 0;
    std::size_t segments = 1;  ///< that a batch is cut into, at least
};

struct ProofResult {
    TerminalProofFile proof;
    WorkReport report;
    std::size_t copied = 0;  ///< results that another job had
    double units = 0;        ///< of the tasks that were executed
};

/// Does the tasks of a folder: execute_work with its options, or whatever a test puts in its place.
using WorkDoer = std::function<Outcome<WorkReport>(const WorkFolder& folder, const std::atomic<bool>& stop)>;

/// Plans what is not planned yet, does what is not done. `material`: asked for only if the folder has no tree. refused:
/// a batch is invalid, or too large; environment: stopped, task_failed, ..
Outcome<ProofResult> do_proof_work(const ProofWork& work, const std::function<Outcome<JobMaterial>()>& material,
                                   const WorkDoer& doer, const std::atomic<bool>& stop);

/// The finished proof of a job whose work was done before; no value: it is not done.
std::optional<TerminalProofFile> find_proof(const std::string& folder, const std::string& job);

/// Its last task has to be done again. environment: the disk.
Outcome<Done> forget_proof(const std::string& folder, const std::string& job);

/// Does one piece of work at a time, beside its caller.
class ProofRunner {
  public:
    virtual ~ProofRunner() = default;
    /// Precondition: not is_busy().
    virtual void start(ProofWork work, std::function<Outcome<JobMaterial>()> material) = 0;
    /// From start() until take() has returned the result.
    [[nodiscard]] virtual bool is_busy() const = 0;
    /// What came of it; no value while it runs. Never waits.
    virtual std::optional<Outcome<ProofResult>> take() = 0;
    /// Asks the work to stop: its result comes soon, environment (stopped).
    virtual void stop() = 0;
};
/// On a thread of its own, which the destructor stops and joins.
std::unique_ptr<ProofRunner> make_proof_runner(WorkDoer doer);

}  // namespace quarry::node::prover
