#include "quarry/hash/kernels/poseidon_kernels.hpp"

#include "quarry/field/isa.hpp"
#include "quarry/field/kernels/targets.hpp"
#include "quarry/hash/kernels/poseidon_tables.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/hash/kernels/poseidon_kernels.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3

/// Sums of the circulant product reach down to -(101 + 546 + 2) p and up to (371 + 101 + 546 + 3) p, by the absolute
/// sums of the factors. The offset makes them positive, below 2^11 p < 2^32 p.
constexpr std::uint64_t kMdsOffset = std::uint64_t{1024} * KoalaBear::kModulus;

const PoseidonTables& tables() {
    static const PoseidonTables t([] {
        const KoalaBear over_word = KoalaBear(std::uint64_t{1} << 32).inverse();
        const KoalaBear over_two_words = over_word * over_word;  // S-box and dot products: two Montgomery reductions
        return PoseidonTables::Arithmetic{over_two_words, over_two_words, over_word, over_word, kMdsOffset};
    }());
    return t;
}

HWY_INLINE Lanes constant(std::uint64_t x) { return broadcast(static_cast<std::uint32_t>(x)); }
HWY_INLINE Lanes cube(Lanes x) { return mul(square(x), x); }

/// sum += x * factor, the factor a small signed constant.
HWY_INLINE void multiply_add_small(Wide& sum, Lanes x, std::int64_t factor) {
    if (factor >= 0) {
        sum = add64(sum, mul_even(x, broadcast(static_cast<std::uint32_t>(factor))));
    } else {
        sum = sub64(sum, mul_even(x, broadcast(static_cast<std::uint32_t>(-factor))));
    }
}

/// The even lanes of 4 M x + constants, unreduced, from those of v, a, b (see PoseidonMdsFactors).
HWY_INLINE void circulant_half(const Lanes* v, const Lanes* a, const Lanes* b, const PoseidonTables& t,
                               std::size_t round, Wide* out) {
    Wide n[8];
    QUARRY_UNROLL
    for (int k = 0; k < 8; ++k) {
        n[k] = broadcast64(t.n[round][k]);
        QUARRY_UNROLL
        for (int i = 0; i < 8; ++i) {
            const std::int64_t factor = kPoseidonMdsFactors.negacyclic8[(k - i) & 7];
            multiply_add_small(n[k], v[i], i > k ? -factor : factor);
        }
    }
    QUARRY_UNROLL
    for (int k = 0; k < 4; ++k) {
        Wide f = broadcast64(t.f[round][k]);
        Wide q = broadcast64(t.q[round][k]);
        QUARRY_UNROLL
        for (int i = 0; i < 4; ++i) {
            const std::int64_t factor = kPoseidonMdsFactors.negacyclic4[(k - i) & 3];
            multiply_add_small(f, a[i], kPoseidonMdsFactors.cyclic4[(k - i) & 3]);
            multiply_add_small(q, b[i], i > k ? -factor : factor);
        }
        const Wide plus = add64(f, q);
        const Wide minus = sub64(f, q);
        out[k] = add64(plus, n[k]);
        out[k + 4] = add64(minus, n[k + 4]);
        out[k + 8] = sub64(plus, n[k]);
        out[k + 12] = sub64(minus, n[k + 4]);
    }
}

HWY_NOINLINE void full_round(Lanes* s, const PoseidonTables& t, std::size_t round) {
    QUARRY_UNROLL
    for (int i = 0; i < 16; ++i) s[i] = cube(s[i]);
    Lanes u[8], v[8], a[4], b[4];
    QUARRY_UNROLL
    for (int i = 0; i < 8; ++i) {
        u[i] = add(s[i], s[i + 8]);
        v[i] = sub(s[i], s[i + 8]);
    }
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        a[i] = add(u[i], u[i + 4]);
        b[i] = sub(u[i], u[i + 4]);
    }
    Wide even[16], odd[16];
    circulant_half(v, a, b, t, round, even);
    QUARRY_UNROLL
    for (int i = 0; i < 8; ++i) v[i] = odd_to_even(v[i]);
    QUARRY_UNROLL
    for (int i = 0; i < 4; ++i) {
        a[i] = odd_to_even(a[i]);
        b[i] = odd_to_even(b[i]);
    }
    circulant_half(v, a, b, t, round, odd);
    QUARRY_UNROLL
    for (int i = 0; i < 16; ++i) s[i] = reduce(even[i], odd[i]);
}

