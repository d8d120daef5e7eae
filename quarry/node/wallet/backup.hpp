#pragma once
#include <optional>
#include <string_view>

#include "quarry/node/wallet/secret_bytes.hpp"
#include "quarry/rollup/types.hpp"

/// A key on paper. Whoever reads it owns the account.
namespace quarry::node::wallet {

struct Backup {
    KeyBytes secret;
    rollup::L1Address address;
};

/// "quarrysecret1.." with a checksum, 122 characters: version (1 byte, 1), the secret (43 bytes), the L1 address.
SecretText format_backup(const Backup& backup);
/// The same in groups of six characters, five a line.
SecretText print_backup(const Backup& backup);
/// White space is skipped. Empty for a typing error, another version, a secret that is no key, the zero address. Total.
std::optional<Backup> parse_backup(std::string_view text);

}  // namespace quarry::node::wallet
