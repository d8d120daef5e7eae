#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/rollup/reject.hpp"

namespace quarry::rollup {

/// An exact integer below 2^96, in the smallest unit of some token. Sums and differences that leave the range do not
/// exist.
class Amount {
  public:
    static constexpr unsigned kBits = 96;
    static constexpr unsigned kFeeBits = 72;  ///< fees are shorter on the wire
    static constexpr std::size_t kLimbs = 6;
    static constexpr std::size_t kFeeLimbs = 5;
    using Wide = unsigned __int128;

    constexpr Amount() noexcept = default;
    constexpr explicit Amount(std::uint64_t x) noexcept : v_(x) {}
    static constexpr std::optional<Amount> from_wide(Wide x) noexcept {
        if ((x >> kBits) != 0) return std::nullopt;
        Amount r;
        r.v_ = x;
        return r;
    }
    static constexpr Amount max() noexcept {
        Amount r;
        r.v_ = (Wide{1} << kBits) - 1;
        return r;
    }

    [[nodiscard]] constexpr Wide wide() const noexcept { return v_; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return v_ == 0; }
    [[nodiscard]] constexpr bool fits_fee() const noexcept { return (v_ >> kFeeBits) == 0; }
    /// 16 bits of the value, least significant limb first: what hashing and range checks see.
    [[nodiscard]] constexpr std::uint16_t limb(std::size_t i) const noexcept {
        return static_cast<std::uint16_t>(v_ >> (16 * i));
    }

    /// a + b, unless it is 2^96 or more.
    friend constexpr std::optional<Amount> checked_add(Amount a, Amount b) noexcept { return from_wide(a.v_ + b.v_); }
    /// a - b, unless it is negative.
    friend constexpr std::optional<Amount> checked_sub(Amount a, Amount b) noexcept {
        if (a.v_ < b.v_) return std::nullopt;
        return from_wide(a.v_ - b.v_);
    }
    friend constexpr bool operator==(Amount a, Amount b) noexcept { return a.v_ == b.v_; }
    friend constexpr std::strong_ordering operator<=>(Amount a, Amount b) noexcept {
        return a.v_ < b.v_ ? std::strong_ordering::less
                           : (a.v_ == b.v_ ? std::strong_ordering::equal : std::strong_ordering::greater);
    }

  private:
    Wide v_ = 0;
};

/// Decimal digits without sign or leading zeros; bad_amount or amount_too_large for anything else.
Checked<Amount> parse_amount(std::string_view text) noexcept;
std::string to_string(Amount amount);

}  // namespace quarry::rollup
