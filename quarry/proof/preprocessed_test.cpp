// Circuits with preprocessed columns, from key to bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/testing_preprocessed.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::preprocessed_test {
namespace {

using testing::GateSystem;
using Bytes = std::vector<std::uint8_t>;

std::string name_of(const Status& s) { return s.ok() ? "ok" : errc_name(s.error().code); }

class PreprocessedTest : public ::testing::Test {
  protected:
    static const Circuit& circuit() {
        static const Circuit c("gates", testing::gate_tables());
        return c;
    }
    static const ProvingKey& key() {
        static const ProvingKey k(testing::make_gate_columns(circuit()));
        return k;
    }
    static const VerifyingKey& verifying_key() { return key().verifying_key(); }
    static const GateSystem& system() {
        static const GateSystem s = testing::make_gate_system(key().trace());
        return s;
    }
    static Proof prove_with(const ProvingKey& k, const GateSystem& s, const VerifyingKey* claimed = nullptr) {
        ProveOptions options;
        options.security_bits = k.verifying_key().security_bits;
        options.key = &k;
        options.claimed_key = claimed;
        return prove(circuit(), s.trace, s.statement, options);
    }
    static const Proof& proof() {
        static const Proof p = prove_with(key(), system());
        return p;
    }
    static const Bytes& bytes() {
        static const Bytes b = encode_proof(circuit(), proof(), system().statement, &verifying_key());
        return b;
    }
    static std::string check(const Proof& p, const Statement& statement, const VerifyingKey& k) {
        return name_of(verify(circuit(), p, statement, 100, &k));
    }
    static std::string check(const Proof& p) { return check(p, system().statement, verifying_key()); }
    static std::string check(const Bytes& b, const VerifyingKey& k, const KeyCap* cap = nullptr) {
        const auto in_two_steps = [&]() -> Status {
            QUARRY_TRY_ASSIGN(const Proof p, decode_proof(circuit(), b, system().statement, &k, cap));
            return verify(circuit(), p, system().statement, 100, &k);
        };
        const Status status = in_two_steps();
        EXPECT_EQ(verify_encoded(circuit(), b, system().statement, 100, &k, cap).ok(), status.ok())
            << "the one-pass verifier disagrees";
        return name_of(status);
    }
    static std::string check(const Bytes& b) { return check(b, verifying_key()); }
    static KeyCap cap_of(const ProvingKey& k, unsigned log_cap) { return KeyCap::above(k.commitment().level(log_cap)); }
    static Bytes bytes_under(const KeyCap& cap) {
        return encode_proof(circuit(), proof(), system().statement, &verifying_key(), &cap);
    }
    static std::string check(const Bytes& b, const KeyCap* cap) { return check(b, verifying_key(), cap); }
};

TEST_F(PreprocessedTest, AcceptsAnHonestProofAndItsBytes) {
    EXPECT_EQ(check(proof()), "ok");
    EXPECT_EQ(check(bytes()), "ok");
    const auto decoded = decode_proof(circuit(), bytes(), system().statement, &verifying_key());
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(encode_proof(circuit(), decoded.value(), system().statement, &verifying_key()), bytes());
    // One key serves every witness: here another one of the free table.
    GateSystem other = testing::make_gate_system(key().trace());
    for (KoalaBear& x : other.trace.column(0, 0)) x = -x;
    EXPECT_EQ(check(prove_with(key(), other)), "ok");
}

TEST_F(PreprocessedTest, TheFirstLanesAreTheirs) {
    const StackLayout layout = make_stack_layout(circuit(), testing::kGateHeights).value();
    EXPECT_EQ(layout.log_size, 17U);
    EXPECT_EQ(layout.order, (std::vector<std::size_t>{2, 4, 0, 1, 3}));
    // Gates 5 lanes, sums 3; then halves: constants 3, sums 3. The witness starts on a whole lane.
    EXPECT_EQ(layout.preprocessed_offset, (std::vector<std::size_t>{8 << 10, 8 << 10, 0, 19 << 9, 5 << 10}));
    EXPECT_EQ(layout.preprocessed_lanes, 11U);
    EXPECT_EQ(layout.offset, (std::vector<std::size_t>{16 << 10, 17 << 10, 11 << 10, 17 << 10, 14 << 10}));
    EXPECT_EQ(layout.used_lanes, 18U);
    EXPECT_EQ(layout.lanes_of_parts(), (std::vector<std::size_t>{11, 7}));
    EXPECT_EQ(proof().openings.oracles[0][0].row.size(), 11U);
    EXPECT_EQ(proof().openings.oracles[1][0].row.size(), 7U);
    EXPECT_EQ(proof().openings.positions[0], proof().openings.positions[1]);
}

// 65 and 64 lanes of one height: padding pushes them into the next size.
TEST_F(PreprocessedTest, PaddingCountsTowardsTheSize) {
    const auto log_size = [](std::size_t witness, std::size_t preprocessed, unsigned small) {
        std::vector<Table> tables(2);
        tables[0].columns.resize(witness);
        tables[1].columns.resize(preprocessed);
        tables[1].num_preprocessed = preprocessed;
        tables[1].fixed_log_height = small;
        const Circuit wide("wide", std::move(tables));
        return make_stack_layout(wide, {12, small}).value().log_size;
    };
    EXPECT_EQ(log_size(64, 64, 12), 19U);
    EXPECT_EQ(log_size(65, 64, 12), 20U);
    EXPECT_EQ(log_size(127, 2, 11), 19U);
    EXPECT_EQ(log_size(127, 3, 11), 20U);
}

TEST_F(PreprocessedTest, TheKeyIsAFunctionOfItsContent) {
    EXPECT_EQ(ProvingKey(testing::make_gate_columns(circuit())).verifying_key(), verifying_key());
    PreprocessedTrace changed = testing::make_gate_columns(circuit());
    changed.column(4, 0)[1023] += KoalaBear(1);
    EXPECT_NE(ProvingKey(std::move(changed)).verifying_key(), verifying_key());
    EXPECT_NE(ProvingKey(testing::make_gate_columns(circuit()), 120).verifying_key(), verifying_key());
}

TEST_F(PreprocessedTest, AnotherRootIsRefused) {
    VerifyingKey other;
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        other = verifying_key();
        other.preprocessed_root[i] += KoalaBear(1);
        EXPECT_NE(check(proof(), system().statement, other), "ok") << i;
        EXPECT_EQ(check(bytes(), other), "statement_mismatch") << i;
    }
    // Absorbed from the start: only the tree gives it away.
    EXPECT_EQ(check(prove_with(key(), system(), &other), system().statement, other), "merkle_mismatch");
}

