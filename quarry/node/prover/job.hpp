#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/prover/l1_view.hpp"

/// The work of one terminal proof, from the choice of its batches to the bounty, as a record that survives the process.
namespace quarry::node::prover {

///     proving --> proven --> submitted --> settled
///        |          |  ^         |
///        |          |  +---------+ (the transaction was dropped, or a reorganisation took it back)
///        +----------+------------+--> lost | dropped | failed
///
/// X(name, sentence): the last four are ends.
#define QUARRY_JOB_STATES(X)                                                                            \
    X(proving, "its tasks are being done")                                                              \
    X(proven, "the terminal proof is on disk, and goes to L1 as soon as that is worth it")              \
    X(submitted, "the proof was handed in")                                                             \
    X(settled, "L1 accepted the proof")                                                                 \
    X(lost, "others have proven its batches first")                                                     \
    X(dropped, "its batches are on L1 no more: replaced, discarded, or taken back by a reorganisation") \
    X(failed, "it cannot be done: the code says why")

enum class JobState {
#define QUARRY_X(name, text) name,
    QUARRY_JOB_STATES(QUARRY_X)
#undef QUARRY_X
};
const char* job_state_name(JobState state) noexcept;
inline bool is_over(JobState state) noexcept { return state >= JobState::settled; }

/// A batch as it was when it was chosen.
struct JobBatch {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint64_t submission = 0;
    rollup::Bytes32 hash{};
    friend bool operator==(const JobBatch&, const JobBatch&) = default;
};

struct Job {
    std::string id;  ///< job_name: what its work is, and nothing else
    JobState state = JobState::proving;
    std::uint32_t key = 0;
    std::vector<JobBatch> batches;  ///< 1 to 16, in the bundle's order
    std::string code;               ///< of an end that is not, or not all, to be glad of: a stable word
    std::string reason;             ///< and a sentence
    std::uint64_t created_at = 0;   ///< seconds since 1970
    std::uint64_t proven_at = 0;
    std::uint64_t cpu_ms = 0;       ///< of all its tasks so far
    std::uint64_t submissions = 0;  ///< the number of its hand-in, the last or the next one: names the intent
    Wei max_fee = 0;                ///< that the last of these may cost; 0: whatever it costs
    rollup::Bytes32 transaction{};
    Wei fee = 0;  ///< that the transaction cost
    friend bool operator==(const Job&, const Job&) = default;
};

std::string to_json(const Job& job);
/// Total. No value: no such record.
std::optional<Job> parse_job(std::string_view text);

/// What a job's proof depends on.
struct JobName {
    rollup::L1Address payee;
    std::uint64_t miner_tag = 0;
    std::size_t segments = 1;
    Digest keys{};
};
/// A batch of it.
struct NamedBatch {
    Digest domain{};
    rollup::Bytes32 hash{};
    DataPlacement placement = DataPlacement::blobs;
    std::span<const rollup::Bytes32> l1_hashes;
};
/// The Keccak-256 of a text of all that, as 64 digits: the same work has the same name, before and after a
/// reorganisation and in every process.
std::string job_name(const JobName& name, std::span<const NamedBatch> batches);

/// The records and their folders: FOLDER/ID/job.json, and FOLDER/ID/work for the tasks.
class JobStore {
  public:
    /// Reads what is there. A record that is damaged is left alone and listed.
    static Outcome<JobStore> open(const std::string& folder);

    [[nodiscard]] const std::map<std::string, Job>& jobs() const noexcept { return jobs_; }
    [[nodiscard]] const std::vector<std::string>& damaged() const noexcept { return damaged_; }
    /// On disk when it returns.
    Outcome<Done> put(const Job& job);
    [[nodiscard]] std::string work_path(const std::string& id) const;
    /// The work folders of the other jobs: where results of the same tasks may be.
    [[nodiscard]] std::vector<std::string> other_work(const std::string& id) const;
    /// Removes the work of jobs that are over, all but the last `keep` of them and `running`, and then their records.
    void prune(std::size_t keep, const std::string& running);

  private:
    explicit JobStore(std::string folder) : folder_(std::move(folder)) {}
    std::string folder_;
    std::map<std::string, Job> jobs_;
    std::vector<std::string> damaged_;
};

}  // namespace quarry::node::prover
