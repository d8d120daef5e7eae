#pragma once
#include <cstddef>
#include <string>

#include "quarry/node/wallet/secret_bytes.hpp"

namespace quarry::apps {

/// The passphrase of a key: from `file` (its first line) if one is named, else from QUARRY_WALLET_PASSPHRASE, else
/// typed at the terminal, which shows nothing of it; `is_new`: typed twice, and not too short. Throws Failure:
/// no_passphrase, passphrase_too_short, passphrases_differ, cannot_read, open_to_others, interrupted.
node::wallet::SecretText read_passphrase(const std::string& file, const std::string& prompt, bool is_new);

/// What is typed or piped, up to `limit_bytes`. Throws Failure(exit_bad_input).
node::wallet::SecretText read_standard_input(std::size_t limit_bytes);

/// A file that holds a secret in the clear. Throws Failure(exit_bad_input): unreadable, or a regular file that other
/// users may read (open_to_others).
node::wallet::SecretText read_secret_file(const std::string& path);

}  // namespace quarry::apps
