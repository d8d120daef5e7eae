#include "quarry/poly/kernels/passes.hpp"

#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/poly/kernels/passes.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {

// The plain target keeps extension arithmetic in calls: unrolled lane by lane, these kernels would take minutes to
// compile.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
#define QUARRY_PASSES_INLINE HWY_INLINE
#else
#define QUARRY_PASSES_INLINE HWY_NOINLINE
#endif

struct ExtAccumulator {
    Accumulator k[5];
};
HWY_INLINE ExtAccumulator ext_accumulator_zero() {
    ExtAccumulator s;
    for (auto& a : s.k) a = accumulator_zero();
    return s;
}
QUARRY_PASSES_INLINE Ext reduce(const ExtAccumulator& s) {
    Ext r;
    for (int k = 0; k < 5; ++k) r.c[k] = reduce(s.k[k]);
    return r;
}
/// s += x w for x in F_p; at most two between corrections.
QUARRY_PASSES_INLINE void multiply_add(ExtAccumulator& s, const Lanes& x, const Lanes& x_odd, const Ext& w,
                                       const Ext& w_odd) {
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) multiply_add(s.k[k], x, x_odd, w.c[k], w_odd.c[k]);
}
QUARRY_PASSES_INLINE void correct(ExtAccumulator& s) {
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) correct(s.k[k]);
}
/// s += a w in F_{p^5}, from corrected to corrected.
QUARRY_PASSES_INLINE void multiply_add(ExtAccumulator& s, const Ext& a, const ExtOperand& w) {
    Lanes odd[5];
    QUARRY_UNROLL
    for (int i = 0; i < 5; ++i) odd[i] = odd_to_even(a.c[i]);
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) {
        QUARRY_UNROLL
        for (int i = 0; i < 5; ++i) {
            multiply_add(s.k[k], a.c[i], odd[i], w.even[kExtRow[k][i]], w.odd[kExtRow[k][i]]);
            if (i % 2 == 1) correct(s.k[k]);
        }
        correct(s.k[k]);
    }
}

QUARRY_PASSES_INLINE ExtOperand operand(const Ext& b) { return prepare(b); }
QUARRY_PASSES_INLINE Ext product(const Ext& a, const ExtOperand& w) { return mul(a, w); }

// Blocks of a tile of the folds: its accumulators (640 bytes a block) stay in the L1 cache while groups of lanes pass.
constexpr std::size_t kFoldTile = 32;
constexpr std::size_t kFoldLanes = 8;

void fold_base_pass(const std::uint32_t* lanes, std::size_t lane_pitch, std::size_t num_lanes, const ExtField* weights,
                    ExtBlock* out, std::size_t num_blocks) {
    ExtAccumulator sums[kFoldTile];
    for (std::size_t begin = 0; begin < num_blocks; begin += kFoldTile) {
        const std::size_t count = num_blocks - begin < kFoldTile ? num_blocks - begin : kFoldTile;
        for (std::size_t i = 0; i < count; ++i) sums[i] = ext_accumulator_zero();
        for (std::size_t a = 0; a < num_lanes; a += kFoldLanes) {
            const std::size_t end = num_lanes - a < kFoldLanes ? num_lanes : a + kFoldLanes;
            const bool last = end == num_lanes;
            // The next group of this tile, or the first of the next tile.
            const std::uint32_t* next = last ? lanes + (begin + kFoldTile) * 16 : lanes + end * lane_pitch + begin * 16;
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint32_t* p = lanes + a * lane_pitch + (begin + i) * 16;
                ExtAccumulator s = sums[i];
                for (std::size_t l = a; l < end; ++l, p += lane_pitch) {
                    __builtin_prefetch(next + i * 16 + (l - a) * lane_pitch, 0, 3);
                    const Lanes x = load(p);
                    const Ext w = broadcast(weights[l]);
                    multiply_add(s, x, odd_to_even(x), w, w);
                    if ((l - a) % 2 == 1) correct(s);
                }
                correct(s);
                sums[i] = s;
            }
        }
        for (std::size_t i = 0; i < count; ++i) store(out[begin + i], reduce(sums[i]));
    }
}

void fold_ext_pass(const ExtBlock* lanes, std::size_t lane_pitch, std::size_t num_lanes, const ExtField* weights,
                   ExtBlock* out, std::size_t num_blocks) {
    ExtAccumulator sums[kFoldTile];
    for (std::size_t begin = 0; begin < num_blocks; begin += kFoldTile) {
        const std::size_t count = num_blocks - begin < kFoldTile ? num_blocks - begin : kFoldTile;
        for (std::size_t i = 0; i < count; ++i) sums[i] = ext_accumulator_zero();
        for (std::size_t a = 0; a < num_lanes; ++a) {
            const ExtOperand w = operand(broadcast(weights[a]));
            for (std::size_t i = 0; i < count; ++i) {
                ExtAccumulator s = sums[i];
                multiply_add(s, load(lanes[a * lane_pitch + begin + i]), w);
                sums[i] = s;
            }
        }
        for (std::size_t i = 0; i < count; ++i) store(out[begin + i], reduce(sums[i]));
    }
}

