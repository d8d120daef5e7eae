#include "quarry/poly/reed_solomon.hpp"

#include <oneapi/tbb/enumerable_thread_specific.h>

#include <algorithm>
#include <bit>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/poly/domain.hpp"
#include "quarry/poly/kernels/encode.hpp"

namespace quarry {

Buffer<KoalaBear> make_twiddles(unsigned log_size) {
    const std::size_t size = std::max<std::size_t>(kLanes, std::size_t{1} << log_size);
    Buffer<KoalaBear> table(size);
    table[0] = KoalaBear(1);
    // brev of 2^l + q is that of q, plus one unit of the next finer root.
    for (unsigned l = 0; (std::size_t{1} << l) < size; ++l) {
        const std::size_t half = std::size_t{1} << l;
        const KoalaBear root = KoalaBear::two_adic_root(l + 2);
        if (half < kLanes) {
            for (std::size_t q = 0; q < half; ++q) table[half + q] = table[q] * root;
            continue;
        }
        auto* raw = reinterpret_cast<std::uint32_t*>(table.data());
        parallel_for(half / kLanes, 4096, [&](std::size_t begin, std::size_t end) {
            scale(raw + begin * kLanes, root.montgomery(), raw + half + begin * kLanes, (end - begin) * kLanes);
        });
    }
    return table;
}

namespace {

using Scratch = tbb::enumerable_thread_specific<Buffer<std::uint32_t>>;

std::uint32_t* get(Scratch& scratch, std::size_t size) {
    Buffer<std::uint32_t>& b = scratch.local();
    if (b.size() < size) b = Buffer<std::uint32_t>(size);
    return b.data();
}

constexpr std::size_t kCacheElements = std::size_t{1}
                                       << 16;  ///< 256 KiB: a region and its scratch fit the L2 cache twice
constexpr unsigned kMaxLogTile = 10;           ///< 2 tiles of 2^10 rows of 1 KiB fill an L2 cache of 2 MiB

/// log_message >= 4, stride and spans checked.
void encode(const EncodeSource& source, unsigned log_message, unsigned log_inv_rate, std::span<KoalaBear> codeword,
            std::size_t stride) {
    const unsigned log_domain = log_message + log_inv_rate;
    const Buffer<KoalaBear> twiddles = make_twiddles(log_domain - 1);
    EncodePlan plan{.source = source,
                    .codeword = reinterpret_cast<std::uint32_t*>(codeword.data()),
                    .stride = stride,
                    .twiddles = reinterpret_cast<const std::uint32_t*>(twiddles.data()),
                    .log_message = log_message,
                    .log_inv_rate = log_inv_rate,
                    .log_region = log_message,
                    .stream = reinterpret_cast<std::uintptr_t>(codeword.data()) % 64 == 0};
    const std::size_t groups = stride / kLanes;
    const std::size_t cosets = std::size_t{1} << log_inv_rate;
    Scratch scratch;

    if (log_message <= 10) {
        const std::size_t chunk = std::clamp<std::size_t>(kCacheElements >> (log_message + 4), 1, groups);
        const std::size_t chunks = (groups + chunk - 1) / chunk;
        parallel_for(chunks * cosets, 1, [&](std::size_t begin, std::size_t end) {
            std::uint32_t* s = get(scratch, encode_small_scratch(plan, chunk));
            for (std::size_t t = begin; t < end; ++t) {
                const std::size_t first = t / cosets * chunk;
                encode_small(plan, t % cosets, first, std::min(first + chunk, groups), s);
            }
        });
        return;
    }

    const unsigned fitting =
        static_cast<unsigned>(std::bit_width(kCacheElements / std::min(stride, kCacheElements))) - 1;
    plan.log_region = std::clamp(fitting, 7u, 9u);
    if (log_message - plan.log_region > kMaxLogTile) plan.log_region = log_message - kMaxLogTile;
    const std::size_t tiles = (std::size_t{1} << plan.log_region) / kEncodeTile;
    parallel_for(groups * tiles, 1, [&](std::size_t begin, std::size_t end) {
        std::uint32_t* s = get(scratch, encode_columns_scratch(plan));
        for (std::size_t t = begin; t < end; ++t) encode_columns(plan, t / tiles, t % tiles, t % tiles + 1, s);
    });
    parallel_for(std::size_t{1} << (log_domain - plan.log_region), 1, [&](std::size_t begin, std::size_t end) {
        encode_rows(plan, begin, end, get(scratch, encode_rows_scratch(plan)));
    });
}

/// Codes too short for a SIMD block of coefficients. value(c, i): coefficient i of column c.
template <class Value>
void encode_short(std::size_t num_columns, unsigned log_message, unsigned log_inv_rate, std::span<KoalaBear> codeword,
                  std::size_t stride, Value value) {
    const std::size_t size = std::size_t{1} << log_message;
    if (log_message + log_inv_rate >= kLogLanes) {
        // RS[m, k] is RS[4, m + k - 4] of the coefficients padded with zeros.
        Buffer<KoalaBear> padded = Buffer<KoalaBear>::zeros(num_columns * kLanes);
        for (std::size_t c = 0; c < num_columns; ++c) {
            for (std::size_t i = 0; i < size; ++i) padded[c * kLanes + i] = value(c, i);
        }
        reed_solomon_encode(padded.span(), num_columns, kLogLanes, log_message + log_inv_rate - kLogLanes, codeword,
                            stride);
        return;
    }
    const unsigned log_domain = log_message + log_inv_rate;
    for (std::size_t j = 0; j < (std::size_t{1} << log_domain); ++j) {
        const KoalaBear x = domain_point(j, log_domain);
        for (std::size_t c = 0; c < stride; ++c) {
            KoalaBear y;
            for (std::size_t i = size; c < num_columns && i-- > 0;) y = y * x + value(c, i);
            codeword[j * stride + c] = y;
        }
    }
}

void check_shape(std::size_t num_columns, unsigned log_message, unsigned log_inv_rate, std::size_t codeword_size,
                 std::size_t stride) {
    QUARRY_CHECK(num_columns >= 1 && log_message <= 21 && log_message + log_inv_rate <= KoalaBear::kTwoAdicity);
    QUARRY_CHECK(stride == codeword_stride(num_columns));
    QUARRY_CHECK(codeword_size == stride << (log_message + log_inv_rate));
}

}  // namespace

void reed_solomon_encode(std::span<const KoalaBear> message, std::size_t num_lanes, unsigned log_message,
                         unsigned log_inv_rate, std::span<KoalaBear> codeword, std::size_t stride) {
    check_shape(num_lanes, log_message, log_inv_rate, codeword.size(), stride);
    QUARRY_CHECK(message.size() == num_lanes << log_message);
    if (log_message < kLogLanes) {
        encode_short(num_lanes, log_message, log_inv_rate, codeword, stride,
                     [&](std::size_t c, std::size_t i) { return message[(c << log_message) + i]; });
        return;
    }
    encode({.data = reinterpret_cast<const std::uint32_t*>(message.data()),
            .num_columns = num_lanes,
            .columns_per_lane = 1,
            .lane_pitch = std::size_t{1} << log_message,
            .block_pitch = kLanes},
           log_message, log_inv_rate, codeword, stride);
}

void reed_solomon_encode(const ExtVector& f, unsigned log_lanes, unsigned log_inv_rate, std::span<KoalaBear> codeword,
                         std::size_t stride) {
    const std::size_t size = f.size() >> log_lanes;
    QUARRY_CHECK(std::has_single_bit(size) && size << log_lanes == f.size());
    const auto log_message = static_cast<unsigned>(std::bit_width(size)) - 1;
    constexpr std::size_t kDegree = ExtField::kDegree;
    const std::size_t num_columns = kDegree << log_lanes;
    check_shape(num_columns, log_message, log_inv_rate, codeword.size(), stride);
    if (log_message < kLogLanes) {
        encode_short(num_columns, log_message, log_inv_rate, codeword, stride, [&](std::size_t c, std::size_t i) {
            return f.get(((c / kDegree) << log_message) + i)[c % kDegree];
        });
        return;
    }
    constexpr std::size_t kBlock = sizeof(ExtBlock) / sizeof(std::uint32_t);
    encode({.data = &f.blocks()->c[0][0],
            .num_columns = num_columns,
            .columns_per_lane = kDegree,
            .lane_pitch = (size / kLanes) * kBlock,
            .block_pitch = kBlock},
           log_message, log_inv_rate, codeword, stride);
}

}  // namespace quarry
