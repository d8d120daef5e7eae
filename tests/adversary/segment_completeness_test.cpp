// What execution accepts can be proven: batches with real signatures satisfy every table and balance every bus, as one
// segment and cut in two.

#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary::segment_completeness_test {
namespace {

/// As one segment, and as [0, cut) and [cut, end) for each cut: accepted, and joined they say the same.
void expect_provable(const RealRollup& rollup, const rollup::ExecutedBatch& batch,
                     const std::vector<std::size_t>& cuts = {}) {
    const auto replayed = rollup::replay(rollup.parameters, rollup.store, rollup.queues, batch.header, batch.data);
    ASSERT_TRUE(replayed.ok());
    EXPECT_TRUE(node::all_verify(replayed.value().signature_checks));
    Claim claim(rollup, replayed.value());
    EXPECT_EQ(claim.verdict(), accepted());
    const auto whole = claim.make_timeline().statement;
    EXPECT_TRUE(rollup::check_whole(whole.header, whole.before, whole.after, batch.header).ok());
    for (const std::size_t cut : cuts) {
        claim.restrict(0, cut);
        EXPECT_EQ(claim.verdict(), accepted()) << "up to step " << cut;
        const auto left = claim.make_timeline().statement;
        claim.restrict(cut, batch.steps.size());
        EXPECT_EQ(claim.verdict(), accepted()) << "from step " << cut;
        const auto joined = rollup::merge(left, claim.make_timeline().statement);
        ASSERT_TRUE(joined.ok());
        EXPECT_EQ(joined.value().before, whole.before);
        EXPECT_EQ(joined.value().after, whole.after);
        EXPECT_EQ(joined.value().work.units, whole.work.units);
    }
}

TEST(SegmentCompleteness, EveryOperationAndEveryCut) {
    RealRollup rollup;
    const auto batch = every_operation(rollup);
    std::set<rollup::Opcode> seen;
    for (const rollup::Step& step : batch.steps) seen.insert(rollup::opcode(step.op));
    EXPECT_EQ(seen.size(), rollup::kLastOpcode);
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 0; cut <= batch.steps.size(); cut += 3) cuts.push_back(cut);
    expect_provable(rollup, batch, cuts);
}

TEST(SegmentCompleteness, RandomTraffic) {
    std::set<rollup::Opcode> seen;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        RealRollup rollup;
        const auto batch = RealTraffic(rollup, seed).run(40);
        for (const rollup::Step& step : batch.steps) seen.insert(rollup::opcode(step.op));
        expect_provable(rollup, batch, {batch.steps.size() / 2});
    }
    EXPECT_EQ(seen.size(), rollup::kLastOpcode);
}

TEST(SegmentCompleteness, BatchesWithoutOperationsOrWithoutSignatures) {
    RealRollup rollup;
    expect_provable(rollup, RealBatch(rollup).seal(), {0});
    RealBatch batch(rollup);
    batch.deposit({rollup.owner(4), rollup.address(31), 1, Amount(), 4})
        .forced(rollup::ForcedWithdrawalEntry{4, rollup.address(4)})
        .forced(rollup::ForcedWithdrawalEntry{4, rollup.address(4)});  // of a balance of 0
    expect_provable(rollup, batch.seal(), {1, 2});
}

// The least and the greatest token, amounts and balances up to 2^96 - 1, a fee that is all there is, the last nonce.
TEST(SegmentCompleteness, ExtremeValues) {
    const Amount all = Amount::max();
    RealRollup rollup({{0, 0, Amount()},
                       {0, 65535, Amount()},
                       {.owner = 2, .token = 0, .balance = all, .nonce = rollup::kMaxNonce - 1},
                       {3, 0, Amount()},
                       {4, 65535, *Amount::from_wide((Amount::Wide{1} << 72) - 1)},
                       {5, 65535, Amount(7)}},
                      Amount());
    RealBatch batch(rollup);
    rollup::Authorisation all_of_it = auth(4);
    all_of_it.fee = *Amount::from_wide((Amount::Wide{1} << 72) - 1);
    all_of_it.expiry = 0xffffffff;
    batch.add(rollup::Transfer{auth(2), 3, all})
        .add(rollup::ChangeKey{all_of_it, rollup.key(9)})
        .add(rollup::TransferNew{auth(5), 6, Amount(7), rollup.owner(8)})
        .add(rollup::Withdraw{auth(3, 1), *checked_sub(all, Amount(1)), rollup.address(9)});
    expect_provable(rollup, batch.seal(), {2});
}

// B2: the 256th effect is the last.
TEST(SegmentCompleteness, AsManyEffectsAsFit) {
    RealRollup rollup;
    RealBatch batch(rollup);
    for (std::uint32_t i = 0; i < rollup::kMaxEffects; ++i) {
        batch.forced(rollup::ForcedWithdrawalEntry{i % 12, rollup.address(i % 7)});
    }
    EXPECT_FALSE(batch.try_add(rollup::Withdraw{auth(7), Amount(1), rollup.address(9)}));
    expect_provable(rollup, batch.seal());
}

}  // namespace
}  // namespace quarry::adversary::segment_completeness_test
