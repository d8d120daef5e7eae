#pragma once
/// For tests: a chain with the settlement contracts on it, in which verifying contracts accept what the test says was
/// proven, and a rollup whose batches are really executed.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/l1/deploy.hpp"
#include "quarry/node/l1/hub_view.hpp"
#include "quarry/node/l1/settlement.hpp"
#include "quarry/node/terminal_proof.hpp"
#include "quarry/rollup/batch.hpp"
#include "quarry/rollup/memory_store.hpp"
#include "tests/anvil/anvil_process.hpp"

namespace quarry::testing {

/// Time that passes when somebody waits; a block is mined then, too.
class MiningClock final : public ethereum::Clock {
  public:
    explicit MiningClock(AnvilProcess& anvil) : anvil_(anvil) {}
    std::uint64_t now_ms() override { return time_ms; }
    void sleep_ms(std::uint64_t duration_ms) override {
        time_ms += duration_ms;
        anvil_.mine();
    }
    std::uint64_t time_ms = 1'000;

  private:
    AnvilProcess& anvil_;
};

/// A batch with everything that a proof's submission needs.
struct MadeBatch {
    rollup::ExecutedBatch batch;
    std::optional<rollup::Header> parent;
    Bytes32 hash{};
    std::string path;
};

class HubWorld {
  public:
    HubWorld();
    ~HubWorld();
    HubWorld(const HubWorld&) = delete;
    HubWorld& operator=(const HubWorld&) = delete;

    AnvilProcess& anvil() { return *anvil_; }
    ethereum::Chain& chain() { return anvil_->chain(); }
    node::l1::HubView& view() { return *view_; }
    node::l1::L1Settlement& settlement() { return *settlement_; }
    ethereum::TransactionManager& sequencer() { return *sequencer_; }
    const node::l1::Deployment& deployment() const { return deployment_; }
    const rollup::RollupParameters& parameters() const { return parameters_; }
    rollup::MemoryStore& store() { return store_; }
    MiningClock& clock() { return clock_; }
    std::string folder() const { return folder_; }

    node::l1::DeployPlan plan() const;
    /// Deploys with the journal of this name.
    node::Outcome<node::l1::Deployment> deploy_again(const std::string& journal, const node::l1::DeployPlan& plan) {
        return deploy_again(journal, plan, chain());
    }
    node::Outcome<node::l1::Deployment> deploy_again(const std::string& journal, const node::l1::DeployPlan& plan,
                                                     ethereum::Chain& seen);
    /// View, sender and settlement from what is on disk, as after a kill.
    void restart(const node::l1::SettlementOptions& options);
    void restart() { restart(options); }
    /// Lets go of the files.
    void stop();
    /// A view that has followed from the beginning.
    std::unique_ptr<node::l1::HubView> fresh_view();
    /// That the view has what a fresh one has.
    void expect_consistent();

    /// Sends from the user's account and mines it.
    void user_call(const ethereum::Address& to, const ethereum::Bytes& data, std::uint64_t wei);
    void deposit(std::uint32_t owner, std::uint64_t wei);
    /// By a transaction that nobody sends again when a reorganisation drops it.
    void deposit_once(std::uint32_t owner, std::uint64_t wei);
    void deposit_once(const rollup::Owner& to, std::uint64_t wei);
    /// Executes a batch on the store: the queued deposits and forced entries, then transfers and withdrawals of slot 0.
    MadeBatch make_batch(std::size_t num_deposits, std::size_t num_forced, std::size_t num_transfers,
                         std::size_t num_withdrawals);
    node::sequencer::BatchToPost to_post(const MadeBatch& made) const;
    node::sequencer::BatchStatus status(const MadeBatch& made) const;
    /// Steps and mines until the batch is in this phase; false after 40 blocks.
    bool reach(const MadeBatch& made, node::sequencer::BatchPhase phase);
    void step();
    void advance_time(std::uint64_t seconds);

    /// The statement of a batch with the bindings that a prover would make, for `payee`.
    rollup::TerminalItem statement(const MadeBatch& made, const ethereum::Address& payee);
    /// A proof that the verifying contract will accept, once `accept` said so.
    node::TerminalProofFile proof_of(std::vector<rollup::TerminalItem> items, unsigned log_profile);
    void accept(const node::TerminalProofFile& file);
    node::l1::Bytes effects_of(const MadeBatch& made) const;

    node::l1::SettlementOptions options;
    std::uint64_t now = 0;  ///< seconds, of the sequencer's own clock

  private:
    std::unique_ptr<AnvilProcess> anvil_;
    std::string folder_;
    MiningClock clock_;
    node::l1::Deployment deployment_;
    rollup::RollupParameters parameters_;
    rollup::MemoryStore store_;
    std::optional<rollup::Header> last_;
    std::vector<rollup::AccountKey> keys_;
    std::unique_ptr<ethereum::TransactionManager> user_;
    std::uint64_t user_calls_ = 0;
    std::unique_ptr<node::l1::HubView> view_;
    std::unique_ptr<ethereum::TransactionManager> sequencer_;
    std::unique_ptr<node::l1::L1Settlement> settlement_;
};

}  // namespace quarry::testing
