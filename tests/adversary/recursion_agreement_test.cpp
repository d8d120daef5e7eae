// "C++ verifier, circuit verifier and Solidity verifier agree on every element of one corpus of valid and mutated
// proofs; mutants are re-hashed and re-ground so that they get past the first check, and the corpus reaches every error
// code of each verifier." Here: the native verifier and the one in a circuit. They agree check by check, not only in
// the verdict, so that a mutant that breaks many checks at once tells as much as one for each of them.
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <random>

#include "quarry/base/parallel.hpp"
#include "tests/adversary/recursion_child.hpp"
#include "tests/adversary/recursion_verdicts.hpp"

namespace quarry::recursion_agreement_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)

struct Mutant {
    std::string what;
    Proof proof;
    Statement statement;
};

/// What both verifiers say of one proof, or where they differ.
struct Comparison {
    std::string code;  ///< the native verifier's
    Verdicts verdicts;
    std::string disagreement;  ///< empty: none
};
/// `circuit`: rows of the verifier's circuit; this proof must not make it another one. `every_row`: also with every
/// constraint of every row, as a proof of the circuit would have it.
Comparison compare(const Child& child, const recursion::CircuitRows& circuit, const Proof& proof,
                   const Statement& statement, bool every_row) {
    Comparison r;
    const Status status = child.verify_native(proof, statement);
    r.code = name_of(status);
    r.verdicts = native_verdicts(*child.circuit, proof, statement, child.verifying_key());
    const Verifier verifier = verifier_of(child, proof, statement);
    const WireCheck wires(verifier.rows, verifier.exposed);
    bool other_is_wrong = false;
    const Verdicts in_circuit = wires.verdicts(other_is_wrong);
    const auto complain = [&](const std::string& what) { r.disagreement += what + " (native: " + r.code + ")\n"; };
    if (r.verdicts.all() != status.ok()) complain("the list of checks is not the verifier's");
    if (wires.accepts() != status.ok()) complain(wires.accepts() ? "the circuit accepts" : "the circuit refuses");
    if (in_circuit.equal != r.verdicts.equal) complain("equalities");
    if (in_circuit.nonzero != r.verdicts.nonzero) complain("denominators");
    if (in_circuit.paths != r.verdicts.paths) complain("paths");
    if (in_circuit.work != r.verdicts.work) complain("nonces");
    if (other_is_wrong) complain("a wire that no check reads");
    if (!is_same_circuit(verifier.rows, circuit)) complain("the circuit depends on the proof");
    if (!wires.has_single_writers()) complain("a wire with two writers");
    if (!wires.are_counts_right()) complain("numbers of readers");
    if (every_row) {
        const std::string found = recursion::testing::LaidOut(verifier.rows).complaint(verifier.exposed);
        if (found.empty() != status.ok()) complain("every row: " + found);
    }
    return r;
}
std::size_t num_false(const Verdicts& v) {
    return static_cast<std::size_t>(std::ranges::count(v.equal, false) + std::ranges::count(v.nonzero, false) +
                                    std::ranges::count(v.paths, false) + std::ranges::count(v.work, false));
}

KoalaBear another(KoalaBear x, std::mt19937_64& rng) {
    switch (rng() % 4) {
        case 0:
            return x + KoalaBear(1);
        case 1:
            return x.is_zero() ? KoalaBear(1) : KoalaBear();
        case 2:
            return -x + KoalaBear(x.is_zero() ? 2 : 0);
        default:
            return x + KoalaBear(1 + rng() % 1000000);
    }
}

/// Another sibling on path j, and on every path beside which it lies: the wire form has it once, and has no sibling
/// that lies on an opened path itself, where the circuit takes that path's word.
void change_sibling(WhirOpenings& openings, std::size_t o, std::size_t j, std::mt19937_64& rng) {
    const std::vector<std::size_t>& positions = openings.positions[o];
    auto& oracle = openings.oracles[o];
    const std::size_t height = oracle[j].path.size();
    const std::size_t start = rng() % height;
    for (std::size_t i = 0; i < height; ++i) {
        const std::size_t level = (start + i) % height;
        const std::size_t sibling = positions[j] >> level ^ 1;
        if (std::ranges::any_of(positions, [&](std::size_t p) { return p >> level == sibling; })) continue;
        Digest changed = oracle[j].path[level];
        KoalaBear& x = changed[rng() % kDigestSize];
        x = another(x, rng);
        for (std::size_t q = 0; q < oracle.size(); ++q) {
            if ((positions[q] >> level ^ 1) == sibling) oracle[q].path[level] = changed;
        }
        return;
    }
}

