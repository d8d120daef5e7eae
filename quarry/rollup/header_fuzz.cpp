/// A batch's header: what is accepted keeps the documented limits, can be hashed, and encodes to the same bytes.
#include "quarry/rollup/header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/rollup/words.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::rollup;
    const std::span<const std::uint8_t> bytes(data, size);
    const auto header = parse_header(bytes);
    if (!header) return 0;
    QUARRY_CHECK(header.value().byte_length <= kMaxBatchWords * kWordBytes);
    QUARRY_CHECK(header.value().num_effects <= kMaxEffects && header.value().post_slot_count <= kMaxSlots);
    (void)header_hash(header.value());
    const auto again = encode(header.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    return 0;
}
