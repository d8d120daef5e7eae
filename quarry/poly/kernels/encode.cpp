#include "quarry/poly/kernels/encode.hpp"

#include "quarry/base/check.hpp"
#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/poly/kernels/encode.cpp"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {

/// A non-temporal store of a whole cache line: no read for ownership. p must be 64-byte aligned.
HWY_INLINE void stream(std::uint32_t* p, const Lanes& v) {
#if HWY_TARGET == HWY_AVX3
    hn::Stream(v, kTag32, p);
#elif HWY_TARGET == HWY_AVX2
    hn::Stream(v.a, kTag32, p);
    hn::Stream(v.b, kTag32, p + 8);
#else
    store(p, v);
#endif
}

/// (a, b) -> (a + w b, a - w b). The plain target keeps it a call: unrolled lane by lane, a stage would take minutes to
/// compile.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
#define QUARRY_ENCODE_INLINE HWY_INLINE
#define QUARRY_ENCODE_UNROLL QUARRY_UNROLL
#else
#define QUARRY_ENCODE_INLINE HWY_NOINLINE
#ifdef __clang__
#define QUARRY_ENCODE_UNROLL _Pragma("GCC unroll 1")
#else
#define QUARRY_ENCODE_UNROLL  // GCC unrolls nothing by itself, and under sanitizers refuses to be told so
#endif
#endif
QUARRY_ENCODE_INLINE void butterfly(Lanes& a, Lanes& b, const Lanes& w) {
    const Lanes d = mul_uniform(b, w);
    b = sub(a, d);
    a = add(a, d);
}

/// kLog levels of the tree on 2^kLog rows: row i of the result is child i of `node`, kLog levels below.
template <int kLog>
struct Twiddles {
    Lanes w[(1 << kLog) - 1];
    HWY_INLINE Twiddles(const std::uint32_t* table, std::size_t node) {
        int o = 0;
        QUARRY_ENCODE_UNROLL
        for (int l = 0; l < kLog; ++l) {
            QUARRY_ENCODE_UNROLL
            for (int q = 0; q < (1 << l); ++q) w[o++] = broadcast(table[(node << l) + static_cast<std::size_t>(q)]);
        }
    }
};
template <int kLog>
HWY_INLINE void butterflies(Lanes* t, const Twiddles<kLog>& tw) {
    int o = 0;
    QUARRY_ENCODE_UNROLL
    for (int l = 0; l < kLog; ++l) {
        const int half = 1 << (kLog - l - 1);
        QUARRY_ENCODE_UNROLL
        for (int q = 0; q < (1 << l); ++q) {
            QUARRY_ENCODE_UNROLL
            for (int i = 0; i < half; ++i) {
                const int a = q * 2 * half + i;
                butterfly(t[a], t[a + half], tw.w[o]);
            }
            ++o;
        }
    }
}
template <int kLog, bool kStream>
HWY_INLINE void transform(const std::uint32_t* src, std::size_t src_pitch, std::uint32_t* dst, std::size_t dst_pitch,
                          const Twiddles<kLog>& tw) {
    constexpr int kRows = 1 << kLog;
    Lanes t[kRows];
    QUARRY_ENCODE_UNROLL
    for (int i = 0; i < kRows; ++i) t[i] = load(src + static_cast<std::size_t>(i) * src_pitch);
    butterflies<kLog>(t, tw);
    QUARRY_ENCODE_UNROLL
    for (int i = 0; i < kRows; ++i) {
        if constexpr (kStream) {
            stream(dst + static_cast<std::size_t>(i) * dst_pitch, t[i]);
        } else {
            store(dst + static_cast<std::size_t>(i) * dst_pitch, t[i]);
        }
    }
}

