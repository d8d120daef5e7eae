#pragma once
/// Shared by tests of the prover: a hub in memory with blocks, reorganisations, queues and batches that were really
/// executed, and a runner of proof work that is done when the test says so.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/node_statement.hpp"
#include "quarry/node/prover/prover.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::node::prover::testing {

inline constexpr Wei kEther = 1'000'000'000'000'000'000;
inline constexpr Wei kGwei = 1'000'000'000;
inline const rollup::L1Address kMe = rollup::testing::make_address(70);
inline const rollup::L1Address kOther = rollup::testing::make_address(71);

/// The queues of a rollup with the rolling hashes of docs/spec/settlement.md, section 3.1.
class SimQueues final : public rollup::L1Queues {
  public:
    void push(const rollup::DepositEntry& entry) {
        std::vector<std::uint8_t> bytes(hashes_.back().begin(), hashes_.back().end());
        rollup::encode(rollup::DepositEffect{true, entries_.size(), entry}, bytes);
        entries_.push_back(entry);
        hashes_.push_back(keccak256(bytes));
    }
    [[nodiscard]] std::uint64_t size() const { return entries_.size(); }
    [[nodiscard]] std::optional<rollup::DepositEntry> deposit(std::uint64_t index) const override {
        if (index >= entries_.size()) return std::nullopt;
        return entries_[index];
    }
    [[nodiscard]] std::optional<rollup::ForcedEntry> forced(std::uint64_t) const override { return std::nullopt; }
    [[nodiscard]] rollup::Bytes32 deposit_hash(std::uint64_t cursor) const override { return hashes_.at(cursor); }
    [[nodiscard]] rollup::Bytes32 forced_hash(std::uint64_t) const override { return {}; }

  private:
    std::vector<rollup::DepositEntry> entries_;
    std::vector<rollup::Bytes32> hashes_{{}};
};

/// One rollup and its sequencer.
struct SimRollup {
    explicit SimRollup(std::uint32_t id) {
        parameters.l1_chain_id = 31337;
        parameters.hub = rollup::testing::make_address(777);
        parameters.rollup_id = id;
        parameters.genesis_root = store.state().root;
    }
    /// The next batch: so many deposits to new slots. Not on L1 yet.
    rollup::ExecutedBatch make_batch(std::uint32_t deposits) {
        for (std::uint32_t i = 0; i < deposits; ++i) {
            const auto n = static_cast<std::uint32_t>(queues.size());
            queues.push({rollup::testing::make_owner(n), rollup::testing::make_address(n), 0, rollup::Amount(1000 + n),
                         rollup::kNewSlot});
        }
        rollup::BatchPlan plan;
        plan.number = store.batch_number() + 1;
        plan.parent_hash = parent;
        plan.timestamp = rollup::testing::kNow;
        plan.fee_receiver = rollup::pair_hash(rollup::testing::make_owner(0));
        rollup::BatchBuilder builder(parameters, plan, store, queues);
        for (std::uint32_t i = 0; i < deposits; ++i) QUARRY_CHECK(builder.add_deposit().ok());
        auto batch = builder.seal();
        QUARRY_CHECK(batch.ok());
        QUARRY_CHECK(store.commit(batch.value().commit, batch.value().update).ok());
        parent = keccak256(rollup::encode(batch.value().header));
        return std::move(batch).value();
    }
    rollup::RollupParameters parameters;
    rollup::MemoryStore store;
    SimQueues queues;
    rollup::Bytes32 parent{};
};

/// A hub on a chain in memory.
class SimL1 final : public L1View {
  public:
    struct Posted {
        BatchOnL1 batch;
        std::vector<std::uint8_t> data;
        std::uint64_t proven_block = 0;
    };
    struct Sent {
        ProofToSubmit proof;
        SubmissionStatus status;
        std::uint64_t block = 0;  ///< that has it; 0: none
    };

    SimL1() { add_rollup(1); }
    void add_rollup(std::uint32_t id) { rollups_.emplace(id, SimRollup(id)); }
    SimRollup& rollup(std::uint32_t id = 1) { return rollups_.at(id); }
    std::map<std::uint64_t, Posted>& posted(std::uint32_t id = 1) { return posted_[id]; }
    Posted& at(std::uint64_t number, std::uint32_t id = 1) { return posted_[id].at(number); }

