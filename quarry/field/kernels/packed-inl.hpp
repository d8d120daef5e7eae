// 16-lane arithmetic of F_p and F_{p^5} for kernels. Included once per Highway target: no #pragma once, a per-target
// guard.
//
// A kernel file reads:
//     #include "quarry/field/kernels/targets.hpp"
//     #undef HWY_TARGET_INCLUDE
//     #define HWY_TARGET_INCLUDE "quarry/<module>/kernels/<file>.cpp"
//     #include "hwy/foreach_target.h"
//     #include "hwy/highway.h"
//     #include "quarry/field/kernels/packed-inl.hpp"
//     HWY_BEFORE_NAMESPACE();
//     namespace quarry::HWY_NAMESPACE { ... }  // lambdas that touch lanes carry HWY_ATTR
//     HWY_AFTER_NAMESPACE();
//     #if HWY_ONCE ... HWY_EXPORT(f); void f(...) { HWY_DYNAMIC_DISPATCH(f)(...); }
//     #endif
//
// Lanes: 16 x u32, elements in Montgomery form and below p unless a comment says otherwise.
// Wide:  8 x u64, the even (or odd) lanes' products.
#if defined(QUARRY_FIELD_PACKED_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef QUARRY_FIELD_PACKED_INL
#undef QUARRY_FIELD_PACKED_INL
#else
#define QUARRY_FIELD_PACKED_INL
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "quarry/field/packed_ext.hpp"

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
#include <immintrin.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#undef QUARRY_UNROLL
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
#define QUARRY_UNROLL _Pragma("GCC unroll 64")
#else
// The plain target has loops inside every primitive: unrolling them all would only cost compile time.
#define QUARRY_UNROLL _Pragma("GCC unroll 1")
#endif

// ---- The primitives, one set per target ----
#if HWY_TARGET == HWY_AVX3

using Lanes = hn::Vec512<std::uint32_t>;
using Wide = hn::Vec512<std::uint64_t>;
inline constexpr hn::Full512<std::uint32_t> kTag32;
inline constexpr hn::Full512<std::uint64_t> kTag64;

