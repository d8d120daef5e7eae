#include "quarry/recursion/tables/arithmetic_rows.hpp"

#include <string>

namespace quarry::recursion {
namespace {

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
void require_equal(AirBuilder& b, const std::string& name, const ExtensionOf<Expr>& x, const ExtensionOf<Expr>& y) {
    for (std::size_t k = 0; k < kDegree; ++k) b.equal(indexed(name, k), x[k], y[k]);
}

ExtensionOf<Expr> reduce(std::array<Expr, 2 * kDegree - 1> t) {
    for (std::size_t k = 2 * kDegree - 2; k >= kDegree; --k) {  // X^5 = 1 - X^2
        t[k - kDegree] += t[k];
        t[k - kDegree + 2] -= t[k];
    }
    return {t[0], t[1], t[2], t[3], t[4]};
}

void read_weights(AirBuilder& b, const Expr& address, const Expr& reads,
                  const std::array<ExtensionOf<Expr>, kBlock>& weights) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        b.receive(indexed("weight", i), kExtensionBus, reads,
                  extension_tuple(address + static_cast<int>(i), weights[i]));
    }
}

}  // namespace

ExtensionOf<Expr> multiply(const ExtensionOf<Expr>& a, const ExtensionOf<Expr>& b) {
    std::array<Expr, 2 * kDegree - 1> t;
    for (std::size_t i = 0; i < kDegree; ++i) {
        for (std::size_t j = 0; j < kDegree; ++j) t[i + j] += a[i] * b[j];
    }
    return reduce(t);
}

template <std::size_t kNumOperands, std::size_t kNumProducts, bool kOneFactor>
void BasicSumTable<kNumOperands, kNumProducts, kOneFactor>::constrain(AirBuilder& b, const Fixed<Expr>& fixed,
                                                                      const Row<Expr>& row, const Row<Expr>& /*next*/) {
    ExtensionOf<Expr> sum{fixed.constant, Expr(0), Expr(0), Expr(0), Expr(0)};
    for (std::size_t i = 0; i < kProducts; ++i) {
        sum = add(sum, scale(multiply(row.x[left(i)], row.x[right(i)]), fixed.product[i]));
    }
    for (std::size_t i = 0; i < kOperands; ++i) sum = add(sum, scale(row.x[i], fixed.linear[i]));
    require_equal(b, "sum", row.sum, sum);
    for (std::size_t i = 0; i < kOperands; ++i) {
        b.receive(indexed("x", i), kExtensionBus, Expr(1), extension_tuple(fixed.address[i], row.x[i]));
    }
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.sum));
}
template struct BasicSumTable<SumTable::kOperands, SumTable::kProducts, SumTable::kSharesFactor>;
template struct BasicSumTable<FormTable::kOperands, FormTable::kProducts, FormTable::kSharesFactor>;

// Coefficient by coefficient of X, products of polynomials over the base field: a circuit that verifies this table
// meets them as what they are.
void ConvolutionTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row,
                                 const Row<Expr>& /*next*/) {
    const auto coefficients = [](const std::array<ExtensionOf<Expr>, kConvolution>& x, std::size_t k) {
        std::array<Expr, kConvolution> r;
        for (std::size_t i = 0; i < kConvolution; ++i) r[i] = x[i][k];
        return r;
    };
    std::array<std::array<Expr, 2 * kDegree - 1>, kConvolved> t;
    for (std::size_t k = 0; k < kDegree; ++k) {
        for (std::size_t l = 0; l < kDegree; ++l) {
            const auto product = convolve(coefficients(row.x, k), coefficients(row.y, l));
            for (std::size_t i = 0; i < kConvolved; ++i) t[i][k + l] += product[i];
        }
    }
    for (std::size_t i = 0; i < kConvolved; ++i) require_equal(b, indexed("z", i), row.z[i], reduce(t[i]));
    for (std::size_t i = 0; i < kConvolution; ++i) {
        b.receive(indexed("x", i), kExtensionBus, fixed.reads, extension_tuple(fixed.x[i], row.x[i]));
        b.receive(indexed("y", i), kExtensionBus, fixed.reads, extension_tuple(fixed.y[i], row.y[i]));
    }
    for (std::size_t i = 0; i < kConvolved; ++i) {
        b.send(indexed("result", i), kExtensionBus, fixed.results[i],
               extension_tuple(fixed.result + static_cast<int>(i), row.z[i]));
    }
}

void BaseFoldTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    read_weights(b, fixed.weights, fixed.reads[0], row.weights);
    for (std::size_t q = 0; q < kFolds; ++q) {
        ExtensionOf<Expr> sum = scale(row.sum[q], fixed.goes_on);
        for (std::size_t i = 0; i < kBlock; ++i) sum = add(sum, scale(next.weights[i], next.x[q][i]));
        require_equal(b, indexed("sum", q), next.sum[q], sum);
        for (std::size_t i = 0; i < kBlock; ++i) {
            b.receive(indexed("x", kBlock * q + i), kBaseBus, fixed.reads[q],
                      {fixed.x[q] + static_cast<int>(i), row.x[q][i]});
        }
        b.send(indexed("result", q), kExtensionBus, fixed.results[q], extension_tuple(fixed.result[q], row.sum[q]));
    }
}

void ExtensionFoldTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row,
                                   const Row<Expr>& next) {
    ExtensionOf<Expr> sum = scale(row.sum, fixed.goes_on);
    for (std::size_t i = 0; i < kBlock; ++i) sum = add(sum, multiply(next.weights[i], next.x[i]));
    require_equal(b, "sum", next.sum, sum);
    read_weights(b, fixed.weights, fixed.reads, row.weights);
    for (std::size_t i = 0; i < kBlock; ++i) {
        for (std::size_t k = 0; k < kDegree; ++k) {
            b.receive(indexed("x", kDegree * i + k), kBaseBus, fixed.reads,
                      {fixed.x + static_cast<int>(kDegree * i + k), row.x[i][k]});
        }
    }
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.sum));
}

void PolynomialTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    read_weights(b, fixed.coefficients, fixed.reads, row.coefficients);
    for (std::size_t q = 0; q < kPoints; ++q) {
        b.equal(indexed("square", q), row.square[q], row.x[q] * row.x[q]);
        const Expr fourth = next.square[q] * next.square[q];
        const std::array<Expr, 4> even{Expr(1), next.square[q], fourth, fourth * next.square[q]};
        ExtensionOf<Expr> sum = scale(row.sum[q], fixed.goes_on * fourth * fourth);
        for (std::size_t i = 0; i < kBlock; ++i) {
            const Expr power = i % 2 == 0 ? even[i / 2] : even[i / 2] * next.x[q];
            sum = add(sum, scale(next.coefficients[i], power));
        }
        require_equal(b, indexed("sum", q), next.sum[q], sum);
        b.receive(indexed("x", q), kExtensionBus, fixed.reads, lifted_tuple(fixed.x[q], row.x[q]));
        b.send(indexed("result", q), kExtensionBus, fixed.results[q], extension_tuple(fixed.result[q], row.sum[q]));
    }
}

void PowerTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    const ExtensionOf<Expr> factor = add(scale(row.r, row.x - 1), {Expr(1), Expr(0), Expr(0), Expr(0), Expr(0)});
    const ExtensionOf<Expr> product = multiply(row.product, factor);
    b.zero("square", fixed.step * (next.x - row.x * row.x));
    for (std::size_t k = 0; k < kDegree; ++k) {
        b.zero(indexed("product", k), fixed.step * (next.product[k] - product[k]));
        b.zero(indexed("start", k), fixed.start * (row.product[k] - Expr(k == 0 ? 1 : 0)));
    }
    b.receive("r", kExtensionBus, fixed.step, extension_tuple(fixed.r, row.r));
    b.receive("x", kExtensionBus, fixed.start, lifted_tuple(fixed.wire, row.x));
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.wire, row.product));
}

}  // namespace quarry::recursion
