#include "quarry/rollup/amount.hpp"

#include <algorithm>

namespace quarry::rollup {

Checked<Amount> parse_amount(std::string_view text) noexcept {
    const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (text.empty() || !digits || (text.size() > 1 && text[0] == '0')) return RejectCode::bad_amount;
    Amount::Wide r = 0;
    for (const char c : text) {
        r = 10 * r + static_cast<unsigned>(c - '0');
        if (!Amount::from_wide(r)) return RejectCode::amount_too_large;
    }
    return *Amount::from_wide(r);
}

std::string to_string(Amount amount) {
    std::string r;
    Amount::Wide x = amount.wide();
    do {
        r += static_cast<char>('0' + static_cast<int>(x % 10));
        x /= 10;
    } while (x != 0);
    std::reverse(r.begin(), r.end());
    return r;
}

}  // namespace quarry::rollup
