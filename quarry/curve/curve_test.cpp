#include "quarry/curve/curve.hpp"

#include <cryptopp/sha.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "quarry/curve/comb.hpp"
#include "quarry/curve/scalar.hpp"
#include "quarry/curve/test_support.hpp"

namespace quarry::curve_test {
namespace {

template <class C>
class CurveTest : public testing::Test {};
using Curves = testing::Types<KB11, KB7>;
TYPED_TEST_SUITE(CurveTest, Curves);

template <class C>
using Jacobian = JacobianPoint<C>;

TYPED_TEST(CurveTest, TowerEqualsExtension) {
    using C = TypeParam;
    using T = Tower<typename C::Modulus>;
    using Field = typename C::Field;
    std::mt19937_64 rng(1);
    std::vector<Field> v{Field(), Field(KoalaBear(1)), C::b(), C::generator_x()};
    Field largest;
    Field largest_montgomery;
    for (std::size_t k = 0; k < Field::kDegree; ++k) {
        largest[k] = KoalaBear(KoalaBear::kModulus - 1);
        largest_montgomery[k] = KoalaBear::from_montgomery(KoalaBear::kModulus - 1);
    }
    v.push_back(largest);
    v.push_back(largest_montgomery);
    for (int i = 0; i < 40; ++i) v.push_back(random_field<Field>(rng));
    for (const Field& a : v) {
        for (const Field& b : v) {
            EXPECT_EQ(T::multiply(a, b), a * b);
            EXPECT_EQ(T::add(a, b), a + b);
            EXPECT_EQ(T::subtract(a, b), a - b);
            EXPECT_EQ(T::select(0, a, b), a);
            EXPECT_EQ(T::select(~0U, a, b), b);
        }
        for (const std::uint64_t c : {0, 1, 2, 3, 4, 8}) EXPECT_EQ(T::small_multiple(c, a), a * KoalaBear(c));
        EXPECT_EQ(T::invert(a), a.inverse());
    }
}

TYPED_TEST(CurveTest, SquareRoots) {
    using C = TypeParam;
    using Field = typename C::Field;
    std::mt19937_64 rng(2);
    int squares = 0;
    for (int i = 0; i < 60; ++i) {
        const Field a = i == 0 ? Field() : random_field<Field>(rng);
        const auto root = square_root(a * a);
        ASSERT_TRUE(root.has_value());
        EXPECT_TRUE(*root == a || *root == -a);
        if (const auto r = square_root(a)) {
            ++squares;
            EXPECT_EQ(*r * *r, a);
        } else {
            // 3 is not a square of F_p, nor of an odd extension: exactly one of a, 3a is a square.
            EXPECT_TRUE(square_root(a * KoalaBear(3)).has_value());
        }
        if (!a.is_zero()) {
            EXPECT_NE(sign_of(a), sign_of(-a));
        }
    }
    EXPECT_GT(squares, 15);
    EXPECT_LT(squares, 45);
    for (std::uint64_t x = 0; x < 100; ++x) {
        const auto r = square_root(KoalaBear(x));
        EXPECT_EQ(r.has_value(), x == 0 || KoalaBear(x).pow((KoalaBear::kModulus - 1) / 2) == KoalaBear(1));
        if (r) {
            EXPECT_EQ(*r * *r, KoalaBear(x));
        }
    }
}

// SIGNATURE.md, "Points by hash": x_i = (first 16 bytes of SHA-256("TAG/ctr/i"), big-endian) mod p, first ctr that
// gives a point, y with its first non-zero coordinate even.
template <class C>
AffinePoint<C> point_by_hash(const std::string& tag) {
    for (int counter = 0;; ++counter) {
        AffinePoint<C> p;
        for (std::size_t i = 0; i < C::Field::kDegree; ++i) {
            const std::string text = tag + "/" + std::to_string(counter) + "/" + std::to_string(i);
            CryptoPP::byte digest[32];
            CryptoPP::SHA256().CalculateDigest(digest, reinterpret_cast<const CryptoPP::byte*>(text.data()),
                                               text.size());
            unsigned __int128 value = 0;
            for (int j = 0; j < 16; ++j) value = (value << 8) | digest[j];
            p.x[i] = KoalaBear(static_cast<std::uint64_t>(value % KoalaBear::kModulus));
        }
        if (const auto y = square_root(curve_right_side<C>(p.x))) {
            p.y = sign_of(*y) ? -*y : *y;
            return p;
        }
    }
}
TYPED_TEST(CurveTest, PointsByHash) {
    using C = TypeParam;
    const std::string name = C::kName;
    EXPECT_EQ(point_by_hash<C>(name + "/generator/v1"), AffinePoint<C>::generator());
    EXPECT_EQ(point_by_hash<C>(name + "/offset/v1"), AffinePoint<C>::offset());
}

TYPED_TEST(CurveTest, ParametersAndGeneratorMultiples) {
    using C = TypeParam;
    const auto& v = vectors<C>();
    const auto g = AffinePoint<C>::generator();
    EXPECT_TRUE(on_curve(g));
    EXPECT_TRUE(on_curve(AffinePoint<C>::offset()));
    EXPECT_EQ(limbs_from_bytes<Scalar<C>::kLimbs>(from_hex(v.order)), C::kOrder);
    const auto two = doubled(Jacobian<C>(g));
    const auto three = add(two, Jacobian<C>(g));
    EXPECT_EQ(two.affine(), point<C>(v.twice_generator));
    EXPECT_EQ(three.affine(), point<C>(v.thrice_generator));
    EXPECT_TRUE(multiply<C>(C::kOrder, Jacobian<C>(g)).is_identity());
    EXPECT_TRUE(multiply<C>(C::kOrder, Jacobian<C>(AffinePoint<C>::offset())).is_identity());
    auto less = C::kOrder;
    less[0] -= 1;
    EXPECT_EQ(multiply<C>(less, Jacobian<C>(g)).affine(), g.negated());
}

TYPED_TEST(CurveTest, GroupLawAndItsEdges) {
    using C = TypeParam;
    const Jacobian<C> g = AffinePoint<C>::generator();
    const Jacobian<C> zero;
    EXPECT_TRUE(zero.is_identity());
    EXPECT_FALSE(zero.affine().has_value());
    EXPECT_TRUE(doubled(zero).is_identity());
    EXPECT_TRUE(add(zero, zero).is_identity());
    EXPECT_EQ(add(zero, g).affine(), g.affine());
    EXPECT_EQ(add(g, zero).affine(), g.affine());
    EXPECT_TRUE(add(g, g.negated()).is_identity());
    EXPECT_EQ(add(g, g).affine(), doubled(g).affine());
    // All sums of iG and jG for |i|, |j| <= 8, Z = 1 and Z != 1: i = j, i = -j and 0 among them.
    std::vector<Jacobian<C>> multiples;
    for (std::int64_t i = 0; i <= 16; ++i) {
        const std::array<std::uint64_t, 1> k{static_cast<std::uint64_t>(i)};
        multiples.push_back(multiply<C>(k, g));
        EXPECT_EQ(multiples.back().is_identity(), i == 0);
        if (i != 0) {
            EXPECT_TRUE(on_curve(*multiples.back().affine()));
        }
    }
    auto at = [&](int i) {
        return i < 0 ? multiples[static_cast<std::size_t>(-i)].negated() : multiples[static_cast<std::size_t>(i)];
    };
    for (int i = -8; i <= 8; ++i) {
        for (int j = -8; j <= 8; ++j) {
            EXPECT_EQ(add(at(i), at(j)).affine(), at(i + j).affine());
            const auto affine = at(j).affine();
            if (!affine) continue;
            EXPECT_EQ(add(at(i), Jacobian<C>(*affine)).affine(), at(i + j).affine());
            if (i == 0) continue;
            typename C::Field h;
            typename C::Field zz;
            const auto sum = add_distinct(at(i), *affine, h, zz);
            if (i == j || i == -j) {
                EXPECT_TRUE(h.is_zero());
                EXPECT_TRUE(sum.is_identity());
            } else {
                EXPECT_EQ(sum.affine(), at(i + j).affine());
                EXPECT_EQ(-h, (at(i).affine()->x - affine->x) * zz);
            }
        }
    }
    // Associativity with unrelated points.
    const Jacobian<C> h = AffinePoint<C>::offset();
    EXPECT_EQ(add(add(at(3), h), at(5)).affine(), add(at(3), add(h, at(5))).affine());
    EXPECT_EQ(add(add(h, at(7)), h.negated()).affine(), at(7).affine());
    const auto all = to_affine<C>(std::span<const Jacobian<C>>(multiples).subspan(1));
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], *multiples[i + 1].affine());
}

