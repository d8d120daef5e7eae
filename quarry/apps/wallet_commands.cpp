#include "quarry/apps/wallet_commands.hpp"

namespace quarry::apps {

void add_wallet_commands(CLI::App& app, Session& session) {
    CLI::App* wallet = app.add_subcommand("wallet", "Keys and funds of a user: docs/users.md");
    wallet->require_subcommand(1);
    wallet->footer(
        "Examples:\n"
        "  quarry wallet connect --rpc http://127.0.0.1:9545 --l1 http://127.0.0.1:8545\n"
        "  quarry wallet derive --ethereum-key eth.key\n"
        "  quarry wallet deposit --amount 0.5 --ethereum-key eth.key\n"
        "  quarry wallet transfer --to quarry1qp.. --amount 0.25\n"
        "  quarry wallet withdraw --amount all --wait claimable\n"
        "  quarry wallet claim --ethereum-key eth.key");
    add_wallet_network_commands(*wallet, session);
    add_wallet_key_commands(*wallet, session);
    add_wallet_payment_commands(*wallet, session);
    add_wallet_l1_commands(*wallet, session);
}

}  // namespace quarry::apps
