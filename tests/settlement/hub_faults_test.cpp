// What goes wrong between a sequencer and L1: reorganisations, kills, refusals, windows that end.

#include <gtest/gtest.h>

#include <filesystem>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/proof_call.hpp"
#include "tests/settlement/hub_world.hpp"

namespace quarry::testing::hub_faults_test {
namespace {

namespace l1 = node::l1;
using node::sequencer::BatchPhase;

struct Counts {
    std::size_t submissions = 0;
    std::uint64_t head = 0;
};
Counts counts(HubWorld& world) {
    return world.fresh_view()->read([&](const l1::HubState& state, const auto&) {
        return Counts{state.submissions().size(), state.rollup(world.options.rollup)->head};
    });
}

bool is_on_chain(HubWorld& world, const MadeBatch& made) {
    (void)l1::catch_up(world.view());
    return world.view().read([&](const l1::HubState& state, const auto&) {
        const l1::Submission* s = state.batch(world.options.rollup, made.batch.header.number);
        return s != nullptr && s->header_hash == made.hash;
    });
}

std::uint64_t sequencer_nonce(HubWorld& world) {
    return world.chain().transaction_count(world.sequencer().address(), ethereum::BlockTag::latest).value();
}

/// The chain drops deposits and batches; the view follows, the batches come back, each once.
TEST(HubFaults, ReorganisationsOfDepth137) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    std::vector<MadeBatch> all;
    for (const unsigned depth : {1U, 3U, 7U}) {
        SCOPED_TRACE(depth);
        world.deposit(1, 100 + depth);
        const MadeBatch& made = all.emplace_back(world.make_batch(all.empty() ? 3 : 1, 0, 2, 0));
        world.settlement().post(world.to_post(made));
        for (int i = 0; i < 20 && !is_on_chain(world, made); ++i) world.step();
        ASSERT_TRUE(is_on_chain(world, made));
        world.anvil().reorganise(depth);
        world.expect_consistent();
        EXPECT_FALSE(is_on_chain(world, made)) << "the reorganisation dropped it";
        EXPECT_NE(world.status(made).phase, BatchPhase::posted);
        for (int i = 0; i < 40 && world.status(made).phase != BatchPhase::posted; ++i) {
            world.step();
            if (i % 4 == 0) world.expect_consistent();
        }
        world.expect_consistent();
        EXPECT_EQ(world.status(made).phase, BatchPhase::posted) << world.status(made).code;
        for (const MadeBatch& before : all) EXPECT_TRUE(is_on_chain(world, before));
        EXPECT_EQ(counts(world).submissions, all.size());
    }
    EXPECT_GE(world.view().rollbacks().count, 3U);
    EXPECT_EQ(world.view().rollbacks().deepest, 7U);
    // A node that starts again from its store stands where it was.
    const auto before = world.view().head();
    world.restart();
    world.expect_consistent();
    EXPECT_EQ(world.view().head()->hash, before->hash);
}

/// A deposit that a reorganisation takes away, or changes, after it entered a batch: the hub never takes that batch,
/// and the sequencer hears so.
TEST(HubFaults, DepositsThatL1TookBack) {
    HubWorld world;
    world.options.final_confirmations = 16;
    world.restart();
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.deposit_once(2, 77);
    const MadeBatch lost = world.make_batch(3, 0, 1, 0);
    world.anvil().reorganise(1);
    world.expect_consistent();
    EXPECT_EQ(world.settlement().rolling_hash(node::sequencer::Queue::deposits, 3), std::nullopt);
    world.settlement().post(world.to_post(lost));
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.status(lost).phase, BatchPhase::sending) << "the deposit may come back";
    for (int i = 0; i < 30 && world.status(lost).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.status(lost).phase, BatchPhase::reverted);
    EXPECT_EQ(world.status(lost).code, "DepositCursor");

    world.deposit_once(2, 78);  // another one in its place
    world.step();
    EXPECT_EQ(world.settlement().rolling_hash(node::sequencer::Queue::deposits, 3), std::nullopt) << "not deep enough";
    world.step();
    const auto hash = world.settlement().rolling_hash(node::sequencer::Queue::deposits, 3);
    ASSERT_TRUE(hash.has_value());
    EXPECT_NE(*hash, lost.batch.header.deposit_hash);
    world.settlement().post(world.to_post(lost));
    for (int i = 0; i < 10 && world.status(lost).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.status(lost).code, "DepositHash");
    EXPECT_EQ(counts(world).submissions, 0U);
}