TYPED_TEST(CurveTest, OffCurvePointsAreSeen) {
    using C = TypeParam;
    auto p = AffinePoint<C>::generator();
    p.x[3] += KoalaBear(1);
    EXPECT_FALSE(on_curve(p));
    p = AffinePoint<C>::generator();
    p.y[0] += KoalaBear(1);
    EXPECT_FALSE(on_curve(p));
    EXPECT_FALSE(on_curve(AffinePoint<C>{}));  // (0, 0): b is not 0
    // A point of another curve, y^2 = x^3 + ax + b': the formulas never use b, so only this check keeps it out.
    p = AffinePoint<C>::generator();
    p.y = p.y * KoalaBear(2);
    EXPECT_FALSE(on_curve(p));
}

TYPED_TEST(CurveTest, ScalarsEqualIntegers) {
    using C = TypeParam;
    using S = Scalar<C>;
    auto parse = [](std::string_view hex) { return limbs_from_bytes<S::kLimbs>(from_hex(hex)); };
    for (const auto& v : vectors<C>().scalars) {
        const S a = S::from_limbs(parse(v.a));
        const S b = S::from_limbs(parse(v.b));
        EXPECT_EQ(a.limbs(), parse(v.a));
        EXPECT_EQ((a + b).limbs(), parse(v.sum));
        EXPECT_EQ((a - b).limbs(), parse(v.difference));
        EXPECT_EQ((a * b).limbs(), parse(v.product));
        EXPECT_EQ(S::from_wide(limbs_from_bytes<8>(from_hex(v.wide))).limbs(), parse(v.wide_reduced));
        EXPECT_EQ(reduce_wide(limbs_from_bytes<8>(from_hex(v.wide)), C::kOrder), parse(v.wide_reduced));
        EXPECT_EQ(a - a, S());
        EXPECT_EQ(a + -a, S());
        EXPECT_EQ(a * a.inverse(), S(1));
        EXPECT_TRUE(S::is_canonical(parse(v.a)));
    }
    EXPECT_TRUE(S().is_zero());
    EXPECT_EQ(S().inverse(), S());
    EXPECT_FALSE(S::is_canonical(C::kOrder));
    typename S::Limbs all;
    all.fill(~std::uint64_t{0});
    EXPECT_FALSE(S::is_canonical(all));
    auto less = C::kOrder;
    less[0] -= 1;
    EXPECT_TRUE(S::is_canonical(less));
}

