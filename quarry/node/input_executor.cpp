#include "quarry/node/input_executor.hpp"

#include <fmt/format.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/batch_files.hpp"
#include "quarry/node/development_keys.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/input_file.hpp"
#include "quarry/node/operation_json.hpp"
#include "quarry/node/signing.hpp"

namespace quarry::node {
namespace {

using rollup::RejectCode;
using rollup::Verdict;

Problem storage_problem(const DurableStore& store, RejectCode code) {
    if (store.last_error()) {
        const StorageError& error = *store.last_error();
        return {Problem::Kind::environment, storage_code_name(error.code), error.message, "then run the command again"};
    }
    return {Problem::Kind::refused, rollup::reject_name(code),
            fmt::format("the state refuses the batch: {}", rollup::reject_text(code)), "report it as a bug"};
}

/// Lines whose form and signatures have been checked.
struct Prepared {
    LineBlock block;
    std::vector<Parsed<InputLine>> lines;
    std::vector<bool> signature_ok;  ///< of each line
};

std::unique_ptr<Prepared> prepare(LineBlock block, const Digest& domain) {
    auto p = std::make_unique<Prepared>();
    p->block = std::move(block);
    p->lines.reserve(p->block.lines.size());
    std::vector<SignedTransaction> txs;
    std::vector<std::size_t> positions;
    for (const LineBlock::Line& line : p->block.lines) {
        p->lines.push_back(parse_input_line(line.text));
        if (!p->lines.back()) continue;
        if (const auto* tx = std::get_if<SignedTransaction>(&p->lines.back().value())) {
            positions.push_back(p->lines.size() - 1);
            txs.push_back(*tx);
        }
    }
    p->signature_ok.resize(p->lines.size());
    // No other block may start in the middle of this one: its thread would be needed to go on.
    const std::vector<bool> verdicts = tbb::this_task_arena::isolate([&] { return verify_signatures(domain, txs); });
    for (std::size_t i = 0; i < positions.size(); ++i) p->signature_ok[positions[i]] = verdicts[i];
    return p;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

/// The next batch may take what this one has no room for.
bool is_full(RejectCode code) {
    return code == RejectCode::batch_full || code == RejectCode::effects_full || code == RejectCode::fee_ledger_full ||
           code == RejectCode::fee_overflow;
}

/// Such an operation makes the fee slot another owner's. The batch has one fee receiver, so it goes alone.
bool changes_fee_owner(const InputLine& line) {
    if (const auto* tx = std::get_if<SignedTransaction>(&line)) {
        const auto* op = std::get_if<rollup::ChangeKey>(&tx->tx.op);
        return op != nullptr && op->auth.slot == kDevelopmentFeeSlot;
    }
    const auto* entry = std::get_if<rollup::SetKeyEntry>(&std::get<QueueEntry>(line));
    return entry != nullptr && entry->slot == kDevelopmentFeeSlot;
}

/// A batch that takes operations, and the queue entries it has been given.
struct OpenBatch {
    OpenBatch(const DurableStore& store, rollup::BatchPlan plan)
        : queues(store.state().deposit_cursor, store.state().forced_cursor),
          builder(store.parameters(), std::move(plan), store, queues) {}
    QueueWindow queues;
    rollup::BatchBuilder builder;
};

/// The serial half: applies prepared lines in order and closes batches.
class LineExecutor {
  public:
    LineExecutor(DurableStore& store, const BatchFolder& folder, AppendFile rejects, const ExecutionOptions& options,
                 ExecutionReport& report)
        : store_(store), folder_(folder), rejects_(std::move(rejects)), options_(options), report_(report) {}

    Outcome<Done> apply(const Prepared& prepared) {
        for (std::size_t i = 0; i < prepared.lines.size(); ++i) {
            const LineBlock::Line& line = prepared.block.lines[i];
            if (!prepared.lines[i]) {
                const JsonError& error = prepared.lines[i].error();
                if (!is_blank(line.text))
                    reject(line.number, json_code_name(error.code), json_code_text(error.code), error.field);
            } else {
                QUARRY_PASS_ON(apply_line(line, prepared.lines[i].value(), prepared.signature_ok[i]));
            }
            report_.totals.offset = line.end_offset;
            report_.totals.lines = line.number;
        }
        return Done{};
    }
    /// Closes the last batch.
    Outcome<Done> finish() {
        QUARRY_PASS_ON(seal());
        return rejects_.flush();
    }

  private:
    Outcome<Done> apply_line(const LineBlock::Line& line, const InputLine& input, bool signature_ok) {
        const bool alone = changes_fee_owner(input);
        if (alone) QUARRY_PASS_ON(seal());
        Verdict verdict = add(input, signature_ok);
        if (!verdict && is_full(verdict.code()) && !open_->builder.executor().steps().empty()) {
            QUARRY_PASS_ON(seal());
            verdict = add(input, signature_ok);
        }
        if (verdict) {
            ++report_.executed_here;
            ++(std::holds_alternative<SignedTransaction>(input) ? report_.totals.executed : report_.totals.queued);
        } else {
            reject(line.number, rollup::reject_name(verdict.code()), rollup::reject_text(verdict.code()), "");
        }
        if (!alone) return Done{};
        // The line itself is part of the batch that ends here.
        report_.totals.offset = line.end_offset;
        report_.totals.lines = line.number;
        return seal();
    }

    Verdict add(const InputLine& input, bool signature_ok) {
        if (!open_) open();
        if (const auto* entry = std::get_if<QueueEntry>(&input)) {
            open_->queues.push(*entry);
            const bool deposit = std::holds_alternative<rollup::DepositEntry>(*entry);
            return deposit ? open_->builder.add_deposit() : open_->builder.add_forced();
        }
        rollup::Transaction tx = std::get<SignedTransaction>(input).tx;
        if (changes_fee_owner(input) && !rollup::authorisation(tx.op)->fee.is_zero()) return RejectCode::no_fee_slot;
        // The number is the next free one, whatever it is by now: it is not signed.
        if (auto* op = std::get_if<rollup::TransferNew>(&tx.op))
            op->receiver = open_->builder.executor().state().slot_count;
        return open_->builder.add(tx, signature_ok);
    }

    void open() {
        rollup::BatchPlan plan;
        plan.number = store_.batch_number() + 1;
        plan.parent_hash = report_.totals.parent_hash;
        plan.timestamp = report_.totals.timestamp;
        plan.max_operations = options_.batch_size;
        if (const auto leaf = store_.leaf(kDevelopmentFeeSlot)) {
            plan.fee_receiver = leaf->pair;
            plan.fee_slots = {{leaf->token, kDevelopmentFeeSlot}};
        }
        open_ = std::make_unique<OpenBatch>(store_, std::move(plan));
    }

    /// Files first, then the store: what the store has, the folder has.
    Outcome<Done> seal() {
        if (!open_) return Done{};
        const auto open = std::move(open_);
        if (open->builder.executor().steps().empty()) return Done{};
        const auto batch = open->builder.seal();
        if (!batch) {
            return Problem{Problem::Kind::refused, rollup::reject_name(batch.code()),
                           fmt::format("batch {} cannot be closed: {}", store_.batch_number() + 1,
                                       rollup::reject_text(batch.code())),
                           "see that slot 0 can take the fees of its token"};
        }
        const bool rejected = rejects_.size() > report_.totals.reject_bytes;
        if (rejected) QUARRY_PASS_ON(rejects_.flush());
        const std::span<const std::string> with(&rejects_.path(), rejected ? 1 : 0);
        QUARRY_PASS_ON(folder_.write(make_batch_files(batch.value()), with));
        report_.totals.reject_bytes = rejects_.size();
        report_.totals.parent_hash = keccak256(rollup::encode(batch.value().header));
        store_.set_note(encode(report_.totals));
        const Verdict verdict = store_.commit(batch.value().commit, batch.value().update);
        if (!verdict) return storage_problem(store_, verdict.code());
        ++report_.num_batches;
        return Done{};
    }

    void reject(std::uint64_t number, const char* code, const char* reason, const std::string& field) {
        ObjectWriter w;
        w.integer("line", number).text("code", code).text("reason", reason);
        if (!field.empty()) w.text("field", field);
        rejects_.append(std::move(w).finish() + "\n");
        ++report_.totals.rejected;
        ++report_.rejects_by_code[code];
    }

    DurableStore& store_;
    const BatchFolder& folder_;
    AppendFile rejects_;
    const ExecutionOptions& options_;
    ExecutionReport& report_;
    std::unique_ptr<OpenBatch> open_;
};

/// Counts what the interrupted run rejected, by code.
Outcome<Done> count_rejects(const std::string& path, ExecutionReport& report) {
    if (report.totals.reject_bytes == 0) return Done{};
    auto file = InputFile::open(path);
    if (!file) return file.error();
    for (;;) {
        const auto block = file.value().next();
        if (!block) return block.error();
        if (!block.value()) return Done{};
        for (const LineBlock::Line& line : block.value()->lines) {
            if (line.end_offset > report.totals.reject_bytes) return Done{};
            ObjectReader r(line.text, kMaxLineBytes);
            const std::string code(r.text("code"));
            if (!code.empty()) ++report.rejects_by_code[code];
        }
    }
}

/// Where to go on, and with which timestamp.
Outcome<Done> start_totals(const DurableStore& store, const InputFile& input, const ExecutionOptions& options,
                           ExecutionReport& report) {
    const auto note = parse_execution_note(store.note());
    const ExecutionNote last = note.value_or(ExecutionNote{});
    report.resumed = note && last.input_id == input.id();
    if (report.resumed) {
        report.totals = last;
        report.num_batches = store.batch_number() + 1 - last.first_batch;
    } else {
        report.totals.parent_hash = last.parent_hash;
        report.totals.timestamp = std::max(options.now, last.timestamp);
        report.totals.input_id = input.id();
        report.totals.first_batch = store.batch_number() + 1;
    }
    if (!options.timestamp) return Done{};
    if (*options.timestamp < last.timestamp) {
        return Problem{
            Problem::Kind::refused, "timestamp_too_early",
            fmt::format("the timestamp {} is before the last batch's, {}", *options.timestamp, last.timestamp),
            "choose a later --timestamp, or leave it out"};
    }
    report.totals.timestamp = *options.timestamp;
    return Done{};
}

/// Blocks on their way from the threads that prepare them to the one that executes them: a few, in order.
class Handover {
  public:
    explicit Handover(std::size_t capacity) : capacity_(capacity) {}
    /// Waits for room. Null: there are no more.
    void push(std::unique_ptr<Prepared> block) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return blocks_.size() < capacity_; });
        blocks_.push_back(std::move(block));
        changed_.notify_all();
    }
    std::unique_ptr<Prepared> pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !blocks_.empty(); });
        auto block = std::move(blocks_.front());
        blocks_.pop_front();
        changed_.notify_all();
        return block;
    }

  private:
    std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Prepared>> blocks_;
};

