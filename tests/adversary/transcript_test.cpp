// ADVERSARIAL.md, "Transcript", on whole proofs. Quoted lines stand above the tests that try them.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/adversary/attack.hpp"

namespace quarry::transcript_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)

// "Absorb before any challenge: protocol version, circuit/verifying-key digest, every parameter, every table height,
// the *length* of the public input and the public input": the whole prefix by hand; then each element of it changed
// alone.
TEST(AdversaryTranscript, ThePrefixIsEveryPublicElement) {
    const Cubes& c = Cubes::get();
    const Heights heights{9, 10};
    const auto layout = make_stack_layout(c.circuit, heights).value();
    const WhirParameters parameters = generate_whir_parameters(layout.log_size, security_target(100));
    std::vector<KoalaBear> prefix{KoalaBear(0x51525931), KoalaBear(kProtocolVersion)};
    for (const KoalaBear x : c.circuit.digest()) prefix.push_back(x);
    for (const std::uint64_t x : {std::uint64_t{100}, std::uint64_t{parameters.log_size},
                                  std::uint64_t{parameters.log_final}, std::uint64_t{parameters.rounds.size()}}) {
        prefix.emplace_back(x);
    }
    for (const WhirRound& r : parameters.rounds) {
        for (const unsigned x : {r.log_lanes, r.log_message, r.log_inv_rate, r.num_queries, r.grinding_bits}) {
            prefix.emplace_back(x);
        }
    }
    prefix.emplace_back(heights.size());
    for (const unsigned h : heights) prefix.emplace_back(h);
    prefix.emplace_back(c.system.statement.tuples.size());
    for (const PublicTuple& t : c.system.statement.tuples) {
        prefix.emplace_back(t.bus);
        prefix.push_back(t.multiplicity);
        prefix.emplace_back(t.tuple.size());
        prefix.insert(prefix.end(), t.tuple.begin(), t.tuple.end());
    }
    const auto challenge = [](const std::vector<KoalaBear>& xs) {
        Transcript t;
        t.absorb(xs);
        return t.squeeze_ext();
    };
    const ExtField honest = start_transcript(c.circuit, heights, parameters, 100, c.system.statement).squeeze_ext();
    EXPECT_EQ(honest, challenge(prefix));
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        auto changed = prefix;
        changed[i] += KoalaBear(1);
        EXPECT_NE(honest, challenge(changed)) << i;
    }
    // Zero-padding, and cutting a zero off.
    auto padded = prefix;
    padded.emplace_back();
    EXPECT_NE(honest, challenge(padded));
}

// "(zero-padding collisions are a known break)": in the sponge itself, at every fill of a block.
TEST(AdversaryTranscript, PartialBlocksAreInjective) {
    std::vector<ExtField> seen;
    for (std::size_t n = 1; n <= 24; ++n) {
        Transcript t;
        t.absorb(std::vector<KoalaBear>(n));
        seen.push_back(t.squeeze_ext());
    }
    for (std::size_t i = 0; i < seen.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(seen[i], seen[j]) << i << ' ' << j;
    }
}

// Public tuples whose elements are the same in a row, split in other places: (a, b) + (c) and (a) + (b, c).
TEST(AdversaryTranscript, TuplesAreDelimited) {
    const Cubes& c = Cubes::get();
    const auto layout = make_stack_layout(c.circuit, {9, 10}).value();
    const WhirParameters parameters = generate_whir_parameters(layout.log_size, security_target(100));
    const auto challenge = [&](const Statement& s) {
        return start_transcript(c.circuit, {9, 10}, parameters, 100, s).squeeze_ext();
    };
    const KoalaBear one(1);
    const Statement left{{{1, one, {one, one}}, {1, one, {one}}}};
    const Statement right{{{1, one, {one}}, {1, one, {one, one}}}};
    EXPECT_NE(challenge(left), challenge(right));
    EXPECT_NE(challenge({{{1, one, {}}}}), challenge({}));
}

