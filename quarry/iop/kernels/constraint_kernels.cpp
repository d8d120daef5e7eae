#include "quarry/iop/kernels/constraint_kernels.hpp"

#include "quarry/base/check.hpp"
#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/iop/kernels/constraint_kernels.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {

using Word = std::uint32_t;
inline constexpr std::size_t kExtWords = sizeof(ExtBlock) / sizeof(Word);

HWY_INLINE ExtBlock* blocks(Word* p) { return reinterpret_cast<ExtBlock*>(p); }
HWY_INLINE const ExtBlock* blocks(const Word* p) { return reinterpret_cast<const ExtBlock*>(p); }

// ---- The skip domain ----

// Levels half = 1 and 2 of a decimation-in-time DFT on 4 consecutive vectors, and half = 4, 8, 16 on 8 vectors of
// stride 4: two passes that each fit the registers.
template <std::size_t kCount, std::size_t kStride>
HWY_INLINE void forward_pass(const Word* in, Word* out, const KoalaBear* factor, std::size_t offset) {
    Lanes v[kCount];
    QUARRY_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) v[i] = load(in + (offset + i * kStride) * kLanes);
    QUARRY_UNROLL
    for (std::size_t half = 1; half < kCount; half *= 2) {
        QUARRY_UNROLL
        for (std::size_t block = 0; block < kCount; block += 2 * half) {
            QUARRY_UNROLL
            for (std::size_t i = 0; i < half; ++i) {
                const std::size_t distance = half * kStride;
                const std::size_t position = i * kStride + offset % kStride;
                const Lanes t = mul_uniform(v[block + i + half], broadcast(factor[distance + position]));
                v[block + i + half] = sub(v[block + i], t);
                v[block + i] = add(v[block + i], t);
            }
        }
    }
    QUARRY_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) store(out + (offset + i * kStride) * kLanes, v[i]);
}

void skip_evaluate_all(const Word* coefficients, Word* values, const KoalaBear* factor) {
    for (std::size_t b = 0; b < kSkipSize; b += 4) forward_pass<4, 1>(coefficients, values, factor, b);
    for (std::size_t i = 0; i < 4; ++i) forward_pass<8, 4>(values, values, factor, i);
}

template <std::size_t kCount, std::size_t kStride>
HWY_INLINE void inverse_pass(Word* data, const KoalaBear* inverse_factor, std::size_t offset, Lanes scale, bool last) {
    Lanes v[kCount];
    QUARRY_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) v[i] = load(data + (offset + i * kStride) * kLanes);
    QUARRY_UNROLL
    for (std::size_t half = kCount / 2; half >= 1; half /= 2) {
        QUARRY_UNROLL
        for (std::size_t block = 0; block < kCount; block += 2 * half) {
            QUARRY_UNROLL
            for (std::size_t i = 0; i < half; ++i) {
                const Lanes a = v[block + i];
                const Lanes b = v[block + i + half];
                const std::size_t position = i * kStride + offset % kStride;
                v[block + i] = add(a, b);
                v[block + i + half] = mul_uniform(sub(a, b), broadcast(inverse_factor[half * kStride + position]));
            }
        }
    }
    QUARRY_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) {
        store(data + (offset + i * kStride) * kLanes, last ? mul_uniform(v[i], scale) : v[i]);
    }
}

void skip_interpolate_all(Word* data, const KoalaBear* inverse_factor) {
    const Lanes scale = broadcast(KoalaBear(kSkipSize).inverse());
    for (std::size_t i = 0; i < 4; ++i) inverse_pass<8, 4>(data, inverse_factor, i, scale, false);
    for (std::size_t b = 0; b < kSkipSize; b += 4) inverse_pass<4, 1>(data, inverse_factor, b, scale, true);
}

// ---- Tapes ----

// Vectors at a time: four are eight independent sums, which hide the latency of multiplication. On AVX2 a sum has twice
// the registers, of which there are half as many.
inline constexpr std::size_t kVectors = HWY_TARGET == HWY_AVX2 ? 2 : 4;
template <std::size_t kCount>
HWY_INLINE void dot(const Term* terms, std::size_t n, Lanes constant, const Word* const* slots, Word* target,
                    std::size_t at) {
    Accumulator s[kCount];
    for (auto& x : s) x = accumulator_zero();
    for (std::size_t t = 0; t < n; ++t) {
        const Lanes c = broadcast(terms[t].coefficient);
        const Word* p = slots[terms[t].atom] + at;
        QUARRY_UNROLL
        for (std::size_t i = 0; i < kCount; ++i) {
            const Lanes x = load(p + i * kLanes);
            multiply_add(s[i], x, odd_to_even(x), c, c);
        }
        if (t % 2 == 1) {
            QUARRY_UNROLL
            for (std::size_t i = 0; i < kCount; ++i) correct(s[i]);
        }
    }
    QUARRY_UNROLL
    for (std::size_t i = 0; i < kCount; ++i) store(target + at + i * kLanes, add(reduce(s[i]), constant));
}

