#pragma once
/// For tests: a file system in memory that forgets, when the power fails, everything that was never synced. kill -9
/// alone cannot show that a sync is missing, because the operating system keeps what a dead process wrote.

#include <rocksdb/env.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace quarry::node::testing {

/// Where tests keep a state in a CrashEnv.
inline const std::string kStateDirectory = "/state";

/// What a power failure leaves of the bytes and names that were not synced.
enum class Loss {
    everything,  ///< files end where they were last synced; names are as when their folder was last synced
    tails,       ///< files end anywhere between there and their end; names are kept
    nothing,     ///< as when only the process dies
};

/// Every call that changes a file or a folder is one event. From event number `limit` on, all of them fail: with the
/// power off, or with a full disk.
class CrashEnv final : public rocksdb::EnvWrapper {
  public:
    using Status = rocksdb::Status;
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

    CrashEnv() : EnvWrapper(rocksdb::Env::Default()) {}

    void fail_from(std::uint64_t limit, bool disk_full = false) {
        const std::scoped_lock lock(mutex_);
        limit_ = limit;
        disk_full_ = disk_full;
    }
    [[nodiscard]] std::uint64_t num_events() const {
        const std::scoped_lock lock(mutex_);
        return num_events_;
    }
    /// Whether reads of files that the engine opened before fail.
    void fail_reads(bool fail) {
        const std::scoped_lock lock(mutex_);
        fail_reads_ = fail;
    }
    /// Power off and on again. Precondition: nothing is open.
    void crash(Loss loss, std::mt19937_64& rng) {
        const std::scoped_lock lock(mutex_);
        if (loss == Loss::everything) {
            live_ = durable_;
            folders_ = durable_folders_;
            std::erase_if(live_, [&](const auto& entry) { return !folders_.contains(parent(entry.first)); });
        }
        for (auto& [path, file] : live_) {
            const std::size_t unsynced = file->data.size() - file->synced;
            if (loss == Loss::everything) file->data.resize(file->synced);
            if (loss == Loss::tails) file->data.resize(file->synced + rng() % (unsynced + 1));
            file->synced = file->data.size();
        }
        durable_ = live_;
        durable_folders_ = folders_;
        locks_.clear();
        limit_ = kNever;
    }
    void remove_all() {
        const std::scoped_lock lock(mutex_);
        live_.clear();
        durable_.clear();
        folders_ = durable_folders_ = {"/"};
    }
    /// Every file, for tests that damage them.
    [[nodiscard]] std::vector<std::string> files() const {
        const std::scoped_lock lock(mutex_);
        std::vector<std::string> r;
        for (const auto& [path, file] : live_) r.push_back(path);
        return r;
    }
    std::string& content(const std::string& path) { return live_.at(path)->data; }

