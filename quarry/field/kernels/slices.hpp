#pragma once
#include <span>

#include "quarry/field/extension.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

/// out[i] = a[i] * b[i]. Sizes equal, multiples of 16.
void multiply_slices(std::span<const KoalaBear> a, std::span<const KoalaBear> b, std::span<KoalaBear> out);
/// out[i] = a[i] + b[i], then out[i] = a[i] - b[i] in `difference`.
void add_sub_slices(std::span<const KoalaBear> a, std::span<const KoalaBear> b, std::span<KoalaBear> sum,
                    std::span<KoalaBear> difference);
/// out[i] = a[i] * b[i] in F_{p^5}. Sizes equal.
void multiply_slices(const ExtVector& a, const ExtVector& b, ExtVector& out);
/// Transposes 16 x 16 matrices in place, one after the other. Size a multiple of 256.
void transpose_slices(std::span<KoalaBear> matrices);

}  // namespace quarry
