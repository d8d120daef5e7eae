#include "quarry/ethereum/types.hpp"

#include <charconv>

namespace quarry::ethereum {
namespace {

/// Value of a hexadecimal digit; 16 if it is none.
unsigned digit_value(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 16;
}

bool has_prefix(std::string_view text) noexcept {
    return text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

}  // namespace

const char* codec_code_name(CodecCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case CodecCode::name:    \
        return #name;
        QUARRY_CODEC_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

const char* codec_code_text(CodecCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case CodecCode::name:    \
        return text;
        QUARRY_CODEC_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown error";
}

std::string to_hex(ByteView bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string r(2 + 2 * bytes.size(), '0');
    r[1] = 'x';
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        r[2 + 2 * i] = kDigits[bytes[i] >> 4];
        r[3 + 2 * i] = kDigits[bytes[i] & 15];
    }
    return r;
}

Decoded<bool> read_hex(std::string_view text, std::span<std::uint8_t> out) {
    if (!has_prefix(text)) return CodecError{CodecCode::bad_hex, "read_hex"};
    text.remove_prefix(2);
    if (text.size() != 2 * out.size()) return CodecError{CodecCode::bad_length, "read_hex"};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const unsigned high = digit_value(text[2 * i]);
        const unsigned low = digit_value(text[2 * i + 1]);
        if (high > 15 || low > 15) return CodecError{CodecCode::bad_hex, "read_hex"};
        out[i] = static_cast<std::uint8_t>(16 * high + low);
    }
    return true;
}

Decoded<Bytes> from_hex(std::string_view text, std::size_t limit_bytes) {
    if (!has_prefix(text) || text.size() % 2 != 0) return CodecError{CodecCode::bad_hex, "from_hex"};
    const std::size_t num_bytes = text.size() / 2 - 1;
    if (num_bytes > limit_bytes) return CodecError{CodecCode::limit_exceeded, "from_hex"};
    Bytes r(num_bytes);
    QUARRY_TRY(read_hex(text, r));
    return r;
}

Decoded<Address> parse_address(std::string_view text) {
    Address r;
    QUARRY_TRY(read_hex(text, r.bytes));
    return r;
}

Decoded<Hash> parse_hash(std::string_view text) {
    Hash r{};
    QUARRY_TRY(read_hex(text, r));
    return r;
}

Decoded<std::uint64_t> parse_quantity(std::string_view text) {
    if (!has_prefix(text) || text.size() == 2) return CodecError{CodecCode::bad_hex, "parse_quantity"};
    text.remove_prefix(2);
    std::uint64_t r = 0;
    for (const char c : text) {
        const unsigned digit = digit_value(c);
        if (digit > 15) return CodecError{CodecCode::bad_hex, "parse_quantity"};
        if (r >> 60 != 0) return CodecError{CodecCode::out_of_range, "parse_quantity"};
        r = r << 4 | digit;
    }
    return r;
}

std::string to_quantity(std::uint64_t value) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

}  // namespace quarry::ethereum