/// Killed between execution and posting, and between posting and recording: the batch is sent once.
TEST(HubFaults, KillsAroundPosting) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    const std::uint64_t nonce = sequencer_nonce(world);
    world.restart();  // executed; never handed over
    EXPECT_EQ(world.status(made).phase, BatchPhase::unknown);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.settlement().step().ok());
    EXPECT_EQ(world.status(made).phase, BatchPhase::sending);
    world.restart();  // sent; not mined
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.settlement().step().ok());
    world.anvil().mine();
    world.restart();  // mined; nobody knows
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    EXPECT_EQ(sequencer_nonce(world), nonce + 1) << "one transaction";
    EXPECT_EQ(counts(world).submissions, 1U);
    world.restart();  // posted; the sequencer hands over everything that is not final
    world.settlement().post(world.to_post(made));
    for (int i = 0; i < 3; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::posted);
    EXPECT_EQ(sequencer_nonce(world), nonce + 1);
}

TEST(HubFaults, RefusedForGoodThenReplaced) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    node::sequencer::BatchToPost bad = world.to_post(made);
    bad.header.deposit_hash[3] ^= 1;
    bad.hash = keccak256(rollup::encode(bad.header));
    world.settlement().post(bad);
    for (int i = 0; i < 10 && world.settlement().status(1, bad.hash).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.settlement().status(1, bad.hash).phase, BatchPhase::reverted);
    EXPECT_EQ(world.settlement().status(1, bad.hash).code, "DepositHash");
    world.settlement().post(world.to_post(made));
    EXPECT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;

    // Another batch of this number is not sent: a sequencer that makes it has another history than L1.
    const std::uint64_t nonce = sequencer_nonce(world);
    world.settlement().post(bad);
    ASSERT_FALSE(world.settlement().step().ok());
    EXPECT_EQ(world.settlement().head()->trouble, "forked_from_l1");
    EXPECT_FALSE(world.settlement().failure().has_value()) << "a reorganisation may still take the other one back";
    for (int i = 0; i < 4; ++i) world.step();
    ASSERT_TRUE(world.settlement().failure().has_value());
    EXPECT_EQ(world.settlement().failure()->name, "forked_from_l1");
    EXPECT_EQ(sequencer_nonce(world), nonce);
}

/// A rollup of a key with another header version, which anybody may add: everybody goes on following the others.
TEST(HubFaults, ForeignRollupsAreIgnored) {
    HubWorld world;
    const ethereum::Address anybody = AnvilProcess::key(1).address();
    const ethereum::Address hub = world.deployment().hub;
    const auto& set = world.deployment().verifiers;
    world.user_call(hub, l1::hub_call::add_verifiers({2, set.one, set.four, set.sixteen}), 0);
    world.expect_consistent();
    l1::Parameters parameters = world.plan().parameters;
    parameters.key =
        world.view().read([](const l1::HubState& s, const auto&) { return s.verifiers().rbegin()->first; });
    world.user_call(hub, l1::hub_call::register_rollup(anybody, {anybody}, {}, parameters), 0);
    const std::uint32_t foreign = world.options.rollup + 1;
    const auto submit = [&](std::uint64_t number, const l1::Bytes& parent) {
        rollup::Header header;
        header.version = 2;
        header.rollup_id = foreign;
        header.number = number;
        header.byte_length = rollup::kWordBytes;
        if (!parent.empty()) header.parent_hash = keccak256(parent);
        header.timestamp = static_cast<rollup::Timestamp>(world.view().head()->timestamp);
        const l1::Bytes bytes = rollup::encode(header);
        const l1::Terms terms{l1::U256(1), l1::U256(1), l1::U256(0)};
        world.user_call(hub,
                        l1::hub_call::submit_batch_calldata(parent, bytes, l1::Bytes(rollup::kWordBytes), {}, terms),
                        parameters.batch_bond.low_u64() + 1);
        return bytes;
    };
    world.expect_consistent();
    const l1::Bytes first = submit(1, {});
    // And all that may follow of it.
    world.user_call(hub, l1::hub_call::raise_bounty(foreign, 1), 5);
    (void)submit(2, first);
    world.advance_time(parameters.proving_window + 1);
    world.user_call(hub, l1::hub_call::discard_unproven(foreign, 1), 0);
    world.user_call(hub, l1::hub_call::settle(2), 0);
    world.user_call(hub, l1::hub_call::reclaim_raise(1, 0), 0);

    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.expect_consistent();
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    world.view().read([&](const l1::HubState& s, const auto&) {
        EXPECT_TRUE(s.rollup(foreign)->is_foreign);
        EXPECT_FALSE(s.rollup(world.options.rollup)->is_foreign);
        EXPECT_EQ(s.submissions().size(), 1U);
    });
    world.restart();
    world.expect_consistent();
}