// "Change any single element of a proof: rejected": every element of the stream ..
TEST(AdversaryTranscript, EveryElementOfTheStreamSlow) {
    const Cubes& c = Cubes::get();
    Proof p = c.proof;
    for (std::size_t k = 0; k < p.stream.size(); ++k) {
        p.stream[k] += KoalaBear(1);
        EXPECT_NE(c.verdict(p), "ok") << k;
        p.stream[k] = c.proof.stream[k];
    }
}
// .. because every element changes what the verifier draws afterwards.
TEST(AdversaryTranscript, EveryMessageIsAbsorbed) {
    const Cubes& c = Cubes::get();
    const auto last_challenge = [&](const Proof& p) {
        NotingBackend backend;
        ExtField last;
        EXPECT_TRUE(run_verifier(
                        backend, c.circuit, p, c.system.statement, nullptr,
                        [&](LooseChannel& channel) { last = channel.last; }, false)
                        .ok());
        return last;
    };
    const ExtField honest = last_challenge(c.proof);
    Proof p = c.proof;
    for (std::size_t k = 0; k < p.stream.size(); k += k + 40 < p.stream.size() ? 5 : 1) {
        p.stream[k] += KoalaBear(1);
        EXPECT_NE(last_challenge(p), honest) << k;
        p.stream[k] = c.proof.stream[k];
    }
}

// "Every challenge that is sampled is used": a verifier that takes another value for one challenge, or another
// position, refuses the honest proof. The exceptions are exactly the challenges after which an honest prover says the
// same whatever they are: the line c of each GKR layer (the next round binds the same variable; a lie that c must catch
// is in AdversaryLogup.LieAboutTheLeaves and Gkr.ALieThatPassesItsOwnLayerFailsTheNext) and the last of all (no message
// follows it).
TEST(AdversaryTranscript, EveryChallengeIsUsed) {
    const Cubes& c = Cubes::get();
    NativeBackend backend;
    std::size_t count = 0;
    ASSERT_TRUE(run_verifier(
                    backend, c.circuit, c.proof, c.system.statement, nullptr,
                    [&](LooseChannel& channel) { count = channel.count; }, true)
                    .ok());
    constexpr unsigned kLogLeaves = 12;  // 2 * 2^10 + 2^9 fractions
    std::vector<std::size_t> expected;
    std::size_t at = 2;  // beta, alpha
    for (unsigned layer = 0; layer < kLogLeaves; ++layer) {
        at += layer == 0 ? 1 : layer + 2;  // lambda, a round for each variable, c
        expected.push_back(at - 1);
    }
    expected.push_back(count - 1);
    EXPECT_GT(count, 300U);
    std::vector<std::size_t> accepted;
    for (std::size_t k = 0; k < count; ++k) {
        if (run_verifier(
                backend, c.circuit, c.proof, c.system.statement, [&](LooseChannel& channel) { channel.disturb(k); },
                nullptr, true)
                .ok()) {
            accepted.push_back(k);
        }
    }
    EXPECT_EQ(accepted, expected);
}

// "Trailing bytes, duplicate openings, wrong round counts, wrong lengths: rejected before any arithmetic."
TEST(AdversaryTranscript, DuplicateOpenings) {
    const Cubes& c = Cubes::get();
    // The first oracle has 2^10 rows or so and is asked 170 times: some positions repeat, and the file holds them once.
    const auto rows_at = 76 + 4 * c.proof.stream.size();
    const std::size_t row_bytes = 4 * c.proof.openings.oracles[0][0].row.size();
    FileBytes doubled = c.file;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(rows_at),
                   c.file.begin() + static_cast<std::ptrdiff_t>(rows_at),
                   c.file.begin() + static_cast<std::ptrdiff_t>(rows_at + row_bytes));
    EXPECT_EQ(c.verdict(doubled), "merkle_mismatch");
    // In memory every query has its own copy: one of two equal positions with another row.
    const auto& round = c.proof.openings.oracles[0];
    bool found = false;
    for (std::size_t i = 0; i < round.size() && !found; ++i) {
        for (std::size_t j = 0; j < i && !found; ++j) {
            if (round[i].row != round[j].row) continue;
            found = true;
            Proof p = c.proof;
            p.openings.oracles[0][j].row[0] += KoalaBear(1);
            EXPECT_EQ(c.verdict(p), "merkle_mismatch");
        }
    }
    EXPECT_TRUE(found);
    Proof p = c.proof;
    p.openings.oracles[0].push_back(p.openings.oracles[0].back());
    EXPECT_EQ(c.verdict(p), "bad_length");
}
TEST(AdversaryTranscript, WrongRoundCounts) {
    const Cubes& c = Cubes::get();
    Proof p = c.proof;
    p.openings.oracles.pop_back();
    EXPECT_EQ(c.verdict(p), "bad_length");
    p = c.proof;
    p.openings.oracles.push_back(p.openings.oracles.back());
    EXPECT_EQ(c.verdict(p), "bad_length");
    p = c.proof;
    p.openings.oracles.clear();
    EXPECT_EQ(c.verdict(p), "bad_length");
    // A sumcheck round or a layer more or less in the stream.
    for (const std::size_t k : {std::size_t{8}, std::size_t{28}, c.proof.stream.size() - 10}) {
        p = c.proof;
        p.stream.insert(p.stream.begin() + static_cast<std::ptrdiff_t>(k), 10, KoalaBear());
        EXPECT_EQ(c.verdict(p), "bad_length");
        p = c.proof;
        p.stream.erase(p.stream.begin() + static_cast<std::ptrdiff_t>(k),
                       p.stream.begin() + static_cast<std::ptrdiff_t>(k) + 10);
        EXPECT_EQ(c.verdict(p), "bad_length");
    }
}

