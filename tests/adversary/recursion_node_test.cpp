// A real batch, from operations to a bundle: segments and data proofs verified by nodes, nodes by nodes, and what each
// says against the native algebra of statements.

#include "quarry/circuits/data/data.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/recursion/catalog.hpp"
#include "quarry/rollup/effects.hpp"
#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary {
namespace {

using namespace recursion;
using rollup::StatementKind;

std::size_t kind_named(const std::string& name) {
    for (std::size_t i = 0; i < node_kinds().size(); ++i) {
        if (node_kinds()[i].name == name) return i;
    }
    ADD_FAILURE() << name;
    return 0;
}

const Catalog& catalog() {
    static const Catalog c;
    return c;
}

struct ProvenSegment {
    rollup::SegmentStatement statement;
    Proof proof;
};
ProvenSegment prove_segment(Claim& claim, std::size_t first, std::size_t last) {
    claim.restrict(first, last);
    const auto& timeline = claim.make_timeline();
    const Heights& heights = segment_profiles()[0].heights;
    const auto rows = circuits::make_segment_rows(timeline, claim.signatures(), &heights);
    EXPECT_EQ(rows.heights, heights);
    const Statement input = circuits::segment_public_input(timeline.statement);
    return {timeline.statement, prove(circuits::segment_circuit(), circuits::make_segment_trace(rows).value(), input)};
}

struct ProvenData {
    rollup::DataStatement statement;
    Proof proof;
};
ProvenData prove_run(rollup::DataForm form, const Digest& before, std::span<const std::uint8_t> words,
                     const rollup::L1Address& payee) {
    const rollup::Bytes32 l1_hash = keccak256(words);
    const auto point = rollup::make_data_statement(form, before, words, l1_hash, payee, 9);
    const auto rows = circuits::make_data_rows(point, 9, words, &data_heights());
    EXPECT_EQ(rows.value().heights, data_heights());
    return {point, prove(circuits::data_circuit(), circuits::make_data_trace(rows.value()),
                         circuits::data_public_input(point))};
}

LeafShape segment_leaf() { return {&circuits::segment_circuit(), segment_profiles()[0].heights}; }
LeafShape data_leaf() { return {&circuits::data_circuit(), data_heights()}; }

TEST(RecursionNode, ABatchBecomesABundleSlow) {
    RealRollup rollup;
    Claim claim(rollup, every_operation(rollup));
    const std::size_t steps = claim.batch.steps.size();
    const rollup::Header header = claim.batch.header;
    const ProvenSegment first = prove_segment(claim, 0, steps / 2);
    const ProvenSegment second = prove_segment(claim, steps / 2, steps);
    ASSERT_TRUE(circuits::verify_segment(first.statement, first.proof).ok());
    const rollup::L1Address payee = first.statement.payee;
    const ProvenData data = prove_run(rollup::DataForm::blob, rollup::header_hash(header), claim.batch.data, payee);
    ASSERT_TRUE(circuits::verify_data(data.statement, data.proof).ok());
    std::vector<std::uint8_t> effect_words;
    for (const rollup::Effect& e : claim.batch.effects) rollup::encode(e, effect_words);
    const ProvenData effects = prove_run(rollup::DataForm::horner, rollup::effects_start().digest, effect_words, payee);

    // What they say together, natively.
    const rollup::JoinPoint start{first.statement.before, rollup::binding_start(first.statement.header),
                                  rollup::binding_start(rollup::effects_start().digest)};
    const auto part1 = rollup::lift(first.statement, start.data, start.effects).value();
    const auto part2 = rollup::lift(rollup::data_run(data.statement), rollup::DataRole::data, payee,
                                    data.statement.work, part1.domain, part1.header, part1.after)
                           .value();
    const auto left = rollup::merge(part1, part2).value();
    const auto right = rollup::lift(second.statement, left.after.data, left.after.effects).value();
    const auto both = rollup::merge(left, right).value();
    const auto last = rollup::lift(rollup::data_run(effects.statement), rollup::DataRole::effects, payee,
                                   effects.statement.work, part1.domain, part1.header, both.after)
                          .value();
    const auto whole = rollup::merge(both, last).value();
    const auto batch = rollup::close(whole, header).value();

    const auto prove_as = [](const std::string& name, CircuitRows rows, const Digest& statement) {
        return prove_node(catalog(), kind_named(name), rows, statement);
    };
    const auto checked = [](StatementKind kind, const Digest& statement, NodeProof proof) {
        EXPECT_TRUE(verify_node(catalog(), kind, statement, proof).ok());
        EXPECT_FALSE(verify_node(catalog(), kind, Digest{}, proof).ok());
        return proof;
    };
    const Digest keys = catalog().keys().digest();

    NodeBuilder a(keys);
    a.segment(segment_leaf(), first.statement, first.proof, start);
    a.data(data_leaf(), rollup::DataRole::data, data.statement, data.proof, {}, {}, {});
    const NodeProof left_proof = checked(StatementKind::join, digest(left),
                                         prove_as("segment 512 + data", std::move(a).finish_join(), digest(left)));
    NodeBuilder b(keys);
    b.segment(segment_leaf(), second.statement, second.proof, right.before);
    const NodeProof right_proof =
        checked(StatementKind::join, digest(right), prove_as("segment 512", std::move(b).finish_join(), digest(right)));
    NodeBuilder c(keys);
    c.data(data_leaf(), rollup::DataRole::effects, effects.statement, effects.proof, last.domain, last.header,
           last.before);
    const NodeProof last_proof =
        checked(StatementKind::join, digest(last), prove_as("effects", std::move(c).finish_join(), digest(last)));
    const auto join = [&](const rollup::JoinStatement& l, const NodeProof& lp, const rollup::JoinStatement& r,
                          const NodeProof& rp) {
        NodeBuilder n(keys);
        n.join(catalog().node_shape(), l, lp.proof, catalog().child_key(lp.node_kind));
        n.join(catalog().node_shape(), r, rp.proof, catalog().child_key(rp.node_kind));
        const auto merged = rollup::merge(l, r).value();
        return checked(StatementKind::join, digest(merged),
                       prove_as("join", std::move(n).finish_join(), digest(merged)));
    };
    const NodeProof both_proof = join(left, left_proof, right, right_proof);
    const NodeProof whole_proof = join(both, both_proof, last, last_proof);

    NodeBuilder d(keys);
    d.join(catalog().node_shape(), whole, whole_proof.proof, catalog().child_key(whole_proof.node_kind));
    d.close(header);
    const auto bundle = rollup::bundle_of(batch);
    const NodeProof bundle_proof =
        checked(StatementKind::bundle, digest(bundle), prove_as("batch", std::move(d).finish_bundle(), digest(bundle)));

    NodeBuilder e(keys);
    e.bundle(catalog().node_shape(), bundle, bundle_proof.proof, catalog().child_key(bundle_proof.node_kind));
    e.bundle(catalog().node_shape(), bundle, bundle_proof.proof, catalog().child_key(bundle_proof.node_kind));
    const auto two = rollup::merge(bundle, bundle).value();
    checked(StatementKind::bundle, digest(two), prove_as("bundle", std::move(e).finish_bundle(), digest(two)));

    // A join under a key for bundles, or a segment's node offered as another kind, proves nothing.
    EXPECT_FALSE(verify_node(catalog(), StatementKind::bundle, digest(whole), whole_proof).ok());
    NodeProof other = whole_proof;
    other.node_kind = kind_named("segment 512");
    EXPECT_FALSE(verify_node(catalog(), StatementKind::join, digest(whole), other).ok());
}

}  // namespace
}  // namespace quarry::adversary