/// A batch that was taken back while it was on its way does not take the place of the next.
TEST(HubFaults, WithdrawnBatchesAreNotPosted) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch old = world.make_batch(2, 0, 2, 0);
    world.settlement().post(world.to_post(old));
    ASSERT_TRUE(world.settlement().step().ok());
    EXPECT_EQ(world.status(old).phase, BatchPhase::sending);
    world.restart();  // what was on its way is in the journal alone
    world.settlement().withdraw(1);
    MadeBatch made = old;
    ++made.batch.header.timestamp;
    made.hash = keccak256(rollup::encode(made.batch.header));
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    EXPECT_EQ(counts(world).submissions, 1U);
    EXPECT_EQ(world.status(old).phase, BatchPhase::unknown);
}

/// A journal that a power failure took the last writes of, or all of them: nothing is posted twice.
TEST(HubFaults, JournalLosesItsWrites) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const std::string journal = world.folder() + "/sequencer.journal";
    for (const bool is_mined : {false, true}) {
        SCOPED_TRACE(is_mined);
        std::filesystem::copy_file(journal, journal + ".old", std::filesystem::copy_options::overwrite_existing);
        const MadeBatch made = world.make_batch(is_mined ? 0 : 2, 0, 2, 0);
        const std::uint64_t nonce = sequencer_nonce(world);
        world.settlement().post(world.to_post(made));
        ASSERT_TRUE(world.settlement().step().ok());
        if (is_mined) world.anvil().mine();
        world.stop();
        std::filesystem::copy_file(journal + ".old", journal, std::filesystem::copy_options::overwrite_existing);
        world.restart();
        world.settlement().post(world.to_post(made));
        ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
        EXPECT_EQ(sequencer_nonce(world), nonce + 1) << "one transaction";
    }
    EXPECT_EQ(counts(world).submissions, 2U);
}

