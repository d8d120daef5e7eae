/// The engine's batches: opening, queue entries, closing, what L1 says of them.
#include <algorithm>
#include <filesystem>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/sequencer/open_batch.hpp"

namespace quarry::node::sequencer {

using rollup::RejectCode;
using rollup::Verdict;

namespace {

constexpr std::uint64_t kForgetAtOnce = 4;  // batches

}  // namespace

Outcome<Done> FolderArchive::remove_from(std::uint64_t number) {
    for (const std::uint64_t n : folder_.numbers()) {
        if (n < number) continue;
        std::error_code error;
        std::filesystem::remove_all(folder_.batch_path(n), error);
        if (error) {
            return Problem{Problem::Kind::environment, "cannot_write",
                           "cannot remove " + folder_.batch_path(n) + ": " + error.message(),
                           "check owner and permissions of the folder"};
        }
    }
    return Done{};
}

Problem Engine::stuck(Problem problem) {
    failure_ = std::move(problem);
    return *failure_;
}

/// An operation that the order of steps, or the list of those that wait, names.
Outcome<Engine::KnownOperation> Engine::known_operation(const Digest& id) {
    auto record = read(ledger_.operation(id));
    if (!record) return record.error();
    if (auto& found = record.value()) {
        const auto line = parse_input_line(found->operation);
        if (line && std::holds_alternative<SignedTransaction>(line.value()))
            return KnownOperation{*std::move(found), std::get<SignedTransaction>(line.value())};
    }
    return stuck({Problem::Kind::bad_input, "corrupt", "the ledger names an operation that it does not have",
                  "restore state and ledger from the same backup"});
}

Problem Engine::storage_problem(const StorageError& error) const {
    return {Problem::Kind::environment, storage_code_name(error.code), error.message, "then start the sequencer again"};
}

Problem Engine::storage_problem(RejectCode code) const {
    if (store_.last_error()) return storage_problem(*store_.last_error());
    return {Problem::Kind::refused, rollup::reject_name(code),
            std::string("the state refuses the batch: ") + rollup::reject_text(code), "report it as a bug"};
}

// --- opening

bool Engine::has_room() const {
    const auto unposted =
        std::ranges::count_if(batches_, [](const auto& entry) { return is_unposted(entry.second.status.phase); });
    return static_cast<std::size_t>(unposted) < options_.max_unposted;
}

/// Of L1's last block, with whose successors the hub compares a batch's timestamp: whatever the own clock says, which
/// stands in where L1 is not to be had. A block so old is not L1's last one, and the hub takes no batch twice as old.
rollup::Timestamp Engine::l1_time(Milliseconds now) const {
    constexpr std::uint64_t kMaxAgeSeconds = std::uint64_t{6} * 3'600;
    const auto head = settlement_.head();
    const bool is_known =
        head && head->connected && head->timestamp != 0 && head->timestamp + kMaxAgeSeconds >= now / 1000;
    return is_known ? head->timestamp : static_cast<rollup::Timestamp>(now / 1000);
}

/// Not before the last batch.
void Engine::open(rollup::Timestamp timestamp) {
    rollup::BatchPlan plan;
    plan.number = store_.batch_number() + 1;
    plan.parent_hash = note_.parent_hash;
    plan.timestamp = std::max(timestamp, note_.timestamp);
    plan.max_operations = options_.max_operations;
    plan.fee_receiver = fee_receiver();
    plan.fee_slots = fee_slots(plan.fee_receiver);
    open_ = std::make_unique<OpenBatch>(store_, note_, std::move(plan), settlement_.rules().max_effects);
}

/// An open batch, which has been offered what the queues hold. False: there may be no more batches now.
Outcome<bool> Engine::make_room(Milliseconds now, Events& events) {
    if (open_ && open_->empty()) open_.reset();  // its timestamp may be old
    while (!open_) {
        if (!has_room()) return false;
        open(l1_time(now));
        QUARRY_PASS_ON(consume_queues(now, events));
    }
    return true;
}

/// Precondition: the step was taken.
void Engine::add_step(OrderEntry entry, Milliseconds now) {
    if (!open_->announced) {
        open_->announced = true;
        open_->first_step_ms = now;
        pending_.order.emplace_back(next_position_++, OpenedBatch{open_->timestamp});
    }
    pending_.order.emplace_back(next_position_++, std::move(entry));
}

// --- queues

/// Of the queue's first entry that is not consumed yet.
std::uint64_t Engine::cursor(Queue queue) const {
    const rollup::State& state = open_ ? open_->builder.executor().state() : store_.state();
    return queue == Queue::deposits ? state.deposit_cursor : state.forced_cursor;
}

/// How many entries more the open batch, or the next one, may consume: of forced entries, so many as L1 may ask for.
std::size_t Engine::room_for(Queue queue) const {
    const bool deposits = queue == Queue::deposits;
    const std::size_t most =
        deposits ? options_.max_deposits : std::max(options_.max_forced, settlement_.rules().forced_cap);
    if (!open_) return most;
    return most - std::min(most, deposits ? open_->queues.num_deposits() : open_->queues.num_forced());
}

/// What the open batch, or the next one, is to consume now: forced entries, then deposits. While there are steps to be
/// taken again, their turn is among these; forced entries that L1 is about to ask for cannot wait for it.
std::vector<ConfirmedEntry> Engine::next_entries(Milliseconds now) const {
    auto entries = settlement_.entries(Queue::forced, cursor(Queue::forced), room_for(Queue::forced));
    if (!returned_.empty()) {
        const auto last = std::ranges::find_if(entries, [&](const auto& entry) { return !is_pressing(entry, now); });
        entries.erase(last, entries.end());
        return entries;
    }
    const auto deposits = settlement_.entries(Queue::deposits, cursor(Queue::deposits), room_for(Queue::deposits));
    entries.insert(entries.end(), deposits.begin(), deposits.end());
    return entries;
}

Verdict Engine::consume(const ConfirmedEntry& entry) {
    const bool deposit = queue_of(entry) == Queue::deposits;
    QUARRY_REQUIRE(open_->room_for_effect());
    open_->queues.push(entry);
    const Verdict verdict = deposit ? open_->builder.add_deposit() : open_->builder.add_forced();
    if (!verdict) open_->queues.pop(deposit);
    if (verdict) index_steps();
    return verdict;
}

/// False: the open batch takes no more of them, or nothing more at all, and is to be closed.
Outcome<bool> Engine::consume_run(std::span<const ConfirmedEntry> entries, Milliseconds now) {
    bool keeps_fee_slots = true;
    for (const ConfirmedEntry& entry : entries) {
        const auto* set_key = std::get_if<rollup::SetKeyEntry>(&entry.entry.entry);
        // It may give the fee slot to another owner: in a batch of entries only, which pay no fees.
        const bool moves_fee_slot = set_key != nullptr && is_fee_slot(set_key->slot);
        if (moves_fee_slot && open_->builder.num_operations() != 0) return false;
        const Verdict verdict = consume(entry);
        if (!verdict && !open_->empty()) return false;
        if (!verdict) {
            return Problem{Problem::Kind::refused, rollup::reject_name(verdict.code()),
                           std::string("an entry of an L1 queue does not fit an empty batch: ") +
                               rollup::reject_text(verdict.code()),
                           "report it as a bug"};
        }
        add_step(entry, now);
        if (moves_fee_slot) keeps_fee_slots = false;
    }
    return keeps_fee_slots;
}

/// Consumes what is confirmed, up to what the batches may take.
Outcome<Done> Engine::consume_queues(Milliseconds now, Events& events) {
    for (;;) {
        const auto entries = next_entries(now);
        if (entries.empty()) return Done{};
        if (!open_) {
            if (!has_room()) return Done{};
            open(l1_time(now));
        }
        const auto all = consume_run(entries, now);
        if (!all) return stuck(all.error());
        if (all.value()) return Done{};
        QUARRY_PASS_ON(seal(events));
    }
}

// --- closing

Outcome<Done> Engine::close_batch(Events& events) {
    if (failure_) return *failure_;
    QUARRY_PASS_ON(seal(events));
    return flush();
}

/// Ledger, files, state, in this order: what the state has, the others have.
Outcome<Done> Engine::seal(Events& events) {
    if (!open_ || open_->empty()) return Done{};
    BatchRecord record;
    record.operations = static_cast<std::uint32_t>(open_->builder.num_operations());
    const auto batch = open_->builder.seal();
    if (!batch) {
        return stuck({Problem::Kind::refused, rollup::reject_name(batch.code()),
                      std::string("the batch cannot be closed: ") + rollup::reject_text(batch.code()),
                      "see that the fee slots can take their token's fees"});
    }
    record.header = batch.value().header;
    record.hash = keccak256(rollup::encode(record.header));
    record.first = note_.position;
    record.end = next_position_;
    pending_.batches.push_back(record);
    QUARRY_PASS_ON(flush());
    if (auto written = archive_.write(make_batch_files(batch.value())); !written) return stuck(written.error());
    const SequencerNote note{.parent_hash = record.hash,
                             .timestamp = record.header.timestamp,
                             .position = record.end,
                             .deposit_hash = record.header.deposit_hash,
                             .forced_hash = record.header.forced_hash};
    store_.set_note(encode(note));
    const Verdict verdict = store_.commit(batch.value().commit, batch.value().update);
    if (!verdict) return stuck(storage_problem(verdict.code()));
    open_.reset();
    note_ = note;
    batches_[record.header.number] = record;
    hand_over(record);
    announce(record, false, events);
    return Done{};
}

void Engine::hand_over(const BatchRecord& record) {
    settlement_.post({record.header, record.hash, archive_.path(record.header.number)});
}

// --- following L1

Outcome<Done> Engine::tick(Milliseconds now, Events& events) {
    if (failure_) return *failure_;
    if (auto problem = settlement_.failure()) return stuck(*std::move(problem));
    QUARRY_PASS_ON(follow_batches(events));
    QUARRY_PASS_ON(follow_queues(events));
    QUARRY_PASS_ON(repeat_returned(now, events));
    QUARRY_PASS_ON(consume_queues(now, events));
    for (WaitingOperation& operation : mempool_.take_expired(static_cast<rollup::Timestamp>(now / 1000))) {
        record_rejected(std::move(operation), rollup::reject_name(RejectCode::expired),
                        rollup::reject_text(RejectCode::expired), events);
    }
    QUARRY_PASS_ON(execute_waiting(now, events));
    if (open_) open_->first_step_ms = std::min(open_->first_step_ms, now);  // a clock may be set back
    if (open_ && !open_->empty() && now >= open_->first_step_ms + options_.max_age_ms) QUARRY_PASS_ON(seal(events));
    return flush();
}

Outcome<Done> Engine::follow_batches(Events& events) {
    for (auto& [number, record] : batches_) {
        const BatchStatus status = settlement_.status(number, record.hash);
        if (status == record.status) continue;
        if (status.phase == BatchPhase::reverted) return take_back(number, status, events);
        const bool changed = stage_of(status.phase) != stage_of(record.status.phase);
        record.status = status;
        pending_.batches.push_back(record);
        if (status.phase == BatchPhase::unknown) hand_over(record);  // the chain that had it was replaced
        // Final is a batch only after those before it.
        if (changed && status.phase != BatchPhase::finalised) announce(record, true, events);
    }
    return finalise(events);
}

/// Final batches, in order: these stay.
Outcome<Done> Engine::finalise(Events& events) {
    std::vector<BatchRecord> done;
    for (const auto& [number, record] : batches_) {
        if (record.status.phase != BatchPhase::finalised) break;
        done.push_back(record);
    }
    if (done.empty()) return Done{};
    QUARRY_PASS_ON(flush());
    const std::uint64_t last = done.back().header.number;
    const Verdict verdict = store_.finalise(last);
    if (!verdict) return stuck(storage_problem(verdict.code()));
    for (const BatchRecord& record : done) {
        batches_.erase(record.header.number);
        announce(record, true, events);
    }
    forget_old(last);
    return Done{};
}

void Engine::forget_old(std::uint64_t finalised) {
    for (std::uint64_t i = 0; i < kForgetAtOnce && oldest_batch_ + options_.keep_batches <= finalised; ++i) {
        const std::uint64_t number = oldest_batch_++;
        const auto found = ledger_.batch(number);
        if (!found || !found.value()) continue;
        const auto& record = found.value();
        for (const Digest& id : operations_of(number)) pending_.forgotten.push_back(id);
        for (std::uint64_t x = record->first; x < record->end; ++x) pending_.removed_order.push_back(x);
        pending_.removed_batches.push_back(number);
    }
}

/// L1's queues must be those that our batches consumed; L1 refuses the others.
Outcome<Done> Engine::follow_queues(Events& events) {
    const auto differs = [&](Queue queue, std::uint64_t cursor, const rollup::Bytes32& hash) {
        const auto now = settlement_.rolling_hash(queue, cursor);
        return now && *now != hash;
    };
    BatchStatus changed;
    changed.code = "queue_changed";
    changed.reason = "an L1 reorganisation changed a queue entry that the batch had consumed";
    for (const auto& [number, record] : batches_) {
        const rollup::Header& header = record.header;
        if (!is_unposted(record.status.phase)) continue;
        if (differs(Queue::deposits, header.deposit_cursor, header.deposit_hash) ||
            differs(Queue::forced, header.forced_cursor, header.forced_hash))
            return take_back(number, changed, events);
    }
    if (!open_ || open_->empty()) return Done{};
    const rollup::State& state = open_->builder.executor().state();
    if (differs(Queue::deposits, state.deposit_cursor, open_->queues.deposit_hash(state.deposit_cursor)) ||
        differs(Queue::forced, state.forced_cursor, open_->queues.forced_hash(state.forced_cursor)))
        return take_back(store_.batch_number() + 1, changed, events);
    return Done{};
}

void Engine::announce(const BatchRecord& record, bool with_receipts, Events& events) const {
    const std::uint64_t number = record.header.number;
    events.batches.push_back({record, stage_of(record.status.phase)});
    if (!with_receipts || !events.wanted) return;
    for (const Digest& id : operations_of(number)) {
        if (auto r = receipt(id)) events.receipts.push_back(std::move(*r));
    }
}

std::optional<BatchSummary> Engine::batch(std::uint64_t number) const {
    const auto open = batches_.find(number);
    if (open != batches_.end()) return BatchSummary{open->second, stage_of(open->second.status.phase)};
    if (number > store_.finalised_number()) return std::nullopt;
    auto record = ledger_.batch(number);
    if (!record || !record.value()) return std::nullopt;
    return BatchSummary{*std::move(record).value(), Stage::claimable};
}

std::vector<Digest> Engine::operations_of(std::uint64_t number) const {
    std::vector<Digest> ids;
    const auto known = batches_.find(number);
    const auto found =
        known != batches_.end() ? Stored<std::optional<BatchRecord>>(known->second) : ledger_.batch(number);
    if (!found || !found.value()) return ids;
    const auto& record = found.value();
    ids.reserve(record->operations);
    (void)ledger_.for_each_step(record->first, [&](std::uint64_t position, const OrderEntry& entry) {
        if (position >= record->end) return false;
        if (const auto* operation = std::get_if<ExecutedOperation>(&entry)) ids.push_back(operation->id);
        return true;
    });
    return ids;
}

}  // namespace quarry::node::sequencer
