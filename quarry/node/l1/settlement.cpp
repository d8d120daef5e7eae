#include "quarry/node/l1/settlement.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/rollup/data_statement.hpp"

namespace quarry::node::l1 {

using ethereum::EthereumCode;
using ethereum::IntentStage;
using ethereum::IntentStatus;
using sequencer::BatchPhase;
using sequencer::BatchStatus;
using sequencer::BatchToPost;

namespace {

constexpr std::size_t kMaxEventsAtOnce = 4'096;
constexpr std::uint64_t kCollectEveryBlocks = 50;
constexpr std::uint64_t kDiscardAgainSec = 60;
/// So long a batch waits for a queue entry that L1 does not have any more.
constexpr std::uint64_t kMissingBlocks = 16;
constexpr std::size_t kMaxBatchBytes = rollup::kMaxBatchWords * rollup::kWordBytes;
/// Beside the data: selector, both headers, the other arguments, signature and fees.
constexpr std::size_t kCalldataOverhead = 2'048;

/// Causes for which the hub will never take the batch, whatever happens elsewhere.
constexpr auto kFinalCauses =
    std::to_array<std::string_view>({"HeaderLength", "WrongVersion", "WrongParent", "DataLength", "TimestampOrder",
                                     "TimestampTooOld", "NonCanonicalDigest", "TooManyEffects", "EffectsMissing",
                                     "SlotCount", "DepositHash", "ForcedHash", "ForcedSkipped"});

Problem environment(const std::string& name, const std::string& cause) {
    return {Problem::Kind::environment, name, cause, "the next attempt follows by itself; check the L1 endpoint"};
}
Problem to_problem(const ethereum::EthereumError& error) {
    return environment(ethereum_code_name(error.code),
                       std::string(ethereum_code_text(error.code)) + (error.detail.empty() ? "" : ": " + error.detail));
}

bool is_deep(std::uint64_t block, const std::optional<HubView::Head>& head, unsigned confirmations) {
    return block != 0 && head && head->number + 1 >= block + confirmations;
}

/// Whether the transaction did nothing, and is buried: the manager waits for longer before it calls that final.
bool has_reverted(const IntentStatus& status, const std::optional<HubView::Head>& head, unsigned confirmations) {
    if (status.stage == IntentStage::reverted) return true;
    return status.stage == IntentStage::mined && status.receipt && !status.receipt->is_success &&
           is_deep(status.receipt->block.number, head, confirmations);
}

/// How far L1 is with a submission, as far as blocks on top of it confirm that.
BatchStatus status_of(const Submission& s, const std::optional<HubView::Head>& head, unsigned confirmations) {
    BatchStatus status;
    status.transaction = s.submitted.transaction;
    status.block = s.submitted.block;
    status.phase = BatchPhase::sending;
    if (!is_deep(s.submitted.block, head, confirmations)) return status;
    status.phase = BatchPhase::posted;
    if (is_deep(s.proven.block, head, confirmations)) status.phase = BatchPhase::proven;
    if (is_deep(s.finalised.block, head, confirmations)) status.phase = BatchPhase::finalised;
    if (!is_deep(s.orphaned.block, head, confirmations)) return status;
    status.phase = BatchPhase::reverted;
    status.code = "batch_discarded";
    status.reason = "the batch was not proven in time, and was discarded or replaced";
    return status;
}

}  // namespace

L1Settlement::L1Settlement(SettlementOptions options, HubView& view, ethereum::TransactionManager& sender,
                           ethereum::Chain& chain, LoadKzg load_kzg)
    : options_(std::move(options)), view_(view), sender_(sender), chain_(chain), load_kzg_(std::move(load_kzg)) {}

// ---- what the sequencer asks

std::optional<sequencer::SettlementHead> L1Settlement::head() const {
    const auto head = view_.head();
    const std::scoped_lock lock(mutex_);
    if (!head) return sequencer::SettlementHead{};
    return sequencer::SettlementHead{is_connected_, head->number, static_cast<rollup::Timestamp>(head->timestamp)};
}

std::vector<sequencer::ConfirmedEntry> L1Settlement::entries(sequencer::Queue queue, std::uint64_t first,
                                                             std::size_t limit) const {
    return view_.read([&](const HubState& state, const auto& head) {
        std::vector<sequencer::ConfirmedEntry> out;
        const RollupRecord* r = state.rollup(options_.rollup);
        if (r == nullptr) return out;
        const auto take = [&](const auto& list, const auto& entry_of) {
            for (std::uint64_t i = first; i < list.size() && out.size() < limit; ++i) {
                if (!is_deep(list[i].place.block, head, options_.confirmations)) break;
                out.push_back({{i, entry_of(list[i].entry)},
                               list[i].hash,
                               static_cast<rollup::Timestamp>(list[i].place.timestamp)});
            }
        };
        if (queue == sequencer::Queue::deposits) {
            take(r->deposits, [](const rollup::DepositEntry& e) { return QueueEntry(e); });
        } else {
            take(r->forced, [](const rollup::ForcedEntry& entry) {
                return std::visit([](const auto& e) { return QueueEntry(e); }, entry);
            });
        }
        return out;
    });
}

std::optional<rollup::Bytes32> L1Settlement::rolling_hash(sequencer::Queue queue, std::uint64_t cursor) const {
    return view_.read([&](const HubState& state, const auto&) -> std::optional<rollup::Bytes32> {
        const RollupRecord* r = state.rollup(options_.rollup);
        if (r == nullptr) return std::nullopt;
        return queue == sequencer::Queue::deposits ? r->deposit_hash(cursor) : r->forced_hash(cursor);
    });
}

void L1Settlement::post(const BatchToPost& batch) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t number = batch.header.number;
    const auto at = jobs_.find(number);
    if (at != jobs_.end() && at->second.batch.hash == batch.hash && !at->second.is_refused) {
        at->second.batch.path = batch.path;
        return;
    }
    // Later ones were built on the batch that this one replaces.
    if (at != jobs_.end()) jobs_.erase(at, jobs_.end());
    jobs_[number].batch = batch;
}