    void mine(std::uint64_t blocks = 1) {
        block += blocks;
        timestamp += static_cast<rollup::Timestamp>(12 * blocks);
    }
    /// Puts a batch on L1, as calldata, in a block of its own.
    BatchOnL1 post(const rollup::Header& header, std::vector<std::uint8_t> data) {
        mine();
        BatchOnL1 b;
        b.header = header;
        b.hash = keccak256(rollup::encode(header));
        b.submission = ++submissions;
        b.block = block;
        b.posted_at = timestamp;
        b.key = key;
        b.trusted = trusted;
        b.placement = DataPlacement::calldata;
        b.l1_hashes = {keccak256(data)};
        b.base = bounty;
        b.max = 2 * bounty;
        b.expected_at = timestamp + 600;
        b.deadline = timestamp + 7200;
        posted_[header.rollup_id][header.number] = {b, std::move(data), 0};
        return b;
    }
    BatchOnL1 post_next(std::uint32_t deposits = 2, std::uint32_t id = 1) {
        const auto batch = rollup(id).make_batch(deposits);
        return post(batch.header, batch.data);
    }
    /// A proof of these batches counts in the next block; what follows on a final batch is final.
    void prove(std::uint32_t id, std::uint64_t number, const rollup::L1Address& payee) {
        mine();
        Posted& p = at(number, id);
        if (p.batch.phase != BatchPhase::pending) return;
        p.batch.phase = BatchPhase::proven;
        p.batch.payee = payee;
        p.proven_block = block;
        settle(id);
    }
    /// The chain from `first` on is another one, without the batches and proofs of the old blocks.
    void reorganise(std::uint64_t first) {
        for (auto& [id, batches] : posted_) {
            std::erase_if(batches, [&](const auto& b) { return b.second.batch.block >= first; });
            for (auto& [number, p] : batches) {
                if (p.proven_block < first) continue;
                p.batch.phase = BatchPhase::pending;
                p.batch.payee = {};
                p.proven_block = 0;
            }
            settle(id);
        }
        for (auto& [name, s] : sent) {
            if (s.block >= first) s = {};
        }
        mine();
    }
    /// Every proof that is on its way gets into a block, and is accepted if anything in it counts: as soon as that
    /// block is deep.
    void include(bool is_deep = true) {
        for (auto& [name, s] : sent) {
            if (s.status.phase != SubmissionPhase::sending || s.block != 0) continue;
            bool counted = false;
            for (const auto& item : s.proof.proof.bundle.items) {
                const auto& header = item.header;
                const auto it = posted_[header.rollup_id].find(header.number);
                const auto hash = keccak256(rollup::encode(header));
                if (it == posted_[header.rollup_id].end() || it->second.batch.hash != hash) continue;
                if (it->second.batch.phase != BatchPhase::pending) continue;
                if (skipped.contains(it->second.batch.submission)) continue;
                prove(header.rollup_id, header.number, item.batch.payee);
                counted = true;
            }
            s.block = block;
            if (!is_deep) continue;
            s.status.phase = counted ? SubmissionPhase::accepted : SubmissionPhase::refused;
            if (!counted) s.status.code = "AlreadyProven";
        }
    }

    Outcome<Done> refresh() override {
        if (down) return Problem{Problem::Kind::environment, "l1_unreachable", "no endpoint answers", "try again"};
        return Done{};
    }
    [[nodiscard]] L1Head head() const override { return {!down, block, timestamp, base_fee, kGwei / 10}; }
    [[nodiscard]] std::vector<RollupOnL1> rollups() const override {
        std::vector<RollupOnL1> r;
        for (const auto& [id, sim] : rollups_) {
            RollupOnL1 one{sim.parameters, 0, 0, 0};
            const auto it = posted_.find(id);
            if (it != posted_.end()) {
                for (const auto& [number, p] : it->second) {
                    one.head = number;
                    if (p.batch.phase == BatchPhase::finalised) one.finalised = number;
                    if (p.batch.phase == BatchPhase::finalised && p.proven_block + finality <= block) {
                        one.irreversible = number;
                    }
                }
            }
            r.push_back(one);
        }
        return r;
    }
    [[nodiscard]] std::optional<BatchOnL1> batch(std::uint32_t id, std::uint64_t number) const override {
        const auto it = posted_.find(id);
        if (it == posted_.end() || !it->second.contains(number)) return std::nullopt;
        return it->second.at(number).batch;
    }
    [[nodiscard]] const rollup::L1Queues& queues(std::uint32_t id) const override { return rollups_.at(id).queues; }
    Outcome<std::vector<std::uint8_t>> fetch_data(const BatchOnL1& b) override {
        ++fetches;
        if (no_data) return Problem{Problem::Kind::environment, "data_unavailable", "nobody has the blob", "wait"};
        return at(b.header.number, b.header.rollup_id).data;
    }
    Outcome<Done> submit(const ProofToSubmit& proof) override {
        ++submit_calls;
        if (refuse_submit) return Problem{Problem::Kind::environment, "l1_unreachable", "not now", "try again"};
        Sent& s = sent[proof.id];
        if (s.status.phase == SubmissionPhase::unknown) {
            ++transactions;
            s.proof = proof;
            s.status.phase = SubmissionPhase::sending;
        }
        return Done{};
    }
    [[nodiscard]] SubmissionStatus submission(const std::string& id) const override {
        const auto it = sent.find(id);
        return it == sent.end() ? SubmissionStatus{} : it->second.status;
    }

