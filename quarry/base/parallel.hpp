#pragma once
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

#include <cstddef>

namespace quarry {

/// f(begin, end) over [0, n) in pieces of about `grain`, on the caller's TBB arena. Pieces run in any order: results
/// must not depend on it (field sums do not).
template <class F>
void parallel_for(std::size_t n, std::size_t grain, F&& f) {
    if (n <= grain) {
        if (n > 0) f(std::size_t{0}, n);
        return;
    }
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, n, grain),
                      [&](const tbb::blocked_range<std::size_t>& r) { f(r.begin(), r.end()); });
}

}  // namespace quarry
