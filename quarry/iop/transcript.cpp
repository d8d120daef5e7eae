#include "quarry/iop/transcript.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry {

void Transcript::absorb(KoalaBear x) noexcept {
    available_ = 0;
    buffer_[buffered_++] = x;
    if (buffered_ == kDigestSize) {
        for (std::size_t i = 0; i < kDigestSize; ++i) state_[i] = buffer_[i];
        poseidon_permute(state_);
        buffered_ = 0;
        available_ = kDigestSize;
    }
}

void Transcript::flush() noexcept {
    if (buffered_ == 0) return;
    for (std::size_t i = 0; i < kDigestSize; ++i) state_[i] = i < buffered_ ? buffer_[i] : KoalaBear();
    state_[kDigestSize] += KoalaBear(buffered_);
    poseidon_permute(state_);
    buffered_ = 0;
    available_ = kDigestSize;
}

KoalaBear Transcript::squeeze() noexcept {
    flush();
    if (available_ == 0) {
        poseidon_permute(state_);
        available_ = kDigestSize;
    }
    return state_[kDigestSize - available_--];
}

std::size_t Transcript::squeeze_index(unsigned bits) noexcept {
    QUARRY_CHECK(bits <= KoalaBear::kTwoAdicity);
    return squeeze().canonical() & ((std::size_t{1} << bits) - 1);
}

std::vector<std::size_t> Transcript::squeeze_indices(std::size_t count, unsigned bits) {
    std::vector<std::size_t> indices(count);
    for (std::size_t& j : indices) j = squeeze_index(bits);
    return indices;
}

KoalaBear Transcript::grind(unsigned bits) {
    if (bits == 0) return {};
    flush();
    // What check_grinding will see: one buffered element at position 0 and capacity + 1.
    PoseidonState probe = state_;
    std::fill_n(probe.begin(), kDigestSize, KoalaBear());
    probe[kDigestSize] += KoalaBear(1);
    const auto nonce = poseidon_grind(probe, 0, bits);
    QUARRY_CHECK(nonce.has_value());
    QUARRY_CHECK(check_grinding(bits, *nonce));
    return *nonce;
}

bool Transcript::check_grinding(unsigned bits, KoalaBear nonce) noexcept {
    if (bits == 0) return true;
    flush();
    absorb(nonce);
    return squeeze_index(bits) == 0;
}

}  // namespace quarry
