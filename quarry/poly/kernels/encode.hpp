#pragma once
#include <cstddef>
#include <cstdint>

namespace quarry {

/// Columns to encode, 16 elements at a time: element b (b % 16 == 0) of column c and its 15 followers lie at
///   data[(c / columns_per_lane) * lane_pitch + (c % columns_per_lane) * 16 + (b / 16) * block_pitch].
struct EncodeSource {
    const std::uint32_t* data;
    std::size_t num_columns;
    std::size_t columns_per_lane;
    std::size_t lane_pitch;
    std::size_t block_pitch;
};

/// The evaluation tree: node q of level l stands for f mod X^(2^(n-l)) - c(l, q), n = log_message + log_inv_rate; its
/// children are nodes 2q (+) and 2q + 1 (-) of level l + 1; leaf j is f(x_j). For deg f < 2^log_message the levels up
/// to log_inv_rate are copies, so each *coset*, a node of that level, starts from the message.
///
/// log_columns > 0: two passes. `columns` runs the upper log_message - log_region levels on tiles of 16 coefficients x
/// 16 columns, and leaves in the rows of each region (a node's 2^log_region codeword rows) its coefficients, *grouped*:
/// [column group][coefficient][16 columns]. `rows` runs the remaining levels region by region and turns groups into
/// rows.
struct EncodePlan {
    EncodeSource source;
    std::uint32_t* codeword;
    std::size_t stride;             ///< elements a row: 16 x number of column groups
    const std::uint32_t* twiddles;  ///< entry q: two_adic_root(l + 1)^brev_l(q) for any l with q < 2^l
    unsigned log_message;
    unsigned log_inv_rate;
    unsigned log_region;
    bool stream;  ///< rows of the codeword are 64-byte aligned: non-temporal stores allowed
};

inline constexpr std::size_t kEncodeTile = 16;  ///< coefficients a tile of the first pass

/// Scratch of the passes, in elements.
std::size_t encode_columns_scratch(const EncodePlan& plan);
std::size_t encode_rows_scratch(const EncodePlan& plan);
std::size_t encode_small_scratch(const EncodePlan& plan, std::size_t num_groups);

/// First pass for tiles [begin, end) of the column group: tile i is coefficients 16 i .. 16 i + 15 of every region.
void encode_columns(const EncodePlan& plan, std::size_t group, std::size_t begin, std::size_t end,
                    std::uint32_t* scratch);
/// Second pass for regions [begin, end).
void encode_rows(const EncodePlan& plan, std::size_t begin, std::size_t end, std::uint32_t* scratch);
/// Everything in one pass (log_region = log_message) for one coset and column groups [begin, end).
void encode_small(const EncodePlan& plan, std::size_t coset, std::size_t begin, std::size_t end,
                  std::uint32_t* scratch);

/// out[i] = in[i] * factor; n a multiple of 16. Pointers of Montgomery forms.
void scale(const std::uint32_t* in, std::uint32_t factor, std::uint32_t* out, std::size_t n);

}  // namespace quarry
