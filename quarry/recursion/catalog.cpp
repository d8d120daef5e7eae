#include "quarry/recursion/catalog.hpp"

#include <algorithm>
#include <functional>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
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

/// `shape_of`: of a child of a size; not asked for a node of leaves alone.
CircuitRows blank_node(const NodeKind& kind, unsigned security_bits,
                       const std::function<const NodeShape&(NodeSize)>& shape_of) {
    NodeBuilder node{Digest{}};
    const auto blank_of = [](const NodeShape& shape) {
        return blank_proof(*shape.circuit, shape.heights, shape.security_bits);
    };
    for (const NodeKind::Child& child : kind.children) {
        switch (child.kind) {
            case ChildKind::segment: {
                const LeafShape leaf = segment_leaf(segment_profiles()[child.profile], security_bits);
                node.segment(leaf, {}, blank_proof(*leaf.circuit, leaf.heights, security_bits), {});
                break;
            }
            case ChildKind::data:
            case ChildKind::effects: {
                const LeafShape leaf{&circuits::data_circuit(), data_heights(), security_bits, nullptr};
                const auto role = child.kind == ChildKind::data ? rollup::DataRole::data : rollup::DataRole::effects;
                node.data(leaf, role, {}, blank_proof(*leaf.circuit, leaf.heights, security_bits), {}, {}, {});
                break;
            }
            case ChildKind::join:
                node.join(shape_of(child.size), {}, blank_of(shape_of(child.size)), {});
                break;
            case ChildKind::bundle:
                node.bundle(shape_of(child.size), {}, blank_of(shape_of(child.size)), {});
                break;
        }
        if (child.closes) node.close({});
    }
    if (kind.widens) node.widen();
    return kind.says == StatementKind::join ? std::move(node).finish_join() : std::move(node).finish_bundle();
}

}  // namespace

const std::vector<SegmentProfile>& segment_profiles() {
    // The tables in the order of circuits::SegmentTable. What 512, 2,048 and 4,096 transfers between accounts drawn
    // from 2^20 need.
    static const std::vector<SegmentProfile> profiles = {
        {"512", {14, 14, 13, 11, 9, 11, 13, 12, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 13, 13, 9}},
        {"2048", {16, 15, 13, 13, 9, 12, 15, 0, 9, 9, 9, 11, 9, 9, 9, 9, 9, 9, 9, 13, 15, 11}},
        {"4096", {17, 16, 13, 14, 9, 13, 16, 0, 9, 9, 9, 12, 9, 9, 9, 9, 9, 9, 9, 13, 16, 12}},
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
            const NodeKind::Child segment{ChildKind::segment, p};
            const std::string& size = segment_profiles()[p].name;
            r.push_back({"segment " + size, StatementKind::join, {segment}});
            r.push_back({"segment " + size + " + data", StatementKind::join, {segment, {ChildKind::data}}});
            r.push_back({"segment " + size + " + effects", StatementKind::join, {segment, {ChildKind::effects}}});
            const NodeKind::Child last_data{ChildKind::data, 0, true};
            r.push_back({"batch " + size, StatementKind::bundle, {segment, last_data}});
            NodeKind wide{"four batches " + size, StatementKind::bundle, {}, false, NodeSize::wide};
            for (std::size_t i = 0; i < kWideBatches; ++i)
                wide.children.insert(wide.children.end(), {segment, last_data});
            r.push_back(std::move(wide));
        }
        const NodeKind::Child last_part{ChildKind::join, 0, true};
        r.push_back({"data", StatementKind::join, {{ChildKind::data}}});
        r.push_back({"effects", StatementKind::join, {{ChildKind::effects}}});
        r.push_back({"join", StatementKind::join, {{ChildKind::join}, {ChildKind::join}}});
        r.push_back({"batch", StatementKind::bundle, {last_part}});
        r.push_back({"batch of two parts", StatementKind::bundle, {{ChildKind::join}, last_part}});
        r.push_back({"bundle", StatementKind::bundle, {{ChildKind::bundle}, {ChildKind::bundle}}});
        r.push_back({"wider bundle", StatementKind::bundle, {{ChildKind::bundle}}, true});
        const NodeKind::Child wide{ChildKind::bundle, 0, false, NodeSize::wide};
        r.push_back({"bundle of wide nodes", StatementKind::bundle, {wide, wide}});
        return r;
    }();
    return kinds;
}

