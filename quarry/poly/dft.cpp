#include "quarry/poly/dft.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/poly/domain.hpp"
#include "quarry/poly/kernels/passes.hpp"
#include "quarry/poly/multilinear.hpp"

namespace quarry {
namespace {

void check_shape(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message) {
    QUARRY_CHECK(log_message <= log_domain && log_domain <= KoalaBear::kTwoAdicity);
    for (const auto& [j, g] : points) QUARRY_CHECK(j < std::size_t{1} << log_domain);
}

constexpr unsigned kLogRun = 8;  ///< powers kept for each point: with 100 points 100 KiB

/// Powers x_j^b, b < max(16, 2^log_run), lane-major.
Buffer<KoalaBear> point_powers(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_run) {
    const std::size_t run = std::size_t{1} << log_run;
    Buffer<KoalaBear> powers(points.size() * run);
    parallel_for(points.size(), 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
            const KoalaBear x = domain_point(points[p].first, log_domain);
            KoalaBear y(1);
            for (std::size_t b = 0; b < run; ++b, y *= x) powers[p * run + b] = y;
        }
    });
    return powers;
}

/// Regions' logarithm for the tree: about as many regions as points, so that the direct part costs about 2^log_message
/// in all.
unsigned region_log(std::size_t num_points, unsigned log_domain, unsigned log_message) {
    const auto log_points = static_cast<unsigned>(std::bit_width(num_points));
    const unsigned log = log_domain > log_points ? log_domain - log_points : 0;
    return std::clamp(log, std::min(kLogLanes, log_message), log_message);
}

}  // namespace

ExtVector query_weights_direct(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message) {
    check_shape(points, log_domain, log_message);
    const std::size_t size = std::size_t{1} << log_message;
    ExtVector out(size);
    if (points.empty() || log_message < kLogLanes) {
        for (std::size_t b = 0; b < out.size(); ++b) out.set(b, ExtField());
        for (const auto& [j, g] : points) {
            const KoalaBear x = domain_point(j, log_domain);
            ExtField y = g;
            for (std::size_t b = 0; b < size; ++b, y = y * x) out.set(b, out.get(b) + y);
        }
        return out;
    }
    // b = b1 run + b0: out = sum_j (g_j x_j^(b1 run)) x_j^b0, a product of matrices.
    const unsigned log_run = std::min(kLogRun, log_message);
    const std::size_t run = std::size_t{1} << log_run;
    const Buffer<KoalaBear> powers = point_powers(points, log_domain, log_run);
    parallel_for(size / run, 16, [&](std::size_t begin, std::size_t end) {
        std::vector<ExtField> weights(points.size());
        std::vector<KoalaBear> steps(points.size());
        for (std::size_t p = 0; p < points.size(); ++p) {
            steps[p] = domain_point(points[p].first, log_domain).pow(run);
            weights[p] = points[p].second * steps[p].pow(begin);
        }
        for (std::size_t b1 = begin; b1 < end; ++b1) {
            kernels::fold_base(reinterpret_cast<const std::uint32_t*>(powers.data()), run, points.size(),
                               weights.data(), out.blocks() + b1 * run / kLanes, run / kLanes);
            for (std::size_t p = 0; p < points.size(); ++p) weights[p] = weights[p] * steps[p];
        }
    });
    return out;
}

ExtVector query_weights_by_dft(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message) {
    check_shape(points, log_domain, log_message);
    if (log_message < kLogLanes) return query_weights_direct(points, log_domain, log_message);
    const unsigned log_region = region_log(points.size(), log_domain, log_message);
    const std::size_t size = std::size_t{1} << log_message;
    const Buffer<KoalaBear> twiddles = make_twiddles(log_domain > 0 ? log_domain - 1 : 0);
    std::vector<WeightedPosition> sorted(points.begin(), points.end());
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

    ExtVector out(size);
    ExtVector work(size);
    // Node q of level l (encode.hpp) holds T[b] = sum over its positions of g x^b, b < 2^(log_domain - l). With c =
    // twiddle q and children T0, T1:  T[b] = T0[b] + T1[b],  T[b + h] = c (T0[b] - T1[b]).
    for (std::size_t coset = 0; coset < std::size_t{1} << (log_domain - log_message); ++coset) {
        ExtVector& t = coset == 0 ? out : work;
        const std::size_t region_blocks = (std::size_t{1} << log_region) / kLanes;
        parallel_for(size >> log_region, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t x = begin; x < end; ++x) {
                const std::size_t first = (coset << log_message) + (x << log_region);
                ExtBlock* blocks = t.blocks() + x * region_blocks;
                std::fill(blocks, blocks + region_blocks, ExtBlock{});
                auto p = std::lower_bound(sorted.begin(), sorted.end(), first,
                                          [](const auto& a, std::size_t j) { return a.first < j; });
                for (; p != sorted.end() && p->first < first + (std::size_t{1} << log_region); ++p) {
                    const KoalaBear point = domain_point(p->first, log_domain);
                    const ExtVector powers = pow_table(point, log_region);
                    kernels::add_scaled(blocks, powers.blocks(), p->second, region_blocks);
                }
            }
        });
        for (unsigned log_half = log_region; log_half < log_message; ++log_half) {
            const std::size_t half = (std::size_t{1} << log_half) / kLanes;
            const std::size_t first_node = coset << (log_message - log_half - 1);
            // Pieces of up to 256 blocks of a butterfly's halves.
            const std::size_t piece = std::min<std::size_t>(half, 256);
            const std::size_t pieces = half / piece;
            parallel_for(t.num_blocks() / (2 * piece), 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i) {
                    ExtBlock* a = t.blocks() + i / pieces * 2 * half + i % pieces * piece;
                    kernels::transposed_butterfly(a, a + half, twiddles[first_node + i / pieces], piece);
                }
            });
        }
        if (coset > 0) {
            parallel_for(out.num_blocks(), 256, [&](std::size_t begin, std::size_t end) {
                kernels::add_to(out.blocks() + begin, work.blocks() + begin, end - begin);
            });
        }
    }
    return out;
}

ExtVector query_weights(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message) {
    // Cycles for an element of the result: direct one a point; the tree 6 a level and coset, and about 20 for its
    // direct part.
    const std::size_t direct = points.size();
    const unsigned levels = log_message - std::min(log_message, region_log(points.size(), log_domain, log_message));
    const std::size_t tree = ((std::size_t{6} * levels + 10) << (log_domain - std::min(log_domain, log_message))) + 20;
    if (direct <= tree) return query_weights_direct(points, log_domain, log_message);
    return query_weights_by_dft(points, log_domain, log_message);
}

}  // namespace quarry
