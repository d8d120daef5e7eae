#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "quarry/ethereum/types.hpp"

/// ECDSA over secp256k1, as Ethereum signs.
namespace quarry::ethereum {

struct EcdsaSignature {
    Bytes32 r{};
    Bytes32 s{};  ///< the lower of the two (EIP-2)
    std::uint8_t y_parity = 0;
    friend bool operator==(const EcdsaSignature&, const EcdsaSignature&) noexcept = default;
};

/// A secret key. Wiped when destroyed; never printed.
class PrivateKey {
  public:
    /// Empty when the number is zero or not below the group's order.
    static std::optional<PrivateKey> from_bytes(const Bytes32& secret);
    /// 64 digits, with or without 0x.
    static std::optional<PrivateKey> from_hex(std::string_view text);
    PrivateKey(const PrivateKey&) = default;
    PrivateKey& operator=(const PrivateKey&) = default;
    ~PrivateKey();

    [[nodiscard]] const Address& address() const noexcept { return address_; }
    /// Deterministic (RFC 6979): one digest, one signature.
    [[nodiscard]] EcdsaSignature sign(const Hash& digest) const;
    /// For key stores.
    [[nodiscard]] const Bytes32& secret() const noexcept { return secret_; }

  private:
    PrivateKey() = default;
    Bytes32 secret_{};
    Address address_;
};

/// Who signed. Empty: r or s out of range, s in the upper half, or no such point.
std::optional<Address> recover_address(const Hash& digest, const EcdsaSignature& signature);

}  // namespace quarry::ethereum
