/// How an engine starts: repeats what a stopped one had executed, or finishes taking batches back.
#include <algorithm>

#include "quarry/node/input_executor.hpp"
#include "quarry/node/sequencer/open_batch.hpp"

namespace quarry::node::sequencer {

using rollup::RejectCode;
using rollup::Verdict;

Outcome<std::unique_ptr<Engine>> Engine::start(DurableStore& store, Ledger& ledger, BatchArchive& archive,
                                               Settlement& settlement, const EngineOptions& options, Milliseconds now) {
    auto engine = std::unique_ptr<Engine>(new Engine(store, ledger, archive, settlement, options));
    QUARRY_PASS_ON(engine->recover(now));
    // The tables of multiples are made at the first verification: now, and not when the first user waits.
    (void)verify_signatures(engine->domain_, std::vector<SignedTransaction>(1));
    return engine;
}

Outcome<Done> Engine::load_note() {
    note_ = {};
    if (const auto note = parse_sequencer_note(store_.note())) {
        note_ = *note;
    } else if (const auto executed = parse_execution_note(store_.note())) {
        note_.parent_hash = executed->parent_hash;
        note_.timestamp = executed->timestamp;
    }
    return Done{};
}

Outcome<Done> Engine::recover(Milliseconds now) {
    Events nobody{.wanted = false, .receipts = {}, .batches = {}};
    QUARRY_PASS_ON(load_note());
    const std::uint64_t last = store_.batch_number();
    if (parse_sequencer_note(store_.note()) && last > store_.finalised_number() && !ledger_.batch(last)) {
        return Problem{Problem::Kind::bad_input, "ledger_missing",
                       "the ledger does not know the state's last batch: it is another state's, or was deleted",
                       "restore state and ledger from the same backup"};
    }
    const auto waiting = ledger_.waiting();
    if (!waiting.empty()) {
        if (const auto record = ledger_.operation(waiting.back())) next_sequence_ = record->sequence + 1;
    }
    index_all_pairs();
    std::optional<std::uint64_t> reverted;
    for (BatchRecord& record : ledger_.batches_from(store_.finalised_number() + 1)) {
        const std::uint64_t number = record.header.number;
        if (!reverted && record.status.phase == BatchPhase::reverted) reverted = number;
        if (number > last && !reverted)
            pending_.removed_batches.push_back(number);  // was closed, but is not in the state: is closed again
        else
            batches_[number] = std::move(record);
    }
    if (const auto kept = ledger_.batches_from(1); !kept.empty()) oldest_batch_ = kept.front().header.number;
    if (reverted) {
        QUARRY_PASS_ON(finish_taking_back(*reverted, nobody));
    } else {
        QUARRY_PASS_ON(flush());
        QUARRY_PASS_ON(repeat_order(now));
    }
    load_waiting();
    for (const auto& [number, record] : batches_) hand_over(record);
    return Done{};
}

void Engine::index_all_pairs() {
    slots_by_pair_.reserve(store_.state().slot_count);
    for (rollup::SlotIndex slot = 0; slot < store_.state().slot_count; ++slot)
        index_pair(store_.leaf(slot)->pair, slot);
}

/// The ledger says that the batches from `number` on are taken back: now L1's poster, the state, the files and the
/// order follow.
Outcome<Done> Engine::finish_taking_back(std::uint64_t number, Events& events) {
    if (number <= store_.finalised_number()) {
        return stuck({Problem::Kind::refused, "final_batch_reverted",
                      "L1 says that a batch is not posted which it said to be final",
                      "compare the L1 endpoint with another one"});
    }
    settlement_.withdraw(number);
    if (store_.batch_number() >= number) {
        const Verdict verdict = store_.rollback(number - 1);
        if (!verdict) return stuck(storage_problem(verdict.code()));
    }
    QUARRY_PASS_ON(load_note());
    if (auto removed = archive_.remove_from(number); !removed) return stuck(removed.error());
    std::vector<BatchRecord> taken_back;
    for (auto it = batches_.lower_bound(number); it != batches_.end(); it = batches_.erase(it))
        taken_back.push_back(it->second);
    return take_back_order(note_.position, taken_back, events);
}

/// Every operation that was executed from `position` on waits again, in this order; entries of queues are read anew.
Outcome<Done> Engine::take_back_order(std::uint64_t position, std::span<const BatchRecord> taken_back, Events& events) {
    LedgerChanges changes;
    ledger_.for_each_step(position, [&](std::uint64_t at, const OrderEntry& entry) {
        changes.removed_order.push_back(at);
        const auto* operation = std::get_if<ExecutedOperation>(&entry);
        if (operation == nullptr) return true;
        auto record = ledger_.operation(operation->id);
        if (!record) return true;
        const auto batch = std::ranges::find_if(taken_back, [&](const BatchRecord& b) { return at < b.end; });
        const bool seen = batch != taken_back.end() && !batch->status.code.empty();
        record->state = seen ? OperationState::reverted : OperationState::waiting;
        record->code = seen ? batch->status.code : "";
        record->reason = seen ? batch->status.reason : "";
        record->sequence = next_sequence_++;
        record->batch = record->index = 0;
        if (record->created != 0) record->receiver = 0;
        record->created = 0;
        ++record->reverts;
        changes.operations.push_back({operation->id, std::move(*record), std::nullopt});
        return true;
    });
    for (const BatchRecord& batch : taken_back) changes.removed_batches.push_back(batch.header.number);
    if (!changes.empty()) {
        const auto written = ledger_.write(changes);
        if (!written) return stuck(storage_problem(written.error()));
    }
    next_position_ = position;
    for (const LedgerChanges::Operation& operation : changes.operations) {
        if (events.wanted) events.receipts.push_back(make_receipt(operation.id, operation.record));
        wait_again(operation.id, operation.record);
    }
    return Done{};
}

/// Into the mempool, from the ledger.
void Engine::wait_again(const Digest& id, const OperationRecord& record) {
    const auto line = parse_input_line(record.operation);
    if (!line || !std::holds_alternative<SignedTransaction>(line.value())) return;
    WaitingOperation operation;
    operation.tx = std::get<SignedTransaction>(line.value());
    const auto known = mempool_.find(operation.tx.tx.op, operation.tx.tx.nonce);
    if (known != nullptr && known->id == id) return;
    operation.id = id;
    operation.sequence = record.sequence;
    operation.priority = priority(operation.tx);
    operation.reverts = record.reverts;
    operation.returned = record.reverts > 0;
    operation.stored = true;
    const auto owner = leaf(operation.slot());
    // Without a slot it is tried, and refused for that.
    const rollup::Nonce nonce = owner ? owner->nonce : operation.tx.tx.nonce;
    (void)mempool_.add(std::move(operation), nonce, true);
}

void Engine::load_waiting() {
    for (const Digest& id : ledger_.waiting()) {
        if (const auto record = ledger_.operation(id)) wait_again(id, *record);
    }
}

/// Executes again what is in no closed batch, in the same order and at the same time.
Outcome<Done> Engine::repeat_order(Milliseconds now) {
    next_position_ = note_.position;
    std::optional<Problem> problem;
    ledger_.for_each_step(note_.position, [&](std::uint64_t at, const OrderEntry& entry) {
        next_position_ = at;
        const auto done = repeat_step(entry, now);
        if (!done) problem = done.error();
        if (!done || !done.value()) return false;
        next_position_ = at + 1;
        return true;
    });
    if (problem) return *problem;
    const std::uint64_t end = ledger_.order_end();
    if (next_position_ >= end) return Done{};
    // What cannot be repeated, because too much time has passed, is executed anew.
    if (open_ && open_->empty()) open_.reset();
    Events nobody{.wanted = false, .receipts = {}, .batches = {}};
    return take_back_order(next_position_, {}, nobody);
}

/// False: this step and those after it cannot be repeated.
Outcome<bool> Engine::repeat_step(const OrderEntry& entry, Milliseconds now) {
    if (const auto* opened = std::get_if<OpenedBatch>(&entry)) {
        Events events{.wanted = false, .receipts = {}, .batches = {}};
        QUARRY_PASS_ON(seal(events));
        if (opened->timestamp + options_.max_resume_seconds < l1_time(now) || opened->timestamp < note_.timestamp)
            return false;
        open(opened->timestamp);
        open_->announced = true;
        open_->first_step_ms = opened->timestamp * Milliseconds{1000};
        return true;
    }
    if (!open_) return false;
    if (const auto* queued = std::get_if<ConfirmedEntry>(&entry)) return consume(*queued).ok();
    const Digest& id = std::get<ExecutedOperation>(entry).id;
    const auto record = ledger_.operation(id);
    if (!record) return false;
    const auto line = parse_input_line(record->operation);
    if (!line || !std::holds_alternative<SignedTransaction>(line.value())) return false;
    rollup::Transaction tx = std::get<SignedTransaction>(line.value()).tx;
    if (auto* op = std::get_if<rollup::TransferNew>(&tx.op)) op->receiver = slot_count();
    if (!open_->add(tx)) return false;
    index_steps();
    return true;
}

}  // namespace quarry::node::sequencer
