#pragma once
#include <cstddef>
#include <span>

#include "quarry/field/koala_bear.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

/// Row length of a codeword of `num_columns` columns: rounded up to whole SIMD blocks.
constexpr std::size_t codeword_stride(std::size_t num_columns) noexcept {
    return (num_columns + kLanes - 1) / kLanes * kLanes;
}

/// RS[m, k], m = log_message, k = log_inv_rate, of every lane (proof-system.md, section 6):
///   codeword[j * stride + a] = sum_i message[a 2^m + i] x_j^i,   x_j = two_adic_root(m + k)^brev_{m+k}(j),   j <
///   2^(m+k).
/// The message is lane-major, num_lanes 2^m elements; the codeword row-major, entries a >= num_lanes of a row are zero.
/// Preconditions: m <= 21, m + k <= 24, stride = codeword_stride(num_lanes), the spans' sizes match and do not overlap.
/// Cost: m 2^k / 2 multiplications an element of the message. Bandwidth for large m: the message read once, the
/// codeword written twice and read once.
void reed_solomon_encode(std::span<const KoalaBear> message, std::size_t num_lanes, unsigned log_message,
                         unsigned log_inv_rate, std::span<KoalaBear> codeword, std::size_t stride);

/// The same over F_{p^5}: lane a < 2^log_lanes is f[a 2^m .. (a + 1) 2^m) with 2^m = f.size() >> log_lanes, and
/// codeword[j * stride + 5 a + k] is coordinate k of its value at x_j. stride = codeword_stride(5 2^log_lanes).
void reed_solomon_encode(const ExtVector& f, unsigned log_lanes, unsigned log_inv_rate, std::span<KoalaBear> codeword,
                         std::size_t stride);

}  // namespace quarry
