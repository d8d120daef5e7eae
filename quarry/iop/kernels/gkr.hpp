#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/field/extension.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

/// 16 fractions p/q.
struct GkrFraction {
    ExtBlock p, q;
};

/// A factor of every lane, made ready: the 9 values of ExtOperand (quarry/field/kernels/packed-inl.hpp), Montgomery
/// form.
struct GkrFactor {
    std::uint32_t w[9];
};
GkrFactor prepare_factor(const ExtField& x) noexcept;

/// Where the 16-lane fractions of a layer come from: blocks, or leaves with numerators in F_p (then `fractions` is
/// null).
struct GkrSource {
    const GkrFraction* fractions;
    const std::uint32_t* numerators;
    const ExtBlock* denominators;
};

/// Weights of a message: the weight of block-pair i = run * low.size() + k is high[run] low[k]; lane weights on top.
struct GkrWeights {
    std::span<const GkrFactor> low;
    std::span<const GkrFactor> high;
    const ExtBlock* lanes;
};

/// out[i] = child 2i + child 2i+1, as fractions, for i in [begin, end).
void gkr_combine(const GkrSource& children, GkrFraction* out, std::size_t begin, std::size_t end);

/// The first round of a layer, with the sums of pairs already known: `layer` is children combined.
/// Adds up over pairs i of the runs [begin, end), with weight W_i, and lanes:
///   sums[0] = W p(layer 2i),  sums[1] = W q(layer 2i),
///   sums[2] = W (dp0 dq1 + dp1 dq0 + lambda dq0 dq1), where dp0 = p(child 4i+2) - p(child 4i), dp1 = p(child 4i+3) -
///   p(child 4i+1)
void gkr_first_message(const GkrSource& children, const GkrFraction* layer, const ExtField& lambda,
                       const GkrWeights& weights, std::size_t begin, std::size_t end, std::span<ExtField, 3> sums);

/// Binds the last round's variable and makes the next message. For h in {0, 1}:
///   out[2k + h] = in[4k + h] + r (in[4k + 2 + h] - in[4k + h]);  with lambda, then out[2k + 1].p += lambda out[2k +
///   1].q
/// for k = 2i, 2i + 1 and all pairs i of the runs [begin, end). With (p0, q0, s1, q1)_k = out[2k].p, .q, out[2k+1].p,
/// .q:
///   sums[0] = W (p0 q1 + s1 q0)_2i,  sums[1] = W (dp0 dq1 + ds1 dq0), d = difference of k = 2i + 1 and 2i
void gkr_fold_message(const GkrSource& in, GkrFraction* out, const ExtField& r, const ExtField* lambda,
                      const GkrWeights& weights, std::size_t begin, std::size_t end, std::span<ExtField, 2> sums);

/// out[h] = in[h] + r (in[2 + h] - in[h]) for h in {0, 1}: the last block variable.
void gkr_fold_last(const GkrFraction* in, GkrFraction* out, const ExtField& r);

}  // namespace quarry
