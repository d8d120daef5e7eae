#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/curve/curve.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

inline constexpr std::size_t kWindows = 32;      ///< 4 bits of the challenge and one comb entry each
inline constexpr std::size_t kOddMultiples = 8;  ///< P, 3P, ..., 15P

/// 16 signatures on their way through the row schedule, coordinate-major: key_x[k][lane] in Montgomery form.
/// Preconditions: keys on the curve, e_digits < 16, s_digits < 2^w.
template <class C>
struct alignas(64) ScheduleGroup {
    static constexpr std::size_t kDegree = C::Field::kDegree;
    std::uint32_t key_x[kDegree][kLanes], key_y[kDegree][kLanes];
    std::uint16_t s_digits[kWindows][kLanes];  ///< S in base 2^w, window i at weight 2^(w i)
    std::uint8_t e_digits[kWindows][kLanes];   ///< E in base 16, most significant first; the signed digit is 2 d - 15
    // Results.
    std::uint32_t r_x[kDegree][kLanes], r_y[kDegree][kLanes];
    std::uint32_t rejected;  ///< bit per lane: an addition met x_acc - x_B with coordinates 0 and 1 zero; r is then H
};

/// Runs all groups in lock-step: every step's divisions share one inversion per lane. [Montgomery's trick]
/// Cost in multiplications of F_{p^k} a signature: 32 (4 x 7 + 2 x 6) + 49, and 192 inversions shared by the groups.
template <class C>
void run_schedule(std::span<ScheduleGroup<C>> groups);

/// What a run of the schedule goes through, for the circuit's witness. Elements are coordinate-major, Montgomery form.
class ScheduleObserver {
  public:
    static constexpr std::size_t kDegree = KB11::Field::kDegree;
    using Element = std::uint32_t[kDegree][kLanes];
    virtual ~ScheduleObserver() = default;
    /// The slope of the tangent at P.
    virtual void tangent(std::size_t group, const Element& slope) = 0;
    /// The slope from (2j - 1) P to 2 P and the sum (2j + 1) P, j = 1 .. 7.
    virtual void odd_multiple(std::size_t group, std::size_t j, const Element& slope, const Element& x,
                              const Element& y) = 0;
    virtual void doubling(std::size_t group, std::size_t window, std::size_t i, const Element& slope) = 0;
    /// An addition, of the odd multiple or of the comb's entry; difference = x_acc - x_B.
    virtual void addition(std::size_t group, std::size_t window, bool of_comb, const Element& slope,
                          const Element& difference) = 0;
    /// The accumulator after a window.
    virtual void accumulator(std::size_t group, std::size_t window, const Element& x, const Element& y) = 0;
};
/// run_schedule that tells `observer` of every step, groups in any order within one.
void observe_schedule(std::span<ScheduleGroup<KB11>> groups, ScheduleObserver& observer);
/// Groups to hand to one call: more share the inversions better, until they leave the L2 cache.
inline constexpr std::size_t kScheduleGroups = 64;

/// Tables of the powers of Frobenius: entry [j][i] = (z^i)^(p^j).
template <class C>
using FrobeniusTable = std::array<std::array<typename C::Field, C::Field::kDegree>, C::Field::kDegree>;
template <class C>
const FrobeniusTable<C>& frobenius_table();

namespace schedule_detail {
/// The AVX-512 IFMA form: radix 2^52, for machines that have it. Precondition: has_ifma().
template <class C>
void run_ifma(ScheduleGroup<C>* groups, std::size_t n);
template <class C>
bool compiled_ifma();
/// False keeps the avx512 target on its Highway kernel: for tests and measurements, not while kernels run.
bool& ifma_allowed();
}  // namespace schedule_detail

}  // namespace quarry