// A prover with other operations, constants or weights, and the witness and statement that fit them: right under its
// own key, refused under ours, whatever it lets the transcript absorb.
TEST_F(PreprocessedTest, OtherCellsThanTheKeysAreRefused) {
    const struct {
        std::size_t table, column, row;
    } cells[] = {{1, 1, 0}, {2, 4, 1000}, {3, 0, 17}};
    for (const auto& cell : cells) {
        PreprocessedTrace columns = testing::make_gate_columns(circuit());
        KoalaBear& x = columns.column(cell.table, cell.column)[cell.row];
        x = KoalaBear(1) - x;
        const ProvingKey lying(std::move(columns));
        const GateSystem lie = testing::make_gate_system(lying.trace());
        Proof p = prove_with(lying, lie);
        EXPECT_EQ(check(p, lie.statement, lying.verifying_key()), "ok");
        EXPECT_NE(check(p, lie.statement, verifying_key()), "ok");
        p = prove_with(lying, lie, &verifying_key());
        EXPECT_EQ(check(p, lie.statement, verifying_key()), "merkle_mismatch");
        // With the honest tree's rows the paths are right; what they fold to is not what was claimed.
        for (std::size_t j = 0; j < p.openings.oracles[0].size(); ++j) {
            p.openings.oracles[0][j] = key().commitment().open(p.openings.positions[0][j]);
        }
        EXPECT_EQ(check(p, lie.statement, verifying_key()), "final_mismatch");
    }
}

