// A prover against the contracts themselves: it knows nothing but an endpoint and the hub's address.

#include "quarry/node/prover/prover.hpp"

#include <gtest/gtest.h>

#include "quarry/ethereum/silent_chain.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/proof_call.hpp"
#include "quarry/node/prover/hub_l1_view.hpp"
#include "quarry/node/prover/prover_testing.hpp"
#include "tests/settlement/hub_world.hpp"

namespace quarry::testing::prover_test {
namespace {

namespace l1 = node::l1;
namespace prover = node::prover;
using node::sequencer::BatchPhase;

/// What a sender asks of a node, of which one question has no answer for a while.
class ForgetfulChain final : public ethereum::SilentChain {
  public:
    explicit ForgetfulChain(ethereum::Chain& chain) : chain_(chain) {}
    ethereum::Answer<std::uint64_t> chain_id() override { return chain_.chain_id(); }
    ethereum::Answer<std::uint64_t> block_number() override { return chain_.block_number(); }
    ethereum::Answer<ethereum::BlockHeader> block(const ethereum::BlockId& id) override { return chain_.block(id); }
    ethereum::Answer<std::optional<ethereum::Receipt>> receipt(const ethereum::Hash& hash) override {
        return chain_.receipt(hash);
    }
    ethereum::Answer<std::uint64_t> transaction_count(const ethereum::Address& account,
                                                      const ethereum::BlockId& at) override {
        return chain_.transaction_count(account, at);
    }
    ethereum::Answer<std::uint64_t> estimate_gas(const ethereum::CallRequest& request) override {
        if (estimates) return chain_.estimate_gas(request);
        return ethereum::EthereumError{ethereum::EthereumCode::timed_out, "", {}};
    }
    ethereum::Answer<ethereum::FeeSuggestion> suggest_fees() override { return chain_.suggest_fees(); }
    ethereum::Answer<ethereum::Hash> send_raw(ethereum::ByteView bytes) override { return chain_.send_raw(bytes); }
    ethereum::Answer<ethereum::U256> balance(const ethereum::Address& account, const ethereum::BlockId& at) override {
        return chain_.balance(account, at);
    }
    bool estimates = true;

