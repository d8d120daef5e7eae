// ADVERSARIAL.md, "Merkle and hashing", beyond what quarry/hash/*_test.cpp and whir_adversary_test.cpp cover. Quoted
// lines stand above the tests that try them.
#include <gtest/gtest.h>

#include "quarry/hash/poseidon_batch.hpp"
#include "tests/adversary/attack.hpp"

namespace quarry::merkle_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)
using H = PoseidonHasher;

std::vector<KoalaBear> some_rows(std::size_t count, std::size_t stride, std::size_t width) {
    std::vector<KoalaBear> rows(count * stride);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i % stride < width ? KoalaBear(7 * i + 1) : KoalaBear();
    return rows;
}

// "leaf width come from parameters": a row and the same row with zeros behind it, which hash the same padded block.
TEST(AdversaryMerkle, ZeroPaddedRow) {
    const auto rows = some_rows(16, 8, 5);
    const auto tree = MerkleTree<H>::build(rows, 16, 5, 8);
    const auto path = tree.path(3);
    const std::span<const KoalaBear> padded(rows.data() + 24, 8);
    EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 3, 4, padded.first(5), path)), "ok");
    for (const std::size_t width : {4U, 6U, 7U, 8U}) {
        EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 3, 4, padded.first(width), path)), "merkle_mismatch");
    }
}

// "leaf and node domains differ": an inner node offered as a leaf, its children as the row, on a tree one level lower;
// and a leaf's chaining value offered as a node one level further down.
TEST(AdversaryMerkle, NodeAsLeafAndLeafAsNode) {
    const auto rows = some_rows(16, 16, 16);
    const auto tree = MerkleTree<H>::build(rows, 16, 16, 16);
    const auto path = tree.path(6);
    Digest left = poseidon_hash_row(std::span(rows).subspan(std::size_t{6} * 16, 16));
    const Digest right = path[0];
    std::vector<KoalaBear> children(left.begin(), left.end());
    children.insert(children.end(), right.begin(), right.end());
    const std::vector<Digest> upper(path.begin() + 1, path.end());
    EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 3, 3, children, upper)), "merkle_mismatch");
    // The row's last block is compressed into iv-chained state c: leaf = compress(c, block). As a node with children
    // (c, block) one level deeper, "row" would have to hash to c.
    const Digest iv = poseidon_leaf_iv(16);
    Digest first_block;
    Digest second_block;
    std::copy_n(rows.begin() + std::ptrdiff_t{6} * 16, 8, first_block.begin());
    std::copy_n(rows.begin() + std::ptrdiff_t{6} * 16 + 8, 8, second_block.begin());
    const Digest chained = poseidon_compress(iv, first_block);
    ASSERT_EQ(poseidon_compress(chained, second_block), left);
    std::vector<Digest> deeper{second_block};
    deeper.insert(deeper.end(), path.begin(), path.end());
    // The height is the verifier's: 4, not 5. Even at 5, no row of 16 hashes to the chained value of another.
    EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 12, 4, std::span(rows).first(16), deeper)), "bad_length");
    EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 12, 5,
                                            std::vector<KoalaBear>(first_block.begin(), first_block.end()), deeper)),
              "merkle_mismatch");
}

// "index < 2^height": the index wraps to the same leaf if its high bits are dropped.
TEST(AdversaryMerkle, IndexBeyondTheTree) {
    const auto rows = some_rows(16, 8, 8);
    const auto tree = MerkleTree<H>::build(rows, 16, 8, 8);
    const auto row = std::span(rows).subspan(std::size_t{5} * 8, 8);
    for (const std::size_t high : {std::size_t{16}, std::size_t{1} << 32, std::size_t{1} << 63}) {
        EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 5 + high, 4, row, tree.path(5))), "bad_length");
        const std::vector<std::size_t> index{5 + high};
        const std::vector<std::size_t> honest{5};
        EXPECT_EQ(name_of(verify_multi_opening<H>(tree.root(), 4, 8, index, row, tree.open(honest))), "bad_length");
    }
}

