#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/node/wallet/keystore.hpp"

/// Where a wallet keeps what it has:
///
///     DIR/keys/NAME.json    one encrypted key each
///     DIR/network.json      the rollup that it is connected to (network.hpp)
///     DIR/operations/..     what it has signed (signed_log.hpp)
///
/// Folders are for their owner only (0700), files too (0600).
namespace quarry::node::wallet {

/// 1 to 32 characters: a to z, 0 to 9, "-" and "_", the first no "-".
bool is_key_name(std::string_view name) noexcept;

/// A new file with mode 0600, there as a whole and on disk, or not at all. file_exists: never overwrites, whoever else
/// creates it meanwhile.
Outcome<Done> create_private_file(const std::string& path, std::span<const std::uint8_t> bytes);
/// The same in place of what is there.
Outcome<Done> replace_private_file(const std::string& path, std::span<const std::uint8_t> bytes);
/// A folder with mode 0700, and those above it.
Outcome<Done> make_private_folder(const std::string& path);

class WalletFolder {
  public:
    explicit WalletFolder(std::string path) : path_(std::move(path)) {}

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string key_path(const std::string& name) const;
    [[nodiscard]] std::string network_path() const { return path_ + "/network.json"; }
    /// Sorted. A folder that does not exist has none.
    [[nodiscard]] std::vector<std::string> key_names() const;
    /// no_such_key, and what parse_keystore refuses, with the path.
    [[nodiscard]] Outcome<KeystoreFile> read_key(const std::string& name) const;
    /// key_exists. Precondition: is_key_name(name).
    Outcome<Done> add_key(const std::string& name, const KeystoreFile& file) const;

  private:
    std::string path_;
};

}  // namespace quarry::node::wallet