/// kChunks chunks side by side share the loads of the kernel.
template <std::size_t kChunks>
HWY_INLINE void chunk_group(const std::uint32_t* data, std::size_t chunk_pitch, const std::uint32_t* next,
                            const ExtBlock* kernel, std::size_t num_blocks, ExtField* sums) {
    ExtAccumulator s[kChunks];
    for (auto& x : s) x = ext_accumulator_zero();
    for (std::size_t i = 0; i < num_blocks; ++i) {
        const Ext w = load(kernel[i]);
        Ext w_odd;
        QUARRY_UNROLL
        for (int k = 0; k < 5; ++k) w_odd.c[k] = odd_to_even(w.c[k]);
        QUARRY_UNROLL
        for (std::size_t c = 0; c < kChunks; ++c) {
            __builtin_prefetch(next + c * chunk_pitch + i * 16, 0, 3);
            const Lanes x = load(data + c * chunk_pitch + i * 16);
            multiply_add(s[c], x, odd_to_even(x), w, w_odd);
            if (i % 2 == 1) correct(s[c]);
        }
    }
    for (std::size_t c = 0; c < kChunks; ++c) {
        correct(s[c]);
        sums[c] = sum_lanes(reduce(s[c]));
    }
}

constexpr std::size_t kChunkTile = 64;  ///< blocks of the kernel: 20 KiB, in the L1 cache

void chunk_pass(const std::uint32_t* data, std::size_t chunk_pitch, std::size_t num_chunks, const ExtBlock* kernel,
                std::size_t num_blocks, ExtField* sums) {
    for (std::size_t s = 0; s < num_chunks; ++s) sums[s] = ExtField();
    for (std::size_t b = 0; b < num_blocks; b += kChunkTile) {
        const std::size_t count = num_blocks - b < kChunkTile ? num_blocks - b : kChunkTile;
        const std::uint32_t* p = data + b * 16;
        std::size_t s = 0;
        for (; s + 2 <= num_chunks; s += 2, p += 2 * chunk_pitch) {
            ExtField pair[2];
            chunk_group<2>(p, chunk_pitch, s + 4 <= num_chunks ? p + 2 * chunk_pitch : data + (b + kChunkTile) * 16,
                           kernel + b, count, pair);
            sums[s] += pair[0];
            sums[s + 1] += pair[1];
        }
        if (s < num_chunks) {
            ExtField one;
            chunk_group<1>(p, chunk_pitch, p, kernel + b, count, &one);
            sums[s] += one;
        }
    }
}

QuadraticMessage message_pass(const ExtBlock* f_low, const ExtBlock* f_high, const ExtBlock* w_low,
                              const ExtBlock* w_high, std::size_t num_blocks) {
    ExtAccumulator constant = ext_accumulator_zero();
    ExtAccumulator quadratic = ext_accumulator_zero();
    for (std::size_t i = 0; i < num_blocks; ++i) {
        const Ext f = load(f_low[i]);
        const Ext w = load(w_low[i]);
        multiply_add(constant, f, operand(w));
        multiply_add(quadratic, sub(load(f_high[i]), f), operand(sub(load(w_high[i]), w)));
    }
    return {sum_lanes(reduce(constant)), sum_lanes(reduce(quadratic))};
}

QUARRY_PASSES_INLINE Ext folded(const ExtBlock& low, const ExtBlock& high, const ExtOperand& r) {
    const Ext a = load(low);
    return add(a, product(sub(load(high), a), r));
}
void fold_pass(ExtBlock* low, const ExtBlock* high, const ExtField& r, std::size_t num_blocks) {
    const ExtOperand w = operand(broadcast(r));
    for (std::size_t i = 0; i < num_blocks; ++i) store(low[i], folded(low[i], high[i], w));
}
QuadraticMessage fold_message_pass(ExtBlock* f, ExtBlock* w, std::size_t quarter, const ExtField& r,
                                   std::size_t num_blocks) {
    const ExtOperand x = operand(broadcast(r));
    ExtAccumulator constant = ext_accumulator_zero();
    ExtAccumulator quadratic = ext_accumulator_zero();
    for (std::size_t i = 0; i < num_blocks; ++i) {
        const Ext f0 = folded(f[i], f[i + 2 * quarter], x);
        const Ext f1 = folded(f[i + quarter], f[i + 3 * quarter], x);
        const Ext w0 = folded(w[i], w[i + 2 * quarter], x);
        const Ext w1 = folded(w[i + quarter], w[i + 3 * quarter], x);
        store(f[i], f0);
        store(f[i + quarter], f1);
        store(w[i], w0);
        store(w[i + quarter], w1);
        multiply_add(constant, f0, operand(w0));
        multiply_add(quadratic, sub(f1, f0), operand(sub(w1, w0)));
    }
    return {sum_lanes(reduce(constant)), sum_lanes(reduce(quadratic))};
}