BatchStatus L1Settlement::status(std::uint64_t number, const rollup::Bytes32& hash) const {
    BatchStatus status = view_.read([&](const HubState& state, const auto& head) {
        const Submission* s = state.find(options_.rollup, hash);
        return s == nullptr || s->number != number ? BatchStatus{} : status_of(*s, head, options_.confirmations);
    });
    const std::scoped_lock lock(mutex_);
    const auto at = jobs_.find(number);
    const bool is_ours = at != jobs_.end() && at->second.batch.hash == hash;
    if (status.phase == BatchPhase::unknown && is_ours) {
        const Job& job = at->second;
        status.phase = job.is_refused ? BatchPhase::reverted : BatchPhase::sending;
        status.transaction = job.transaction;
        status.code = job.code;
        status.reason = job.reason;
    }
    return status;
}

L1Settlement::Figures L1Settlement::figures() const {
    const std::scoped_lock lock(mutex_);
    return figures_;
}

// ---- what goes to L1

Outcome<Done> L1Settlement::step() {
    const auto followed = view_.step(kMaxEventsAtOnce);
    {
        const std::scoped_lock lock(mutex_);
        is_connected_ = followed.ok();
    }
    if (!followed) return environment(followed.error().code, followed.error().detail);
    const auto sent = sender_.step();
    // Decisions need the present: a batch that the view has not come to yet would look as if it were not there.
    if (followed.value() == kMaxEventsAtOnce) return Done{};
    QUARRY_PASS_ON(post_next());
    QUARRY_PASS_ON(watch_windows());
    if (!sent) return to_problem(sent.error());
    return Done{};
}

void L1Settlement::update(const Job& job, const std::function<void(Job&)>& change) {
    const std::scoped_lock lock(mutex_);
    const auto at = jobs_.find(job.batch.header.number);
    if (at != jobs_.end() && at->second.batch.hash == job.batch.hash) change(at->second);
}

void L1Settlement::refuse(const Job& job, const std::string& code, const std::string& reason) {
    update(job, [&](Job& j) {
        j.is_refused = true;
        j.code = code;
        j.reason = reason;
        ++figures_.batches_refused;
    });
}

L1Settlement::Chain L1Settlement::chain_state() const {
    return view_.read([&](const HubState& state, const auto&) {
        Chain chain;
        const RollupRecord* r = state.rollup(options_.rollup);
        if (r == nullptr) return chain;
        chain.is_known = true;
        chain.head = r->head;
        chain.bond = r->parameters.batch_bond;
        const Submission* last = state.batch(options_.rollup, r->head);
        if (last == nullptr) return chain;
        chain.head_hash = last->header_hash;
        chain.parent_header = rollup::encode(last->header);
        return chain;
    });
}

