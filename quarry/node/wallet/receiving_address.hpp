#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "quarry/rollup/types.hpp"

/// What somebody gives to be paid: a pair of an L2 key's hash and an L1 address.
namespace quarry::node::wallet {

/// "quarry1.." with a checksum, 98 characters: version (1 byte, 0), the key hash (8 elements, 4 bytes each,
/// big-endian), the L1 address. The same in every rollup.
std::string format_receiving_address(const rollup::Owner& owner);

/// Empty for anything that format_receiving_address does not write, in lower or in upper case: a typing error, another
/// version, an element that is not below the modulus, the zero address. Total.
std::optional<rollup::Owner> parse_receiving_address(std::string_view text);

/// An L1 address: 0x and 40 digits. Digits of mixed case must have the cases of EIP-55, which is their checksum. Empty
/// also for the zero address, which nobody can use.
std::optional<rollup::L1Address> parse_l1_address(std::string_view text);
/// With the cases of EIP-55.
std::string format_l1_address(const rollup::L1Address& address);

}  // namespace quarry::node::wallet
