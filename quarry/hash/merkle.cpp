#include "quarry/hash/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <optional>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/hash/keccak_batch.hpp"
#include "quarry/hash/poseidon_batch.hpp"

namespace quarry {
namespace {

constexpr std::uint8_t kLeafPrefix = 0;
constexpr std::uint8_t kNodePrefix = 1;
constexpr unsigned kMaxHeight = 40;

std::size_t round_up_to_block(std::size_t width) { return (width + kDigestSize - 1) / kDigestSize * kDigestSize; }

}  // namespace

void PoseidonHasher::hash_rows(const KoalaBear* rows, std::size_t num_rows, std::size_t width, std::size_t stride,
                               Digest* out) {
    poseidon_hash_rows(rows, num_rows, width, stride, out);
}

void PoseidonHasher::compress_pairs(const Digest* children, Digest* parents, std::size_t num_parents) {
    poseidon_compress_pairs({children, 2 * num_parents}, {parents, num_parents});
}

void KeccakHasher::hash_rows(const KoalaBear* rows, std::size_t num_rows, std::size_t width, std::size_t stride,
                             Digest* out) {
    KeccakGroup group(1 + 4 * width);
    for (std::size_t i = 0; i < num_rows; i += KeccakGroup::kSize) {
        const std::size_t n = std::min(KeccakGroup::kSize, num_rows - i);
        for (std::size_t k = 0; k < n; ++k) {
            std::uint8_t* const message = group.message(k).data();
            message[0] = kLeafPrefix;
            for (std::size_t j = 0; j < width; ++j) {
                const std::uint32_t big_endian = __builtin_bswap32(rows[(i + k) * stride + j].canonical());
                std::memcpy(message + 1 + 4 * j, &big_endian, 4);
            }
        }
        group.digest(out + i, n);
    }
}

void KeccakHasher::compress_pairs(const Digest* children, Digest* parents, std::size_t num_parents) {
    KeccakGroup group(1 + 2 * sizeof(Digest));
    for (std::size_t i = 0; i < num_parents; i += KeccakGroup::kSize) {
        const std::size_t n = std::min(KeccakGroup::kSize, num_parents - i);
        for (std::size_t k = 0; k < n; ++k) {
            std::uint8_t* const message = group.message(k).data();
            message[0] = kNodePrefix;
            std::memcpy(message + 1, children + 2 * (i + k), 2 * sizeof(Digest));
        }
        group.digest(parents + i, n);
    }
}

// ---- The prover's tree ----

namespace {

/// The nodes from number n on, n of them, then every level above them.
template <class H>
void compress_levels(typename H::Digest* nodes, std::size_t n) {
    constexpr std::size_t kGrain = 256;
    for (; n >= 1; n /= 2) {
        parallel_for(n, kGrain, [&](std::size_t begin, std::size_t end) {
            H::compress_pairs(nodes + 2 * (n + begin), nodes + n + begin, end - begin);
        });
    }
}

}  // namespace

template <class H>
MerkleTree<H> MerkleTree<H>::build(std::span<const KoalaBear> rows, std::size_t num_rows, std::size_t width,
                                   std::size_t stride) {
    QUARRY_CHECK(std::has_single_bit(num_rows) && rows.size() == num_rows * stride);
    QUARRY_CHECK(width >= 1 && stride >= width && stride % kDigestSize == 0);
    MerkleTree tree;
    tree.height_ = static_cast<unsigned>(std::countr_zero(num_rows));
    tree.nodes_ = Buffer<Digest>(2 * num_rows);
    tree.nodes_[0] = Digest{};
    Digest* const nodes = tree.nodes_.data();

    // A piece of leaves with the levels above it while its digests are in the cache, down to a full SIMD group.
    const std::size_t piece = std::min<std::size_t>(num_rows, 256);
    const std::size_t piece_top = std::min<std::size_t>(piece, 16);
    const std::size_t num_pieces = num_rows / piece;
    parallel_for(num_pieces, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
            H::hash_rows(rows.data() + p * piece * stride, piece, width, stride, nodes + num_rows + p * piece);
            for (std::size_t n = piece / 2; n >= piece_top; n /= 2) {
                Digest* const parents = nodes + n * (num_pieces + p);
                H::compress_pairs(nodes + 2 * n * (num_pieces + p), parents, n);
            }
        }
    });
    compress_levels<H>(nodes, num_pieces * piece_top / 2);
    return tree;
}

