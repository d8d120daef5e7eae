#include <gtest/gtest.h>

#include "quarry/circuits/signature/testing.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::circuits::signature_circuit_test {
namespace {

using namespace testing;
using Curve = SignatureCurve;

std::string text(const Findings& findings) {
    std::string r;
    for (const auto& name : findings.constraints) r += name + "\n";
    for (const auto& x : findings.imbalances) r += to_string(x) + "\n";
    return r;
}

TEST(SignatureCircuit, HonestSignaturesBalance) {
    const auto inputs = signed_inputs(3);
    for (const unsigned log_height : {2U, 3U}) {
        const auto findings = examine(make_signature_witness(inputs, log_height), inputs);
        EXPECT_TRUE(findings.none()) << text(findings);
    }
    const auto none = examine(make_signature_witness({}, 1), {});
    EXPECT_TRUE(none.none()) << text(none);
}

// A signature's rows do not depend on which others are made with it: several chunks, the last one with spare lanes.
TEST(SignatureCircuit, RowsDoNotDependOnNeighbours) {
    const auto few = signed_inputs(3);
    std::vector<SignatureInput> many;
    for (std::size_t i = 0; i < 133; ++i) many.push_back(few[i % 3]);
    const auto expected = make_signature_witness(few, 2);
    const auto w = make_signature_witness(many, 8);
    for (std::size_t i = 0; i < many.size(); ++i) {
        ASSERT_EQ(cells_of(w.signature[i]), cells_of(expected.signature[i % 3]));
        for (std::size_t r = 0; r < 16; ++r) {
            auto row = w.schedule[16 * i + r];
            if (r == 0 && i % 3 == 0) row.acc = expected.schedule[0].acc;  // R of whichever run lies before it
            ASSERT_EQ(cells_of(row), cells_of(expected.schedule[16 * (i % 3) + r]));
        }
    }
}

// The counts of the comb's uses, which examine() replaces by facts.
TEST(SignatureCircuit, CombUsesAreCounted) {
    const auto inputs = signed_inputs(3);
    const auto w = make_signature_witness(inputs, 3);
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> asked;
    for (const auto& row : w.schedule.span()) {
        for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
            const auto window = row.window.canonical() + static_cast<std::uint32_t>(i);
            ++asked[{window, row.step[i].digit.canonical()}];
        }
    }
    std::size_t total = 0;
    ASSERT_EQ(w.comb.size(), comb_rows().size());
    for (std::size_t r = 0; r < w.comb.size(); ++r) {
        for (std::size_t j = 0; j < kCombRowEntries; ++j) {
            const auto digit = comb_rows()[r].base.canonical() + static_cast<std::uint32_t>(j);
            const auto it = asked.find({comb_rows()[r].window.canonical(), digit});
            EXPECT_EQ(w.comb[r].uses[j].canonical(), it == asked.end() ? 0 : it->second);
            total += w.comb[r].uses[j].canonical();
        }
    }
    EXPECT_EQ(total, 8 * kWindows);
}

// Signatures that do not verify: another message, another key, -P, a changed bit of E or of S.
TEST(SignatureCircuit, ForgedSignaturesDoNotBalance) {
    const auto inputs = signed_inputs(2);
    const auto forged = [&](auto change) {
        auto changed = inputs;
        change(changed[0]);
        return examine(make_signature_witness(changed, 1), changed);
    };
    EXPECT_TRUE(forged([](SignatureInput& x) { x.message[4] += KoalaBear(1); }).on_bus(kHashBus));
    EXPECT_TRUE(forged([&](SignatureInput& x) { x.key = inputs[1].key; }).on_bus(kHashBus));
    EXPECT_TRUE(forged([](SignatureInput& x) { x.key = x.key.negated(); }).on_bus(kHashBus));
    EXPECT_TRUE(forged([](SignatureInput& x) { x.signature.e[3] ^= 1; }).on_bus(kHashBus));
    EXPECT_TRUE(forged([](SignatureInput& x) { x.signature.s[7] ^= 16; }).on_bus(kHashBus));
}

