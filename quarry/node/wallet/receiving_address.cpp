#include "quarry/node/wallet/receiving_address.hpp"

#include <algorithm>
#include <array>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/bech32m.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::string_view kAddressPrefix = "quarry";
constexpr std::uint8_t kAddressVersion = 0;
constexpr std::size_t kKeyHashBytes = 4 * kDigestSize;

void put(std::uint32_t x, std::uint8_t* out) {
    for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(x >> (24 - 8 * i));
}
std::uint32_t get(const std::uint8_t* bytes) {
    std::uint32_t x = 0;
    for (unsigned i = 0; i < 4; ++i) x = x << 8 | bytes[i];
    return x;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string format_receiving_address(const rollup::Owner& owner) {
    std::array<std::uint8_t, 1 + kKeyHashBytes + 20> bytes{kAddressVersion};
    for (std::size_t i = 0; i < kDigestSize; ++i) put(owner.key_hash[i].canonical(), bytes.data() + 1 + 4 * i);
    std::ranges::copy(owner.address.bytes, bytes.begin() + 1 + kKeyHashBytes);
    return encode_bech32m(kAddressPrefix, bytes);
}

std::optional<rollup::Owner> parse_receiving_address(std::string_view text) {
    const auto bytes = decode_bech32m(kAddressPrefix, text);
    if (!bytes || bytes->size() != 1 + kKeyHashBytes + 20 || bytes->front() != kAddressVersion) return std::nullopt;
    rollup::Owner owner;
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const auto element = KoalaBear::from_canonical(get(bytes->data() + 1 + 4 * i));
        if (!element) return std::nullopt;
        owner.key_hash[i] = *element;
    }
    std::copy(bytes->begin() + 1 + kKeyHashBytes, bytes->end(), owner.address.bytes.begin());
    if (owner.address.is_zero()) return std::nullopt;
    return owner;
}

std::string format_l1_address(const rollup::L1Address& address) {
    std::string text = to_hex(address.bytes);
    const Bytes32 hash = keccak256(std::span(reinterpret_cast<const std::uint8_t*>(text.data()) + 2, 40));
    for (std::size_t i = 0; i < 40; ++i) {
        const unsigned nibble = hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;
        char& c = text[2 + i];
        if (nibble >= 8 && c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

std::optional<rollup::L1Address> parse_l1_address(std::string_view text) {
    if (text.size() != 42 || !text.starts_with("0x")) return std::nullopt;
    rollup::L1Address address;
    bool lower = false;
    bool upper = false;
    for (std::size_t i = 0; i < 40; ++i) {
        const char c = text[2 + i];
        const int digit = hex_digit(c);
        if (digit < 0) return std::nullopt;
        lower = lower || (c >= 'a' && c <= 'f');
        upper = upper || (c >= 'A' && c <= 'F');
        std::uint8_t& byte = address.bytes[i / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | digit);
    }
    if (address.is_zero()) return std::nullopt;
    if (lower && upper && format_l1_address(address) != text) return std::nullopt;
    return address;
}

}  // namespace quarry::node::wallet
