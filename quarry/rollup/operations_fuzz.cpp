/// The operations of a batch, as anyone can post them: what is accepted encodes to the same bytes.
#include "quarry/rollup/operations.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> bytes(data, size);
    const auto operations = quarry::rollup::parse_operations(bytes);
    if (!operations) return 0;
    const auto again = quarry::rollup::encode(operations.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    return 0;
}
