#include <unordered_set>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/memory_store.hpp"
#include "quarry/rollup/store_codec.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

namespace {

constexpr std::uint32_t kMagic = 0x51535631;  // "QSV1"
constexpr std::size_t kHeadBytes = 4 + 8 + kStateBytes + 4;

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
    write_state(w, state);
    w.integer(static_cast<std::uint32_t>(keys.size()));
    flush();
    for (SlotIndex slot = 0; slot < state.slot_count; ++slot) {
        const auto leaf = store.leaf(slot);
        if (!leaf) return RejectCode::storage_failed;
        write_leaf(w, *leaf);
        if (part.size() >= (std::size_t{1} << 16)) flush();
    }
    for (const AccountKey& key : keys) {
        write_account_key(w, key);
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
    s.state = read_state(r);
    const auto num_keys = r.integer<std::uint32_t>();
    QUARRY_REQUIRE(r.verdict());
    // Counts are compared with the bytes that are there before anything is allocated.
    if (num_keys > s.state.slot_count) return RejectCode::limit_exceeded;
    if (bytes.size() != kHeadBytes + s.state.slot_count * kLeafBytes + num_keys * kAccountKeyBytes)
        return RejectCode::bad_length;

    std::unordered_set<KeyHash, DigestHasher> used;
    std::vector<KeyHash> order;  // of first use: the order of the keys
    s.leaves.resize(s.state.slot_count);
    for (Leaf& leaf : s.leaves) {
        leaf = read_leaf(r);
        QUARRY_REQUIRE(r.verdict());
        if (leaf.key_published && used.insert(leaf.owner.key_hash).second) order.push_back(leaf.owner.key_hash);
    }
    set_pairs(s.leaves);
    if (order.size() != num_keys) return RejectCode::key_not_published;
    s.keys.resize(num_keys);
    for (std::size_t i = 0; i < num_keys; ++i) {
        s.keys[i] = read_account_key(r);
        QUARRY_REQUIRE(r.verdict());
    }
    if (key_hashes(s.keys) != order) return RejectCode::key_hash_mismatch;
    if (MemoryStore(s.leaves).state().root != s.state.root) return RejectCode::root_mismatch;
    return s;
}

}  // namespace quarry::rollup
