#include "quarry/node/work_executor.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <deque>
#include <filesystem>
#include <list>
#include <system_error>

#include "quarry/node/worker_process.hpp"

namespace quarry::node {
namespace {

constexpr int kPollMs = 100;
constexpr double kSecondsToStop = 2;

/// A task in execution.
struct Running {
    WorkerProcess process;
    ContentId task{};
    unsigned attempt = 0;
    double started = 0;
    double heard = 0;
    double fraction = 0;
    bool silent = false;
};

/// Files that an interrupted write left.
void remove_parts(const std::string& folder) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        std::error_code ignored;
        if (entry.path().extension() == ".part") std::filesystem::remove(entry.path(), ignored);
    }
}

class WorkExecutor {
  public:
    WorkExecutor(const WorkFolder& folder, const WorkExecutorOptions& options)
        : folder_(folder), options_(options), begun_(options.now()) {}

    Outcome<WorkReport> run() {
        QUARRY_PASS_ON(find_done());
        for (const WorkTree::Node& node : folder_.tree().nodes()) total_ += task_weight(node.task);
        for (const ContentId& id : done_) before_ += task_weight(*folder_.tree().find(id));
        for (;;) {
            if (options_.stop != nullptr && *options_.stop) return stop();
            QUARRY_PASS_ON(start_ready());
            if (running_.empty()) break;
            wait_for_news();
            QUARRY_PASS_ON(collect());
            show_progress();
        }
        if (failure_) return *failure_;
        return report_;
    }

  private:
    /// Outputs that are there and right; the others are forgotten.
    Outcome<Done> find_done() {
        for (const WorkTree::Node& node : folder_.tree().nodes()) {
            const auto output = folder_.read_output(node.id);
            if (output && !output.value()) continue;
            if (output && options_.check(node.task, *output.value())) {
                done_.insert(node.id);
                continue;
            }
            ++report_.damaged;
            QUARRY_PASS_ON(folder_.forget_output(node.id));
        }
        report_.reused = done_.size();
        return Done{};
    }

    [[nodiscard]] bool is_running(const ContentId& id) const {
        return std::any_of(running_.begin(), running_.end(), [&](const Running& r) { return r.task == id; });
    }

    Outcome<Done> start_ready() {
        for (const ContentId& id : folder_.tree().ready(done_)) {
            if (running_.size() >= options_.workers) break;
            if (is_running(id) || attempts_[id] >= options_.attempts) continue;
            auto process = WorkerProcess::start(options_.command(id), options_.memory_cap_bytes);
            if (!process) return process.error();
            const double now = options_.now();
            const unsigned attempt = ++attempts_[id];
            QUARRY_PASS_ON(folder_.log_start(id, attempt, process.value().pid()));
            ++report_.executed;
            running_.push_back(
                {.process = std::move(process).value(), .task = id, .attempt = attempt, .started = now, .heard = now});
        }
        return Done{};
    }

    /// Returns when a worker says something or ends, or soon.
    void wait_for_news() {
        std::vector<pollfd> fds;
        for (const Running& r : running_) {
            fds.push_back({.fd = r.process.output_fd(), .events = POLLIN, .revents = 0});
            fds.push_back({.fd = r.process.error_fd(), .events = POLLIN, .revents = 0});
        }
        (void)::poll(fds.data(), fds.size(), kPollMs);
        const double now = options_.now();
        for (Running& r : running_) {
            (void)r.process.last_words();
            for (const std::string& line : r.process.read_lines()) {
                r.heard = now;
                constexpr std::string_view kProgress = "progress ";
                if (!line.starts_with(kProgress)) continue;
                double fraction = 0;
                (void)std::from_chars(line.data() + kProgress.size(), line.data() + line.size(), fraction);
                r.fraction = std::clamp(fraction, r.fraction, 1.0);
            }
            if (now - r.heard <= options_.silence_limit_seconds || r.silent) continue;
            r.silent = true;
            r.process.signal(SIGKILL);
        }
    }

    /// Takes in the workers that have ended.
    Outcome<Done> collect() {
        for (auto it = running_.begin(); it != running_.end();) {
            const auto end = it->process.poll_end();
            if (!end) {
                ++it;
                continue;
            }
            QUARRY_PASS_ON(finish(*it, *end));
            it = running_.erase(it);
        }
        return Done{};
    }

