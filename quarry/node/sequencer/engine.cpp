#include "quarry/node/sequencer/engine.hpp"

#include <algorithm>
#include <unordered_set>

#include "quarry/node/sequencer/open_batch.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::sequencer {

using rollup::RejectCode;
using rollup::Verdict;

namespace {

constexpr std::uint64_t kPriorityUnit = 1000;  // of a fee as high as its token's minimum

Refusal refused(RejectCode code) {
    return {Refusal::Kind::refused, rollup::reject_name(code), rollup::reject_text(code), {}};
}
Refusal refused(AdmissionCode code) {
    const bool limit = code == AdmissionCode::account_full || code == AdmissionCode::mempool_full;
    return {limit ? Refusal::Kind::limit : Refusal::Kind::refused, admission_name(code), admission_text(code), {}};
}

rollup::Timestamp seconds(Milliseconds now) { return static_cast<rollup::Timestamp>(now / 1000); }

/// The slot that an operation pays, if it names one.
std::optional<rollup::SlotIndex> receiver_of(const rollup::Operation& op) {
    if (const auto* transfer = std::get_if<rollup::Transfer>(&op)) return transfer->receiver;
    return std::nullopt;
}

}  // namespace

struct Engine::Candidate {
    SignedTransaction tx;
    Digest id{};
    std::optional<Answer> answer;  ///< known without executing anything
};

Engine::Engine(DurableStore& store, Ledger& ledger, BatchArchive& archive, Settlement& settlement,
               const EngineOptions& options)
    : store_(store),
      ledger_(ledger),
      archive_(archive),
      settlement_(settlement),
      options_(options),
      domain_(rollup::domain_hash(store.parameters())),
      mempool_(options.mempool) {}

Engine::~Engine() = default;

// --- admission

std::optional<Refusal> Engine::check_fee(const SignedTransaction& tx) const {
    const auto& auth = *rollup::authorisation(tx.tx.op);
    if (options_.min_fees.empty()) return std::nullopt;
    const auto minimum = options_.min_fees.find(tx.tx.token);
    if (minimum == options_.min_fees.end()) return refused(AdmissionCode::token_not_accepted);
    if (auth.fee < minimum->second) return refused(AdmissionCode::fee_too_low);
    return std::nullopt;
}

std::optional<Refusal> Engine::check(const SignedTransaction& tx, Milliseconds now) const {
    if (const Verdict encodable = rollup::check_encodable(tx.tx.op); !encodable) return refused(encodable.code());
    const auto& auth = *rollup::authorisation(tx.tx.op);
    const auto sender = leaf(auth.slot);
    if (!sender) return refused(RejectCode::unknown_slot);
    if (tx.tx.token != sender->token) return refused(RejectCode::wrong_token);
    if (tx.tx.nonce < sender->nonce) return refused(RejectCode::nonce_too_low);
    if (tx.tx.nonce >= rollup::kMaxNonce) return refused(RejectCode::nonce_exhausted);
    if (auth.expiry < seconds(now)) return refused(RejectCode::expired);
    if (auth.expiry < seconds(now) + options_.min_expiry_seconds) return refused(AdmissionCode::expires_too_soon);
    if (auto fee = check_fee(tx)) return fee;
    if (rollup::key_hash(tx.tx.key) != sender->owner.key_hash) return refused(RejectCode::wrong_key);
    return std::nullopt;
}

/// Answers what can be answered at once, and checks the signatures of the rest, all together.
Outcome<Done> Engine::admit(std::vector<Candidate>& candidates, Milliseconds now) {
    std::vector<rollup::Transaction> txs;
    for (const Candidate& c : candidates) txs.push_back(c.tx.tx);
    const std::vector<Digest> ids = rollup::transaction_ids(domain_, txs);
    std::vector<SignedTransaction> unchecked;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        Candidate& c = candidates[i];
        c.id = ids[i];
        const auto known = read(ledger_.operation(c.id));
        if (!known) return known.error();
        if (known.value() && known.value()->state != OperationState::rejected) {
            c.answer = make_receipt(c.id, *known.value());
        } else if (auto refusal = check(c.tx, now)) {
            c.answer = std::move(*refusal);
        } else {
            unchecked.push_back(c.tx);
            positions.push_back(i);
        }
    }
    const std::vector<bool> ok = verify_signatures(domain_, unchecked);
    for (std::size_t k = 0; k < positions.size(); ++k) {
        if (!ok[k]) candidates[positions[k]].answer = refused(RejectCode::bad_signature);
    }
    return Done{};
}