template <class H>
MerkleTree<H> MerkleTree<H>::above(std::span<const Digest> nodes) {
    QUARRY_CHECK(std::has_single_bit(nodes.size()));
    MerkleTree tree;
    tree.height_ = static_cast<unsigned>(std::countr_zero(nodes.size()));
    tree.nodes_ = Buffer<Digest>(2 * nodes.size());
    tree.nodes_[0] = Digest{};
    std::ranges::copy(nodes, tree.nodes_.data() + nodes.size());
    compress_levels<H>(tree.nodes_.data(), nodes.size() / 2);
    return tree;
}

template <class H>
std::span<const typename H::Digest> MerkleTree<H>::level(unsigned depth) const {
    QUARRY_CHECK(depth <= height_);
    return nodes_.span().subspan(std::size_t{1} << depth, std::size_t{1} << depth);
}

template <class H>
MerklePath<H> MerkleTree<H>::path(std::size_t index) const {
    QUARRY_CHECK(index >> height_ == 0);
    MerklePath<H> r;
    r.reserve(height_);
    for (std::size_t node = (std::size_t{1} << height_) + index; node > 1; node /= 2) r.push_back(nodes_[node ^ 1]);
    return r;
}

template <class H>
typename H::Digest merkle_root_over(std::span<const typename H::Digest> nodes) {
    QUARRY_CHECK(std::has_single_bit(nodes.size()));
    std::vector<typename H::Digest> level(nodes.begin(), nodes.end());
    while (level.size() > 1) {
        std::vector<typename H::Digest> parents(level.size() / 2);
        H::compress_pairs(level.data(), parents.data(), parents.size());
        level = std::move(parents);
    }
    return level[0];
}

// ---- Multi-openings: the walk that fixes the format ----

namespace {

bool are_openable(std::span<const std::size_t> indices, unsigned height) {
    return height <= kMaxHeight && !indices.empty() && indices.back() >> height == 0 &&
           std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end();
}

/// Calls on_node(level, position, slot, sibling_slot) for each known node, level by level, left to right, and
/// on_level(level) after each level. Slots count the known nodes of a level; sibling_slot is empty if the opening has
/// to bring the sibling.
template <class OnNode, class OnLevel>
void walk(std::span<const std::size_t> indices, unsigned height, OnNode&& on_node, OnLevel&& on_level) {
    std::vector<std::size_t> known(indices.begin(), indices.end());
    for (unsigned level = 0; level < height; ++level) {
        std::size_t num_parents = 0;
        for (std::size_t slot = 0; slot < known.size(); ++slot) {
            const std::size_t position = known[slot];
            const bool right_known = (position & 1) == 0 && slot + 1 < known.size() && known[slot + 1] == position + 1;
            if (right_known) {
                on_node(level, position, slot, std::optional(slot + 1));
                on_node(level, position + 1, slot + 1, std::optional(slot));
                ++slot;
            } else {
                on_node(level, position, slot, std::optional<std::size_t>());
            }
            known[num_parents++] = position / 2;  // never ahead of what is still to be read
        }
        known.resize(num_parents);
        on_level(level);
    }
}

/// Both children of every known node's parent, hence the parents, level by level.
template <class H>
struct Recomputed {
    /// Per level and slot: the sibling, and the slot of the parent one level up.
    std::vector<std::vector<typename H::Digest>> siblings;
    std::vector<std::vector<std::size_t>> parents;
};

// Checks the opening against the level where it ends, whose nodes `cap` are.
template <class H>
Result<Recomputed<H>> recompute(std::span<const typename H::Digest> cap, unsigned height, std::size_t width,
                                std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                                const MultiOpening<H>& opening) {
    using Digest = typename H::Digest;
    const auto log_cap = static_cast<unsigned>(std::countr_zero(cap.size()));
    if (width == 0 || log_cap > height || !are_openable(indices, height)) {
        return Error{Errc::bad_length, "multi-opening indices"};
    }
    const unsigned num_levels = height - log_cap;
    if (rows.size() % width != 0 || rows.size() / width != indices.size()) {
        return Error{Errc::bad_length, "multi-opening rows"};
    }
    if (opening.siblings.size() != multi_opening_size(indices, height, log_cap)) {
        return Error{Errc::bad_length, "multi-opening siblings"};
    }
    const std::size_t stride = round_up_to_block(width);
    std::vector<KoalaBear> padded(indices.size() * stride);
    for (std::size_t i = 0; i < indices.size(); ++i) {
        std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                    padded.begin() + static_cast<std::ptrdiff_t>(i * stride));
    }
    std::vector<Digest> current(indices.size());
    H::hash_rows(padded.data(), indices.size(), width, stride, current.data());

