#include "quarry/ethereum/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quarry/base/write_fully.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kLengthCheckBytes = 4;
constexpr std::size_t kCheckBytes = 8;
constexpr std::size_t kHeaderBytes = kLengthBytes + kLengthCheckBytes + kCheckBytes;
constexpr std::string_view kOwnerTag = "quarry/l1-journal/1";
/// Six blobs, their proofs and a full transaction fit.
constexpr std::size_t kMaxRecordBytes = std::size_t{2} << 20;

EthereumError failed(const std::string& path, int error) {
    return {EthereumCode::journal_failed, path + ": " + std::strerror(error), {}};
}

void put_record(ByteView record, Bytes& out) {
    QUARRY_CHECK(record.size() <= kMaxRecordBytes);
    std::array<std::uint8_t, kLengthBytes> length{};
    for (unsigned i = 0; i < kLengthBytes; ++i) length[i] = static_cast<std::uint8_t>(record.size() >> (8 * i));
    const Bytes32 length_hash = keccak256(length);
    const Bytes32 hash = keccak256(record);
    out.insert(out.end(), length.begin(), length.end());
    out.insert(out.end(), length_hash.begin(), length_hash.begin() + kLengthCheckBytes);
    out.insert(out.end(), hash.begin(), hash.begin() + kCheckBytes);
    out.insert(out.end(), record.begin(), record.end());
}

/// The length of the record at the start of `bytes`; empty if its header is cut or damaged.
std::optional<std::size_t> first_length(ByteView bytes) {
    if (bytes.size() < kHeaderBytes) return std::nullopt;
    const Bytes32 hash = keccak256(bytes.first(kLengthBytes));
    if (!std::equal(hash.begin(), hash.begin() + kLengthCheckBytes, bytes.begin() + kLengthBytes)) return std::nullopt;
    std::size_t size = 0;
    for (unsigned i = 0; i < kLengthBytes; ++i) size |= std::size_t{bytes[i]} << (8 * i);
    if (size > kMaxRecordBytes) return std::nullopt;
    return size;
}

/// The record at the start of `bytes`, empty optional if it is cut or a hash differs.
std::optional<ByteView> first_record(ByteView bytes) {
    const auto size = first_length(bytes);
    if (!size || bytes.size() - kHeaderBytes < *size) return std::nullopt;
    const ByteView record = bytes.subspan(kHeaderBytes, *size);
    const Bytes32 hash = keccak256(record);
    const auto check = bytes.begin() + kLengthBytes + kLengthCheckBytes;
    if (!std::equal(hash.begin(), hash.begin() + kCheckBytes, check)) return std::nullopt;
    return record;
}

/// Whether bytes that are no record can be one whose writing a crash cut short: nothing lies behind them, or the file
/// system put zeros where nothing had been written yet. A length is believed only with its own hash: damage to it must
/// not make the records behind it look like a part of this one.
bool is_torn_tail(ByteView rest) {
    if (rest.size() < kHeaderBytes) return true;
    const ByteView behind = rest.subspan(kHeaderBytes);
    if (const auto size = first_length(rest)) return behind.size() <= *size;
    return std::all_of(behind.begin(), behind.end(), [](std::uint8_t x) { return x == 0; });
}

Bytes owner_record(const JournalOwner& owner) {
    Bytes r(kOwnerTag.begin(), kOwnerTag.end());
    for (unsigned i = 0; i < 8; ++i) r.push_back(static_cast<std::uint8_t>(owner.chain_id >> (8 * i)));
    r.insert(r.end(), owner.account.bytes.begin(), owner.account.bytes.end());
    return r;
}

int sync_folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

class FileJournal final : public Journal {
  public:
    FileJournal(std::string path, int fd, int lock_fd, Bytes owner)
        : path_(std::move(path)), fd_(fd), lock_fd_(lock_fd), owner_(std::move(owner)) {}
    ~FileJournal() override {
        ::close(fd_);
        ::close(lock_fd_);
    }