/// A variable of the partial rounds, split once for all its products.
struct Split {
    Lanes even, odd;
};
HWY_INLINE Split split(Lanes x) { return {x, odd_to_even(x)}; }

HWY_INLINE Wide upper(Wide x) { return hn::ShiftRight<32>(x); }
HWY_INLINE Wide lower(Wide x) { return hn::And(x, hn::Set(kTag64, 0xffffffff)); }

/// Dot products computed together: as many as the registers hold.
constexpr int kTogether = 4;

/// A dot product: sum + 2^32 high, high < 2^38. Between two carry() 4 products fit: 2^32 + 4 (p - 1)^2 < 2^64.
/// Cheaper than the corrections of Accumulator where the ISA has no 64-bit minimum.
struct Dot {
    Wide even, odd, even_high, odd_high;
};
HWY_INLINE Dot dot(std::uint64_t c) { return {broadcast64(c), broadcast64(c), broadcast64(0), broadcast64(0)}; }
HWY_INLINE void multiply_add(Dot& s, const Split& x, std::uint64_t c) {
    const Lanes w = constant(c);
    s.even = add64(s.even, mul_even(x.even, w));
    s.odd = add64(s.odd, mul_even(x.odd, w));
}
HWY_INLINE void carry(Dot& s) {
    s.even_high = add64(s.even_high, upper(s.even));
    s.odd_high = add64(s.odd_high, upper(s.odd));
    s.even = lower(s.even);
    s.odd = lower(s.odd);
}
/// The sum / 2^32 mod p, positive and below 2^39: the low words of the sum and of the product subtracted are equal.
HWY_INLINE Wide reduce_once(Wide sum, Wide high) {
    const Wide p = broadcast64(KoalaBear::kModulus);
    return add64(add64(high, upper(sum)), sub64(p, upper(reduction_product(sum))));
}
/// The sum / 2^64, canonical.
HWY_INLINE Lanes reduce_dot(const Dot& s) {
    return reduce(reduce_once(s.even, s.even_high), reduce_once(s.odd, s.odd_high));
}

HWY_NOINLINE void enter(const Lanes* s, const PoseidonTables& t, Split* x) {
    Split cubes[16];
    QUARRY_UNROLL
    for (int i = 0; i < 16; ++i) cubes[i] = split(cube(s[i]));
    for (int i = 0; i < 16; i += kTogether) {
        Dot sum[kTogether];
        QUARRY_UNROLL
        for (int k = 0; k < kTogether; ++k) sum[k] = dot(t.entry_constant[i + k]);
        for (int j = 0; j < 16; j += 4) {
            QUARRY_UNROLL
            for (int k = 0; k < kTogether; ++k) {
                QUARRY_UNROLL
                for (int m = 0; m < 4; ++m) multiply_add(sum[k], cubes[j + m], t.entry[i + k][j + m]);
                carry(sum[k]);
            }
        }
        QUARRY_UNROLL
        for (int k = 0; k < kTogether; ++k) x[i + k] = split(reduce_dot(sum[k]));
    }
}