// ADVERSARIAL, Tables, elliptic-curve rows: "scalar >= group order, s + n (malleability)". S + n has the same R, so
// everything balances; only the comparison refuses.
TEST(SignatureCircuit, ScalarNotBelowTheOrder) {
    const auto with_scalar = [&](SignatureInput input, const Scalar<Curve>::Limbs& s) {
        for (std::size_t i = 0; i < input.signature.s.size(); ++i) {
            input.signature.s[i] = static_cast<std::uint8_t>(s[i / 8] >> (8 * (i % 8)));
        }
        const std::vector<SignatureInput> inputs{input};
        auto w = make_signature_witness(inputs, 0);
        const auto before = examine(w, inputs);
        // The prover may start the next run's comparison as it likes, if nothing binds it.
        w.schedule[0].less = -KoalaBear(1);
        auto after = examine(w, inputs);
        if (before.none()) after = before;
        return after;
    };
    const auto input = signed_inputs(1)[0];
    Scalar<Curve>::Limbs s = limbs_from_bytes<6>(input.signature.s);
    EXPECT_TRUE(with_scalar(input, s).none());
    ASSERT_EQ(add_limbs(s, Curve::kOrder), 0U);
    const auto malleated = with_scalar(input, s);
    EXPECT_EQ(malleated.constraints, std::vector<std::string>{"schedule.less"});
    EXPECT_TRUE(malleated.imbalances.empty()) << text(malleated);

    const auto refuses = [&](const Scalar<Curve>::Limbs& x) {
        const auto findings = with_scalar(input, x);
        const auto& names = findings.constraints;
        return std::find(names.begin(), names.end(), "schedule.less") != names.end();
    };
    auto below = Curve::kOrder;
    --below[0];
    auto above = Curve::kOrder;
    ++above[0];
    auto one_high_digit = Curve::kOrder;  // lower digits below n's
    one_high_digit[0] = 0;
    one_high_digit[5] += 1;
    EXPECT_FALSE(refuses(below));
    EXPECT_TRUE(refuses(Curve::kOrder));
    EXPECT_TRUE(refuses(above));
    EXPECT_TRUE(refuses(one_high_digit));
    EXPECT_FALSE(refuses({}));
}

// ADVERSARIAL, Tables: "padding that pretends to be real". A spare row cannot vouch for an operation, nor can a second
// row or a second run for the same one.
TEST(SignatureCircuit, RowsCannotPretend) {
    const auto inputs = signed_inputs(2);
    const auto honest = [&] { return make_signature_witness(inputs, 2); };
    // A spare row called real, with all hashes right but the challenge's.
    auto w = honest();
    w.signature[2].is_real = KoalaBear(1);
    w.signature[2].key_hash = poseidon_compress(key_blocks(w.signature[2].key)[0], key_blocks(w.signature[2].key)[1]);
    EXPECT_TRUE(examine(w, inputs).on_bus(kSignatureBus));
    // ... under an id: the schedule has no such run.
    w.signature[2].id = KoalaBear(100);
    EXPECT_TRUE(examine(w, inputs).on_bus(kDigitsBus));
    // A row twice, in place of a spare one: sent twice, and no second run.
    w = honest();
    w.signature[2] = w.signature[0];
    auto findings = examine(w, inputs);
    EXPECT_TRUE(findings.on_bus(kSignatureBus) && findings.on_bus(kDigitsBus));
    // With a second run: still taken once.
    for (std::size_t r = 0; r < 16; ++r) {
        const auto acc = w.schedule[32 + r].acc;
        w.schedule[32 + r] = w.schedule[r];
        if (r == 0) w.schedule[32].acc = acc;
    }
    w.schedule[48].acc = w.schedule[16].acc;  // R of run 0, which is run 2's now
    findings = examine(w, inputs);
    EXPECT_TRUE(findings.constraints.empty()) << text(findings);
    EXPECT_TRUE(findings.on_bus(kSignatureBus));
    EXPECT_FALSE(findings.on_bus(kDigitsBus));
    // A signature with its selector off: the operation waits for it.
    w = honest();
    w.signature[0].is_real = KoalaBear();
    findings = examine(w, inputs);
    EXPECT_TRUE(findings.on_bus(kSignatureBus));
    EXPECT_EQ(findings.constraints, std::vector<std::string>{"signature.id"});
}

