#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// A block of 8 field elements: one step of a chain, or one side of a compression.
using Block = std::array<KoalaBear, kDigestSize>;

/// Digests of our own hashing are uniform: one limb pair is a good hash.
struct DigestHasher {
    std::size_t operator()(const Digest& d) const noexcept {
        return static_cast<std::size_t>(d[0].montgomery()) << 32 | d[1].montgomery();
    }
};

/// The start of a chain: the text's bytes, three to an element, little-endian, zero-padded. Precondition: at most 24
/// bytes.
Digest chain_start(std::string_view tag);

/// h_0 = chain_start(tag), h_(i+1) = H(h_i, block_i). Chains with different tags never meet, and each has a fixed
/// length.
class HashChain {
  public:
    explicit HashChain(std::string_view tag) : state_(chain_start(tag)) {}
    explicit HashChain(const Digest& start) : state_(start) {}
    void absorb(const Block& block) noexcept { state_ = poseidon_compress(state_, block); }
    [[nodiscard]] const Digest& digest() const noexcept { return state_; }

  private:
    Digest state_;
};

/// Last element of the right-hand block of single-compression hashes. Above 2^30, so that none equals a leaf's nonce,
/// which stands there in leaf hashes.
enum class BlockTag : std::uint32_t {
    owner_pair = (1u << 30) + 1,
    work = (1u << 30) + 2,
    kb11_key = (1u << 30) + 257,  ///< keys of other schemes get other tags: 2^30 + 256 + scheme id
};

/// Seven pieces of 24 bits, least significant first (the last has 16), then `last`.
Block address_block(const L1Address& address, KoalaBear last = KoalaBear()) noexcept;

/// H(x_0..x_7, (x_8, x_9, x_10, y_0, .., y_3, tag)): one compression, no decomposition of y in the circuit.
KeyHash key_hash(const AccountKey& key) noexcept;
/// H(key hash, (address in 7 pieces, tag)): what signed payments and deposits name as their receiver.
Digest pair_hash(const Owner& owner) noexcept;
/// Both for many keys or leaves at once, on the batch kernels; set_pairs overwrites each leaf's pair.
std::vector<KeyHash> key_hashes(std::span<const AccountKey> keys);
void set_pairs(std::span<Leaf> leaves);
/// The leaf of a new slot: nonce 0, key not published.
Leaf make_leaf(const Owner& owner, TokenId token, Amount balance) noexcept;

/// Marks the sixth element of a leaf's block, above the 16 bits of the token.
inline constexpr std::uint32_t kLeafTag = 76;
/// The right-hand block of a leaf: six balance limbs, token + 2^16 (2 * 76 + published), nonce.
Block leaf_block(const Leaf& leaf) noexcept;
/// H(pair, leaf_block).
Digest leaf_hash(const Leaf& leaf) noexcept;
std::vector<Digest> leaf_hashes(std::span<const Leaf> leaves);
/// leaf_hash, or eight zeros for a slot that does not exist.
Digest leaf_digest(const std::optional<Leaf>& leaf) noexcept;

/// What the domain's chain absorbs: (chain id, rollup id), hub, genesis root, minimum fee.
std::array<Block, 4> domain_blocks(const RollupParameters& parameters) noexcept;
/// The chain "L2TX/v1" over chain id, rollup id, hub, genesis root, minimum fee: the constant start of every signed
/// message.
Digest domain_hash(const RollupParameters& parameters) noexcept;

/// The signed part of an L2 operation, as the circuit sees it.
struct Message {
    std::uint8_t opcode = 0;
    TokenId token = 0;
    SlotIndex slot = 0;
    KeyHash key_hash{};
    Nonce nonce = 0;
    Timestamp expiry = 0;
    Amount fee;
    Amount amount;
    /// Receiver's pair hash (transfers), address_block of the recipient (withdrawal), or the new key's hash (change
    /// key).
    Block payload{};
};

/// The last two blocks of a message: (token + 2^16 opcode, slot, nonce, expiry low, high, fee_0..2),
/// (fee_3, fee_4, amount_0..5).
std::array<Block, 2> message_blocks(const Message& message) noexcept;
/// m = H(H(H(H(domain, key hash), payload), block 0), block 1).
Digest message_hash(const Digest& domain, const Message& message) noexcept;
std::vector<Digest> message_hashes(const Digest& domain, std::span<const Message> messages);

}  // namespace quarry::rollup
