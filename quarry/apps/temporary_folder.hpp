#pragma once
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "quarry/apps/states.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::apps {

/// A folder on disk, removed at the end. Throws Failure(exit_environment).
class TemporaryFolder {
  public:
    /// In `parent`, or where temporary files go if it is empty.
    explicit TemporaryFolder(const std::string& parent) {
        std::error_code error;
        const std::filesystem::path base =
            parent.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(parent);
        std::string pattern = (base / "quarry-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw to_failure(node::cannot_write(pattern, errno));
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

}  // namespace quarry::apps
