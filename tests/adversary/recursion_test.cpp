// ADVERSARIAL.md, "Recursion", as far as one circuit that verifies proofs is concerned.
#include <gtest/gtest.h>

#include "tests/adversary/recursion_child.hpp"
#include "tests/adversary/recursion_verdicts.hpp"

namespace quarry::recursion_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)
using recursion::BaseExpr;
using recursion::CircuitBuilder;
using recursion::DigestWire;

const Child& gates() {
    static const Child c = gates_child();
    return c;
}
bool accepts(const Verifier& v) { return WireCheck(v.rows, v.exposed).accepts(); }

/// Other preprocessed columns: one gate multiplies that should add; with the witness and statement that fit them.
Child lying_gates() {
    auto circuit = std::make_unique<Circuit>("gates", quarry::testing::gate_tables());
    PreprocessedTrace columns = quarry::testing::make_gate_columns(*circuit);
    KoalaBear& operation = columns.column(2, 4)[1000];
    operation = KoalaBear(1) - operation;
    auto key = std::make_unique<ProvingKey>(std::move(columns));
    quarry::testing::GateSystem system = quarry::testing::make_gate_system(key->trace());
    return make_child("lying gates", std::move(circuit), std::move(key), std::move(system.trace),
                      std::move(system.statement));
}

// "A child proof of another circuit": other preprocessed columns, whatever root the prover lets the transcript absorb.
TEST(AdversaryRecursion, ProofUnderAnotherPreprocessedRoot) {
    const Child lying = lying_gates();
    ASSERT_EQ(name_of(lying.verify_native(lying.proof, lying.statement)), "ok");
    EXPECT_TRUE(accepts(verifier_of(lying, lying.proof, lying.statement)));
    EXPECT_FALSE(accepts(verifier_of(gates(), lying.proof, lying.statement)));
    // An echo: the transcript has absorbed the right root, the tree is the other one. Only its paths tell.
    ProveOptions options;
    options.key = lying.key.get();
    options.claimed_key = gates().verifying_key();
    const Proof echo = prove(*lying.circuit, *lying.trace, lying.statement, options);
    const Verifier v = verifier_of(gates(), echo, lying.statement);
    const WireCheck wires(v.rows, v.exposed);
    EXPECT_FALSE(wires.accepts());
    bool other_is_wrong = false;
    const Verdicts verdicts = wires.verdicts(other_is_wrong);
    EXPECT_FALSE(other_is_wrong);
    const auto num_queries = static_cast<std::ptrdiff_t>(echo.openings.oracles[0].size());
    EXPECT_EQ(std::ranges::count(verdicts.paths, false), num_queries);
    EXPECT_EQ(std::count(verdicts.paths.begin(), verdicts.paths.begin() + num_queries, false), num_queries);
    // With the right tree's rows and paths in their place, the rows are not what was claimed.
    Proof patched = echo;
    for (std::size_t j = 0; j < patched.openings.oracles[0].size(); ++j) {
        patched.openings.oracles[0][j] = gates().key->commitment().open(patched.openings.positions[0][j]);
    }
    const Verifier of_patched = verifier_of(gates(), patched, lying.statement);
    const WireCheck patched_wires(of_patched.rows, of_patched.exposed);
    const Verdicts patched_verdicts = patched_wires.verdicts(other_is_wrong);
    EXPECT_EQ(std::ranges::count(patched_verdicts.paths, false), 0);
    EXPECT_FALSE(patched_wires.accepts());
}

// "A digest that merely travels": where the root is the prover's choice, a proof under any root is accepted, and what
// is exposed tells under which. A parent that takes the root from elsewhere verifies something else.
TEST(AdversaryRecursion, AChosenRootIsExposed) {
    const Child lying = lying_gates();
    const auto build = [&](const Child& child, const Digest& claimed_root) {
        CircuitBuilder b;
        const auto wires = on_wires(b, child.statement);
        const DigestWire root = b.witness(child.verifying_key()->preprocessed_root);
        recursion::verify_in_circuit(b, *child.circuit, child.proof, wires, root);
        const DigestWire statement = b.chain(b.constant(Digest{}), elements_of(wires));
        const DigestWire exposed = b.compress(statement, root);
        b.expose(exposed);
        return Verifier{std::move(b).finish(), poseidon_compress(statement.value, claimed_root)};
    };
    const Digest honest = gates().verifying_key()->preprocessed_root;
    EXPECT_TRUE(accepts(build(gates(), honest)));
    EXPECT_TRUE(accepts(build(lying, lying.verifying_key()->preprocessed_root)));
    EXPECT_FALSE(accepts(build(lying, honest)));
}

