#pragma once
/// Shared by this module's tests: a development rollup on a file system in memory, and a settlement layer whose queues
/// and verdicts a test sets.

#include <rocksdb/env.h>

#include <map>
#include <memory>

#include "quarry/node/crash_env.hpp"
#include "quarry/node/sequencer/engine.hpp"
#include "quarry/node/workload.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::sequencer::testing {

inline constexpr Milliseconds kStart = 1'700'000'000'000;
inline constexpr std::size_t kAccounts = 12;
inline constexpr std::uint64_t kBalance = 1'000'000;

class FakeSettlement final : public Settlement {
  public:
    std::map<std::uint64_t, BatchStatus> statuses;
    std::map<std::uint64_t, BatchToPost> posted;
    std::vector<ConfirmedEntry> deposits;
    std::vector<ConfirmedEntry> forced;
    std::size_t shallow = 0;  ///< the last ones of each queue that are not deep enough yet
    SettlementHead at{.connected = true, .block = 1, .timestamp = 0, .trouble = {}, .reason = {}};
    BatchRules asked;
    std::optional<Problem> trouble;

    void add_deposit(const rollup::Owner& owner, std::uint64_t amount, std::uint8_t hash) {
        const rollup::DepositEntry entry{owner, owner.address, 0, rollup::Amount(amount), rollup::kNewSlot};
        ConfirmedEntry confirmed{{deposits.size(), entry}, {}, 0};
        confirmed.rolling_hash[0] = hash;
        deposits.push_back(confirmed);
    }

    /// For the slot's owner: its address, with a new key.
    void add_set_key(rollup::SlotIndex slot, const rollup::Owner& owner) {
        add_forced(rollup::SetKeyEntry{slot, owner.address, owner.key_hash});
    }
    /// Of all that the slot has.
    void add_withdrawal(rollup::SlotIndex slot, const rollup::Owner& owner) {
        add_forced(rollup::ForcedWithdrawalEntry{slot, owner.address});
    }

    [[nodiscard]] std::optional<SettlementHead> head() const override { return at; }
    [[nodiscard]] std::vector<ConfirmedEntry> entries(Queue queue, std::uint64_t first,
                                                      std::size_t limit) const override {
        const auto& all = queue == Queue::deposits ? deposits : forced;
        std::vector<ConfirmedEntry> r;
        for (std::uint64_t i = first; i + shallow < all.size() && r.size() < limit; ++i) r.push_back(all[i]);
        return r;
    }
    [[nodiscard]] std::optional<rollup::Bytes32> rolling_hash(Queue queue, std::uint64_t cursor) const override {
        const auto& all = queue == Queue::deposits ? deposits : forced;
        if (cursor == 0) return rollup::Bytes32{};
        if (cursor + shallow > all.size()) return std::nullopt;
        return all[cursor - 1].rolling_hash;
    }
    void post(const BatchToPost& batch) override { posted[batch.header.number] = batch; }
    void withdraw(std::uint64_t from) override { posted.erase(posted.lower_bound(from), posted.end()); }
    [[nodiscard]] BatchRules rules() const override { return asked; }
    [[nodiscard]] std::optional<Problem> failure() const override { return trouble; }
    [[nodiscard]] BatchStatus status(std::uint64_t number, const rollup::Bytes32& hash) const override {
        const auto known = posted.find(number);
        const auto set = statuses.find(number);
        if (known == posted.end() || known->second.hash != hash || set == statuses.end()) return {};
        return set->second;
    }

  private:
    void add_forced(QueueEntry entry) {
        ConfirmedEntry confirmed{{forced.size(), std::move(entry)}, {}, 0};
        confirmed.rolling_hash[0] = static_cast<std::uint8_t>(forced.size() + 1);
        forced.push_back(confirmed);
    }
};

class MemoryArchive final : public BatchArchive {
  public:
    std::map<std::uint64_t, BatchFiles> batches;
    Outcome<Done> write(const BatchFiles& batch) override {
        batches[batch.header.number] = batch;
        return Done{};
    }
    Outcome<Done> remove_from(std::uint64_t number) override {
        batches.erase(batches.lower_bound(number), batches.end());
        return Done{};
    }
    [[nodiscard]] std::string path(std::uint64_t number) const override { return std::to_string(number); }
};

/// Slot i is account i's, with token 0; slot 0 receives the fees. start() may fail where the file system does.
class World {
  public:
    World()
        : keys(7), genesis(make_development_genesis(keys, kAccounts, 0, rollup::Amount(kBalance), rollup::Amount(5))) {
        options.max_operations = 8;
        options.min_fees = {{0, rollup::Amount(2)}};
        options.mempool = {.max_operations = 20, .max_operations_per_account = 8};
    }

