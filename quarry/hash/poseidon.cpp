#include "quarry/hash/poseidon.hpp"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/hash/kernels/poseidon_kernels.hpp"
#include "quarry/hash/kernels/poseidon_tables.hpp"
#include "quarry/hash/poseidon_constants.hpp"
#include "quarry/hash/poseidon_sparse.hpp"

namespace quarry {

constexpr PoseidonRoundConstants kPoseidonRoundConstants = detail::make_poseidon_round_constants();

namespace {

KoalaBear cube(KoalaBear x) noexcept { return x * x * x; }

/// x := M x by the factors of PoseidonMdsFactors, in 64-bit integers: 96 multiplications. The factors' absolute sums
/// keep 4 M x within (-649 p, 1021 p); the offset makes it positive, and reduce() needs < 2^32 p.
void multiply_mds(PoseidonState& x) noexcept {
    constexpr const PoseidonMdsFactors& kFactors = kPoseidonMdsFactors;
    static constexpr std::int64_t kOffset = std::int64_t{1024} * KoalaBear::kModulus;
    // reduce() divides by 2^32, and the sums are 4 M x.
    static constexpr KoalaBear kRepair(std::uint64_t{1} << 30);
    static_assert(kPoseidonMdsScale == 4);
    std::array<std::int64_t, 8> u, v, n{};
    for (std::size_t i = 0; i < 8; ++i) {
        u[i] = std::int64_t{x[i].montgomery()} + x[i + 8].montgomery();
        v[i] = std::int64_t{x[i].montgomery()} - x[i + 8].montgomery();
    }
    for (std::size_t k = 0; k < 8; ++k) {
        for (std::size_t i = 0; i < 8; ++i) {
            const std::int64_t product = v[i] * kFactors.negacyclic8[(k - i) & 7];
            n[k] += i > k ? -product : product;
        }
    }
    const auto finish = [](std::int64_t sum) {
        return KoalaBear::from_montgomery(KoalaBear::reduce(static_cast<std::uint64_t>(sum + kOffset))) * kRepair;
    };
    for (std::size_t k = 0; k < 4; ++k) {
        std::int64_t f = 0;
        std::int64_t q = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            f += (u[i] + u[i + 4]) * kFactors.cyclic4[(k - i) & 3];
            const std::int64_t product = (u[i] - u[i + 4]) * kFactors.negacyclic4[(k - i) & 3];
            q += i > k ? -product : product;
        }
        x[k] = finish(f + q + n[k]);
        x[k + 4] = finish(f - q + n[k + 4]);
        x[k + 8] = finish(f + q - n[k]);
        x[k + 12] = finish(f - q - n[k + 4]);
    }
}

/// sum of a_i b_i over n <= 36 terms. Four products fit into 64 bits (4 p^2 < 2^64); their halves are added apart.
KoalaBear dot(const KoalaBear* a, const KoalaBear* b, std::size_t n) noexcept {
    constexpr std::uint64_t kLargest = std::uint64_t{KoalaBear::kModulus - 1} * (KoalaBear::kModulus - 1);
    static_assert(4 * kLargest / 4 == kLargest, "four products fit");
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    for (std::size_t i = 0; i < n;) {
        std::uint64_t sum = 0;
        for (const std::size_t end = std::min(n, i + 4); i < end; ++i) {
            sum += std::uint64_t{a[i].montgomery()} * b[i].montgomery();
        }
        low += sum & 0xffffffff;
        high += sum >> 32;
    }
    // (low + 2^32 high) / 2^32
    return KoalaBear::from_montgomery(KoalaBear::reduce(low)) +
           KoalaBear::from_montgomery(static_cast<std::uint32_t>(high % KoalaBear::kModulus));
}

void cube_all(PoseidonState& state) noexcept {
    for (KoalaBear& x : state) x = cube(x);
}
void add_round_constants(PoseidonState& state, std::size_t round) noexcept {
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) state[i] += kPoseidonRoundConstants[round][i];
}

}  // namespace

void poseidon_permute(PoseidonState& state) noexcept {
    const PoseidonSparse& sparse = poseidon_sparse();
    for (std::size_t round = 0; round < kPoseidonHalfFullRounds; ++round) {
        add_round_constants(state, round);
        cube_all(state);
        if (round + 1 < kPoseidonHalfFullRounds) multiply_mds(state);
    }
    // The last linear layer of these, and all partial rounds: see PoseidonSparse.
    std::array<KoalaBear, PoseidonSparse::kNumVariables> v;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        v[i] = sparse.entry_constant[i] + dot(sparse.entry[i].data(), state.data(), kPoseidonWidth);
    }
    v[kPoseidonWidth] = cube(v[0]);
    for (std::size_t t = 1; t < kPoseidonPartialRounds; ++t) {
        const PoseidonSparse::LinearForm& form = sparse.sbox_input[t];
        v[kPoseidonWidth + t] =
            cube(form.constant + dot(form.coefficient.data() + 1, v.data() + 1, kPoseidonWidth - 1 + t));
    }
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        const PoseidonSparse::LinearForm& form = sparse.exit[i];
        const KoalaBear of_cubes = form.constant + dot(form.coefficient.data() + kPoseidonWidth,
                                                       v.data() + kPoseidonWidth, kPoseidonPartialRounds);
        state[i] = of_cubes + (i == 0 ? dot(form.coefficient.data(), v.data(), kPoseidonWidth) : v[i]);
    }
    for (std::size_t round = kPoseidonRounds - kPoseidonHalfFullRounds; round < kPoseidonRounds; ++round) {
        cube_all(state);
        multiply_mds(state);
        if (round + 1 < kPoseidonRounds) add_round_constants(state, round + 1);
    }
}

void poseidon_permute_plain(PoseidonState& state) noexcept {
    for (std::size_t round = 0; round < kPoseidonRounds; ++round) {
        add_round_constants(state, round);
        const bool full = round < kPoseidonHalfFullRounds || round >= kPoseidonRounds - kPoseidonHalfFullRounds;
        for (std::size_t i = 0; i < (full ? kPoseidonWidth : 1); ++i) state[i] = cube(state[i]);
        PoseidonState product{};
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
            for (std::size_t j = 0; j < kPoseidonWidth; ++j) {
                product[i] += KoalaBear(poseidon_mds_entry(i, j)) * state[j];
            }
        }
        state = product;
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
