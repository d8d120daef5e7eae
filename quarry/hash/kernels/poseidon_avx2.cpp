// Poseidon on 16 states with AVX2, built on vpmaddwd: products of 16-bit halves, two of them summed into each 32-bit
// lane. Highway has the instruction but not the layout below, which only 256-bit vectors without IFMA gain from.
//
// A state element of 8 states is one vector of signed 32-bit lanes, residues at the scales of PoseidonTables. Each
// function says how large its inputs may be and its outputs are; U stands for 2^30, p = 1.984 U.
#include <immintrin.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "quarry/base/check.hpp"
#include "quarry/hash/kernels/poseidon_tables.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

namespace quarry {
namespace {

using Vec = __m256i;
#define QUARRY_AVX2_INLINE static inline __attribute__((always_inline))
#define QUARRY_AVX2_UNROLL _Pragma("GCC unroll 64")
/// Loops that stay loops: the whole permutation has to fit the cache of decoded instructions.
#define QUARRY_AVX2_LOOP _Pragma("GCC unroll 1")

constexpr std::int64_t kP = KoalaBear::kModulus;

QUARRY_AVX2_INLINE Vec broadcast(std::int32_t x) { return _mm256_set1_epi32(x); }
QUARRY_AVX2_INLINE Vec broadcast64(std::int64_t x) { return _mm256_set1_epi64x(x); }
QUARRY_AVX2_INLINE Vec modulus() { return broadcast(static_cast<std::int32_t>(KoalaBear::kModulus)); }
QUARRY_AVX2_INLINE Vec inverse() { return broadcast(static_cast<std::int32_t>(KoalaBear::kModulusInverse)); }
QUARRY_AVX2_INLINE Vec add(Vec a, Vec b) { return _mm256_add_epi32(a, b); }
QUARRY_AVX2_INLINE Vec sub(Vec a, Vec b) { return _mm256_sub_epi32(a, b); }
/// From (-p, p) to [0, p).
QUARRY_AVX2_INLINE Vec canonical(Vec x) { return _mm256_min_epu32(x, add(x, modulus())); }
/// From [0, 2p) to [0, p).
QUARRY_AVX2_INLINE Vec subtract_modulus(Vec x) { return _mm256_min_epu32(x, sub(x, modulus())); }

// ---- Products of full elements: the even and the odd lanes apart ----

/// Lanes 0, 2, 4, 6 and lanes 1, 3, 5, 7 of a vector, in the low halves of 64-bit lanes. The high halves are not read.
struct Split {
    Vec even, odd;
};
QUARRY_AVX2_INLINE Vec high_half(Vec x) { return _mm256_srli_epi64(x, 32); }
QUARRY_AVX2_INLINE Split split(Vec x) { return {x, high_half(x)}; }
QUARRY_AVX2_INLINE Vec multiply(Vec a, Vec b) { return _mm256_mul_epi32(a, b); }

/// t / 2^32 mod p in the high halves, within |t| / 2^32 + p/2: q = t / p mod 2^32 as a signed word, (t - q p) / 2^32.
/// The low halves are zero. |t| <= 2^63 - 2^31 p.
QUARRY_AVX2_INLINE Vec montgomery(Vec t) {
    return _mm256_sub_epi64(t, multiply(_mm256_mul_epi32(t, inverse()), modulus()));
}
/// x^3 / 2^64 in the high halves. |x| < 1.99 U: x^2 part below x^2 / 4 + p/2 < 1.983 U, cube below 1.98 U < p. For
/// |x| <= 1.024 U the cube is within 1.314 U, for |x| <= p/2 + 16 within 1.3 U.
QUARRY_AVX2_INLINE Split cube_high(Split x) {
    const Vec even = high_half(montgomery(multiply(x.even, x.even)));
    const Vec odd = high_half(montgomery(multiply(x.odd, x.odd)));
    return {montgomery(multiply(even, x.even)), montgomery(multiply(odd, x.odd))};
}
/// A factor for multiply(). The empty assembly hides where it comes from: clang would see that the shift is unsigned
/// and replace vpmuldq by vpmuludq and sign corrections.
QUARRY_AVX2_INLINE Vec factor_from_high(Vec x) {
    Vec r = high_half(x);
    asm("" : "+x"(r));
    return r;
}
QUARRY_AVX2_INLINE Split from_high(Split x) { return {factor_from_high(x.even), factor_from_high(x.odd)}; }
QUARRY_AVX2_INLINE Vec join_high(Split x) { return _mm256_blend_epi32(high_half(x.even), x.odd, 0xaa); }

// ---- Circulant product: 16-bit halves ----

/// Two small factors as vpmaddwd takes them.
struct alignas(32) FactorPair {
    std::int32_t lanes[8];
};
constexpr FactorPair factor_pair(std::int64_t low, std::int64_t high) {
    FactorPair r{};
    for (std::int32_t& x : r.lanes) {
        x = static_cast<std::int32_t>((static_cast<std::uint32_t>(high) << 16) |
                                      (static_cast<std::uint32_t>(low) & 0xffff));
    }
    return r;
}
/// What pairs of elements give to output k. Pairs are (v_m, v_(m+4)), (a_2m, a_(2m+1)), (b_2m, b_(2m+1)).
struct CirculantFactors {
    FactorPair n[8][4], f[4][2], q[4][2];
    std::int64_t sum_n[8], sum_f[4], sum_q[4];  ///< of each output's factors
};
constexpr CirculantFactors kFactors = [] {
    CirculantFactors r{};
    for (int k = 0; k < 8; ++k) {
        std::int64_t row[8]{};
        for (int i = 0; i < 8; ++i) {
            const std::int64_t c = kPoseidonMdsFactors.negacyclic8[(k - i) & 7];
            row[i] = i > k ? -c : c;
            r.sum_n[k] += row[i];
        }
        for (int m = 0; m < 4; ++m) r.n[k][m] = factor_pair(row[m], row[m + 4]);
    }
    for (int k = 0; k < 4; ++k) {
        std::int64_t f[4]{};
        std::int64_t q[4]{};
        for (int i = 0; i < 4; ++i) {
            const std::int64_t c = kPoseidonMdsFactors.negacyclic4[(k - i) & 3];
            f[i] = kPoseidonMdsFactors.cyclic4[(k - i) & 3];
            q[i] = i > k ? -c : c;
            r.sum_f[k] += f[i];
            r.sum_q[k] += q[i];
        }
        for (int m = 0; m < 2; ++m) {
            r.f[k][m] = factor_pair(f[2 * m], f[2 * m + 1]);
            r.q[k][m] = factor_pair(q[2 * m], q[2 * m + 1]);
        }
    }
    return r;
}();
/// The largest absolute sum of the factors of one output.
constexpr std::int64_t kFactorSum = [] {
    const auto magnitude = [](const FactorPair& c) {
        const auto low = static_cast<std::int16_t>(c.lanes[0] & 0xffff);
        const auto high = static_cast<std::int16_t>(c.lanes[0] >> 16);
        return std::int64_t{low < 0 ? -low : low} + (high < 0 ? -high : high);
    };
    std::int64_t largest = 0;
    for (int k = 0; k < 8; ++k) {
        std::int64_t sum = 0;
        for (const FactorPair& c : kFactors.n[k]) sum += magnitude(c);
        for (const FactorPair& c : kFactors.f[k % 4]) sum += magnitude(c);
        for (const FactorPair& c : kFactors.q[k % 4]) sum += magnitude(c);
        largest = std::max(largest, sum);
    }
    return largest;
}();
static_assert(kFactorSum << 15 < 1 << 25);

/// Two elements x = 2^16 high + low + 2^15, |low|, |high| <= 2^15, as the pairs that vpmaddwd takes: with floor for
/// high, low is the lower half less 2^15, a signed word. 2^15 times the sum of the factors is in the round constants.
struct Pair {
    Vec low, high;
};
QUARRY_AVX2_INLINE Pair pair(Vec x, Vec y) {
    const Vec low = _mm256_blend_epi16(x, _mm256_slli_epi32(y, 16), 0xaa);
    const Vec high = _mm256_blend_epi16(_mm256_srli_epi32(x, 16), y, 0xaa);
    return {_mm256_xor_si256(low, broadcast(static_cast<std::int32_t>(0x80008000))), high};
}
/// The memory operand is assembly because the compiler would load a factor once for both halves: one instruction more,
/// and instructions are what bounds this code.
QUARRY_AVX2_INLINE Vec multiply(Vec halves, const FactorPair& c) {
    Vec r;
    asm("vpmaddwd %2, %1, %0" : "=x"(r) : "x"(halves), "m"(c));
    return r;
}

/// The low or the high halves of the circulant's inputs, in pairs.
struct Halves {
    Vec v[4], a[2], b[2];
};
struct Inputs {
    Halves low, high;
};
/// What those halves give to outputs k, k + 4, k + 8, k + 12, k < 4: within kFactorSum * 2^15 < 2^25.
struct Outputs {
    Vec at[4];
};
QUARRY_AVX2_INLINE Outputs circulant(const Halves& x, int k) {
    Vec n[2];
    QUARRY_AVX2_UNROLL
    for (int i = 0; i < 2; ++i) {
        const FactorPair* c = kFactors.n[k + 4 * i];
        n[i] = add(add(multiply(x.v[0], c[0]), multiply(x.v[1], c[1])),
                   add(multiply(x.v[2], c[2]), multiply(x.v[3], c[3])));
    }
    const Vec f = add(multiply(x.a[0], kFactors.f[k][0]), multiply(x.a[1], kFactors.f[k][1]));
    const Vec q = add(multiply(x.b[0], kFactors.q[k][0]), multiply(x.b[1], kFactors.q[k][1]));
    const Vec plus = add(f, q);
    const Vec minus = sub(f, q);
    return {{add(plus, n[0]), add(minus, n[1]), sub(plus, n[0]), sub(minus, n[1])}};
}

/// low / 2^16 mod p by a Montgomery step of 16 bits: p = 1 mod 2^16, so that with low = 2^16 up + u the residue is
/// up - u (p - 1) / 2^16. u is taken as the signed word u - 2^15; what that leaves out is in the round constants. For
/// |low| <= 2^25 + p/2 within 2^25 / 2^16 + 2^14 + 32512 * 2^15.
constexpr std::int64_t kStep = (KoalaBear::kModulus - 1) >> 16;
constexpr FactorPair kStepFactors = factor_pair(-kStep, 1);
QUARRY_AVX2_INLINE Vec montgomery_step(Vec low) {
    return multiply(_mm256_xor_si256(low, broadcast(0x8000)), kStepFactors);
}

/// Constants of a round, one vector an element.
struct alignas(32) RoundConstants {
    std::int32_t lanes[kPoseidonWidth][8];
};

/// In: within 1.99 U. The S-box outputs x as the circulant's inputs, u, v, a, b as in PoseidonMdsFactors: v, a, b in
/// [-p, p), so that their upper halves are signed words.
QUARRY_AVX2_INLINE void sbox_layer(const Vec* s, Inputs& r) {
    Vec a[2], b[2];
    QUARRY_AVX2_UNROLL
    for (int i = 0; i < 4; ++i) {
        Vec x[4];
        QUARRY_AVX2_UNROLL
        for (int k = 0; k < 4; ++k) x[k] = canonical(join_high(cube_high(split(s[i + 4 * k]))));
        const Pair v = pair(sub(x[0], x[2]), sub(x[1], x[3]));
        r.low.v[i] = v.low;
        r.high.v[i] = v.high;
        const Vec u0 = subtract_modulus(add(x[0], x[2]));
        const Vec u1 = subtract_modulus(add(x[1], x[3]));
        a[i % 2] = add(u0, sub(u1, modulus()));
        b[i % 2] = sub(u0, u1);
        if (i % 2 == 0) continue;
        const Pair pair_a = pair(a[0], a[1]);
        const Pair pair_b = pair(b[0], b[1]);
        r.low.a[i / 2] = pair_a.low;
        r.high.a[i / 2] = pair_a.high;
        r.low.b[i / 2] = pair_b.low;
        r.high.b[i / 2] = pair_b.high;
    }
}

/// s := (4 M s^3 + constants) / 2^16 of 16 states, s[h] of half h. In: within 1.99 U. Out: within 2^25 + what
/// montgomery_step() gives, below 1.024 U. The layers of the halves alternate: each is the other's work while it waits.
__attribute__((noinline)) void full_round(Vec (*s)[16], const RoundConstants& c) {
    Inputs x[2];
    for (int half = 0; half < 2; ++half) sbox_layer(s[half], x[half]);
    for (int half = 0; half < 2; ++half) {
        Vec* out = s[half];
        QUARRY_AVX2_UNROLL
        for (int k = 0; k < 4; ++k) {
            const Outputs low = circulant(x[half].low, k);
            QUARRY_AVX2_UNROLL
            for (int i = 0; i < 4; ++i) {
                const Vec constant = _mm256_load_si256(reinterpret_cast<const Vec*>(c.lanes[k + 4 * i]));
                out[k + 4 * i] = montgomery_step(add(low.at[i], constant));
            }
        }
        QUARRY_AVX2_UNROLL
        for (int k = 0; k < 4; ++k) {
            const Outputs high = circulant(x[half].high, k);
            QUARRY_AVX2_UNROLL
            for (int i = 0; i < 4; ++i) out[k + 4 * i] = add(high.at[i], out[k + 4 * i]);
        }
    }
}

// ---- Partial rounds: dot products ----

/// Products between two carries. Eight products of the largest numbers would not fit 63 bits; those with the constants
/// at hand do: make_tables() checks each group.
constexpr int kGroup = 8;
/// The j-th element that a row of `entry` takes: in their own order one group would be too large.
constexpr int entry_order(int j) { return j < kGroup ? 2 * j : 2 * (j - kGroup) + 1; }
/// Largest magnitudes of what constants are multiplied by: S-box outputs of the last full round before the partial
/// ones and of partial rounds (see cube_high), and dot products.
constexpr std::uint64_t kEntryCube = 1314 * ((std::uint64_t{1} << 30) / 1000 + 1);
constexpr std::uint64_t kPartialCube = 1300 * ((std::uint64_t{1} << 30) / 1000 + 1);
constexpr std::uint64_t kVariable = KoalaBear::kModulus / 2 + 16;

struct Tables {
    std::int32_t first[kPoseidonWidth];  ///< less p: the first addition gives [-p, p)
    RoundConstants round[kPoseidonFullRounds];
    std::int32_t entry[kPoseidonWidth][kPoseidonWidth];  ///< columns in entry_order
    std::int32_t form[kPoseidonPartialRounds][PoseidonSparse::kNumVariables];
    std::int32_t exit[kPoseidonWidth][kPoseidonPartialRounds];
    std::int32_t exit_x[kPoseidonWidth];
    std::int64_t entry_start[kPoseidonWidth], form_start[kPoseidonPartialRounds], exit_start[kPoseidonWidth],
        exit_x_start;
};

/// The representative of x in [-p/2, p/2].
std::int32_t centered(KoalaBear x) {
    const std::int64_t c = x.canonical();
    return static_cast<std::int32_t>(2 * c > kP ? c - kP : c);
}
/// The sum's start: 2^63, which lets the carries be unsigned, and a constant c less the 2^63 that each carry and the
/// reduction bring with them.
std::int64_t start(std::uint64_t c, std::uint64_t carries) {
    const KoalaBear bias = KoalaBear(2).pow(63);
    const KoalaBear x = KoalaBear(c) - bias * KoalaBear(carries + 1);
    return static_cast<std::int64_t>((std::uint64_t{1} << 63) + x.canonical());
}
/// Each eight of `factors` times numbers of that magnitude keep a sum that starts below 2^33 (a carried one, or a
/// constant) within 2^63.
void check_groups(std::span<const std::int32_t> factors, std::uint64_t magnitude) {
    while (!factors.empty()) {
        const std::size_t n = std::min<std::size_t>(kGroup, factors.size());
        std::uint64_t total = 0;
        for (const std::int32_t c : factors.first(n)) total += static_cast<std::uint64_t>(std::abs(std::int64_t{c}));
        QUARRY_CHECK(total < ((std::uint64_t{1} << 63) - (std::uint64_t{1} << 33)) / magnitude);
        factors = factors.subspan(n);
    }
}
constexpr std::uint64_t carries(std::uint64_t products) { return (products + kGroup - 1) / kGroup; }

Tables make_tables() {
    const KoalaBear over_word = KoalaBear(std::uint64_t{1} << 32).inverse();
    const KoalaBear over_half_word = KoalaBear(std::uint64_t{1} << 16).inverse();
    const PoseidonTables t({over_word * over_word, over_word * over_word, over_half_word, over_half_word, 0});
    Tables r{};
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        r.first[i] = static_cast<std::int32_t>(static_cast<std::int64_t>(t.first_constant[i]) - kP);
        for (int j = 0; j < 16; ++j) {
            r.entry[i][j] = centered(KoalaBear(t.entry[i][static_cast<std::size_t>(entry_order(j))]));
        }
        for (std::size_t j = 0; j < kPoseidonPartialRounds; ++j) r.exit[i][j] = centered(KoalaBear(t.exit[i][j]));
        r.exit_x[i] = centered(KoalaBear(t.exit_x[i]));
        check_groups(r.entry[i], kEntryCube);
        check_groups(r.exit[i], kPartialCube);
        r.entry_start[i] = start(t.entry_constant[i], 1);
        r.exit_start[i] = start(t.exit_constant[i], 2);
    }
    check_groups(std::span(r.exit_x).subspan(1), kVariable);
    r.exit_x_start = start(0, 1);
    for (std::size_t i = 0; i < kPoseidonPartialRounds; ++i) {
        for (std::size_t j = 0; j < PoseidonSparse::kNumVariables; ++j) {
            r.form[i][j] = centered(KoalaBear(t.form[i][j]));
        }
        if (i == 0) continue;  // its S-box takes x_0 itself
        const std::size_t first = (i - 1) / 4 * 4 + 1;
        const std::span<const std::int32_t> form(r.form[i]);
        check_groups(form.subspan(1, 15 + first), kPartialCube);
        check_groups(form.subspan(16 + first, i - first), kPartialCube);
        r.form_start[i] = start(t.form_constant[i], carries(15 + first));
    }
    // pair() leaves out 2^15 of each element, montgomery_step() adds (p - 1) / 2^16 * 2^15 to the quotient.
    const KoalaBear of_step = KoalaBear::from_signed(kStep << 31);
    for (std::size_t round = 0; round < kPoseidonFullRounds; ++round) {
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
            const std::size_t k = i % 4;
            const bool minus_q = i % 8 >= 4;
            const bool minus_n = i >= 8;
            const KoalaBear q(t.q[round][k]);
            const KoalaBear n(t.n[round][i % 8]);
            const std::int64_t factors = kFactors.sum_f[k] + (minus_q ? -kFactors.sum_q[k] : kFactors.sum_q[k]) +
                                         (minus_n ? -kFactors.sum_n[i % 8] : kFactors.sum_n[i % 8]);
            const KoalaBear c = KoalaBear(t.f[round][k]) + (minus_q ? -q : q) + (minus_n ? -n : n);
            std::fill_n(r.round[round].lanes[i], 8,
                        centered(c + KoalaBear::from_signed(factors * (1 << 15)) - of_step));
        }
    }
    return r;
}

