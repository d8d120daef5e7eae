#pragma once
#include <cstddef>
#include <cstdint>

#include "quarry/hash/poseidon.hpp"

/// Slices of Poseidon, dispatched on the ISA: 16 states at a time, any number of them (the last group is padded).
namespace quarry::kernels {

/// False keeps the avx512 target on its Highway kernel: for tests and measurements, not while kernels run.
bool& ifma_allowed();

/// states[i] := pi(states[i]).
void poseidon_permute(PoseidonState* states, std::size_t n);
/// parents[i] := compress(children[2 i], children[2 i + 1]). parents may be the start of children.
void poseidon_compress(const Digest* children, Digest* parents, std::size_t n);
/// out[i] := the chain of compress over row i's ceil(width / 8) blocks of 8 elements, from `iv`. Rows are `stride`
/// elements apart; the elements from `width` to the end of the last block are read and must be zero.
void poseidon_hash_rows(const KoalaBear* rows, std::size_t stride, std::size_t num_blocks, const Digest& iv,
                        Digest* out, std::size_t n);
/// Tries nonces first .. first + n - 1 (n a multiple of 16, all below p) at state[position]. The smallest one whose
/// output's element 0 has zeros under `mask`, or `first + n`.
std::uint32_t poseidon_grind(const PoseidonState& state, std::size_t position, std::uint32_t mask, std::uint32_t first,
                             std::uint32_t n);

}  // namespace quarry::kernels
