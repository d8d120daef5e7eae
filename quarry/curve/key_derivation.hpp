#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "quarry/base/result.hpp"
#include "quarry/curve/schnorr.hpp"

/// A Quarry key from one signature of an Ethereum wallet.
///
/// The wallet signs the EIP-712 message
///     DeriveL2Key(string warning,address account,uint32 rollup,uint256 keyIndex)
/// in the domain {name, version, chainId, verifyingContract = hub}; then
///     okm = HKDF-SHA512(ikm = r || s, salt = passphrase, info, 64 bytes)
///     d   = 1 + okm mod (n - 1), okm little-endian
///     info = "quarry/l2-key/v1" || chain id || hub || rollup || account || key index
/// with integers as 32 bytes big-endian and addresses as 20 bytes: info has one length, so it is injective. [RFC5869]
/// The wallet asks twice: if (r, s) differ, it does not sign deterministically, and a random key is used instead.
namespace quarry {

using EthereumAddress = std::array<std::uint8_t, 20>;

inline constexpr std::string_view kKeyDerivationTag = "quarry/l2-key/v1";
inline constexpr std::string_view kKeyDomainName = "Quarry";
inline constexpr std::string_view kKeyDomainVersion = "1";
inline constexpr std::string_view kKeyWarning =
    "This signature is the key to your Quarry account. Sign it only on a site that you trust with all of its funds.";

struct KeyRequest {
    std::uint64_t chain_id = 0;
    EthereumAddress hub{};     ///< the contract that keeps the rollup
    std::uint32_t rollup = 0;  ///< the rollup's number at the hub: its neighbours' sites must not learn this key
    EthereumAddress account{};
    std::uint64_t key_index = 0;
};

/// keccak256(0x1901 || domain separator || struct hash): what the wallet signs. [EIP-712]
std::array<std::uint8_t, 32> derive_key_typed_data_hash(const KeyRequest& request);
/// The JSON of eth_signTypedData_v4 for the same message.
std::string derive_key_typed_data_json(const KeyRequest& request);

/// r and s as the wallet returned them, 32 bytes each, big-endian. The recovery byte v does not enter.
/// scalar_out_of_range: r or s is 0, not below the order of secp256k1, or s is not in the lower half (a wallet that
/// does not normalise s would not derive the same key twice). The caller wipes r and s.
template <class C>
Result<SecretKey<C>> derive_key(const KeyRequest& request, std::span<const std::uint8_t, 32> r,
                                std::span<const std::uint8_t, 32> s, std::string_view passphrase = {});

}  // namespace quarry
