#include "quarry/proof/proof.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <random>
#include <string>
#include <type_traits>

#include "quarry/field/isa.hpp"
#include "quarry/proof/keccak_wire.hpp"
#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::proof_test {
namespace {

using testing::CubeSystem;
using Bytes = std::vector<std::uint8_t>;

const Circuit& cubes() {
    static const Circuit c("cubes", testing::cube_tables());
    return c;
}
const CubeSystem& cube_system() {
    static const CubeSystem s = testing::make_cube_system(cubes());
    return s;
}
Bytes encode(const Proof& proof) { return encode_proof(cubes(), proof, cube_system().statement); }
Bytes encode(const KeccakProof& proof) { return encode_keccak_proof(cubes(), proof); }

// Another symbol of a stream, or of a digest.
void change(KoalaBear& x) { x += KoalaBear(1); }
void change(std::uint8_t& x) { x ^= 1; }

/// What does not depend on the hash, or on the bytes of a proof.
template <class P>
class ProofTest : public ::testing::Test {
  protected:
    using AProof = BasicProof<P>;
    static const Circuit& circuit() { return cubes(); }
    static const CubeSystem& system() { return cube_system(); }
    static const AProof& proof() {
        static const AProof p = prove<P>(circuit(), system().trace, system().statement);
        return p;
    }
    static const Bytes& bytes() {
        static const Bytes b = encode(proof());
        return b;
    }
    static AProof prove_lying(ProverChannel::Tamper tamper) {
        BasicProveOptions<P> options;
        options.tamper = std::move(tamper);
        return prove(circuit(), system().trace, system().statement, options);
    }
    static std::string check(const AProof& p) { return name_of(verify(circuit(), p, system().statement)); }
    static std::string name_of(const Status& s) { return s.ok() ? "ok" : errc_name(s.error().code); }
};
using Policies = ::testing::Types<PoseidonPolicy, KeccakPolicy>;
struct PolicyNames {
    template <class P>
    static std::string GetName(int) {
        return std::is_same_v<P, KeccakPolicy> ? "keccak" : "poseidon";
    }
};
TYPED_TEST_SUITE(ProofTest, Policies, PolicyNames);

class WireTest : public ProofTest<PoseidonPolicy> {
  protected:
    static Status check(const Bytes& b, const Statement& statement) {
        const auto in_two_steps = [&]() -> Status {
            QUARRY_TRY_ASSIGN(const Proof p, decode_proof(circuit(), b, statement));
            return verify(circuit(), p, statement);
        };
        const Status status = in_two_steps();
        EXPECT_EQ(verify_encoded(circuit(), b, statement).ok(), status.ok()) << "the one-pass verifier disagrees";
        return status;
    }
    static Status check(const Bytes& b) { return check(b, system().statement); }
};

TYPED_TEST(ProofTest, AcceptsAnHonestProof) { EXPECT_EQ(this->check(this->proof()), "ok"); }

TEST_F(WireTest, AcceptsTheBytesOfAnHonestProof) { EXPECT_EQ(name_of(check(bytes())), "ok"); }

TEST_F(WireTest, EncodingIsCanonical) {
    const auto decoded = decode_proof(circuit(), bytes(), system().statement);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(encode_proof(circuit(), decoded.value(), system().statement), bytes());
    const auto header = decode_header(bytes());
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header.value().heights, (Heights{9, 10}));
    EXPECT_EQ(header.value().security_bits, 100U);
}

// Acceptance 8: deterministic, independent of threads and instruction set.
TYPED_TEST(ProofTest, SameBytesOnEveryIsaAndThreadCount) {
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        const auto p = prove<TypeParam>(this->circuit(), this->system().trace, this->system().statement);
        EXPECT_EQ(encode(p), this->bytes()) << isa_name(isa);
    }
    force_isa(before);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto p = prove<TypeParam>(this->circuit(), this->system().trace, this->system().statement);
    EXPECT_EQ(encode(p), this->bytes());
}

