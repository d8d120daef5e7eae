// Our encodings and cast's of the same things.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "quarry/ethereum/abi.hpp"
#include "quarry/ethereum/rlp.hpp"
#include "quarry/ethereum/transaction.hpp"
#include "tests/anvil/anvil_process.hpp"

namespace quarry::ethereum::cast_test {
namespace {

using quarry::testing::AnvilProcess;

/// What cast prints, without the line break.
std::string cast(const std::string& arguments) {
    const std::string command = QUARRY_NODE_MODULES "/@foundry-rs/cast-linux-amd64/bin/cast " + arguments + " 2>&1";
    FILE* const pipe = ::popen(command.c_str(), "r");
    std::string r;
    std::array<char, 65'536> chunk{};
    while (pipe != nullptr) {
        const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe);
        if (n == 0) break;
        r.append(chunk.data(), n);
    }
    if (pipe != nullptr) ::pclose(pipe);
    while (r.ends_with('\n')) r.pop_back();
    return r;
}

const Address kReceiver = parse_address("0x70997970c51812dc3a010c7d01b50e0d17dc79c8").value();
constexpr const char* kCommon =
    "mktx --private-key 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80 --chain 31337 --nonce 5 "
    "--gas-limit 100000 --gas-price 20000000000 --priority-gas-price 1000000000 --value 7 ";

Transaction common_transaction() {
    Transaction t;
    t.chain_id = 31337;
    t.nonce = 5;
    t.gas_limit = 100'000;
    t.max_fee_per_gas = U256(20'000'000'000);
    t.max_priority_fee_per_gas = U256(1'000'000'000);
    t.value = U256(7);
    t.to = kReceiver;
    return t;
}

TEST(Cast, Type2TransactionsWithCalldataAndAccessListAreTheSameBytes) {
    const std::string theirs =
        cast(std::string(kCommon) +
             R"(--access-list '[{"address":"0x00000000000000000000000000000000000c0de0",)"
             R"("storageKeys":["0x00000000000000000000000000000000000000000000000000000000000000)"
             R"(01"]}]' 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 'submit(uint64,bytes)' 9 0x0102ff)");
    Transaction t = common_transaction();
    t.data = AbiFunction("submit(uint64,bytes)").call({9U, Bytes{1, 2, 0xff}});
    Hash key{};
    key[31] = 1;
    t.access_list = {{parse_address("0x00000000000000000000000000000000000c0de0").value(), {key}}};
    const SignedTransaction ours = sign_transaction(t, AnvilProcess::key(0));
    EXPECT_EQ(to_hex(encode_transaction(ours)), theirs);
    const auto bytes = from_hex(theirs, 4'096);
    ASSERT_TRUE(bytes.ok()) << theirs;
    const auto decoded = decode_transaction(bytes.value());
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded.value().body, t);
    EXPECT_EQ(decoded.value().sender, AnvilProcess::key(0).address());
    EXPECT_EQ(decoded.value().hash, ours.hash);
}

TEST(Cast, BlobTransactionsWithCellProofsAreTheSameBytes) {
    std::string path = (std::string(::testing::TempDir()) + "quarry-blob-XXXXXX");
    const int fd = ::mkstemp(path.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path) << "some content of a blob";
    const std::string theirs = cast(std::string(kCommon) + "--blob --path " + path +
                                    " --blob-gas-price 3000000000 0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    std::remove(path.c_str());
    const auto bytes = from_hex(theirs, 1 << 20);
    ASSERT_TRUE(bytes.ok()) << theirs.substr(0, 500);
    // How cast lays bytes into a blob is its own business: the blob is taken from its transaction.
    ASSERT_EQ(bytes.value()[0], 3);
    RlpReader outer(ByteView(bytes.value()).subspan(1));
    RlpReader wrapper = outer.list().value();
    ASSERT_TRUE(wrapper.list().ok());
    ASSERT_EQ(wrapper.integer64().value(), 1U);
    RlpReader blobs = wrapper.list().value();
    const ByteView blob = blobs.string().value();
    const auto kzg = Kzg::shared();
    ASSERT_TRUE(kzg.ok());
    const auto sidecar = kzg.value()->make_sidecar({Blob(blob.begin(), blob.end())});
    ASSERT_TRUE(sidecar.ok());
    Transaction t = common_transaction();
    t.max_fee_per_blob_gas = U256(3'000'000'000);
    t.blob_hashes = sidecar.value().versioned_hashes();
    const SignedTransaction ours = sign_transaction(t, AnvilProcess::key(0));
    EXPECT_TRUE(encode_with_sidecar(ours, sidecar.value()) == bytes.value());
}

TEST(Cast, ContractInterfaceAndRlpAreTheSameBytes) {
    const auto types = abi_types("(uint256,bytes3[],(address,bytes)[2],string,int16,bool,(uint8,uint8)[],bytes[2][])");
    Bytes32 left{};
    left[0] = 1;
    left[2] = 0x1f;
    const U256 minus_five = U256::from_hex("0x" + std::string(63, 'f') + "b").value();
    const AbiValue::List values{
        5U,
        AbiValue::of({left}),
        AbiValue::of({AbiValue::of({kReceiver, Bytes{1, 2}}), AbiValue::of({kReceiver, Bytes{}})}),
        AbiValue::text("hello"),
        minus_five,
        true,
        AbiValue::of({AbiValue::of({1U, 2U}), AbiValue::of({3U, 255U})}),
        AbiValue::of({AbiValue::of({Bytes(33, 9), Bytes{}})})};
    std::string long_bytes;
    for (unsigned i = 0; i < 33; ++i) long_bytes += "09";
    const std::string theirs = cast(
        "abi-encode -- 'f(uint256,bytes3[],(address,bytes)[2],string,int16,bool,(uint8,uint8)[],bytes[2][])' 5 "
        "'[0x01001f]' '[(0x70997970C51812dc3A010C7d01b50e0d17dc79C8,0x0102),"
        "(0x70997970C51812dc3A010C7d01b50e0d17dc79C8,0x)]' hello -5 true '[(1,2),(3,255)]' '[[0x" +
        long_bytes + ",0x]]'");
    const auto ours = abi_encode(types, values);
    ASSERT_TRUE(ours.ok());
    EXPECT_EQ(to_hex(ours.value()), theirs);
    EXPECT_EQ(abi_decode(types, ours.value()).value(), values);

    EXPECT_EQ(to_hex(AbiFunction("submit(uint64,(address,bytes)[])").id()),
              cast("sig 'submit(uint64,(address,bytes)[])'"));
    EXPECT_EQ(to_hex(AbiEvent("Submitted(uint indexed,address,bytes)").topic()),
              cast("sig-event 'Submitted(uint256 indexed,address,bytes)'"));
    RlpWriter inner;
    inner.string(Bytes{2, 3}).string({});
    EXPECT_EQ(to_hex(RlpWriter().string(Bytes{1}).list(inner).string(Bytes{0x80}).as_list()),
              cast(R"(to-rlp '["0x01",["0x0203","0x"],"0x80"]')"));
    EXPECT_EQ("Computed Address: " + cast("to-check-sum-address " + to_hex(contract_address(kReceiver, 300))),
              cast("compute-address --nonce 300 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"));
}

}  // namespace
}  // namespace quarry::ethereum::cast_test
