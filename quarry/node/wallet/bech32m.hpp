#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Bytes as text that people copy: 32 letters that are not mistaken for each other, and a checksum. [BIP-350]
///
/// The standard stops at 90 characters, because there the checksum finds any four wrong ones. Ours are longer: it finds
/// any three up to 1023, and misses other damage once in 2^30.
namespace quarry::node::wallet {

/// Longest text that decode_bech32m reads.
inline constexpr std::size_t kMaxBech32mChars = 256;

/// PREFIX, "1", five bits a character, six characters of checksum. Lower case. Precondition: the prefix is lower-case
/// letters, and the whole has at most kMaxBech32mChars characters.
std::string encode_bech32m(std::string_view prefix, std::span<const std::uint8_t> bytes);

/// What encode_bech32m(prefix, .) was given: all in lower or all in upper case. Empty for anything else: another
/// prefix, a foreign character, mixed case, a wrong checksum, bits of padding that are not zero. Total; decode of an
/// accepted text encodes to its lower case.
std::optional<std::vector<std::uint8_t>> decode_bech32m(std::string_view prefix, std::string_view text);

}  // namespace quarry::node::wallet
