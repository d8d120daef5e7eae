// Two real batches, from operations to the terminal proof, and lies about them. Lies about limbs alone, without a
// proof: quarry/recursion/terminal_test.cpp.

#include "quarry/recursion/terminal.hpp"
#include "quarry/proof/evm_cost.hpp"
#include "quarry/proof/terminal_parameters.hpp"
#include "tests/adversary/recursion_world.hpp"

namespace quarry::adversary::terminal_test {
namespace {

using Limbs = std::vector<KoalaBear>;

/// A batch of transfers under two payees, bound by a blob and by calldata: two batches, in one bundle.
class RealBundle {
  public:
    RealBundle() {
        NodeBuilder both(keys_);
        for (const bool calldata : {false, true}) {
            claim_.payee = rollup_.address(calldata ? 36 : 35);
            add_batch(both, calldata ? rollup::DataForm::horner : rollup::DataForm::blob);
        }
        bundle_ = rollup::merge(rollup::bundle_of(items_[0].batch), rollup::bundle_of(items_[1].batch)).value();
        proof_ = prove_node(catalog(), kind_named("bundle"), std::move(both).finish_bundle(), digest(bundle_));
        EXPECT_TRUE(verify_node(catalog(), StatementKind::bundle, digest(bundle_), proof_).ok());
    }

    [[nodiscard]] const std::vector<rollup::TerminalItem>& items() const { return items_; }
    [[nodiscard]] const rollup::BundleStatement& bundle() const { return bundle_; }
    [[nodiscard]] const NodeProof& proof() const { return proof_; }

  private:
    void add_batch(NodeBuilder& bundle, rollup::DataForm form) {
        const rollup::Header& header = claim_.batch.header;
        const ProvenSegment segment = prove_segment(claim_, 0, claim_.batch.steps.size());
        const ProvenData data = prove_run(form, segment.statement.header, claim_.batch.data, claim_.payee);
        const rollup::JoinPoint start{segment.statement.before, rollup::binding_start(segment.statement.header),
                                      rollup::binding_start(rollup::effects_start().digest)};
        const auto run = rollup::data_run(data.statement);
        const auto operations = rollup::lift(segment.statement, start.data, start.effects).value();
        const auto bound = rollup::lift(run, rollup::DataRole::data, claim_.payee, data.statement.work,
                                        operations.domain, operations.header, operations.after)
                               .value();
        const auto whole = rollup::merge(operations, bound).value();
        const rollup::BatchStatement batch = rollup::close(whole, header).value();
        const rollup::BundleStatement one = rollup::bundle_of(batch);
        NodeBuilder node(keys_);
        node.segment(segment_leaf(), segment.statement, segment.proof, start);
        node.data(data_leaf(), rollup::DataRole::data, data.statement, data.proof, {}, {}, {});
        node.close(header);
        const NodeProof proof =
            prove_node(catalog(), kind_named("batch 512"), std::move(node).finish_bundle(), digest(one));
        bundle.bundle(catalog().node_shape(), one, proof.proof, catalog().child_key(proof.node_kind));
        items_.push_back({.batch = batch, .header = header, .data = {run.binding}, .effects = {}});
    }

    const Digest keys_ = catalog().keys().digest();
    std::vector<rollup::TerminalItem> items_;
    rollup::BundleStatement bundle_;
    NodeProof proof_;
    RealRollup rollup_;
    Claim claim_{rollup_, RealBatch(rollup_)
                              .add(rollup::Transfer{auth(2, 3), 4, Amount(100)})
                              .add(rollup::Transfer{auth(4, 2), 2, Amount(7)})
                              .seal()};
};

/// Made once: seconds.
class TerminalOfRealBatches : public ::testing::Test {
  protected:
    static const RealBundle& made() {
        static const RealBundle bundle;
        return bundle;
    }
    [[nodiscard]] Limbs limbs() const { return elements(rollup::open(bundle_, 2, items_).value()); }
    static const Terminal& terminal() {
        static const Terminal terminal(catalog(), 2);
        return terminal;
    }
    static const Proof& wrapped() {
        static const Proof proof = wrap_bundle(terminal(), made().bundle(), made().proof());
        return proof;
    }
    [[nodiscard]] static Digest wrap_root() {
        return terminal().wrap().proving_key().verifying_key().preprocessed_root;
    }
    /// Of the terminal circuit.
    [[nodiscard]] CircuitRows rows(const Limbs& limbs, const Digest& keys, const Proof& proof = wrapped()) const {
        return terminal_rows(terminal().wrap(), wrap_root(), keys, limbs, bundle_, proof);
    }
    [[nodiscard]] static std::string complaint_of(const CircuitRows& rows, const Limbs& limbs) {
        return recursion::testing::LaidOut(rows).complaint(terminal_statement(limbs));
    }
    /// Of the wrap's circuit.
    [[nodiscard]] CircuitRows wrap(const Digest& keys, const Digest& bundle, const ChildKey& key) const {
        return wrap_rows(catalog().node_shape(), keys, bundle, proof_.proof, key);
    }

