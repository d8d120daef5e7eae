// The hub's bindings, view, poster and proof calls against the contracts themselves.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/devnet/funding.hpp"
#include "quarry/node/l1/artifact.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/proof_call.hpp"
#include "quarry/rollup/testing.hpp"
#include "tests/settlement/forgetful_chain.hpp"
#include "tests/settlement/hub_world.hpp"

namespace quarry::testing::hub_test {
namespace {

namespace l1 = node::l1;
using node::sequencer::BatchPhase;

/// Each batch's submissions, however often it was sent.
std::size_t num_submissions(HubWorld& world) {
    return world.fresh_view()->read([](const l1::HubState& state, const auto&) { return state.submissions().size(); });
}

l1::Submission submission_of(HubWorld& world, std::uint64_t number) {
    (void)l1::catch_up(world.view());
    return world.view().read(
        [&](const l1::HubState& state, const auto&) { return *state.batch(world.options.rollup, number); });
}

TEST(HubBindings, AreTheCompilersInterface) {
    const auto check = [](const std::string& name, auto functions, auto events, std::set<std::string>& errors) {
        const auto found = l1::read_interface(QUARRY_OUT "/settlement/" + name + ".sol/" + name + ".json");
        ASSERT_TRUE(found.ok()) << found.error().cause;
        const std::set<std::string> wanted(found.value().functions.begin(), found.value().functions.end());
        EXPECT_EQ(wanted, std::set<std::string>(functions.begin(), functions.end()));
        const std::set<std::string> wanted_events(found.value().events.begin(), found.value().events.end());
        EXPECT_EQ(wanted_events, std::set<std::string>(events.begin(), events.end()));
        errors.insert(found.value().errors.begin(), found.value().errors.end());
    };
    std::set<std::string> errors;
    check("IHub", l1::hub_function_signatures(), l1::hub_event_signatures(), errors);
    check("IBridge", l1::bridge_function_signatures(), l1::bridge_event_signatures(), errors);
    const auto ours = l1::error_signatures();
    EXPECT_EQ(errors, std::set<std::string>(ours.begin(), ours.end()));
}

/// Wherever the way to the chain is lost, the command ends with that, and goes on when it is run again.
TEST(HubDeployment, EndsWhereTheChainIsLost) {
    HubWorld world;
    for (unsigned num_receipts = 0;; ++num_receipts) {
        ASSERT_LT(num_receipts, 100U);
        ForgetfulChain chain(world.chain());
        chain.receipts_left = num_receipts;
        const auto again = world.deploy_again("deploy.journal", world.plan(), chain);
        if (again) {
            EXPECT_EQ(again.value(), world.deployment());
            EXPECT_GE(num_receipts, 5U);
            break;
        }
        EXPECT_EQ(again.error().name, "timed_out");
    }
}

/// What was funded is not funded again; another amount is another deposit.
TEST(DevnetFunding, IsDoneOncePerAmount) {
    HubWorld world;
    node::devnet::Funding funding{.seed = 3, .accounts = 2, .amount = rollup::Amount(1'000)};
    const auto fund = [&] {
        const auto done = node::devnet::fund_accounts(funding, world.deployment(), world.chain(), world.sequencer(),
                                                      world.clock(), {});
        EXPECT_TRUE(done.ok()) << done.error().name;
        (void)l1::catch_up(world.view());
        return world.view().read(
            [&](const l1::HubState& s, const auto&) { return s.rollup(world.options.rollup)->deposits.size(); });
    };
    EXPECT_EQ(fund(), 2U);
    EXPECT_EQ(fund(), 2U);
    funding.amount = rollup::Amount(2'000);
    EXPECT_EQ(fund(), 4U);
}

TEST(HubDeployment, IsDoneOnce) {
    HubWorld world;
    const auto nonce = [&] {
        return world.chain().transaction_count(AnvilProcess::key(0).address(), ethereum::BlockTag::latest).value();
    };
    const auto before = nonce();
    const auto again = world.deploy_again("deploy.journal", world.plan());
    ASSERT_TRUE(again.ok()) << again.error().cause;
    EXPECT_EQ(again.value(), world.deployment());
    EXPECT_EQ(nonce(), before) << "nothing was sent";
    EXPECT_EQ(l1::parse_deployment(l1::format_deployment(again.value())).value(), world.deployment());

    // Another rollup at the same hub.
    l1::DeployPlan second = world.plan();
    second.hub = world.deployment().hub;
    second.first_block = world.deployment().first_block;
    second.label = "second";
    const auto planned = l1::plan_deployment(second, world.chain(), AnvilProcess::key(0).address());
    ASSERT_TRUE(planned.ok());
    ASSERT_EQ(planned.value().size(), 1U);
    EXPECT_GT(planned.value()[0].gas, 100'000U);
    const auto other = world.deploy_again("deploy.journal", second);
    ASSERT_TRUE(other.ok()) << other.error().cause;
    EXPECT_EQ(other.value().rollup, world.deployment().rollup + 1);
    world.expect_consistent();
}

/// Deposits, a batch as calldata, one in a blob, their proofs, a claimed withdrawal.
TEST(Hub, WholeStorySlow) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.expect_consistent();
    world.step();
    world.step();
    const auto entries = world.settlement().entries(node::sequencer::Queue::deposits, 0, 10);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(world.settlement().rolling_hash(node::sequencer::Queue::deposits, 2), entries[1].rolling_hash);
    EXPECT_EQ(world.settlement().rolling_hash(node::sequencer::Queue::deposits, 3), std::nullopt);

    const MadeBatch first = world.make_batch(2, 0, 3, 0);
    world.settlement().post(world.to_post(first));
    EXPECT_EQ(world.status(first).phase, BatchPhase::sending);
    ASSERT_TRUE(world.reach(first, BatchPhase::posted)) << world.status(first).code;

    l1::SettlementOptions in_blobs = world.options;
    in_blobs.placement = l1::SettlementOptions::Placement::blobs;
    world.restart(in_blobs);
    const MadeBatch second = world.make_batch(0, 0, 5, 2);
    world.settlement().post(world.to_post(second));
    ASSERT_TRUE(world.reach(second, BatchPhase::posted)) << world.status(second).code;
    EXPECT_EQ(submission_of(world, 1).form, 0);
    EXPECT_EQ(submission_of(world, 2).form, 1);
    EXPECT_EQ(num_submissions(world), 2U);

    // Whoever knows nothing but L1 gets the data, and executes the batches.
    const auto blobs = [&] {
        l1::ConnectionOptions options;
        options.endpoints = {world.anvil().url()};
        return l1::Connection::open(options).value()->open_blobs({}).value();
    }();
    rollup::MemoryStore other;
    const l1::ViewQueues queues(world.view(), world.options.rollup);
    for (const MadeBatch* made : {&first, &second}) {
        const l1::Submission s = submission_of(world, made->batch.header.number);
        const auto data = l1::fetch_batch_data(world.chain(), *blobs, s);
        ASSERT_TRUE(data.ok()) << data.error().cause;
        ASSERT_EQ(data.value(), made->batch.data);
        const auto replayed = rollup::replay(world.parameters(), other, queues, s.header, data.value());
        ASSERT_TRUE(replayed.ok()) << rollup::reject_name(replayed.code());
        ASSERT_TRUE(other.commit(replayed.value().commit, replayed.value().update).ok());
    }
    EXPECT_EQ(other.state(), world.store().state());
    l1::Submission forged = submission_of(world, 1);
    forged.l1_hashes[0][5] ^= 1;
    EXPECT_EQ(l1::fetch_batch_data(world.chain(), *blobs, forged).error().name, "data_unavailable");

    // Both in one aggregate; the statement is the hub's.
    const ethereum::Address payee = AnvilProcess::key(3).address();
    const auto file = world.proof_of({world.statement(first, payee), world.statement(second, payee)}, 2);
    const l1::Bytes first_effects = world.effects_of(first);
    const l1::Bytes second_effects = world.effects_of(second);
    const std::vector<l1::ItemContent> contents{{first.parent, first.batch.data, first_effects},
                                                {second.parent, second.batch.data, second_effects}};
    const ethereum::Kzg* kzg = ethereum::Kzg::shared().value();
    const auto call = l1::make_proof_call(file, 0, contents, kzg);
    ASSERT_TRUE(call.ok()) << call.error().cause;
    ethereum::CallRequest request;
    request.from = AnvilProcess::key(1).address();
    request.to = world.deployment().hub;
    request.data = call.value().calldata;
    const auto refused = world.chain().call(request, ethereum::BlockTag::latest);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(l1::revert_name(refused.error().revert_data).substr(0, 13), "ProofRejected");
    world.accept(file);
    world.user_call(world.deployment().hub, call.value().calldata, 0);
    ASSERT_TRUE(world.reach(second, BatchPhase::finalised)) << world.status(second).code;
    EXPECT_EQ(world.status(first).phase, BatchPhase::finalised);
    world.expect_consistent();

    // The payee is owed the bounty, and a withdrawal can be claimed with a path that we compute.
    const l1::Submission settled = submission_of(world, 2);
    EXPECT_EQ(settled.payee, payee);
    const auto credit = l1::HubReader(world.chain(), world.deployment().hub).credit(payee);
    EXPECT_EQ(credit.value(), settled.owed + submission_of(world, 1).owed);
    ASSERT_EQ(settled.withdrawals.size(), 2U);
    const auto path = l1::withdrawal_path(settled.withdrawals, 1);
    l1::BridgeReader bridge(world.chain(), world.deployment().bridge);
    EXPECT_EQ(bridge.withdrawals_root(world.options.rollup, 2).value(), path.root);
    const l1::Withdrawal& w = settled.withdrawals[1];
    EXPECT_EQ(w.amount, rollup::Amount(1'001));
    world.user_call(
        world.deployment().bridge,
        l1::bridge_call::claim_withdrawal(world.options.rollup, 2, 1, w.token, w.amount, w.recipient, path.siblings),
        0);
    EXPECT_TRUE(bridge.is_claimed(world.options.rollup, 2, 1).value());
    EXPECT_EQ(submission_of(world, 2).claimed, std::set<std::uint8_t>{1});
    world.expect_consistent();
}

/// Content that is not what the statement binds makes no call.
TEST(Hub, ProofCallsAreCheckedBeforeTheyAreSent) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 1, 1);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted));
    const rollup::TerminalItem item = world.statement(made, AnvilProcess::key(3).address());
    const l1::Bytes effects = world.effects_of(made);
    const auto refused = [&](const rollup::TerminalItem& x, const l1::ItemContent& content) {
        const auto call = l1::make_item_call(x, content, nullptr);
        return !call.ok() && call.error().name == "opening_mismatch";
    };
    ASSERT_TRUE(l1::make_item_call(item, {made.parent, made.batch.data, effects}, nullptr).ok());
    l1::Bytes other = made.batch.data;
    other[40] ^= 1;
    EXPECT_TRUE(refused(item, {made.parent, other, effects}));
    l1::Bytes other_effects = effects;
    other_effects[5] ^= 1;
    EXPECT_TRUE(refused(item, {made.parent, made.batch.data, other_effects}));
    EXPECT_TRUE(refused(item, {made.parent, made.batch.data, {}}));
    EXPECT_TRUE(refused(item, {made.batch.header, made.batch.data, effects})) << "batch 1 has no parent";
    rollup::TerminalItem two_blobs = item;
    two_blobs.data.front().form = rollup::BindingForm::blob;
    EXPECT_EQ(l1::make_item_call(two_blobs, {made.parent, made.batch.data, effects}, nullptr).error().name,
              "setup_missing");
}

}  // namespace
}  // namespace quarry::testing::hub_test