Outcome<std::vector<Engine::Answer>> Engine::submit(const std::vector<SignedTransaction>& operations, Milliseconds now,
                                                    Events& events) {
    if (failure_) return *failure_;
    std::vector<Candidate> candidates;
    candidates.reserve(operations.size());
    for (const SignedTransaction& tx : operations) candidates.push_back({tx, {}, {}});
    QUARRY_PASS_ON(admit(candidates, now));
    group_.clear();
    for (Candidate& c : candidates) {
        if (c.answer || group_.contains(c.id)) continue;
        const auto& auth = *rollup::authorisation(c.tx.tx.op);
        WaitingOperation operation;
        operation.tx = c.tx;
        operation.id = c.id;
        operation.priority = priority(c.tx);
        // Operations before it in this group may have used its nonce.
        const rollup::Nonce nonce = leaf(auth.slot)->nonce;
        if (c.tx.tx.nonce < nonce) {
            c.answer = refused(RejectCode::nonce_too_low);
            continue;
        }
        const bool at_once = returned_.empty() && (open_ || has_room());
        if (const auto refusal = mempool_.refusal(operation, nonce, at_once)) {
            c.answer = refused(*refusal);
            continue;
        }
        operation.sequence = next_sequence_++;
        group_.emplace(c.id, std::nullopt);
        if (auto displaced = mempool_.add(operation, nonce, at_once)) {
            record_rejected(displaced->operation, admission_name(displaced->code), admission_text(displaced->code),
                            events);
        }
        QUARRY_PASS_ON(execute_waiting(now, events));
    }
    for (const Candidate& c : candidates) {
        if (!c.answer) store_waiting(c);
    }
    QUARRY_PASS_ON(flush());
    std::vector<Answer> answers;
    answers.reserve(candidates.size());
    for (Candidate& c : candidates) {
        if (c.answer) {
            answers.push_back(std::move(*c.answer));
            continue;
        }
        const auto& answer = group_.at(c.id);
        QUARRY_CHECK(answer.has_value());
        answers.push_back(*answer);
    }
    group_.clear();
    return answers;
}

// --- execution

/// After what was executed before, and is to be again.
Outcome<Done> Engine::execute_waiting(Milliseconds now, Events& events) {
    if (!returned_.empty()) return Done{};
    while (const WaitingOperation* best = mempool_.best()) {
        const auto done = execute_one(*best, now, events);
        if (!done) return done.error();
        if (!done.value()) break;
    }
    return Done{};
}

/// False: there is no room for it now.
Outcome<bool> Engine::execute_one(const WaitingOperation& operation, Milliseconds now, Events& events) {
    rollup::Transaction tx = operation.tx.tx;
    const rollup::SlotIndex slot = operation.slot();
    // The batch has one fee receiver: what makes its slot another owner's stands alone, and pays no fee.
    const bool alone = std::holds_alternative<rollup::ChangeKey>(tx.op) && is_fee_slot(slot);
    if (alone && open_ && !open_->empty()) QUARRY_PASS_ON(seal(events));
    const auto room = make_room(now, events);
    if (!room) return room.error();
    if (!room.value()) return false;
    const auto add = [&]() -> Verdict {
        if (alone && !rollup::authorisation(tx.op)->fee.is_zero()) return RejectCode::no_fee_slot;
        // The number is the next free one, whatever it is by now: it is not signed.
        if (auto* op = std::get_if<rollup::TransferNew>(&tx.op)) op->receiver = slot_count();
        return open_->add(tx);
    };
    Verdict verdict = add();
    // A batch collects its fees at its end, in slots that were there before it: where one was closed the first time, it
    // may have to be again.
    const bool next_may_take_it = !verdict && (is_full(verdict.code()) || open_->merged);
    if (next_may_take_it && !open_->empty()) {
        QUARRY_PASS_ON(seal(events));
        const auto again = make_room(now, events);
        if (!again) return again.error();
        if (!again.value()) return false;
        verdict = add();
    }
    WaitingOperation taken = mempool_.take(slot, operation.tx.tx.nonce);
    if (!verdict) {
        record_rejected(taken, rollup::reject_name(verdict.code()), rollup::reject_text(verdict.code()), events);
        return true;
    }
    record_executed(taken, tx, now, events);
    mempool_.set_nonce(slot, tx.nonce + 1);
    if (alone) QUARRY_PASS_ON(seal(events));
    return true;
}