/// Rows j .. j + 15 of a column group, transposed from the lane-major source.
HWY_INLINE void load_tile(const EncodeSource& source, std::size_t group, std::size_t j, std::uint32_t* dst,
                          std::size_t ahead) {
    const std::size_t first = group * 16;
    const std::size_t n = source.num_columns - first < 16 ? source.num_columns - first : 16;
    Lanes r[16];
    for (std::size_t i = 0; i < 16; ++i) r[i] = zero();
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t c = first + i;
        const std::uint32_t* p = source.data + (c / source.columns_per_lane) * source.lane_pitch +
                                 (c % source.columns_per_lane) * 16 + (j / 16) * source.block_pitch;
        __builtin_prefetch(p + ahead, 0, 2);
        r[i] = load(p);
    }
    transpose16(r);
    QUARRY_ENCODE_UNROLL
    for (std::size_t i = 0; i < 16; ++i) store(dst + 16 * i, r[i]);
}

// ---- First pass: rows of 16 vectors (the tile's coefficients), padded by a line so that strides of 2^k rows spread
// over the cache
constexpr std::size_t kTileRow = kEncodeTile * 16 + 16;

/// Levels lev .. lev + kLog - 1 of the 2^n rows under node0.
template <int kLog, bool kStream>
HWY_NOINLINE void tile_stage(const std::uint32_t* src, std::uint32_t* dst, std::size_t dst_pitch, unsigned n,
                             unsigned lev, std::size_t node0, const std::uint32_t* table) {
    const std::size_t block = std::size_t{1} << (n - lev);
    const std::size_t q = block >> kLog;
    for (std::size_t b = 0; b < (std::size_t{1} << lev); ++b) {
        const Twiddles<kLog> tw(table, (node0 << lev) + b);
        for (std::size_t i = 0; i < q; ++i) {
            const std::size_t row = b * block + i;
            for (std::size_t c = 0; c < kEncodeTile; ++c) {
                transform<kLog, kStream>(src + row * kTileRow + c * 16, q * kTileRow, dst + row * dst_pitch + c * 16,
                                         q * dst_pitch, tw);
            }
        }
    }
}
template <bool kStream>
void tile_stage(unsigned log, const std::uint32_t* src, std::uint32_t* dst, std::size_t dst_pitch, unsigned n,
                unsigned lev, std::size_t node0, const std::uint32_t* table) {
    switch (log) {
        case 1:
            return tile_stage<1, kStream>(src, dst, dst_pitch, n, lev, node0, table);
        case 2:
            return tile_stage<2, kStream>(src, dst, dst_pitch, n, lev, node0, table);
        default:
            return tile_stage<3, kStream>(src, dst, dst_pitch, n, lev, node0, table);
    }
}

void columns_pass(const EncodePlan& plan, std::size_t group, std::size_t begin, std::size_t end,
                  std::uint32_t* scratch) {
    const unsigned n = plan.log_message - plan.log_region;
    const std::size_t rows = std::size_t{1} << n;
    const std::size_t region = std::size_t{1} << plan.log_region;
    std::uint32_t* tile = scratch;
    std::uint32_t* work = scratch + rows * kTileRow;
    const std::size_t cosets = std::size_t{1} << plan.log_inv_rate;
    const std::size_t ahead = 8 * (region / 16) * plan.source.block_pitch;
    for (std::size_t t = begin; t < end; ++t) {
        const std::size_t j = t * kEncodeTile;
        for (std::size_t i = 0; i < rows; ++i)
            load_tile(plan.source, group, i * region + j, tile + i * kTileRow, ahead);
        for (std::size_t coset = 0; coset < cosets; ++coset) {
            const std::uint32_t* src = tile;
            std::uint32_t* own = coset + 1 == cosets ? tile : work;  // the last coset may overwrite the tile
            std::uint32_t* out =
                plan.codeword + (coset << plan.log_message) * plan.stride + group * region * 16 + j * 16;
            const std::size_t out_pitch = region * plan.stride;
            for (unsigned lev = 0; lev < n;) {
                const unsigned stages = (n - lev + 2) / 3;
                const unsigned log = (n - lev + stages - 1) / stages;
                if (stages > 1) {
                    tile_stage<false>(log, src, own, kTileRow, n, lev, coset, plan.twiddles);
                } else if (plan.stream) {
                    tile_stage<true>(log, src, out, out_pitch, n, lev, coset, plan.twiddles);
                } else {
                    tile_stage<false>(log, src, out, out_pitch, n, lev, coset, plan.twiddles);
                }
                src = own;
                lev += log;
            }
        }
    }
    hwy::FlushStream();
}