TYPED_TEST(ProofTest, AnotherStatementIsRefused) {
    const Circuit& circuit = this->circuit();
    const CubeSystem& system = this->system();
    Statement other = system.statement;
    other.tuples[0].tuple[0] += KoalaBear(1);
    EXPECT_NE(this->name_of(verify(circuit, this->proof(), other)), "ok");
    // Made for the false statement from the start: the buses do not balance.
    const auto lie = prove<TypeParam>(circuit, system.trace, other);
    EXPECT_EQ(this->name_of(verify(circuit, lie, other)), "bus_imbalance");
    EXPECT_EQ(this->name_of(verify(circuit, prove<TypeParam>(circuit, system.trace, {}), {})), "bus_imbalance");
}

TEST_F(WireTest, BytesForAnotherStatementAreRefused) {
    Statement other = system().statement;
    other.tuples[0].tuple[0] += KoalaBear(1);
    EXPECT_EQ(name_of(check(bytes(), other)), "statement_mismatch");
}

// ADVERSARIAL, Transcript: "the *length* of the public input and the public input (zero-padding collisions are a known
// break)".
TEST_F(WireTest, ZeroPaddedPublicInputIsAnotherStatement) {
    Statement padded = system().statement;
    padded.tuples[0].tuple.emplace_back();
    EXPECT_EQ(name_of(check(bytes(), padded)), "statement_mismatch");
    // (s) and (s, 0) have the same fingerprint: only the bus's arity tells them apart, so it is checked.
    const Proof for_padded = prove(circuit(), system().trace, padded);
    EXPECT_EQ(name_of(verify(circuit(), for_padded, padded)), "statement_mismatch");
    EXPECT_EQ(name_of(check(encode_proof(circuit(), for_padded, padded), padded)), "statement_mismatch");
    Statement unknown_bus = system().statement;
    unknown_bus.tuples.push_back({77, KoalaBear(), {KoalaBear(1)}});
    EXPECT_EQ(name_of(verify(circuit(), proof(), unknown_bus)), "statement_mismatch");
}

// ADVERSARIAL, Transcript: "Absorb before any challenge: protocol version, circuit/verifying-key digest, every
// parameter, every table height".
TYPED_TEST(ProofTest, TranscriptBindsEverythingPublic) {
    const auto layout = make_stack_layout(this->circuit(), {9, 10}).value();
    const WhirParameters parameters = generate_whir_parameters(layout.log_size, security_target(100));
    auto first_challenge = [&](const Circuit& c, const Heights& h, const WhirParameters& p, unsigned bits,
                               const Statement& s) {
        return start_transcript<TypeParam>(c, h, p, bits, s).squeeze_ext();
    };
    const Statement& s = this->system().statement;
    const ExtField honest = first_challenge(this->circuit(), {9, 10}, parameters, 100, s);
    EXPECT_NE(honest, first_challenge(this->circuit(), {10, 9}, parameters, 100, s));
    EXPECT_NE(honest, first_challenge(this->circuit(), {9, 11}, parameters, 100, s));
    EXPECT_NE(honest, first_challenge(this->circuit(), {9, 10}, parameters, 120, s));
    EXPECT_NE(honest, first_challenge(this->circuit(), {9, 10}, parameters, 100, {}));
    const Circuit renamed("cubes2", testing::cube_tables());
    EXPECT_NE(honest, first_challenge(renamed, {9, 10}, parameters, 100, s));
    auto tables = testing::cube_tables();
    tables[0].constraints[0].form.constant += KoalaBear(1);
    const Circuit changed("cubes", std::move(tables));
    EXPECT_NE(honest, first_challenge(changed, {9, 10}, parameters, 100, s));
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        for (unsigned WhirRound::* field : {&WhirRound::log_lanes, &WhirRound::log_message, &WhirRound::log_inv_rate,
                                            &WhirRound::num_queries, &WhirRound::grinding_bits}) {
            WhirParameters p = parameters;
            p.rounds[i].*field += 1;
            EXPECT_NE(honest, first_challenge(this->circuit(), {9, 10}, p, 100, s));
        }
    }
    WhirParameters p = parameters;
    p.log_final += 1;
    EXPECT_NE(honest, first_challenge(this->circuit(), {9, 10}, p, 100, s));
}

