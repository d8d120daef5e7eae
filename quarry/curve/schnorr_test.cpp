#include "quarry/curve/schnorr.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/curve/kernels/schedule.hpp"
#include "quarry/curve/test_support.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/hash/kernels/poseidon_kernels.hpp"

namespace quarry::schnorr_test {
namespace {

template <class C>
class SchnorrTest : public testing::Test {};
using Curves = testing::Types<KB11, KB7>;
TYPED_TEST_SUITE(SchnorrTest, Curves);

template <class C>
using Limbs = typename Scalar<C>::Limbs;

Digest random_digest(std::mt19937_64& rng) {
    Digest m;
    for (auto& x : m) x = KoalaBear(rng());
    return m;
}
template <class C>
SecretKey<C> random_key(std::mt19937_64& rng) {
    std::array<std::uint8_t, 64> wide;
    for (auto& b : wide) b = static_cast<std::uint8_t>(rng());
    return SecretKey<C>::from_wide(wide);
}
template <class C>
std::array<std::uint8_t, C::kScalarBytes> scalar_bytes(const Limbs<C>& x) {
    std::array<std::uint8_t, C::kScalarBytes> r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<std::uint8_t>(x[i / 8] >> (8 * (i % 8)));
    return r;
}
template <class C>
SignatureCheck<C> valid_check(std::mt19937_64& rng) {
    const auto key = random_key<C>(rng);
    const Digest m = random_digest(rng);
    return {key.public_key(), m, key.sign(m, {})};
}
/// verify_batch on every ISA, and with the AVX-512 kernels that do without IFMA.
template <class C>
void expect_batch(const std::vector<SignatureCheck<C>>& checks, const std::vector<bool>& want) {
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        for (const bool ifma : {true, false}) {
            SCOPED_TRACE(std::string(isa_name(isa)) + (ifma ? "" : " without ifma"));
            if (isa != Isa::avx512 && !ifma) continue;
            schedule_detail::ifma_allowed() = ifma;
            EXPECT_EQ(verify_batch<C>(checks), want);
            schedule_detail::ifma_allowed() = true;
        }
    }
    force_isa(before);
}
template <class C>
void expect_refused(const SignatureCheck<C>& check, Errc cause) {
    const Status status = verify(check.key, check.message, check.signature);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(errc_name(status.error().code), std::string(errc_name(cause)));
}

TYPED_TEST(SchnorrTest, ReferenceVectors) {
    using C = TypeParam;
    for (const auto& v : vectors<C>().schnorr) {
        const auto secret = SecretKey<C>::decode(from_hex(v.secret));
        ASSERT_TRUE(secret.ok());
        EXPECT_EQ(secret.value().public_key().point(), point<C>(v.key));
        const auto k = Scalar<C>::from_limbs(limbs_from_bytes<Scalar<C>::kLimbs>(from_hex(v.nonce)));
        const auto d = Scalar<C>::from_limbs(limbs_from_bytes<Scalar<C>::kLimbs>(from_hex(v.secret)));
        EXPECT_EQ(multiply_generator<C>(k).affine(), point<C>(v.commitment));
        Challenge e;
        const auto e_bytes = from_hex(v.challenge);
        std::copy(e_bytes.begin(), e_bytes.end(), e.begin());
        const auto s_digits = limbs_from_bytes<Scalar<C>::kLimbs>(from_hex(v.s_digits));
        EXPECT_EQ((k - challenge_scalar<C>(e) * d - comb_ones<C>()).limbs(), s_digits);
        // The row schedule: R, and the accumulator after every window.
        EXPECT_EQ(schedule_commitment<C>(point<C>(v.key), e, s_digits), point<C>(v.commitment));
        const auto accumulators = schedule_accumulators<C>(point<C>(v.key), e, s_digits);
        ASSERT_TRUE(accumulators.has_value());
        ASSERT_EQ(accumulators->size(), 32U);
        for (std::size_t i = 0; i < 32; ++i) {
            EXPECT_EQ((*accumulators)[i].x[0].canonical(), v.windows[i].first_of_x);
            EXPECT_EQ((*accumulators)[i].y[C::Field::kDegree - 1].canonical(), v.windows[i].last_of_y);
        }
    }
}

TYPED_TEST(SchnorrTest, SignsAndVerifies) {
    using C = TypeParam;
    std::mt19937_64 rng(1);
    for (int i = 0; i < 8; ++i) {
        const auto key = random_key<C>(rng);
        const Digest m = random_digest(rng);
        const auto signature = key.sign(m, {});
        EXPECT_TRUE(verify(key.public_key(), m, signature).ok());
        EXPECT_EQ(key.sign(m, {}), signature);  // deterministic without entropy
        const auto hedged = key.sign(m, {1});
        EXPECT_NE(hedged, signature);
        EXPECT_TRUE(verify(key.public_key(), m, hedged).ok());
        // R = s G + e P by plain double-and-add.
        const auto s = Scalar<C>::from_limbs(limbs_from_bytes<Scalar<C>::kLimbs>(signature.s)) + comb_ones<C>();
        const auto r = add(multiply<C>(s.limbs(), AffinePoint<C>::generator()),
                           multiply<C>(challenge_scalar<C>(signature.e).limbs(), key.public_key().point()));
        EXPECT_EQ(challenge_of<C>(*r.affine(), m), signature.e);
        const auto wire = signature.encode();
        EXPECT_EQ(Signature<C>::decode(wire).value(), signature);
        const auto again = SecretKey<C>::decode(key.encode());
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(again.value().public_key(), key.public_key());
    }
    EXPECT_EQ(Signature<KB11>::kBytes, 59U);
}

// The challenge's definition, step by step.
TYPED_TEST(SchnorrTest, ChallengeAndKeyHash) {
    using C = TypeParam;
    constexpr std::size_t kDegree = C::Field::kDegree;
    std::mt19937_64 rng(2);
    const auto p = AffinePoint<C>::generator();
    std::vector<KoalaBear> coordinates;
    for (std::size_t i = 0; i < 2 * kDegree; ++i) coordinates.push_back(i < kDegree ? p.x[i] : p.y[i - kDegree]);
    auto block = [](std::span<const KoalaBear> v, std::size_t first) {
        Digest d{};
        for (std::size_t i = 0; i < 8 && first + i < v.size(); ++i) d[i] = v[first + i];
        return d;
    };
    const Digest m = random_digest(rng);
    Digest h = tag_iv("quarry/schnorr/v1", 24);
    h = poseidon_compress(h, block(coordinates, 0));
    h = poseidon_compress(h, block(std::span(coordinates).first(std::min<std::size_t>(16, 2 * kDegree)), 8));
    h = poseidon_compress(h, m);
    const Challenge e = challenge_of<C>(p, m);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(e[2 * i] + 256U * e[2 * i + 1], h[i].canonical() & 0xffff);
    EXPECT_NE(challenge_of<C>(p.negated(), m), e);

    // Key hash: x, four coordinates of y, zeros, the scheme's tag.
    std::vector<KoalaBear> key(coordinates.begin(), coordinates.begin() + static_cast<std::ptrdiff_t>(kDegree + 4));
    key.resize(15);
    key.emplace_back((1U << 30) + 256 + (std::is_same_v<C, KB11> ? 1 : 2));
    h = poseidon_compress(block(key, 0), block(key, 8));
    EXPECT_EQ(PublicKey<C>().hash(), h);
    const auto negative = PublicKey<C>::from_point(p.negated()).value();
    EXPECT_NE(negative.hash(), h);

    // A published key leads back to its point, and nothing else is a published key.
    EXPECT_EQ(PublicKey<C>::from_published(PublicKey<C>().published()).value().point(), p);
    EXPECT_EQ(PublicKey<C>::from_published(negative.published()).value(), negative);
    for (std::size_t i = 0; i < kDegree + 4; ++i) {
        auto bad = PublicKey<C>().published();
        bad[i] += KoalaBear(1);
        const auto other = PublicKey<C>::from_published(bad);
        if (other) {
            EXPECT_EQ(other.value().published(), bad);
        } else {
            EXPECT_EQ(other.error().code, Errc::off_curve);
        }
        EXPECT_TRUE(i < kDegree || !other.ok());
    }

    // e = 2E - (2^128 - 1) at the ends.
    const auto one = Scalar<C>(1);
    const auto top = Scalar<C>(2).pow(std::array<std::uint64_t, 1>{128});
    Challenge all;
    all.fill(0xff);
    EXPECT_EQ(challenge_scalar<C>({}), one - top);
    EXPECT_EQ(challenge_scalar<C>(all), top - one);
}

TYPED_TEST(SchnorrTest, KeyEncoding) {
    using C = TypeParam;
    using Key = PublicKey<C>;
    std::mt19937_64 rng(3);
    for (int i = 0; i < 10; ++i) {
        const auto p = random_key<C>(rng).public_key().point();
        const auto key = Key::from_point(i % 2 == 0 ? p : p.negated()).value();
        const auto bytes = key.encode();
        EXPECT_EQ(Key::decode(bytes).value(), key);
        auto other = bytes;
        other.back() ^= 0x80;
        EXPECT_EQ(Key::decode(other).value().point(), key.point().negated());
    }
    const auto bytes = Key().encode();
    const std::vector<std::uint8_t> longer = [&] {
        std::vector<std::uint8_t> v(bytes.begin(), bytes.end());
        v.push_back(0);
        return v;
    }();
    EXPECT_EQ(Key::decode(longer).error().code, Errc::bad_length);
    EXPECT_EQ(Key::decode(std::span(bytes).first(bytes.size() - 1)).error().code, Errc::bad_length);
    // Every coordinate at p and above.
    for (std::size_t i = 0; i < C::Field::kDegree; ++i) {
        for (const std::uint32_t word : {KoalaBear::kModulus, 0x7fffffffU}) {
            auto bad = bytes;
            for (std::size_t j = 0; j < 4; ++j) bad[4 * i + j] = static_cast<std::uint8_t>(word >> (8 * j));
            EXPECT_EQ(Key::decode(bad).error().code, Errc::non_canonical);
        }
        if (i + 1 < C::Field::kDegree) {
            auto bad = bytes;
            bad[4 * i + 3] |= 0x80;  // a sign bit in the wrong word
            EXPECT_EQ(Key::decode(bad).error().code, Errc::non_canonical);
        }
    }
    int no_point = 0;
    for (int i = 0; i < 40; ++i) {
        auto any = bytes;
        any[0] = static_cast<std::uint8_t>(any[0] + 1 + i);
        const auto key = Key::decode(any);
        if (key.ok()) {
            EXPECT_TRUE(on_curve(key.value().point()));
            EXPECT_EQ(key.value().encode(), any);
        } else {
            EXPECT_EQ(key.error().code, Errc::off_curve);
            ++no_point;
        }
    }
    EXPECT_GT(no_point, 8);
    // By coordinates: off the curve, and x + p, y + p.
    constexpr std::size_t kDegree = C::Field::kDegree;
    std::array<std::uint32_t, kDegree> x;
    std::array<std::uint32_t, kDegree> y;
    for (std::size_t i = 0; i < kDegree; ++i) {
        x[i] = Key().point().x[i].canonical();
        y[i] = Key().point().y[i].canonical();
    }
    EXPECT_TRUE(Key::from_coordinates(x, y).ok());
    for (std::size_t i = 0; i < kDegree; ++i) {
        auto bad = x;
        bad[i] += KoalaBear::kModulus;
        EXPECT_EQ(Key::from_coordinates(bad, y).error().code, Errc::non_canonical);
        bad = y;
        bad[i] += KoalaBear::kModulus;
        EXPECT_EQ(Key::from_coordinates(x, bad).error().code, Errc::non_canonical);
        bad = y;
        bad[i] = bad[i] == 0 ? 1 : bad[i] - 1;
        EXPECT_EQ(Key::from_coordinates(x, bad).error().code, Errc::off_curve);
    }
    EXPECT_EQ(Key::from_coordinates(x, std::span(y).first(kDegree - 1)).error().code, Errc::bad_length);
    EXPECT_EQ(Key::from_point({}).error().code, Errc::off_curve);
}

TYPED_TEST(SchnorrTest, SecretKeyDecoding) {
    using C = TypeParam;
    using Key = SecretKey<C>;
    std::array<std::uint8_t, C::kScalarBytes> bytes{};
    EXPECT_EQ(Key::decode(bytes).error().code, Errc::scalar_out_of_range);
    EXPECT_EQ(Key::decode(scalar_bytes<C>(C::kOrder)).error().code, Errc::scalar_out_of_range);
    EXPECT_EQ(Key::decode(std::span(bytes).first(5)).error().code, Errc::bad_length);
    bytes[0] = 1;
    EXPECT_EQ(Key::decode(bytes).value().public_key().point(), AffinePoint<C>::generator());
    auto less = C::kOrder;
    less[0] -= 1;
    EXPECT_EQ(Key::decode(scalar_bytes<C>(less)).value().public_key().point(), AffinePoint<C>::generator().negated());
    // from_wide: 0 -> 1, n - 2 -> n - 1, n - 1 -> 1.
    std::array<std::uint8_t, 64> wide{};
    EXPECT_EQ(Key::from_wide(wide).public_key().point(), AffinePoint<C>::generator());
    auto put = [&](const Limbs<C>& x) {
        const auto b = scalar_bytes<C>(x);
        std::copy(b.begin(), b.end(), wide.begin());
    };
    put(less);
    EXPECT_EQ(Key::from_wide(wide).public_key().point(), AffinePoint<C>::generator());
    less[0] -= 1;
    put(less);
    EXPECT_EQ(Key::from_wide(wide).public_key().point(), AffinePoint<C>::generator().negated());
}

/// S + j n as 43 bytes, if it fits.
template <class C>
std::optional<Signature<C>> shifted(Signature<C> signature, int j) {
    auto s = limbs_from_bytes<Scalar<C>::kLimbs>(signature.s);
    for (int i = 0; i < j; ++i) add_limbs(s, C::kOrder);
    signature.s = scalar_bytes<C>(s);
    if (limbs_from_bytes<Scalar<C>::kLimbs>(signature.s) != s) return std::nullopt;
    return signature;
}

TYPED_TEST(SchnorrTest, RefusesEveryOtherReading) {
    using C = TypeParam;
    std::mt19937_64 rng(4);
    const auto good = valid_check<C>(rng);
    const auto other = valid_check<C>(rng);
    std::vector<SignatureCheck<C>> checks{good, other};
    std::vector<bool> want{true, true};
    auto refuse = [&](const SignatureCheck<C>& check, Errc cause) {
        expect_refused(check, cause);
        checks.push_back(check);
        want.push_back(false);
    };
    auto changed = [&](auto&& change) {
        SignatureCheck<C> c = good;
        change(c);
        return c;
    };
    // S + n, S + 2n, ...: the same scalar, another signature. The wire format refuses it too.
    int fitting = 0;
    for (int j = 1; j <= 8; ++j) {
        const auto s = shifted<C>(good.signature, j);
        if (!s) continue;
        ++fitting;
        refuse(changed([&](auto& c) { c.signature = *s; }), Errc::scalar_out_of_range);
        EXPECT_EQ(Signature<C>::decode(s->encode()).error().code, Errc::scalar_out_of_range);
    }
    EXPECT_GT(fitting, 0);
    refuse(changed([](auto& c) { c.signature.s = scalar_bytes<C>(C::kOrder); }), Errc::scalar_out_of_range);
    refuse(changed([](auto& c) { c.signature.s.fill(0xff); }), Errc::scalar_out_of_range);
    // Every byte of E and of S below the top.
    for (std::size_t i = 0; i < 16; ++i) {
        refuse(changed([&](auto& c) { c.signature.e[i] ^= static_cast<std::uint8_t>(1 << (i % 8)); }),
               Errc::bad_signature);
    }
    for (std::size_t i = 0; i + 4 < C::kScalarBytes; ++i) {
        refuse(changed([&](auto& c) { c.signature.s[i] ^= 1; }), Errc::bad_signature);
    }
    // n - s, and the same for s with its "+ 1" digits: what ECDSA would take.
    const auto s = Scalar<C>::from_limbs(limbs_from_bytes<Scalar<C>::kLimbs>(good.signature.s));
    refuse(changed([&](auto& c) { c.signature.s = scalar_bytes<C>((-s).limbs()); }), Errc::bad_signature);
    refuse(changed([&](auto& c) { c.signature.s = scalar_bytes<C>((-(s + comb_ones<C>()) - comb_ones<C>()).limbs()); }),
           Errc::bad_signature);
    // ~E is -e: with -P the same product e P.
    refuse(changed([](auto& c) {
               for (auto& b : c.signature.e) b = static_cast<std::uint8_t>(~b);
               c.key = PublicKey<C>::from_point(c.key.point().negated()).value();
           }),
           Errc::bad_signature);
    refuse(changed([](auto& c) { c.key = PublicKey<C>::from_point(c.key.point().negated()).value(); }),
           Errc::bad_signature);
    // Another message, each element; another key; parts swapped between two valid signatures.
    for (std::size_t i = 0; i < 8; ++i) {
        refuse(changed([&](auto& c) { c.message[i] += KoalaBear(1); }), Errc::bad_signature);
    }
    refuse(changed([&](auto& c) { c.key = other.key; }), Errc::bad_signature);
    refuse(changed([&](auto& c) { c.message = other.message; }), Errc::bad_signature);
    refuse(changed([&](auto& c) { c.signature = other.signature; }), Errc::bad_signature);
    refuse(changed([&](auto& c) { c.signature.e = other.signature.e; }), Errc::bad_signature);
    refuse(changed([&](auto& c) { c.signature.s = other.signature.s; }), Errc::bad_signature);
    refuse(changed([](auto& c) { c.signature = {}; }), Errc::bad_signature);
    expect_batch<C>(checks, want);

    const auto wire = good.signature.encode();
    std::vector<std::uint8_t> bytes(wire.begin(), wire.end());
    bytes.push_back(0);
    EXPECT_EQ(Signature<C>::decode(bytes).error().code, Errc::bad_length);
    EXPECT_EQ(Signature<C>::decode(std::span(wire).first(wire.size() - 1)).error().code, Errc::bad_length);
    EXPECT_EQ(Signature<C>::decode({}).error().code, Errc::bad_length);
}

/// A key with x = `x`, if the curve has one.
template <class C>
std::optional<PublicKey<C>> key_at(const typename C::Field& x) {
    const auto y = square_root(curve_right_side<C>(x));
    if (!y) return std::nullopt;
    return PublicKey<C>::from_point({x, *y}).value();
}
Challenge challenge_with_top(unsigned digit) {
    Challenge e{};
    e[15] = static_cast<std::uint8_t>(digit << 4);
    return e;
}

// Keys made so that the accumulator meets an operand: anyone can make them, and no signature under them needs to exist.
// They must be refused for that, alone and in a batch, and must not touch the others whose inversions they share.
TYPED_TEST(SchnorrTest, RefusesCollisionsInTheSchedule) {
    using C = TypeParam;
    using Field = typename C::Field;
    std::mt19937_64 rng(5);
    const auto good = valid_check<C>(rng);
    std::vector<SignatureCheck<C>> bad;
    auto h16 = doubled(doubled(doubled(doubled(JacobianPoint<C>(AffinePoint<C>::offset())))));
    const AffinePoint<C> meet = *h16.affine();
    for (const auto& p : {meet, meet.negated()}) {  // digit 8 adds P, digit 7 subtracts it: equal and opposite points
        for (const unsigned digit : {7U, 8U}) {
            SignatureCheck<C> c = good;
            c.key = PublicKey<C>::from_point(p).value();
            c.signature.e = challenge_with_top(digit);
            bad.push_back(c);
        }
    }
    // The comb addition: 16 H + P = +- T_0[5].
    for (const bool negative : {false, true}) {
        const auto t = comb_table<C>().entry(0, 5);
        const auto p = add(JacobianPoint<C>(negative ? t.negated() : t), h16.negated()).affine();
        SignatureCheck<C> c = good;
        c.key = PublicKey<C>::from_point(*p).value();
        c.signature.e = challenge_with_top(8);
        c.signature.s = {};
        c.signature.s[0] = 5;
        bad.push_back(c);
    }
    // Different points whose x agree in coordinates 0 and 1, and only there.
    for (int made = 0; made < 3;) {
        Field x = random_field<Field>(rng);
        x[0] = meet.x[0];
        x[1] = meet.x[1];
        const auto key = key_at<C>(x);
        if (!key) continue;
        SignatureCheck<C> c = good;
        c.key = *key;
        c.signature.e = challenge_with_top(made % 2 == 0 ? 8 : 7);
        bad.push_back(c);
        ++made;
    }
    for (const auto& c : bad) expect_refused(c, Errc::degenerate_schedule);
    // One zero coordinate is not enough to be refused for it.
    for (const std::size_t which : {0, 1}) {
        for (int made = 0; made < 2;) {
            Field x = random_field<Field>(rng);
            x[which] = meet.x[which];
            const auto key = key_at<C>(x);
            if (!key) continue;
            EXPECT_TRUE(schedule_commitment<C>(key->point(), challenge_with_top(8), {}).has_value());
            SignatureCheck<C> c = good;
            c.key = *key;
            c.signature.e = challenge_with_top(8);
            expect_refused(c, Errc::bad_signature);
            ++made;
        }
    }
    // 40 groups with bad keys spread over them: every lane but the bad ones is accepted.
    std::vector<SignatureCheck<C>> checks(40 * 16, good);
    std::vector<bool> want(checks.size(), true);
    for (std::size_t i = 0; i < checks.size(); i += 7) {
        checks[i] = bad[i % bad.size()];
        want[i] = false;
    }
    expect_batch<C>(checks, want);
}

// All sizes around the group, mixed validity; then R itself, lane by lane, on random and extreme digits.
TYPED_TEST(SchnorrTest, BatchEqualsSingle) {
    using C = TypeParam;
    std::mt19937_64 rng(6);
    std::vector<SignatureCheck<C>> pool;
    std::vector<bool> valid;
    for (int i = 0; i < 24; ++i) {
        pool.push_back(valid_check<C>(rng));
        if (i % 3 == 1) pool.back().message[0] += KoalaBear(1);
        if (i % 5 == 2) pool.back().signature.s[0] ^= 1;
        valid.push_back(verify(pool.back().key, pool.back().message, pool.back().signature).ok());
        EXPECT_EQ(valid.back(), i % 3 != 1 && i % 5 != 2);
    }
    for (const std::size_t n : {0, 1, 2, 15, 16, 17, 33, 100}) {
        std::vector<SignatureCheck<C>> checks;
        std::vector<bool> want;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t j = rng() % pool.size();
            checks.push_back(pool[j]);
            want.push_back(valid[j]);
        }
        expect_batch<C>(checks, want);
    }
    std::vector<SignatureCheck<C>> many;
    std::vector<bool> want;
    for (std::size_t i = 0; i < kScheduleGroups * kLanes + 37; ++i) {
        many.push_back(pool[i % pool.size()]);
        want.push_back(valid[i % pool.size()]);
    }
    EXPECT_EQ(verify_batch<C>(many), want);
}

