#include "quarry/hash/poseidon_batch.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <random>
#include <vector>

#include "quarry/field/isa.hpp"
#include "quarry/hash/kernels/poseidon_kernels.hpp"
#include "quarry/hash/poseidon_sparse.hpp"

namespace quarry::poseidon_batch_test {
namespace {

/// Runs a test body on every ISA of this machine, avx512 with and without IFMA, and puts the previous one back.
template <class F>
void on_every_isa(F&& body) {
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        SCOPED_TRACE(isa_name(isa));
        force_isa(isa);
        body();
        if (has_ifma()) {
            SCOPED_TRACE("without IFMA");
            kernels::ifma_allowed() = false;
            body();
            kernels::ifma_allowed() = true;
        }
    }
    force_isa(before);
}

/// Random states; the first few are all zero, all p - 1, and all p - 1 in Montgomery form.
std::vector<PoseidonState> states(std::size_t n) {
    std::mt19937_64 random(1);
    std::vector<PoseidonState> r(n);
    for (std::size_t i = 1; i < n; ++i) {
        for (KoalaBear& x : r[i]) {
            x = i == 1   ? KoalaBear(KoalaBear::kModulus - 1)
                : i == 2 ? KoalaBear::from_montgomery(KoalaBear::kModulus - 1)
                         : KoalaBear(random());
        }
    }
    return r;
}

TEST(PoseidonSparseTest, EqualsTheDefinition) {
    for (PoseidonState state : states(50)) {
        PoseidonState plain = state;
        poseidon_permute_plain(plain);
        poseidon_permute(state);
        EXPECT_EQ(state, plain);
    }
}

TEST(PoseidonSparseTest, ExitMatrixIsTheIdentityOnX) {
    const PoseidonSparse& sparse = poseidon_sparse();
    for (std::size_t i = 1; i < kPoseidonWidth; ++i) {
        for (std::size_t j = 0; j < kPoseidonWidth; ++j) {
            EXPECT_EQ(sparse.exit[i].coefficient[j], KoalaBear(i == j ? 1 : 0));
        }
    }
    for (std::size_t t = 1; t < kPoseidonPartialRounds; ++t) {
        EXPECT_TRUE(sparse.sbox_input[t].coefficient[0].is_zero());
        for (std::size_t u = t; u < kPoseidonPartialRounds; ++u) {
            EXPECT_TRUE(sparse.sbox_input[t].coefficient[kPoseidonWidth + u].is_zero());
        }
    }
}

TEST(PoseidonBatchTest, PermuteEqualsScalarOnEveryIsa) {
    for (const std::size_t n : {0, 1, 15, 16, 17, 1000}) {
        const auto in = states(n);
        auto expected = in;
        for (PoseidonState& s : expected) poseidon_permute(s);
        on_every_isa([&] {
            auto got = in;
            poseidon_permute_batch(got);
            EXPECT_EQ(got, expected);
        });
    }
}

// Sums of the first linear layer are largest where the outputs of the S-boxes before it are 0 or p - 1 as residues: the
// cube of x + c has the Montgomery form that is wanted. The same inputs again as residues, for the first addition.
TEST(PoseidonBatchTest, LargestResiduesAgreeOnEveryIsa) {
    constexpr std::uint64_t kCubeRoot = (2 * std::uint64_t{KoalaBear::kModulus - 1} + 1) / 3;
    const auto residue = [](bool largest) { return KoalaBear::from_montgomery(largest ? KoalaBear::kModulus - 1 : 0); };
    std::mt19937_64 random(4);
    std::vector<PoseidonState> in(4000);
    for (std::size_t n = 0; n < in.size(); ++n) {
        const std::uint64_t bits = n < 2 ? 0 - n : random();
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
            const KoalaBear cube = residue((bits >> i & 1) != 0);
            in[n][i] = n % 2 == 0 ? cube : cube.pow(kCubeRoot) - kPoseidonRoundConstants[0][i];
        }
    }
    auto expected = in;
    for (PoseidonState& s : expected) poseidon_permute_plain(s);
    on_every_isa([&] {
        auto got = in;
        poseidon_permute_batch(got);
        EXPECT_EQ(got, expected);
    });
}

