// ADVERSARIAL.md, "WHIR and sumcheck", as far as the zerocheck and the batching of openings are concerned; WHIR's own
// attacks are in quarry/iop/whir_adversary_test.cpp. Quoted lines stand above the tests that try them.
#include <gtest/gtest.h>

#include "tests/adversary/attack.hpp"
#include "tests/adversary/random_circuits.hpp"

namespace quarry::sumcheck_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)

const ExtField kOne{KoalaBear(1)};

Proof lie(std::vector<Lie> lies) {
    const Cubes& c = Cubes::get();
    return prove_lying(c.circuit, c.system.trace, c.system.statement, tell(std::move(lies)));
}

// "Sumcheck round polynomial of higher degree than declared": a coefficient more, anywhere, is a longer stream.
TEST(AdversarySumcheck, HigherDegreeThanDeclared) {
    const Cubes& c = Cubes::get();
    constexpr std::size_t kExt = ExtField::kDegree;
    const std::size_t skip = kDigestSize + gkr_stream_size(12);
    const std::size_t rounds = skip + kExt * (31 * 2 + 1);
    for (const std::size_t at : {kDigestSize + 4 * kExt, skip, rounds, rounds + 2 * kExt, c.proof.stream.size()}) {
        Proof p = c.proof;
        p.stream.insert(p.stream.begin() + static_cast<std::ptrdiff_t>(at), kExt, KoalaBear());
        EXPECT_EQ(c.verdict(p), "bad_length") << at;
    }
}

// A false witness makes polynomials above the degree that the constraint has: the verifier takes as many coefficients
// as the constraint's degree says, and no more. x^3 where the table says x^2.
TEST(AdversarySumcheck, DegreeBeyondTheDeclaredOneIsCutOff) {
    // x, x^3 on every row, against the constraint y = x^3, or y = x^2.
    const auto make = [](bool cube) {
        Draft d;
        d.table.name = "t";
        d.log_height = 9;
        std::vector<KoalaBear> x(512);
        for (std::size_t i = 0; i < 512; ++i) x[i] = KoalaBear(i + 2);
        const Expr a = d.add_column(x);
        const Expr value = cube ? a * a * a : a * a;
        const Expr b = d.add_column(d.evaluate(a * a * a));
        AirBuilder(d.table).equal("power", b, value);
        RandomSystem s;
        s.heights = {9};
        s.values.push_back(std::move(d.values));
        std::vector<Table> tables;
        tables.push_back(std::move(d.table));
        s.circuit = std::make_unique<Circuit>("power", std::move(tables));
        return s;
    };
    const RandomSystem third = make(true);
    const Proof honest = prove(*third.circuit, third.trace(), {});
    EXPECT_EQ(name_of(verify(*third.circuit, honest, {})), "ok");
    // The same trace where the square is asked for: constraint polynomials as its own prover makes them, what lies
    // above the degree cut off ..
    const RandomSystem second = make(false);
    const Proof own = prove(*second.circuit, second.trace(), {});
    EXPECT_EQ(name_of(verify(*second.circuit, own, {})), "skip_sum_mismatch");
    // .. and with the messages of the cubic proof, as they are and cut to the length of this one.
    Proof longer = own;
    longer.stream = honest.stream;
    EXPECT_EQ(name_of(verify(*second.circuit, longer, {})), "bad_length");
    longer.stream.resize(own.stream.size());
    EXPECT_EQ(name_of(verify(*second.circuit, longer, {})), "skip_sum_mismatch");
}