/// The honest proof with something changed that was not absorbed as such: what comes later in it is then answers to
/// other challenges.
Mutant change(const Child& child, const Proof& other, std::mt19937_64& rng) {
    Mutant m{"", child.proof, child.statement};
    ProofStream& stream = m.proof.stream;
    auto& oracles = m.proof.openings.oracles;
    const std::size_t i = rng() % stream.size();
    const std::size_t o = rng() % oracles.size();
    const std::size_t j = rng() % oracles[o].size();
    const auto at = [&](const char* what, std::size_t k) { m.what = what + (" " + std::to_string(k)); };
    switch (rng() % 10) {
        case 0:
        case 1:
        case 2:
            at("element", i);
            stream[i] = another(stream[i], rng);
            break;
        case 3:  // the last ones: the final polynomial and its sums
            at("element from the end", i % 200);
            stream[stream.size() - 1 - i % 200] = another(stream[stream.size() - 1 - i % 200], rng);
            break;
        case 4:
            at("tail of another proof", i);
            std::copy(other.stream.begin() + static_cast<std::ptrdiff_t>(i), other.stream.end(),
                      stream.begin() + static_cast<std::ptrdiff_t>(i));
            break;
        case 5: {
            at("cell of an opened row", j);
            auto& row = oracles[o][j].row;
            KoalaBear& x = row[rng() % row.size()];
            x = another(x, rng);
            break;
        }
        case 6: {
            at("sibling", j);
            change_sibling(m.proof.openings, o, j, rng);
            break;
        }
        case 7:
            at("opening of another query", j);
            oracles[o][j] = oracles[o][rng() % oracles[o].size()];
            break;
        case 8:
            at("openings of another proof", o);
            oracles[o] = other.openings.oracles[o];
            break;
        default: {
            std::size_t elements = 0;
            for (const PublicTuple& t : m.statement.tuples) elements += t.tuple.size();
            if (elements == 0) {
                at("nothing", 0);
                break;
            }
            at("statement", elements);
            for (std::size_t k = rng() % elements; PublicTuple & t : m.statement.tuples) {
                if (k < t.tuple.size()) {
                    t.tuple[k] = another(t.tuple[k], rng);
                    break;
                }
                k -= t.tuple.size();
            }
        }
    }
    return m;
}

/// A prover that lies in one message and goes on consistently: right challenges, work, trees and paths.
Mutant lie(const Child& child, std::size_t num_messages, std::mt19937_64& rng) {
    const std::size_t number = rng() % num_messages;
    std::size_t seen = 0;
    Mutant m{"lie in message " + std::to_string(number), {}, child.statement};
    m.proof = child.prove_with([&](const char* label, std::span<KoalaBear> message) {
        if (seen++ != number) return;
        m.what += std::string(", ") + label;
        KoalaBear& x = message[rng() % message.size()];
        x = another(x, rng);
    });
    return m;
}
/// An honest prover with a wrong cell.
Mutant wrong_cell(const Child& child, std::mt19937_64& rng) {
    Mutant m{"wrong cell", {}, child.statement};
    const std::size_t t = rng() % child.circuit->tables().size();
    const std::size_t num_columns = child.circuit->tables()[t].num_witness();
    if (num_columns == 0) return {"nothing", child.proof, child.statement};
    Trace trace(*child.circuit, child.trace->heights());
    for (std::size_t i = 0; i < child.circuit->tables().size(); ++i) {
        for (std::size_t c = 0; c < child.circuit->tables()[i].num_witness(); ++c) {
            std::ranges::copy(std::as_const(*child.trace).column(i, c), trace.column(i, c).begin());
        }
    }
    const auto column = trace.column(t, rng() % num_columns);
    KoalaBear& x = column[rng() % column.size()];
    x = another(x, rng);
    m.proof = child.prove_with(nullptr, &trace);
    return m;
}

/// The honest proof of the same circuit with another witness where one is at hand; else with a lie at the end.
Proof other_proof(const Child& child) {
    return child.prove_with([](const char* label, std::span<KoalaBear> message) {
        if (std::string(label) == "whir/ood") message[0] += KoalaBear(1);
    });
}

