#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quarry/node/prover/job.hpp"
#include "quarry/node/prover/l1_view.hpp"
#include "quarry/node/prover/pricing.hpp"
#include "quarry/node/prover/proof_work.hpp"
#include "quarry/node/prover/replica.hpp"
#include "quarry/node/prover/status.hpp"

/// A prover: follows the rollups of a hub from L1 data alone, proves batches that are worth it, hands the proofs in.
namespace quarry::node::prover {

struct ProverOptions {
    std::string folder;       ///< rollups/ID with states and batches, jobs/ID with work; made if it is not there
    rollup::L1Address payee;  ///< who is paid; not zero
    std::uint64_t miner_tag = 0;
    std::size_t segments = 1;            ///< that a batch is cut into, at least
    std::uint64_t confirmations = 2;     ///< blocks that a batch is deep before its proof leaves; 1: the head will do
    std::uint64_t patience_seconds = 0;  ///< that a batch is on L1 before a proof is begun: others may make it
    std::size_t max_batches = 16;        ///< of one proof
    std::set<std::uint32_t> rollups;     ///< to follow; empty: those that have a bounty to earn
    std::size_t max_rollups = 64;        ///< of these, the ones with the greatest
    bool untrusted = false;              ///< batches too whose verifying contracts are not of the hub's list
    std::size_t batches_per_step = 4;    ///< executed in one round, so that a round does not take long
    std::size_t keep_jobs = 32;          ///< that are over, with their work
    std::uint64_t retry_seconds = 10;    ///< after trouble with a job; twice as long each time, up to 64 times as long
    unsigned max_refusals = 8;           ///< of a job's proofs by L1, before it is given up

    GasModel gas;
    Wei wei_per_cpu_hour = 0;  ///< what the machine costs
    int margin_percent = 10;   ///< by how much earnings must exceed costs; -100: whatever it costs

    /// A snapshot of a rollup whose state is not here; empty: from the first batch on.
    std::function<Outcome<std::vector<std::uint8_t>>(std::uint32_t rollup)> fetch_snapshot;
    std::function<void(const ProverEvent&)> on_event;  ///< may be empty
};

class Prover {
  public:
    /// Takes up what is in the folder. `view` outlives the prover. environment: the folder; bad_input (missing_payee).
    static Outcome<std::unique_ptr<Prover>> open(ProverOptions options, L1View& view,
                                                 std::unique_ptr<ProofRunner> runner);

    /// One round: looks at L1, executes, takes in finished work, hands in, begins work. `now`: seconds since 1970.
    /// environment: the own disk; L1's trouble is no error, the next round tries again.
    Outcome<Done> step(std::uint64_t now);
    /// Begins no more work and stops what runs; finished tasks stay. Rounds go on until is_stopped().
    void stop();
    [[nodiscard]] bool is_stopped() const { return stopping_ && !runner_->is_busy(); }

    // From any thread.
    [[nodiscard]] ProverStatus status() const;
    /// Of the rollup's last irreversible state: the same bytes for everybody who asks within some minutes. bad_input
    /// (unknown_rollup); environment (busy): one is being made, or others are still held by who asked for them.
    using SnapshotBytes = std::shared_ptr<const std::vector<std::uint8_t>>;
    [[nodiscard]] Outcome<SnapshotBytes> snapshot(std::uint32_t rollup) const;
    /// A batch's words and effects, also when L1 has them no more. bad_input (unknown_rollup, ..).
    [[nodiscard]] Outcome<BatchFiles> batch(std::uint32_t rollup, std::uint64_t number) const;

    [[nodiscard]] const JobStore& jobs() const noexcept { return jobs_; }
    /// Null: it is not followed.
    [[nodiscard]] const Replica* replica(std::uint32_t rollup) const;

  private:
    Prover(ProverOptions options, L1View& view, std::unique_ptr<ProofRunner> runner, JobStore jobs)
        : options_(std::move(options)), view_(view), runner_(std::move(runner)), jobs_(std::move(jobs)) {}
    /// A rollup that is followed.
    struct Followed {
        RollupOnL1 on_l1;
        std::shared_ptr<Replica> replica;  ///< null until it could be opened
        std::optional<Problem> waits;
        std::uint64_t retry_at = 0;
        bool is_catching_up = false;  ///< what the next round executes may go into the same proof
    };
    /// Trouble with a job, since it last got on.
    struct Trouble {
        unsigned times = 0;
        std::uint64_t retry_at = 0;
        std::string said;           ///< what the log has of it
        unsigned refusals = 0;      ///< by L1, of all its proofs
        bool was_rejected = false;  ///< by a verifying contract, and is made again
    };
    /// What has become of a job's batches.
    struct Standing {
        std::size_t open = 0;    ///< wait for a proof
        std::size_t mine = 0;    ///< proven for the own payee
        std::size_t others = 0;  ///< proven for somebody else
        std::size_t gone = 0;    ///< not on L1 any more, or with other data
    };

