#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "quarry/ethereum/error.hpp"

/// Records that are on disk before anything that relies on them happens.
namespace quarry::ethereum {

class Journal {
  public:
    Journal() = default;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    virtual ~Journal() = default;
    /// All records in order. journal_damaged: anything but a cut last record.
    virtual Answer<std::vector<Bytes>> read() = 0;
    /// Returns once the record is on disk. journal_failed.
    virtual Answer<Done> append(ByteView record) = 0;
    /// Replaces all records at once, or not at all.
    virtual Answer<Done> rewrite(const std::vector<Bytes>& records) = 0;
};

/// Whose transactions a journal is about.
struct JournalOwner {
    std::uint64_t chain_id = 0;
    Address account;
};

/// A file of records: length (4 bytes, little-endian), the first 4 bytes of those bytes' Keccak-256, the first 8 bytes
/// of the record's, the record. A last record that a crash cut short is dropped when read. The first record says who
/// the owner is; another owner's file is refused when read (journal_failed): its nonces and hashes would mean nothing
/// here. One process at a time holds the file (a lock). journal_failed.
Answer<std::unique_ptr<Journal>> open_journal_file(const std::string& path, const JournalOwner& owner);

/// In memory, for tests: what was appended survives as long as the shared vector.
std::unique_ptr<Journal> make_memory_journal(std::shared_ptr<std::vector<Bytes>> records);

}  // namespace quarry::ethereum