const Tables& tables() {
    static const Tables t = make_tables();
    return t;
}

/// An element of 16 states: Split of both halves.
struct Element {
    Split half[2];
};
QUARRY_AVX2_INLINE Element from_high(const Element& x) { return {{from_high(x.half[0]), from_high(x.half[1])}}; }
QUARRY_AVX2_INLINE Element cube_high(const Element& x) { return {{cube_high(x.half[0]), cube_high(x.half[1])}}; }

/// A dot product: sum - 2^63 + 2^32 high.
struct Dot {
    Element sum, high;
};
QUARRY_AVX2_INLINE Dot dot(std::int64_t start) {
    const Split x{broadcast64(start), broadcast64(start)};
    const Split zero{_mm256_setzero_si256(), _mm256_setzero_si256()};
    return {{{x, x}}, {{zero, zero}}};
}
/// The empty assembly keeps the additions in their order: clang would make trees of them, whose nodes do not fit the
/// registers.
QUARRY_AVX2_INLINE void multiply_add(Vec& sum, Vec x, Vec c) {
    sum = _mm256_add_epi64(sum, multiply(x, c));
    asm("" : "+x"(sum));
}
QUARRY_AVX2_INLINE void multiply_add(Dot& s, const Element& x, std::int32_t c) {
    const Vec w = broadcast(c);
    QUARRY_AVX2_UNROLL
    for (int h = 0; h < 2; ++h) {
        multiply_add(s.sum.half[h].even, x.half[h].even, w);
        multiply_add(s.sum.half[h].odd, x.half[h].odd, w);
    }
}
QUARRY_AVX2_INLINE void carry(Vec& sum, Vec& high) {
    high = _mm256_add_epi64(high, high_half(sum));
    sum = _mm256_blend_epi32(sum, broadcast(static_cast<std::int32_t>(0x80000000)), 0xaa);
}
QUARRY_AVX2_INLINE void carry(Dot& s) {
    QUARRY_AVX2_UNROLL
    for (int h = 0; h < 2; ++h) {
        carry(s.sum.half[h].even, s.high.half[h].even);
        carry(s.sum.half[h].odd, s.high.half[h].odd);
    }
}
/// The sum / 2^64 in the high halves, within p/2 + 16: two Montgomery steps, the first below 2^36 (the low words of the
/// sum and of q p are equal).
QUARRY_AVX2_INLINE Vec reduce_dot(Vec sum, Vec high) {
    const Vec product = _mm256_mul_epu32(_mm256_mul_epu32(sum, inverse()), modulus());
    return montgomery(_mm256_sub_epi64(_mm256_add_epi64(high, high_half(sum)), high_half(product)));
}
QUARRY_AVX2_INLINE Element reduce_dot(const Dot& s) {
    Element r;
    QUARRY_AVX2_UNROLL
    for (int h = 0; h < 2; ++h) {
        r.half[h] = {reduce_dot(s.sum.half[h].even, s.high.half[h].even),
                     reduce_dot(s.sum.half[h].odd, s.high.half[h].odd)};
    }
    return r;
}