    const Digest keys_ = catalog().keys().digest();
    const std::vector<rollup::TerminalItem>& items_ = made().items();
    const rollup::BundleStatement& bundle_ = made().bundle();
    const NodeProof& proof_ = made().proof();
};

TEST_F(TerminalOfRealBatches, ProvesWhatIsOpenedNativelySlow) {
    const Limbs honest = limbs();
    const Terminal& terminal = TerminalOfRealBatches::terminal();
    EXPECT_TRUE(verify_wrap(terminal.wrap(), digest(bundle_), wrapped()).ok());
    const std::vector<std::uint8_t> proof = prove_terminal(terminal, terminal.rows(honest, bundle_, wrapped()), honest);
    const KeccakVerifyingKey& key = terminal.proving_key().verifying_key();
    EXPECT_TRUE(verify_terminal(terminal, key, honest, proof).ok());
    std::cout << proof.size() << " bytes\n";

    // Every other public input is another statement: of items in another order, of one more or less, of another
    // batch; and no vector but the canonical one is a statement at all.
    std::vector<std::vector<rollup::TerminalItem>> lists{{items_[1], items_[0]}, {items_[0]}, {items_[0], items_[0]}};
    lists.push_back({items_[0], items_[1], items_[1]});
    for (const auto& change : std::vector<std::function<void(rollup::TerminalItem&)>>{
             [](auto& item) { item.header.timestamp += 1; }, [](auto& item) { item.batch.payee.bytes[19] ^= 1; },
             [](auto& item) { item.data[0].l1_hash[0] ^= 1; }, [](auto& item) { item.batch.work.units += 1; }}) {
        lists.push_back(items_);
        change(lists.back()[1]);
    }
    for (const auto& list : lists) {
        EXPECT_FALSE(verify_terminal(terminal, key, elements(rollup::TerminalStatement{2, list}), proof).ok());
    }
    Limbs twice = honest;
    const std::uint64_t x = (twice[4].canonical() | std::uint64_t{twice[5].canonical()} << 16) + KoalaBear::kModulus;
    twice[4] = KoalaBear(x & 0xffff);
    twice[5] = KoalaBear(x >> 16);
    EXPECT_EQ(verify_terminal(terminal, key, twice, proof).error().code, Errc::non_canonical);
    EXPECT_EQ(verify_terminal(terminal, key, elements(rollup::open(bundle_, 4, items_).value()), proof).error().code,
              Errc::bad_length);
    // Other bytes are no proof: one changed, at every part; one less.
    for (std::size_t i = 0; i < proof.size(); i += proof.size() / 37) {
        std::vector<std::uint8_t> other = proof;
        other[i] ^= 1;
        EXPECT_FALSE(verify_terminal(terminal, key, honest, other).ok()) << i;
    }
    EXPECT_EQ(verify_terminal(terminal, key, honest, std::span(proof).first(proof.size() - 1)).error().code,
              Errc::bad_length);
}

TEST_F(TerminalOfRealBatches, OtherListsAndKeysHaveNoWitnessSlow) {
    const Limbs honest = limbs();
    const CircuitRows of_honest = rows(honest, keys_);
    EXPECT_EQ(complaint_of(of_honest, honest), "");
    const Limbs swapped = elements(rollup::TerminalStatement{2, {items_[1], items_[0]}});
    EXPECT_NE(complaint_of(rows(swapped, keys_), swapped), "");

    // Another table of keys: the wrap says which one it was made under. And the terminal circuit of another table, or
    // of another wrap, is another one: its key covers both digests.
    Digest foreign = keys_;
    foreign[0] += KoalaBear(1);
    const CircuitRows of_foreign = rows(honest, foreign);
    EXPECT_NE(complaint_of(of_foreign, honest), "");
    Digest other_root = wrap_root();
    other_root[7] += KoalaBear(1);
    const CircuitRows of_other = terminal_rows(terminal().wrap(), other_root, keys_, honest, bundle_, wrapped());
    EXPECT_NE(complaint_of(of_other, honest), "");
    const auto preprocessed = [](const CircuitRows& r) {
        const recursion::testing::LaidOut laid(r);
        return std::vector<KoalaBear>(laid.preprocessed.stack().begin(), laid.preprocessed.stack().end());
    };
    EXPECT_NE(preprocessed(of_honest), preprocessed(of_foreign));
    EXPECT_NE(preprocessed(of_honest), preprocessed(of_other));
}

TEST_F(TerminalOfRealBatches, LiesAtTheWrapHaveNoWitnessSlow) {
    const Digest bundle = digest(bundle_);
    const ChildKey key = catalog().child_key(proof_.node_kind);
    EXPECT_EQ(complaint(wrap(keys_, bundle, key)), "");
    // A bundle's key at another place; the key of a join; another bundle.
    ChildKey moved = key;
    moved.entry ^= 1;
    EXPECT_NE(complaint(wrap(keys_, bundle, moved)), "");
    EXPECT_NE(complaint(wrap(keys_, bundle, catalog().child_key(kind_named("join")))), "");
    EXPECT_NE(complaint(wrap(keys_, digest(rollup::bundle_of(items_[0].batch)), key)), "");
    // Another table of keys, in which the bundle's stands at its place: the bundle was made under the one that it
    // names.
    std::vector<KeyEntry> entries = catalog().keys().entries();
    entries.front().preprocessed_root[0] += KoalaBear(1);
    const KeyTable foreign(entries);
    ChildKey there = key;
    there.path = foreign.path(proof_.node_kind);
    EXPECT_NE(complaint(wrap(foreign.digest(), bundle, there)), "");
}

// A circuit of the wrap's tables and heights that says what the wrap says and verifies nothing: its proof is as good as
// any, under its own key. The terminal takes the wrap's alone.
TEST_F(TerminalOfRealBatches, ACircuitThatEchoesTheWrapIsRefusedSlow) {
    const Limbs honest = limbs();
    CircuitBuilder b(RowKinds::some);
    b.expose(exposed_wire(b, StatementKind::bundle, b.witness(keys_), b.witness(digest(bundle_))));
    const CircuitRows echo = std::move(b).finish();
    const Wrap& wrap = terminal().wrap();
    const unsigned lanes = kWrapProtocol.log_stack_lanes;
    ProveOptions options;
    const ProvingKey key(lay_out_preprocessed(wrap.circuit(), wrap.shape_heights(), echo, lanes).value(), 100,
                         kWrapProtocol);
    options.key = &key;
    options.protocol = kWrapProtocol;
    const Statement statement = digest_statement(exposed_digest(StatementKind::bundle, keys_, digest(bundle_)));
    const Proof proof =
        prove(wrap.circuit(), lay_out_witness(wrap.circuit(), wrap.shape_heights(), echo, lanes), statement, options);
    EXPECT_TRUE(verify(wrap.circuit(), proof, statement, 100, &key.verifying_key(), kWrapProtocol).ok());
    EXPECT_FALSE(verify_wrap(wrap, digest(bundle_), proof).ok());
    EXPECT_NE(complaint_of(rows(honest, keys_, proof), honest), "");
}

// What the contract's price rests on: the stack's size, and which tables there are, one of a kind.
TEST(TerminalShape, EveryProfileFitsSlow) {
    for (const unsigned log_profile : {0U, 2U, 4U}) {
        const Terminal terminal(catalog(), log_profile);
        std::set<std::string> names;
        Heights heights;
        std::string text;
        for (const Table& table : terminal.circuit().tables()) {
            EXPECT_TRUE(names.insert(table.name).second) << table.name;
            heights.push_back(*table.fixed_log_height);
            text += table.name + " 2^" + std::to_string(heights.back()) + ", ";
        }
        EXPECT_EQ(names.size(), 9U);
        for (const char* absent : {ConvolutionTable::kName, BaseFoldTable::kName, ExtensionFoldTable::kName,
                                   PolynomialTable::kName, PowerTable::kName}) {
            EXPECT_FALSE(names.contains(absent)) << absent;
        }
        const unsigned lanes = kTerminalProtocol.log_stack_lanes;
        const StackLayout layout = make_stack_layout(terminal.circuit(), heights, lanes).value();
        EXPECT_EQ(layout.log_size, 21U);
        std::cout << (1U << log_profile) << " items: " << text << layout.used_cells << " cells\n";
    }
}

// The generator of the terminal's parameters takes this circuit's cost for granted.
TEST(TerminalShape, IsWhatTheGeneratorExpectsSlow) {
    const Terminal terminal(catalog(), 4);
    const Limbs limbs(rollup::kTerminalHeadLimbs + (rollup::kTerminalItemLimbs << 4));
    const auto tuples = terminal_statement(limbs).tuples;
    const EvmCircuit circuit = count_circuit(terminal.circuit(), heights_of(terminal.shape_heights()),
                                             kTerminalProtocol, tuples.size(), tuples.front().tuple.size());
    const EvmCost rest = sum(evm_parts_before_opening(circuit, kTerminalProtocol));
    const TerminalOptions options;
    EXPECT_NEAR(options.rest.gas, rest.gas, 0.02 * rest.gas);
    EXPECT_NEAR(static_cast<double>(options.rest.bytes), static_cast<double>(rest.bytes), 200);
    EXPECT_EQ(options.witness_lanes, circuit.witness_lanes);
    EXPECT_EQ(options.preprocessed_lanes, circuit.preprocessed_lanes);
}

}  // namespace
}  // namespace quarry::adversary::terminal_test
