#include "quarry/node/wallet/wallet_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "quarry/base/write_fully.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::node::wallet {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyEnding = ".json";

/// A file with mode 0600 that is on disk, beside `path`, on its way there.
Outcome<Done> write_beside(const std::string& path, std::span<const std::uint8_t> bytes, std::string& beside) {
    beside = fmt::format("{}.{}.part", path, ::getpid());
    (void)::unlink(beside.c_str());  // of a process of the same number that a crash ended
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return cannot_write(path, errno);
    int error = write_fully(fd, bytes);
    if (error == 0 && ::fsync(fd) != 0) error = errno;
    if (::close(fd) != 0 && error == 0) error = errno;
    if (error == 0) return Done{};
    (void)::unlink(beside.c_str());
    return cannot_write(path, error);
}

Outcome<Done> sync_folder_of(const std::string& path) {
    std::string folder = fs::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
    return sync_paths(std::span(&folder, 1));
}

}  // namespace

bool is_key_name(std::string_view name) noexcept {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    return !name.empty() && name.size() <= 32 && name.front() != '-' &&
           name.find_first_not_of(kAllowed) == std::string_view::npos;
}

Outcome<Done> make_private_folder(const std::string& path) {
    fs::path made;
    for (const fs::path& part : fs::path(path)) {
        made /= part;
        if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) {
            const int error = errno;
            if (!fs::is_directory(made)) return cannot_write(made.string(), error);
        }
    }
    if (!fs::is_directory(path)) return cannot_write(path, ENOTDIR);
    return Done{};
}

Outcome<Done> create_private_file(const std::string& path, std::span<const std::uint8_t> bytes) {
    std::string beside;
    QUARRY_PASS_ON(write_beside(path, bytes, beside));
    // A link fails if the name is taken; a rename would overwrite.
    const int error = ::link(beside.c_str(), path.c_str()) == 0 ? 0 : errno;
    (void)::unlink(beside.c_str());
    if (error == EEXIST)
        return Problem{Problem::Kind::environment, "file_exists", fmt::format("{} exists already", path),
                       "choose another name: nothing is ever overwritten"};
    if (error != 0) return cannot_write(path, error);
    return sync_folder_of(path);
}

Outcome<Done> replace_private_file(const std::string& path, std::span<const std::uint8_t> bytes) {
    std::string beside;
    QUARRY_PASS_ON(write_beside(path, bytes, beside));
    QUARRY_PASS_ON(rename_path(beside, path));
    return sync_folder_of(path);
}

std::string WalletFolder::key_path(const std::string& name) const {
    return fmt::format("{}/keys/{}{}", path_, name, kKeyEnding);
}

std::vector<std::string> WalletFolder::key_names() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path_ + "/keys", error)) {
        std::string name = entry.path().filename().string();
        if (!name.ends_with(kKeyEnding)) continue;
        name.resize(name.size() - kKeyEnding.size());
        if (is_key_name(name)) names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
}

Outcome<KeystoreFile> WalletFolder::read_key(const std::string& name) const {
    const std::string path = key_path(name);
    std::error_code error;
    if (!is_key_name(name) || !fs::exists(path, error))
        return Problem{Problem::Kind::bad_input, "no_such_key", fmt::format("{} has no key '{}'", path_, name),
                       "`quarry wallet list` shows the keys, `quarry wallet new` makes one"};
    auto bytes = read_whole_file(path, kMaxKeystoreBytes);
    if (!bytes) return bytes.error();
    auto file = parse_keystore(as_text(bytes.value()));
    if (file) return file;
    Problem problem = file.error();
    problem.cause = path + ": " + problem.cause;
    return problem;
}

Outcome<Done> WalletFolder::add_key(const std::string& name, const KeystoreFile& file) const {
    QUARRY_CHECK(is_key_name(name));
    QUARRY_PASS_ON(make_private_folder(path_ + "/keys"));
    auto made = create_private_file(key_path(name), as_bytes(format_keystore(file)));
    if (made || made.error().name != "file_exists") return made;
    return Problem{Problem::Kind::environment, "key_exists", fmt::format("{} has a key '{}' already", path_, name),
                   "choose another --name: a key is never overwritten"};
}

}  // namespace quarry::node::wallet
