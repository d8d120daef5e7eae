#include "quarry/recursion/catalog.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/circuits/data/data.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/circuits/segment_key.hpp"
#include "quarry/recursion/verifier_backend.hpp"

namespace quarry::recursion {
namespace {

using rollup::StatementKind;

/// The heights of a shape that holds all of them.
ShapeHeights widest(ShapeHeights a, const ShapeHeights& b) {
    for (std::size_t k = 0; k < kTableKinds; ++k) {
        std::size_t rows_a = 0;
        std::size_t rows_b = 0;
        for (const unsigned h : a[k]) rows_a += std::size_t{1} << h;
        for (const unsigned h : b[k]) rows_b += std::size_t{1} << h;
        if (rows_b > rows_a) a[k] = b[k];
    }
    return a;
}

NodeShape node_shape(const Circuit& circuit, const ShapeHeights& heights, unsigned security_bits) {
    return {&circuit, heights_of(heights), security_bits};
}

CircuitRows blank_node(const NodeKind& kind, const NodeShape& shape) {
    NodeBuilder node{Digest{}};
    for (const NodeKind::Child& child : kind.children) {
        switch (child.kind) {
            case ChildKind::segment: {
                const LeafShape leaf = segment_leaf(segment_profiles()[child.profile], shape.security_bits);
                node.segment(leaf, {}, blank_proof(*leaf.circuit, leaf.heights, shape.security_bits), {});
                break;
            }
            case ChildKind::data:
            case ChildKind::effects: {
                const LeafShape leaf{&circuits::data_circuit(), data_heights(), shape.security_bits, nullptr};
                const auto role = child.kind == ChildKind::data ? rollup::DataRole::data : rollup::DataRole::effects;
                node.data(leaf, role, {}, blank_proof(*leaf.circuit, leaf.heights, shape.security_bits), {}, {}, {});
                break;
            }
            case ChildKind::join:
                node.join(shape, {}, blank_proof(*shape.circuit, shape.heights, shape.security_bits), {});
                if (kind.says == StatementKind::bundle) node.close({});
                break;
            case ChildKind::bundle:
                node.bundle(shape, {}, blank_proof(*shape.circuit, shape.heights, shape.security_bits), {});
                break;
        }
    }
    if (kind.widens) node.widen();
    return kind.says == StatementKind::join ? std::move(node).finish_join() : std::move(node).finish_bundle();
}

}  // namespace

const std::vector<SegmentProfile>& segment_profiles() {
    // The tables in the order of circuits::SegmentTable. What 512, 2,048 and 4,096 transfers between accounts drawn
    // from 2^20 need.
    static const std::vector<SegmentProfile> profiles = {
        {"512", {14, 14, 16, 11, 9, 11, 14, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 13, 13, 9}},
        {"2048", {16, 15, 16, 13, 9, 12, 15, 9, 9, 9, 11, 9, 9, 9, 9, 9, 9, 9, 13, 15, 11}},
        {"4096", {17, 16, 16, 14, 9, 13, 16, 9, 9, 9, 12, 9, 9, 9, 9, 9, 9, 9, 13, 16, 12}},
    };
    return profiles;
}

LeafShape segment_leaf(const SegmentProfile& profile, unsigned security_bits) {
    return {&circuits::segment_circuit(), profile.heights, security_bits,
            &circuits::segment_verifying_key(profile.heights, security_bits)};
}

const Heights& data_heights() {
    static const Heights heights{13, 9, 16, 11, 9, 9};
    return heights;
}

const std::vector<NodeKind>& node_kinds() {
    static const std::vector<NodeKind> kinds = [] {
        std::vector<NodeKind> r;
        for (std::size_t p = 0; p < segment_profiles().size(); ++p) {
            const std::string name = "segment " + segment_profiles()[p].name;
            r.push_back({name, StatementKind::join, {{ChildKind::segment, p}}});
            r.push_back({name + " + data", StatementKind::join, {{ChildKind::segment, p}, {ChildKind::data}}});
        }
        r.push_back({"data", StatementKind::join, {{ChildKind::data}}});
        r.push_back({"effects", StatementKind::join, {{ChildKind::effects}}});
        r.push_back({"join", StatementKind::join, {{ChildKind::join}, {ChildKind::join}}});
        r.push_back({"batch", StatementKind::bundle, {{ChildKind::join}}});
        r.push_back({"two batches", StatementKind::bundle, {{ChildKind::join}, {ChildKind::join}}});
        r.push_back({"bundle", StatementKind::bundle, {{ChildKind::bundle}, {ChildKind::bundle}}});
        r.push_back({"wider bundle", StatementKind::bundle, {{ChildKind::bundle}}, true});
        return r;
    }();
    return kinds;
}

Catalog::Catalog(unsigned security_bits) {
    // The shape must hold the verification of proofs of that shape: it grows until it does.
    const auto& kinds = node_kinds();
    const auto of_leaves = [](const NodeKind& k) {
        return std::none_of(k.children.begin(), k.children.end(), [](const NodeKind::Child& c) {
            return c.kind == ChildKind::join || c.kind == ChildKind::bundle;
        });
    };
    std::vector<CircuitRows> rows(kinds.size());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (!of_leaves(kinds[i])) continue;
        rows[i] = blank_node(kinds[i], {nullptr, {}, security_bits});
        heights_ = widest(heights_, fit(rows[i]));
    }
    for (bool grown = true; grown;) {
        circuit_ = make_circuit(heights_);
        shape_ = quarry::recursion::node_shape(*circuit_, heights_, security_bits);
        ShapeHeights needed = heights_;
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            if (of_leaves(kinds[i])) continue;
            rows[i] = blank_node(kinds[i], shape_);
            needed = widest(needed, fit(rows[i]));
        }
        grown = needed != heights_;
        heights_ = needed;
    }
    std::vector<KeyEntry> entries;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        auto preprocessed = lay_out_preprocessed(*circuit_, heights_, rows[i]);
        QUARRY_CHECK(preprocessed.has_value());
        rows[i] = {};
        proving_keys_.push_back(std::make_unique<ProvingKey>(std::move(*preprocessed), security_bits));
        entries.push_back({kinds[i].name, kinds[i].says, proving_keys_.back()->verifying_key().preprocessed_root});
    }
    keys_ = std::make_unique<KeyTable>(std::move(entries));
}

