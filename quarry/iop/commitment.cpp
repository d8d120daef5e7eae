#include "quarry/iop/commitment.hpp"

#include <algorithm>
#include <bit>

#include "quarry/base/check.hpp"
#include "quarry/poly/reed_solomon.hpp"

namespace quarry {
template <class H>
BasicCommitment<H>::BasicCommitment(Buffer<KoalaBear> rows, unsigned log_rows, std::size_t width, std::size_t stride)
    : rows_(std::move(rows)),
      log_rows_(log_rows),
      width_(width),
      stride_(stride),
      tree_(MerkleTree<H>::build(rows_.span(), std::size_t{1} << log_rows, width, stride)),
      root_(tree_.root()) {}

template <class H>
BasicCommitment<H>::BasicCommitment(Buffer<KoalaBear> rows, unsigned log_rows, std::size_t width, std::size_t stride,
                                    MerkleTree<H> tree)
    : rows_(std::move(rows)),
      log_rows_(log_rows),
      width_(width),
      stride_(stride),
      tree_(std::move(tree)),
      root_(tree_.root()) {
    QUARRY_CHECK(tree_.height() <= log_rows);
}

template <class H>
BasicCommitment<H> BasicCommitment<H>::of_rows(Buffer<KoalaBear> rows, unsigned log_rows, std::size_t width,
                                               std::size_t stride) {
    QUARRY_CHECK(width >= 1 && width <= stride && rows.size() == stride << log_rows);
    return {std::move(rows), log_rows, width, stride};
}

namespace {

Buffer<KoalaBear> encode(std::span<const KoalaBear> message, std::size_t num_lanes, const WhirRound& round) {
    QUARRY_CHECK(num_lanes >= 1 && num_lanes <= std::size_t{1} << round.log_lanes);
    QUARRY_CHECK(message.size() == num_lanes << round.log_message);
    const std::size_t stride = codeword_stride(num_lanes);
    Buffer<KoalaBear> codeword(stride << (round.log_message + round.log_inv_rate));
    reed_solomon_encode(message, num_lanes, round.log_message, round.log_inv_rate, codeword.span(), stride);
    return codeword;
}

}  // namespace

template <class H>
BasicCommitment<H> BasicCommitment<H>::commit(std::span<const KoalaBear> message, std::size_t num_lanes,
                                              const WhirRound& round) {
    return {encode(message, num_lanes, round), round.log_message + round.log_inv_rate, num_lanes,
            codeword_stride(num_lanes)};
}

template <class H>
BasicCommitment<H> BasicCommitment<H>::restore(std::span<const KoalaBear> message, std::size_t num_lanes,
                                               const WhirRound& round, std::span<const Digest> level) {
    return {encode(message, num_lanes, round), round.log_message + round.log_inv_rate, num_lanes,
            codeword_stride(num_lanes), MerkleTree<H>::above(level)};
}

template <class H>
BasicCommitment<H> BasicCommitment<H>::commit(const ExtVector& f, const WhirRound& round) {
    QUARRY_CHECK(f.size() == std::size_t{1} << (round.log_lanes + round.log_message));
    const unsigned log_rows = round.log_message + round.log_inv_rate;
    const std::size_t width = ExtField::kDegree << round.log_lanes;
    const std::size_t stride = codeword_stride(width);
    Buffer<KoalaBear> codeword(stride << log_rows);
    reed_solomon_encode(f, round.log_lanes, round.log_inv_rate, codeword.span(), stride);
    return {std::move(codeword), log_rows, width, stride};
}

template <class H>
BasicOpening<H> BasicCommitment<H>::open(std::size_t row, unsigned log_cap) const {
    QUARRY_CHECK(row >> log_rows_ == 0 && log_cap <= log_rows_);
    const auto elements = rows_.span().subspan(row * stride_, width_);
    const unsigned log_below = log_rows_ - tree_.height();
    const MerklePath<H> upper = tree_.path(row >> log_below);
    BasicOpening<H> opening{{elements.begin(), elements.end()}, {}};
    if (log_below > 0) {
        const std::size_t first = row >> log_below << log_below;
        const auto below = MerkleTree<H>::build(rows_.span().subspan(first * stride_, stride_ << log_below),
                                                std::size_t{1} << log_below, width_, stride_);
        QUARRY_CHECK(below.root() == tree_.level(tree_.height())[row >> log_below]);
        opening.path = below.path(row - first);
    }
    opening.path.insert(opening.path.end(), upper.begin(), upper.end());
    opening.path.resize(log_rows_ - log_cap);
    return opening;
}

template class BasicCommitment<PoseidonHasher>;
template class BasicCommitment<KeccakHasher>;

namespace {

template <class H>
Status check_paths(std::span<const typename H::Digest> cap, std::span<const QueryIndex<NativeBackend>> indices,
                   std::span<const std::span<const KoalaBear>> rows,
                   std::span<const std::span<const typename H::Digest>> paths) {
    using Digest = typename H::Digest;
    const std::size_t count = indices.size();
    QUARRY_CHECK(count >= 1 && rows.size() == count && paths.size() == count);
    const std::size_t height = indices[0].bits.size();
    const auto log_cap = static_cast<std::size_t>(std::countr_zero(cap.size()));
    const std::size_t width = rows[0].size();
    for (std::size_t j = 0; j < count; ++j) {
        QUARRY_CHECK(indices[j].bits.size() == height && rows[j].size() == width);
        if (paths[j].size() + log_cap != height) return Error{Errc::bad_length, "whir/path"};
    }
    // All paths at once, a level at a time: the hash works on 16 of them together.
    const std::size_t stride = codeword_stride(width);
    std::vector<KoalaBear> padded(count * stride);
    for (std::size_t j = 0; j < count; ++j) std::ranges::copy(rows[j], &padded[j * stride]);
    std::vector<Digest> nodes(count);
    H::hash_rows(padded.data(), count, width, stride, nodes.data());
    std::vector<Digest> children(2 * count);
    for (std::size_t level = 0; level < height - log_cap; ++level) {
        for (std::size_t j = 0; j < count; ++j) {
            const std::size_t side = (indices[j].value >> level) & 1;
            children[2 * j + side] = nodes[j];
            children[2 * j + 1 - side] = paths[j][level];
        }
        H::compress_pairs(children.data(), nodes.data(), count);
    }
    for (std::size_t j = 0; j < count; ++j) {
        if (nodes[j] != cap[indices[j].value >> (height - log_cap)]) return Error{Errc::merkle_mismatch, "whir/path"};
    }
    return Ok{};
}

}  // namespace

Status require_merkle(NativeBackend& /*backend*/, const Digest& root,
                      std::span<const QueryIndex<NativeBackend>> indices,
                      std::span<const std::span<const KoalaBear>> rows,
                      std::span<const std::span<const Digest>> paths) {
    return check_paths<PoseidonHasher>({&root, 1}, indices, rows, paths);
}

Status require_merkle(NativeBackend& /*backend*/, const Bytes32& root, std::span<const Bytes32> cap,
                      std::span<const QueryIndex<NativeBackend>> indices,
                      std::span<const std::span<const KoalaBear>> rows,
                      std::span<const std::span<const Bytes32>> paths) {
    if (!std::has_single_bit(cap.size())) return Error{Errc::bad_length, "whir/cap"};
    if (merkle_root_over<KeccakHasher>(cap) != root) return Error{Errc::merkle_mismatch, "whir/cap"};
    return check_paths<KeccakHasher>(cap, indices, rows, paths);
}

}  // namespace quarry