    Status NewSequentialFile(const std::string& path, std::unique_ptr<rocksdb::SequentialFile>* result,
                             const rocksdb::EnvOptions&) override {
        const auto file = find(path);
        if (file == nullptr) return Status::PathNotFound(path);
        *result = std::make_unique<Reader>(*this, file);
        return Status::OK();
    }
    Status NewRandomAccessFile(const std::string& path, std::unique_ptr<rocksdb::RandomAccessFile>* result,
                               const rocksdb::EnvOptions&) override {
        const auto file = find(path);
        if (file == nullptr) return Status::PathNotFound(path);
        *result = std::make_unique<RandomReader>(*this, file);
        return Status::OK();
    }
    Status NewWritableFile(const std::string& path, std::unique_ptr<rocksdb::WritableFile>* result,
                           const rocksdb::EnvOptions&) override {
        return event([&] {
            live_[clean(path)] = std::make_shared<File>();
            *result = std::make_unique<Writer>(*this, live_[clean(path)]);
        });
    }
    Status ReopenWritableFile(const std::string& path, std::unique_ptr<rocksdb::WritableFile>* result,
                              const rocksdb::EnvOptions&) override {
        return event([&] {
            auto& file = live_[clean(path)];
            if (file == nullptr) file = std::make_shared<File>();
            *result = std::make_unique<Writer>(*this, file);
        });
    }
    Status ReuseWritableFile(const std::string& path, const std::string&, std::unique_ptr<rocksdb::WritableFile>*,
                             const rocksdb::EnvOptions&) override {
        return Status::NotSupported(path);
    }
    Status NewDirectory(const std::string& path, std::unique_ptr<rocksdb::Directory>* result) override {
        if (!is_folder(path)) return Status::PathNotFound(path);
        *result = std::make_unique<Folder>(*this, clean(path));
        return Status::OK();
    }
    Status FileExists(const std::string& path) override {
        return find(path) != nullptr || is_folder(path) ? Status::OK() : Status::NotFound(path);
    }
    Status GetChildren(const std::string& path, std::vector<std::string>* result) override {
        result->clear();
        if (!is_folder(path)) return Status::NotFound(path);
        const std::scoped_lock lock(mutex_);
        for (const auto& [name, file] : live_) {
            if (parent(name) == clean(path)) result->push_back(name.substr(clean(path).size() + 1));
        }
        return Status::OK();
    }
    Status GetChildrenFileAttributes(const std::string& path, std::vector<FileAttributes>* result) override {
        return Env::GetChildrenFileAttributes(path, result);
    }
    Status DeleteFile(const std::string& path) override {
        if (find(path) == nullptr) return Status::PathNotFound(path);
        return event([&] { live_.erase(clean(path)); });
    }
    Status Truncate(const std::string& path, std::size_t size) override {
        const auto file = find(path);
        if (file == nullptr) return Status::PathNotFound(path);
        return event([&] { file->truncate(size); });
    }
    Status CreateDir(const std::string& path) override {
        if (is_folder(path)) return Status::IOError(path, "exists");
        if (!is_folder(parent(path))) return Status::PathNotFound(path);
        return event([&] { folders_.insert(clean(path)); });
    }
    Status CreateDirIfMissing(const std::string& path) override {
        return is_folder(path) ? Status::OK() : CreateDir(path);
    }
    Status DeleteDir(const std::string& path) override {
        return event([&] { folders_.erase(clean(path)); });
    }
    Status GetFileSize(const std::string& path, std::uint64_t* size) override {
        const auto file = find(path);
        if (file == nullptr) return Status::PathNotFound(path);
        const std::scoped_lock lock(mutex_);
        *size = file->data.size();
        return Status::OK();
    }
    Status GetFileModificationTime(const std::string&, std::uint64_t* time) override {
        *time = 0;
        return Status::OK();
    }
    Status RenameFile(const std::string& from, const std::string& to) override {
        if (find(from) == nullptr) return Status::PathNotFound(from);
        return event([&] {
            live_[clean(to)] = live_[clean(from)];
            live_.erase(clean(from));
        });
    }
    Status LinkFile(const std::string& from, const std::string&) override { return Status::NotSupported(from); }
    Status AreFilesSame(const std::string& a, const std::string& b, bool* same) override {
        *same = a == b;
        return Status::OK();
    }
    Status IsDirectory(const std::string& path, bool* is_directory) override {
        *is_directory = is_folder(path);
        return Status::OK();
    }
    Status GetAbsolutePath(const std::string& path, std::string* result) override {
        *result = path;
        return Status::OK();
    }
    Status GetFreeSpace(const std::string& path, std::uint64_t*) override { return Status::NotSupported(path); }
    Status LockFile(const std::string& path, rocksdb::FileLock** result) override {
        const std::scoped_lock lock(mutex_);
        if (!locks_.insert(path).second) return Status::IOError("lock hold by current process", path);
        *result = new Lock(path);
        return Status::OK();
    }
    Status UnlockFile(rocksdb::FileLock* held) override {
        const std::scoped_lock lock(mutex_);
        const std::unique_ptr<Lock> owned(static_cast<Lock*>(held));
        locks_.erase(owned->path);
        return Status::OK();
    }
    Status NewLogger(const std::string&, std::shared_ptr<rocksdb::Logger>* result) override {
        *result = std::make_shared<Silence>();
        return Status::OK();
    }
    void SleepForMicroseconds(int) override {}

  private:
    struct File {
        std::string data;
        std::size_t synced = 0;  ///< bytes that survive
        void truncate(std::size_t size) {
            data.resize(size);
            synced = std::min(synced, size);
        }
    };
    using FilePointer = std::shared_ptr<File>;

    struct Lock final : rocksdb::FileLock {
        explicit Lock(std::string p) : path(std::move(p)) {}
        std::string path;
    };
    struct Silence final : rocksdb::Logger {
        using rocksdb::Logger::Logv;
        void Logv(const char*, va_list) override {}
    };

