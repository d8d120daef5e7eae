#include "quarry/node/prover/replica.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/batch_prover.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::node::prover {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 4096;

std::string state_path(const std::string& folder) { return (fs::path(folder) / "state").string(); }
/// Where it is made.
std::string part_path(const std::string& folder) { return state_path(folder) + ".part"; }
std::string batches_path(const std::string& folder) { return (fs::path(folder) / "batches").string(); }

Problem to_problem(const StorageError& error) {
    return {Problem::Kind::environment, storage_code_name(error.code), error.message,
            "the state can be made from L1 again: delete its folder if nothing else helps"};
}

Problem snapshot_refused(const std::string& why) {
    return {Problem::Kind::refused, "snapshot_not_final", "the snapshot is refused: " + why,
            "ask again, since the last final batch may have changed meanwhile; or ask somebody else"};
}

}  // namespace

std::vector<std::uint8_t> encode(const ExecutedEntries& entries) {
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    for (const auto& [number, entry] : entries) {
        w.integer(number);
        w.bytes(entry.hash);
        w.integer(entry.submission);
        w.integer(entry.effect_words);
    }
    return bytes;
}

std::optional<ExecutedEntries> parse_executed_entries(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    ExecutedEntries entries;
    while (r.left() > 0 && entries.size() <= kMaxEntries) {
        const auto number = r.integer<std::uint64_t>();
        ExecutedEntry entry;
        entry.hash = r.bytes<32>();
        entry.submission = r.integer<std::uint64_t>();
        entry.effect_words = r.integer<std::uint32_t>();
        // Zero follows no number, the greatest one neither.
        const bool follows = entries.empty() || (number != 0 && number - 1 == entries.rbegin()->first);
        if (!r.verdict() || !follows) return std::nullopt;
        entries.emplace(number, entry);
    }
    if (r.left() > 0) return std::nullopt;
    return entries;
}

bool Replica::exists(const std::string& folder) {
    std::error_code error;
    return fs::exists(state_path(folder), error) && !fs::is_empty(state_path(folder), error);
}

Outcome<std::unique_ptr<Replica>> Replica::take_over(std::unique_ptr<DurableStore> store, const std::string& folder,
                                                     const RollupOnL1& rollup) {
    if (store->parameters() != rollup.parameters) {
        return Problem{Problem::Kind::bad_input, "wrong_rollup", folder + " holds another rollup's state",
                       "choose another data folder, one for each hub"};
    }
    auto archive = BatchFolder::create(batches_path(folder), rollup.parameters);
    if (!archive) return archive.error();
    std::unique_ptr<Replica> replica(new Replica(std::move(store), std::move(archive).value()));
    auto entries = parse_executed_entries(replica->store_->note());
    if (!entries) {
        return Problem{Problem::Kind::bad_input, "damaged_note", folder + ": what was executed is not readable",
                       "delete the folder: it is made from L1 again"};
    }
    replica->entries_ = std::move(*entries);
    return replica;
}

Outcome<std::unique_ptr<Replica>> Replica::make(const std::string& folder, const RollupOnL1& rollup,
                                                const MakeStore& make_store) {
    std::error_code error;
    fs::create_directories(folder, error);
    fs::remove_all(part_path(folder), error);
    const auto made = make_store(part_path(folder));
    if (!made) return to_problem(made.error());
    QUARRY_PASS_ON(rename_path(part_path(folder), state_path(folder)));
    QUARRY_PASS_ON(sync_paths(std::span(&folder, 1)));
    return open(folder, rollup);
}

Outcome<std::unique_ptr<Replica>> Replica::open(const std::string& folder, const RollupOnL1& rollup) {
    if (!exists(folder)) {
        return make(folder, rollup, [&](const std::string& path) -> Stored<Done> {
            const auto store = DurableStore::create(path, rollup.parameters, {}, {});
            if (!store) return store.error();
            return Done{};
        });
    }
    auto store = DurableStore::open(state_path(folder));
    if (!store) return to_problem(store.error());
    return take_over(std::move(store).value(), folder, rollup);
}

