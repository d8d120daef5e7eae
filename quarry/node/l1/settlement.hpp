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
#include "quarry/node/l1/settlement_options.hpp"
#include "quarry/node/sequencer/settlement.hpp"

namespace quarry::node::l1 {

/// A sequencer's side of a hub: brings its batches there, one after the other, watches their windows, raises bounties,
/// discards what nobody proved.
///
/// Nothing of it is stored here: what is on L1 the view knows, what is on its way the transaction manager's journal.
/// A transaction's intent is named by what it is for (the batch's hash, the submission's number), so that a restart, or
/// handing a batch over again, makes no second one.
///
/// The sender calls a transaction final after its own number of confirmations: as deep a reorganisation as that is
/// survived, since only what is not final is sent again (long_lived_sender). A batch counts as posted after
/// SettlementOptions::confirmations.
///
/// step() works and may wait for the endpoint; the functions of Settlement answer at once, on any thread.
class L1Settlement final : public sequencer::Settlement {
  public:
    using LoadKzg = std::function<ethereum::Answer<const ethereum::Kzg*>()>;
    /// All must outlive it. `load_kzg` is called when the first batch is to go into blobs.
    L1Settlement(SettlementOptions options, HubView& view, ethereum::TransactionManager& sender, ethereum::Chain& chain,
                 LoadKzg load_kzg);

    /// Follows the chain, sends what is due. To be called at every new head and every second or so, by one thread. The
    /// first problem of the way; the next call tries again.
    Outcome<Done> step();

    [[nodiscard]] std::optional<sequencer::SettlementHead> head() const override;
    [[nodiscard]] std::vector<sequencer::ConfirmedEntry> entries(sequencer::Queue queue, std::uint64_t first,
                                                                 std::size_t limit) const override;
    [[nodiscard]] std::optional<rollup::Bytes32> rolling_hash(sequencer::Queue queue,
                                                              std::uint64_t cursor) const override;
    void post(const sequencer::BatchToPost& batch) override;
    [[nodiscard]] sequencer::BatchStatus status(std::uint64_t number, const rollup::Bytes32& hash) const override;

    struct Figures {
        std::uint64_t batches_in_blobs = 0;
        std::uint64_t batches_in_calldata = 0;
        std::uint64_t batches_refused = 0;
        std::uint64_t raises = 0;
        std::uint64_t discards = 0;
    };
    [[nodiscard]] Figures figures() const;

  private:
    /// A batch that was handed over and is not final.
    struct Job {
        sequencer::BatchToPost batch;
        std::optional<std::string> intent;  ///< of its transaction, once there is one
        bool is_refused = false;
        std::string code;
        std::string reason;
        rollup::Bytes32 transaction{};
        std::uint64_t missing_since = 0;  ///< block from which on a queue entry was not there; 0: none is missing
    };
    /// What the view shows that decides about the next batch.
    struct Chain {
        std::uint64_t head = 0;
        Bytes32 head_hash{};
        Bytes parent_header;
        U256 bond;
        bool is_known = false;
    };

    Outcome<Done> post_next();
    Outcome<Done> follow_intent(const Job& job);
    Outcome<Done> send(const Job& job, const Chain& chain);
    Outcome<ethereum::Intent> make_intent(const Job& job, const Chain& chain);
    [[nodiscard]] Chain chain_state() const;
    [[nodiscard]] std::string free_intent(const Bytes32& hash) const;
    Outcome<Done> watch_windows();
    Outcome<Done> raise_bounty(const Submission& first_open, std::uint64_t timestamp);
    Outcome<Done> discard_late(const Submission& first_open, std::uint64_t timestamp);
    Outcome<Done> settle_orphans(const std::vector<std::uint64_t>& ids);
    Outcome<Done> collect_credit(std::uint64_t block);
    Outcome<bool> submit_once(const std::string& id, Bytes data, const U256& value);
    void refuse(const Job& job, const std::string& code, const std::string& reason);
    void update(const Job& job, const std::function<void(Job&)>& change);
    Outcome<Done> not_taken(const Job& job, const std::string& cause);
    std::string revert_cause(const ethereum::IntentStatus& status, const Job& job);

    const SettlementOptions options_;
    HubView& view_;
    ethereum::TransactionManager& sender_;
    ethereum::Chain& chain_;
    LoadKzg load_kzg_;
    std::uint64_t next_collect_block_ = 0;

    mutable std::mutex mutex_;
    std::map<std::uint64_t, Job> jobs_;  ///< by number
    bool is_connected_ = false;
    Figures figures_;
};

}  // namespace quarry::node::l1
