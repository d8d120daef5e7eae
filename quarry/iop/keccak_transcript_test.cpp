#include "quarry/iop/keccak_transcript.hpp"

#include <gtest/gtest.h>

#include <set>

namespace quarry::keccak_transcript_test {
namespace {

TEST(KeccakTranscript, ChallengesFollowTheMessages) {
    KeccakTranscript a;
    KeccakTranscript b;
    a.absorb(KoalaBear(7));
    b.absorb(KoalaBear(8));
    EXPECT_NE(a.squeeze_ext(), b.squeeze_ext());
    EXPECT_NE(a.squeeze_ext(), a.squeeze_ext());
}

/// The first challenge by hand: keccak256(0^32 || 00000007) cut into lanes from the low end.
TEST(KeccakTranscript, LanesAreSlicesOfTheState) {
    KeccakTranscript t;
    t.absorb(KoalaBear(7));
    const ExtField challenge = t.squeeze_ext();
    std::vector<std::uint8_t> message(36);
    message.back() = 7;
    const Bytes32 digest = keccak256(message);
    EXPECT_EQ(t.state(), digest);
    for (unsigned i = 0; i < ExtField::kDegree; ++i) {
        std::uint64_t lane = 0;
        for (unsigned bit = 0; bit < 51; ++bit) {
            const unsigned at = 51 * i + bit;
            lane |= std::uint64_t{(digest[31 - at / 8] >> (at % 8)) & 1U} << bit;
        }
        EXPECT_EQ(challenge[i], KoalaBear(lane)) << i;
    }
}

TEST(KeccakTranscript, IndicesAreInRangeAndDiffer) {
    KeccakTranscript t;
    const auto indices = t.squeeze_indices(23, 24);
    ASSERT_EQ(indices.size(), 23U);
    for (const std::size_t i : indices) EXPECT_LT(i, std::size_t{1} << 24);
    EXPECT_GT(std::set(indices.begin(), indices.end()).size(), 20U);
    EXPECT_EQ(t.squeeze_indices(1, 0), std::vector<std::size_t>{0});
}

TEST(KeccakTranscript, GroundNonceIsAcceptedAndTheNextOneIsNot) {
    KeccakTranscript prover;
    prover.absorb(KoalaBear(1));
    KeccakTranscript verifier = prover;
    KeccakTranscript other = prover;
    const std::uint64_t nonce = prover.grind(10);
    EXPECT_TRUE(verifier.check_grinding(10, nonce));
    EXPECT_EQ(prover.squeeze_ext(), verifier.squeeze_ext());
    for (std::uint64_t smaller = 0; smaller < nonce; ++smaller) {
        KeccakTranscript trial = other;
        EXPECT_FALSE(trial.check_grinding(10, smaller));
    }
}

}  // namespace
}  // namespace quarry::keccak_transcript_test
