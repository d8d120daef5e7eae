#include "quarry/rollup/hashing.hpp"

#include "quarry/hash/poseidon_batch.hpp"

namespace quarry::rollup {

namespace {

KoalaBear tag_element(BlockTag tag) noexcept { return KoalaBear(static_cast<std::uint32_t>(tag)); }

static_assert(((2 * kLeafTag + 1) << 16) + 0xffff < KoalaBear::kModulus);

}  // namespace

Digest chain_start(std::string_view tag) {
    QUARRY_CHECK(tag.size() <= 3 * kDigestSize);
    std::array<std::uint32_t, kDigestSize> words{};
    for (std::size_t i = 0; i < tag.size(); ++i) {
        words[i / 3] |= static_cast<std::uint32_t>(static_cast<unsigned char>(tag[i])) << (8 * (i % 3));
    }
    Digest r;
    for (std::size_t i = 0; i < kDigestSize; ++i) r[i] = KoalaBear(words[i]);
    return r;
}

Block address_block(const L1Address& address, KoalaBear last) noexcept {
    Block r{};
    const auto byte = [&](std::size_t i) { return std::uint32_t{address.bytes[19 - i]}; };  // least significant first
    for (std::size_t i = 0; i < 6; ++i) {
        r[i] = KoalaBear(byte(3 * i) | byte(3 * i + 1) << 8 | byte(3 * i + 2) << 16);
    }
    r[6] = KoalaBear(byte(18) | byte(19) << 8);
    r[7] = last;
    return r;
}

namespace {

/// Both inputs of a compression.
using Inputs = std::array<Digest, 2>;

Inputs key_inputs(const AccountKey& key) noexcept {
    Inputs r{};
    for (std::size_t i = 0; i < kDigestSize; ++i) r[0][i] = key.x[i];
    r[1] = {key.x[8], key.x[9], key.x[10], key.y[0], key.y[1], key.y[2], key.y[3], tag_element(BlockTag::kb11_key)};
    return r;
}

Inputs pair_inputs(const Owner& owner) noexcept {
    return {owner.key_hash, address_block(owner.address, tag_element(BlockTag::owner_pair))};
}

/// H of inputs(x) for every x, on the batch kernels.
template <class T, class F>
std::vector<Digest> compress_all(std::span<const T> xs, F&& inputs) {
    std::vector<Digest> children;
    children.reserve(2 * xs.size());
    for (const T& x : xs) {
        const Inputs in = inputs(x);
        children.insert(children.end(), in.begin(), in.end());
    }
    std::vector<Digest> r(xs.size());
    poseidon_compress_pairs(children, r);
    return r;
}

}  // namespace

KeyHash key_hash(const AccountKey& key) noexcept {
    const Inputs in = key_inputs(key);
    return poseidon_compress(in[0], in[1]);
}
std::vector<KeyHash> key_hashes(std::span<const AccountKey> keys) { return compress_all(keys, key_inputs); }

Digest pair_hash(const Owner& owner) noexcept {
    const Inputs in = pair_inputs(owner);
    return poseidon_compress(in[0], in[1]);
}
void set_pairs(std::span<Leaf> leaves) {
    const auto pairs =
        compress_all(std::span<const Leaf>(leaves), [](const Leaf& leaf) { return pair_inputs(leaf.owner); });
    for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i].pair = pairs[i];
}

Leaf make_leaf(const Owner& owner, TokenId token, Amount balance) noexcept {
    Leaf leaf;
    leaf.owner = owner;
    leaf.pair = pair_hash(owner);
    leaf.token = token;
    leaf.balance = balance;
    return leaf;
}

Block leaf_block(const Leaf& leaf) noexcept {
    Block r;
    for (std::size_t i = 0; i < Amount::kLimbs; ++i) r[i] = KoalaBear(leaf.balance.limb(i));
    r[6] = KoalaBear(leaf.token | (2 * kLeafTag + (leaf.key_published ? 1u : 0u)) << 16);
    r[7] = KoalaBear(leaf.nonce);
    return r;
}

Digest leaf_hash(const Leaf& leaf) noexcept { return poseidon_compress(leaf.pair, leaf_block(leaf)); }

std::vector<Digest> leaf_hashes(std::span<const Leaf> leaves) {
    return compress_all(leaves, [](const Leaf& leaf) { return Inputs{leaf.pair, leaf_block(leaf)}; });
}

Digest leaf_digest(const std::optional<Leaf>& leaf) noexcept { return leaf ? leaf_hash(*leaf) : Digest{}; }

std::array<Block, 4> domain_blocks(const RollupParameters& parameters) noexcept {
    std::array<Block, 4> r{};
    for (std::size_t i = 0; i < 4; ++i) r[0][i] = KoalaBear((parameters.l1_chain_id >> (16 * i)) & 0xffff);
    r[0][4] = KoalaBear(parameters.rollup_id & 0xffff);
    r[0][5] = KoalaBear(parameters.rollup_id >> 16);
    r[1] = address_block(parameters.hub);
    r[2] = parameters.genesis_root;
    for (std::size_t i = 0; i < Amount::kFeeLimbs; ++i) r[3][i] = KoalaBear(parameters.min_new_pair_fee.limb(i));
    return r;
}

Digest domain_hash(const RollupParameters& parameters) noexcept {
    HashChain chain("L2TX/v1");
    for (const Block& block : domain_blocks(parameters)) chain.absorb(block);
    return chain.digest();
}

std::array<Block, 2> message_blocks(const Message& message) noexcept {
    const auto fee = [&](std::size_t i) { return KoalaBear(message.fee.limb(i)); };
    std::array<Block, 2> r;
    r[0] = {KoalaBear(message.token | static_cast<std::uint32_t>(message.opcode) << 16),
            KoalaBear(message.slot),
            KoalaBear(message.nonce),
            KoalaBear(message.expiry & 0xffff),
            KoalaBear(message.expiry >> 16),
            fee(0),
            fee(1),
            fee(2)};
    r[1][0] = fee(3);
    r[1][1] = fee(4);
    for (std::size_t i = 0; i < Amount::kLimbs; ++i) r[1][2 + i] = KoalaBear(message.amount.limb(i));
    return r;
}

Digest message_hash(const Digest& domain, const Message& message) noexcept {
    HashChain chain(domain);
    chain.absorb(message.key_hash);
    chain.absorb(message.payload);
    for (const Block& block : message_blocks(message)) chain.absorb(block);
    return chain.digest();
}

std::vector<Digest> message_hashes(const Digest& domain, std::span<const Message> messages) {
    std::vector<Digest> state(messages.size(), domain);
    std::vector<Digest> children(2 * messages.size());
    for (std::size_t step = 0; step < 4; ++step) {
        for (std::size_t i = 0; i < messages.size(); ++i) {
            children[2 * i] = state[i];
            Block& block = children[2 * i + 1];
            if (step == 0)
                block = messages[i].key_hash;
            else if (step == 1)
                block = messages[i].payload;
            else
                block = message_blocks(messages[i])[step - 2];
        }
        poseidon_compress_pairs(children, state);
    }
    return state;
}

}  // namespace quarry::rollup