// Iterating feeds every output back as input: a representative that is not canonical, or a rare overflow, would show.
TEST(PoseidonBatchTest, LongIterationAgreesOnEveryIsa) {
    constexpr std::size_t kStates = 32;
    constexpr int kSteps = 300;
    auto expected = states(kStates);
    for (PoseidonState& s : expected) {
        for (int i = 0; i < kSteps; ++i) poseidon_permute(s);
    }
    on_every_isa([&] {
        auto got = states(kStates);
        for (int i = 0; i < kSteps; ++i) poseidon_permute_batch(got);
        EXPECT_EQ(got, expected);
    });
}

TEST(PoseidonBatchTest, CompressEqualsScalarOnEveryIsa) {
    for (const std::size_t n : {1, 7, 16, 33}) {
        std::vector<Digest> children(2 * n);
        std::mt19937_64 random(2);
        for (Digest& d : children) {
            for (KoalaBear& x : d) x = KoalaBear(random());
        }
        std::vector<Digest> expected(n);
        for (std::size_t i = 0; i < n; ++i) expected[i] = poseidon_compress(children[2 * i], children[2 * i + 1]);
        on_every_isa([&] {
            std::vector<Digest> in_place = children;
            poseidon_compress_pairs(in_place, std::span(in_place).first(n));
            in_place.resize(n);
            EXPECT_EQ(in_place, expected);
        });
    }
}

TEST(PoseidonBatchTest, HashRowsEqualsScalarOnEveryIsa) {
    std::mt19937_64 random(3);
    for (const std::size_t width : {1, 7, 8, 9, 16, 23, 24, 104}) {
        for (const std::size_t extra : {0, 8}) {
            const std::size_t stride = (width + 7) / 8 * 8 + extra;
            constexpr std::size_t kRows = 35;
            std::vector<KoalaBear> rows(kRows * stride);
            std::vector<Digest> expected(kRows);
            for (std::size_t i = 0; i < kRows; ++i) {
                for (std::size_t j = 0; j < width; ++j) rows[i * stride + j] = KoalaBear(random());
                expected[i] = poseidon_hash_row(std::span(rows).subspan(i * stride, width));
            }
            on_every_isa([&] {
                std::vector<Digest> got(kRows);
                poseidon_hash_rows(rows.data(), kRows, width, stride, got.data());
                EXPECT_EQ(got, expected);
            });
        }
    }
}

TEST(PoseidonBatchTest, LeafDomainsDiffer) {
    // Same content, other width: other hash. A leaf of 16 zeros is not the node of two zero digests.
    const std::vector<KoalaBear> zeros(16);
    EXPECT_NE(poseidon_leaf_iv(1), poseidon_leaf_iv(2));
    EXPECT_NE(poseidon_hash_row(std::span(zeros).first(7)), poseidon_hash_row(std::span(zeros).first(8)));
    EXPECT_NE(poseidon_hash_row(zeros), poseidon_compress(Digest{}, Digest{}));
}

bool passes(PoseidonState state, std::size_t position, unsigned bits, KoalaBear nonce) {
    state[position] = nonce;
    poseidon_permute(state);
    return state[0].canonical() % (std::uint32_t{1} << bits) == 0;
}

TEST(PoseidonGrindTest, FindsTheSmallestNonceOnEveryIsaAndThreadCount) {
    const PoseidonState state = states(5)[4];
    for (const unsigned bits : {0u, 1u, 5u, 9u, 14u}) {
        for (const std::size_t position : {0u, 15u}) {
            std::uint32_t smallest = 0;
            while (!passes(state, position, bits, KoalaBear(smallest))) ++smallest;
            on_every_isa([&] {
                for (const int threads : {1, 2, 5}) {
                    const tbb::global_control allow(tbb::global_control::max_allowed_parallelism, 5);
                    tbb::task_arena arena(threads);
                    const auto nonce = arena.execute([&] { return poseidon_grind(state, position, bits); });
                    EXPECT_EQ(nonce, KoalaBear(smallest)) << bits << " bits, " << threads << " threads";
                }
            });
        }
    }
}

TEST(PoseidonBatchTest, MeasuresARate) { EXPECT_GT(measure_poseidon_permutations_per_second(0.001), 1000); }

}  // namespace
}  // namespace quarry::poseidon_batch_test