    [[nodiscard]] bool create() {
        auto made = DurableStore::create(node::testing::kStateDirectory, genesis.parameters, genesis.leaves,
                                         genesis.keys, {.read_only = false, .env = &env});
        return made.ok();
    }
    /// Opens everything; the Problem's or StorageError's text if it fails.
    std::string start() {
        stop();
        auto opened = DurableStore::open(node::testing::kStateDirectory, {.read_only = false, .env = &env});
        if (!opened) return opened.error().message;
        store = std::move(opened).value();
        auto opened_ledger = Ledger::open("/ledger", rollup::domain_hash(store->parameters()), &env);
        if (!opened_ledger) return opened_ledger.error().message;
        ledger = std::move(opened_ledger).value();
        auto started = Engine::start(*store, *ledger, archive, settlement, options, now);
        if (!started) return started.error().cause;
        engine = std::move(started).value();
        return {};
    }
    void stop() {
        engine.reset();
        ledger.reset();
        store.reset();
    }

    [[nodiscard]] rollup::Owner owner(std::uint64_t i) const {
        return {rollup::key_hash(to_account_key(keys.secret(i).public_key())), keys.address(i)};
    }
    SignedTransaction transfer(rollup::SlotIndex from, rollup::SlotIndex to, rollup::Nonce nonce,
                               std::uint64_t amount = 10, std::uint64_t fee = 2) const {
        rollup::Transfer op;
        op.receiver = to;
        op.amount = rollup::Amount(amount);
        SignedTransaction tx;
        tx.tx.op = op;
        tx.tx.receiver_pair = rollup::pair_hash(owner(to));
        return finish(std::move(tx), from, nonce, fee);
    }
    SignedTransaction transfer_new(rollup::SlotIndex from, std::uint64_t account, rollup::Nonce nonce) const {
        rollup::TransferNew op;
        op.amount = rollup::Amount(10);
        op.owner = owner(account);
        SignedTransaction tx;
        tx.tx.op = op;
        return finish(std::move(tx), from, nonce, 5);
    }
    [[nodiscard]] Digest id(const SignedTransaction& tx) const {
        return rollup::transaction_id(rollup::domain_hash(store->parameters()), tx.tx);
    }

    /// One group. The code of a refusal, or the stage; empty: the engine failed.
    std::vector<std::string> submit_all(std::vector<SignedTransaction> txs) {
        Events events;
        const auto answers = engine->submit(std::move(txs), now, events);
        std::vector<std::string> r;
        if (!answers) return r;
        for (const auto& answer : answers.value()) {
            const auto* receipt = std::get_if<Receipt>(&answer);
            r.push_back(receipt != nullptr ? stage_name(receipt->stage) : std::get<Refusal>(answer).code);
        }
        return r;
    }
    std::string submit(const SignedTransaction& tx) { return submit_all({tx}).at(0); }
    bool tick(Milliseconds later = 0) {
        now += later;
        Events events;
        return engine->tick(now, events).ok();
    }
    bool close_batch() {
        Events events;
        return engine->close_batch(events).ok();
    }
    [[nodiscard]] std::string stage(const SignedTransaction& tx) const {
        const auto receipt = engine->receipt(id(tx));
        return receipt ? stage_name(receipt->stage) : "unknown";
    }
    [[nodiscard]] std::uint64_t balance(rollup::SlotIndex slot) const {
        return static_cast<std::uint64_t>(engine->account(slot)->leaf.balance.wide());
    }

    node::testing::CrashEnv env;
    DevelopmentKeys keys;
    DevelopmentGenesis genesis;
    EngineOptions options;
    MemoryArchive archive;
    FakeSettlement settlement;
    Milliseconds now = kStart;
    std::unique_ptr<DurableStore> store;
    std::unique_ptr<Ledger> ledger;
    std::unique_ptr<Engine> engine;

  private:
    SignedTransaction finish(SignedTransaction tx, rollup::SlotIndex from, rollup::Nonce nonce,
                             std::uint64_t fee) const {
        rollup::Authorisation& auth = *rollup::authorisation(tx.tx.op);
        auth.slot = from;
        auth.expiry = 4'000'000'000;
        auth.fee = rollup::Amount(fee);
        tx.tx.nonce = nonce;
        sign(tx, rollup::domain_hash(parameters()), keys.secret(from));
        return tx;
    }
    /// The genesis root is filled in by the store.
    [[nodiscard]] rollup::RollupParameters parameters() const { return store->parameters(); }
};

}  // namespace quarry::node::sequencer::testing
