#include "quarry/curve/kernels/schedule.hpp"

#include "quarry/base/buffer.hpp"
#include "quarry/curve/comb.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/field/kernels/targets.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quarry/curve/kernels/schedule.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "quarry/field/kernels/packed-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace quarry::HWY_NAMESPACE {

#include "quarry/curve/kernels/schedule-inl.hpp"

/// F_{p^k} = F_p[z]/(z^k - A z - B) in 16 lanes of canonical Montgomery representatives.
template <class C>
struct PackedTower {
    using Modulus = typename C::Modulus;
    static constexpr int kDegree = static_cast<int>(Modulus::kDegree);
    using Base = Lanes;
    struct Element {
        Lanes c[kDegree];
    };

    static Element load(const std::uint32_t* p) {
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = HWY_NAMESPACE::load(p + 16 * k);
        return r;
    }
    static void store(std::uint32_t* p, const Element& a) {
        for (int k = 0; k < kDegree; ++k) HWY_NAMESPACE::store(p + 16 * k, a.c[k]);
    }
    static Element constant(const typename C::Field& x) {
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = broadcast(x[static_cast<std::size_t>(k)]);
        return r;
    }
    static Element add(const Element& a, const Element& b) {
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = HWY_NAMESPACE::add(a.c[k], b.c[k]);
        return r;
    }
    static Element subtract(const Element& a, const Element& b) {
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = sub(a.c[k], b.c[k]);
        return r;
    }
    static void subtract_from(Element& y, const Element& a) {
        for (int k = 0; k < kDegree; ++k) y.c[k] = sub(a.c[k], y.c[k]);
    }
    static void advance(Element& x, const Element& b, const Element& l2, Element& d) {
        for (int k = 0; k < kDegree; ++k) {
            const Lanes old = x.c[k];
            const Lanes v = sub(sub(l2.c[k], old), b.c[k]);
            x.c[k] = v;
            d.c[k] = sub(old, v);
        }
    }
    template <std::int64_t kA>
    static void tangent_numerator(Element& r) {
        for (int k = 0; k < kDegree; ++k) r.c[k] = HWY_NAMESPACE::add(HWY_NAMESPACE::add(r.c[k], r.c[k]), r.c[k]);
        r.c[0] = HWY_NAMESPACE::add(r.c[0], broadcast(KoalaBear::from_signed(kA)));
    }

    static HWY_INLINE Lanes small_multiple(std::int64_t c, Lanes x) {
        Lanes r = x;
        const std::int64_t magnitude = c < 0 ? -c : c;
        for (int bit = magnitude >= 4 ? 2 : magnitude >= 2 ? 1 : 0; bit-- > 0;) {
            r = HWY_NAMESPACE::add(r, r);
            if ((magnitude >> bit) & 1) r = HWY_NAMESPACE::add(r, x);
        }
        return c < 0 ? sub(zero(), r) : r;
    }
    static HWY_NOINLINE void multiply(Element& r, const Element& a_in, const Element& b) {
        const Element a = a_in;  // r may be a or b: both are read before r is written
        // Row j of "times b": coefficient j of z^i b is w[j + kDegree - i], and first[kDegree - 1 - i] for j = 0
        // (tower.hpp).
        Lanes even[3 * kDegree];
        Lanes odd[3 * kDegree];
        Lanes* const w = even;
        Lanes* const first = even + 2 * kDegree;
        constexpr std::int64_t kConstant = Modulus::kConstant;
        constexpr std::int64_t kMiddle = Modulus::kMiddleCoefficient;
        QUARRY_UNROLL
        for (int i = 1; i < kDegree; ++i) {
            w[kDegree + i] = b.c[i];
            const Lanes scaled = small_multiple(kConstant, b.c[kDegree - i]);
            first[kDegree - 1 - i] = scaled;
            if (i + 1 < kDegree)
                w[kDegree - i] = HWY_NAMESPACE::add(scaled, small_multiple(kMiddle, b.c[kDegree - 1 - i]));
        }
        w[kDegree] = HWY_NAMESPACE::add(b.c[0], small_multiple(kMiddle, b.c[kDegree - 1]));
        first[kDegree - 1] = b.c[0];
        QUARRY_UNROLL
        for (int i = 2; i < 3 * kDegree; ++i) odd[i] = odd_to_even(even[i]);
        Lanes a_odd[kDegree];
        QUARRY_UNROLL
        for (int i = 0; i < kDegree; ++i) a_odd[i] = odd_to_even(a.c[i]);
        for (int j = 0; j < kDegree; ++j) {
            const int row = j == 0 ? 3 * kDegree - 1 : j + kDegree;
            Accumulator s{mul_even(a.c[0], even[row]), mul_even(a_odd[0], odd[row])};
            QUARRY_UNROLL
            for (int i = 1; i < kDegree; ++i) {
                // 4 products stay below 4 p^2 < 2^64; each correction leaves room for two more.
                if (i >= 4 && i % 2 == 0) correct(s);
                multiply_add(s, a.c[i], a_odd[i], even[row - i], odd[row - i]);
            }
            r.c[j] = reduce(s);
        }
    }
    static void square(Element& r, const Element& a) { multiply(r, a, a); }

