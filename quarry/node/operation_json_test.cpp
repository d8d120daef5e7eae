#include "quarry/node/operation_json.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "quarry/node/development_keys.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::operation_json_test {
namespace {

using rollup::Amount;

const DevelopmentKeys kKeys(5);

rollup::Owner owner(std::uint64_t i) { return {kKeys.public_keys(i, 1)[0].hash(), kKeys.address(i)}; }

SignedTransaction signed_tx(rollup::Operation op) {
    SignedTransaction r;
    *rollup::authorisation(op) = {.slot = 7, .expiry = 1'800'000'000, .fee = Amount(3), .signature = {}};
    r.tx = {std::move(op), {}, 2, 11, {}};
    if (std::holds_alternative<rollup::Transfer>(r.tx.op)) r.tx.receiver_pair = rollup::pair_hash(owner(1));
    sign(r, rollup::chain_start("domain"), kKeys.secret(7));
    return r;
}

std::vector<InputLine> one_of_each() {
    return {signed_tx(rollup::Transfer{{}, 9, *Amount::from_wide(Amount::max().wide() - 1)}),
            signed_tx(rollup::TransferNew{{}, 0, Amount(5), owner(40)}),
            signed_tx(rollup::Withdraw{{}, Amount(0), kKeys.address(2)}),
            signed_tx(rollup::ChangeKey{{}, to_account_key(kKeys.public_keys(99, 1)[0])}),
            QueueEntry(rollup::DepositEntry{owner(3), kKeys.address(4), 65535, Amount::max(), rollup::kNewSlot}),
            QueueEntry(rollup::DepositEntry{owner(3), kKeys.address(4), 0, Amount(1), 17}),
            QueueEntry(rollup::ForcedWithdrawalEntry{0xffffffff, kKeys.address(5)}),
            QueueEntry(rollup::SetKeyEntry{3, kKeys.address(6), rollup::chain_start("key")})};
}

bool equal(const InputLine& a, const InputLine& b) {
    const auto* tx = std::get_if<SignedTransaction>(&a);
    const auto* other = std::get_if<SignedTransaction>(&b);
    if (tx == nullptr) return std::get_if<QueueEntry>(&b) && std::get<QueueEntry>(a) == std::get<QueueEntry>(b);
    return other != nullptr && tx->tx == other->tx && tx->key == other->key;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what << " in " << text;
    return text.replace(at, what.size(), by);
}

TEST(OperationJson, EveryKindSurvivesTheWayThroughText) {
    for (const InputLine& line : one_of_each()) {
        const std::string text = to_json(line);
        EXPECT_LE(text.size(), kMaxLineBytes);
        EXPECT_EQ(text.find('\n'), std::string::npos);
        const auto parsed = parse_input_line(text);
        ASSERT_TRUE(parsed) << text << json_code_name(parsed.error().code) << parsed.error().field;
        EXPECT_TRUE(equal(parsed.value(), line)) << text;
        if (const auto* entry = std::get_if<QueueEntry>(&line)) {
            const IndexedEntry indexed{1ULL << 60, *entry};
            EXPECT_EQ(parse_queue_line(to_json(indexed)).value(), indexed);
        }
    }
}

TEST(OperationJson, SpaceOrderAndCaseOfDigitsDoNotMatter) {
    const auto parsed = parse_input_line(
        " {\t\"sender\" :\"0x00000000000000000000000000000000000000aB\" , \"type\":\"forced_withdrawal\",\"slot\": "
        "5 }\r");
    ASSERT_TRUE(parsed);
    rollup::ForcedWithdrawalEntry want{5, {}};
    want.sender.bytes[19] = 0xab;
    EXPECT_EQ(std::get<QueueEntry>(parsed.value()), QueueEntry(want));
}

TEST(OperationJson, EveryCauseOfRefusal) {
    const std::string transfer = to_json(one_of_each()[0]);
    const std::string deposit = to_json(one_of_each()[4]);
    struct Case {
        std::string text;
        JsonCode code;
        std::string field;
    };
    const std::vector<Case> cases{
        {"", JsonCode::bad_syntax, ""},
        {"{", JsonCode::bad_syntax, ""},
        {"[]", JsonCode::bad_syntax, ""},
        {"{} {}", JsonCode::bad_syntax, ""},
        {"{\"a\":1,}", JsonCode::bad_syntax, ""},
        {"{\"a\" 1}", JsonCode::bad_syntax, ""},
        {"{\"a\":-1}", JsonCode::bad_syntax, "a"},
        {"{\"a\":1.5}", JsonCode::bad_syntax, ""},
        {"{\"a\":true}", JsonCode::bad_syntax, "a"},
        {"{\"a\":{}}", JsonCode::bad_syntax, "a"},
        {"{\"a\":\"\\n\"}", JsonCode::bad_syntax, "a"},
        {"{\"a\":\"b", JsonCode::bad_syntax, "a"},
        {"{}", JsonCode::missing_field, "type"},
        {"{\"type\":1}", JsonCode::wrong_type, "type"},
        {"{\"type\":\"collect\"}", JsonCode::unknown_type, "type"},
        {std::string(kMaxLineBytes + 1, ' '), JsonCode::too_long, ""},
        {replaced(transfer, "\"receiver\":9", "\"receiver\":9,\"receiver\":9"), JsonCode::duplicate_field, "receiver"},
        {replaced(transfer, "\"receiver\":9,", ""), JsonCode::missing_field, "receiver"},
        {replaced(transfer, "\"receiver\":9", "\"receiver\":\"9\""), JsonCode::wrong_type, "receiver"},
        {replaced(transfer, "\"receiver\":9", "\"receiver\":4294967296"), JsonCode::bad_number, "receiver"},
        {replaced(transfer, "\"receiver\":9", "\"receiver\":99999999999999999999999"), JsonCode::bad_number,
         "receiver"},
        {replaced(transfer, "\"receiver\":9", "\"receiver\":09"), JsonCode::bad_number, "receiver"},
        {replaced(transfer, "\"token\":2", "\"token\":65536"), JsonCode::bad_number, "token"},
        {replaced(transfer, "\"fee\":\"3\"", "\"fee\":3"), JsonCode::wrong_type, "fee"},
        {replaced(transfer, "\"fee\":\"3\"", "\"fee\":\"03\""), JsonCode::bad_amount, "fee"},
        {replaced(transfer, "\"fee\":\"3\"", "\"fee\":\"79228162514264337593543950336\""), JsonCode::bad_amount, "fee"},
        {replaced(transfer, "\"signature\":\"0x", "\"signature\":\"0x00"), JsonCode::bad_hex, "signature"},
        {replaced(transfer, "\"signature\":\"0x", "\"signature\":\"00"), JsonCode::bad_hex, "signature"},
        {replaced(transfer, "\"receiver_pair\":\"0x", "\"receiver_pair\":\"0xg"), JsonCode::bad_hex, "receiver_pair"},
        {transfer.substr(0, transfer.find("\"key\":\"0x") + 9) + std::string(176, '0') +
             transfer.substr(transfer.find("\"key\":\"0x") + 9 + 176),
         JsonCode::off_curve, "key"},
        {deposit.substr(0, deposit.find("hash\":\"0x") + 9) + std::string(64, 'f') +
             deposit.substr(deposit.find("hash\":\"0x") + 9 + 64),
         JsonCode::non_canonical, "owner_key_hash"},
        {replaced(deposit, "{", "{\"nonce\":1,"), JsonCode::unknown_field, "nonce"},
    };
    for (const Case& c : cases) {
        const auto parsed = parse_input_line(c.text);
        ASSERT_FALSE(parsed) << c.text;
        EXPECT_EQ(parsed.error(), (JsonError{c.code, c.field})) << c.text << " " << json_code_name(parsed.error().code);
    }
    std::string many = "{\"type\":\"deposit\"";
    for (std::size_t i = 0; i < ObjectReader::kMaxFields; ++i) many += ",\"f" + std::to_string(i) + "\":1";
    EXPECT_EQ(parse_input_line(many + "}").error().code, JsonCode::too_many_fields);
}

TEST(OperationJson, NoPrefixOfALineIsALine) {
    for (const InputLine& line : one_of_each()) {
        const std::string text = to_json(line);
        for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(parse_input_line(text.substr(0, n))) << n;
    }
}

TEST(OperationJson, QueueLinesHaveAnIndexAndHoldNoTransactions) {
    const auto lines = one_of_each();
    EXPECT_EQ(parse_queue_line(to_json(lines[4])).error(), (JsonError{JsonCode::missing_field, "index"}));
    const std::string transfer = replaced(to_json(lines[0]), "{", "{\"index\":1,");
    EXPECT_EQ(parse_queue_line(transfer).error().code, JsonCode::unknown_type);
    EXPECT_EQ(parse_input_line(replaced(to_json(lines[4]), "{", "{\"index\":1,")).error().code,
              JsonCode::unknown_field);
}

}  // namespace
}  // namespace quarry::node::operation_json_test
