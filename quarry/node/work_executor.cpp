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

namespace quarry::node {
namespace {

constexpr int kPollMs = 100;
constexpr double kSecondsToStop = 2;

/// A task in execution.
struct Running {
    WorkerPool::Worker worker;
    ContentId task{};
    unsigned attempt = 0;
    double started = 0;
    double heard = 0;
    double fraction = 0;
    bool silent = false;
    std::optional<ProcessEnd> done = std::nullopt;  ///< what it said of the task that it has done
};

/// The numbers of a line `done CPU_MS PEAK_RSS_BYTES`; no value: it is another one.
std::optional<ProcessEnd> parse_done(std::string_view line) {
    constexpr std::string_view kDone = "done ";
    if (!line.starts_with(kDone)) return std::nullopt;
    ProcessEnd end;
    const char* last = line.data() + line.size();
    const auto cpu = std::from_chars(line.data() + kDone.size(), last, end.cpu_ms);
    if (cpu.ec != std::errc() || cpu.ptr == last || *cpu.ptr != ' ') return std::nullopt;
    const auto rss = std::from_chars(cpu.ptr + 1, last, end.peak_rss_bytes);
    if (rss.ec != std::errc() || rss.ptr != last) return std::nullopt;
    return end;
}

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
            const bool is_last = folder_.tree().nodes().back().id == id;
            auto worker = options_.pool->take(is_last);
            if (!worker) return worker.error();
            const unsigned threads = is_last ? options_.threads : std::max(1U, options_.threads / options_.workers);
            const double now = options_.now();
            const unsigned attempt = ++attempts_[id];
            QUARRY_PASS_ON(folder_.log_start(id, attempt, worker.value().process.pid()));
            ++report_.executed;
            // One that does not read has ended, or is about to: collect() sees why.
            (void)worker.value().process.write_line(
                fmt::format("{} {} {}", quarry::to_hex(id), threads, folder_.path()));
            running_.push_back(
                {.worker = std::move(worker).value(), .task = id, .attempt = attempt, .started = now, .heard = now});
        }
        return Done{};
    }

    /// Returns when a worker says something or ends, or soon.
    void wait_for_news() {
        std::vector<pollfd> fds;
        for (const Running& r : running_) {
            fds.push_back({.fd = r.worker.process.output_fd(), .events = POLLIN, .revents = 0});
            fds.push_back({.fd = r.worker.process.error_fd(), .events = POLLIN, .revents = 0});
        }
        (void)::poll(fds.data(), fds.size(), kPollMs);
        const double now = options_.now();
        for (Running& r : running_) {
            (void)r.worker.process.last_words();
            for (const std::string& line : r.worker.process.read_lines()) {
                r.heard = now;
                if (const auto done = parse_done(line)) r.done = done;
                constexpr std::string_view kProgress = "progress ";
                if (!line.starts_with(kProgress)) continue;
                double fraction = 0;
                (void)std::from_chars(line.data() + kProgress.size(), line.data() + line.size(), fraction);
                r.fraction = std::clamp(fraction, r.fraction, 1.0);
            }
            if (now - r.heard <= options_.silence_limit_seconds || r.silent) continue;
            r.silent = true;
            r.worker.process.signal(SIGKILL);
        }
    }

    /// Takes in the workers that have done their task, or ended.
    Outcome<Done> collect() {
        for (auto it = running_.begin(); it != running_.end();) {
            const auto end = it->done ? it->done : it->worker.process.poll_end();
            if (!end) {
                ++it;
                continue;
            }
            QUARRY_PASS_ON(finish(*it, *end));
            it = running_.erase(it);
        }
        return Done{};
    }

    /// What the log is to say of an execution that came to an end.
    [[nodiscard]] Execution describe(const Running& r, const ProcessEnd& end, std::string outcome) const {
        // Of a process that ended, what its earlier tasks did not use.
        const std::uint64_t before = r.done ? 0 : r.worker.cpu_ms;
        return {.task = r.task,
                .attempt = r.attempt,
                .outcome = std::move(outcome),
                .wall_ms = static_cast<std::uint64_t>((options_.now() - r.started) * 1e3),
                .cpu_ms = end.cpu_ms - std::min(end.cpu_ms, before),
                .peak_rss_bytes = end.peak_rss_bytes};
    }

    Outcome<Done> finish(Running& r, const ProcessEnd& end) {
        std::string why;
        std::string outcome = "done";
        if (end.signal != 0) {
            outcome = r.silent ? "silent" : "killed";
            why = r.silent ? "it said nothing for too long" : fmt::format("signal {} ended it", end.signal);
        } else if (!r.done) {
            outcome = "failed";
            const std::string words = r.worker.process.last_words();
            why = words.empty() ? fmt::format("exit code {}", end.exit_code) : words;
        } else if (!has_output(r.task)) {
            outcome = "failed";
            why = "what it made is not what was asked for";
            QUARRY_PASS_ON(folder_.forget_output(r.task));
        }
        const Execution execution = describe(r, end, outcome);
        QUARRY_PASS_ON(folder_.log_end(execution));
        report_.cpu_ms += execution.cpu_ms;
        report_.peak_rss_bytes = std::max(report_.peak_rss_bytes, end.peak_rss_bytes);
        if (why.empty()) {
            done_.insert(r.task);
            r.worker.cpu_ms += end.cpu_ms;
            options_.pool->put_back(std::move(r.worker));
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
        for (const Running& r : running_) r.worker.process.signal(SIGTERM);
        const double deadline = options_.now() + kSecondsToStop;
        while (!running_.empty() && options_.now() < deadline) {
            wait_for_news();
            for (auto it = running_.begin(); it != running_.end();) {
                const auto end = it->worker.process.poll_end();
                if (!end) {
                    ++it;
                    continue;
                }
                it->done.reset();
                QUARRY_PASS_ON(folder_.log_end(describe(*it, *end, "stopped")));
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
    QUARRY_CHECK(options.workers >= 1 && options.attempts >= 1 && options.pool != nullptr);
    if (folder.path().find('\n') != std::string::npos) {
        return Problem{Problem::Kind::bad_input, "bad_path", "the name of the work's folder has a line break",
                       "choose another one"};
    }
    const auto lock = WorkLock::take(folder.path());
    if (!lock) return lock.error();
    remove_parts(folder.path() + "/objects");
    remove_parts(folder.path() + "/results");
    return WorkExecutor(folder, options).run();
}

}  // namespace quarry::node