/// One batch is on its way at a time: the node's estimate of the next one fails until its parent is in a block, and a
/// parent that the hub refuses would take all after it along.
Outcome<Done> L1Settlement::post_next() {
    std::vector<Job> jobs;
    {
        const std::scoped_lock lock(mutex_);
        for (const auto& [number, job] : jobs_) jobs.push_back(job);
    }
    const Chain chain = chain_state();
    if (!chain.is_known) return Done{};
    for (const Job& job : jobs) {
        const std::uint64_t number = job.batch.header.number;
        if (job.is_refused) return Done{};
        const auto [is_there, is_final] = view_.read([&](const HubState& state, const auto& head) {
            const Submission* s = state.batch(options_.rollup, number);
            const bool there = s != nullptr && s->header_hash == job.batch.hash;
            return std::pair(there, there && is_deep(s->finalised.block, head, options_.confirmations));
        });
        if (is_final) {
            const std::scoped_lock lock(mutex_);
            const auto at = jobs_.find(number);
            if (at != jobs_.end() && at->second.batch.hash == job.batch.hash) jobs_.erase(at);
        }
        if (is_there) continue;
        if (job.intent) return follow_intent(job);
        if (number <= chain.head) {
            refuse(job, "batch_superseded", "another batch of this number is on L1");
            return Done{};
        }
        if (number != chain.head + 1) return Done{};
        if (job.batch.header.parent_hash != chain.head_hash) {
            refuse(job, "WrongParent", "the last batch on L1 is not the parent of this one");
            return Done{};
        }
        return send(job, chain);
    }
    return Done{};
}

/// The first name under which nothing final was submitted for this batch.
std::string L1Settlement::free_intent(const Bytes32& hash) const {
    for (unsigned attempt = 0;; ++attempt) {
        std::string id = "post/" + ethereum::to_hex(hash) + "/" + std::to_string(attempt);
        const auto status = sender_.status(id);
        const bool is_over =
            status && (status.value().is_final() || has_reverted(status.value(), view_.head(), options_.confirmations));
        if (!is_over) return id;
    }
}

Outcome<Done> L1Settlement::send(const Job& job, const Chain& chain) {
    const std::string id = free_intent(job.batch.hash);
    if (sender_.status(id)) {  // a restart: it is on its way
        update(job, [&](Job& j) { j.intent = id; });
        return Done{};
    }
    auto intent = make_intent(job, chain);
    if (!intent) return intent.error();
    intent.value().id = id;
    const bool is_blob = intent.value().sidecar != nullptr;
    const auto submitted = sender_.submit(std::move(intent).value());
    if (!submitted) return to_problem(submitted.error());
    update(job, [&](Job& j) {
        j.intent = id;
        ++(is_blob ? figures_.batches_in_blobs : figures_.batches_in_calldata);
    });
    const auto stepped = sender_.step();
    if (!stepped) return to_problem(stepped.error());
    return Done{};
}

Outcome<ethereum::Intent> L1Settlement::make_intent(const Job& job, const Chain& chain) {
    auto file = read_whole_file(job.batch.path + "/data.bin", kMaxBatchBytes);
    if (!file) return file.error();
    const Bytes data = std::move(file).value();
    if (data.size() != job.batch.header.byte_length) {
        return Problem{Problem::Kind::bad_input, "bad_length", job.batch.path + " holds data of another length",
                       "restore the batch's folder from a backup"};
    }
    const auto fees = chain_.suggest_fees();
    if (!fees) return to_problem(fees.error());
    const U256 gas_price = saturated_sum(fees.value().base_fee, fees.value().priority_fee);
    const PlacementCost cost = placement_cost(data, gas_price, fees.value().blob_base_fee);
    const bool fits_calldata = data.size() <= rollup::kBlobWords * rollup::kWordBytes &&
                               data.size() + kCalldataOverhead <= ethereum::kMaxTransactionBytes;
    using Placement = SettlementOptions::Placement;
    const bool is_cheaper = options_.placement == Placement::automatic && cost.calldata < cost.blobs;
    const bool as_calldata = fits_calldata && (is_cheaper || options_.placement == Placement::calldata);

    const Bytes header = rollup::encode(job.batch.header);
    const Terms terms = terms_for(options_, data.size() / rollup::kWordBytes);
    ethereum::Intent intent;
    intent.to = view_.options().hub;
    intent.value = terms.max + terms.rebate_cap + chain.bond;
    intent.max_total_fee = options_.max_total_fee;
    if (as_calldata) {
        const auto statement = rollup::make_data_statement(
            rollup::DataForm::horner, rollup::header_hash(job.batch.header), data, keccak256(data), {}, 0);
        intent.data =
            hub_call::submit_batch_calldata(chain.parent_header, header, data, digest_bytes(statement.point), terms);
        return intent;
    }
    const auto kzg = load_kzg_();
    if (!kzg) return to_problem(kzg.error());
    auto sidecar = kzg.value()->make_sidecar(blobs_of_words(data));
    if (!sidecar) return to_problem(sidecar.error());
    intent.sidecar = std::make_shared<const ethereum::BlobSidecar>(std::move(sidecar).value());
    intent.data = hub_call::submit_batch(chain.parent_header, header, terms);
    return intent;
}

