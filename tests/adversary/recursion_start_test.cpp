// What a transcript starts from: provers whose version or heights are others than the verifier's, and who are right in
// all else. "A child proof of .. another version"; "one source of truth for the shape: row counts that are hashed are
// the ones that are used [CVE-2026-40323]".
#include "quarry/circuits/segment_key.hpp"
#include "tests/adversary/recursion_child.hpp"
#include "tests/adversary/recursion_verdicts.hpp"
#include "tests/adversary/recursion_world.hpp"

namespace quarry::adversary::recursion_start_test {
namespace {

/// What a proof is of.
struct Subject {
    const Circuit* circuit;
    Heights heights;
    const VerifyingKey* key;
    Statement statement;
};
Subject subject_of(const Child& c) { return {c.circuit.get(), c.trace->heights(), c.verifying_key(), c.statement}; }

/// Elements of the start, by place, that are others.
using Others = std::map<std::size_t, KoalaBear>;

/// Passes the start on to a sponge, with those others.
template <class Sponge, class F>
class OtherwiseTold {
  public:
    OtherwiseTold(Sponge& sponge, const Others& others) : sponge_(sponge), others_(others) {}
    void absorb(const F& x) {
        const auto other = others_.find(place_++);
        sponge_.absorb(other == others_.end() ? x : F(other->second));
    }

