#pragma once
#include <array>
#include <cstddef>
#include <string>

#include "quarry/air/table.hpp"
#include "quarry/curve/curve.hpp"

/// KB11 in constraints: F_{p^11} = F_p[z]/(z^11 + z - 6) and the chord and tangent laws on cells.
namespace quarry::circuits {

using SignatureCurve = KB11;
inline constexpr std::size_t kCoordinates = SignatureCurve::Field::kDegree;

/// An element of F_{p^11}, constant term first.
template <class T>
using ElementOf = std::array<T, kCoordinates>;
using ExprElement = ElementOf<Expr>;

template <class T>
struct PointCells {
    ElementOf<T> x, y;
    template <class V>
    void visit(V&& v) {
        v("x", x), v("y", y);
    }
};
using ExprPoint = PointCells<Expr>;

ExprElement operator+(const ExprElement& a, const ExprElement& b);
ExprElement operator-(const ExprElement& a, const ExprElement& b);
/// c a, c a scalar of any degree.
ExprElement scaled(const Expr& c, const ExprElement& a);
/// a b and a^2; coefficients are sums of products, not named.
ExprElement multiply(const ExprElement& a, const ExprElement& b);
ExprElement square(const ExprElement& a);
/// Every coefficient as one atom: for what feeds further products (Expr::named).
ExprElement named(const ExprElement& a);
ExprElement constant_element(const SignatureCurve::Field& x);

/// a = b, coordinate by coordinate, as `name[i]`. `m` gates it: 1, or a selector.
void require_equal(AirBuilder& b, const std::string& name, const ExprElement& x, const ExprElement& y,
                   const Expr& m = Expr(1));

/// 2 y l = 3 x^2 + a: l is the tangent's slope at p if y is not 0, and the curve has no point with y = 0 (its order is
/// odd).
void require_tangent(AirBuilder& b, const std::string& name, const ExprPoint& p, const ExprElement& slope);
/// l (x_p - x_q) = y_p - y_q: l is the chord's slope if x_p and x_q differ, which is the caller's to show.
void require_chord(AirBuilder& b, const std::string& name, const ExprPoint& p, const ExprPoint& q,
                   const ExprElement& slope);
/// The third point on the line through p with this slope, negated, where x_q is the x of the second: x = l^2 - x_p -
/// x_q, y = l (x_p - x) - y_p. Named; degrees: x max(2, that of x_p, x_q), y one more.
ExprPoint follow_slope(const ExprPoint& p, const ExprElement& q_x, const ExprElement& slope);

/// Conversions to cells.
PointCells<KoalaBear> point_cells(const AffinePoint<SignatureCurve>& p);
AffinePoint<SignatureCurve> to_point(const PointCells<KoalaBear>& p);

}  // namespace quarry::circuits
