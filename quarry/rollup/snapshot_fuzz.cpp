/// A snapshot file: what is accepted is a state whose export is the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/memory_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::rollup;
    const std::span<const std::uint8_t> bytes(data, size);
    auto snapshot = parse_snapshot(bytes);
    if (!snapshot) return 0;
    const auto store = MemoryStore::restore(std::move(snapshot).value(), {});
    QUARRY_CHECK(store.ok());
    std::vector<std::uint8_t> again;
    const auto append = [&](std::span<const std::uint8_t> part) {
        again.insert(again.end(), part.begin(), part.end());
    };
    QUARRY_CHECK(export_snapshot(store.value(), store.value().batch_number(), append).ok());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    return 0;
}
