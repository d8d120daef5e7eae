#include "quarry/circuits/signature/curve_cells.hpp"

#include <span>
#include <vector>

namespace quarry::circuits {
namespace {

using Polynomial = std::vector<Expr>;

// z^11 = A z + B from the top down, 2k - 1 coefficients to k. Sums are named first: what they are made of then appears
// once in each product that the result feeds.
ExprElement reduced(const Polynomial& t) {
    using Modulus = SignatureCurve::Modulus;
    static_assert(Modulus::kMiddle == 1);
    ExprElement r;
    for (std::size_t j = 0; j < kCoordinates; ++j) {
        r[j] = t[j];
        if (j + kCoordinates < t.size()) r[j] += t[j + kCoordinates] * Expr(static_cast<int>(Modulus::kConstant));
        if (j > 0) r[j] += t[j + kCoordinates - 1] * Expr(static_cast<int>(Modulus::kMiddleCoefficient));
    }
    return r;
}

}  // namespace

ExprElement operator+(const ExprElement& a, const ExprElement& b) {
    ExprElement r;
    for (std::size_t i = 0; i < kCoordinates; ++i) r[i] = a[i] + b[i];
    return r;
}
ExprElement operator-(const ExprElement& a, const ExprElement& b) {
    ExprElement r;
    for (std::size_t i = 0; i < kCoordinates; ++i) r[i] = a[i] - b[i];
    return r;
}
ExprElement scaled(const Expr& c, const ExprElement& a) {
    ExprElement r;
    for (std::size_t i = 0; i < kCoordinates; ++i) r[i] = c * a[i];
    return r;
}
ExprElement multiply(const ExprElement& a, const ExprElement& b) { return reduced(convolve(a, b)); }
ExprElement square(const ExprElement& a) { return multiply(a, a); }
ExprElement named(const ExprElement& a) {
    ExprElement r;
    for (std::size_t i = 0; i < kCoordinates; ++i) r[i] = a[i].named();
    return r;
}
ExprElement constant_element(const SignatureCurve::Field& x) {
    ExprElement r;
    for (std::size_t i = 0; i < kCoordinates; ++i) r[i] = Expr(x[i]);
    return r;
}

void require_equal(AirBuilder& b, const std::string& name, const ExprElement& x, const ExprElement& y, const Expr& m) {
    for (std::size_t i = 0; i < kCoordinates; ++i) b.zero(indexed(name, i), m * (x[i] - y[i]));
}

void require_tangent(AirBuilder& b, const std::string& name, const ExprPoint& p, const ExprElement& slope) {
    ExprElement numerator = scaled(Expr(3), square(p.x));
    numerator[0] += Expr(static_cast<int>(SignatureCurve::kA));
    require_equal(b, name, scaled(Expr(2), multiply(p.y, slope)), numerator);
}
void require_chord(AirBuilder& b, const std::string& name, const ExprPoint& p, const ExprPoint& q,
                   const ExprElement& slope) {
    require_equal(b, name, multiply(named(p.x - q.x), slope), p.y - q.y);
}
ExprPoint follow_slope(const ExprPoint& p, const ExprElement& q_x, const ExprElement& slope) {
    const ExprElement x = named(square(slope) - p.x - q_x);
    return {x, named(multiply(slope, named(p.x - x)) - p.y)};
}

PointCells<KoalaBear> point_cells(const AffinePoint<SignatureCurve>& p) {
    return {p.x.coefficients(), p.y.coefficients()};
}
AffinePoint<SignatureCurve> to_point(const PointCells<KoalaBear>& p) {
    using Field = SignatureCurve::Field;
    return {Field(p.x), Field(p.y)};
}

}  // namespace quarry::circuits