    Answer<std::vector<Bytes>> read() override {
        struct stat info{};
        if (::fstat(fd_, &info) != 0) return failed(path_, errno);
        Bytes content(static_cast<std::size_t>(info.st_size));
        for (std::size_t at = 0; at < content.size();) {
            const ssize_t n = ::pread(fd_, content.data() + at, content.size() - at, static_cast<off_t>(at));
            if (n < 0 && errno != EINTR) return failed(path_, errno);
            if (n == 0) return failed(path_, EIO);
            if (n > 0) at += static_cast<std::size_t>(n);
        }
        std::vector<Bytes> r;
        ByteView rest = content;
        while (!rest.empty()) {
            const auto record = first_record(rest);
            if (!record) break;
            r.emplace_back(record->begin(), record->end());
            rest = rest.subspan(kHeaderBytes + record->size());
        }
        if (!is_torn_tail(rest)) return EthereumError{EthereumCode::journal_damaged, path_, {}};
        size_ = content.size() - rest.size();
        if (!rest.empty() && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return failed(path_, errno);
        if (!rest.empty() && ::fsync(fd_) != 0) return failed(path_, errno);
        if (r.empty()) {
            QUARRY_TRY(append(owner_));
        } else if (r.front() == owner_) {
            r.erase(r.begin());
        } else {
            return EthereumError{EthereumCode::journal_failed, path_ + ": it is of another account or chain", {}};
        }
        return r;
    }

    Answer<Done> append(ByteView record) override {
        Bytes bytes;
        put_record(record, bytes);
        // After a failed sync nobody knows what is on disk: nothing is added behind it.
        if (is_broken_) return failed(path_, EIO);
        int error = ::lseek(fd_, static_cast<off_t>(size_), SEEK_SET) < 0 ? errno : write_fully(fd_, bytes);
        if (error == 0 && ::fdatasync(fd_) != 0) {
            error = errno;
            is_broken_ = true;
        }
        if (error != 0) {
            if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) is_broken_ = true;
            return failed(path_, error);
        }
        size_ += bytes.size();
        return Done{};
    }

    Answer<Done> rewrite(const std::vector<Bytes>& records) override {
        Bytes bytes;
        put_record(owner_, bytes);
        for (const Bytes& record : records) put_record(record, bytes);
        const std::string beside = path_ + ".new";
        const int fd = ::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) return failed(beside, errno);
        int error = write_fully(fd, bytes);
        if (error == 0 && ::fsync(fd) != 0) error = errno;
        if (error == 0 && ::rename(beside.c_str(), path_.c_str()) != 0) error = errno;
        if (error != 0) {
            ::close(fd);
            return failed(beside, error);
        }
        ::close(fd_);
        fd_ = fd;
        size_ = bytes.size();
        is_broken_ = false;
        if (const int sync_error = sync_folder_of(path_); sync_error != 0) {
            is_broken_ = true;
            return failed(path_, sync_error);
        }
        return Done{};
    }

  private:
    std::string path_;
    int fd_;
    int lock_fd_;
    Bytes owner_;  ///< the first record
    std::uint64_t size_ = 0;
    bool is_broken_ = false;
};

class MemoryJournal final : public Journal {
  public:
    explicit MemoryJournal(std::shared_ptr<std::vector<Bytes>> records) : records_(std::move(records)) {}
    Answer<std::vector<Bytes>> read() override { return *records_; }
    Answer<Done> append(ByteView record) override {
        records_->emplace_back(record.begin(), record.end());
        return Done{};
    }
    Answer<Done> rewrite(const std::vector<Bytes>& records) override {
        *records_ = records;
        return Done{};
    }

  private:
    std::shared_ptr<std::vector<Bytes>> records_;
};

}  // namespace

Answer<std::unique_ptr<Journal>> open_journal_file(const std::string& path, const JournalOwner& owner) {
    // The lock is on a file of its own: the journal's is replaced when it is rewritten.
    const std::string lock_path = path + ".lock";
    const int lock_fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_fd < 0) return failed(lock_path, errno);
    if (::flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock_fd);
        return EthereumError{EthereumCode::journal_failed, path + ": another process holds it", {}};
    }
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int error = fd < 0 ? errno : sync_folder_of(path);
    if (error != 0) {
        if (fd >= 0) ::close(fd);
        ::close(lock_fd);
        return failed(path, error);
    }
    return std::unique_ptr<Journal>(std::make_unique<FileJournal>(path, fd, lock_fd, owner_record(owner)));
}

std::unique_ptr<Journal> make_memory_journal(std::shared_ptr<std::vector<Bytes>> records) {
    return std::make_unique<MemoryJournal>(std::move(records));
}

}  // namespace quarry::ethereum