    Recomputed<H> r;
    r.siblings.resize(num_levels);
    r.parents.resize(num_levels);
    std::size_t used = 0;
    std::vector<Digest> children;
    walk(
        indices, num_levels,
        [&](unsigned level, std::size_t position, std::size_t slot, std::optional<std::size_t> sibling_slot) {
            const Digest sibling = sibling_slot ? current[*sibling_slot] : opening.siblings[used++];
            r.siblings[level].push_back(sibling);
            const bool second_of_pair = sibling_slot && (position & 1) == 1;
            if (!second_of_pair) {
                const bool is_right = (position & 1) == 1;
                children.push_back(is_right ? sibling : current[slot]);
                children.push_back(is_right ? current[slot] : sibling);
            }
            r.parents[level].push_back(children.size() / 2 - 1);
        },
        [&](unsigned) {
            current.resize(children.size() / 2);
            H::compress_pairs(children.data(), current.data(), current.size());
            children.clear();
        });
    // The positions in the cap rise with the indices: a slot for each that differs from the one before.
    std::size_t slot = 0;
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::size_t position = indices[i] >> num_levels;
        if (i > 0 && position == indices[i - 1] >> num_levels) continue;
        if (current[slot++] != cap[position]) return Error{Errc::merkle_mismatch, "multi-opening"};
    }
    return r;
}

template <class H>
std::vector<MerklePath<H>> paths_of(const Recomputed<H>& tree, std::size_t num_indices) {
    std::vector<MerklePath<H>> r(num_indices);
    for (std::size_t i = 0; i < num_indices; ++i) {
        std::size_t slot = i;
        for (std::size_t level = 0; level < tree.siblings.size(); ++level) {
            r[i].push_back(tree.siblings[level][slot]);
            slot = tree.parents[level][slot];
        }
    }
    return r;
}

}  // namespace

std::size_t multi_opening_size(std::span<const std::size_t> indices, unsigned height, unsigned log_cap) {
    QUARRY_CHECK(are_openable(indices, height) && log_cap <= height);
    std::size_t n = 0;
    walk(
        indices, height - log_cap,
        [&](unsigned, std::size_t, std::size_t, std::optional<std::size_t> sibling_slot) { n += sibling_slot ? 0 : 1; },
        [](unsigned) {});
    return n;
}

template <class H>
MultiOpening<H> MerkleTree<H>::open(std::span<const std::size_t> indices) const {
    QUARRY_CHECK(are_openable(indices, height_));
    MultiOpening<H> r;
    walk(
        indices, height_,
        [&](unsigned level, std::size_t position, std::size_t, std::optional<std::size_t> sibling_slot) {
            if (!sibling_slot) r.siblings.push_back(nodes_[((std::size_t{1} << (height_ - level)) + position) ^ 1]);
        },
        [](unsigned) {});
    return r;
}

template <class H>
MultiOpening<H> prune(std::span<const std::size_t> indices, unsigned height, std::span<const MerklePath<H>> paths,
                      unsigned log_cap) {
    QUARRY_CHECK(are_openable(indices, height) && log_cap <= height && paths.size() == indices.size());
    for (const auto& path : paths) QUARRY_CHECK(path.size() == height);
    // The leaf below each known node: the leftmost opened one.
    std::vector<std::size_t> leaf(indices.size());
    for (std::size_t i = 0; i < leaf.size(); ++i) leaf[i] = i;
    std::vector<std::size_t> next;
    MultiOpening<H> r;
    walk(
        indices, height - log_cap,
        [&](unsigned level, std::size_t position, std::size_t slot, std::optional<std::size_t> sibling_slot) {
            if (!sibling_slot) r.siblings.push_back(paths[leaf[slot]][level]);
            if (!sibling_slot || (position & 1) == 0) next.push_back(leaf[slot]);
        },
        [&](unsigned) {
            leaf.swap(next);
            next.clear();
        });
    return r;
}

template <class H>
Status verify_multi_opening(const typename H::Digest& root, unsigned height, std::size_t width,
                            std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                            const MultiOpening<H>& opening) {
    QUARRY_TRY(recompute<H>(std::span(&root, 1), height, width, indices, rows, opening));
    return Ok{};
}

