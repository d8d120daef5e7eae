#include "quarry/node/wallet/token_amount.hpp"

#include "quarry/base/check.hpp"

namespace quarry::node::wallet {
namespace {

using rollup::Amount;

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view without_trailing_zeros(std::string_view digits) {
    return digits.substr(0, digits.find_last_not_of('0') + 1);
}

}  // namespace

const char* amount_error_name(AmountError error) noexcept {
    switch (error) {
        case AmountError::not_a_number:
            return "not_a_number";
        case AmountError::too_many_decimals:
            return "too_many_decimals";
        case AmountError::too_large:
            return "amount_too_large";
    }
    return "unknown";
}

const char* amount_error_text(AmountError error) noexcept {
    switch (error) {
        case AmountError::not_a_number:
            return "this is no amount: write digits and at most one point, such as 12.5";
        case AmountError::too_many_decimals:
            return "the amount has more decimal places than the token";
        case AmountError::too_large:
            return "the amount is 2^96 smallest units or more";
    }
    return "unknown";
}

Expected<Amount, AmountError> parse_token_amount(std::string_view text, unsigned decimals) {
    QUARRY_CHECK(decimals <= kMaxDecimals);
    if (text.size() > kMaxAmountChars) return AmountError::not_a_number;
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    std::string_view fraction;
    if (!is_digits(whole)) return AmountError::not_a_number;
    if (point != std::string_view::npos) {
        fraction = text.substr(point + 1);
        if (!is_digits(fraction)) return AmountError::not_a_number;
        fraction = without_trailing_zeros(fraction);
    }
    if (fraction.size() > decimals) return AmountError::too_many_decimals;
    const std::string digits =
        std::string(whole) + std::string(fraction) + std::string(decimals - fraction.size(), '0');
    Amount::Wide value = 0;
    for (const char c : digits) {
        // Below 2^96 before this, so below 2^100 after it: no wrap.
        value = value * 10 + static_cast<unsigned>(c - '0');
        if ((value >> Amount::kBits) != 0) return AmountError::too_large;
    }
    return *Amount::from_wide(value);
}

std::string format_token_amount(Amount amount, unsigned decimals) {
    QUARRY_CHECK(decimals <= kMaxDecimals);
    std::string digits = rollup::to_string(amount);
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    const std::size_t point = digits.size() - decimals;
    const std::string_view fraction = without_trailing_zeros(std::string_view(digits).substr(point));
    std::string text = digits.substr(0, point);
    if (!fraction.empty()) text += "." + std::string(fraction);
    return text;
}

}  // namespace quarry::node::wallet
