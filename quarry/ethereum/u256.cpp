#include "quarry/ethereum/u256.hpp"

#include <algorithm>
#include <bit>

namespace quarry::ethereum {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t low(Wide x) noexcept { return static_cast<std::uint64_t>(x); }
std::uint64_t high(Wide x) noexcept { return static_cast<std::uint64_t>(x >> 64); }

}  // namespace

U256 U256::from_bytes(ByteView big_endian) {
    QUARRY_CHECK(big_endian.size() <= 32);
    U256 r;
    for (std::size_t i = 0; i < big_endian.size(); ++i) {
        r.limbs_[i / 8] |= std::uint64_t{big_endian[big_endian.size() - 1 - i]} << (8 * (i % 8));
    }
    return r;
}

Decoded<U256> U256::from_hex(std::string_view text) {
    if (text.size() < 3 || text.size() > 66) return CodecError{CodecCode::bad_hex, "U256::from_hex"};
    std::string padded = "0x" + std::string(66 - text.size(), '0');
    padded += text.substr(2);
    Bytes32 bytes{};
    if (text[0] != '0' || !read_hex(padded, bytes) || (text[1] != 'x' && text[1] != 'X')) {
        return CodecError{CodecCode::bad_hex, "U256::from_hex"};
    }
    return from_bytes(bytes);
}

Decoded<U256> U256::from_decimal(std::string_view text) {
    if (text.empty()) return CodecError{CodecCode::bad_length, "U256::from_decimal"};
    U256 r;
    for (const char c : text) {
        if (c < '0' || c > '9') return CodecError{CodecCode::out_of_range, "U256::from_decimal"};
        const auto shifted = r.checked_mul(10);
        const auto sum = shifted ? shifted->checked_add(static_cast<std::uint64_t>(c - '0')) : shifted;
        if (!sum) return CodecError{CodecCode::out_of_range, "U256::from_decimal"};
        r = *sum;
    }
    return r;
}

Bytes32 U256::to_bytes() const {
    Bytes32 r{};
    for (std::size_t i = 0; i < 32; ++i) r[31 - i] = static_cast<std::uint8_t>(limbs_[i / 8] >> (8 * (i % 8)));
    return r;
}

Bytes U256::to_minimal_bytes() const {
    const Bytes32 bytes = to_bytes();
    return {std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t x) { return x != 0; }), bytes.end()};
}

std::string U256::to_hex() const {
    const std::string digits = ethereum::to_hex(to_bytes()).substr(2);
    const std::size_t first = digits.find_first_not_of('0');
    return "0x" + (first == std::string::npos ? "0" : digits.substr(first));
}

std::string U256::to_decimal() const {
    std::string r;
    U256 rest = *this;
    do {
        std::uint64_t digit = 0;
        rest = rest.divide(10, &digit);
        r.push_back(static_cast<char>('0' + digit));
    } while (!rest.is_zero());
    std::reverse(r.begin(), r.end());
    return r;
}

unsigned U256::num_bits() const noexcept {
    for (unsigned i = 4; i-- > 0;) {
        if (limbs_[i] != 0) return 64 * i + static_cast<unsigned>(std::bit_width(limbs_[i]));
    }
    return 0;
}

std::optional<U256> U256::checked_add(const U256& y) const noexcept {
    U256 r;
    Wide carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        carry += Wide{limbs_[i]} + y.limbs_[i];
        r.limbs_[i] = low(carry);
        carry >>= 64;
    }
    if (carry != 0) return std::nullopt;
    return r;
}

std::optional<U256> U256::checked_sub(const U256& y) const noexcept {
    if (*this < y) return std::nullopt;
    U256 r;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const Wide difference = Wide{limbs_[i]} - y.limbs_[i] - borrow;
        r.limbs_[i] = low(difference);
        borrow = high(difference) != 0 ? 1 : 0;
    }
    return r;
}

std::optional<U256> U256::checked_mul(std::uint64_t y) const noexcept {
    U256 r;
    Wide carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        carry += Wide{limbs_[i]} * y;
        r.limbs_[i] = low(carry);
        carry >>= 64;
    }
    if (carry != 0) return std::nullopt;
    return r;
}

U256 U256::divide(std::uint64_t y, std::uint64_t* remainder) const {
    QUARRY_CHECK(y > 0);
    U256 r;
    Wide rest = 0;
    for (std::size_t i = 4; i-- > 0;) {
        rest = rest << 64 | limbs_[i];
        r.limbs_[i] = low(rest / y);
        rest %= y;
    }
    if (remainder != nullptr) *remainder = low(rest);
    return r;
}

U256 operator+(const U256& x, const U256& y) {
    const auto r = x.checked_add(y);
    QUARRY_CHECK(r.has_value());
    return *r;
}

U256 operator-(const U256& x, const U256& y) {
    const auto r = x.checked_sub(y);
    QUARRY_CHECK(r.has_value());
    return *r;
}

U256 operator*(const U256& x, std::uint64_t y) {
    const auto r = x.checked_mul(y);
    QUARRY_CHECK(r.has_value());
    return *r;
}

std::strong_ordering operator<=>(const U256& x, const U256& y) noexcept {
    for (std::size_t i = 4; i-- > 0;) {
        if (x.limbs_[i] != y.limbs_[i]) return x.limbs_[i] <=> y.limbs_[i];
    }
    return std::strong_ordering::equal;
}

}  // namespace quarry::ethereum
