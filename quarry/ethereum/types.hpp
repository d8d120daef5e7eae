#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/base/expected.hpp"
#include "quarry/base/result.hpp"  // QUARRY_TRY
#include "quarry/hash/keccak.hpp"

/// Byte types of Ethereum's interfaces, and the causes for which its encodings are refused.
namespace quarry::ethereum {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
/// A Keccak-256 hash: of a block, of a transaction, a topic.
using Hash = Bytes32;

/// 20 bytes, in the usual order.
struct Address {
    std::array<std::uint8_t, 20> bytes{};
    [[nodiscard]] bool is_zero() const noexcept { return *this == Address{}; }
    friend bool operator==(const Address&, const Address&) noexcept = default;
    friend auto operator<=>(const Address&, const Address&) noexcept = default;
};

/// Every cause for which untrusted bytes or text are refused: X(name, sentence a user can act on).
#define QUARRY_CODEC_CODES(X)                                                  \
    X(truncated, "the input ends too early")                                   \
    X(trailing_bytes, "the input has bytes after its end")                     \
    X(limit_exceeded, "a size is above the documented limit")                  \
    X(not_minimal, "a number or a length is not in its shortest form")         \
    X(wrong_kind, "a list stands where a string belongs, or the reverse")      \
    X(bad_length, "a length is not the one that the type has")                 \
    X(out_of_range, "a number does not fit its type")                          \
    X(bad_padding, "bytes that pad a value are not zero")                      \
    X(bad_offset, "an offset points outside of the input")                     \
    X(bad_type, "the text is no type or signature of the contract interface")  \
    X(bad_hex, "the text is not 0x and hexadecimal digits")                    \
    X(unknown_transaction_type, "transactions of this type are not supported") \
    X(bad_signature, "no public key belongs to the signature")

enum class CodecCode {
#define QUARRY_X(name, text) name,
    QUARRY_CODEC_CODES(QUARRY_X)
#undef QUARRY_X
};
/// The enumerator's name, stable: scripts may match on it.
const char* codec_code_name(CodecCode code) noexcept;
/// One sentence for people.
const char* codec_code_text(CodecCode code) noexcept;

/// A cause and the place that noticed it (a literal). Comparable by cause.
struct CodecError {
    CodecCode code = CodecCode::truncated;
    const char* where = "";
    friend bool operator==(const CodecError& a, const CodecError& b) noexcept { return a.code == b.code; }
};
template <class T>
using Decoded = Expected<T, CodecError>;

/// 0x and two lower-case digits a byte.
std::string to_hex(ByteView bytes);
inline std::string to_hex(const Address& address) { return to_hex(address.bytes); }
/// 0x and an even number of digits of either case. bad_hex, limit_exceeded (more than `limit_bytes`).
Decoded<Bytes> from_hex(std::string_view text, std::size_t limit_bytes);
/// Exactly out.size() bytes. bad_hex, bad_length.
Decoded<bool> read_hex(std::string_view text, std::span<std::uint8_t> out);
Decoded<Address> parse_address(std::string_view text);
Decoded<Hash> parse_hash(std::string_view text);
/// A JSON-RPC quantity: 0x and 1 to 16 digits without leading zeros (some nodes send them: they are let pass).
Decoded<std::uint64_t> parse_quantity(std::string_view text);
/// 0x and the shortest digits.
std::string to_quantity(std::uint64_t value);

}  // namespace quarry::ethereum
