#include "quarry/iop/keccak_transcript.hpp"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"

namespace quarry {
namespace {

constexpr unsigned kLaneBits = 51;
constexpr std::size_t kIndicesPerState = 10;
constexpr unsigned kMaxGrindingBits = 32;
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
    QUARRY_CHECK(bits <= kMaxGrindingBits);
    flush();
    // The first good nonce in [begin, end), or end.
    const auto search = [&](std::uint64_t begin, std::uint64_t end) {
        std::array<std::uint8_t, 40> message;
        std::copy(state_.begin(), state_.end(), message.begin());
        for (; begin < end; ++begin) {
            const auto bytes = nonce_bytes(begin);
            std::copy(bytes.begin(), bytes.end(), message.begin() + 32);
            if (bits_of(keccak256(message), 0, bits) == 0) break;
        }
        return begin;
    };
    // Below this many nonces starting threads is not worth it.
    constexpr std::uint64_t kSerial = 512;
    constexpr std::uint64_t kPiece = 256;
    std::uint64_t nonce = search(0, kSerial);
    if (nonce == kSerial) {
        // Workers take pieces in rising order until one begins above the best nonce found: every piece below the best
        // has then been searched whole, so that the result is the smallest nonce whatever the threads do.
        std::atomic<std::uint64_t> next_piece{kSerial};
        std::atomic<std::uint64_t> best{std::numeric_limits<std::uint64_t>::max()};
        parallel_for(
            static_cast<std::size_t>(tbb::this_task_arena::max_concurrency()), 1, [&](std::size_t, std::size_t) {
                while (true) {
                    const std::uint64_t first = next_piece.fetch_add(kPiece);
                    if (first >= best.load()) return;
                    const std::uint64_t found = search(first, first + kPiece);
                    if (found == first + kPiece) continue;
                    for (std::uint64_t seen = best.load(); found < seen && !best.compare_exchange_weak(seen, found);) {
                    }
                }
            });
        nonce = best.load();
    }
    QUARRY_CHECK(check_grinding(bits, nonce));
    return nonce;
}

bool KeccakTranscript::check_grinding(unsigned bits, std::uint64_t nonce) {
    QUARRY_CHECK(bits <= kMaxGrindingBits);
    flush();
    absorb(nonce_bytes(nonce));
    squeeze();
    return bits_of(state_, 0, bits) == 0;
}

}  // namespace quarry
