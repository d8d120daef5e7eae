#include "quarry/rollup/hashing.hpp"

#include <gtest/gtest.h>

#include "quarry/curve/schnorr.hpp"
#include "quarry/rollup/fee_ledger.hpp"
#include "quarry/rollup/header.hpp"
#include "quarry/rollup/testing.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup::hashing_test {
namespace {

using testing::hex;
using testing::make_key;

Digest literal(std::initializer_list<std::uint32_t> words) {
    Digest d{};
    std::size_t i = 0;
    for (const std::uint32_t w : words) d[i++] = KoalaBear(w);
    return d;
}

// The curve's own key hash, over the coordinates that a batch publishes.
TEST(Hashing, KeyHashIsTheCurves) {
    const auto published = PublicKey<KB11>().published();
    AccountKey key;
    std::copy_n(published.begin(), AccountKey::kX, key.x.begin());
    std::copy_n(published.begin() + AccountKey::kX, AccountKey::kY, key.y.begin());
    EXPECT_EQ(key_hash(key), PublicKey<KB11>().hash());
}

// Each hash once more, from the text of docs/spec/hashing.md.
TEST(Hashing, ChainStartPacksThreeBytes) {
    EXPECT_EQ(chain_start("L2TX/v1"), literal({0x54324c, 0x762f58, 0x31}));
    EXPECT_EQ(chain_start(""), Digest{});
}

TEST(Hashing, KeyPairAndLeaf) {
    const AccountKey key = make_key(3);
    Digest left;
    for (std::size_t i = 0; i < 8; ++i) left[i] = key.x[i];
    Digest right = literal({0, 0, 0, 0, 0, 0, 0, 0x40000101});
    for (std::size_t i = 0; i < 3; ++i) right[i] = key.x[8 + i];
    for (std::size_t i = 0; i < 4; ++i) right[3 + i] = key.y[i];
    const KeyHash hash = poseidon_compress(left, right);
    EXPECT_EQ(key_hash(key), hash);

    Owner owner{hash, {}};
    for (std::size_t i = 0; i < 20; ++i) owner.address.bytes[i] = static_cast<std::uint8_t>(i + 1);
    const Digest address = literal({0x121314, 0x0f1011, 0x0c0d0e, 0x090a0b, 0x060708, 0x030405, 0x0102, 0x40000001});
    EXPECT_EQ(pair_hash(owner), poseidon_compress(hash, address));

    Leaf leaf =
        make_leaf(owner, 0xabcd, *Amount::from_wide(static_cast<Amount::Wide>(0x60005) << 64 | 0x4000300020001));
    leaf.nonce = 12345;
    EXPECT_EQ(leaf_hash(leaf), poseidon_compress(pair_hash(owner), literal({1, 2, 3, 4, 5, 6, 0x98abcd, 12345})));
    leaf.key_published = true;
    EXPECT_EQ(leaf_hash(leaf), poseidon_compress(pair_hash(owner), literal({1, 2, 3, 4, 5, 6, 0x99abcd, 12345})));
    EXPECT_EQ(leaf_digest(std::nullopt), Digest{});
    EXPECT_EQ(leaf_digest(leaf), leaf_hash(leaf));
}

TEST(Hashing, MessageIsAChainOfFour) {
    const Message m{.opcode = 3,
                    .token = 0x1234,
                    .slot = 0x3abbccdd,
                    .key_hash = chain_start("key"),
                    .nonce = 77,
                    .expiry = 0x99998888,
                    .fee = *Amount::from_wide(static_cast<Amount::Wide>(5) << 64 | 0x4000300020001),
                    .amount = Amount(0x90008),
                    .payload = chain_start("payload")};
    Digest h = poseidon_compress(chain_start("domain"), m.key_hash);
    h = poseidon_compress(h, m.payload);
    h = poseidon_compress(h, literal({0x31234, 0x3abbccdd, 77, 0x8888, 0x9999, 1, 2, 3}));
    h = poseidon_compress(h, literal({4, 5, 8, 9}));
    EXPECT_EQ(message_hash(chain_start("domain"), m), h);
    EXPECT_EQ(message_hashes(chain_start("domain"), std::vector<Message>(19, m)), std::vector<Digest>(19, h));
}

TEST(Hashing, DomainIsAChainOfFour) {
    RollupParameters p{0x0004000300020001, {}, 0x60005, literal({9, 8, 7}), Amount(0xb000a)};
    p.hub.bytes[19] = 1;
    Digest h = poseidon_compress(chain_start("L2TX/v1"), literal({1, 2, 3, 4, 5, 6}));
    h = poseidon_compress(h, literal({1}));
    h = poseidon_compress(h, p.genesis_root);
    h = poseidon_compress(h, literal({0xa, 0xb}));
    EXPECT_EQ(domain_hash(p), h);
}

TEST(Hashing, BatchesEqualSingles) {
    std::vector<AccountKey> keys;
    std::vector<Leaf> leaves;
    for (std::uint32_t i = 0; i < 37; ++i) {
        keys.push_back(make_key(i));
        leaves.push_back(make_leaf(testing::make_owner(i), 1, Amount(i)));
    }
    const auto hashes = key_hashes(keys);
    const auto digests = leaf_hashes(leaves);
    auto without = leaves;
    for (Leaf& leaf : without) leaf.pair = {};
    set_pairs(without);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(hashes[i], key_hash(keys[i]));
        EXPECT_EQ(digests[i], leaf_hash(leaves[i]));
    }
    EXPECT_EQ(without, leaves);
    EXPECT_TRUE(key_hashes({}).empty());
}

