/// The L1 effects of a batch: what is accepted encodes to the same bytes, and is what its kinds say about lengths.
#include "quarry/rollup/effects.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::rollup;
    const std::span<const std::uint8_t> bytes(data, size);
    const auto effects = parse_effects(bytes);
    if (!effects) return 0;
    QUARRY_CHECK(effects.value().size() <= kMaxEffects);
    std::vector<std::uint8_t> again;
    std::size_t num_words = 0;
    for (const Effect& effect : effects.value()) {
        encode(effect, again);
        num_words += effect_word_count(effect_kind(effect));
    }
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    QUARRY_CHECK(again.size() == num_words * kWordBytes);
    return 0;
}