    Outcome<Done> cancel(const std::string& id) override {
        sent.at(id).status = {};
        sent.at(id).status.phase = SubmissionPhase::cancelled;
        return Done{};
    }

    std::uint64_t block = 100;
    rollup::Timestamp timestamp = rollup::testing::kNow;
    Wei base_fee = kGwei;
    Wei bounty = kEther;
    std::uint32_t key = 1;
    bool trusted = true;
    std::uint64_t finality = 20;
    std::uint64_t submissions = 0;
    std::set<std::uint64_t> skipped;  ///< submissions that the hub takes no proof of
    std::size_t transactions = 0;
    std::size_t submit_calls = 0;
    std::size_t fetches = 0;
    bool down = false;
    bool no_data = false;
    bool refuse_submit = false;
    std::map<std::string, Sent> sent;

  private:
    void settle(std::uint32_t id) {
        bool is_final = true;
        for (auto& [number, p] : posted_[id]) {
            is_final = is_final && p.batch.phase != BatchPhase::pending;
            if (p.batch.phase != BatchPhase::pending) {
                p.batch.phase = is_final ? BatchPhase::finalised : BatchPhase::proven;
            }
        }
    }
    std::map<std::uint32_t, SimRollup> rollups_;
    std::map<std::uint32_t, std::map<std::uint64_t, Posted>> posted_;
};

/// What a work folder's last two tasks say; a file of them whose proof proves nothing.
inline std::vector<std::uint8_t> unproven_terminal(const WorkFolder& folder) {
    const Task& terminal = folder.tree().nodes().back().task;
    const Task* bundle = folder.tree().find(terminal.inputs[0].id);
    const auto text = folder.read_object(bundle->inputs[0].id).value();
    const auto content = std::get<BundleContent>(parse_node_statement(as_text(text)).value());
    return encode(TerminalProofFile{
        *terminal_profile(content.items.size()), find_catalog()->keys().digest(), content, {1, 2, 3}});
}

/// Work is planned and done when the test says so, except for the proofs.
class ManualRunner final : public ProofRunner {
  public:
    struct Log {
        std::size_t started = 0;
        std::size_t made = 0;  ///< terminal proofs that were not there
        std::size_t stopped = 0;
        bool at_once = false;                             ///< work is done as soon as it is begun
        std::vector<std::vector<std::uint64_t>> batches;  ///< of each work that was planned
    };
    explicit ManualRunner(Log& log) : log_(log) {}

    void start(ProofWork work, std::function<Outcome<JobMaterial>()> material) override {
        ++log_.started;
        work_ = std::move(work);
        material_ = std::move(material);
        busy_ = true;
        if (log_.at_once) finish();
    }
    [[nodiscard]] bool is_busy() const override { return busy_; }
    std::optional<Outcome<ProofResult>> take() override {
        if (result_) busy_ = false;
        return std::exchange(result_, std::nullopt);
    }
    void stop() override {
        ++log_.stopped;
        result_.emplace(Problem{Problem::Kind::environment, "stopped", "the work was stopped", "start again"});
    }
    void finish() {
        const auto counted = [&]() {
            auto m = material_();
            if (m) {
                log_.batches.emplace_back();
                for (const auto& b : m.value().batches) {
                    if (b.prove) log_.batches.back().push_back(b.files.header.number);
                }
            }
            return m;
        };
        const std::atomic<bool> stop = false;
        result_.emplace(do_proof_work(
            work_, counted,
            [&](const WorkFolder& folder, const std::atomic<bool>&) -> Outcome<WorkReport> {
                const ContentId last = folder.tree().nodes().back().id;
                WorkReport report;
                report.executed = folder.read_output(last).value() ? 0 : 1;
                report.reused = 1 - report.executed;
                log_.made += report.executed;
                QUARRY_PASS_ON(folder.put_output(last, unproven_terminal(folder)));
                return report;
            },
            stop));
    }
    void fail(const Problem& why) { result_.emplace(why); }

  private:
    Log& log_;
    ProofWork work_;
    std::function<Outcome<JobMaterial>()> material_;
    bool busy_ = false;
    std::optional<Outcome<ProofResult>> result_;
};

}  // namespace quarry::node::prover::testing