/// Why a transaction that was mined reverted: the chain of now is asked again.
std::string L1Settlement::revert_cause(const IntentStatus& status, const Job& job) {
    if (status.error && !status.error->revert_data.empty()) return revert_name(status.error->revert_data);
    if (status.stage == IntentStage::failed || status.stage == IntentStage::cancelled) {
        return status.error ? ethereum_code_name(status.error->code) : intent_stage_name(status.stage);
    }
    const Chain chain = chain_state();
    const auto intent = make_intent(job, chain);
    if (!intent) return "unknown_revert";
    ethereum::CallRequest request;
    request.from = sender_.address();
    request.to = intent.value().to;
    request.data = intent.value().data;
    request.value = intent.value().value;
    if (intent.value().sidecar) request.blob_hashes = intent.value().sidecar->versioned_hashes();
    const auto result = chain_.call(request, ethereum::BlockTag::latest);
    if (result || result.error().revert_data.empty()) return "unknown_revert";
    return revert_name(result.error().revert_data);
}

Outcome<Done> L1Settlement::follow_intent(const Job& job) {
    const auto status = sender_.status(*job.intent);
    if (!status) {  // the journal has forgotten it: nothing of it is on its way
        update(job, [](Job& j) { j.intent.reset(); });
        return Done{};
    }
    const IntentStatus& intent = status.value();
    if (!intent.hashes.empty()) {
        update(job, [&](Job& j) { j.transaction = intent.hashes.back(); });
    }
    if (!intent.is_final() && !has_reverted(intent, view_.head(), options_.confirmations)) {
        if (!intent.error) return Done{};
        update(job, [&](Job& j) {
            j.code = ethereum_code_name(intent.error->code);
            j.reason = ethereum_code_text(intent.error->code);
        });
        return Done{};
    }
    if (intent.stage == IntentStage::confirmed) {
        // In a block that the view does not show: it was replaced after all. The next name is a new attempt.
        update(job, [](Job& j) { j.intent.reset(); });
        return Done{};
    }
    return not_taken(job, revert_cause(intent, job));
}

/// The hub refused the batch, or would. What is missing of its queue entries after a reorganisation mostly comes back.
Outcome<Done> L1Settlement::not_taken(const Job& job, const std::string& cause) {
    const bool is_missing = cause == "DepositCursor" || cause == "ForcedCursor";
    const std::uint64_t block = view_.head()->number;
    const std::uint64_t since = job.missing_since == 0 ? block : job.missing_since;
    const bool is_lost = is_missing && block >= since + kMissingBlocks;
    if (is_lost || std::find(kFinalCauses.begin(), kFinalCauses.end(), cause) != kFinalCauses.end()) {
        refuse(job, cause, "the hub refuses the batch for good");
        return Done{};
    }
    update(job, [&](Job& j) {
        j.intent.reset();
        j.code = cause;
        j.reason = "the hub does not take the batch now";
        j.missing_since = is_missing ? since : 0;
    });
    return environment("batch_not_taken",
                       "the hub does not take batch " + std::to_string(job.batch.header.number) + " now: " + cause);
}

// ---- windows

