#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quarry/node/prover/job.hpp"

/// What a prover shows of itself.
namespace quarry::node::prover {

/// Something worth a line in the log. `event`: a stable word, text: a sentence without a full stop.
struct ProverEvent {
    enum class Level { debug, info, warning, error };
    Level level = Level::info;
    std::string event;
    std::string text;
    std::vector<std::pair<std::string, std::string>> fields;
};

struct RollupStatus {
    std::uint32_t rollup = 0;
    std::uint64_t head = 0;       ///< last batch on L1
    std::uint64_t finalised = 0;  ///< last final batch
    std::uint64_t executed = 0;   ///< last batch that the own state has
    std::uint64_t invalid = 0;    ///< the first batch that cannot be proven; 0: none
    std::string code;             ///< why the state does not follow; empty: it does
    std::string reason;
};

struct ProverCounters {
    std::uint64_t executed_batches = 0;
    std::uint64_t rolled_back_batches = 0;
    std::uint64_t invalid_batches = 0;
    std::uint64_t started_jobs = 0;
    std::uint64_t proven_batches = 0;  ///< that a finished terminal proof is of
    std::uint64_t lost_jobs = 0;
    std::uint64_t dropped_jobs = 0;
    std::uint64_t failed_jobs = 0;
    std::uint64_t settled_jobs = 0;
    std::uint64_t settled_batches = 0;
    std::uint64_t submissions = 0;
    std::uint64_t executed_tasks = 0;
    std::uint64_t reused_tasks = 0;  ///< that were done before, or by another job
    std::uint64_t cpu_ms = 0;        ///< of tasks
    Wei fees = 0;                    ///< paid for transactions
    std::uint64_t l1_errors = 0;     ///< rounds in which no endpoint answered
};

struct ProverStatus {
    bool connected = false;
    bool stopping = false;
    std::uint64_t l1_block = 0;
    Wei gas_price = 0;
    std::vector<RollupStatus> rollups;
    std::map<std::string, std::size_t> jobs;  ///< how many there are, by state
    std::string job;                          ///< that is being proven; empty: none
    std::string sender_code;                  ///< what keeps transactions from being sent; empty: nothing
    std::string skipped_code;  ///< why what is open is not being proven; empty: it is, or nothing is open
    std::string skipped_reason;
    double ms_per_unit = 0;  ///< CPU time of a unit of proving, measured
    ProverCounters counters;

    /// Whether it does what it is there for: L1 answers, and every rollup's state follows.
    [[nodiscard]] bool is_ready() const noexcept;
};

/// Prometheus text: quarry_prover_*.
std::string to_prometheus(const ProverStatus& status);
/// One JSON document.
std::string to_json(const ProverStatus& status);

}  // namespace quarry::node::prover