HWY_INLINE Lanes load(const std::uint32_t* p) { return hn::LoadU(kTag32, p); }
HWY_INLINE void store(std::uint32_t* p, Lanes v) { hn::StoreU(v, kTag32, p); }
HWY_INLINE Lanes broadcast(std::uint32_t x) { return hn::Set(kTag32, x); }
HWY_INLINE Wide broadcast64(std::uint64_t x) { return hn::Set(kTag64, x); }
HWY_INLINE Lanes add32(Lanes a, Lanes b) { return hn::Add(a, b); }
HWY_INLINE Lanes sub32(Lanes a, Lanes b) { return hn::Sub(a, b); }
HWY_INLINE Lanes min32(Lanes a, Lanes b) { return hn::Min(a, b); }
HWY_INLINE Wide add64(Wide a, Wide b) { return hn::Add(a, b); }
HWY_INLINE Wide sub64(Wide a, Wide b) { return hn::Sub(a, b); }
/// The lesser of two u64 with equal low halves: one instruction, where the minimum of u64 has several on AVX2.
HWY_INLINE Wide min_high(Wide a, Wide b) {
    return hn::BitCast(kTag64, hn::Min(hn::BitCast(kTag32, a), hn::BitCast(kTag32, b)));
}
/// Products of the even lanes.
HWY_INLINE Wide mul_even(Lanes a, Lanes b) { return hn::MulEven(a, b); }
/// Products of the low halves of each u64. As assembly, because clang sees that Montgomery reduction needs only the low
/// half of its first product and turns the instruction into vpmullq, which costs three.
HWY_INLINE Wide mul_low32(Wide a, Wide b) {
    __m512i r;
    asm("vpmuludq %2, %1, %0" : "=v"(r) : "v"(a.raw), "v"(b.raw));
    return Wide{r};
}
/// Moves each odd lane onto the even lane below it (the odd lane keeps its value).
HWY_INLINE Lanes odd_to_even(Lanes v) { return hn::DupOdd(v); }
/// Lane 2i: high half of even[i]; lane 2i+1: high half of odd[i].
HWY_INLINE Lanes high_halves(Wide even, Wide odd) {
    const auto e = hn::DupOdd(hn::BitCast(kTag32, even));
    return hn::OddEven(hn::BitCast(kTag32, odd), e);
}
/// In-place transpose of a 16 x 16 matrix held in rows.
HWY_INLINE void transpose16(Lanes* r) {
    __m512i t[16];
    QUARRY_UNROLL
    for (int i = 0; i < 8; ++i) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i].raw, r[2 * i + 1].raw);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i].raw, r[2 * i + 1].raw);
    }
    __m512i u[16];
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        u[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
        u[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
        u[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
        u[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        t[i] = _mm512_shuffle_i32x4(u[i], u[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(u[i], u[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(u[i + 8], u[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(u[i + 8], u[i + 12], 0xdd);
    }
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        r[i] = Lanes{_mm512_shuffle_i32x4(t[i], t[i + 8], 0x88)};
        r[i + 4] = Lanes{_mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88)};
        r[i + 8] = Lanes{_mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd)};
        r[i + 12] = Lanes{_mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd)};
    }
}

#elif HWY_TARGET == HWY_AVX2

using Half32 = hn::Vec256<std::uint32_t>;
using Half64 = hn::Vec256<std::uint64_t>;
struct Lanes {
    Half32 a, b;
};
struct Wide {
    Half64 a, b;
};
inline constexpr hn::Full256<std::uint32_t> kTag32;
inline constexpr hn::Full256<std::uint64_t> kTag64;

HWY_INLINE Lanes load(const std::uint32_t* p) { return {hn::LoadU(kTag32, p), hn::LoadU(kTag32, p + 8)}; }
HWY_INLINE void store(std::uint32_t* p, Lanes v) {
    hn::StoreU(v.a, kTag32, p);
    hn::StoreU(v.b, kTag32, p + 8);
}
HWY_INLINE Lanes broadcast(std::uint32_t x) { return {hn::Set(kTag32, x), hn::Set(kTag32, x)}; }
HWY_INLINE Wide broadcast64(std::uint64_t x) { return {hn::Set(kTag64, x), hn::Set(kTag64, x)}; }
HWY_INLINE Lanes add32(Lanes x, Lanes y) { return {hn::Add(x.a, y.a), hn::Add(x.b, y.b)}; }
HWY_INLINE Lanes sub32(Lanes x, Lanes y) { return {hn::Sub(x.a, y.a), hn::Sub(x.b, y.b)}; }
HWY_INLINE Lanes min32(Lanes x, Lanes y) { return {hn::Min(x.a, y.a), hn::Min(x.b, y.b)}; }
HWY_INLINE Wide add64(Wide x, Wide y) { return {hn::Add(x.a, y.a), hn::Add(x.b, y.b)}; }
HWY_INLINE Wide sub64(Wide x, Wide y) { return {hn::Sub(x.a, y.a), hn::Sub(x.b, y.b)}; }
HWY_INLINE Wide min_high(Wide x, Wide y) {
    return {hn::BitCast(kTag64, hn::Min(hn::BitCast(kTag32, x.a), hn::BitCast(kTag32, y.a))),
            hn::BitCast(kTag64, hn::Min(hn::BitCast(kTag32, x.b), hn::BitCast(kTag32, y.b)))};
}
HWY_INLINE Wide mul_even(Lanes x, Lanes y) { return {hn::MulEven(x.a, y.a), hn::MulEven(x.b, y.b)}; }
HWY_INLINE Wide mul_low32(Wide x, Wide y) {
    return {hn::MulEven(hn::BitCast(kTag32, x.a), hn::BitCast(kTag32, y.a)),
            hn::MulEven(hn::BitCast(kTag32, x.b), hn::BitCast(kTag32, y.b))};
}
HWY_INLINE Lanes odd_to_even(Lanes v) { return {hn::DupOdd(v.a), hn::DupOdd(v.b)}; }
HWY_INLINE Lanes high_halves(Wide even, Wide odd) {
    return {hn::OddEven(hn::BitCast(kTag32, odd.a), hn::DupOdd(hn::BitCast(kTag32, even.a))),
            hn::OddEven(hn::BitCast(kTag32, odd.b), hn::DupOdd(hn::BitCast(kTag32, even.b)))};
}

/// In-place transpose of an 8 x 8 matrix held in rows.
HWY_INLINE void transpose8(__m256i* r) {
    __m256i t[8];
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        t[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    __m256i u[8];
    QUARRY_UNROLL
    for (int i = 0; i < 2; ++i) {
        u[4 * i] = _mm256_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
        u[4 * i + 1] = _mm256_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
        u[4 * i + 2] = _mm256_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
        u[4 * i + 3] = _mm256_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}
/// In-place transpose of a 16 x 16 matrix held in rows, by its quarters.
HWY_INLINE void transpose16(Lanes* r) {
    __m256i quarter[2][2][8];  // rows 8 i .., columns 8 j ..
    QUARRY_UNROLL
    for (int i = 0; i < 2; ++i) {
        QUARRY_UNROLL
        for (int k = 0; k < 8; ++k) {
            quarter[i][0][k] = r[8 * i + k].a.raw;
            quarter[i][1][k] = r[8 * i + k].b.raw;
        }
        transpose8(quarter[i][0]);
        transpose8(quarter[i][1]);
    }
    QUARRY_UNROLL
    for (int i = 0; i < 2; ++i) {
        QUARRY_UNROLL
        for (int k = 0; k < 8; ++k) r[8 * i + k] = {Half32{quarter[0][i][k]}, Half32{quarter[1][i][k]}};
    }
}

#else  // plain arrays: the reference that every other target must equal

struct Lanes {
    std::uint32_t v[16];
};
struct Wide {
    std::uint64_t v[8];
};
HWY_NOINLINE inline Lanes load(const std::uint32_t* p) {
    Lanes r;
    QUARRY_UNROLL
    for (int i = 0; i < 16; ++i) r.v[i] = p[i];
    return r;
}
HWY_NOINLINE inline void store(std::uint32_t* p, const Lanes& x) {
    QUARRY_UNROLL
    for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
HWY_NOINLINE inline Lanes broadcast(std::uint32_t x) {
    Lanes r;
    QUARRY_UNROLL
    for (auto& e : r.v) e = x;
    return r;
}
HWY_NOINLINE inline Wide broadcast64(std::uint64_t x) {
    Wide r;
    QUARRY_UNROLL
    for (auto& e : r.v) e = x;
    return r;
}
#define QUARRY_PLAIN_OP(Type, name, n, expression)                \
    HWY_NOINLINE inline Type name(const Type& a, const Type& b) { \
        Type r;                                                   \
        for (int i = 0; i < (n); ++i) r.v[i] = (expression);      \
        return r;                                                 \
    }
QUARRY_PLAIN_OP(Lanes, add32, 16, a.v[i] + b.v[i])
QUARRY_PLAIN_OP(Lanes, sub32, 16, a.v[i] - b.v[i])
QUARRY_PLAIN_OP(Lanes, min32, 16, a.v[i] < b.v[i] ? a.v[i] : b.v[i])
QUARRY_PLAIN_OP(Wide, add64, 8, a.v[i] + b.v[i])
QUARRY_PLAIN_OP(Wide, sub64, 8, a.v[i] - b.v[i])
QUARRY_PLAIN_OP(Wide, min_high, 8, a.v[i] < b.v[i] ? a.v[i] : b.v[i])
QUARRY_PLAIN_OP(Wide, mul_low32, 8, (a.v[i] & 0xffffffff) * (b.v[i] & 0xffffffff))
#undef QUARRY_PLAIN_OP
HWY_NOINLINE inline Wide mul_even(const Lanes& a, const Lanes& b) {
    Wide r;
    QUARRY_UNROLL
    for (int i = 0; i < 8; ++i) r.v[i] = static_cast<std::uint64_t>(a.v[2 * i]) * b.v[2 * i];
    return r;
}
HWY_NOINLINE inline Lanes odd_to_even(const Lanes& a) {
    Lanes r;
    QUARRY_UNROLL
    for (int i = 0; i < 16; ++i) r.v[i] = a.v[i | 1];
    return r;
}
HWY_NOINLINE inline Lanes high_halves(const Wide& even, const Wide& odd) {
    Lanes r;
    QUARRY_UNROLL
    for (int i = 0; i < 8; ++i) {
        r.v[2 * i] = static_cast<std::uint32_t>(even.v[i] >> 32);
        r.v[2 * i + 1] = static_cast<std::uint32_t>(odd.v[i] >> 32);
    }
    return r;
}
#endif

#if HWY_TARGET != HWY_AVX3 && HWY_TARGET != HWY_AVX2
HWY_INLINE void transpose16(Lanes* r) {
    std::uint32_t in[16][16];
    std::uint32_t out[16][16];
    for (int i = 0; i < 16; ++i) store(in[i], r[i]);
    for (int i = 0; i < 16; ++i) {
        for (int j = 0; j < 16; ++j) out[j][i] = in[i][j];
    }
    for (int i = 0; i < 16; ++i) r[i] = load(out[i]);
}
#endif

// ---- F_p ----
HWY_INLINE Lanes zero() { return broadcast(0); }
HWY_INLINE Lanes broadcast(KoalaBear x) { return broadcast(x.montgomery()); }
HWY_INLINE Lanes modulus() { return broadcast(KoalaBear::kModulus); }
HWY_INLINE Lanes add(Lanes a, Lanes b) {
    const Lanes t = add32(a, b);
    return min32(t, sub32(t, modulus()));
}
HWY_INLINE Lanes sub(Lanes a, Lanes b) {
    const Lanes t = sub32(a, b);
    return min32(t, add32(t, modulus()));
}
/// q p with q = t/p mod 2^32 for each u64 t: what Montgomery reduction subtracts.
HWY_INLINE Wide reduction_product(Wide t) {
    return mul_low32(mul_low32(t, broadcast64(KoalaBear::kModulusInverse)), broadcast64(KoalaBear::kModulus));
}
HWY_INLINE Lanes reduce(Wide even, Wide odd) {
    const Lanes d = sub32(high_halves(even, odd), high_halves(reduction_product(even), reduction_product(odd)));
    return min32(d, add32(d, modulus()));
}
HWY_INLINE Lanes mul(Lanes a, Lanes b) { return reduce(mul_even(a, b), mul_even(odd_to_even(a), odd_to_even(b))); }
HWY_INLINE Lanes square(Lanes a) {
    const Lanes o = odd_to_even(a);
    return reduce(mul_even(a, a), mul_even(o, o));
}
/// b must hold the same value in lanes 2i and 2i+1 (a broadcast).
HWY_INLINE Lanes mul_uniform(Lanes a, Lanes b) { return reduce(mul_even(a, b), mul_even(odd_to_even(a), b)); }

// ---- Sums of products with one reduction ----
/// Invariant between operations: each u64 < 4 p^2 < 2^64, and < p 2^32 after correct().
struct Accumulator {
    Wide even, odd;
};
HWY_INLINE Accumulator accumulator_zero() { return {broadcast64(0), broadcast64(0)}; }
/// Both operands split beforehand: (x, odd_to_even(x)). At most 3 calls between two correct(); from a corrected value,
/// 2: p 2^32 + 2 p^2 < 2^64.
HWY_INLINE void multiply_add(Accumulator& s, Lanes a, Lanes a_odd, Lanes b, Lanes b_odd) {
    s.even = add64(s.even, mul_even(a, b));
    s.odd = add64(s.odd, mul_even(a_odd, b_odd));
}
/// From < 2 p 2^32 (e.g. a corrected value plus two products) to < p 2^32.
HWY_INLINE void correct(Accumulator& s) {
    const Wide shifted = broadcast64(static_cast<std::uint64_t>(KoalaBear::kModulus) << 32);
    s.even = min_high(s.even, sub64(s.even, shifted));
    s.odd = min_high(s.odd, sub64(s.odd, shifted));
}
/// The canonical value of a sum < 2 p 2^32.
HWY_INLINE Lanes reduce(const Accumulator& s) {
    Lanes h = high_halves(s.even, s.odd);
    h = min32(h, sub32(h, modulus()));
    const Lanes d = sub32(h, high_halves(reduction_product(s.even), reduction_product(s.odd)));
    return min32(d, add32(d, modulus()));
}

// ---- F_{p^5} = F_p[X]/(X^5 + X^2 - 1), 16 elements ----
struct Ext {
    Lanes c[5];
};
HWY_INLINE Ext load(const ExtBlock& b) {
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) r.c[k] = load(b.c[k]);
    return r;
}
HWY_INLINE void store(ExtBlock& b, const Ext& x) {
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) store(b.c[k], x.c[k]);
}
HWY_INLINE Ext broadcast(const ExtField& x) {
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) r.c[k] = broadcast(x[static_cast<std::size_t>(k)]);
    return r;
}
HWY_INLINE Ext ext_zero() {
    Ext r;
    for (auto& c : r.c) c = zero();
    return r;
}
HWY_INLINE Ext add(const Ext& a, const Ext& b) {
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) r.c[k] = add(a.c[k], b.c[k]);
    return r;
}
HWY_INLINE Ext sub(const Ext& a, const Ext& b) {
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) r.c[k] = sub(a.c[k], b.c[k]);
    return r;
}
HWY_INLINE Ext mul(const Ext& a, Lanes b) {
    Ext r;
    const Lanes bo = odd_to_even(b);
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) r.c[k] = reduce(mul_even(a.c[k], b), mul_even(odd_to_even(a.c[k]), bo));
    return r;
}

/// A right operand made ready: the 9 values that the rows of its multiplication matrix draw from.
/// X^5 = 1 - X^2 gives, for a b = sum_k X^k sum_i a_i w[kRow[k][i]]:
///   w = b0 b1 b2 b3 b4 | b1-b4 | b0-b3 | b4-b2 | b3-(b1-b4)
struct ExtOperand {
    Lanes even[9];
    Lanes odd[9];
};
inline constexpr int kExtRow[5][5] = {
    {0, 4, 3, 2, 5}, {1, 0, 4, 3, 2}, {2, 5, 6, 7, 8}, {3, 2, 5, 6, 7}, {4, 3, 2, 5, 6}};
HWY_INLINE ExtOperand prepare(const Ext& b) {
    ExtOperand w;
    QUARRY_UNROLL
    for (int i = 0; i < 5; ++i) w.even[i] = b.c[i];
    w.even[5] = sub(b.c[1], b.c[4]);
    w.even[6] = sub(b.c[0], b.c[3]);
    w.even[7] = sub(b.c[4], b.c[2]);
    w.even[8] = sub(b.c[3], w.even[5]);
    QUARRY_UNROLL
    for (int i = 0; i < 9; ++i) w.odd[i] = odd_to_even(w.even[i]);
    return w;
}
HWY_INLINE Ext mul(const Ext& a, const ExtOperand& w) {
    Lanes odd[5];
    QUARRY_UNROLL
    for (int i = 0; i < 5; ++i) odd[i] = odd_to_even(a.c[i]);
    Ext r;
    QUARRY_UNROLL
    for (int k = 0; k < 5; ++k) {
        // 4 products stay below 4 p^2 < 2^64; one correction leaves room for the fifth.
        Accumulator s{mul_even(a.c[0], w.even[kExtRow[k][0]]), mul_even(odd[0], w.odd[kExtRow[k][0]])};
        QUARRY_UNROLL
        for (int i = 1; i < 4; ++i) multiply_add(s, a.c[i], odd[i], w.even[kExtRow[k][i]], w.odd[kExtRow[k][i]]);
        correct(s);
        multiply_add(s, a.c[4], odd[4], w.even[kExtRow[k][4]], w.odd[kExtRow[k][4]]);
        r.c[k] = reduce(s);
    }
    return r;
}
HWY_INLINE Ext mul(const Ext& a, const Ext& b) { return mul(a, prepare(b)); }

/// Sum of the 16 lanes.
HWY_INLINE KoalaBear sum_lanes(Lanes v) {
    std::uint32_t t[16];
    store(t, v);
    KoalaBear s;
    for (const std::uint32_t x : t) s += KoalaBear::from_montgomery(x);
    return s;
}
HWY_INLINE ExtField sum_lanes(const Ext& v) {
    ExtField s;
    for (std::size_t k = 0; k < 5; ++k) s[k] = sum_lanes(v.c[k]);
    return s;
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // per-target include guard
