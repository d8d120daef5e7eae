// The row schedule on AVX-512 IFMA: radix 2^52, lazy bounds, 484 multiply-adds for 16 products in F_{p^11}.
//
// A field element is a residue of 2^52 x below 2^36, in 64-bit lanes: [0] holds lanes 0-7, [1] lanes 8-15.
//   settled   < 2^32    products, loads, gathers, settled differences
//   square    < 2^34.5
//   loose     < 2^36.1  one add or subtract of settled values, or 3 square + a
// A product of loose values a b, b < 2^36: 11 products of < 2^36.1 and < 6 2^36 + 2^38 < 2^39.4 stay below 2^79; after
// the reduction < p + 2^28.
#include "quarry/curve/kernels/schedule.hpp"

#include "quarry/base/buffer.hpp"
#include "quarry/base/check.hpp"
#include "quarry/curve/comb.hpp"

#if defined(__x86_64__) && (defined(__clang__) || defined(__GNUC__))
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512ifma"))), apply_to = function)
#else
// GCC 12's own _mm512_undefined_epi32 trips its own warning wherever an intrinsic built on it is inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")
#endif

namespace quarry::curve_ifma {

#include "quarry/curve/kernels/schedule-inl.hpp"

#define QUARRY_UNROLL_ALL _Pragma("GCC unroll 64")

constexpr std::uint64_t kP = KoalaBear::kModulus;
/// -1/p mod 2^52.
constexpr std::uint64_t kNegativeInverse = [] {
    std::uint64_t x = 1;
    for (int i = 0; i < 6; ++i) x *= 2 - kP * x;
    return (0 - x) & ((std::uint64_t{1} << 52) - 1);
}();
/// 2^e mod p as a plain number.
constexpr std::uint64_t power_of_two(std::uint64_t e) { return KoalaBear(2).pow(e).canonical(); }
/// The residue 2^52 x.
constexpr std::uint64_t residue52(KoalaBear x) { return (x * KoalaBear(2).pow(52)).canonical(); }

inline __m512i set64(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
inline __m512i multiply_low(__m512i acc, __m512i a, __m512i b) { return _mm512_madd52lo_epu64(acc, a, b); }
inline __m512i multiply_high(__m512i acc, __m512i a, __m512i b) { return _mm512_madd52hi_epu64(acc, a, b); }
/// (low + 2^52 high) / 2^52 mod p, at most high + p + low / 2^52 + 1.
inline __m512i reduce(__m512i low, __m512i high) {
    const __m512i p = set64(kP);
    const __m512i q = multiply_low(_mm512_setzero_si512(), low, set64(kNegativeInverse));
    return _mm512_add_epi64(multiply_high(high, q, p), _mm512_srli_epi64(multiply_low(low, q, p), 52));
}
inline __m512i product(__m512i a, __m512i b) {
    const __m512i zero = _mm512_setzero_si512();
    return reduce(multiply_low(zero, a, b), multiply_high(zero, a, b));
}
/// x mod p below 2^31 + 2^29, for x < 2^36: 2^31 = 2^24 - 1.
inline __m512i fold(__m512i x) {
    return multiply_low(_mm512_and_si512(x, set64(0x7fffffff)), _mm512_srli_epi64(x, 31), set64(0xffffff));
}

/// In place: r[i] word j <-> r[j] word i, 64-bit words.
inline void transpose8(__m512i* r) {
    __m512i t[8];
    QUARRY_UNROLL_ALL
    for (int i = 0; i < 4; ++i) {
        t[2 * i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    // Now t[2i + b] = columns (b, b + 2, b + 4, b + 6) of rows 2i, 2i + 1, in pairs.
    QUARRY_UNROLL_ALL
    for (int b = 0; b < 2; ++b) {
        const __m512i low = _mm512_shuffle_i64x2(t[b], t[2 + b], 0x88);       // rows 0-3, columns b, b + 4
        const __m512i high = _mm512_shuffle_i64x2(t[4 + b], t[6 + b], 0x88);  // rows 4-7
        const __m512i low2 = _mm512_shuffle_i64x2(t[b], t[2 + b], 0xdd);      // columns b + 2, b + 6
        const __m512i high2 = _mm512_shuffle_i64x2(t[4 + b], t[6 + b], 0xdd);
        r[b] = _mm512_shuffle_i64x2(low, high, 0x88);
        r[b + 4] = _mm512_shuffle_i64x2(low, high, 0xdd);
        r[b + 2] = _mm512_shuffle_i64x2(low2, high2, 0x88);
        r[b + 6] = _mm512_shuffle_i64x2(low2, high2, 0xdd);
    }
}

template <class C>
struct IfmaTower {
    using Modulus = typename C::Modulus;
    static constexpr int kDegree = static_cast<int>(Modulus::kDegree);
    struct Base {
        __m512i h[2];
    };
    struct Element {
        Base c[kDegree];
    };

    static Element load(const std::uint32_t* p) {
        const __m512i scale = set64(power_of_two(72));  // 2^32 x -> 2^52 x: 20 more, 52 lost in the reduction
        Element r;
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 16 * k + 8 * h));
                r.c[k].h[h] = product(_mm512_cvtepu32_epi64(words), scale);
            }
        }
        return r;
    }
    static void store(std::uint32_t* p, const Element& a) {
        const __m512i scale = set64(power_of_two(32));
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                // 2^36 2^31 / 2^52 is less than 2^15: the product is below 2 p.
                const __m512i x = product(a.c[k].h[h], scale);
                const __m512i y = _mm512_min_epu64(x, _mm512_sub_epi64(x, set64(kP)));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 16 * k + 8 * h), _mm512_cvtepi64_epi32(y));
            }
        }
    }
    static Element constant(const typename C::Field& x) {
        Element r;
        for (int k = 0; k < kDegree; ++k) {
            const __m512i v = set64(residue52(x[static_cast<std::size_t>(k)]));
            r.c[k] = {{v, v}};
        }
        return r;
    }
    static Element add(const Element& a, const Element& b) {
        Element r;
        QUARRY_UNROLL_ALL
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) r.c[k].h[h] = _mm512_add_epi64(a.c[k].h[h], b.c[k].h[h]);
        }
        return r;
    }
    /// b < 16 p. The result is below a + 16 p.
    static Element subtract(const Element& a, const Element& b) {
        const __m512i offset = set64(16 * kP);
        Element r;
        QUARRY_UNROLL_ALL
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                r.c[k].h[h] = _mm512_add_epi64(a.c[k].h[h], _mm512_sub_epi64(offset, b.c[k].h[h]));
            }
        }
        return r;
    }
    /// y := a - y. y < 16 p; settled.
    static void subtract_from(Element& y, const Element& a) {
        const __m512i offset = set64(16 * kP);
        QUARRY_UNROLL_ALL
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                __m512i& v = y.c[k].h[h];
                v = fold(_mm512_add_epi64(a.c[k].h[h], _mm512_sub_epi64(offset, v)));
            }
        }
    }
    /// x' = l2 - x - b, settled; d = x - x'. x + b < 16 p; l2 a square: l2 + 16 p < 2^36.
    static void advance(Element& x, const Element& b, const Element& l2, Element& d) {
        const __m512i offset = set64(16 * kP);
        QUARRY_UNROLL_ALL
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                const __m512i old = x.c[k].h[h];
                const __m512i sum = _mm512_add_epi64(old, b.c[k].h[h]);
                const __m512i v = fold(_mm512_add_epi64(l2.c[k].h[h], _mm512_sub_epi64(offset, sum)));
                x.c[k].h[h] = v;
                d.c[k].h[h] = _mm512_add_epi64(old, _mm512_sub_epi64(offset, v));
            }
        }
    }
    template <std::int64_t kA>
    static void tangent_numerator(Element& r) {
        const __m512i a = set64(residue52(KoalaBear::from_signed(kA)));
        QUARRY_UNROLL_ALL
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                const __m512i v = r.c[k].h[h];
                r.c[k].h[h] = _mm512_add_epi64(_mm512_add_epi64(v, v), v);
            }
        }
        for (int h = 0; h < 2; ++h) r.c[0].h[h] = _mm512_add_epi64(r.c[0].h[h], a);
    }

    /// acc + c b for c > 0, acc + 128 p - b for c = -1. b < 2^36 < 128 p.
    static inline __m512i small_multiple_add(__m512i acc, std::int64_t c, __m512i b) {
        if (c > 0) return multiply_low(acc, b, set64(static_cast<std::uint64_t>(c)));
        return _mm512_add_epi64(acc, _mm512_sub_epi64(set64(128 * kP), b));
    }
    /// Rows j .. j + kRows - 1 of a product's half h: coefficient j is sum_i a_i row[j - i]. Rows side by side keep 2
    /// kRows independent chains of 4-cycle operations next to each other, and share the loads of `row`.
    template <int kRows>
    static inline void multiply_rows(const __m512i* a, const __m512i* row, Base* out, int h) {
        __m512i low[kRows];
        __m512i high[kRows];
        QUARRY_UNROLL_ALL
        for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_si512();
        QUARRY_UNROLL_ALL
        for (int i = 0; i < kDegree; ++i) {
            QUARRY_UNROLL_ALL
            for (int r = 0; r < kRows; ++r) {
                low[r] = multiply_low(low[r], a[i], row[r - i]);
                high[r] = multiply_high(high[r], a[i], row[r - i]);
            }
        }
        QUARRY_UNROLL_ALL
        for (int r = 0; r < kRows; ++r) out[r].h[h] = reduce(low[r], high[r]);
    }
    [[gnu::noinline]] static void multiply(Element& r, const Element& a, const Element& b) {
        static_assert(Modulus::kConstant > 0 && Modulus::kConstant <= 7);
        static_assert(Modulus::kMiddleCoefficient >= -1 && Modulus::kMiddleCoefficient <= 7);
        constexpr std::int64_t kConstant = Modulus::kConstant;
        constexpr std::int64_t kMiddle = Modulus::kMiddleCoefficient;
        const __m512i zero = _mm512_setzero_si512();
        // Each half of a and b is read before that half of r is written: r may be a or b.
#pragma GCC unroll 1
        for (int h = 0; h < 2; ++h) {
            // Row j of "times b": coefficient j of z^i b is w[j + kDegree - i], and first[kDegree - 1 - i] for j = 0
            // (tower.hpp).
            __m512i w[2 * kDegree];
            __m512i first[kDegree];
            __m512i factor[kDegree];
            QUARRY_UNROLL_ALL
            for (int i = 1; i < kDegree; ++i) {
                w[kDegree + i] = b.c[i].h[h];
                const __m512i scaled = small_multiple_add(zero, kConstant, b.c[kDegree - i].h[h]);
                first[kDegree - 1 - i] = scaled;
                if (i + 1 < kDegree) w[kDegree - i] = small_multiple_add(scaled, kMiddle, b.c[kDegree - 1 - i].h[h]);
            }
            w[kDegree] = small_multiple_add(b.c[0].h[h], kMiddle, b.c[kDegree - 1].h[h]);
            first[kDegree - 1] = b.c[0].h[h];
            QUARRY_UNROLL_ALL
            for (int i = 0; i < kDegree; ++i) factor[i] = a.c[i].h[h];
            constexpr int kRows = kDegree == 7 ? 3 : 5;
            multiply_rows<1>(factor, first + kDegree - 1, r.c, h);
            constexpr int kRest = (kDegree - 1) % kRows;
            if constexpr (kRest > 0) multiply_rows<kRest>(factor, w + kDegree + 1, r.c + 1, h);
#pragma GCC unroll 1
            for (int j = 1 + kRest; j < kDegree; j += kRows) multiply_rows<kRows>(factor, w + kDegree + j, r.c + j, h);
        }
    }
    /// Columns first .. first + kCount - 1 of the square of a, twice = 2a: sums of a_i a_j with i + j = column.
    template <int kFirst, int kCount>
    static inline void square_columns(const __m512i* a, const __m512i* twice, __m512i* low, __m512i* high) {
        QUARRY_UNROLL_ALL
        for (int c = 0; c < kCount; ++c) low[c] = high[c] = _mm512_setzero_si512();
        QUARRY_UNROLL_ALL
        for (int i = 0; i < kDegree; ++i) {
            QUARRY_UNROLL_ALL
            for (int c = 0; c < kCount; ++c) {
                const int j = kFirst + c - i;
                if (j < i || j >= kDegree) continue;
                const __m512i factor = j == i ? a[i] : twice[i];
                low[c] = multiply_low(low[c], factor, a[j]);
                high[c] = multiply_high(high[c], factor, a[j]);
            }
        }
    }
    /// Coefficient j from column j and the reduced columns j + k and j + k - 1: z^k = A z + B.
    template <int j>
    static inline __m512i wrap_column(__m512i low, __m512i high, const __m512i* wrapped) {
        if constexpr (j + 1 < kDegree) high = multiply_low(high, wrapped[j], set64(Modulus::kConstant));
        if constexpr (j > 0 && Modulus::kMiddleCoefficient == -1) {
            high = _mm512_add_epi64(high, _mm512_sub_epi64(set64(4 * kP), wrapped[j - 1]));
        } else if constexpr (j > 0) {
            high = multiply_low(high, wrapped[j - 1], set64(Modulus::kMiddleCoefficient));
        }
        return reduce(low, high);
    }
    template <int kFirst>
    static inline void high_columns(const __m512i* a, const __m512i* twice, __m512i* wrapped) {
        if constexpr (kFirst < 2 * kDegree - 1) {
            constexpr int kCount = 2 * kDegree - 1 - kFirst < kColumns ? 2 * kDegree - 1 - kFirst : kColumns;
            __m512i low[kCount];
            __m512i high[kCount];
            square_columns<kFirst, kCount>(a, twice, low, high);
            QUARRY_UNROLL_ALL
            for (int c = 0; c < kCount; ++c) wrapped[kFirst - kDegree + c] = reduce(low[c], high[c]);
            high_columns<kFirst + kCount>(a, twice, wrapped);
        }
    }
    template <int kFirst>
    static inline void low_columns(const __m512i* a, const __m512i* twice, const __m512i* wrapped, Base* out, int h) {
        if constexpr (kFirst < kDegree) {
            constexpr int kCount = kDegree - kFirst < kColumns ? kDegree - kFirst : kColumns;
            __m512i low[kCount];
            __m512i high[kCount];
            square_columns<kFirst, kCount>(a, twice, low, high);
            out[kFirst].h[h] = wrap_column<kFirst>(low[0], high[0], wrapped);
            if constexpr (kCount > 1) out[kFirst + 1].h[h] = wrap_column<kFirst + 1>(low[1], high[1], wrapped);
            if constexpr (kCount > 2) out[kFirst + 2].h[h] = wrap_column<kFirst + 2>(low[2], high[2], wrapped);
            if constexpr (kCount > 3) out[kFirst + 3].h[h] = wrap_column<kFirst + 3>(low[3], high[3], wrapped);
            low_columns<kFirst + kCount>(a, twice, wrapped, out, h);
        }
    }
    static constexpr int kColumns = 3;  // side by side, for the reason given at multiply_rows
    /// a settled; r may be a. The result is below p + 6 (p + 2^16) + 4 p < 2^34.5: what is added to a column's high
    /// half is not divided by 2^52.
    [[gnu::noinline]] static void square(Element& r, const Element& a) {
#pragma GCC unroll 1
        for (int h = 0; h < 2; ++h) {
            __m512i factor[kDegree];
            __m512i twice[kDegree];
            __m512i wrapped[kDegree - 1];
            QUARRY_UNROLL_ALL
            for (int i = 0; i < kDegree; ++i) {
                factor[i] = a.c[i].h[h];
                twice[i] = _mm512_add_epi64(factor[i], factor[i]);
            }
            high_columns<kDegree>(factor, twice, wrapped);
            low_columns<0>(factor, twice, wrapped, r.c, h);
        }
    }

    static Element frobenius(const Element& a, std::size_t power) {
        const auto& table = frobenius_table<C>()[power];
        Element r;
        for (int k = 0; k < kDegree; ++k) {
            __m512i low[2] = {};
            __m512i high[2] = {};
            for (int i = 0; i < kDegree; ++i) {
                const __m512i m = set64(residue52(table[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)]));
                for (int h = 0; h < 2; ++h) {
                    low[h] = multiply_low(low[h], a.c[i].h[h], m);
                    high[h] = multiply_high(high[h], a.c[i].h[h], m);
                }
            }
            for (int h = 0; h < 2; ++h) r.c[k].h[h] = reduce(low[h], high[h]);
        }
        return r;
    }
    static Base base_multiply(const Base& a, const Base& b) {
        return {{product(a.h[0], b.h[0]), product(a.h[1], b.h[1])}};
    }
    static Element scale(const Element& a, const Base& b) {
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = base_multiply(a.c[k], b);
        return r;
    }
    [[gnu::noinline]] static Element invert(const Element& a) {
        return TowerInverse<IfmaTower, static_cast<std::size_t>(kDegree)>::invert(a);
    }

    // Rows are 2 k words: word w of a row is half of 64-bit word w / 2, which one 8 x 8 transposition puts in lane
    // order.
    static constexpr int kPairs = kDegree;
    static constexpr int kBlocks = (kPairs + 7) / 8;
    static __mmask8 pair_mask(int block) {
        const int left = kPairs - 8 * block;
        return static_cast<__mmask8>(left >= 8 ? 0xff : (1 << left) - 1);
    }
    static void gather(const std::uint32_t* const* rows, Element& x, Element& y) {
        QUARRY_UNROLL_ALL
        for (int h = 0; h < 2; ++h) {
            __m512i t[8 * kBlocks];
            QUARRY_UNROLL_ALL
            for (int block = 0; block < kBlocks; ++block) {
                QUARRY_UNROLL_ALL
                for (int l = 0; l < 8; ++l) {
                    t[8 * block + l] = _mm512_maskz_loadu_epi64(pair_mask(block), rows[8 * h + l] + 16 * block);
                }
                transpose8(t + 8 * block);
            }
            QUARRY_UNROLL_ALL
            for (int k = 0; k < 2 * kDegree; ++k) {
                const __m512i pair = t[k / 2];
                const __m512i word =
                    k % 2 == 0 ? _mm512_and_si512(pair, set64(0xffffffff)) : _mm512_srli_epi64(pair, 32);
                (k < kDegree ? x.c[k] : y.c[k - kDegree]).h[h] = word;
            }
        }
    }
    static void scatter(const Element& x, const Element& y, std::uint32_t* const* rows) {
        QUARRY_UNROLL_ALL
        for (int h = 0; h < 2; ++h) {
            __m512i t[8 * kBlocks];
            QUARRY_UNROLL_ALL
            for (int k = 0; k < 8 * kBlocks; ++k) {
                if (k >= kPairs) {
                    t[k] = _mm512_setzero_si512();
                    continue;
                }
                const int i = 2 * k;
                const __m512i even = (i < kDegree ? x.c[i] : y.c[i - kDegree]).h[h];
                const __m512i odd = (i + 1 < kDegree ? x.c[i + 1] : y.c[i + 1 - kDegree]).h[h];
                t[k] = _mm512_or_si512(even, _mm512_slli_epi64(odd, 32));
            }
            QUARRY_UNROLL_ALL
            for (int block = 0; block < kBlocks; ++block) {
                transpose8(t + 8 * block);
                QUARRY_UNROLL_ALL
                for (int l = 0; l < 8; ++l) {
                    _mm512_mask_storeu_epi64(rows[8 * h + l] + 16 * block, pair_mask(block), t[8 * block + l]);
                }
            }
        }
    }
    static Element negate_where(std::uint32_t mask, const Element& y) {
        const __m512i offset = set64(4 * kP);
        Element r;
        for (int k = 0; k < kDegree; ++k) {
            for (int h = 0; h < 2; ++h) {
                r.c[k].h[h] =
                    _mm512_mask_sub_epi64(y.c[k].h[h], static_cast<__mmask8>(mask >> (8 * h)), offset, y.c[k].h[h]);
            }
        }
        return r;
    }
    /// d = m p with m <= 128 if and only if -d/p mod 2^52 is 0 or at least 2^52 - 128.
    static std::uint32_t first_two_zero(const Element& d) {
        std::uint32_t mask = 0;
        for (int h = 0; h < 2; ++h) {
            __mmask8 zero = 0xff;
            for (int k = 0; k < 2; ++k) {
                const __m512i q = multiply_low(set64(128), d.c[k].h[h], set64(kNegativeInverse));
                zero = _mm512_mask_cmple_epu64_mask(zero, _mm512_and_si512(q, set64((std::uint64_t{1} << 52) - 1)),
                                                    set64(128));
            }
            mask |= static_cast<std::uint32_t>(zero) << (8 * h);
        }
        return mask;
    }
};

