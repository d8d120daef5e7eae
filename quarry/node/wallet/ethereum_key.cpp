#include "quarry/node/wallet/ethereum_key.hpp"

#include <string>

#include "quarry/curve/key_derivation.hpp"

namespace quarry::node::wallet {

rollup::L1Address l1_address(const ethereum::PrivateKey& key) { return {key.address().bytes}; }

Outcome<ethereum::PrivateKey> parse_ethereum_key(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    const std::size_t last = text.find_last_not_of(kSpace);
    if (first != std::string_view::npos) {
        const auto key = ethereum::PrivateKey::from_hex(text.substr(first, last - first + 1));
        if (key) return *key;
    }
    return Problem{Problem::Kind::bad_input, "bad_ethereum_key", "this is no Ethereum key",
                   "give a file with 64 hexadecimal digits"};
}

SecretKey<KB11> derive_l2_key(const ethereum::PrivateKey& key, const KeyDerivation& derivation) {
    const KeyRequest request{derivation.chain_id, derivation.hub.bytes, derivation.rollup, key.address().bytes,
                             derivation.key_index};
    ethereum::EcdsaSignature signature = key.sign(derive_key_typed_data_hash(request));
    // Whoever has r and s has the key.
    auto derived = derive_key<KB11>(request, signature.r, signature.s);
    wipe(signature.r.data(), signature.r.size());
    wipe(signature.s.data(), signature.s.size());
    // libsecp256k1 signs with r and s in range and s in the lower half.
    return std::move(derived).value();
}

}  // namespace quarry::node::wallet
