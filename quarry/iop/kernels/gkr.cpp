#include "quarry/iop/kernels/gkr.hpp"

#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/iop/kernels/gkr.cpp"
#include "hwy/foreach_target.h"
// After the targets are chosen.
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {
namespace {
using HWY_NAMESPACE::broadcast;
using HWY_NAMESPACE::mul;
using HWY_NAMESPACE::reduce;

/// A right operand with the same element in all lanes: odd_to_even changes nothing.
struct Uniform {
    Lanes w[9];
};
HWY_INLINE Uniform broadcast(const GkrFactor& f) {
    Uniform u;
    QUARRY_UNROLL
    for (int i = 0; i < 9; ++i) u.w[i] = broadcast(f.w[i]);
    return u;
}
HWY_INLINE Ext mul(const Ext& a, const Uniform& u) {
    Lanes odd[5];
    QUARRY_UNROLL
    for (int i = 0; i < 5; ++i) odd[i] = odd_to_even(a.c[i]);
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) {
        Accumulator s{mul_even(a.c[0], u.w[kExtRow[k][0]]), mul_even(odd[0], u.w[kExtRow[k][0]])};
        QUARRY_UNROLL
        for (int i = 1; i < 4; ++i) multiply_add(s, a.c[i], odd[i], u.w[kExtRow[k][i]], u.w[kExtRow[k][i]]);
        correct(s);
        multiply_add(s, a.c[4], odd[4], u.w[kExtRow[k][4]], u.w[kExtRow[k][4]]);
        r.c[k] = reduce(s);
    }
    return r;
}
/// a b + c d with one reduction: 4 products, then 2 after each correction.
HWY_INLINE Ext dot2(const Ext& a, const Ext& b, const Ext& c, const Ext& d) {
    const ExtOperand v = prepare(b);
    const ExtOperand w = prepare(d);
    Lanes a_odd[5];
    Lanes c_odd[5];
    QUARRY_UNROLL
    for (int i = 0; i < 5; ++i) {
        a_odd[i] = odd_to_even(a.c[i]);
        c_odd[i] = odd_to_even(c.c[i]);
    }
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) {
        Accumulator s{mul_even(a.c[0], v.even[kExtRow[k][0]]), mul_even(a_odd[0], v.odd[kExtRow[k][0]])};
        QUARRY_UNROLL
        for (int i = 1; i < 4; ++i) multiply_add(s, a.c[i], a_odd[i], v.even[kExtRow[k][i]], v.odd[kExtRow[k][i]]);
        correct(s);
        multiply_add(s, a.c[4], a_odd[4], v.even[kExtRow[k][4]], v.odd[kExtRow[k][4]]);
        multiply_add(s, c.c[0], c_odd[0], w.even[kExtRow[k][0]], w.odd[kExtRow[k][0]]);
        correct(s);
        multiply_add(s, c.c[1], c_odd[1], w.even[kExtRow[k][1]], w.odd[kExtRow[k][1]]);
        multiply_add(s, c.c[2], c_odd[2], w.even[kExtRow[k][2]], w.odd[kExtRow[k][2]]);
        correct(s);
        multiply_add(s, c.c[3], c_odd[3], w.even[kExtRow[k][3]], w.odd[kExtRow[k][3]]);
        multiply_add(s, c.c[4], c_odd[4], w.even[kExtRow[k][4]], w.odd[kExtRow[k][4]]);
        r.c[k] = reduce(s);
    }
    return r;
}

/// A sum of elements times uniform weights, not yet reduced. Invariant: each u64 < p 2^32.
struct WeightedSum {
    Accumulator s[5];
};
HWY_INLINE WeightedSum weighted_sum_zero() {
    WeightedSum t;
    for (auto& s : t.s) s = accumulator_zero();
    return t;
}
HWY_NOINLINE void add_weighted(WeightedSum& t, const Ext& a, const GkrFactor& factor) {
    Lanes odd[5];
    QUARRY_UNROLL
    for (int i = 0; i < 5; ++i) odd[i] = odd_to_even(a.c[i]);
    const Uniform u = broadcast(factor);
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) {
        Accumulator s = t.s[k];
        QUARRY_UNROLL
        for (int i = 0; i < 5; ++i) {
            multiply_add(s, a.c[i], odd[i], u.w[kExtRow[k][i]], u.w[kExtRow[k][i]]);
            if (i % 2 == 1 || i == 4) correct(s);
        }
        t.s[k] = s;
    }
}
HWY_INLINE Ext reduce(const WeightedSum& t) {
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) r.c[k] = reduce(t.s[k]);
    return r;
}