void linear_form_base_all(const Term* terms, std::size_t n, KoalaBear constant, const Word* const* slots, Word* target,
                          std::size_t num_vectors) {
    if (n == 1 && terms[0].coefficient == KoalaBear(1)) {
        const Lanes c = broadcast(constant);
        const Word* p = slots[terms[0].atom];
        for (std::size_t i = 0; i < num_vectors * kLanes; i += kLanes) store(target + i, add(load(p + i), c));
        return;
    }
    if (n == 2 && terms[0].coefficient == KoalaBear(1)) {
        // Butterflies of structured linear maps: no multiplication.
        const Lanes c = broadcast(constant);
        const Word* a = slots[terms[0].atom];
        const Word* b = slots[terms[1].atom];
        if (terms[1].coefficient == KoalaBear(1)) {
            for (std::size_t k = 0; k < num_vectors * kLanes; k += kLanes) {
                store(target + k, add(add(load(a + k), load(b + k)), c));
            }
            return;
        }
        if (terms[1].coefficient == -KoalaBear(1)) {
            for (std::size_t k = 0; k < num_vectors * kLanes; k += kLanes) {
                store(target + k, add(sub(load(a + k), load(b + k)), c));
            }
            return;
        }
    }
    std::size_t i = 0;
    for (; i + kVectors <= num_vectors; i += kVectors) {
        dot<kVectors>(terms, n, broadcast(constant), slots, target, i * kLanes);
    }
    for (; i < num_vectors; ++i) dot<1>(terms, n, broadcast(constant), slots, target, i * kLanes);
}

void linear_form_ext_all(const Term* terms, std::size_t n, KoalaBear constant, const Word* const* slots, Word* target,
                         std::size_t num_blocks) {
    linear_form_base_all(terms, n, KoalaBear(), slots, target, num_blocks * 5);
    if (constant.is_zero()) return;
    const Lanes c = broadcast(constant);
    for (std::size_t i = 0; i < num_blocks; ++i) {
        Word* p = target + i * kExtWords;
        store(p, add(load(p), c));
    }
}

void run_tape_base_all(const TapeOp* ops, std::size_t num_ops, const Term* terms, Word* const* slots,
                       std::size_t num_vectors) {
    for (std::size_t k = 0; k < num_ops; ++k) {
        const TapeOp& op = ops[k];
        if (op.kind == TapeOp::Kind::dot) {
            linear_form_base_all(terms + op.first_term, op.num_terms, op.constant, slots, slots[op.target],
                                 num_vectors);
            continue;
        }
        const Word* a = slots[op.a];
        const Word* b = slots[op.b];
        Word* target = slots[op.target];
        for (std::size_t i = 0; i < num_vectors * kLanes; i += kLanes) store(target + i, mul(load(a + i), load(b + i)));
    }
}

void run_tape_ext_all(const TapeOp* ops, std::size_t num_ops, const Term* terms, Word* const* slots,
                      std::size_t num_blocks) {
    for (std::size_t k = 0; k < num_ops; ++k) {
        const TapeOp& op = ops[k];
        if (op.kind == TapeOp::Kind::dot) {
            linear_form_ext_all(terms + op.first_term, op.num_terms, op.constant, slots, slots[op.target], num_blocks);
            continue;
        }
        for (std::size_t i = 0; i < num_blocks; ++i) {
            store(blocks(slots[op.target])[i], mul(load(blocks(slots[op.a])[i]), load(blocks(slots[op.b])[i])));
        }
    }
}

// ---- Weighted sums ----