void Engine::record_executed(WaitingOperation operation, const rollup::Transaction& tx, Milliseconds now,
                             Events& events) {
    add_step(ExecutedOperation{operation.id}, now);
    OperationRecord record;
    record.sequence = operation.sequence;
    record.state = OperationState::executed;
    record.batch = store_.batch_number() + 1;
    record.index = static_cast<std::uint32_t>(open_->builder.num_operations() - 1);
    if (const auto receiver = receiver_of(tx.op)) record.receiver = *receiver + 1;
    if (const auto* created = std::get_if<rollup::TransferNew>(&tx.op))
        record.receiver = record.created = created->receiver + 1;
    record.reverts = operation.reverts;
    record.operation = node::to_json(operation.tx);
    index_steps();
    ++counts_.executed;
    const Receipt receipt = make_receipt(operation, record);
    if (const auto member = group_.find(operation.id); member != group_.end()) member->second = receipt;
    if (events.wanted) events.receipts.push_back(receipt);
    const auto waited_as = operation.stored ? std::optional(operation.sequence) : std::nullopt;
    pending_.operations.push_back({operation.id, std::move(record), waited_as});
}

/// What was never acknowledged leaves no trace.
void Engine::record_rejected(WaitingOperation operation, const char* code, const char* reason, Events& events) {
    ++counts_.rejected;
    const auto member = group_.find(operation.id);
    if (!operation.stored && member != group_.end()) {
        member->second = Refusal{Refusal::Kind::refused, code, reason, {}};
        return;
    }
    OperationRecord record;
    record.sequence = operation.sequence;
    record.state = OperationState::rejected;
    record.reverts = operation.reverts;
    record.code = code;
    record.reason = reason;
    record.operation = node::to_json(operation.tx);
    if (events.wanted) events.receipts.push_back(make_receipt(operation, record));
    pending_.operations.push_back({operation.id, std::move(record), operation.sequence});
}

/// If it waits after its group was executed.
void Engine::store_waiting(const Candidate& candidate) {
    WaitingOperation* operation = mempool_.find(candidate.id);
    if (operation == nullptr || operation->stored) return;
    OperationRecord record;
    record.sequence = operation->sequence;
    if (const auto receiver = receiver_of(operation->tx.tx.op)) record.receiver = *receiver + 1;
    record.operation = node::to_json(operation->tx);
    group_[candidate.id] = make_receipt(*operation, record);
    pending_.operations.push_back({operation->id, std::move(record), std::nullopt});
    operation->stored = true;
}

/// One synced write of everything since the last one; nothing that was decided after a read that failed.
Outcome<Done> Engine::flush() {
    if (const auto failed = ledger_.read_failure()) return stuck(storage_problem(*failed));
    if (pending_.empty()) return Done{};
    const auto written = ledger_.write(pending_);
    if (!written) return stuck(storage_problem(written.error()));
    ++counts_.ledger_writes;
    pending_ = {};
    return Done{};
}

// --- views

std::optional<rollup::Leaf> Engine::leaf(rollup::SlotIndex slot) const {
    return open_ ? open_->builder.executor().leaf(slot) : store_.leaf(slot);
}