Outcome<std::unique_ptr<Replica>> Replica::open_with_snapshot(const std::string& folder, const RollupOnL1& rollup,
                                                              const L1View& view, std::span<const std::uint8_t> bytes) {
    if (exists(folder)) return open(folder, rollup);
    auto snapshot = rollup::parse_snapshot(bytes);
    if (!snapshot) return snapshot_refused(rollup::reject_text(snapshot.code()));
    const rollup::Snapshot& s = snapshot.value();
    if (s.batch_number < rollup.irreversible || s.batch_number > rollup.finalised) {
        return snapshot_refused(
            fmt::format("it is of batch {}, the last final one is {}", s.batch_number, rollup.finalised));
    }
    const auto last = view.batch(rollup.parameters.rollup_id, s.batch_number);
    if (!last || last->phase != BatchPhase::finalised || s.state != last->header.post_state()) {
        return snapshot_refused("it is not the state that L1 has as final");
    }
    return make(folder, rollup, [&](const std::string& path) -> Stored<Done> {
        const auto store = DurableStore::create_from_snapshot(path, rollup.parameters, std::move(snapshot).value());
        if (!store) return store.error();
        return Done{};
    });
}

bool Replica::is_on(const L1View& view, std::uint64_t number) const {
    const auto it = entries_.find(number);
    const auto batch = view.batch(parameters().rollup_id, number);
    return it != entries_.end() && batch && batch->hash == it->second.hash &&
           batch->submission == it->second.submission;
}

bool Replica::has(const BatchOnL1& batch) const {
    const auto it = entries_.find(batch.header.number);
    return it != entries_.end() && it->second.hash == batch.hash && it->second.submission == batch.submission;
}

Outcome<Done> Replica::stored(const rollup::Verdict& verdict) const {
    if (verdict) return Done{};
    if (store_->last_error()) return to_problem(*store_->last_error());
    return Problem{Problem::Kind::environment, rollup::reject_name(verdict.code()), rollup::reject_text(verdict.code()),
                   "delete the folder: it is made from L1 again"};
}

bool Replica::has_base(const L1View& view) const {
    const std::uint64_t number = store_->finalised_number();
    if (number == 0 || store_->batch_number() > number || is_on(view, number)) return true;
    const auto batch = view.batch(parameters().rollup_id, number);
    return !entries_.contains(number) && batch && batch->header.post_state() == store_->state();
}

Outcome<Done> Replica::roll_back(const L1View& view, FollowReport& report) {
    std::uint64_t number = store_->batch_number();
    while (number > store_->finalised_number() && !is_on(view, number)) --number;
    if (number < store_->batch_number()) {
        const std::scoped_lock lock(mutex_);
        report.rolled_back = store_->batch_number() - number;
        QUARRY_PASS_ON(stored(store_->rollback(number)));
        entries_.erase(entries_.upper_bound(number), entries_.end());
        invalid_.reset();
    }
    if (has_base(view)) return Done{};
    return Problem{Problem::Kind::environment, "final_batch_changed",
                   fmt::format("L1 has another batch {} than the one that the state is built on", number),
                   "check that the endpoint is of the right chain; if it is, delete the rollup's folder"};
}

void Replica::mark_invalid(const BatchOnL1& batch, const Problem& why, FollowReport& report) {
    invalid_ = InvalidBatch{batch.header.number, batch.submission, batch.hash, why.name, why.cause};
    report.invalid.push_back(batch.header.number);
}

