#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/curve/scalar.hpp"
#include "quarry/rollup/words.hpp"

/// The scalar field of BLS12-381, over which EIP-4844 blobs are polynomials, and the two ways in which the words of
/// data are one: docs/spec/data-proof.md.
namespace quarry::rollup {

struct Bls12381 {
    /// r, the order of the pairing groups.
    static constexpr std::array<std::uint64_t, 4> kOrder{0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805,
                                                         0x73eda753299d7d48};
};
using BlsScalar = Scalar<Bls12381>;

/// A word is below 2^248 < r.
BlsScalar word_scalar(std::span<const std::uint8_t, kWordBytes> word) noexcept;

/// The 4096th roots of unity in a blob's order: entry i is omega^(i with its 12 bits reversed), omega = 7^((r - 1) /
/// 4096). [EIP-4844]
const std::array<BlsScalar, kBlobWords>& blob_roots();

/// Replaces every element by its inverse (0 stays 0): three products an element.
void invert_all(std::span<BlsScalar> xs);

/// p(z) for the polynomial of degree < 4096 whose value at blob_roots()[i] is word i, and 0 behind the words. For every
/// z. Precondition: whole words, at most 4096.
BlsScalar evaluate_blob(std::span<const std::uint8_t> words, const BlsScalar& z);

/// w_0 z^(n-1) + .. + w_(n-1): what `acc = acc z + word` leaves after all words. 0 without words. Precondition: whole
/// words.
BlsScalar evaluate_horner(std::span<const std::uint8_t> words, const BlsScalar& z);

}  // namespace quarry::rollup
