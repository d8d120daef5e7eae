#include "quarry/base/parallel.hpp"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

namespace quarry::parallel_detail {

void run(std::size_t n, std::size_t grain, void* f, Piece piece) {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, n, grain),
                      [&](const tbb::blocked_range<std::size_t>& r) { piece(f, r.begin(), r.end()); });
}

}  // namespace quarry::parallel_detail
