#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/field/extension.hpp"
#include "quarry/hash/poseidon.hpp"

namespace quarry {

/// The Fiat-Shamir sponge: Poseidon, rate 8, capacity 8, overwrite mode.
///
///   absorb   buffers elements; 8 of them overwrite state[0..8] and the state is permuted
///   squeeze  first flushes a partial buffer of c > 0 elements: padded with zeros they overwrite state[0..8],
///            state[8] += c, permute; then hands out state[0..8] in order, permuting again after every 8
///
/// What is absorbed and squeezed when is fixed by the public header: the sponge itself does not tell a full block that
/// repeats the rate from another squeeze. Adding c to the capacity makes flushes injective: (a) and (a, 0) differ.
/// Absorbing after squeezing discards what was not handed out.
class Transcript {
  public:
    void absorb(KoalaBear x) noexcept;
    void absorb(std::span<const KoalaBear> xs) noexcept {
        for (const KoalaBear x : xs) absorb(x);
    }
    void absorb(const ExtField& x) noexcept { absorb(x.coefficients()); }

    KoalaBear squeeze() noexcept;
    ExtField squeeze_ext() noexcept {
        ExtField r;
        for (std::size_t k = 0; k < ExtField::kDegree; ++k) r[k] = squeeze();
        return r;
    }
    /// An index below 2^bits: the low bits of one squeezed element. Precondition: bits <= 24, where p = 127 2^24 + 1
    /// leaves a bias of one element in 2^31.
    std::size_t squeeze_index(unsigned bits) noexcept;
    /// `count` of them.
    std::vector<std::size_t> squeeze_indices(std::size_t count, unsigned bits);

    /// Proof of work: the smallest nonce that passes check_grinding; absorbed. bits = 0 does nothing and returns 0.
    KoalaBear grind(unsigned bits);
    /// Absorbs the nonce, squeezes one word, discards it; true if its low `bits` bits are zero. Later challenges are
    /// squeezed fresh, never the ground word.
    bool check_grinding(unsigned bits, KoalaBear nonce) noexcept;

  private:
    void flush() noexcept;

    PoseidonState state_{};
    Digest buffer_{};
    std::size_t buffered_ = 0;   ///< elements waiting in buffer_
    std::size_t available_ = 0;  ///< elements of state_[0..8] not handed out yet
};

}  // namespace quarry
