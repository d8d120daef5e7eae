// Refusals of the codecs, one a cause, and their limits. What they accept is compared with cast (tests/anvil).

#include <gtest/gtest.h>

#include "quarry/ethereum/abi.hpp"
#include "quarry/ethereum/rlp.hpp"
#include "quarry/ethereum/transaction.hpp"

namespace quarry::ethereum::codec_test {
namespace {

Bytes hex(std::string_view text) { return from_hex(text, 1 << 20).value(); }
Bytes words(std::initializer_list<std::uint64_t> values) {
    Bytes r;
    for (const std::uint64_t v : values) {
        const Bytes32 bytes = U256(v).to_bytes();
        r.insert(r.end(), bytes.begin(), bytes.end());
    }
    return r;
}
CodecCode refusal(std::string_view types, const Bytes& data) {
    const auto r = abi_decode(abi_types(types), data);
    EXPECT_FALSE(r.ok()) << types;
    return r.ok() ? CodecCode::bad_signature : r.error().code;
}

TEST(Hex, RefusesWhatIsNot) {
    EXPECT_EQ(from_hex("0x0", 9).error().code, CodecCode::bad_hex);
    EXPECT_EQ(from_hex("00", 9).error().code, CodecCode::bad_hex);
    EXPECT_EQ(from_hex("0x0g", 9).error().code, CodecCode::bad_hex);
    EXPECT_EQ(from_hex("0x000000", 2).error().code, CodecCode::limit_exceeded);
    EXPECT_EQ(parse_quantity("0x").error().code, CodecCode::bad_hex);
    EXPECT_EQ(parse_quantity("0x10000000000000000").error().code, CodecCode::out_of_range);
    EXPECT_EQ(parse_quantity("0xffffffffffffffff").value(), ~std::uint64_t{0});
    EXPECT_EQ(to_quantity(0), "0x0");
}

TEST(U256, ArithmeticAtItsEnds) {
    const U256 max = U256::from_hex("0x" + std::string(64, 'f')).value();
    EXPECT_FALSE(max.checked_add(1).has_value());
    EXPECT_FALSE(U256(1).checked_sub(2).has_value());
    EXPECT_FALSE(max.checked_mul(2).has_value());
    EXPECT_EQ(max.to_decimal(), "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    EXPECT_EQ(U256::from_decimal(max.to_decimal()).value(), max);
    EXPECT_FALSE(
        U256::from_decimal("115792089237316195423570985008687907853269984665640564039457584007913129639936").ok());
    std::uint64_t rest = 0;
    const U256 x = U256::from_decimal("340282366920938463463374607431768211461").value();  // 2^128 + 5
    const U256 quotient = x.divide(1'000'000'007, &rest);
    EXPECT_EQ(quotient * 1'000'000'007 + U256(rest), x);
    EXPECT_EQ((x - U256(6)).num_bits(), 128U);
    EXPECT_EQ(x.to_hex(), "0x100000000000000000000000000000005");
    EXPECT_LT(U256(7), x);
}

TEST(Rlp, RefusesEveryOtherForm) {
    const auto refused = [](std::string_view text) {
        const Bytes bytes = hex(text);
        RlpReader reader(bytes);
        const auto r = reader.next_is_list() ? (void)0, reader.list().error().code : reader.string().error().code;
        return r;
    };
    EXPECT_EQ(refused("0x8102"), CodecCode::not_minimal);
    EXPECT_EQ(refused("0xb801ff"), CodecCode::not_minimal);
    EXPECT_EQ(refused("0xb90001ff"), CodecCode::not_minimal);
    EXPECT_EQ(refused("0x83ffff"), CodecCode::truncated);
    EXPECT_EQ(refused("0xbfffffffffffffffff"), CodecCode::truncated);
    EXPECT_EQ(refused("0xf8"), CodecCode::truncated);
    const Bytes leading_zero = hex("0x820001");
    EXPECT_EQ(RlpReader(leading_zero).integer().error().code, CodecCode::not_minimal);
    const Bytes list = hex("0xc0");
    EXPECT_EQ(RlpReader(list).string().error().code, CodecCode::wrong_kind);
    EXPECT_EQ(RlpReader(list).finish().error().code, CodecCode::trailing_bytes);
}

TEST(Abi, DecodesAsStrictlyAsSolidity) {
    EXPECT_EQ(refusal("(uint8)", words({256})), CodecCode::out_of_range);
    EXPECT_EQ(refusal("(bool)", words({2})), CodecCode::out_of_range);
    EXPECT_EQ(refusal("(bytes4)", words({1})), CodecCode::bad_padding);
    EXPECT_EQ(refusal("(address)", Bytes(32, 1)), CodecCode::bad_padding);
    EXPECT_EQ(refusal("(int8)", words({128})), CodecCode::out_of_range);
    EXPECT_EQ(refusal("(uint8,uint8)", words({1})), CodecCode::truncated);
    EXPECT_EQ(refusal("(bytes)", words({64, 0})), CodecCode::truncated);
    EXPECT_EQ(refusal("(bytes)", words({65, 0})), CodecCode::bad_offset);
    EXPECT_EQ(refusal("(bytes)", words({32, 1})), CodecCode::truncated);
    EXPECT_EQ(refusal("(uint256[])", words({32, 2, 7})), CodecCode::truncated);
    EXPECT_EQ(refusal("(uint256[])", words({32, ~std::uint64_t{0}})), CodecCode::truncated);
    EXPECT_EQ(abi_encode(abi_types("(uint8[2])"), {AbiValue::of({1U})}).error().code, CodecCode::bad_length);
    EXPECT_EQ(abi_encode(abi_types("(bytes)"), {1U}).error().code, CodecCode::wrong_kind);
}

TEST(Abi, ArraysThatShareTheirContentCannotGrowIt) {
    // 512 elements that all point to the same 512 elements, which point to the same bytes: 2^18 copies of them.
    constexpr std::uint64_t kCount = 512;
    Bytes inner = words({kCount});
    for (std::uint64_t i = 0; i < kCount; ++i) {
        const Bytes offset = words({kCount * 32});
        inner.insert(inner.end(), offset.begin(), offset.end());
    }
    const Bytes content = words({1'024});
    inner.insert(inner.end(), content.begin(), content.end());
    inner.resize(inner.size() + 1'024, 1);
    Bytes data = words({32, kCount});
    for (std::uint64_t i = 0; i < kCount; ++i) {
        const Bytes offset = words({kCount * 32});
        data.insert(data.end(), offset.begin(), offset.end());
    }
    data.insert(data.end(), inner.begin(), inner.end());
    EXPECT_EQ(refusal("(bytes[][])", data), CodecCode::limit_exceeded);
}

TEST(Abi, RefusesTypesThatAreNone) {
    for (const char* text : {"", "uint8", "(uint7)", "(uint264)", "(bytes33)", "(bytes0)", "(uint08)", "(address8)",
                             "(())", "(uint8[0])", "(uint8", "(uint8))", "(uint8,)", "(float)", "(uint8 )"}) {
        EXPECT_EQ(parse_abi_types(text).error().code, CodecCode::bad_type) << text;
    }
    for (const std::string& text :
         {std::string("(uint8[65536][65536])"), "(" + std::string(20, '(') + "uint8" + std::string(20, ')') + ")",
          "(uint8" + std::string(5'000, ' ') + ")"}) {
        EXPECT_EQ(parse_abi_types(text).error().code, CodecCode::limit_exceeded);
    }
}

TEST(Abi, EventsAreReadFromTopicsAndData) {
    const AbiEvent event("Paid(uint64 indexed,address,bytes indexed,(uint8,bool))");
    Hash id{};
    id[31] = 9;
    const Hash hash = keccak256(Bytes{1});
    const auto fields = event.decode({event.topic(), id, hash}, words({5, 6, 1}));
    ASSERT_TRUE(fields.ok());
    EXPECT_EQ(fields.value()[0].u64(), 9U);
    EXPECT_EQ(fields.value()[1].address().bytes[19], 5);
    EXPECT_EQ(fields.value()[2].bytes32(), hash);
    EXPECT_TRUE(fields.value()[3][1].boolean());
    EXPECT_EQ(event.decode({event.topic(), id}, words({5, 6, 1})).error().code, CodecCode::bad_length);
    EXPECT_EQ(event.decode({id, id, hash}, words({5, 6, 1})).error().code, CodecCode::wrong_kind);
    id[0] = 1;
    EXPECT_EQ(event.decode({event.topic(), id, hash}, words({5, 6, 1})).error().code, CodecCode::out_of_range);
}

Transaction sample() {
    Transaction t;
    t.chain_id = 1;
    t.nonce = 3;
    t.gas_limit = 100'000;
    t.max_fee_per_gas = U256(9);
    t.to = Address{};
    t.data = {0, 0, 1};
    return t;
}
const PrivateKey kKey = *PrivateKey::from_hex("0x4646464646464646464646464646464646464646464646464646464646464646");

TEST(TransactionCodec, AnyOtherByteIsRefusedOrAnotherTransaction) {
    for (const bool is_blob : {false, true}) {
        Transaction t = sample();
        if (is_blob) t.blob_hashes = {Hash{}};
        const Bytes bytes = encode_transaction(sign_transaction(t, kKey));
        ASSERT_EQ(decode_transaction(bytes).value().body, t);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            Bytes other = bytes;
            other[i] ^= 1;
            const auto r = decode_transaction(other);
            if (!r) continue;
            EXPECT_EQ(encode_transaction(r.value()), other);
            EXPECT_FALSE(r.value().sender == kKey.address() && r.value().body == t);
        }
        EXPECT_FALSE(decode_transaction(ByteView(bytes).first(bytes.size() - 1)).ok());
    }
    EXPECT_EQ(decode_transaction(Bytes{1, 0xc0}).error().code, CodecCode::unknown_transaction_type);
}

TEST(TransactionCodec, TheOtherSOfASignatureIsRefused) {
    const Hash digest = signing_digest(sample());
    EcdsaSignature s = kKey.sign(digest);
    ASSERT_EQ(recover_address(digest, s), kKey.address());
    const U256 order = U256::from_hex("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").value();
    s.s = (order - U256::from_bytes(s.s)).to_bytes();
    s.y_parity ^= 1;
    EXPECT_FALSE(recover_address(digest, s).has_value());
    EXPECT_FALSE(PrivateKey::from_bytes(order.to_bytes()).has_value());
    EXPECT_FALSE(PrivateKey::from_bytes({}).has_value());
}

TEST(TransactionRules, GasSizeAndBlobs) {
    Transaction t = sample();
    EXPECT_EQ(minimum_gas(t), 21'000U + 10 * (2 + 4));  // the floor; the intrinsic cost is 21,024
    t.access_list = {{Address{}, {Hash{}, Hash{}}}};
    EXPECT_EQ(minimum_gas(t), 21'000U + 2 * 4 + 16 + 2'400 + 2 * 1'900);
    t.access_list.clear();
    t.to.reset();
    EXPECT_EQ(minimum_gas(t), 21'000U + 2 * 4 + 16 + 32'000 + 2);
    const auto code = [](const Transaction& x) { return check_rules(sign_transaction(x, kKey)).error().code; };
    t.data.resize(kMaxInitCodeBytes + 1);
    t.gas_limit = kTransactionGasCap;
    EXPECT_EQ(code(t), EthereumCode::transaction_too_large);
    t = sample();
    t.gas_limit = minimum_gas(t) - 1;
    EXPECT_EQ(code(t), EthereumCode::gas_below_floor);
    t.gas_limit = kTransactionGasCap + 1;
    EXPECT_EQ(code(t), EthereumCode::gas_above_cap);
    t.gas_limit = kTransactionGasCap;
    EXPECT_TRUE(check_rules(sign_transaction(t, kKey)).ok());
    t.blob_hashes.resize(kMaxBlobsPerTransaction + 1);
    EXPECT_EQ(code(t), EthereumCode::too_many_blobs);
}

}  // namespace
}  // namespace quarry::ethereum::codec_test