  private:
    Sponge& sponge_;
    const Others& others_;
    std::size_t place_ = 0;
};

WhirParameters parameters_of(const Subject& s) {
    return generate_parameters({}, make_stack_layout(*s.circuit, s.heights).value().log_size, 100);
}
Transcript start_with(const Subject& s, const Others& others) {
    Transcript transcript;
    OtherwiseTold<Transcript, KoalaBear> sponge(transcript, others);
    absorb_start(sponge, key_digests(*s.circuit, s.key), s.heights, parameters_of(s), 100, s.statement,
                 [](KoalaBear x) { return x; });
    return transcript;
}

// Where they stand: docs/spec/proof-system.md, section 3.
constexpr std::size_t kVersionPlace = 1;
std::size_t height_place(const Subject& s, std::size_t table) {
    const std::size_t sizes = 2 + kDigestSize + (s.key != nullptr ? kDigestSize : 0);
    return sizes + 4 + 5 * parameters_of(s).rounds.size() + 1 + table;
}

bool accepts(const Verifier& v) { return WireCheck(v.rows, v.exposed).accepts(); }

/// The native verifier with another start.
Status verify_from(const Subject& s, const Proof& proof, const Others& others) {
    NativeBackend backend;
    NativeVerifierChannel channel(start_with(s, others), proof.stream);
    return verify_proof(backend, channel, *s.circuit, s.heights, make_stack_layout(*s.circuit, s.heights).value(),
                        s.statement, proof.openings, parameters_of(s),
                        key_digests(*s.circuit, s.key).preprocessed_root);
}
/// The verifier's circuit with another start. Small constants come first, so that circuits that differ in them alone
/// have the same wires.
Verifier verifier_from(const Subject& s, const Proof& proof, const Others& others) {
    CircuitBuilder b;
    for (std::uint64_t x = 0; x < 128; ++x) (void)b.wire(ExtensionExpr(ExtField(x)));
    const auto wires = on_wires(b, s.statement);
    const auto digest = [&](const Digest& value) {
        const DigestWire wire = b.constant(value);
        std::array<BaseExpr, kDigestSize> elements;
        for (std::size_t k = 0; k < kDigestSize; ++k) elements[k] = BaseExpr(wire, k);
        return elements;
    };
    KeyDigests<BaseExpr> key{digest(s.circuit->digest()), {}};
    if (s.key != nullptr) key.preprocessed_root = digest(s.key->preprocessed_root);
    SpongeWires sponge(b);
    OtherwiseTold<SpongeWires, BaseExpr> told(sponge, others);
    absorb_start(told, key, s.heights, parameters_of(s), 100, wires, [](KoalaBear x) { return BaseExpr(x); });
    CircuitChannel channel(b, sponge, proof.stream);
    const CircuitOpenings openings(b, proof.openings);
    CircuitBackend backend{&b};
    const Status status =
        verify_proof(backend, channel, *s.circuit, s.heights, make_stack_layout(*s.circuit, s.heights).value(), wires,
                     openings, parameters_of(s), key.preprocessed_root);
    QUARRY_CHECK(status.ok());
    const DigestWire exposed = b.chain(b.constant(Digest{}), elements_of(wires));
    b.expose(exposed);
    return {std::move(b).finish(), exposed.value};
}

/// One circuit's preprocessed cells with the witness of another one of the same wires: what a prover does who must use
/// the one and wants to say what the other says.
CircuitRows with_witness(CircuitRows circuit, const CircuitRows& witness) {
    const auto take = [](auto& to, const auto& from) {
        QUARRY_CHECK(to.fixed.size() == from.fixed.size() && to.first == from.first && to.writes == from.writes);
        to.rows = from.rows;
    };
    take(circuit.sponge, witness.sponge);
    take(circuit.tree, witness.tree);
    take(circuit.upper, witness.upper);
    take(circuit.cap, witness.cap);
    take(circuit.sum, witness.sum);
    take(circuit.form, witness.form);
    take(circuit.convolution, witness.convolution);
    take(circuit.base_fold, witness.base_fold);
    take(circuit.extension_fold, witness.extension_fold);
    take(circuit.polynomial, witness.polynomial);
    take(circuit.power, witness.power);
    take(circuit.pack, witness.pack);
    take(circuit.digest, witness.digest);
    take(circuit.constant, witness.constant);
    take(circuit.index, witness.index);
    return circuit;
}
/// Of the circuit's rows no more is wrong than one comparison each.
void expect_wrong(const CircuitRows& rows, std::size_t comparisons) {
    const std::string found = complaint(rows);
    EXPECT_GE(tuples(found), 1U) << found;
    EXPECT_LE(tuples(found), 2 * comparisons) << found;
}

ProveOptions starting_from(const Subject& s, const Others& others) {
    ProveOptions options;
    options.start = start_with(s, others);
    return options;
}
/// A proof with another start. Whoever starts from there accepts it, so that all else about it is right. Both verifiers
/// refuse it; and if a circuit is made to absorb what the prover did, the start is all that is wrong.
void expect_only_the_start_is_wrong(const Subject& s, const Proof& proof, const Others& others) {
    EXPECT_EQ(name_of(verify_from(s, proof, others)), "ok");
    EXPECT_NE(name_of(verify(*s.circuit, proof, s.statement, 100, s.key)), "ok");
    const Verifier other = verifier_from(s, proof, others);
    const Verifier ours = verifier_from(s, proof, {});
    EXPECT_TRUE(accepts(other));
    EXPECT_FALSE(accepts(ours));
    expect_wrong(with_witness(ours.rows, other.rows), others.size());
}
void expect_only_the_start_is_wrong(const Child& child, const Others& others) {
    const Subject s = subject_of(child);
    ProveOptions options = starting_from(s, others);
    options.key = child.key.get();
    const Proof proof = prove(*child.circuit, *child.trace, child.statement, options);
    EXPECT_FALSE(accepts(verifier_of(child, proof, child.statement)));
    expect_only_the_start_is_wrong(s, proof, others);
}

/// Cubes, their users, and a second table of cubes that nobody needs and that may be absent.
Child cubes_and_more(const Heights& heights) {
    std::vector<Table> tables = quarry::testing::cube_tables();
    tables.push_back(make_table<quarry::testing::CubeTable>());
    tables.back().name = "more cubes";
    auto circuit = std::make_unique<Circuit>("cubes and more", std::move(tables));
    const Circuit pair("cubes", quarry::testing::cube_tables());
    const quarry::testing::CubeSystem system = quarry::testing::make_cube_system(pair);
    Trace trace(*circuit, heights);
    for (std::size_t t = 0; t < heights.size(); ++t) {
        for (std::size_t c = 0; heights[t] != 0 && c < circuit->tables()[t].num_columns(); ++c) {
            std::ranges::fill(trace.column(t, c), KoalaBear());
            if (t < 2) std::ranges::copy(system.trace.column(t, c), trace.column(t, c).begin());
        }
    }
    return make_child("cubes and more", std::move(circuit), nullptr, std::move(trace), system.statement);
}

TEST(AdversaryRecursionStart, ThePlacesAreTheRightOnes) {
    const Child child = cubes_and_more({9, 10, 0});
    const Subject s = subject_of(child);
    const ExtField honest = start_with(s, {}).squeeze_ext();
    EXPECT_EQ(start_transcript(*s.circuit, s.heights, parameters_of(s), 100, s.statement).squeeze_ext(), honest);
    Others others{{kVersionPlace, KoalaBear(std::uint64_t{kProtocolVersion})}};
    for (std::size_t t = 0; t < 3; ++t) others[height_place(s, t)] = KoalaBear(std::uint64_t{s.heights[t]});
    EXPECT_EQ(start_with(s, others).squeeze_ext(), honest);
    for (auto& [place, value] : others) {
        value += KoalaBear(1);
        EXPECT_NE(start_with(s, others).squeeze_ext(), honest) << place;
        value -= KoalaBear(1);
    }
}

// "A child proof of .. another version"
TEST(AdversaryRecursionStart, AnotherVersionSlow) {
    const Child cubes = cubes_child();
    for (const std::uint64_t version : {0, 2}) {
        expect_only_the_start_is_wrong(cubes, {{kVersionPlace, KoalaBear(version)}});
    }
    expect_only_the_start_is_wrong(gates_child(), {{kVersionPlace, KoalaBear(2)}});
    // A version that there is: another batching of claims, and proofs of the same lengths.
    const Protocol protocol{.batching = ClaimBatching::eq};
    ProveOptions options;
    options.protocol = protocol;
    const Proof of_other = prove(*cubes.circuit, *cubes.trace, cubes.statement, options);
    ASSERT_EQ(of_other.stream.size(), cubes.proof.stream.size());
    EXPECT_EQ(name_of(verify(*cubes.circuit, of_other, cubes.statement, 100, nullptr, protocol)), "ok");
    EXPECT_NE(name_of(cubes.verify_native(of_other, cubes.statement)), "ok");
    EXPECT_FALSE(accepts(verifier_of(cubes, of_other, cubes.statement)));
}

// "row counts that are hashed are the ones that are used": others are hashed, those of the trace are used and claimed.
TEST(AdversaryRecursionStart, OtherHeightsAreHashedSlow) {
    const Child cubes = cubes_child();
    const Subject s = subject_of(cubes);
    const auto lie = [&](std::size_t table, std::uint64_t height) {
        expect_only_the_start_is_wrong(cubes, {{height_place(s, table), KoalaBear(height)}});
    };
    lie(0, 10);
    lie(1, 9);
    lie(0, 0);
    // Each other's: the sum of them, and the text's order, are the same.
    expect_only_the_start_is_wrong(cubes, {{height_place(s, 0), KoalaBear(10)}, {height_place(s, 1), KoalaBear(9)}});
    const Child gates = gates_child();
    expect_only_the_start_is_wrong(gates, {{height_place(subject_of(gates), 0), KoalaBear(11)}});
}

// The other way round: those that the verifier uses are hashed and claimed, the trace has others. Tables of the same
// heights in another order give proofs of the same lengths.
TEST(AdversaryRecursionStart, TheTraceHasOtherHeights) {
    const Heights low{9, 10, 10};
    const Heights high{10, 10, 9};
    for (const auto& [claimed, used] : {std::pair(low, high), std::pair(high, low)}) {
        const Child honest = cubes_and_more(claimed);
        const Child other = cubes_and_more(used);
        ASSERT_EQ(name_of(honest.verify_native(honest.proof, honest.statement)), "ok");
        EXPECT_TRUE(accepts(verifier_of(honest, honest.proof, honest.statement)));
        Proof proof = prove(*other.circuit, *other.trace, other.statement, starting_from(subject_of(honest), {}));
        ASSERT_EQ(proof.stream.size(), honest.proof.stream.size());
        ASSERT_EQ(proof.openings.oracles[0][0].row.size(), honest.proof.openings.oracles[0][0].row.size());
        const auto expect_refused = [&](const Child& by, const Proof& p) {
            EXPECT_NE(name_of(by.verify_native(p, by.statement)), "ok");
            EXPECT_FALSE(accepts(verifier_of(by, p, by.statement)));
        };
        expect_refused(other, proof);  // as what it is, with another's start
        proof.heights = claimed;
        expect_refused(honest, proof);
        // An honest proof under the other's heights: the claim is hashed.
        proof = other.proof;
        proof.heights = claimed;
        expect_refused(honest, proof);
    }
}

// The same of a table that is absent, and hashed as if it was there; and of one of zeros, that is hashed as absent.
TEST(AdversaryRecursionStart, AbsentTables) {
    const Heights absent{9, 10, 0};
    const Heights present{9, 10, 9};
    for (const auto& [used, hashed] : {std::pair(absent, present), std::pair(present, absent)}) {
        const Child child = cubes_and_more(used);
        ASSERT_EQ(name_of(child.verify_native(child.proof, child.statement)), "ok");
        const Subject s = subject_of(child);
        const Others others{{height_place(s, 2), KoalaBear(std::uint64_t{hashed[2]})}};
        expect_only_the_start_is_wrong(child, others);
        // Under the heights that it has hashed the proof has another length, which a circuit has no room for.
        Proof proof = prove(*child.circuit, *child.trace, child.statement, starting_from(s, others));
        proof.heights = hashed;
        EXPECT_EQ(name_of(child.verify_native(proof, child.statement)), "bad_length");
    }
}

/// The first half of a batch, the node above it, and provers of both that lie about what they start from.
class RecursionNodeStarts : public ::testing::Test {
  protected:
    [[nodiscard]] static Subject subject_of(const rollup::SegmentStatement& statement, const Heights& heights) {
        return {&circuits::segment_circuit(), heights, &circuits::segment_verifying_key(heights, 100),
                circuits::segment_public_input(statement)};
    }
    SegmentWitness half(const Heights& heights) {
        return make_segment(claim_, 0, claim_.batch.steps.size() / 2, heights);
    }
    static CircuitRows lifted(const Digest& keys, std::uint32_t version, const ProvenSegment& s) {
        NodeBuilder node(keys, version);
        node.segment(segment_leaf(), s.statement, s.proof, start_of(s));
        return std::move(node).finish_join();
    }
    static rollup::JoinStatement part_of(const ProvenSegment& s) {
        return rollup::lift(s.statement, start_of(s).data, start_of(s).effects).value();
    }
    /// A parent of this version.
    static CircuitRows parent(const Digest& keys, std::uint32_t version, const rollup::JoinStatement& part,
                              const Proof& proof, const ChildKey& key) {
        NodeBuilder node(keys, version);
        node.join(catalog().node_shape(), part, proof, key);
        return std::move(node).finish_join();
    }

