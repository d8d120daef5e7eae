#include "quarry/node/wallet/bech32m.hpp"

#include <array>

#include "quarry/base/check.hpp"
#include "quarry/node/wallet/secret_bytes.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::string_view kLetters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::uint32_t kChecksum = 0x2bc830a3;  // BIP-350's constant
constexpr std::size_t kChecksumChars = 6;

/// One step of the code's division by its generator, over GF(32).
std::uint32_t step(std::uint32_t state, std::uint8_t value) {
    constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = state >> 25;
    state = (state & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < kGenerator.size(); ++i) state ^= (top >> i & 1) != 0 ? kGenerator[i] : 0;
    return state;
}

/// The state after the prefix.
std::uint32_t start(std::string_view prefix) {
    std::uint32_t state = 1;
    for (const char c : prefix) state = step(state, static_cast<std::uint8_t>(static_cast<unsigned char>(c) >> 5));
    state = step(state, 0);
    for (const char c : prefix) state = step(state, static_cast<std::uint8_t>(c & 31));
    return state;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

/// The text in lower case; empty if it mixes cases.
std::optional<std::string> one_case(std::string_view text) {
    bool upper = false;
    bool lower = false;
    std::string r;
    r.reserve(text.size());
    for (const char c : text) {
        upper = upper || is_upper(c);
        lower = lower || is_lower(c);
        r += to_lower(c);
    }
    if (upper && lower) return std::nullopt;
    return r;
}

}  // namespace

std::string encode_bech32m(std::string_view prefix, std::span<const std::uint8_t> bytes) {
    std::string text;
    text.reserve(kMaxBech32mChars);  // in one place: it may be a secret, and growing leaves copies
    text.append(prefix) += '1';
    std::uint32_t state = start(prefix);
    const auto put = [&](std::uint32_t value) {
        text += kLetters[value];
        state = step(state, static_cast<std::uint8_t>(value));
    };
    std::uint32_t bits = 0;
    unsigned num_bits = 0;
    for (const std::uint8_t byte : bytes) {
        bits = (bits << 8 | byte) & 0xfff;
        num_bits += 8;
        for (; num_bits >= 5; num_bits -= 5) put(bits >> (num_bits - 5) & 31);
    }
    if (num_bits > 0) put(bits << (5 - num_bits) & 31);
    for (std::size_t i = 0; i < kChecksumChars; ++i) state = step(state, 0);
    state ^= kChecksum;
    for (std::size_t i = 0; i < kChecksumChars; ++i) text += kLetters[state >> (5 * (kChecksumChars - 1 - i)) & 31];
    QUARRY_CHECK(text.size() <= kMaxBech32mChars);
    return text;
}

std::optional<std::vector<std::uint8_t>> decode_bech32m(std::string_view prefix, std::string_view text) {
    if (text.size() > kMaxBech32mChars || text.size() < prefix.size() + 1 + kChecksumChars) return std::nullopt;
    auto folded = one_case(text);
    if (!folded) return std::nullopt;
    const SecretText lower(std::move(*folded));
    if (!lower.text().starts_with(prefix) || lower.text()[prefix.size()] != '1') return std::nullopt;
    std::string_view letters = std::string_view(lower.text()).substr(prefix.size() + 1);
    std::uint32_t state = start(prefix);
    for (const char c : letters) {
        const std::size_t value = kLetters.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        state = step(state, static_cast<std::uint8_t>(value));
    }
    if (state != kChecksum) return std::nullopt;
    letters.remove_suffix(kChecksumChars);
    std::vector<std::uint8_t> bytes;
    bytes.reserve(letters.size());
    std::uint32_t bits = 0;
    unsigned num_bits = 0;
    for (const char c : letters) {
        bits = (bits << 5 | static_cast<std::uint32_t>(kLetters.find(c))) & 0xfff;
        num_bits += 5;
        if (num_bits < 8) continue;
        num_bits -= 8;
        bytes.push_back(static_cast<std::uint8_t>(bits >> num_bits));
    }
    // What is left pads the last character: fewer than five bits, all zero, or two texts would have one meaning.
    if (num_bits >= 5 || (bits & ((1U << num_bits) - 1)) != 0) return std::nullopt;
    return bytes;
}

}  // namespace quarry::node::wallet
