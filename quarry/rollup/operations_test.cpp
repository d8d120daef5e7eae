#include "quarry/rollup/operations.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "quarry/rollup/testing.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup::operations_test {
namespace {

using testing::make_key;
using testing::make_owner;

template <std::size_t N>
std::array<std::uint8_t, N> arbitrary_bytes() {
    std::array<std::uint8_t, N> r;
    for (std::uint8_t& b : r) b = *rc::gen::arbitrary<std::uint8_t>();
    return r;
}
Amount arbitrary_amount(unsigned bits) {
    const auto high = *rc::gen::arbitrary<std::uint32_t>();
    const auto low = *rc::gen::arbitrary<std::uint64_t>();
    return *Amount::from_wide((static_cast<Amount::Wide>(high) << 64 | low) & ((Amount::Wide{1} << bits) - 1));
}
SlotIndex arbitrary_slot() { return *rc::gen::arbitrary<std::uint32_t>() % kMaxSlots; }
AccountKey arbitrary_key() {
    AccountKey key;
    for (KoalaBear& x : key.x) x = KoalaBear(*rc::gen::arbitrary<std::uint32_t>());
    for (KoalaBear& y : key.y) y = KoalaBear(*rc::gen::arbitrary<std::uint32_t>());
    return key;
}
Operation arbitrary_operation() {
    const Authorisation auth{arbitrary_slot(), *rc::gen::arbitrary<std::uint32_t>(), arbitrary_amount(72),
                             arbitrary_bytes<kSignatureBytes>()};
    switch (*rc::gen::inRange(1, kLastOpcode + 1)) {
        case 1:
            return Transfer{auth, arbitrary_slot(), arbitrary_amount(96)};
        case 2:
            return TransferNew{
                auth, arbitrary_slot(), arbitrary_amount(96), {key_hash(arbitrary_key()), {arbitrary_bytes<20>()}}};
        case 3:
            return Withdraw{auth, arbitrary_amount(96), {arbitrary_bytes<20>()}};
        case 4:
            return ChangeKey{auth, arbitrary_key()};
        case 5:
            return PublishKey{arbitrary_slot(), arbitrary_key()};
        case 6:
            return Collect{arbitrary_slot()};
        case 7:
            return Deposit{};
        case 8:
            return ForcedWithdrawal{};
        default:
            return SetKey{};
    }
}

RC_GTEST_PROP(OperationProperties, ParseUndoesEncode, ()) {
    std::vector<Operation> ops;
    for (int i = *rc::gen::inRange(0, 6); i > 0; --i) ops.push_back(arbitrary_operation());
    const auto bytes = encode(ops);
    RC_ASSERT(bytes.size() % kWordBytes == 0u);
    RC_ASSERT((parse_operations(bytes).value() == ops));
}

// Canonical: bytes that differ anywhere are refused or mean another operation.
RC_GTEST_PROP(OperationProperties, EveryByteMatters, ()) {
    std::vector<std::uint8_t> bytes;
    const Operation op = arbitrary_operation();
    encode(op, bytes);
    const auto i = *rc::gen::inRange<std::size_t>(0, bytes.size());
    bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ *rc::gen::inRange(1, 256));
    const auto parsed = parse_operation(bytes);
    if (parsed) {
        RC_ASSERT(!(parsed.value().op == op));
        std::vector<std::uint8_t> again;
        encode(parsed.value().op, again);
        again.resize(bytes.size());
        RC_ASSERT(std::equal(again.begin(), again.begin() + static_cast<std::ptrdiff_t>(parsed.value().num_bytes),
                             bytes.begin()));
    }
}

RC_GTEST_PROP(OperationProperties, PrefixesAreTruncated, ()) {
    std::vector<std::uint8_t> bytes;
    encode(arbitrary_operation(), bytes);
    const auto n = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT(parse_operation(std::span(bytes).first(n)).code() == RejectCode::truncated);
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
    std::string r;
    for (const std::uint8_t b : bytes) {
        constexpr const char* kDigits = "0123456789abcdef";
        r += kDigits[b >> 4];
        r += kDigits[b & 15];
    }
    return r;
}

