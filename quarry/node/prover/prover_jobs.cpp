#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/node_proof.hpp"
#include "quarry/node/prover/prover.hpp"

/// What becomes of jobs: the state machine of job.hpp.
namespace quarry::node::prover {
namespace {

namespace fs = std::filesystem;
using Level = ProverEvent::Level;

/// Names the intent of the job's latest hand-in.
std::string intent_of(const Job& job) { return fmt::format("proof-{}-{}", job.id, job.submissions); }

std::string batches_text(const Job& job) {
    std::string text;
    for (const JobBatch& b : job.batches) text += fmt::format("{}{}/{}", text.empty() ? "" : " ", b.rollup, b.number);
    return text;
}

/// Errors of IHub.sol that say something of the proof itself, wherever L1 stands: there is no use in trying again. All
/// others may be gone in another block.
bool is_of_the_proof(std::string_view code) {
    constexpr std::array kCodes{"BadProfile",   "NoItems",      "TooManyItems",   "NoPayee",
                                "DataMismatch", "OpeningCount", "EffectsLength",  "EffectsMalformed",
                                "EffectsCount", "EffectsQueue", "PointEvaluation"};
    return std::ranges::find(kCodes, code) != kCodes.end();
}
/// A verifier's verdict, with the selector of its reason behind it.
bool is_verdict(std::string_view code) { return code.starts_with("ProofRejected"); }

/// The code of a settled job of which L1 took a part: it looked at the other batches too, and takes no proof of them.
constexpr std::string_view kSkipped = "batches_skipped";

/// Whether L1 refuses a proof of those of the job's batches that still wait for one.
bool is_refused(const Job& job) {
    return job.state == JobState::failed || (job.state == JobState::settled && job.code == kSkipped);
}

bool is_final(SubmissionPhase phase) {
    return phase == SubmissionPhase::accepted || phase == SubmissionPhase::refused ||
           phase == SubmissionPhase::cancelled;
}

Problem not_followed(const JobBatch& batch) {
    return {Problem::Kind::environment, "not_followed",
            fmt::format("batch {} of rollup {} is not in the own state (any more)", batch.number, batch.rollup),
            "wait until the state has it again"};
}
/// What else the job has is another job's.
Problem not_reversible(const JobBatch& batch) {
    return {Problem::Kind::refused, "not_reversible",
            fmt::format("batch {} of rollup {} was settled for good before its proof was planned", batch.number,
                        batch.rollup),
            "the open batches are proven without it"};
}

}  // namespace

PriceContext Prover::price_context() const {
    const L1Head head = view_.head();
    const double per_unit = static_cast<double>(options_.wei_per_cpu_hour) * ms_per_unit_ / 3.6e6;
    return {options_.gas, head.base_fee + head.priority_fee, static_cast<Wei>(per_unit), options_.margin_percent};
}

std::vector<Candidate> Prover::candidates() const {
    std::set<std::pair<std::uint32_t, std::uint64_t>> taken;
    std::set<std::pair<std::uint32_t, std::uint64_t>> failed;  // by submission
    for (const auto& [id, job] : jobs_.jobs()) {
        for (const JobBatch& b : job.batches) {
            if (!is_over(job.state)) taken.emplace(b.rollup, b.number);
            if (is_refused(job)) failed.emplace(b.rollup, b.submission);
        }
    }
    std::vector<Candidate> found;
    const L1Head head = view_.head();
    for (const auto& [id, followed] : rollups_) {
        if (followed.replica == nullptr || followed.is_catching_up) continue;
        for (std::uint64_t n = followed.on_l1.finalised + 1; n <= followed.replica->batch_number(); ++n) {
            const auto batch = view_.batch(id, n);
            if (!batch || !followed.replica->has(*batch)) break;
            if (batch->phase != BatchPhase::pending || taken.contains({id, n})) continue;
            // What follows waits as well: it is final only after this one.
            if (failed.contains({id, batch->submission}) || !may_prove(*batch)) break;
            if (head.timestamp < batch->posted_at + options_.patience_seconds) break;
            found.push_back(make_candidate(*batch, followed.replica->entries().at(n).effect_words, head));
        }
    }
    return found;
}

std::optional<Job> Prover::job_of(std::span<const Candidate> batches, std::uint64_t now) const {
    const recursion::Catalog* catalog = find_catalog();
    if (catalog == nullptr) return std::nullopt;
    Job job;
    std::vector<BatchOnL1> on_l1;
    for (const Candidate& c : batches) {
        on_l1.push_back(view_.batch(c.rollup, c.number).value());
        job.batches.push_back({c.rollup, c.number, on_l1.back().submission, on_l1.back().hash});
    }
    std::vector<NamedBatch> named;
    for (const BatchOnL1& b : on_l1) {
        const auto& parameters = rollups_.at(b.header.rollup_id).on_l1.parameters;
        named.push_back({rollup::domain_hash(parameters), b.hash, b.placement, b.l1_hashes});
    }
    job.id = job_name({options_.payee, options_.miner_tag, options_.segments, catalog->keys().digest()}, named);
    job.key = on_l1.front().key;
    job.created_at = now;
    const auto before = jobs_.jobs().find(job.id);
    if (before == jobs_.jobs().end()) return job;
    // The same work once more, after a reorganisation or a second submission: what was done of it is done.
    Job again = before->second;
    again.state = JobState::proving;
    again.batches = job.batches;
    again.key = job.key;
    ++again.submissions;  // what was sent under the last name is over
    again.code.clear();
    again.reason.clear();
    return again;
}

std::optional<Job> Prover::choose(std::uint64_t now) {
    const auto open = candidates();
    const Choice choice = choose_batches(open, price_context(), options_.max_batches);
    if (!choice.batches.empty()) {
        skipped_code_.clear();
        skipped_reason_.clear();
        auto job = job_of(choice.batches, now);
        if (job) {
            say(Level::info, "job_started", "a proof is begun",
                {{"job", job->id},
                 {"batches", batches_text(*job)},
                 {"earns", to_decimal(choice.price.earns)},
                 {"gas", std::to_string(choice.price.gas)},
                 {"gas_cost", to_decimal(choice.price.gas_cost)},
                 {"own_cost", to_decimal(choice.price.own_cost)}});
        }
        return job;
    }
    if (open.empty()) {
        skipped_code_.clear();
        skipped_reason_.clear();
        return std::nullopt;
    }
    if (skipped_code_ != "not_worth_it") {
        say(Level::info, "not_worth_it", "open batches earn less than a proof of them costs",
            {{"open", std::to_string(open.size())},
             {"earns", to_decimal(choice.price.earns)},
             {"gas_cost", to_decimal(choice.price.gas_cost)},
             {"own_cost", to_decimal(choice.price.own_cost)}});
    }
    skipped_code_ = "not_worth_it";
    skipped_reason_ = fmt::format("{} open batches earn less than gas and proving cost", open.size());
    return std::nullopt;
}

Outcome<JobMaterial> Prover::material_of(const Job& job) const {
    JobMaterial material;
    for (std::size_t i = 0; i < job.batches.size();) {
        const std::uint32_t id = job.batches[i].rollup;
        const Replica* replica = this->replica(id);
        if (replica == nullptr) return not_followed(job.batches[i]);
        if (job.batches[i].number <= replica->finalised_number()) return not_reversible(job.batches[i]);
        auto state = replica->before_batch(job.batches[i].number);
        if (!state) return state.error();
        material.states[id] = std::move(state).value();
        for (std::uint64_t n = job.batches[i].number; i < job.batches.size() && job.batches[i].rollup == id; ++n) {
            const auto on_l1 = view_.batch(id, n);
            if (!on_l1 || !replica->has(*on_l1)) return not_followed(job.batches[i]);
            auto files = replica->read_batch(n);
            if (!files) return files.error();
            const bool prove = job.batches[i].number == n;
            material.batches.push_back(
                {replica->parameters(), std::move(files).value(), prove, on_l1->placement, on_l1->l1_hashes});
            if (prove) ++i;
        }
    }
    return material;
}

void Prover::put_off(const Job& job, std::uint64_t now, const Problem& why) {
    constexpr unsigned kMaxDoublings = 6;
    Trouble& trouble = trouble_[job.id];
    const std::string said = why.name + ": " + why.cause;
    if (trouble.said != said) say(Level::warning, why.name, why.cause, {{"job", job.id}});
    trouble.said = said;
    trouble.retry_at = now + (options_.retry_seconds << std::min(trouble.times++, kMaxDoublings));
}

bool Prover::is_put_off(const Job& job, std::uint64_t now) const {
    const auto it = trouble_.find(job.id);
    return it != trouble_.end() && now < it->second.retry_at;
}

Outcome<Done> Prover::start(const Job& job, std::uint64_t now) {
    const std::string work = jobs_.work_path(job.id);
    // The states are the caller's to read; the runner's thread gets copies.
    auto material = std::make_shared<std::optional<JobMaterial>>();
    if (!WorkFolder::exists(work)) {
        auto made = material_of(job);
        if (!made && made.error().kind == Problem::Kind::refused) {
            Job gone = job;
            return end(gone, JobState::dropped, made.error().name, made.error().cause);
        }
        if (!made) {
            put_off(job, now, made.error());
            return Done{};
        }
        *material = std::move(made).value();
    }
    ++counters_.started_jobs;
    running_ = job.id;
    runner_->start({job.id, work, jobs_.other_work(job.id), options_.payee, options_.miner_tag, options_.segments},
                   [material]() -> Outcome<JobMaterial> {
                       if (*material) return std::move(**material);
                       return Problem{Problem::Kind::environment, "damaged_work",
                                      "what the tasks start from is damaged", "it is made again"};
                   });
    return Done{};
}

Outcome<Done> Prover::begin_work(std::uint64_t now) {
    if (runner_->is_busy()) return Done{};
    const Job* next = nullptr;
    for (const auto& [id, job] : jobs_.jobs()) {
        if (job.state != JobState::proving || is_put_off(job, now)) continue;
        if (next == nullptr || job.created_at < next->created_at) next = &job;
    }
    if (next != nullptr) {
        Job job = *next;
        if (!find_proof(jobs_.work_path(job.id), job.id)) return start(job, now);
        // Its last task was done when the process ended, or before a reorganisation.
        job.state = JobState::proven;
        job.proven_at = now;
        say(Level::info, "job_proven", "the terminal proof is on disk", {{"job", job.id}});
        QUARRY_PASS_ON(jobs_.put(job));
        return check_job(job, now);
    }
    const auto job = choose(now);
    if (!job || is_put_off(*job, now)) return Done{};
    QUARRY_PASS_ON(jobs_.put(*job));
    return begin_work(now);
}

Outcome<Done> Prover::take_result(std::uint64_t now) {
    auto taken = runner_->take();
    if (!taken) return Done{};
    Job job = jobs_.jobs().at(std::exchange(running_, {}));
    if (is_over(job.state)) {
        jobs_.prune(options_.keep_jobs, running_);
        return Done{};
    }
    if (*taken) {
        const ProofResult& result = taken->value();
        job.cpu_ms += result.report.cpu_ms;
        job.state = JobState::proven;
        job.proven_at = now;
        counters_.cpu_ms += result.report.cpu_ms;
        counters_.executed_tasks += result.report.executed;
        counters_.reused_tasks += result.report.reused;
        counters_.proven_batches += job.batches.size();
        trouble_[job.id].times = 0;
        trouble_[job.id].said.clear();
        if (result.units > 0 && result.report.cpu_ms > 0) {
            ms_per_unit_ += 0.3 * (static_cast<double>(result.report.cpu_ms) / result.units - ms_per_unit_);
        }
        say(Level::info, "job_proven", "the terminal proof is made",
            {{"job", job.id},
             {"tasks", std::to_string(result.report.executed)},
             {"reused", std::to_string(result.report.reused)},
             {"cpu_ms", std::to_string(result.report.cpu_ms)}});
        return jobs_.put(job);
    }
    const Problem& why = taken->error();
    if (why.name == "stopped") return Done{};
    if (why.kind == Problem::Kind::refused) return end(job, JobState::failed, why.name, why.cause);
    // The machine's trouble ends no job. What cannot be read on its disk is made again.
    std::error_code ignored;
    const bool is_damaged = why.kind == Problem::Kind::bad_input || why.name == "damaged_work";
    if (is_damaged) fs::remove_all(jobs_.work_path(job.id), ignored);
    put_off(job, now, why);
    return Done{};
}

Prover::Standing Prover::standing_of(const Job& job) const {
    Standing s;
    std::vector<Candidate> names;
    bool all_there = true;
    for (const JobBatch& b : job.batches) {
        const auto on_l1 = view_.batch(b.rollup, b.number);
        all_there = all_there && on_l1 && on_l1->hash == b.hash && rollups_.contains(b.rollup);
        Candidate c;
        c.rollup = b.rollup;
        c.number = b.number;
        names.push_back(c);
    }
    // Submitted again with the same data, the batches are the same work.
    const auto same = all_there ? job_of(names, 0) : std::nullopt;
    const bool is_same = same && same->id == job.id;
    for (const JobBatch& b : job.batches) {
        const auto on_l1 = view_.batch(b.rollup, b.number);
        if (!on_l1 || on_l1->hash != b.hash || (on_l1->submission != b.submission && !is_same)) {
            ++s.gone;
        } else if (on_l1->phase == BatchPhase::pending) {
            ++s.open;
        } else {
            ++(on_l1->payee == options_.payee ? s.mine : s.others);
        }
    }
    return s;
}

Price Prover::price_now(const Job& job) const {
    std::vector<Candidate> batches;
    const L1Head head = view_.head();
    for (const JobBatch& b : job.batches) {
        const auto on_l1 = view_.batch(b.rollup, b.number);
        const Replica* replica = this->replica(b.rollup);
        if (!on_l1 || replica == nullptr) continue;
        const auto entry = replica->entries().find(b.number);
        Candidate c = make_candidate(*on_l1, entry == replica->entries().end() ? 0 : entry->second.effect_words, head);
        if (on_l1->phase != BatchPhase::pending || on_l1->hash != b.hash) c.earns = 0;
        batches.push_back(c);
    }
    Price price = price_of(batches, price_context());
    // What was proven is paid for: all that is surely still to be done is the end of it.
    price.own_cost = job.state == JobState::proving ? proving_units({}) * price_context().wei_per_unit : Wei{0};
    return price;
}

Outcome<Done> Prover::end(Job& job, JobState state, const std::string& code, const std::string& reason) {
    job.state = state;
    job.code = code;
    job.reason = reason;
    if (running_ == job.id && runner_->is_busy()) runner_->stop();
    if (state == JobState::lost) ++counters_.lost_jobs;
    if (state == JobState::dropped) ++counters_.dropped_jobs;
    if (state == JobState::failed) ++counters_.failed_jobs;
    if (state == JobState::settled) {
        ++counters_.settled_jobs;
        counters_.settled_batches += standing_of(job).mine;
    }
    say(state == JobState::failed ? Level::error : Level::info, fmt::format("job_{}", job_state_name(state)), reason,
        {{"job", job.id}, {"batches", batches_text(job)}, {"code", code}});
    QUARRY_PASS_ON(jobs_.put(job));
    trouble_.erase(job.id);
    jobs_.prune(options_.keep_jobs, running_);
    return Done{};
}

Outcome<Done> Prover::check_jobs(std::uint64_t now) {
    std::vector<Job> open;
    for (const auto& [id, job] : jobs_.jobs()) {
        if (!is_over(job.state)) open.push_back(job);
    }
    for (const Job& job : open) QUARRY_PASS_ON(check_job(job, now));
    return Done{};
}

Outcome<Done> Prover::check_job(Job job, std::uint64_t now) {
    const Standing standing = standing_of(job);
    if (job.state == JobState::proven && view_.submission(intent_of(job)).phase != SubmissionPhase::unknown) {
        job.state = JobState::submitted;  // the process ended before the record said so
        QUARRY_PASS_ON(jobs_.put(job));
    }
    if (job.state == JobState::submitted) return check_submission(job, standing, now);
    if (standing.open == 0) return end_of_closed(job, standing);
    const bool fewer = standing.open < job.batches.size();
    if (job.state == JobState::proving) {
        if (!fewer || price_now(job).is_worth_it(options_.margin_percent)) return Done{};
        const bool others = standing.others > 0;
        return end(job, others ? JobState::lost : JobState::dropped, "not_worth_it",
                   "what is left of its batches earns less than it costs");
    }
    return hand_in(job, now);
}

bool Prover::is_deep(const Job& job) const {
    const std::uint64_t head = view_.head().block;
    return std::ranges::all_of(job.batches, [&](const JobBatch& b) {
        const auto on_l1 = view_.batch(b.rollup, b.number);
        return !on_l1 || on_l1->block + options_.confirmations <= head + 1;
    });
}

Outcome<Done> Prover::end_of_closed(Job& job, const Standing& standing) {
    if (standing.mine > 0) return end(job, JobState::settled, "", "L1 has a proof for the same payee");
    if (standing.others > 0) return end(job, JobState::lost, "proven_by_others", "others were first");
    return end(job, JobState::dropped, "gone", "L1 has its batches no more");
}

Outcome<Done> Prover::take_refusal(Job& job, const SubmissionStatus& status, std::uint64_t now) {
    Trouble& trouble = trouble_[job.id];
    // A proof that was good when it was made may have been damaged on disk since: it is made again, once.
    const bool is_damaged = is_verdict(status.code) && !std::exchange(trouble.was_rejected, true);
    const bool is_hopeless = is_of_the_proof(status.code) || (is_verdict(status.code) && !is_damaged);
    if (is_hopeless || ++trouble.refusals >= options_.max_refusals) {
        return end(job, JobState::failed, status.code, status.reason);
    }
    if (is_damaged) QUARRY_PASS_ON(forget_proof(jobs_.work_path(job.id), job.id));
    put_off(job, now,
            {Problem::Kind::refused, "proof_refused", fmt::format("{}: {}", status.code, status.reason),
             "it is handed in again"});
    ++job.submissions;
    job.state = is_damaged ? JobState::proving : JobState::proven;
    return jobs_.put(job);
}

Outcome<Done> Prover::check_submission(Job& job, const Standing& standing, std::uint64_t now) {
    const SubmissionStatus status = view_.submission(intent_of(job));
    job.transaction = status.transaction;
    job.fee = status.fee;
    if (is_final(status.phase)) counters_.fees += status.fee;  // from here on the intent is not looked at again
    switch (status.phase) {
        case SubmissionPhase::sending: {
            // Others were first: it would cost its gas and earn nothing.
            const bool is_lost = standing.open == 0 && standing.mine == 0;
            // It may cost what it earned when it was handed in; under a new name what it earns now, if that is an
            // eighth more.
            const bool may_cost_more = status.above_max_fee && job.max_fee != 0 && standing.open > 0 &&
                                       price_now(job).earns >= job.max_fee + job.max_fee / 8;
            // If it cannot be taken back now, the next round tries again.
            if (is_lost || may_cost_more) (void)view_.cancel(intent_of(job));
            return Done{};
        }
        case SubmissionPhase::cancelled:
            if (standing.open == 0) break;
            ++job.submissions;
            job.state = JobState::proven;
            return jobs_.put(job);
        case SubmissionPhase::accepted:
            if (standing.open == 0) return end(job, JobState::settled, "", "L1 accepted the proof");
            return end(job, JobState::settled, std::string(kSkipped),
                       "L1 accepted the proof, but not for all of its batches");
        case SubmissionPhase::refused:
            if (standing.open == 0) break;
            return take_refusal(job, status, now);
        case SubmissionPhase::unknown:
            break;
    }
    if (standing.open == 0) return end_of_closed(job, standing);
    return hand_in(job, now);
}

Outcome<ProofToSubmit> Prover::to_submit(const Job& job, TerminalProofFile proof) const {
    ProofToSubmit p;
    p.id = intent_of(job);
    p.key = job.key;
    p.proof = std::move(proof);
    for (const JobBatch& b : job.batches) {
        const Replica* replica = this->replica(b.rollup);
        if (replica == nullptr) return not_followed(b);
        auto files = replica->read_batch(b.number);
        if (!files) return files.error();
        ProofToSubmit::Item item;
        if (b.number > 1) {
            const auto parent = view_.batch(b.rollup, b.number - 1);
            if (!parent || parent->hash != files.value().header.parent_hash) return not_followed(b);
            item.parent = parent->header;
        }
        item.data = std::move(files.value().data);
        for (const rollup::Effect& effect : files.value().effects) rollup::encode(effect, item.effects);
        p.items.push_back(std::move(item));
    }
    return p;
}

Outcome<Done> Prover::hand_in(Job& job, std::uint64_t now) {
    if (is_put_off(job, now) || !is_deep(job)) return Done{};
    const Price price = price_now(job);
    if (!price.is_worth_it(std::min(options_.margin_percent, 0))) {
        if (holding_ != job.id) {
            say(Level::warning, "gas_too_expensive",
                "the proof is made, and waits until it earns more than its gas costs",
                {{"job", job.id}, {"earns", to_decimal(price.earns)}, {"gas_cost", to_decimal(price.gas_cost)}});
        }
        holding_ = job.id;
        return Done{};
    }
    auto proof = find_proof(jobs_.work_path(job.id), job.id);
    if (!proof) {
        say(Level::warning, "proof_missing", "the finished proof is not on disk any more: it is made again",
            {{"job", job.id}});
        job.state = JobState::proving;
        return jobs_.put(job);
    }
    auto submission = to_submit(job, std::move(*proof));
    if (!submission) {  // L1 and the own state differ until the next rounds, or a file is damaged
        put_off(job, now, submission.error());
        return Done{};
    }
    job.max_fee = options_.margin_percent > -100 ? price.earns : Wei{0};
    submission.value().max_fee = job.max_fee;
    // The record first, with the name and what it may cost: whoever finds the intent under it knows whose it is.
    job.state = JobState::proven;
    QUARRY_PASS_ON(jobs_.put(job));
    const auto submitted = view_.submit(submission.value());
    if (!submitted && submitted.error().kind == Problem::Kind::refused) {
        SubmissionStatus status;
        status.code = submitted.error().name;
        status.reason = submitted.error().cause;
        return take_refusal(job, status, now);
    }
    if (!submitted) {
        put_off(job, now, submitted.error());
        return Done{};
    }
    job.state = JobState::submitted;
    QUARRY_PASS_ON(jobs_.put(job));
    trouble_[job.id].said.clear();
    ++counters_.submissions;
    say(Level::info, "job_submitted", "the proof was handed in",
        {{"job", job.id}, {"batches", batches_text(job)}, {"earns", to_decimal(price.earns)}});
    return Done{};
}

}  // namespace quarry::node::prover