/// The variables of the partial rounds, and those that the state after them adds to, as a full round has them.
struct Variables {
    Element x[PoseidonSparse::kNumVariables];
    Vec joined[2][kPoseidonWidth];
};

__attribute__((noinline)) void enter(const Vec (*s)[16], const Tables& t, Variables& v) {
    Element* cubes = v.x + 16;  // z_0 .. z_15 are not known yet
    for (int i = 0; i < 16; ++i) cubes[i] = from_high(cube_high(Element{{split(s[0][i]), split(s[1][i])}}));
    for (int i = 0; i < 16; ++i) {
        Dot sum = dot(t.entry_start[i]);
        QUARRY_AVX2_UNROLL
        for (int j = 0; j < 16; ++j) {
            multiply_add(sum, cubes[entry_order(j)], t.entry[i][j]);
            if (j == kGroup - 1) carry(sum);
        }
        const Element x = reduce_dot(sum);
        v.joined[0][i] = join_high(x.half[0]);
        v.joined[1][i] = join_high(x.half[1]);
        v.x[i] = from_high(x);
    }
    v.x[16] = from_high(cube_high(v.x[0]));
}

/// Partial rounds first .. first + 3 (.. 19 at most). The known variables, 1 .. 15 + first, are a multiple of 4 and end
/// with a carry; the rounds of this call add fewer than 4 products, so that they need none.
__attribute__((noinline)) void partial_rounds(Variables& v, const Tables& t, int first) {
    const int known = 16 + first;
    for (int round = first; round < std::min(first + 4, static_cast<int>(kPoseidonPartialRounds)); ++round) {
        const std::int32_t* form = t.form[round];
        Dot sum = dot(t.form_start[round]);
        for (int j = 1; j < known; j += kGroup) {
            QUARRY_AVX2_UNROLL
            for (int m = 0; m < 4; ++m) multiply_add(sum, v.x[j + m], form[j + m]);
            if (j + 4 < known) {
                QUARRY_AVX2_UNROLL
                for (int m = 4; m < kGroup; ++m) multiply_add(sum, v.x[j + m], form[j + m]);
            }
            carry(sum);
        }
        for (int j = known; j < 16 + round; ++j) multiply_add(sum, v.x[j], form[j]);
        v.x[16 + round] = from_high(cube_high(from_high(reduce_dot(sum))));
    }
}