/// The proof's transaction, and a claim's, drop out of the chain and come back.
TEST(HubFaults, ReorganisationsOfDepth137AtProofAndClaim) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    l1::BridgeReader bridge(world.chain(), world.deployment().bridge);
    for (const unsigned depth : {1U, 3U, 7U}) {
        SCOPED_TRACE(depth);
        const MadeBatch made = world.make_batch(depth == 1 ? 2 : 0, 0, 1, 1);
        const std::uint64_t number = made.batch.header.number;
        world.settlement().post(world.to_post(made));
        ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
        const auto file = world.proof_of({world.statement(made, AnvilProcess::key(3).address())}, 0);
        world.accept(file);
        world.anvil().mine(8);
        const l1::Bytes effects = world.effects_of(made);
        const std::vector<l1::ItemContent> contents{{made.parent, made.batch.data, effects}};
        const auto call = l1::make_proof_call(file, 0, contents, nullptr);
        ASSERT_TRUE(call.ok()) << call.error().cause;
        world.user_call(world.deployment().hub, call.value().calldata, 0);
        world.expect_consistent();
        const auto finalised = [&] {
            (void)l1::catch_up(world.view());
            return world.view().read(
                [&](const l1::HubState& s, const auto&) { return s.rollup(world.options.rollup)->finalised; });
        };
        EXPECT_EQ(finalised(), number);
        EXPECT_EQ(world.status(made).phase, BatchPhase::posted) << "not buried yet";
        world.anvil().reorganise(depth);
        world.expect_consistent();
        EXPECT_EQ(finalised(), number - 1) << "the reorganisation took the proof out";
        ASSERT_TRUE(world.reach(made, BatchPhase::finalised)) << world.status(made).code;
        EXPECT_GE(world.view().head()->number + 1, world.status(made).block + world.options.final_confirmations);

        world.anvil().mine(8);
        world.expect_consistent();
        const auto withdrawals = world.view().read(
            [&](const l1::HubState& s, const auto&) { return s.batch(world.options.rollup, number)->withdrawals; });
        ASSERT_EQ(withdrawals.size(), 1U);
        const l1::Withdrawal& w = withdrawals[0];
        world.user_call(world.deployment().bridge,
                        l1::bridge_call::claim_withdrawal(world.options.rollup, number, 0, w.token, w.amount,
                                                          w.recipient, l1::withdrawal_path(withdrawals, 0).siblings),
                        0);
        EXPECT_TRUE(bridge.is_claimed(world.options.rollup, number, 0).value());
        world.anvil().reorganise(depth);
        world.expect_consistent();
        EXPECT_FALSE(bridge.is_claimed(world.options.rollup, number, 0).value());
        for (int i = 0; i < 10 && !bridge.is_claimed(world.options.rollup, number, 0).value(); ++i) world.step();
        EXPECT_TRUE(bridge.is_claimed(world.options.rollup, number, 0).value());
        world.expect_consistent();
    }
    EXPECT_EQ(world.view().rollbacks().deepest, 7U);
}

/// A blob that nobody serves any more is a cause of its own, and not another content.
TEST(HubFaults, ABlobNoLongerServedSlow) {
    HubWorld world;
    world.options.placement = l1::SettlementOptions::Placement::blobs;
    world.restart();
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    const auto submission =
        world.view().read([&](const l1::HubState& s, const auto&) { return *s.batch(world.options.rollup, 1); });
    std::string error;
    const auto forgetful = AnvilProcess::start({}, error);
    ASSERT_NE(forgetful, nullptr) << error;
    for (const auto& [url, name] :
         {std::pair(world.anvil().url(), ""), std::pair(forgetful->url(), "data_unavailable")}) {
        l1::ConnectionOptions options;
        options.endpoints = {url};
        const auto blobs = l1::Connection::open(options).value()->open_blobs({}).value();
        const auto data = l1::fetch_batch_data(world.chain(), *blobs, submission);
        EXPECT_EQ(data ? "" : data.error().name, name);
    }
}

/// Fees far above the caps: nothing is sent until they have fallen.
TEST(HubFaults, FeeSpike) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch made = world.make_batch(2, 0, 2, 0);
    const std::uint64_t nonce = sequencer_nonce(world);
    world.anvil().call("anvil_setNextBlockBaseFeePerGas", "[\"0x1d1a94a2000\"]");  // 2,000 gwei; the cap is 300
    world.anvil().mine();
    world.settlement().post(world.to_post(made));
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::sending);
    EXPECT_EQ(world.status(made).code, "fee_above_cap");
    EXPECT_EQ(world.settlement().head()->trouble, "fee_above_cap");
    EXPECT_EQ(sequencer_nonce(world), nonce);
    EXPECT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    EXPECT_EQ(sequencer_nonce(world), nonce + 1);
    EXPECT_EQ(world.settlement().head()->trouble, "");
}