// "digests are full length": each of the eight elements of the root and of each sibling counts.
TEST(AdversaryMerkle, EveryElementOfADigestCounts) {
    const auto rows = some_rows(8, 8, 8);
    const auto tree = MerkleTree<H>::build(rows, 8, 8, 8);
    const auto row = std::span(rows).subspan(std::size_t{2} * 8, 8);
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        Digest root = tree.root();
        root[k] += KoalaBear(1);
        EXPECT_EQ(name_of(verify_merkle_path<H>(root, 2, 3, row, tree.path(2))), "merkle_mismatch");
        for (std::size_t level = 0; level < 3; ++level) {
            auto path = tree.path(2);
            path[level][k] += KoalaBear(1);
            EXPECT_EQ(name_of(verify_merkle_path<H>(tree.root(), 2, 3, row, path)), "merkle_mismatch");
        }
    }
    const Bytes32 keccak = MerkleTree<KeccakHasher>::build(rows, 8, 8, 8).root();
    EXPECT_EQ(keccak.size(), 32U);
    for (std::size_t k = 0; k < 32; ++k) {
        Bytes32 root = keccak;
        root[k] ^= 1;
        const auto path = MerkleTree<KeccakHasher>::build(rows, 8, 8, 8).path(2);
        EXPECT_EQ(name_of(verify_merkle_path<KeccakHasher>(keccak, 2, 3, row, path)), "ok");
        EXPECT_EQ(name_of(verify_merkle_path<KeccakHasher>(root, 2, 3, row, path)), "merkle_mismatch");
    }
}

// "duplicate openings", in the multi-opening: a repeated or unsorted index has no encoding.
TEST(AdversaryMerkle, DuplicatedIndices) {
    const auto rows = some_rows(16, 8, 8);
    const auto tree = MerkleTree<H>::build(rows, 16, 8, 8);
    const std::vector<std::size_t> honest{3, 9};
    const auto opening = tree.open(honest);
    const auto opened = [&](const std::vector<std::size_t>& at) {
        std::vector<KoalaBear> r;
        for (const std::size_t i : at) {
            r.insert(r.end(), rows.begin() + static_cast<std::ptrdiff_t>(8 * (i % 16)),
                     rows.begin() + static_cast<std::ptrdiff_t>(8 * (i % 16) + 8));
        }
        return r;
    };
    EXPECT_EQ(name_of(verify_multi_opening<H>(tree.root(), 4, 8, honest, opened(honest), opening)), "ok");
    for (const std::vector<std::size_t>& bad :
         {std::vector<std::size_t>{3, 3, 9}, {3, 9, 9}, {9, 3}, {3, 9, 3}, {3, 3}}) {
        EXPECT_EQ(name_of(verify_multi_opening<H>(tree.root(), 4, 8, bad, opened(bad), opening)), "bad_length");
        EXPECT_EQ(name_of(expand<H>(tree.root(), 4, 8, bad, opened(bad), opening)), "bad_length");
    }
}

// "Tree height .. come from parameters, never from the proof", in whole proofs: paths and rows of every other length.
TEST(AdversaryMerkle, HeightAndWidthOfAProof) {
    const Cubes& c = Cubes::get();
    for (std::size_t i = 0; i < c.proof.openings.oracles.size(); ++i) {
        const Opening& honest = c.proof.openings.oracles[i][1];
        Proof p = c.proof;
        for (const std::size_t n : {std::size_t{0}, honest.path.size() - 1, honest.path.size() + 1, std::size_t{64}}) {
            p.openings.oracles[i][1].path.resize(n);
            EXPECT_EQ(c.verdict(p), "bad_length");
        }
        p = c.proof;
        for (const std::size_t n : {std::size_t{0}, honest.row.size() - 1, honest.row.size() + 1, std::size_t{4096}}) {
            p.openings.oracles[i][1].row.resize(n);
            EXPECT_EQ(c.verdict(p), "bad_length");
        }
        // All of them alike: rows of one element less with the paths of the honest rows.
        p = c.proof;
        for (Opening& o : p.openings.oracles[i]) o.row.pop_back();
        EXPECT_EQ(c.verdict(p), "bad_length");
        for (Opening& o : p.openings.oracles[i]) {
            o.row.emplace_back();
            o.path.erase(o.path.begin());
        }
        EXPECT_EQ(c.verdict(p), "bad_length");
    }
}

}  // namespace
}  // namespace quarry::merkle_test