template <class C>
void run(ScheduleGroup<C>* groups, std::size_t n) {
    using S = Schedule<IfmaTower<C>, C>;
    Buffer<typename S::Group> state(n);
    Buffer<std::uint32_t> tables(n * kLanes * kOddMultiples * S::kRow);
    S::run(groups, n, comb_table<C>().rows52(), state.data(), tables.data(), SilentReporter());
}
template void run<KB11>(ScheduleGroup<KB11>*, std::size_t);
template void run<KB7>(ScheduleGroup<KB7>*, std::size_t);

}  // namespace quarry::curve_ifma

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#pragma GCC diagnostic pop
#endif

namespace quarry::schedule_detail {
template <class C>
void run_ifma(ScheduleGroup<C>* groups, std::size_t n) {
    curve_ifma::run<C>(groups, n);
}
template <class C>
bool compiled_ifma() {
    return true;
}
}  // namespace quarry::schedule_detail

#else
namespace quarry::schedule_detail {
template <class C>
void run_ifma(ScheduleGroup<C>*, std::size_t) {
    QUARRY_CHECK(false);
}
template <class C>
bool compiled_ifma() {
    return false;
}
}  // namespace quarry::schedule_detail
#endif

namespace quarry::schedule_detail {
template void run_ifma<KB11>(ScheduleGroup<KB11>*, std::size_t);
template void run_ifma<KB7>(ScheduleGroup<KB7>*, std::size_t);
template bool compiled_ifma<KB11>();
template bool compiled_ifma<KB7>();
}  // namespace quarry::schedule_detail
