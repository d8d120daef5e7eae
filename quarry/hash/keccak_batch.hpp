#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/hash/keccak.hpp"
#include "quarry/hash/kernels/keccak_kernels.hpp"

/// Keccak-256 of many messages, eight at a time; the same digests as keccak256().
namespace quarry {

/// Eight messages of one length, hashed together. To be filled and hashed again and again.
class KeccakGroup {
  public:
    static constexpr std::size_t kSize = kernels::kKeccakGroup;

    /// Messages of `length` bytes, all zero at first.
    explicit KeccakGroup(std::size_t length);

    /// The bytes of message i < kSize, to be written.
    [[nodiscard]] std::span<std::uint8_t> message(std::size_t i) { return {bytes_.data() + i * stride_, length_}; }
    /// The digests of the first n <= kSize messages.
    void digest(Bytes32* out, std::size_t n) const;

  private:
    std::size_t length_, stride_;
    std::vector<std::uint8_t> bytes_;  ///< padded to whole blocks
};

/// The smallest nonce for which the low `bits` bits of keccak256(prefix || nonce), read as a big-endian number, are
/// zero; the nonce is eight bytes, big-endian. Parallel on the caller's arena, and independent of it. Cost: 2^bits
/// hashes of the last block on average. Precondition: bits <= 32.
std::uint64_t keccak_grind(std::span<const std::uint8_t> prefix, unsigned bits);

/// Permutes eight states over and over for about `seconds`, on the calling thread.
double measure_keccak_permutations_per_second(double seconds);

}  // namespace quarry
