// Typed calls, transactions of both types and blobs against a real node.

#include <gtest/gtest.h>

#include "quarry/ethereum/blob_source.hpp"
#include "quarry/ethereum/rpc_chain.hpp"
#include "quarry/ethereum/transaction.hpp"
#include "tests/anvil/anvil_process.hpp"

namespace quarry::ethereum::chain_test {
namespace {

using quarry::testing::AnvilProcess;

class ChainTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string error;
        anvil_ = AnvilProcess::start({}, error);
        ASSERT_NE(anvil_, nullptr) << error;
    }
    [[nodiscard]] Chain& chain() const { return anvil_->chain(); }
    /// Everything but the fees filled in.
    [[nodiscard]] static Transaction transfer(std::uint64_t nonce) {
        Transaction t;
        t.chain_id = 31337;
        t.nonce = nonce;
        t.max_priority_fee_per_gas = U256(1'000'000'000);
        t.max_fee_per_gas = U256(10'000'000'000);
        t.gas_limit = 21'000;
        t.to = AnvilProcess::key(1).address();
        t.value = U256(12345);
        return t;
    }
    std::unique_ptr<AnvilProcess> anvil_;
};

TEST_F(ChainTest, MovesValueWithAType2Transaction) {
    const auto before = chain().balance(AnvilProcess::key(1).address(), BlockTag::latest);
    const SignedTransaction t = sign_transaction(transfer(0), AnvilProcess::key(0));
    const auto hash = chain().send_raw(encode_transaction(t));
    ASSERT_TRUE(hash.ok()) << hash.error().detail;
    EXPECT_EQ(hash.value(), t.hash);
    EXPECT_EQ(chain().send_raw(encode_transaction(t)).error().code, EthereumCode::already_known);
    ASSERT_TRUE(chain().receipt(t.hash).ok());
    EXPECT_FALSE(chain().receipt(t.hash).value().has_value());
    anvil_->mine();
    const auto receipt = chain().receipt(t.hash);
    ASSERT_TRUE(receipt.ok() && receipt.value().has_value());
    EXPECT_TRUE(receipt.value()->is_success);
    EXPECT_EQ(receipt.value()->gas_used, 21'000U);
    EXPECT_EQ(receipt.value()->block.number, 1U);
    const auto after = chain().balance(AnvilProcess::key(1).address(), BlockTag::latest);
    EXPECT_EQ(after.value() - before.value(), U256(12345));
    EXPECT_EQ(chain().transaction_count(AnvilProcess::key(0).address(), BlockTag::latest).value(), 1U);
    const auto found = chain().transaction(t.hash);
    ASSERT_TRUE(found.ok()) << found.error().detail;
    EXPECT_EQ(found.value().from, t.sender);
    EXPECT_EQ(found.value().block, receipt.value()->block);
    EXPECT_EQ(chain().send_raw(encode_transaction(t)).error().code, EthereumCode::nonce_too_low);
}

TEST_F(ChainTest, RefusalsHaveTheirCode) {
    Transaction t = transfer(0);
    t.value = U256(1'000'000'000) * 1'000'000'000'000'000;
    EXPECT_EQ(chain().send_raw(encode_transaction(sign_transaction(t, AnvilProcess::key(0)))).error().code,
              EthereumCode::insufficient_funds);
    ASSERT_TRUE(chain().send_raw(encode_transaction(sign_transaction(transfer(0), AnvilProcess::key(0)))).ok());
    t = transfer(0);
    t.value = U256(1);
    EXPECT_EQ(chain().send_raw(encode_transaction(sign_transaction(t, AnvilProcess::key(0)))).error().code,
              EthereumCode::underpriced);
    EXPECT_EQ(chain().block(std::uint64_t{99}).error().code, EthereumCode::not_found);
    EXPECT_EQ(anvil_->rpc()->call({.method = "eth_noSuchMethod", .params = "[]"}).error().code,
              EthereumCode::unknown_method);
}

TEST_F(ChainTest, BlocksByNumberHashAndTagAgree) {
    anvil_->mine(5);
    const auto latest = chain().block(BlockTag::latest);
    ASSERT_TRUE(latest.ok()) << latest.error().detail;
    EXPECT_EQ(latest.value().number, 5U);
    EXPECT_EQ(chain().block(std::uint64_t{5}).value().hash, latest.value().hash);
    EXPECT_EQ(chain().block(latest.value().hash).value().number, 5U);
    EXPECT_EQ(chain().block(BlockTag::safe).value().number, 3U);
    EXPECT_EQ(chain().block(BlockTag::finalized).value().number, 1U);
    const auto headers = chain().blocks(3, 10);
    ASSERT_TRUE(headers.ok()) << headers.error().detail;
    ASSERT_EQ(headers.value().size(), 3U);
    EXPECT_EQ(headers.value()[1].parent_hash, headers.value()[0].hash);
    const auto fees = chain().suggest_fees();
    ASSERT_TRUE(fees.ok()) << fees.error().detail;
    EXPECT_GT(fees.value().base_fee, U256(0));
    EXPECT_GE(fees.value().blob_base_fee, U256(1));
}

TEST_F(ChainTest, CallsAndEstimates) {
    // A contract whose code returns its first calldata word, or reverts with it when it is zero.
    const std::string code = "0x60003580600c5760206000fd5b60005260206000f3";
    const Address where = parse_address("0x00000000000000000000000000000000000c0de0").value();
    anvil_->call("anvil_setCode", "[\"" + to_hex(where) + "\",\"" + code + "\"]");
    EXPECT_EQ(to_hex(chain().code(where, BlockTag::latest).value()), code);
    CallRequest request;
    request.to = where;
    request.data = Bytes(32, 7);
    const auto result = chain().call(request, BlockTag::latest);
    ASSERT_TRUE(result.ok()) << result.error().detail;
    EXPECT_EQ(result.value(), Bytes(32, 7));
    const auto gas = chain().estimate_gas(request);
    ASSERT_TRUE(gas.ok()) << gas.error().detail;
    EXPECT_GE(gas.value(), 21'000U + 32 * 40);
    request.data = Bytes(32, 0);
    const auto reverted = chain().call(request, BlockTag::latest);
    ASSERT_FALSE(reverted.ok());
    EXPECT_EQ(reverted.error().code, EthereumCode::execution_reverted);
    EXPECT_EQ(reverted.error().revert_data, Bytes(32, 0));
    EXPECT_EQ(chain().estimate_gas(request).error().code, EthereumCode::execution_reverted);
}

TEST_F(ChainTest, BlobsComeBackAsTheyWereSent) {
    const auto kzg = Kzg::shared();
    ASSERT_TRUE(kzg.ok()) << kzg.error().detail;
    Blob blob(kBlobBytes, 0);
    for (std::size_t i = 0; i < kBlobBytes; ++i) {
        if (i % 32 != 0) blob[i] = static_cast<std::uint8_t>(i * i / 7);
    }
    Blob second = blob;
    second[1] ^= 1;
    const auto sidecar = kzg.value()->make_sidecar({blob, second});
    ASSERT_TRUE(sidecar.ok());
    Transaction t = transfer(0);
    t.blob_hashes = sidecar.value().versioned_hashes();
    t.max_fee_per_blob_gas = U256(1'000'000'000);
    const SignedTransaction signed_transaction = sign_transaction(t, AnvilProcess::key(0));
    const auto hash = chain().send_raw(encode_with_sidecar(signed_transaction, sidecar.value()));
    ASSERT_TRUE(hash.ok()) << hash.error().detail;
    EXPECT_EQ(hash.value(), signed_transaction.hash);
    anvil_->mine();
    const auto receipt = chain().receipt(hash.value());
    ASSERT_TRUE(receipt.ok() && receipt.value().has_value());
    EXPECT_TRUE(receipt.value()->is_success);
    EXPECT_EQ(receipt.value()->blob_gas_used, 2 * kGasPerBlob);
    EXPECT_EQ(chain().transaction(hash.value()).value().blob_hashes, t.blob_hashes);

    auto source = make_blob_source({.kind = BlobSourceOptions::Kind::anvil, .endpoints = {anvil_->url()}},
                                   make_http_transport(), *kzg.value());
    ASSERT_TRUE(source.ok());
    BlobQuery query{.block_number = 1, .block_timestamp = 0, .versioned_hashes = t.blob_hashes};
    const auto found = source.value()->fetch(query);
    ASSERT_TRUE(found.ok()) << found.error().detail;
    EXPECT_EQ(found.value(), (std::vector<Blob>{blob, second}));
    query.versioned_hashes[0][31] ^= 1;
    EXPECT_FALSE(source.value()->fetch(query).ok());
    query.block_number = 7;
    EXPECT_EQ(source.value()->fetch(query).error().code, EthereumCode::blob_unavailable);
}

}  // namespace
}  // namespace quarry::ethereum::chain_test