rollup::SlotIndex Engine::slot_count() const {
    return open_ ? open_->builder.executor().state().slot_count : store_.state().slot_count;
}

Digest Engine::fee_receiver() const {
    if (options_.fee_receiver) return *options_.fee_receiver;
    const auto owner = store_.leaf(options_.fee_slot.value_or(0));
    return owner ? owner->pair : Digest{};
}

/// By token, the first of the receiver's slots: so many as a batch's fee ledger holds.
std::map<rollup::TokenId, rollup::SlotIndex> Engine::fee_slots(const Digest& receiver) const {
    std::map<rollup::TokenId, rollup::SlotIndex> slots;
    for_each_slot(receiver, [&](rollup::SlotIndex slot, const rollup::Leaf& leaf) {
        slots.try_emplace(leaf.token, slot);
        return slots.size() < kMaxFeeSlots;
    });
    return slots;
}

bool Engine::is_fee_slot(rollup::SlotIndex slot) const {
    const auto owner = leaf(slot);
    return owner && owner->pair == fee_receiver();
}

std::uint64_t Engine::priority(const SignedTransaction& tx) const {
    const auto minimum = options_.min_fees.find(tx.tx.token);
    const rollup::Amount::Wide unit =
        minimum == options_.min_fees.end() || minimum->second.is_zero() ? 1 : minimum->second.wide();
    const rollup::Amount::Wide fee = rollup::authorisation(tx.tx.op)->fee.wide();  // below 2^72
    const rollup::Amount::Wide r = fee * kPriorityUnit / unit;
    constexpr rollup::Amount::Wide kMost = ~std::uint64_t{0};
    return static_cast<std::uint64_t>(std::min(r, kMost));
}

FeeQuote Engine::fee_quote(rollup::TokenId token) const {
    FeeQuote quote;
    const auto minimum = options_.min_fees.find(token);
    const bool listed = minimum != options_.min_fees.end();
    if (listed) quote.minimum = minimum->second;
    const bool has_slot = fee_slots(fee_receiver()).contains(token);
    quote.accepted = (options_.min_fees.empty() || listed) && (has_slot || quote.minimum.is_zero());
    quote.new_pair_minimum = std::max(quote.minimum, store_.parameters().min_new_pair_fee);
    quote.suggested = quote.minimum;
    if (mempool_.num_ready() < options_.max_operations) return quote;
    // A tenth more than the last that the next batch takes.
    const rollup::Amount::Wide unit = std::max<rollup::Amount::Wide>(quote.minimum.wide(), 1);
    const rollup::Amount::Wide last = mempool_.priority_at(options_.max_operations - 1);
    const rollup::Amount::Wide fee = last * unit / kPriorityUnit;
    const auto suggested = rollup::Amount::from_wide(fee + fee / 10 + 1);
    if (suggested) quote.suggested = std::max(quote.minimum, *suggested);
    return quote;
}

std::optional<AccountView> Engine::account(rollup::SlotIndex slot) const {
    const auto now = leaf(slot);
    if (!now) return std::nullopt;
    return AccountView{slot, *now, mempool_.next_nonce(slot, now->nonce), store_.leaf(slot)};
}

std::vector<rollup::SlotIndex> Engine::slots_of(const Digest& pair, std::size_t limit) const {
    std::vector<rollup::SlotIndex> slots;
    if (limit == 0) return slots;
    for_each_slot(pair, [&](rollup::SlotIndex slot, const rollup::Leaf&) {
        slots.push_back(slot);
        return slots.size() < limit;
    });
    return slots;
}

/// The pair's slots, rising, until the call returns false.
void Engine::for_each_slot(const Digest& pair,
                           const std::function<bool(rollup::SlotIndex, const rollup::Leaf&)>& call) const {
    const std::uint64_t fingerprint = pair_fingerprint(pair);
    for (auto it = slots_by_pair_.lower_bound({fingerprint, 0}); it != slots_by_pair_.end() && it->first == fingerprint;
         ++it) {
        const auto owner = leaf(it->second);
        if (owner && owner->pair == pair && !call(it->second, *owner)) return;
    }
}