    const Heights& profile_ = segment_profiles()[0].heights;
    RealRollup rollup_;
    Claim claim_{rollup_, every_operation(rollup_)};
};

// "A child proof of .. another version": a segment's and a data proof's in a node.
TEST_F(RecursionNodeStarts, LeavesOfAnotherVersionSlow) {
    const Others others{{kVersionPlace, KoalaBear(2)}};
    const SegmentWitness witness = half(profile_);
    const Subject segment = subject_of(witness.statement, profile_);
    const ProvenSegment other = prove_claim(witness.statement, witness.trace, starting_from(segment, others));
    expect_only_the_start_is_wrong(segment, other.proof, others);
    EXPECT_FALSE(circuits::verify_segment(other.statement, other.proof).ok());
    EXPECT_FALSE(is_accepted(lifted(Digest{}, rollup::kProtocolVersion, other)));

    const DataWitness run = make_run(rollup::DataForm::blob, witness.statement.header, claim_.batch.data, claim_.payee);
    const Subject data{&circuits::data_circuit(), data_heights(), nullptr, circuits::data_public_input(run.statement)};
    const ProvenData other_data = prove_claim(run.statement, run.trace, starting_from(data, others));
    expect_only_the_start_is_wrong(data, other_data.proof, others);
    EXPECT_FALSE(circuits::verify_data(other_data.statement, other_data.proof).ok());
    NodeBuilder node{Digest{}};
    node.data(data_leaf(), rollup::DataRole::data, other_data.statement, other_data.proof, witness.statement.domain,
              witness.statement.header, start_of(other));
    EXPECT_FALSE(is_accepted(std::move(node).finish_join()));
}

// The same of a node in a node: of another protocol, and of other statements.
TEST_F(RecursionNodeStarts, NodesOfAnotherVersionSlow) {
    const SegmentWitness witness = half(profile_);
    const ProvenSegment first = prove_claim(witness.statement, witness.trace);
    const rollup::JoinStatement part = part_of(first);
    const Digest keys = catalog().keys().digest();
    const std::size_t kind = kind_named("segment 512");
    const ChildKey child = catalog().child_key(kind);
    const auto prove_rows = [&](const CircuitRows& rows, const Digest& table, const Digest& statement,
                                const ProveOptions& options) {
        const Statement exposed = digest_statement(exposed_digest(StatementKind::join, table, statement));
        return prove(*catalog().node_shape().circuit,
                     lay_out_witness(*catalog().node_shape().circuit, catalog().shape_heights(), rows), exposed,
                     options);
    };
    const CircuitRows ours = lifted(keys, rollup::kProtocolVersion, first);
    const ProvingKey* key = catalog().find_proving_key(kind, ours);
    ASSERT_NE(key, nullptr);

    // Another protocol.
    const Others others{{kVersionPlace, KoalaBear(2)}};
    const Subject node{catalog().node_shape().circuit, catalog().node_shape().heights, &key->verifying_key(),
                       digest_statement(exposed_digest(StatementKind::join, keys, digest(part)))};
    ProveOptions options = starting_from(node, others);
    options.key = key;
    const NodeProof of_protocol{kind, prove_rows(ours, keys, digest(part), options)};
    EXPECT_EQ(name_of(verify_from(node, of_protocol.proof, others)), "ok");
    EXPECT_FALSE(verify_node(catalog(), StatementKind::join, digest(part), of_protocol).ok());
    EXPECT_FALSE(is_accepted(parent(keys, rollup::kProtocolVersion, part, of_protocol.proof, child)));

    // Other statements: what a node says is its circuit's constant. One that says version 0 is another circuit; in
    // ours its witness is wrong in that alone.
    constexpr std::uint32_t kOther = 0;
    std::vector<KoalaBear> elements = rollup::elements(part);
    elements[1] = KoalaBear(std::uint64_t{kOther});
    const Digest other_digest = rollup::hash_elements("quarry/join/v1", elements);
    const CircuitRows told = with_witness(ours, lifted(keys, kOther, first));
    expect_wrong(told, 1);
    ProveOptions with_key;
    with_key.key = key;
    const NodeProof lying{kind, prove_rows(told, keys, other_digest, with_key)};
    EXPECT_FALSE(verify_node(catalog(), StatementKind::join, other_digest, lying).ok());
    EXPECT_FALSE(verify_node(catalog(), StatementKind::join, digest(part), lying).ok());
    EXPECT_FALSE(is_accepted(parent(keys, rollup::kProtocolVersion, part, lying.proof, child)));
    // A parent of that version reads what it says, and sees that it does not follow: one check fails.
    expect_wrong(parent(keys, kOther, part, lying.proof, child), 1);

    // An honest node of that version, under a key of its own, is accepted among its like alone.
    const ProvingKey their_key(
        lay_out_preprocessed(*catalog().node_shape().circuit, catalog().shape_heights(), lifted({}, kOther, first))
            .value());
    const Digest root = their_key.verifying_key().preprocessed_root;
    std::vector<KeyEntry> entries = catalog().keys().entries();
    entries[kind].preprocessed_root = root;
    const KeyTable theirs(entries);
    const ChildKey their_child{root, kind, theirs.path(kind)};
    with_key.key = &their_key;
    const Proof honest = prove_rows(lifted(theirs.digest(), kOther, first), theirs.digest(), other_digest, with_key);
    EXPECT_TRUE(is_accepted(parent(theirs.digest(), kOther, part, honest, their_child)));
    EXPECT_FALSE(is_accepted(parent(theirs.digest(), rollup::kProtocolVersion, part, honest, their_child)));
    EXPECT_FALSE(is_accepted(parent(keys, kOther, part, honest, {root, kind, child.path})));
    EXPECT_FALSE(verify_node(catalog(), StatementKind::join, other_digest, {kind, honest}).ok());
}

// "row counts that are hashed are the ones that are used", of a segment in a node: the prover hashes others than its
// trace's, one of them as absent; or it hashes the profile's, and its trace has others (by a circuit, where the lengths
// are the same: AdversaryRecursionStart.TheTraceHasOtherHeights).
TEST_F(RecursionNodeStarts, SegmentsOfOtherHeightsSlow) {
    const auto table = static_cast<std::size_t>(SegmentTable::withdraw);
    const SegmentWitness witness = half(profile_);
    const Subject segment = subject_of(witness.statement, profile_);
    for (const std::uint64_t height : {0, 10}) {
        const Others others{{height_place(segment, table), KoalaBear(height)}};
        ProvenSegment lying = prove_claim(witness.statement, witness.trace, starting_from(segment, others));
        EXPECT_EQ(name_of(verify_from(segment, lying.proof, others)), "ok");
        EXPECT_FALSE(is_accepted(lifted(Digest{}, rollup::kProtocolVersion, lying)));
        EXPECT_FALSE(circuits::verify_segment(lying.statement, lying.proof).ok());
        lying.proof.heights[table] = static_cast<unsigned>(height);
        EXPECT_FALSE(circuits::verify_segment(lying.statement, lying.proof).ok());
    }

    Heights higher = profile_;
    ++higher[table];
    const SegmentWitness other = half(higher);
    ASSERT_EQ(other.statement, witness.statement);
    ProvenSegment lying = prove_claim(witness.statement, other.trace, starting_from(segment, {}));
    EXPECT_FALSE(circuits::verify_segment(lying.statement, lying.proof).ok());
    lying.proof.heights = profile_;
    EXPECT_FALSE(circuits::verify_segment(lying.statement, lying.proof).ok());
}

}  // namespace
}  // namespace quarry::adversary::recursion_start_test
