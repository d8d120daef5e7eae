#include "quarry/node/key_folder.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "quarry/node/file_io.hpp"

namespace quarry::node {

namespace {
constexpr std::size_t kMaxKeyBytes = std::size_t{16} << 20;
}

std::optional<std::vector<std::uint8_t>> KeyFolder::read(const std::string& name) {
    auto bytes = read_whole_file(path_ + "/" + name, kMaxKeyBytes);
    if (!bytes) return std::nullopt;
    return std::move(bytes).value();
}

void KeyFolder::write(const std::string& name, std::span<const std::uint8_t> bytes) {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    // Beside its place first: another process may read or write the same key.
    const std::string own = path_ + "/" + name + "." + std::to_string(::getpid());
    if (!write_unsynced(own, bytes) || !rename_path(own, path_ + "/" + name)) std::filesystem::remove(own, error);
}

}  // namespace quarry::node
