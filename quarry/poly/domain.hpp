#pragma once
#include <cstddef>

#include "quarry/base/buffer.hpp"
#include "quarry/field/koala_bear.hpp"

namespace quarry {

/// The low `bits` bits of x, reversed.
constexpr std::size_t reverse_bits(std::size_t x, unsigned bits) noexcept {
    std::size_t r = 0;
    for (unsigned i = 0; i < bits; ++i) r |= ((x >> i) & 1) << (bits - 1 - i);
    return r;
}
/// x_j = two_adic_root(n)^brev_n(j): position j of every code with 2^n positions. j < 2^n.
constexpr KoalaBear domain_point(std::size_t j, unsigned log_domain) noexcept {
    return KoalaBear::two_adic_root(log_domain).pow(reverse_bits(j, log_domain));
}
/// Entry q < 2^log_size: two_adic_root(l + 1)^brev_l(q), for any l with q < 2^l. At least 16 entries.
Buffer<KoalaBear> make_twiddles(unsigned log_size);

}  // namespace quarry