/// Partial rounds first .. first + kCount - 1. The known variables, 1 .. 15 + first, are a multiple of 4; the serial
/// tail adds fewer than 4 products, so that it needs no carry.
template <int kCount>
HWY_NOINLINE void partial_rounds(Split* x, const PoseidonTables& t, int first) {
    static_assert(kCount <= 4);
    Dot sum[kCount];
    QUARRY_UNROLL
    for (int k = 0; k < kCount; ++k) sum[k] = dot(t.form_constant[first + k]);
    constexpr int kPass = kCount % kTogether == 0 ? kTogether : kCount;
    QUARRY_UNROLL
    for (int pass = 0; pass < kCount; pass += kPass) {
        for (int j = 1; j < 16 + first; j += 4) {
            QUARRY_UNROLL
            for (int k = pass; k < pass + kPass; ++k) {
                QUARRY_UNROLL
                for (int m = 0; m < 4; ++m) multiply_add(sum[k], x[j + m], t.form[first + k][j + m]);
                carry(sum[k]);
            }
        }
    }
    QUARRY_UNROLL
    for (int k = 0; k < kCount; ++k) {
        const Split z = split(cube(reduce_dot(sum[k])));
        x[16 + first + k] = z;
        QUARRY_UNROLL
        for (int m = k + 1; m < kCount; ++m) multiply_add(sum[m], z, t.form[first + m][16 + first + k]);
    }
}

HWY_NOINLINE void leave(const Split* x, const PoseidonTables& t, Lanes* s) {
    Dot first = dot(0);
    QUARRY_UNROLL
    for (int j = 1; j < 16; ++j) {
        multiply_add(first, x[j], t.exit_x[j]);
        if (j % 4 == 0) carry(first);
    }
    const Lanes x0 = reduce_dot(first);
    for (int i = 0; i < 16; i += kTogether) {
        Dot sum[kTogether];
        QUARRY_UNROLL
        for (int k = 0; k < kTogether; ++k) sum[k] = dot(t.exit_constant[i + k]);
        static_assert(kPoseidonPartialRounds % 4 == 0);
        for (std::size_t j = 0; j < kPoseidonPartialRounds; j += 4) {
            QUARRY_UNROLL
            for (int k = 0; k < kTogether; ++k) {
                QUARRY_UNROLL
                for (std::size_t m = 0; m < 4; ++m) multiply_add(sum[k], x[16 + j + m], t.exit[i + k][j + m]);
                carry(sum[k]);
            }
        }
        QUARRY_UNROLL
        for (int k = 0; k < kTogether; ++k) s[i + k] = add(reduce_dot(sum[k]), i + k == 0 ? x0 : x[i + k].even);
    }
}

/// In place on 16 states, word-major.
HWY_NOINLINE void permute16(std::uint32_t* lanes) {
    static_assert(kPoseidonHalfFullRounds == 4 && kPoseidonPartialRounds == 20, "the round blocks below");
    const PoseidonTables& t = tables();
    Lanes s[16];
    for (int i = 0; i < 16; ++i) s[i] = add(load(lanes + 16 * i), constant(t.first_constant[i]));
    for (std::size_t r = 0; r < 3; ++r) full_round(s, t, r);
    Split x[PoseidonSparse::kNumVariables];
    enter(s, t, x);
    x[16] = split(cube(x[0].even));
    for (int first = 1; first < 17; first += 4) partial_rounds<4>(x, t, first);
    partial_rounds<3>(x, t, 17);
    leave(x, t, s);
    for (std::size_t r = 4; r < 8; ++r) full_round(s, t, r);
    for (int i = 0; i < 16; ++i) store(lanes + 16 * i, s[i]);
}

#elif HWY_TARGET != HWY_AVX2

/// Without SIMD the dense scalar code is the faster one.
void permute16(std::uint32_t* lanes) {
    for (std::size_t l = 0; l < 16; ++l) {
        PoseidonState state;
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) state[i] = KoalaBear::from_montgomery(lanes[16 * i + l]);
        ::quarry::poseidon_permute(state);
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) lanes[16 * i + l] = state[i].montgomery();
    }
}

#endif

/// The permutation of this target: the raw AVX2 kernel, or the raw IFMA kernel where the CPU has it.
using Permute16 = void (*)(std::uint32_t*);
Permute16 best_permute16() {
#if HWY_TARGET == HWY_AVX2
    return poseidon_permute16_avx2;
#else
#if HWY_TARGET == HWY_AVX3
    if (has_ifma() && kernels::ifma_allowed()) return poseidon_permute16_ifma;
#endif
    return permute16;
#endif
}

