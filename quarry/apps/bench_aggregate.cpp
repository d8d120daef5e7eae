#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/temporary_folder.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/node/aggregate_work.hpp"
#include "quarry/node/batch_work.hpp"
#include "quarry/node/development_batch.hpp"
#include "quarry/node/terminal_proof.hpp"
#include "quarry/rollup/batch.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct AggregateBenchOptions {
    std::size_t batches = 8;
    std::size_t transfers = 1300;
    std::size_t accounts = 20'000;
    std::uint64_t seed = 1;
    std::string folder;
};

/// Executions of one kind: of task, or of node.
struct Spent {
    std::size_t count = 0;
    double seconds = 0;
};

struct AggregateMeasured {
    std::map<std::string, Spent> by_kind;
    std::size_t tasks = 0, nodes = 0;
    double segments = 0, join_data = 0;
    double verify_seconds = 0;
    std::size_t last_kind = 0;  ///< of the node that makes the bundle
    std::size_t file_bytes = 0, proof_bytes = 0;
    double terminal = 0, terminal_key = 0;
    std::size_t terminal_bytes = 0;
};

/// The tree of one bundle of all batches: each of a rollup of its own, in one blob.
WorkTree plan(const AggregateBenchOptions& options, const node::WorkFolder& folder, const recursion::Catalog& catalog,
              Progress& progress) {
    node::Aggregator who;
    who.payee.bytes.fill(0x51);
    node::AggregatePlan plan(folder, catalog, who);
    for (std::size_t i = 0; i < options.batches; ++i) {
        progress.show(fmt::format("accounts, keys and signatures of batch {} of {}", i + 1, options.batches),
                      static_cast<double>(i) / static_cast<double>(options.batches));
        const auto batch = node::make_development_batch(options.accounts, options.transfers, options.seed + i);
        node::BatchFiles files{batch.header, batch.data, {}, batch.store->state(), {}};
        const auto cut = value_of(node::cut_for_nodes(batch.parameters, *batch.store, files, 1));
        value_of(plan.add_batch(files, cut, node::DataPlacement::blobs));
    }
    return value_of(std::move(plan).finish("bench"));
}

bool is_node(const Task& task) { return task.parameters.contains("node"); }
std::string kind_of(const Task& task) { return is_node(task) ? task.parameters.at("node") : task.kind; }

/// One task in this process; its seconds.
double execute(const node::WorkFolder& folder, const WorkTree::Node& node) {
    const auto inputs = value_of(folder.read_inputs(node.task));
    const double start = now_seconds();
    const auto output = value_of(node::find_task_kind(node.task.kind)->run({node.task, inputs, {}}));
    const double seconds = now_seconds() - start;
    value_of(folder.put_output(node.id, output));
    return seconds;
}

/// Executes what remains of a tree: as many tasks at once as there are threads, since a part of each is serial; the
/// last ones, which wait for each other, share the threads.
class SideBySide {
  public:
    SideBySide(const node::WorkFolder& folder, std::set<ContentId> done, unsigned threads)
        : folder_(folder), done_(std::move(done)), threads_(threads) {}

    /// Seconds from the first task to the last. `on_done`: told each task and its seconds, one at a time.
    double run(const std::function<void(const Task&, double)>& on_done) {
        const double start = now_seconds();
        std::vector<std::thread> lanes;
        for (unsigned i = 0; i < threads_; ++i) lanes.emplace_back([&] { work(on_done); });
        for (std::thread& lane : lanes) lane.join();
        if (failure_) std::rethrow_exception(failure_);
        return now_seconds() - start;
    }

  private:
    void work(const std::function<void(const Task&, double)>& on_done) {
        std::unique_lock lock(mutex_);
        while (const WorkTree::Node* const node = next(lock)) {
            running_.insert(node->id);
            const auto share = threads_ / static_cast<unsigned>(running_.size() + ready().size());
            lock.unlock();
            double seconds = 0;
            std::exception_ptr failure;
            try {
                tbb::task_arena arena(static_cast<int>(std::max(1U, share)));
                seconds = arena.execute([&] { return execute(folder_, *node); });
            } catch (...) {
                failure = std::current_exception();
            }
            lock.lock();
            running_.erase(node->id);
            done_.insert(node->id);
            if (failure) failure_ = failure;
            if (!failure) on_done(node->task, seconds);
            changed_.notify_all();
        }
    }
    /// Null: all are done, or one has failed.
    const WorkTree::Node* next(std::unique_lock<std::mutex>& lock) {
        for (;;) {
            const auto nodes = folder_.tree().nodes();
            if (failure_ || done_.size() + running_.size() == nodes.size()) return nullptr;
            const auto ids = ready();
            if (!ids.empty()) return &*std::ranges::find(nodes, ids.front(), &WorkTree::Node::id);
            changed_.wait(lock);
        }
    }
    [[nodiscard]] std::vector<ContentId> ready() const {
        auto ids = folder_.tree().ready(done_);
        std::erase_if(ids, [&](const ContentId& id) { return running_.contains(id); });
        return ids;
    }

