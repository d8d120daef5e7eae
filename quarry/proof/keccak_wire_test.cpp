// Proofs over Keccak as a contract reads them: the start of the transcript, the bytes, and what is refused of them.
#include "quarry/proof/keccak_wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "quarry/proof/evm_cost.hpp"
#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/testing_preprocessed.hpp"

namespace quarry::keccak_wire_test {
namespace {

using testing::GateSystem;
using Bytes = std::vector<std::uint8_t>;

std::string name_of(const Status& s) { return s.ok() ? "ok" : errc_name(s.error().code); }

/// The terminal's protocol with parameters that are quick to prove.
constexpr Protocol kProtocol{RowRounds::plain, ClaimBatching::eq, kTerminalProtocol.log_stack_lanes,
                             ParameterSet::inner};

/// A circuit with a key: two trees at the first round.
class KeccakWire : public ::testing::Test {
  protected:
    static const Circuit& circuit() {
        static const Circuit c("gates", testing::gate_tables());
        return c;
    }
    static PreprocessedTrace columns() {
        return testing::make_gate_columns(circuit(), testing::kGateHeights, kProtocol.log_stack_lanes);
    }
    static const KeccakProvingKey& key() {
        static const KeccakProvingKey k(columns(), 100, kProtocol);
        return k;
    }
    static const KeccakVerifyingKey& verifying_key() { return key().verifying_key(); }
    static const GateSystem& system() {
        static const GateSystem s = testing::make_gate_system(key().trace());
        return s;
    }
    static KeccakProof prove_with(const KeccakProvingKey& k, const KeccakVerifyingKey* claimed = nullptr,
                                  ProverChannel::Tamper tamper = nullptr) {
        KeccakProveOptions options;
        options.key = &k;
        options.claimed_key = claimed;
        options.protocol = kProtocol;
        options.tamper = std::move(tamper);
        return prove(circuit(), system().trace, system().statement, options);
    }
    static const KeccakProof& proof() {
        static const KeccakProof p = prove_with(key());
        return p;
    }
    static const Bytes& bytes() {
        static const Bytes b = encode_keccak_proof(circuit(), proof());
        return b;
    }
    static WhirParameters parameters() {
        const auto layout = make_stack_layout(circuit(), testing::kGateHeights, kProtocol.log_stack_lanes);
        return generate_parameters(kProtocol, layout.value().log_size, 100);
    }
    static std::string check(const KeccakProof& p, const KeccakVerifyingKey& k = verifying_key()) {
        return name_of(verify(circuit(), p, system().statement, 100, &k, kProtocol));
    }
    static std::string check(const Bytes& b, const KeccakVerifyingKey& k = verifying_key()) {
        const auto p = decode_keccak_proof(circuit(), testing::kGateHeights, b, 100, &k, kProtocol);
        return p.ok() ? check(p.value(), k) : errc_name(p.error().code);
    }
    static Bytes with(std::size_t at, std::uint8_t flipped) {
        Bytes b = bytes();
        b.at(at) ^= flipped;
        return b;
    }
};

TEST_F(KeccakWire, AcceptsAnHonestProofAndItsBytes) {
    EXPECT_EQ(check(proof()), "ok");
    EXPECT_EQ(check(bytes()), "ok");
    EXPECT_EQ(bytes().size(), keccak_proof_size(circuit(), testing::kGateHeights, parameters(), kProtocol));
    const auto decoded =
        decode_keccak_proof(circuit(), testing::kGateHeights, bytes(), 100, &verifying_key(), kProtocol);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(encode_keccak_proof(circuit(), decoded.value()), bytes());
}

// The messages in order, then caps, rows and paths where the specification has them.
TEST_F(KeccakWire, TheBytesAreTheMessagesAndThenTheOpenings) {
    Bytes expected;
    const KeccakProof p = prove_with(key(), nullptr, [&](const std::string& label, std::span<KoalaBear> message) {
        const bool is_bytes = label == "root" || label == "whir/root" || label == "whir/nonce";
        for (const KoalaBear x : message) {
            for (unsigned k = is_bytes ? 1 : 4; k-- > 0;) {
                expected.push_back(static_cast<std::uint8_t>(x.canonical() >> (8 * k)));
            }
        }
    });
    EXPECT_EQ(p.stream, expected);
    std::size_t at = expected.size();
    const auto is_next = [&](const Bytes32& d) {
        at += 32;
        return std::equal(d.begin(), d.end(), bytes().begin() + static_cast<std::ptrdiff_t>(at - 32));
    };
    for (std::size_t o = 0; o < p.openings.oracles.size(); ++o) {
        const WhirRound round = parameters().rounds[o == 0 ? 0 : o - 1];
        const unsigned log_cap = o == 0 ? 9 : KeccakPolicy::log_cap(round.num_queries);
        EXPECT_EQ(p.openings.caps[o].size(), std::size_t{1} << log_cap);
        for (const Bytes32& node : p.openings.caps[o]) EXPECT_TRUE(o == 0 || is_next(node));
        for (std::size_t j = 0; j < p.openings.oracles[o].size(); ++j) {
            const auto& opening = p.openings.oracles[o][j];
            at += 4 * opening.row.size();
            EXPECT_EQ(bytes().at(at - 1), opening.row.back().canonical() & 0xff);
            EXPECT_EQ(opening.path.size(), round.log_message + round.log_inv_rate - log_cap);
            for (const Bytes32& node : opening.path) EXPECT_TRUE(is_next(node));
            // Up to the cap, and there to the node above the position.
            const std::size_t above = p.openings.positions[o][j] >> opening.path.size();
            const std::size_t below = p.openings.positions[o][j] & ((std::size_t{1} << opening.path.size()) - 1);
            EXPECT_EQ(merkle_root_from<KeccakHasher>(below, static_cast<unsigned>(opening.path.size()), opening.row,
                                                     opening.path),
                      p.openings.caps[o].at(above));
        }
    }
    EXPECT_EQ(at, bytes().size());
}

TEST_F(KeccakWire, TheCapIsALevelOfTheTree) {
    EXPECT_EQ(verifying_key().preprocessed_cap.size(), 512U);
    EXPECT_EQ(merkle_root_over<KeccakHasher>(verifying_key().preprocessed_cap), verifying_key().preprocessed_root);
    EXPECT_EQ(key().commitment().level(0)[0], verifying_key().preprocessed_root);
}

// By hand: what the contract computes before the first message.
TEST_F(KeccakWire, TheTranscriptStartsFromTheKeyDigestAndThePublicInput) {
    const Bytes32 digest = keccak_key_digest(circuit(), testing::kGateHeights, parameters(), 100, system().statement,
                                             &verifying_key(), kProtocol);
    Bytes input(32);  // the state
    input.insert(input.end(), digest.begin(), digest.end());
    for (const PublicTuple& t : system().statement.tuples) {
        for (const KoalaBear x : t.tuple) KeccakPolicy::put(input, x);
    }
    const Bytes32 state = keccak256(input);
    KeccakTranscript t = start_transcript(circuit(), testing::kGateHeights, parameters(), 100, system().statement,
                                          &verifying_key(), kProtocol);
    (void)t.squeeze_ext();
    EXPECT_EQ(t.state(), state);
}

TEST_F(KeccakWire, TheKeyDigestBindsEverythingThatIsNotAValue) {
    const Heights& heights = testing::kGateHeights;
    const Statement& s = system().statement;
    const auto digest = [&](const KeccakVerifyingKey& k, const WhirParameters& p, unsigned bits,
                            const Statement& statement) {
        return keccak_key_digest(circuit(), heights, p, bits, statement, &k, kProtocol);
    };
    const Bytes32 honest = digest(verifying_key(), parameters(), 100, s);
    Statement other = s;
    other.tuples[0].tuple[1] += KoalaBear(1);
    EXPECT_EQ(digest(verifying_key(), parameters(), 100, other), honest);
    other.tuples[0].multiplicity += KoalaBear(1);
    EXPECT_NE(digest(verifying_key(), parameters(), 100, other), honest);
    other = s;
    other.tuples[0].bus += 1;
    EXPECT_NE(digest(verifying_key(), parameters(), 100, other), honest);
    other = s;
    other.tuples[0].tuple.emplace_back();
    EXPECT_NE(digest(verifying_key(), parameters(), 100, other), honest);
    other = s;
    other.tuples.pop_back();
    EXPECT_NE(digest(verifying_key(), parameters(), 100, other), honest);
    EXPECT_NE(digest(verifying_key(), parameters(), 120, s), honest);
    KeccakVerifyingKey k = verifying_key();
    k.preprocessed_root[31] ^= 1;
    EXPECT_NE(digest(k, parameters(), 100, s), honest);
    WhirParameters p = parameters();
    p.rounds.back().num_queries += 1;
    EXPECT_NE(digest(verifying_key(), p, 100, s), honest);
    const Circuit cubes("cubes", testing::cube_tables());
    EXPECT_NE(keccak_key_digest(cubes, {9, 10}, p, 100, {}), keccak_key_digest(cubes, {9, 11}, p, 100, {}));
    EXPECT_NE(keccak_key_digest(cubes, {9, 10}, p, 100, {}),
              keccak_key_digest(cubes, {9, 10}, p, 100, {}, nullptr, kProtocol));
}

TEST_F(KeccakWire, OnlyTheExactLengthIsRead) {
    Bytes b = bytes();
    b.push_back(0);
    EXPECT_EQ(check(b), "bad_length");
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, proof().stream.size(), bytes().size() - 1}) {
        b.assign(bytes().begin(), bytes().begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(check(b), "bad_length") << size;
    }
    const auto decode = [&](const Heights& heights, unsigned bits) {
        const auto p = decode_keccak_proof(circuit(), heights, bytes(), bits, &verifying_key(), kProtocol);
        return p.ok() ? "ok" : std::string(errc_name(p.error().code));
    };
    EXPECT_EQ(decode({10, 9, 10, 9, 10}, 100), "bad_length");
    EXPECT_EQ(decode(testing::kGateHeights, 120), "wrong_key");
    EXPECT_EQ(decode(testing::kGateHeights, 80), "wrong_key");
    const Circuit cubes("cubes", testing::cube_tables());
    for (const Heights& heights : {Heights{}, Heights{9}, Heights{8, 9}, Heights{9, 22}}) {
        const auto p = decode_keccak_proof(cubes, heights, bytes());
        EXPECT_FALSE(p.ok());
        if (!p.ok()) {
            EXPECT_EQ(p.error().code, Errc::bad_shape);
        }
    }
}

// The same element as value + p, where that fits 32 bits.
TEST_F(KeccakWire, NonCanonicalElementsAreRefused) {
    const auto raised = [](std::size_t at) {
        Bytes b = bytes();
        std::uint64_t x = 0;
        for (std::size_t k = 0; k < 4; ++k) x = x << 8 | b[at + k];
        x += KoalaBear::kModulus;
        for (std::size_t k = 0; k < 4; ++k) b[at + k] = static_cast<std::uint8_t>(x >> (24 - 8 * k));
        return x >> 32 == 0 ? b : Bytes();
    };
    std::size_t tried = 0;
    for (std::size_t at = 32; at < proof().stream.size() / 2; at += 400) {  // before the first nonce
        const Bytes b = raised(at);
        if (b.empty()) continue;
        EXPECT_EQ(check(b), "non_canonical") << at;
        ++tried;
    }
    EXPECT_GE(tried, 5U);
    // Rows: the first one lies behind the stream, with no cap before it.
    const std::size_t width = proof().openings.oracles[0][0].row.size();
    for (std::size_t a = 0; a < width; ++a) {
        const Bytes b = raised(proof().stream.size() + 4 * a);
        if (!b.empty()) {
            EXPECT_EQ(check(b), "non_canonical") << a;
        }
    }
}

TEST_F(KeccakWire, EveryCapAndPathAndRowMatters) {
    std::size_t at = proof().stream.size();
    for (std::size_t o = 0; o < proof().openings.oracles.size(); ++o) {
        const std::size_t cap = o == 0 ? 0 : 32 * proof().openings.caps[o].size();
        for (std::size_t k = 0; k < cap; k += 32 * 17)
            EXPECT_EQ(check(with(at + k, 1)), "merkle_mismatch") << o << " " << k;
        at += cap;
        for (std::size_t j = 0; j < proof().openings.oracles[o].size(); ++j) {
            const auto& [row, path] = proof().openings.oracles[o][j];
            const std::size_t size = 4 * row.size() + 32 * path.size();
            if (j % 40 == 0) {
                EXPECT_EQ(check(with(at + 3, 1)), "merkle_mismatch");
                for (std::size_t v = 0; v < path.size(); ++v) {
                    EXPECT_EQ(check(with(at + 4 * row.size() + 32 * v + v, 16)), "merkle_mismatch");
                }
            }
            at += size;
        }
    }
}

TEST_F(KeccakWire, OpeningsOfOtherPositionsAreRefused) {
    for (std::size_t o = 0; o < proof().openings.oracles.size(); ++o) {
        const std::vector<std::size_t>& positions = proof().openings.positions[o];
        const auto other =
            std::find_if(positions.begin(), positions.end(), [&](std::size_t j) { return j != positions[0]; });
        ASSERT_NE(other, positions.end());
        KeccakProof p = proof();
        auto& rows = p.openings.oracles[o];
        std::swap(rows[0], rows[static_cast<std::size_t>(other - positions.begin())]);
        EXPECT_EQ(check(encode_keccak_proof(circuit(), p)), "merkle_mismatch") << o;
        // A cap in another order has the same nodes.
        p = proof();
        std::swap(p.openings.caps[o].front(), p.openings.caps[o].back());
        EXPECT_EQ(check(p), "merkle_mismatch") << o;
    }
    KeccakProof p = proof();
    p.openings.caps[1].swap(p.openings.caps[2]);
    EXPECT_NE(check(p), "ok");
    p = proof();
    p.openings.caps.pop_back();
    EXPECT_EQ(check(p), "bad_length");
    p = proof();
    p.openings.caps[1].pop_back();
    EXPECT_EQ(check(p), "bad_length");
}

// A cap at another level with longer paths is right for the root, but no form that the bytes have.
TEST_F(KeccakWire, ThePathsEndAtTheCapAndNowhereElse) {
    KeccakProof p = proof();
    const auto& opened = p.openings.positions[0];
    for (std::size_t j = 0; j < opened.size(); ++j) p.openings.oracles[0][j] = key().commitment().open(opened[j], 3);
    const auto cap = key().commitment().level(3);
    p.openings.caps[0].assign(cap.begin(), cap.end());
    EXPECT_EQ(check(p), "ok");
    EXPECT_EQ(check(encode_keccak_proof(circuit(), p)), "bad_length");
}

TEST_F(KeccakWire, AnotherKeyIsRefused) {
    KeccakVerifyingKey other = verifying_key();
    other.preprocessed_root[5] ^= 4;
    EXPECT_NE(check(proof(), other), "ok");
    EXPECT_NE(check(bytes(), other), "ok");
    // Absorbed from the start: only the tree gives it away.
    EXPECT_EQ(check(prove_with(key(), &other), other), "merkle_mismatch");
    other = verifying_key();
    other.preprocessed_cap[511][0] ^= 1;
    EXPECT_EQ(check(bytes(), other), "merkle_mismatch");
    PreprocessedTrace changed = columns();
    changed.column(3, 0)[17] += KoalaBear(1);
    const KeccakProvingKey lying(std::move(changed), 100, kProtocol);
    const GateSystem lie = testing::make_gate_system(lying.trace());
    KeccakProveOptions options;
    options.key = &lying;
    options.claimed_key = &verifying_key();
    options.protocol = kProtocol;
    const KeccakProof p = prove(circuit(), lie.trace, lie.statement, options);
    EXPECT_EQ(name_of(verify(circuit(), p, lie.statement, 100, &verifying_key(), kProtocol)), "merkle_mismatch");
}

TEST_F(KeccakWire, RootsAndNoncesMatter) {
    for (const std::size_t k : {0U, 7U, 31U}) EXPECT_NE(check(with(k, 1)), "ok") << k;
    // The last nonce stands before the last rounds of the sumcheck: ten elements each.
    const std::size_t nonce = proof().stream.size() - 40 * std::size_t{parameters().log_final} - 8;
    for (std::size_t k = 0; k < 8; ++k) EXPECT_EQ(check(with(nonce + k, 1)), "bad_grinding") << k;
}

TEST_F(KeccakWire, RandomByteFlipsAreRefused) {
    std::mt19937_64 rng(3);
    for (int i = 0; i < 200; ++i) {
        EXPECT_NE(check(with(rng() % bytes().size(), static_cast<std::uint8_t>(1U << (rng() % 8)))), "ok");
    }
}

// The model that chose the parameters counts the bytes and levels that there are.
TEST_F(KeccakWire, TheGasModelCountsTheseBytes) {
    const WhirParameters parameters = generate_parameters(kTerminalProtocol, 16, 100);
    const EvmCircuit counted = count_circuit(circuit(), testing::kGateHeights, kTerminalProtocol, 0, 0);
    EXPECT_EQ(sum(evm_parts(counted, kTerminalProtocol, parameters)).bytes,
              keccak_proof_size(circuit(), testing::kGateHeights, parameters, kTerminalProtocol));
}

// The whole of it, with the parameters that a contract gets.
TEST_F(KeccakWire, SlowTerminalParameters) {
    const KeccakProvingKey terminal(columns(), 100, kTerminalProtocol);
    KeccakProveOptions options;
    options.key = &terminal;
    options.protocol = kTerminalProtocol;
    const KeccakProof p = prove(circuit(), system().trace, system().statement, options);
    const Bytes b = encode_keccak_proof(circuit(), p);
    const auto decoded =
        decode_keccak_proof(circuit(), testing::kGateHeights, b, 100, &terminal.verifying_key(), kTerminalProtocol);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(name_of(verify(circuit(), decoded.value(), system().statement, 100, &terminal.verifying_key(),
                             kTerminalProtocol)),
              "ok");
    EXPECT_NE(name_of(verify(circuit(), decoded.value(), {}, 100, &terminal.verifying_key(), kTerminalProtocol)), "ok");
}

}  // namespace
}  // namespace quarry::keccak_wire_test