void accumulate_base_all(const ExtField* weights, std::size_t n, const Word* const* slots, const ExtField& scale,
                         ExtBlock* sums, std::size_t num_vectors) {
    const ExtOperand factor = prepare(broadcast(scale));
    for (std::size_t i = 0; i < num_vectors; ++i) {
        Accumulator s[5];
        for (auto& x : s) x = accumulator_zero();
        for (std::size_t r = 0; r < n; ++r) {
            const Lanes x = load(slots[r] + i * kLanes);
            const Lanes xo = odd_to_even(x);
            QUARRY_UNROLL
            for (std::size_t k = 0; k < 5; ++k) {
                const Lanes w = broadcast(weights[r][k]);
                multiply_add(s[k], x, xo, w, w);
            }
            if (r % 2 == 1) {
                QUARRY_UNROLL
                for (std::size_t k = 0; k < 5; ++k) correct(s[k]);
            }
        }
        Ext total;
        QUARRY_UNROLL
        for (std::size_t k = 0; k < 5; ++k) total.c[k] = reduce(s[k]);
        store(sums[i], add(load(sums[i]), mul(total, factor)));
    }
}

void accumulate_ext_all(const ExtField* weights, std::size_t n, const Word* const* slots, const ExtField* scales,
                        ExtBlock* sum, std::size_t num_blocks) {
    Ext all = load(*sum);
    for (std::size_t i = 0; i < num_blocks; ++i) {
        Accumulator s[5];
        for (auto& x : s) x = accumulator_zero();
        for (std::size_t r = 0; r < n; ++r) {
            // The weight as a prepared operand, in scalars: 9 values that multiply the slot's coordinates.
            const ExtField& w = weights[r];
            const KoalaBear t = w[1] - w[4];
            const KoalaBear operand[9] = {w[0], w[1], w[2], w[3], w[4], t, w[0] - w[3], w[4] - w[2], w[3] - t};
            const Ext x = load(blocks(slots[r])[i]);
            Lanes xo[5];
            QUARRY_UNROLL
            for (std::size_t j = 0; j < 5; ++j) xo[j] = odd_to_even(x.c[j]);
            QUARRY_UNROLL
            for (std::size_t k = 0; k < 5; ++k) {
                QUARRY_UNROLL
                for (std::size_t j = 0; j < 5; ++j) {
                    const Lanes c = broadcast(operand[kExtRow[k][j]]);
                    multiply_add(s[k], x.c[j], xo[j], c, c);
                    if (j % 2 == 1) correct(s[k]);
                }
                correct(s[k]);
            }
        }
        Ext total;
        QUARRY_UNROLL
        for (std::size_t k = 0; k < 5; ++k) total.c[k] = reduce(s[k]);
        all = add(all, mul(total, broadcast(scales[i])));
    }
    store(*sum, all);
}

void fold_skip_all(const ExtField* weights, const Word* vectors, ExtBlock* target) {
    Accumulator s[5];
    for (auto& x : s) x = accumulator_zero();
    for (std::size_t i = 0; i < kSkipSize; ++i) {
        const Lanes x = load(vectors + i * kLanes);
        const Lanes xo = odd_to_even(x);
        QUARRY_UNROLL
        for (std::size_t k = 0; k < 5; ++k) {
            const Lanes w = broadcast(weights[i][k]);
            multiply_add(s[k], x, xo, w, w);
        }
        if (i % 2 == 1) {
            QUARRY_UNROLL
            for (std::size_t k = 0; k < 5; ++k) correct(s[k]);
        }
    }
    Ext r;
    QUARRY_UNROLL
    for (std::size_t k = 0; k < 5; ++k) r.c[k] = reduce(s[k]);
    store(*target, r);
}

void split_pairs_all(const ExtBlock* in, ExtBlock* lo, ExtBlock* diff, std::size_t num_pairs) {
    for (std::size_t j = 0; j < num_pairs; ++j) {
        const Ext a = load(in[2 * j]);
        store(lo[j], a);
        store(diff[j], sub(load(in[2 * j + 1]), a));
    }
}

void add_blocks_all(ExtBlock* a, const ExtBlock* b, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) store(a[i], add(load(a[i]), load(b[i])));
}

void fold_pairs_all(const ExtBlock* in, ExtBlock* out, const ExtField& r, std::size_t num_pairs) {
    const ExtOperand w = prepare(broadcast(r));
    for (std::size_t j = 0; j < num_pairs; ++j) {
        const Ext a = load(in[2 * j]);
        store(out[j], add(a, mul(sub(load(in[2 * j + 1]), a), w)));
    }
}

