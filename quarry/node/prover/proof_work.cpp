#include "quarry/node/prover/proof_work.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "quarry/node/aggregate_work.hpp"
#include "quarry/node/batch_work.hpp"

namespace quarry::node::prover {
namespace {

/// Executes a batch on the state before it.
Outcome<Done> advance(rollup::MemoryStore& state, const JobMaterial::Batch& batch) {
    const auto queues = batch.files.queues();
    const auto executed = execute_batch(batch.parameters, state, queues, batch.files.header, batch.files.data);
    if (!executed) return executed.error();
    const auto committed = state.commit(executed.value().commit, executed.value().update);
    if (committed) return Done{};
    return Problem{
        Problem::Kind::bad_input, rollup::reject_name(committed.code()),
        fmt::format("batch {} does not follow the state that it was to be executed on", batch.files.header.number),
        "please report it"};
}

Outcome<WorkTree> plan(const ProofWork& work, const WorkFolder& folder, const recursion::Catalog& catalog,
                       const JobMaterial& material) {
    AggregatePlan plan(folder, catalog, {work.payee, work.miner_tag});
    for (const JobMaterial::Batch& batch : material.batches) {
        rollup::MemoryStore& state = *material.states.at(batch.parameters.rollup_id);
        if (batch.prove) {
            const auto cut = cut_for_nodes(batch.parameters, state, batch.files, work.segments);
            if (!cut) return cut.error();
            QUARRY_PASS_ON(plan.add_batch(batch.files, cut.value(), batch.placement, batch.l1_hashes));
        }
        QUARRY_PASS_ON(advance(state, batch));
    }
    return std::move(plan).finish_terminal(work.job);
}

/// Results of the same tasks from other folders. What is damaged there is not taken.
Outcome<std::size_t> copy_results(const WorkFolder& folder, const std::vector<std::string>& others) {
    std::size_t copied = 0;
    for (const std::string& path : others) {
        if (!WorkFolder::exists(path)) continue;
        const auto other = WorkFolder::open(path);
        if (!other) continue;
        for (const WorkTree::Node& node : folder.tree().nodes()) {
            if (other.value().tree().find(node.id) == nullptr) continue;
            const auto mine = folder.read_output(node.id);
            if (mine && mine.value()) continue;
            const auto output = other.value().read_output(node.id);
            if (!output || !output.value()) continue;
            QUARRY_PASS_ON(folder.put_output(node.id, *output.value()));
            ++copied;
        }
    }
    return copied;
}

/// Of the tasks that are not done.
double open_units(const WorkFolder& folder) {
    double units = 0;
    for (const auto& [id, state] : folder.states()) {
        if (state != TaskState::done) units += task_weight(*folder.tree().find(id));
    }
    return units;
}

class ThreadRunner final : public ProofRunner {
  public:
    explicit ThreadRunner(WorkDoer doer)
        : doer_(std::move(doer)), thread_([this](const std::stop_token& stop) { run(stop); }) {}
    ThreadRunner(const ThreadRunner&) = delete;
    ThreadRunner& operator=(const ThreadRunner&) = delete;
    ~ThreadRunner() override { stop_ = true; }

    void start(ProofWork work, std::function<Outcome<JobMaterial>()> material) override {
        QUARRY_CHECK(!is_busy());
        stop_ = false;
        busy_ = true;
        const std::scoped_lock lock(mutex_);
        asked_.emplace(std::move(work), std::move(material));
        wake_.notify_one();
    }
    [[nodiscard]] bool is_busy() const override { return busy_; }
    std::optional<Outcome<ProofResult>> take() override {
        const std::scoped_lock lock(mutex_);
        if (!result_) return std::nullopt;
        std::optional<Outcome<ProofResult>> taken = std::move(result_);
        result_.reset();
        busy_ = false;
        return taken;
    }
    void stop() override { stop_ = true; }

  private:
    using Asked = std::pair<ProofWork, std::function<Outcome<JobMaterial>()>>;

    /// One thread for all work: worker processes die with the thread that started them.
    void run(const std::stop_token& stop) {
        for (;;) {
            std::unique_lock lock(mutex_);
            if (!wake_.wait(lock, stop, [this] { return asked_.has_value(); })) return;
            const Asked asked = *std::exchange(asked_, std::nullopt);
            lock.unlock();
            auto result = do_proof_work(asked.first, asked.second, doer_, stop_);
            lock.lock();
            result_.emplace(std::move(result));
        }
    }

    WorkDoer doer_;
    std::atomic<bool> stop_ = false;
    bool busy_ = false;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::optional<Asked> asked_;
    std::optional<Outcome<ProofResult>> result_;
    std::jthread thread_;  // last: joined before what it uses is gone
};

}  // namespace

Outcome<ProofResult> do_proof_work(const ProofWork& work, const std::function<Outcome<JobMaterial>()>& material,
                                   const WorkDoer& doer, const std::atomic<bool>& stop) {
    const recursion::Catalog* catalog = find_catalog();
    if (catalog == nullptr) return stale_keys();
    auto folder = WorkFolder::create(work.folder);
    if (!folder) return folder.error();
    ProofResult result;
    if (!find_bundle_task(folder.value(), work.job) || !has_inputs(folder.value())) {
        const auto lock = WorkLock::take(work.folder);
        if (!lock) return lock.error();
        const auto batches = material();
        if (!batches) return batches.error();
        const auto tree = plan(work, folder.value(), *catalog, batches.value());
        if (!tree) return tree.error();
        QUARRY_PASS_ON(folder.value().write_tree(tree.value()));
        const auto copied = copy_results(folder.value(), work.others);
        if (!copied) return copied.error();
        result.copied = copied.value();
    }
    result.units = open_units(folder.value());
    auto report = doer(folder.value(), stop);
    if (!report) return report.error();
    result.report = report.value();
    const auto task = find_bundle_task(folder.value(), work.job);
    QUARRY_CHECK(task.has_value());
    const auto output = folder.value().read_output(*task);
    if (!output) return output.error();
    if (!output.value()) {
        return Problem{Problem::Kind::environment, "task_failed", "the terminal proof was not made", "try again"};
    }
    auto proof = parse_terminal_proof(*output.value());
    if (!proof) return proof.error();
    result.proof = std::move(proof).value();
    return result;
}

std::optional<TerminalProofFile> find_proof(const std::string& path, const std::string& job) {
    if (!WorkFolder::exists(path)) return std::nullopt;
    const auto folder = WorkFolder::open(path);
    if (!folder) return std::nullopt;
    const auto task = find_bundle_task(folder.value(), job);
    if (!task) return std::nullopt;
    const auto output = folder.value().read_output(*task);
    if (!output || !output.value() || !check_task_output(*folder.value().tree().find(*task), *output.value())) {
        return std::nullopt;
    }
    auto proof = parse_terminal_proof(*output.value());
    if (!proof) return std::nullopt;
    return std::move(proof).value();
}

Outcome<Done> forget_proof(const std::string& path, const std::string& job) {
    const auto folder = WorkFolder::open(path);
    if (!folder) return Done{};
    const auto task = find_bundle_task(folder.value(), job);
    if (!task) return Done{};
    return folder.value().forget_output(*task);
}

std::unique_ptr<ProofRunner> make_proof_runner(WorkDoer doer) {
    return std::make_unique<ThreadRunner>(std::move(doer));
}

}  // namespace quarry::node::prover
