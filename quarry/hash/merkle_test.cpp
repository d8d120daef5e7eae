#include "quarry/hash/merkle.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <random>
#include <set>
#include <string_view>

#include "quarry/hash/poseidon_batch.hpp"

namespace quarry::merkle_test {
namespace {

/// Random rows with zero padding, and their tree.
template <class H>
struct Fixture {
    Fixture(unsigned log_rows, std::size_t row_width, std::size_t extra = 0, std::uint64_t seed = 1)
        : height(log_rows), width(row_width), stride((row_width + 7) / 8 * 8 + extra), rows(stride << log_rows) {
        std::mt19937_64 random(seed);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i % stride < width) rows[i] = KoalaBear(random());
        }
        tree = MerkleTree<H>::build(rows, std::size_t{1} << height, width, stride);
    }
    [[nodiscard]] std::span<const KoalaBear> row(std::size_t i) const {
        return std::span(rows).subspan(i * stride, width);
    }
    [[nodiscard]] std::vector<KoalaBear> opened(std::span<const std::size_t> indices) const {
        std::vector<KoalaBear> r;
        for (const std::size_t i : indices) r.insert(r.end(), row(i).begin(), row(i).end());
        return r;
    }
    unsigned height;
    std::size_t width, stride;
    std::vector<KoalaBear> rows;
    MerkleTree<H> tree;
};

std::vector<std::size_t> random_indices(std::mt19937_64& random, unsigned height, std::size_t n) {
    std::set<std::size_t> r;
    for (std::size_t i = 0; i < n; ++i) r.insert(random() >> (64 - height - 1) >> 1);
    return {r.begin(), r.end()};
}

template <class H>
void tamper(typename H::Digest& d);
template <>
void tamper<PoseidonHasher>(Digest& d) {
    d[7] += KoalaBear(1);
}
template <>
void tamper<KeccakHasher>(Bytes32& d) {
    d[31] ^= 1;
}

template <class H>
class MerkleTest : public ::testing::Test {};
using Hashers = ::testing::Types<PoseidonHasher, KeccakHasher>;
TYPED_TEST_SUITE(MerkleTest, Hashers);

/// Root by definition, one hash at a time.
template <class H>
typename H::Digest plain_root(const Fixture<H>& f) {
    std::vector<typename H::Digest> level(std::size_t{1} << f.height);
    for (std::size_t i = 0; i < level.size(); ++i)
        H::hash_rows(f.rows.data() + i * f.stride, 1, f.width, f.stride, &level[i]);
    while (level.size() > 1) {
        for (std::size_t i = 0; 2 * i < level.size(); ++i) {
            typename H::Digest parent;
            H::compress_pairs(&level[2 * i], &parent, 1);
            level[i] = parent;
        }
        level.resize(level.size() / 2);
    }
    return level[0];
}

TYPED_TEST(MerkleTest, RootIsTheDefinition) {
    for (const unsigned height : {0u, 1u, 3u, 4u, 5u, 8u, 11u}) {
        for (const std::size_t width : {1, 8, 20}) {
            const Fixture<TypeParam> f(height, width, height % 2 * 8);
            EXPECT_EQ(f.tree.root(), plain_root(f)) << height << ' ' << width;
        }
    }
}

TYPED_TEST(MerkleTest, RootDoesNotDependOnThreads) {
    const Fixture<TypeParam> f(12, 9);
    const tbb::global_control allow(tbb::global_control::max_allowed_parallelism, 4);
    for (const int threads : {1, 4}) {
        tbb::task_arena arena(threads);
        arena.execute([&] {
            const auto again = MerkleTree<TypeParam>::build(f.rows, f.rows.size() / f.stride, f.width, f.stride);
            EXPECT_EQ(again.root(), f.tree.root());
        });
    }
}

TYPED_TEST(MerkleTest, PathsVerify) {
    for (const unsigned height : {0u, 1u, 6u}) {
        const Fixture<TypeParam> f(height, 13);
        for (std::size_t i = 0; i >> height == 0; ++i) {
            const auto path = f.tree.path(i);
            EXPECT_EQ((merkle_root_from<TypeParam>(i, height, f.row(i), path)), f.tree.root());
            EXPECT_TRUE((verify_merkle_path<TypeParam>(f.tree.root(), i, height, f.row(i), path)));
        }
    }
}

