#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quarry/field/extension.hpp"
#include "quarry/hash/poseidon.hpp"

/// The wires of a recursion circuit: write-once cells, addressed by preprocessed columns. A row that makes a value puts
/// (address, value) on the bus as often as it is read; a row that reads it takes it off. Every address is written by
/// one row (the builder's business, fixed with the circuit), so that what is read is what was written.
namespace quarry::recursion {

using Address = std::uint32_t;

inline constexpr std::uint32_t kExtensionBus = 1;  ///< (address, five coefficients)
inline constexpr std::uint32_t kBaseBus = 2;       ///< (address, element)
inline constexpr std::uint32_t kDigestBus = 3;     ///< (address, eight elements)
inline constexpr std::uint32_t kPublicBus = 4;     ///< (number of a row, its values): the public input
inline constexpr std::uint32_t kUpperBus = 5;      ///< (level of some tree, number, eight elements): its upper nodes

/// Base wires: what a sponge absorbs at 8 t + i, what it hands out 2^28 above, then rows of opened leaves, then bits.
inline constexpr Address kSpongeOutput = 1U << 28;
inline constexpr Address kLeafBlocks = 2U << 28;
inline constexpr Address kIndexBits = 3U << 28;
/// Digests: from 0 on; what the statement puts on the bus; the capacity that block t of a sponge starts with, 8 t
/// above.
inline constexpr Address kPublicDigest = 1U << 28;
inline constexpr Address kCapacities = 2U << 28;

inline constexpr std::size_t kBlock = 8;  ///< elements of a block: the sponge's rate, a digest
inline constexpr std::size_t kDegree = ExtField::kDegree;

template <class T>
std::vector<T> extension_tuple(const T& address, const std::array<T, kDegree>& value) {
    return {address, value[0], value[1], value[2], value[3], value[4]};
}
/// A base value on an extension wire.
template <class T>
std::vector<T> lifted_tuple(const T& address, const T& value) {
    return {address, value, T(0), T(0), T(0), T(0)};
}
template <class T>
std::vector<T> digest_tuple(const T& address, const std::array<T, kBlock>& value) {
    std::vector<T> tuple{address};
    tuple.insert(tuple.end(), value.begin(), value.end());
    return tuple;
}

}  // namespace quarry::recursion