Outcome<Done> L1Settlement::watch_windows() {
    struct Due {
        std::optional<Submission> first_open;
        std::vector<std::uint64_t> orphans;
        std::uint64_t timestamp = 0;
        std::uint64_t block = 0;
    };
    const Due due = view_.read([&](const HubState& state, const auto& head) {
        Due d;
        const RollupRecord* r = state.rollup(options_.rollup);
        if (r == nullptr || !head) return d;
        d.timestamp = head->timestamp;
        d.block = head->number;
        const Submission* open = state.batch(options_.rollup, r->finalised + 1);
        if (open != nullptr && open->state == BatchState::pending) d.first_open = *open;
        for (const auto& [id, s] : state.submissions()) {
            const bool is_due = s.rollup == options_.rollup && s.state == BatchState::orphaned &&
                                s.sequencer == sender_.address() &&
                                is_deep(s.orphaned.block, head, options_.confirmations);
            if (is_due) d.orphans.push_back(id);
        }
        return d;
    });
    if (due.first_open) {
        QUARRY_PASS_ON(raise_bounty(*due.first_open, due.timestamp));
        QUARRY_PASS_ON(discard_late(*due.first_open, due.timestamp));
    }
    QUARRY_PASS_ON(settle_orphans(due.orphans));
    return collect_credit(due.block);
}

/// False: it was submitted before.
Outcome<bool> L1Settlement::submit_once(const std::string& id, Bytes data, const U256& value) {
    if (sender_.status(id)) return false;
    ethereum::Intent intent;
    intent.id = id;
    intent.to = view_.options().hub;
    intent.data = std::move(data);
    intent.value = value;
    const auto submitted = sender_.submit(std::move(intent));
    if (!submitted) return to_problem(submitted.error());
    return true;
}

Outcome<Done> L1Settlement::raise_bounty(const Submission& s, std::uint64_t timestamp) {
    if (options_.raise_amount.is_zero() || options_.num_raises == 0 || timestamp >= s.deadline) return Done{};
    const std::uint64_t window = s.deadline - s.submitted.timestamp;
    const std::uint64_t start = s.deadline - window * std::min(options_.raise_last_percent, 100U) / 100;
    if (timestamp < start) return Done{};
    const std::uint64_t due = (timestamp - start) * options_.num_raises / (s.deadline - start) + 1;
    for (std::uint64_t k = 0; k < std::min<std::uint64_t>(due, options_.num_raises); ++k) {
        const auto raised = submit_once("raise/" + std::to_string(s.id) + "/" + std::to_string(k),
                                        hub_call::raise_bounty(s.rollup, s.number), options_.raise_amount);
        if (!raised) return raised.error();
        const std::scoped_lock lock(mutex_);
        figures_.raises += raised.value() ? 1 : 0;
    }
    return Done{};
}

Outcome<Done> L1Settlement::discard_late(const Submission& s, std::uint64_t timestamp) {
    const std::uint64_t start = s.deadline + options_.discard_after_sec;
    if (!options_.discards_late || timestamp < start || timestamp < s.locked_until) return Done{};
    const std::uint64_t attempt = (timestamp - start) / kDiscardAgainSec;
    const auto discarded = submit_once("discard/" + std::to_string(s.id) + "/" + std::to_string(attempt),
                                       hub_call::discard_unproven(s.rollup, s.number), {});
    if (!discarded) return discarded.error();
    const std::scoped_lock lock(mutex_);
    figures_.discards += discarded.value() ? 1 : 0;
    return Done{};
}

Outcome<Done> L1Settlement::settle_orphans(const std::vector<std::uint64_t>& ids) {
    for (const std::uint64_t id : ids) {
        const auto settled = submit_once("settle/" + std::to_string(id), hub_call::settle(id), {});
        if (!settled) return settled.error();
    }
    return Done{};
}

Outcome<Done> L1Settlement::collect_credit(std::uint64_t block) {
    if (options_.collect_above.is_zero() || block < next_collect_block_) return Done{};
    const auto credit = HubReader(chain_, view_.options().hub).credit(sender_.address());
    if (!credit) return to_problem(credit.error());
    next_collect_block_ = block + kCollectEveryBlocks;
    if (credit.value() < options_.collect_above) return Done{};
    const auto collected = submit_once("collect/" + std::to_string(block), hub_call::collect(sender_.address()), {});
    if (!collected) return collected.error();
    return Done{};
}

}  // namespace quarry::node::l1
