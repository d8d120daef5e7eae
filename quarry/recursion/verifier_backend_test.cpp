#include "quarry/recursion/verifier_backend.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "quarry/proof/testing_circuit.hpp"
#include "quarry/recursion/testing.hpp"

namespace quarry::recursion::verifier_backend_test {
namespace {

using testing::LaidOut;

BasicStatement<BaseExpr> on_wires(CircuitBuilder& b, const Statement& statement) {
    BasicStatement<BaseExpr> wires;
    for (const PublicTuple& t : statement.tuples) {
        BasicPublicTuple<BaseExpr> tuple{t.bus, BaseExpr(t.multiplicity), {}};
        for (const KoalaBear x : t.tuple) tuple.tuple.push_back(b.base_witness(x));
        wires.tuples.push_back(std::move(tuple));
    }
    return wires;
}

/// The circuit that verifies a proof of the cubes, exposing a digest of its statement.
CircuitRows verify_cubes(const Circuit& circuit, const Proof& proof, const Statement& statement,
                         RowKinds kinds = RowKinds::all, const Protocol& protocol = {}) {
    CircuitBuilder b(kinds);
    const BasicStatement<BaseExpr> wires = on_wires(b, statement);
    verify_in_circuit(b, circuit, proof, wires, {}, protocol);
    b.expose(b.chain(b.constant(Digest{}), wires.tuples[0].tuple));
    return std::move(b).finish();
}

Digest digest_of(const Statement& statement) {
    return poseidon_compress(Digest{}, Digest{statement.tuples[0].tuple[0]});
}

struct Cubes {
    Circuit circuit{"cubes", quarry::testing::cube_tables()};
    quarry::testing::CubeSystem system = quarry::testing::make_cube_system(circuit);
    Proof proof = prove(circuit, system.trace, system.statement);
};

TEST(VerifierInCircuit, AcceptsWhatTheNativeVerifierAccepts) {
    const Cubes cubes;
    ASSERT_TRUE(verify(cubes.circuit, cubes.proof, cubes.system.statement).ok());
    const LaidOut laid(verify_cubes(cubes.circuit, cubes.proof, cubes.system.statement));
    EXPECT_EQ(laid.complaint(digest_of(cubes.system.statement)), "");
}

TEST(VerifierInCircuit, TheCircuitDoesNotDependOnTheProof) {
    const Cubes cubes;
    const CircuitRows of_proof = verify_cubes(cubes.circuit, cubes.proof, cubes.system.statement);
    Statement blank = cubes.system.statement;
    blank.tuples[0].tuple[0] = KoalaBear();
    const CircuitRows of_blank = verify_cubes(cubes.circuit, blank_proof(cubes.circuit, cubes.proof.heights), blank);
    const LaidOut one(of_proof);
    const LaidOut other(of_blank);
    ASSERT_EQ(one.shape, other.shape);
    const auto a = one.preprocessed.stack();
    const auto b = other.preprocessed.stack();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST(VerifierInCircuit, RefusesEveryChangedMessage) {
    const Cubes cubes;
    for (std::size_t i = 0; i < cubes.proof.stream.size(); i += cubes.proof.stream.size() / 7) {
        Proof changed = cubes.proof;
        changed.stream[i] += KoalaBear(1);
        const LaidOut laid(verify_cubes(cubes.circuit, changed, cubes.system.statement));
        EXPECT_NE(laid.complaint(digest_of(cubes.system.statement)), "") << i;
    }
    Proof changed = cubes.proof;
    changed.openings.oracles[0][3].row[2] += KoalaBear(1);
    EXPECT_NE(LaidOut(verify_cubes(cubes.circuit, changed, cubes.system.statement))
                  .complaint(digest_of(cubes.system.statement)),
              "");
    changed = cubes.proof;
    changed.openings.oracles[0][3].path[2][1] += KoalaBear(1);
    EXPECT_NE(LaidOut(verify_cubes(cubes.circuit, changed, cubes.system.statement))
                  .complaint(digest_of(cubes.system.statement)),
              "");
    Statement other = cubes.system.statement;
    other.tuples[0].tuple[0] += KoalaBear(1);
    EXPECT_NE(LaidOut(verify_cubes(cubes.circuit, cubes.proof, other)).complaint(digest_of(other)), "");
}

/// As the wrap verifies nodes, and as the terminal verifies the wrap.
TEST(VerifierInCircuit, SaysTheSameWithFewerKindsOfRows) {
    const Cubes cubes;
    ProveOptions options;
    options.protocol = kWrapProtocol;
    const Proof wrapped = prove(cubes.circuit, cubes.system.trace, cubes.system.statement, options);
    for (const RowKinds kinds : {RowKinds::some, RowKinds::few}) {
        const bool few = kinds == RowKinds::few;
        const Proof& proof = few ? wrapped : cubes.proof;
        const auto complaint = [&](const Proof& p) {
            const LaidOut laid(
                verify_cubes(cubes.circuit, p, cubes.system.statement, kinds, few ? kWrapProtocol : Protocol{}));
            std::set<std::string> names;
            for (const Table& table : laid.circuit->tables()) EXPECT_TRUE(names.insert(table.name).second);
            EXPECT_FALSE(names.contains(ConvolutionTable::kName));
            EXPECT_EQ(names.contains(BaseFoldTable::kName), !few);
            EXPECT_EQ(names.contains(PowerTable::kName), !few);
            return laid.complaint(digest_of(cubes.system.statement));
        };
        EXPECT_EQ(complaint(proof), "");
        ASSERT_GT(proof.openings.oracles.size(), 1U);  // the rows of the last oracle are extension elements
        for (const std::size_t oracle : {std::size_t{0}, proof.openings.oracles.size() - 1}) {
            Proof changed = proof;
            changed.openings.oracles[oracle][0].row.back() += KoalaBear(1);
            EXPECT_NE(complaint(changed), "") << oracle;
        }
        // The last vector, and the last sum.
        for (const std::size_t from_end : {std::size_t{1}, std::size_t{200}}) {
            Proof changed = proof;
            changed.stream[changed.stream.size() - from_end] += KoalaBear(1);
            EXPECT_NE(complaint(changed), "") << from_end;
        }
    }
}

Proof prove_with(const ProvingKey& key, const LaidOut& laid, const Statement& statement) {
    ProveOptions options;
    options.key = &key;
    return prove(*laid.circuit, laid.trace, statement, options);
}

/// A proof of the cubes, verified in a circuit, whose proof is verified in a circuit.
TEST(VerifierInCircuit, ProofsOfProofsSlow) {
    const Cubes cubes;
    const Digest digest = digest_of(cubes.system.statement);
    LaidOut first(verify_cubes(cubes.circuit, cubes.proof, cubes.system.statement));
    const ProvingKey key(std::move(first.preprocessed));
    const Statement statement = digest_statement(digest);
    const Proof proof = prove_with(key, first, statement);
    ASSERT_TRUE(verify(*first.circuit, proof, statement, 100, &key.verifying_key()).ok());
    EXPECT_FALSE(verify(*first.circuit, proof, digest_statement(Digest{}), 100, &key.verifying_key()).ok());

    CircuitBuilder b;
    const DigestWire root = b.witness(key.verifying_key().preprocessed_root);
    const DigestWire exposed = b.witness(digest);
    BasicStatement<BaseExpr> wires;
    BasicPublicTuple<BaseExpr> tuple{
        kDigestBus, BaseExpr(KoalaBear(1)), {BaseExpr(KoalaBear(std::uint64_t{kPublicDigest}))}};
    for (const BaseExpr& x : b.elements(exposed)) tuple.tuple.push_back(x);
    wires.tuples.push_back(tuple);
    verify_in_circuit(b, *first.circuit, proof, wires, root);
    b.expose(b.compress(exposed, root));
    LaidOut second(std::move(b).finish());
    const Digest again = poseidon_compress(digest, key.verifying_key().preprocessed_root);
    EXPECT_EQ(second.complaint(again), "");
    const ProvingKey second_key(std::move(second.preprocessed));
    const Proof proof_of_proof = prove_with(second_key, second, digest_statement(again));
    EXPECT_TRUE(
        verify(*second.circuit, proof_of_proof, digest_statement(again), 100, &second_key.verifying_key()).ok());
}

}  // namespace
}  // namespace quarry::recursion::verifier_backend_test
