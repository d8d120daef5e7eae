#include "quarry/node/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/operation_json.hpp"

namespace quarry::node {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{3} << 17;  // about 400 operations
constexpr std::size_t kIdBytes = std::size_t{1} << 20;

}  // namespace

static_assert(kBlockBytes > kMaxLineBytes + 1);

Outcome<InputFile> InputFile::open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_read(path, errno_text(errno));
    struct stat info{};
    const bool known = ::fstat(fd, &info) == 0;
    InputFile file(path, fd, known ? static_cast<std::uint64_t>(info.st_size) : 0);
    if (!known) return cannot_read(path, errno_text(errno));
    if (!S_ISREG(info.st_mode)) return cannot_read(path, "it is not a regular file");
    QUARRY_PASS_ON(file.compute_id());
    return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      id_(other.id_),
      offset_(other.offset_),
      line_number_(other.line_number_) {}

InputFile::~InputFile() {
    if (fd_ >= 0) (void)::close(fd_);
}

Outcome<std::vector<char>> InputFile::read_at(std::uint64_t offset, std::size_t count) const {
    std::vector<char> bytes(count);
    std::size_t have = 0;
    while (have < count) {
        const ssize_t n = ::pread(fd_, bytes.data() + have, count - have, static_cast<off_t>(offset + have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot_read(path_, errno_text(errno));
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    bytes.resize(have);
    return bytes;
}

Outcome<Done> InputFile::compute_id() {
    std::vector<std::uint8_t> text;
    for (unsigned i = 0; i < 8; ++i) text.push_back(static_cast<std::uint8_t>(size_ >> (8 * i)));
    const std::uint64_t last = size_ - std::min<std::uint64_t>(size_, kIdBytes);
    for (const std::uint64_t offset : {std::uint64_t{0}, last}) {
        const auto bytes = read_at(offset, kIdBytes);
        if (!bytes) return bytes.error();
        text.insert(text.end(), bytes.value().begin(), bytes.value().end());
    }
    id_ = keccak256(text);
    return Done{};
}

void InputFile::seek(std::uint64_t offset, std::uint64_t number) {
    offset_ = offset;
    line_number_ = number;
}

Outcome<std::uint64_t> InputFile::find_line_end(std::uint64_t offset) const {
    for (;;) {
        const auto bytes = read_at(offset, kBlockBytes);
        if (!bytes) return bytes.error();
        const auto& text = bytes.value();
        const auto end = std::ranges::find(text, '\n');
        offset += static_cast<std::uint64_t>(end - text.begin());
        if (end != text.end()) return offset + 1;
        if (text.empty()) return offset;
    }
}

Outcome<std::optional<LineBlock>> InputFile::next() {
    auto bytes = read_at(offset_, kBlockBytes);
    if (!bytes) return bytes.error();
    LineBlock block;
    block.bytes = std::move(bytes).value();
    if (block.bytes.empty()) return std::optional<LineBlock>();
    const std::string_view all(block.bytes.data(), block.bytes.size());
    std::size_t at = 0;
    while (at < all.size()) {
        std::size_t end = all.find('\n', at);
        const bool at_end_of_file = all.size() < kBlockBytes;
        if (end == std::string_view::npos && at_end_of_file) end = all.size();
        if (end == std::string_view::npos) break;
        const std::size_t behind = std::min(end + 1, all.size());
        const std::size_t length = std::min(end - at, kMaxLineBytes + 1);
        block.lines.push_back({all.substr(at, length), line_number_++, offset_ + behind});
        at = behind;
    }
    if (block.lines.empty()) {  // one line that is longer than a block
        const auto end = find_line_end(offset_ + all.size());
        if (!end) return end.error();
        block.lines.push_back({all.substr(0, kMaxLineBytes + 1), line_number_++, end.value()});
    }
    offset_ = block.lines.back().end_offset;
    return std::optional<LineBlock>(std::move(block));
}

}  // namespace quarry::node
