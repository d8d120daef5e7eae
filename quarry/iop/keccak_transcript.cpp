#include "quarry/iop/keccak_transcript.hpp"

#include <algorithm>
#include <array>

#include "quarry/base/check.hpp"
#include "quarry/hash/keccak_batch.hpp"

namespace quarry {
namespace {

constexpr unsigned kLaneBits = 51;
constexpr std::size_t kIndicesPerState = 10;
constexpr unsigned kMaxKeccakGrindingBits = 32;
static_assert(kLaneBits * ExtField::kDegree < 256 && KeccakTranscript::kMaxIndexBits * kIndicesPerState <= 256);

/// Bits offset .. offset + count of a big-endian number. Precondition: count <= 56.
std::uint64_t bits_of(const Bytes32& number, unsigned offset, unsigned count) {
    std::uint64_t r = 0;
    const unsigned first = offset / 8;
    for (unsigned k = 0; k < 8 && first + k < number.size(); ++k) {
        r |= std::uint64_t{number[number.size() - 1 - first - k]} << (8 * k);
    }
    return (r >> (offset % 8)) & ((std::uint64_t{1} << count) - 1);
}

std::array<std::uint8_t, 8> nonce_bytes(std::uint64_t nonce) {
    std::array<std::uint8_t, 8> r;
    for (unsigned k = 0; k < 8; ++k) r[k] = static_cast<std::uint8_t>(nonce >> (56 - 8 * k));
    return r;
}

}  // namespace

void KeccakTranscript::absorb(KoalaBear x) {
    const std::uint32_t c = x.canonical();
    for (unsigned k = 0; k < 4; ++k) buffer_.push_back(static_cast<std::uint8_t>(c >> (24 - 8 * k)));
}

void KeccakTranscript::squeeze() {
    buffer_.insert(buffer_.begin(), state_.begin(), state_.end());
    state_ = keccak256(buffer_);
    buffer_.clear();
}

ExtField KeccakTranscript::squeeze_ext() {
    squeeze();
    ExtField r;
    for (unsigned i = 0; i < ExtField::kDegree; ++i) r[i] = KoalaBear(bits_of(state_, kLaneBits * i, kLaneBits));
    return r;
}

std::vector<std::size_t> KeccakTranscript::squeeze_indices(std::size_t count, unsigned bits) {
    QUARRY_CHECK(bits <= kMaxIndexBits);
    std::vector<std::size_t> r;
    r.reserve(count);
    while (r.size() < count) {
        squeeze();
        for (unsigned j = 0; j < kIndicesPerState && r.size() < count; ++j) {
            r.push_back(bits_of(state_, kMaxIndexBits * j, bits));
        }
    }
    return r;
}

std::uint64_t KeccakTranscript::grind(unsigned bits) {
    QUARRY_CHECK(bits <= kMaxKeccakGrindingBits);
    flush();
    const std::uint64_t nonce = keccak_grind(state_, bits);
    QUARRY_CHECK(check_grinding(bits, nonce));
    return nonce;
}

bool KeccakTranscript::check_grinding(unsigned bits, std::uint64_t nonce) {
    QUARRY_CHECK(bits <= kMaxKeccakGrindingBits);
    flush();
    absorb(nonce_bytes(nonce));
    squeeze();
    return bits_of(state_, 0, bits) == 0;
}

}  // namespace quarry
