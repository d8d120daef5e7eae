#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "quarry/field/koala_bear.hpp"

namespace quarry {

inline constexpr std::size_t kPoseidonWidth = 16;
inline constexpr std::size_t kDigestSize = 8;

/// 8 field elements, 248 bits.
using Digest = std::array<KoalaBear, kDigestSize>;
using PoseidonState = std::array<KoalaBear, kPoseidonWidth>;

/// Poseidon over KoalaBear, width 16, S-box x^3, 4 + 20 + 4 rounds. [GKRRS21]
void poseidon_permute(PoseidonState& state) noexcept;
/// The same by its definition, round by round: for tests.
void poseidon_permute_plain(PoseidonState& state) noexcept;
/// H(left, right) = pi(left || right)[0..8] + left: the node hash of Merkle trees and the step of every chain.
Digest poseidon_compress(const Digest& left, const Digest& right) noexcept;

/// The smallest canonical nonce x such that pi(state with state[position] = x)[0] has `bits` low zero bits (of its
/// canonical value). bits <= 24. Runs on all threads of the caller's arena; the result does not depend on them.
/// nullopt if no element of the field will do (never seen: probability e^-127 at 24 bits).
std::optional<KoalaBear> poseidon_grind(const PoseidonState& state, std::size_t position, unsigned bits);

}  // namespace quarry
