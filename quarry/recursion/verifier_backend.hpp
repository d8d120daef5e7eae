#pragma once
#include "quarry/proof/proof.hpp"
#include "quarry/recursion/builder.hpp"
#include "quarry/recursion/constraints.hpp"

/// The verifier's text (quarry/proof/proof-inl.hpp) on wires: it verifies a proof, and what it does becomes rows.
/// The key of a circuit depends on the order of its rows, so that no expression of that text, or of this module, may
/// have two operands or arguments that make rows: which comes first would be the compiler's choice. All of them but the
/// last are given names first. Elements of braces are in order as they are.
namespace quarry::recursion {
struct CircuitBackend;
}

namespace quarry {
/// A position as a circuit has it.
template <>
struct QueryIndex<recursion::CircuitBackend> {
    recursion::IndexWires wires;
};
}  // namespace quarry

namespace quarry::recursion {

struct CircuitBackend {
    using F = BaseExpr;
    using E = ExtensionExpr;
    CircuitBuilder* builder;

    [[nodiscard]] static F constant(KoalaBear x) { return {x}; }
    [[nodiscard]] static E constant(const ExtField& x) { return {x}; }
    [[nodiscard]] static E lift(const F& x) { return x.lifted(); }
    [[nodiscard]] E inverse(const E& x) const { return builder->inverse(x); }
    [[nodiscard]] Status require_equal(const E& a, const E& b, Errc /*code*/, const char* /*where*/) const {
        builder->require_equal(a, b);
        return Ok{};
    }
    [[nodiscard]] Status require_nonzero(const E& a, Errc /*code*/, const char* /*where*/) const {
        (void)builder->inverse(a);
        return Ok{};
    }
};

/// The prover's messages as wires that the sponge absorbs.
class CircuitChannel {
  public:
    using F = BaseExpr;
    using E = ExtensionExpr;
    /// `sponge` has absorbed everything that stands before the first message.
    CircuitChannel(CircuitBuilder& builder, SpongeWires sponge, std::span<const KoalaBear> stream)
        : builder_(&builder), sponge_(sponge), stream_(stream) {}

    [[nodiscard]] F receive();
    [[nodiscard]] E receive_ext();
    [[nodiscard]] std::array<F, kDigestSize> receive_digest();
    [[nodiscard]] E challenge();
    [[nodiscard]] std::vector<QueryIndex<CircuitBackend>> challenge_indices(std::size_t count, unsigned bits);
    [[nodiscard]] Status check_grinding(unsigned bits, const char* where);
    /// The stream has exactly the length that the circuit reads (checked: the circuit's shape fixes it).
    [[nodiscard]] Status finish() const;

  private:
    KoalaBear next();
    CircuitBuilder* builder_;
    SpongeWires sponge_;
    std::span<const KoalaBear> stream_;
    std::size_t at_ = 0;
};

/// Opened rows as wires.
class CircuitOpenings {
  public:
    CircuitOpenings(CircuitBuilder& builder, const WhirOpenings& openings);
    [[nodiscard]] std::size_t num_oracles() const { return openings_->oracles.size(); }
    [[nodiscard]] std::size_t num_queries(std::size_t oracle) const { return openings_->oracles[oracle].size(); }
    [[nodiscard]] BaseRun row(std::size_t oracle, std::size_t query) const { return rows_[oracle][query]; }
    [[nodiscard]] std::span<const Digest> path(std::size_t oracle, std::size_t query) const {
        return openings_->path(oracle, query);
    }

  private:
    const WhirOpenings* openings_;
    std::vector<std::vector<BaseRun>> rows_;
};

// The verifier's hooks.
Status require_merkle(CircuitBackend& backend, const std::array<BaseExpr, kDigestSize>& root,
                      const std::vector<QueryIndex<CircuitBackend>>& positions, const std::vector<BaseRun>& rows,
                      const std::vector<std::span<const Digest>>& paths);
inline BaseExpr query_point(CircuitBackend& /*backend*/, const QueryIndex<CircuitBackend>& index) {
    return index.wires.point;
}
inline ExtensionExpr pow_at(CircuitBackend& backend, const BaseExpr& x, const BaseExpr& /*one*/,
                            std::span<const ExtensionExpr> r) {
    return backend.builder->power(x, r);
}
inline std::vector<ExtensionExpr> fold_rows(CircuitBackend& backend, const std::vector<BaseRun>& rows,
                                            std::span<const ExtensionExpr> weights) {
    return backend.builder->fold(weights, rows);
}
inline std::vector<ExtensionExpr> evaluate_at(CircuitBackend& backend, std::span<const ExtensionExpr> coefficients,
                                              const std::vector<BaseExpr>& points) {
    return backend.builder->evaluate(coefficients, points);
}

inline TableValues<ExtensionExpr> evaluate_table(CircuitBackend& backend, const Table& table,
                                                 const std::vector<ExtensionExpr>& row,
                                                 const std::vector<ExtensionExpr>& next) {
    return evaluate_on_wires(*backend.builder, table, row, next);
}

/// Verifies a proof of `circuit` with these heights in the circuit that is being built. A proof of other lengths than
/// the shape's is our own mistake (checked).
void verify_in_circuit(CircuitBuilder& builder, const Circuit& circuit, const Proof& proof,
                       const BasicStatement<BaseExpr>& statement,
                       const std::optional<DigestWire>& preprocessed_root = {}, const Protocol& protocol = {});

/// A proof of the right lengths that proves nothing: what fixes a circuit when there is no proof at hand.
Proof blank_proof(const Circuit& circuit, const Heights& heights, unsigned security_bits = 100,
                  const Protocol& protocol = {});

}  // namespace quarry::recursion
