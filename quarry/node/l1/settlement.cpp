#include "quarry/node/l1/settlement.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deploy.hpp"
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
/// After a duty's attempt that did not succeed.
constexpr std::uint64_t kTryAgainBlocks = 5;
/// A block comes every 12 seconds: an endpoint whose last one is older than this does not follow the chain any more.
constexpr std::uint64_t kMaxHeadAgeSeconds = 600;
constexpr std::string_view kPostPrefix = "post/";
constexpr std::size_t kMaxBatchBytes = rollup::kMaxBatchWords * rollup::kWordBytes;
/// Beside the data: selector, both headers, the other arguments, signature and fees.
constexpr std::size_t kCalldataOverhead = 2'048;

/// Causes for which the hub will never take the batch, unless a reorganisation gives back what it was built on.
constexpr auto kFinalCauses = std::to_array<std::string_view>(
    {"HeaderLength", "WrongVersion", "WrongParent", "DataLength", "TimestampOrder", "TimestampTooOld",
     "NonCanonicalDigest", "TooManyEffects", "EffectsMissing", "SlotCount", "DepositCursor", "DepositHash",
     "ForcedCursor", "ForcedHash", "ForcedSkipped"});

Problem environment(const std::string& name, const std::string& cause) {
    return {Problem::Kind::environment, name, cause, "the next attempt follows by itself; check the L1 endpoint"};
}

Problem not_taken_now(std::uint64_t number, const std::string& cause) {
    return environment("batch_not_taken", "the hub does not take batch " + std::to_string(number) + " now: " + cause);
}

std::string post_name(const Bytes32& hash) { return std::string(kPostPrefix) + ethereum::to_hex(hash); }

/// Whether nothing more is expected of it. What did nothing is over once it is buried: the manager waits for longer.
bool is_over(const IntentStatus& status, unsigned confirmations) {
    return status.is_final() || status.stage_at(confirmations) == IntentStage::reverted;
}

SettlementOptions with_order(SettlementOptions options) {
    options.final_confirmations = std::max(options.final_confirmations, options.confirmations);
    return options;
}

/// How far L1 is with a submission, as far as blocks on top of it confirm that.
BatchStatus status_of(const Submission& s, const std::optional<HubView::Head>& head, const SettlementOptions& options) {
    const auto is_buried = [&](const Place& place, unsigned confirmations) {
        return is_deep(place.block, head, confirmations);
    };
    BatchStatus status;
    status.transaction = s.submitted.transaction;
    status.block = s.submitted.block;
    status.phase = BatchPhase::sending;
    if (!is_buried(s.submitted, options.confirmations)) return status;
    status.phase = BatchPhase::posted;
    if (is_buried(s.proven, options.confirmations)) status.phase = BatchPhase::proven;
    if (is_buried(s.finalised, options.final_confirmations)) status.phase = BatchPhase::finalised;
    if (!is_buried(s.orphaned, options.final_confirmations)) return status;
    status.phase = BatchPhase::reverted;
    status.code = "batch_discarded";
    status.reason = "the batch was not proven in time, and was discarded or replaced";
    return status;
}

}  // namespace

L1Settlement::L1Settlement(SettlementOptions options, HubView& view, ethereum::TransactionManager& sender,
                           ethereum::Chain& chain, LoadKzg load_kzg, Now now)
    : options_(with_order(options)),
      view_(view),
      sender_(sender),
      chain_(chain),
      load_kzg_(std::move(load_kzg)),
      now_(std::move(now)) {}

// ---- what the sequencer asks