    class Reader final : public rocksdb::SequentialFile {
      public:
        Reader(CrashEnv& env, FilePointer file) : env_(env), file_(std::move(file)) {}
        Status Read(std::size_t n, rocksdb::Slice* result, char* scratch) override {
            const Status status = env_.read(*file_, position_, n, result, scratch);
            position_ += result->size();
            return status;
        }
        Status Skip(std::uint64_t n) override {
            position_ += n;
            return Status::OK();
        }

      private:
        CrashEnv& env_;
        FilePointer file_;
        std::uint64_t position_ = 0;
    };
    class RandomReader final : public rocksdb::RandomAccessFile {
      public:
        RandomReader(CrashEnv& env, FilePointer file) : env_(env), file_(std::move(file)) {}
        Status Read(std::uint64_t offset, std::size_t n, rocksdb::Slice* result, char* scratch) const override {
            return env_.read(*file_, offset, n, result, scratch);
        }

      private:
        CrashEnv& env_;
        FilePointer file_;
    };
    class Writer final : public rocksdb::WritableFile {
      public:
        Writer(CrashEnv& env, FilePointer file) : env_(env), file_(std::move(file)) {}
        using rocksdb::WritableFile::Append;
        Status Append(const rocksdb::Slice& data) override {
            return env_.event([&] { file_->data.append(data.data(), data.size()); });
        }
        Status Truncate(std::uint64_t size) override {
            return env_.event([&] { file_->truncate(size); });
        }
        Status Close() override { return Status::OK(); }
        Status Flush() override { return Status::OK(); }
        Status Sync() override {
            return env_.event([&] { file_->synced = file_->data.size(); });
        }
        [[nodiscard]] bool IsSyncThreadSafe() const override { return true; }
        std::uint64_t GetFileSize() override {
            const std::scoped_lock lock(env_.mutex_);
            return file_->data.size();
        }

      private:
        CrashEnv& env_;
        FilePointer file_;
    };
    class Folder final : public rocksdb::Directory {
      public:
        Folder(CrashEnv& env, std::string path) : env_(env), path_(std::move(path)) {}
        Status Fsync() override {
            return env_.event([&] { env_.sync_folder(path_); });
        }

      private:
        CrashEnv& env_;
        std::string path_;
    };

    /// Without doubled and trailing slashes.
    static std::string clean(const std::string& path) {
        std::string r;
        for (const char c : path) {
            if (c != '/' || !r.ends_with('/')) r.push_back(c);
        }
        if (r.size() > 1 && r.ends_with('/')) r.pop_back();
        return r;
    }
    static std::string parent(const std::string& any_path) {
        const std::string path = clean(any_path);
        const std::size_t slash = path.rfind('/');
        return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
    }
    FilePointer find(const std::string& path) const {
        const std::scoped_lock lock(mutex_);
        const auto it = live_.find(clean(path));
        return it == live_.end() ? nullptr : it->second;
    }
    bool is_folder(const std::string& path) const {
        const std::scoped_lock lock(mutex_);
        return folders_.contains(clean(path));
    }
    Status read(const File& file, std::uint64_t offset, std::size_t n, rocksdb::Slice* result, char* scratch) const {
        const std::scoped_lock lock(mutex_);
        if (fail_reads_) return Status::IOError("cannot read");
        const std::size_t begin = std::min<std::uint64_t>(offset, file.data.size());
        const std::size_t size = std::min(n, file.data.size() - begin);
        std::memcpy(scratch, file.data.data() + begin, size);
        *result = {scratch, size};
        return Status::OK();
    }
    /// Precondition: locked.
    void sync_folder(const std::string& path) {
        std::erase_if(durable_, [&](const auto& entry) { return parent(entry.first) == path; });
        for (const auto& entry : live_) {
            if (parent(entry.first) == path) durable_.insert(entry);
        }
        for (const std::string& folder : folders_) {
            if (parent(folder) == path) durable_folders_.insert(folder);
        }
    }
    Status event(const std::function<void()>& change) {
        const std::scoped_lock lock(mutex_);
        if (num_events_ >= limit_) return disk_full_ ? Status::NoSpace("no space left") : Status::IOError("power off");
        ++num_events_;
        change();
        return Status::OK();
    }

    mutable std::mutex mutex_;
    std::map<std::string, FilePointer> live_;
    std::map<std::string, FilePointer> durable_;
    std::set<std::string> folders_ = {"/"};
    std::set<std::string> durable_folders_ = {"/"};
    std::set<std::string> locks_;
    std::uint64_t num_events_ = 0;
    std::uint64_t limit_ = kNever;
    bool disk_full_ = false;
    bool fail_reads_ = false;
};

}  // namespace quarry::node::testing