    static Element frobenius(const Element& a, std::size_t power) {
        const auto& table = frobenius_table<C>()[power];
        Element r;
        for (int k = 0; k < kDegree; ++k) {
            Lanes s = k == 0 ? a.c[0] : zero();
            for (int i = 1; i < kDegree; ++i) {
                const KoalaBear m = table[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)];
                s = HWY_NAMESPACE::add(s, mul_uniform(a.c[i], broadcast(m)));
            }
            r.c[k] = s;
        }
        return r;
    }
    static Base base_multiply(const Base& a, const Base& b) { return mul(a, b); }
    static Element scale(const Element& a, const Base& b) {
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = mul(a.c[k], b);
        return r;
    }
    static HWY_NOINLINE Element invert(const Element& a) {
        return TowerInverse<PackedTower, static_cast<std::size_t>(kDegree)>::invert(a);
    }

    /// Rows are read up to 16 words from each coordinate's start: tables end with kPadding spare words.
    static void gather(const std::uint32_t* const* rows, Element& x, Element& y) {
        Lanes t[16];
        for (int l = 0; l < 16; ++l) t[l] = HWY_NAMESPACE::load(rows[l]);
        transpose16(t);
        for (int k = 0; k < kDegree; ++k) x.c[k] = t[k];
        for (int l = 0; l < 16; ++l) t[l] = HWY_NAMESPACE::load(rows[l] + kDegree);
        transpose16(t);
        for (int k = 0; k < kDegree; ++k) y.c[k] = t[k];
    }
    static void scatter(const Element& x, const Element& y, std::uint32_t* const* rows) {
        alignas(64) std::uint32_t t[2 * kDegree][16];
        store(&t[0][0], x);
        store(&t[kDegree][0], y);
        for (int l = 0; l < 16; ++l) {
            for (int k = 0; k < 2 * kDegree; ++k) rows[l][k] = t[k][l];
        }
    }
    static Element negate_where(std::uint32_t mask, const Element& y) {
        // min(y + keep, -y + change) with 2^31 in the one that loses: both sides stay below 2^32.
        alignas(64) std::uint32_t bias[2][16];
        for (unsigned l = 0; l < 16; ++l) {
            bias[0][l] = ((mask >> l) & 1) << 31;
            bias[1][l] = bias[0][l] ^ 0x80000000;
        }
        const Lanes keep = HWY_NAMESPACE::load(bias[0]);
        const Lanes change = HWY_NAMESPACE::load(bias[1]);
        Element r;
        for (int k = 0; k < kDegree; ++k) r.c[k] = min32(add32(y.c[k], keep), add32(sub(zero(), y.c[k]), change));
        return r;
    }
    static std::uint32_t first_two_zero(const Element& d) {
        alignas(64) std::uint32_t t[16];
        HWY_NAMESPACE::store(t, add32(d.c[0], d.c[1]));  // both below p < 2^31: 0 only if both are
        std::uint32_t mask = 0;
        for (unsigned l = 0; l < 16; ++l) mask |= static_cast<std::uint32_t>(t[l] == 0) << l;
        return mask;
    }
};