std::uint64_t Engine::pair_fingerprint(const Digest& pair) noexcept {
    return std::uint64_t{pair[0].canonical()} << 32 | pair[1].canonical();
}

void Engine::index_pair(const Digest& pair, rollup::SlotIndex slot) {
    slots_by_pair_.emplace(pair_fingerprint(pair), slot);
}

/// New owners of slots, by the steps since the last call.
void Engine::index_steps() {
    const auto& steps = open_->builder.executor().steps();
    for (; open_->num_indexed < steps.size(); ++open_->num_indexed) {
        const rollup::Step& step = steps[open_->num_indexed];
        for (std::size_t k = 0; k < step.num_accesses; ++k) {
            const rollup::LeafChange& access = step.access[k];
            if (!access.before || access.before->pair != access.after->pair)
                index_pair(access.after->pair, access.slot);
        }
    }
}

Receipt Engine::make_receipt(const WaitingOperation& operation, const OperationRecord& record) const {
    Receipt r;
    const auto& tx = operation.tx.tx;
    const auto& auth = *rollup::authorisation(tx.op);
    r.id = operation.id;
    r.type = operation_type(tx.op);
    r.slot = auth.slot;
    r.nonce = tx.nonce;
    r.token = tx.token;
    r.fee = auth.fee;
    fill(r, record);
    return r;
}

Receipt Engine::make_receipt(const Digest& id, const OperationRecord& record) const {
    const auto line = parse_input_line(record.operation);
    QUARRY_CHECK(line.ok() && std::holds_alternative<SignedTransaction>(line.value()));
    WaitingOperation operation;
    operation.tx = std::get<SignedTransaction>(line.value());
    operation.id = id;
    return make_receipt(operation, record);
}

/// What became of it.
void Engine::fill(Receipt& r, const OperationRecord& record) const {
    if (record.receiver != 0) r.receiver = record.receiver - 1;
    r.reverts = record.reverts;
    r.code = record.code;
    r.reason = record.reason;
    switch (record.state) {
        case OperationState::waiting:
            r.stage = Stage::received;
            return;
        case OperationState::reverted:
            r.stage = Stage::reverted;
            return;
        case OperationState::rejected:
            r.stage = Stage::rejected;
            return;
        case OperationState::executed:
            break;
    }
    r.batch = record.batch;
    r.index = record.index;
    if (record.created != 0) r.created_slot = record.created - 1;
    const auto batch = batches_.find(record.batch);
    if (record.batch <= store_.finalised_number())
        r.stage = Stage::claimable;
    else
        r.stage = batch == batches_.end() ? Stage::executed : stage_of(batch->second.status.phase);
}

std::optional<Receipt> Engine::receipt(const Digest& id) const {
    const auto record = ledger_.operation(id);  // the next flush notices that it failed
    if (!record || !record.value()) return std::nullopt;
    return make_receipt(id, *record.value());
}

EngineStatus Engine::status() const {
    EngineStatus s = counts_;
    s.batch = store_.batch_number();
    s.finalised = s.proven = s.posted = store_.finalised_number();
    for (const auto& [number, record] : batches_) {
        const BatchPhase phase = record.status.phase;
        const bool proven = phase == BatchPhase::proven || phase == BatchPhase::finalised;
        if (proven && s.proven + 1 == number) s.proven = number;
        if ((proven || phase == BatchPhase::posted) && s.posted + 1 == number) s.posted = number;
    }
    s.open_operations = open_ ? open_->builder.num_operations() : 0;
    s.waiting = mempool_.size();
    s.slots = slot_count();
    s.fee_receiver = fee_receiver();
    const rollup::State& state = open_ ? open_->builder.executor().state() : store_.state();
    s.deposits = state.deposit_cursor;
    s.forced = state.forced_cursor;
    return s;
}

}  // namespace quarry::node::sequencer
