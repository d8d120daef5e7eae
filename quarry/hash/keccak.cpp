#include "quarry/hash/keccak.hpp"

#include <cryptopp/keccak.h>

namespace quarry {

Bytes32 keccak256(std::span<const std::uint8_t> data) {
    CryptoPP::Keccak_256 hash;
    static_assert(CryptoPP::Keccak_256::DIGESTSIZE == std::tuple_size_v<Bytes32>);
    Bytes32 r;
    hash.CalculateDigest(r.data(), data.data(), data.size());
    return r;
}

}  // namespace quarry
