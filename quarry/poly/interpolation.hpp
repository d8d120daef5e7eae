#pragma once
#include <span>
#include <vector>

#include "quarry/field/extension.hpp"

namespace quarry {

/// A polynomial over F_{p^5}, constant term first.
using Coefficients = std::vector<ExtField>;

/// The polynomial of degree < xs.size() with the values ys at the distinct points xs (Newton's divided differences).
/// Cost: quadratic.
Coefficients interpolate(std::span<const KoalaBear> xs, std::vector<ExtField> ys);
ExtField evaluate(const Coefficients& c, const ExtField& x);
/// a := a + b, longer if need be.
void add_to(Coefficients& a, const Coefficients& b);

}  // namespace quarry
