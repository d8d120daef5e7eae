// Poseidon on 16 states with AVX-512 IFMA: 52-bit multiply-add, which Highway 1.0.3 does not have.
//
// A state element of 16 states is two vectors of eight 64-bit lanes, the even and the odd states. Elements are residues
// at the scales of PoseidonTables, not reduced: each function says how large its inputs may be and its outputs are.
#include <immintrin.h>

#include "quarry/hash/kernels/poseidon_tables.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma"))), \
                             apply_to = function)
#else
// GCC 12's own intrinsics start from `__m512i y = y` (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")
#endif

namespace quarry {
namespace {

using Wide = __m512i;
#define QUARRY_IFMA_INLINE static inline __attribute__((always_inline))
#define QUARRY_IFMA_UNROLL _Pragma("GCC unroll 64")

constexpr std::uint64_t kLimb = std::uint64_t{1} << 52;
constexpr std::uint64_t kP = KoalaBear::kModulus;
/// 1/p mod 2^52, by Newton's iteration: each step doubles the number of right bits, from 3.
constexpr std::uint64_t kInverse52 = [] {
    std::uint64_t x = kP;
    for (int i = 0; i < 5; ++i) x *= 2 - kP * x;
    return x % kLimb;
}();
static_assert(kP * kInverse52 % kLimb == 1);

const PoseidonTables& tables() {
    static const PoseidonTables t([] {
        const KoalaBear over_limb = KoalaBear(kLimb).inverse();
        // The S-box is two Montgomery products; the circulant product is exact; f is at least 2p because q + n < 2p is
        // subtracted.
        const KoalaBear over_word = KoalaBear(std::uint64_t{1} << 32).inverse();  // of finish()
        return PoseidonTables::Arithmetic{over_limb * over_limb, over_limb, KoalaBear(1), over_word, 2 * kP};
    }());
    return t;
}

QUARRY_IFMA_INLINE Wide broadcast(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
QUARRY_IFMA_INLINE Wide add(Wide a, Wide b) { return _mm512_add_epi64(a, b); }
QUARRY_IFMA_INLINE Wide sub(Wide a, Wide b) { return _mm512_sub_epi64(a, b); }
/// c + the low (high) 52 bits of the product of the low 52 bits of a and b.
QUARRY_IFMA_INLINE Wide multiply_add_low(Wide c, Wide a, Wide b) { return _mm512_madd52lo_epu64(c, a, b); }
QUARRY_IFMA_INLINE Wide multiply_add_high(Wide c, Wide a, Wide b) { return _mm512_madd52hi_epu64(c, a, b); }

/// high + low / 2^52 mod p, exactly high + floor(low / 2^52) - floor(q p / 2^52) with q = low / p mod 2^52: the low
/// limbs of low and q p are equal. In (high - p, high + 2^12]: callers start high at p or more.
QUARRY_IFMA_INLINE Wide reduce(Wide low, Wide high) {
    const Wide q = multiply_add_low(_mm512_setzero_si512(), low, broadcast(kInverse52));
    return sub(add(high, _mm512_srli_epi64(low, 52)), multiply_add_high(_mm512_setzero_si512(), q, broadcast(kP)));
}
/// a b / 2^52 mod p, in (0, p + ab/2^52]. a, b < 2^52; low < 2^52, so that its upper part need not be added.
QUARRY_IFMA_INLINE Wide multiply(Wide a, Wide b) {
    const Wide low = multiply_add_low(_mm512_setzero_si512(), a, b);
    const Wide high = multiply_add_high(broadcast(kP), a, b);
    const Wide q = multiply_add_low(_mm512_setzero_si512(), low, broadcast(kInverse52));
    return sub(high, multiply_add_high(_mm512_setzero_si512(), q, broadcast(kP)));
}
/// x^3 / 2^104. For x < 2^42: x^2 part < p + 2^32 < 2^33, so the cube is at most p + 2^23.
QUARRY_IFMA_INLINE Wide cube(Wide x) { return multiply(multiply(x, x), x); }

/// sum += a * b as two limbs. The low limb may take 2^12 products.
struct Dot {
    Wide low, high;
};
QUARRY_IFMA_INLINE void multiply_add(Dot& sum, Wide a, Wide b) {
    sum.low = multiply_add_low(sum.low, a, b);
    sum.high = multiply_add_high(sum.high, a, b);
}
/// At most 37 products of numbers below 2^32 and 2^31 on top of high <= 3p: the result is in (0, 3p + 2^17].
QUARRY_IFMA_INLINE Wide reduce(const Dot& sum) { return reduce(sum.low, sum.high); }

/// A small signed factor as its residue mod 2^52.
QUARRY_IFMA_INLINE Wide factor(std::int64_t x) { return broadcast(static_cast<std::uint64_t>(x) & (kLimb - 1)); }

/// s := 4 M s + constants. Inputs at most p + 2^23. Differences wrap mod 2^64 and products are exact mod 2^52; the
/// result as an integer is non-negative and at most 4 * 371 (p + 2^23) + 5p < 2^42, so its residue mod 2^52 is it, once
/// the upper 12 bits are ignored, as every multiplication does. 371 is the sum of the matrix column.
QUARRY_IFMA_INLINE void circulant(Wide* s, const PoseidonTables& t, std::size_t full_round) {
    Wide u[8], v[8], n[8];
    QUARRY_IFMA_UNROLL
    for (int i = 0; i < 8; ++i) {
        u[i] = add(s[i], s[i + 8]);
        v[i] = sub(s[i], s[i + 8]);
        n[i] = broadcast(t.n[full_round][i]);
    }
    QUARRY_IFMA_UNROLL
    for (int j = 0; j < 8; ++j) {
        QUARRY_IFMA_UNROLL
        for (int i = 0; i < 8; ++i) {
            const std::int64_t c = kPoseidonMdsFactors.negacyclic8[j];
            n[(i + j) % 8] = multiply_add_low(n[(i + j) % 8], v[i], factor(i + j >= 8 ? -c : c));
        }
    }
    Wide a[4], b[4], f[4], q[4];
    QUARRY_IFMA_UNROLL
    for (int i = 0; i < 4; ++i) {
        a[i] = add(u[i], u[i + 4]);
        b[i] = sub(u[i], u[i + 4]);
        f[i] = broadcast(t.f[full_round][i]);
        q[i] = broadcast(t.q[full_round][i]);
    }
    QUARRY_IFMA_UNROLL
    for (int j = 0; j < 4; ++j) {
        QUARRY_IFMA_UNROLL
        for (int i = 0; i < 4; ++i) {
            const std::int64_t c = kPoseidonMdsFactors.negacyclic4[j];
            f[(i + j) % 4] = multiply_add_low(f[(i + j) % 4], a[i], factor(kPoseidonMdsFactors.cyclic4[j]));
            q[(i + j) % 4] = multiply_add_low(q[(i + j) % 4], b[i], factor(i + j >= 4 ? -c : c));
        }
    }
    QUARRY_IFMA_UNROLL
    for (int i = 0; i < 4; ++i) {
        const Wide even = add(f[i], q[i]);
        const Wide odd = sub(f[i], q[i]);
        s[i] = add(even, n[i]);
        s[i + 4] = add(odd, n[i + 4]);
        s[i + 8] = sub(even, n[i]);
        s[i + 12] = sub(odd, n[i + 4]);
    }
}

/// In: below 2^42 (mod 2^52). Out: as circulant.
__attribute__((noinline)) void full_round(Wide* s, const PoseidonTables& t, std::size_t full_round) {
    QUARRY_IFMA_UNROLL
    for (int i = 0; i < 16; ++i) s[i] = cube(s[i]);
    circulant(s, t, full_round);
}

/// The S-boxes of the last full round before the partial ones, then x. Out: at most p + 2^14: 16 products of a cube
/// (below 2^32) and a constant (below p).
__attribute__((noinline)) void enter(const Wide* s, const PoseidonTables& t, Wide* x) {
    Wide cubes[16];
    QUARRY_IFMA_UNROLL
    for (int i = 0; i < 16; ++i) cubes[i] = cube(s[i]);
    for (int i = 0; i < 16; i += 8) {
        Dot sum[8];
        QUARRY_IFMA_UNROLL
        for (int k = 0; k < 8; ++k) sum[k] = {broadcast(t.entry_constant[i + k]), broadcast(kP)};
        QUARRY_IFMA_UNROLL
        for (int j = 0; j < 16; ++j) {
            QUARRY_IFMA_UNROLL
            for (int k = 0; k < 8; ++k) multiply_add(sum[k], cubes[j], broadcast(t.entry[i + k][j]));
        }
        QUARRY_IFMA_UNROLL
        for (int k = 0; k < 8; ++k) x[i + k] = reduce(sum[k]);
    }
}

/// Partial rounds first .. first + kCount - 1 of both halves: the products with known variables of all rounds together
/// (many independent chains), then the short serial tail. Every variable stays below 2^32.
template <int kCount>
__attribute__((noinline)) void partial_rounds(Wide* x, Wide* y, const PoseidonTables& t, int first) {
    Dot a[kCount], b[kCount];
    const std::uint64_t* form[kCount];
    QUARRY_IFMA_UNROLL
    for (int k = 0; k < kCount; ++k) {
        form[k] = t.form[first + k];
        a[k] = b[k] = {broadcast(t.form_constant[first + k]), broadcast(kP)};
    }
    for (int j = 1; j < 16 + first; ++j) {
        const Wide xj = x[j];
        const Wide yj = y[j];
        QUARRY_IFMA_UNROLL
        for (int k = 0; k < kCount; ++k) {
            const Wide c = broadcast(form[k][j]);
            multiply_add(a[k], xj, c);
            multiply_add(b[k], yj, c);
        }
    }
    QUARRY_IFMA_UNROLL
    for (int k = 0; k < kCount; ++k) {
        const Wide za = cube(reduce(a[k]));
        const Wide zb = cube(reduce(b[k]));
        x[16 + first + k] = za;
        y[16 + first + k] = zb;
        QUARRY_IFMA_UNROLL
        for (int m = k + 1; m < kCount; ++m) {
            const Wide c = broadcast(form[m][16 + first + k]);
            multiply_add(a[m], za, c);
            multiply_add(b[m], zb, c);
        }
    }
}

/// The state after the partial rounds. Out: at most 2p + 2^17.
__attribute__((noinline)) void leave(const Wide* x, const PoseidonTables& t, Wide* s) {
    Dot first{broadcast(t.exit_constant[0]), broadcast(kP)};
    Dot second{_mm512_setzero_si512(), _mm512_setzero_si512()};
    QUARRY_IFMA_UNROLL
    for (int j = 1; j < 16; ++j) multiply_add((j & 1) != 0 ? first : second, x[j], broadcast(t.exit_x[j]));
    for (int i = 0; i < 16; i += 8) {
        Dot sum[8];
        QUARRY_IFMA_UNROLL
        for (int k = 0; k < 8; ++k) sum[k] = {broadcast(t.exit_constant[i + k]), add(x[i + k], broadcast(kP))};
        if (i == 0) sum[0] = {add(first.low, second.low), add(first.high, second.high)};
        QUARRY_IFMA_UNROLL
        for (int j = 0; j < static_cast<int>(kPoseidonPartialRounds); ++j) {
            const Wide z = x[16 + j];
            QUARRY_IFMA_UNROLL
            for (int k = 0; k < 8; ++k) multiply_add(sum[k], z, broadcast(t.exit[i + k][j]));
        }
        QUARRY_IFMA_UNROLL
        for (int k = 0; k < 8; ++k) s[i + k] = reduce(sum[k]);
    }
}

/// v / 2^32 mod p, canonical, for v < 2^42 mod 2^52: high word < 2^10, so the difference is in (0, p + 2^10).
QUARRY_IFMA_INLINE Wide finish(Wide v) {
    const Wide q = _mm512_mul_epu32(v, broadcast(KoalaBear::kModulusInverse));
    const Wide product = _mm512_srli_epi64(_mm512_mul_epu32(q, broadcast(kP)), 32);
    const Wide high = _mm512_srli_epi64(_mm512_and_si512(v, broadcast(kLimb - 1)), 32);
    const Wide d = add(high, sub(broadcast(kP), product));
    return _mm512_min_epu64(d, sub(d, broadcast(kP)));
}

}  // namespace

void poseidon_permute16_ifma(std::uint32_t* lanes) {
    static_assert(kPoseidonHalfFullRounds == 4 && kPoseidonPartialRounds == 20, "the round blocks below");
    const PoseidonTables& t = tables();
    Wide even[16], odd[16];
    for (int i = 0; i < 16; ++i) {
        const Wide v = _mm512_loadu_si512(lanes + 16 * i);
        const Wide c = broadcast(t.first_constant[i]);
        even[i] = add(_mm512_and_si512(v, broadcast(0xffffffff)), c);
        odd[i] = add(_mm512_srli_epi64(v, 32), c);
    }
    for (std::size_t r = 0; r < 3; ++r) {
        full_round(even, t, r);
        full_round(odd, t, r);
    }
    Wide x[PoseidonSparse::kNumVariables], y[PoseidonSparse::kNumVariables];
    enter(even, t, x);
    enter(odd, t, y);
    x[16] = cube(x[0]);
    y[16] = cube(y[0]);
    for (int first = 1; first < 17; first += 4) partial_rounds<4>(x, y, t, first);
    partial_rounds<3>(x, y, t, 17);
    leave(x, t, even);
    leave(y, t, odd);
    for (std::size_t r = 4; r < 8; ++r) {
        full_round(even, t, r);
        full_round(odd, t, r);
    }
    for (int i = 0; i < 16; ++i) {
        _mm512_storeu_si512(lanes + 16 * i, _mm512_or_si512(finish(even[i]), _mm512_slli_epi64(finish(odd[i]), 32)));
    }
}

}  // namespace quarry

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
