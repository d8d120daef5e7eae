#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "quarry/node/expected.hpp"
#include "quarry/node/wallet/secret_bytes.hpp"
#include "quarry/rollup/types.hpp"

/// An L2 key in a file, encrypted with a passphrase:
///
///     k          = scrypt(passphrase, salt, N = 2^kdf_log_n, r, p), 32 bytes                  [RFC7914]
///     ciphertext = AES-256-GCM(k, iv, secret), authenticated together with all fields before it
///     checksum   = Keccak-256 of everything before it
///
/// The checksum tells a damaged file from a wrong passphrase. Every file has a salt of its own, so no k is used twice.
/// Format: docs/users.md.
namespace quarry::node::wallet {

inline constexpr std::size_t kMaxKeystoreBytes = 4096;
inline constexpr std::size_t kMinPassphraseBytes = 8;
inline constexpr std::size_t kMaxPassphraseBytes = 1024;

/// Memory of the derivation: 128 r 2^log_n bytes.
struct ScryptCost {
    static constexpr unsigned kMinLogN = 10;
    static constexpr unsigned kMaxLogN = 20;  ///< 1 GiB: a file may not ask for more
    static constexpr unsigned kMaxP = 4;
    std::uint32_t log_n = 17;  ///< 128 MiB, half a second
    std::uint32_t r = 8;
    std::uint32_t p = 1;
    friend bool operator==(const ScryptCost&, const ScryptCost&) noexcept = default;
};

/// Where a key comes from, so that its owner knows how to get it back.
enum class KeyOrigin {
    random,    ///< only a backup brings it back
    ethereum,  ///< the same Ethereum key derives it again
    backup,    ///< restored
};
const char* key_origin_name(KeyOrigin origin) noexcept;

/// What an Ethereum key's signature is asked for, beside the account itself (quarry/curve/key_derivation.hpp).
struct KeyDerivation {
    std::uint64_t chain_id = 0;  ///< of the rollup's L1
    rollup::L1Address hub;
    std::uint32_t rollup = 0;  ///< its number at the hub
    std::uint64_t key_index = 0;
    friend bool operator==(const KeyDerivation&, const KeyDerivation&) noexcept = default;
};

/// What anyone may know of a key.
struct KeyDescription {
    rollup::Owner owner;  ///< what it is paid at
    KeyOrigin origin = KeyOrigin::random;
    KeyDerivation derivation{};  ///< zero for other origins than ethereum
    friend bool operator==(const KeyDescription&, const KeyDescription&) noexcept = default;
};

struct KeystoreFile {
    KeyDescription description;
    ScryptCost cost;
    std::array<std::uint8_t, 32> salt{};
    std::array<std::uint8_t, 12> iv{};
    std::array<std::uint8_t, KB11::kScalarBytes> ciphertext{};
    std::array<std::uint8_t, 16> tag{};
};

/// Encrypts. Precondition: description.owner.key_hash is the key's.
KeystoreFile seal_key(const SecretKey<KB11>& key, const KeyDescription& description, std::string_view passphrase,
                      const ScryptCost& cost, const Entropy& entropy);
/// wrong_passphrase: it is not this file's. keystore_damaged: what was inside is not the key that the file names.
Outcome<SecretKey<KB11>> open_key(const KeystoreFile& file, std::string_view passphrase);

std::string format_keystore(const KeystoreFile& file);
/// not_a_keystore, keystore_version, keystore_damaged (the checksum), keystore_parameters (a derivation that this
/// program does not do). Total; problems speak of "the key file": the caller knows its path.
Outcome<KeystoreFile> parse_keystore(std::string_view text);

}  // namespace quarry::node::wallet
