#include "quarry/curve/key_derivation.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "quarry/curve/test_support.hpp"

namespace quarry::key_derivation_test {
namespace {

KeyRequest sample_request() {
    KeyRequest r;
    r.chain_id = 11155111;
    for (std::size_t i = 0; i < 20; ++i) {
        r.hub[i] = static_cast<std::uint8_t>(0xa0 + i);
        r.account[i] = static_cast<std::uint8_t>(0x10 + i);
    }
    r.rollup = 7;
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
              from_hex("9e9dde2b9c75021886441065629fd11862c05d001b01920a63e532d30b9a67d057a04b7e150dcee7dc2507"));
    EXPECT_EQ(secret<KB7>(derive_key<KB7>(sample_request(), r, s)),
              from_hex("ea8f9165d6153a419b3e3c036a28355f1b20bb509675a9d298522300"));
    EXPECT_EQ(secret<KB11>(derive_key<KB11>(sample_request(), r, s, "correct horse")),
              from_hex("3e1221c66fe76f3d7642ba97d27c1c653b3e0498040ff9877f002d5d6bd88dac9ba4987abd0b691ca2c707"));
    EXPECT_EQ(secret<KB7>(derive_key<KB7>(sample_request(), r, s, "correct horse")),
              from_hex("e6213a17267edd89e67618bb9007551f15944ce34d67f0a5c7c08000"));
    const auto hash = derive_key_typed_data_hash(sample_request());
    EXPECT_EQ(std::vector<std::uint8_t>(hash.begin(), hash.end()),
              from_hex("abaa6f77b822a8379669414b0b1daaad8da13667139147e665a530204cee339a"));
}

TEST(KeyDerivation, EveryInputCounts) {
    const auto r = counting(1);
    const auto s = counting(33);
    const auto base = secret<KB7>(derive_key<KB7>(sample_request(), r, s));
    const auto base_hash = derive_key_typed_data_hash(sample_request());
    for (int field = 0; field < 5; ++field) {
        KeyRequest q = sample_request();
        if (field == 0) q.chain_id += 1;
        if (field == 1) q.hub[19] ^= 1;
        if (field == 2) q.account[0] ^= 1;
        if (field == 3) q.key_index += 1;
        if (field == 4) q.rollup += 1;
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
    EXPECT_NE(json.find(R"("rollup":7,"keyIndex":3}})"), std::string::npos);
}

}  // namespace
}  // namespace quarry::key_derivation_test
