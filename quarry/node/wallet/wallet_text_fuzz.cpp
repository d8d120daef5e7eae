/// What people type or paste into a wallet, its files, and what a sequencer answers: whatever the parsers accept is
/// written and read again unchanged.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "quarry/base/check.hpp"
#include "quarry/node/wallet/backup.hpp"
#include "quarry/node/wallet/bech32m.hpp"
#include "quarry/node/wallet/ethereum_key.hpp"
#include "quarry/node/wallet/keystore.hpp"
#include "quarry/node/wallet/network.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/node/wallet/sequencer_client.hpp"
#include "quarry/node/wallet/signed_log.hpp"
#include "quarry/node/wallet/token_amount.hpp"
#include "quarry/rollup/hashing.hpp"

namespace {

using namespace quarry::node::wallet;

void check_addresses(std::string_view text) {
    if (const auto owner = parse_receiving_address(text))
        QUARRY_CHECK(parse_receiving_address(format_receiving_address(*owner)) == owner);
    if (const auto address = parse_l1_address(text))
        QUARRY_CHECK(parse_l1_address(format_l1_address(*address)) == address);
    if (const auto bytes = decode_bech32m("quarry", text))
        QUARRY_CHECK(decode_bech32m("quarry", encode_bech32m("quarry", *bytes)) == bytes);
}

void check_amount(std::string_view text) {
    for (const unsigned decimals : {0U, 6U, 18U, kMaxDecimals}) {
        const auto amount = parse_token_amount(text, decimals);
        if (!amount) continue;
        const auto again = parse_token_amount(format_token_amount(amount.value(), decimals), decimals);
        QUARRY_CHECK(again.ok() && again.value() == amount.value());
    }
}

void check_backup(std::string_view text) {
    const auto backup = parse_backup(text);
    if (!backup) return;
    const auto again = parse_backup(format_backup(*backup).text());
    QUARRY_CHECK(again && again->address == backup->address && again->secret.bytes() == backup->secret.bytes());
}

void check_keystore(std::string_view text) {
    const auto file = parse_keystore(text);
    if (!file) return;
    const auto again = parse_keystore(format_keystore(file.value()));
    QUARRY_CHECK(again.ok() && format_keystore(again.value()) == format_keystore(file.value()));
}

void check_files(std::string_view text) {
    if (const auto network = parse_network(text)) {
        const auto again = parse_network(format_network(network.value()));
        QUARRY_CHECK(again.ok() && again.value() == network.value());
    }
    if (const auto log = parse_signed_log(text, quarry::Digest{}))
        QUARRY_CHECK(log.value().complete_bytes <= text.size());
    const auto key = parse_ethereum_key(text);
    if (!key) QUARRY_CHECK(key.error().name == "bad_ethereum_key");
}

void check_answers(std::string_view text) {
    (void)parse_status_answer(text);
    (void)parse_fee_answer(text);
    (void)parse_cursors_answer(text);
    (void)parse_receipt_answer(text);
    const auto accounts = parse_accounts_answer(text);
    if (!accounts) return;
    for (const AccountView& account : accounts.value())
        QUARRY_CHECK(account.pair == quarry::rollup::pair_hash(account.owner));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_addresses(text);
    check_amount(text);
    check_backup(text);
    check_keystore(text);
    check_files(text);
    check_answers(text);
    return 0;
}
