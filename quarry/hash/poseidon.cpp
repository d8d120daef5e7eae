#include "quarry/hash/poseidon.hpp"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/hash/kernels/poseidon_kernels.hpp"
#include "quarry/hash/poseidon_constants.hpp"

namespace quarry {

constexpr PoseidonRoundConstants kPoseidonRoundConstants = detail::make_poseidon_round_constants();

namespace {

KoalaBear cube(KoalaBear x) noexcept { return x * x * x; }

/// x := M x. Entries are below 2^7, elements below 2^31: sums stay below 16 * 2^38 = 2^42, and reduce() needs < 2^32 p.
void multiply_mds(PoseidonState& x) noexcept {
    // M[k][i] = column[(k - i) mod 16]; doubled, so that the inner loop is a plain correlation.
    std::array<std::uint64_t, 2 * kPoseidonWidth> doubled;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        doubled[i] = x[i].montgomery();
        doubled[i + kPoseidonWidth] = doubled[i];
    }
    static constexpr KoalaBear kRepair = KoalaBear::from_montgomery(KoalaBear(KoalaBear(1).montgomery()).montgomery());
    for (std::size_t k = 0; k < kPoseidonWidth; ++k) {
        std::uint64_t sum = 0;
        for (std::size_t d = 0; d < kPoseidonWidth; ++d) sum += kPoseidonMdsColumn[d] * doubled[k + kPoseidonWidth - d];
        // reduce() divides by 2^32: kRepair, whose representative is 2^64 mod p, undoes it.
        x[k] = KoalaBear::from_montgomery(KoalaBear::reduce(sum)) * kRepair;
    }
}

}  // namespace

void poseidon_permute(PoseidonState& state) noexcept {
    constexpr std::size_t kFirstFull = kPoseidonHalfFullRounds;
    constexpr std::size_t kLastFull = kPoseidonHalfFullRounds + kPoseidonPartialRounds;
    for (std::size_t round = 0; round < kPoseidonRounds; ++round) {
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) state[i] += kPoseidonRoundConstants[round][i];
        const bool full = round < kFirstFull || round >= kLastFull;
        const std::size_t num_sboxes = full ? kPoseidonWidth : 1;
        for (std::size_t i = 0; i < num_sboxes; ++i) state[i] = cube(state[i]);
        multiply_mds(state);
    }
}

Digest poseidon_compress(const Digest& left, const Digest& right) noexcept {
    PoseidonState state;
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        state[i] = left[i];
        state[i + kDigestSize] = right[i];
    }
    poseidon_permute(state);
    Digest r;
    for (std::size_t i = 0; i < kDigestSize; ++i) r[i] = state[i] + left[i];
    return r;
}

std::optional<KoalaBear> poseidon_grind(const PoseidonState& state, std::size_t position, unsigned bits) {
    QUARRY_CHECK(position < kPoseidonWidth && bits <= KoalaBear::kTwoAdicity);
    const std::uint32_t mask = (std::uint32_t{1} << bits) - 1;
    // Below this many nonces (half a millisecond) starting threads is not worth it.
    constexpr std::uint32_t kSerial = 4096;
    constexpr std::uint32_t kPiece = 1024;
    // Kernels try 16 nonces at a time; p = 1 mod 16, so that the last element, p - 1, is left to try by itself.
    constexpr std::uint32_t kEnd = KoalaBear::kModulus / 16 * 16;
    static_assert(kEnd + 1 == KoalaBear::kModulus && kSerial % 16 == 0 && kPiece % 16 == 0);

    const std::uint32_t early = kernels::poseidon_grind(state, position, mask, 0, kSerial);
    if (early < kSerial) return KoalaBear(early);

    // Workers take pieces in rising order until one begins above the best nonce found: every piece below the best has
    // then been searched whole, so that the result is the smallest nonce whatever the threads do.
    std::atomic<std::uint64_t> next_piece{kSerial};
    std::atomic<std::uint32_t> best{kEnd};
    const auto worker = [&](std::size_t, std::size_t) {
        while (true) {
            const std::uint64_t first = next_piece.fetch_add(kPiece);
            if (first >= best.load()) return;
            const auto begin = static_cast<std::uint32_t>(first);
            const std::uint32_t n = std::min(kPiece, kEnd - begin);
            const std::uint32_t found = kernels::poseidon_grind(state, position, mask, begin, n);
            if (found == begin + n) continue;
            for (std::uint32_t seen = best.load(); found < seen && !best.compare_exchange_weak(seen, found);) {
            }
        }
    };
    parallel_for(static_cast<std::size_t>(tbb::this_task_arena::max_concurrency()), 1, worker);
    if (best.load() < kEnd) return KoalaBear(best.load());

    PoseidonState last = state;
    last[position] = KoalaBear(kEnd);
    poseidon_permute(last);
    if ((last[0].canonical() & mask) == 0) return KoalaBear(kEnd);
    return std::nullopt;
}

}  // namespace quarry