TYPED_TEST(MerkleTest, BadPathsAreRefused) {
    const Fixture<TypeParam> f(5, 13);
    const auto check = [&](std::size_t index, unsigned height, std::span<const KoalaBear> row, const auto& path) {
        return verify_merkle_path<TypeParam>(f.tree.root(), index, height, row, path).error().code;
    };
    const auto path = f.tree.path(9);
    EXPECT_EQ(check(8, 5, f.row(9), path), Errc::merkle_mismatch);
    EXPECT_EQ(check(9, 5, f.row(8), path), Errc::merkle_mismatch);
    EXPECT_EQ(check(9, 5, f.row(9).first(12), path), Errc::merkle_mismatch);
    EXPECT_EQ(check(9 + 32, 5, f.row(9), path), Errc::bad_length);
    EXPECT_EQ(check(9, 5, f.row(9).first(0), path), Errc::bad_length);
    EXPECT_EQ(check(9, 64, f.row(9), path), Errc::bad_length);
    auto longer = path;
    longer.push_back(path[0]);
    EXPECT_EQ(check(9, 5, f.row(9), longer), Errc::bad_length);
    EXPECT_EQ(check(9, 6, f.row(9), longer), Errc::merkle_mismatch);
    // A tree one level lower, its leaf a node of this one: the row would have to hash to a node.
    EXPECT_EQ(check(4, 4, f.row(9), std::vector(path.begin() + 1, path.end())), Errc::merkle_mismatch);
    for (std::size_t level = 0; level < path.size(); ++level) {
        auto bad = path;
        tamper<TypeParam>(bad[level]);
        EXPECT_EQ(check(9, 5, f.row(9), bad), Errc::merkle_mismatch);
    }
}

TYPED_TEST(MerkleTest, LeafAndNodeDomainsDiffer) {
    // A row that spells two child digests does not hash to their parent. For Poseidon the row of 16 elements is the two
    // digests; for Keccak their bytes as 32-bit words, taken where they are canonical.
    const Fixture<TypeParam> f(1, 16);
    using Digest = typename TypeParam::Digest;
    std::array<Digest, 2> children{};
    std::vector<KoalaBear> row(16);
    Digest parent, leaf;
    TypeParam::compress_pairs(children.data(), &parent, 1);
    TypeParam::hash_rows(row.data(), 1, row.size(), row.size(), &leaf);
    EXPECT_NE(parent, leaf);
}

TYPED_TEST(MerkleTest, MultiOpeningsRoundTrip) {
    std::mt19937_64 random(7);
    for (const unsigned height : {0u, 1u, 2u, 5u, 9u}) {
        const Fixture<TypeParam> f(height, 11, 0, height);
        for (const std::size_t n : {1, 2, 3, 10, 40, 600}) {
            const auto indices = random_indices(random, height, n);
            const auto opening = f.tree.open(indices);
            const auto rows = f.opened(indices);
            EXPECT_EQ(opening.siblings.size(), multi_opening_size(indices, height));
            EXPECT_TRUE((verify_multi_opening<TypeParam>(f.tree.root(), height, f.width, indices, rows, opening)));

            std::vector<MerklePath<TypeParam>> paths;
            for (const std::size_t i : indices) paths.push_back(f.tree.path(i));
            EXPECT_EQ((prune<TypeParam>(indices, height, paths).siblings), opening.siblings);
            const auto expanded = expand<TypeParam>(f.tree.root(), height, f.width, indices, rows, opening);
            ASSERT_TRUE(expanded);
            EXPECT_EQ(expanded.value(), paths);
        }
    }
}