/// Compares `count` mutants of a child; returns how many there were of each native verdict.
std::map<std::string, std::size_t> run_corpus(const Child& child, std::size_t count, std::uint64_t seed,
                                              std::size_t full_check_every) {
    std::map<std::string, std::size_t> codes;
    std::mutex mutex;
    const Proof other = other_proof(child);
    const Verifier honest = verifier_of(child, child.proof, child.statement);
    std::size_t num_messages = 0;
    (void)child.prove_with([&](const char*, std::span<KoalaBear>) { ++num_messages; });
    std::vector<std::string> disagreements;
    parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t k = begin; k < end; ++k) {
            std::mt19937_64 rng(1'000'003 * seed + k);
            const Mutant m = k == 0        ? Mutant{"honest", child.proof, child.statement}
                             : k % 10 == 1 ? lie(child, num_messages, rng)
                             : k % 20 == 2 ? wrong_cell(child, rng)
                                           : change(child, other, rng);
            const Comparison c = compare(child, honest.rows, m.proof, m.statement, k % full_check_every == 0);
            const std::scoped_lock lock(mutex);
            ++codes[c.code];
            if (!c.disagreement.empty()) disagreements.push_back(m.what + ": " + c.disagreement);
        }
    });
    EXPECT_EQ(disagreements.size(), 0U) << child.name;
    for (std::size_t i = 0; i < std::min<std::size_t>(disagreements.size(), 5); ++i) ADD_FAILURE() << disagreements[i];
    return codes;
}

// What the corpus relies on: a wrong cell that goes over a bus is seen, whatever the table.
TEST(RecursionAgreement, TheWireCheckReadsEveryTable) {
    const Child child = cubes_child();
    const Verifier honest = verifier_of(child, child.proof, child.statement);
    EXPECT_TRUE(WireCheck(honest.rows, honest.exposed).accepts());
    const auto expect_seen = [&](const char* table, auto cell) {
        recursion::CircuitRows rows = honest.rows;
        cell(rows) += KoalaBear(1);
        EXPECT_FALSE(WireCheck(rows, honest.exposed).accepts()) << table;
        EXPECT_TRUE(is_same_circuit(rows, honest.rows));
    };
    expect_seen("sponge", [](auto& r) -> KoalaBear& { return r.sponge.rows[0].in[0]; });
    expect_seen("tree", [](auto& r) -> KoalaBear& { return r.tree.rows[0].in[recursion::kBlock]; });
    expect_seen("upper", [](auto& r) -> KoalaBear& { return r.upper.rows[0].in[recursion::kBlock]; });
    expect_seen("upper", [](auto& r) -> KoalaBear& { return r.upper.rows[3].number; });
    expect_seen("upper", [](auto& r) -> KoalaBear& { return r.upper.rows[0].lefts; });
    expect_seen("cap", [](auto& r) -> KoalaBear& { return r.cap.rows[1].x[2]; });
    expect_seen("cap", [](auto& r) -> KoalaBear& { return r.cap.rows[1].bits[1]; });
    expect_seen("sum", [](auto& r) -> KoalaBear& { return r.sum.rows[0].x[0][0]; });
    expect_seen("form", [](auto& r) -> KoalaBear& { return r.form.rows[0].x[0][0]; });
    expect_seen("base fold", [](auto& r) -> KoalaBear& { return r.base_fold.rows[0].x[0][3]; });
    expect_seen("extension fold", [](auto& r) -> KoalaBear& { return r.extension_fold.rows[0].weights[7][4]; });
    expect_seen("polynomial", [](auto& r) -> KoalaBear& { return r.polynomial.rows[0].coefficients[1][1]; });
    expect_seen("power", [](auto& r) -> KoalaBear& { return r.power.rows[0].r[2]; });
    expect_seen("pack", [](auto& r) -> KoalaBear& { return r.pack.rows[0].x[0]; });
    expect_seen("digest", [](auto& r) -> KoalaBear& { return r.digest.rows[0].x[7]; });
    expect_seen("constant", [](auto& r) -> KoalaBear& { return r.constant.rows[0].x[0]; });
    expect_seen("index", [](auto& r) -> KoalaBear& { return r.index.rows[0].bits[0]; });
    Digest other = honest.exposed;
    other[7] += KoalaBear(1);
    EXPECT_FALSE(WireCheck(honest.rows, other).accepts());
    recursion::CircuitRows rows = honest.rows;
    rows.sum.fixed[0].linear[0] += KoalaBear(1);
    EXPECT_FALSE(is_same_circuit(rows, honest.rows));
}

