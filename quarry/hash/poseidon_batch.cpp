#include "quarry/hash/poseidon_batch.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/hash/kernels/poseidon_kernels.hpp"

namespace quarry {

void poseidon_permute_batch(std::span<PoseidonState> states) {
    kernels::poseidon_permute(states.data(), states.size());
}

void poseidon_compress_pairs(std::span<const Digest> children, std::span<Digest> parents) {
    QUARRY_CHECK(children.size() == 2 * parents.size());
    kernels::poseidon_compress(children.data(), parents.data(), parents.size());
}

Digest poseidon_leaf_iv(std::size_t width) {
    constexpr std::string_view kTag = "quarry/merkle/leaf/v1";
    static_assert(kTag.size() <= 3 * (kPoseidonWidth - 1));
    PoseidonState state;
    for (std::size_t i = 0; i < kTag.size(); ++i) {
        state[i / 3] += KoalaBear(std::uint64_t{static_cast<unsigned char>(kTag[i])} << (8 * (i % 3)));
    }
    state[kPoseidonWidth - 1] = KoalaBear(width);
    poseidon_permute(state);
    Digest r;
    std::copy_n(state.begin(), kDigestSize, r.begin());
    return r;
}

Digest poseidon_hash_row(std::span<const KoalaBear> row) {
    Digest h = poseidon_leaf_iv(row.size());
    for (std::size_t i = 0; i < row.size(); i += kDigestSize) {
        Digest block;
        std::copy_n(row.begin() + static_cast<std::ptrdiff_t>(i), std::min(kDigestSize, row.size() - i), block.begin());
        h = poseidon_compress(h, block);
    }
    return h;
}

void poseidon_hash_rows(const KoalaBear* rows, std::size_t num_rows, std::size_t width, std::size_t stride,
                        Digest* out) {
    QUARRY_CHECK(width >= 1 && stride >= width && stride % kDigestSize == 0);
    const std::size_t num_blocks = (width + kDigestSize - 1) / kDigestSize;
    kernels::poseidon_hash_rows(rows, stride, num_blocks, poseidon_leaf_iv(width), out, num_rows);
}

double measure_poseidon_permutations_per_second(double seconds) {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t kStates = 64;
    constexpr std::size_t kPasses = 16;
    std::vector<PoseidonState> states(kStates);
    for (std::size_t i = 0; i < kStates; ++i) states[i][0] = KoalaBear(i);
    poseidon_permute_batch(states);  // builds the tables
    const auto start = Clock::now();
    std::size_t permutations = 0;
    double elapsed = 0;
    do {
        for (std::size_t i = 0; i < kPasses; ++i) poseidon_permute_batch(states);
        permutations += kPasses * kStates;
        elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds);
    return static_cast<double>(permutations) / elapsed;
}

}  // namespace quarry