/// The state after the partial rounds. Out: within p + 32.
__attribute__((noinline)) void leave(const Variables& v, const Tables& t, Vec (*s)[16]) {
    Dot first = dot(t.exit_x_start);
    QUARRY_AVX2_LOOP
    for (int j = 1; j < 16; ++j) {
        multiply_add(first, v.x[j], t.exit_x[j]);
        if (j == kGroup) carry(first);
    }
    const Element x0 = reduce_dot(first);
    for (int i = 0; i < 16; ++i) {
        Dot sum = dot(t.exit_start[i]);
        QUARRY_AVX2_UNROLL
        for (int j = 0; j < static_cast<int>(kPoseidonPartialRounds); ++j) {
            multiply_add(sum, v.x[16 + j], t.exit[i][j]);
            if (j % kGroup == kGroup - 1) carry(sum);
        }
        const Element r = reduce_dot(sum);
        for (int h = 0; h < 2; ++h) s[h][i] = add(join_high(r.half[h]), v.joined[h][i]);
    }
    for (int h = 0; h < 2; ++h) s[h][0] = add(sub(s[h][0], v.joined[h][0]), join_high(x0.half[h]));
}

}  // namespace

void poseidon_permute16_avx2(std::uint32_t* lanes) {
    static_assert(kPoseidonHalfFullRounds == 4 && kPoseidonPartialRounds == 20, "the round blocks below");
    const Tables& t = tables();
    Vec s[2][16];
    QUARRY_AVX2_LOOP
    for (int i = 0; i < 16; ++i) {
        for (int h = 0; h < 2; ++h) {
            const Vec x = _mm256_loadu_si256(reinterpret_cast<const Vec*>(lanes + 16 * i + 8 * h));
            s[h][i] = add(x, broadcast(t.first[i]));
        }
    }
    for (std::size_t r = 0; r < 3; ++r) full_round(s, t.round[r]);
    Variables v;
    enter(s, t, v);
    for (int first = 1; first < 20; first += 4) partial_rounds(v, t, first);
    leave(v, t, s);
    for (std::size_t r = 4; r < 8; ++r) full_round(s, t.round[r]);
    QUARRY_AVX2_LOOP
    for (int i = 0; i < 16; ++i) {
        for (int h = 0; h < 2; ++h) {
            _mm256_storeu_si256(reinterpret_cast<Vec*>(lanes + 16 * i + 8 * h), canonical(s[h][i]));
        }
    }
}

}  // namespace quarry

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