// What binds the schedule's rows to the signature's: multiples of another key, a foreign R, digits outside of their
// range, the wrong high part.
TEST(SignatureCircuit, RunsBelongToTheirSignature) {
    const auto inputs = signed_inputs(2);
    const auto honest = [&] { return make_signature_witness(inputs, 1); };
    auto w = honest();
    w.schedule[3].step[0].odd = w.schedule[19].step[0].odd;
    EXPECT_TRUE(examine(w, inputs).on_bus(kOddBus));
    // The two signatures' runs under each other's ids.
    w = honest();
    for (std::size_t r = 0; r < 32; ++r) w.schedule[r].id = KoalaBear(r < 16 ? inputs[1].id : inputs[0].id);
    auto findings = examine(w, inputs);
    EXPECT_TRUE(findings.constraints.empty());
    EXPECT_TRUE(findings.on_bus(kOddBus) && findings.on_bus(kDigitsBus) && findings.on_bus(kCommitmentBus));
    w = honest();
    w.signature[0].r = w.signature[1].r;
    EXPECT_TRUE(examine(w, inputs).on_bus(kCommitmentBus));
    // E in other digits of the same value: 16 + (-1).
    w = honest();
    for (std::size_t i = 0; i + 1 < kWindows; ++i) {
        if (w.signature[0].e[i] == KoalaBear(0)) continue;
        w.signature[0].e[i] -= KoalaBear(1);
        w.signature[0].e[i + 1] += KoalaBear(16);
        w.schedule[i / 2].step[i % 2].e = w.signature[0].e[i];
        w.schedule[(i + 1) / 2].step[(i + 1) % 2].e = w.signature[0].e[i + 1];
        break;
    }
    findings = examine(w, inputs);
    EXPECT_TRUE(findings.on_bus(kOddBus));
    EXPECT_FALSE(findings.on_bus(kDigitsBus));
    // A bit of S moved between limbs by the high part of a digit.
    w = honest();
    static_assert(is_cut(1));
    w.signature[0].high[0] += KoalaBear(1);
    w.schedule[0].step[1].high += KoalaBear(1);
    findings = examine(w, inputs);
    EXPECT_TRUE(findings.on_bus(kCombBus));
    EXPECT_FALSE(findings.on_bus(kDigitsBus));
    // The other representative of a challenge's element: low + 2^16 high = h + p.
    w = honest();
    w.signature[0].challenge_high[2] += KoalaBear(0x7f00);
    EXPECT_TRUE(examine(w, inputs).on_bus(kHigh15Bus));
}

// A whole proof of the three tables; the statement stands for the rest of the circuit.
class SignatureProofSlow : public ::testing::Test {
  protected:
    static std::vector<Table> tables() {
        std::vector<Table> r;
        r.push_back(make_table<SignatureTable>());
        r.push_back(make_table<ScheduleTable>());
        r.push_back(make_table<CombTable>());
        return r;
    }
    static Statement statement(const SignatureWitness& w, std::span<const SignatureInput> inputs) {
        Statement s;
        for (const auto& row : environment(w, inputs)) {
            const KoalaBear one(1);
            if (!row.hashes.is_zero()) s.tuples.push_back({kHashBus, one, {row.hash.begin(), row.hash.end()}});
            if (!row.ranges.is_zero()) s.tuples.push_back({kHigh15Bus, one, {row.range}});
            if (!row.signatures.is_zero()) {
                s.tuples.push_back({kSignatureBus, -one, {row.signature.begin(), row.signature.end()}});
            }
        }
        return s;
    }
};
TEST_F(SignatureProofSlow, ProvesAndVerifies) {
    const Circuit circuit("signatures", tables());
    const auto inputs = signed_inputs(5);
    const auto w = make_signature_witness(inputs, kMinLogHeight);
    const Heights heights{w.log_height, w.log_height + 4, CombTable::kLogHeight};
    PreprocessedTrace fixed(circuit, heights);
    write_fixed_rows(fixed, 2, std::span(comb_rows()));
    const ProvingKey key(std::move(fixed));
    Trace trace(circuit, heights);
    write_rows<SignatureRow<KoalaBear>>(trace, 0, w.signature);
    write_rows<ScheduleRow<KoalaBear>>(trace, 1, w.schedule.span());
    write_rows<CombRow<KoalaBear>>(trace, 2, w.comb);
    const auto judge = [&](const ProvingKey& with, const Statement& s) {
        ProveOptions options;
        options.key = &with;
        return verify(circuit, prove(circuit, trace, s, options), s, 100, &key.verifying_key());
    };
    const Statement honest = statement(w, inputs);
    const Status status = judge(key, honest);
    EXPECT_TRUE(status.ok()) << errc_name(status.error().code) << " " << status.error().where;

    // The same rows for a statement in which someone signed something else.
    auto others = inputs;
    others[2].message[0] += KoalaBear(1);
    const Statement forged = statement(w, others);
    EXPECT_FALSE(judge(key, forged).ok());

    // Another comb, in an entry that nobody looks up: the root is not the key's.
    PreprocessedTrace lie(circuit, heights);
    write_fixed_rows(lie, 2, std::span(comb_rows()));
    lie.column(2, 3)[300] += KoalaBear(1);
    EXPECT_FALSE(judge(ProvingKey(std::move(lie)), honest).ok());
}

}  // namespace
}  // namespace quarry::circuits::signature_circuit_test