void add_scaled_pass(ExtBlock* out, const ExtBlock* v, const ExtField& c, std::size_t num_blocks) {
    const ExtOperand x = operand(broadcast(c));
    for (std::size_t i = 0; i < num_blocks; ++i) store(out[i], add(load(out[i]), product(load(v[i]), x)));
}
void double_pass(ExtBlock* low, ExtBlock* high, const ExtField& c, bool split, std::size_t num_blocks) {
    const ExtOperand x = operand(broadcast(c));
    for (std::size_t i = 0; i < num_blocks; ++i) {
        const Ext a = load(low[i]);
        const Ext b = product(a, x);
        store(high[i], b);
        if (split) store(low[i], sub(a, b));
    }
}
void transposed_butterfly_pass(ExtBlock* a, ExtBlock* b, std::uint32_t w, std::size_t num_blocks) {
    const Lanes x = broadcast(w);
    for (std::size_t i = 0; i < num_blocks; ++i) {
        const Ext s = load(a[i]);
        const Ext t = load(b[i]);
        store(a[i], add(s, t));
        store(b[i], mul(sub(s, t), x));
    }
}
void add_to_pass(ExtBlock* out, const ExtBlock* v, std::size_t num_blocks) {
    for (std::size_t i = 0; i < num_blocks; ++i) store(out[i], add(load(out[i]), load(v[i])));
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#undef QUARRY_PASSES_INLINE

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(fold_base_pass);
HWY_EXPORT(fold_ext_pass);
HWY_EXPORT(chunk_pass);
HWY_EXPORT(message_pass);
HWY_EXPORT(fold_pass);
HWY_EXPORT(fold_message_pass);
HWY_EXPORT(add_scaled_pass);
HWY_EXPORT(double_pass);
HWY_EXPORT(transposed_butterfly_pass);
HWY_EXPORT(add_to_pass);

namespace kernels {
void fold_base(const std::uint32_t* lanes, std::size_t lane_pitch, std::size_t num_lanes, const ExtField* weights,
               ExtBlock* out, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(fold_base_pass)(lanes, lane_pitch, num_lanes, weights, out, num_blocks);
}
void fold_ext(const ExtBlock* lanes, std::size_t lane_pitch, std::size_t num_lanes, const ExtField* weights,
              ExtBlock* out, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(fold_ext_pass)(lanes, lane_pitch, num_lanes, weights, out, num_blocks);
}
void chunk_sums(const std::uint32_t* data, std::size_t chunk_pitch, std::size_t num_chunks, const ExtBlock* kernel,
                std::size_t num_blocks, ExtField* sums) {
    HWY_DYNAMIC_DISPATCH(chunk_pass)(data, chunk_pitch, num_chunks, kernel, num_blocks, sums);
}
QuadraticMessage message(const ExtBlock* f_low, const ExtBlock* f_high, const ExtBlock* w_low, const ExtBlock* w_high,
                         std::size_t num_blocks) {
    return HWY_DYNAMIC_DISPATCH(message_pass)(f_low, f_high, w_low, w_high, num_blocks);
}
void fold(ExtBlock* low, const ExtBlock* high, ExtField r, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(fold_pass)(low, high, r, num_blocks);
}
QuadraticMessage fold_message(ExtBlock* f, ExtBlock* w, std::size_t quarter, ExtField r, std::size_t num_blocks) {
    return HWY_DYNAMIC_DISPATCH(fold_message_pass)(f, w, quarter, r, num_blocks);
}
void add_scaled(ExtBlock* out, const ExtBlock* v, ExtField c, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(add_scaled_pass)(out, v, c, num_blocks);
}
void double_table(ExtBlock* low, ExtBlock* high, ExtField c, bool split, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(double_pass)(low, high, c, split, num_blocks);
}
void transposed_butterfly(ExtBlock* a, ExtBlock* b, KoalaBear w, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(transposed_butterfly_pass)(a, b, w.montgomery(), num_blocks);
}
void add_to(ExtBlock* out, const ExtBlock* v, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(add_to_pass)(out, v, num_blocks);
}
}  // namespace kernels
}  // namespace quarry
#endif