// The layout of docs/spec/operations.md, byte for byte.
TEST(Operations, TransferLayout) {
    Transfer op{{.slot = 0x01020304,
                 .expiry = 0x65666768,
                 .fee = *Amount::from_wide(static_cast<Amount::Wide>(0xf8) << 64 | 0xf7f6f5f4f3f2f1f0),
                 .signature = {}},
                0x05060708,
                *Amount::from_wide(static_cast<Amount::Wide>(0xabacadae) << 64 | 0xa0a1a2a3a4a5a6a7)};
    for (std::size_t i = 0; i < kSignatureBytes; ++i) op.auth.signature[i] = static_cast<std::uint8_t>(i);
    std::vector<std::uint8_t> bytes;
    encode(Operation{op}, bytes);
    EXPECT_EQ(hex(bytes),
              "01"
              "01020304"
              "05060708"
              "abacadaea0a1a2a3a4a5a6a7"
              "65666768"
              "0f0e0d0c0b0a"
              "f8f7f6f5f4f3f2f1f0"
              "09080706050403020100"
              "3a393837363534333231302f2e2d2c2b2a292827262524232221201f1e1d1c1b1a19181716151413121110");
}

TEST(Operations, WordCountsAreThoseOfTheDesign) {
    EXPECT_EQ(word_count(Opcode::transfer), 3u);
    EXPECT_EQ(word_count(Opcode::withdraw), 4u);
    EXPECT_EQ(word_count(Opcode::transfer_new), 5u);
    for (std::uint8_t code = 1; code <= kLastOpcode; ++code) EXPECT_LE(word_count(Opcode{code}), 5u);
}

TEST(Operations, WordLimbsAreByteThenPairs) {
    std::array<std::uint8_t, kWordBytes> word;
    for (std::size_t i = 0; i < word.size(); ++i) word[i] = static_cast<std::uint8_t>(i + 1);
    const auto limbs = word_limbs(word);
    EXPECT_EQ(limbs[0], KoalaBear(1));
    EXPECT_EQ(limbs[1], KoalaBear(0x0203));
    EXPECT_EQ(limbs[15], KoalaBear(0x1e1f));
}

struct Hostile {
    const char* what;
    Operation op;
    std::size_t byte;
    std::uint8_t value;
    RejectCode code;
};