// "A foreign circuit": the same tables under another name, and one without a constraint, both of the same shape.
TEST(AdversaryRecursion, ProofOfAForeignCircuit) {
    const Child cubes = cubes_child();
    const auto foreign = [&](const std::string& name, auto change) {
        std::vector<Table> tables = quarry::testing::cube_tables();
        change(tables);
        auto circuit = std::make_unique<Circuit>(name, std::move(tables));
        quarry::testing::CubeSystem system = quarry::testing::make_cube_system(*circuit);
        return make_child(name, std::move(circuit), nullptr, std::move(system.trace), std::move(system.statement));
    };
    const Child renamed = foreign("cubes of others", [](std::vector<Table>&) {});
    const Child weaker = foreign("cubes", [](std::vector<Table>& tables) {
        std::erase_if(tables[1].constraints, [](const Constraint& c) { return c.name == "start"; });
    });
    for (const Child* child : {&renamed, &weaker}) {
        ASSERT_EQ(name_of(child->verify_native(child->proof, child->statement)), "ok");
        ASSERT_EQ(child->proof.stream.size(), cubes.proof.stream.size());
        ASSERT_NE(child->circuit->digest(), cubes.circuit->digest());
        EXPECT_TRUE(accepts(verifier_of(*child, child->proof, child->statement)));
        EXPECT_FALSE(accepts(verifier_of(cubes, child->proof, child->statement)));
        EXPECT_FALSE(accepts(verifier_of(*child, cubes.proof, cubes.statement)));
    }
}

/// Two proofs verified one after the other, each with its statement; exposes H(digest of the first, of the second).
struct Pair {
    const Proof* proof;
    Statement statement;
};
Verifier verify_two(const Child& child, const Pair& first, const Pair& second) {
    CircuitBuilder b;
    std::vector<DigestWire> digests;
    for (const Pair* p : {&first, &second}) {
        const auto wires = on_wires(b, p->statement);
        recursion::verify_in_circuit(b, *child.circuit, *p->proof, wires);
        digests.push_back(b.chain(b.constant(Digest{}), elements_of(wires)));
    }
    const DigestWire exposed = b.compress(digests[0], digests[1]);
    b.expose(exposed);
    return {std::move(b).finish(), exposed.value};
}

// "children out of order .. the same child twice; root of one with data of another"
TEST(AdversaryRecursion, TwoChildrenSwapped) {
    const Child child = cubes_child();
    // Another true statement: the users ask for other cubes.
    quarry::testing::CubeSystem system = quarry::testing::make_cube_system(*child.circuit);
    KoalaBear sum;
    for (std::size_t i = 0; i < 512; ++i) system.trace.column(0, 3)[i] = KoalaBear();
    for (std::size_t i = 0; i < 1024; ++i) {
        const std::size_t x = (i * i + 3) % 512;
        system.trace.column(1, 0)[i] = KoalaBear(x);
        system.trace.column(1, 1)[i] = KoalaBear(x).pow(3);
        system.trace.column(1, 2)[i] = sum;
        sum += KoalaBear(x).pow(3);
        system.trace.column(0, 3)[x] += KoalaBear(1);
    }
    system.statement.tuples[0].tuple[0] = sum;
    const Proof other = child.prove_with(nullptr, &system.trace, &system.statement);
    ASSERT_EQ(name_of(child.verify_native(other, system.statement)), "ok");

    const Pair a{&child.proof, child.statement};
    const Pair b{&other, system.statement};
    const Verifier in_order = verify_two(child, a, b);
    EXPECT_TRUE(accepts(in_order));
    // Swapped as a whole: proven, but it is another statement; so is the same child twice.
    const Verifier swapped = verify_two(child, b, a);
    EXPECT_TRUE(accepts(swapped));
    EXPECT_NE(swapped.exposed, in_order.exposed);
    EXPECT_FALSE(accepts({swapped.rows, in_order.exposed}));
    const Verifier twice = verify_two(child, a, a);
    EXPECT_TRUE(accepts(twice));
    EXPECT_FALSE(accepts({twice.rows, in_order.exposed}));
    // The statement of one with the proof of the other.
    EXPECT_FALSE(accepts(verify_two(child, {&other, child.statement}, {&child.proof, system.statement})));
    EXPECT_FALSE(accepts(verify_two(child, a, {&child.proof, system.statement})));
    // Openings of one in the proof of the other.
    Proof mixed = other;
    mixed.openings = child.proof.openings;
    EXPECT_FALSE(accepts(verify_two(child, a, {&mixed, system.statement})));
}

}  // namespace
}  // namespace quarry::recursion_test
