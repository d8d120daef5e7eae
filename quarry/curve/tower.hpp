#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "quarry/field/extension.hpp"

namespace quarry {

/// Arithmetic of F_{p^k} = F_p[z]/(z^k - A z - B) for secrets and for single signatures: no branch and no address depends
/// on a value, and a product reduces once per coefficient. Same values as Extension's operators.
template <class Modulus>
struct Tower {
    static_assert(Modulus::kMiddle == 1, "z^k = A z + B");
    static constexpr std::size_t kDegree = Modulus::kDegree;
    using Element = Extension<Modulus>;

    static constexpr Element add(const Element& a, const Element& b) noexcept {
        Element r;
        for (std::size_t i = 0; i < kDegree; ++i) r[i] = wrap(a[i].montgomery() + b[i].montgomery() - kP);
        return r;
    }
    static constexpr Element subtract(const Element& a, const Element& b) noexcept {
        Element r;
        for (std::size_t i = 0; i < kDegree; ++i) r[i] = wrap(a[i].montgomery() - b[i].montgomery());
        return r;
    }
    /// c a, for 0 <= c <= 8.
    static constexpr Element small_multiple(std::uint64_t c, const Element& a) noexcept {
        Element r;
        for (std::size_t i = 0; i < kDegree; ++i) r[i] = fold(c * a[i].montgomery());
        return r;
    }
    static constexpr Element multiply(const Element& a, const Element& b) noexcept {
        // Row j of the matrix of "times b": coefficient j of z^i b is w[j - i + kDegree] for j > 0, first[i] for j = 0.
        std::array<std::uint32_t, 2 * kDegree> w{};
        std::array<std::uint32_t, kDegree> first{};
        first[0] = b[0].montgomery();
        for (std::size_t i = 1; i < kDegree; ++i) {
            w[kDegree + i] = b[i].montgomery();
            first[i] = linear(0, 0, Modulus::kConstant, b[kDegree - i].montgomery());
        }
        w[kDegree] = linear(1, b[0].montgomery(), Modulus::kMiddleCoefficient, b[kDegree - 1].montgomery());
        for (std::size_t d = 1; d + 1 < kDegree; ++d) {
            w[kDegree - d] = linear(Modulus::kConstant, b[kDegree - d].montgomery(), Modulus::kMiddleCoefficient,
                                    b[kDegree - 1 - d].montgomery());
        }
        Element r;
        for (std::size_t j = 0; j < kDegree; ++j) {
            // Sums of 4 products stay below 4 p^2 < 2^64; their halves are added up apart.
            std::uint64_t low = 0;
            std::uint64_t high = 0;
            for (std::size_t i = 0; i < kDegree; i += 4) {
                std::uint64_t sum = 0;
                for (std::size_t k = i; k < i + 4 && k < kDegree; ++k) {
                    sum += std::uint64_t{a[k].montgomery()} * (j == 0 ? first[k] : w[j + kDegree - k]);
                }
                low += sum & 0xffffffff;
                high += sum >> 32;
            }
            // (low + 2^32 high) / 2^32 mod p, low < 2^34 and high < 2^34.
            const std::uint32_t q = static_cast<std::uint32_t>(low) * KoalaBear::kModulusInverse;
            const auto carry = static_cast<std::uint32_t>((std::uint64_t{q} * kP) >> 32);
            r[j] = fold(high + wrap(static_cast<std::uint32_t>(low >> 32) - carry).montgomery());
        }
        return r;
    }
    static constexpr Element square(const Element& a) noexcept { return multiply(a, a); }
    /// take_b ? b : a, for mask = 0 or all ones.
    static constexpr Element select(std::uint32_t mask, const Element& a, const Element& b) noexcept {
        Element r;
        for (std::size_t i = 0; i < kDegree; ++i) {
            const std::uint32_t x = a[i].montgomery();
            r[i] = KoalaBear::from_montgomery(x ^ (mask & (x ^ b[i].montgomery())));
        }
        return r;
    }
    /// 1/a; 0 for a = 0. [Itoh-Tsujii]
    static constexpr Element invert(const Element& a) noexcept {
        Element conjugates = a.frobenius();
        Element power = conjugates;
        for (std::size_t i = 2; i < kDegree; ++i) {
            power = power.frobenius();
            conjugates = multiply(conjugates, power);
        }
        const KoalaBear norm = multiply(a, conjugates)[0];
        return conjugates * norm.inverse();
    }

  private:
    static constexpr std::uint32_t kP = KoalaBear::kModulus;
    /// x mod p for x in [-p, p), two's complement.
    static constexpr KoalaBear wrap(std::uint32_t x) noexcept {
        return KoalaBear::from_montgomery(x + (kP & (0U - (x >> 31))));
    }
    /// x mod p for x < 2^36: 2^31 = 2^24 - 1 mod p brings it below 2^31 + 2^29 < 2 p.
    static constexpr KoalaBear fold(std::uint64_t x) noexcept {
        // Keeps clang 19's SLP vectoriser off: it narrows x to 32 bits before the shift and gets KB7's doubling wrong
        // (curve_test, GeneratorMultiples, fails at -O3 without this line).
        if (!std::is_constant_evaluated()) asm("" : "+r"(x));
        return wrap(static_cast<std::uint32_t>((x & 0x7fffffff) + (x >> 31) * 0xffffff) - kP);
    }
    static constexpr std::uint64_t term(std::int64_t c, std::uint32_t x) noexcept {
        return c < 0 ? static_cast<std::uint64_t>(-c) * (kP - x) : static_cast<std::uint64_t>(c) * x;
    }
    /// c x + d y mod p for |c|, |d| <= 7.
    static constexpr std::uint32_t linear(std::int64_t c, std::uint32_t x, std::int64_t d, std::uint32_t y) noexcept {
        return fold(term(c, x) + term(d, y)).montgomery();
    }
    static_assert(Modulus::kConstant >= -7 && Modulus::kConstant <= 7);
    static_assert(Modulus::kMiddleCoefficient >= -7 && Modulus::kMiddleCoefficient <= 7);
};

}  // namespace quarry
