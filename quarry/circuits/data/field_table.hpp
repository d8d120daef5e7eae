#pragma once
#include <array>
#include <vector>

#include "quarry/circuits/data/data_buses.hpp"
#include "quarry/circuits/data/field_cells.hpp"
#include "quarry/rollup/data_statement.hpp"

namespace quarry::circuits {

/// One equation modulo r a row:  (alpha a + beta) b + addend = scale out.
template <class T>
struct FieldRow {
    T is_real;
    FieldStepCells<T> step;
    FieldCells<T> a, b, out;
    LimbsOf<T> addend;  ///< below 2^27 each
    GateCells<T> gate;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("step", step), v("a", a), v("b", b), v("out", out), v("addend", addend),
            v("gate", gate);
    }
};

/// The arithmetic that is done once a proof. Each row takes a step from the point table, which says the names of its
/// numbers, and takes and puts those numbers by name. A number that is neither taken nor put is the prover's choice.
struct FieldTable {
    static constexpr const char* kName = "field";
    static constexpr unsigned kLogHeight = 9;
    template <class T>
    using Row = FieldRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// Names of the numbers: z^(2^k) has the name k.
enum class FieldName : std::uint32_t {
    power = 0,
    sum = 13,      ///< limbs of the evaluation's end
    reduced = 14,  ///< the same below 2^256
    value = 15,    ///< y
};
inline constexpr std::size_t kFieldSteps = 14;

/// The steps, from `blob` (0 or 1):
///   z^(2^(k+1)) = z^(2^k) z^(2^k), k < 12;   reduced = sum;
///   blob: (z^4096 - 1) reduced = 4096 y,   horner: reduced = y.
/// Linear in `blob`, so that they can be tuples.
template <class T>
std::array<FieldStepCells<T>, kFieldSteps> field_steps(const T& blob) {
    const auto number = [](std::uint32_t x) { return T(KoalaBear(x)); };
    const auto name = [&](FieldName n) { return number(static_cast<std::uint32_t>(n)); };
    const T zero = number(0);
    const T one = number(1);
    std::array<FieldStepCells<T>, kFieldSteps> steps;
    for (std::uint32_t k = 0; k < 12; ++k) {
        const T uses = k + 1 < 12 ? number(2) : blob;
        steps[k] = {number(k), number(k), number(k + 1), one, zero, one, one, uses, zero};
    }
    steps[12] = {zero, zero, name(FieldName::reduced), zero, zero, one, zero, one, one};
    steps[13] = {number(12),
                 name(FieldName::reduced),
                 name(FieldName::value),
                 blob,
                 one - blob - blob,
                 one + blob * KoalaBear(4095),
                 one,
                 -one,
                 zero};
    return steps;
}

/// The rows of a statement whose evaluation ended with `sum`.
std::vector<FieldRow<KoalaBear>> field_rows(const rollup::DataStatement& statement, const LimbsOf<KoalaBear>& sum);

}  // namespace quarry::circuits