// "Non-canonical field elements (>= p) rejected": in the openings too, and the same element as value + p in the stream
// is covered by ProofTest.NonCanonicalElementsAreRefused.
TEST(AdversaryTranscript, NonCanonicalOpenings) {
    const Cubes& c = Cubes::get();
    const std::size_t begin = 76 + 4 * c.proof.stream.size();
    std::size_t tried = 0;
    for (std::size_t at = begin; at + 4 <= c.file.size(); at += 4 * 499) {
        std::uint64_t x = KoalaBear::kModulus;
        for (std::size_t i = 0; i < 4; ++i) x += std::uint64_t{c.file[at + i]} << (8 * i);
        FileBytes b = c.file;
        for (std::size_t i = 0; i < 4; ++i) b[at + i] = static_cast<std::uint8_t>(x >> (8 * i));
        if (x >> 32 == 0) {
            EXPECT_EQ(c.verdict(b), "non_canonical") << at;
        }
        for (const std::uint32_t word : {KoalaBear::kModulus, 0xffffffffU}) {
            for (std::size_t i = 0; i < 4; ++i) b[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
            EXPECT_EQ(c.verdict(b), "non_canonical") << at;
            ++tried;
        }
    }
    EXPECT_GT(tried, 20U);
}

// "Grinding: .. the challenge that follows is squeezed fresh, never the ground word itself": by hand, on the
// permutation.
TEST(AdversaryTranscript, ChallengeAfterGrindingIsFresh) {
    for (const unsigned bits : {1U, 8U, 12U}) {
        Transcript t;
        t.absorb(KoalaBear(7));
        Transcript prover = t;
        const KoalaBear nonce = prover.grind(bits);
        // The state after the nonce: absorb(7), flush; nonce at 0, zeros behind it, 1 added to the capacity.
        PoseidonState state{};
        state[0] = KoalaBear(7);
        state[kDigestSize] += KoalaBear(1);
        poseidon_permute(state);
        std::fill_n(state.begin(), kDigestSize, KoalaBear());
        state[0] = nonce;
        state[kDigestSize] += KoalaBear(1);
        poseidon_permute(state);
        EXPECT_EQ(state[0].canonical() & ((1U << bits) - 1), 0U);
        ASSERT_TRUE(t.check_grinding(bits, nonce));
        EXPECT_EQ(t.squeeze(), state[1]);
        EXPECT_EQ(prover.squeeze(), state[1]);
        // The nonce is bound: another one that passes leads elsewhere.
        for (std::uint64_t other = nonce.canonical() + 1;; ++other) {
            Transcript u;
            u.absorb(KoalaBear(7));
            if (!u.check_grinding(bits, KoalaBear(other))) continue;
            EXPECT_NE(u.squeeze(), state[1]);
            break;
        }
    }
    // No work asked for: only the nonce 0 is taken, so that there is one encoding.
    const std::vector<KoalaBear> zero{KoalaBear()};
    NativeVerifierChannel idle(Transcript{}, zero);
    EXPECT_TRUE(idle.check_grinding(0, "").ok());
    const std::vector<KoalaBear> one{KoalaBear(1)};
    NativeVerifierChannel other(Transcript{}, one);
    EXPECT_EQ(name_of(other.check_grinding(0, "")), "bad_grinding");
}

// A nonce ground before the answer it protects: y is changed after the work was done, and the work is not repeated.
TEST(AdversaryTranscript, WorkBeforeTheAnswerIsWorthless) {
    const Cubes& c = Cubes::get();
    const std::size_t n = c.proof.openings.oracles.size();
    for (std::size_t i = 0; i < n; ++i) {
        // First with the honest answer, then again with another and the old nonce.
        std::vector<KoalaBear> nonces;
        (void)prove_lying(c.circuit, c.system.trace, c.system.statement,
                          [&](const char* label, std::span<KoalaBear> m) {
                              if (std::string(label) == "whir/nonce") nonces.push_back(m[0]);
                          });
        const std::string answer = i + 1 < n ? "whir/ood" : "whir/final";
        std::size_t answers = 0;
        std::size_t at = 0;
        const Proof p =
            prove_lying(c.circuit, c.system.trace, c.system.statement, [&](const char* label, std::span<KoalaBear> m) {
                if (label == answer && (i + 1 == n ? answers == 0 : answers == i)) m[0] += KoalaBear(1);
                if (label == answer) ++answers;
                if (std::string(label) == "whir/nonce" && at++ == i) m[0] = nonces[i];
            });
        EXPECT_EQ(c.verdict(p), "bad_grinding") << i;
    }
}

// A proof made at a lower level where a higher one is required, offered as it is and dressed up.
TEST(AdversaryTranscript, SecurityLevelDowngrade) {
    const Cubes& c = Cubes::get();
    EXPECT_EQ(name_of(verify(c.circuit, c.proof, c.system.statement, 120)), "wrong_key");
    Proof p = c.proof;
    p.security_bits = 120;
    // The other level has other parameters: another length, or, where that is the same, other challenges from the
    // start.
    const std::vector<std::string> refusals{"bad_length", "bus_imbalance"};
    EXPECT_EQ(std::ranges::count(refusals, name_of(verify(c.circuit, p, c.system.statement, 120))), 1);
    for (const unsigned bits : {0U, 1U, 99U, 101U, 1000U, ~0U}) {
        p.security_bits = bits;
        EXPECT_EQ(c.verdict(p), "wrong_key") << bits;
        EXPECT_EQ(name_of(verify(c.circuit, p, c.system.statement, 0)), "wrong_key") << bits;
    }
    FileBytes b = c.file;
    b[72] = 120;
    EXPECT_EQ(c.verdict(b), "statement_mismatch");
    // The other way round is fine.
    ProveOptions options;
    options.security_bits = 120;
    const Proof strong = prove(c.circuit, c.system.trace, c.system.statement, options);
    EXPECT_EQ(name_of(verify(c.circuit, strong, c.system.statement, 100)), "ok");
    p = strong;
    p.security_bits = 100;
    EXPECT_EQ(std::ranges::count(refusals, c.verdict(p)), 1);
}

// Openings, or the whole second half, of another proof of the same shape.
TEST(AdversaryTranscript, PartsOfAnotherProof) {
    const Cubes& c = Cubes::get();
    quarry::testing::CubeSystem s = quarry::testing::make_cube_system(c.circuit);
    // Another true statement: x of the users in another order.
    KoalaBear sum;
    for (std::size_t i = 0; i < 512; ++i) s.trace.column(0, 3)[i] = KoalaBear();
    for (std::size_t i = 0; i < 1024; ++i) {
        const std::size_t x = (i * i + 3) % 512;
        s.trace.column(1, 0)[i] = KoalaBear(x);
        s.trace.column(1, 1)[i] = KoalaBear(x).pow(3);
        s.trace.column(1, 2)[i] = sum;
        sum += KoalaBear(x).pow(3);
        s.trace.column(0, 3)[x] += KoalaBear(1);
    }
    s.statement.tuples[0].tuple[0] = sum;
    const Proof other = prove(c.circuit, s.trace, s.statement);
    ASSERT_EQ(name_of(verify(c.circuit, other, s.statement)), "ok");
    EXPECT_NE(c.verdict(other), "ok");
    EXPECT_EQ(c.verdict(encode_proof(c.circuit, other, s.statement)), "statement_mismatch");
    Proof p = c.proof;
    p.openings = other.openings;
    EXPECT_EQ(c.verdict(p), "merkle_mismatch");
    for (std::size_t i = 0; i < p.openings.oracles.size(); ++i) {
        p = c.proof;
        p.openings.oracles[i] = other.openings.oracles[i];
        EXPECT_EQ(c.verdict(p), "merkle_mismatch") << i;
    }
    for (std::size_t k = kDigestSize; k < p.stream.size(); k += 331) {
        p = c.proof;
        std::copy(other.stream.begin() + static_cast<std::ptrdiff_t>(k), other.stream.end(),
                  p.stream.begin() + static_cast<std::ptrdiff_t>(k));
        EXPECT_NE(c.verdict(p), "ok") << k;
    }
}

}  // namespace
}  // namespace quarry::transcript_test
