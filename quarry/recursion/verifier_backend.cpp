#include "quarry/recursion/verifier_backend.hpp"

#include "quarry/base/check.hpp"

namespace quarry::recursion {

KoalaBear CircuitChannel::next() {
    QUARRY_CHECK(at_ < stream_.size());
    return stream_[at_++];
}

BaseExpr CircuitChannel::receive() {
    const KoalaBear x = next();
    return builder_->lift(sponge_.absorb(x), x);
}

ExtensionExpr CircuitChannel::receive_ext() {
    std::array<KoalaBear, kDegree> x;
    Address base = kNoWire;
    for (std::size_t k = 0; k < kDegree; ++k) {
        x[k] = next();
        const Address address = sponge_.absorb(x[k]);
        if (k == 0) base = address;
        QUARRY_CHECK(address == base + k);
    }
    return builder_->pack(base, x);
}

std::array<BaseExpr, kDigestSize> CircuitChannel::receive_digest() {
    Digest value;
    Address base = kNoWire;
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        value[k] = next();
        const Address address = sponge_.absorb(value[k]);
        if (k == 0) base = address;
        QUARRY_CHECK(address == base + k);
    }
    const DigestWire digest = builder_->pack_digest(base, value);
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return std::array<BaseExpr, kDigestSize>{BaseExpr(digest, K)...};
    }(std::make_index_sequence<kDigestSize>());
}

ExtensionExpr CircuitChannel::challenge() {
    std::array<KoalaBear, kDegree> x;
    Address base = kNoWire;
    for (std::size_t k = 0; k < kDegree; ++k) {
        const auto [address, value] = sponge_.squeeze();
        x[k] = value;
        if (k == 0) base = address;
        QUARRY_CHECK(address == base + k);
    }
    return builder_->pack(base, x);
}

std::vector<QueryIndex<CircuitBackend>> CircuitChannel::challenge_indices(std::size_t count, unsigned bits) {
    std::vector<QueryIndex<CircuitBackend>> indices;
    for (std::size_t j = 0; j < count; ++j) {
        const auto [address, value] = sponge_.squeeze();
        indices.push_back({builder_->index(address, value, bits)});
    }
    return indices;
}

Status CircuitChannel::check_grinding(unsigned bits, const char* /*where*/) {
    const KoalaBear nonce = next();
    QUARRY_CHECK(bits > 0);
    sponge_.flush();
    (void)sponge_.absorb(nonce);
    const auto [address, value] = sponge_.squeeze();
    builder_->require_zero_bits(address, value, bits);
    return Ok{};
}

Status CircuitChannel::finish() const {
    QUARRY_CHECK(at_ == stream_.size());
    return Ok{};
}

CircuitOpenings::CircuitOpenings(CircuitBuilder& builder, const WhirOpenings& openings) : openings_(&openings) {
    for (const auto& oracle : openings.oracles) {
        rows_.emplace_back();
        for (const Opening& opening : oracle) rows_.back().push_back(builder.leaf(opening.row));
    }
}

Status require_merkle(CircuitBackend& backend, const std::array<BaseExpr, kDigestSize>& root,
                      const std::vector<QueryIndex<CircuitBackend>>& positions, const std::vector<BaseRun>& rows,
                      const std::vector<std::span<const Digest>>& paths) {
    const DigestWire digest = BaseExpr::as_digest(root);
    std::vector<IndexWires> indices;
    for (const auto& position : positions) indices.push_back(position.wires);
    backend.builder->open(digest, indices, rows, paths);
    return Ok{};
}

void verify_in_circuit(CircuitBuilder& builder, const Circuit& circuit, const Proof& proof,
                       const BasicStatement<BaseExpr>& statement, const std::optional<DigestWire>& preprocessed_root,
                       const Protocol& protocol) {
    const StackLayout layout = make_stack_layout(circuit, proof.heights, protocol.log_stack_lanes).value();
    const WhirParameters parameters = generate_parameters(protocol, layout.log_size, proof.security_bits);
    const auto as_elements = [](const DigestWire& digest) {
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            return std::array<BaseExpr, kDigestSize>{BaseExpr(digest, K)...};
        }(std::make_index_sequence<kDigestSize>());
    };
    KeyDigests<BaseExpr> key{as_elements(builder.constant(circuit.digest())), {}};
    if (preprocessed_root) key.preprocessed_root = as_elements(*preprocessed_root);
    SpongeWires sponge(builder);
    absorb_start(
        sponge, key, proof.heights, parameters, proof.security_bits, statement, [](KoalaBear x) { return BaseExpr(x); },
        protocol);
    CircuitChannel channel(builder, sponge, proof.stream);
    const CircuitOpenings openings(builder, proof.openings);
    CircuitBackend backend{&builder};
    const Status status = verify_proof(backend, channel, circuit, proof.heights, layout, statement, openings,
                                       parameters, key.preprocessed_root, protocol);
    QUARRY_CHECK(status.ok());
}

Proof blank_proof(const Circuit& circuit, const Heights& heights, unsigned security_bits, const Protocol& protocol) {
    const StackLayout layout = make_stack_layout(circuit, heights, protocol.log_stack_lanes).value();
    const WhirParameters parameters = generate_parameters(protocol, layout.log_size, security_bits);
    Proof proof{security_bits, heights, ProofStream(proof_stream_length(circuit, heights, parameters, protocol)), {}};
    for (const OracleShape& oracle : whir_oracles(parameters, layout.lanes_of_parts())) {
        const Opening blank{std::vector<KoalaBear>(oracle.width), std::vector<Digest>(oracle.log_rows)};
        proof.openings.oracles.emplace_back(parameters.rounds[oracle.round].num_queries, blank);
    }
    return proof;
}

}  // namespace quarry::recursion
