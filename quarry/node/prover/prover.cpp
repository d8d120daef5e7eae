#include "quarry/node/prover/prover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <filesystem>
#include <functional>

#include "quarry/node/file_io.hpp"

namespace quarry::node::prover {
namespace {

namespace fs = std::filesystem;
using Level = ProverEvent::Level;

constexpr std::uint64_t kReopenSeconds = 10;
constexpr std::uint64_t kSnapshotSeconds = 300;
/// In memory, of all rollups, those included that are being sent to somebody slow.
constexpr std::size_t kMaxSnapshots = 2;

std::string rollup_folder(const ProverOptions& options, std::uint32_t rollup) {
    return (fs::path(options.folder) / "rollups" / std::to_string(rollup)).string();
}

Problem unknown_rollup(std::uint32_t rollup) {
    return {Problem::Kind::bad_input, "unknown_rollup", fmt::format("rollup {} is not followed here", rollup),
            "ask for one that the status lists"};
}

}  // namespace

Outcome<std::unique_ptr<Prover>> Prover::open(ProverOptions options, L1View& view,
                                              std::unique_ptr<ProofRunner> runner) {
    if (options.payee.is_zero()) {
        return Problem{Problem::Kind::bad_input, "missing_payee", "nobody is to be paid",
                       "give the address that is to be paid"};
    }
    options.max_batches = std::clamp<std::size_t>(options.max_batches, 1, 16);
    std::error_code error;
    fs::create_directories(options.folder, error);
    if (error) return cannot_write(options.folder, error.value());
    auto jobs = JobStore::open((fs::path(options.folder) / "jobs").string());
    if (!jobs) return jobs.error();
    std::unique_ptr<Prover> prover(new Prover(std::move(options), view, std::move(runner), std::move(jobs).value()));
    for (const std::string& path : prover->jobs_.damaged()) {
        prover->say(Level::warning, "damaged_job", "the record of a job cannot be read and is left alone",
                    {{"path", path}});
    }
    prover->publish();
    return prover;
}

Outcome<Done> Prover::step(std::uint64_t now) {
    const auto refreshed = view_.refresh();
    const bool was_connected = std::exchange(connected_, refreshed.ok());
    if (!refreshed) {
        ++counters_.l1_errors;
        if (was_connected || counters_.l1_errors == 1) {
            say(Level::warning, refreshed.error().name, refreshed.error().cause);
        }
    } else {
        if (!was_connected) say(Level::info, "l1_connected", "an L1 endpoint answers");
        follow(now);
    }
    if (connected_) look_at_sender();
    QUARRY_PASS_ON(take_result(now));
    if (connected_) {
        QUARRY_PASS_ON(check_jobs(now));
        if (!stopping_) QUARRY_PASS_ON(begin_work(now));
    }
    if (const std::unique_lock lock(snapshots_mutex_, std::try_to_lock); lock && now >= drop_snapshots_at_) {
        drop_unused_snapshots();
        drop_snapshots_at_ = now + kSnapshotSeconds;
    }
    publish();
    return Done{};
}

void Prover::look_at_sender() {
    const auto trouble = view_.sender_trouble();
    if (trouble && trouble->name != sender_code_) {
        say(Level::warning, "sender_trouble", "transactions are not looked after: " + trouble->cause,
            {{"code", trouble->name}});
    }
    sender_code_ = trouble ? trouble->name : std::string();
}

void Prover::stop() {
    stopping_ = true;
    if (runner_->is_busy()) runner_->stop();
    publish();
}

Wei Prover::open_bounty(const RollupOnL1& rollup) const {
    Wei sum = 0;
    const std::uint64_t last = std::min<std::uint64_t>(rollup.head, rollup.finalised + options_.max_batches);
    for (std::uint64_t n = rollup.finalised + 1; n <= last; ++n) {
        const auto batch = view_.batch(rollup.parameters.rollup_id, n);
        if (!batch || invalid_.contains({batch->submission, batch->hash})) break;
        if (batch->phase == BatchPhase::pending && may_prove(*batch)) sum += batch->max + batch->raised;
    }
    return sum;
}

std::vector<RollupOnL1> Prover::rollups_to_follow() const {
    std::vector<RollupOnL1> all = view_.rollups();
    const auto id_of = [](const RollupOnL1& rollup) { return rollup.parameters.rollup_id; };
    if (!options_.rollups.empty()) {
        std::erase_if(all, [&](const RollupOnL1& rollup) { return !options_.rollups.contains(id_of(rollup)); });
        return all;
    }
    std::set<std::uint32_t> at_work;
    for (const auto& [name, job] : jobs_.jobs()) {
        for (const JobBatch& b : job.batches) {
            if (!is_over(job.state)) at_work.insert(b.rollup);
        }
    }
    /// What decides of a place, the first that differs.
    struct Claim {
        bool is_at_work;
        Wei open;
        bool is_followed;
        bool is_known;  ///< its state is on disk
        auto operator<=>(const Claim&) const = default;
    };
    std::vector<std::pair<Claim, RollupOnL1>> claims;
    for (RollupOnL1& rollup : all) {
        const std::uint32_t id = id_of(rollup);
        const Claim claim{at_work.contains(id), open_bounty(rollup), rollups_.contains(id),
                          Replica::exists(rollup_folder(options_, id))};
        if (claim != Claim{}) claims.emplace_back(claim, std::move(rollup));
    }
    const auto rank = [](const auto& c) { return std::pair(c.first, ~c.second.parameters.rollup_id); };
    std::ranges::sort(claims, std::greater<>(), rank);  // of equal claims the older rollup's first
    claims.resize(std::min(claims.size(), options_.max_rollups));
    all.clear();
    for (auto& [claim, rollup] : claims) all.push_back(std::move(rollup));
    return all;
}

void Prover::follow(std::uint64_t now) {
    const std::vector<RollupOnL1> chosen = rollups_to_follow();
    {
        const std::scoped_lock lock(states_mutex_);
        std::map<std::uint32_t, Followed> kept;
        for (const RollupOnL1& rollup : chosen) {
            auto& followed = kept[rollup.parameters.rollup_id];
            const auto before = rollups_.find(rollup.parameters.rollup_id);
            if (before != rollups_.end()) followed = std::move(before->second);
            followed.on_l1 = rollup;
        }
        rollups_ = std::move(kept);
    }
    for (auto& [id, followed] : rollups_) follow_one(followed, now);
}

Outcome<std::unique_ptr<Replica>> Prover::open_replica(const RollupOnL1& rollup) {
    const std::uint32_t id = rollup.parameters.rollup_id;
    const std::string folder = rollup_folder(options_, id);
    if (!options_.fetch_snapshot || Replica::exists(folder) || rollup.finalised == 0) {
        return Replica::open(folder, rollup);
    }
    const auto bytes = options_.fetch_snapshot(id);
    if (!bytes) return bytes.error();
    return Replica::open_with_snapshot(folder, rollup, view_, bytes.value());
}

void Prover::follow_one(Followed& followed, std::uint64_t now) {
    const std::string name = std::to_string(followed.on_l1.parameters.rollup_id);
    if (followed.replica == nullptr) {
        if (now < followed.retry_at) return;
        auto opened = open_replica(followed.on_l1);
        if (!opened) {
            followed.retry_at = now + kReopenSeconds;
            followed.waits = opened.error();
            say(Level::error, opened.error().name, opened.error().cause, {{"rollup", name}});
            return;
        }
        followed.waits.reset();
        {
            const std::scoped_lock lock(states_mutex_);
            followed.replica = std::move(opened).value();
        }
        say(Level::info, "rollup_followed", "a rollup's state is followed from here on",
            {{"rollup", name}, {"batch", std::to_string(followed.replica->batch_number())}});
    }
    const auto report = followed.replica->follow(view_, followed.on_l1, options_.batches_per_step);
    if (!report) {
        // What is on disk is uncertain now: it is opened again, or made again, before anything builds on it.
        const std::scoped_lock lock(states_mutex_);
        followed.replica.reset();
        followed.retry_at = now + kReopenSeconds;
        followed.waits = report.error();
        say(Level::error, report.error().name, report.error().cause, {{"rollup", name}});
        return;
    }
    const FollowReport& r = report.value();
    counters_.executed_batches += r.executed;
    counters_.rolled_back_batches += r.rolled_back;
    followed.is_catching_up =
        r.executed == options_.batches_per_step && followed.replica->batch_number() < followed.on_l1.head;
    if (r.rolled_back > 0) {
        say(Level::warning, "batches_rolled_back", "L1 has other batches now than those that were executed",
            {{"rollup", name}, {"batches", std::to_string(r.rolled_back)}});
    }
    if (r.executed > 0) {
        say(Level::info, "batches_executed", "batches were executed from L1 data",
            {{"rollup", name},
             {"batches", std::to_string(r.executed)},
             {"last", std::to_string(followed.replica->batch_number())}});
    }
    if (!r.invalid.empty()) report_invalid(followed);
    const bool is_new = r.waits && (!followed.waits || followed.waits->name != r.waits->name);
    if (is_new) say(Level::warning, r.waits->name, r.waits->cause, {{"rollup", name}});
    followed.waits = r.waits;
}

void Prover::report_invalid(const Followed& followed) {
    ++counters_.invalid_batches;
    const InvalidBatch& invalid = *followed.replica->invalid();
    invalid_.emplace(invalid.submission, invalid.hash);
    const auto batch = view_.batch(followed.on_l1.parameters.rollup_id, invalid.number);
    const bool is_final = batch && batch->phase != BatchPhase::pending;
    say(is_final ? Level::error : Level::warning, "invalid_batch",
        is_final ? "a batch that L1 has a proof of cannot be executed here" : invalid.reason,
        {{"rollup", std::to_string(followed.on_l1.parameters.rollup_id)},
         {"batch", std::to_string(invalid.number)},
         {"code", invalid.code},
         {"reason", invalid.reason}});
}

void Prover::say(Level level, const std::string& event, const std::string& text,
                 std::vector<std::pair<std::string, std::string>> fields) const {
    if (options_.on_event) options_.on_event({level, event, text, std::move(fields)});
}

void Prover::publish() {
    ProverStatus s;
    const L1Head head = view_.head();
    s.connected = connected_;
    s.stopping = stopping_;
    s.l1_block = head.block;
    s.gas_price = head.base_fee + head.priority_fee;
    for (const auto& [id, followed] : rollups_) {
        RollupStatus r{id, followed.on_l1.head, followed.on_l1.finalised, 0, 0, {}, {}};
        if (followed.waits) {
            r.code = followed.waits->name;
            r.reason = followed.waits->cause;
        }
        if (followed.replica != nullptr) {
            r.executed = followed.replica->batch_number();
            if (const auto& invalid = followed.replica->invalid()) {
                r.invalid = invalid->number;
                r.code = invalid->code;
                r.reason = invalid->reason;
            }
        }
        s.rollups.push_back(std::move(r));
    }
    for (const auto& [id, job] : jobs_.jobs()) ++s.jobs[job_state_name(job.state)];
    s.job = running_;
    s.sender_code = sender_code_;
    s.skipped_code = skipped_code_;
    s.skipped_reason = skipped_reason_;
    s.ms_per_unit = ms_per_unit_;
    s.counters = counters_;
    const std::scoped_lock lock(status_mutex_);
    status_ = std::move(s);
}

ProverStatus Prover::status() const {
    const std::scoped_lock lock(status_mutex_);
    return status_;
}

const Replica* Prover::replica(std::uint32_t rollup) const {
    const auto it = rollups_.find(rollup);
    return it == rollups_.end() ? nullptr : it->second.replica.get();
}

std::shared_ptr<const Replica> Prover::shared_replica(std::uint32_t rollup) const {
    const std::scoped_lock lock(states_mutex_);
    const auto it = rollups_.find(rollup);
    return it == rollups_.end() ? nullptr : it->second.replica;
}

Outcome<Prover::SnapshotBytes> Prover::snapshot(std::uint32_t rollup) const {
    const auto found = shared_replica(rollup);
    if (found == nullptr) return unknown_rollup(rollup);
    const Problem busy{Problem::Kind::environment, "busy", "other snapshots are being made or served",
                       "ask again in a few minutes"};
    const std::unique_lock lock(snapshots_mutex_, std::try_to_lock);
    if (!lock) return busy;
    for (const KeptSnapshot& kept : snapshots_) {
        if (kept.rollup == rollup && kept.number == found->snapshot_number()) return kept.bytes;
    }
    drop_unused_snapshots();
    if (snapshots_.size() >= kMaxSnapshots) return busy;
    auto made = found->snapshot();
    if (!made) return made.error();
    auto bytes = std::make_shared<const std::vector<std::uint8_t>>(std::move(made.value().bytes));
    snapshots_.push_back({rollup, made.value().number, bytes});
    return bytes;
}

void Prover::drop_unused_snapshots() const {
    std::erase_if(snapshots_, [](const KeptSnapshot& kept) { return kept.bytes.use_count() == 1; });
}

Outcome<BatchFiles> Prover::batch(std::uint32_t rollup, std::uint64_t number) const {
    const auto found = shared_replica(rollup);
    if (found == nullptr) return unknown_rollup(rollup);
    return found->read_batch(number);
}

}  // namespace quarry::node::prover
