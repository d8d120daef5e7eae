#include "quarry/proof/work_tree.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry {
namespace {

constexpr std::string_view kFirstLine = "quarry work tree 1\n";
constexpr std::string_view kObject = "object";
constexpr std::string_view kTask = "task";

bool is_name(std::string_view text) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}
bool is_value(std::string_view text) {
    const auto fits = [](char c) { return c >= ' ' && c <= '~'; };
    return std::all_of(text.begin(), text.end(), fits);
}

/// What is before the first line end, taken off `text`; no value without a line end.
std::optional<std::string_view> take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

/// Adds what one line below the kind says.
bool parse_field(std::string_view line, Task& task) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, space);
    const std::string_view value = line.substr(space + 1);
    if (name == kObject || name == kTask) {
        const auto id = parse_content_id(value);
        if (!id) return false;
        task.inputs.push_back({name == kTask ? TaskInput::Source::task : TaskInput::Source::object, *id});
        return true;
    }
    return task.parameters.emplace(name, value).second;
}

/// The task up to the next empty line, taken off `text`.
std::optional<Task> take_task(std::string_view& text) {
    const auto kind = take_line(text);
    if (!kind) return std::nullopt;
    Task task{.kind = std::string(*kind), .parameters = {}, .inputs = {}};
    for (;;) {
        const auto line = take_line(text);
        if (!line) return std::nullopt;
        if (line->empty()) break;
        if (!parse_field(*line, task)) return std::nullopt;
    }
    if (!is_valid(task)) return std::nullopt;
    return task;
}

}  // namespace

std::string to_hex(const ContentId& id) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t b : id) {
        text += kDigits[b >> 4];
        text += kDigits[b & 15];
    }
    return text;
}

std::optional<ContentId> parse_content_id(std::string_view text) {
    ContentId id;
    if (text.size() != 2 * id.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
        const int value = digit ? c - '0' : c - 'a' + 10;
        id[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? value << 4 : id[i / 2] | value);
    }
    return id;
}

bool is_valid(const Task& task) {
    if (!is_name(task.kind)) return false;
    return std::all_of(task.parameters.begin(), task.parameters.end(), [](const auto& parameter) {
        const auto& [name, value] = parameter;
        return is_name(name) && name != kObject && name != kTask && is_value(value);
    });
}

std::string to_text(const Task& task) {
    QUARRY_CHECK(is_valid(task));
    std::string text = task.kind + "\n";
    for (const auto& [name, value] : task.parameters) text += name + " " + value + "\n";
    for (const TaskInput& input : task.inputs) {
        text += std::string(input.source == TaskInput::Source::task ? kTask : kObject) + " " + to_hex(input.id) + "\n";
    }
    return text;
}

ContentId task_id(const Task& task) {
    const std::string text = to_text(task);
    return keccak256(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

ContentId WorkTree::add(const Task& task) {
    const ContentId id = task_id(task);
    if (place_.contains(id)) return id;
    for (const TaskInput& input : task.inputs)
        QUARRY_CHECK(input.source == TaskInput::Source::object || place_.contains(input.id));
    QUARRY_CHECK(nodes_.size() < kMaxTasks);
    place_.emplace(id, nodes_.size());
    nodes_.push_back({id, task});
    return id;
}

const Task* WorkTree::find(const ContentId& id) const {
    const auto it = place_.find(id);
    return it == place_.end() ? nullptr : &nodes_[it->second].task;
}

std::vector<ContentId> WorkTree::ready(const std::set<ContentId>& done) const {
    std::vector<ContentId> r;
    for (const Node& node : nodes_) {
        if (done.contains(node.id)) continue;
        const auto& inputs = node.task.inputs;
        const bool can_start = std::all_of(inputs.begin(), inputs.end(), [&](const TaskInput& input) {
            return input.source == TaskInput::Source::object || done.contains(input.id);
        });
        if (can_start) r.push_back(node.id);
    }
    return r;
}

std::string WorkTree::to_text() const {
    std::string text(kFirstLine);
    for (const Node& node : nodes_) text += quarry::to_text(node.task) + "\n";
    return text;
}

std::optional<WorkTree> WorkTree::parse(std::string_view text) {
    if (text.size() > kMaxTextBytes || !text.starts_with(kFirstLine)) return std::nullopt;
    const std::string_view whole = text;
    text.remove_prefix(kFirstLine.size());
    WorkTree tree;
    while (!text.empty()) {
        const auto task = take_task(text);
        if (!task || tree.nodes_.size() == kMaxTasks) return std::nullopt;
        for (const TaskInput& input : task->inputs) {
            if (input.source == TaskInput::Source::task && !tree.place_.contains(input.id)) return std::nullopt;
        }
        tree.add(*task);
    }
    if (tree.to_text() != whole) return std::nullopt;
    return tree;
}

}  // namespace quarry