/// Hands the elements of each step to an observer.
class ObserverReporter {
  public:
    using F = PackedTower<KB11>;
    explicit ObserverReporter(ScheduleObserver& observer) : observer_(&observer) {}
    void tangent(std::size_t g, const F::Element& slope) const { observer_->tangent(g, Stored(slope).values); }
    void odd_multiple(std::size_t g, std::size_t j, const F::Element& slope, const F::Element& x,
                      const F::Element& y) const {
        observer_->odd_multiple(g, j, Stored(slope).values, Stored(x).values, Stored(y).values);
    }
    void doubling(std::size_t g, std::size_t window, std::size_t i, const F::Element& slope) const {
        observer_->doubling(g, window, i, Stored(slope).values);
    }
    void addition(std::size_t g, std::size_t window, bool of_comb, const F::Element& slope,
                  const F::Element& difference) const {
        observer_->addition(g, window, of_comb, Stored(slope).values, Stored(difference).values);
    }
    void accumulator(std::size_t g, std::size_t window, const F::Element& x, const F::Element& y) const {
        observer_->accumulator(g, window, Stored(x).values, Stored(y).values);
    }

  private:
    struct Stored {
        explicit Stored(const F::Element& x) { F::store(&values[0][0], x); }
        alignas(64) ScheduleObserver::Element values;
    };
    ScheduleObserver* observer_;
};

template <class C, class Reporter>
void run_packed(ScheduleGroup<C>* groups, std::size_t n, const Reporter& report) {
    using S = Schedule<PackedTower<C>, C>;
    Buffer<typename S::Group> state(n);
    Buffer<std::uint32_t> tables(n * kLanes * kOddMultiples * S::kRow + CombTable<C>::kPadding);
    S::run(groups, n, comb_table<C>().rows(), state.data(), tables.data(), report);
}
void run_kb11(ScheduleGroup<KB11>* groups, std::size_t n) { run_packed<KB11>(groups, n, SilentReporter()); }
void run_kb7(ScheduleGroup<KB7>* groups, std::size_t n) { run_packed<KB7>(groups, n, SilentReporter()); }
void observe_kb11(ScheduleGroup<KB11>* groups, std::size_t n, ScheduleObserver* observer) {
    run_packed<KB11>(groups, n, ObserverReporter(*observer));
}

}  // namespace quarry::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quarry {
HWY_EXPORT(run_kb11);
HWY_EXPORT(run_kb7);
HWY_EXPORT(observe_kb11);

template <class C>
const FrobeniusTable<C>& frobenius_table() {
    static const FrobeniusTable<C> table = [] {
        FrobeniusTable<C> t;
        for (std::size_t i = 0; i < C::Field::kDegree; ++i) {
            typename C::Field x;
            x[i] = KoalaBear(1);
            for (std::size_t j = 0; j < C::Field::kDegree; ++j, x = x.frobenius()) t[j][i] = x;
        }
        return t;
    }();
    return table;
}
template const FrobeniusTable<KB11>& frobenius_table<KB11>();
template const FrobeniusTable<KB7>& frobenius_table<KB7>();

namespace schedule_detail {
bool& ifma_allowed() {
    static bool allowed = true;
    return allowed;
}
template <class C>
bool use_ifma() {
    return compiled_ifma<C>() && ifma_allowed() && has_ifma();
}
}  // namespace schedule_detail

template <>
void run_schedule<KB11>(std::span<ScheduleGroup<KB11>> groups) {
    if (groups.empty()) return;
    if (schedule_detail::use_ifma<KB11>()) return schedule_detail::run_ifma(groups.data(), groups.size());
    HWY_DYNAMIC_DISPATCH(run_kb11)(groups.data(), groups.size());
}
template <>
void run_schedule<KB7>(std::span<ScheduleGroup<KB7>> groups) {
    if (groups.empty()) return;
    if (schedule_detail::use_ifma<KB7>()) return schedule_detail::run_ifma(groups.data(), groups.size());
    HWY_DYNAMIC_DISPATCH(run_kb7)(groups.data(), groups.size());
}
void observe_schedule(std::span<ScheduleGroup<KB11>> groups, ScheduleObserver& observer) {
    if (groups.empty()) return;
    HWY_DYNAMIC_DISPATCH(observe_kb11)(groups.data(), groups.size(), &observer);
}
}  // namespace quarry
#endif