/// A batch that nobody proves: the bounty grows and is raised, then the batch is discarded and its escrow comes back.
TEST(HubFaults, WindowsEnd) {
    HubWorld world;
    l1::SettlementOptions options = world.options;
    options.discards_late = true;
    options.raise_amount = l1::U256(1'000'000'000'000'000);
    options.final_confirmations = 8;
    world.restart(options);
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.user_call(world.deployment().bridge, l1::bridge_call::force_withdraw(world.options.rollup, 1),
                    2'000'000'000'000'000);
    world.expect_consistent();
    const MadeBatch made = world.make_batch(2, 1, 2, 0);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    const MadeBatch next = world.make_batch(0, 0, 1, 0);
    world.settlement().post(world.to_post(next));
    ASSERT_TRUE(world.reach(next, BatchPhase::posted)) << world.status(next).code;
    const auto submission = [&] {
        (void)l1::catch_up(world.view());
        return world.view().read(
            [&](const l1::HubState& s, const auto&) { return *s.find(options.rollup, made.hash); });
    };
    // Our bounty is the contract's, at every age.
    const auto compare = [&] {
        const l1::Submission s = submission();
        const auto head = world.view().head();
        const auto bounty = l1::HubReader(world.chain(), world.deployment().hub).current_bounty(options.rollup, 1);
        ASSERT_TRUE(bounty.ok());
        EXPECT_EQ(l1::bounty_at(s, head->number, head->timestamp), bounty.value());
    };
    compare();
    world.advance_time(300);
    compare();
    EXPECT_GT(l1::bounty_at(submission(), 0, world.view().head()->timestamp), submission().terms.base);
    world.step();
    EXPECT_EQ(world.settlement().figures().raises, 0U) << "too early";
    world.advance_time(420);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().raises, 1U);
    compare();
    // The journal remembers so many ends; what was done L1 shows.
    world.stop();
    std::filesystem::remove(world.folder() + "/sequencer.journal");
    world.restart(options);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().raises, 0U);
    EXPECT_EQ(submission().raises.size(), 1U);
    world.advance_time(150);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().raises, 1U);
    EXPECT_EQ(submission().raises.size(), 2U);
    compare();
    EXPECT_EQ(world.status(made).phase, BatchPhase::posted);

    world.advance_time(200);
    compare();  // late: half of the slashed bond is on top
    for (int i = 0; i < 10 && submission().state == l1::BatchState::pending; ++i) world.step();
    EXPECT_EQ(submission().state, l1::BatchState::closed);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::posted) << "a reorganisation may bring it back";
    EXPECT_EQ(world.settlement().figures().settlements, 0U);
    for (int i = 0; i < 10 && world.status(made).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.status(made).phase, BatchPhase::reverted);
    EXPECT_EQ(world.status(made).code, "batch_discarded");
    EXPECT_EQ(world.settlement().figures().discards, 1U);
    EXPECT_EQ(counts(world).submissions, 2U) << "what was discarded is not posted again";
    for (int i = 0; i < 4; ++i) world.step();
    world.expect_consistent();
    world.view().read([&](const l1::HubState& s, const auto&) {
        EXPECT_EQ(s.find(options.rollup, next.hash)->state, l1::BatchState::closed);
    });
    EXPECT_EQ(world.settlement().figures().settlements, 1U);
    EXPECT_EQ(world.settlement().figures().reclaims, 2U);
    for (const l1::Raise& raise : submission().raises) EXPECT_TRUE(raise.is_reclaimed);
    const auto credit = l1::HubReader(world.chain(), world.deployment().hub).credit(world.sequencer().address());
    EXPECT_GE(credit.value(), submission().terms.max + options.raise_amount * 2) << "escrow and raises came back";
}

/// A commitment to a batch that is late and not the first: it holds off the discard from when the one before it is
/// final.
TEST(HubFaults, ACommitmentLocksFromWhenItsBatchIsFirst) {
    HubWorld world;
    l1::SettlementOptions options = world.options;
    options.discards_late = true;
    options.discard_after_sec = 0;
    const l1::Parameters& parameters = world.plan().parameters;
    const std::uint64_t window = parameters.commit_window;
    const ethereum::Address hub = world.deployment().hub;
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    const MadeBatch first = world.make_batch(2, 0, 2, 0);
    world.settlement().post(world.to_post(first));
    ASSERT_TRUE(world.reach(first, BatchPhase::posted)) << world.status(first).code;
    const MadeBatch second = world.make_batch(0, 0, 1, 0);
    world.settlement().post(world.to_post(second));
    ASSERT_TRUE(world.reach(second, BatchPhase::posted)) << world.status(second).code;

    world.advance_time(parameters.proving_window);
    world.user_call(hub, l1::hub_call::commit_proof(options.rollup, 2, {}), parameters.commit_deposit.low_u64());
    world.advance_time(window + 1);
    const auto file = world.proof_of({world.statement(first, AnvilProcess::key(3).address())}, 0);
    world.accept(file);
    const l1::Bytes effects = world.effects_of(first);
    const std::vector<l1::ItemContent> contents{{first.parent, first.batch.data, effects}};
    world.user_call(hub, l1::make_proof_call(file, 0, contents, nullptr).value().calldata, 0);
    world.expect_consistent();
    const l1::Submission locked =
        world.view().read([&](const l1::HubState& s, const auto&) { return *s.find(options.rollup, second.hash); });
    const std::uint64_t final_at = world.view().read(
        [&](const l1::HubState& s, const auto&) { return s.find(options.rollup, first.hash)->finalised.timestamp; });
    EXPECT_EQ(locked.locked_until, final_at + window);
    const auto view = l1::HubReader(world.chain(), hub).batch(options.rollup, 2);
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view.value().locked_until, locked.locked_until);

    world.restart(options);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().discards, 0U) << "locked";
    world.advance_time(window);
    for (int i = 0; i < 20 && world.status(second).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().discards, 1U);
    EXPECT_EQ(world.status(second).phase, BatchPhase::reverted);
}

