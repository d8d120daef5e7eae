// Real proofs of the segment circuit: one honest proof against every other statement and against damaged bytes, and
// proofs of lies.

#include <functional>

#include "quarry/proof/wire.hpp"
#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary::segment_proof_test {
namespace {

std::vector<std::uint8_t> prove_trace(const Trace& trace, const rollup::SegmentStatement& statement) {
    const Statement input = circuits::segment_public_input(statement);
    return circuits::encode_segment_proof(circuits::prove_segment_trace(trace, input), input);
}

/// The trace of a claim whose every request is true, so that tables of facts can serve it: the makers' own text.
Trace trace_of(Claim& claim) {
    const auto rows = circuits::make_segment_rows(claim.make_timeline(), claim.signatures());
    return circuits::make_segment_trace(rows).value();
}

KoalaBear& cell(Trace& trace, SegmentTable t, std::size_t row, const std::string& column) {
    const auto& names = table_of(t).columns;
    const auto at = std::find(names.begin(), names.end(), column);
    QUARRY_CHECK(at != names.end());
    return trace.column(static_cast<std::size_t>(t), static_cast<std::size_t>(at - names.begin()))[row];
}

/// Every element of a statement, changed alone.
std::vector<rollup::SegmentStatement> neighbours(const rollup::SegmentStatement& honest) {
    std::vector<rollup::SegmentStatement> r;
    const auto add = [&](auto change) {
        rollup::SegmentStatement s = honest;
        change(s);
        r.push_back(s);
    };
    const auto digest = [&](auto member) {
        for (std::size_t i = 0; i < kDigestSize; ++i) add([&](auto& s) { member(s)[i] += KoalaBear(1); });
    };
    const auto limbs = [&](auto member, unsigned bits) {
        for (unsigned bit = 0; bit < bits; bit += 16) add([&](auto& s) { member(s) ^= std::uint64_t{1} << bit; });
    };
    digest([](auto& s) -> Digest& { return s.domain; });
    digest([](auto& s) -> Digest& { return s.header; });
    for (std::size_t i = 0; i < 20; i += 2) add([&](auto& s) { s.payee.bytes[i] ^= 0x80; });
    for (const auto p : {&rollup::SegmentStatement::before, &rollup::SegmentStatement::after}) {
        digest([&](auto& s) -> Digest& { return (s.*p).state.root; });
        add([&](auto& s) { (s.*p).state.slot_count ^= 1; });
        limbs([&](auto& s) -> auto& { return (s.*p).state.deposit_cursor; }, 64);
        limbs([&](auto& s) -> auto& { return (s.*p).state.forced_cursor; }, 64);
        digest([&](auto& s) -> Digest& { return (s.*p).fees; });
        digest([&](auto& s) -> Digest& { return (s.*p).data.digest; });
        add([&](auto& s) { (s.*p).data.count ^= 1; });
        digest([&](auto& s) -> Digest& { return (s.*p).effects.digest; });
        add([&](auto& s) { (s.*p).effects.count ^= 1; });
    }
    add([](auto& s) { s.work.units ^= 1; });
    add([](auto& s) { s.work.units ^= 1u << 16; });
    digest([](auto& s) -> Digest& { return s.work.root; });
    // Consistent with each other, and past every check of bounds.
    add([](auto& s) {
        ++s.before.data.count;
        ++s.after.data.count;
    });
    add([](auto& s) { s.work = rollup::leaf_work(10, s.work.units); });
    add([](auto& s) { std::swap(s.before.state.root, s.after.state.root); });
    return r;
}

// "Change any single element of a statement; another payee; truncated and flipped bytes"
TEST(SegmentProof, AnotherStatementOrDamagedBytesAreRefusedSlow) {
    RealRollup rollup;
    Claim claim(rollup, every_operation(rollup));
    const auto bytes = prove_trace(trace_of(claim), claim.make_timeline().statement);
    const rollup::SegmentStatement statement = claim.make_timeline().statement;
    ASSERT_TRUE(circuits::verify_segment(statement, bytes).ok());

    std::set<std::size_t> changed;
    const auto honest = rollup::elements(statement);
    for (const rollup::SegmentStatement& other : neighbours(statement)) {
        EXPECT_FALSE(circuits::verify_segment(other, bytes).ok());
        const auto elements = rollup::elements(other);
        for (std::size_t i = 0; i < honest.size(); ++i) {
            if (elements[i] != honest[i]) changed.insert(i);
        }
    }
    EXPECT_EQ(changed.size(), honest.size() - 2);  // all but kind and version, which are the circuit's

    std::mt19937_64 rng(5);
    std::vector<std::uint8_t> bent = bytes;
    for (int i = 0; i < 60; ++i) {
        std::uint8_t& byte = bent[rng() % bent.size()];
        const auto bit = static_cast<std::uint8_t>(1u << (rng() % 8));
        byte ^= bit;
        EXPECT_FALSE(circuits::verify_segment(statement, bent).ok());
        byte ^= bit;
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(circuits::verify_segment(statement, std::span(bytes).first(rng() % bytes.size())).ok());
    }
    bent.push_back(0);
    EXPECT_FALSE(circuits::verify_segment(statement, bent).ok());
}

// The checks of SegmentLies without a proof say what proofs say: one lie that a constraint refuses, one that a bus of
// the memory refuses, and one of a table that no honest batch has.
TEST(SegmentProof, LiesAreRefusedSlow) {
    RealRollup rollup;
    const auto honest = [&] {
        RealBatch batch(rollup);
        return batch.add(rollup::Withdraw{auth(2), Amount(70), rollup.address(30)})
            .add(rollup::Transfer{auth(2, 3), 4, Amount(100)})
            .seal();
    }();
    const auto expect_refused = [](const Trace& trace, const rollup::SegmentStatement& statement) {
        EXPECT_FALSE(circuits::verify_segment(statement, prove_trace(trace, statement)).ok());
    };
    {
        Claim c(rollup, honest);  // more than the slot has; all that follows from it is as the liar wants it
        c.batch.steps.erase(c.batch.steps.begin() + 1, c.batch.steps.end());
        c.restrict(0, 1);
        const Amount amount(kBalance + 1);
        c.op<rollup::Withdraw>(0).amount = amount;
        std::get<rollup::WithdrawalEffect>(*c.batch.steps[0].effect).amount = amount;
        c.after(0).balance = Amount::max();
        c.sign(0);
        ASSERT_EQ(c.verdict(), broken({"signed.sender.balance.top"}));
        expect_refused(trace_of(c), c.make_timeline().statement);
    }
    {
        Claim c(rollup, honest);  // the nonce jumps
        c.after(1).nonce += 1;
        ASSERT_EQ(c.verdict(), unmet({circuits::kMemoryBus}));
        expect_refused(trace_of(c), c.make_timeline().statement);
    }
    {
        Claim c(rollup, honest);  // two effects for one debit
        Trace trace = trace_of(c);
        cell(trace, SegmentTable::withdraw, 0, "is_real") = KoalaBear(2);
        expect_refused(trace, c.make_timeline().statement);
    }
    {
        Claim c(rollup, honest);  // a number is offered once more than it is asked for
        Trace trace = trace_of(c);
        cell(trace, SegmentTable::range, 8191, "range16_uses[7]") += KoalaBear(1);
        expect_refused(trace, c.make_timeline().statement);
    }
}

// A table without rows costs nothing; one that has rows cannot be left out.
TEST(SegmentProof, TablesWithoutRowsAreAbsentSlow) {
    RealRollup rollup;
    RealBatch batch(rollup);
    Claim c(rollup, batch.add(rollup::Withdraw{auth(2), Amount(70), rollup.address(30)})
                        .add(rollup::Transfer{auth(2, 3), 4, Amount(100)})
                        .seal());
    auto rows = circuits::make_segment_rows(c.make_timeline(), c.signatures());
    const auto height = [&](SegmentTable t) -> unsigned& { return rows.heights[static_cast<std::size_t>(t)]; };
    for (const SegmentTable t : {SegmentTable::new_pair, SegmentTable::change_key, SegmentTable::publish,
                                 SegmentTable::deposit, SegmentTable::forced}) {
        EXPECT_EQ(height(t), 0U);
    }
    EXPECT_EQ(height(SegmentTable::withdraw), kMinLogHeight);
    const auto accepted = [&] {
        const auto bytes = prove_trace(circuits::make_segment_trace(rows).value(), c.make_timeline().statement);
        return circuits::verify_segment(c.make_timeline().statement, bytes).ok();
    };
    EXPECT_TRUE(accepted());
    height(SegmentTable::withdraw) = 0;
    EXPECT_FALSE(accepted());
    height(SegmentTable::withdraw) = kMinLogHeight;
    height(SegmentTable::signed_operation) = 0;
    EXPECT_FALSE(accepted());
}

// A touched node is a row of either Merkle table, but not of both.
TEST(SegmentProof, ANodeInBothTablesIsRefusedSlow) {
    RealRollup rollup;
    RealBatch batch(rollup);
    Claim c(rollup, batch.add(rollup::Withdraw{auth(2), Amount(70), rollup.address(30)}).seal());
    Heights least(circuits::kSegmentTables, 0);
    least[static_cast<std::size_t>(SegmentTable::more_merkle)] = kMinLogHeight;
    const auto rows = circuits::make_segment_rows(c.make_timeline(), c.signatures(), &least);
    ASSERT_EQ(rows.heights[static_cast<std::size_t>(SegmentTable::more_merkle)], kMinLogHeight);
    Trace trace = circuits::make_segment_trace(rows).value();
    const auto accepted = [&] {
        const auto bytes = prove_trace(trace, c.make_timeline().statement);
        return circuits::verify_segment(c.make_timeline().statement, bytes).ok();
    };
    EXPECT_TRUE(accepted());
    const auto& names = table_of(SegmentTable::merkle).columns;
    for (const auto& name : names) {
        cell(trace, SegmentTable::more_merkle, 7, name) = cell(trace, SegmentTable::merkle, 2, name);
    }
    EXPECT_FALSE(accepted());
    for (const auto& name : names) cell(trace, SegmentTable::merkle, 2, name) = KoalaBear();
    EXPECT_TRUE(accepted());
}

}  // namespace
}  // namespace quarry::adversary::segment_proof_test
