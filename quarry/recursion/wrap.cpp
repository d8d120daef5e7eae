#include "quarry/recursion/wrap.hpp"

#include "quarry/base/check.hpp"
#include "quarry/recursion/prove_rows.hpp"
#include "quarry/recursion/verifier_backend.hpp"

namespace quarry::recursion {

using rollup::StatementKind;

CircuitRows wrap_rows(const NodeShape& shape, const Digest& keys, const Digest& bundle, const Proof& proof,
                      const ChildKey& key) {
    CircuitBuilder b(RowKinds::some);
    const DigestWire keys_wire = b.witness(keys);
    const DigestWire statement = b.witness(bundle);
    b.expose(verify_child(b, keys_wire, shape, StatementKind::bundle, statement, proof, key));
    return std::move(b).finish();
}

Wrap::Wrap(const Catalog& catalog) : catalog_(&catalog) {
    heights_ = fit(rows({}, {0, quarry::recursion::blank_proof(*catalog.node_shape().circuit,
                                                               catalog.node_shape().heights, security_bits())}));
    circuit_ = make_circuit(heights_);
}

Proof Wrap::blank_proof() const {
    return quarry::recursion::blank_proof(*circuit_, heights_of(heights_), security_bits(), kWrapProtocol);
}

const ProvingKey& Wrap::proving_key() const {
    std::call_once(made_, [&] {
        const NodeShape& shape = catalog_->node_shape();
        const NodeProof blank{0, quarry::recursion::blank_proof(*shape.circuit, shape.heights, shape.security_bits)};
        auto preprocessed = lay_out_preprocessed(*circuit_, heights_, rows({}, blank), kWrapProtocol.log_stack_lanes);
        QUARRY_CHECK(preprocessed.has_value());
        key_ = std::make_unique<ProvingKey>(std::move(*preprocessed), security_bits(), kWrapProtocol);
    });
    return *key_;
}

CircuitRows Wrap::rows(const Digest& bundle, const NodeProof& proof) const {
    return wrap_rows(catalog_->node_shape(), catalog_->keys().digest(), bundle, proof.proof,
                     catalog_->child_key(proof.node_kind));
}

Proof prove_wrap(const Wrap& wrap, const CircuitRows& rows, const Digest& bundle) {
    ProveOptions options;
    options.key = &wrap.proving_key();
    options.protocol = kWrapProtocol;
    options.security_bits = wrap.security_bits();
    const Digest exposed = exposed_digest(StatementKind::bundle, wrap.catalog().keys().digest(), bundle);
    return prove_rows(wrap.circuit(), wrap.shape_heights(), rows, digest_statement(exposed), options);
}

Status verify_wrap(const Wrap& wrap, const Digest& bundle, const Proof& proof) {
    const Digest exposed = exposed_digest(StatementKind::bundle, wrap.catalog().keys().digest(), bundle);
    const VerifyingKey& key = wrap.proving_key().verifying_key();
    return verify(wrap.circuit(), proof, digest_statement(exposed), wrap.security_bits(), &key, kWrapProtocol);
}

}  // namespace quarry::recursion
