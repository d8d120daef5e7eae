#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/base/result.hpp"
#include "quarry/field/koala_bear.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/hash/poseidon.hpp"

/// Merkle trees over the rows of a matrix of field elements. Leaf i is the hash of row i; node = H(left, right). Height
/// and row width are parameters of the verifier, never read from a proof; leaf and node hashes have different domains;
/// digests are never truncated.
namespace quarry {

/// Leaves and nodes as quarry/hash/poseidon_batch.hpp defines them, 16 at a time.
struct PoseidonHasher {
    using Digest = quarry::Digest;
    static void hash_rows(const KoalaBear* rows, std::size_t num_rows, std::size_t width, std::size_t stride,
                          Digest* out);
    static void compress_pairs(const Digest* children, Digest* parents, std::size_t num_parents);
};

/// Leaf = Keccak-256(0x00 || row), each element as four bytes, canonical, big-endian; node = Keccak-256(0x01 || left ||
/// right). For proofs that are verified on Ethereum.
struct KeccakHasher {
    using Digest = Bytes32;
    static void hash_rows(const KoalaBear* rows, std::size_t num_rows, std::size_t width, std::size_t stride,
                          Digest* out);
    static void compress_pairs(const Digest* children, Digest* parents, std::size_t num_parents);
};

/// The siblings that open a sorted set of distinct leaves, and nothing else: going from the leaves to the root, and
/// left to right within a level, the sibling of each known node unless it is known too (then both lead to the same
/// parent). The set of indices fixes their number and order, so that there is one encoding of an opening: the wire
/// form.
template <class H>
struct MultiOpening {
    std::vector<typename H::Digest> siblings;
};

/// Leaf to root: path[v] is the sibling of the ancestor at height v.
template <class H>
using MerklePath = std::vector<typename H::Digest>;

template <class H>
class MerkleTree {
  public:
    using Digest = typename H::Digest;

    /// Preconditions: num_rows a power of two; stride a multiple of 8, at least width >= 1; rows.size() = num_rows
    /// stride; elements width .. stride of each row are zero. Parallel on the caller's arena; reads the rows once.
    static MerkleTree build(std::span<const KoalaBear> rows, std::size_t num_rows, std::size_t width,
                            std::size_t stride);
    /// The upper part of a tree, whose nodes of one level are given: it has the same root, and what it takes for leaf i
    /// is node i. Precondition: a power of two of them.
    static MerkleTree above(std::span<const Digest> nodes);

    /// The nodes of one level, left to right: 2^depth of them, the root's depth being 0. Precondition: depth <= height.
    [[nodiscard]] std::span<const Digest> level(unsigned depth) const;
    [[nodiscard]] const Digest& root() const noexcept { return nodes_[1]; }
    [[nodiscard]] unsigned height() const noexcept { return height_; }
    /// Precondition: index < 2^height, as for open().
    [[nodiscard]] MerklePath<H> path(std::size_t index) const;
    /// Precondition: indices strictly rising, at least one.
    [[nodiscard]] MultiOpening<H> open(std::span<const std::size_t> indices) const;

  private:
    Buffer<Digest> nodes_;  ///< node k has the children 2k and 2k + 1; the root is 1, leaf i is 2^height + i
    unsigned height_ = 0;
};

/// The root that a row at `index` and a path lead to. Preconditions: path.size() = height, index < 2^height.
template <class H>
typename H::Digest merkle_root_from(std::size_t index, unsigned height, std::span<const KoalaBear> row,
                                    std::span<const typename H::Digest> path);

/// Is `row` row number `index` of the tree with this root? bad_length: the path has not `height` entries, or the index
/// is beyond the tree. merkle_mismatch: another root.
template <class H>
Status verify_merkle_path(const typename H::Digest& root, std::size_t index, unsigned height,
                          std::span<const KoalaBear> row, std::span<const typename H::Digest> path);

/// The root over these nodes of one level. Precondition: their number is a power of two.
template <class H>
typename H::Digest merkle_root_over(std::span<const typename H::Digest> nodes);

/// The number of siblings in a MultiOpening, which ends below the cap of 2^log_cap nodes. Preconditions: indices
/// strictly rising, at least one, and below 2^height; log_cap <= height.
std::size_t multi_opening_size(std::span<const std::size_t> indices, unsigned height, unsigned log_cap = 0);

/// The canonical opening, which ends below the cap, from full paths, paths[i] belonging to indices[i]. Preconditions:
/// as above; paths of one tree.
template <class H>
MultiOpening<H> prune(std::span<const std::size_t> indices, unsigned height, std::span<const MerklePath<H>> paths,
                      unsigned log_cap = 0);

/// Checks an opening of the rows indices[0], indices[1], .. (rows: one after the other, `width` elements each) against
/// `root`. Total on any input. bad_length: no index, indices not strictly rising or beyond the tree, height above 40,
/// or any count that does not fit them. merkle_mismatch: another root. Cost: indices * (ceil(width / 8) + height)
/// permutations at most.
template <class H>
Status verify_multi_opening(const typename H::Digest& root, unsigned height, std::size_t width,
                            std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                            const MultiOpening<H>& opening);
/// The same for a verifier that knows the upper part of the tree (MerkleTree::above): the opening ends below its
/// leaves. bad_length also where it is higher than the tree.
template <class H>
Status verify_multi_opening(const MerkleTree<H>& upper, unsigned height, std::size_t width,
                            std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                            const MultiOpening<H>& opening);

/// The same check; returns the full path of every index, for those who verify paths one by one.
template <class H>
Result<std::vector<MerklePath<H>>> expand(const typename H::Digest& root, unsigned height, std::size_t width,
                                          std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                                          const MultiOpening<H>& opening);
template <class H>
Result<std::vector<MerklePath<H>>> expand(const MerkleTree<H>& upper, unsigned height, std::size_t width,
                                          std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                                          const MultiOpening<H>& opening);

}  // namespace quarry
