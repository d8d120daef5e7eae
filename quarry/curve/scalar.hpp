#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace quarry {

/// Overwrites memory in a way that the compiler must keep: the asm might read it.
inline void wipe(void* p, std::size_t bytes) noexcept {
    std::memset(p, 0, bytes);
    asm volatile("" : : "r"(p) : "memory");
}

/// Little-endian bytes to limbs; missing limbs are 0. Precondition: the bytes fit.
template <std::size_t N>
constexpr std::array<std::uint64_t, N> limbs_from_bytes(std::span<const std::uint8_t> bytes) noexcept {
    std::array<std::uint64_t, N> r{};
    for (std::size_t i = 0; i < bytes.size(); ++i) r[i / 8] |= std::uint64_t{bytes[i]} << (8 * (i % 8));
    return r;
}
/// a -= b; returns the borrow, 0 or 1. No branches.
template <std::size_t N>
constexpr std::uint64_t subtract_limbs(std::array<std::uint64_t, N>& a,
                                       const std::array<std::uint64_t, N>& b) noexcept {
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < N; ++i) {
        const unsigned __int128 d = static_cast<unsigned __int128>(a[i]) - b[i] - borrow;
        a[i] = static_cast<std::uint64_t>(d);
        borrow = static_cast<std::uint64_t>(d >> 64) & 1;
    }
    return borrow;
}
/// a += b & mask; returns the carry. No branches.
template <std::size_t N>
constexpr std::uint64_t add_limbs(std::array<std::uint64_t, N>& a, const std::array<std::uint64_t, N>& b,
                                  std::uint64_t mask = ~std::uint64_t{0}) noexcept {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < N; ++i) {
        const unsigned __int128 s = static_cast<unsigned __int128>(a[i]) + (b[i] & mask) + carry;
        a[i] = static_cast<std::uint64_t>(s);
        carry = static_cast<std::uint64_t>(s >> 64);
    }
    return carry;
}
/// wide mod m for a 512-bit number, bit by bit: for moduli that Montgomery's method does not take (n - 1 is even).
/// No branch depends on either. Precondition: m < 2^(64 N - 1).
template <std::size_t N>
constexpr std::array<std::uint64_t, N> reduce_wide(const std::array<std::uint64_t, 8>& wide,
                                                   const std::array<std::uint64_t, N>& m) noexcept {
    std::array<std::uint64_t, N> r{};
    for (std::size_t i = 512; i-- > 0;) {
        std::uint64_t in = (wide[i / 64] >> (i % 64)) & 1;
        for (auto& limb : r) {
            const std::uint64_t out = limb >> 63;
            limb = (limb << 1) | in;
            in = out;
        }
        add_limbs(r, m, 0 - subtract_limbs(r, m));
    }
    return r;
}

/// Integers mod n, the order of the curve C, in Montgomery form with R = 2^(64 limbs). Every operation takes the same
/// steps whatever the values are. Invariant: below n.
template <class C>
class Scalar {
  public:
    static constexpr std::size_t kLimbs = C::kOrder.size();
    using Limbs = std::array<std::uint64_t, kLimbs>;

    constexpr Scalar() noexcept = default;
    constexpr explicit Scalar(std::uint64_t x) noexcept : Scalar(from_limbs({x})) {}
    /// Precondition: x < n.
    static constexpr Scalar from_limbs(const Limbs& x) noexcept { return Scalar(product(x, kR2)); }
    /// A 512-bit number mod n.
    static constexpr Scalar from_wide(const std::array<std::uint64_t, 8>& x) noexcept {
        Limbs low{};
        Limbs high{};
        for (std::size_t i = 0; i < kLimbs; ++i) low[i] = x[i];
        for (std::size_t i = kLimbs; i < 8; ++i) high[i - kLimbs] = x[i];
        return Scalar(product(low, kR2)) + Scalar(product(high, kR3));
    }
    [[nodiscard]] constexpr Limbs limbs() const noexcept { return product(v_, {1}); }
    [[nodiscard]] constexpr bool is_zero() const noexcept {
        std::uint64_t any = 0;
        for (const std::uint64_t x : v_) any |= x;
        return any == 0;
    }

