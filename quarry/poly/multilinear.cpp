#include "quarry/poly/multilinear.hpp"

#include <algorithm>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/poly/kernels/passes.hpp"
#include "quarry/poly/passes.hpp"

namespace quarry {
namespace {

const ExtField kOne(KoalaBear(1));

/// Doublings of a table of one: entries 2^v + b := factors[v] entry b, and entry b := entry b - that, if split.
ExtVector doubled(std::span<const ExtField> factors, bool split) {
    ExtVector out(std::size_t{1} << factors.size());
    for (std::size_t b = 0; b < kLanes; ++b) out.set(b, b == 0 ? kOne : ExtField());
    for (std::size_t v = 0; v < factors.size(); ++v) {
        const std::size_t half = std::size_t{1} << v;
        if (half < kLanes) {
            for (std::size_t b = 0; b < half; ++b) {
                const ExtField x = out.get(b);
                out.set(half + b, x * factors[v]);
                if (split) out.set(b, x - x * factors[v]);
            }
            continue;
        }
        const std::size_t blocks = half / kLanes;
        parallel_for(blocks, 256, [&](std::size_t begin, std::size_t end) {
            kernels::double_table(out.blocks() + begin, out.blocks() + blocks + begin, factors[v], split, end - begin);
        });
    }
    return out;
}

}  // namespace

ExtField eq(std::span<const ExtField> r, std::span<const ExtField> s) {
    QUARRY_CHECK(r.size() == s.size());
    ExtField product = kOne;
    for (std::size_t v = 0; v < r.size(); ++v) {
        const ExtField both = r[v] * s[v];
        product *= kOne - r[v] - s[v] + both + both;
    }
    return product;
}

ExtField pow_weight(ExtField x, std::span<const ExtField> r) {
    ExtField product = kOne;
    for (const ExtField& t : r) {
        product *= kOne - t + t * x;
        x *= x;
    }
    return product;
}

ExtVector eq_table(std::span<const ExtField> point) { return doubled(point, true); }

ExtVector pow_table(ExtField x, unsigned log_size) {
    std::vector<ExtField> powers(log_size);
    for (ExtField& p : powers) {
        p = x;
        x *= x;
    }
    return doubled(powers, false);
}

ExtField evaluate(std::span<const KoalaBear> f, std::span<const ExtField> point) {
    QUARRY_CHECK(f.size() == std::size_t{1} << point.size());
    const std::size_t low = std::min<std::size_t>(point.size(), 12);
    const ExtVector kernel = eq_table(point.first(low));
    ExtField sum;
    if (point.size() < kLogLanes) {
        for (std::size_t b = 0; b < f.size(); ++b) sum += kernel.get(b) * f[b];
        return sum;
    }
    const std::vector<ExtField> chunks = chunk_products(f, kernel);
    const ExtVector weights = eq_table(point.subspan(low));
    for (std::size_t s = 0; s < chunks.size(); ++s) sum += weights.get(s) * chunks[s];
    return sum;
}

ExtField evaluate(const ExtVector& f, std::span<const ExtField> point) {
    QUARRY_CHECK(f.size() == std::max<std::size_t>(kLanes, std::size_t{1} << point.size()));
    ExtField sum;
    if (f.size() == kLanes) {
        const ExtVector weights = eq_table(point);
        for (std::size_t b = 0; b < f.size(); ++b) sum += f.get(b) * weights.get(b);
        return sum;
    }
    const std::size_t low = std::min<std::size_t>(point.size(), 10);
    const ExtVector high = eq_table(point.subspan(low));
    std::vector<ExtField> lane_weights(f.size() >> low);
    for (std::size_t a = 0; a < lane_weights.size(); ++a) lane_weights[a] = high.get(a);
    const ExtVector folded = fold_lanes(f, static_cast<unsigned>(point.size() - low), lane_weights);
    const ExtVector kernel = eq_table(point.first(low));
    for (std::size_t b = 0; b < folded.size(); ++b) sum += folded.get(b) * kernel.get(b);
    return sum;
}

}  // namespace quarry
