#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::apps {

/// The whole file. Throws Failure(exit_bad_input): missing, a directory, no permission, empty, above `limit_bytes`.
std::vector<std::uint8_t> read_file(const std::string& path, std::size_t limit_bytes);

/// Throws Failure(exit_environment) if write_file would surely fail: to be asked before long work.
void check_writable(const std::string& path);

/// Writes a file that appears whole or not at all (written beside its place, synced, renamed). What exists and is no
/// regular file, such as a pipe, is written directly. Throws Failure(exit_environment).
void write_file(const std::string& path, std::span<const std::uint8_t> bytes);

/// A file that is written piece by piece and appears whole or not at all, like write_file's. Throws
/// Failure(exit_environment).
class OutputFile {
  public:
    explicit OutputFile(std::string path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    /// What was not finished leaves nothing behind.
    ~OutputFile();
    void write(std::string_view text);
    /// On disk and in its place when this returns.
    void finish();

  private:
    std::string path_;
    std::string written_path_;  ///< beside path_, or path_ itself if that is no regular file
    int fd_ = -1;
};

}  // namespace quarry::apps