std::optional<std::size_t> find_node_kind(std::string_view name) {
    const auto& kinds = node_kinds();
    const auto at = std::find_if(kinds.begin(), kinds.end(), [&](const NodeKind& k) { return k.name == name; });
    if (at == kinds.end()) return std::nullopt;
    return static_cast<std::size_t>(at - kinds.begin());
}

void Catalog::set_form(NodeSize size, ShapeHeights heights, unsigned security_bits) {
    Form& form = forms_[static_cast<std::size_t>(size)];
    form.circuit = make_circuit(heights);
    form.shape = {form.circuit.get(), heights_of(heights), security_bits, size};
    form.heights = std::move(heights);
}

std::optional<PreprocessedTrace> Catalog::lay_out_key(std::size_t node_kind, const CircuitRows& rows) const {
    const Form& form = of(node_kinds()[node_kind].size);
    return lay_out_preprocessed(*form.circuit, form.heights, rows);
}

Catalog::Catalog(unsigned security_bits) : proving_keys_(node_kinds().size()) {
    const auto& kinds = node_kinds();
    const auto of_leaves = [](const NodeKind& k) {
        return std::none_of(k.children.begin(), k.children.end(), [](const NodeKind::Child& c) {
            return c.kind == ChildKind::join || c.kind == ChildKind::bundle;
        });
    };
    std::vector<CircuitRows> rows(kinds.size());
    const auto shape_of = [&](NodeSize size) -> const NodeShape& { return node_shape(size); };
    const auto lay_out_nodes = [&](bool leaves) {
        parallel_for(kinds.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                if (of_leaves(kinds[i]) == leaves) rows[i] = blank_node(kinds[i], security_bits, shape_of);
            }
        });
        std::array<ShapeHeights, kNodeSizes> needed{shape_heights(NodeSize::narrow), shape_heights(NodeSize::wide)};
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            auto& of_size = needed[static_cast<std::size_t>(kinds[i].size)];
            if (of_leaves(kinds[i]) == leaves) of_size = widest(of_size, fit(rows[i]));
        }
        return needed;
    };
    // The narrow shape must hold the verification of proofs of that shape: it grows until it does. Wide nodes are of
    // leaves alone.
    auto needed = lay_out_nodes(true);
    set_form(NodeSize::wide, needed[static_cast<std::size_t>(NodeSize::wide)], security_bits);
    ShapeHeights& narrow = needed[static_cast<std::size_t>(NodeSize::narrow)];
    for (bool grown = true; grown;) {
        set_form(NodeSize::narrow, narrow, security_bits);
        needed = lay_out_nodes(false);
        grown = narrow != shape_heights();
    }
    std::vector<KeyEntry> entries;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        auto preprocessed = lay_out_key(i, rows[i]);
        QUARRY_CHECK(preprocessed.has_value());
        rows[i] = {};
        proving_keys_[i] = std::make_unique<ProvingKey>(std::move(*preprocessed), security_bits);
        entries.push_back(
            {kinds[i].name, kinds[i].says, kinds[i].size, proving_keys_[i]->verifying_key().preprocessed_root});
    }
    keys_ = std::make_unique<KeyTable>(std::move(entries));
}

Catalog::Catalog(const CircuitKeys& keys)
    : proving_keys_(node_kinds().size()), keys_(std::make_unique<KeyTable>(keys.entries)) {
    QUARRY_CHECK(keys.entries.size() == node_kinds().size());
    for (const NodeSize size : {NodeSize::narrow, NodeSize::wide}) {
        const auto& [circuit, heights] = keys.nodes[static_cast<std::size_t>(size)];
        set_form(size, heights, keys.security_bits);
        QUARRY_CHECK(node_shape(size).circuit->digest() == circuit);
    }
}

CircuitKeys describe(const Catalog& catalog) {
    const auto form = [&](NodeSize size) {
        return NodeForm{catalog.node_shape(size).circuit->digest(), catalog.shape_heights(size)};
    };
    return {catalog.security_bits(),           circuits::segment_circuit().digest(),
            circuits::data_circuit().digest(), {form(NodeSize::narrow), form(NodeSize::wide)},
            catalog.keys().entries(),          {}};
}

