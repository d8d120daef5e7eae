#include "quarry/apps/wallet_options.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "quarry/apps/passphrase.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/ethereum/clock.hpp"
#include "quarry/node/wallet/ethereum_key.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/node/wallet/token_amount.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::apps {

using node::wallet::Network;
using node::wallet::Token;

namespace {

constexpr const char* kEthereumKeyVariable = "QUARRY_ETHEREUM_KEY";

}  // namespace

void add_folder_option(CLI::App& command, WalletOptions& options) {
    command.add_option("--wallet", options.folder, "the wallet's folder (default: ~/.quarry/wallet)")
        ->type_name("DIR")
        ->envname("QUARRY_WALLET");
}

void add_key_options(CLI::App& command, WalletOptions& options) {
    add_folder_option(command, options);
    command.add_option("--key", options.key, "name of the key (default: the only one)")
        ->type_name("NAME")
        ->envname("QUARRY_WALLET_KEY");
    command
        .add_option(
            "--passphrase-file", options.passphrase_file,
            "the passphrase is the first line of this file (default: $QUARRY_WALLET_PASSPHRASE, or you type it)")
        ->type_name("FILE");
}

void add_rpc_option(CLI::App& command, WalletOptions& options) {
    command.add_option("--rpc", options.rpc, "the sequencer (default: the one the wallet is connected to)")
        ->type_name("URL")
        ->envname("QUARRY_RPC");
}

void add_l1_option(CLI::App& command, WalletOptions& options) {
    command.add_option("--l1", options.l1, "an Ethereum node (default: the one the wallet is connected to)")
        ->type_name("URL")
        ->envname("QUARRY_L1");
}

void add_ethereum_key_option(CLI::App& command, WalletOptions& options) {
    command
        .add_option("--ethereum-key", options.ethereum_key,
                    "file with the Ethereum key, 64 hexadecimal digits (default: $QUARRY_ETHEREUM_KEY)")
        ->type_name("FILE");
}

node::wallet::WalletFolder wallet_folder(const WalletOptions& options) {
    if (!options.folder.empty()) return node::wallet::WalletFolder(options.folder);
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0')
        throw Failure(exit_environment, "no_home", "HOME is not set", "give the wallet's folder with --wallet DIR");
    return node::wallet::WalletFolder(std::string(home) + "/.quarry/wallet");
}

ChosenKey choose_key(const WalletOptions& options) {
    const auto folder = wallet_folder(options);
    std::string name = options.key;
    if (name.empty()) {
        const auto names = folder.key_names();
        if (names.empty())
            throw Failure(exit_bad_input, "no_such_key", fmt::format("{} holds no key yet", folder.path()),
                          "make one with `quarry wallet new` or `quarry wallet derive`");
        if (names.size() > 1)
            throw Failure(exit_bad_input, "choose_key", fmt::format("{} holds {} keys", folder.path(), names.size()),
                          "say which with --key NAME; `quarry wallet list` shows them");
        name = names.front();
    }
    return {name, value_of(folder.read_key(name))};
}

SecretKey<KB11> unlock(const ChosenKey& key, const WalletOptions& options) {
    const auto passphrase =
        read_passphrase(options.passphrase_file, fmt::format("passphrase of key '{}'", key.name), false);
    return value_of(node::wallet::open_key(key.file, passphrase.text()));
}

ethereum::PrivateKey ethereum_key(const WalletOptions& options) {
    if (!options.ethereum_key.empty()) {
        const auto text = read_secret_file(options.ethereum_key);
        return value_of(node::wallet::parse_ethereum_key(text.text()));
    }
    const char* set = std::getenv(kEthereumKeyVariable);
    if (set == nullptr)
        throw Failure(exit_usage, "no_ethereum_key", "this needs an Ethereum key",
                      fmt::format("give --ethereum-key FILE, or set {}", kEthereumKeyVariable));
    return value_of(node::wallet::parse_ethereum_key(set));
}

Network network(const WalletOptions& options) {
    Network r = value_of(node::wallet::read_network(wallet_folder(options).network_path()));
    if (!options.rpc.empty()) r.rpc = options.rpc;
    if (!options.l1.empty()) r.l1 = options.l1;
    return r;
}

node::wallet::SequencerClient sequencer(const Network& network) {
    return value_of(
        node::wallet::SequencerClient::connect(network.rpc, ethereum::make_http_transport(), ethereum::system_clock()));
}

node::wallet::SequencerStatus check_rollup(node::wallet::SequencerClient& client, const Network& network) {
    auto status = value_of(client.status());
    if (status.parameters == network.parameters) return status;
    throw Failure(exit_refused, "wrong_rollup",
                  fmt::format("{} serves another rollup than the wallet is connected to", network.rpc),
                  "give its own sequencer with --rpc, or use another --wallet folder for the other rollup");
}

Token token_of(const Network& network, const std::string& name) {
    if (const auto token = network.find_token(name)) return *token;
    throw Failure(exit_usage, "unknown_token", fmt::format("the wallet knows no token '{}', or more than one", name),
                  "give its number; `quarry wallet connect --replace --l1 URL ..` reads the rollup's tokens again");
}

rollup::Amount amount_in(const std::string& text, const Token& token) {
    const auto amount = node::wallet::parse_token_amount(text, token.decimals);
    if (amount) return amount.value();
    throw Failure(exit_usage, node::wallet::amount_error_name(amount.error()),
                  fmt::format("'{}': {}", text, node::wallet::amount_error_text(amount.error())),
                  fmt::format("{} has {} decimal places", token.symbol, token.decimals));
}

std::string show_amount(rollup::Amount amount, const Token& token) {
    return node::wallet::format_token_amount(amount, token.decimals) + " " + token.symbol;
}

rollup::L1Address l1_address_of(const std::string& text, const std::string& option) {
    if (const auto address = node::wallet::parse_l1_address(text)) return *address;
    throw Failure(exit_usage, "bad_address", fmt::format("{}: '{}' is no Ethereum address", option, text),
                  "it is 0x and 40 digits; digits of mixed case are checked against each other: copy it again");
}

std::uint64_t unix_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace quarry::apps
