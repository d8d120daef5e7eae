#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quarry/ethereum/kzg.hpp"
#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/l1/hub_view.hpp"
#include "quarry/node/l1/settlement_duties.hpp"
#include "quarry/node/sequencer/settlement.hpp"

namespace quarry::node::l1 {

/// A sequencer's side of a hub: brings its batches there, one after the other, and does what is due for them then
/// (settlement_duties.hpp).
///
/// Nothing of it is stored here: what is on L1 the view knows, what is on its way the transaction manager's journal.
/// A transaction's intent is named by what it is for (the batch's hash, the submission's number), so that a restart, or
/// handing a batch over again, makes no second one. Intents of batches that were taken back are cancelled before
/// another batch is sent.
///
/// The sender calls a transaction final after its own number of confirmations: as deep a reorganisation as that is
/// survived, since only what is not final is sent again (long_lived_sender). A batch counts as posted after
/// SettlementOptions::confirmations; what nothing takes back is decided after final_confirmations.
///
/// step() works and may wait for the endpoint; the functions of Settlement answer at once, on any thread.
class L1Settlement final : public sequencer::Settlement {
  public:
    using LoadKzg = std::function<ethereum::Answer<const ethereum::Kzg*>()>;
    using Now = std::function<std::uint64_t()>;
    /// All must outlive it. `load_kzg` is called when the first batch is to go into blobs. `now`: the own clock, in
    /// seconds since 1970.
    L1Settlement(SettlementOptions options, HubView& view, ethereum::TransactionManager& sender, ethereum::Chain& chain,
                 LoadKzg load_kzg, Now now);

    /// Follows the chain, sends what is due. To be called at every new head and every second or so, by one thread. The
    /// first problem of the way; the next call tries again.
    Outcome<Done> step();

    [[nodiscard]] std::optional<sequencer::SettlementHead> head() const override;
    [[nodiscard]] std::vector<sequencer::ConfirmedEntry> entries(sequencer::Queue queue, std::uint64_t first,
                                                                 std::size_t limit) const override;
    [[nodiscard]] std::optional<rollup::Bytes32> rolling_hash(sequencer::Queue queue,
                                                              std::uint64_t cursor) const override;
    void post(const sequencer::BatchToPost& batch) override;
    void withdraw(std::uint64_t from) override;
    [[nodiscard]] sequencer::BatchStatus status(std::uint64_t number, const rollup::Bytes32& hash) const override;
    [[nodiscard]] sequencer::BatchRules rules() const override;
    /// forked_from_l1: for final_confirmations blocks L1 has gone on from another batch than the next one's parent; or
    /// what stopped the view for good (view_problem).
    [[nodiscard]] std::optional<Problem> failure() const override;

    [[nodiscard]] SettlementFigures figures() const;

  private:
    /// A batch that was handed over and is not final.
    struct Job {
        sequencer::BatchToPost batch;
        std::optional<std::string> intent;  ///< of its transaction, once there is one
        bool is_refused = false;
        std::string code;
        std::string reason;
        rollup::Bytes32 transaction{};
        std::uint64_t refused_since = 0;  ///< block from which on L1 did not take it; 0: nothing is known against it
        std::uint64_t refused_at = 0;     ///< the last such block
    };
    /// What the view shows that decides about the next batch.
    struct Chain {
        std::uint64_t head = 0;
        Bytes32 head_hash{};
        Bytes parent_header;
        U256 bond;
    };

    Outcome<Done> follow_and_send();
    Outcome<Done> check_head() const;
    Outcome<Done> post_next();
    Outcome<Done> advance(const Job& job, const Chain& chain);
    Outcome<Done> follow_intent(const Job& job);
    Outcome<Done> send(const Job& job, const Chain& chain);
    Outcome<ethereum::Intent> make_intent(const Job& job, const Chain& chain);
    /// The rollup's, if it is followed.
    [[nodiscard]] std::optional<Chain> chain_state() const;
    [[nodiscard]] std::string next_attempt(const std::string& name) const;
    bool end_withdrawn();
    Outcome<Done> do_duties();
    Outcome<Done> collect();
    Outcome<Done> perform(const Duty& duty, std::uint64_t block);
    void update(const Job& job, const std::function<void(Job&)>& change);
    bool note_refusal(const Job& job, const std::string& code, const std::string& reason, bool is_lasting);
    Outcome<Done> not_taken(const Job& job, const std::string& cause);
    Outcome<Done> forked(const Job& job, const Chain& chain);
    std::string revert_cause(const ethereum::IntentStatus& status, const Job& job);

    const SettlementOptions options_;
    HubView& view_;
    ethereum::TransactionManager& sender_;
    ethereum::Chain& chain_;
    LoadKzg load_kzg_;
    Now now_;
    std::uint64_t next_collect_block_ = 0;
    std::map<std::string, std::uint64_t> next_try_;  ///< by a due duty's name: the block of its next attempt

    mutable std::mutex mutex_;
    std::map<std::uint64_t, Job> jobs_;  ///< by number
    bool is_connected_ = false;
    std::optional<Problem> trouble_;  ///< the last step's
    std::optional<Problem> failure_;
    SettlementFigures figures_;
};

}  // namespace quarry::node::l1
