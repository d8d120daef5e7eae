#pragma once
// Proofs to verify in a circuit, and the circuits that do.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/testing_preprocessed.hpp"
#include "quarry/recursion/testing.hpp"
#include "quarry/recursion/verifier_backend.hpp"
#include "tests/adversary/attack.hpp"
#include "tests/adversary/random_circuits.hpp"

namespace quarry::adversary {

/// A circuit with a witness, whose proofs a recursion circuit verifies.
struct Child {
    std::string name;
    std::unique_ptr<Circuit> circuit;
    std::unique_ptr<ProvingKey> key;  ///< of a circuit with preprocessed columns
    std::unique_ptr<Trace> trace;
    Statement statement;
    Proof proof;  ///< honest

    [[nodiscard]] const VerifyingKey* verifying_key() const { return key ? &key->verifying_key() : nullptr; }
    [[nodiscard]] Proof prove_with(ProverChannel::Tamper tamper, const Trace* other_trace = nullptr,
                                   const Statement* other_statement = nullptr) const {
        ProveOptions options;
        options.key = key.get();
        options.tamper = std::move(tamper);
        return prove(*circuit, other_trace != nullptr ? *other_trace : *trace,
                     other_statement != nullptr ? *other_statement : statement, options);
    }
    [[nodiscard]] Status verify_native(const Proof& p, const Statement& s) const {
        return verify(*circuit, p, s, 100, verifying_key());
    }
};

inline Child make_child(std::string name, std::unique_ptr<Circuit> circuit, std::unique_ptr<ProvingKey> key,
                        Trace trace, Statement statement) {
    Child c{std::move(name),      std::move(circuit),
            std::move(key),       std::make_unique<Trace>(std::move(trace)),
            std::move(statement), {}};
    c.proof = c.prove_with(nullptr);
    return c;
}
inline Child cubes_child() {
    auto circuit = std::make_unique<Circuit>("cubes", quarry::testing::cube_tables());
    quarry::testing::CubeSystem system = quarry::testing::make_cube_system(*circuit);
    return make_child("cubes", std::move(circuit), nullptr, std::move(system.trace), std::move(system.statement));
}
/// With preprocessed columns; `log_squares`: the height of the table that is free to choose.
inline Child gates_child(unsigned log_squares = 9) {
    auto circuit = std::make_unique<Circuit>("gates", quarry::testing::gate_tables());
    Heights heights = quarry::testing::kGateHeights;
    heights[0] = log_squares;
    auto key = std::make_unique<ProvingKey>(quarry::testing::make_gate_columns(*circuit, heights));
    quarry::testing::GateSystem system = quarry::testing::make_gate_system(key->trace());
    return make_child("gates", std::move(circuit), std::move(key), std::move(system.trace),
                      std::move(system.statement));
}
inline Child random_child(std::uint64_t seed, const Menu& menu) {
    RandomSystem system = SystemMaker(seed, menu).make();
    Trace trace = system.trace();
    return make_child("random " + std::to_string(seed) + ": " + system.description, std::move(system.circuit), nullptr,
                      std::move(trace), std::move(system.statement));
}

/// The statement's tuples as the prover's choice; which buses, and how often, is the circuit's.
inline BasicStatement<recursion::BaseExpr> on_wires(recursion::CircuitBuilder& b, const Statement& statement) {
    BasicStatement<recursion::BaseExpr> wires;
    for (const PublicTuple& t : statement.tuples) {
        BasicPublicTuple<recursion::BaseExpr> tuple{t.bus, recursion::BaseExpr(t.multiplicity), {}};
        for (const KoalaBear x : t.tuple) tuple.tuple.push_back(b.base_witness(x));
        wires.tuples.push_back(std::move(tuple));
    }
    return wires;
}
inline std::vector<recursion::BaseExpr> elements_of(const BasicStatement<recursion::BaseExpr>& statement) {
    std::vector<recursion::BaseExpr> all;
    for (const auto& t : statement.tuples) all.insert(all.end(), t.tuple.begin(), t.tuple.end());
    return all;
}

/// A circuit's rows and the digest that it exposes.
struct Verifier {
    recursion::CircuitRows rows;
    Digest exposed{};
};
/// The circuit that verifies a proof of the child's circuit: exposes a digest of the statement's elements.
inline Verifier verifier_of(const Child& child, const Proof& proof, const Statement& statement) {
    using recursion::DigestWire;
    recursion::CircuitBuilder b;
    const auto wires = on_wires(b, statement);
    std::optional<DigestWire> root;
    if (child.key) root = b.constant(child.key->verifying_key().preprocessed_root);
    recursion::verify_in_circuit(b, *child.circuit, proof, wires, root);
    const auto elements = elements_of(wires);
    const DigestWire start = b.constant(Digest{});
    const DigestWire exposed = elements.empty() ? start : b.chain(start, elements);
    b.expose(exposed);
    return {std::move(b).finish(), exposed.value};
}

}  // namespace quarry::adversary