  private:
    ethereum::Chain& chain_;
};

/// A prover with an account of its own, whose proofs are made as soon as they are begun, and prove nothing.
class RealProver {
  public:
    RealProver(HubWorld& world, unsigned account, const std::string& name)
        : RealProver(world, account, name, world.chain()) {}
    /// `sender_chain`: where its account sends.
    RealProver(HubWorld& world, unsigned account, const std::string& name, ethereum::Chain& sender_chain)
        : world_(world), payee_(AnvilProcess::key(account).address()), view_(world.fresh_view()) {
        l1::ConnectionOptions connection;
        connection.endpoints = {world.anvil().url()};
        connection_ = l1::Connection::open(connection).value();
        blobs_ = connection_->open_blobs({}).value();
        ethereum::TransactionManagerOptions sender;
        sender.chain_id = 31337;
        sender.confirmations = 2;
        auto journal = ethereum::open_journal_file(world.folder() + "/" + name + ".journal",
                                                   {31337, AnvilProcess::key(account).address()});
        sender_ = ethereum::TransactionManager::create(sender, AnvilProcess::key(account), sender_chain,
                                                       std::move(journal).value(), world.clock())
                      .value();
        l1_ = std::make_unique<prover::HubL1View>(
            *view_, world.chain(), *blobs_, sender_.get(), [] { return ethereum::Kzg::shared(); }, 2);
        log_.at_once = true;
        prover::ProverOptions options;
        options.folder = world.folder() + "/" + name;
        options.payee = l1::to_rollup(payee_);
        options.confirmations = 1;
        options.margin_percent = -100;
        prover_ = prover::Prover::open(options, *l1_, std::make_unique<prover::testing::ManualRunner>(log_)).value();
    }
    void step() {
        const auto done = prover_->step(1'800'000'000);
        ASSERT_TRUE(done.ok()) << done.error().cause;
        ASSERT_TRUE(prover_->status().connected);
        world_.clock().sleep_ms(1'000);
    }
    /// The proof of a job, as it is on disk.
    [[nodiscard]] node::TerminalProofFile proof_of(const prover::Job& job) const {
        return prover::find_proof(prover_->jobs().work_path(job.id), job.id).value();
    }
    [[nodiscard]] std::vector<prover::Job> jobs() const {
        std::vector<prover::Job> r;
        for (const auto& [id, job] : prover_->jobs().jobs()) r.push_back(job);
        return r;
    }
    [[nodiscard]] const prover::Prover& get() const { return *prover_; }
    [[nodiscard]] const ethereum::Address& payee() const { return payee_; }
    [[nodiscard]] const prover::L1View& l1() const { return *l1_; }

  private:
    HubWorld& world_;
    ethereum::Address payee_;
    std::unique_ptr<l1::HubView> view_;
    std::unique_ptr<l1::Connection> connection_;
    std::unique_ptr<ethereum::BlobSource> blobs_;
    std::unique_ptr<ethereum::TransactionManager> sender_;
    std::unique_ptr<prover::HubL1View> l1_;
    prover::testing::ManualRunner::Log log_;
    std::unique_ptr<prover::Prover> prover_;
};

MadeBatch post(HubWorld& world, std::size_t deposits, std::size_t transfers) {
    for (std::uint32_t i = 0; i < deposits; ++i) world.deposit(i, 1'000'000 + i);
    world.step();
    world.step();
    const MadeBatch made = world.make_batch(deposits, 0, transfers, 0);
    world.settlement().post(world.to_post(made));
    EXPECT_TRUE(world.reach(made, BatchPhase::posted)) << world.status(made).code;
    return made;
}

/// One batch as calldata, one in a blob; two provers; the second one's proof of the same batches comes too late.
TEST(RealProver, FromAnEmptyFolderToTheBounty) {
    HubWorld world;
    const MadeBatch first = post(world, 2, 0);
    l1::SettlementOptions in_blobs = world.options;
    in_blobs.placement = l1::SettlementOptions::Placement::blobs;
    world.restart(in_blobs);
    const MadeBatch second = post(world, 1, 0);

    RealProver winner(world, 5, "winner");
    RealProver other(world, 6, "other");
    for (RealProver* p : {&winner, &other}) {
        ASSERT_NO_FATAL_FAILURE(p->step());
        ASSERT_NE(p->get().replica(world.options.rollup), nullptr);
        EXPECT_EQ(p->get().replica(world.options.rollup)->state(), world.store().state());
        ASSERT_EQ(p->jobs().size(), 1U);
        EXPECT_EQ(p->jobs()[0].batches.size(), 2U);
    }
    const auto file = winner.proof_of(winner.jobs()[0]);
    EXPECT_EQ(file.bundle.items[0].header, first.batch.header);
    EXPECT_EQ(file.bundle.items[1].header, second.batch.header);

    // Lifted from the mempool, the proof is worth nothing under another payee: the statement names the first one.
    world.accept(file);
    auto stolen = file;
    for (auto& item : stolen.bundle.items) item.batch.payee = l1::to_rollup(other.payee());
    const l1::Bytes first_effects = world.effects_of(first);
    const l1::Bytes second_effects = world.effects_of(second);
    const std::vector<l1::ItemContent> contents{{first.parent, first.batch.data, first_effects},
                                                {second.parent, second.batch.data, second_effects}};
    const auto call = l1::make_proof_call(stolen, 0, contents, ethereum::Kzg::shared().value());
    ASSERT_TRUE(call.ok()) << call.error().cause;
    ethereum::CallRequest request;
    request.from = other.payee();
    request.to = world.deployment().hub;
    request.data = call.value().calldata;
    const auto answer = world.chain().call(request, ethereum::BlockTag::latest);
    ASSERT_FALSE(answer.ok());
    EXPECT_TRUE(l1::revert_name(answer.error().revert_data).starts_with("ProofRejected"));

    for (int i = 0; i < 10 && winner.jobs()[0].state != prover::JobState::settled; ++i) {
        ASSERT_NO_FATAL_FAILURE(winner.step());
    }
    EXPECT_EQ(winner.jobs()[0].state, prover::JobState::settled) << winner.jobs()[0].code;
    const auto info = l1::HubReader(world.chain(), world.deployment().hub).rollup_info(world.options.rollup);
    EXPECT_EQ(info.value().finalised, 2U);
    const auto credit = l1::HubReader(world.chain(), world.deployment().hub).credit(winner.payee());
    EXPECT_FALSE(credit.value().is_zero());
    ASSERT_NO_FATAL_FAILURE(other.step());
    EXPECT_EQ(other.jobs()[0].state, prover::JobState::lost);
    EXPECT_EQ(other.jobs()[0].code, "proven_by_others");
    EXPECT_EQ(other.l1().batch(world.options.rollup, 2)->payee, l1::to_rollup(winner.payee()));
}

// An endpoint that does not estimate the hand-in: what else the prover does goes on.
TEST(RealProver, FollowsWhileItsSenderWaits) {
    HubWorld world;
    (void)post(world, 1, 0);
    ForgetfulChain chain(world.chain());
    chain.estimates = false;
    RealProver p(world, 5, "prover", chain);
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(p.step());
    EXPECT_FALSE(p.get().status().sender_code.empty());
    (void)post(world, 1, 0);
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(p.step());
    EXPECT_EQ(p.get().replica(world.options.rollup)->batch_number(), 2U);
    chain.estimates = true;
    ASSERT_NO_FATAL_FAILURE(p.step());
    EXPECT_EQ(p.get().status().sender_code, "");
}

// The hub takes it, and its data are those of its header: only whoever looks at the point sees that no proof fits.
TEST(RealProver, ABatchWithThePointOfOtherDataIsInvalid) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    const MadeBatch made = world.make_batch(1, 0, 0, 0);
    const l1::Terms terms{l1::U256(1'000'000), l1::U256(1'000'000), l1::U256(0)};
    ethereum::Intent intent;
    intent.id = "wrong point";
    intent.to = world.deployment().hub;
    intent.value = terms.max + world.plan().parameters.batch_bond;
    intent.data =
        l1::hub_call::submit_batch_calldata({}, rollup::encode(made.batch.header), made.batch.data, {}, terms);
    ASSERT_TRUE(world.sequencer().submit(std::move(intent)).ok());
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(world.sequencer().step().ok());
        world.clock().sleep_ms(1'000);
    }
    RealProver p(world, 5, "prover");
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(p.step());
    ASSERT_TRUE(p.l1().batch(world.options.rollup, 1));
    EXPECT_EQ(p.get().status().rollups[0].invalid, 1U);
    EXPECT_EQ(p.get().status().rollups[0].code, "bad_point");
    EXPECT_TRUE(p.jobs().empty());
}

// The sequencer of this test does not check signatures.
TEST(RealProver, AnInvalidBatchIsSkippedAndAReorganisationFollowed) {
    HubWorld world;
    const MadeBatch first = post(world, 2, 0);
    RealProver p(world, 5, "prover");
    ASSERT_NO_FATAL_FAILURE(p.step());
    EXPECT_EQ(p.get().replica(world.options.rollup)->batch_number(), 1U);
    const MadeBatch forged = post(world, 0, 2);
    ASSERT_NO_FATAL_FAILURE(p.step());
    EXPECT_EQ(p.get().replica(world.options.rollup)->batch_number(), 1U);
    EXPECT_EQ(p.get().status().rollups[0].invalid, 2U);
    EXPECT_EQ(p.get().status().rollups[0].code, "bad_signature");
    // Deep enough to take both batches away.
    const auto head = world.chain().block_number().value();
    const auto submitted = p.l1().batch(world.options.rollup, 1)->block;
    world.anvil().reorganise(static_cast<unsigned>(head - submitted + 1));
    world.anvil().mine();
    ASSERT_NO_FATAL_FAILURE(p.step());
    EXPECT_EQ(p.get().replica(world.options.rollup)->batch_number(), 0U);
    EXPECT_EQ(p.get().status().rollups[0].invalid, 0U);
    EXPECT_EQ(p.jobs()[0].state, prover::JobState::dropped);
}

}  // namespace
}  // namespace quarry::testing::prover_test
