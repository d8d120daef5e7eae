#include "quarry/node/wallet/keystore.hpp"

#include <cryptopp/aes.h>
#include <cryptopp/gcm.h>
#include <cryptopp/osrng.h>
#include <cryptopp/scrypt.h>

#include <optional>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::string_view kKeystoreFormat = "quarry-key";
constexpr std::uint64_t kKeystoreVersion = 1;
constexpr std::string_view kKdf = "scrypt";
constexpr std::string_view kCipher = "aes-256-gcm";
constexpr std::string_view kSeparator = "\n  ";

using CipherKey = SecretBytes<32>;

CipherKey derive_cipher_key(std::string_view passphrase, const ScryptCost& cost,
                            std::span<const std::uint8_t, 32> salt) {
    CipherKey key;
    const auto secret = as_bytes(passphrase);
    CryptoPP::Scrypt().DeriveKey(key.bytes().data(), key.bytes().size(), secret.data(), secret.size(), salt.data(),
                                 salt.size(), std::uint64_t{1} << cost.log_n, cost.r, cost.p);
    return key;
}

/// The fields before the ciphertext: what is authenticated with it.
ObjectWriter& write_open_fields(ObjectWriter& w, const KeystoreFile& file) {
    const KeyDescription& d = file.description;
    w.text("format", kKeystoreFormat).integer("version", kKeystoreVersion);
    w.elements("key_hash", d.owner.key_hash).address("address", d.owner.address);
    w.text("origin", key_origin_name(d.origin));
    w.integer("chain_id", d.derivation.chain_id).address("hub", d.derivation.hub);
    w.integer("rollup", d.derivation.rollup).integer("key_index", d.derivation.key_index);
    w.text("kdf", kKdf).integer("kdf_log_n", file.cost.log_n);
    w.integer("kdf_r", file.cost.r).integer("kdf_p", file.cost.p).hex("salt", file.salt);
    return w.text("cipher", kCipher).hex("iv", file.iv);
}

std::string open_text(const KeystoreFile& file) {
    ObjectWriter w;
    write_open_fields(w, file);
    return std::move(w).finish();
}

ObjectWriter& write_fields(ObjectWriter& w, const KeystoreFile& file) {
    return write_open_fields(w, file).hex("ciphertext", file.ciphertext).hex("tag", file.tag);
}

Bytes32 checksum(const KeystoreFile& file) {
    ObjectWriter w;
    write_fields(w, file);
    return keccak256(as_bytes(std::move(w).finish()));
}

std::optional<KeyOrigin> origin_of(std::string_view name) {
    for (const KeyOrigin origin : {KeyOrigin::random, KeyOrigin::ethereum, KeyOrigin::backup}) {
        if (name == key_origin_name(origin)) return origin;
    }
    return std::nullopt;
}

Problem damaged(const std::string& how) {
    return {Problem::Kind::bad_input, "keystore_damaged", "the key file is damaged: " + how,
            "take a copy of it, or `quarry wallet restore` your backup"};
}
Problem foreign(const std::string& name, const std::string& cause) {
    return {Problem::Kind::bad_input, name, "the key file " + cause, "use the release of quarry that wrote it"};
}

/// The first cause for which a file that is JSON is refused; no value: none.
std::optional<Problem> read_fields(ObjectReader& r, KeystoreFile& file) {
    KeyDescription& d = file.description;
    if (r.text("format") != kKeystoreFormat)
        return Problem{Problem::Kind::bad_input, "not_a_keystore", "the file holds no key",
                       "give a key file, as `quarry wallet new` writes it"};
    if (r.integer<std::uint64_t>("version") != kKeystoreVersion)
        return foreign("keystore_version", "has another version");
    d.owner = {r.digest("key_hash"), r.address("address")};
    const auto origin = origin_of(r.text("origin"));
    d.origin = origin.value_or(KeyOrigin::random);
    d.derivation.chain_id = r.integer<std::uint64_t>("chain_id");
    d.derivation.hub = r.address("hub");
    d.derivation.rollup = r.integer<std::uint32_t>("rollup");
    d.derivation.key_index = r.integer<std::uint64_t>("key_index");
    const bool kdf_known = r.text("kdf") == kKdf;
    file.cost = {r.integer<std::uint32_t>("kdf_log_n"), r.integer<std::uint32_t>("kdf_r"),
                 r.integer<std::uint32_t>("kdf_p")};
    file.salt = r.bytes<32>("salt");
    const bool cipher_known = r.text("cipher") == kCipher;
    file.iv = r.bytes<12>("iv");
    file.ciphertext = r.bytes<KB11::kScalarBytes>("ciphertext");
    file.tag = r.bytes<16>("tag");
    const auto stated = r.bytes<32>("checksum");
    if (const auto error = r.finish())
        return damaged(std::string(json_code_text(error->code)) + (error->field.empty() ? "" : ": " + error->field));
    if (!origin || stated != checksum(file)) return damaged("its checksum is another");
    const ScryptCost& c = file.cost;
    const bool in_bounds = c.log_n >= ScryptCost::kMinLogN && c.log_n <= ScryptCost::kMaxLogN && c.r == 8 && c.p >= 1 &&
                           c.p <= ScryptCost::kMaxP;
    if (!kdf_known || !cipher_known || !in_bounds)
        return foreign("keystore_parameters", "asks for a derivation or a cipher that this program does not do");
    return std::nullopt;
}

}  // namespace

