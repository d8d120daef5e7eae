#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

std::array<KoalaBear, kWordLimbs> word_limbs(std::span<const std::uint8_t, kWordBytes> word) noexcept {
    std::array<KoalaBear, kWordLimbs> r;
    r[0] = KoalaBear(word[0]);
    for (std::size_t i = 1; i < kWordLimbs; ++i) {
        r[i] = KoalaBear(static_cast<std::uint32_t>(word[2 * i - 1] << 8 | word[2 * i]));
    }
    return r;
}

void Accumulator::absorb_word(std::span<const std::uint8_t, kWordBytes> word) noexcept {
    const auto limbs = word_limbs(word);
    HashChain chain(digest);
    for (std::size_t half = 0; half < 2; ++half) {
        Block block;
        for (std::size_t i = 0; i < kDigestSize; ++i) block[i] = limbs[kDigestSize * half + i];
        chain.absorb(block);
    }
    digest = chain.digest();
}

}  // namespace quarry::rollup
