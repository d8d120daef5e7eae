#include "quarry/poly/passes.hpp"

#include <algorithm>
#include <bit>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/poly/kernels/passes.hpp"
#include "quarry/poly/sum.hpp"

namespace quarry {
namespace {

constexpr std::size_t kGrain = 256;  ///< blocks a task of an extension pass: 80 KiB a vector

void check_size(const ExtVector& f, std::size_t size, std::size_t least) {
    QUARRY_CHECK(std::has_single_bit(size) && size >= least && size <= f.size());
}

}  // namespace

ExtVector fold_lanes(std::span<const KoalaBear> lanes, std::size_t num_lanes, std::size_t lane_size,
                     std::span<const ExtField> weights) {
    QUARRY_CHECK(num_lanes >= 1 && weights.size() == num_lanes && lanes.size() == num_lanes * lane_size);
    ExtVector out(lane_size);
    const std::size_t whole = lane_size / kLanes;
    const auto* raw = reinterpret_cast<const std::uint32_t*>(lanes.data());
    parallel_for(whole, 128, [&](std::size_t begin, std::size_t end) {
        kernels::fold_base(raw + begin * kLanes, lane_size, num_lanes, weights.data(), out.blocks() + begin,
                           end - begin);
    });
    for (std::size_t b = whole * kLanes; b < out.size(); ++b) {
        ExtField sum;
        for (std::size_t a = 0; b < lane_size && a < num_lanes; ++a) sum += weights[a] * lanes[a * lane_size + b];
        out.set(b, sum);
    }
    return out;
}

ExtVector fold_lanes(const ExtVector& f, unsigned log_lanes, std::span<const ExtField> weights) {
    const std::size_t num_lanes = std::size_t{1} << log_lanes;
    const std::size_t lane_size = f.size() >> log_lanes;
    QUARRY_CHECK(weights.size() == num_lanes && lane_size << log_lanes == f.size());
    ExtVector out(lane_size);
    if (lane_size % kLanes != 0) {
        for (std::size_t b = 0; b < out.size(); ++b) {
            ExtField sum;
            for (std::size_t a = 0; b < lane_size && a < num_lanes; ++a) sum += weights[a] * f.get(a * lane_size + b);
            out.set(b, sum);
        }
        return out;
    }
    parallel_for(out.num_blocks(), 32, [&](std::size_t begin, std::size_t end) {
        kernels::fold_ext(f.blocks() + begin, lane_size / kLanes, num_lanes, weights.data(), out.blocks() + begin,
                          end - begin);
    });
    return out;
}

std::vector<ExtField> chunk_products(std::span<const KoalaBear> data, const ExtVector& kernel) {
    QUARRY_CHECK(kernel.size() > 0 && data.size() % kernel.size() == 0);
    const std::size_t chunks = data.size() / kernel.size();
    const auto* raw = reinterpret_cast<const std::uint32_t*>(data.data());
    // A task is a piece of the kernel and a run of chunks, about 2^20 cells; sums of pieces are added at the end.
    const std::size_t piece = std::min<std::size_t>(kernel.num_blocks(), 512);
    const std::size_t pieces = (kernel.num_blocks() + piece - 1) / piece;
    const std::size_t run =
        std::clamp<std::size_t>((std::size_t{1} << 16) / piece, 1, std::max<std::size_t>(chunks, 1));
    const std::size_t runs = (chunks + run - 1) / run;
    std::vector<ExtField> partial(pieces * chunks);
    parallel_for(pieces * runs, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t t = begin; t < end; ++t) {
            const std::size_t block = t / runs * piece;
            const std::size_t first = t % runs * run;
            kernels::chunk_sums(raw + first * kernel.size() + block * kLanes, kernel.size(),
                                std::min(run, chunks - first), kernel.blocks() + block,
                                std::min(piece, kernel.num_blocks() - block),
                                partial.data() + t / runs * chunks + first);
        }
    });
    for (std::size_t p = 1; p < pieces; ++p) {
        for (std::size_t s = 0; s < chunks; ++s) partial[s] += partial[p * chunks + s];
    }
    partial.resize(chunks);
    return partial;
}

QuadraticMessage product_message(const ExtVector& f, const ExtVector& w, std::size_t size) {
    check_size(f, size, 2);
    check_size(w, size, 2);
    const std::size_t half = size / 2;
    if (half < kLanes) {
        QuadraticMessage m;
        for (std::size_t b = 0; b < half; ++b) {
            m.constant += f.get(b) * w.get(b);
            m.quadratic += (f.get(b + half) - f.get(b)) * (w.get(b + half) - w.get(b));
        }
        return m;
    }
    const std::size_t blocks = half / kLanes;
    return parallel_sum<QuadraticMessage>(blocks, kGrain, [&](std::size_t begin, std::size_t end) {
        return kernels::message(f.blocks() + begin, f.blocks() + blocks + begin, w.blocks() + begin,
                                w.blocks() + blocks + begin, end - begin);
    });
}

void fold_top(ExtVector& f, std::size_t size, ExtField r) {
    check_size(f, size, 2);
    const std::size_t half = size / 2;
    if (half < kLanes) {
        for (std::size_t b = 0; b < half; ++b) f.set(b, f.get(b) + r * (f.get(b + half) - f.get(b)));
        return;
    }
    const std::size_t blocks = half / kLanes;
    parallel_for(blocks, kGrain, [&](std::size_t begin, std::size_t end) {
        kernels::fold(f.blocks() + begin, f.blocks() + blocks + begin, r, end - begin);
    });
}

QuadraticMessage fold_top_message(ExtVector& f, ExtVector& w, std::size_t size, ExtField r) {
    check_size(f, size, 4);
    check_size(w, size, 4);
    const std::size_t quarter = size / 4;
    if (quarter < kLanes) {
        fold_top(f, size, r);
        fold_top(w, size, r);
        return product_message(f, w, size / 2);
    }
    const std::size_t blocks = quarter / kLanes;
    return parallel_sum<QuadraticMessage>(blocks, kGrain, [&](std::size_t begin, std::size_t end) {
        return kernels::fold_message(f.blocks() + begin, w.blocks() + begin, blocks, r, end - begin);
    });
}

void add_scaled(ExtVector& w, const ExtVector& v, ExtField c) {
    QUARRY_CHECK(w.size() == v.size());
    parallel_for(w.num_blocks(), kGrain, [&](std::size_t begin, std::size_t end) {
        kernels::add_scaled(w.blocks() + begin, v.blocks() + begin, c, end - begin);
    });
}

}  // namespace quarry