TEST(RecursionAgreement, AFewMutants) {
    EXPECT_GE(run_corpus(cubes_child(), 6, 1, 6).at("ok"), 1U);
    EXPECT_GE(run_corpus(gates_child(), 6, 2, 6).at("ok"), 1U);
}

// "one corpus of valid and mutated proofs": 2,000 and more, of circuits of several heights, of one or many tables, with
// preprocessed columns and without, with buses and without. Each of the seven children's honest proof is among them.
TEST(RecursionAgreement, CorpusSlow) {
    std::map<std::string, std::size_t> codes;
    const auto add = [&](const Child& child, std::size_t count, std::uint64_t seed) {
        for (const auto& [code, n] : run_corpus(child, count, seed, 60)) codes[code] += n;
    };
    add(cubes_child(), 1200, 10);
    add(gates_child(9), 300, 11);
    add(gates_child(11), 60, 12);
    add(random_child(1, {}), 120, 13);
    add(random_child(5, {.max_tables = 3, .max_degree = 9}), 120, 14);
    add(random_child(6, {.max_buses = 0, .log_heights = {9, 12}}), 120, 15);
    add(random_child(7, {.max_tables = 3, .log_heights = {9, 13}}), 80, 16);
    std::size_t total = 0;
    std::string seen;
    for (const auto& [code, n] : codes) {
        total += n;
        seen += code + ": " + std::to_string(n) + "\n";
    }
    EXPECT_GE(total, 2000U);
    EXPECT_GE(codes["ok"], 7U) << seen;
    EXPECT_GE(codes["merkle_mismatch"], 100U) << seen;
    EXPECT_GE(codes["bad_grinding"], 20U) << seen;
    EXPECT_GE(codes["final_mismatch"], 20U) << seen;
}

const ExtField kOne{KoalaBear(1)};

/// Lies of the cubes' prover; compares, and expects the native verifier's code.
class RecursionLies : public ::testing::Test {
  protected:
    static const Child& child() {
        static const Child c = cubes_child();
        return c;
    }
    static const Verifier& honest() {
        static const Verifier v = verifier_of(child(), child().proof, child().statement);
        return v;
    }
    static Proof run(std::vector<Lie> lies, const Statement& statement) {
        return child().prove_with(tell(std::move(lies)), nullptr, &statement);
    }
    static Proof run(std::vector<Lie> lies) { return run(std::move(lies), child().statement); }
    /// `count` checks fail, and both verifiers say which.
    static void expect(const Proof& proof, const std::string& code, std::size_t count,
                       const Statement& statement = child().statement) {
        const Comparison c = compare(child(), honest().rows, proof, statement, false);
        EXPECT_EQ(c.code, code);
        EXPECT_EQ(c.disagreement, "") << code;
        EXPECT_EQ(num_false(c.verdicts), count) << code;
    }
    /// left - right of the n-th check at `where` when `number` of `label` is changed by `by` on top of `lies`.
    static ExtField gap(std::vector<Lie> lies, const Statement& statement, const std::string& where, std::size_t n,
                        const Lie& more) {
        lies.push_back(more);
        const NotingBackend noted = note(*child().circuit, run(std::move(lies), statement), statement);
        for (const auto& check : noted.checks) {
            if (check.where == where && n-- == 0) return check.left - check.right;
        }
        throw std::logic_error("no check at " + where);
    }
    /// Adds the lie about `number` of `label` that makes the n-th check at `where` hold: linear in it.
    static void repair(std::vector<Lie>& lies, const Statement& statement, const std::string& label, std::size_t number,
                       const std::string& where, std::size_t n = 0) {
        const ExtField at_zero = gap(lies, statement, where, n, {label, number, {}});
        const ExtField slope = gap(lies, statement, where, n, {label, number, kOne}) - at_zero;
        lies.push_back({label, number, -(at_zero * slope.inverse())});
    }
};