TEST_F(WireTest, HeaderIsChecked) {
    const struct {
        std::size_t offset;
        const char* expected;
    } cases[] = {{0, "bad_magic"},          {4, "unsupported_version"}, {6, "wrong_key"},
                 {8, "wrong_key"},          {40, "statement_mismatch"}, {72, "wrong_key"},  // security bits
                 {73, "bad_shape"},                                                         // number of tables
                 {75, "statement_mismatch"}};  // a height: the transcript's start binds it
    for (const auto& c : cases) {
        Bytes b = bytes();
        b[c.offset] ^= 1;
        EXPECT_EQ(name_of(check(b)), c.expected) << c.offset;
    }
    for (const unsigned height : {1U, 8U, 22U, 255U}) {
        Bytes b = bytes();
        b[74] = static_cast<std::uint8_t>(height);
        EXPECT_EQ(name_of(check(b)), "bad_shape") << height;
    }
    EXPECT_EQ(name_of(verify(circuit(), proof(), system().statement, 120)), "wrong_key");
}

// ADVERSARIAL, Transcript: "Trailing bytes, wrong lengths: rejected before any arithmetic."
TEST_F(WireTest, TruncatedAndExtendedBytesAreRefused) {
    Bytes longer = bytes();
    longer.push_back(0);
    EXPECT_EQ(name_of(check(longer)), "trailing_bytes");
    for (std::size_t n = 0; n < bytes().size(); n += n < 100 ? 1 : 997) {
        const Bytes shorter(bytes().begin(), bytes().begin() + static_cast<std::ptrdiff_t>(n));
        EXPECT_EQ(name_of(check(shorter)), "truncated") << n;
    }
}

TYPED_TEST(ProofTest, TruncatedAndExtendedProofsAreRefused) {
    auto p = this->proof();
    p.stream.pop_back();
    EXPECT_EQ(this->check(p), "bad_length");
    p = this->proof();
    p.stream.emplace_back();
    EXPECT_EQ(this->check(p), "bad_length");
    p = this->proof();
    p.openings.oracles[0].pop_back();
    EXPECT_EQ(this->check(p), "bad_length");
    p = this->proof();
    p.openings.oracles[0][0].path.pop_back();
    EXPECT_EQ(this->check(p), "bad_length");
    p = this->proof();
    p.openings.oracles[0][0].row.pop_back();
    EXPECT_EQ(this->check(p), "bad_length");
    p = this->proof();
    p.heights.pop_back();
    EXPECT_EQ(this->check(p), "bad_shape");
}

// ADVERSARIAL, Transcript: "Non-canonical field elements (>= p) rejected".
TEST_F(WireTest, NonCanonicalElementsAreRefused) {
    // Element k of the stream as value + p, where that fits 32 bits: another encoding of the same element.
    const std::size_t begin = 76;
    std::size_t tried = 0;
    for (std::size_t k = 0; k < proof().stream.size() && tried < 50; k += 7) {
        Bytes b = bytes();
        const std::uint64_t x = std::uint64_t{proof().stream[k].canonical()} + KoalaBear::kModulus;
        if (x >> 32 != 0) continue;
        for (std::size_t i = 0; i < 4; ++i) b[begin + 4 * k + i] = static_cast<std::uint8_t>(x >> (8 * i));
        EXPECT_EQ(name_of(check(b)), "non_canonical") << k;
        ++tried;
    }
    EXPECT_GT(tried, 10U);
}

// ADVERSARIAL, Transcript: "Change any single element of a proof: rejected."
TYPED_TEST(ProofTest, EveryStreamElementMatters) {
    const std::size_t step =
        TypeParam::kUnits.element == 1 ? 3 : 7;  // of bytes, each of the four in an element in turn
    for (std::size_t k = 0; k < this->proof().stream.size(); k += step) {
        auto p = this->proof();
        change(p.stream[k]);
        EXPECT_NE(this->check(p), "ok") << k;
    }
}

TYPED_TEST(ProofTest, EveryOpeningMatters) {
    std::mt19937_64 rng(1);
    for (std::size_t i = 0; i < this->proof().openings.oracles.size(); ++i) {
        for (std::size_t j = 0; j < this->proof().openings.oracles[i].size(); j += 5) {
            auto p = this->proof();
            auto& row = p.openings.oracles[i][j].row;
            row[rng() % row.size()] += KoalaBear(1);
            EXPECT_EQ(this->check(p), "merkle_mismatch");
            p = this->proof();
            auto& path = p.openings.oracles[i][j].path;
            change(path[rng() % path.size()][rng() % 8]);
            EXPECT_EQ(this->check(p), "merkle_mismatch");
        }
    }
}

