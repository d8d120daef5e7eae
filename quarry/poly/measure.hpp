#pragma once
#include <cstddef>

namespace quarry {

/// Median seconds of `runs` calls of reed_solomon_encode on random lanes, buffers touched before. For `quarry bench
/// dft`. Roof: the larger of m 2^k / 2 butterflies a cell and the memory traffic that reed_solomon.hpp states.
double measure_reed_solomon_encode(std::size_t num_lanes, unsigned log_message, unsigned log_inv_rate,
                                   unsigned runs = 3);
/// The same for fold_lanes of num_lanes x 2^log_lane_size cells, and for chunk_products with a kernel of 2^log_kernel.
double measure_fold_lanes(std::size_t num_lanes, unsigned log_lane_size, unsigned runs = 3);
double measure_chunk_products(unsigned log_size, unsigned log_kernel, unsigned runs = 3);

/// Bytes per second (read + written) of copying a buffer of 256 MiB on all threads of the caller's arena: best of 5.
double measure_memory_bandwidth();

}  // namespace quarry