/// Reads and prepares blocks on the arena, up to the end of the input or until `failed`.
Outcome<Done> prepare_all(InputFile& input, const Digest& domain, Handover& out, const std::atomic<bool>& failed) {
    using Read = std::shared_ptr<LineBlock>;
    using Ready = std::shared_ptr<std::unique_ptr<Prepared>>;
    Outcome<Done> status = Done{};
    const auto read = [&](tbb::flow_control& control) -> Read {
        if (!failed) {
            auto block = input.next();
            if (block && block.value()) return std::make_shared<LineBlock>(std::move(*std::move(block).value()));
            if (!block) status = block.error();
        }
        control.stop();
        return nullptr;
    };
    const auto check = [&](const Read& block) {
        return std::make_shared<std::unique_ptr<Prepared>>(prepare(std::move(*block), domain));
    };
    const auto hand_over = [&](const Ready& block) { out.push(std::move(*block)); };
    const auto tokens = static_cast<std::size_t>(2 * tbb::this_task_arena::max_concurrency());
    tbb::parallel_pipeline(tokens, tbb::make_filter<void, Read>(tbb::filter_mode::serial_in_order, read) &
                                       tbb::make_filter<Read, Ready>(tbb::filter_mode::parallel, check) &
                                       tbb::make_filter<Ready, void>(tbb::filter_mode::serial_in_order, hand_over));
    out.push(nullptr);
    return status;
}