constexpr std::size_t kState = 16;
static_assert(sizeof(PoseidonState) == kState * sizeof(std::uint32_t) && sizeof(Digest) == 8 * sizeof(std::uint32_t));

/// Rows of 16 words <-> word-major lanes. Row i of 16 begins at p + i * stride.
HWY_INLINE void load_transposed(const std::uint32_t* p, std::size_t stride, Lanes* r) {
    for (std::size_t i = 0; i < 16; ++i) r[i] = load(p + i * stride);
    transpose16(r);
}
/// Words 0 .. 7 of 16 word-major states, as 16 digests.
HWY_INLINE void store_digests(const Lanes* words, std::uint32_t* out) {
    Lanes r[16];
    for (int i = 0; i < 8; ++i) r[i] = words[i];
    for (int i = 8; i < 16; ++i) r[i] = zero();
    transpose16(r);
    alignas(64) std::uint32_t rows[16][16];
    for (int i = 0; i < 16; ++i) store(rows[i], r[i]);
    for (int i = 0; i < 16; ++i) {
        for (int k = 0; k < 8; ++k) out[8 * i + k] = rows[i][k];
    }
}

void permute_states_groups(std::uint32_t* states, std::size_t groups) {
    const Permute16 permute = best_permute16();
    alignas(64) std::uint32_t lanes[16 * kState];
    for (std::size_t g = 0; g < groups; ++g, states += 16 * kState) {
        Lanes r[16];
        load_transposed(states, kState, r);
        for (int i = 0; i < 16; ++i) store(lanes + 16 * i, r[i]);
        permute(lanes);
        for (int i = 0; i < 16; ++i) r[i] = load(lanes + 16 * i);
        transpose16(r);
        for (int i = 0; i < 16; ++i) store(states + 16 * i, r[i]);
    }
}

void compress_groups(const std::uint32_t* children, std::uint32_t* parents, std::size_t groups) {
    const Permute16 permute = best_permute16();
    alignas(64) std::uint32_t lanes[16 * kState];
    for (std::size_t g = 0; g < groups; ++g) {
        Lanes r[16];
        load_transposed(children + g * 16 * kState, kState, r);
        for (int i = 0; i < 16; ++i) store(lanes + 16 * i, r[i]);
        permute(lanes);
        for (int i = 0; i < 8; ++i) r[i] = add(load(lanes + 16 * i), r[i]);
        store_digests(r, parents + g * 16 * 8);
    }
}

void hash_rows_groups(const std::uint32_t* rows, std::size_t stride, std::size_t num_blocks, const std::uint32_t* iv,
                      std::uint32_t* out, std::size_t groups) {
    const Permute16 permute = best_permute16();
    alignas(64) std::uint32_t lanes[16 * kState];
    for (std::size_t g = 0; g < groups; ++g) {
        const std::uint32_t* row = rows + g * 16 * stride;
        Lanes h[8];
        for (int i = 0; i < 8; ++i) h[i] = broadcast(iv[i]);
        // Two blocks of 8 are one 16 x 16 transpose.
        for (std::size_t block = 0; block < num_blocks; block += 2) {
            Lanes r[16];
            const std::size_t blocks = num_blocks - block < 2 ? 1 : 2;
            if (blocks == 2) {
                load_transposed(row + 8 * block, stride, r);
            } else {
                alignas(64) std::uint32_t last[16][16] = {};
                for (std::size_t i = 0; i < 16; ++i) {
                    for (std::size_t k = 0; k < 8; ++k) last[i][k] = row[i * stride + 8 * block + k];
                }
                load_transposed(last[0], 16, r);
            }
            for (std::size_t half = 0; half < blocks; ++half) {
                for (std::size_t i = 0; i < 8; ++i) {
                    store(lanes + 16 * i, h[i]);
                    store(lanes + 16 * (8 + i), r[8 * half + i]);
                }
                permute(lanes);
                for (int i = 0; i < 8; ++i) h[i] = add(load(lanes + 16 * i), h[i]);
            }
        }
        store_digests(h, out + g * 16 * 8);
    }
}

