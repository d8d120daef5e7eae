#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/proof/work_tree.hpp"

/// A work tree on disk, with what its tasks read and made. A folder holds
///     tree.txt          the tasks, written last when the folder is made: without it there is no work here yet
///     objects/ID        bytes, named by their Keccak-256: inputs and outputs
///     results/ID        which object the task ID made
///     log.jsonl         every execution that was started or ended; only for people and tests
///     lock              held by the one process that executes
/// Every file but the log appears whole and synced or not at all, and is checked against its name when it is read: what
/// is done is what is there, so a crash at any moment leaves a folder to go on from. docs/spec/work-tree.md.
namespace quarry::node {

/// One execution of a task that ended.
struct Execution {
    ContentId task{};
    unsigned attempt = 0;
    std::string outcome;  ///< done, failed, killed, silent, stopped
    std::uint64_t wall_ms = 0;
    std::uint64_t cpu_ms = 0;
    std::uint64_t peak_rss_bytes = 0;
};
/// What the log says of one task.
struct TaskHistory {
    std::uint64_t started = 0;          ///< executions, over all runs
    std::optional<Execution> last_end;  ///< the last one that ended
};

/// What is there of a task.
enum class TaskState { waiting, ready, done, damaged };
const char* task_state_name(TaskState state) noexcept;

class WorkFolder {
  public:
    static constexpr std::size_t kMaxObjectBytes = std::size_t{128} << 20;

    /// Makes the folder, or finds it unfinished (without a tree). environment (not_empty): it holds other things.
    static Outcome<WorkFolder> create(const std::string& path);
    /// A finished folder; bad_input (not_a_work_folder, damaged_tree).
    static Outcome<WorkFolder> open(const std::string& path);
    /// Whether there is a tree in the folder.
    static bool exists(const std::string& path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const WorkTree& tree() const noexcept { return tree_; }
    /// Makes the folder a finished one.
    Outcome<Done> write_tree(const WorkTree& tree);

    Outcome<ContentId> put_object(std::span<const std::uint8_t> bytes) const;
    /// bad_input (damaged_object): missing, or not the bytes of this name.
    [[nodiscard]] Outcome<std::vector<std::uint8_t>> read_object(const ContentId& id) const;

    /// The task has made these bytes: they are there, then the result that names them.
    Outcome<Done> put_output(const ContentId& task, std::span<const std::uint8_t> bytes) const;
    /// What the task made; no value: not done. bad_input: a result that is damaged or whose object is.
    [[nodiscard]] Outcome<std::optional<std::vector<std::uint8_t>>> read_output(const ContentId& task) const;
    /// So that the task is done again.
    Outcome<Done> forget_output(const ContentId& task) const;
    /// The bytes that the task reads, in order. Precondition: of this tree.
    [[nodiscard]] Outcome<std::vector<std::vector<std::uint8_t>>> read_inputs(const Task& task) const;
    /// Reads and checks everything.
    [[nodiscard]] std::map<ContentId, TaskState> states() const;

    Outcome<Done> log_start(const ContentId& task, unsigned attempt, int pid) const;
    Outcome<Done> log_end(const Execution& execution) const;
    /// Lines that are no such records are skipped: a crash may cut one.
    [[nodiscard]] std::map<ContentId, TaskHistory> history() const;

  private:
    explicit WorkFolder(std::string path) : path_(std::move(path)) {}
    [[nodiscard]] std::string object_path(const ContentId& id) const;
    [[nodiscard]] std::string result_path(const ContentId& task) const;
    Outcome<Done> log(const std::string& line) const;
    std::string path_;
    WorkTree tree_;
};

/// Held while tasks are executed, so that nobody else executes them. Released by the end of the process, whatever ends
/// it.
class WorkLock {
  public:
    /// environment (locked_by_another_process).
    static Outcome<WorkLock> take(const std::string& folder);
    WorkLock(WorkLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    WorkLock& operator=(WorkLock&&) = delete;
    WorkLock(const WorkLock&) = delete;
    WorkLock& operator=(const WorkLock&) = delete;
    ~WorkLock();

  private:
    explicit WorkLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace quarry::node