TYPED_TEST(MerkleTest, MultiOpeningsEndBelowAKnownUpperPart) {
    std::mt19937_64 random(8);
    for (const unsigned height : {0u, 1u, 5u, 9u}) {
        const Fixture<TypeParam> f(height, 11, 0, height);
        for (unsigned log_cap = 0; log_cap <= height; ++log_cap) {
            const auto upper = MerkleTree<TypeParam>::above(f.tree.level(log_cap));
            const auto indices = random_indices(random, height, 20);
            const auto rows = f.opened(indices);
            std::vector<MerklePath<TypeParam>> paths;
            for (const std::size_t i : indices) paths.push_back(f.tree.path(i));
            auto opening = prune<TypeParam>(indices, height, paths, log_cap);
            EXPECT_EQ(opening.siblings.size(), multi_opening_size(indices, height, log_cap));
            // What is left out is what stands at or above the cap.
            const auto whole = f.tree.open(indices).siblings;
            ASSERT_LE(opening.siblings.size(), whole.size());
            EXPECT_TRUE(std::equal(opening.siblings.begin(), opening.siblings.end(), whole.begin()));

            const auto check = [&](const MerkleTree<TypeParam>& known, const MultiOpening<TypeParam>& o) {
                const auto verified = verify_multi_opening<TypeParam>(known, height, f.width, indices, rows, o);
                const auto expanded = expand<TypeParam>(known, height, f.width, indices, rows, o);
                EXPECT_EQ(verified.ok(), expanded.ok());
                if (expanded.ok()) {
                    EXPECT_EQ(expanded.value(), paths);
                }
                return verified.ok() ? Errc{} : verified.error().code;
            };
            EXPECT_EQ(check(upper, opening), Errc{});
            std::vector nodes(f.tree.level(log_cap).begin(), f.tree.level(log_cap).end());
            tamper<TypeParam>(nodes[indices.back() >> (height - log_cap)]);
            EXPECT_EQ(check(MerkleTree<TypeParam>::above(nodes), opening), Errc::merkle_mismatch);
            if (!opening.siblings.empty()) {
                auto bad = opening;
                tamper<TypeParam>(bad.siblings.back());
                EXPECT_EQ(check(upper, bad), Errc::merkle_mismatch);
                bad.siblings.pop_back();
                EXPECT_EQ(check(upper, bad), Errc::bad_length);
            }
            opening.siblings.push_back({});
            EXPECT_EQ(check(upper, opening), Errc::bad_length);
        }
        const auto higher = MerkleTree<TypeParam>::above(std::vector<typename TypeParam::Digest>(2u << height));
        const std::vector<std::size_t> first{0};
        EXPECT_EQ(verify_multi_opening<TypeParam>(higher, height, f.width, first, f.opened(first), {}).error().code,
                  Errc::bad_length);
    }
}

TEST(MultiOpeningTest, SizeOnKnownSets) {
    const auto size = [](std::vector<std::size_t> indices, unsigned height) {
        return multi_opening_size(indices, height);
    };
    EXPECT_EQ(size({0}, 0), 0u);
    EXPECT_EQ(size({5}, 3), 3u);
    EXPECT_EQ(size({4, 5}, 3), 2u);
    EXPECT_EQ(size({3, 4}, 3), 4u);
    EXPECT_EQ(size({0, 1, 2, 3, 4, 5, 6, 7}, 3), 0u);
    EXPECT_EQ(size({1, 2}, 40), 40u);  // their own siblings, then a common path of 38
    EXPECT_EQ(multi_opening_size(std::vector<std::size_t>{1, 2}, 40, 38), 2u);
    EXPECT_EQ(multi_opening_size(std::vector<std::size_t>{1, 2}, 40, 40), 0u);
}