// The same witness with other addresses, uses or flags in the key; with another cell in itself.
TEST_F(PreprocessedTest, KeyAndWitnessMustFit) {
    const struct {
        std::size_t table, column;
    } fixed[] = {{1, 2}, {2, 0}, {3, 2}, {4, 1}}, cells[] = {{0, 1}, {2, 2}, {4, 0}};
    for (const auto& f : fixed) {
        PreprocessedTrace columns = testing::make_gate_columns(circuit());
        columns.column(f.table, f.column)[1] += KoalaBear(3);
        const ProvingKey other(std::move(columns));
        EXPECT_NE(check(prove_with(other, system()), system().statement, other.verifying_key()), "ok")
            << f.table << " " << f.column;
    }
    for (const auto& cell : cells) {
        GateSystem s = testing::make_gate_system(key().trace());
        s.trace.column(cell.table, cell.column)[300] += KoalaBear(1);
        EXPECT_NE(check(prove_with(key(), s)), "ok") << cell.table << " " << cell.column;
    }
}

TEST_F(PreprocessedTest, EveryOpeningMatters) {
    std::mt19937_64 rng(1);
    for (const std::size_t o : {std::size_t{0}, std::size_t{1}}) {
        for (std::size_t j = 0; j < proof().openings.oracles[o].size(); j += 31) {
            Proof p = proof();
            auto& row = p.openings.oracles[o][j].row;
            row[rng() % row.size()] += KoalaBear(1);
            EXPECT_EQ(check(p), "merkle_mismatch");
            p = proof();
            auto& path = p.openings.oracles[o][j].path;
            path[rng() % path.size()][rng() % kDigestSize] += KoalaBear(1);
            EXPECT_EQ(check(p), "merkle_mismatch");
            p = proof();
            p.openings.oracles[o][j].row.pop_back();
            EXPECT_EQ(check(p), "bad_length");
        }
    }
    Proof p = proof();
    p.openings.oracles[0].swap(p.openings.oracles[1]);
    EXPECT_EQ(check(p), "bad_length");
    p = proof();
    p.openings.oracles.erase(p.openings.oracles.begin());
    EXPECT_EQ(check(p), "bad_length");
    p = proof();
    std::swap(p.openings.oracles[0][0], p.openings.oracles[0][1]);
    EXPECT_EQ(check(p), "merkle_mismatch");
}

TEST_F(PreprocessedTest, TruncatedAndDamagedBytesAreRefused) {
    Bytes longer = bytes();
    longer.push_back(0);
    EXPECT_EQ(check(longer), "trailing_bytes");
    const std::size_t openings = 4 + 4 + 64 + 2 + testing::kGateHeights.size() + 4 * proof().stream.size();
    for (std::size_t n = 0; n < bytes().size(); n += n < 100 || (n > openings - 9 && n < openings + 9) ? 1 : 4999) {
        EXPECT_EQ(check(Bytes(bytes().begin(), bytes().begin() + static_cast<std::ptrdiff_t>(n))), "truncated") << n;
    }
    // Rows and siblings of the preprocessed tree come first.
    for (std::size_t at = openings; at < openings + 9000; at += 1801) {
        Bytes b = bytes();
        b[at] ^= 1;
        EXPECT_EQ(check(b), "merkle_mismatch") << at;
    }
}