// ---- Second pass: rows of one vector, a line of padding every 64 rows ----
HWY_INLINE std::size_t padded(std::size_t row) { return (row + (row >> 6)) * 16; }

/// Levels lev .. lev + kLog - 1 of one column group in scratch. Rows of a butterfly lie in one run of 64, or whole runs
/// apart.
template <int kLog>
HWY_NOINLINE void group_stage(std::uint32_t* data, unsigned n, unsigned lev, std::size_t node0,
                              const std::uint32_t* table) {
    const std::size_t block = std::size_t{1} << (n - lev);
    const std::size_t q = block >> kLog;
    const std::size_t pitch = padded(q);
    for (std::size_t b = 0; b < (std::size_t{1} << lev); ++b) {
        const Twiddles<kLog> tw(table, (node0 << lev) + b);
        for (std::size_t i = 0; i < q; ++i) {
            std::uint32_t* p = data + padded(b * block + i);
            transform<kLog, false>(p, pitch, p, pitch, tw);
        }
    }
}
void group_stage(unsigned log, std::uint32_t* data, unsigned n, unsigned lev, std::size_t node0,
                 const std::uint32_t* table) {
    switch (log) {
        case 1:
            return group_stage<1>(data, n, lev, node0, table);
        case 2:
            return group_stage<2>(data, n, lev, node0, table);
        default:
            return group_stage<3>(data, n, lev, node0, table);
    }
}
/// The first levels, from grouped rows to scratch.
template <int kLog>
HWY_NOINLINE void first_stage(const std::uint32_t* src, std::uint32_t* dst, unsigned n, std::size_t node,
                              const std::uint32_t* table) {
    const std::size_t q = std::size_t{1} << (n - kLog);
    const Twiddles<kLog> tw(table, node);
    const std::size_t next = std::size_t{16} << n;  // the next group, or the next region's first
    for (std::size_t i = 0; i < q; ++i) {
        for (std::size_t s = 0; s < (std::size_t{1} << kLog); ++s)
            __builtin_prefetch(src + (i + s * q) * 16 + next, 0, 2);
        transform<kLog, false>(src + i * 16, q * 16, dst + padded(i), padded(q), tw);
    }
}
/// The last three levels, from scratch to the rows of the codeword, whole rows one after the other.
HWY_NOINLINE void last_stage(const std::uint32_t* data, std::size_t group_pitch, std::size_t num_groups,
                             std::uint32_t* out, std::size_t stride, unsigned n, std::size_t node0,
                             const std::uint32_t* table) {
    for (std::size_t b = 0; b < (std::size_t{1} << (n - 3)); ++b) {
        const Twiddles<3> tw(table, (node0 << (n - 3)) + b);
        for (std::size_t g = 0; g < num_groups; ++g) {
            transform<3, false>(data + g * group_pitch + padded(8 * b), 16, out + 8 * b * stride + g * 16, stride, tw);
        }
    }
}
/// Levels lev .. n - 4 of one group: those above the runs of 64 rows first, so that no butterfly straddles one
/// unevenly.
void middle_stages(std::uint32_t* data, unsigned n, unsigned lev, std::size_t node0, const std::uint32_t* table) {
    while (lev + 3 < n) {
        const unsigned left = lev + 6 < n ? n - 6 - lev : n - 3 - lev;
        const unsigned stages = (left + 2) / 3;
        const unsigned log = (left + stages - 1) / stages;
        group_stage(log, data, n, lev, node0, table);
        lev += log;
    }
}