Entropy system_entropy() {
    return [](std::span<std::uint8_t> out) { CryptoPP::OS_GenerateRandomBlock(true, out.data(), out.size()); };
}

const char* key_origin_name(KeyOrigin origin) noexcept {
    switch (origin) {
        case KeyOrigin::random:
            return "random";
        case KeyOrigin::ethereum:
            return "ethereum";
        case KeyOrigin::backup:
            return "backup";
    }
    return "unknown";
}

KeystoreFile seal_key(const SecretKey<KB11>& key, const KeyDescription& description, std::string_view passphrase,
                      const ScryptCost& cost, const Entropy& entropy) {
    QUARRY_CHECK(description.owner.key_hash == key.public_key().hash());
    KeystoreFile file;
    file.description = description;
    file.cost = cost;
    entropy(file.salt);
    entropy(file.iv);
    const CipherKey cipher_key = derive_cipher_key(passphrase, cost, file.salt);
    const KeyBytes secret = key_bytes(key);
    const std::string open = open_text(file);
    CryptoPP::GCM<CryptoPP::AES>::Encryption cipher;
    cipher.SetKeyWithIV(cipher_key.bytes().data(), cipher_key.bytes().size(), file.iv.data(), file.iv.size());
    cipher.EncryptAndAuthenticate(file.ciphertext.data(), file.tag.data(), file.tag.size(), file.iv.data(),
                                  static_cast<int>(file.iv.size()), as_bytes(open).data(), open.size(),
                                  secret.bytes().data(), secret.bytes().size());
    return file;
}

Outcome<SecretKey<KB11>> open_key(const KeystoreFile& file, std::string_view passphrase) {
    const CipherKey cipher_key = derive_cipher_key(passphrase, file.cost, file.salt);
    KeyBytes secret;
    const std::string open = open_text(file);
    CryptoPP::GCM<CryptoPP::AES>::Decryption cipher;
    cipher.SetKeyWithIV(cipher_key.bytes().data(), cipher_key.bytes().size(), file.iv.data(), file.iv.size());
    const bool authentic = cipher.DecryptAndVerify(
        secret.bytes().data(), file.tag.data(), file.tag.size(), file.iv.data(), static_cast<int>(file.iv.size()),
        as_bytes(open).data(), open.size(), file.ciphertext.data(), file.ciphertext.size());
    if (!authentic)
        return Problem{Problem::Kind::refused, "wrong_passphrase", "the passphrase does not open this key",
                       "try again: upper and lower case, keyboard layout; or restore your backup under another name"};
    auto key = SecretKey<KB11>::decode(secret.bytes());
    if (!key || key.value().public_key().hash() != file.description.owner.key_hash)
        return damaged("what it holds is not the key that it names");
    return std::move(key).value();
}

std::string format_keystore(const KeystoreFile& file) {
    ObjectWriter w(kSeparator);
    write_fields(w, file).hex("checksum", checksum(file));
    return std::move(w).finish() + "\n";
}

Outcome<KeystoreFile> parse_keystore(std::string_view text) {
    ObjectReader r(text, kMaxKeystoreBytes);
    KeystoreFile file;
    if (auto problem = read_fields(r, file)) return std::move(*problem);
    return file;
}

}  // namespace quarry::node::wallet
