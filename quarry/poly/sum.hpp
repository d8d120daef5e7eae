#pragma once
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_reduce.h>

#include <cstddef>

namespace quarry {

/// Sum of f(begin, end) over pieces of [0, n) of about `grain`. T() is zero; + must be exact, commutative and
/// associative.
template <class T, class F>
T parallel_sum(std::size_t n, std::size_t grain, F&& f) {
    if (n <= grain) return n > 0 ? f(std::size_t{0}, n) : T();
    return tbb::parallel_reduce(
        tbb::blocked_range<std::size_t>(0, n, grain), T(),
        [&](const tbb::blocked_range<std::size_t>& r, const T& sum) { return sum + f(r.begin(), r.end()); },
        [](const T& a, const T& b) { return a + b; });
}

}  // namespace quarry