/// Executes on a thread of its own, which spends part of its time waiting for the disk, what the arena prepares.
Outcome<Done> run_pipeline(InputFile& input, const Digest& domain, LineExecutor& executor,
                           const ExecutionOptions& options, const ExecutionReport& report) {
    constexpr std::size_t kBlocksInHand = 16;
    Handover handover(kBlocksInHand);
    std::atomic<bool> failed = false;
    Outcome<Done> executed = Done{};
    std::jthread thread([&] {
        const double size = static_cast<double>(std::max<std::uint64_t>(input.size(), 1));
        while (const auto block = handover.pop()) {
            if (failed) continue;
            executed = executor.apply(*block);
            if (!executed) failed = true;
            if (options.on_progress)
                options.on_progress(report.totals, static_cast<double>(report.totals.offset) / size);
        }
        if (executed) executed = executor.finish();
    });
    auto prepared = prepare_all(input, domain, handover, failed);
    thread.join();
    QUARRY_PASS_ON(std::move(executed));
    return prepared;
}

}  // namespace

Outcome<ExecutionReport> execute_file(DurableStore& store, const std::string& input_path,
                                      const std::string& folder_path, const ExecutionOptions& options) {
    auto input = InputFile::open(input_path);
    if (!input) return input.error();
    ExecutionReport report;
    QUARRY_PASS_ON(start_totals(store, input.value(), options, report));
    auto folder = BatchFolder::create(folder_path, store.parameters());
    if (!folder) return folder.error();
    const std::string rejects_path = (std::filesystem::path(folder_path) / kRejectsFile).string();
    auto rejects = AppendFile::open(rejects_path, report.totals.reject_bytes);
    if (!rejects) return rejects.error();
    QUARRY_PASS_ON(count_rejects(rejects_path, report));

    input.value().seek(report.totals.offset, report.totals.lines + 1);
    LineExecutor executor(store, folder.value(), std::move(rejects).value(), options, report);
    QUARRY_PASS_ON(run_pipeline(input.value(), rollup::domain_hash(store.parameters()), executor, options, report));
    if (report.num_batches > 0 && options.write_statements)
        QUARRY_PASS_ON(folder.value().write_statements(report.totals.first_batch, store.batch_number()));
    return report;
}

}  // namespace quarry::node
