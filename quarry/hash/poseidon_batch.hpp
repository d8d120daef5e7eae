#pragma once
#include <cstddef>
#include <span>

#include "quarry/hash/poseidon.hpp"

/// Poseidon over slices, on the kernels of the current ISA; one thread. Equal to the scalar functions bit for bit.
namespace quarry {

/// states[i] := pi(states[i]).
void poseidon_permute_batch(std::span<PoseidonState> states);

/// parents[i] := compress(children[2 i], children[2 i + 1]). Precondition: children.size() = 2 parents.size(). In place
/// is allowed: parents may be the start of children.
void poseidon_compress_pairs(std::span<const Digest> children, std::span<Digest> parents);

/// The start of the leaf hash of rows of `width` elements: the first 8 elements of pi(tag, width), tag = the bytes of
/// "quarry/merkle/leaf/v1", three to an element, little-endian, zeros after them. Leaves of other widths and inner
/// nodes have other domains: to confuse them takes a digest equal to an iv, or a collision.
Digest poseidon_leaf_iv(std::size_t width);

/// h = iv(width); then h = compress(h, block) for each block of 8 elements of the row, the last one zero-padded.
Digest poseidon_hash_row(std::span<const KoalaBear> row);

/// out[i] := poseidon_hash_row of row i, rows of `width` >= 1 elements, `stride` elements apart, stride a multiple of 8
/// and at least width, elements width .. stride zero. Cost: num_rows * ceil(width / 8) permutations.
void poseidon_hash_rows(const KoalaBear* rows, std::size_t num_rows, std::size_t width, std::size_t stride,
                        Digest* out);

/// Permutes 64 states (4 KiB, in the first-level cache) over and over for about `seconds`, on the calling thread.
double measure_poseidon_permutations_per_second(double seconds);

}  // namespace quarry
