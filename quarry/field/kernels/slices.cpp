#include "quarry/field/kernels/slices.hpp"

#include "quarry/base/check.hpp"
#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/field/kernels/slices.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {

void multiply_base(const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* out, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kLanes) store(out + i, mul(load(a + i), load(b + i)));
}
void add_sub_base(const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* sum, std::uint32_t* difference,
                  std::size_t n) {
    for (std::size_t i = 0; i < n; i += kLanes) {
        store(sum + i, add(load(a + i), load(b + i)));
        store(difference + i, sub(load(a + i), load(b + i)));
    }
}
void multiply_ext(const ExtBlock* a, const ExtBlock* b, ExtBlock* out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) store(out[i], mul(load(a[i]), load(b[i])));
}
void transpose_all(std::uint32_t* m, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kLanes * kLanes) {
        Lanes r[16];
        for (std::size_t j = 0; j < 16; ++j) r[j] = load(m + i + 16 * j);
        transpose16(r);
        for (std::size_t j = 0; j < 16; ++j) store(m + i + 16 * j, r[j]);
    }
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(multiply_base);
HWY_EXPORT(add_sub_base);
HWY_EXPORT(multiply_ext);
HWY_EXPORT(transpose_all);

namespace {
const std::uint32_t* raw(std::span<const KoalaBear> s) { return reinterpret_cast<const std::uint32_t*>(s.data()); }
std::uint32_t* raw(std::span<KoalaBear> s) { return reinterpret_cast<std::uint32_t*>(s.data()); }
}  // namespace

void multiply_slices(std::span<const KoalaBear> a, std::span<const KoalaBear> b, std::span<KoalaBear> out) {
    QUARRY_CHECK(a.size() == b.size() && a.size() == out.size() && a.size() % kLanes == 0);
    HWY_DYNAMIC_DISPATCH(multiply_base)(raw(a), raw(b), raw(out), a.size());
}
void add_sub_slices(std::span<const KoalaBear> a, std::span<const KoalaBear> b, std::span<KoalaBear> sum,
                    std::span<KoalaBear> difference) {
    QUARRY_CHECK(a.size() == b.size() && a.size() == sum.size() && a.size() == difference.size());
    QUARRY_CHECK(a.size() % kLanes == 0);
    HWY_DYNAMIC_DISPATCH(add_sub_base)(raw(a), raw(b), raw(sum), raw(difference), a.size());
}
void multiply_slices(const ExtVector& a, const ExtVector& b, ExtVector& out) {
    QUARRY_CHECK(a.size() == b.size() && a.size() == out.size());
    HWY_DYNAMIC_DISPATCH(multiply_ext)(a.blocks(), b.blocks(), out.blocks(), a.num_blocks());
}
void transpose_slices(std::span<KoalaBear> matrices) {
    QUARRY_CHECK(matrices.size() % (kLanes * kLanes) == 0);
    HWY_DYNAMIC_DISPATCH(transpose_all)(raw(matrices), matrices.size());
}
}  // namespace quarry
#endif
