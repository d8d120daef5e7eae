#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace quarry {

/// F_p, p = 2^31 - 2^24 + 1. Held in Montgomery form, R = 2^32. Invariant: the representative is below p.
class KoalaBear {
  public:
    static constexpr std::uint32_t kModulus = 0x7f000001;
    static constexpr unsigned kTwoAdicity = 24;
    static constexpr std::uint32_t kGenerator = 3;  ///< of the multiplicative group

    constexpr KoalaBear() noexcept = default;
    /// x mod p, for any x.
    constexpr explicit KoalaBear(std::uint64_t x) noexcept : m_(to_montgomery(x % kModulus)) {}
    static constexpr KoalaBear from_signed(std::int64_t x) noexcept {
        const std::int64_t r = x % static_cast<std::int64_t>(kModulus);
        return KoalaBear(static_cast<std::uint64_t>(r < 0 ? r + kModulus : r));
    }
    /// The element with canonical value x, if x < p.
    static constexpr std::optional<KoalaBear> from_canonical(std::uint32_t x) noexcept {
        if (x >= kModulus) return std::nullopt;
        return KoalaBear(x);
    }
    /// Precondition: m < p.
    static constexpr KoalaBear from_montgomery(std::uint32_t m) noexcept {
        KoalaBear r;
        r.m_ = m;
        return r;
    }

    [[nodiscard]] constexpr std::uint32_t canonical() const noexcept { return reduce(m_); }
    [[nodiscard]] constexpr std::uint32_t montgomery() const noexcept { return m_; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return m_ == 0; }

    friend constexpr KoalaBear operator+(KoalaBear a, KoalaBear b) noexcept {
        const std::uint32_t t = a.m_ + b.m_;
        return from_montgomery(t >= kModulus ? t - kModulus : t);
    }
    friend constexpr KoalaBear operator-(KoalaBear a, KoalaBear b) noexcept {
        return from_montgomery(a.m_ >= b.m_ ? a.m_ - b.m_ : a.m_ - b.m_ + kModulus);
    }
    friend constexpr KoalaBear operator-(KoalaBear a) noexcept { return KoalaBear() - a; }
    friend constexpr KoalaBear operator*(KoalaBear a, KoalaBear b) noexcept {
        return from_montgomery(reduce(static_cast<std::uint64_t>(a.m_) * b.m_));
    }
    constexpr KoalaBear& operator+=(KoalaBear o) noexcept { return *this = *this + o; }
    constexpr KoalaBear& operator-=(KoalaBear o) noexcept { return *this = *this - o; }
    constexpr KoalaBear& operator*=(KoalaBear o) noexcept { return *this = *this * o; }
    friend constexpr bool operator==(KoalaBear a, KoalaBear b) noexcept = default;

    [[nodiscard]] constexpr KoalaBear pow(std::uint64_t e) const noexcept {
        KoalaBear r(1);
        KoalaBear base = *this;
        for (; e != 0; e >>= 1, base *= base) {
            if (e & 1) r *= base;
        }
        return r;
    }
    /// 1/x; 0 for x = 0.
    [[nodiscard]] constexpr KoalaBear inverse() const noexcept { return pow(kModulus - 2); }
    /// A fixed generator of the subgroup of order 2^log_n: two_adic_root(k) = two_adic_root(k + 1)^2. log_n <= 24.
    static constexpr KoalaBear two_adic_root(unsigned log_n) noexcept {
        KoalaBear r = KoalaBear(kGenerator).pow((kModulus - 1) >> kTwoAdicity);
        for (unsigned i = kTwoAdicity; i > log_n; --i) r *= r;
        return r;
    }

    /// -1/p mod 2^32 negated, i.e. 1/p mod 2^32: the factor of Montgomery reduction by subtraction.
    static constexpr std::uint32_t kModulusInverse = 0x81000001;
    /// t/2^32 mod p, below p, for t < 2^32 p.
    static constexpr std::uint32_t reduce(std::uint64_t t) noexcept {
        const std::uint32_t q = static_cast<std::uint32_t>(t) * kModulusInverse;
        const auto high = static_cast<std::uint32_t>(t >> 32);
        const auto sub = static_cast<std::uint32_t>((static_cast<std::uint64_t>(q) * kModulus) >> 32);
        return high >= sub ? high - sub : high - sub + kModulus;
    }

  private:
    static constexpr std::uint32_t to_montgomery(std::uint64_t x) noexcept {
        return static_cast<std::uint32_t>((x << 32) % kModulus);
    }
    std::uint32_t m_ = 0;
};

static_assert(KoalaBear::kModulus * KoalaBear::kModulusInverse == 1, "Montgomery factor");
static_assert(std::is_trivially_copyable_v<KoalaBear> && sizeof(KoalaBear) == 4);

}  // namespace quarry
