#include "quarry/rollup/batch.hpp"

#include <algorithm>
#include <iterator>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

namespace {

BatchContext make_context(const RollupParameters& parameters, Timestamp timestamp, const Digest& fee_receiver) {
    return {.domain = domain_hash(parameters),
            .min_new_pair_fee = parameters.min_new_pair_fee,
            .timestamp = timestamp,
            .fee_receiver = fee_receiver};
}

/// Everything but the header, of what an executor did to the store's state.
ExecutedBatch collect_results(const StateStore& store, Executor& executor) {
    ExecutedBatch batch;
    batch.before = store.state();
    batch.signature_checks = executor.signature_checks();
    batch.commit.keys = executor.published_keys();
    batch.steps = executor.release_steps();
    for (const Step& step : batch.steps) {
        encode(step.op, batch.data);
        if (step.effect) batch.effects.push_back(*step.effect);
    }
    batch.commit.number = store.batch_number() + 1;
    batch.commit.before = store.state();
    batch.commit.after = executor.state();
    batch.commit.changes = executor.changes();
    batch.update = plan_update(store.tree(), batch.commit.changes);
    batch.commit.after.root = batch.update.root_after;
    return batch;
}

}  // namespace

BatchBuilder::BatchBuilder(const RollupParameters& parameters, BatchPlan plan, const StateStore& store,
                           const L1Queues& queues)
    : parameters_(parameters),
      plan_(std::move(plan)),
      store_(store),
      queues_(queues),
      executor_(make_context(parameters_, plan_.timestamp, plan_.fee_receiver), store, queues) {
    QUARRY_CHECK(plan_.number == store.batch_number() + 1);
}

Verdict BatchBuilder::check_room(std::size_t num_words) const {
    if (executor_.num_words() + num_words + FeeLedger::kCells > kMaxBatchWords) return RejectCode::batch_full;
    return Accepted{};
}

Verdict BatchBuilder::add(const Transaction& tx, bool signature_ok) {
    const Authorisation* auth = authorisation(tx.op);
    QUARRY_CHECK(auth != nullptr);
    if (num_operations_ >= plan_.max_operations) return RejectCode::batch_full;
    QUARRY_REQUIRE(check_room(word_count(opcode(tx.op)) + word_count(Opcode::publish_key)));
    if (!auth->fee.is_zero()) {
        const auto slot = plan_.fee_slots.find(tx.token);
        if (slot == plan_.fee_slots.end()) return RejectCode::no_fee_slot;
        const auto leaf = executor_.leaf(slot->second);
        if (!leaf || leaf->token != tx.token || leaf->pair != plan_.fee_receiver) return RejectCode::no_fee_slot;
    }
    QUARRY_REQUIRE(executor_.apply(tx, signature_ok));
    ++num_operations_;
    return Accepted{};
}

Verdict BatchBuilder::add_deposit() {
    QUARRY_REQUIRE(check_room(1));
    return executor_.apply(Operation{Deposit{}});
}

Verdict BatchBuilder::add_forced() {
    QUARRY_REQUIRE(check_room(1));
    const auto entry = queues_.forced(executor_.state().forced_cursor);
    if (!entry) return RejectCode::no_queue_entry;
    const bool withdrawal = std::holds_alternative<ForcedWithdrawalEntry>(*entry);
    return executor_.apply(withdrawal ? Operation{ForcedWithdrawal{}} : Operation{SetKey{}});
}

Checked<ExecutedBatch> BatchBuilder::seal() {
    const FeeLedger fees = executor_.fees();
    for (const FeeLedger::Cell& cell : fees.cells()) {
        if (cell.sum.is_zero()) continue;
        QUARRY_REQUIRE(executor_.apply(Operation{Collect{plan_.fee_slots.at(cell.token)}}));
    }
    ExecutedBatch batch = collect_results(store_, executor_);
    const State& after = batch.commit.after;
    batch.header = {.version = kProtocolVersion,
                    .rollup_id = parameters_.rollup_id,
                    .number = plan_.number,
                    .parent_hash = plan_.parent_hash,
                    .byte_length = static_cast<std::uint32_t>(batch.data.size()),
                    .timestamp = plan_.timestamp,
                    .fee_receiver = plan_.fee_receiver,
                    .num_effects = static_cast<std::uint16_t>(batch.effects.size()),
                    .deposit_cursor = after.deposit_cursor,
                    .deposit_hash = queues_.deposit_hash(after.deposit_cursor),
                    .forced_cursor = after.forced_cursor,
                    .forced_hash = queues_.forced_hash(after.forced_cursor),
                    .post_root = after.root,
                    .post_slot_count = after.slot_count};
    return batch;
}