TYPED_TEST(MerkleTest, HostileMultiOpeningsAreRefused) {
    const Fixture<TypeParam> f(6, 11);
    const std::vector<std::size_t> indices{3, 8, 9, 40, 63};
    const auto opening = f.tree.open(indices);
    const auto rows = f.opened(indices);
    // Both entry points must give the same verdict.
    const auto check = [&](unsigned height, std::size_t width, std::span<const std::size_t> at,
                           std::span<const KoalaBear> values, const MultiOpening<TypeParam>& o) {
        const auto verified = verify_multi_opening<TypeParam>(f.tree.root(), height, width, at, values, o);
        const auto expanded = expand<TypeParam>(f.tree.root(), height, width, at, values, o);
        EXPECT_EQ(verified.error().code, expanded.error().code);
        return verified.error().code;
    };
    const std::span<const KoalaBear> all(rows);

    for (const std::vector<std::size_t>& bad : {std::vector<std::size_t>{},
                                                {3, 8, 8, 40, 63},
                                                {8, 3, 9, 40, 63},
                                                {3, 8, 9, 40, 64},
                                                {3, 8, 9, 40, ~std::size_t{0}}}) {
        EXPECT_EQ(check(6, 11, bad, all, opening), Errc::bad_length);
    }
    EXPECT_EQ(check(6, 0, indices, all, opening), Errc::bad_length);
    EXPECT_EQ(check(6, 10, indices, all, opening), Errc::bad_length);
    EXPECT_EQ(check(6, 55, indices, all, opening), Errc::bad_length);
    EXPECT_EQ(check(6, 11, indices, all.first(44), opening), Errc::bad_length);
    EXPECT_EQ(check(6, 11, indices, {}, opening), Errc::bad_length);
    EXPECT_EQ(check(7, 11, indices, all, opening), Errc::bad_length);
    EXPECT_EQ(check(64, 11, indices, all, opening), Errc::bad_length);
    EXPECT_EQ(check(~0u, 11, indices, all, opening), Errc::bad_length);
    EXPECT_EQ(check(6, 11, std::vector<std::size_t>{3, 8, 9, 40, 62}, all, opening), Errc::merkle_mismatch);

    auto fewer = opening;
    fewer.siblings.pop_back();
    EXPECT_EQ(check(6, 11, indices, all, fewer), Errc::bad_length);
    auto more = opening;
    more.siblings.push_back(opening.siblings.back());
    EXPECT_EQ(check(6, 11, indices, all, more), Errc::bad_length);
    EXPECT_EQ(check(6, 11, indices, all, MultiOpening<TypeParam>{}), Errc::bad_length);

    for (std::size_t i = 0; i < opening.siblings.size(); ++i) {
        auto bad = opening;
        tamper<TypeParam>(bad.siblings[i]);
        EXPECT_EQ(check(6, 11, indices, all, bad), Errc::merkle_mismatch);
        if (i > 0) {
            bad = opening;
            std::swap(bad.siblings[i], bad.siblings[i - 1]);
            EXPECT_EQ(check(6, 11, indices, all, bad), Errc::merkle_mismatch);
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto bad = rows;
        bad[i] += KoalaBear(1);
        EXPECT_EQ(check(6, 11, indices, bad, opening), Errc::merkle_mismatch);
    }
}

TEST(KeccakTest, KnownAnswers) {
    const auto hex = [](std::string_view text) {
        Bytes32 r{};
        const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
        for (std::size_t i = 0; i < 32; ++i)
            r[i] = static_cast<std::uint8_t>(16 * digit(text[2 * i]) + digit(text[2 * i + 1]));
        return r;
    };
    // Ethereum's hash of the empty string, and of "abc".
    EXPECT_EQ(keccak256({}), hex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"));
    const std::array<std::uint8_t, 3> abc{'a', 'b', 'c'};
    EXPECT_EQ(keccak256(abc), hex("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"));
}

TEST(KeccakHasherTest, EncodesRowsAsDocumented) {
    const std::array<KoalaBear, 8> row{KoalaBear(1), KoalaBear(0x7f000000)};
    Bytes32 leaf;
    KeccakHasher::hash_rows(row.data(), 1, 2, 8, &leaf);
    const std::array<std::uint8_t, 9> bytes{0, 0, 0, 0, 1, 0x7f, 0, 0, 0};
    EXPECT_EQ(leaf, keccak256(bytes));
}

// The format, computed by an independent implementation (Python integers, the Grain generator, dense rounds).
TEST(PoseidonHasherTest, PinnedVectors) {
    const auto digest = [](const std::array<std::uint32_t, kDigestSize>& x) {
        Digest r;
        for (std::size_t i = 0; i < kDigestSize; ++i) r[i] = KoalaBear(x[i]);
        return r;
    };
    EXPECT_EQ(poseidon_leaf_iv(10),
              digest({657561905, 1665649688, 405366553, 1066768678, 1741034552, 399720756, 1995776723, 316404552}));
    std::vector<KoalaBear> rows(4 * 16);  // row i: 100 i, 100 i + 1, .., 100 i + 9
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 10; ++j) rows[16 * i + j] = KoalaBear(100 * i + j);
    }
    EXPECT_EQ(MerkleTree<PoseidonHasher>::build(rows, 4, 10, 16).root(),
              digest({1327650316, 1680192857, 1013201180, 797075851, 203566183, 1812982118, 2034199513, 1661210753}));
    EXPECT_EQ(poseidon_grind(PoseidonState{}, 0, 10), KoalaBear(543));
}

TEST(PoseidonHasherTest, LeavesAndNodesAreThoseOfTheScalarCode) {
    const Fixture<PoseidonHasher> f(1, 20);
    EXPECT_EQ(f.tree.root(), poseidon_compress(poseidon_hash_row(f.row(0)), poseidon_hash_row(f.row(1))));
}

}  // namespace
}  // namespace quarry::merkle_test
