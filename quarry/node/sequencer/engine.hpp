#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/node/durable_store.hpp"
#include "quarry/node/queue_window.hpp"
#include "quarry/node/sequencer/ledger.hpp"
#include "quarry/node/sequencer/mempool.hpp"
#include "quarry/node/sequencer/receipt.hpp"
#include "quarry/node/sequencer/settlement.hpp"
#include "quarry/rollup/hashing.hpp"

/// What a sequencer decides, without threads, sockets or clocks of its own.
namespace quarry::node::sequencer {

struct EngineOptions {
    std::size_t max_operations = 4096;  ///< signed ones, in a batch
    std::uint64_t max_age_ms = 12'000;  ///< of an open batch with something in it, before it is closed
    std::size_t max_deposits = 128;     ///< consumed by one batch
    std::size_t max_forced = 64;        ///< consumed by one batch, unless L1 asks for more of those that are due
    std::size_t max_unposted = 64;      ///< closed batches that are not on L1: beyond, operations wait
    std::uint64_t max_resume_seconds = 21'600;  ///< a batch that was open for longer is opened anew after a restart
    std::uint64_t keep_batches = 100'000;       ///< final ones, whose receipts are kept
    rollup::Timestamp min_expiry_seconds = 30;
    std::optional<rollup::SlotIndex> fee_slot;  ///< its owner is the fee receiver of every batch; none: of slot 0
    std::optional<Digest> fee_receiver;         ///< a pair hash, instead; fees are taken in the tokens of its slots
    /// By token. A token that is not listed is not accepted; an empty list accepts all, for nothing.
    std::map<rollup::TokenId, rollup::Amount> min_fees;
    MempoolLimits mempool;
};

/// Where the files of closed batches go.
class BatchArchive {
  public:
    virtual ~BatchArchive() = default;
    /// Durable when it returns; replaces what is there under this number.
    virtual Outcome<Done> write(const BatchFiles& batch) = 0;
    /// Removes the batches from this one on, if there are any.
    virtual Outcome<Done> remove_from(std::uint64_t number) = 0;
    [[nodiscard]] virtual std::string path(std::uint64_t number) const = 0;
};
/// In a folder of batches (quarry/node/batch_files.hpp).
class FolderArchive final : public BatchArchive {
  public:
    explicit FolderArchive(BatchFolder folder) : folder_(std::move(folder)) {}
    Outcome<Done> write(const BatchFiles& batch) override { return folder_.write(batch); }
    Outcome<Done> remove_from(std::uint64_t number) override;
    [[nodiscard]] std::string path(std::uint64_t number) const override { return folder_.batch_path(number); }

  private:
    BatchFolder folder_;
};

/// The most fee slots, one a token: what a batch's fee ledger holds.
inline constexpr std::size_t kMaxFeeSlots = 256;

/// Milliseconds since 1970.
using Milliseconds = std::uint64_t;

/// What happened to operations and batches, after it is durable.
struct Events {
    bool wanted = true;  ///< by anyone: collecting those of whole batches costs milliseconds
    std::vector<Receipt> receipts;
    std::vector<BatchSummary> batches;
};

/// An account as users see it.
struct AccountView {
    rollup::SlotIndex slot = 0;
    rollup::Leaf leaf;                      ///< after everything that was executed
    rollup::Nonce next_nonce = 0;           ///< to sign next
    std::optional<rollup::Leaf> committed;  ///< after the last closed batch
};

struct EngineStatus {
    std::uint64_t batch = 0;
    std::uint64_t posted = 0;
    std::uint64_t proven = 0;
    std::uint64_t finalised = 0;
    std::size_t open_operations = 0;
    std::size_t waiting = 0;
    rollup::SlotIndex slots = 0;
    Digest fee_receiver{};
    std::uint64_t deposits = 0;  ///< consumed
    std::uint64_t forced = 0;    ///< consumed
    std::uint64_t executed = 0;  ///< since the start, and so on
    std::uint64_t rejected = 0;
    std::uint64_t reverted_batches = 0;
    std::uint64_t ledger_writes = 0;
};

struct FeeQuote {
    bool accepted = false;
    rollup::Amount minimum;
    rollup::Amount new_pair_minimum;
    rollup::Amount suggested;
};

/// Executes operations as they come, in batches, over a durable state. Every acknowledged operation is in the ledger,
/// synced, before `submit` returns, and so is the order of execution; a restart repeats it and closes the same batches.
/// Batches that are taken back leave their steps, queue entries among them, in a list that is repeated in its order
/// before anything else is executed.
///
/// One thread at a time may call what is not const; const functions may run beside each other.
class Engine {
  public:
    /// All must outlive the engine. Repeats what a stopped engine had executed.
    static Outcome<std::unique_ptr<Engine>> start(DurableStore& store, Ledger& ledger, BatchArchive& archive,
                                                  Settlement& settlement, const EngineOptions& options,
                                                  Milliseconds now);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    using Answer = std::variant<Receipt, Refusal>;
    /// Checks, stores and executes: one group, one sync. On the caller's TBB arena. answers[i] is of operations[i]. A
    /// Problem: nothing of the group is acknowledged, and the engine is stuck.
    Outcome<std::vector<Answer>> submit(const std::vector<SignedTransaction>& operations, Milliseconds now,
                                        Events& events);
    /// What time and L1 bring: consumes queue entries, closes, posts, finalises and takes back batches.
    Outcome<Done> tick(Milliseconds now, Events& events);
    /// Closes the open batch, if anything is in it.
    Outcome<Done> close_batch(Events& events);

