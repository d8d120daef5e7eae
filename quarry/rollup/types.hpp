#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quarry/hash/poseidon.hpp"
#include "quarry/rollup/amount.hpp"

namespace quarry::rollup {

/// Number of an (account, token) slot: a leaf of the state tree.
using SlotIndex = std::uint32_t;
using TokenId = std::uint16_t;
using Nonce = std::uint32_t;
/// Seconds since 1970.
using Timestamp = std::uint32_t;

inline constexpr unsigned kTreeDepth = 32;
/// Slots stay below 2^30, so that a slot number, and with it the index of every node at a level, is one field element.
/// The upper two levels of the tree always have an empty right child.
inline constexpr unsigned kSlotBits = 30;
inline constexpr SlotIndex kMaxSlots = SlotIndex{1} << kSlotBits;
/// A leaf's nonce stays below 2^30; an operation that would reach it is refused.
inline constexpr Nonce kMaxNonce = (Nonce{1} << 30) - 1;

/// The most L1 effects of a batch, so that a proof with its effects fits one L1 transaction.
inline constexpr std::uint32_t kMaxEffects = 256;

using Bytes32 = std::array<std::uint8_t, 32>;

/// An Ethereum address, in its usual byte order.
struct L1Address {
    std::array<std::uint8_t, 20> bytes{};
    [[nodiscard]] bool is_zero() const noexcept { return *this == L1Address{}; }
    friend bool operator==(const L1Address&, const L1Address&) noexcept = default;
};

/// A public key as it is published and hashed: x over F_{p^11}, and the first four coordinates of y, which tell the
/// point from its negative. (Two keys with four zeros there would share a hash: whoever knows the secret of one knows
/// the other's.) Whether the point exists is the signature's business: a hash that hides no valid key can still leave
/// by a forced withdrawal.
struct AccountKey {
    static constexpr std::size_t kX = 11;
    static constexpr std::size_t kY = 4;
    std::array<KoalaBear, kX> x{};
    std::array<KoalaBear, kY> y{};
    friend bool operator==(const AccountKey&, const AccountKey&) noexcept = default;
};

/// E (16 bytes) and S (43 bytes), little-endian, as in docs/spec of the curve. Opaque here.
inline constexpr std::size_t kSignatureBytes = 59;
using SignatureBytes = std::array<std::uint8_t, kSignatureBytes>;

using KeyHash = Digest;

/// Who owns a slot: the L2 key that signs for it and the L1 address that can rotate the key and force an exit.
struct Owner {
    KeyHash key_hash{};
    L1Address address;
    friend bool operator==(const Owner&, const Owner&) noexcept = default;
};

/// One (account, token) slot. Fields that are hashed: pair, token, key_published, balance, nonce.
struct Leaf {
    Owner owner;
    Digest pair{};  ///< pair_hash(owner), kept because every operation needs it
    TokenId token = 0;
    /// The preimage of the key hash is in the data of this batch or an earlier one: signed operations need it.
    bool key_published = false;
    Amount balance;
    Nonce nonce = 0;
    friend bool operator==(const Leaf&, const Leaf&) noexcept = default;
};

/// What a batch changes as a whole.
struct State {
    Digest root{};
    SlotIndex slot_count = 0;          ///< the next new slot's number
    std::uint64_t deposit_cursor = 0;  ///< L1 deposits consumed so far
    std::uint64_t forced_cursor = 0;   ///< L1 forced entries consumed so far
    friend bool operator==(const State&, const State&) noexcept = default;
};

/// A slot before and after; no value: the slot does not exist.
struct LeafChange {
    SlotIndex slot = 0;
    std::optional<Leaf> before;
    std::optional<Leaf> after;
    friend bool operator==(const LeafChange&, const LeafChange&) noexcept = default;
};

/// What makes one rollup different from every other: hashed into each signed message.
struct RollupParameters {
    std::uint64_t l1_chain_id = 0;
    L1Address hub;
    std::uint32_t rollup_id = 0;
    Digest genesis_root{};
    Amount min_new_pair_fee;  ///< below 2^72; in units of whatever token pays
    friend bool operator==(const RollupParameters&, const RollupParameters&) noexcept = default;
};

}  // namespace quarry::rollup
