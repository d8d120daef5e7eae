#pragma once
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/data/field_cells.hpp"

/// The buses of the data circuit beside hashes and ranges (circuits/buses.hpp), put and taken exactly once.
namespace quarry::circuits {

inline constexpr Bus kDataStartBus = 40;   ///< start of the evaluation.   PointTable -> EvaluationTable
inline constexpr Bus kDataEndBus = 41;     ///< its end.                   EvaluationTable -> PointTable
inline constexpr Bus kFieldStepBus = 42;   ///< what to compute.           PointTable -> FieldTable
inline constexpr Bus kFieldValueBus = 43;  ///< a number by its name.      PointTable, FieldTable -> FieldTable
inline constexpr Bus kDataPointBus = 44;   ///< what z is derived from, and z.    statement -> PointTable
inline constexpr Bus kDataClaimBus = 45;   ///< y, work and payee.                statement -> PointTable

/// The form, the accumulator and z. 25 values.
template <class T>
std::vector<T> data_start_tuple(const T& blob, const DigestOf<T>& before, const LimbsOf<T>& z) {
    return (TupleOf<T>() << blob << before << z).take();
}
/// The words, the accumulator, and the sum of shares or the value, limb by limb (each below 2^27). 25 values.
template <class T>
std::vector<T> data_end_tuple(const T& words, const DigestOf<T>& after, const LimbsOf<T>& sum) {
    return (TupleOf<T>() << words << after << sum).take();
}

/// out e = (alpha a + beta) b + addend mod r; how often each number is taken (b, addend) or put (out; -1: taken).
template <class T>
struct FieldStepCells {
    T a, b, out;           ///< names
    T alpha, beta, scale;  ///< scale: e. alpha is also how often a is taken
    T uses_b, uses_out, uses_addend;
    template <class V>
    void visit(V&& v) {
        v("a", a), v("b", b), v("out", out), v("alpha", alpha), v("beta", beta), v("scale", scale), v("uses_b", uses_b),
            v("uses_out", uses_out), v("uses_addend", uses_addend);
    }
};
/// 9 values.
template <class T>
std::vector<T> field_step_tuple(const FieldStepCells<T>& s) {
    return {s.a, s.b, s.out, s.alpha, s.beta, s.scale, s.uses_b, s.uses_out, s.uses_addend};
}
/// 17 values.
template <class T>
std::vector<T> field_value_tuple(const T& name, const LimbsOf<T>& limbs) {
    return (TupleOf<T>() << name << limbs).take();
}

/// 42 values.
template <class T>
std::vector<T> data_point_tuple(const T& form, const T& words, const DigestOf<T>& before, const DigestOf<T>& after,
                                const LimbsOf<T>& l1_hash, const DigestOf<T>& point) {
    return (TupleOf<T>() << form << words << before << after << l1_hash << point).take();
}
/// 36 values.
template <class T>
std::vector<T> data_claim_tuple(const LimbsOf<T>& value, const std::array<T, 2>& units, const DigestOf<T>& root,
                                const std::array<T, 10>& payee) {
    return (TupleOf<T>() << value << units << root << payee).take();
}

}  // namespace quarry::circuits
