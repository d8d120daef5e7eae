#pragma once
#include <string>
#include <string_view>

#include "quarry/base/expected.hpp"
#include "quarry/rollup/amount.hpp"

/// Amounts as people write them: in units of a token with its decimal places, exactly.
namespace quarry::node::wallet {

inline constexpr unsigned kEtherDecimals = 18;
/// Above, one unit would not fit an amount.
inline constexpr unsigned kMaxDecimals = 28;
inline constexpr std::size_t kMaxAmountChars = 64;

enum class AmountError {
    not_a_number,       ///< anything but digits with at most one point, a digit before it and one behind
    too_many_decimals,  ///< a digit other than 0 beyond the token's smallest unit
    too_large,          ///< 2^96 smallest units or more
};
/// The enumerator's name, stable.
const char* amount_error_name(AmountError error) noexcept;
/// One sentence for people.
const char* amount_error_text(AmountError error) noexcept;

/// "12.5" with 6 decimals: 12,500,000. Never rounds. Total; precondition: decimals <= kMaxDecimals.
Expected<rollup::Amount, AmountError> parse_token_amount(std::string_view text, unsigned decimals);

/// The shortest text that parse_token_amount reads as `amount`.
std::string format_token_amount(rollup::Amount amount, unsigned decimals);

}  // namespace quarry::node::wallet