TEST_F(PreprocessedTest, AKnownCapIsNotInTheBytes) {
    std::vector<std::size_t> positions = proof().openings.positions[0];
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    const unsigned height = key().commitment().log_rows();
    ASSERT_EQ(height, 11U);
    for (const unsigned log_cap : {0U, 1U, 6U, height}) {
        const KeyCap cap = cap_of(key(), log_cap);
        const Bytes b = bytes_under(cap);
        const std::size_t saved =
            multi_opening_size(positions, height) - multi_opening_size(positions, height, log_cap);
        EXPECT_EQ(b.size() + 32 * saved, bytes().size());
        EXPECT_EQ(decode_header(b).value().log_cap, log_cap);
        EXPECT_EQ(check(b, &cap), "ok");
        const auto decoded = decode_proof(circuit(), b, system().statement, &verifying_key(), &cap);
        ASSERT_TRUE(decoded.ok());
        EXPECT_EQ(encode_proof(circuit(), decoded.value(), system().statement, &verifying_key()), bytes());
        EXPECT_EQ(encode_proof(circuit(), decoded.value(), system().statement, &verifying_key(), &cap), b);
    }
    EXPECT_EQ(bytes_under(cap_of(key(), 0)), bytes());
    EXPECT_LT(bytes_under(cap_of(key(), height)).size() + 32 * 100, bytes().size());
}

TEST_F(PreprocessedTest, AnotherCapIsRefused) {
    const KeyCap cap = cap_of(key(), 6);
    const Bytes b = bytes_under(cap);
    // The key's, but not the one that the bytes are for.
    const KeyCap lower = cap_of(key(), 7);
    EXPECT_EQ(check(b, nullptr), "wrong_key");
    EXPECT_EQ(check(b, &lower), "wrong_key");
    EXPECT_EQ(check(bytes(), &cap), "wrong_key");
    for (const unsigned log_cap : {0U, 5U, 7U, 11U, 12U, 255U}) {  // bytes that claim another one
        Bytes claimed = b;
        claimed[6] = static_cast<std::uint8_t>(log_cap);
        EXPECT_EQ(check(claimed, &cap), "wrong_key");
    }
    // Another tree's, and one of the key's with a node changed: neither leads to the root.
    PreprocessedTrace columns = testing::make_gate_columns(circuit());
    columns.column(4, 0)[0] += KoalaBear(1);
    const KeyCap foreign = cap_of(ProvingKey(std::move(columns)), 6);
    std::vector<Digest> nodes(cap.level(6).begin(), cap.level(6).end());
    nodes[17][3] += KoalaBear(1);
    const KeyCap bent = KeyCap::above(nodes);
    for (const KeyCap* other : {&foreign, &bent}) {
        EXPECT_EQ(check(b, other), "wrong_key");
        EXPECT_DEATH((void)bytes_under(*other), "check failed");
    }
    // A circuit without such a tree has no cap.
    const Circuit cubes("cubes", testing::cube_tables());
    const auto cube_system = testing::make_cube_system(cubes);
    const Bytes of_cubes =
        encode_proof(cubes, prove(cubes, cube_system.trace, cube_system.statement), cube_system.statement);
    EXPECT_EQ(name_of(verify_encoded(cubes, of_cubes, cube_system.statement)), "ok");
    EXPECT_EQ(name_of(verify_encoded(cubes, of_cubes, cube_system.statement, 100, nullptr, &cap)), "wrong_key");
}