Outcome<Done> Replica::commit(const rollup::ExecutedBatch& executed, const BatchOnL1& batch) {
    const std::scoped_lock lock(mutex_);
    const BatchFiles files = make_batch_files(executed);
    QUARRY_PASS_ON(archive_.write(files));
    std::uint32_t effect_words = 0;
    for (const rollup::Effect& effect : files.effects) {
        effect_words += static_cast<std::uint32_t>(rollup::effect_word_count(rollup::effect_kind(effect)));
    }
    ExecutedEntries entries = entries_;
    entries.erase(entries.begin(), entries.lower_bound(store_->finalised_number()));
    entries.insert_or_assign(batch.header.number, ExecutedEntry{batch.hash, batch.submission, effect_words});
    store_->set_note(encode(entries));
    QUARRY_PASS_ON(stored(store_->commit(executed.commit, executed.update)));
    entries_ = std::move(entries);
    return Done{};
}

Outcome<bool> Replica::execute_next(L1View& view, const RollupOnL1& rollup, const BatchOnL1& batch,
                                    FollowReport& report) {
    auto data = view.fetch_data(batch);
    if (!data && data.error().kind != Problem::Kind::refused && batch.phase == BatchPhase::finalised) {
        // The blobs of old batches are gone: what was executed once is here still, and a final batch's state is
        // checked.
        auto kept = archive_.read(batch.header.number);
        if (kept && kept.value().header == batch.header) data = std::move(kept.value().data);
    }
    if (!data && data.error().kind != Problem::Kind::refused) {
        report.waits = data.error();
        return false;
    }
    if (!data) {
        mark_invalid(batch, data.error(), report);
        return false;
    }
    const auto& queues = view.queues(rollup.parameters.rollup_id);
    const auto executed = execute_batch(parameters(), *store_, queues, batch.header, data.value());
    if (!executed) {
        mark_invalid(batch, executed.error(), report);
        return false;
    }
    QUARRY_PASS_ON(commit(executed.value(), batch));
    ++report.executed;
    return true;
}

Outcome<FollowReport> Replica::follow(L1View& view, const RollupOnL1& rollup, std::size_t limit) {
    FollowReport report;
    QUARRY_PASS_ON(roll_back(view, report));
    while (report.executed < limit && store_->batch_number() < rollup.head) {
        const auto batch = view.batch(rollup.parameters.rollup_id, store_->batch_number() + 1);
        if (!batch) break;
        const bool known = invalid_ && invalid_->hash == batch->hash && invalid_->submission == batch->submission;
        if (known) break;
        invalid_.reset();
        const auto more = execute_next(view, rollup, *batch, report);
        if (!more) return more.error();
        if (!more.value()) break;
    }
    const std::scoped_lock lock(mutex_);
    QUARRY_PASS_ON(stored(store_->finalise(std::min(rollup.irreversible, store_->batch_number()))));
    return report;
}

Outcome<std::shared_ptr<rollup::MemoryStore>> Replica::before_batch(std::uint64_t number) const {
    auto state = store_->before_batch(number);
    if (state) return std::make_shared<rollup::MemoryStore>(std::move(state).value());
    return Problem{Problem::Kind::bad_input, rollup::reject_name(state.code()), rollup::reject_text(state.code()),
                   "the batch is final: nothing is left to prove"};
}

std::uint64_t Replica::snapshot_number() const {
    const std::scoped_lock lock(mutex_);
    return store_->finalised_number();
}

Outcome<Replica::Snapshot> Replica::snapshot() const {
    std::unique_lock reading(mutex_);
    Snapshot snapshot{store_->finalised_number(), {}};
    const auto state = store_->before_batch(snapshot.number + 1);
    reading.unlock();
    if (!state) {
        return Problem{Problem::Kind::environment, rollup::reject_name(state.code()), rollup::reject_text(state.code()),
                       "ask again"};
    }
    const auto exported =
        rollup::export_snapshot(state.value(), snapshot.number, [&](std::span<const std::uint8_t> part) {
            snapshot.bytes.insert(snapshot.bytes.end(), part.begin(), part.end());
        });
    QUARRY_PASS_ON(stored(exported));
    return snapshot;
}

}  // namespace quarry::node::prover