// A false statement, repaired check by check from the root of the bus argument to the opening: one check fails each
// time, and it is the same one in both verifiers.
TEST_F(RecursionLies, AFalseStatementRepairedCheckByCheckSlow) {
    Statement claimed = child().statement;
    claimed.tuples[0].tuple[0] += KoalaBear(1);
    std::vector<Lie> lies;
    expect(run(lies, claimed), "bus_imbalance", 1, claimed);
    repair(lies, claimed, "gkr/root", 0, "gkr/root");
    std::size_t num_layers = 0;
    (void)child().prove_with([&](const char* label, std::span<KoalaBear>) {
        if (std::string(label) == "gkr/layer") ++num_layers;
    });
    num_layers /= 4;
    for (std::size_t j = 0; j < num_layers; ++j) {
        expect(run(lies, claimed), "gkr_mismatch", 1, claimed);
        repair(lies, claimed, "gkr/layer", 4 * j, "gkr/layer", j);
    }
    expect(run(lies, claimed), "skip_sum_mismatch", 1, claimed);
    repair(lies, claimed, "zerocheck/skip", 0, "zerocheck/skip");
    expect(run(lies, claimed), "constraint_mismatch", 1, claimed);
    repair(lies, claimed, "zerocheck/values", 7 + 3, "zerocheck/values");
    expect(run(lies, claimed), "final_mismatch", 1, claimed);
}

// Every other code that a proof's content can cause, one check at a time where one can fail alone.
TEST_F(RecursionLies, EveryErrorCode) {
    const auto tampered = [](auto change) { return child().prove_with(change); };
    std::size_t at = 0;
    // q0 = q1 = 0 at the root: the fractions' sum is whatever one likes; (p0 q1 + p1 q0) = 0 holds.
    expect(tampered([&](const char* label, std::span<KoalaBear> message) {
               if (std::string(label) == "gkr/root" && at++ >= 2) std::ranges::fill(message, KoalaBear());
           }),
           "zero_denominator", 2);
    Proof p = child().proof;
    p.openings.oracles[0][7].row[1] += KoalaBear(1);
    {
        const Comparison c = compare(child(), honest().rows, p, child().statement, false);
        EXPECT_EQ(c.code, "merkle_mismatch");
        EXPECT_EQ(c.disagreement, "");
        EXPECT_EQ(std::ranges::count(c.verdicts.paths, false), 1);
        EXPECT_FALSE(c.verdicts.paths[7]);
    }
    p = child().proof;
    p.openings.oracles[1][3].path[0][7] += KoalaBear(1);
    expect(p, "merkle_mismatch", 1);
    // The final polynomial: every query that sees it, and the sum.
    std::size_t seen = 0;
    p = tampered([&](const char* label, std::span<KoalaBear> message) {
        if (std::string(label) == "whir/final" && seen++ == 3) message[2] += KoalaBear(1);
    });
    const std::size_t last_queries = child().proof.openings.oracles.back().size();
    expect(p, "query_mismatch", last_queries + 1);
    // A nonce of no work: positions that nobody opened, but they are in the tree of none.
    seen = 0;
    p = tampered([&](const char* label, std::span<KoalaBear> message) {
        if (std::string(label) == "whir/nonce" && seen++ == 0) message[0] += KoalaBear(1);
    });
    const Comparison c = compare(child(), honest().rows, p, child().statement, true);
    EXPECT_EQ(c.code, "bad_grinding");
    EXPECT_EQ(c.disagreement, "");
    EXPECT_FALSE(c.verdicts.work[0]);
}

// "The gamma bug": a false column value that satisfies the constraints, sumchecks of the true sum, and an out-of-domain
// answer that is wrong by what is then missing: where the running claim and that answer have the same weight, the two
// lies cancel. One check fails, the last.
TEST_F(RecursionLies, TheGammaAttack) {
    std::vector<Lie> lies{{"zerocheck/values", 2, kOne}};
    repair(lies, child().statement, "zerocheck/values", 7 + 3, "zerocheck/values");
    expect(run(lies), "final_mismatch", 1);
    ExtField missing;
    (void)native_verdicts(*child().circuit, run(lies), child().statement, nullptr, [&](const ListingChannel& channel) {
        // Before the second root come the batching challenge and the seven of the first round.
        const std::size_t end = channel.challenges_before_digest[1];
        const ExtField batching = channel.challenges[end - kLogStackLanes - 1];
        // Value k of the stream has weight batching^k.
        for (const Lie& lie : lies) missing += lie.by * batching.pow(lie.number);
        for (std::size_t k = end - kLogStackLanes; k < end; ++k) missing *= channel.challenges[k];
    });
    ASSERT_FALSE(missing.is_zero());
    lies.push_back({"whir/ood", 0, -missing});
    expect(run(lies), "final_mismatch", 1);
}

}  // namespace
}  // namespace quarry::recursion_agreement_test
