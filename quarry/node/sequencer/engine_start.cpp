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
    QUARRY_PASS_ON(load_note());
    const std::uint64_t last = store_.batch_number();
    if (parse_sequencer_note(store_.note()) && last > store_.finalised_number()) {
        const auto record = read(ledger_.batch(last));
        if (!record) return record.error();
        if (!record.value()) {
            return Problem{Problem::Kind::bad_input, "ledger_missing",
                           "the ledger does not know the state's last batch: it is another state's, or was deleted",
                           "restore state and ledger from the same backup"};
        }
    }
    index_all_pairs();
    QUARRY_PASS_ON(load_batches());
    QUARRY_PASS_ON(load_returned());
    const auto reverted = std::ranges::find_if(
        batches_, [](const auto& entry) { return entry.second.status.phase == BatchPhase::reverted; });
    if (reverted != batches_.end()) {
        Events nobody{.wanted = false, .receipts = {}, .batches = {}};
        QUARRY_PASS_ON(finish_taking_back(reverted->first, nobody));
    } else {
        QUARRY_PASS_ON(flush());
        QUARRY_PASS_ON(repeat_order(now));
    }
    QUARRY_PASS_ON(load_waiting());
    for (const auto& [number, record] : batches_) hand_over(record);
    return Done{};
}

/// Those that are not final; one that was taken back, and all after it, have not left the ledger yet.
Outcome<Done> Engine::load_batches() {
    auto records = read(ledger_.batches_from(store_.finalised_number() + 1));
    if (!records) return records.error();
    bool reverted = false;
    for (BatchRecord& record : records.value()) {
        const std::uint64_t number = record.header.number;
        reverted = reverted || record.status.phase == BatchPhase::reverted;
        if (number > store_.batch_number() && !reverted)
            pending_.removed_batches.push_back(number);  // was closed, but is not in the state: is closed again
        else
            batches_[number] = std::move(record);
    }
    const auto kept = read(ledger_.batches_from(1));
    if (!kept) return kept.error();
    if (!kept.value().empty()) oldest_batch_ = kept.value().front().header.number;
    return Done{};
}

Outcome<Done> Engine::load_returned() {
    auto steps = read(ledger_.returned());
    if (!steps) return steps.error();
    if (!steps.value().empty()) first_returned_ = steps.value().front().first;
    for (auto& [number, step] : steps.value()) returned_.push_back(std::move(step));
    const auto waiting = read(ledger_.waiting());
    if (!waiting) return waiting.error();
    if (waiting.value().empty()) return Done{};
    const auto newest = known_operation(waiting.value().back());
    if (!newest) return newest.error();
    next_sequence_ = newest.value().record.sequence + 1;
    return Done{};
}

Outcome<Done> Engine::load_waiting() {
    const auto ids = read(ledger_.waiting());
    if (!ids) return ids.error();
    for (const Digest& id : ids.value()) {
        const auto operation = known_operation(id);
        if (!operation) return operation.error();
        wait_again(id, operation.value());
    }
    return Done{};
}

void Engine::index_all_pairs() {
    for (rollup::SlotIndex slot = 0; slot < store_.state().slot_count; ++slot)
        index_pair(store_.leaf(slot)->pair, slot);
}

/// Executes again what is in no closed batch, in the same order and at the same time.
Outcome<Done> Engine::repeat_order(Milliseconds now) {
    next_position_ = note_.position;
    std::optional<Problem> problem;
    bool all = true;
    const auto scanned = read(ledger_.for_each_step(note_.position, [&](std::uint64_t at, const OrderEntry& entry) {
        const auto done = repeat_step(entry, now);
        if (!done) problem = done.error();
        all = done && done.value();
        if (all) next_position_ = at + 1;
        return all;
    }));
    if (problem) return *problem;
    if (!scanned) return scanned.error();
    // Whether that is so is not on disk.
    if (open_) open_->merged = !returned_.empty();
    if (all) return Done{};
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
    const auto known = known_operation(std::get<ExecutedOperation>(entry).id);
    if (!known) return known.error();
    rollup::Transaction tx = known.value().tx.tx;
    if (auto* op = std::get_if<rollup::TransferNew>(&tx.op)) op->receiver = slot_count();
    if (!open_->add(tx)) return false;
    index_steps();
    return true;
}

}  // namespace quarry::node::sequencer
