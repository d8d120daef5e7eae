// Trees opened at many positions: what the upper levels accept, and lies that they must not.
#include <gtest/gtest.h>

#include <random>

#include "quarry/hash/merkle.hpp"
#include "quarry/recursion/builder.hpp"
#include "quarry/recursion/testing.hpp"

namespace quarry::recursion::builder_upper_test {
namespace {

using testing::LaidOut;

constexpr std::size_t kWidth = 8;

struct Matrix {
    unsigned log_rows;
    std::vector<KoalaBear> cells;
    MerkleTree<PoseidonHasher> tree;
    Matrix(unsigned height, std::uint64_t seed)
        : log_rows(height),
          cells(make(height, seed)),
          tree(MerkleTree<PoseidonHasher>::build(cells, std::size_t{1} << height, kWidth, kWidth)) {}
    static std::vector<KoalaBear> make(unsigned height, std::uint64_t seed) {
        std::mt19937_64 rng(seed);
        std::vector<KoalaBear> cells(kWidth << height);
        for (KoalaBear& x : cells) x = KoalaBear(rng());
        return cells;
    }
};

/// Opens trees at the same positions, the rows and paths of `of[i]` against the root of `roots[i]`.
struct Opened {
    std::vector<std::uint32_t> positions;
    CircuitRows rows;
};
Opened open_all(const std::vector<const Matrix*>& roots, const std::vector<const Matrix*>& of, std::size_t num_queries,
                RowKinds kinds = RowKinds::all) {
    CircuitBuilder b(kinds);
    SpongeWires sponge(b);
    for (std::uint64_t i = 0; i < kBlock; ++i) (void)sponge.absorb(KoalaBear(i));
    Opened opened;
    std::vector<IndexWires> indices;
    for (std::size_t q = 0; q < num_queries; ++q) {
        const auto [address, value] = sponge.squeeze();
        indices.push_back(b.index(address, value, roots[0]->log_rows));
        opened.positions.push_back(indices.back().value);
    }
    for (std::size_t i = 0; i < roots.size(); ++i) {
        std::vector<BaseRun> runs;
        std::vector<std::vector<Digest>> paths;
        for (const std::uint32_t position : opened.positions) {
            runs.push_back(b.leaf(std::span(of[i]->cells).subspan(position * kWidth, kWidth)));
            paths.push_back(of[i]->tree.path(position));
        }
        b.open(b.witness(roots[i]->tree.root()), indices, runs,
               std::vector<std::span<const Digest>>(paths.begin(), paths.end()));
    }
    b.expose(b.constant(Digest{}));
    opened.rows = std::move(b).finish();
    return opened;
}
std::string complaint(const CircuitRows& rows) { return LaidOut(rows).complaint(Digest{}); }

TEST(UpperLevels, OfTreesAsHighAsTheirCapAndHigher) {
    for (const unsigned height : {1U, 3U, 9U}) {
        const Matrix a(height, 1);
        const Matrix b(height, 2);
        for (const std::size_t queries : {std::size_t{1}, std::size_t{2}, std::size_t{40}}) {
            const Opened opened = open_all({&a, &b}, {&a, &b}, queries);
            EXPECT_EQ(complaint(opened.rows), "") << height << ' ' << queries;
            EXPECT_EQ(opened.rows.upper.rows.empty(), queries == 1);
        }
    }
}

// More queries than a cap can have nodes.
TEST(UpperLevels, AreEightAtMost) {
    const Matrix a(10, 1);
    const Opened opened = open_all({&a}, {&a}, 300);
    EXPECT_EQ(opened.rows.upper.rows.size(), (std::size_t{1} << kCapBits) - 1);
    EXPECT_EQ(opened.rows.cap.rows.size(), 301U);
    EXPECT_EQ(complaint(opened.rows), "");
}

TEST(UpperLevels, AreNotWhereRowsAreFew) {
    const Matrix a(6, 1);
    const Opened opened = open_all({&a}, {&a}, 5, RowKinds::few);
    EXPECT_TRUE(opened.rows.upper.rows.empty() && opened.rows.cap.rows.empty());
    EXPECT_EQ(complaint(opened.rows), "");
}

// "A path that ends in another tree": all of it right but the root.
TEST(UpperLevels, LeadToTheirRoot) {
    const Matrix a(6, 1);
    const Matrix b(6, 2);
    const LaidOut laid(open_all({&a}, {&b}, 5).rows);
    // Each tuple is taken as often as it is put there, but the two roots.
    std::vector<const Table*> tables;
    for (const Table& table : laid.circuit->tables()) tables.push_back(&table);
    std::vector<std::vector<KoalaBear>> left;
    for (const Imbalance& i : find_imbalances(tables, laid.columns(), 100)) {
        if (i.bus == kUpperBus) left.push_back(i.tuple);
    }
    const auto root_tuple = [](const Matrix& m) {
        std::vector<KoalaBear> tuple{KoalaBear(), KoalaBear()};
        tuple.insert(tuple.end(), m.tree.root().begin(), m.tree.root().end());
        return tuple;
    };
    ASSERT_EQ(left.size(), 2U);
    EXPECT_TRUE(std::ranges::find(left, root_tuple(a)) != left.end());
    EXPECT_TRUE(std::ranges::find(left, root_tuple(b)) != left.end());
}

// "A path that ends at a node of another tree's cap": two trees whose paths have changed places.
TEST(UpperLevels, AreOfOneTree) {
    const Matrix a(6, 1);
    const Matrix b(6, 2);
    EXPECT_EQ(complaint(open_all({&a, &b}, {&a, &b}, 5).rows), "");
    EXPECT_NE(complaint(open_all({&a, &b}, {&b, &a}, 5).rows), "");
    // The tuples of both, each with the other's level: nothing but the level tells.
    CircuitRows rows = open_all({&a, &b}, {&a, &b}, 5).rows;
    const std::size_t half = rows.cap.rows.size() / 2;
    ASSERT_EQ(rows.cap.fixed[half].sends, KoalaBear(1));
    std::swap(rows.cap.rows[1], rows.cap.rows[half + 1]);
    std::swap(rows.cap.fixed[1].digest, rows.cap.fixed[half + 1].digest);
    const std::string found = complaint(rows);
    EXPECT_NE(found.find("bus 5"), std::string::npos) << found;
    EXPECT_EQ(found.find("bus 3"), std::string::npos) << found;
}

// "A path that ends at another node of its cap": the row of position j, and a path to it, in the place of i. The bits
// that the transcript gives do not lead there.
TEST(UpperLevels, ANodeHasItsNumber) {
    const Matrix a(6, 1);
    const Opened opened = open_all({&a}, {&a}, 5);
    const auto first = opened.rows.cap.rows[1];
    std::size_t other = 2;
    while (other < 5 && opened.rows.cap.rows[other].x == first.x) ++other;
    ASSERT_LT(other, 5U);
    CircuitRows rows = opened.rows;
    std::swap(rows.cap.fixed[1].digest, rows.cap.fixed[other].digest);
    std::swap(rows.cap.rows[1].x, rows.cap.rows[other].x);
    std::string found = complaint(rows);
    EXPECT_NE(found.find("bus 5"), std::string::npos) << found;
    EXPECT_EQ(found.find("bus 3"), std::string::npos) << found;
    // With the numbers that would fit, the bits are not the transcript's.
    std::swap(rows.cap.rows[1].bits, rows.cap.rows[other].bits);
    found = complaint(rows);
    EXPECT_NE(found.find("bus 2"), std::string::npos) << found;
    EXPECT_EQ(found.find("bus 5"), std::string::npos) << found;
}

TEST(UpperLevels, NodesAreTakenAsOftenAsTheyAreGiven) {
    const Matrix a(6, 1);
    const Opened opened = open_all({&a}, {&a}, 5);
    for (std::size_t r = 0; r < opened.rows.upper.rows.size(); r += 3) {
        for (KoalaBear UpperRow<KoalaBear>::* const cell :
             {&UpperRow<KoalaBear>::lefts, &UpperRow<KoalaBear>::rights, &UpperRow<KoalaBear>::number}) {
            CircuitRows rows = opened.rows;
            rows.upper.rows[r].*cell += KoalaBear(1);
            const std::string found = complaint(rows);
            EXPECT_NE(found.find("bus 5"), std::string::npos) << r << found;
        }
    }
}

}  // namespace
}  // namespace quarry::recursion::builder_upper_test