/// Out of line, operands in memory: the bodies below would otherwise unroll into code that only spills.
HWY_NOINLINE void multiply_to(Ext& out, const Ext& a, const Uniform& u) { out = mul(a, u); }
HWY_NOINLINE void fold_to(Ext& out, const Ext& a, const Ext& b, const Uniform& r) { out = add(a, mul(sub(b, a), r)); }
HWY_NOINLINE void dot2_to(Ext& out, const Ext& a, const Ext& b, const Ext& c, const Ext& d) { out = dot2(a, b, c, d); }

/// How many blocks ahead of the one at work.
inline constexpr std::size_t kAhead = 8;
/// Records are read once, in order, and cross a page every few: the hardware's prefetcher alone leaves half the time
/// waiting.
HWY_INLINE void prefetch(const ExtBlock& b) {
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) hwy::Prefetch(b.c[k]);
}

// ---- The two kinds of layers below ----
/// Numerators of leaves are in F_p: a fifth of the work wherever one is multiplied.
struct LeafSource {
    const std::uint32_t* numerators;
    const ExtBlock* denominators;
    HWY_INLINE Lanes p(std::size_t i) const { return load(numerators + i * kLanes); }
    HWY_INLINE Ext q(std::size_t i) const { return load(denominators[i]); }
    HWY_INLINE void prefetch_block(std::size_t i) const {
        hwy::Prefetch(numerators + i * kLanes);
        prefetch(denominators[i]);
    }
};
struct BlockSource {
    const GkrFraction* fractions;
    HWY_INLINE Ext p(std::size_t i) const { return load(fractions[i].p); }
    HWY_INLINE Ext q(std::size_t i) const { return load(fractions[i].q); }
    HWY_INLINE void prefetch_block(std::size_t i) const {
        prefetch(fractions[i].p);
        prefetch(fractions[i].q);
    }
};
HWY_INLINE void add_to(Ext& a, const Ext& b) { a = add(a, b); }
HWY_INLINE void add_to(Ext& a, Lanes b) { a.c[0] = add(a.c[0], b); }
/// out = p0 q1 + s1 q0
HWY_INLINE void cross(Ext& out, const Ext& p0, const Ext& q1, const Ext& s1, const Ext& q0) {
    dot2_to(out, p0, q1, s1, q0);
}
HWY_INLINE void cross(Ext& out, Lanes p0, const Ext& q1, const Ext& s1, const Ext& q0) {
    out = add(mul(s1, prepare(q0)), mul(q1, p0));
}
HWY_INLINE void cross(Ext& out, Lanes p0, const Ext& q1, Lanes p1, const Ext& q0) {
    out = add(mul(q1, p0), mul(q0, p1));
}
HWY_INLINE Ext fold(const Ext& a, const Ext& b, const Uniform& r) {
    Ext out;
    fold_to(out, a, b, r);
    return out;
}
HWY_INLINE Ext fold(Lanes a, Lanes b, const Uniform& r) {
    const Lanes d = sub(b, a);
    const Lanes d_odd = odd_to_even(d);
    Ext out;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) out.c[k] = reduce(mul_even(d, r.w[k]), mul_even(d_odd, r.w[k]));
    out.c[0] = add(out.c[0], a);
    return out;
}

template <class Source>
void combine(const Source& in, GkrFraction* out, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
        in.prefetch_block(2 * i + kAhead);
        in.prefetch_block(2 * i + kAhead + 1);
        const Ext q0 = in.q(2 * i);
        const Ext q1 = in.q(2 * i + 1);
        Ext p;
        cross(p, in.p(2 * i), q1, in.p(2 * i + 1), q0);
        store(out[i].p, p);
        store(out[i].q, mul(q0, q1));
    }
}

/// Adds the run's sums, times the weight of the run and of each lane, to `sums`.
template <std::size_t N>
HWY_INLINE void close_run(const WeightedSum (&run)[N], const GkrFactor& high, Ext (&total)[N]) {
    const Uniform u = broadcast(high);
    for (std::size_t s = 0; s < N; ++s) {
        Ext t;
        multiply_to(t, reduce(run[s]), u);
        total[s] = add(total[s], t);
    }
}
template <std::size_t N>
HWY_INLINE void close(const Ext (&total)[N], const ExtBlock& lanes, ExtField* sums) {
    const ExtOperand w = prepare(load(lanes));
    for (std::size_t s = 0; s < N; ++s) sums[s] += sum_lanes(mul(total[s], w));
}

