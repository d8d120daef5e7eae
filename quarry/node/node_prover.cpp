#include "quarry/node/node_prover.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/circuits/data/data.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/node/batch_work.hpp"
#include "quarry/node/data_proof.hpp"
#include "quarry/proof/wire.hpp"
#include "quarry/rollup/effects.hpp"

namespace quarry::node {
namespace {

using recursion::ChildKind;
using recursion::NodeBuilder;
using rollup::JoinPoint;
using rollup::JoinStatement;

Problem bad_child(const std::string& why) {
    return {Problem::Kind::bad_input, "bad_child", "a proof below the node " + why,
            "delete what made it and give the same command again"};
}
Problem join_refused(rollup::RejectCode code) {
    return {Problem::Kind::refused, rollup::reject_name(code),
            fmt::format("the proofs below the node do not say this together: {}", rollup::reject_text(code)),
            "start again in a new folder"};
}

/// Builds the node's circuit and, beside it, what its children say by the native rules.
class NodeMaker {
  public:
    NodeMaker(const recursion::Catalog& catalog, const NodeStatement& statement)
        : catalog_(catalog), said_(statement), node_(catalog.keys().digest()) {}

    Outcome<Done> add(const recursion::NodeKind::Child& child, std::span<const std::uint8_t> bytes) {
        const bool is_of_batch = child.kind != ChildKind::bundle;
        if (is_of_batch && std::holds_alternative<BundleContent>(said_) && item() == nullptr) {
            return join_refused(rollup::RejectCode::bundle_mismatch);
        }
        QUARRY_PASS_ON(add_child(child, bytes));
        if (!child.closes) return Done{};
        const rollup::TerminalItem& item = *this->item();
        const auto batch = rollup::close(*part_, item.header);
        if (!batch) return join_refused(batch.code());
        node_.close(item.header);
        bundles_.push_back(rollup::bundle_of(batch.value()));
        part_.reset();
        return Done{};
    }
    Outcome<Done> widen() {
        rollup::BundleStatement& bundle = bundles_.front();
        const auto wide = rollup::widen(bundle, bundle.depth + 1);
        if (!wide) return join_refused(wide.code());
        node_.widen();
        bundle = wide.value();
        return Done{};
    }
    /// The rows, if the children say the statement.
    Outcome<recursion::CircuitRows> finish() && {
        const bool is_join = std::holds_alternative<JoinStatement>(said_);
        while (bundles_.size() > 1) {
            for (std::size_t i = 0; i < bundles_.size() / 2; ++i) {
                const auto merged = rollup::merge(bundles_[2 * i], bundles_[2 * i + 1]);
                if (!merged) return join_refused(merged.code());
                bundles_[i] = merged.value();
            }
            bundles_.resize(bundles_.size() / 2);
        }
        if ((is_join ? digest(*part_) : digest(bundles_.front())) != digest_of(said_)) {
            return join_refused(is_join ? rollup::RejectCode::state_gap : rollup::RejectCode::bundle_mismatch);
        }
        return is_join ? std::move(node_).finish_join() : std::move(node_).finish_bundle();
    }

  private:
    Outcome<Done> add_child(const recursion::NodeKind::Child& child, std::span<const std::uint8_t> bytes) {
        switch (child.kind) {
            case ChildKind::segment:
                return add_segment(bytes, recursion::segment_profiles()[child.profile]);
            case ChildKind::data:
                return add_data(bytes, rollup::DataRole::data);
            case ChildKind::effects:
                return add_data(bytes, rollup::DataRole::effects);
            case ChildKind::join:
                return add_join(bytes, catalog_.node_shape(child.size));
            case ChildKind::bundle:
                return add_bundle(bytes, catalog_.node_shape(child.size));
        }
        return bad_child("is of no kind");
    }

    /// The batch whose parts come next, of a node that closes batches. Null: there are no more of them.
    [[nodiscard]] const rollup::TerminalItem* item() const {
        const auto& items = std::get<BundleContent>(said_).items;
        return bundles_.size() < items.size() ? &items[bundles_.size()] : nullptr;
    }
    /// Where the next part begins: behind the last one, or where the statement says.
    [[nodiscard]] JoinPoint start() const {
        if (part_) return part_->after;
        if (const auto* join = std::get_if<JoinStatement>(&said_)) return join->before;
        const rollup::BatchStatement& batch = item()->batch;
        return {rollup::batch_start(batch.before, batch.header), rollup::binding_start(batch.header),
                rollup::binding_start(rollup::effects_start().digest)};
    }
    [[nodiscard]] Digest domain() const {
        if (const auto* join = std::get_if<JoinStatement>(&said_)) return join->domain;
        return item()->batch.domain;
    }
    [[nodiscard]] Digest header() const {
        if (const auto* join = std::get_if<JoinStatement>(&said_)) return join->header;
        return item()->batch.header;
    }
    Outcome<Done> append(const rollup::Checked<JoinStatement>& part) {
        if (!part) return join_refused(part.code());
        const auto merged = part_ ? rollup::merge(*part_, part.value()) : part;
        if (!merged) return join_refused(merged.code());
        part_ = merged.value();
        return Done{};
    }

