#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/field/koala_bear.hpp"

namespace quarry {

/// The modulus X^Degree = LinearCoefficient * X^Middle + Constant of an extension of F_p. Irreducibility is a test's
/// job.
template <std::size_t Degree, std::size_t Middle, std::int64_t MiddleCoefficient, std::int64_t Constant>
struct Trinomial {
    static constexpr std::size_t kDegree = Degree;
    static constexpr std::size_t kMiddle = Middle;
    static constexpr std::int64_t kMiddleCoefficient = MiddleCoefficient;
    static constexpr std::int64_t kConstant = Constant;
    static_assert(Middle >= 1 && Middle < Degree);
};

/// F_p[X]/(Modulus), elements as coefficients, constant term first.
template <class Modulus>
class Extension {
  public:
    static constexpr std::size_t kDegree = Modulus::kDegree;
    using Base = KoalaBear;

    constexpr Extension() noexcept = default;
    constexpr explicit Extension(std::uint64_t x) noexcept { c_[0] = KoalaBear(x); }
    constexpr Extension(KoalaBear x) noexcept { c_[0] = x; }  // NOLINT(google-explicit-constructor)
    constexpr explicit Extension(const std::array<KoalaBear, kDegree>& c) noexcept : c_(c) {}

    [[nodiscard]] constexpr const std::array<KoalaBear, kDegree>& coefficients() const noexcept { return c_; }
    constexpr KoalaBear operator[](std::size_t i) const noexcept { return c_[i]; }
    constexpr KoalaBear& operator[](std::size_t i) noexcept { return c_[i]; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return *this == Extension(); }

    friend constexpr Extension operator+(Extension a, const Extension& b) noexcept {
        for (std::size_t i = 0; i < kDegree; ++i) a.c_[i] += b.c_[i];
        return a;
    }
    friend constexpr Extension operator-(Extension a, const Extension& b) noexcept {
        for (std::size_t i = 0; i < kDegree; ++i) a.c_[i] -= b.c_[i];
        return a;
    }
    friend constexpr Extension operator-(const Extension& a) noexcept { return Extension() - a; }
    friend constexpr Extension operator*(const Extension& a, const Extension& b) noexcept {
        // Schoolbook product, then two passes of X^k -> m X^(k - Degree + Middle) + c X^(k - Degree) from the top.
        std::array<KoalaBear, 2 * kDegree - 1> t{};
        for (std::size_t i = 0; i < kDegree; ++i) {
            for (std::size_t j = 0; j < kDegree; ++j) t[i + j] += a.c_[i] * b.c_[j];
        }
        constexpr KoalaBear kMiddle = KoalaBear::from_signed(Modulus::kMiddleCoefficient);
        constexpr KoalaBear kConstant = KoalaBear::from_signed(Modulus::kConstant);
        for (std::size_t k = 2 * kDegree - 2; k >= kDegree; --k) {
            t[k - kDegree + Modulus::kMiddle] += kMiddle * t[k];
            t[k - kDegree] += kConstant * t[k];
        }
        Extension r;
        for (std::size_t i = 0; i < kDegree; ++i) r.c_[i] = t[i];
        return r;
    }
    friend constexpr Extension operator*(Extension a, KoalaBear b) noexcept {
        for (auto& x : a.c_) x *= b;
        return a;
    }
    friend constexpr Extension operator*(KoalaBear b, const Extension& a) noexcept { return a * b; }
    constexpr Extension& operator+=(const Extension& o) noexcept { return *this = *this + o; }
    constexpr Extension& operator-=(const Extension& o) noexcept { return *this = *this - o; }
    constexpr Extension& operator*=(const Extension& o) noexcept { return *this = *this * o; }
    friend constexpr bool operator==(const Extension& a, const Extension& b) noexcept = default;

    /// x^e for e given in little-endian 32-bit limbs.
    [[nodiscard]] constexpr Extension pow(std::span<const std::uint32_t> exponent) const noexcept {
        Extension r(KoalaBear(1));
        Extension base = *this;
        for (const std::uint32_t limb : exponent) {
            for (unsigned i = 0; i < 32; ++i, base *= base) {
                if ((limb >> i) & 1) r *= base;
            }
        }
        return r;
    }
    [[nodiscard]] constexpr Extension pow(std::uint64_t e) const noexcept {
        const std::array<std::uint32_t, 2> limbs{static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(e >> 32)};
        return pow(limbs);
    }
    /// x^p: the Frobenius automorphism, by the powers of X^p.
    [[nodiscard]] constexpr Extension frobenius() const noexcept {
        Extension r;
        for (std::size_t i = 0; i < kDegree; ++i) r += Extension(kFrobenius[i]) * c_[i];
        return r;
    }
    /// 1/x; 0 for x = 0. [Itoh-Tsujii] x^-1 = x^(p + ... + p^(d-1)) / norm(x), the norm in F_p.
    [[nodiscard]] constexpr Extension inverse() const noexcept {
        Extension conjugates = frobenius();
        Extension power = conjugates;
        for (std::size_t i = 2; i < kDegree; ++i) {
            power = power.frobenius();
            conjugates *= power;
        }
        const KoalaBear norm = ((*this) * conjugates).c_[0];
        return conjugates * norm.inverse();
    }

  private:
    using Table = std::array<std::array<KoalaBear, kDegree>, kDegree>;
    static constexpr Table frobenius_powers() noexcept {
        // X^p by square-and-multiply on coefficient arrays, then its powers.
        Extension x;
        x.c_[1] = KoalaBear(1);
        const Extension xp = x.pow(std::uint64_t{KoalaBear::kModulus});
        Table r{};
        Extension power(KoalaBear(1));
        for (std::size_t i = 0; i < kDegree; ++i, power *= xp) r[i] = power.c_;
        return r;
    }
    static const Table kFrobenius;  ///< row i: X^(p i)

    std::array<KoalaBear, kDegree> c_{};
};

template <class Modulus>
constexpr typename Extension<Modulus>::Table Extension<Modulus>::kFrobenius = Extension<Modulus>::frobenius_powers();

using ExtField = Extension<Trinomial<5, 2, -1, 1>>;  ///< challenges: X^5 = -X^2 + 1
using Fp7 = Extension<Trinomial<7, 1, 3, 5>>;        ///< KB7: z^7 = 3z + 5
using Fp11 = Extension<Trinomial<11, 1, -1, 6>>;     ///< KB11: z^11 = -z + 6

}  // namespace quarry