template <class Source>
void first_message(const Source& in, const GkrFraction* layer, const GkrFactor& lambda_factor,
                   const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    const Uniform lambda = broadcast(lambda_factor);
    Ext total[3] = {ext_zero(), ext_zero(), ext_zero()};
    for (std::size_t run = begin; run < end; ++run) {
        WeightedSum s[3] = {weighted_sum_zero(), weighted_sum_zero(), weighted_sum_zero()};
        for (std::size_t k = 0; k < weights.low.size(); ++k) {
            const std::size_t i = run * weights.low.size() + k;
            const GkrFactor& w = weights.low[k];
            in.prefetch_block(4 * i + kAhead);
            in.prefetch_block(4 * i + kAhead + 1);
            const Ext dq0 = sub(in.q(4 * i + 2), in.q(4 * i));
            const Ext dq1 = sub(in.q(4 * i + 3), in.q(4 * i + 1));
            const auto dp0 = sub(in.p(4 * i + 2), in.p(4 * i));
            const auto dp1 = sub(in.p(4 * i + 3), in.p(4 * i + 1));
            Ext ds1;
            multiply_to(ds1, dq1, lambda);
            in.prefetch_block(4 * i + kAhead + 2);
            in.prefetch_block(4 * i + kAhead + 3);
            add_to(ds1, dp1);
            Ext g;
            cross(g, dp0, dq1, ds1, dq0);
            prefetch(layer[2 * i + 4].p);
            prefetch(layer[2 * i + 4].q);
            add_weighted(s[2], g, w);
            add_weighted(s[0], load(layer[2 * i].p), w);
            add_weighted(s[1], load(layer[2 * i].q), w);
        }
        close_run(s, weights.high[run], total);
    }
    close(total, *weights.lanes, sums);
}

template <bool kAddLambda, class Source>
void fold_message(const Source& in, GkrFraction* out, const GkrFactor& r_factor, const GkrFactor& lambda_factor,
                  const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    const Uniform r = broadcast(r_factor);
    const Uniform lambda = broadcast(lambda_factor);
    Ext total[2] = {ext_zero(), ext_zero()};
    for (std::size_t run = begin; run < end; ++run) {
        WeightedSum s[2] = {weighted_sum_zero(), weighted_sum_zero()};
        for (std::size_t k = 0; k < weights.low.size(); ++k) {
            const std::size_t i = run * weights.low.size() + k;
            Ext p[2][2];
            Ext q[2][2];
            for (std::size_t u = 0; u < 2; ++u) {
                for (std::size_t h = 0; h < 2; ++h) {
                    const std::size_t at = 8 * i + 4 * u + h;
                    in.prefetch_block(at + kAhead);
                    in.prefetch_block(at + kAhead + 2);
                    p[u][h] = fold(in.p(at), in.p(at + 2), r);
                    q[u][h] = fold(in.q(at), in.q(at + 2), r);
                    if (kAddLambda && h == 1) {
                        Ext t;
                        multiply_to(t, q[u][1], lambda);
                        add_to(p[u][1], t);
                    }
                    store(out[4 * i + 2 * u + h].p, p[u][h]);
                    store(out[4 * i + 2 * u + h].q, q[u][h]);
                }
            }
            Ext g;
            dot2_to(g, p[0][0], q[0][1], p[0][1], q[0][0]);
            add_weighted(s[0], g, weights.low[k]);
            dot2_to(g, sub(p[1][0], p[0][0]), sub(q[1][1], q[0][1]), sub(p[1][1], p[0][1]), sub(q[1][0], q[0][0]));
            add_weighted(s[1], g, weights.low[k]);
        }
        close_run(s, weights.high[run], total);
    }
    close(total, *weights.lanes, sums);
}

}  // namespace

