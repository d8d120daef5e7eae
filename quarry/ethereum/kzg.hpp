#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quarry/ethereum/error.hpp"
#include "quarry/ethereum/types.hpp"

/// Commitments to blobs and their openings. [EIP-4844] [EIP-7594]
namespace quarry::ethereum {

inline constexpr std::size_t kBlobBytes = 131072;
inline constexpr std::size_t kCellsPerBlob = 128;
using Bytes48 = std::array<std::uint8_t, 48>;
/// kBlobBytes bytes: 4,096 elements of 32 bytes, big-endian, each below the order of the BLS12-381 scalars.
using Blob = Bytes;

/// What a blob transaction carries beside its body: sent to nodes, never part of a block.
struct BlobSidecar {
    std::vector<Blob> blobs;
    std::vector<Bytes48> commitments;
    std::vector<Bytes48> cell_proofs;  ///< kCellsPerBlob a blob
    [[nodiscard]] std::vector<Hash> versioned_hashes() const;
};

/// 0x01 and the last 31 bytes of SHA-256 of the commitment.
Hash versioned_hash(const Bytes48& commitment);

struct KzgOpening {
    Bytes48 proof{};
    Bytes32 y{};  ///< big-endian
};

/// The ceremony's setup. Loading takes 2 s; afterwards everything is const and thread-safe.
class Kzg {
  public:
    /// The process's one instance, loaded by the first call that succeeds. The file: `path`, or if that is empty the
    /// environment's QUARRY_TRUSTED_SETUP, or the one that the build found. setup_missing, setup_wrong (another content
    /// than the ceremony's).
    static Answer<const Kzg*> shared(const std::string& path = {});

    Kzg(const Kzg&) = delete;
    Kzg& operator=(const Kzg&) = delete;
    ~Kzg();

    /// bad_blob: another length, or an element that is not canonical. 54 ms.
    [[nodiscard]] Answer<Bytes48> commit(ByteView blob) const;
    /// The value at z (big-endian, below the order) and its proof, as the precompile at 0x0a takes them. 56 ms.
    [[nodiscard]] Answer<KzgOpening> open(ByteView blob, const Bytes32& z) const;
    [[nodiscard]] bool verify(const Bytes48& commitment, const Bytes32& z, const KzgOpening& opening) const;
    /// Commitments and cell proofs: 0.4 s a blob.
    [[nodiscard]] Answer<BlobSidecar> make_sidecar(std::vector<Blob> blobs) const;
    /// Whether the blob is the one of the versioned hash. 54 ms.
    [[nodiscard]] bool matches(ByteView blob, const Hash& hash) const;

  private:
    struct Settings;
    explicit Kzg(std::unique_ptr<Settings> settings);
    std::unique_ptr<Settings> settings_;
};

}  // namespace quarry::ethereum
