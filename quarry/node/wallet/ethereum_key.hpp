#pragma once
#include <cstdint>
#include <string_view>

#include "quarry/ethereum/secp256k1.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/wallet/keystore.hpp"
#include "quarry/node/wallet/secret_bytes.hpp"
#include "quarry/rollup/types.hpp"

/// What a wallet does with an Ethereum key: own an account, and derive its L2 key.
namespace quarry::node::wallet {

rollup::L1Address l1_address(const ethereum::PrivateKey& key);

/// The file of an Ethereum key: 64 hexadecimal digits with or without 0x, white space around them.
/// bad_ethereum_key.
Outcome<ethereum::PrivateKey> parse_ethereum_key(std::string_view text);

/// The L2 key that belongs to an Ethereum key in a rollup (quarry/curve/key_derivation.hpp): the key signs the EIP-712
/// message itself, deterministically (RFC 6979, low s), as a wallet in a browser would.
SecretKey<KB11> derive_l2_key(const ethereum::PrivateKey& key, const KeyDerivation& derivation);

}  // namespace quarry::node::wallet
