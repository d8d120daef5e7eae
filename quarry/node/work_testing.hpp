#pragma once
/// Shared by tests of work folders: a folder that is removed at the end, and a graph of tasks that join texts.

#include <unistd.h>

#include <filesystem>
#include <string>

#include "quarry/node/file_io.hpp"
#include "quarry/node/work_folder.hpp"

namespace quarry::node::testing {

class TemporaryPath {
  public:
    explicit TemporaryPath(const std::string& name)
        : path_((std::filesystem::temp_directory_path() / (name + "-" + std::to_string(::getpid()))).string()) {
        std::filesystem::remove_all(path_);
    }
    TemporaryPath(const TemporaryPath&) = delete;
    TemporaryPath& operator=(const TemporaryPath&) = delete;
    ~TemporaryPath() { std::filesystem::remove_all(path_); }
    [[nodiscard]] const std::string& get() const noexcept { return path_; }

  private:
    std::string path_;
};

/// Four tasks that read a letter each, two that join two of them, one that joins these. The parameters of `special` are
/// those of the third leaf.
struct TextWork {
    std::vector<ContentId> leaves, joins;
    ContentId top{};
    explicit TextWork(WorkFolder& folder, const std::map<std::string, std::string>& special = {}) {
        WorkTree tree;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::string letter(1, static_cast<char>('a' + i));
            const ContentId object = folder.put_object(as_bytes(letter)).value();
            auto parameters = i == 2 ? special : std::map<std::string, std::string>();
            parameters["units"] = std::to_string(i + 1);
            leaves.push_back(tree.add({"concat", parameters, {{TaskInput::Source::object, object}}}));
        }
        for (std::size_t i = 0; i < 4; i += 2) joins.push_back(tree.add(join(leaves[i], leaves[i + 1])));
        top = tree.add(join(joins[0], joins[1]));
        QUARRY_CHECK(folder.write_tree(tree).ok());
    }
    static Task join(const ContentId& a, const ContentId& b) {
        return {"concat", {}, {{TaskInput::Source::task, a}, {TaskInput::Source::task, b}}};
    }
};

/// What a task of TextWork makes: its inputs, in brackets.
inline std::string concat(std::span<const std::vector<std::uint8_t>> inputs) {
    std::string text = "(";
    for (const auto& input : inputs) text += as_text(input);
    return text + ")";
}

}  // namespace quarry::node::testing