std::optional<sequencer::SettlementHead> L1Settlement::head() const {
    const auto head = view_.head();
    const std::scoped_lock lock(mutex_);
    sequencer::SettlementHead r;
    r.connected = is_connected_ && head;
    if (head) r.block = head->number;
    if (head) r.confirmed = head->number - std::min<std::uint64_t>(head->number, options_.confirmations - 1);
    if (head) r.timestamp = static_cast<rollup::Timestamp>(head->timestamp);
    if (trouble_) r.trouble = trouble_->name;
    if (trouble_) r.reason = trouble_->cause;
    return r;
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
    return view_.read([&](const HubState& state, const auto& head) -> std::optional<rollup::Bytes32> {
        const RollupRecord* r = state.rollup(options_.rollup);
        if (r == nullptr) return std::nullopt;
        const auto hash_before = [&](const auto& list) -> std::optional<rollup::Bytes32> {
            if (cursor == 0) return rollup::Bytes32{};
            if (cursor > list.size()) return std::nullopt;
            const auto& last = list[cursor - 1];
            return is_deep(last.place.block, head, options_.confirmations) ? std::optional(last.hash) : std::nullopt;
        };
        return queue == sequencer::Queue::deposits ? hash_before(r->deposits) : hash_before(r->forced);
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

void L1Settlement::withdraw(std::uint64_t from) {
    const std::scoped_lock lock(mutex_);
    jobs_.erase(jobs_.lower_bound(from), jobs_.end());
}

sequencer::BatchRules L1Settlement::rules() const {
    return view_.read([&](const HubState& state, const auto&) {
        const RollupRecord* r = state.rollup(options_.rollup);
        return r == nullptr ? sequencer::BatchRules{}
                            : sequencer::BatchRules{r->parameters.max_effects, r->parameters.forced_cap,
                                                    r->parameters.forced_delay};
    });
}

std::optional<Problem> L1Settlement::failure() const {
    const std::scoped_lock lock(mutex_);
    return failure_;
}

BatchStatus L1Settlement::status(std::uint64_t number, const rollup::Bytes32& hash) const {
    BatchStatus status = view_.read([&](const HubState& state, const auto& head) {
        const Submission* s = state.find(options_.rollup, hash);
        return s == nullptr || s->number != number ? BatchStatus{} : status_of(*s, head, options_);
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

SettlementFigures L1Settlement::figures() const {
    const std::scoped_lock lock(mutex_);
    return figures_;
}

// ---- what goes to L1

Outcome<Done> L1Settlement::step() {
    const Outcome<Done> done = follow_and_send();
    const std::scoped_lock lock(mutex_);
    trouble_ = done ? std::nullopt : std::optional(done.error());
    return done;
}

Outcome<Done> L1Settlement::follow_and_send() {
    const auto followed = view_.step(kMaxEventsAtOnce);
    {
        const std::scoped_lock lock(mutex_);
        is_connected_ = followed.ok();
    }
    // What is on its way needs no view.
    const auto sent = sender_.step();
    if (!followed) {
        const Problem problem = view_problem(followed.error());
        if (!followed.error().stays()) return problem;
        const std::scoped_lock lock(mutex_);
        failure_ = problem;
        return problem;
    }
    // Decisions need the present: a batch that the view has not come to yet would look as if it were not there.
    if (followed.value() == kMaxEventsAtOnce) return Done{};
    // What keeps one of them does not keep the others.
    for (const Outcome<Done>& done : {post_next(), do_duties(), collect()}) QUARRY_PASS_ON(done);
    if (!sent) return chain_problem(sent.error());
    return check_head();
}

Outcome<Done> L1Settlement::check_head() const {
    const auto head = view_.head();
    if (!head) return Done{};
    const std::uint64_t now = now_();
    const std::uint64_t age = now - std::min(now, head->timestamp);
    if (age <= kMaxHeadAgeSeconds) return Done{};
    return environment("l1_behind", "L1's last block is " + std::to_string(age) +
                                        " seconds old by the own clock: the endpoint does not follow the chain");
}

void L1Settlement::update(const Job& job, const std::function<void(Job&)>& change) {
    const std::scoped_lock lock(mutex_);
    const auto at = jobs_.find(job.batch.header.number);
    if (at != jobs_.end() && at->second.batch.hash == job.batch.hash) change(at->second);
}

std::optional<L1Settlement::Chain> L1Settlement::chain_state() const {
    return view_.read([&](const HubState& state, const auto&) -> std::optional<Chain> {
        const RollupRecord* r = state.rollup(options_.rollup);
        if (r == nullptr || r->is_foreign) return std::nullopt;
        Chain chain;
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
    const std::optional<Chain> chain = chain_state();
    if (!chain) {
        return environment("rollup_not_followed", "rollup " + std::to_string(options_.rollup) +
                                                      " is not at this hub, or has batches of another version");
    }
    for (const Job& job : jobs) {
        const std::uint64_t number = job.batch.header.number;
        if (job.is_refused) return Done{};
        enum class Found { nowhere, dropped, there, final };
        const Found found = view_.read([&](const HubState& state, const auto& head) {
            const Submission* s = state.find(options_.rollup, job.batch.hash);
            if (s == nullptr || s->number != number) return Found::nowhere;
            if (s->state == BatchState::orphaned || s->state == BatchState::closed) return Found::dropped;
            return is_deep(s->finalised.block, head, options_.final_confirmations) ? Found::final : Found::there;
        });
        if (found == Found::nowhere) return advance(job, *chain);
        // The sequencer hears so when that is deep enough, and makes other batches.
        if (found == Found::dropped) return Done{};
        if (found == Found::there) update(job, [](Job& j) { j.refused_since = j.refused_at = 0; });
        if (found == Found::final) {
            const std::scoped_lock lock(mutex_);
            const auto at = jobs_.find(number);
            if (at != jobs_.end() && at->second.batch.hash == job.batch.hash) jobs_.erase(at);
        }
    }
    return Done{};
}

/// A batch that is not on L1, and whose predecessors are.
Outcome<Done> L1Settlement::advance(const Job& job, const Chain& chain) {
    const rollup::Header& header = job.batch.header;
    if (job.intent) {
        QUARRY_PASS_ON(follow_intent(job));
    } else if (header.number != chain.head + 1 || header.parent_hash != chain.head_hash) {
        return forked(job, chain);
    } else if (job.refused_at != view_.head()->number) {
        QUARRY_PASS_ON(send(job, chain));
    }
    if (job.refused_since == 0) return Done{};
    return not_taken_now(job.batch.header.number, job.code);
}

/// The first name of an attempt that is not over.
std::string L1Settlement::next_attempt(const std::string& name) const {
    for (unsigned attempt = 0;; ++attempt) {
        std::string id = name + "/" + std::to_string(attempt);
        const auto status = sender_.status(id);
        if (!status || !is_over(status.value(), options_.confirmations)) return id;
    }
}

/// Whether nothing of batches that were taken back is on its way: it would be in the place of others.
bool L1Settlement::end_withdrawn() {
    std::set<std::string> kept;
    {
        const std::scoped_lock lock(mutex_);
        for (const auto& [number, job] : jobs_) kept.insert(post_name(job.batch.hash));
    }
    bool is_clear = true;
    for (const std::string& id : sender_.open_ids()) {
        if (!id.starts_with(kPostPrefix) || kept.contains(id.substr(0, id.rfind('/')))) continue;
        const auto status = sender_.status(id);
        if (!status || status.value().stage >= IntentStage::mined) continue;
        (void)sender_.cancel(id);  // blobs that were sent stay: they are taken, or revert
        is_clear = false;
    }
    return is_clear;
}

Outcome<Done> L1Settlement::send(const Job& job, const Chain& chain) {
    if (!end_withdrawn()) {
        const auto ended = sender_.step();
        return ended ? Outcome<Done>(Done{}) : chain_problem(ended.error());
    }
    const std::string id = next_attempt(post_name(job.batch.hash));
    if (sender_.status(id)) {  // a restart: it is on its way
        update(job, [&](Job& j) { j.intent = id; });
        return Done{};
    }
    auto intent = make_intent(job, chain);
    if (!intent) return intent.error();
    intent.value().id = id;
    const bool is_blob = intent.value().sidecar != nullptr;
    const auto submitted = sender_.submit(std::move(intent).value());
    if (!submitted) return chain_problem(submitted.error());
    update(job, [&](Job& j) {
        j.intent = id;
        ++(is_blob ? figures_.batches_in_blobs : figures_.batches_in_calldata);
    });
    const auto stepped = sender_.step();
    if (!stepped) return chain_problem(stepped.error());
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
    if (!fees) return chain_problem(fees.error());
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
    if (!kzg) return chain_problem(kzg.error());
    auto sidecar = kzg.value()->make_sidecar(blobs_of_words(data));
    if (!sidecar) return chain_problem(sidecar.error());
    intent.sidecar = std::make_shared<const ethereum::BlobSidecar>(std::move(sidecar).value());
    intent.data = hub_call::submit_batch(chain.parent_header, header, terms);
    return intent;
}

/// Why a transaction that was mined reverted: the chain of now is asked again.
std::string L1Settlement::revert_cause(const IntentStatus& status, const Job& job) {
    if (status.stage == IntentStage::failed || status.stage == IntentStage::cancelled) return failure_cause(status);
    const auto chain = chain_state();
    if (!chain) return "unknown_revert";
    const auto intent = make_intent(job, *chain);
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
    if (!is_over(intent, options_.confirmations)) {
        // It may depend on one of ours that is not mined yet.
        if (!intent.error || intent.error->code == EthereumCode::execution_reverted) return Done{};
        update(job, [&](Job& j) {
            j.code = ethereum_code_name(intent.error->code);
            j.reason = ethereum_code_text(intent.error->code);
        });
        return chain_problem(*intent.error);
    }
    if (intent.stage == IntentStage::confirmed) {
        // In a block that the view does not show: it was replaced after all. The next name is a new attempt.
        update(job, [](Job& j) { j.intent.reset(); });
        return Done{};
    }
    return not_taken(job, revert_cause(intent, job));
}

/// L1 does not take the batch. True: for causes that only a reorganisation changes, which comes no more.
bool L1Settlement::note_refusal(const Job& job, const std::string& code, const std::string& reason, bool is_lasting) {
    const std::uint64_t block = view_.head()->number;
    const std::uint64_t since = is_lasting && job.refused_since != 0 ? job.refused_since : block;
    update(job, [&](Job& j) {
        j.intent.reset();
        j.code = code;
        j.reason = reason;
        j.refused_since = since;
        j.refused_at = block;
    });
    return is_lasting && block + 1 >= since + options_.final_confirmations;
}

/// The hub refused the batch, or would. What a reorganisation took of its queue entries mostly comes back.
Outcome<Done> L1Settlement::not_taken(const Job& job, const std::string& cause) {
    const bool is_lasting = std::ranges::find(kFinalCauses, cause) != kFinalCauses.end();
    if (!note_refusal(job, cause, "the hub does not take the batch", is_lasting)) {
        return not_taken_now(job.batch.header.number, cause);
    }
    update(job, [&](Job& j) {
        j.is_refused = true;
        j.reason = "the hub refuses the batch for good";
        ++figures_.batches_refused;
    });
    return Done{};
}

/// The batch is not the next one of what L1 has: another sequencer posted, or this one's state is not that of its last
/// batches. Within a reorganisation that passes.
Outcome<Done> L1Settlement::forked(const Job& job, const Chain& chain) {
    const std::string number = std::to_string(job.batch.header.number);
    Problem problem{
        Problem::Kind::refused, "forked_from_l1",
        "batch " + number + " of this sequencer does not follow batch " + std::to_string(chain.head) +
            " that L1 has: L1 has batches that are not this sequencer's",
        "stop every other sequencer of the rollup; then go on from a backup of state, ledger and batches that "
        "has L1's last batch, or wait until the other batches are discarded"};
    if (!note_refusal(job, problem.name, problem.cause, true)) return environment(problem.name, problem.cause);
    const std::scoped_lock lock(mutex_);
    failure_ = problem;
    return problem;
}

// ---- what is due for batches that are there

Outcome<Done> L1Settlement::do_duties() {
    const auto head = view_.head();
    if (!head) return Done{};
    const std::vector<Duty> due = view_.read([&](const HubState& state, const auto&) {
        return due_duties(state, *head, options_, view_.options().hub, sender_.address());
    });
    std::erase_if(next_try_, [&](const auto& entry) {
        return std::ranges::none_of(due, [&](const Duty& duty) { return duty.name == entry.first; });
    });
    for (const Duty& duty : due) QUARRY_PASS_ON(perform(duty, head->number));
    return Done{};
}

/// What goes by the duty's name is on its way; what failed under it is tried again under the next one.
Outcome<Done> L1Settlement::perform(const Duty& duty, std::uint64_t block) {
    ethereum::Intent intent;
    intent.id = next_attempt(duty.name);
    if (sender_.status(intent.id) || block < next_try_[duty.name]) return Done{};
    intent.to = duty.to;
    intent.data = duty.data;
    intent.value = duty.value;
    const auto submitted = sender_.submit(std::move(intent));
    if (!submitted) return chain_problem(submitted.error());
    next_try_[duty.name] = block + kTryAgainBlocks;
    const std::scoped_lock lock(mutex_);
    ++(figures_.*duty.counter);
    return Done{};
}

/// Draws what has come together at the hub and at the bridge.
Outcome<Done> L1Settlement::collect() {
    const auto head = view_.head();
    if (options_.collect_above.is_zero() || !head || head->number < next_collect_block_) return Done{};
    const Address self = sender_.address();
    const auto credit = HubReader(chain_, view_.options().hub).credit(self);
    if (!credit) return chain_problem(credit.error());
    const auto fees = BridgeReader(chain_, view_.options().bridge).fees(self);
    if (!fees) return chain_problem(fees.error());
    next_collect_block_ = head->number + kCollectEveryBlocks;
    constexpr auto kCounter = &SettlementFigures::collections;
    if (credit.value() >= options_.collect_above) {
        QUARRY_PASS_ON(
            perform({"collect/credit", view_.options().hub, hub_call::collect(self), {}, kCounter}, head->number));
    }
    if (fees.value() >= options_.collect_above) {
        QUARRY_PASS_ON(perform({"collect/fees", view_.options().bridge, bridge_call::collect_fees(self), {}, kCounter},
                               head->number));
    }
    return Done{};
}

}  // namespace quarry::node::l1
