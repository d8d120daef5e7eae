#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "quarry/field/extension.hpp"

namespace quarry {

/// Arithmetic of F_{p^k} = F_p[z]/(z^k - A z - B) for secrets and for single signatures: no branch and no address
/// depends on a value, and a product reduces once per coefficient. Same values as Extension's operators.
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
        const auto x = words(a);
        const auto y = words(b);
        Columns t;
        product_columns(x, y, t, std::make_index_sequence<2 * kDegree - 1>());
        return t.reduced();
    }
    static constexpr Element square(const Element& a) noexcept {
        const auto x = words(a);
        Columns t;
        square_columns(x, t, std::make_index_sequence<2 * kDegree - 1>());
        return t.reduced();
    }
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
    /// The 2k - 1 coefficients of a product, each as low + 2^32 high.
    struct Columns {
        std::array<std::int64_t, 2 * kDegree - 1> low{}, high{};

        constexpr Element reduced() const noexcept {
            constexpr std::int64_t kConstant = Modulus::kConstant;
            constexpr std::int64_t kMiddle = Modulus::kMiddleCoefficient;
            Element r;
            _Pragma("GCC unroll 32") for (std::size_t j = 0; j < kDegree; ++j) {
                std::int64_t l = low[j];
                std::int64_t h = high[j];
                if (j + 1 < kDegree) {
                    l += kConstant * low[j + kDegree];
                    h += kConstant * high[j + kDegree];
                }
                if (j > 0) {
                    l += kMiddle * low[j + kDegree - 1];
                    h += kMiddle * high[j + kDegree - 1];
                }
                // (l + 2^32 h) / 2^32 mod p. The coefficient sums at most 61 products, each below 2^30 2^32, less at
                // most 11: -11 2^30 < h < 61 2^30 and |l| < 2^38, so 16 p makes the sum positive and below 126 2^31.
                const std::uint32_t q = static_cast<std::uint32_t>(l) * KoalaBear::kModulusInverse;
                const std::int64_t quotient = (l - static_cast<std::int64_t>(std::uint64_t{q} * kP)) >> 32;  // exact
                r[j] = fold(static_cast<std::uint64_t>(h + quotient + std::int64_t{16} * kP));
            }
            return r;
        }
    };
    using Words = std::array<std::uint64_t, kDegree>;
    // One column after the other, each in registers; sums of at most 4 products stay below 4 p^2 < 2^64.
    template <std::size_t... column>
    static constexpr void product_columns(const Words& x, const Words& y, Columns& t,
                                          std::index_sequence<column...>) noexcept {
        (product_column<column>(x, y, t), ...);
    }
    template <std::size_t... column>
    static constexpr void square_columns(const Words& x, Columns& t, std::index_sequence<column...>) noexcept {
        (square_column<column>(x, t), ...);
    }
    template <std::size_t column>
    static constexpr void product_column(const Words& x, const Words& y, Columns& t) noexcept {
        constexpr std::size_t kFirst = column < kDegree ? 0 : column - kDegree + 1;
        constexpr std::size_t kLast = column < kDegree ? column : kDegree - 1;
        std::uint64_t low = 0;
        std::uint64_t high = 0;
        std::uint64_t sum = 0;
        _Pragma("GCC unroll 32") for (std::size_t i = kFirst; i <= kLast; ++i) {
            sum += x[i] * y[column - i];
            if ((i - kFirst) % 4 == 3 || i == kLast) {
                low += sum & 0xffffffff;
                high += sum >> 32;
                sum = 0;
            }
        }
        t.low[column] = static_cast<std::int64_t>(low);
        t.high[column] = static_cast<std::int64_t>(high);
    }
    template <std::size_t column>
    static constexpr void square_column(const Words& x, Columns& t) noexcept {
        constexpr std::size_t kFirst = column < kDegree ? 0 : column - kDegree + 1;
        std::uint64_t low = 0;
        std::uint64_t high = 0;
        std::uint64_t sum = 0;
        _Pragma("GCC unroll 32") for (std::size_t i = kFirst; 2 * i <= column; ++i) {
            sum += (2 * i == column ? x[i] : 2 * x[i]) * x[column - i];
            if ((i - kFirst) % 2 == 1 || 2 * i + 2 > column) {  // 2 doubled products < 4 p^2
                low += sum & 0xffffffff;
                high += sum >> 32;
                sum = 0;
            }
        }
        t.low[column] = static_cast<std::int64_t>(low);
        t.high[column] = static_cast<std::int64_t>(high);
    }
    static constexpr Words words(const Element& a) noexcept {
        Words r{};
        for (std::size_t i = 0; i < kDegree; ++i) r[i] = a[i].montgomery();
        return r;
    }
    static constexpr std::uint32_t kP = KoalaBear::kModulus;
    /// x mod p for x in [-p, p), two's complement.
    static constexpr KoalaBear wrap(std::uint32_t x) noexcept {
        return KoalaBear::from_montgomery(x + (kP & (0U - (x >> 31))));
    }
    /// x mod p for x < 126 2^31: 2^31 = 2^24 - 1 mod p brings it below 2 p.
    static constexpr KoalaBear fold(std::uint64_t x) noexcept {
        // Clang 19.1's SLP vectoriser has been seen to narrow x to 32 bits before the shift, which is wrong: out of its
        // reach.
        if (!std::is_constant_evaluated()) asm("" : "+r"(x));
        return wrap(static_cast<std::uint32_t>((x & 0x7fffffff) + (x >> 31) * 0xffffff) - kP);
    }
    static_assert(Modulus::kConstant >= -7 && Modulus::kConstant <= 7);
    static_assert(Modulus::kMiddleCoefficient >= -7 && Modulus::kMiddleCoefficient <= 7);
};

}  // namespace quarry
