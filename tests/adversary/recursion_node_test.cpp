// A real batch, from operations to a bundle: segments and data proofs verified by nodes, nodes by nodes, and what each
// says against the native algebra of statements.

#include "quarry/recursion/wrap.hpp"
#include "tests/adversary/recursion_world.hpp"

namespace quarry::adversary::recursion_node_test {
namespace {

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
    ASSERT_TRUE(circuits::verify_data(effects.statement, effects.proof).ok());

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

    const auto prove_as = [](const std::string& name, const CircuitRows& rows, const Digest& statement) {
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

/// Two halves of a batch, proven for the usual payee, and what else a test asks for.
class RecursionNodeLies : public ::testing::Test {
  protected:
    ProvenSegment half(bool second, const rollup::L1Address& payee) {
        claim_.payee = payee;
        const std::size_t steps = claim_.batch.steps.size();
        return second ? prove_segment(claim_, steps / 2, steps) : prove_segment(claim_, 0, steps / 2);
    }
    static CircuitRows joined(const std::vector<const ProvenSegment*>& parts) {
        NodeBuilder node{Digest{}};
        for (const ProvenSegment* s : parts) node.segment(segment_leaf(), s->statement, s->proof, start_of(*s));
        return std::move(node).finish_join();
    }

    RealRollup rollup_;
    Claim claim_{rollup_, every_operation(rollup_)};
};

// "children out of order, overlapping, with a gap; the same child twice; payee differs between leaves; a leaf without a
// payee"
TEST_F(RecursionNodeLies, PartsThatAreNotOneSlow) {
    const ProvenSegment first = half(false, claim_.payee);
    const ProvenSegment second = half(true, claim_.payee);
    EXPECT_EQ(complaint(joined({&first, &second})), "");
    EXPECT_NE(complaint(joined({&second, &first})), "");
    EXPECT_NE(complaint(joined({&first, &first})), "");
    const ProvenSegment thief = half(true, rollup_.address(36));
    ASSERT_TRUE(circuits::verify_segment(thief.statement, thief.proof).ok());
    EXPECT_NE(complaint(joined({&first, &thief})), "");

    // A proof that all but the rule about payees accepts: one comparison fails, at both ends.
    const ProvenSegment nobody = half(false, {});
    const Statement input = circuits::segment_public_input(nobody.statement);
    ASSERT_TRUE(verify(circuits::segment_circuit(), nobody.proof, input, 100, segment_leaf().key).ok());
    const std::string of_nobody = complaint(joined({&nobody}));
    EXPECT_NE(of_nobody, "");
    EXPECT_LE(tuples(of_nobody), 2U) << of_nobody;

    // "segments that stop before the batch's end": a part is no batch.
    NodeBuilder node{Digest{}};
    node.segment(segment_leaf(), first.statement, first.proof, start_of(first));
    node.close(claim_.batch.header);
    EXPECT_NE(complaint(std::move(node).finish_bundle()), "");
}

// "a child proof of another rollup, with a gap, overlapping; root of one with data of another"; and work that was not
// done, or was done by another
TEST_F(RecursionNodeLies, PartsOfOtherBatchesSlow) {
    const std::size_t steps = claim_.batch.steps.size();
    const ProvenSegment first = half(false, claim_.payee);
    const ProvenSegment gap = prove_segment(claim_, steps / 2 + 1, steps);
    EXPECT_NE(complaint(joined({&first, &gap})), "");
    const ProvenSegment overlap = prove_segment(claim_, steps / 2 - 1, steps);
    EXPECT_NE(complaint(joined({&first, &overlap})), "");

    // The same deposits (which nobody signs) to a rollup that differs in its minimum fee: only the domain is another
    // one.
    const auto half_of_deposits = [](const Amount& min_fee, bool second) {
        RealRollup rollup(usual_slots(), min_fee);
        const rollup::DepositEntry entry{rollup.owner(3), rollup.address(31), 2, Amount(40), 3};
        Claim claim(rollup, RealBatch(rollup).deposit(entry).deposit(entry).seal());
        return second ? prove_segment(claim, 1, 2) : prove_segment(claim, 0, 1);
    };
    const ProvenSegment deposit = half_of_deposits(Amount(10), false);
    const ProvenSegment foreign = half_of_deposits(Amount(9), true);
    ASSERT_TRUE(circuits::verify_segment(foreign.statement, foreign.proof).ok());
    ASSERT_EQ(foreign.statement.header, deposit.statement.header);
    ASSERT_TRUE(foreign.statement.before == deposit.statement.after);
    EXPECT_NE(complaint(joined({&deposit, &foreign})), "");

    ProvenSegment changed = first;
    changed.statement.work.root[3] += KoalaBear(1);
    EXPECT_NE(complaint(joined({&changed})), "");
    changed = first;
    changed.statement.work = rollup::leaf_work(77, first.statement.work.units);
    EXPECT_NE(complaint(joined({&changed})), "");

    // A true data proof whose words are another batch's.
    rollup::Header another = claim_.batch.header;
    another.post_root[0] += KoalaBear(1);
    const ProvenData data =
        prove_run(rollup::DataForm::blob, rollup::header_hash(another), claim_.batch.data, claim_.payee);
    NodeBuilder node{Digest{}};
    node.segment(segment_leaf(), first.statement, first.proof, start_of(first));
    node.data(data_leaf(), rollup::DataRole::data, data.statement, data.proof, {}, {}, {});
    EXPECT_NE(complaint(std::move(node).finish_join()), "");
}

// "a child proof of another circuit; one digest commits to the table of all circuit keys"
TEST_F(RecursionNodeLies, KeysThatTheTableDoesNotHaveSlow) {
    const ProvenSegment first = half(false, claim_.payee);
    const rollup::JoinStatement part =
        rollup::lift(first.statement, start_of(first).data, start_of(first).effects).value();
    NodeBuilder lifted(catalog().keys().digest());
    lifted.segment(segment_leaf(), first.statement, first.proof, start_of(first));
    const std::size_t kind = kind_named("segment 512");
    const NodeProof proof = prove_node(catalog(), kind, std::move(lifted).finish_join(), digest(part));
    const auto parent = [&](const Digest& keys, const ChildKey& key) {
        NodeBuilder node(keys);
        node.join(catalog().node_shape(), part, proof.proof, key);
        return complaint(std::move(node).finish_join());
    };
    const Digest keys = catalog().keys().digest();
    EXPECT_EQ(parent(keys, catalog().child_key(kind)), "");
    // Another entry of its kind, an entry of another kind, its own root at another place, another table.
    EXPECT_NE(parent(keys, catalog().child_key(kind_named("effects"))), "");
    EXPECT_NE(parent(keys, catalog().child_key(kind_named("batch"))), "");
    ChildKey moved = catalog().child_key(kind);
    moved.entry ^= 1;
    const std::string of_moved = parent(keys, moved);
    EXPECT_NE(of_moved, "");
    EXPECT_LE(tuples(of_moved), 2U) << of_moved;
    std::vector<KeyEntry> entries = catalog().keys().entries();
    entries.back().preprocessed_root[0] += KoalaBear(1);
    const KeyTable foreign(entries);
    ChildKey there = catalog().child_key(kind);
    there.path = foreign.path(kind);
    EXPECT_NE(parent(foreign.digest(), there), "");
}

// "a child proof of another circuit": the same root, which the table has for nodes of the other size. A prover without
// scruples makes the child under that table, so that nothing but the table's leaf is wrong.
TEST_F(RecursionNodeLies, ARootForNodesOfTheOtherSizeSlow) {
    const ProvenSegment first = half(false, claim_.payee);
    const rollup::JoinStatement part =
        rollup::lift(first.statement, start_of(first).data, start_of(first).effects).value();
    const std::size_t kind = kind_named("segment 512");
    std::vector<KeyEntry> entries = catalog().keys().entries();
    const auto parent = [&](NodeSize size) {
        entries[kind].size = size;
        const KeyTable table(entries);
        NodeBuilder lifted(table.digest());
        lifted.segment(segment_leaf(), first.statement, first.proof, start_of(first));
        const NodeShape& shape = catalog().node_shape();
        const Trace trace = lay_out_witness(*shape.circuit, catalog().shape_heights(), std::move(lifted).finish_join());
        ProveOptions options;
        options.key = &catalog().proving_key(kind);
        const Digest exposed = exposed_digest(StatementKind::join, table.digest(), digest(part));
        const Proof proof = prove(*shape.circuit, trace, digest_statement(exposed), options);
        NodeBuilder node(table.digest());
        node.join(shape, part, proof, {entries[kind].preprocessed_root, kind, table.path(kind)});
        return complaint(std::move(node).finish_join());
    };
    EXPECT_EQ(parent(NodeSize::narrow), "");
    const std::string of_wide = parent(NodeSize::wide);
    EXPECT_NE(of_wide, "");
    EXPECT_LE(tuples(of_wide), 2U) << of_wide;
}

// "units or miner tag not computed in the circuit": units alone, and the root of work alone, in a statement that is
// true in all else. The prover of the leaf claims it too: its proof fails in the balance of the buses alone.
TEST_F(RecursionNodeLies, UnitsAloneSlow) {
    const auto claimed = [](auto statement, bool units) {
        if (units) statement.work.units += 1;
        if (!units) statement.work.root = rollup::leaf_work(77, statement.work.units).root;
        return statement;
    };
    const std::size_t steps = claim_.batch.steps.size();
    const SegmentWitness segment = make_segment(claim_, 0, steps);
    const DataWitness run = make_run(rollup::DataForm::blob, segment.statement.header, claim_.batch.data, claim_.payee);
    for (const bool units : {true, false}) {
        const ProvenSegment lying = prove_claim(claimed(segment.statement, units), segment.trace);
        EXPECT_FALSE(circuits::verify_segment(lying.statement, lying.proof).ok());
        const std::string of_segment = complaint(joined({&lying}));
        EXPECT_NE(of_segment, "");
        EXPECT_LE(tuples(of_segment), units ? 4U : 2U) << of_segment;

        const ProvenData lying_run = prove_claim(claimed(run.statement, units), run.trace);
        EXPECT_FALSE(circuits::verify_data(lying_run.statement, lying_run.proof).ok());
        NodeBuilder node{Digest{}};
        node.data(data_leaf(), rollup::DataRole::data, lying_run.statement, lying_run.proof, segment.statement.domain,
                  segment.statement.header, start_of(lying));
        const std::string of_run = complaint(std::move(node).finish_join());
        EXPECT_NE(of_run, "");
        if (!units) {
            EXPECT_LE(tuples(of_run), 2U) << of_run;
        }
    }
}

/// A batch of one segment and one blob, with a proof of each layer.
class RecursionLayers : public ::testing::Test {
  protected:
    static rollup::ExecutedBatch transfers(RealRollup& rollup) {
        return RealBatch(rollup)
            .add(rollup::Transfer{auth(2, 3), 4, Amount(100)})
            .add(rollup::Transfer{auth(4, 2), 2, Amount(7)})
            .seal();
    }
    [[nodiscard]] NodeProof prove_kind(const char* name, const CircuitRows& rows, const Digest& statement) const {
        return prove_node(catalog(), kind_named(name), rows, statement);
    }
    /// Whether a parent accepts it as a part of a batch.
    static bool as_join(const rollup::JoinStatement& part, const Proof& proof, const char* kind) {
        NodeBuilder node(catalog().keys().digest());
        node.join(catalog().node_shape(), part, proof, catalog().child_key(kind_named(kind)));
        return is_accepted(std::move(node).finish_join());
    }
    /// As the bundle whose statement has this digest: at the wrap, where it is the prover's choice.
    static bool as_bundle(const Digest& statement, const Proof& proof, const char* kind) {
        return is_accepted(wrap_rows(catalog().node_shape(), catalog().keys().digest(), statement, proof,
                                     catalog().child_key(kind_named(kind))));
    }

    RealRollup rollup_;
    Claim claim_{rollup_, transfers(rollup_)};
};

// "children out of order; root of one with data of another", within a node: one that closes several batches says which
// and in which order, and lends none of them a leaf or a header of another.
TEST_F(RecursionLayers, LeavesAndHeadersOfTheOtherBatchesSlow) {
    RealRollup other_rollup;
    Claim other(other_rollup, RealBatch(other_rollup).add(rollup::Transfer{auth(4, 3), 2, Amount(5)}).seal());
    struct Leaves {
        rollup::Header header;
        ProvenSegment segment;
        ProvenData data;
    };
    const auto leaves_of = [](Claim& claim) {
        ProvenSegment segment = prove_segment(claim, 0, claim.batch.steps.size());
        ProvenData data = prove_run(rollup::DataForm::blob, segment.statement.header, claim.batch.data, claim.payee);
        return Leaves{claim.batch.header, std::move(segment), std::move(data)};
    };
    const Leaves a = leaves_of(claim_);
    const Leaves b = leaves_of(other);
    ASSERT_NE(a.segment.statement.header, b.segment.statement.header);

    struct Parts {
        const Leaves *segment, *data, *header;
    };
    const auto rows_of = [](std::initializer_list<Parts> batches) {
        NodeBuilder node(catalog().keys().digest());
        for (const Parts& p : batches) {
            node.segment(segment_leaf(), p.segment->segment.statement, p.segment->segment.proof,
                         start_of(p.segment->segment));
            node.data(data_leaf(), rollup::DataRole::data, p.data->data.statement, p.data->data.proof, {}, {}, {});
            node.close(p.header->header);
        }
        return std::move(node).finish_bundle();
    };
    const auto bundle_of = [](const Leaves& leaves) {
        const rollup::JoinPoint start = start_of(leaves.segment);
        const auto part = rollup::lift(leaves.segment.statement, start.data, start.effects).value();
        const auto run = rollup::lift(rollup::data_run(leaves.data.statement), rollup::DataRole::data,
                                      leaves.segment.statement.payee, leaves.data.statement.work, part.domain,
                                      part.header, part.after)
                             .value();
        return rollup::bundle_of(rollup::close(rollup::merge(part, run).value(), leaves.header).value());
    };
    const auto says = [](const rollup::BundleStatement& statement) {
        return exposed_digest(StatementKind::bundle, catalog().keys().digest(), digest(statement));
    };
    const Parts of_a{&a, &a, &a};
    const Parts of_b{&b, &b, &b};
    const auto ab = rollup::merge(bundle_of(a), bundle_of(b)).value();
    const auto ba = rollup::merge(bundle_of(b), bundle_of(a)).value();
    const CircuitRows in_order = rows_of({of_a, of_b});
    EXPECT_EQ(complaint(in_order), "");
    EXPECT_EQ(exposed_by(in_order), says(ab));
    EXPECT_EQ(exposed_by(rows_of({of_b, of_a})), says(ba));
    const CircuitRows four = rows_of({of_a, of_b, of_b, of_a});
    EXPECT_TRUE(is_accepted(four));
    EXPECT_EQ(exposed_by(four), says(rollup::merge(ab, ba).value()));

    // Somebody else's data, header, both, and both batches closed under the header of the first.
    EXPECT_FALSE(is_accepted(rows_of({of_a, {&b, &a, &b}})));
    EXPECT_FALSE(is_accepted(rows_of({of_a, {&b, &b, &a}})));
    EXPECT_FALSE(is_accepted(rows_of({{&a, &b, &b}, of_b})));
    EXPECT_FALSE(is_accepted(rows_of({{&a, &a, &b}, {&b, &b, &a}})));
}

// "A child proof of .. another version": a batch whose header selects the keys of another one. Its leaves know the
// header's hash alone, and are accepted.
TEST_F(RecursionLayers, HeadersOfAnotherVersionSlow) {
    claim_.batch.header.version = rollup::kProtocolVersion + 1;
    const ProvenSegment segment = prove_segment(claim_, 0, claim_.batch.steps.size());
    const ProvenData data =
        prove_run(rollup::DataForm::blob, segment.statement.header, claim_.batch.data, claim_.payee);
    EXPECT_TRUE(circuits::verify_segment(segment.statement, segment.proof).ok());
    EXPECT_TRUE(circuits::verify_data(data.statement, data.proof).ok());
    const std::string found = [&] {
        NodeBuilder node(Digest{});
        node.segment(segment_leaf(), segment.statement, segment.proof, start_of(segment));
        node.data(data_leaf(), rollup::DataRole::data, data.statement, data.proof, {}, {}, {});
        node.close(claim_.batch.header);
        return complaint(std::move(node).finish_bundle());
    }();
    EXPECT_NE(found, "");
    EXPECT_LE(tuples(found), 2U) << found;

    const rollup::JoinPoint start = start_of(segment);
    const auto part = rollup::lift(segment.statement, start.data, start.effects).value();
    const auto run = rollup::lift(rollup::data_run(data.statement), rollup::DataRole::data, claim_.payee,
                                  data.statement.work, part.domain, part.header, part.after)
                         .value();
    EXPECT_EQ(rollup::close(rollup::merge(part, run).value(), claim_.batch.header).code(),
              rollup::RejectCode::unsupported_version);
}

// "A child proof of .. another layer": a data proof's node as a segment's, a join's as a bundle's and the other way
// round, leaves as nodes and nodes as leaves.
TEST_F(RecursionLayers, ProofsOfAnotherLayerSlow) {
    const ProvenSegment segment = prove_segment(claim_, 0, claim_.batch.steps.size());
    const ProvenData data =
        prove_run(rollup::DataForm::blob, segment.statement.header, claim_.batch.data, claim_.payee);
    const rollup::JoinPoint start = start_of(segment);
    const auto part = rollup::lift(segment.statement, start.data, start.effects).value();
    const auto run = rollup::lift(rollup::data_run(data.statement), rollup::DataRole::data, claim_.payee,
                                  data.statement.work, part.domain, part.header, part.after)
                         .value();
    const auto whole = rollup::merge(part, run).value();
    const auto bundle = rollup::bundle_of(rollup::close(whole, claim_.batch.header).value());
    const Digest keys = catalog().keys().digest();
    NodeBuilder of_segment(keys);
    NodeBuilder of_data(keys);
    NodeBuilder of_both(keys);
    of_segment.segment(segment_leaf(), segment.statement, segment.proof, start);
    of_data.data(data_leaf(), rollup::DataRole::data, data.statement, data.proof, part.domain, part.header, part.after);
    of_both.segment(segment_leaf(), segment.statement, segment.proof, start);
    of_both.data(data_leaf(), rollup::DataRole::data, data.statement, data.proof, {}, {}, {});
    of_both.close(claim_.batch.header);
    const NodeProof segment_node = prove_kind("segment 512", std::move(of_segment).finish_join(), digest(part));
    const NodeProof data_node = prove_kind("data", std::move(of_data).finish_join(), digest(run));
    const NodeProof batch_node = prove_kind("batch 512", std::move(of_both).finish_bundle(), digest(bundle));

    // As what they are.
    EXPECT_TRUE(as_join(part, segment_node.proof, "segment 512"));
    EXPECT_TRUE(as_join(run, data_node.proof, "data"));
    EXPECT_TRUE(as_bundle(digest(bundle), batch_node.proof, "batch 512"));
    // As another layer of the same shape, under their own key and under one of that layer.
    EXPECT_FALSE(as_join(run, data_node.proof, "segment 512"));
    EXPECT_FALSE(as_join(part, segment_node.proof, "data"));
    for (const char* key : {"segment 512", "batch 512"}) {
        EXPECT_FALSE(as_bundle(digest(part), segment_node.proof, key)) << key;
        EXPECT_FALSE(as_bundle(digest(bundle), segment_node.proof, key)) << key;
        EXPECT_FALSE(as_join(whole, batch_node.proof, key)) << key;
    }
    const auto refused = [](StatementKind kind, const Digest& statement, const char* node, const Proof& proof) {
        EXPECT_FALSE(verify_node(catalog(), kind, statement, {kind_named(node), proof}).ok()) << node;
    };
    refused(StatementKind::join, digest(run), "segment 512", data_node.proof);
    refused(StatementKind::join, digest(part), "data", segment_node.proof);
    for (const char* node : {"segment 512", "batch 512"}) {
        refused(StatementKind::bundle, digest(part), node, segment_node.proof);
        refused(StatementKind::join, digest(bundle), node, batch_node.proof);
    }

    // Of another shape: no circuit has room for it. Also under the heights of what is expected.
    const auto code = [](const Status& s) { return s.ok() ? Errc{} : s.error().code; };
    for (const Proof* leaf : {&segment.proof, &data.proof}) {
        Proof proof = *leaf;
        EXPECT_EQ(code(verify_node(catalog(), StatementKind::join, digest(part), {segment_node.node_kind, proof})),
                  Errc::bad_shape);
        proof.heights = catalog().node_shape().heights;
        EXPECT_EQ(code(verify_node(catalog(), StatementKind::join, digest(part), {segment_node.node_kind, proof})),
                  Errc::bad_length);
    }
    for (const Proof* other : {&data.proof, &segment_node.proof}) {
        Proof proof = *other;
        EXPECT_EQ(code(circuits::verify_segment(segment.statement, proof)), Errc::bad_shape);
        proof.heights = segment.proof.heights;
        EXPECT_EQ(code(circuits::verify_segment(segment.statement, proof)), Errc::bad_length);
    }
    for (const Proof* other : {&segment.proof, &data_node.proof}) {
        Proof proof = *other;
        EXPECT_EQ(code(circuits::verify_data(data.statement, proof)), Errc::bad_shape);
        proof.heights = data.proof.heights;
        EXPECT_EQ(code(circuits::verify_data(data.statement, proof)), Errc::bad_length);
    }
}

}  // namespace
}  // namespace quarry::adversary::recursion_node_test