// Every sibling below the cap, and rows: each leads to its node of the cap, or is refused.
TEST_F(PreprocessedTest, DamagedBytesAreRefusedUnderACap) {
    const KeyCap cap = cap_of(key(), 6);
    const Bytes b = bytes_under(cap);
    std::vector<std::size_t> positions = proof().openings.positions[0];
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    const std::size_t rows = 4 + 4 + 64 + 2 + testing::kGateHeights.size() + 4 * proof().stream.size();
    const std::size_t siblings = rows + 4 * 11 * positions.size();
    const std::size_t end = siblings + 32 * multi_opening_size(positions, 11, 6);
    for (std::size_t at = siblings; at < end; at += 32 * 23 + 4) {
        Bytes bad = b;
        bad[at] ^= 1;
        EXPECT_EQ(check(bad, &cap), "merkle_mismatch") << at;
    }
    for (const std::size_t at : {rows, siblings - 4, end - 32, end}) {
        Bytes bad = b;
        bad[at] ^= 1;
        EXPECT_EQ(check(bad, &cap), "merkle_mismatch") << at;
        EXPECT_EQ(check(Bytes(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(at)), &cap), "truncated") << at;
    }
    // Paths of a proof under another key do not end at this cap.
    PreprocessedTrace columns = testing::make_gate_columns(circuit());
    columns.column(4, 0)[0] += KoalaBear(1);
    const ProvingKey other(std::move(columns));
    const GateSystem s = testing::make_gate_system(other.trace());
    const Proof lie = prove_with(other, s, &verifying_key());
    const Bytes of_lie = encode_proof(circuit(), lie, s.statement, &verifying_key(), &cap);
    EXPECT_EQ(name_of(verify_encoded(circuit(), of_lie, s.statement, 100, &verifying_key(), &cap)), "merkle_mismatch");
    EXPECT_EQ(decode_proof(circuit(), of_lie, s.statement, &verifying_key(), &cap).error().code, Errc::merkle_mismatch);
}

// Other heights of tables without preprocessed columns are no matter as long as the stack is as large.
TEST_F(PreprocessedTest, AKeyHoldsForOneSizeOfTheStack) {
    Heights taller = testing::kGateHeights;
    taller[0] = 10;
    const ProvingKey tall(testing::make_gate_columns(circuit(), taller));
    EXPECT_EQ(tall.verifying_key(), verifying_key());
    const GateSystem s = testing::make_gate_system(tall.trace());
    EXPECT_EQ(check(prove_with(key(), s), s.statement, verifying_key()), "ok");
}

TEST_F(PreprocessedTest, AKeyIsRestoredFromOneLevelOfItsTree) {
    const auto restore = [](std::span<const Digest> level) {
        return ProvingKey::restore(testing::make_gate_columns(circuit()), level, verifying_key());
    };
    const auto again = restore(key().level());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->verifying_key(), verifying_key());
    EXPECT_TRUE(std::ranges::equal(again->level(), key().level()));
    EXPECT_EQ(encode_proof(circuit(), prove_with(*again, system()), system().statement, &verifying_key()), bytes());
    std::vector<Digest> level(key().level().begin(), key().level().end());
    EXPECT_FALSE(restore(std::span(level).first(level.size() / 2)).has_value());
    level.back()[7] += KoalaBear(1);
    EXPECT_FALSE(restore(level).has_value());
    // The right nodes over other rows are our own bug, seen where a row is opened.
    PreprocessedTrace other = testing::make_gate_columns(circuit());
    other.column(4, 0)[0] += KoalaBear(1);
    const auto wrong = ProvingKey::restore(std::move(other), key().level(), verifying_key());
    EXPECT_DEATH((void)wrong->commitment().open(5), "check failed");
}

TEST_F(PreprocessedTest, AKeyOfAnotherSizeOrLevelIsRefused) {
    Heights taller = testing::kGateHeights;
    taller[0] = 11;
    const ProvingKey tall(testing::make_gate_columns(circuit(), taller));
    const GateSystem s = testing::make_gate_system(tall.trace());
    const Proof p = prove_with(tall, s);
    EXPECT_EQ(check(p, s.statement, tall.verifying_key()), "ok");
    EXPECT_EQ(check(p, s.statement, verifying_key()), "wrong_key");
    const ProvingKey strong(testing::make_gate_columns(circuit()), 120);
    for (const ProvingKey* other : {&tall, &strong}) {
        EXPECT_EQ(check(proof(), system().statement, other->verifying_key()), "wrong_key");
        EXPECT_EQ(check(bytes(), other->verifying_key()), "wrong_key");
    }
    Proof claimed = proof();
    claimed.security_bits = 120;
    EXPECT_EQ(check(claimed), "wrong_key");
}