Checked<ExecutedBatch> replay(const RollupParameters& parameters, const StateStore& store, const L1Queues& queues,
                              const Header& header, std::span<const std::uint8_t> data) {
    if (header.version != kProtocolVersion) return RejectCode::unsupported_version;
    if (header.rollup_id != parameters.rollup_id) return RejectCode::wrong_rollup;
    if (header.number != store.batch_number() + 1) return RejectCode::wrong_parent;
    if (header.byte_length != data.size()) return RejectCode::byte_length_mismatch;
    const auto ops = parse_operations(data);
    QUARRY_REQUIRE(ops);
    Executor executor(make_context(parameters, header.timestamp, header.fee_receiver), store, queues);
    for (const Operation& op : ops.value()) QUARRY_REQUIRE(executor.apply(op));
    if (!executor.fees().empty()) return RejectCode::uncollected_fees;
    if (executor.num_effects() != header.num_effects) return RejectCode::effect_count_mismatch;
    const State& after = executor.state();
    if (after.slot_count != header.post_slot_count) return RejectCode::slot_count_mismatch;
    if (after.deposit_cursor != header.deposit_cursor) return RejectCode::cursor_mismatch;
    if (after.forced_cursor != header.forced_cursor) return RejectCode::cursor_mismatch;
    if (queues.deposit_hash(after.deposit_cursor) != header.deposit_hash) return RejectCode::queue_hash_mismatch;
    if (queues.forced_hash(after.forced_cursor) != header.forced_hash) return RejectCode::queue_hash_mismatch;
    ExecutedBatch batch = collect_results(store, executor);
    if (batch.commit.after.root != header.post_root) return RejectCode::root_mismatch;
    batch.header = header;
    return batch;
}

std::vector<LeafChange> changes_of(std::span<const Step> steps) {
    std::map<SlotIndex, LeafChange> by_slot;
    for (const Step& step : steps) {
        for (std::size_t k = 0; k < step.num_accesses; ++k) {
            const LeafChange& access = step.access[k];
            by_slot.try_emplace(access.slot, access).first->second.after = access.after;
        }
    }
    std::vector<LeafChange> r;
    for (const auto& [slot, change] : by_slot) r.push_back(change);
    return r;
}

namespace {

void add_fees(FeeLedger& fees, const Step& step) {
    fees.add(step.fee_token, step.fee);
    if (!step.collected.is_zero()) fees.clear(step.fee_token);
}

/// The counters and accumulators after a step; neither fees nor root.
void advance(BatchPoint& point, const Step& step) {
    for (std::size_t k = 0; k < step.num_accesses; ++k) point.state.slot_count += step.access[k].before ? 0 : 1;
    if (std::holds_alternative<Deposit>(step.op)) ++point.state.deposit_cursor;
    if (std::holds_alternative<ForcedWithdrawal>(step.op) || std::holds_alternative<SetKey>(step.op))
        ++point.state.forced_cursor;
    std::vector<std::uint8_t> bytes;
    encode(step.op, bytes);
    for (std::size_t i = 0; i < bytes.size(); i += kWordBytes) {
        point.data.absorb_word(std::span<const std::uint8_t, kWordBytes>(bytes.data() + i, kWordBytes));
        ++point.data.count;
    }
    if (step.effect) absorb(point.effects, *step.effect);
}

}  // namespace

FeeLedger fees_after(std::span<const Step> steps) {
    FeeLedger fees;
    for (const Step& step : steps) add_fees(fees, step);
    return fees;
}

SegmentStatement segment_statement(const RollupParameters& parameters, const Header& header, const BatchPoint& before,
                                   FeeLedger fees, std::span<const Step> steps, const Digest& root_after,
                                   const L1Address& payee, std::uint64_t miner_tag) {
    BatchPoint after = before;
    for (const Step& step : steps) {
        advance(after, step);
        add_fees(fees, step);
    }
    after.fees = fees.digest();
    after.state.root = root_after;
    return {.domain = domain_hash(parameters),
            .header = header_hash(header),
            .payee = payee,
            .before = before,
            .after = after,
            .work = leaf_work(miner_tag, after.data.count - before.data.count)};
}

SegmentStatement segment_statement(const RollupParameters& parameters, const StateStore& store,
                                   const ExecutedBatch& batch, std::size_t first, std::size_t last,
                                   const BatchPoint& before, const L1Address& payee, std::uint64_t miner_tag) {
    QUARRY_CHECK(store.state() == batch.before && first <= last && last <= batch.steps.size());
    const std::span<const Step> steps(batch.steps);
    const Digest root_after = plan_update(store.tree(), changes_of(steps.first(last))).root_after;
    return segment_statement(parameters, batch.header, before, fees_after(steps.first(first)),
                             steps.subspan(first, last - first), root_after, payee, miner_tag);
}

SegmentStatement whole_statement(const RollupParameters& parameters, const ExecutedBatch& batch, const L1Address& payee,
                                 std::uint64_t miner_tag) {
    return segment_statement(parameters, batch.header, batch_start(batch.before, header_hash(batch.header)), {},
                             batch.steps, batch.commit.after.root, payee, miner_tag);
}

}  // namespace quarry::rollup
