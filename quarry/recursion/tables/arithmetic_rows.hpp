#pragma once
#include "quarry/air/table.hpp"
#include "quarry/recursion/buses.hpp"

/// Rows of extension arithmetic. A value becomes a wire (`results` readers) or is compared with one (`results` = -1);
/// sums over opened rows and polynomials run over consecutive rows, and the last of them has the value.
namespace quarry::recursion {

template <class T>
using ExtensionOf = std::array<T, kDegree>;

/// a b in F_p[X]/(X^5 + X^2 - 1).
ExtensionOf<Expr> multiply(const ExtensionOf<Expr>& a, const ExtensionOf<Expr>& b);

/// sum = constant + linear[0] x[0] + linear[1] x[1] + .. + product[0] x[0] x[1] + ..: the operands are any wires, read
/// by address; operands that a row does not need are the zero wire. What the other products multiply is the table's
/// choice: x[2] x[3], x[4] x[5], .. or, with one factor for all, x[0] x[2], x[0] x[3], ..
template <class T, std::size_t kOperands>
struct SumRow {
    std::array<ExtensionOf<T>, kOperands> x;
    ExtensionOf<T> sum;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kOperands; ++i) v("x" + std::to_string(i), x[i]);
        v("sum", sum);
    }
};
template <class T, std::size_t kOperands, std::size_t kProducts>
struct SumFixed {
    std::array<T, kOperands> address{}, linear{};
    std::array<T, kProducts> product{};
    T constant{}, result{}, results{};
    template <class V>
    void visit(V&& v) {
        v("address", address), v("linear", linear), v("product", product), v("constant", constant), v("result", result),
            v("results", results);
    }
};
template <std::size_t kNumOperands, std::size_t kNumProducts, bool kOneFactor>
struct BasicSumTable {
    static_assert((kOneFactor ? 1 + kNumProducts : 2 * kNumProducts) <= kNumOperands);
    static constexpr std::size_t kOperands = kNumOperands;
    static constexpr std::size_t kProducts = kNumProducts;
    static constexpr bool kSharesFactor = kOneFactor;
    /// The operands of product i.
    static constexpr std::size_t left(std::size_t i) { return kOneFactor ? 0 : 2 * i; }
    static constexpr std::size_t right(std::size_t i) { return kOneFactor ? 1 + i : 2 * i + 1; }
    template <class T>
    using Row = SumRow<T, kOperands>;
    template <class T>
    using Fixed = SumFixed<T, kOperands, kProducts>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};
/// Most sums are a step of Horner's rule, a product and a wire, or an interpolation a + r (b - a).
struct SumTable : BasicSumTable<3, 2, true> {
    static constexpr const char* kName = "sum";
};
/// Longer ones: linear maps, and sums of products.
struct FormTable : BasicSumTable<8, 4, false> {
    static constexpr const char* kName = "form";
};

/// z(Y) = x(Y) y(Y) for polynomials of 11 extension coefficients each: what a product of F_{p^11} in a table's text is
/// when the table's columns are extension elements. Shorter factors end in zero wires.
inline constexpr std::size_t kConvolution = 11;
inline constexpr std::size_t kConvolved = 2 * kConvolution - 1;
template <class T>
struct ConvolutionRow {
    std::array<ExtensionOf<T>, kConvolution> x, y;
    std::array<ExtensionOf<T>, kConvolved> z;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kConvolution; ++i) v("x" + std::to_string(i), x[i]);
        for (std::size_t i = 0; i < kConvolution; ++i) v("y" + std::to_string(i), y[i]);
        for (std::size_t i = 0; i < kConvolved; ++i) v("z" + std::to_string(i), z[i]);
    }
};
template <class T>
struct ConvolutionFixed {
    std::array<T, kConvolution> x{}, y{};  ///< addresses
    T reads{};                             ///< 0 on unused rows
    T result{};                            ///< address of z[0], the others follow
    std::array<T, kConvolved> results{};
    template <class V>
    void visit(V&& v) {
        v("x_address", x), v("y_address", y), v("reads", reads), v("result", result), v("results", results);
    }
};
struct ConvolutionTable {
    static constexpr const char* kName = "convolution";
    template <class T>
    using Row = ConvolutionRow<T>;
    template <class T>
    using Fixed = ConvolutionFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// sum[q] += weights[0] x[q][0] + .. + weights[7] x[q][7], the weights eight wires in a row, x[q] a block of base
/// wires: what opened rows of the first oracle fold to, four at a time, as the weights are theirs together.
inline constexpr std::size_t kFolds = 4;
template <class T>
struct BaseFoldRow {
    std::array<ExtensionOf<T>, kBlock> weights;
    std::array<std::array<T, kBlock>, kFolds> x;
    std::array<ExtensionOf<T>, kFolds> sum;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kBlock; ++i) v("weight" + std::to_string(i), weights[i]);
        for (std::size_t q = 0; q < kFolds; ++q) v("x" + std::to_string(q), x[q]), v("sum" + std::to_string(q), sum[q]);
    }
};
template <class T>
struct BaseFoldFixed {
    T weights{};                    ///< address of the first weight
    T goes_on{};                    ///< the next row adds to this row's sums
    std::array<T, kFolds> x{};      ///< address of the first base wire
    std::array<T, kFolds> reads{};  ///< 0 where there is nothing to fold; reads[0] reads the weights
    std::array<T, kFolds> result{}, results{};
    template <class V>
    void visit(V&& v) {
        v("weights", weights), v("goes_on", goes_on), v("x_address", x), v("reads", reads), v("result", result),
            v("results", results);
    }
};
/// sum += weights[0] x[0] + .. + weights[7] x[7], the x extension elements, five blocks of base wires.
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
    using Fixed = BaseFoldFixed<T>;
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

/// sum[q] = sum[q] x[q]^8 + coefficients[7] x[q]^7 + .. + coefficients[0], from the highest eight coefficients down: a
/// polynomial at six base points.
inline constexpr std::size_t kPoints = 6;
template <class T>
struct PolynomialRow {
    std::array<ExtensionOf<T>, kBlock> coefficients;
    std::array<T, kPoints> x, square;
    std::array<ExtensionOf<T>, kPoints> sum;
    template <class V>
    void visit(V&& v) {
        for (std::size_t i = 0; i < kBlock; ++i) v("coefficient" + std::to_string(i), coefficients[i]);
        v("x", x), v("square", square);
        for (std::size_t q = 0; q < kPoints; ++q) v("sum" + std::to_string(q), sum[q]);
    }
};
template <class T>
struct PolynomialFixed {
    T coefficients{};            ///< address of the first one
    T reads{};                   ///< 0 on unused rows; a point that is not needed is the zero wire
    T goes_on{};                 ///< the next row adds to this row's sums
    std::array<T, kPoints> x{};  ///< addresses
    std::array<T, kPoints> result{}, results{};
    template <class V>
    void visit(V&& v) {
        v("coefficients", coefficients), v("reads", reads), v("goes_on", goes_on), v("x_address", x),
            v("result", result), v("results", results);
    }
};
struct PolynomialTable {
    static constexpr const char* kName = "polynomial";
    template <class T>
    using Row = PolynomialRow<T>;
    template <class T>
    using Fixed = PolynomialFixed<T>;
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
