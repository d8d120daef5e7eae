#include "quarry/recursion/pinned_keys.hpp"

#include <array>
#include <string_view>

#include "quarry/base/check.hpp"
#include "quarry/recursion/pinned_text.hpp"

namespace quarry::recursion {
namespace {

unsigned hex_digit(char c) {
    const bool digit = c >= '0' && c <= '9';
    QUARRY_CHECK(digit || (c >= 'a' && c <= 'f'));
    return static_cast<unsigned>(digit ? c - '0' : c - 'a' + 10);
}

/// 0x and eight digits an element.
Digest digest_of(std::string_view text) {
    Digest d;
    QUARRY_CHECK(text.size() == 2 + 8 * d.size() && text.starts_with("0x"));
    for (std::size_t i = 0; i < d.size(); ++i) {
        std::uint32_t word = 0;
        for (const char c : text.substr(2 + 8 * i, 8)) word = word << 4 | hex_digit(c);
        const auto x = KoalaBear::from_canonical(word);
        QUARRY_CHECK(x.has_value());
        d[i] = *x;
    }
    return d;
}

/// 0x and two digits a byte.
std::array<std::uint8_t, 32> bytes_of(std::string_view text) {
    std::array<std::uint8_t, 32> bytes{};
    QUARRY_CHECK(text.size() == 2 + 2 * bytes.size() && text.starts_with("0x"));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
    }
    return bytes;
}

}  // namespace

const CircuitKeys& pinned_keys() {
    static const CircuitKeys keys = [] {
        const PinnedText& text = pinned_text();
        CircuitKeys k{text.bits, digest_of(text.segment), digest_of(text.data), {}, {}, {}};
        for (std::size_t size = 0; size < kNodeSizes; ++size) {
            k.nodes[size].circuit = digest_of(text.nodes[size].circuit);
            for (std::size_t t = 0; t < kTableKinds; ++t) {
                for (const unsigned height : text.nodes[size].heights[t]) {
                    if (height != 0) k.nodes[size].heights[t].push_back(height);
                }
            }
        }
        for (const auto& [name, says, size, root] : text.entries) {
            const auto kind = says == "join" ? rollup::StatementKind::join : rollup::StatementKind::bundle;
            k.entries.push_back(
                {std::string(name), kind, size == "wide" ? NodeSize::wide : NodeSize::narrow, digest_of(root)});
        }
        for (const auto& [name, circuit, root] : text.last) {
            k.last.push_back({std::string(name), digest_of(circuit), bytes_of(root)});
        }
        return k;
    }();
    return keys;
}

const char* node_size_name(NodeSize size) noexcept { return size == NodeSize::wide ? "wide" : "narrow"; }

const char* table_kind_name(TableKind kind) noexcept {
    constexpr std::array<const char*, kTableKinds> kNames{
        "sponge",         "tree",       "upper", "cap",  "sum",    "form",     "convolution", "base_fold",
        "extension_fold", "polynomial", "power", "pack", "digest", "constant", "index",       "public_input"};
    return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace quarry::recursion