    const node::WorkFolder& folder_;
    std::set<ContentId> done_, running_;
    const unsigned threads_;
    std::exception_ptr failure_;
    std::mutex mutex_;
    std::condition_variable changed_;
};

/// Segments one after the other with all threads, then what is made of them. A key that is needed for the first time
/// is made before the clock starts, as a prover that goes on has it.
AggregateMeasured execute_all(const node::WorkFolder& folder, const recursion::Catalog& catalog, Progress& progress) {
    AggregateMeasured m;
    const auto nodes = folder.tree().nodes();
    std::set<ContentId> done;
    const auto on_done = [&](const Task& task, double seconds) {
        Spent& spent = m.by_kind[kind_of(task)];
        ++spent.count;
        spent.seconds += seconds;
        progress.show("proving: " + kind_of(task), static_cast<double>(++m.tasks) / static_cast<double>(nodes.size()));
    };
    for (const WorkTree::Node& node : nodes) {
        if (is_node(node.task)) {
            ++m.nodes;
            (void)catalog.proving_key(*recursion::find_node_kind(kind_of(node.task)));
        }
        if (node.task.kind != "segment") continue;
        const double seconds = execute(folder, node);
        m.segments += seconds;
        on_done(node.task, seconds);
        done.insert(node.id);
    }
    const auto threads = static_cast<unsigned>(tbb::this_task_arena::max_concurrency());
    m.join_data = SideBySide(folder, done, threads).run(on_done);
    const auto bytes = value_of(folder.read_output(nodes.back().id)).value();
    const double start = now_seconds();
    const auto file = value_of(node::parse_node_proof(bytes));
    const Status status = node::verify(catalog, file);
    m.verify_seconds = now_seconds() - start;
    if (!status) {
        throw Failure(exit_internal, "own_proof_refused",
                      fmt::format("the proof just made is refused: {}", errc_name(status.error().code)),
                      "please report it", status.error().where);
    }
    m.last_kind = file.node_kind;
    m.file_bytes = bytes.size();
    m.proof_bytes = file.proof.size();
    return m;
}

/// The bundle as the proof that a contract verifies.
void prove_last(const node::WorkFolder& folder, const recursion::Catalog& catalog, Progress& progress,
                AggregateMeasured& m) {
    const auto bytes = value_of(folder.read_output(folder.tree().nodes().back().id)).value();
    const auto bundle = value_of(node::parse_node_proof(bytes));
    const std::size_t batches = std::get<node::BundleContent>(bundle.statement).items.size();
    const recursion::Terminal terminal(catalog, *node::terminal_profile(batches));
    progress.show("the key of the terminal circuit", 1);
    const double start = now_seconds();
    (void)terminal.proving_key();
    m.terminal_key = now_seconds() - start;
    progress.show("the terminal proof", 1);
    const double proving = now_seconds();
    m.terminal_bytes = value_of(node::prove_terminal(terminal, bundle)).proof.size();
    m.terminal = now_seconds() - proving;
}

