#include "quarry/curve/key_derivation.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "quarry/curve/test_support.hpp"

namespace quarry {
namespace {

KeyRequest sample_request() {
    KeyRequest r;
    r.chain_id = 11155111;
    for (std::size_t i = 0; i < 20; ++i) {
        r.rollup[i] = static_cast<std::uint8_t>(0xa0 + i);
        r.account[i] = static_cast<std::uint8_t>(0x10 + i);
    }
    r.key_index = 3;
    return r;
}
std::array<std::uint8_t, 32> counting(std::uint8_t first) {
    std::array<std::uint8_t, 32> r;
    for (std::size_t i = 0; i < 32; ++i) r[i] = static_cast<std::uint8_t>(first + i);
    return r;
}
template <class C>
std::vector<std::uint8_t> secret(const Result<SecretKey<C>>& key) {
    const auto bytes = key.value().encode();
    return {bytes.begin(), bytes.end()};
}

// d and the typed-data hash computed with Python's hashlib and hmac, and a Keccak written for it.
TEST(KeyDerivation, IndependentVectors) {
    const auto r = counting(1);
    const auto s = counting(33);
    EXPECT_EQ(secret<KB11>(derive_key<KB11>(sample_request(), r, s)),
              from_hex("0e131e773e17723baa76bf614213da4883c1e5294508d85388bc157fdea392aa5d2e58ebb866069dbd251a"));
    EXPECT_EQ(secret<KB7>(derive_key<KB7>(sample_request(), r, s)),
              from_hex("2243d47183472937f825fdcb09ee2d547ca91e1400df2c1478fede01"));
    EXPECT_EQ(secret<KB11>(derive_key<KB11>(sample_request(), r, s, "correct horse")),
              from_hex("2fc504d86990686ad7864d6a7aceb4cebe98994045f73dea3bdabfe0f6e993f5b50c6db3e9fe2358edb006"));
    EXPECT_EQ(secret<KB7>(derive_key<KB7>(sample_request(), r, s, "correct horse")),
              from_hex("0b59fb4cae1df433a4a3b1e4068cf3f1c2790cc681a2d445ab2b4101"));
    const auto hash = derive_key_typed_data_hash(sample_request());
    EXPECT_EQ(std::vector<std::uint8_t>(hash.begin(), hash.end()),
              from_hex("a1b8c4b210bf30b7560a774bbef62a03d93439aa2c6db6abaea39b5cdf95f1c6"));
}

TEST(KeyDerivation, EveryInputCounts) {
    const auto r = counting(1);
    const auto s = counting(33);
    const auto base = secret<KB7>(derive_key<KB7>(sample_request(), r, s));
    const auto base_hash = derive_key_typed_data_hash(sample_request());
    for (int field = 0; field < 4; ++field) {
        KeyRequest q = sample_request();
        if (field == 0) q.chain_id += 1;
        if (field == 1) q.rollup[19] ^= 1;
        if (field == 2) q.account[0] ^= 1;
        if (field == 3) q.key_index += 1;
        EXPECT_NE(secret<KB7>(derive_key<KB7>(q, r, s)), base);
        EXPECT_NE(derive_key_typed_data_hash(q), base_hash);
    }
    auto other = r;
    other[31] ^= 1;
    EXPECT_NE(secret<KB7>(derive_key<KB7>(sample_request(), other, s)), base);
    other = s;
    other[0] ^= 1;
    EXPECT_NE(secret<KB7>(derive_key<KB7>(sample_request(), r, other)), base);
    EXPECT_NE(secret<KB7>(derive_key<KB7>(sample_request(), r, s, "x")), base);
}

TEST(KeyDerivation, RefusesWhatNoWalletSigns) {
    const auto good = counting(1);
    std::array<std::uint8_t, 32> zero{};
    std::array<std::uint8_t, 32> order{};
    const auto bytes = from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    std::copy(bytes.begin(), bytes.end(), order.begin());
    auto less = order;
    less[31] -= 1;
    std::array<std::uint8_t, 32> half{};
    const auto half_bytes = from_hex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
    std::copy(half_bytes.begin(), half_bytes.end(), half.begin());
    auto above = half;
    above[31] += 1;
    const auto cause = [&](const auto& r, const auto& s) {
        return derive_key<KB7>(sample_request(), r, s).error().code;
    };
    EXPECT_EQ(cause(zero, good), Errc::scalar_out_of_range);
    EXPECT_EQ(cause(good, zero), Errc::scalar_out_of_range);
    EXPECT_EQ(cause(order, good), Errc::scalar_out_of_range);
    EXPECT_EQ(cause(good, above), Errc::scalar_out_of_range);  // the high half
    EXPECT_TRUE(derive_key<KB7>(sample_request(), less, half).ok());
}

TEST(KeyDerivation, TypedDataNamesTheDomain) {
    const std::string json = derive_key_typed_data_json(sample_request());
    EXPECT_NE(json.find(R"("chainId":11155111,"verifyingContract":"0xa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3")"),
              std::string::npos);
    EXPECT_NE(json.find(R"("primaryType":"DeriveL2Key")"), std::string::npos);
    EXPECT_NE(json.find(R"("keyIndex":3}})"), std::string::npos);
}

}  // namespace
}  // namespace quarry
