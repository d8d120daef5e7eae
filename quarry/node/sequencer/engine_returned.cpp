/// Batches that are taken back: their steps go into a list that is taken again in its order.
#include <algorithm>
#include <iterator>

#include "quarry/node/sequencer/open_batch.hpp"

namespace quarry::node::sequencer {

using rollup::Verdict;

namespace {

/// Within so many blocks an entry that a reorganisation dropped is on L1 again, or it is given up.
constexpr std::uint64_t kEntryBlocks = 8;

}  // namespace

/// Takes back the batches from `number` on, and the open one; their operations wait again. First the ledger says so, so
/// that a restart finishes what was begun.
Outcome<Done> Engine::take_back(std::uint64_t number, const BatchStatus& status, Events& events) {
    QUARRY_PASS_ON(flush());
    for (auto it = batches_.lower_bound(number); it != batches_.end(); ++it) {
        BatchRecord& record = it->second;
        // A batch that never was on L1 is taken back silently: its operations are as good as new.
        const bool seen = !is_unposted(record.status.phase) || status.phase == BatchPhase::reverted;
        record.status.phase = BatchPhase::reverted;
        record.status.code = seen ? status.code : "";
        record.status.reason = seen ? status.reason : "";
        pending_.batches.push_back(record);
        ++counts_.reverted_batches;
        announce(record, false, events);
    }
    QUARRY_PASS_ON(flush());
    open_.reset();
    return finish_taking_back(number, events);
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

/// The steps from `position` on are to be taken again, before those that are already; their operations wait for that.
Outcome<Done> Engine::take_back_order(std::uint64_t position, std::span<const BatchRecord> taken_back, Events& events) {
    std::vector<OrderEntry> steps;
    const auto scanned = read(ledger_.for_each_step(position, [&](std::uint64_t, const OrderEntry& entry) {
        steps.push_back(entry);
        return true;
    }));
    if (!scanned) return scanned.error();
    LedgerChanges changes;
    std::vector<std::pair<Digest, KnownOperation>> operations;
    const std::uint64_t first = first_returned_ - steps.size();
    for (std::uint64_t i = 0; i < steps.size(); ++i) {
        const std::uint64_t at = position + i;
        changes.removed_order.push_back(at);
        changes.returned.emplace_back(first + i, steps[i]);
        const auto* executed = std::get_if<ExecutedOperation>(&steps[i]);
        if (executed == nullptr) continue;
        auto operation = known_operation(executed->id);
        if (!operation) return operation.error();
        OperationRecord& record = operation.value().record;
        const auto batch = std::ranges::find_if(taken_back, [&](const BatchRecord& b) { return at < b.end; });
        const bool seen = batch != taken_back.end() && !batch->status.code.empty();
        record.state = seen ? OperationState::reverted : OperationState::waiting;
        record.code = seen ? batch->status.code : "";
        record.reason = seen ? batch->status.reason : "";
        record.sequence = next_sequence_++;
        record.batch = record.index = 0;
        if (record.created != 0) record.receiver = 0;
        record.created = 0;
        ++record.reverts;
        changes.operations.push_back({executed->id, record, std::nullopt});
        operations.emplace_back(executed->id, std::move(operation).value());
    }
    for (const BatchRecord& batch : taken_back) changes.removed_batches.push_back(batch.header.number);
    if (!changes.empty()) {
        const auto written = ledger_.write(changes);
        if (!written) return stuck(storage_problem(written.error()));
    }
    next_position_ = position;
    first_returned_ = first;
    missing_.reset();
    returned_.insert(returned_.begin(), std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
    for (const auto& [id, operation] : operations) {
        if (events.wanted) events.receipts.push_back(make_receipt(id, operation.record));
        wait_again(id, operation);
    }
    return Done{};
}

/// Into the mempool, from the ledger.
void Engine::wait_again(const Digest& id, const KnownOperation& known) {
    if (mempool_.find(id) != nullptr) return;
    WaitingOperation operation;
    operation.tx = known.tx;
    operation.id = id;
    operation.sequence = known.record.sequence;
    operation.priority = priority(operation.tx);
    operation.reverts = known.record.reverts;
    operation.returned = known.record.reverts > 0;
    operation.stored = true;
    const auto owner = leaf(operation.slot());
    // Without a slot it is tried, and refused for that.
    const rollup::Nonce nonce = owner ? owner->nonce : operation.tx.tx.nonce;
    (void)mempool_.add(operation, nonce, true);
}

/// Takes the steps again, up to one that has to wait: for a queue entry, or for room. One that was taken just before
/// the process ended is there still; it is known to be taken.
Outcome<Done> Engine::repeat_returned(Milliseconds now, Events& events) {
    while (!returned_.empty()) {
        const OrderEntry& step = returned_.front();
        Outcome<bool> taken = true;
        if (const auto* executed = std::get_if<ExecutedOperation>(&step))
            taken = repeat_operation(executed->id, now, events);
        else if (const auto* queued = std::get_if<ConfirmedEntry>(&step))
            taken = repeat_entry(*queued, now, events);
        else if (open_ && !open_->empty())
            open_->merged = true;
        if (!taken) return taken.error();
        if (!taken.value()) return Done{};
        pending_.removed_returned.push_back(first_returned_++);
        returned_.pop_front();
    }
    return Done{};
}

Outcome<bool> Engine::repeat_operation(const Digest& id, Milliseconds now, Events& events) {
    const WaitingOperation* operation = mempool_.find(id);
    if (operation == nullptr) return true;
    const auto owner = leaf(operation->slot());
    if (owner && operation->tx.tx.nonce > owner->nonce) {
        // One before it was rejected: it waits for another with that nonce, like any operation.
        mempool_.set_nonce(operation->slot(), owner->nonce);
        return true;
    }
    return execute_one(*operation, now, events);
}

/// Consumes the queue's next entry, which mostly is the listed one: a reorganisation may have changed it.
Outcome<bool> Engine::repeat_entry(const ConfirmedEntry& listed, Milliseconds now, Events& events) {
    const Queue queue = queue_of(listed);
    const std::uint64_t index = cursor(queue);
    if (listed.entry.index < index) return true;
    const auto entries = settlement_.entries(queue, index, 1);
    if (entries.empty()) return is_gone();
    for (;;) {
        auto room = make_room(now, events);
        if (!room || !room.value()) return room;
        if (cursor(queue) != index) return true;
        if (room_for(queue) != 0) {
            const auto consumed = consume_run(entries, now);
            if (!consumed) return stuck(consumed.error());
            if (consumed.value()) return true;
        }
        QUARRY_PASS_ON(seal(events));
    }
}

/// The first returned step is an entry that L1 does not have, and kEntryBlocks blocks without it are deep enough.
bool Engine::is_gone() {
    const auto head = settlement_.head();
    if (!head) return false;
    if (!missing_ || missing_->first != first_returned_) missing_ = {first_returned_, head->block};
    return head->confirmed >= missing_->second + kEntryBlocks;
}

/// L1 may soon refuse batches that do not consume the forced entry: half of its delay is left for posting one.
bool Engine::is_pressing(const ConfirmedEntry& entry, Milliseconds now) const {
    return l1_time(now) >= entry.timestamp + settlement_.rules().forced_delay_seconds / 2;
}

}  // namespace quarry::node::sequencer
