#include "quarry/rollup/store_codec.hpp"

#include "quarry/rollup/hashing.hpp"

namespace quarry::rollup {

void write_leaf(WordWriter& w, const Leaf& leaf) {
    w.elements(leaf.owner.key_hash);
    w.address(leaf.owner.address);
    w.integer(leaf.token);
    w.integer(static_cast<std::uint8_t>(leaf.key_published ? 1 : 0));
    w.amount(leaf.balance);
    w.integer(leaf.nonce);
}

Leaf read_leaf(WordReader& r) {
    Leaf leaf;
    leaf.owner.key_hash = r.digest();
    leaf.owner.address = r.address();
    leaf.token = r.integer<TokenId>();
    leaf.key_published = r.flag(RejectCode::bad_flag);
    leaf.balance = r.amount();
    leaf.nonce = r.integer<Nonce>();
    if (leaf.nonce > kMaxNonce) r.refuse(RejectCode::limit_exceeded);
    return leaf;
}

void write_state(WordWriter& w, const State& state) {
    w.elements(state.root);
    w.integer(state.slot_count);
    w.integer(state.deposit_cursor);
    w.integer(state.forced_cursor);
}

State read_state(WordReader& r) {
    State state;
    state.root = r.digest();
    state.slot_count = r.integer<SlotIndex>();
    state.deposit_cursor = r.integer<std::uint64_t>();
    state.forced_cursor = r.integer<std::uint64_t>();
    if (state.slot_count > kMaxSlots) r.refuse(RejectCode::limit_exceeded);
    return state;
}

void write_account_key(WordWriter& w, const AccountKey& key) {
    w.elements(key.x);
    w.elements(key.y);
}

AccountKey read_account_key(WordReader& r) {
    AccountKey key;
    for (KoalaBear& x : key.x) x = r.element();
    for (KoalaBear& y : key.y) y = r.element();
    return key;
}

std::vector<std::uint8_t> encode(const Leaf& leaf) {
    std::vector<std::uint8_t> out;
    WordWriter w(out);
    write_leaf(w, leaf);
    return out;
}

Checked<Leaf> parse_leaf(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != kLeafBytes) return RejectCode::bad_length;
    WordReader r(bytes);
    Leaf leaf = read_leaf(r);
    QUARRY_REQUIRE(r.verdict());
    leaf.pair = pair_hash(leaf.owner);
    return leaf;
}

std::vector<std::uint8_t> encode(const BatchCommit& batch) {
    std::vector<std::uint8_t> out;
    WordWriter w(out);
    w.integer(batch.number);
    write_state(w, batch.before);
    write_state(w, batch.after);
    w.integer(static_cast<std::uint32_t>(batch.changes.size()));
    w.integer(static_cast<std::uint32_t>(batch.keys.size()));
    for (const LeafChange& change : batch.changes) {
        w.integer(change.slot);
        w.integer(static_cast<std::uint8_t>(change.before ? 1 : 0));
        if (change.before) write_leaf(w, *change.before);
        write_leaf(w, change.after.value());
    }
    for (const AccountKey& key : batch.keys) write_account_key(w, key);
    return out;
}

Checked<BatchCommit> parse_batch_commit(std::span<const std::uint8_t> bytes) {
    WordReader r(bytes);
    BatchCommit batch;
    batch.number = r.integer<std::uint64_t>();
    batch.before = read_state(r);
    batch.after = read_state(r);
    const auto num_changes = r.integer<std::uint32_t>();
    const auto num_keys = r.integer<std::uint32_t>();
    QUARRY_REQUIRE(r.verdict());
    // Compared with what is there before anything is allocated: a change has at least 5 + kLeafBytes bytes.
    if (num_changes > r.left() / (5 + kLeafBytes) || num_keys > r.left() / kAccountKeyBytes)
        return RejectCode::truncated;
    batch.changes.resize(num_changes);
    for (std::size_t i = 0; i < num_changes; ++i) {
        LeafChange& change = batch.changes[i];
        change.slot = r.slot();
        if (i > 0 && change.slot <= batch.changes[i - 1].slot) r.refuse(RejectCode::stale_commit);
        if (r.flag(RejectCode::bad_flag)) change.before = read_leaf(r);
        change.after = read_leaf(r);
        QUARRY_REQUIRE(r.verdict());
        if (change.before) change.before->pair = pair_hash(change.before->owner);
        change.after->pair = pair_hash(change.after->owner);
    }
    batch.keys.resize(num_keys);
    for (AccountKey& key : batch.keys) key = read_account_key(r);
    QUARRY_REQUIRE(r.verdict());
    if (r.left() != 0) return RejectCode::bad_length;
    return batch;
}

}  // namespace quarry::rollup