bool are_current(const CircuitKeys& keys) {
    const auto& kinds = node_kinds();
    const bool same_nodes = std::ranges::equal(keys.entries, kinds, [](const KeyEntry& e, const NodeKind& k) {
        return e.name == k.name && e.kind == k.says && e.size == k.size;
    });
    return same_nodes && keys.segment_circuit == circuits::segment_circuit().digest() &&
           keys.data_circuit == circuits::data_circuit().digest() &&
           std::ranges::all_of(keys.nodes,
                               [](const NodeForm& f) { return f.circuit == make_circuit(f.heights)->digest(); });
}

const ProvingKey& Catalog::proving_key(std::size_t node_kind) const {
    {
        const std::scoped_lock lock(mutex_);
        if (proving_keys_[node_kind]) return *proving_keys_[node_kind];
    }
    const ProvingKey* key = find_proving_key(node_kind, blank(node_kind));
    QUARRY_CHECK(key != nullptr);
    return *key;
}

const ProvingKey* Catalog::find_proving_key(std::size_t node_kind, const CircuitRows& rows) const {
    auto preprocessed = lay_out_key(node_kind, rows);
    if (!preprocessed) return nullptr;
    std::unique_ptr<ProvingKey>& known = proving_keys_[node_kind];
    const auto find = [&]() -> const ProvingKey* {
        const std::scoped_lock lock(mutex_);
        return known.get();
    };
    if (const ProvingKey* key = find()) {
        return std::ranges::equal(preprocessed->stack(), key->trace().stack()) ? key : nullptr;
    }
    // Made without the lock, since threads of the pool that help here may come by for a key of their own.
    auto key = std::make_unique<ProvingKey>(std::move(*preprocessed), security_bits());
    if (key->verifying_key() != verifying_key(node_kind)) return nullptr;
    const std::scoped_lock lock(mutex_);
    if (!known) known = std::move(key);
    return known.get();
}

VerifyingKey Catalog::verifying_key(std::size_t node_kind) const {
    const NodeShape& shape = shape_of(node_kind);
    return {shape.circuit->digest(), shape.security_bits,
            make_stack_layout(*shape.circuit, shape.heights).value().log_size,
            keys_->entries()[node_kind].preprocessed_root};
}

ChildKey Catalog::child_key(std::size_t node_kind) const {
    return {keys_->entries()[node_kind].preprocessed_root, node_kind, keys_->path(node_kind)};
}

CircuitRows Catalog::blank(std::size_t node_kind) const {
    return blank_node(node_kinds()[node_kind], security_bits(),
                      [&](NodeSize size) -> const NodeShape& { return node_shape(size); });
}

Result<NodeProof> try_prove_node(const Catalog& catalog, std::size_t node_kind, const CircuitRows& rows,
                                 const Digest& statement) {
    ProveOptions options;
    options.key = catalog.find_proving_key(node_kind, rows);
    if (options.key == nullptr) return Error{Errc::wrong_key, "kind of the node"};
    options.security_bits = catalog.security_bits();
    const NodeShape& shape = catalog.shape_of(node_kind);
    const Trace trace = lay_out_witness(*shape.circuit, catalog.shape_heights(shape.size), rows);
    const Digest exposed = exposed_digest(node_kinds()[node_kind].says, catalog.keys().digest(), statement);
    return NodeProof{node_kind, prove(*shape.circuit, trace, digest_statement(exposed), options)};
}

NodeProof prove_node(const Catalog& catalog, std::size_t node_kind, const CircuitRows& rows, const Digest& statement) {
    auto proof = try_prove_node(catalog, node_kind, rows, statement);
    QUARRY_CHECK(proof.ok());
    return std::move(proof).value();
}

Status verify_node(const Catalog& catalog, rollup::StatementKind kind, const Digest& statement,
                   const NodeProof& proof) {
    if (proof.node_kind >= node_kinds().size() || node_kinds()[proof.node_kind].says != kind) {
        return Error{Errc::wrong_key, "kind of the node"};
    }
    const Digest exposed = exposed_digest(kind, catalog.keys().digest(), statement);
    const VerifyingKey key = catalog.verifying_key(proof.node_kind);
    return verify(*catalog.shape_of(proof.node_kind).circuit, proof.proof, digest_statement(exposed),
                  catalog.security_bits(), &key);
}

}  // namespace quarry::recursion
