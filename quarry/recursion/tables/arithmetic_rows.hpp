#pragma once
#include "quarry/air/table.hpp"
#include "quarry/recursion/buses.hpp"

/// Rows of extension arithmetic. A sum runs over consecutive rows; its value, in the last of them, becomes a wire
/// (`results` readers) or is compared with one (`results` = -1).
namespace quarry::recursion {

template <class T>
using ExtensionOf = std::array<T, kDegree>;

/// a b in F_p[X]/(X^5 + X^2 - 1).
ExtensionOf<Expr> multiply(const ExtensionOf<Expr>& a, const ExtensionOf<Expr>& b);

/// sum = (sum of the row before, if that goes on) + product a b + linear a.
template <class T>
struct SumRow {
    ExtensionOf<T> a, b, sum;
    template <class V>
    void visit(V&& v) {
        v("a", a), v("b", b), v("sum", sum);
    }
};
template <class T>
struct SumFixed {
    T a{}, b{}, result{}, results{};
    T next_goes_on{};                 ///< the next row adds to this row's sum
    T next_product{}, next_linear{};  ///< the coefficients of the next row
    template <class V>
    void visit(V&& v) {
        v("a_address", a), v("b_address", b), v("result", result), v("results", results),
            v("next_goes_on", next_goes_on), v("next_product", next_product), v("next_linear", next_linear);
    }
};
struct SumTable {
    static constexpr const char* kName = "sum";
    template <class T>
    using Row = SumRow<T>;
    template <class T>
    using Fixed = SumFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// sum += weights[0] x[0] + .. + weights[7] x[7], the weights eight wires in a row, x a block of base wires: what an
/// opened row of the first oracle folds to.
template <class T>
struct BaseFoldRow {
    std::array<ExtensionOf<T>, kBlock> weights;
    std::array<T, kBlock> x;
    ExtensionOf<T> sum;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kBlock; ++i) v("weight" + std::to_string(i), weights[i]);
        v("x", x), v("sum", sum);
    }
};
/// The same with eight extension elements as five blocks of base wires.
template <class T>
struct ExtensionFoldRow {
    std::array<ExtensionOf<T>, kBlock> weights;
    std::array<ExtensionOf<T>, kBlock> x;
    ExtensionOf<T> sum;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kBlock; ++i) v("weight" + std::to_string(i), weights[i]);
        for (std::size_t i = 0; i < kBlock; ++i) v("x" + std::to_string(i), x[i]);
        v("sum", sum);
    }
};
template <class T>
struct FoldFixed {
    T weights{}, x{};  ///< addresses of the first weight and of the first base wire
    T reads{};         ///< 0 on unused rows
    T goes_on{};       ///< the next row adds to this row's sum
    T result{}, results{};
    template <class V>
    void visit(V&& v) {
        v("weights", weights), v("x_address", x), v("reads", reads), v("goes_on", goes_on), v("result", result),
            v("results", results);
    }
};
struct BaseFoldTable {
    static constexpr const char* kName = "base fold";
    template <class T>
    using Row = BaseFoldRow<T>;
    template <class T>
    using Fixed = FoldFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};
struct ExtensionFoldTable {
    static constexpr const char* kName = "extension fold";
    template <class T>
    using Row = ExtensionFoldRow<T>;
    template <class T>
    using Fixed = FoldFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// sum = sum x^8 + coefficients[7] x^7 + .. + coefficients[0], from the highest eight coefficients down: a polynomial
/// at a base point.
template <class T>
struct PolynomialRow {
    std::array<ExtensionOf<T>, kBlock> coefficients;
    T x, square;
    ExtensionOf<T> sum;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kBlock; ++i) v("coefficient" + std::to_string(i), coefficients[i]);
        v("x", x), v("square", square), v("sum", sum);
    }
};
struct PolynomialTable {
    static constexpr const char* kName = "polynomial";
    template <class T>
    using Row = PolynomialRow<T>;
    template <class T>
    using Fixed = FoldFixed<T>;  ///< weights: of the coefficients; x: of the point
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// product_v (1 + r_v (x^(2^v) - 1)) for a base x, one factor a row; the row after the last factor has the result.
template <class T>
struct PowerRow {
    T x;
    ExtensionOf<T> r, product;
    template <class V>
    void visit(V&& v) {
        v("x", x), v("r", r), v("product", product);
    }
};
template <class T>
struct PowerFixed {
    T start{};            ///< the product is 1, and x is the wire at `wire`
    T step{}, r{};        ///< the next row has one factor more, r the wire with that address
    T wire{}, results{};  ///< where x comes from; in the last row where the result goes, and its readers
    template <class V>
    void visit(V&& v) {
        v("start", start), v("step", step), v("r_address", r), v("wire", wire), v("results", results);
    }
};
struct PowerTable {
    static constexpr const char* kName = "power";
    template <class T>
    using Row = PowerRow<T>;
    template <class T>
    using Fixed = PowerFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

}  // namespace quarry::recursion