    Outcome<Done> finish(Running& r, const ProcessEnd& end) {
        std::string why;
        Execution execution{.task = r.task, .attempt = r.attempt, .outcome = "done"};
        if (end.signal != 0) {
            execution.outcome = r.silent ? "silent" : "killed";
            why = r.silent ? "it said nothing for too long" : fmt::format("signal {} ended it", end.signal);
        } else if (end.exit_code != 0) {
            execution.outcome = "failed";
            const std::string words = r.process.last_words();
            why = words.empty() ? fmt::format("exit code {}", end.exit_code) : words;
        } else if (!has_output(r.task)) {
            execution.outcome = "failed";
            why = "what it made is not what was asked for";
            QUARRY_PASS_ON(folder_.forget_output(r.task));
        }
        execution.wall_ms = static_cast<std::uint64_t>((options_.now() - r.started) * 1e3);
        execution.cpu_ms = end.cpu_ms;
        execution.peak_rss_bytes = end.peak_rss_bytes;
        QUARRY_PASS_ON(folder_.log_end(execution));
        report_.cpu_ms += end.cpu_ms;
        report_.peak_rss_bytes = std::max(report_.peak_rss_bytes, end.peak_rss_bytes);
        if (why.empty()) {
            done_.insert(r.task);
            return Done{};
        }
        ++report_.failed;
        if (attempts_[r.task] >= options_.attempts && !failure_) {
            failure_ = Problem{Problem::Kind::environment, "task_failed",
                               fmt::format("task {} failed {} times: {}", quarry::to_hex(r.task).substr(0, 12),
                                           options_.attempts, why),
                               "remove the cause and give the same command again: finished tasks are kept"};
        }
        return Done{};
    }

    [[nodiscard]] bool has_output(const ContentId& id) const {
        const auto output = folder_.read_output(id);
        return output && output.value() && options_.check(*folder_.tree().find(id), *output.value());
    }

    /// Asks the workers to end, then makes them.
    Outcome<WorkReport> stop() {
        for (const Running& r : running_) r.process.signal(SIGTERM);
        const double deadline = options_.now() + kSecondsToStop;
        while (!running_.empty() && options_.now() < deadline) {
            wait_for_news();
            for (auto it = running_.begin(); it != running_.end();) {
                const auto end = it->process.poll_end();
                if (!end) {
                    ++it;
                    continue;
                }
                QUARRY_PASS_ON(
                    folder_.log_end({.task = it->task,
                                     .attempt = it->attempt,
                                     .outcome = "stopped",
                                     .wall_ms = static_cast<std::uint64_t>((options_.now() - it->started) * 1e3),
                                     .cpu_ms = end->cpu_ms,
                                     .peak_rss_bytes = end->peak_rss_bytes}));
                it = running_.erase(it);
            }
        }
        running_.clear();  // kills the rest
        return Problem{Problem::Kind::environment, "stopped",
                       fmt::format("stopped with {} of {} tasks done", done_.size(), folder_.tree().nodes().size()),
                       "give the same command again to go on"};
    }

    void show_progress() {
        if (!options_.on_progress) return;
        double units = 0;
        for (const ContentId& id : done_) units += task_weight(*folder_.tree().find(id));
        for (const Running& r : running_) units += r.fraction * task_weight(*folder_.tree().find(r.task));
        const double elapsed = options_.now() - begun_;
        WorkProgress p;
        p.tasks = folder_.tree().nodes().size();
        p.done = done_.size();
        p.running = running_.size();
        p.fraction = total_ > 0 ? units / total_ : 1;
        // Before a few percent are done, the rate is that of start-up.
        if (elapsed > 0 && units - before_ > 0.03 * total_) {
            p.units_per_second = (units - before_) / elapsed;
            p.seconds_left = (total_ - units) / p.units_per_second;
        }
        options_.on_progress(p);
    }

    const WorkFolder& folder_;
    const WorkExecutorOptions& options_;
    double begun_;
    double total_ = 0;
    double before_ = 0;
    std::set<ContentId> done_;
    std::map<ContentId, unsigned> attempts_;
    std::list<Running> running_;
    std::optional<Problem> failure_;
    WorkReport report_;
};

}  // namespace

double task_weight(const Task& task) {
    const auto it = task.parameters.find("units");
    if (it == task.parameters.end()) return 1;
    double units = 1;
    (void)std::from_chars(it->second.data(), it->second.data() + it->second.size(), units);
    return std::max(units, 1.0);
}

Outcome<WorkReport> execute_work(const WorkFolder& folder, const WorkExecutorOptions& options) {
    QUARRY_CHECK(options.workers >= 1 && options.attempts >= 1);
    const auto lock = WorkLock::take(folder.path());
    if (!lock) return lock.error();
    remove_parts(folder.path() + "/objects");
    remove_parts(folder.path() + "/results");
    return WorkExecutor(folder, options).run();
}

}  // namespace quarry::node
