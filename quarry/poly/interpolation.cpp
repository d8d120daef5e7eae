#include "quarry/poly/interpolation.hpp"

namespace quarry {

Coefficients interpolate(std::span<const KoalaBear> xs, std::vector<ExtField> ys) {
    const std::size_t n = xs.size();
    for (std::size_t level = 1; level < n; ++level) {
        for (std::size_t i = n - 1; i >= level; --i) ys[i] = (ys[i] - ys[i - 1]) * (xs[i] - xs[i - level]).inverse();
    }
    Coefficients c(n);
    for (std::size_t i = n; i-- > 0;) {
        // c := c (X - x_i) + y_i
        for (std::size_t j = n - 1; j > 0; --j) c[j] = c[j - 1] - c[j] * xs[i];
        c[0] = ys[i] - c[0] * xs[i];
    }
    return c;
}

ExtField evaluate(const Coefficients& c, const ExtField& x) {
    ExtField r;
    for (std::size_t i = c.size(); i-- > 0;) r = r * x + c[i];
    return r;
}

void add_to(Coefficients& a, const Coefficients& b) {
    if (a.size() < b.size()) a.resize(b.size());
    for (std::size_t i = 0; i < b.size(); ++i) a[i] += b[i];
}

}  // namespace quarry
