#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "quarry/apps/commands.hpp"
#include "quarry/ethereum/secp256k1.hpp"
#include "quarry/node/wallet/keystore.hpp"
#include "quarry/node/wallet/network.hpp"
#include "quarry/node/wallet/sequencer_client.hpp"
#include "quarry/node/wallet/wallet_folder.hpp"

/// What the wallet's commands have in common. Everything here throws Failure.
namespace quarry::apps {

struct WalletOptions {
    std::string folder;           ///< empty: ~/.quarry/wallet
    std::string key;              ///< empty: the only one
    std::string passphrase_file;  ///< empty: environment or terminal
    std::string rpc;              ///< empty: of the network file
    std::string l1;               ///< empty: of the network file
    std::string ethereum_key;     ///< a file; empty: the environment
};

void add_folder_option(CLI::App& command, WalletOptions& options);
/// --key, --passphrase-file.
void add_key_options(CLI::App& command, WalletOptions& options);
void add_rpc_option(CLI::App& command, WalletOptions& options);
void add_l1_option(CLI::App& command, WalletOptions& options);
void add_ethereum_key_option(CLI::App& command, WalletOptions& options);

node::wallet::WalletFolder wallet_folder(const WalletOptions& options);

struct ChosenKey {
    std::string name;
    node::wallet::KeystoreFile file;
    [[nodiscard]] const rollup::Owner& owner() const { return file.description.owner; }
};
/// The key that --key names, or the only one of the wallet (no_such_key, choose_key).
ChosenKey choose_key(const WalletOptions& options);
/// Asks for the passphrase.
SecretKey<KB11> unlock(const ChosenKey& key, const WalletOptions& options);
/// From the file of --ethereum-key, or QUARRY_ETHEREUM_KEY.
ethereum::PrivateKey ethereum_key(const WalletOptions& options);

/// The rollup that the wallet is connected to, with --rpc and --l1 in place of what is stored.
node::wallet::Network network(const WalletOptions& options);
node::wallet::SequencerClient sequencer(const node::wallet::Network& network);
/// wrong_rollup: the sequencer serves another rollup than the wallet is connected to.
node::wallet::SequencerStatus check_rollup(node::wallet::SequencerClient& client, const node::wallet::Network& network);

/// By number or symbol; unknown_token.
node::wallet::Token token_of(const node::wallet::Network& network, const std::string& name);
/// In units of the token.
rollup::Amount amount_in(const std::string& text, const node::wallet::Token& token);
std::string show_amount(rollup::Amount amount, const node::wallet::Token& token);
/// For JSON and people: the L1 address of an option, or usage.
rollup::L1Address l1_address_of(const std::string& text, const std::string& option);
std::uint64_t unix_now();

}  // namespace quarry::apps
