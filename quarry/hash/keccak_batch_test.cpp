#include "quarry/hash/keccak_batch.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "quarry/field/isa.hpp"
#include "quarry/hash/merkle.hpp"

namespace quarry::keccak_batch_test {
namespace {

template <class F>
void on_every_isa(F&& body) {
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        SCOPED_TRACE(isa_name(isa));
        force_isa(isa);
        body();
    }
    force_isa(before);
}

std::vector<std::uint8_t> random_bytes(std::size_t n, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<std::uint8_t> r(n);
    for (std::uint8_t& x : r) x = static_cast<std::uint8_t>(random());
    return r;
}

// Lengths around the ends of blocks, where the two bits of padding share a byte.
TEST(KeccakBatchTest, GroupsAreTheSingleHash) {
    on_every_isa([] {
        for (const std::size_t length : {0U, 1U, 65U, 134U, 135U, 136U, 137U, 271U, 272U, 500U}) {
            KeccakGroup group(length);
            for (unsigned pass = 0; pass < 2; ++pass) {  // a group is used again
                std::vector<std::vector<std::uint8_t>> messages;
                for (std::size_t i = 0; i < KeccakGroup::kSize; ++i) {
                    messages.push_back(random_bytes(length, static_cast<unsigned>(8 * pass + i)));
                    std::copy(messages[i].begin(), messages[i].end(), group.message(i).begin());
                }
                const std::size_t n = pass == 0 ? KeccakGroup::kSize : 3;
                std::array<Bytes32, KeccakGroup::kSize> digests{};
                group.digest(digests.data(), n);
                for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(digests[i], keccak256(messages[i])) << length << " " << i;
                for (std::size_t i = n; i < digests.size(); ++i) EXPECT_EQ(digests[i], Bytes32{});
            }
        }
    });
}

// Numbers of rows and pairs that fill no group, against the definition.
TEST(KeccakBatchTest, HasherIsItsDefinition) {
    on_every_isa([] {
        constexpr std::size_t kRows = 11, kWidth = 37, kStride = 40;
        std::mt19937_64 random(7);
        std::vector<KoalaBear> rows(kRows * kStride);
        for (KoalaBear& x : rows) x = KoalaBear(random());
        std::array<Bytes32, 2 * kRows> leaves{};
        std::array<Bytes32, kRows> parents{};
        KeccakHasher::hash_rows(rows.data(), kRows, kWidth, kStride, leaves.data());
        KeccakHasher::compress_pairs(leaves.data(), parents.data(), kRows);
        for (std::size_t i = 0; i < kRows; ++i) {
            std::vector<std::uint8_t> row{0}, node{1};
            for (std::size_t j = 0; j < kWidth; ++j) {
                const std::uint32_t x = rows[i * kStride + j].canonical();
                for (const unsigned shift : {24U, 16U, 8U, 0U}) row.push_back(static_cast<std::uint8_t>(x >> shift));
            }
            EXPECT_EQ(leaves[i], keccak256(row)) << i;
            for (const std::size_t child : {2 * i, 2 * i + 1}) {
                node.insert(node.end(), leaves[child].begin(), leaves[child].end());
            }
            EXPECT_EQ(parents[i], keccak256(node)) << i;
        }
    });
}

std::uint64_t grind_plainly(std::vector<std::uint8_t> message, unsigned bits) {
    message.resize(message.size() + 8);
    for (std::uint64_t nonce = 0;; ++nonce) {
        for (unsigned k = 0; k < 8; ++k) {
            message[message.size() - 1 - k] = static_cast<std::uint8_t>(nonce >> (8 * k));
        }
        const Bytes32 digest = keccak256(message);
        std::uint64_t low = 0;
        for (std::size_t k = 24; k < 32; ++k) low = low << 8 | digest[k];
        if ((low & ((std::uint64_t{1} << bits) - 1)) == 0) return nonce;
    }
}

// Nonces within a block, across two, at the start of one, and after many; found by one search and by several threads.
TEST(KeccakBatchTest, GrindsTheSmallestNonce) {
    tbb::task_arena four(4);
    std::uint64_t largest = 0;
    on_every_isa([&] {
        for (const std::size_t length : {0U, 40U, 127U, 128U, 131U, 136U, 1300U}) {
            const auto prefix = random_bytes(length, static_cast<unsigned>(length));
            for (const unsigned bits : {0U, 5U, 13U}) {
                const std::uint64_t expected = grind_plainly(prefix, bits);
                largest = std::max(largest, expected);
                EXPECT_EQ(keccak_grind(prefix, bits), expected) << length << " " << bits;
                EXPECT_EQ(four.execute([&] { return keccak_grind(prefix, bits); }), expected) << length << " " << bits;
            }
        }
    });
    EXPECT_GT(largest, 4096U);  // beyond what one thread tries alone
}

}  // namespace
}  // namespace quarry::keccak_batch_test
