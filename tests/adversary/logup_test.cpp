// ADVERSARIAL.md, "LogUp-GKR", on whole proofs. Quoted lines stand above the tests that try them.
#include <gtest/gtest.h>

#include "quarry/iop/gkr.hpp"
#include "tests/adversary/attack.hpp"
#include "tests/adversary/random_circuits.hpp"

namespace quarry::logup_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)

/// One table that sends (x, y) on one bus and receives it, as `back`, on another; all rows once.
RandomSystem round_trip(std::uint32_t bus, std::uint32_t other_bus,
                        const std::function<std::vector<Expr>(const Expr&, const Expr&)>& out,
                        const std::function<std::vector<Expr>(const Expr&, const Expr&)>& back) {
    Draft d;
    d.table.name = "t";
    d.log_height = 9;
    std::vector<KoalaBear> x(512);
    std::vector<KoalaBear> y(512);
    for (std::size_t i = 0; i < 512; ++i) {
        x[i] = KoalaBear(i);
        y[i] = KoalaBear(i * i + 1);
    }
    const Expr a = d.add_column(x);
    const Expr b = d.add_column(y);
    AirBuilder builder(d.table);
    builder.send("out", bus, 1, out(a, b));
    builder.receive("back", other_bus, 1, back(a, b));
    RandomSystem s;
    s.heights = {9};
    s.values.push_back(std::move(d.values));
    std::vector<Table> tables;
    tables.push_back(std::move(d.table));
    s.circuit = std::make_unique<Circuit>("round trip", std::move(tables));
    return s;
}
std::string verdict(const RandomSystem& s) {
    return name_of(verify(*s.circuit, prove(*s.circuit, s.trace(), s.statement), s.statement));
}
std::vector<Expr> both(const Expr& x, const Expr& y) { return {x, y}; }

// "Buses separated injectively (bus id is part of the fingerprint)"
TEST(AdversaryLogup, BusConfusion) {
    EXPECT_EQ(verdict(round_trip(4, 4, both, both)), "ok");
    EXPECT_EQ(verdict(round_trip(4, 5, both, both)), "bus_imbalance");
    EXPECT_EQ(verdict(round_trip(0, 1, both, both)), "bus_imbalance");
    // Other order, a value in the place of the bus, all of it moved by one place.
    EXPECT_EQ(verdict(round_trip(4, 4, both, [](const Expr& x, const Expr& y) { return std::vector{y, x}; })),
              "bus_imbalance");
    const auto constants = [](int value) {
        return [value](const Expr& /*x*/, const Expr& /*y*/) { return std::vector{Expr(value)}; };
    };
    EXPECT_EQ(verdict(round_trip(7, 7, constants(3), constants(3))), "ok");
    EXPECT_EQ(verdict(round_trip(5, 0, constants(0), constants(5))), "bus_imbalance");
    EXPECT_EQ(verdict(round_trip(5, 6, constants(1), constants(0))), "bus_imbalance");
    EXPECT_EQ(verdict(round_trip(
                  4, 5, [](const Expr& x, const Expr&) { return std::vector{Expr(0), x}; },
                  [](const Expr& x, const Expr&) { return std::vector{x, Expr(0)}; })),
              "bus_imbalance");
}

// Bus ids are 32 bits and the fingerprint is a field element: ids that are equal mod p would be one bus.
TEST(AdversaryLogup, BusIdsAreBelowTheModulus) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH((void)round_trip(4, 4 + KoalaBear::kModulus, both, both), "");
}

// Fingerprints of (x) and (x, 0) are equal: one bus takes tuples of one length.
TEST(AdversaryLogup, TuplesOfTwoLengthsOnOneBus) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto padded = [](const Expr& x, const Expr&) { return std::vector{x, Expr(0)}; };
    const auto plain = [](const Expr& x, const Expr&) { return std::vector{x}; };
    EXPECT_DEATH((void)round_trip(4, 4, padded, plain), "");
    EXPECT_EQ(verdict(round_trip(4, 5, padded, plain)), "bus_imbalance");
}

// "Sum of multiplicities < p with all tables at maximum height"
TEST(AdversaryLogup, TheBoundsKeepMultiplicitiesBelowP) {
    const CircuitBounds bounds;
    EXPECT_TRUE(multiplicities_cannot_wrap(bounds));
    CircuitBounds larger = bounds;
    larger.log_fractions = 31;
    EXPECT_FALSE(multiplicities_cannot_wrap(larger));
}
// .. and a verifier that takes any heights must hold them to these bounds: 64 interactions at 2^21 rows are 2^27
// fractions, more than the parameters are generated for.
TEST(AdversaryLogup, MoreFractionsThanTheBoundsAreRefused) {
    Draft d;
    d.table.name = "wide";
    d.log_height = 9;
    const Expr x = d.add_column(std::vector<KoalaBear>(512));
    AirBuilder b(d.table);
    for (int i = 0; i < 64; ++i) b.send("s" + std::to_string(i), 1, 1, {x});
    std::vector<Table> tables;
    tables.push_back(std::move(d.table));
    const Circuit circuit("wide", std::move(tables));
    EXPECT_EQ(name_of(make_stack_layout(circuit, {20})), "ok");
    EXPECT_EQ(name_of(make_stack_layout(circuit, {21})), "limit_exceeded");
}

