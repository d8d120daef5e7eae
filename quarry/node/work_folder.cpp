#include "quarry/node/work_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/operation_json.hpp"

namespace quarry::node {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLogBytes = std::size_t{64} << 20;

Problem damaged_object(const std::string& path, const std::string& name, const std::string& why) {
    return {Problem::Kind::bad_input, name, fmt::format("{}: {}", path, why), "delete it: it will be made again"};
}

/// Written beside its place under a name of this process's own, so that two may write the same object.
Outcome<Done> write_object(const std::string& path, std::span<const std::uint8_t> bytes) {
    const std::string beside = fmt::format("{}.{}.part", path, ::getpid());
    QUARRY_PASS_ON(write_synced(beside, bytes));
    QUARRY_PASS_ON(rename_path(beside, path));
    const std::string folder = fs::path(path).parent_path().string();
    return sync_paths(std::span(&folder, 1));
}

bool is_there(const std::string& path) {
    std::error_code error;
    return fs::exists(path, error);
}

}  // namespace

const char* task_state_name(TaskState state) noexcept {
    switch (state) {
        case TaskState::waiting:
            return "waiting";
        case TaskState::ready:
            return "ready";
        case TaskState::done:
            return "done";
        case TaskState::damaged:
            return "damaged";
    }
    return "unknown";
}

Outcome<WorkFolder> WorkFolder::create(const std::string& path) {
    std::error_code error;
    const bool known = is_there(path + "/objects");
    if (!known && fs::is_directory(path, error) && !fs::is_empty(path, error)) {
        return Problem{Problem::Kind::environment, "not_empty", path + " holds other files, and no work",
                       "choose a new folder"};
    }
    QUARRY_PASS_ON(make_folder(path));
    QUARRY_PASS_ON(make_folder(path + "/objects"));
    QUARRY_PASS_ON(make_folder(path + "/results"));
    WorkFolder folder(path);
    if (exists(path)) return open(path);
    return folder;
}

Outcome<WorkFolder> WorkFolder::open(const std::string& path) {
    if (!exists(path)) {
        return Problem{Problem::Kind::bad_input, "not_a_work_folder", path + " holds no work tree",
                       "give a folder that `quarry prove --segments` wrote"};
    }
    const auto text = read_whole_file(path + "/tree.txt", WorkTree::kMaxTextBytes);
    if (!text) return text.error();
    auto tree = WorkTree::parse(as_text(text.value()));
    if (!tree) {
        return Problem{Problem::Kind::bad_input, "damaged_tree", path + "/tree.txt is no work tree",
                       "start again in a new folder"};
    }
    WorkFolder folder(path);
    folder.tree_ = std::move(*tree);
    return folder;
}

bool WorkFolder::exists(const std::string& path) { return is_there(path + "/tree.txt"); }

Outcome<Done> WorkFolder::write_tree(const WorkTree& tree) {
    QUARRY_PASS_ON(write_object(path_ + "/tree.txt", as_bytes(tree.to_text())));
    tree_ = tree;
    return Done{};
}

std::string WorkFolder::object_path(const ContentId& id) const { return path_ + "/objects/" + quarry::to_hex(id); }
std::string WorkFolder::result_path(const ContentId& task) const { return path_ + "/results/" + quarry::to_hex(task); }

Outcome<ContentId> WorkFolder::put_object(std::span<const std::uint8_t> bytes) const {
    const ContentId id = keccak256(bytes);
    QUARRY_PASS_ON(write_object(object_path(id), bytes));
    return id;
}

Outcome<std::vector<std::uint8_t>> WorkFolder::read_object(const ContentId& id) const {
    const std::string path = object_path(id);
    if (!is_there(path)) return damaged_object(path, "damaged_object", "it is missing");
    auto bytes = read_whole_file(path, kMaxObjectBytes);
    if (!bytes) return bytes.error();
    if (keccak256(bytes.value()) != id)
        return damaged_object(path, "damaged_object", "its bytes are not those of its name");
    return bytes;
}

Outcome<Done> WorkFolder::put_output(const ContentId& task, std::span<const std::uint8_t> bytes) const {
    const auto object = put_object(bytes);
    if (!object) return object.error();
    return write_object(result_path(task), as_bytes("object " + quarry::to_hex(object.value()) + "\n"));
}

Outcome<std::optional<std::vector<std::uint8_t>>> WorkFolder::read_output(const ContentId& task) const {
    const std::string path = result_path(task);
    if (!is_there(path)) return std::optional<std::vector<std::uint8_t>>();
    const auto line = read_whole_file(path, 256);
    if (!line) return line.error();
    const std::string_view text = as_text(line.value());
    constexpr std::string_view kPrefix = "object ";
    const bool framed = text.starts_with(kPrefix) && text.ends_with('\n');
    const auto id =
        framed ? parse_content_id(text.substr(kPrefix.size(), text.size() - kPrefix.size() - 1)) : std::nullopt;
    if (!id) return damaged_object(path, "damaged_result", "it names no object");
    auto bytes = read_object(*id);
    if (!bytes) return bytes.error();
    return std::optional(std::move(bytes).value());
}

