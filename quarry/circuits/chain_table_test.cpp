#include "quarry/circuits/chain_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"
#include "quarry/circuits/state/fee_table.hpp"

namespace quarry::circuits::chain_table_test {
namespace {

using testing::BusSums;
using testing::TestSegment;
using Row = ChainRow<KoalaBear>;
using Rows = std::vector<Row>;
using Names = std::vector<std::string>;
const KoalaBear kOne(1);

// Where the chains begin.
constexpr std::size_t kBefore = 11, kAfter = 27, kDomain = 43, kWork = 44;

std::vector<std::string> broken(const Rows& rows) {
    return broken_constraints(make_table<ChainTable>(), testing::columns_of_rows(rows));
}
BusSums sums_of(const Rows& rows) {
    BusSums sums;
    sums.add_table(make_table<ChainTable>(), testing::columns_of_rows(rows));
    return sums;
}

// The rows [first, last) as one chain from `position` on: states, positions, counts and hashes as they follow.
void link(Rows& rows, std::size_t first, std::size_t last, const Digest& start, std::uint32_t position = 0) {
    for (std::size_t i = first; i < last; ++i) {
        rows[i].position = KoalaBear(position + i - first);
        rows[i].state = i == first ? start : rows[i - 1].out;
        rows[i].out = poseidon_compress(rows[i].state, rows[i].block);
        rows[i].count = (i == first ? KoalaBear() : rows[i - 1].count) + rows[i].taken;
    }
}
auto at(Rows& rows, std::size_t i) { return rows.begin() + static_cast<std::ptrdiff_t>(i); }

struct Chains : public ::testing::Test {
    Chains() {
        rows[3].timestamp_uses = rows[3].receiver_uses = KoalaBear(4);
        rows[kDomain].domain_uses = rows[kDomain].fee_uses = KoalaBear(5);
    }
    TestSegment segment{2, 60, 9, 40};
    Rows rows = chain_rows(segment.timeline);
};

TEST_F(Chains, EndInTheStatementsDigests) {
    ASSERT_EQ(rows.size(), 45U);
    EXPECT_EQ(broken(rows), Names{});
    const rollup::SegmentStatement& s = segment.timeline.statement;
    EXPECT_EQ(rows[kBefore - 1].out, s.header);
    EXPECT_EQ(rows[kAfter - 1].out, s.before.fees);
    EXPECT_EQ(rows[kDomain - 1].out, s.after.fees);
    EXPECT_EQ(rows[kDomain].out, s.domain);
    EXPECT_EQ(rows[kWork].out, s.work.root);
    ASSERT_GT(rows[kDomain - 1].count.canonical(), 0U);
    EXPECT_EQ(make_table<ChainTable>().fixed_log_height, 9U);
}

// What operations look up is what the header and the domain say.
TEST_F(Chains, ProvideTimestampReceiverDomainAndMinimumFee) {
    const BusSums sums = sums_of(rows);
    const auto only = [&](Bus bus) {
        EXPECT_EQ(sums.on(bus).size(), 1U);
        const auto key = sums.on(bus).front();
        return std::vector<std::uint32_t>(key.begin() + 1, key.end());
    };
    const auto canonical = [](std::span<const KoalaBear> xs) {
        std::vector<std::uint32_t> r;
        for (const KoalaBear x : xs) r.push_back(x.canonical());
        return r;
    };
    const Timeline& t = segment.timeline;
    EXPECT_EQ(only(kTimestampBus), (std::vector<std::uint32_t>{t.header.timestamp & 0xffff, t.header.timestamp >> 16}));
    EXPECT_EQ(only(kFeeReceiverBus), canonical(t.header.fee_receiver));
    EXPECT_EQ(only(kDomainBus), canonical(t.statement.domain));
    const auto fee = amount_limbs(t.parameters.min_new_pair_fee);
    EXPECT_EQ(only(kMinimumFeeBus), canonical(std::span(fee).first(rollup::Amount::kFeeLimbs)));
}

TEST_F(Chains, NoCellIsFree) {
    const Table table = make_table<ChainTable>();
    const Columns columns = testing::columns_of_rows(rows);
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i <= rows.size(); ++i) all.push_back(i);
    for (const std::string& cell : testing::free_cells(table, columns, all)) {
        const std::size_t row = std::stoul(cell.substr(cell.rfind(' ') + 1));
        const std::string column = cell.substr(0, cell.find_first_of("[ "));
        // The work row alone has a payee and a count of words; rows without a chain of their own have no position.
        const bool of_work = column == "data_before" || column == "payee";
        const bool of_chain = column == "position" || column == "count";
        const bool of_step = column == "state" || column == "block" || column == "out";
        EXPECT_TRUE((of_work && row != kWork) || (of_chain && row >= kDomain) || (of_step && row > kWork)) << cell;
    }
}

TEST_F(Chains, EachConstraintIsNeeded) {
    const Table table = make_table<ChainTable>();
    const Columns columns = testing::columns_of_rows(rows);
    auto left = testing::never_alone(table, columns, {0, 3, 10, 11, 14, 26, 27, 42, 43, 44, 45}, {45});
    const Digest header_start = rows[0].state;
    const Digest fees_start = rows[kAfter].state;
    const auto expect_alone = [&](const std::string& name, auto change) {
        Rows bad = rows;
        change(bad);
        EXPECT_EQ(broken(bad), Names{name});
        left.erase(name);
    };
    // Chains that end a block early, begin a block late, or change their kind on the way.
    expect_alone("header_last.position", [&](Rows& bad) {
        bad.erase(at(bad, 10));
        bad[9].header_last = kOne;
    });
    expect_alone("fees_last.position", [&](Rows& bad) {
        bad.erase(at(bad, kDomain - 1));
        bad[kDomain - 2].fees_last = kOne;
    });
    expect_alone("first.position", [&](Rows& bad) {
        bad.erase(at(bad, kAfter));
        link(bad, kAfter, kDomain - 1, fees_start, 1);
    });
    expect_alone("header_last.where", [&](Rows& bad) {
        bad.erase(at(bad, kAfter + 11), at(bad, kDomain));
        bad[kAfter + 10].header_last = kOne;
    });
    expect_alone("fees_last.where", [&](Rows& bad) {
        const Row more = bad[9];
        bad[10].header_last = KoalaBear();
        bad.insert(at(bad, 11), 5, more);
        bad[15].fees_last = kOne;
        link(bad, 0, 16, header_start);
    });
    expect_alone("next.header", [&](Rows& bad) {
        bad.erase(at(bad, 10), at(bad, kAfter + 10));
        link(bad, 0, 16, header_start);
    });
    expect_alone("next.fees_before", [&](Rows& bad) {
        bad.erase(at(bad, kBefore + 5), at(bad, kAfter + 5));
        link(bad, kBefore, kBefore + 16, fees_start);
    });
    // More tokens than blocks; a block taken twice.
    expect_alone("first.count", [&](Rows& bad) {
        for (std::size_t i = kAfter; i < kDomain; ++i) bad[i].count += kOne;
    });
    expect_alone("taken", [&](Rows& bad) {
        bad[kDomain - 1].taken = KoalaBear(2);
        bad[kDomain - 1].count += KoalaBear(2);
    });
    // Two rows of chains that are none together.
    expect_alone("work", [&](Rows& bad) {
        Row& row = bad.emplace_back();
        row.domain = kOne;
        row.work = -kOne;
        row.block[7] = bad[kWork].block[7];
    });
    EXPECT_EQ(left, std::set<std::string>{});
}

// Zero blocks cannot be replaced, real ones neither skipped nor moved: FeeTable's blocks have positions 0 .. k - 1.
TEST_F(Chains, LedgersHoldExactlyTheBlocksOfTheirTokens) {
    const auto taken_of = [](const Rows& r) { return sums_of(r).on(kFeeBlockBus); };
    const std::uint32_t count = rows[kDomain - 1].count.canonical();
    Rows bad = rows;
    bad[kDomain - 1].block[0] = kOne;
    EXPECT_EQ(broken(bad), Names{"not_taken[0]"});
    // A gap between the blocks.
    bad = rows;
    std::swap(bad[kAfter + count - 1].block, bad[kAfter + count].block);
    std::swap(bad[kAfter + count - 1].taken, bad[kAfter + count].taken);
    link(bad, kAfter, kDomain, rows[kAfter].state);
    EXPECT_EQ(broken(bad), Names{});
    EXPECT_NE(taken_of(bad), taken_of(rows));
    // A block left out: its tuple stays.
    bad = rows;
    bad[kAfter].block = {};
    bad[kAfter].taken = KoalaBear();
    link(bad, kAfter, kDomain, rows[kAfter].state);
    EXPECT_EQ(broken(bad), Names{});
    EXPECT_NE(taken_of(bad), taken_of(rows));
}

// ADVERSARIAL, Tables: "units or tag not computed in the circuit".
TEST_F(Chains, UnitsAreTheWordsOfTheSegment) {
    const rollup::SegmentStatement& s = segment.timeline.statement;
    const auto matches = [&](const Rows& r, std::uint32_t units, const Digest& root) {
        BusSums sums = sums_of(r);
        sums.add(kWorkBus,
                 work_tuple({KoalaBear(units & 0xffff), KoalaBear(units >> 16)}, KoalaBear(s.before.data.count),
                            KoalaBear(s.after.data.count), root, address_limbs(s.payee)),
                 kOne);
        return sums.on(kWorkBus).empty();
    };
    EXPECT_TRUE(matches(rows, s.work.units, s.work.root));
    // One more; and as many as are equal mod p.
    for (const std::uint32_t units : {s.work.units + 1, s.work.units + KoalaBear::kModulus}) {
        Rows bad = rows;
        bad[kWork].state[4] = KoalaBear(units & 0xffff);
        bad[kWork].state[5] = KoalaBear(units >> 16);
        bad[kWork].out = poseidon_compress(bad[kWork].state, bad[kWork].block);
        EXPECT_FALSE(broken(bad).empty() && matches(bad, units, bad[kWork].out));
    }
    // Another payee.
    Rows bad = rows;
    bad[kWork].payee[0] += kOne;
    EXPECT_FALSE(matches(bad, s.work.units, s.work.root));
}

}  // namespace
}  // namespace quarry::circuits::chain_table_test
