#include <unordered_set>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/memory_store.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

namespace {

constexpr std::uint32_t kMagic = 0x51535631;  // "QSV1"
constexpr std::size_t kHeadBytes = 4 + 8 + 32 + 4 + 8 + 8 + 4;
constexpr std::size_t kLeafBytes = 32 + 20 + 2 + 1 + 12 + 4;
constexpr std::size_t kKeyBytes = 4 * AccountKey::kCoordinates + 1;

}  // namespace

Verdict export_snapshot(const StateReader& store, std::uint64_t batch_number, const ByteSink& sink) {
    const State& state = store.state();
    std::vector<AccountKey> keys;
    std::unordered_set<KeyHash, DigestHasher> seen;
    for (SlotIndex slot = 0; slot < state.slot_count; ++slot) {
        const auto leaf = store.leaf(slot);
        if (!leaf) return RejectCode::storage_failed;
        if (!leaf->key_published || !seen.insert(leaf->owner.key_hash).second) continue;
        const auto key = store.key(leaf->owner.key_hash);
        if (!key) return RejectCode::storage_failed;
        keys.push_back(*key);
    }
    std::vector<std::uint8_t> part;
    WordWriter w(part);
    const auto flush = [&] {
        sink(part);
        part.clear();
    };
    w.integer(kMagic);
    w.integer(batch_number);
    w.elements(state.root);
    w.integer(state.slot_count);
    w.integer(state.deposit_cursor);
    w.integer(state.forced_cursor);
    w.integer(static_cast<std::uint32_t>(keys.size()));
    flush();
    for (SlotIndex slot = 0; slot < state.slot_count; ++slot) {
        const auto leaf = store.leaf(slot);
        if (!leaf) return RejectCode::storage_failed;
        w.elements(leaf->owner.key_hash);
        w.address(leaf->owner.address);
        w.integer(leaf->token);
        w.integer(static_cast<std::uint8_t>(leaf->key_published ? 1 : 0));
        w.amount(leaf->balance);
        w.integer(leaf->nonce);
        if (part.size() >= (std::size_t{1} << 16)) flush();
    }
    for (const AccountKey& key : keys) {
        w.elements(key.x);
        w.integer(static_cast<std::uint8_t>(key.sign ? 1 : 0));
        if (part.size() >= (std::size_t{1} << 16)) flush();
    }
    flush();
    return Accepted{};
}

Checked<Snapshot> parse_snapshot(std::span<const std::uint8_t> bytes) {
    WordReader r(bytes);
    if (r.integer<std::uint32_t>() != kMagic) return RejectCode::bad_magic;
    Snapshot s;
    s.batch_number = r.integer<std::uint64_t>();
    s.state.root = r.digest();
    s.state.slot_count = r.integer<SlotIndex>();
    s.state.deposit_cursor = r.integer<std::uint64_t>();
    s.state.forced_cursor = r.integer<std::uint64_t>();
    const auto num_keys = r.integer<std::uint32_t>();
    QUARRY_REQUIRE(r.verdict());
    // Counts are compared with the bytes that are there before anything is allocated.
    if (s.state.slot_count > kMaxSlots || num_keys > s.state.slot_count) return RejectCode::limit_exceeded;
    if (bytes.size() != kHeadBytes + s.state.slot_count * kLeafBytes + num_keys * kKeyBytes) return RejectCode::bad_length;

    std::unordered_set<KeyHash, DigestHasher> used;
    std::vector<KeyHash> order;  // of first use: the order of the keys
    s.leaves.resize(s.state.slot_count);
    for (Leaf& leaf : s.leaves) {
        leaf.owner.key_hash = r.digest();
        leaf.owner.address = r.address();
        leaf.token = r.integer<TokenId>();
        leaf.key_published = r.flag(RejectCode::bad_sign_byte);
        leaf.balance = r.amount();
        leaf.nonce = r.integer<Nonce>();
        if (leaf.nonce > kMaxNonce) r.refuse(RejectCode::limit_exceeded);
        QUARRY_REQUIRE(r.verdict());
        if (leaf.key_published && used.insert(leaf.owner.key_hash).second) order.push_back(leaf.owner.key_hash);
    }
    set_pairs(s.leaves);
    if (order.size() != num_keys) return RejectCode::key_not_published;
    s.keys.resize(num_keys);
    for (std::size_t i = 0; i < num_keys; ++i) {
        for (KoalaBear& x : s.keys[i].x) x = r.element();
        s.keys[i].sign = r.flag(RejectCode::bad_sign_byte);
        QUARRY_REQUIRE(r.verdict());
    }
    if (key_hashes(s.keys) != order) return RejectCode::key_hash_mismatch;
    if (MemoryStore(s.leaves).state().root != s.state.root) return RejectCode::root_mismatch;
    return s;
}

}  // namespace quarry::rollup
