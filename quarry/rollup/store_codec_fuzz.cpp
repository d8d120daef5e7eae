/// The records of a store: what is accepted encodes to the same bytes, and no history crashes the store that tries it.
#include "quarry/rollup/store_codec.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/memory_store.hpp"

namespace {

using namespace quarry::rollup;

void check_leaf(std::span<const std::uint8_t> bytes) {
    const auto leaf = parse_leaf(bytes);
    if (!leaf) return;
    QUARRY_CHECK(leaf.value().pair == pair_hash(leaf.value().owner));
    const auto again = encode(leaf.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void check_batch_commit(std::span<const std::uint8_t> bytes) {
    const auto batch = parse_batch_commit(bytes);
    if (!batch) return;
    const auto again = encode(batch.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));

    // A store with the leaves after the batch (as far as it names them) and this record as its history.
    Snapshot snapshot;
    for (const LeafChange& change : batch.value().changes) {
        if (change.slot == snapshot.leaves.size()) snapshot.leaves.push_back(*change.after);
    }
    snapshot.state = batch.value().after;
    snapshot.state.slot_count = static_cast<SlotIndex>(snapshot.leaves.size());
    snapshot.state.root = MemoryStore(snapshot.leaves).state().root;
    snapshot.batch_number = batch.value().number;
    BatchCommit history = batch.value();
    history.after = snapshot.state;
    auto store = MemoryStore::restore(snapshot, {history});
    if (!store) return;
    if (!store.value().rollback(history.number - 1)) {
        QUARRY_CHECK(store.value().state() == snapshot.state && store.value().batch_number() == history.number);
        return;
    }
    QUARRY_CHECK(store.value().state() == history.before);
    QUARRY_CHECK(store.value().tree().root() == history.before.root);
}

}  // namespace

/// A leaf has a fixed length, which no batch's record has.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> bytes(data, size);
    if (size == kLeafBytes)
        check_leaf(bytes);
    else
        check_batch_commit(bytes);
    return 0;
}