// "univariate-skip domain polynomial not vanishing where it must": three lies about v and what finds them.
TEST(AdversarySumcheck, SkipPolynomial) {
    const Cubes& c = Cubes::get();
    // Not zero on D where it must be.
    EXPECT_EQ(c.verdict(lie({{"zerocheck/skip", 5, kOne}})), "skip_sum_mismatch");
    // Zero on D: a multiple of X^32 - 1 more.
    EXPECT_EQ(c.verdict(lie({{"zerocheck/skip", 33, kOne}, {"zerocheck/skip", 1, -kOne}})), "constraint_mismatch");
    EXPECT_EQ(c.verdict(lie({{"zerocheck/skip", 62, kOne}, {"zerocheck/skip", 30, -kOne}})), "constraint_mismatch");
    // Not zero on D, but of the right weighted sum over it: the weights are known before v is sent.
    const auto gap_with = [&](std::size_t k) {
        return note(c.circuit, lie({{"zerocheck/skip", k, kOne}}), c.system.statement).gap("zerocheck/skip");
    };
    const ExtField weight_1 = gap_with(1);
    const ExtField weight_2 = gap_with(2);
    EXPECT_EQ(gap_with(0), kOne);
    const Proof p = lie({{"zerocheck/skip", 1, weight_2}, {"zerocheck/skip", 2, -weight_1}});
    EXPECT_TRUE(note(c.circuit, p, c.system.statement).gap("zerocheck/skip").is_zero());
    EXPECT_EQ(c.verdict(p), "constraint_mismatch");
}

// "skipped sum check": a round that does not add up is impossible to send (the fixed coefficient is left out); every
// coefficient that is sent is checked by what follows.
TEST(AdversarySumcheck, EveryCoefficientOfEveryRound) {
    const Cubes& c = Cubes::get();
    const std::size_t n = count_messages(c.circuit, c.system.trace, c.system.statement, "zerocheck/round");
    EXPECT_EQ(n, 2U * 5U);  // degree 2, variables 9, 0, 1, 2, 3
    for (std::size_t k = 0; k < n; ++k) {
        EXPECT_EQ(c.verdict(lie({{"zerocheck/round", k, ExtField(KoalaBear(k + 1))}})), "constraint_mismatch") << k;
    }
}

// A false witness all the way: a wrong cell, then column values that satisfy the last check. Only the opening is left.
TEST(AdversarySumcheck, ValuesThatSatisfyTheConstraintsOfAFalseWitness) {
    const Cubes& c = Cubes::get();
    quarry::testing::CubeSystem s = quarry::testing::make_cube_system(c.circuit);
    s.trace.column(0, 1)[77] += KoalaBear(1);  // `square`: two constraints fail, the buses balance
    std::vector<Lie> lies;
    const auto run = [&](std::vector<Lie> more) {
        more.insert(more.end(), lies.begin(), lies.end());
        return prove_lying(c.circuit, s.trace, s.statement, tell(std::move(more)));
    };
    // Its polynomial v is of too high a degree: cut off, it does not have the right sum over D. Repaired, it has.
    EXPECT_EQ(c.verdict(run({})), "skip_sum_mismatch");
    lies.push_back({"zerocheck/skip", 0, -note(c.circuit, run({}), s.statement).gap("zerocheck/skip")});
    EXPECT_EQ(c.verdict(run({})), "constraint_mismatch");
    // acc and the claim of its next row for the users, uses and y for the cubes: they enter the last check linearly.
    for (const std::size_t column : {std::size_t{2}, std::size_t{5}, std::size_t{7 + 3}, std::size_t{7 + 2}}) {
        const auto gap_with = [&](const ExtField& by) {
            return note(c.circuit, run({{"zerocheck/values", column, by}}), s.statement).gap("zerocheck/values");
        };
        const ExtField at_zero = gap_with({});
        const ExtField slope = gap_with(kOne) - at_zero;
        const Proof p = run({{"zerocheck/values", column, -(at_zero * slope.inverse())}});
        EXPECT_TRUE(note(c.circuit, p, s.statement).gap("zerocheck/values").is_zero());
        EXPECT_EQ(c.verdict(p), "final_mismatch") << column;
    }
}