    struct KeptSnapshot {
        std::uint32_t rollup = 0;
        std::uint64_t number = 0;
        SnapshotBytes bytes;
    };

    // prover.cpp
    void look_at_sender();
    /// Those that nobody has but this. Precondition: snapshots_mutex_ is held.
    void drop_unused_snapshots() const;
    void follow(std::uint64_t now);
    /// Those that are named; else as many as there are places for, which anybody can fill by registering rollups: those
    /// with work in progress, then those whose open batches offer most, then those whose state is here.
    [[nodiscard]] std::vector<RollupOnL1> rollups_to_follow() const;
    /// Bounties of the rollup's next batches, as many as one proof takes, up to one that is known to be invalid.
    [[nodiscard]] Wei open_bounty(const RollupOnL1& rollup) const;
    [[nodiscard]] bool may_prove(const BatchOnL1& batch) const { return batch.trusted || options_.untrusted; }
    /// From any thread.
    [[nodiscard]] std::shared_ptr<const Replica> shared_replica(std::uint32_t rollup) const;
    void follow_one(Followed& followed, std::uint64_t now);
    Outcome<std::unique_ptr<Replica>> open_replica(const RollupOnL1& rollup);
    void report_invalid(const Followed& followed);
    void publish();
    void say(ProverEvent::Level level, const std::string& event, const std::string& text,
             std::vector<std::pair<std::string, std::string>> fields = {}) const;

    // prover_jobs.cpp
    Outcome<Done> take_result(std::uint64_t now);
    Outcome<Done> check_jobs(std::uint64_t now);
    Outcome<Done> check_job(Job job, std::uint64_t now);
    /// Of a job none of whose batches waits for a proof.
    Outcome<Done> end_of_closed(Job& job, const Standing& standing);
    Outcome<Done> check_submission(Job& job, const Standing& standing, std::uint64_t now);
    /// L1 does not take the proof.
    Outcome<Done> take_refusal(Job& job, const SubmissionStatus& status, std::uint64_t now);
    Outcome<Done> hand_in(Job& job, std::uint64_t now);
    Outcome<Done> begin_work(std::uint64_t now);
    Outcome<Done> start(const Job& job, std::uint64_t now);
    /// It is not tried again for a while. The log says why, once for each cause.
    void put_off(const Job& job, std::uint64_t now, const Problem& why);
    [[nodiscard]] bool is_put_off(const Job& job, std::uint64_t now) const;
    /// Whether no short reorganisation takes the job's batches back.
    [[nodiscard]] bool is_deep(const Job& job) const;
    [[nodiscard]] Standing standing_of(const Job& job) const;
    /// Earnings of its batches that are open still, costs of the whole transaction; own cost of what is to be done.
    [[nodiscard]] Price price_now(const Job& job) const;
    [[nodiscard]] PriceContext price_context() const;
    [[nodiscard]] std::vector<Candidate> candidates() const;
    [[nodiscard]] std::optional<Job> choose(std::uint64_t now);
    [[nodiscard]] std::optional<Job> job_of(std::span<const Candidate> batches, std::uint64_t now) const;
    /// environment (not_followed, ..): not now; refused (not_reversible): never again.
    Outcome<JobMaterial> material_of(const Job& job) const;
    Outcome<ProofToSubmit> to_submit(const Job& job, TerminalProofFile proof) const;
    Outcome<Done> end(Job& job, JobState state, const std::string& code, const std::string& reason);

    ProverOptions options_;
    L1View& view_;
    std::unique_ptr<ProofRunner> runner_;
    JobStore jobs_;
    std::map<std::uint32_t, Followed> rollups_;
    std::set<std::pair<std::uint64_t, rollup::Bytes32>> invalid_;  ///< submissions and hashes of invalid batches
    std::string running_;                                          ///< the job that the runner works on
    std::map<std::string, Trouble> trouble_;                       ///< by job
    std::string skipped_code_;
    std::string skipped_reason_;
    std::string holding_;  ///< the last job whose hand-in waits for a better price
    ProverCounters counters_;
    std::string sender_code_;  ///< what keeps the sender from its work; empty: nothing
    mutable std::mutex snapshots_mutex_;
    mutable std::vector<KeptSnapshot> snapshots_;
    std::uint64_t drop_snapshots_at_ = 0;
    double ms_per_unit_ = 2.0;  ///< what it is on a small machine, until it is measured
    bool connected_ = false;
    bool stopping_ = false;
    mutable std::mutex states_mutex_;  ///< of rollups_, held while it changes, and by other threads that read it
    mutable std::mutex status_mutex_;
    ProverStatus status_;
};

}  // namespace quarry::node::prover
