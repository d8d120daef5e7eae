#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/air/program.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

inline constexpr unsigned kLogSkip = 5;
inline constexpr std::size_t kSkipSize = std::size_t{1} << kLogSkip;  ///< |D|
inline constexpr std::size_t kChunkRows = kSkipSize * kLanes;         ///< 512 rows: 32 vectors of 16
inline constexpr unsigned kLogChunkRows = kLogSkip + kLogLanes;

/// Twiddles that take coefficients (bit-reversed) to values on the coset shift * D, in the order of D.
struct CosetTwiddles {
    explicit CosetTwiddles(KoalaBear shift);
    std::array<KoalaBear, kSkipSize> factor;  ///< [half + i]: shift^(32 / (2 half)) w_(2 half)^i
};

/// 32 vectors of 16 values on D (vector i: the values at g^i) to coefficients, times 1/32, bit-reversed; in place.
void skip_interpolate(std::uint32_t* vectors);
/// Those coefficients to values on a coset.
void skip_evaluate(const std::uint32_t* coefficients, std::uint32_t* values, const CosetTwiddles& twiddles);

/// Runs a tape on base-field slots of `num_vectors` vectors of 16.
void run_tape_base(const Tape& tape, std::uint32_t* const* slots, std::size_t num_vectors);
/// The same on extension slots of `num_blocks` ExtBlocks.
void run_tape_ext(const Tape& tape, std::uint32_t* const* slots, std::size_t num_blocks);
/// target = constant + sum of terms, over base-field slots; terms' atoms index `slots`.
void linear_form_base(std::span<const Term> terms, KoalaBear constant, const std::uint32_t* const* slots,
                      std::uint32_t* target, std::size_t num_vectors);
/// The same over ExtBlocks.
void linear_form_ext(std::span<const Term> terms, KoalaBear constant, const std::uint32_t* const* slots,
                     std::uint32_t* target, std::size_t num_blocks);

/// sums[i] += scale * sum_r weights[r] * slots[r][i], i < num_vectors: base-field slots, extension weights.
void accumulate_base(std::span<const ExtField> weights, const std::uint32_t* const* slots, const ExtField& scale,
                     ExtBlock* sums, std::size_t num_vectors);
/// sum over i < num_blocks of scales[i] * sum_r weights[r] * slots[r][i], added to *sum: extension slots.
void accumulate_ext(std::span<const ExtField> weights, const std::uint32_t* const* slots,
                    std::span<const ExtField> scales, ExtBlock* sum, std::size_t num_blocks);
/// target = sum_(i < 32) weights[i] * vectors[i]: a column of one chunk at the skip point.
void fold_skip(std::span<const ExtField, kSkipSize> weights, const std::uint32_t* vectors, ExtBlock* target);
/// lo[j] = in[2 j], diff[j] = in[2 j + 1] - in[2 j], j < num_pairs.
void split_pairs(const ExtBlock* in, ExtBlock* lo, ExtBlock* diff, std::size_t num_pairs);
/// a[i] += b[i].
void add_blocks(ExtBlock* a, const ExtBlock* b, std::size_t num_blocks);
/// out[j] = in[2 j] + r (in[2 j + 1] - in[2 j]); out may be in.
void fold_pairs(const ExtBlock* in, ExtBlock* out, const ExtField& r, std::size_t num_pairs);
/// sum_i a[i] b[i], per lane.
void inner_product(const ExtBlock* a, const ExtBlock* b, ExtBlock* sum, std::size_t num_blocks);

}  // namespace quarry