// "a denominator of zero": a public tuple whose fingerprint is alpha. (In the tables: Gkr.RefusesAZeroDenominator.)
TEST(AdversaryLogup, ZeroPublicDenominator) {
    const std::size_t size = std::size_t{1} << kGkrMinLogSize;
    FractionLeaves leaves{Buffer<KoalaBear>::zeros(size), ExtVector(size)};
    for (std::size_t i = 0; i < size; ++i) leaves.denominators.set(i, ExtField(KoalaBear(i + 1)));
    PoseidonProverChannel prover{Transcript{}};
    (void)prove_gkr(prover, leaves);
    const ProofStream stream = std::move(prover).take();
    const auto verdict_with = [&](const ExtField& numerator, const ExtField& denominator) {
        NativeBackend backend;
        NativeVerifierChannel channel(Transcript{}, stream);
        return name_of(verify_gkr(backend, channel, kGkrMinLogSize, {numerator, denominator}));
    };
    const ExtField one{KoalaBear(1)};
    EXPECT_EQ(verdict_with({}, one), "ok");
    EXPECT_EQ(verdict_with(one, one), "bus_imbalance");
    EXPECT_EQ(verdict_with({}, {}), "zero_denominator");
    EXPECT_EQ(verdict_with(one, {}), "zero_denominator");
    // And where it comes from: beta = 0 and alpha = the bus make the fingerprint zero.
    NativeBackend backend;
    const std::vector<PublicTuple> tuples{{3, KoalaBear(1), {KoalaBear(9)}}};
    EXPECT_TRUE(public_fraction(backend, tuples, {ExtField(KoalaBear(3)), ExtField()}).second.is_zero());
}

// "inverse of zero anywhere": at a point of the skip domain the Lagrange weights, which divide by z - g^i, are all
// zero. No weight is arbitrary: a claim under this kernel says 0 = value. The verifier meets such a point with 32 /
// p^5.
TEST(AdversaryLogup, SkipPointInsideTheDomain) {
    NativeBackend backend;
    for (std::size_t i = 0; i < kSkipSize; ++i) {
        const ExtField z(KoalaBear::two_adic_root(kLogSkip).pow(i));
        for (const ExtField& w : skip_weights(backend, z)) EXPECT_TRUE(w.is_zero());
    }
    EXPECT_TRUE(ExtField().inverse().is_zero());
}

ExtField value_of(std::span<const KoalaBear> message) {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = message[k];
    return x;
}

// "leaf claims rebuilt from column openings, never trusted": the prover lies about the leaves in the last layer so that
// the layer's check holds (p0 += d q0, p1 -= d q1), then makes up for it in each of the next messages in turn, going on
// consistently. Each time the next check must find it; the last one that can is the opening.
TEST(AdversaryLogup, LieAboutTheLeaves) {
    const Cubes& c = Cubes::get();
    const auto run = [&](std::vector<Lie> lies) {
        return prove_lying(c.circuit, c.system.trace, c.system.statement, tell(std::move(lies)));
    };
    const std::size_t last = count_messages(c.circuit, c.system.trace, c.system.statement, "gkr/layer") - 4;
    std::vector<ExtField> seen;
    (void)prove_lying(c.circuit, c.system.trace, c.system.statement, [&](const char* label, std::span<KoalaBear> m) {
        if (std::string(label) == "gkr/layer") seen.push_back(value_of(m));
    });
    const ExtField d(KoalaBear(12345));
    std::vector<Lie> lies{{"gkr/layer", last, d * seen[last + 2]}, {"gkr/layer", last + 1, -(d * seen[last + 3])}};
    Proof p = run(lies);
    EXPECT_EQ(c.verdict(p), "skip_sum_mismatch");

    // The constant term of v has weight 1 in the sum over D.
    lies.push_back({"zerocheck/skip", 0, -note(c.circuit, p, c.system.statement).gap("zerocheck/skip")});
    p = run(lies);
    EXPECT_EQ(c.verdict(p), "constraint_mismatch");

    // The value of `uses` enters the last check linearly.
    constexpr std::size_t kUses = 7 + 3;  // behind the user table's five columns and two next-row columns
    const auto gap_with = [&](const ExtField& by) {
        auto more = lies;
        more.push_back({"zerocheck/values", kUses, by});
        return note(c.circuit, run(more), c.system.statement).gap("zerocheck/values");
    };
    const ExtField at_zero = gap_with({});
    const ExtField slope = gap_with(ExtField(KoalaBear(1))) - at_zero;
    lies.push_back({"zerocheck/values", kUses, -(at_zero * slope.inverse())});
    p = run(lies);
    EXPECT_TRUE(note(c.circuit, p, c.system.statement).gap("zerocheck/values").is_zero());
    EXPECT_EQ(c.verdict(p), "final_mismatch");
}

