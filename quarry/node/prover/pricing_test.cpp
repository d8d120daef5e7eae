#include "quarry/node/prover/pricing.hpp"

#include <gtest/gtest.h>

namespace quarry::node::prover::pricing_test {
namespace {

constexpr Wei kGwei = 1'000'000'000;

BatchOnL1 batch_on_l1() {
    BatchOnL1 b;
    b.base = 100;
    b.max = 300;
    b.raised = 7;
    b.awarded = 1000;
    b.expected_at = 50;
    b.deadline = 150;
    b.rebate_cap = 5000;
    b.rebate_gas = 100;
    return b;
}

TEST(Pricing, TheBountyGrowsBetweenExpectedTimeAndDeadline) {
    BatchOnL1 b = batch_on_l1();
    EXPECT_EQ(bounty_at(b, 0), Wei{107});
    EXPECT_EQ(bounty_at(b, 50), Wei{107});
    EXPECT_EQ(bounty_at(b, 51), Wei{109});
    EXPECT_EQ(bounty_at(b, 149), Wei{305});
    EXPECT_EQ(bounty_at(b, 150), Wei{1307});
    b.expected_at = b.deadline;
    EXPECT_EQ(bounty_at(b, 149), Wei{107});
    EXPECT_EQ(bounty_at(b, 150), Wei{1307});
    EXPECT_EQ(rebate_at(b, 49), Wei{4900});
    EXPECT_EQ(rebate_at(b, 51), Wei{5000});
}

Candidate candidate(std::uint32_t rollup, std::uint64_t number, Wei earns) {
    Candidate c;
    c.rollup = rollup;
    c.number = number;
    c.key = 1;
    c.words = 300;
    c.earns = earns;
    c.deadline = static_cast<rollup::Timestamp>(1000 + number);
    return c;
}

/// Candidates as "rollup/number".
std::string names(const Choice& choice) {
    std::string text;
    for (const Candidate& c : choice.batches) {
        text += (text.empty() ? "" : " ") + std::to_string(c.rollup) + "/" + std::to_string(c.number);
    }
    return text;
}

// selector; key, profile, two offsets; the array's length; the item; the proof's length and bytes.
TEST(Pricing, CalldataIsThatOfTheInterface) {
    GasModel model;
    model.proof_bytes = 100;
    EXPECT_EQ(calldata_bytes({}, model), 4U + 128 + 32 + 32 + 128);
    Candidate c = candidate(1, 1, 0);
    const std::size_t item = 32 + 9 * 32 + 2 * (32 + 224) + 32 + 192 + 32;
    EXPECT_EQ(calldata_bytes({&c, 1}, model) - calldata_bytes({}, model), item);
    c.openings = 6;
    c.effect_words = 8;  // 248 bytes
    EXPECT_EQ(calldata_bytes({&c, 1}, model) - calldata_bytes({}, model), item + 5 * 192 + 256);
}

TEST(Pricing, EarningsAndCosts) {
    PriceContext context;
    context.gas_price = kGwei;
    context.wei_per_unit = 1000;
    const Candidate c = candidate(1, 1, 0);
    Price price = price_of({&c, 1}, context);
    EXPECT_EQ(price.gas_cost, price.gas * kGwei);
    EXPECT_EQ(price.own_cost, Wei{proving_units({&c, 1})} * 1000);
    const Wei costs = price.gas_cost + price.own_cost;
    price.earns = costs;
    EXPECT_TRUE(price.is_worth_it(0));
    EXPECT_FALSE(price.is_worth_it(1));
    price.earns = 0;
    EXPECT_TRUE(price.is_worth_it(-100));
    EXPECT_FALSE(price.is_worth_it(-99));
}

TEST(Pricing, ChoosesWhatEarnsMoreThanItCosts) {
    PriceContext context;
    context.gas_price = kGwei;
    const Wei each = 2'000'000 * kGwei;
    const std::vector<Candidate> three{candidate(1, 1, each), candidate(1, 2, each), candidate(1, 3, each)};
    // One alone does not pay for the verification, neither do three; with a fourth they do.
    EXPECT_EQ(names(choose_batches(std::span(three).first(1), context, 16)), "");
    EXPECT_EQ(names(choose_batches(three, context, 16)), "");
    auto more = three;
    for (std::uint64_t n = 4; n <= 6; ++n) more.push_back(candidate(1, n, each));
    EXPECT_EQ(names(choose_batches(more, context, 16)), "1/1 1/2 1/3 1/4 1/5 1/6");
    EXPECT_EQ(names(choose_batches(more, context, 3)), "");  // too few of them
    context.gas_price = 50 * kGwei;                          // a fee spike
    EXPECT_EQ(names(choose_batches(more, context, 16)), "");
    EXPECT_GT(choose_batches(more, context, 16).price.gas_cost, Wei{0});
    context.margin_percent = -100;
    EXPECT_EQ(names(choose_batches(more, context, 16)), "1/1 1/2 1/3 1/4 1/5 1/6");
}

TEST(Pricing, APoorBatchIsTakenForTheSakeOfThoseBehindIt) {
    PriceContext context;
    context.gas_price = kGwei;
    const Wei rich = 20'000'000 * kGwei;
    const std::vector<Candidate> poor_first{candidate(1, 1, 0), candidate(1, 2, rich)};
    EXPECT_EQ(names(choose_batches(poor_first, context, 16)), "1/1 1/2");
    const std::vector<Candidate> poor_last{candidate(1, 1, rich), candidate(1, 2, 0)};
    EXPECT_EQ(names(choose_batches(poor_last, context, 16)), "1/1");
    // Nor does a rollup that pays nothing keep others back.
    const std::vector<Candidate> two{candidate(1, 1, 0), candidate(2, 5, rich), candidate(2, 6, rich)};
    EXPECT_EQ(names(choose_batches(two, context, 16)), "2/5 2/6");
}

TEST(Pricing, OneProofIsOfOneKey) {
    PriceContext context;
    context.gas_price = kGwei;
    const Wei rich = 20'000'000 * kGwei;
    std::vector<Candidate> batches{candidate(1, 1, rich), candidate(1, 2, rich), candidate(2, 1, 3 * rich),
                                   candidate(2, 2, 3 * rich)};
    EXPECT_EQ(names(choose_batches(batches, context, 16)), "1/1 1/2 2/1 2/2");
    batches[2].key = batches[3].key = 2;
    EXPECT_EQ(names(choose_batches(batches, context, 16)), "2/1 2/2");
    batches[3].key = 1;  // behind a batch of another key
    EXPECT_EQ(names(choose_batches(batches, context, 16)), "2/1");
}

TEST(Pricing, PacksByBytesAndByGas) {
    PriceContext context;
    context.margin_percent = -100;
    std::vector<Candidate> batches;
    for (std::uint64_t n = 1; n <= 40; ++n) batches.push_back(candidate(1, n, kGwei));
    EXPECT_EQ(choose_batches(batches, context, 16).batches.size(), 16U);
    for (Candidate& c : batches) {  // a batch at the cap: 31,744 bytes of deposits
        c.effects = 256;
        c.effect_words = 1024;
    }
    auto choice = choose_batches(batches, context, 16);
    EXPECT_EQ(choice.batches.size(), 1U);
    EXPECT_LE(choice.price.bytes, context.gas.max_transaction_bytes);
    EXPECT_LE(choice.price.gas, context.gas.gas_cap);
    for (Candidate& c : batches) {  // withdrawals: two words each
        c.effects = 64;
        c.effect_words = 128;
        c.openings = 6;
    }
    choice = choose_batches(batches, context, 16);
    EXPECT_GT(choice.batches.size(), 4U);
    EXPECT_LT(choice.batches.size(), 16U);
    EXPECT_LE(choice.price.gas, context.gas.gas_cap);
    const std::span<const Candidate> one_more(batches.data(), choice.batches.size() + 1);
    EXPECT_TRUE(price_of(one_more, context).gas > context.gas.gas_cap ||
                price_of(one_more, context).bytes > context.gas.max_transaction_bytes);
}

TEST(Pricing, Numbers) {
    EXPECT_EQ(to_decimal(0), "0");
    EXPECT_EQ(to_decimal(Wei{kGwei} * kGwei * kGwei), "1000000000000000000000000000");
    EXPECT_EQ(parse_wei("1000000000000000000000000000"), Wei{kGwei} * kGwei * kGwei);
    EXPECT_FALSE(parse_wei(""));
    EXPECT_FALSE(parse_wei("-1"));
    EXPECT_FALSE(parse_wei("1e9"));
    EXPECT_FALSE(parse_wei(std::string(39, '9')));
}

}  // namespace
}  // namespace quarry::node::prover::pricing_test
