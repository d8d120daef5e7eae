// An endpoint that is wrong about the chain, or late, and a disk that is full.

#include <gtest/gtest.h>

#include "quarry/node/l1/connection.hpp"
#include "tests/settlement/forgetful_chain.hpp"
#include "tests/settlement/hub_world.hpp"

namespace quarry::testing::endpoint_test {
namespace {

namespace l1 = node::l1;

/// The sequencer's side of a world whose endpoint leaves a log out.
struct Forgetful {
    explicit Forgetful(HubWorld& w, std::optional<std::uint32_t> compared) : world(w), chain(w.chain()) {
        l1::HubViewOptions options = world.view().options();
        options.rollup = compared;
        auto opened = l1::HubView::open(chain, options, l1::make_memory_event_store());
        EXPECT_TRUE(opened.ok());
        view = std::move(opened).value();
        settlement = std::make_unique<l1::L1Settlement>(
            world.options, *view, world.sequencer(), chain, [] { return ethereum::Kzg::shared(); },
            [this] { return world.now; });
    }
    /// Of the rollup, as the view has them.
    std::size_t num_deposits() const {
        return view->read(
            [&](const l1::HubState& s, const auto&) { return s.rollup(world.options.rollup)->deposits.size(); });
    }
    std::string step() {
        const auto done = settlement->step();
        return done ? "" : done.error().name;
    }
    HubWorld& world;
    ForgetfulChain chain;
    std::unique_ptr<l1::HubView> view;
    std::unique_ptr<l1::L1Settlement> settlement;
};

/// An endpoint without one of the logs: what the contracts say of the queue shows it at once, the next entry at the
/// latest. Asked again, or another one asked, the view has them all.
TEST(HubEndpoint, AnEndpointThatLeavesALogOut) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    for (const bool is_compared : {true, false}) {
        SCOPED_TRACE(is_compared);
        Forgetful seen(world, is_compared ? std::optional(world.options.rollup) : std::nullopt);
        EXPECT_EQ(seen.step(), "");
        const std::size_t before = seen.num_deposits();
        seen.chain.hole = world.chain().block_number().value() + 1;
        seen.chain.has_others = true;
        world.deposit(1, 5);
        EXPECT_EQ(seen.step(), is_compared ? "events_missing" : "");
        if (!is_compared) {
            EXPECT_EQ(seen.num_deposits(), before) << "believed";
            world.deposit(1, 6);
            EXPECT_EQ(seen.step(), "deposit_order");
        }
        EXPECT_EQ(seen.chain.num_doubts, 1U);
        EXPECT_FALSE(seen.settlement->failure().has_value());
        EXPECT_EQ(seen.step(), "");
        EXPECT_EQ(seen.num_deposits(), before + (is_compared ? 1 : 2));
        EXPECT_EQ(seen.view->rollbacks().count, 0U);
    }
}

/// Who starts, or wants to know once, hears neither of a mistake nor for ever of the same one.
TEST(HubEndpoint, CatchingUpAsksAgain) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    for (const bool has_others : {true, false}) {
        Forgetful seen(world, world.options.rollup);
        seen.chain.hole = world.chain().block_number().value();
        seen.chain.has_others = has_others;
        const auto done = l1::catch_up(*seen.view);
        EXPECT_EQ(done ? "" : done.error().name, has_others ? "" : "events_missing");
        EXPECT_TRUE(done || done.error().kind == node::Problem::Kind::refused);
    }
}

/// A fault that every answer repeats is the sequencer's end, and says what to do; what is on its way goes on.
TEST(HubEndpoint, AFaultThatStaysIsAFailure) {
    HubWorld world;
    world.deposit(0, 1'000'000);
    Forgetful seen(world, world.options.rollup);
    EXPECT_EQ(seen.step(), "");
    ethereum::Intent intent;
    intent.id = "other";
    intent.to = world.sequencer().address();
    ASSERT_TRUE(world.sequencer().submit(std::move(intent)).ok());
    seen.chain.hole = world.chain().block_number().value() + 1;
    world.deposit(1, 5);
    EXPECT_EQ(seen.step(), "events_missing");
    EXPECT_EQ(world.sequencer().status("other").value().stage, ethereum::IntentStage::sent);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(seen.step(), "events_missing");
    EXPECT_FALSE(seen.settlement->failure().has_value()) << "the endpoint may come to itself";
    for (int i = 0; i < 5; ++i) EXPECT_EQ(seen.step(), "events_missing");
    ASSERT_TRUE(seen.settlement->failure().has_value());
    EXPECT_EQ(seen.settlement->failure()->name, "events_missing");
    EXPECT_EQ(seen.settlement->failure()->kind, node::Problem::Kind::refused);
}

/// A store that cannot be written ends it at once.
TEST(HubEndpoint, AFullDiskIsAFailure) {
    class FullStore final : public l1::EventStore {
      public:
        node::Stored<Content> load() override { return Content{}; }
        node::Stored<node::Done> write(std::optional<std::uint64_t>, const std::vector<l1::StoredBlock>&,
                                       const ethereum::FollowCursor&) override {
            return node::StorageError{node::StorageCode::disk_full, "no space"};
        }
    };
    HubWorld world;
    auto opened = l1::HubView::open(world.chain(), world.view().options(), std::make_unique<FullStore>());
    const std::unique_ptr<l1::HubView> view = std::move(opened).value();
    l1::L1Settlement settlement(
        world.options, *view, world.sequencer(), world.chain(), [] { return ethereum::Kzg::shared(); },
        [] { return std::uint64_t{0}; });
    EXPECT_FALSE(settlement.step().ok());
    ASSERT_TRUE(settlement.failure().has_value());
    EXPECT_EQ(settlement.failure()->name, "disk_full");
    EXPECT_EQ(settlement.failure()->kind, node::Problem::Kind::environment);
}

/// An endpoint that follows the chain no more answers as always.
TEST(HubEndpoint, AHeadThatStandsStill) {
    HubWorld world;
    ASSERT_TRUE(world.settlement().step().ok());
    world.now = world.view().head()->timestamp + 600;
    ASSERT_TRUE(world.settlement().step().ok());
    ++world.now;
    ASSERT_FALSE(world.settlement().step().ok());
    EXPECT_EQ(world.settlement().head()->trouble, "l1_behind");
    EXPECT_TRUE(world.settlement().head()->connected);
    world.anvil().mine();
    EXPECT_TRUE(world.settlement().step().ok());
    EXPECT_EQ(world.settlement().head()->trouble, "");
}

}  // namespace
}  // namespace quarry::testing::endpoint_test