// The root itself: an unbalanced witness under four values that balance with the statement, and so on as above.
TEST(AdversaryLogup, BalancedRootOfAnUnbalancedWitness) {
    const Cubes& c = Cubes::get();
    Statement claimed = c.system.statement;
    claimed.tuples[0].tuple[0] += KoalaBear(1);
    const auto run = [&](std::vector<Lie> lies) {
        return prove_lying(c.circuit, c.system.trace, claimed, tell(std::move(lies)));
    };
    const auto refusal = [&](const Proof& p) { return name_of(verify(c.circuit, p, claimed)); };
    std::vector<Lie> lies;
    EXPECT_EQ(refusal(run(lies)), "bus_imbalance");
    // The check is linear in p0.
    const auto gap_with = [&](std::size_t number, const char* label, const char* where, const ExtField& by) {
        auto more = lies;
        more.push_back({label, number, by});
        return note(c.circuit, run(more), claimed).gap(where);
    };
    const auto repair = [&](std::size_t number, const char* label, const char* where) {
        const ExtField at_zero = gap_with(number, label, where, {});
        const ExtField slope = gap_with(number, label, where, ExtField(KoalaBear(1))) - at_zero;
        lies.push_back({label, number, -(at_zero * slope.inverse())});
    };
    repair(0, "gkr/root", "gkr/root");
    EXPECT_EQ(refusal(run(lies)), "gkr_mismatch");
    // Layer 1 is then false, and its four values are made to fit: the lie moves down a layer at a time, to the leaves.
    const std::size_t num_layers = count_messages(c.circuit, c.system.trace, claimed, "gkr/layer") / 4;
    for (std::size_t j = 0; j < num_layers; ++j) {
        EXPECT_EQ(refusal(run(lies)), "gkr_mismatch") << j;
        // note() keeps the last check of a name; layer j is the j-th.
        const auto layer_gap = [&](const ExtField& by) {
            auto more = lies;
            more.push_back({"gkr/layer", 4 * j, by});
            const NotingBackend noted = note(c.circuit, run(more), claimed);
            std::size_t seen = 0;
            for (const auto& check : noted.checks) {
                if (check.where == "gkr/layer" && seen++ == j) return check.left - check.right;
            }
            return ExtField();
        };
        const ExtField at_zero = layer_gap({});
        const ExtField slope = layer_gap(ExtField(KoalaBear(1))) - at_zero;
        lies.push_back({"gkr/layer", 4 * j, -(at_zero * slope.inverse())});
    }
    EXPECT_EQ(refusal(run(lies)), "skip_sum_mismatch");
    repair(0, "zerocheck/skip", "zerocheck/skip");
    EXPECT_EQ(refusal(run(lies)), "constraint_mismatch");
    repair(7 + 3, "zerocheck/values", "zerocheck/values");
    EXPECT_EQ(refusal(run(lies)), "final_mismatch");
}

// Public tuples: twice, with another multiplicity, on another bus of the same length, one that cancels itself.
TEST(AdversaryLogup, PublicTuples) {
    const Cubes& c = Cubes::get();
    const PublicTuple& honest = c.system.statement.tuples[0];
    const auto refusal = [&](const Statement& s) {
        return name_of(verify(c.circuit, prove(c.circuit, c.system.trace, s), s));
    };
    EXPECT_EQ(refusal({{honest, honest}}), "bus_imbalance");
    EXPECT_EQ(refusal({}), "bus_imbalance");
    PublicTuple other = honest;
    other.multiplicity = KoalaBear(1);
    EXPECT_EQ(refusal({{other}}), "bus_imbalance");
    other = honest;
    other.bus = quarry::testing::kCubesBus;
    EXPECT_EQ(refusal({{other}}), "statement_mismatch");
    other.bus = quarry::testing::kResultBus + 1;
    EXPECT_EQ(refusal({{other}}), "statement_mismatch");
    // Another statement about the same trace, and true: + 5 - 5.
    other = honest;
    other.multiplicity = KoalaBear(5);
    PublicTuple opposite = honest;
    opposite.multiplicity = -KoalaBear(5);
    EXPECT_EQ(refusal({{honest, other, opposite}}), "ok");
}

}  // namespace
}  // namespace quarry::logup_test
