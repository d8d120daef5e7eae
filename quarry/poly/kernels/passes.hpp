#pragma once
#include <cstddef>
#include <cstdint>

#include "quarry/poly/passes.hpp"

namespace quarry::kernels {

/// out[i] = sum_a weights[a] (lanes[a lane_pitch + 16 i ..]) for i < num_blocks, num_lanes >= 1.
void fold_base(const std::uint32_t* lanes, std::size_t lane_pitch, std::size_t num_lanes, const ExtField* weights,
               ExtBlock* out, std::size_t num_blocks);
/// out[i] = sum_a weights[a] lanes[a lane_pitch + i], pitches in blocks.
void fold_ext(const ExtBlock* lanes, std::size_t lane_pitch, std::size_t num_lanes, const ExtField* weights,
              ExtBlock* out, std::size_t num_blocks);
/// sums[s] = sum over num_blocks blocks of kernel x data[s chunk_pitch ..], s < num_chunks.
void chunk_sums(const std::uint32_t* data, std::size_t chunk_pitch, std::size_t num_chunks, const ExtBlock* kernel,
                std::size_t num_blocks, ExtField* sums);
/// Partial message over blocks: *_low the lower half, *_high the upper.
QuadraticMessage message(const ExtBlock* f_low, const ExtBlock* f_high, const ExtBlock* w_low, const ExtBlock* w_high,
                         std::size_t num_blocks);
/// low += r (high - low).
void fold(ExtBlock* low, const ExtBlock* high, ExtField r, std::size_t num_blocks);
/// Folds quarters 0, 1 with quarters 2, 3 (pitch `quarter` blocks), returns the message of the result.
QuadraticMessage fold_message(ExtBlock* f, ExtBlock* w, std::size_t quarter, ExtField r, std::size_t num_blocks);
/// out += c v.
void add_scaled(ExtBlock* out, const ExtBlock* v, ExtField c, std::size_t num_blocks);
/// high = c low, and low -= high if `split`: one doubling of a table of powers or of eq.
void double_table(ExtBlock* low, ExtBlock* high, ExtField c, bool split, std::size_t num_blocks);
/// (a, b) := (a + b, w (a - b)).
void transposed_butterfly(ExtBlock* a, ExtBlock* b, KoalaBear w, std::size_t num_blocks);
/// out += v.
void add_to(ExtBlock* out, const ExtBlock* v, std::size_t num_blocks);

}  // namespace quarry::kernels
