#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "quarry/field/koala_bear.hpp"
#include "quarry/hash/poseidon.hpp"

/// What defines the permutation, derived at compile time from its parameters. The instance (field, width, round counts,
/// matrix, Grain parameters) is the one that Plonky3 publishes as Poseidon1 for KoalaBear, width 16; the tests pin it
/// to that library's constants and known-answer vector.
namespace quarry {

inline constexpr std::size_t kPoseidonHalfFullRounds = 4;
inline constexpr std::size_t kPoseidonFullRounds = 2 * kPoseidonHalfFullRounds;
inline constexpr std::size_t kPoseidonPartialRounds = 20;
inline constexpr std::size_t kPoseidonRounds = kPoseidonFullRounds + kPoseidonPartialRounds;
/// The numbers that [GKRRS21 §5.4] and its script give for 128 bits, n = 31, t = 16, alpha = 3, margins included.
static_assert(kPoseidonFullRounds >= 8 && kPoseidonPartialRounds >= 20, "below the published round counts");
/// gcd(3, p - 1) = 1: x^3 permutes the field.
static_assert((KoalaBear::kModulus - 1) % 3 != 0);

/// First *column* c of the circulant MDS matrix: (M x)_k = sum_i c[(k - i) mod 16] x_i. (Plonky3 lists the first row,
/// 1, 1, 51, 1, 11, .., 3.)
inline constexpr std::array<std::uint32_t, kPoseidonWidth> kPoseidonMdsColumn{1,   3, 13, 22, 67, 2, 15, 63,
                                                                              101, 1, 2,  17, 11, 1, 51, 1};
constexpr std::uint32_t poseidon_mds_entry(std::size_t row, std::size_t column) noexcept {
    return kPoseidonMdsColumn[(row + kPoseidonWidth - column) % kPoseidonWidth];
}

/// One row of constants per round, added before the round's S-box.
using PoseidonRoundConstants = std::array<PoseidonState, kPoseidonRounds>;

namespace detail {

/// The Grain LFSR in self-shrinking mode. [GKRRS21 appendix F]
class Grain {
  public:
    /// The seed is, first bit first: field type 1 (prime) in 2 bits, S-box 0 (x^alpha) in 4, the field's bits in 12,
    /// the width in 12, full and partial rounds in 10 each, 30 ones. The first 160 bits are dropped.
    constexpr Grain(unsigned field_bits, unsigned width, unsigned full_rounds, unsigned partial_rounds) noexcept {
        push(1, 2);
        push(0, 4);
        push(field_bits, 12);
        push(width, 12);
        push(full_rounds, 10);
        push(partial_rounds, 10);
        push((1u << 30) - 1, 30);
        for (int i = 0; i < 10; ++i) step();
    }
    /// The next bit of the shrunk stream: of each pair of bits, the second if the first is set.
    constexpr std::uint32_t next_bit() noexcept {
        while (true) {
            if (available_ == 0) {
                buffer_ = step();
                available_ = kStep;
            }
            const std::uint32_t pair = buffer_ & 3;
            buffer_ >>= 2;
            available_ -= 2;
            if ((pair & 1) != 0) return pair >> 1;
        }
    }
    /// Rejection sampling: 31 bits, most significant first, until they are below p.
    constexpr KoalaBear next_element() noexcept {
        while (true) {
            std::uint32_t x = 0;
            for (int i = 0; i < 31; ++i) x = 2 * x + next_bit();
            if (x < KoalaBear::kModulus) return KoalaBear(x);
        }
    }

  private:
    using Word = unsigned __int128;
    static constexpr unsigned kLength = 80;
    static constexpr unsigned kStep = 16;  ///< bits made at once: at most 80 - 62, so that every tap is known

    /// Appends the low `bits` bits of x, most significant first. Bit j of state_ is the j-th oldest bit.
    constexpr void push(std::uint32_t x, unsigned bits) noexcept {
        for (unsigned i = bits; i-- > 0;) {
            state_ = (state_ >> 1) | (static_cast<Word>((x >> i) & 1) << (kLength - 1));
        }
    }
    /// b(i + 80) = b(i + 62) + b(i + 51) + b(i + 38) + b(i + 23) + b(i + 13) + b(i), 16 times; the new bits, oldest
    /// lowest.
    constexpr std::uint32_t step() noexcept {
        const Word taps = (state_ >> 62) ^ (state_ >> 51) ^ (state_ >> 38) ^ (state_ >> 23) ^ (state_ >> 13) ^ state_;
        const std::uint32_t fresh = static_cast<std::uint32_t>(taps) & 0xffff;
        state_ = (state_ >> kStep) | (static_cast<Word>(fresh) << (kLength - kStep));
        return fresh;
    }

    Word state_ = 0;
    std::uint32_t buffer_ = 0;
    unsigned available_ = 0;
};

constexpr PoseidonRoundConstants make_poseidon_round_constants() noexcept {
    Grain grain(31, kPoseidonWidth, kPoseidonFullRounds, kPoseidonPartialRounds);
    PoseidonRoundConstants r{};
    for (auto& round : r) {
        for (KoalaBear& x : round) x = grain.next_element();
    }
    return r;
}

}  // namespace detail

extern const PoseidonRoundConstants kPoseidonRoundConstants;

}  // namespace quarry
