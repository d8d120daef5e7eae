#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "quarry/circuits/buses.hpp"
#include "quarry/curve/curve.hpp"
#include "quarry/curve/kernels/schedule.hpp"

/// How the 32 comb digits of S (11 bits each) make up its 22 limbs as a batch's words cut it (buses.hpp, kScalarLimbs).
/// A limb boundary strictly inside digit i, at bit 11 i + k, cuts the digit into low = digit mod 2^k and high = digit
/// >> k; no digit holds two. A digit without one has cut 2^11: low = digit, high = 0.
namespace quarry::circuits {

inline constexpr unsigned kDigitBits = KB11::kCombBits;
inline constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;

/// The lowest bit of limb i of S.
constexpr unsigned limb_start(std::size_t limb) noexcept {
    return static_cast<unsigned>(limb < 16 ? 16 * limb : 248 + 16 * (limb - 16));
}
/// The limb that holds a bit; the last one takes everything above it (S < n leaves nothing there).
constexpr std::size_t limb_of_bit(unsigned bit) noexcept {
    std::size_t limb = 0;
    while (limb + 1 < kScalarLimbs && limb_start(limb + 1) <= bit) ++limb;
    return limb;
}
/// k of digit i.
constexpr unsigned cut_bits(std::size_t window) noexcept {
    const auto first = static_cast<unsigned>(kDigitBits * window);
    for (unsigned k = 1; k < kDigitBits; ++k) {
        if (limb_start(limb_of_bit(first + k)) == first + k) return k;
    }
    return kDigitBits;
}
constexpr bool is_cut(std::size_t window) noexcept { return cut_bits(window) < kDigitBits; }
inline constexpr std::size_t kCutDigits = [] {
    std::size_t n = 0;
    for (std::size_t i = 0; i < kWindows; ++i) n += is_cut(i) ? 1 : 0;
    return n;
}();
static_assert(kCutDigits == 19);

/// The limbs of S from its digits and the high parts of those that are cut (0 for the others): linear.
template <class T>
std::array<T, kScalarLimbs> scalar_limbs(const std::array<T, kWindows>& digit, const std::array<T, kWindows>& high) {
    std::array<T, kScalarLimbs> limbs{};
    const auto weight = [](unsigned bits) { return T(KoalaBear(std::uint64_t{1} << bits)); };
    for (std::size_t i = 0; i < kWindows; ++i) {
        const auto first = static_cast<unsigned>(kDigitBits * i);
        const unsigned k = cut_bits(i);
        const std::size_t low_limb = limb_of_bit(first);
        const T low = is_cut(i) ? digit[i] - high[i] * weight(k) : digit[i];
        limbs[low_limb] += low * weight(first - limb_start(low_limb));
        if (is_cut(i)) limbs[limb_of_bit(first + k)] += high[i];
    }
    return limbs;
}

/// Digit i of a number of 341 bits in base 2^11.
template <class Limbs>
constexpr unsigned scalar_digit(const Limbs& s, std::size_t i) noexcept {
    const std::size_t bit = kDigitBits * i;
    std::uint64_t word = s[bit / 64] >> (bit % 64);
    if (bit % 64 + kDigitBits > 64 && bit / 64 + 1 < s.size()) word |= s[bit / 64 + 1] << (64 - bit % 64);
    return static_cast<unsigned>(word & (kDigits - 1));
}

}  // namespace quarry::circuits
