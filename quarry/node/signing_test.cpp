#include "quarry/node/signing.hpp"

#include <gtest/gtest.h>

#include "quarry/node/development_keys.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::signing_test {
namespace {

constexpr std::uint64_t kSeed = 3;
const Digest kDomain = rollup::chain_start("a test's domain");

SignedTransaction make(std::uint32_t i) {
    SignedTransaction r;
    r.tx.op = rollup::Transfer{
        {.slot = i, .expiry = 9, .fee = rollup::Amount(1), .signature = {}}, i + 1, rollup::Amount(100 + i)};
    r.tx.token = 1;
    r.tx.nonce = i;
    r.tx.receiver_pair = rollup::chain_start("receiver");
    sign(r, kDomain, DevelopmentKeys(kSeed).secret(i));
    return r;
}

TEST(Signing, KeysSurviveTheWayThroughTheirPublishedForm) {
    for (const auto& key : DevelopmentKeys(kSeed).public_keys(0, 5)) {
        EXPECT_EQ(to_public_key(to_account_key(key)).value(), key);
        EXPECT_EQ(rollup::key_hash(to_account_key(key)), key.hash());
    }
    rollup::AccountKey none;  // x = 0: b is no square or y does not start with zeros
    EXPECT_EQ(to_public_key(none).error().code, Errc::off_curve);
}

TEST(Signing, VerifiesExactlyWhatWasSigned) {
    std::vector<SignedTransaction> txs;
    for (std::uint32_t i = 0; i < 21; ++i) txs.push_back(make(i));
    std::vector<bool> want(txs.size(), true);
    EXPECT_EQ(verify_signatures(kDomain, txs), want);

    std::get<rollup::Transfer>(txs[3].tx.op).amount = rollup::Amount(1);
    txs[5].tx.nonce += 1;
    txs[8].key = txs[9].key;
    rollup::authorisation(txs[11].tx.op)->signature.fill(0xff);  // S is no scalar
    txs[20].tx.receiver_pair = kDomain;
    for (const std::size_t i : {3, 5, 8, 11, 20}) want[i] = false;
    EXPECT_EQ(verify_signatures(kDomain, txs), want);
    EXPECT_EQ(verify_signatures(rollup::chain_start("elsewhere"), txs), std::vector<bool>(txs.size()));
    EXPECT_TRUE(verify_signatures(kDomain, {}).empty());
}

TEST(Signing, ChecksOfAReplay) {
    std::vector<rollup::SignatureCheck> checks;
    for (std::uint32_t i = 0; i < 18; ++i) {
        const SignedTransaction tx = make(i);
        checks.push_back(
            {i, tx.tx.key, rollup::transaction_id(kDomain, tx.tx), rollup::authorisation(tx.tx.op)->signature});
    }
    EXPECT_TRUE(all_verify(checks));
    EXPECT_TRUE(all_verify({}));
    auto other_message = checks;
    other_message[17].message = kDomain;
    EXPECT_FALSE(all_verify(other_message));
    auto no_point = checks;
    no_point[2].key.x[0] += KoalaBear(1);
    EXPECT_FALSE(all_verify(no_point));
    auto no_scalar = checks;
    no_scalar[0].signature.fill(0xff);
    EXPECT_FALSE(all_verify(no_scalar));
}

}  // namespace
}  // namespace quarry::node::signing_test