    Outcome<Done> add_segment(std::span<const std::uint8_t> bytes, const recursion::SegmentProfile& profile) {
        const auto segment = parse_segment_proof(bytes);
        if (!segment) return bad_child("is no segment's");
        const recursion::LeafShape leaf = recursion::segment_leaf(profile, catalog_.security_bits());
        const auto proof =
            circuits::decode_segment_proof(segment->proof, circuits::segment_public_input(segment->statement));
        if (!fits(proof, leaf.heights)) return bad_child("is no segment's of the node's profile");
        const JoinPoint from = start();
        QUARRY_PASS_ON(append(rollup::lift(segment->statement, from.data, from.effects)));
        node_.segment(leaf, segment->statement, proof.value(), from);
        return Done{};
    }
    Outcome<Done> add_data(std::span<const std::uint8_t> bytes, rollup::DataRole role) {
        const auto data = parse_data_proof(bytes);
        if (!data) return bad_child("is none of data");
        const recursion::LeafShape leaf{&circuits::data_circuit(), recursion::data_heights(), catalog_.security_bits(),
                                        nullptr};
        const auto proof = decode_proof(*leaf.circuit, data->proof, circuits::data_public_input(data->statement));
        if (!fits(proof, leaf.heights)) return bad_child("is none of data that a node verifies");
        const JoinPoint from = start();
        QUARRY_PASS_ON(append(rollup::lift(rollup::data_run(data->statement), role, data->statement.payee,
                                           data->statement.work, domain(), header(), from)));
        node_.data(leaf, role, data->statement, proof.value(), domain(), header(), from);
        return Done{};
    }
    Outcome<Done> add_join(std::span<const std::uint8_t> bytes, const recursion::NodeShape& shape) {
        const auto file = parse_node_proof(bytes);
        if (!file) return file.error();
        const auto* join = std::get_if<JoinStatement>(&file.value().statement);
        const auto proof = decode(catalog_, file.value());
        if (join == nullptr || !is_of(shape, file.value(), proof)) return bad_child("is no node's of a part");
        QUARRY_PASS_ON(append(*join));
        node_.join(shape, *join, proof.value(), catalog_.child_key(file.value().node_kind));
        return Done{};
    }
    Outcome<Done> add_bundle(std::span<const std::uint8_t> bytes, const recursion::NodeShape& shape) {
        const auto file = parse_node_proof(bytes);
        if (!file) return file.error();
        const auto* content = std::get_if<BundleContent>(&file.value().statement);
        const auto proof = decode(catalog_, file.value());
        if (content == nullptr || !is_of(shape, file.value(), proof)) return bad_child("is no bundle's");
        const rollup::BundleStatement bundle = content->statement();
        // The circuit takes halves of one depth.
        if (!bundles_.empty() && bundle.depth != bundles_.front().depth) {
            return join_refused(rollup::RejectCode::bundle_shape);
        }
        bundles_.push_back(bundle);
        node_.bundle(shape, bundle, proof.value(), catalog_.child_key(file.value().node_kind));
        return Done{};
    }
    [[nodiscard]] bool fits(const Result<Proof>& proof, const Heights& heights) const {
        return proof && proof.value().heights == heights && proof.value().security_bits == catalog_.security_bits();
    }
    [[nodiscard]] bool is_of(const recursion::NodeShape& shape, const NodeProofFile& file,
                             const Result<Proof>& proof) const {
        return proof && catalog_.shape_of(file.node_kind).size == shape.size && fits(proof, shape.heights);
    }

    const recursion::Catalog& catalog_;
    const NodeStatement& said_;
    NodeBuilder node_;
    std::optional<JoinStatement> part_;
    std::vector<rollup::BundleStatement> bundles_;  ///< below the node, or of batches that it closes
};

}  // namespace

Outcome<NodeProofFile> prove_node_of(const recursion::Catalog& catalog, std::size_t node_kind,
                                     const NodeStatement& statement,
                                     std::span<const std::vector<std::uint8_t>> children,
                                     const std::function<void(const char*)>& on_phase) {
    const recursion::NodeKind& kind = recursion::node_kinds()[node_kind];
    if (kind.says != kind_of(statement) || kind.children.size() != children.size()) {
        return bad_child("is missing, or one too many, or it says something of another kind");
    }
    if (on_phase) on_phase("execute");
    NodeMaker maker(catalog, statement);
    for (std::size_t i = 0; i < children.size(); ++i) QUARRY_PASS_ON(maker.add(kind.children[i], children[i]));
    if (kind.widens) QUARRY_PASS_ON(maker.widen());
    auto rows = std::move(maker).finish();
    if (!rows) return rows.error();
    if (on_phase) on_phase("trace");
    const Digest said = digest_of(statement);
    const auto node = recursion::try_prove_node(catalog, node_kind, rows.value(), said);
    if (!node) return stale_keys();
    if (on_phase) on_phase("encode");
    const Digest keys = catalog.keys().digest();
    const VerifyingKey key = catalog.verifying_key(node_kind);
    return NodeProofFile{
        node_kind, keys, statement,
        encode_proof(*catalog.shape_of(node_kind).circuit, node.value().proof,
                     recursion::digest_statement(recursion::exposed_digest(kind.says, keys, said)), &key)};
}

}  // namespace quarry::node