TEST(Operations, HostileBytes) {
    const Operation withdrawal = testing::withdraw(1, 5);
    const Operation creation = testing::transfer_new(1, 8, 5, 10, make_owner(3));
    const Operation change = ChangeKey{testing::auth(1), make_key(2)};
    const Operation publication = PublishKey{4, make_key(2)};
    const std::vector<Hostile> table = {
        {"opcode 0", testing::transfer(1, 2, 3), 0, 0, RejectCode::unknown_opcode},
        {"opcode 10", testing::transfer(1, 2, 3), 0, 10, RejectCode::unknown_opcode},
        {"opcode 255", testing::transfer(1, 2, 3), 0, 255, RejectCode::unknown_opcode},
        {"sender 2^30", testing::transfer(1, 2, 3), 1, 0x40, RejectCode::slot_out_of_range},
        {"receiver 2^30", testing::transfer(1, 2, 3), 5, 0x40, RejectCode::slot_out_of_range},
        {"receiver in a withdrawal", withdrawal, 8, 1, RejectCode::nonzero_padding},
        {"lone byte of word 3", withdrawal, 93, 1, RejectCode::nonzero_padding},
        {"after the address", withdrawal, 123, 1, RejectCode::nonzero_padding},
        {"key hash >= p", creation, 94, 0x7f, RejectCode::non_canonical_element},
        {"lone byte of word 3", creation, 93, 1, RejectCode::nonzero_padding},
        {"lone byte of word 4", creation, 124, 1, RejectCode::nonzero_padding},
        {"after the pair", creation, 154, 1, RejectCode::nonzero_padding},
        {"amount in a key change", change, 20, 1, RejectCode::nonzero_padding},
        {"coordinate >= p", change, 94, 0xff, RejectCode::non_canonical_element},
        {"last coordinate >= p", change, 151, 0x80, RejectCode::non_canonical_element},
        {"lone byte of word 3", change, 93, 1, RejectCode::nonzero_padding},
        {"lone byte of word 4", change, 124, 1, RejectCode::nonzero_padding},
        {"published slot 2^30", publication, 1, 0x40, RejectCode::slot_out_of_range},
        {"after the published slot", publication, 5, 1, RejectCode::nonzero_padding},
        {"lone byte of the key's words", publication, 62, 1, RejectCode::nonzero_padding},
        {"published coordinate >= p", publication, 32, 0x80, RejectCode::non_canonical_element},
        {"collect slot", Collect{3}, 1, 0xff, RejectCode::slot_out_of_range},
        {"collect padding", Collect{3}, 30, 1, RejectCode::nonzero_padding},
        {"deposit padding", Deposit{}, 1, 1, RejectCode::nonzero_padding},
        {"forced padding", ForcedWithdrawal{}, 30, 1, RejectCode::nonzero_padding},
        {"set-key padding", SetKey{}, 15, 1, RejectCode::nonzero_padding},
    };
    for (const Hostile& h : table) {
        std::vector<std::uint8_t> bytes;
        encode(h.op, bytes);
        ASSERT_TRUE(parse_operation(bytes).ok()) << h.what;
        bytes[h.byte] = h.value;
        const auto parsed = parse_operation(bytes);
        ASSERT_FALSE(parsed.ok()) << h.what;
        EXPECT_EQ(parsed.code(), h.code) << h.what << ": " << reject_name(parsed.code());
    }
}

TEST(Operations, BoundedBeforeParsing) {
    EXPECT_EQ(parse_operations(std::vector<std::uint8_t>((kMaxBatchWords + 1) * kWordBytes)).code(),
              RejectCode::too_many_words);
    EXPECT_EQ(parse_operations(std::vector<std::uint8_t>(kWordBytes + 1, 7)).code(), RejectCode::bad_length);
    // Zero words after the last operation are the blob's padding, never part of the data.
    auto bytes = encode(std::vector<Operation>{Deposit{}});
    bytes.resize(2 * kWordBytes);
    EXPECT_EQ(parse_operations(bytes).code(), RejectCode::unknown_opcode);
}

TEST(Operations, RandomBytesNeverCrash) {
    std::mt19937_64 rng(4);
    for (int round = 0; round < 3000; ++round) {
        std::vector<std::uint8_t> bytes(kWordBytes * (rng() % 12));
        for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(rng() % 3 == 0 ? rng() : 0);
        for (std::size_t i = 0; i < bytes.size(); i += kWordBytes) bytes[i] = static_cast<std::uint8_t>(rng() % 12);
        const auto parsed = parse_operations(bytes);
        if (parsed) {
            EXPECT_EQ(encode(parsed.value()), bytes);
        }
    }
}

TEST(Operations, NotEncodable) {
    EXPECT_EQ(check_encodable(testing::transfer(kMaxSlots, 0, 1)).code(), RejectCode::slot_out_of_range);
    EXPECT_EQ(check_encodable(testing::transfer(0, kMaxSlots, 1)).code(), RejectCode::slot_out_of_range);
    EXPECT_EQ(check_encodable(Collect{kMaxSlots}).code(), RejectCode::slot_out_of_range);
    Transfer op{testing::auth(0), 1, Amount(1)};
    op.auth.fee = *Amount::from_wide(Amount::Wide{1} << 72);
    EXPECT_EQ(check_encodable(Operation{op}).code(), RejectCode::fee_too_large);
}

