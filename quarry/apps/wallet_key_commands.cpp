#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>

#include "quarry/apps/files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/passphrase.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/wallet_commands.hpp"
#include "quarry/apps/wallet_options.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/backup.hpp"
#include "quarry/node/wallet/ethereum_key.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/rollup/hashing.hpp"

/// Commands on the keys of a wallet: new, derive, backup, restore, list, address.
namespace quarry::apps {
namespace {

namespace json = boost::json;
namespace wallet = node::wallet;

constexpr std::size_t kMaxBackupFileBytes = 4096;

struct KeyCommand {
    WalletOptions options;
    std::string name = "main";
    std::string address;  ///< L1
    std::string file;     ///< of a backup
    std::uint64_t index = 0;
    std::optional<std::uint64_t> chain_id;
    std::string hub;
    std::optional<std::uint32_t> rollup;
};

json::object to_json(const std::string& name, const wallet::KeyDescription& d) {
    json::object r{{"name", name},
                   {"receiving_address", wallet::format_receiving_address(d.owner)},
                   {"key_hash", node::to_hex(d.owner.key_hash)},
                   {"l1_address", wallet::format_l1_address(d.owner.address)},
                   {"pair", node::to_hex(rollup::pair_hash(d.owner))},
                   {"origin", wallet::key_origin_name(d.origin)}};
    if (d.origin == wallet::KeyOrigin::ethereum) {
        r["chain_id"] = d.derivation.chain_id;
        r["hub"] = wallet::format_l1_address(d.derivation.hub);
        r["rollup"] = d.derivation.rollup;
        r["key_index"] = d.derivation.key_index;
    }
    return r;
}

/// Encrypts a key under a new passphrase and says what was made.
void store_key(const KeyCommand& command, const SecretKey<KB11>& key, const wallet::KeyDescription& description,
               const std::string& advice, const Session& session) {
    const auto folder = wallet_folder(command.options);
    const auto passphrase = read_passphrase(command.options.passphrase_file,
                                            fmt::format("a new passphrase for key '{}'", command.name), true);
    const auto file =
        wallet::seal_key(key, description, passphrase.text(), wallet::ScryptCost(), wallet::system_entropy());
    value_of(folder.add_key(command.name, file));
    if (session.json) {
        json::object document{{"ok", true}};
        for (const auto& member : to_json(command.name, description)) document[member.key()] = member.value();
        document["file"] = folder.key_path(command.name);
        print_json(document);
        return;
    }
    print(fmt::format("key '{}' in {}\n  receiving address  {}\n  L1 address         {}\n{}\n", command.name,
                      folder.key_path(command.name), wallet::format_receiving_address(description.owner),
                      wallet::format_l1_address(description.owner.address), advice));
}

/// Before anybody types a passphrase for nothing.
void check_free(const KeyCommand& command) {
    const auto folder = wallet_folder(command.options);
    for (const std::string& name : folder.key_names()) {
        if (name == command.name)
            throw Failure(exit_environment, "key_exists", fmt::format("{} has a key '{}' already", folder.path(), name),
                          "choose another --name: a key is never overwritten");
    }
}

void run_new(const KeyCommand& command, const Session& session) {
    check_free(command);
    const auto address = l1_address_of(command.address, "--l1-address");
    wallet::SecretBytes<64> wide;
    wallet::system_entropy()(wide.bytes());
    const auto key = SecretKey<KB11>::from_wide(wide.bytes());
    const wallet::KeyDescription description{.owner = {key.public_key().hash(), address},
                                             .origin = wallet::KeyOrigin::random};
    store_key(command, key, description,
              "Nothing but a backup brings this key back: `quarry wallet backup --key " + command.name + "`.", session);
}

void run_derive(const KeyCommand& command, const Session& session) {
    check_free(command);
    wallet::KeyDescription d;
    d.origin = wallet::KeyOrigin::ethereum;
    const int num_given = command.chain_id.has_value() + !command.hub.empty() + command.rollup.has_value();
    if (num_given == 3) {
        d.derivation = {*command.chain_id, l1_address_of(command.hub, "--hub"), *command.rollup, command.index};
    } else if (num_given == 0) {
        const auto parameters = network(command.options).parameters;
        d.derivation = {parameters.l1_chain_id, parameters.hub, parameters.rollup_id, command.index};
    } else {
        throw Failure(exit_usage, "usage", "--chain-id, --hub and --rollup go together", "give all three or none");
    }
    const auto ethereum = ethereum_key(command.options);
    const auto key = wallet::derive_l2_key(ethereum, d.derivation);
    d.owner = {key.public_key().hash(), wallet::l1_address(ethereum)};
    store_key(command, key, d, "The same Ethereum key derives it again, for this rollup and this --index.", session);
}

void run_backup(const KeyCommand& command, const Session& session) {
    const ChosenKey chosen = choose_key(command.options);
    const auto key = unlock(chosen, command.options);
    const wallet::Backup backup{wallet::key_bytes(key), chosen.owner().address};
    if (!command.file.empty()) {
        value_of(wallet::create_private_file(command.file, node::as_bytes(wallet::print_backup(backup).text())));
    }
    if (session.json) {
        json::object document{{"ok", true}, {"name", chosen.name}};
        if (command.file.empty()) {
            document["backup"] = wallet::format_backup(backup).text();
        } else {
            document["file"] = command.file;
        }
        print_json(document);
        return;
    }
    if (command.file.empty()) print(wallet::print_backup(backup).text());
    if (!session.quiet)
        (void)std::fprintf(stderr,
                           "Whoever reads this owns the account. Keep it on paper, away from this machine; it is not "
                           "protected by the passphrase.\n");
}

void run_restore(const KeyCommand& command, const Session& session) {
    check_free(command);
    const auto text = command.file == "-" ? read_standard_input(kMaxBackupFileBytes) : read_secret_file(command.file);
    const auto backup = wallet::parse_backup(text.text());
    if (!backup)
        throw Failure(exit_bad_input, "bad_backup", "this is no backup, or a letter of it is wrong",
                      "compare it with the paper, letter by letter: it starts with quarrysecret1");
    const auto key = SecretKey<KB11>::decode(backup->secret.bytes());
    const wallet::KeyDescription description{.owner = {key.value().public_key().hash(), backup->address},
                                             .origin = wallet::KeyOrigin::backup};
    store_key(command, key.value(), description, "Its balance: `quarry wallet balance --key " + command.name + "`.",
              session);
}

void run_list(const KeyCommand& command, const Session& session) {
    const auto folder = wallet_folder(command.options);
    json::array keys;
    std::string text;
    for (const std::string& name : folder.key_names()) {
        const auto file = value_of(folder.read_key(name));
        keys.push_back(to_json(name, file.description));
        text += fmt::format("{:<16} {:<9} {}\n", name, wallet::key_origin_name(file.description.origin),
                            wallet::format_l1_address(file.description.owner.address));
    }
    if (session.json) {
        print_json(json::object{{"ok", true}, {"wallet", folder.path()}, {"keys", std::move(keys)}});
        return;
    }
    print(text.empty() ? fmt::format("{} holds no keys\n", folder.path()) : text);
}

void run_address(const KeyCommand& command, const Session& session) {
    const ChosenKey chosen = choose_key(command.options);
    if (session.json) {
        json::object document{{"ok", true}};
        for (const auto& member : to_json(chosen.name, chosen.file.description))
            document[member.key()] = member.value();
        print_json(document);
        return;
    }
    print(wallet::format_receiving_address(chosen.owner()) + "\n");
}

void add_name_option(CLI::App& command, std::string& name) {
    command.add_option("--name", name, "name of the key in the wallet")
        ->type_name("NAME")
        ->capture_default_str()
        ->check([](const std::string& text) {
            return wallet::is_key_name(text) ? std::string() : "'" + text + "' is not 1 to 32 of a-z, 0-9, - and _";
        });
}

/// A command of this file with the options that all of them have.
CLI::App* add(CLI::App& parent, Session& session, const std::string& name, const std::string& description,
              const std::string& example, const std::shared_ptr<KeyCommand>& options,
              void (*run)(const KeyCommand&, const Session&)) {
    return add_command(parent, session, name, description, example,
                       [options, run, &session] { run(*options, session); });
}

void add_new_key_options(CLI::App& command, KeyCommand& options) {
    add_folder_option(command, options.options);
    add_name_option(command, options.name);
    command
        .add_option(
            "--passphrase-file", options.options.passphrase_file,
            "the passphrase is the first line of this file (default: $QUARRY_WALLET_PASSPHRASE, or you type it)")
        ->type_name("FILE");
}

}  // namespace

void add_wallet_key_commands(CLI::App& parent, Session& session) {
    auto made = std::make_shared<KeyCommand>();
    CLI::App* command = add(parent, session, "new", "Make a key that nothing but its backup brings back",
                            "quarry wallet new --l1-address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", made, run_new);
    add_new_key_options(*command, *made);
    command->add_option("--l1-address", made->address, "your Ethereum address: it can change the key and force an exit")
        ->type_name("ADDRESS")
        ->required();

    auto derived = std::make_shared<KeyCommand>();
    command = add(parent, session, "derive", "Derive a key from an Ethereum key (EIP-712), which owns the account",
                  "quarry wallet derive --ethereum-key eth.key", derived, run_derive);
    add_new_key_options(*command, *derived);
    add_ethereum_key_option(*command, derived->options);
    command->add_option("--index", derived->index, "which of the keys of this Ethereum key")
        ->type_name("N")
        ->capture_default_str();
    command->add_option("--chain-id", derived->chain_id, "of the rollup's L1 (default: the connected rollup's)")
        ->type_name("N");
    command->add_option("--hub", derived->hub, "the rollup's hub contract (default: the connected rollup's)")
        ->type_name("ADDRESS");
    command->add_option("--rollup", derived->rollup, "the rollup's number at the hub (default: the connected rollup's)")
        ->type_name("N");

    auto backed_up = std::make_shared<KeyCommand>();
    command = add(parent, session, "backup", "Show a key for paper: whoever reads it owns the account",
                  "quarry wallet backup --key main", backed_up, run_backup);
    add_key_options(*command, backed_up->options);
    command->add_option("--out", backed_up->file, "write it to this new file instead of showing it")->type_name("FILE");

    auto restored = std::make_shared<KeyCommand>();
    command = add(parent, session, "restore", "Bring a key back from its backup",
                  "quarry wallet restore --name main --in backup.txt", restored, run_restore);
    add_new_key_options(*command, *restored);
    command->add_option("--in", restored->file, "the backup; - reads what you type or pipe")
        ->type_name("FILE")
        ->required();

    auto listed = std::make_shared<KeyCommand>();
    command = add(parent, session, "list", "The keys of the wallet", "quarry wallet list", listed, run_list);
    add_folder_option(*command, listed->options);

    auto shown = std::make_shared<KeyCommand>();
    command = add(parent, session, "address", "What to give to whoever pays you", "quarry wallet address --key main",
                  shown, run_address);
    add_key_options(*command, shown->options);
}

}  // namespace quarry::apps