template <class H>
Status verify_multi_opening(const MerkleTree<H>& upper, unsigned height, std::size_t width,
                            std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                            const MultiOpening<H>& opening) {
    QUARRY_TRY(recompute<H>(upper.level(upper.height()), height, width, indices, rows, opening));
    return Ok{};
}

template <class H>
Result<std::vector<MerklePath<H>>> expand(const typename H::Digest& root, unsigned height, std::size_t width,
                                          std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                                          const MultiOpening<H>& opening) {
    QUARRY_TRY_ASSIGN(const Recomputed<H> tree,
                      recompute<H>(std::span(&root, 1), height, width, indices, rows, opening));
    return paths_of(tree, indices.size());
}

template <class H>
Result<std::vector<MerklePath<H>>> expand(const MerkleTree<H>& upper, unsigned height, std::size_t width,
                                          std::span<const std::size_t> indices, std::span<const KoalaBear> rows,
                                          const MultiOpening<H>& opening) {
    QUARRY_TRY_ASSIGN(const Recomputed<H> tree,
                      recompute<H>(upper.level(upper.height()), height, width, indices, rows, opening));
    std::vector<MerklePath<H>> paths = paths_of(tree, indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const MerklePath<H> above = upper.path(indices[i] >> (height - upper.height()));
        paths[i].insert(paths[i].end(), above.begin(), above.end());
    }
    return paths;
}

// ---- Single paths ----

template <class H>
typename H::Digest merkle_root_from(std::size_t index, unsigned height, std::span<const KoalaBear> row,
                                    std::span<const typename H::Digest> path) {
    QUARRY_CHECK(!row.empty() && height <= kMaxHeight && path.size() == height && index >> height == 0);
    std::vector<KoalaBear> padded(round_up_to_block(row.size()));
    std::copy(row.begin(), row.end(), padded.begin());
    typename H::Digest node;
    H::hash_rows(padded.data(), 1, row.size(), padded.size(), &node);
    for (unsigned level = 0; level < height; ++level) {
        const bool is_right = ((index >> level) & 1) == 1;
        const std::array<typename H::Digest, 2> children{is_right ? path[level] : node, is_right ? node : path[level]};
        H::compress_pairs(children.data(), &node, 1);
    }
    return node;
}

template <class H>
Status verify_merkle_path(const typename H::Digest& root, std::size_t index, unsigned height,
                          std::span<const KoalaBear> row, std::span<const typename H::Digest> path) {
    if (row.empty() || height > kMaxHeight || path.size() != height || index >> height != 0) {
        return Error{Errc::bad_length, "verify_merkle_path"};
    }
    if (merkle_root_from<H>(index, height, row, path) != root)
        return Error{Errc::merkle_mismatch, "verify_merkle_path"};
    return Ok{};
}

#define QUARRY_INSTANTIATE(H)                                                                                          \
    template class MerkleTree<H>;                                                                                      \
    template H::Digest merkle_root_over<H>(std::span<const H::Digest>);                                                \
    template H::Digest merkle_root_from<H>(std::size_t, unsigned, std::span<const KoalaBear>,                          \
                                           std::span<const H::Digest>);                                                \
    template Status verify_merkle_path<H>(const H::Digest&, std::size_t, unsigned, std::span<const KoalaBear>,         \
                                          std::span<const H::Digest>);                                                 \
    template MultiOpening<H> prune<H>(std::span<const std::size_t>, unsigned, std::span<const MerklePath<H>>,          \
                                      unsigned);                                                                       \
    template Status verify_multi_opening<H>(const H::Digest&, unsigned, std::size_t, std::span<const std::size_t>,     \
                                            std::span<const KoalaBear>, const MultiOpening<H>&);                       \
    template Status verify_multi_opening<H>(const MerkleTree<H>&, unsigned, std::size_t, std::span<const std::size_t>, \
                                            std::span<const KoalaBear>, const MultiOpening<H>&);                       \
    template Result<std::vector<MerklePath<H>>> expand<H>(const H::Digest&, unsigned, std::size_t,                     \
                                                          std::span<const std::size_t>, std::span<const KoalaBear>,    \
                                                          const MultiOpening<H>&);                                     \
    template Result<std::vector<MerklePath<H>>> expand<H>(const MerkleTree<H>&, unsigned, std::size_t,                 \
                                                          std::span<const std::size_t>, std::span<const KoalaBear>,    \
                                                          const MultiOpening<H>&);
QUARRY_INSTANTIATE(PoseidonHasher)
QUARRY_INSTANTIATE(KeccakHasher)
#undef QUARRY_INSTANTIATE

}  // namespace quarry
