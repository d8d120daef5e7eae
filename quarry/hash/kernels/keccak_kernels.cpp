#include "quarry/hash/kernels/keccak_kernels.hpp"

#include <cstring>
#include <utility>

#include "quarry/field/isa.hpp"
#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/hash/kernels/keccak_kernels.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#if HWY_TARGET == HWY_AVX3
#include <immintrin.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {
namespace {

using kernels::kKeccakGroup;
using kernels::kKeccakRateBytes;
using kernels::kKeccakTables;
using kernels::kKeccakWords;

// ---- The same word of several states: eight (AVX-512), four (AVX2) or one ----

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_AVX3
inline constexpr hn::Full512<std::uint64_t> kTag;
#else
inline constexpr hn::Full256<std::uint64_t> kTag;
#endif
using Words = hn::Vec<decltype(kTag)>;
constexpr std::size_t kStates = sizeof(Words) / sizeof(std::uint64_t);

HWY_INLINE Words load(const std::uint64_t* p) { return hn::Load(kTag, p); }
HWY_INLINE void store(std::uint64_t* p, Words v) { hn::Store(v, kTag, p); }
HWY_INLINE Words broadcast(std::uint64_t x) { return hn::Set(kTag, x); }
HWY_INLINE Words exclusive_or(Words a, Words b) { return hn::Xor(a, b); }
HWY_INLINE Words exclusive_or(Words a, Words b, Words c) { return hn::Xor3(a, b, c); }
template <int kBits>
HWY_INLINE Words rotate_left(Words a) {
    return hn::RotateRight<(64 - kBits) % 64>(a);
}
/// a ^ (~b & c)
HWY_INLINE Words chi(Words a, Words b, Words c) {
#if HWY_TARGET == HWY_AVX3
    return Words{_mm512_ternarylogic_epi64(a.raw, b.raw, c.raw, 0xD2)};
#else
    return hn::Xor(a, hn::AndNot(b, c));
#endif
}
#else
using Words = std::uint64_t;
constexpr std::size_t kStates = 1;

HWY_INLINE Words load(const std::uint64_t* p) { return *p; }
HWY_INLINE void store(std::uint64_t* p, Words v) { *p = v; }
HWY_INLINE Words broadcast(std::uint64_t x) { return x; }
HWY_INLINE Words exclusive_or(Words a, Words b) { return a ^ b; }
HWY_INLINE Words exclusive_or(Words a, Words b, Words c) { return a ^ b ^ c; }
template <int kBits>
HWY_INLINE Words rotate_left(Words a) {
    return (a << kBits) | (a >> ((64 - kBits) % 64));
}
HWY_INLINE Words chi(Words a, Words b, Words c) { return a ^ (~b & c); }
#endif

/// theta's sums are in d: b = pi(rho(a + d)).
template <std::size_t... kIndex>
HWY_INLINE void rho_and_pi(const Words* a, const Words* d, Words* b, std::index_sequence<kIndex...>) {
    ((b[kKeccakTables.target[kIndex]] =
          rotate_left<kKeccakTables.rotation[kIndex]>(exclusive_or(a[kIndex], d[kIndex % 5]))),
     ...);
}

HWY_INLINE void one_round(Words* a, std::uint64_t constant) {
    Words c[5], d[5], b[kKeccakWords];
    _Pragma("GCC unroll 25") for (std::size_t x = 0; x < 5; ++x) {
        c[x] = exclusive_or(exclusive_or(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20]);
    }
    _Pragma("GCC unroll 25") for (std::size_t x = 0; x < 5; ++x) d[x] =
        exclusive_or(c[(x + 4) % 5], rotate_left<1>(c[(x + 1) % 5]));
    rho_and_pi(a, d, b, std::make_index_sequence<kKeccakWords>());
    _Pragma("GCC unroll 25") for (std::size_t y = 0; y < kKeccakWords; y += 5) {
        _Pragma("GCC unroll 25") for (std::size_t x = 0; x < 5; ++x) a[x + y] =
            chi(b[x + y], b[(x + 1) % 5 + y], b[(x + 2) % 5 + y]);
    }
    a[0] = exclusive_or(a[0], broadcast(constant));
}

void absorb_group(std::uint64_t* words, const std::uint8_t* messages, std::size_t stride, std::size_t num_blocks) {
    for (std::size_t first = 0; first < kKeccakGroup; first += kStates) {
        Words a[kKeccakWords];
        for (std::size_t w = 0; w < kKeccakWords; ++w) a[w] = load(words + kKeccakGroup * w + first);
        for (std::size_t block = 0; block < num_blocks; ++block) {
            const std::uint8_t* const in = messages + first * stride + block * kKeccakRateBytes;
            for (std::size_t w = 0; w < kKeccakRateBytes / 8; ++w) {
                alignas(64) std::uint64_t gathered[kStates];
                for (std::size_t i = 0; i < kStates; ++i) std::memcpy(gathered + i, in + i * stride + 8 * w, 8);
                a[w] = exclusive_or(a[w], load(gathered));
            }
            for (const std::uint64_t constant : kKeccakTables.round_constants) one_round(a, constant);
        }
        for (std::size_t w = 0; w < kKeccakWords; ++w) store(words + kKeccakGroup * w + first, a[w]);
    }
}

}  // namespace
}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(absorb_group);

namespace kernels {

void keccak_absorb(KeccakStates& states, const std::uint8_t* messages, std::size_t stride, std::size_t num_blocks) {
    HWY_DYNAMIC_DISPATCH(absorb_group)(states.words.data(), messages, stride, num_blocks);
}

}  // namespace kernels
}  // namespace quarry
#endif