void run(const AggregateBenchOptions& options, const Session& session) {
    if (options.transfers >= options.accounts) {
        throw Failure(exit_usage, "usage", "--transfers must be below --accounts: every signer is another account",
                      "choose more accounts");
    }
    Progress progress(session.quiet);
    const recursion::Catalog* catalog = node::find_catalog();
    if (catalog == nullptr) throw to_failure(node::stale_keys());
    const TemporaryFolder temporary(options.folder);
    auto folder = value_of(node::WorkFolder::create(temporary / "work"));
    value_of(folder.write_tree(plan(options, folder, *catalog, progress)));
    AggregateMeasured m = execute_all(folder, *catalog, progress);
    const std::uint64_t rss_before = peak_rss_bytes();
    prove_last(folder, *catalog, progress, m);
    const Calibration calibration = calibrate(progress);
    progress.clear();

    const double transfers = static_cast<double>(options.batches * options.transfers);
    const unsigned log_size = catalog->verifying_key(m.last_kind).log_size;
    if (session.json) {
        json::object kinds;
        for (const auto& [name, spent] : m.by_kind) {
            kinds[name] = json::object{{"count", spent.count},
                                       {"seconds", rounded(spent.seconds, 3)},
                                       {"seconds_each", rounded(spent.seconds / static_cast<double>(spent.count), 3)}};
        }
        print_json(json::object{{"batches", options.batches},
                                {"transfers", options.transfers},
                                {"accounts", options.accounts},
                                {"join_data_seconds", rounded(m.join_data, 3)},
                                {"segment_seconds", rounded(m.segments, 3)},
                                {"nodes", m.nodes},
                                {"by_kind", std::move(kinds)},
                                {"transfers_per_second", rounded(transfers / (m.segments + m.join_data), 1)},
                                {"proof_bytes", m.proof_bytes},
                                {"file_bytes", m.file_bytes},
                                {"verify_ms", rounded(m.verify_seconds * 1e3, 3)},
                                {"provable_bits", provable_bits(log_size, catalog->security_bits())},
                                {"terminal_seconds", rounded(m.terminal, 3)},
                                {"terminal_key_seconds", rounded(m.terminal_key, 3)},
                                {"terminal_bytes", m.terminal_bytes},
                                {"peak_rss_bytes", peak_rss_bytes()},
                                {"peak_rss_before_terminal_bytes", rss_before},
                                {"threads", tbb::this_task_arena::max_concurrency()},
                                {"isa", isa_name(current_isa())},
                                {"cpu", cpu_model()},
                                {"calibration", to_json(calibration)}});
        return;
    }
    print(fmt::format("{} batches of {} transfers, a blob each, to one bundle ({} threads, {}, {})\n\n",
                      options.batches, with_commas(options.transfers), tbb::this_task_arena::max_concurrency(),
                      isa_name(current_isa()), cpu_model()));
    const auto line = [](const std::string& name, const std::string& value, const std::string& note = "") {
        print(fmt::format("  {:<24} {:>12}   {}\n", name, value, note));
    };
    for (const auto& [name, spent] : m.by_kind) {
        line(name, human_seconds(spent.seconds),
             fmt::format("{} x {}", spent.count, human_seconds(spent.seconds / static_cast<double>(spent.count))));
    }
    line("segments", human_seconds(m.segments));
    line("data, joins, bundle", human_seconds(m.join_data), fmt::format("{} nodes; tasks side by side", m.nodes));
    line("in all", fmt::format("{:.0f}", transfers / (m.segments + m.join_data)), "transfers a second");
    line("proof", human_bytes(m.proof_bytes), fmt::format("with what it says {}", human_bytes(m.file_bytes)));
    line("verified in", human_seconds(m.verify_seconds));
    line("provable security", fmt::format("{:.2f} bits", provable_bits(log_size, catalog->security_bits())));
    line("terminal proof", human_seconds(m.terminal),
         fmt::format("{}; its key, once, {}", human_bytes(m.terminal_bytes), human_seconds(m.terminal_key)));
    line("peak memory", human_bytes(peak_rss_bytes()), "whole process");
    print("\n" + to_text(calibration));
}

}  // namespace

void add_bench_aggregate(CLI::App& bench, Session& session) {
    const auto options = std::make_shared<AggregateBenchOptions>();
    CLI::App* command = add_command(bench, session, "aggregate",
                                    "From batches to the proof of one bundle and the terminal proof, by kinds of proof",
                                    "quarry bench aggregate --batches 8 --transfers 1300 --json",
                                    [options, &session] { run(*options, session); });
    add_number(*command, "--batches", options->batches, 1, 16, "batches, each of a rollup of its own")
        ->capture_default_str();
    add_number(*command, "--transfers", options->transfers, 1, 8191, "transfers in a batch")->capture_default_str();
    add_number(*command, "--accounts", options->accounts, 2, 1u << 26, "accounts in each state")->capture_default_str();
    command->add_option("--seed", options->seed, "of keys, amounts and receivers")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--folder", options->folder, "where to put the temporary work (default: TMPDIR or /tmp)")
        ->type_name("DIR");
}

}  // namespace quarry::apps