Outcome<Done> WorkFolder::forget_output(const ContentId& task) const {
    std::error_code error;
    fs::remove(result_path(task), error);
    if (error) return cannot_write(result_path(task), error.value());
    return Done{};
}

Outcome<std::vector<std::vector<std::uint8_t>>> WorkFolder::read_inputs(const Task& task) const {
    std::vector<std::vector<std::uint8_t>> r;
    for (const TaskInput& input : task.inputs) {
        if (input.source == TaskInput::Source::object) {
            auto bytes = read_object(input.id);
            if (!bytes) return bytes.error();
            r.push_back(std::move(bytes).value());
            continue;
        }
        auto output = read_output(input.id);
        if (!output) return output.error();
        if (!output.value()) return damaged_object(result_path(input.id), "missing_input", "the task was not done yet");
        r.push_back(std::move(*output.value()));
    }
    return r;
}

std::map<ContentId, TaskState> WorkFolder::states() const {
    std::map<ContentId, TaskState> r;
    std::set<ContentId> done;
    for (const WorkTree::Node& node : tree_.nodes()) {
        const auto output = read_output(node.id);
        TaskState state = TaskState::waiting;
        if (!output)
            state = TaskState::damaged;
        else if (output.value())
            state = TaskState::done;
        if (state == TaskState::done) done.insert(node.id);
        r[node.id] = state;
    }
    for (const ContentId& id : tree_.ready(done)) {
        if (r[id] == TaskState::waiting) r[id] = TaskState::ready;
    }
    return r;
}

Outcome<Done> WorkFolder::log(const std::string& line) const {
    // One short write to a file opened for appending: whole, whoever else appends.
    const std::string path = path_ + "/log.jsonl";
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return cannot_write(path, errno);
    const ssize_t n = ::write(fd, line.data(), line.size());
    const int error = n == static_cast<ssize_t>(line.size()) ? 0 : (n < 0 ? errno : ENOSPC);
    (void)::close(fd);
    if (error != 0) return cannot_write(path, error);
    return Done{};
}

Outcome<Done> WorkFolder::log_start(const ContentId& task, unsigned attempt, int pid) const {
    ObjectWriter w;
    w.text("event", "start").text("task", quarry::to_hex(task)).integer("attempt", attempt);
    w.integer("pid", static_cast<std::uint64_t>(pid));
    return log(std::move(w).finish() + "\n");
}

Outcome<Done> WorkFolder::log_end(const Execution& e) const {
    ObjectWriter w;
    w.text("event", "end").text("task", quarry::to_hex(e.task)).integer("attempt", e.attempt);
    w.text("outcome", e.outcome).integer("wall_ms", e.wall_ms).integer("cpu_ms", e.cpu_ms);
    w.integer("peak_rss_bytes", e.peak_rss_bytes);
    return log(std::move(w).finish() + "\n");
}

std::map<ContentId, TaskHistory> WorkFolder::history() const {
    std::map<ContentId, TaskHistory> r;
    const auto bytes = read_whole_file(path_ + "/log.jsonl", kMaxLogBytes);
    if (!bytes) return r;
    std::string_view text = as_text(bytes.value());
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        ObjectReader reader(line, kMaxLineBytes);
        const auto task = parse_content_id(reader.text("task"));
        const std::string_view event = reader.text("event");
        const auto attempt = reader.integer<std::uint32_t>("attempt");
        if (!task) continue;
        if (event == "start") {
            ++r[*task].started;
        } else if (event == "end") {
            Execution e{.task = *task, .attempt = attempt, .outcome = std::string(reader.text("outcome"))};
            e.wall_ms = reader.integer<std::uint64_t>("wall_ms");
            e.cpu_ms = reader.integer<std::uint64_t>("cpu_ms");
            e.peak_rss_bytes = reader.integer<std::uint64_t>("peak_rss_bytes");
            if (!reader.finish()) r[*task].last_end = e;
        }
    }
    return r;
}

Outcome<WorkLock> WorkLock::take(const std::string& folder) {
    const std::string path = folder + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return cannot_write(path, errno);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return WorkLock(fd);
    const int error = errno;
    (void)::close(fd);
    if (error != EWOULDBLOCK) return cannot_write(path, error);
    return Problem{Problem::Kind::environment, "locked_by_another_process",
                   folder + " is being worked on by another process", "wait until it ends, or stop it"};
}

WorkLock::~WorkLock() {
    if (fd_ >= 0) (void)::close(fd_);
}

}  // namespace quarry::node