/// What failed is tried again; what comes together at hub and bridge is drawn.
TEST(HubFaults, DutiesAreRetriedAndMoneyIsCollected) {
    HubWorld world;
    l1::SettlementOptions options = world.options;
    options.discards_late = true;
    options.discard_after_sec = 0;
    options.collect_above = l1::U256(1);
    world.restart(options);
    world.deposit(0, 1'000'000);
    world.deposit(1, 5);
    world.user_call(world.deployment().bridge, l1::bridge_call::force_withdraw(options.rollup, 1),
                    2'000'000'000'000'000);
    const MadeBatch made = world.make_batch(2, 1, 2, 0);
    world.settlement().post(world.to_post(made));
    ASSERT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    const auto file = world.proof_of({world.statement(made, AnvilProcess::key(3).address())}, 0);
    world.accept(file);
    const l1::Bytes effects = world.effects_of(made);
    const std::vector<l1::ItemContent> contents{{made.parent, made.batch.data, effects}};
    const auto call = l1::make_proof_call(file, 0, contents, nullptr);
    world.user_call(world.deployment().hub, call.value().calldata, 0);
    ASSERT_TRUE(world.reach(made, BatchPhase::finalised)) << world.status(made).code;
    l1::BridgeReader bridge(world.chain(), world.deployment().bridge);
    EXPECT_FALSE(bridge.fees(world.sequencer().address()).value().is_zero());
    world.anvil().mine(50);
    for (int i = 0; i < 4; ++i) world.step();
    EXPECT_TRUE(bridge.fees(world.sequencer().address()).value().is_zero());
    EXPECT_TRUE(
        l1::HubReader(world.chain(), world.deployment().hub).credit(world.sequencer().address()).value().is_zero());
    EXPECT_EQ(world.settlement().figures().collections, 2U);

    // A discard that is refused once.
    const MadeBatch late = world.make_batch(0, 0, 1, 0);
    world.settlement().post(world.to_post(late));
    ASSERT_TRUE(world.reach(late, BatchPhase::posted)) << world.status(late).code;
    const ethereum::Address hub = world.deployment().hub;
    const auto set_code = [&](const ethereum::Bytes& code) {
        world.anvil().call("anvil_setCode", "[\"" + ethereum::to_hex(hub) + "\",\"" + ethereum::to_hex(code) + "\"]");
    };
    const ethereum::Bytes code = world.chain().code(hub, ethereum::BlockTag::latest).value();
    world.advance_time(world.plan().parameters.proving_window);
    set_code({0x60, 0x00, 0x60, 0x00, 0xfd});
    for (int i = 0; i < 2; ++i) world.step();
    set_code(code);
    EXPECT_EQ(world.settlement().figures().discards, 1U);
    for (int i = 0; i < 20 && world.status(late).phase != BatchPhase::reverted; ++i) world.step();
    EXPECT_EQ(world.settlement().figures().discards, 2U);
    EXPECT_EQ(world.status(late).phase, BatchPhase::reverted);
}

}  // namespace
}  // namespace quarry::testing::hub_faults_test