TEST_F(WireTest, RandomByteFlipsAreRefused) {
    std::mt19937_64 rng(2);
    for (int i = 0; i < 200; ++i) {
        Bytes b = bytes();
        b[rng() % b.size()] ^= static_cast<std::uint8_t>(1U << (rng() % 8));
        EXPECT_NE(name_of(check(b)), "ok");
    }
}

// A prover that lies in one message and goes on consistently with what it said: the tamper hook changes a message
// before it is absorbed. Every label, first and last message of it.
TYPED_TEST(ProofTest, LyingProverIsRefused) {
    const struct {
        const char* label;
        std::vector<const char*> expected;  // the refusals that are right
    } cases[] = {{"root", {"merkle_mismatch"}},
                 {"gkr/root", {"bus_imbalance"}},
                 {"gkr/round", {"gkr_mismatch"}},
                 {"gkr/layer", {"gkr_mismatch"}},
                 {"zerocheck/skip", {"skip_sum_mismatch"}},
                 {"zerocheck/round", {"constraint_mismatch"}},
                 {"zerocheck/values", {"constraint_mismatch"}},
                 {"whir/sumcheck", {"final_mismatch"}},
                 {"whir/root", {"merkle_mismatch"}},
                 {"whir/ood", {"final_mismatch"}},
                 {"whir/final", {"query_mismatch"}},
                 {"whir/nonce", {"bad_grinding"}}};
    for (const auto& c : cases) {
        std::size_t seen = 0;
        (void)this->prove_lying(
            [&](const char* label, std::span<KoalaBear>) { seen += std::string_view(label) == c.label; });
        if (seen == 0) {
            ADD_FAILURE() << "no message " << c.label;
            continue;
        }
        for (const std::size_t lie : {std::size_t{0}, seen - 1}) {
            std::size_t at = 0;
            const auto p = this->prove_lying([&](const char* label, std::span<KoalaBear> message) {
                if (std::string_view(label) == c.label && at++ == lie) message[0] += KoalaBear(1);
            });
            const std::string got = this->check(p);
            EXPECT_NE(std::find(c.expected.begin(), c.expected.end(), got), c.expected.end())
                << c.label << " " << lie << ": " << got;
        }
    }
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace": here each column, at rows where something changes.
TEST_F(WireTest, MutatedTracesAreRefused) {
    for (std::size_t t = 0; t < 2; ++t) {
        for (std::size_t c = 0; c < circuit().tables()[t].num_columns(); ++c) {
            for (const std::size_t row : {std::size_t{0}, std::size_t{200}, (std::size_t{512} << t) - 1}) {
                CubeSystem s = testing::make_cube_system(circuit());
                s.trace.column(t, c)[row] += KoalaBear(1);
                const Proof p = prove(circuit(), s.trace, s.statement);
                EXPECT_NE(name_of(verify(circuit(), p, s.statement)), "ok") << t << " " << c << " " << row;
            }
        }
    }
}

TEST(StackLayout, OrdersByHeightAndRefusesBadShapes) {
    const Circuit circuit("cubes", testing::cube_tables());
    const auto layout = make_stack_layout(circuit, {9, 12}).value();
    EXPECT_EQ(layout.order, (std::vector<std::size_t>{1, 0}));
    EXPECT_EQ(layout.offset[1], 0U);
    EXPECT_EQ(layout.offset[0], std::size_t{5} << 12);
    EXPECT_EQ(layout.log_size, 19U);
    EXPECT_EQ(layout.used_lanes, 6U);
    for (const Heights& bad : {Heights{}, Heights{9}, Heights{9, 8}, Heights{22, 9}, Heights{9, 9, 9}}) {
        const auto r = make_stack_layout(circuit, bad);
        ASSERT_FALSE(r.ok());
        EXPECT_EQ(r.error().code, Errc::bad_shape);
    }
    std::vector<Table> wide(1);
    wide[0].columns.resize(129);
    const Circuit wide_circuit("wide", std::move(wide));
    EXPECT_TRUE(make_stack_layout(wide_circuit, {20}).ok());
    const auto too_large = make_stack_layout(wide_circuit, {21});
    ASSERT_FALSE(too_large.ok());
    EXPECT_EQ(too_large.error().code, Errc::limit_exceeded);
}

/// Cubes, their users, and a second table of cubes that nobody needs.
class AbsentTables : public ::testing::Test {
  protected:
    static std::vector<Table> tables() {
        std::vector<Table> r = testing::cube_tables();
        r.push_back(make_table<testing::CubeTable>());
        r.back().name = "more cubes";
        return r;
    }
    /// Cells of the two tables, where they are present; zeros in the third.
    [[nodiscard]] Trace trace(const Heights& heights) const {
        Trace r(circuit_, heights);
        for (std::size_t t = 0; t < heights.size(); ++t) {
            for (std::size_t c = 0; heights[t] != 0 && c < circuit_.tables()[t].num_columns(); ++c) {
                if (t == 2) std::ranges::fill(r.column(t, c), KoalaBear());
                if (t < 2) std::ranges::copy(system_.trace.column(t, c), r.column(t, c).begin());
            }
        }
        return r;
    }
    [[nodiscard]] Proof prove_at(const Heights& heights) const {
        return prove(circuit_, trace(heights), system_.statement);
    }
    [[nodiscard]] bool accepts(const Proof& proof) const { return verify(circuit_, proof, system_.statement).ok(); }

    const Circuit pair_{"cubes", testing::cube_tables()};
    const Circuit circuit_{"cubes and more", tables()};
    const testing::CubeSystem system_ = testing::make_cube_system(pair_);
};

TEST_F(AbsentTables, AreAsIfTheyHadZeros) {
    Proof absent = prove_at({9, 10, 0});
    Proof present = prove_at({9, 10, 9});
    for (const Proof& proof : {absent, present}) {
        EXPECT_TRUE(accepts(proof));
        const auto bytes = encode_proof(circuit_, proof, system_.statement);
        EXPECT_TRUE(verify_encoded(circuit_, bytes, system_.statement).ok());
        const auto decoded = decode_proof(circuit_, bytes, system_.statement);
        ASSERT_TRUE(decoded.ok());
        EXPECT_EQ(encode_proof(circuit_, decoded.value(), system_.statement), bytes);
    }
    EXPECT_LT(absent.stream.size(), present.stream.size());
    std::swap(absent.heights, present.heights);
    EXPECT_FALSE(accepts(absent));
    EXPECT_FALSE(accepts(present));
    // Without the table that the users look into, nothing balances.
    EXPECT_FALSE(accepts(prove_at({0, 10, 9})));
}

TEST_F(AbsentTables, OnlyEmptyOnesMayBe) {
    const StackLayout layout = make_stack_layout(circuit_, {9, 10, 0}).value();
    EXPECT_EQ(layout.order, (std::vector<std::size_t>{1, 0}));
    EXPECT_EQ(layout.used_cells, (std::size_t{5} << 10) + (std::size_t{4} << 9));
    // Users ask in every row, whatever it holds; and someone must be there.
    std::vector<Heights> bad{{9, 0, 9}, {0, 0, 0}, {0, 0, 9}};
    for (const Heights& heights : bad) {
        EXPECT_EQ(make_stack_layout(circuit_, heights).error().code, Errc::bad_shape);
        Proof proof = prove_at({9, 10, 9});
        proof.heights = heights;
        EXPECT_EQ(verify(circuit_, proof, system_.statement).error().code, Errc::bad_shape);
    }
    // A constraint that zeros break; a fixed height; nothing but an absent table.
    Table table;
    table.name = "ones";
    table.columns = {"x"};
    AirBuilder builder(table);
    builder.equal("one", Expr(&table.graph, table.graph.column(0, false)), Expr(1));
    const Circuit ones("ones", {make_table<testing::CubeTable>(), std::move(table)});
    EXPECT_TRUE(make_stack_layout(ones, {0, 9}).ok());
    EXPECT_FALSE(make_stack_layout(ones, {9, 0}).ok());
    const Circuit fixed("fixed", {make_table<testing::CubeTable>(9), make_table<testing::CubeTable>()});
    EXPECT_TRUE(make_stack_layout(fixed, {9, 0}).ok());
    EXPECT_FALSE(make_stack_layout(fixed, {0, 9}).ok());
    const Circuit alone("alone", {make_table<testing::CubeTable>()});
    EXPECT_FALSE(make_stack_layout(alone, {0}).ok());
}

}  // namespace
}  // namespace quarry::proof_test
