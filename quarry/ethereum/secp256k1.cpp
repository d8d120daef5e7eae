#include "quarry/ethereum/secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <array>

namespace quarry::ethereum {
namespace {

const secp256k1_context* context() {
    static const secp256k1_context* const made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return made;
}

Address address_of(const secp256k1_pubkey& key) {
    std::array<std::uint8_t, 65> bytes{};
    std::size_t size = bytes.size();
    secp256k1_ec_pubkey_serialize(context(), bytes.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
    const Bytes32 hash = keccak256(ByteView(bytes).subspan(1));
    Address r;
    std::copy_n(hash.begin() + 12, 20, r.bytes.begin());
    return r;
}

/// Through a volatile pointer, so that the stores are not removed as dead.
template <class T, std::size_t N>
void wipe(std::array<T, N>& secret) {
    volatile T* at = secret.data();
    for (std::size_t i = 0; i < N; ++i) at[i] = T{};
}

}  // namespace

std::optional<PrivateKey> PrivateKey::from_bytes(const Bytes32& secret) {
    secp256k1_pubkey point;
    if (secp256k1_ec_pubkey_create(context(), &point, secret.data()) == 0) return std::nullopt;
    PrivateKey r;
    r.secret_ = secret;
    r.address_ = address_of(point);
    return r;
}

std::optional<PrivateKey> PrivateKey::from_hex(std::string_view text) {
    constexpr std::size_t kDigits = 64;
    if (text.starts_with("0x")) text.remove_prefix(2);
    if (text.size() != kDigits) return std::nullopt;
    std::array<char, 2 + kDigits> prefixed{'0', 'x'};
    std::copy(text.begin(), text.end(), prefixed.begin() + 2);
    Bytes32 secret{};
    std::optional<PrivateKey> key;
    if (read_hex({prefixed.data(), prefixed.size()}, secret)) key = from_bytes(secret);
    wipe(prefixed);
    wipe(secret);
    return key;
}

PrivateKey::~PrivateKey() { wipe(secret_); }

EcdsaSignature PrivateKey::sign(const Hash& digest) const {
    secp256k1_ecdsa_recoverable_signature raw;
    QUARRY_CHECK(secp256k1_ecdsa_sign_recoverable(context(), &raw, digest.data(), secret_.data(), nullptr, nullptr) ==
                 1);
    std::array<std::uint8_t, 64> bytes{};
    int recovery = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), bytes.data(), &recovery, &raw);
    EcdsaSignature r;
    std::copy_n(bytes.begin(), 32, r.r.begin());
    std::copy_n(bytes.begin() + 32, 32, r.s.begin());
    r.y_parity = static_cast<std::uint8_t>(recovery & 1);
    return r;
}

std::optional<Address> recover_address(const Hash& digest, const EcdsaSignature& signature) {
    if (signature.y_parity > 1) return std::nullopt;
    std::array<std::uint8_t, 64> bytes{};
    std::copy(signature.r.begin(), signature.r.end(), bytes.begin());
    std::copy(signature.s.begin(), signature.s.end(), bytes.begin() + 32);
    secp256k1_ecdsa_signature plain;
    if (secp256k1_ecdsa_signature_parse_compact(context(), &plain, bytes.data()) == 0) return std::nullopt;
    if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1)
        return std::nullopt;  // s in the upper half
    secp256k1_ecdsa_recoverable_signature raw;
    secp256k1_pubkey point;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &raw, bytes.data(), signature.y_parity) == 0 ||
        secp256k1_ecdsa_recover(context(), &point, &raw, digest.data()) == 0) {
        return std::nullopt;
    }
    return address_of(point);
}

}  // namespace quarry::ethereum