ChildKey Catalog::child_key(std::size_t node_kind) const {
    return {keys_->entries()[node_kind].preprocessed_root, node_kind, keys_->path(node_kind)};
}

CircuitRows Catalog::blank(std::size_t node_kind) const { return blank_node(node_kinds()[node_kind], shape_); }

NodeProof prove_node(const Catalog& catalog, std::size_t node_kind, const CircuitRows& rows, const Digest& statement) {
    const ProvingKey& key = catalog.proving_key(node_kind);
    const auto preprocessed = lay_out_preprocessed(catalog.circuit(), catalog.shape_heights(), rows);
    QUARRY_CHECK(preprocessed.has_value() && std::ranges::equal(preprocessed->stack(), key.trace().stack()));
    const Trace trace = lay_out_witness(catalog.circuit(), catalog.shape_heights(), rows);
    ProveOptions options;
    options.key = &key;
    options.security_bits = catalog.node_shape().security_bits;
    const Digest exposed = exposed_digest(node_kinds()[node_kind].says, catalog.keys().digest(), statement);
    return {node_kind, prove(catalog.circuit(), trace, digest_statement(exposed), options)};
}

Status verify_node(const Catalog& catalog, rollup::StatementKind kind, const Digest& statement,
                   const NodeProof& proof) {
    if (proof.node_kind >= node_kinds().size() || node_kinds()[proof.node_kind].says != kind) {
        return Error{Errc::wrong_key, "kind of the node"};
    }
    const Digest exposed = exposed_digest(kind, catalog.keys().digest(), statement);
    const VerifyingKey& key = catalog.proving_key(proof.node_kind).verifying_key();
    return verify(catalog.circuit(), proof.proof, digest_statement(exposed), catalog.node_shape().security_bits, &key);
}

}  // namespace quarry::recursion
