#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/hash/keccak.hpp"

/// The work of making proofs as a graph of tasks, each named by what it is: kind, parameters and inputs. Two who cut
/// the same work the same way give every task the same name, so a result is found again after a crash, by another
/// process, or on another machine. Knows neither files nor provers: kinds are data. docs/spec/work-tree.md.
namespace quarry {

/// Keccak-256 of bytes (an object), or of a task's text (the task).
using ContentId = Bytes32;

/// What a task reads: bytes that are there from the beginning, or what another task makes.
struct TaskInput {
    enum class Source { object, task };
    Source source = Source::object;
    ContentId id{};
    friend bool operator==(const TaskInput&, const TaskInput&) = default;
};

struct Task {
    std::string kind;  ///< segment, data, join, bundle, terminal, or what is to come: [a-z_]+
    std::map<std::string, std::string> parameters;  ///< names [a-z_]+, values printable ASCII without line ends
    std::vector<TaskInput> inputs;                  ///< in the order in which the kind takes them
    friend bool operator==(const Task&, const Task&) = default;
};

/// One line each: the kind; `name value` of each parameter, by name; `object HEX` or `task HEX` of each input, in
/// order. Precondition: a valid task (is_valid).
std::string to_text(const Task& task);
/// Kinds and names of the right form, no parameter named like an input.
bool is_valid(const Task& task);
/// Keccak-256 of its text.
ContentId task_id(const Task& task);

/// 64 lower-case hexadecimal digits, and back.
std::string to_hex(const ContentId& id);
std::optional<ContentId> parse_content_id(std::string_view text);

/// Tasks in an order in which every input comes before what reads it.
class WorkTree {
  public:
    static constexpr std::size_t kMaxTasks = 65536;
    static constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

    /// Adds a task unless it is there; the id. Preconditions: valid; the tasks that it reads are there.
    ContentId add(const Task& task);

    struct Node {
        ContentId id{};
        Task task;
    };
    [[nodiscard]] std::span<const Node> nodes() const noexcept { return nodes_; }
    [[nodiscard]] const Task* find(const ContentId& id) const;
    /// The tasks that are not done and whose inputs are, in order. `done`: ids of tasks.
    [[nodiscard]] std::vector<ContentId> ready(const std::set<ContentId>& done) const;

    /// The tasks' texts in order, each followed by an empty line, below a line that says what this is.
    [[nodiscard]] std::string to_text() const;
    /// Total and canonical. No value: not such a text, or a task before its input.
    static std::optional<WorkTree> parse(std::string_view text);

  private:
    std::vector<Node> nodes_;
    std::map<ContentId, std::size_t> place_;
};

}  // namespace quarry
