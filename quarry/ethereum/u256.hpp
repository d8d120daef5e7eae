#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/ethereum/types.hpp"

namespace quarry::ethereum {

/// An unsigned integer of 256 bits: amounts of wei, words of the contract interface. Arithmetic that would leave the
/// range is a bug of the caller, except in the functions that say otherwise.
class U256 {
  public:
    constexpr U256() = default;
    constexpr U256(std::uint64_t x) : limbs_{x, 0, 0, 0} {}  // NOLINT(google-explicit-constructor)
    /// Big-endian; at most 32 bytes.
    static U256 from_bytes(ByteView big_endian);
    /// 0x and 1 to 64 digits.
    static Decoded<U256> from_hex(std::string_view text);
    /// Digits only.
    static Decoded<U256> from_decimal(std::string_view text);

    /// Big-endian.
    [[nodiscard]] Bytes32 to_bytes() const;
    /// Big-endian without leading zeros; empty for zero.
    [[nodiscard]] Bytes to_minimal_bytes() const;
    /// A JSON-RPC quantity: 0x and the shortest digits.
    [[nodiscard]] std::string to_hex() const;
    [[nodiscard]] std::string to_decimal() const;
    [[nodiscard]] bool fits_u64() const noexcept { return (limbs_[1] | limbs_[2] | limbs_[3]) == 0; }
    [[nodiscard]] std::uint64_t low_u64() const noexcept { return limbs_[0]; }
    /// The value, or all ones where it is larger.
    [[nodiscard]] std::uint64_t saturated_u64() const noexcept { return fits_u64() ? limbs_[0] : ~std::uint64_t{0}; }
    [[nodiscard]] bool is_zero() const noexcept { return *this == U256{}; }
    /// Position of the highest one bit plus one; 0 for zero.
    [[nodiscard]] unsigned num_bits() const noexcept;

    /// Empty when the result is out of range.
    [[nodiscard]] std::optional<U256> checked_add(const U256& y) const noexcept;
    [[nodiscard]] std::optional<U256> checked_sub(const U256& y) const noexcept;
    [[nodiscard]] std::optional<U256> checked_mul(std::uint64_t y) const noexcept;
    /// floor(this / y) and the remainder. Precondition: y > 0.
    [[nodiscard]] U256 divide(std::uint64_t y, std::uint64_t* remainder = nullptr) const;

    friend U256 operator+(const U256& x, const U256& y);
    friend U256 operator-(const U256& x, const U256& y);
    friend U256 operator*(const U256& x, std::uint64_t y);
    friend bool operator==(const U256&, const U256&) noexcept = default;
    friend std::strong_ordering operator<=>(const U256& x, const U256& y) noexcept;

  private:
    std::array<std::uint64_t, 4> limbs_{};  ///< least significant first
};

}  // namespace quarry::ethereum
