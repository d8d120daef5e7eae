#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/field/extension.hpp"
#include "quarry/hash/keccak.hpp"

namespace quarry {

/// Fiat-Shamir over Keccak-256, for proofs that are verified on Ethereum (contracts/src/Transcript.sol).
///
///   absorb    gathers bytes; elements as four canonical bytes, big-endian
///   squeeze   state := keccak256(state || gathered bytes), and that is the output
///
/// What is absorbed and squeezed when is fixed by the public header, so the bytes need no lengths of their own.
///
/// A challenge in E is the state's low 255 bits as five lanes of 51 bits, constant term in the lowest, each mod p. No
/// value of a lane is likelier than 1/p (1 + 2^-20): the error of a message grows by less than 10^-5 bits. Positions
/// are slices of 25 bits of the state and exactly uniform.
class KeccakTranscript {
  public:
    static constexpr unsigned kMaxIndexBits = 25;

    void absorb(std::span<const std::uint8_t> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
    void absorb(KoalaBear x);
    void absorb(const ExtField& x) {
        for (const KoalaBear c : x.coefficients()) absorb(c);
    }

    [[nodiscard]] ExtField squeeze_ext();
    /// `count` indices below 2^bits, ten from each state. Precondition: bits <= kMaxIndexBits.
    [[nodiscard]] std::vector<std::size_t> squeeze_indices(std::size_t count, unsigned bits);

    /// Proof of work: the smallest nonce that check_grinding accepts; absorbed. Cost: 2^bits hashes on average, one
    /// permutation each, in parallel on the caller's arena; the result does not depend on it.
    std::uint64_t grind(unsigned bits);
    /// Squeezes what was gathered, if anything was: work is done on the state alone. Then absorbs the nonce, eight
    /// bytes, big-endian, and squeezes; true if the low `bits` bits are zero. The next challenge comes from another
    /// state. Precondition: bits <= 32.
    [[nodiscard]] bool check_grinding(unsigned bits, std::uint64_t nonce);

    [[nodiscard]] const Bytes32& state() const noexcept { return state_; }

  private:
    void squeeze();
    void flush() {
        if (!buffer_.empty()) squeeze();
    }

    Bytes32 state_{};
    std::vector<std::uint8_t> buffer_;
};

}  // namespace quarry