// Every field that the signer must fix changes the message.
TEST(Operations, MessageBindsEveryField) {
    const testing::World world;
    const auto id = [](const RollupParameters& p, const Transaction& tx) { return transaction_id(domain_hash(p), tx); };
    const Transaction base = world.sign(testing::transfer(2, 4, 5, 1), make_key(2), world.store);
    const Digest m = id(world.parameters, base);
    std::vector<Digest> others = {m};
    const auto expect_new = [&](const RollupParameters& p, const Transaction& tx, const char* what) {
        const Digest other = id(p, tx);
        for (const Digest& seen : others) EXPECT_NE(other, seen) << what;
        others.push_back(other);
    };
    const auto with = [&](auto&& change) {
        Transaction tx = base;
        change(tx, std::get<Transfer>(tx.op));
        return tx;
    };
    const RollupParameters& p = world.parameters;
    expect_new(p, with([](auto& tx, auto&) { tx.key = make_key(3); }), "key");
    expect_new(p, with([](auto& tx, auto&) { tx.token = 2; }), "token");
    expect_new(p, with([](auto& tx, auto&) { tx.nonce = 1; }), "nonce");
    expect_new(p, with([](auto& tx, auto&) { tx.receiver_pair = pair_hash(make_owner(5)); }), "receiver's pair");
    expect_new(p, with([](auto&, auto& op) { op.auth.slot = 3; }), "slot");
    expect_new(p, with([](auto&, auto& op) { op.auth.expiry += 1; }), "expiry");
    expect_new(p, with([](auto&, auto& op) { op.auth.expiry += 65536; }), "expiry");
    expect_new(p, with([](auto&, auto& op) { op.auth.fee = *Amount::from_wide(Amount::Wide{1} << 71); }), "fee");
    expect_new(p, with([](auto&, auto& op) { op.amount = Amount(6); }), "amount");
    expect_new(p, with([](auto&, auto& op) { op.amount = *Amount::from_wide(Amount::Wide{1} << 95); }), "amount");
    RollupParameters q = p;
    q.l1_chain_id += std::uint64_t{1} << 48;
    expect_new(q, base, "chain id");
    q = p;
    q.hub.bytes[0] ^= 1;
    expect_new(q, base, "hub");
    q = p;
    q.rollup_id += 65536;
    expect_new(q, base, "rollup id");
    q = p;
    q.genesis_root[7] += KoalaBear(1);
    expect_new(q, base, "genesis");
    q = p;
    q.min_new_pair_fee = Amount(11);
    expect_new(q, base, "minimum fee");
    // Other operations with the same numbers, and the parts that only they have.
    const Operation creation = testing::transfer_new(2, 8, 5, 1, make_owner(4));
    expect_new(p, world.sign(creation, make_key(2), world.store), "opcode");
    expect_new(p, world.sign(testing::withdraw(2, 5, 1), make_key(2), world.store), "withdrawal");
    Withdraw w{testing::auth(2, 1), Amount(5), testing::make_address(98)};
    expect_new(p, world.sign(w, make_key(2), world.store), "recipient");
    expect_new(p, world.sign(ChangeKey{testing::auth(2, 1), make_key(6)}, make_key(2), world.store), "change key");
    expect_new(p, world.sign(ChangeKey{testing::auth(2, 1), make_key(7)}, make_key(2), world.store), "new key");
    // What it must not depend on: the receiver's slot number (the pair is signed) and the signature.
    EXPECT_EQ(id(p, with([](auto&, auto& op) { op.receiver = 6; })), m);
    EXPECT_EQ(id(p, with([](auto&, auto& op) { op.auth.signature[0] ^= 1; })), m);
    EXPECT_EQ(transaction_ids(domain_hash(p), std::vector<Transaction>{base, base}), (std::vector<Digest>{m, m}));
}

}  // namespace
}  // namespace quarry::rollup::operations_test