std::uint32_t grind_range(const std::uint32_t* state, std::size_t position, std::uint32_t mask, std::uint32_t first,
                          std::uint32_t n) {
    const Permute16 permute = best_permute16();
    alignas(64) std::uint32_t lanes[16 * kState];
    for (std::uint32_t nonce = first; nonce < first + n; nonce += 16) {
        for (std::size_t i = 0; i < kState; ++i) store(lanes + 16 * i, broadcast(state[i]));
        for (std::uint32_t l = 0; l < 16; ++l) lanes[16 * position + l] = KoalaBear(nonce + l).montgomery();
        permute(lanes);
        for (std::uint32_t l = 0; l < 16; ++l) {
            if ((KoalaBear::reduce(lanes[l]) & mask) == 0) return nonce + l;
        }
    }
    return first + n;
}

}  // namespace
}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <array>
#include <vector>

namespace quarry {
HWY_EXPORT(permute_states_groups);
HWY_EXPORT(compress_groups);
HWY_EXPORT(hash_rows_groups);
HWY_EXPORT(grind_range);

namespace kernels {
bool& ifma_allowed() {
    static bool allowed = true;
    return allowed;
}

namespace {
constexpr std::size_t kGroup = 16;
template <class T>
const std::uint32_t* raw(const T* p) {
    return reinterpret_cast<const std::uint32_t*>(p);
}
template <class T>
std::uint32_t* raw(T* p) {
    return reinterpret_cast<std::uint32_t*>(p);
}
}  // namespace

void poseidon_permute(PoseidonState* states, std::size_t n) {
    const std::size_t whole = n / kGroup * kGroup;
    HWY_DYNAMIC_DISPATCH(permute_states_groups)(raw(states), whole / kGroup);
    if (whole == n) return;
    std::array<PoseidonState, kGroup> tail{};
    std::copy(states + whole, states + n, tail.begin());
    HWY_DYNAMIC_DISPATCH(permute_states_groups)(raw(tail.data()), 1);
    std::copy_n(tail.begin(), n - whole, states + whole);
}

void poseidon_compress(const Digest* children, Digest* parents, std::size_t n) {
    const std::size_t whole = n / kGroup * kGroup;
    HWY_DYNAMIC_DISPATCH(compress_groups)(raw(children), raw(parents), whole / kGroup);
    if (whole == n) return;
    std::array<Digest, 2 * kGroup> in{};
    std::array<Digest, kGroup> out;
    std::copy(children + 2 * whole, children + 2 * n, in.begin());
    HWY_DYNAMIC_DISPATCH(compress_groups)(raw(in.data()), raw(out.data()), 1);
    std::copy_n(out.begin(), n - whole, parents + whole);
}

void poseidon_hash_rows(const KoalaBear* rows, std::size_t stride, std::size_t num_blocks, const Digest& iv,
                        Digest* out, std::size_t n) {
    const std::size_t whole = n / kGroup * kGroup;
    const auto& run = HWY_DYNAMIC_DISPATCH(hash_rows_groups);
    run(raw(rows), stride, num_blocks, raw(&iv), raw(out), whole / kGroup);
    if (whole == n) return;
    if (n > kGroup) {  // the last group again reaches back over rows already done
        run(raw(rows + (n - kGroup) * stride), stride, num_blocks, raw(&iv), raw(out + n - kGroup), 1);
        return;
    }
    const std::size_t width = kDigestSize * num_blocks;
    std::vector<KoalaBear> padded(kGroup * width);
    for (std::size_t i = 0; i < n; ++i) std::copy_n(rows + i * stride, width, padded.data() + i * width);
    std::array<Digest, kGroup> digests;
    run(raw(padded.data()), width, num_blocks, raw(&iv), raw(digests.data()), 1);
    std::copy_n(digests.begin(), n, out);
}

std::uint32_t poseidon_grind(const PoseidonState& state, std::size_t position, std::uint32_t mask, std::uint32_t first,
                             std::uint32_t n) {
    return HWY_DYNAMIC_DISPATCH(grind_range)(raw(&state), position, mask, first, n);
}

}  // namespace kernels
}  // namespace quarry
#endif