TYPED_TEST(SchnorrTest, ScheduleKernelsAgreeOnEveryIsa) {
    using C = TypeParam;
    constexpr std::size_t kDegree = C::Field::kDegree;
    std::mt19937_64 rng(7);
    constexpr std::size_t kGroups = 3;
    std::vector<AffinePoint<C>> want(kGroups * kLanes);
    std::vector<ScheduleGroup<C>> groups(kGroups);
    for (std::size_t i = 0; i < want.size(); ++i) {
        const auto key = random_key<C>(rng).public_key().point();
        Challenge e;
        Limbs<C> s{};
        for (auto& b : e)
            b = static_cast<std::uint8_t>(i == 0 ? 0 : i == 1 ? 0xff : i == 2 ? 0x87 : i == 3 ? 0x78 : rng());
        for (auto& x : s) x = i == 0 ? 0 : rng();
        for (std::size_t bit = C::kOrderBits - (i == 1 ? 0 : 1); bit < 64 * s.size(); ++bit)
            s[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
        auto& g = groups[i / kLanes];
        for (std::size_t j = 0; j < kDegree; ++j) {
            g.key_x[j][i % kLanes] = key.x[j].montgomery();
            g.key_y[j][i % kLanes] = key.y[j].montgomery();
        }
        for (std::size_t j = 0; j < kWindows; ++j) {
            std::uint64_t digit = 0;
            for (std::size_t b = 0; b < C::kCombBits; ++b) {
                const std::size_t bit = C::kCombBits * j + b;
                digit |= ((s[bit / 64] >> (bit % 64)) & 1) << b;
            }
            g.s_digits[j][i % kLanes] = static_cast<std::uint16_t>(digit);
            const unsigned byte = e[15 - j / 2];
            g.e_digits[j][i % kLanes] = static_cast<std::uint8_t>(j % 2 == 0 ? byte >> 4 : byte & 15);
        }
        want[i] = *schedule_commitment<C>(key, e, s);
    }
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        for (const bool ifma : {true, false}) {
            SCOPED_TRACE(std::string(isa_name(isa)) + (ifma ? "" : " without ifma"));
            schedule_detail::ifma_allowed() = ifma;
            run_schedule<C>(groups);
            schedule_detail::ifma_allowed() = true;
            for (std::size_t i = 0; i < want.size(); ++i) {
                const auto& g = groups[i / kLanes];
                EXPECT_EQ(g.rejected, 0U);
                for (std::size_t j = 0; j < kDegree; ++j) {
                    EXPECT_EQ(g.r_x[j][i % kLanes], want[i].x[j].montgomery());
                    EXPECT_EQ(g.r_y[j][i % kLanes], want[i].y[j].montgomery());
                }
            }
        }
    }
    force_isa(before);
}

TYPED_TEST(SchnorrTest, SecretsAreWipedOnMove) {
    using C = TypeParam;
    std::mt19937_64 rng(8);
    auto key = random_key<C>(rng);
    const auto bytes = key.encode();
    const SecretKey<C> moved = std::move(key);
    EXPECT_EQ(moved.encode(), bytes);
    EXPECT_EQ(key.encode(), (std::array<std::uint8_t, C::kScalarBytes>{}));  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace quarry::schnorr_test