// The vectors of docs/spec/hashing.md, computed by hashing_reference.py. They change only together with that file, and
// never after the first release.
TEST(Hashing, PublishedVectors) {
    AccountKey key;
    for (std::size_t i = 0; i < 11; ++i) key.x[i] = KoalaBear(i + 1);
    for (std::size_t i = 0; i < 4; ++i) key.y[i] = KoalaBear(i + 21);
    Owner owner{key_hash(key), {}};
    for (std::size_t i = 0; i < 20; ++i) owner.address.bytes[i] = static_cast<std::uint8_t>(i + 1);
    Leaf leaf = make_leaf(owner, 2, Amount(1'000'000));
    leaf.key_published = true;
    leaf.nonce = 3;
    const RollupParameters parameters{1, owner.address, 7, empty_digest(32), Amount(10)};
    const Transaction tx{
        Transfer{{.slot = 4, .expiry = 1'700'000'000, .fee = Amount(5), .signature = {}}, 6, Amount(1000)}, key, 2, 3,
        pair_hash(owner)};
    std::array<std::uint8_t, kWordBytes> word;
    for (std::size_t i = 0; i < word.size(); ++i) word[i] = static_cast<std::uint8_t>(i);
    Accumulator data{header_hash(Header{}), 0};
    data.absorb_word(word);
    const std::vector<std::pair<const char*, std::string>> actual = {
        {"empty tree", hex(empty_digest(32))},     {"key hash", hex(key_hash(key))},
        {"pair hash", hex(pair_hash(owner))},      {"leaf hash", hex(leaf_hash(leaf))},
        {"domain", hex(domain_hash(parameters))},  {"message", hex(transaction_id(domain_hash(parameters), tx))},
        {"header", hex(header_hash(Header{}))},    {"data word", hex(data.digest)},
        {"empty fees", hex(FeeLedger{}.digest())}, {"work", hex(leaf_work(9, 12).root)},
    };
    const std::vector<std::string> expected = {
        "3474f11e1b98d8ad7c9f2e5859d770284343e1bd01985bef262e17d267a249ae",
        "3f3f656d11ddb0df2d645f4e255357b86e9eda6729fd3ac822231a2360707574",
        "206972e577b665d30b14e2ab1cacb1a81b534ce946a24bbf1ce867997e44d7d0",
        "6952cf31550e9f67016b96871b4cf9561382a8cb1d73947d64371206210ee77e",
        "5500dfa66d7df95105ec5e93277e9f1c66516ebd1d1418dd758d6f4824ed9fff",
        "62d335847916614a0b509b274a5f82eb06ef72731f1cc9b353c982b744ba6de2",
        "7afcabfb1edd482b572ee546692824ab249c8b8f12879c1632e6e6652776a89b",
        "01a18b9c342982e741084cef2e2fa3bc0b1d99c01529f5a63fd1998c02d5315f",
        "4d6ad54d3ebdf54562b6ae003fc83a191b9cf60841b70548326136657002b535",
        "5c898fa17cddb88031ffc552167598a8076bcddc1e7ac4eb170f51d612e783e3",
    };
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_EQ(actual[i].second, expected[i]) << actual[i].first;
}

}  // namespace
}  // namespace quarry::rollup::hashing_test
