#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/field/extension.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

/// Passes over big vectors. A `size` is a logical size, a power of two that may be below 16 (the vector then has one
/// block).

/// out[b] = sum_a weights[a] lanes[a lane_size + b], b < lane_size; entries up to a multiple of 16 are zero.
/// weights.size() = num_lanes.
ExtVector fold_lanes(std::span<const KoalaBear> lanes, std::size_t num_lanes, std::size_t lane_size,
                     std::span<const ExtField> weights);
/// The same with lane a = f[a 2^m .. (a + 1) 2^m), 2^m = f.size() >> log_lanes. weights.size() = 2^log_lanes.
ExtVector fold_lanes(const ExtVector& f, unsigned log_lanes, std::span<const ExtField> weights);

/// out[s] = sum_b kernel[b] data[s 2^h + b], 2^h = kernel.size() >= 16; data.size() a multiple of 2^h.
std::vector<ExtField> chunk_products(std::span<const KoalaBear> data, const ExtVector& kernel);

/// What a round of the plain sumcheck of sum_b f(b) w(b) sends: s(X) = sum_{b < size/2} f_X(b) w_X(b), where f_X(b) =
/// f[b] + X (f[b + size/2] - f[b]) binds the top variable.
struct QuadraticMessage {
    ExtField constant;   ///< sum f[b] w[b]
    ExtField quadratic;  ///< sum (f[b + size/2] - f[b]) (w[b + size/2] - w[b])
    friend QuadraticMessage operator+(const QuadraticMessage& a, const QuadraticMessage& b) {
        return {a.constant + b.constant, a.quadratic + b.quadratic};
    }
    friend bool operator==(const QuadraticMessage&, const QuadraticMessage&) = default;
};
/// size >= 2.
QuadraticMessage product_message(const ExtVector& f, const ExtVector& w, std::size_t size);
/// f[b] := f[b] + r (f[b + size/2] - f[b]) for b < size/2; entries from size/2 on keep old values. size >= 2.
void fold_top(ExtVector& f, std::size_t size, ExtField r);
/// fold_top of both, then product_message of the halves, in one pass over memory. size >= 4.
QuadraticMessage fold_top_message(ExtVector& f, ExtVector& w, std::size_t size, ExtField r);

/// w[b] += c v[b]. Sizes equal.
void add_scaled(ExtVector& w, const ExtVector& v, ExtField c);

}  // namespace quarry
