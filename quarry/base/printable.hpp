#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace quarry {

inline constexpr std::size_t kMaxPrintable = 300;

/// What another program says, for terminals, logs and JSON without escapes: at most kMaxPrintable characters of
/// printable ASCII. A quotation mark becomes an apostrophe; a backslash and all else becomes a question mark.
inline std::string printable(std::string_view text) {
    std::string r(text.substr(0, kMaxPrintable));
    std::ranges::transform(r, r.begin(), [](char c) {
        if (c == '"') return '\'';
        return c < ' ' || c > '~' || c == '\\' ? '?' : c;
    });
    return r;
}

}  // namespace quarry
