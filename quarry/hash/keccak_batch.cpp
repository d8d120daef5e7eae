#include "quarry/hash/keccak_batch.hpp"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstring>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"

namespace quarry {
namespace {

using kernels::kKeccakGroup;
using kernels::kKeccakRateBytes;

constexpr unsigned kMaxGrindingBits = 32;
constexpr std::size_t kNonceBytes = 8;

std::size_t num_blocks(std::size_t length) { return length / kKeccakRateBytes + 1; }

/// The original padding: a 1 after the message, a 1 in the last bit of the last block.
void pad(std::uint8_t* message, std::size_t length) {
    message[length] = 0x01;
    message[num_blocks(length) * kKeccakRateBytes - 1] |= 0x80;
}

std::uint64_t big_endian(std::uint64_t x) {
    static_assert(std::endian::native == std::endian::little);
    return __builtin_bswap64(x);
}

/// What is left of a search once the whole blocks before the nonce are absorbed.
struct Search {
    kernels::KeccakStates start;
    std::array<std::uint8_t, 2 * kKeccakRateBytes> tail{};  ///< padded; the nonce at `nonce_at`
    std::size_t nonce_at = 0;
    std::uint64_t mask = 0;

    /// The smallest fitting nonce of first .. first + n - 1, n a multiple of eight, or first + n.
    [[nodiscard]] std::uint64_t find(std::uint64_t first, std::uint64_t n) const {
        std::array<std::uint8_t, kKeccakGroup * 2 * kKeccakRateBytes> messages;
        for (std::size_t i = 0; i < kKeccakGroup; ++i) {
            std::copy(tail.begin(), tail.end(), messages.data() + i * tail.size());
        }
        for (std::uint64_t nonce = first; nonce < first + n; nonce += kKeccakGroup) {
            for (std::size_t i = 0; i < kKeccakGroup; ++i) {
                const std::uint64_t bytes = big_endian(nonce + i);
                std::memcpy(messages.data() + i * tail.size() + nonce_at, &bytes, kNonceBytes);
            }
            kernels::KeccakStates states = start;
            kernels::keccak_absorb(states, messages.data(), tail.size(), num_blocks(nonce_at + kNonceBytes));
            for (std::size_t i = 0; i < kKeccakGroup; ++i) {
                // The last eight bytes of the digest are word 3 of the state.
                if ((big_endian(states.words[kKeccakGroup * 3 + i]) & mask) == 0) return nonce + i;
            }
        }
        return first + n;
    }
};

}  // namespace

KeccakGroup::KeccakGroup(std::size_t length)
    : length_(length), stride_(num_blocks(length) * kKeccakRateBytes), bytes_(kSize * stride_) {
    for (std::size_t i = 0; i < kSize; ++i) pad(bytes_.data() + i * stride_, length);
}

void KeccakGroup::digest(Bytes32* out, std::size_t n) const {
    QUARRY_CHECK(n <= kSize);
    kernels::KeccakStates states;
    kernels::keccak_absorb(states, bytes_.data(), stride_, stride_ / kKeccakRateBytes);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t w = 0; w < out[i].size() / 8; ++w) {
            std::memcpy(out[i].data() + 8 * w, &states.words[kKeccakGroup * w + i], 8);
        }
    }
}

std::uint64_t keccak_grind(std::span<const std::uint8_t> prefix, unsigned bits) {
    QUARRY_CHECK(bits <= kMaxGrindingBits);
    Search search;
    const std::size_t whole = prefix.size() / kKeccakRateBytes;
    kernels::keccak_absorb(search.start, prefix.data(), 0, whole);
    search.nonce_at = prefix.size() - whole * kKeccakRateBytes;
    std::copy(prefix.end() - static_cast<std::ptrdiff_t>(search.nonce_at), prefix.end(), search.tail.begin());
    pad(search.tail.data(), search.nonce_at + kNonceBytes);
    search.mask = (std::uint64_t{1} << bits) - 1;

    // Below this many nonces (half a millisecond) starting threads is not worth it.
    constexpr std::uint64_t kSerial = 2048;
    constexpr std::uint64_t kPiece = 1024;
    const std::uint64_t early = search.find(0, kSerial);
    if (early < kSerial) return early;
    // Workers take pieces in rising order until one begins above the best nonce found: every piece below the best has
    // then been searched whole, so that the result is the smallest nonce whatever the threads do.
    std::atomic<std::uint64_t> next_piece{kSerial};
    std::atomic<std::uint64_t> best{~std::uint64_t{0}};
    const auto worker = [&](std::size_t, std::size_t) {
        while (true) {
            const std::uint64_t first = next_piece.fetch_add(kPiece);
            if (first >= best.load()) return;
            const std::uint64_t found = search.find(first, kPiece);
            if (found == first + kPiece) continue;
            for (std::uint64_t seen = best.load(); found < seen && !best.compare_exchange_weak(seen, found);) {
            }
        }
    };
    parallel_for(static_cast<std::size_t>(tbb::this_task_arena::max_concurrency()), 1, worker);
    return best.load();
}

double measure_keccak_permutations_per_second(double seconds) {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t kBlocks = 64;
    const std::vector<std::uint8_t> messages(kKeccakGroup * kBlocks * kKeccakRateBytes, 0xa5);
    kernels::KeccakStates states;
    const auto start = Clock::now();
    std::size_t permutations = 0;
    double elapsed = 0;
    do {
        kernels::keccak_absorb(states, messages.data(), kBlocks * kKeccakRateBytes, kBlocks);
        permutations += kKeccakGroup * kBlocks;
        elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds);
    return static_cast<double>(permutations) / elapsed;
}

}  // namespace quarry