void inner_product_all(const ExtBlock* a, const ExtBlock* b, ExtBlock* sum, std::size_t n) {
    Ext s = load(*sum);
    for (std::size_t i = 0; i < n; ++i) s = add(s, mul(load(a[i]), load(b[i])));
    store(*sum, s);
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(skip_interpolate_all);
HWY_EXPORT(skip_evaluate_all);
HWY_EXPORT(run_tape_base_all);
HWY_EXPORT(run_tape_ext_all);
HWY_EXPORT(linear_form_base_all);
HWY_EXPORT(linear_form_ext_all);
HWY_EXPORT(accumulate_base_all);
HWY_EXPORT(accumulate_ext_all);
HWY_EXPORT(fold_skip_all);
HWY_EXPORT(split_pairs_all);
HWY_EXPORT(add_blocks_all);
HWY_EXPORT(fold_pairs_all);
HWY_EXPORT(inner_product_all);

namespace {
// factor[half + i] = (shift^(32 / (2 half))) w_(2 half)^i, w_m of order m.
std::array<KoalaBear, kSkipSize> coset_factors(KoalaBear shift, bool inverse) {
    std::array<KoalaBear, kSkipSize> f{};
    for (unsigned level = 1; level <= kLogSkip; ++level) {
        const std::size_t half = std::size_t{1} << (level - 1);
        KoalaBear w = KoalaBear::two_adic_root(level);
        if (inverse) w = w.inverse();
        KoalaBear power = shift.pow(kSkipSize / (2 * half));
        for (std::size_t i = 0; i < half; ++i, power *= w) f[half + i] = power;
    }
    return f;
}
}  // namespace

CosetTwiddles::CosetTwiddles(KoalaBear shift) : factor(coset_factors(shift, false)) {}

void skip_interpolate(std::uint32_t* vectors) {
    static const auto kInverse = coset_factors(KoalaBear(1), true);
    HWY_DYNAMIC_DISPATCH(skip_interpolate_all)(vectors, kInverse.data());
}
void skip_evaluate(const std::uint32_t* coefficients, std::uint32_t* values, const CosetTwiddles& twiddles) {
    HWY_DYNAMIC_DISPATCH(skip_evaluate_all)(coefficients, values, twiddles.factor.data());
}
void run_tape_base(const Tape& tape, std::uint32_t* const* slots, std::size_t num_vectors) {
    HWY_DYNAMIC_DISPATCH(run_tape_base_all)(tape.ops.data(), tape.ops.size(), tape.terms.data(), slots, num_vectors);
}
void run_tape_ext(const Tape& tape, std::uint32_t* const* slots, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(run_tape_ext_all)(tape.ops.data(), tape.ops.size(), tape.terms.data(), slots, num_blocks);
}
void linear_form_base(std::span<const Term> terms, KoalaBear constant, const std::uint32_t* const* slots,
                      std::uint32_t* target, std::size_t num_vectors) {
    HWY_DYNAMIC_DISPATCH(linear_form_base_all)(terms.data(), terms.size(), constant, slots, target, num_vectors);
}
void linear_form_ext(std::span<const Term> terms, KoalaBear constant, const std::uint32_t* const* slots,
                     std::uint32_t* target, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(linear_form_ext_all)(terms.data(), terms.size(), constant, slots, target, num_blocks);
}
void accumulate_base(std::span<const ExtField> weights, const std::uint32_t* const* slots, const ExtField& scale,
                     ExtBlock* sums, std::size_t num_vectors) {
    HWY_DYNAMIC_DISPATCH(accumulate_base_all)(weights.data(), weights.size(), slots, scale, sums, num_vectors);
}
void accumulate_ext(std::span<const ExtField> weights, const std::uint32_t* const* slots,
                    std::span<const ExtField> scales, ExtBlock* sum, std::size_t num_blocks) {
    QUARRY_CHECK(scales.size() >= num_blocks);
    HWY_DYNAMIC_DISPATCH(accumulate_ext_all)(weights.data(), weights.size(), slots, scales.data(), sum, num_blocks);
}
void fold_skip(std::span<const ExtField, kSkipSize> weights, const std::uint32_t* vectors, ExtBlock* target) {
    HWY_DYNAMIC_DISPATCH(fold_skip_all)(weights.data(), vectors, target);
}
void split_pairs(const ExtBlock* in, ExtBlock* lo, ExtBlock* diff, std::size_t num_pairs) {
    HWY_DYNAMIC_DISPATCH(split_pairs_all)(in, lo, diff, num_pairs);
}
void add_blocks(ExtBlock* a, const ExtBlock* b, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(add_blocks_all)(a, b, num_blocks);
}
void fold_pairs(const ExtBlock* in, ExtBlock* out, const ExtField& r, std::size_t num_pairs) {
    HWY_DYNAMIC_DISPATCH(fold_pairs_all)(in, out, r, num_pairs);
}
void inner_product(const ExtBlock* a, const ExtBlock* b, ExtBlock* sum, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(inner_product_all)(a, b, sum, num_blocks);
}
}  // namespace quarry
#endif