void gkr_combine_leaves(const GkrSource& in, GkrFraction* out, std::size_t begin, std::size_t end) {
    combine(LeafSource{in.numerators, in.denominators}, out, begin, end);
}
void gkr_combine_blocks(const GkrSource& in, GkrFraction* out, std::size_t begin, std::size_t end) {
    combine(BlockSource{in.fractions}, out, begin, end);
}
void gkr_first_message_leaves(const GkrSource& in, const GkrFraction* layer, const GkrFactor& lambda,
                              const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    first_message(LeafSource{in.numerators, in.denominators}, layer, lambda, weights, begin, end, sums);
}
void gkr_first_message_blocks(const GkrSource& in, const GkrFraction* layer, const GkrFactor& lambda,
                              const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    first_message(BlockSource{in.fractions}, layer, lambda, weights, begin, end, sums);
}
void gkr_fold_leaves(const GkrSource& in, GkrFraction* out, const GkrFactor& r, const GkrFactor& lambda,
                     const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    fold_message<true>(LeafSource{in.numerators, in.denominators}, out, r, lambda, weights, begin, end, sums);
}
void gkr_fold_children(const GkrSource& in, GkrFraction* out, const GkrFactor& r, const GkrFactor& lambda,
                       const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    fold_message<true>(BlockSource{in.fractions}, out, r, lambda, weights, begin, end, sums);
}
void gkr_fold_quads(const GkrSource& in, GkrFraction* out, const GkrFactor& r, const GkrFactor& lambda,
                    const GkrWeights& weights, std::size_t begin, std::size_t end, ExtField* sums) {
    fold_message<false>(BlockSource{in.fractions}, out, r, lambda, weights, begin, end, sums);
}
void gkr_fold_final(const GkrFraction* in, GkrFraction* out, const GkrFactor& r_factor) {
    const Uniform r = broadcast(r_factor);
    for (std::size_t h = 0; h < 2; ++h) {
        store(out[h].p, fold(load(in[h].p), load(in[2 + h].p), r));
        store(out[h].q, fold(load(in[h].q), load(in[2 + h].q), r));
    }
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(gkr_combine_leaves);
HWY_EXPORT(gkr_combine_blocks);
HWY_EXPORT(gkr_first_message_leaves);
HWY_EXPORT(gkr_first_message_blocks);
HWY_EXPORT(gkr_fold_leaves);
HWY_EXPORT(gkr_fold_children);
HWY_EXPORT(gkr_fold_quads);
HWY_EXPORT(gkr_fold_final);

GkrFactor prepare_factor(const ExtField& x) noexcept {
    const KoalaBear w5 = x[1] - x[4];
    const KoalaBear w[9] = {x[0], x[1], x[2], x[3], x[4], w5, x[0] - x[3], x[4] - x[2], x[3] - w5};
    GkrFactor f;
    for (int i = 0; i < 9; ++i) f.w[i] = w[i].montgomery();
    return f;
}
void gkr_combine(const GkrSource& children, GkrFraction* out, std::size_t begin, std::size_t end) {
    if (children.fractions == nullptr) {
        HWY_DYNAMIC_DISPATCH(gkr_combine_leaves)(children, out, begin, end);
    } else {
        HWY_DYNAMIC_DISPATCH(gkr_combine_blocks)(children, out, begin, end);
    }
}
void gkr_first_message(const GkrSource& children, const GkrFraction* layer, const ExtField& lambda,
                       const GkrWeights& weights, std::size_t begin, std::size_t end, std::span<ExtField, 3> sums) {
    const GkrFactor factor = prepare_factor(lambda);
    if (children.fractions == nullptr) {
        HWY_DYNAMIC_DISPATCH(gkr_first_message_leaves)(children, layer, factor, weights, begin, end, sums.data());
    } else {
        HWY_DYNAMIC_DISPATCH(gkr_first_message_blocks)(children, layer, factor, weights, begin, end, sums.data());
    }
}
void gkr_fold_message(const GkrSource& in, GkrFraction* out, const ExtField& r, const ExtField* lambda,
                      const GkrWeights& weights, std::size_t begin, std::size_t end, std::span<ExtField, 2> sums) {
    const GkrFactor r_factor = prepare_factor(r);
    const GkrFactor factor = prepare_factor(lambda != nullptr ? *lambda : ExtField());
    if (lambda == nullptr) {
        HWY_DYNAMIC_DISPATCH(gkr_fold_quads)(in, out, r_factor, factor, weights, begin, end, sums.data());
    } else if (in.fractions == nullptr) {
        HWY_DYNAMIC_DISPATCH(gkr_fold_leaves)(in, out, r_factor, factor, weights, begin, end, sums.data());
    } else {
        HWY_DYNAMIC_DISPATCH(gkr_fold_children)(in, out, r_factor, factor, weights, begin, end, sums.data());
    }
}
void gkr_fold_last(const GkrFraction* in, GkrFraction* out, const ExtField& r) {
    HWY_DYNAMIC_DISPATCH(gkr_fold_final)(in, out, prepare_factor(r));
}
}  // namespace quarry
#endif
