#include <fmt/format.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/phases.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/batch_work.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct TaskOptions {
    std::string folder;
    std::string id;
};

/// One line to whoever started this process; it may be gone.
void say(const std::string& line) { (void)!::write(STDOUT_FILENO, (line + "\n").c_str(), line.size() + 1); }

/// Says `alive` every second until it is destroyed.
class Heartbeat {
  public:
    Heartbeat()
        : thread_([this](const std::stop_token& stop) {
              std::unique_lock lock(mutex_);
              while (!stop.stop_requested()) {
                  say("alive");
                  (void)wake_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
              }
          }) {}

  private:
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

Failure no_such_task(const TaskOptions& options) {
    return {exit_bad_input, "no_such_task", fmt::format("{} has no task {}", options.folder, options.id),
            "see `quarry tasks DIR --json` for the tasks that it has"};
}

void run_task(const TaskOptions& options) {
    const auto folder = value_of(node::WorkFolder::open(options.folder));
    const auto id = parse_content_id(options.id);
    const Task* task = id ? folder.tree().find(*id) : nullptr;
    if (task == nullptr) throw no_such_task(options);
    const node::TaskKind* kind = node::find_task_kind(task->kind);
    if (kind == nullptr) {
        throw Failure(exit_bad_input, "unknown_task_kind", fmt::format("nobody here does tasks of kind {}", task->kind),
                      "use the release of quarry that made the folder");
    }
    const Heartbeat heartbeat;
    const auto inputs = value_of(folder.read_inputs(*task));
    const auto on_phase = [](const char* name) {
        const double fraction = done_before_phase(name);
        if (fraction >= 0) say(fmt::format("progress {}", fraction));
    };
    const auto output = value_of(kind->run({.task = *task, .inputs = inputs, .on_phase = on_phase}));
    value_of(folder.put_output(*id, output));
}

/// Of this process so far.
std::uint64_t cpu_ms(const rusage& usage) {
    const auto milliseconds = [](const timeval& t) {
        return static_cast<std::uint64_t>(t.tv_sec) * 1000 + static_cast<std::uint64_t>(t.tv_usec) / 1000;
    };
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

/// Does what the lines on its standard input ask for (node::WorkerPool), until they end or something fails.
void serve_tasks() {
    rusage usage{};
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        TaskOptions options;
        std::size_t threads = 0;
        words >> options.id >> threads >> std::ws;
        if (!std::getline(words, options.folder) || threads == 0 || threads > 1024) {
            throw Failure(exit_bad_input, "bad_line", "a line is not of the form TASK THREADS FOLDER",
                          "let `quarry prover` or `quarry prove` start this");
        }
        (void)::getrusage(RUSAGE_SELF, &usage);
        const std::uint64_t before = cpu_ms(usage);
        const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
        tbb::task_arena(static_cast<int>(threads)).execute([&] { run_task(options); });
        (void)::getrusage(RUSAGE_SELF, &usage);
        say(fmt::format("done {} {}", cpu_ms(usage) - before, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024));
    }
}

json::object to_json(const node::WorkFolder& folder, const WorkTree::Node& node, node::TaskState state,
                     const node::TaskHistory& history) {
    json::object parameters;
    for (const auto& [name, value] : node.task.parameters) parameters[name] = value;
    json::array inputs;
    for (const TaskInput& input : node.task.inputs) {
        const bool is_task = input.source == TaskInput::Source::task;
        inputs.push_back(json::object{{is_task ? "task" : "object", quarry::to_hex(input.id)}});
    }
    json::object r{{"id", quarry::to_hex(node.id)},         {"kind", node.task.kind},
                   {"state", node::task_state_name(state)}, {"parameters", std::move(parameters)},
                   {"inputs", std::move(inputs)},           {"executions", history.started}};
    if (state == node::TaskState::done) r["output_bytes"] = folder.read_output(node.id).value()->size();
    if (history.last_end) {
        r["last"] = json::object{{"outcome", history.last_end->outcome},
                                 {"wall_ms", history.last_end->wall_ms},
                                 {"cpu_ms", history.last_end->cpu_ms},
                                 {"peak_rss_bytes", history.last_end->peak_rss_bytes}};
    }
    return r;
}

void print_task(const node::WorkFolder& folder, const WorkTree::Node& node, node::TaskState state,
                const node::TaskHistory& history) {
    const auto& parameters = node.task.parameters;
    const auto of = [&](const char* name) { return parameters.contains(name) ? parameters.at(name) : std::string(); };
    std::string line = fmt::format(
        "  {}  {:<9} {:>5} {:>8}  {:<8} {:>10}", quarry::to_hex(node.id).substr(0, 12), node.task.kind, of("index"),
        of("units"), node::task_state_name(state),
        state == node::TaskState::done ? human_bytes(folder.read_output(node.id).value()->size()) : std::string("-"));
    line += fmt::format(" {:>5}", history.started);
    if (history.last_end) {
        const auto seconds = [](std::uint64_t ms) { return human_seconds(static_cast<double>(ms) / 1e3); };
        line += fmt::format("  {:>9} {:>9} {:>10}  {}", seconds(history.last_end->wall_ms),
                            seconds(history.last_end->cpu_ms), human_bytes(history.last_end->peak_rss_bytes),
                            history.last_end->outcome);
    }
    print(line + "\n");
}

void show_tasks(const TaskOptions& options, const Session& session) {
    const auto folder = value_of(node::WorkFolder::open(options.folder));
    const auto states = folder.states();
    auto history = folder.history();
    std::map<node::TaskState, std::size_t> counts;
    for (const auto& [id, state] : states) ++counts[state];
    const auto nodes = folder.tree().nodes();
    if (session.json) {
        json::array tasks;
        for (const auto& node : nodes) tasks.push_back(to_json(folder, node, states.at(node.id), history[node.id]));
        print_json(json::object{{"folder", options.folder},
                                {"tasks", std::move(tasks)},
                                {"done", counts[node::TaskState::done]},
                                {"ready", counts[node::TaskState::ready]},
                                {"waiting", counts[node::TaskState::waiting]},
                                {"damaged", counts[node::TaskState::damaged]}});
        return;
    }
    print(fmt::format("{}: {} of {} tasks done, {} ready, {} waiting, {} damaged\n\n", options.folder,
                      counts[node::TaskState::done], nodes.size(), counts[node::TaskState::ready],
                      counts[node::TaskState::waiting], counts[node::TaskState::damaged]));
    print(fmt::format("  {:<12}  {:<9} {:>5} {:>8}  {:<8} {:>10} {:>5}  {:>9} {:>9} {:>10}  {}\n", "task", "kind",
                      "index", "units", "state", "output", "runs", "time", "CPU", "memory", "last"));
    for (const auto& node : nodes) print_task(folder, node, states.at(node.id), history[node.id]);
}

}  // namespace

void add_task_commands(CLI::App& app, Session& session) {
    const auto options = std::make_shared<TaskOptions>();
    CLI::App* tasks = add_command(app, session, "tasks", "Show the tasks of a work folder: what is done, sizes, times",
                                  "quarry tasks proof --json", [options, &session] { show_tasks(*options, session); });
    tasks->add_option("DIR", options->folder, "a folder that `quarry prove --segments` wrote")
        ->type_name("")
        ->required();

    CLI::App* task = app.add_subcommand("task", "One task of a work folder");
    task->require_subcommand(1);
    task->footer("Example:\n  quarry tasks proof");
    const auto one = std::make_shared<TaskOptions>();
    (void)add_command(*task, session, "serve", "Do the tasks of lines on standard input: what does the work of others",
                      "quarry task serve < lines", [] { serve_tasks(); });
    CLI::App* run = add_command(*task, session, "run", "Do one task of a work folder", "quarry task run proof TASK",
                                [one] { run_task(*one); });
    run->add_option("DIR", one->folder, "a work folder")->type_name("")->required();
    run->add_option("TASK", one->id, "64 hexadecimal digits, as `quarry tasks DIR --json` shows them")
        ->type_name("")
        ->required();
}

}  // namespace quarry::apps
