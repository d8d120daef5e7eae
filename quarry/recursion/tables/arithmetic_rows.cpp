#include "quarry/recursion/tables/arithmetic_rows.hpp"

#include <string>

namespace quarry::recursion {
namespace {

std::string at(const char* name, std::size_t i) { return std::string(name) + "[" + std::to_string(i) + "]"; }

ExtensionOf<Expr> scale(const ExtensionOf<Expr>& a, const Expr& c) {
    ExtensionOf<Expr> r;
    for (std::size_t k = 0; k < kDegree; ++k) r[k] = a[k] * c;
    return r;
}
ExtensionOf<Expr> add(const ExtensionOf<Expr>& a, const ExtensionOf<Expr>& b) {
    ExtensionOf<Expr> r;
    for (std::size_t k = 0; k < kDegree; ++k) r[k] = a[k] + b[k];
    return r;
}
void require_equal(AirBuilder& b, const char* name, const ExtensionOf<Expr>& x, const ExtensionOf<Expr>& y) {
    for (std::size_t k = 0; k < kDegree; ++k) b.equal(at(name, k), x[k], y[k]);
}

void read_weights(AirBuilder& b, const FoldFixed<Expr>& fixed, const std::array<ExtensionOf<Expr>, kBlock>& weights) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        b.receive(at("weight", i), kExtensionBus, fixed.reads,
                  extension_tuple(fixed.weights + static_cast<int>(i), weights[i]));
    }
}

}  // namespace

ExtensionOf<Expr> multiply(const ExtensionOf<Expr>& a, const ExtensionOf<Expr>& b) {
    std::array<Expr, 2 * kDegree - 1> t;
    for (std::size_t i = 0; i < kDegree; ++i) {
        for (std::size_t j = 0; j < kDegree; ++j) t[i + j] += a[i] * b[j];
    }
    for (std::size_t k = 2 * kDegree - 2; k >= kDegree; --k) {  // X^5 = 1 - X^2
        t[k - kDegree] += t[k];
        t[k - kDegree + 2] -= t[k];
    }
    return {t[0], t[1], t[2], t[3], t[4]};
}

void SumTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    require_equal(b, "sum", next.sum,
                  add(scale(row.sum, fixed.next_goes_on),
                      add(scale(multiply(next.a, next.b), fixed.next_product), scale(next.a, fixed.next_linear))));
    // Unused operands are the zero wire: every row reads.
    b.receive("a", kExtensionBus, Expr(1), extension_tuple(fixed.a, row.a));
    b.receive("b", kExtensionBus, Expr(1), extension_tuple(fixed.b, row.b));
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.sum));
}

void BaseFoldTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    ExtensionOf<Expr> sum = scale(row.sum, fixed.goes_on);
    for (std::size_t i = 0; i < kBlock; ++i) sum = add(sum, scale(next.weights[i], next.x[i]));
    require_equal(b, "sum", next.sum, sum);
    read_weights(b, fixed, row.weights);
    for (std::size_t i = 0; i < kBlock; ++i) {
        b.receive(at("x", i), kBaseBus, fixed.reads, {fixed.x + static_cast<int>(i), row.x[i]});
    }
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.sum));
}

void ExtensionFoldTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row,
                                   const Row<Expr>& next) {
    ExtensionOf<Expr> sum = scale(row.sum, fixed.goes_on);
    for (std::size_t i = 0; i < kBlock; ++i) sum = add(sum, multiply(next.weights[i], next.x[i]));
    require_equal(b, "sum", next.sum, sum);
    read_weights(b, fixed, row.weights);
    for (std::size_t i = 0; i < kBlock; ++i) {
        for (std::size_t k = 0; k < kDegree; ++k) {
            b.receive(at("x", kDegree * i + k), kBaseBus, fixed.reads,
                      {fixed.x + static_cast<int>(kDegree * i + k), row.x[i][k]});
        }
    }
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.sum));
}

void PolynomialTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    b.equal("square", row.square, row.x * row.x);
    const Expr fourth = next.square * next.square;
    const std::array<Expr, 4> even{Expr(1), next.square, fourth, fourth * next.square};
    ExtensionOf<Expr> sum = scale(row.sum, fixed.goes_on * fourth * fourth);
    for (std::size_t i = 0; i < kBlock; ++i) {
        const Expr power = i % 2 == 0 ? even[i / 2] : even[i / 2] * next.x;
        sum = add(sum, scale(next.coefficients[i], power));
    }
    require_equal(b, "sum", next.sum, sum);
    read_weights(b, fixed, row.coefficients);
    b.receive("x", kExtensionBus, fixed.reads, lifted_tuple(fixed.x, row.x));
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.sum));
}

void PowerTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    const ExtensionOf<Expr> factor = add(scale(row.r, row.x - 1), {Expr(1), Expr(0), Expr(0), Expr(0), Expr(0)});
    const ExtensionOf<Expr> product = multiply(row.product, factor);
    b.zero("square", fixed.step * (next.x - row.x * row.x));
    for (std::size_t k = 0; k < kDegree; ++k) {
        b.zero(at("product", k), fixed.step * (next.product[k] - product[k]));
        b.zero(at("start", k), fixed.start * (row.product[k] - Expr(k == 0 ? 1 : 0)));
    }
    b.receive("r", kExtensionBus, fixed.step, extension_tuple(fixed.r, row.r));
    b.receive("x", kExtensionBus, fixed.start, lifted_tuple(fixed.wire, row.x));
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.wire, row.product));
}

}  // namespace quarry::recursion
