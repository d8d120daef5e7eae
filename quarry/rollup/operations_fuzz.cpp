/// The parsers of everything that comes from L1 or from a file: whatever they accept encodes to the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/header.hpp"
#include "quarry/rollup/operations.hpp"
#include "quarry/rollup/store_codec.hpp"

namespace {

using namespace quarry::rollup;

void check_operations(std::span<const std::uint8_t> bytes) {
    const auto ops = parse_operations(bytes);
    if (!ops) return;
    const auto again = encode(ops.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void check_effects(std::span<const std::uint8_t> bytes) {
    const auto effects = parse_effects(bytes);
    if (!effects) return;
    std::vector<std::uint8_t> again;
    for (const Effect& effect : effects.value()) encode(effect, again);
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void check_header(std::span<const std::uint8_t> bytes) {
    const auto header = parse_header(bytes);
    if (!header) return;
    const auto again = encode(header.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void check_batch_commit(std::span<const std::uint8_t> bytes) {
    const auto batch = parse_batch_commit(bytes);
    if (!batch) return;
    const auto again = encode(batch.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

}  // namespace

/// The first byte selects the parser.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::span<const std::uint8_t> bytes(data + 1, size - 1);
    switch (data[0] % 5) {
        case 0:
            check_operations(bytes);
            break;
        case 1:
            check_effects(bytes);
            break;
        case 2:
            check_header(bytes);
            break;
        case 3:
            check_batch_commit(bytes);
            break;
        default:
            (void)parse_snapshot(bytes);
    }
    return 0;
}
