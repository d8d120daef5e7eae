#pragma once
#include <cstddef>
#include <span>

#include "quarry/field/extension.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

/// Multilinears as in proof-system.md, section 1: bit v of an index b is variable v. An ExtVector holds whole blocks of
/// 16, so a vector of 2^m < 16 values lies in one block, the rest zero.

/// eq(r, s) = prod_v (r_v s_v + (1 - r_v)(1 - s_v)). Sizes equal.
ExtField eq(std::span<const ExtField> r, std::span<const ExtField> s);
/// prod_v (1 - r_v + r_v x^(2^v)): the multilinear of b -> x^b at r.
ExtField pow_weight(ExtField x, std::span<const ExtField> r);

/// out[b] = eq(point, b) for b < 2^m, m = point.size(); max(16, 2^m) values, zero from 2^m on.
ExtVector eq_table(std::span<const ExtField> point);
/// out[b] = x^b for b < 2^log_size; max(16, 2^log_size) values, zero from 2^log_size on.
ExtVector pow_table(ExtField x, unsigned log_size);

/// sum_b eq(point, b) f(b). f has 2^m values, the ExtVector max(16, 2^m).
ExtField evaluate(std::span<const KoalaBear> f, std::span<const ExtField> point);
ExtField evaluate(const ExtVector& f, std::span<const ExtField> point);

}  // namespace quarry
