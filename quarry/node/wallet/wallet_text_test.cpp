#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "quarry/node/development_keys.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/backup.hpp"
#include "quarry/node/wallet/bech32m.hpp"
#include "quarry/node/wallet/ethereum_key.hpp"
#include "quarry/node/wallet/network.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/node/wallet/token_amount.hpp"

namespace quarry::node::wallet::wallet_text_test {
namespace {

using rollup::Amount;

const DevelopmentKeys kKeys(3);

rollup::Owner owner(std::uint64_t i) { return {kKeys.public_keys(i, 1)[0].hash(), kKeys.address(i)}; }

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

// Valid and invalid strings of BIP-350.
TEST(WalletBech32m, AgreesWithTheStandard) {
    const auto empty = decode_bech32m("a", "a1lqfn3a");
    ASSERT_TRUE(empty.has_value());
    EXPECT_TRUE(empty->empty());
    EXPECT_TRUE(decode_bech32m("a", "A1LQFN3A").has_value());
    EXPECT_EQ(encode_bech32m("a", {}), "a1lqfn3a");
    for (const auto& [prefix, text, size] :
         {std::tuple{"abcdef", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", 20U},
          std::tuple{"split", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", 30U}}) {
        const auto bytes = decode_bech32m(prefix, text);
        ASSERT_TRUE(bytes.has_value()) << text;
        EXPECT_EQ(bytes->size(), size);
        EXPECT_EQ(encode_bech32m(prefix, *bytes), text);
    }
    EXPECT_FALSE(decode_bech32m("a", "a1lqfn3q"));
    EXPECT_FALSE(decode_bech32m("a", "A1lqfn3a"));
    EXPECT_FALSE(decode_bech32m("a", "M1VUXWEZ"));
    EXPECT_FALSE(decode_bech32m("a", "a12uel5l"));  // the checksum of BIP-173
}

TEST(WalletAddress, SurvivesTheWayThroughText) {
    for (std::uint64_t i = 0; i < 20; ++i) {
        const std::string text = format_receiving_address(owner(i));
        EXPECT_EQ(text.size(), 98u);
        EXPECT_EQ(parse_receiving_address(text), owner(i));
        EXPECT_EQ(parse_receiving_address(upper(text)), owner(i));
        EXPECT_EQ(parse_l1_address(format_l1_address(kKeys.address(i))), kKeys.address(i));
    }
}

TEST(WalletAddress, EveryWrongOrSwappedLetterIsFound) {
    const std::string text = format_receiving_address(owner(1));
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (const char c : std::string_view("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio")) {
            std::string wrong = text;
            wrong[i] = c;
            if (wrong != text) {
                EXPECT_FALSE(parse_receiving_address(wrong)) << wrong;
            }
        }
        if (i + 1 < text.size() && text[i] != text[i + 1]) {
            std::string wrong = text;
            std::swap(wrong[i], wrong[i + 1]);
            EXPECT_FALSE(parse_receiving_address(wrong)) << wrong;
        }
        EXPECT_FALSE(parse_receiving_address(text.substr(0, i)));
        EXPECT_FALSE(parse_receiving_address(text.substr(0, i) + text.substr(i + 1)));
    }
    EXPECT_FALSE(parse_receiving_address(text + "q"));
}

TEST(WalletAddress, RefusesWhatNoWalletWrites) {
    std::vector<std::uint8_t> bytes(53);
    bytes[52] = 1;
    EXPECT_TRUE(parse_receiving_address(encode_bech32m("quarry", bytes)));
    EXPECT_FALSE(parse_receiving_address(encode_bech32m("quarri", bytes)));
    bytes[0] = 1;
    EXPECT_FALSE(parse_receiving_address(encode_bech32m("quarry", bytes)));  // another version
    bytes[0] = 0;
    bytes[1] = 0x7f;
    bytes[4] = 1;  // the modulus is 0x7f000001
    EXPECT_FALSE(parse_receiving_address(encode_bech32m("quarry", bytes)));
    bytes[1] = bytes[4] = bytes[52] = 0;
    EXPECT_FALSE(parse_receiving_address(encode_bech32m("quarry", bytes)));  // the zero address
    bytes.push_back(1);
    EXPECT_FALSE(parse_receiving_address(encode_bech32m("quarry", bytes)));
}

// From EIP-55.
TEST(WalletAddress, L1AddressesHaveTheirChecksum) {
    for (const std::string_view text :
         {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
          "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"}) {
        const auto address = parse_l1_address(text);
        ASSERT_TRUE(address);
        EXPECT_EQ(format_l1_address(*address), text);
    }
    EXPECT_TRUE(parse_l1_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"));
    EXPECT_FALSE(parse_l1_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"));
    EXPECT_FALSE(parse_l1_address("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed00"));
    EXPECT_FALSE(parse_l1_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae"));
    EXPECT_FALSE(parse_l1_address("0x0000000000000000000000000000000000000000"));
    EXPECT_FALSE(parse_l1_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beagd"));
}

TEST(WalletAmount, IsExact) {
    const auto value = [](std::string_view text, unsigned decimals) {
        const auto r = parse_token_amount(text, decimals);
        return r ? rollup::to_string(r.value()) : amount_error_name(r.error());
    };
    EXPECT_EQ(value("1", 18), "1000000000000000000");
    EXPECT_EQ(value("0.000000000000000001", 18), "1");
    EXPECT_EQ(value("12.5", 6), "12500000");
    EXPECT_EQ(value("007.50", 1), "75");
    EXPECT_EQ(value("3", 0), "3");
    EXPECT_EQ(value("3.0", 0), "3");
    EXPECT_EQ(value("0", 18), "0");
    EXPECT_EQ(value("79228162514.264337593543950335", 18), "79228162514264337593543950335");
    EXPECT_EQ(value("79228162514.264337593543950336", 18), "amount_too_large");
    EXPECT_EQ(value("99999999999999999999999999999999999999999999", 0), "amount_too_large");
    EXPECT_EQ(value("0.1234567", 6), "too_many_decimals");
    EXPECT_EQ(value("3.1", 0), "too_many_decimals");
    for (const std::string_view bad :
         {"", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", " 1", "1 ", "0x10", "all"})
        EXPECT_EQ(value(bad, 18), "not_a_number") << bad;
    EXPECT_EQ(value(std::string(kMaxAmountChars + 1, '0'), 18), "not_a_number");
}

TEST(WalletAmount, IsWrittenInItsShortestForm) {
    EXPECT_EQ(format_token_amount(Amount(1), 18), "0.000000000000000001");
    EXPECT_EQ(format_token_amount(Amount(12'500'000), 6), "12.5");
    EXPECT_EQ(format_token_amount(Amount(12'000'000), 6), "12");
    EXPECT_EQ(format_token_amount(Amount(0), 6), "0");
    EXPECT_EQ(format_token_amount(Amount(100), 0), "100");
    EXPECT_EQ(format_token_amount(Amount::max(), 28), "7.9228162514264337593543950335");
}

TEST(WalletBackup, BringsTheKeyBackFromPaper) {
    const Backup backup{key_bytes(kKeys.secret(6)), kKeys.address(6)};
    const SecretText printed = print_backup(backup);
    EXPECT_EQ(std::ranges::count(printed.text(), '\n'), 5);
    const auto again = parse_backup("  " + upper(printed.text()) + "\t");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->secret.bytes(), backup.secret.bytes());
    EXPECT_EQ(again->address, backup.address);
    const std::string text = format_backup(backup).text();
    EXPECT_EQ(text.size(), 122u);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string wrong = text;
        wrong[i] = wrong[i] == 'q' ? 'p' : 'q';
        EXPECT_FALSE(parse_backup(wrong)) << i;
    }
    EXPECT_FALSE(parse_backup(format_receiving_address(owner(6))));
    EXPECT_FALSE(parse_backup(format_backup({KeyBytes(), kKeys.address(6)}).text()));  // the secret 0 is no key
}

// The signature by `cast wallet sign --data` (Foundry 1.7.1) over the JSON of derive_key_typed_data_json, the
// derivation from it with Python's hashlib and hmac.
TEST(WalletDerivation, EqualsWhatABrowserWalletSigns) {
    const auto key =
        parse_ethereum_key(" 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n").value();
    EXPECT_EQ(format_l1_address(l1_address(key)), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    const auto hub = *parse_l1_address("0x5fbdb2315678afecb367f032d93f642f64180aa3");
    EXPECT_EQ(to_hex(derive_l2_key(key, {31337, hub, 5, 2}).encode()),
              "0x961a8b8642019a9a4e7e7b795552b562fa4b86aaf7974fd05aabd93c05c3558602b073f6f5e038b932bb06");
    for (const std::string_view bad :
         {"", "  ", "0x", "ac0974", "zz0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
          "0x0000000000000000000000000000000000000000000000000000000000000000"})
        EXPECT_EQ(parse_ethereum_key(bad).error().name, "bad_ethereum_key") << bad;
}

TEST(WalletNetwork, SurvivesTheWayThroughText) {
    Network network;
    network.rpc = "http://127.0.0.1:9545";
    network.parameters = {31337, kKeys.address(1), 4, owner(3).key_hash, Amount(5)};
    network.tokens = {
        {1, kKeys.address(7), 6, "USDC"}, {3, kKeys.address(8), 6, "ETH"}, {9, kKeys.address(9), 0, "USDC"}};
    const std::string text = format_network(network);
    const auto again = parse_network(text);
    ASSERT_TRUE(again.ok()) << again.error().cause;
    EXPECT_EQ(again.value(), network);
    EXPECT_EQ(network.find_token("0")->symbol, "ETH");
    EXPECT_EQ(network.find_token("9")->decimals, 0u);
    // Two contracts call themselves so, and one calls itself ether: only the number is clear.
    EXPECT_FALSE(network.find_token("USDC"));
    EXPECT_FALSE(network.find_token("ETH"));
    EXPECT_FALSE(network.find_token("2"));
    EXPECT_EQ(parse_network("").error().name, "bad_network");
    EXPECT_EQ(parse_network(text + "x").error().name, "bad_network");
    EXPECT_EQ(parse_network(text + text).error().name, "bad_network");
    EXPECT_EQ(clean_symbol("US\x1b[31m\"DC"), "US31mDC");
    EXPECT_EQ(clean_symbol("\n"), "token");
}

}  // namespace
}  // namespace quarry::node::wallet::wallet_text_test