    [[nodiscard]] std::optional<Receipt> receipt(const Digest& id) const;
    [[nodiscard]] std::optional<AccountView> account(rollup::SlotIndex slot) const;
    /// The slots that the pair owns, rising; at most `limit`.
    [[nodiscard]] std::vector<rollup::SlotIndex> slots_of(const Digest& pair, std::size_t limit) const;
    [[nodiscard]] std::optional<BatchSummary> batch(std::uint64_t number) const;
    /// The ids of its operations, in order.
    [[nodiscard]] std::vector<Digest> operations_of(std::uint64_t number) const;
    [[nodiscard]] EngineStatus status() const;
    [[nodiscard]] FeeQuote fee_quote(rollup::TokenId token) const;
    [[nodiscard]] const rollup::RollupParameters& parameters() const noexcept { return store_.parameters(); }
    /// No value: there is no L1.
    [[nodiscard]] std::optional<SettlementHead> l1_head() const { return settlement_.head(); }
    [[nodiscard]] const rollup::State& committed_state() const { return store_.state(); }
    [[nodiscard]] const Digest& domain() const noexcept { return domain_; }
    /// Why the engine is stuck.
    [[nodiscard]] const std::optional<Problem>& failure() const noexcept { return failure_; }

  private:
    struct OpenBatch;
    struct Candidate;
    struct KnownOperation {
        OperationRecord record;
        SignedTransaction tx;
    };
    Engine(DurableStore& store, Ledger& ledger, BatchArchive& archive, Settlement& settlement,
           const EngineOptions& options);

    // engine_start.cpp
    Outcome<Done> recover(Milliseconds now);
    Outcome<Done> load_note();
    Outcome<Done> load_batches();
    Outcome<Done> load_returned();
    Outcome<Done> load_waiting();
    Outcome<Done> repeat_order(Milliseconds now);
    Outcome<bool> repeat_step(const OrderEntry& entry, Milliseconds now);
    void index_all_pairs();

    // engine_returned.cpp
    Outcome<Done> take_back(std::uint64_t number, const BatchStatus& status, Events& events);
    Outcome<Done> finish_taking_back(std::uint64_t number, Events& events);
    Outcome<Done> take_back_order(std::uint64_t position, std::span<const BatchRecord> taken_back, Events& events);
    void wait_again(const Digest& id, const KnownOperation& known);
    Outcome<Done> repeat_returned(Milliseconds now, Events& events);
    Outcome<bool> repeat_operation(const Digest& id, Milliseconds now, Events& events);
    Outcome<bool> repeat_entry(const ConfirmedEntry& listed, Milliseconds now, Events& events);
    [[nodiscard]] bool is_gone();
    [[nodiscard]] bool is_pressing(const ConfirmedEntry& entry, Milliseconds now) const;