void rows_pass(const EncodePlan& plan, std::size_t begin, std::size_t end, std::uint32_t* scratch) {
    const unsigned n = plan.log_region;
    const std::size_t rows = std::size_t{1} << n;
    const std::size_t groups = plan.stride / 16;
    const std::size_t group_pitch = padded(rows) + 16;
    const unsigned high = n - 6;  // >= 1
    const unsigned first = high % 3 == 0 ? 3 : high % 3;
    for (std::size_t x = begin; x < end; ++x) {
        std::uint32_t* out = plan.codeword + x * rows * plan.stride;
        for (std::size_t g = 0; g < groups; ++g) {
            const std::uint32_t* src = out + g * rows * 16;
            std::uint32_t* dst = scratch + g * group_pitch;
            if (first == 1) first_stage<1>(src, dst, n, x, plan.twiddles);
            if (first == 2) first_stage<2>(src, dst, n, x, plan.twiddles);
            if (first == 3) first_stage<3>(src, dst, n, x, plan.twiddles);
            middle_stages(dst, n, first, x, plan.twiddles);
        }
        last_stage(scratch, group_pitch, groups, out, plan.stride, n, x, plan.twiddles);
    }
}

void small_pass(const EncodePlan& plan, std::size_t coset, std::size_t begin, std::size_t end, std::uint32_t* scratch) {
    const unsigned n = plan.log_message;
    const std::size_t rows = std::size_t{1} << n;
    const std::size_t group_pitch = padded(rows) + 16;
    for (std::size_t g = begin; g < end; ++g) {
        std::uint32_t* dst = scratch + (g - begin) * group_pitch;
        // 16 rows never straddle a run of 64.
        for (std::size_t j = 0; j < rows; j += 16)
            load_tile(plan.source, g, j, dst + padded(j), 4 * plan.source.block_pitch);
        middle_stages(dst, n, 0, coset, plan.twiddles);
    }
    last_stage(scratch, group_pitch, end - begin, plan.codeword + coset * rows * plan.stride + begin * 16, plan.stride,
               n, coset, plan.twiddles);
}

void scale_slice(const std::uint32_t* in, std::uint32_t factor, std::uint32_t* out, std::size_t n) {
    const Lanes f = broadcast(factor);
    for (std::size_t i = 0; i < n; i += 16) store(out + i, mul_uniform(load(in + i), f));
}

constexpr std::size_t columns_scratch(const EncodePlan& plan) {
    return (std::size_t{2} << (plan.log_message - plan.log_region)) * kTileRow;
}
constexpr std::size_t group_scratch(unsigned log_rows) {
    const std::size_t rows = std::size_t{1} << log_rows;
    return (rows + (rows >> 6)) * 16 + 16;
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#undef QUARRY_ENCODE_INLINE
#undef QUARRY_ENCODE_UNROLL

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(columns_pass);
HWY_EXPORT(rows_pass);
HWY_EXPORT(small_pass);
HWY_EXPORT(scale_slice);

std::size_t encode_columns_scratch(const EncodePlan& plan) { return HWY_STATIC_DISPATCH(columns_scratch)(plan); }
std::size_t encode_rows_scratch(const EncodePlan& plan) {
    return plan.stride / 16 * HWY_STATIC_DISPATCH(group_scratch)(plan.log_region);
}
std::size_t encode_small_scratch(const EncodePlan& plan, std::size_t num_groups) {
    return num_groups * HWY_STATIC_DISPATCH(group_scratch)(plan.log_message);
}
void encode_columns(const EncodePlan& plan, std::size_t group, std::size_t begin, std::size_t end,
                    std::uint32_t* scratch) {
    HWY_DYNAMIC_DISPATCH(columns_pass)(plan, group, begin, end, scratch);
}
void encode_rows(const EncodePlan& plan, std::size_t begin, std::size_t end, std::uint32_t* scratch) {
    HWY_DYNAMIC_DISPATCH(rows_pass)(plan, begin, end, scratch);
}
void encode_small(const EncodePlan& plan, std::size_t coset, std::size_t begin, std::size_t end,
                  std::uint32_t* scratch) {
    HWY_DYNAMIC_DISPATCH(small_pass)(plan, coset, begin, end, scratch);
}
void scale(const std::uint32_t* in, std::uint32_t factor, std::uint32_t* out, std::size_t n) {
    QUARRY_CHECK(n % kLanes == 0);
    HWY_DYNAMIC_DISPATCH(scale_slice)(in, factor, out, n);
}
}  // namespace quarry
#endif
