#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::node {

/// Some lines of a file, without their ends. A line that is longer than a line may be is cut after kMaxLineBytes + 1
/// bytes, which is enough for its parser to refuse it.
struct LineBlock {
    struct Line {
        std::string_view text;
        std::uint64_t number = 0;      ///< the first line of the file is 1
        std::uint64_t end_offset = 0;  ///< where the next line starts
    };
    std::vector<char> bytes;  ///< what the lines refer to
    std::vector<Line> lines;
};

/// A file of lines, read in blocks from any line on. One thread.
class InputFile {
  public:
    /// bad_input (cannot_read): missing, unreadable, or not a regular file.
    static Outcome<InputFile> open(const std::string& path);
    InputFile(InputFile&& other) noexcept;
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile();

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// Tells this input from others: Keccak-256 of the length and of the first and last MiB.
    [[nodiscard]] const rollup::Bytes32& id() const noexcept { return id_; }

    /// The next block starts at this offset, which is the start of line `number`.
    void seek(std::uint64_t offset, std::uint64_t number);
    /// No value at the end of the file.
    Outcome<std::optional<LineBlock>> next();

  private:
    InputFile(std::string path, int fd, std::uint64_t size) : path_(std::move(path)), fd_(fd), size_(size) {}
    /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
    Outcome<std::vector<char>> read_at(std::uint64_t offset, std::size_t count) const;
    Outcome<Done> compute_id();
    /// The end of a line that starts at `offset` and fills a whole block.
    [[nodiscard]] Outcome<std::uint64_t> find_line_end(std::uint64_t offset) const;

    std::string path_;
    int fd_ = -1;
    std::uint64_t size_ = 0;
    rollup::Bytes32 id_{};
    std::uint64_t offset_ = 0;
    std::uint64_t line_number_ = 1;
};

}  // namespace quarry::node
