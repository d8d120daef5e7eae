// The attacks of ADVERSARIAL.md, "WHIR and sumcheck", "Transcript" and "Merkle and hashing", as far as they concern
// WHIR. Each test names its line.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "quarry/iop/whir.hpp"
#include "quarry/iop/whir_testing.hpp"

namespace quarry::whir_adversary_test {
namespace {

using whir_testing::Dense;
using whir_testing::DenseProver;
using whir_testing::Instance;
using whir_testing::Lies;
using whir_testing::make_instance;
using whir_testing::make_parameters;
using whir_testing::Proof;
using whir_testing::prove;
using whir_testing::verify;

class WhirAdversary : public testing::Test {
  protected:
    static constexpr std::array<unsigned, 3> kLogChunks{9, 6, 4};
    Instance instance_ =
        make_instance(make_parameters(14, {{5, 0, 1, 8, 8}, {3, 0, 2, 6, 8}, {2, 0, 4, 4, 8}}), 27, kLogChunks, 1);
    Commitment stack_ = instance_.commit();

    /// The same statement with another value.
    [[nodiscard]] Instance claiming_more_by(const ExtField& x) const {
        Instance claimed = instance_;
        claimed.value += x;
        return claimed;
    }
};

Errc code_of(const Status& status) {
    EXPECT_FALSE(status.ok());
    return status.ok() ? Errc::truncated : status.error().code;
}

const ExtField kError(std::array{KoalaBear(5), KoalaBear(1), KoalaBear(0), KoalaBear(7), KoalaBear(3)});

// The second prover without lies is honest: what the attacks below are refused for is the lie.
TEST_F(WhirAdversary, DenseProverWithoutLiesIsAccepted) {
    EXPECT_TRUE(verify(instance_, DenseProver(instance_, {}).prove(stack_)).ok());
}

// "The gamma bug. When a round batches the running claim with new out-of-domain and query claims, the running claim has
// weight 1 and new claims have weights gamma, gamma^2, ... If any new claim also has weight 1, a false opening passes:
// run sumcheck on a wrong sum, then lie in the out-of-domain answer by the difference."
TEST_F(WhirAdversary, GammaBug) {
    const Instance claimed = claiming_more_by(kError);
    // Against the verifier that has the bug, the false opening passes ..
    const Proof attack =
        DenseProver(instance_, {.false_value_by = kError, .first_power = 0, .false_sample = true}).prove(stack_);
    const Status broken = verify<0>(claimed, attack);
    EXPECT_TRUE(broken.ok()) << errc_name(broken.error().code);
    // .. and this one refuses it,
    EXPECT_EQ(code_of(verify(claimed, attack)), Errc::final_mismatch);
    // also when the liar uses this verifier's own weights.
    const Proof adapted = DenseProver(instance_, {.false_value_by = kError, .false_sample = true}).prove(stack_);
    EXPECT_EQ(code_of(verify(claimed, adapted)), Errc::final_mismatch);
    // The broken verifier is not just one that accepts everything.
    const Proof plain = DenseProver(instance_, {.false_value_by = kError, .first_power = 0}).prove(stack_);
    EXPECT_EQ(code_of(verify<0>(claimed, plain)), Errc::final_mismatch);
}

// "Out-of-domain samples omitted"
TEST_F(WhirAdversary, OutOfDomainSampleOmitted) {
    const Proof omitted = DenseProver(instance_, {.omit_sample = true}).prove(stack_);
    EXPECT_EQ(code_of(verify(instance_, omitted)), Errc::bad_length);
    const Proof ignored = DenseProver(instance_, {.ignore_sample = true}).prove(stack_);
    EXPECT_EQ(code_of(verify(instance_, ignored)), Errc::final_mismatch);
    const Proof ignored_and_adapted =
        DenseProver(instance_, {.false_value_by = kError, .ignore_sample = true}).prove(stack_);
    EXPECT_EQ(code_of(verify(claiming_more_by(kError), ignored_and_adapted)), Errc::final_mismatch);
}

TEST_F(WhirAdversary, EveryFalseOutOfDomainAnswer) {
    for (int round = 0; round < 2; ++round) {
        int at = 0;
        const Proof proof = prove(instance_, stack_, [&](const char* label, std::span<KoalaBear> message) {
            if (std::string(label) == "whir/ood" && at++ == round) message[0] += KoalaBear(1);
        });
        EXPECT_EQ(at, 2);
        EXPECT_EQ(code_of(verify(instance_, proof)), Errc::final_mismatch);
    }
}

// "final polynomial not checked against both the query claims and the last sum"
TEST_F(WhirAdversary, FinalPolynomialThatFitsTheSumButNotTheQueries) {
    const Proof proof = DenseProver(instance_, {.false_value_by = kError, .false_final = true}).prove(stack_);
    EXPECT_EQ(code_of(verify(claiming_more_by(kError), proof)), Errc::query_mismatch);
}
TEST_F(WhirAdversary, FinalPolynomialThatFitsTheQueriesButNotTheSum) {
    const Proof proof = DenseProver(instance_, {.false_value_by = kError}).prove(stack_);
    EXPECT_EQ(code_of(verify(claiming_more_by(kError), proof)), Errc::final_mismatch);
}
TEST_F(WhirAdversary, EveryFalseFinalElement) {
    for (std::size_t b = 0; b < std::size_t{1} << instance_.parameters.log_final; ++b) {
        std::size_t at = 0;
        const Proof proof = prove(instance_, stack_, [&](const char* label, std::span<KoalaBear> message) {
            if (std::string(label) == "whir/final" && at++ == b) message[b % 5] += KoalaBear(1);
        });
        EXPECT_EQ(code_of(verify(instance_, proof)), Errc::query_mismatch);
    }
}

// An oracle that was chosen to fit a false claim is another vector than the folded one: the queries notice.
TEST_F(WhirAdversary, FoldedOracleThatFitsTheSum) {
    const Proof proof = DenseProver(instance_, {.false_value_by = kError, .false_oracle = true}).prove(stack_);
    EXPECT_EQ(code_of(verify(claiming_more_by(kError), proof)), Errc::final_mismatch);
}

// Every sumcheck message of a liar who stays consistent from there on.
TEST_F(WhirAdversary, EveryFalseSumcheckMessage) {
    const std::size_t messages = 2 * instance_.parameters.log_size;
    for (std::size_t i = 0; i < messages; ++i) {
        std::size_t at = 0;
        const Proof proof = prove(instance_, stack_, [&](const char* label, std::span<KoalaBear> message) {
            if (std::string(label) == "whir/sumcheck" && at++ == i) message[i % 5] += KoalaBear(1);
        });
        EXPECT_EQ(at, messages);
        EXPECT_EQ(code_of(verify(instance_, proof)), Errc::final_mismatch);
    }
}

// "query count 0 at some rate; rate 1; oversized domain", "zero variables", and sizes that do not fit together
TEST(WhirParametersAdversary, BadParametersAreRefused) {
    const WhirParameters good = make_parameters(14, {{5, 0, 1, 8, 8}, {3, 0, 2, 6, 8}, {2, 0, 4, 4, 8}});
    EXPECT_TRUE(validate(good).ok());
    const auto refused = [&](auto change, Errc code) {
        WhirParameters bad = good;
        change(bad);
        EXPECT_EQ(code_of(validate(bad)), code);
        // and the verifier asks, before it reads anything
        Instance instance;
        instance.parameters = bad;
        instance.used_lanes = 1;
        NativeBackend backend;
        NativeVerifierChannel channel(whir_testing::start(), {});
        EXPECT_EQ(code_of(verify_whir(backend, channel, Digest{}, 1, WhirClaims<NativeBackend>{}, WhirOpenings{}, bad)),
                  code);
        EXPECT_TRUE(channel.finish().ok());
    };
    for (std::size_t i = 0; i < good.rounds.size(); ++i) {
        refused([i](WhirParameters& p) { p.rounds[i].num_queries = 0; }, Errc::bad_shape);
        refused([i](WhirParameters& p) { p.rounds[i].log_inv_rate = 0; }, Errc::bad_shape);
        refused([i](WhirParameters& p) { p.rounds[i].log_inv_rate = 25 - p.rounds[i].log_message; },
                Errc::limit_exceeded);
        refused([i](WhirParameters& p) { p.rounds[i].log_inv_rate = 0U - 1; }, Errc::limit_exceeded);
        refused([i](WhirParameters& p) { p.rounds[i].log_message += 1; }, Errc::bad_shape);
        refused([i](WhirParameters& p) { p.rounds[i].log_lanes = 0; }, Errc::bad_shape);
        refused([i](WhirParameters& p) { p.rounds[i].log_lanes += 1; }, Errc::bad_shape);
        refused([i](WhirParameters& p) { p.rounds[i].log_lanes = 0U - 1; }, Errc::limit_exceeded);
        refused([i](WhirParameters& p) { p.rounds[i].grinding_bits = 25; }, Errc::limit_exceeded);
        refused([i](WhirParameters& p) { p.rounds[i].num_queries = 1U << 20; }, Errc::limit_exceeded);
    }
    refused([](WhirParameters& p) { p.log_size = 0; }, Errc::bad_shape);
    refused([](WhirParameters& p) { p.log_size = 64; }, Errc::limit_exceeded);
    refused([](WhirParameters& p) { p.rounds.clear(); }, Errc::bad_shape);
    refused([](WhirParameters& p) { p.log_final = 0; }, Errc::bad_shape);
    refused([](WhirParameters& p) { p = make_parameters(2, {{1, 0, 1, 4, 0}, {1, 0, 1, 4, 0}}); }, Errc::bad_shape);
}

// "wrong fold order": a prover that binds the low variables of each round first
TEST_F(WhirAdversary, WrongFoldOrder) {
    const Proof proof = DenseProver(instance_, {.low_variables_first = true}).prove(stack_);
    EXPECT_FALSE(verify(instance_, proof).ok());
    // One round alone: there the final polynomial is compared with the rows.
    const Instance one = make_instance(make_parameters(12, {{5, 0, 1, 8, 0}}), 27, std::array{7U}, 2);
    const Commitment stack = one.commit();
    EXPECT_TRUE(verify(one, DenseProver(one, {}).prove(stack)).ok());
    EXPECT_EQ(code_of(verify(one, DenseProver(one, {.low_variables_first = true}).prove(stack))), Errc::query_mismatch);
}

std::size_t reverse(std::size_t x, unsigned bits) {
    std::size_t r = 0;
    for (unsigned k = 0; k < bits; ++k) r |= ((x >> k) & 1) << (bits - 1 - k);
    return r;
}

// "weights evaluated at another point order": kernel, or chunk numbers, by reversed variables
TEST_F(WhirAdversary, WeightsAtAnotherPointOrder) {
    for (const bool kernel : {true, false}) {
        Instance reversed = instance_;
        auto& group = reversed.groups[1];
        if (kernel) {
            for (std::size_t b = 0; b < group.kernel.size(); ++b) {
                group.kernel[b] = instance_.groups[1].kernel[reverse(b, group.log_chunk)];
            }
        } else {
            for (auto& [s, g] : group.weights) s = reverse(s, reversed.parameters.log_size - group.log_chunk);
        }
        reversed.value = whir_testing::dot(reversed.dense_message(), reversed.dense_weight());
        const Proof proof = prove(reversed, stack_);
        EXPECT_TRUE(verify(reversed, proof).ok());
        Instance asked = instance_;
        asked.value = reversed.value;
        EXPECT_EQ(code_of(verify(asked, proof)), Errc::final_mismatch);
    }
}

// Proximity: a committed matrix that is far from the code, with an otherwise honest prover
TEST_F(WhirAdversary, CommitmentToAFarWord) {
    const WhirRound& round = instance_.parameters.rounds[0];
    const unsigned log_rows = round.log_message + round.log_inv_rate;
    std::mt19937_64 rng(5);
    const auto random_rows = [&rng](unsigned log_size, std::size_t width) {
        Buffer<KoalaBear> rows = Buffer<KoalaBear>::zeros(std::size_t{32} << log_size);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i % 32 < width ? KoalaBear(rng()) : KoalaBear();
        return Commitment::of_rows(std::move(rows), log_size, width, 32);
    };
    const Commitment far = random_rows(log_rows, instance_.used_lanes);
    EXPECT_EQ(code_of(verify(instance_, prove(instance_, far))), Errc::final_mismatch);

    const Instance one = make_instance(make_parameters(12, {{5, 0, 2, 8, 0}}), 27, std::array{7U}, 2);
    const Commitment one_far = random_rows(9, one.used_lanes);
    EXPECT_EQ(code_of(verify(one, prove(one, one_far))), Errc::query_mismatch);
}

/// Where the nonce of round i stands in the stream.
std::size_t nonce_at(const WhirParameters& parameters, std::size_t i) {
    std::size_t at = kDigestSize;
    for (std::size_t k = 0; k <= i; ++k) {
        at += std::size_t{10} * parameters.rounds[k].log_lanes;
        at += k + 1 < parameters.rounds.size() ? 13 : 5U << parameters.log_final;
        if (k < i) at += 1;
    }
    return at;
}

// "Grinding: nonce checked after the answers it protects"
TEST_F(WhirAdversary, WrongOrReusedNonce) {
    const Proof proof = prove(instance_, stack_);
    const Instance other = make_instance(instance_.parameters, instance_.used_lanes, kLogChunks, 2);
    const Proof foreign = prove(other, other.commit());
    for (std::size_t i = 0; i < instance_.parameters.rounds.size(); ++i) {
        const std::size_t at = nonce_at(instance_.parameters, i);
        Proof changed = proof;
        changed.stream[at] = proof.stream[at] + KoalaBear(1);
        EXPECT_EQ(code_of(verify(instance_, changed)), Errc::bad_grinding);
        changed.stream[at] = foreign.stream[at];
        EXPECT_EQ(code_of(verify(instance_, changed)), Errc::bad_grinding);
        // The work is done after y (or f_M): another answer needs other work.
        changed = proof;
        changed.stream[at - 1] += KoalaBear(1);
        EXPECT_EQ(code_of(verify(instance_, changed)), Errc::bad_grinding);
    }
}

// "the challenge that follows is squeezed fresh, never the ground word itself": the ground word ends in zeros, the
// first positions of honest proofs do not.
TEST_F(WhirAdversary, PositionsAreNotTheGroundWord) {
    std::size_t seen = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const Instance instance = make_instance(instance_.parameters, instance_.used_lanes, kLogChunks, seed);
        const Commitment stack = instance.commit();
        const Proof proof = prove(instance, stack);
        NativeVerifierChannel channel(whir_testing::start(), proof.stream);
        (void)channel.receive_digest();
        for (unsigned k = 0; k < instance.parameters.rounds[0].log_lanes; ++k) {
            (void)channel.receive_ext();
            (void)channel.receive_ext();
            (void)channel.challenge();
        }
        (void)channel.receive_digest();
        (void)channel.challenge();
        (void)channel.receive_ext();
        ASSERT_TRUE(channel.check_grinding(instance.parameters.rounds[0].grinding_bits, "").ok());
        const std::size_t position = channel.challenge_indices(1, stack.log_rows())[0].value;
        EXPECT_EQ(stack.open(position).row, proof.openings.oracles[0][0].row);
        seen |= position;
    }
    EXPECT_NE(seen & 0xff, 0U);
}

// "Tree height and leaf width come from parameters ..", openings of another tree, of another position, in another order
TEST_F(WhirAdversary, OpeningsOfAnotherRoot) {
    const Proof proof = prove(instance_, stack_);
    const Instance other = make_instance(instance_.parameters, instance_.used_lanes, kLogChunks, 2);
    const Proof foreign = prove(other, other.commit());
    for (std::size_t i = 0; i < proof.openings.oracles.size(); ++i) {
        Proof changed = proof;
        changed.openings.oracles[i] = foreign.openings.oracles[i];
        EXPECT_EQ(code_of(verify(instance_, changed)), Errc::merkle_mismatch);
        changed = proof;
        std::swap(changed.openings.oracles[i][0], changed.openings.oracles[i][1]);
        EXPECT_EQ(code_of(verify(instance_, changed)), Errc::merkle_mismatch);
        changed = proof;
        std::fill(changed.openings.oracles[i].begin(), changed.openings.oracles[i].end(), proof.openings.oracles[i][0]);
        EXPECT_EQ(code_of(verify(instance_, changed)), Errc::merkle_mismatch);
    }
    // The root itself: a proof for one commitment against another.
    Proof changed = proof;
    std::copy_n(foreign.stream.begin(), kDigestSize, changed.stream.begin());
    EXPECT_FALSE(verify(instance_, changed).ok());
}

// A lane that is claimed to be empty (used_lanes too small) or that is claimed to be there.
TEST_F(WhirAdversary, AnotherNumberOfLanes) {
    const Proof proof = prove(instance_, stack_);
    for (const std::size_t lanes : {instance_.used_lanes - 1, instance_.used_lanes + 1}) {
        Instance other = instance_;
        other.used_lanes = lanes;
        EXPECT_EQ(code_of(verify(other, proof)), Errc::bad_length);
        Proof adapted = proof;
        for (Opening& opening : adapted.openings.oracles[0]) opening.row.resize(lanes);
        EXPECT_EQ(code_of(verify(other, adapted)), Errc::merkle_mismatch);
    }
}

}  // namespace
}  // namespace quarry::whir_adversary_test
