#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/base/result.hpp"
#include "quarry/field/packed_ext.hpp"
#include "quarry/hash/merkle.hpp"
#include "quarry/iop/channel.hpp"
#include "quarry/iop/whir_parameters.hpp"

namespace quarry {

/// One row of a committed codeword, and its path: the siblings from the leaf upwards, to the root or to a cap.
template <class H>
struct BasicOpening {
    std::vector<KoalaBear> row;
    std::vector<typename H::Digest> path;
};
using Opening = BasicOpening<PoseidonHasher>;

/// A vector behind an interleaved Reed-Solomon code and a Merkle tree. Row j holds position j of every lane's codeword
/// and is leaf j. docs/spec/proof-system.md, section 6. Keeps the codeword: 2^log_inv_rate times the message.
template <class H>
class BasicCommitment {
  public:
    /// The first `num_lanes` lanes of a base vector, 2^round.log_message elements each, end to end; the other lanes are
    /// zero and cost nothing. Precondition: 1 <= num_lanes <= 2^round.log_lanes.
    using Digest = typename H::Digest;

    static BasicCommitment commit(std::span<const KoalaBear> message, std::size_t num_lanes, const WhirRound& round);
    /// The same commitment from one level of its tree, 2^k nodes: below them the tree is computed as rows are opened,
    /// so that only the code is computed here. Nothing is checked: root() says whether they are nodes of the right
    /// tree, and opening a row checks (our own bug) that they are nodes of these rows' tree. Precondition: k <=
    /// log_rows().
    static BasicCommitment restore(std::span<const KoalaBear> message, std::size_t num_lanes, const WhirRound& round,
                                   std::span<const Digest> level);
    /// A vector of 2^(log_lanes + log_message) extension elements: five columns a lane.
    static BasicCommitment commit(const ExtVector& f, const WhirRound& round);
    /// Any matrix of 2^log_rows rows of `width` elements, zeros up to `stride`: no code is enforced.
    static BasicCommitment of_rows(Buffer<KoalaBear> rows, unsigned log_rows, std::size_t width, std::size_t stride);

    [[nodiscard]] const Digest& root() const noexcept { return root_; }
    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    [[nodiscard]] unsigned log_rows() const noexcept { return log_rows_; }
    /// The path ends below the cap of 2^log_cap nodes. Precondition: row < 2^log_rows; log_cap <= log_rows.
    [[nodiscard]] BasicOpening<H> open(std::size_t row, unsigned log_cap = 0) const;
    /// The tree's nodes of one level (MerkleTree::level). Precondition: not below the level that it was restored from.
    [[nodiscard]] std::span<const Digest> level(unsigned depth) const { return tree_.level(depth); }

  private:
    BasicCommitment(Buffer<KoalaBear> rows, unsigned log_rows, std::size_t width, std::size_t stride);
    BasicCommitment(Buffer<KoalaBear> rows, unsigned log_rows, std::size_t width, std::size_t stride,
                    MerkleTree<H> tree);

    Buffer<KoalaBear> rows_;
    unsigned log_rows_;
    std::size_t width_;
    std::size_t stride_;
    MerkleTree<H> tree_;  ///< without its lowest levels, where restored
    Digest root_;
};

using Commitment = BasicCommitment<PoseidonHasher>;
using KeccakCommitment = BasicCommitment<KeccakHasher>;
extern template class BasicCommitment<PoseidonHasher>;
extern template class BasicCommitment<KeccakHasher>;

/// Verifier hook: rows[j] is leaf indices[j].value of the tree of height indices[j].bits.size() under `root`, for all
/// j. The rows have one width. bad_length: a path has another height. merkle_mismatch: another root.
Status require_merkle(NativeBackend& backend, const Digest& root, std::span<const QueryIndex<NativeBackend>> indices,
                      std::span<const std::span<const KoalaBear>> rows, std::span<const std::span<const Digest>> paths);
/// The same with paths that end at a cap, a power of two of nodes at one level of the tree. bad_length: its size.
/// merkle_mismatch: it is not under the root, or a path does not lead to its node of the cap.
Status require_merkle(NativeBackend& backend, const Bytes32& root, std::span<const Bytes32> cap,
                      std::span<const QueryIndex<NativeBackend>> indices,
                      std::span<const std::span<const KoalaBear>> rows,
                      std::span<const std::span<const Bytes32>> paths);
/// Verifier hook: five base elements as one extension element, constant term first.
inline ExtField pack_extension(NativeBackend& /*backend*/, std::span<const KoalaBear> five) noexcept {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = five[k];
    return x;
}

}  // namespace quarry
