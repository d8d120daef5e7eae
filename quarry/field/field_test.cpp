#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "quarry/field/extension.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/field/kernels/slices.hpp"
#include "quarry/field/koala_bear.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry::field_test {
namespace {

constexpr std::uint32_t kP = KoalaBear::kModulus;

// Values at which carries and corrections change, then random ones.
std::vector<KoalaBear> samples(std::size_t n, std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    std::vector<KoalaBear> v;
    for (const std::uint32_t m :
         {0u, 1u, 2u, kP - 1, kP - 2, kP / 2, kP / 2 + 1, 1u << 24, (1u << 24) - 1, 0x7e000000u}) {
        v.push_back(KoalaBear::from_montgomery(m));
    }
    while (v.size() < n) v.emplace_back(rng());
    v.resize(n);
    return v;
}

ExtField random_ext(std::mt19937_64& rng) {
    ExtField x;
    for (std::size_t k = 0; k < 5; ++k) x[k] = KoalaBear(rng());
    return x;
}

TEST(KoalaBear, AgreesWithIntegerArithmetic) {
    const auto v = samples(300, 1);
    for (const KoalaBear a : v) {
        for (const KoalaBear b : v) {
            const std::uint64_t x = a.canonical();
            const std::uint64_t y = b.canonical();
            EXPECT_EQ((a + b).canonical(), (x + y) % kP);
            EXPECT_EQ((a - b).canonical(), (x + kP - y) % kP);
            EXPECT_EQ((a * b).canonical(), x * y % kP);
        }
        EXPECT_EQ(a * a.inverse(), a.is_zero() ? KoalaBear() : KoalaBear(1));
    }
}

TEST(KoalaBear, RefusesNonCanonical) {
    EXPECT_TRUE(KoalaBear::from_canonical(kP - 1).has_value());
    EXPECT_FALSE(KoalaBear::from_canonical(kP).has_value());
    EXPECT_FALSE(KoalaBear::from_canonical(0xffffffff).has_value());
}

TEST(KoalaBear, RootsOfUnityHaveExactOrder) {
    for (unsigned k = 1; k <= KoalaBear::kTwoAdicity; ++k) {
        const KoalaBear w = KoalaBear::two_adic_root(k);
        EXPECT_EQ(w.pow(std::uint64_t{1} << k), KoalaBear(1));
        EXPECT_EQ(w.pow(std::uint64_t{1} << (k - 1)), -KoalaBear(1));
        EXPECT_EQ(w * w, KoalaBear::two_adic_root(k - 1));
    }
}

// For prime degree d, X^(p^d) = X and X^p != X make the modulus irreducible: every factor's degree divides d, and is
// not 1 for all of them; a factor of degree 1 would give a root in F_p, excluded by gcd(X^p - X, modulus) = 1, i.e. X^p
// - X a unit.
template <class E>
void expect_field() {
    E x;
    x[1] = KoalaBear(1);
    E power = x;
    for (std::size_t i = 0; i < E::kDegree; ++i) power = power.pow(std::uint64_t{kP});
    EXPECT_EQ(power, x);
    const E u = x.pow(std::uint64_t{kP}) - x;
    EXPECT_EQ(u * u.inverse(), E(KoalaBear(1)));
}
TEST(Extension, ModuliAreIrreducible) {
    expect_field<ExtField>();
    expect_field<Fp7>();
    expect_field<Fp11>();
}

template <class E>
void expect_ring_laws(std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    auto random = [&] {
        E x;
        for (std::size_t k = 0; k < E::kDegree; ++k) x[k] = KoalaBear(rng());
        return x;
    };
    for (int i = 0; i < 50; ++i) {
        const E a = random();
        const E b = random();
        const E c = random();
        EXPECT_EQ(a * b, b * a);
        EXPECT_EQ((a * b) * c, a * (b * c));
        EXPECT_EQ(a * (b + c), a * b + a * c);
        EXPECT_EQ(a * a.inverse(), E(KoalaBear(1)));
        EXPECT_EQ(a.frobenius(), a.pow(std::uint64_t{kP}));
    }
    EXPECT_EQ(E().inverse(), E());
}
TEST(Extension, RingLaws) {
    expect_ring_laws<ExtField>(2);
    expect_ring_laws<Fp7>(3);
    expect_ring_laws<Fp11>(4);
}

TEST(Packed, EveryIsaEqualsScalarArithmetic) {
    const auto a = samples(16 * 64, 5);
    auto b = samples(16 * 64, 6);
    std::reverse(b.begin(), b.begin() + 10);
    std::mt19937_64 rng(7);
    ExtVector x(16 * 20);
    ExtVector y(16 * 20);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x.set(i, random_ext(rng));
        y.set(i, random_ext(rng));
    }
    ExtField largest;
    for (std::size_t k = 0; k < 5; ++k) largest[k] = KoalaBear::from_montgomery(kP - 1);
    x.set(0, largest);
    y.set(0, largest);
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        SCOPED_TRACE(isa_name(isa));
        std::vector<KoalaBear> product(a.size());
        std::vector<KoalaBear> sum(a.size());
        std::vector<KoalaBear> difference(a.size());
        multiply_slices(a, b, product);
        add_sub_slices(a, b, sum, difference);
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_EQ(product[i], a[i] * b[i]);
            EXPECT_EQ(sum[i], a[i] + b[i]);
            EXPECT_EQ(difference[i], a[i] - b[i]);
        }
        ExtVector out(x.size());
        multiply_slices(x, y, out);
        for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(out.get(i), x.get(i) * y.get(i));
        auto m = samples(512, 8);
        const auto original = m;
        transpose_slices(m);
        for (std::size_t t = 0; t < 2; ++t) {
            for (std::size_t i = 0; i < 16; ++i) {
                for (std::size_t j = 0; j < 16; ++j) EXPECT_EQ(m[256 * t + 16 * i + j], original[256 * t + 16 * j + i]);
            }
        }
    }
    force_isa(before);
}

}  // namespace
}  // namespace quarry::field_test
