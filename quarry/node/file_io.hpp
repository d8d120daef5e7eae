#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"

/// Files whose bytes are on disk before anything that relies on them is.
namespace quarry::node {

/// What the operating system says of an errno.
std::string errno_text(int error);
Problem cannot_read(const std::string& path, const std::string& why);
/// disk_full or cannot_write, by the errno.
Problem cannot_write(const std::string& path, int error);
/// bad_input: a file of ours that was cut or changed since it was made.
Problem bad_file(const char* name, const std::string& why);

/// The whole file; refuses more than `limit_bytes`.
Outcome<std::vector<std::uint8_t>> read_whole_file(const std::string& path, std::size_t limit_bytes);

/// Writes a file and syncs it. It is not in place after a crash unless its folder is synced too.
Outcome<Done> write_synced(const std::string& path, std::span<const std::uint8_t> bytes);
/// Writes a file; nothing is promised about when it is on disk.
Outcome<Done> write_unsynced(const std::string& path, std::span<const std::uint8_t> bytes);
/// Files and folders: everything written to them so far is on disk when this returns. All at once, each on a thread of
/// its own, so that the device can serve them together.
Outcome<Done> sync_paths(std::span<const std::string> paths);
/// write_synced beside its place, renamed into it, folder synced: there as a whole or not at all.
Outcome<Done> replace_file(const std::string& path, std::span<const std::uint8_t> bytes);
Outcome<Done> make_folder(const std::string& path);
Outcome<Done> rename_path(const std::string& from, const std::string& to);

inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A file to which whole records are added.
class AppendFile {
  public:
    AppendFile() = default;
    AppendFile(AppendFile&& other) noexcept;
    AppendFile& operator=(AppendFile&& other) noexcept;
    AppendFile(const AppendFile&) = delete;
    AppendFile& operator=(const AppendFile&) = delete;
    ~AppendFile();
    /// Opens or makes the file and cuts it to `size` bytes. bad_input (too_short): it has fewer.
    static Outcome<AppendFile> open(const std::string& path, std::uint64_t size);

    void append(std::string_view text) { pending_ += text; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_ + pending_.size(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Hands what was appended to the operating system. It is on disk once the file is synced (sync_paths).
    Outcome<Done> flush();

  private:
    std::string path_;
    std::string pending_;
    std::uint64_t size_ = 0;
    int fd_ = -1;
};

}  // namespace quarry::node
