#include "quarry/poly/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/poly/multilinear.hpp"
#include "quarry/poly/passes.hpp"
#include "quarry/poly/reed_solomon.hpp"

namespace quarry {
namespace {

template <class F>
double seconds(F&& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
template <class F>
double median_seconds(unsigned runs, F&& f) {
    std::vector<double> t(std::max(runs, 1u));
    for (double& x : t) x = seconds(f);
    std::nth_element(t.begin(), t.begin() + static_cast<std::ptrdiff_t>(t.size() / 2), t.end());
    return t[t.size() / 2];
}

Buffer<KoalaBear> some_elements(std::size_t n) {
    Buffer<KoalaBear> v(n);
    parallel_for(n, std::size_t{1} << 16, [&](std::size_t begin, std::size_t end) {
        std::uint64_t x = begin * 0x9e3779b97f4a7c15 + 1;
        for (std::size_t i = begin; i < end; ++i) {
            x = x * 6364136223846793005 + 1442695040888963407;
            v[i] = KoalaBear::from_montgomery(static_cast<std::uint32_t>(((x >> 32) * KoalaBear::kModulus) >> 32));
        }
    });
    return v;
}

}  // namespace

double measure_reed_solomon_encode(std::size_t num_lanes, unsigned log_message, unsigned log_inv_rate, unsigned runs) {
    const Buffer<KoalaBear> message = some_elements(num_lanes << log_message);
    const std::size_t stride = codeword_stride(num_lanes);
    Buffer<KoalaBear> codeword = some_elements(stride << (log_message + log_inv_rate));
    return median_seconds(runs, [&] {
        reed_solomon_encode(message.span(), num_lanes, log_message, log_inv_rate, codeword.span(), stride);
    });
}

double measure_fold_lanes(std::size_t num_lanes, unsigned log_lane_size, unsigned runs) {
    const Buffer<KoalaBear> lanes = some_elements(num_lanes << log_lane_size);
    const ExtVector weights = pow_table(ExtField(KoalaBear(3)), 10);
    std::vector<ExtField> w(num_lanes);
    for (std::size_t a = 0; a < num_lanes; ++a) w[a] = weights.get(a % weights.size());
    return median_seconds(runs, [&] { (void)fold_lanes(lanes.span(), num_lanes, std::size_t{1} << log_lane_size, w); });
}

double measure_chunk_products(unsigned log_size, unsigned log_kernel, unsigned runs) {
    const Buffer<KoalaBear> data = some_elements(std::size_t{1} << log_size);
    const ExtVector kernel = pow_table(ExtField(KoalaBear(3)), log_kernel);
    return median_seconds(runs, [&] { (void)chunk_products(data.span(), kernel); });
}

double measure_memory_bandwidth() {
    constexpr std::size_t kBytes = std::size_t{256} << 20;
    Buffer<KoalaBear> from = some_elements(kBytes / sizeof(KoalaBear));
    Buffer<KoalaBear> to = some_elements(kBytes / sizeof(KoalaBear));
    double best = 1e9;
    for (int run = 0; run < 5; ++run) {
        best = std::min(best, seconds([&] {
                            parallel_for(from.size(), std::size_t{1} << 18, [&](std::size_t begin, std::size_t end) {
                                std::memcpy(to.data() + begin, from.data() + begin, (end - begin) * sizeof(KoalaBear));
                            });
                        }));
    }
    return 2.0 * static_cast<double>(kBytes) / best;
}

}  // namespace quarry