    friend constexpr Scalar operator+(const Scalar& a, const Scalar& b) noexcept {
        Limbs r = a.v_;
        add_limbs(r, b.v_);  // < 2 n < R: no carry
        return Scalar(below_order(r));
    }
    friend constexpr Scalar operator-(const Scalar& a, const Scalar& b) noexcept {
        Limbs r = a.v_;
        const std::uint64_t borrow = subtract_limbs(r, b.v_);
        add_limbs(r, C::kOrder, 0 - borrow);
        return Scalar(r);
    }
    friend constexpr Scalar operator-(const Scalar& a) noexcept { return Scalar() - a; }
    friend constexpr Scalar operator*(const Scalar& a, const Scalar& b) noexcept { return Scalar(product(a.v_, b.v_)); }
    friend constexpr bool operator==(const Scalar&, const Scalar&) = default;
    /// Branches on e, which is public.
    [[nodiscard]] constexpr Scalar pow(std::span<const std::uint64_t> e) const noexcept {
        Scalar r(1);
        for (std::size_t i = 64 * e.size(); i-- > 0;) {
            r = r * r;
            if ((e[i / 64] >> (i % 64)) & 1) r = r * *this;
        }
        return r;
    }
    /// 1/x; 0 for 0.
    [[nodiscard]] constexpr Scalar inverse() const noexcept {
        Limbs e = C::kOrder;
        subtract_limbs(e, Limbs{2});
        return pow(e);
    }
    /// x < n, for a number from outside.
    static constexpr bool is_canonical(Limbs x) noexcept { return subtract_limbs(x, C::kOrder) == 1; }

    void wipe() noexcept { quarry::wipe(v_.data(), sizeof v_); }

  private:
    constexpr explicit Scalar(const Limbs& v) noexcept : v_(v) {}
    static constexpr Limbs below_order(Limbs r) noexcept {  // r < 2 n
        const std::uint64_t borrow = subtract_limbs(r, C::kOrder);
        add_limbs(r, C::kOrder, 0 - borrow);
        return r;
    }
    /// a b / R mod n for a < R, b < n: the sum stays below (R n + R n)/R = 2 n. [Montgomery, CIOS]
    static constexpr Limbs product(const Limbs& a, const Limbs& b) noexcept {
        std::array<std::uint64_t, kLimbs + 1> t{};  // 2 n < R: one spare limb is enough between steps
        for (std::size_t i = 0; i < kLimbs; ++i) {
            unsigned __int128 carry = 0;
            for (std::size_t j = 0; j < kLimbs; ++j) {
                carry += static_cast<unsigned __int128>(a[i]) * b[j] + t[j];
                t[j] = static_cast<std::uint64_t>(carry);
                carry >>= 64;
            }
            t[kLimbs] += static_cast<std::uint64_t>(carry);
            const std::uint64_t q = t[0] * kNegativeInverse;
            carry = static_cast<unsigned __int128>(q) * C::kOrder[0] + t[0];
            carry >>= 64;
            for (std::size_t j = 1; j < kLimbs; ++j) {
                carry += static_cast<unsigned __int128>(q) * C::kOrder[j] + t[j];
                t[j - 1] = static_cast<std::uint64_t>(carry);
                carry >>= 64;
            }
            carry += t[kLimbs];
            t[kLimbs - 1] = static_cast<std::uint64_t>(carry);
            t[kLimbs] = static_cast<std::uint64_t>(carry >> 64);
        }
        Limbs r{};
        for (std::size_t i = 0; i < kLimbs; ++i) r[i] = t[i];
        return below_order(r);
    }
    static constexpr std::uint64_t negative_inverse() noexcept {  // -1/n mod 2^64, by Newton
        std::uint64_t x = 1;
        for (int i = 0; i < 6; ++i) x *= 2 - C::kOrder[0] * x;
        return 0 - x;
    }
    static constexpr Limbs power_of_two(unsigned e) noexcept {
        Limbs r{1};
        for (unsigned i = 0; i < e; ++i) {
            const Limbs same = r;
            add_limbs(r, same);
            r = below_order(r);
        }
        return r;
    }
    static constexpr std::uint64_t kNegativeInverse = negative_inverse();
    static constexpr Limbs kR2 = power_of_two(2 * 64 * kLimbs);
    static constexpr Limbs kR3 = power_of_two(3 * 64 * kLimbs);
    static_assert(C::kOrder[kLimbs - 1] < (std::uint64_t{1} << 63) && 2 * kLimbs >= 8);  // 2 n < R

    Limbs v_{};
};

}  // namespace quarry