TEST_F(PreprocessedTest, AMissingOrForeignKeyIsOurOwnBug) {
    EXPECT_DEATH((void)verify(circuit(), proof(), system().statement), "check failed");
    EXPECT_DEATH((void)decode_proof(circuit(), bytes(), system().statement), "check failed");
    EXPECT_DEATH((void)prove(circuit(), system().trace, system().statement), "check failed");
    const Circuit renamed("others", testing::gate_tables());
    EXPECT_DEATH((void)verify(renamed, proof(), system().statement, 100, &verifying_key()), "check failed");
    const Circuit cubes("cubes", testing::cube_tables());
    EXPECT_DEATH((void)PreprocessedTrace(cubes, Heights{9, 10}), "check failed");
}

TEST(PreprocessedTables, TheDigestBindsWhichColumnsTheyAre) {
    Table table = make_table<testing::GateTable>(10);
    EXPECT_EQ(table.num_preprocessed, 5U);
    EXPECT_EQ(table.num_witness(), 3U);
    EXPECT_EQ(table.columns.back(), "multiplies");
    const Digest digest = table.digest();
    for (const std::size_t n : {0U, 4U, 6U}) {
        table.num_preprocessed = n;
        EXPECT_NE(table.digest(), digest);
    }
}

TEST(PreprocessedTables, BadTablesAreOurOwnBug) {
    EXPECT_DEATH((void)make_table<testing::GateTable>(), "check failed");
    std::vector<Table> tables{make_table<testing::WeightedSumTable>(9)};
    EXPECT_EQ(tables[0].next_columns(), (std::vector<std::uint32_t>{1}));
    tables[0].fixed_log_height.reset();
    EXPECT_DEATH((void)Circuit("no height", tables), "check failed");
    tables[0].fixed_log_height = 9;
    tables[0].num_preprocessed = 4;  // now the last of them is read in the next row
    EXPECT_DEATH((void)Circuit("next row", tables), "check failed");
    tables = {make_table<testing::ConstantTable>(9)};
    EXPECT_DEATH((void)Circuit("no witness", tables), "check failed");
}

// The start of a transcript over wires is that over elements.
struct Wire {
    KoalaBear value;
};
struct RecordingSponge {
    std::vector<KoalaBear> seen;
    void absorb(KoalaBear x) { seen.push_back(x); }
    void absorb(Wire x) { seen.push_back(x.value); }
};

TEST_F(PreprocessedTest, TheStartIsTheSameOverWires) {
    const KeyDigests<KoalaBear> digests = key_digests(circuit(), &verifying_key());
    const WhirParameters parameters = generate_whir_parameters(17, security_target(100));
    RecordingSponge native;
    absorb_start(native, digests, testing::kGateHeights, parameters, 100, system().statement,
                 [](KoalaBear x) { return x; });
    const auto wires = [](const Digest& d) {
        std::array<Wire, kDigestSize> w{};
        for (std::size_t i = 0; i < w.size(); ++i) w[i] = Wire{d[i]};
        return w;
    };
    BasicStatement<Wire> statement;
    for (const PublicTuple& t : system().statement.tuples) {
        statement.tuples.push_back({t.bus, Wire{t.multiplicity}, {}});
        for (const KoalaBear x : t.tuple) statement.tuples.back().tuple.push_back(Wire{x});
    }
    RecordingSponge over_wires;
    absorb_start(over_wires, KeyDigests<Wire>{wires(digests.circuit), wires(*digests.preprocessed_root)},
                 testing::kGateHeights, parameters, 100, statement, [](KoalaBear x) { return Wire{x}; });
    EXPECT_EQ(over_wires.seen, native.seen);
    Transcript t;
    t.absorb(std::span<const KoalaBear>(native.seen));
    EXPECT_EQ(t.squeeze_ext(),
              start_transcript(circuit(), testing::kGateHeights, parameters, 100, system().statement, &verifying_key())
                  .squeeze_ext());
}

}  // namespace
}  // namespace quarry::preprocessed_test