TYPED_TEST(CurveTest, ConstantTimeMultiplicationEqualsDoubleAndAdd) {
    using C = TypeParam;
    using S = Scalar<C>;
    std::mt19937_64 rng(3);
    std::vector<S> scalars{S(1), S(2), S(31), S(32), S(33), S() - S(1), S() - S(2)};
    for (int i = 0; i < 10; ++i) {
        std::array<std::uint64_t, 8> wide;
        for (auto& w : wide) w = rng();
        scalars.push_back(S::from_wide(wide));
    }
    for (const S& k : scalars) {
        EXPECT_EQ(multiply_generator<C>(k).affine(), multiply<C>(k.limbs(), AffinePoint<C>::generator()).affine());
    }
    EXPECT_TRUE(multiply_generator<C>(S()).is_identity());
}

// T_i[d] = (d + 1) 2^(w i) 16^-(31 - i) G, and - 2^128 H in window 31, by double-and-add.
TYPED_TEST(CurveTest, CombTable) {
    using C = TypeParam;
    using S = Scalar<C>;
    const auto& table = comb_table<C>();
    std::mt19937_64 rng(4);
    for (std::size_t i = 0; i < 32; ++i) {
        for (const std::size_t d :
             {std::size_t{0}, std::size_t{1}, std::size_t(rng() % table.kEntries), table.kEntries - 1}) {
            const std::array<std::uint64_t, 1> up{C::kCombBits * i};
            const std::array<std::uint64_t, 1> down{31 - i};
            const S c = S(d + 1) * S(2).pow(up) * S(16).inverse().pow(down);
            auto want = multiply<C>(c.limbs(), AffinePoint<C>::generator());
            if (i == 31) {
                const std::array<std::uint64_t, 3> k{0, 0, 1};
                want = add(want, multiply<C>(k, AffinePoint<C>::offset()).negated());
            }
            EXPECT_EQ(table.entry(i, d), *want.affine()) << i << " " << d;
        }
    }
    for (std::size_t j = 0; j < 1000; ++j) {
        EXPECT_EQ(table.rows52()[j], (KoalaBear::from_montgomery(table.rows()[j]) * KoalaBear(2).pow(20)).montgomery());
    }
}

}  // namespace
}  // namespace quarry::curve_test
