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
/// on the size of the stack alone: six sizes hold a segment, 2^23 to 2^28, and both security levels have the same
/// first code. docs/decisions/0012-preprocessed-comb.md.
namespace quarry::circuits {

inline constexpr unsigned kMinSegmentLogSize = 23;  ///< 1.6 M preprocessed cells, 2.4 M of 512 signatures

/// The key that a proof with these heights is verified under: a constant of this program, no computation. Heights or a
/// level that no segment has get some key, which verify() then refuses, as it does the heights.
const VerifyingKey& segment_verifying_key(const Heights& heights, unsigned security_bits);

/// Some heights of a segment whose stack has 2^log_size cells, for those who want its key before they have a segment.
/// Precondition: kMinSegmentLogSize <= log_size <= kMaxLogStack.
Heights heights_of_segment_size(unsigned log_size);

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

/// Segments' proofs are written for verifiers that know 2^14 nodes of the key's preprocessed tree, or one for each 32
/// rows where that is less (below 2^25 cells, whose stored keys have no more). A level more would save 5 KB of a proof
/// and double what a verifier keeps and checks once (512 KiB, 2^14 hashes); with 2^14, a proof of 2^26 cells has 31 KB
/// less than under the root alone.
inline constexpr unsigned kLogSegmentCap = 14;

/// Proving keys and caps, each made on first use and shared by the process. Thread-safe.
class SegmentKeys {
  public:
    /// From now on: read the keys' digests here instead of hashing, and write them when they were not there. What is
    /// read is checked against the root that this program knows, so that a store can only cost time.
    void use_store(std::shared_ptr<KeyStore> store);
    /// Cost of the first use, for two cores: 0.2 s at 2^23 cells, 0.7 s at 2^26; a few ms where the store has it. Kept:
    /// the cells and their codeword, 25 MB at 2^23 cells, 42 MB at 2^26. Precondition: heights of a segment.
    const ProvingKey& proving_key(const Heights& heights, unsigned security_bits);
    /// The cap that proofs with these heights are written for. nullptr: no segment has these heights. Cost of the first
    /// use of a size, of which there are six: that of a proving key, unless the process has it; 2^14 hashes where the
    /// store has the cap. Kept: 1 MB.
    const KeyCap* cap(const Heights& heights);

  private:
    [[nodiscard]] std::unique_ptr<const KeyCap> make_cap(const Heights& heights, const VerifyingKey& expected) const;

    std::mutex mutex_;
    std::shared_ptr<KeyStore> store_;
    std::map<std::pair<unsigned, unsigned>, std::unique_ptr<const ProvingKey>> keys_;  ///< by size and level
    std::map<unsigned, std::unique_ptr<const KeyCap>> caps_;                           ///< by size
};
/// The process's.
SegmentKeys& segment_keys();

}  // namespace quarry::circuits
