#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace quarry {

using Bytes32 = std::array<std::uint8_t, 32>;

/// Keccak-256 as Ethereum uses it (the original padding, not that of SHA3-256). [Keccak]
Bytes32 keccak256(std::span<const std::uint8_t> data);

}  // namespace quarry