/// Tables of one height with two columns that a constraint says are equal and two that nothing reads.
RandomSystem equalities(std::size_t num_tables) {
    RandomSystem s;
    std::vector<Table> tables;
    for (std::size_t t = 0; t < num_tables; ++t) {
        Draft d;
        d.table.name = "t" + std::to_string(t);
        d.log_height = 9;
        std::vector<KoalaBear> x(512);
        for (std::size_t i = 0; i < 512; ++i) x[i] = KoalaBear(1000 * t + i * i);
        const Expr a = d.add_column(x);
        const Expr b = d.add_column(x);
        const Expr e = d.add_column(x);
        (void)d.add_column(x);
        (void)d.add_column(x);
        AirBuilder builder(d.table);
        builder.equal("a = b", a, b);
        builder.equal("a = e", a, e);
        s.heights.push_back(9);
        s.values.push_back(std::move(d.values));
        tables.push_back(std::move(d.table));
    }
    s.circuit = std::make_unique<Circuit>("equalities", std::move(tables));
    return s;
}
std::string verdict(const RandomSystem& s, std::vector<Lie> lies = {}) {
    return name_of(
        verify(*s.circuit, prove_lying(*s.circuit, s.trace(), s.statement, tell(std::move(lies))), s.statement));
}

// Errors that cancel if two claims are batched with the same weight: in two tables, two constraints, two rows.
TEST(AdversarySumcheck, BatchedErrorsDoNotCancel) {
    EXPECT_EQ(verdict(equalities(2)), "ok");
    const KoalaBear e(7);
    RandomSystem s = equalities(2);
    s.values[0][1][40] += e;
    s.values[1][1][40] -= e;
    EXPECT_EQ(verdict(s), "skip_sum_mismatch");
    s = equalities(2);
    s.values[0][1][40] += e;
    s.values[0][2][40] -= e;
    EXPECT_EQ(verdict(s), "skip_sum_mismatch");
    for (const std::size_t row : {std::size_t{41}, std::size_t{40 + 16}, std::size_t{511}}) {
        s = equalities(2);
        s.values[0][1][40] += e;
        s.values[0][1][row] -= e;
        EXPECT_EQ(verdict(s), "skip_sum_mismatch") << row;
    }
}

// The claim on a column that no constraint reads is checked all the same; and two false claims do not cancel.
TEST(AdversarySumcheck, ClaimsOnUnusedColumns) {
    const RandomSystem s = equalities(2);
    for (const std::size_t column : {3, 4, 5 + 3, 5 + 4}) {
        EXPECT_EQ(verdict(s, {{"zerocheck/values", column, kOne}}), "final_mismatch") << column;
    }
    EXPECT_EQ(verdict(s, {{"zerocheck/values", 3, kOne}, {"zerocheck/values", 4, -kOne}}), "final_mismatch");
    EXPECT_EQ(verdict(s, {{"zerocheck/values", 3, kOne}, {"zerocheck/values", 5 + 3, -kOne}}), "final_mismatch");
    // Two values of one table that satisfy the constraint together: equal lies about a, b and e.
    EXPECT_EQ(verdict(s, {{"zerocheck/values", 0, kOne}, {"zerocheck/values", 1, kOne}, {"zerocheck/values", 2, kOne}}),
              "final_mismatch");
    EXPECT_EQ(verdict(s, {{"zerocheck/values", 0, kOne}, {"zerocheck/values", 1, kOne}}), "constraint_mismatch");
}

// A next-row value that is true of the row itself: the kernel of the claim moves by one row.
TEST(AdversarySumcheck, NextRowValueOfTheSameRow) {
    const Cubes& c = Cubes::get();
    // The users' next-row columns are acc and first; `acc` of the next row against acc.
    std::vector<ExtField> values;
    (void)prove_lying(c.circuit, c.system.trace, c.system.statement, [&](const char* label, std::span<KoalaBear> m) {
        if (std::string(label) != "zerocheck/values") return;
        values.emplace_back();
        for (std::size_t k = 0; k < ExtField::kDegree; ++k) values.back()[k] = m[k];
    });
    ASSERT_EQ(values.size(), 5U + 2U + 4U);
    EXPECT_NE(values[5], values[2]);
    EXPECT_EQ(c.verdict(lie({{"zerocheck/values", 5, values[2] - values[5]}})), "constraint_mismatch");
}

}  // namespace
}  // namespace quarry::sumcheck_test
