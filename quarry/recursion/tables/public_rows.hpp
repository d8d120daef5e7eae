#pragma once
#include "quarry/air/table.hpp"
#include "quarry/recursion/buses.hpp"

namespace quarry::recursion {

/// Values of a row of the public input. A verifier pays for a row about half of what it pays for a value of every row:
/// a binding of a terminal item (51 limbs) is a row, what else there is of the item (172 limbs) three.
inline constexpr std::size_t kPublicValues = 58;
/// Those that every row has wires for.
inline constexpr std::size_t kFirstPublicValues = 51;

/// A row of the public input, which the statement puts on the bus under its number: each value as a wire with one
/// reader, and their sum.
template <class T>
struct PublicInputRow {
    std::array<T, kPublicValues> x;
    template <class V>
    void visit(V&& v) {
        v("x", x);
    }
};
template <class T>
struct PublicInputFixed {
    T number{}, used{};  ///< 0 on unused rows
    T more{};            ///< the values beyond the first ones are wires too
    T first{};           ///< address of x[0], the others follow
    T sum{}, sums{};     ///< address of the sum, and its readers
    template <class V>
    void visit(V&& v) {
        v("number", number), v("used", used), v("more", more), v("first", first), v("sum", sum), v("sums", sums);
    }
};
struct PublicTable {
    static constexpr const char* kName = "public input";
    template <class T>
    using Row = PublicInputRow<T>;
    template <class T>
    using Fixed = PublicInputFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

}  // namespace quarry::recursion
