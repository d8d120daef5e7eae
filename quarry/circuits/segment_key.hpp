#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/proof/key.hpp"

/// Keys of the segment circuit, whose preprocessed columns are the comb's entries and the 16-bit numbers. A key depends
/// on the size of the stack alone: six sizes hold a segment, 2^23 to 2^28, and both security levels have the same first
/// code. docs/decisions/0012-preprocessed-comb.md.
namespace quarry::circuits {

inline constexpr unsigned kMinSegmentLogSize = 23;  ///< a lane holds the 2^16 rows of the range table

/// The key that a proof with these heights is verified under: a constant of this program, no computation. Heights or a
/// level that no segment has get some key, which verify() then refuses, as it does the heights.
const VerifyingKey& segment_verifying_key(const Heights& heights, unsigned security_bits);

/// Bytes that outlive this process, by name.
class KeyStore {
  public:
    KeyStore() = default;
    KeyStore(const KeyStore&) = delete;
    KeyStore& operator=(const KeyStore&) = delete;
    virtual ~KeyStore() = default;
    /// nullopt: nothing of this name, or nothing that can be read.
    virtual std::optional<std::vector<std::uint8_t>> read(const std::string& name) = 0;
    /// Failing to is no failure: the next process computes again what it needs.
    virtual void write(const std::string& name, std::span<const std::uint8_t> bytes) = 0;
};

/// The preprocessed cells for a stack of the size that these heights make. Precondition: heights of a segment.
PreprocessedTrace segment_preprocessed(const Heights& heights);

/// Proving keys, each made on first use and shared by the process. Thread-safe.
class SegmentKeys {
  public:
    /// From now on: read the keys' digests here instead of hashing, and write them when they were not there. What is
    /// read is checked against the root that this program knows, so that a store can only cost time.
    void use_store(std::shared_ptr<KeyStore> store);
    /// Cost of the first use, for two cores: 0.2 s at 2^23 cells, 0.7 s at 2^26; a few ms where the store has it. Kept:
    /// the cells and their codeword, 25 MB at 2^23 cells, 42 MB at 2^26. Precondition: heights of a segment.
    const ProvingKey& proving_key(const Heights& heights, unsigned security_bits);

  private:
    std::mutex mutex_;
    std::shared_ptr<KeyStore> store_;
    std::map<std::pair<unsigned, unsigned>, std::unique_ptr<const ProvingKey>> keys_;
};
/// The process's.
SegmentKeys& segment_keys();

}  // namespace quarry::circuits