    // engine.cpp
    [[nodiscard]] std::optional<Refusal> check(const SignedTransaction& tx, Milliseconds now) const;
    [[nodiscard]] std::optional<Refusal> check_fee(const SignedTransaction& tx) const;
    Outcome<Done> admit(std::vector<Candidate>& candidates, Milliseconds now);
    Outcome<Done> execute_waiting(Milliseconds now, Events& events);
    Outcome<bool> execute_one(const WaitingOperation& operation, Milliseconds now, Events& events);
    void record_executed(WaitingOperation operation, const rollup::Transaction& tx, Milliseconds now, Events& events);
    void record_rejected(WaitingOperation operation, const char* code, const char* reason, Events& events);
    void store_waiting(const Candidate& candidate);
    Outcome<Done> flush();
    [[nodiscard]] std::optional<rollup::Leaf> leaf(rollup::SlotIndex slot) const;
    [[nodiscard]] rollup::SlotIndex slot_count() const;
    [[nodiscard]] Digest fee_receiver() const;
    [[nodiscard]] std::map<rollup::TokenId, rollup::SlotIndex> fee_slots(const Digest& receiver) const;
    [[nodiscard]] bool is_fee_slot(rollup::SlotIndex slot) const;
    [[nodiscard]] std::uint64_t priority(const SignedTransaction& tx) const;
    [[nodiscard]] Receipt make_receipt(const WaitingOperation& operation, const OperationRecord& record) const;
    [[nodiscard]] Receipt make_receipt(const Digest& id, const OperationRecord& record) const;
    void fill(Receipt& receipt, const OperationRecord& record) const;
    void for_each_slot(const Digest& pair,
                       const std::function<bool(rollup::SlotIndex, const rollup::Leaf&)>& call) const;
    [[nodiscard]] static std::uint64_t pair_fingerprint(const Digest& pair) noexcept;
    void index_pair(const Digest& pair, rollup::SlotIndex slot);
    void index_steps();

    // engine_batches.cpp
    [[nodiscard]] bool has_room() const;
    [[nodiscard]] rollup::Timestamp l1_time(Milliseconds now) const;
    void open(rollup::Timestamp timestamp);
    Outcome<bool> make_room(Milliseconds now, Events& events);
    void add_step(OrderEntry entry, Milliseconds now);
    [[nodiscard]] std::uint64_t cursor(Queue queue) const;
    [[nodiscard]] std::size_t room_for(Queue queue) const;
    [[nodiscard]] std::vector<ConfirmedEntry> next_entries(Milliseconds now) const;
    Outcome<Done> consume_queues(Milliseconds now, Events& events);
    Outcome<bool> consume_run(std::span<const ConfirmedEntry> entries, Milliseconds now);
    rollup::Verdict consume(const ConfirmedEntry& entry);
    Outcome<Done> seal(Events& events);
    void hand_over(const BatchRecord& record);
    Outcome<Done> follow_batches(Events& events);
    Outcome<Done> follow_queues(Events& events);
    Outcome<Done> finalise(Events& events);
    void forget_old(std::uint64_t finalised);
    void announce(const BatchRecord& record, bool with_receipts, Events& events) const;
    Problem stuck(Problem problem);
    template <class T>
    Outcome<T> read(Stored<T> stored) {
        if (!stored) return stuck(storage_problem(stored.error()));
        return std::move(stored).value();
    }
    Outcome<KnownOperation> known_operation(const Digest& id);
    [[nodiscard]] Problem storage_problem(const StorageError& error) const;
    [[nodiscard]] Problem storage_problem(rollup::RejectCode code) const;

    DurableStore& store_;
    Ledger& ledger_;
    BatchArchive& archive_;
    Settlement& settlement_;
    EngineOptions options_;
    Digest domain_{};
    Mempool mempool_;
    SequencerNote note_;
    std::unique_ptr<OpenBatch> open_;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t next_position_ = 0;
    std::uint64_t oldest_batch_ = 1;  ///< whose receipts are kept
    LedgerChanges pending_;
    std::deque<OrderEntry> returned_;  ///< steps of batches that were taken back, to be taken again in this order
    std::uint64_t first_returned_ = std::uint64_t{1}
                                    << 63;  ///< the ledger's number of the first: lower ones go before it
    /// The returned entry that L1 does not have, by its number in the ledger, and L1's block when that was noticed.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> missing_;
    std::map<std::uint64_t, BatchRecord> batches_;  ///< closed and not final
    /// First 64 bits of a pair, and a slot that had it at some time: a hint, checked when it is used.
    std::set<std::pair<std::uint64_t, rollup::SlotIndex>> slots_by_pair_;
    /// What becomes of the operations of the group in hand.
    std::unordered_map<Digest, std::optional<Answer>, rollup::DigestHasher> group_;
    std::optional<Problem> failure_;
    EngineStatus counts_;
};

}  // namespace quarry::node::sequencer
