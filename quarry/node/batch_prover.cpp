#include "quarry/node/batch_prover.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include "quarry/base/parallel.hpp"
#include "quarry/node/signing.hpp"

namespace quarry::node {

namespace {

/// Tells the phases of a proof apart.
class PhaseClock {
  public:
    explicit PhaseClock(const BatchProverOptions& options) : options_(options) {}
    void start(const char* name, double BatchProverPhases::* target) {
        if (options_.on_phase) options_.on_phase(name);
        if (options_.phases == nullptr) return;
        const double t = options_.now();
        if (target_ != nullptr) options_.phases->*target_ += t - since_;
        since_ = t;
        target_ = target;
    }

  private:
    const BatchProverOptions& options_;
    double BatchProverPhases::* target_ = nullptr;
    double since_ = 0;
};

/// The signatures with their keys as points, if all of them verify. A key costs a square root: they are shared between
/// this check and the witness.
std::optional<std::vector<circuits::OperationSignature>> check_signatures(
    std::span<const rollup::SignatureCheck> checks) {
    std::vector<circuits::OperationSignature> r(checks.size());
    std::vector<SignatureCheck<KB11>> native(checks.size());
    std::atomic<bool> readable = true;
    parallel_for(checks.size(), 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto key = to_public_key(checks[i].key);
            const auto signature = Signature<KB11>::decode(checks[i].signature);
            if (!key || !signature) {
                readable = false;
                continue;
            }
            r[i] = {checks[i].step, key.value(), checks[i].message, signature.value()};
            native[i] = {key.value(), checks[i].message, signature.value()};
        }
    });
    if (!readable) return std::nullopt;
    const std::vector<bool> verdicts = verify_batch<KB11>(native);
    if (std::find(verdicts.begin(), verdicts.end(), false) != verdicts.end()) return std::nullopt;
    return r;
}

Problem invalid_batch(const std::string& code, const std::string& why) {
    return {Problem::Kind::refused, code, "the batch is invalid: " + why,
            "it can never be proven: skip it; its sequencer's bond pays for the replacement"};
}

/// From the timeline on, a segment is like a whole batch.
Outcome<BatchProof> prove_timeline(const circuits::Timeline& timeline,
                                   std::span<const circuits::OperationSignature> signatures,
                                   const BatchProverOptions& options, PhaseClock& clock) {
    clock.start("witness", &BatchProverPhases::rows);
    const circuits::SegmentRows rows = circuits::make_segment_rows(timeline, signatures, options.least_heights);
    BatchProof result;
    result.statement = timeline.statement;
    result.num_operations = timeline.steps.size();
    result.num_hashes = rows.hashes.size();

    clock.start("trace", &BatchProverPhases::trace);
    auto trace = circuits::make_segment_trace(rows);
    if (!trace) {
        return Problem{Problem::Kind::refused, errc_name(trace.error().code),
                       "the operations are too many for one proof", "prove the batch in segments, or in more of them"};
    }
    const StackLayout& layout = trace.value().layout();
    result.heights = trace.value().heights();
    result.used_cells = layout.used_cells;
    result.committed_cells = layout.used_lanes << layout.log_lane();

    clock.start("prove", nullptr);
    const Statement statement = circuits::segment_public_input(result.statement);
    ProveOptions prove_options;
    prove_options.security_bits = options.security_bits;
    prove_options.now = options.now;
    prove_options.phases = options.phases != nullptr ? &options.phases->prove : nullptr;
    prove_options.on_phase = options.on_phase;
    const Proof proof = circuits::prove_segment_trace(trace.value(), statement, prove_options);

    clock.start("encode", &BatchProverPhases::encode);
    result.bytes = circuits::encode_segment_proof(proof, statement);
    clock.start("done", nullptr);
    return result;
}

/// What a step costs to prove, roughly: a signature is two thirds of a signed operation.
std::size_t cost(const rollup::Step& step) { return rollup::authorisation(step.op) != nullptr ? 3 : 1; }

}  // namespace

Outcome<rollup::ExecutedBatch> execute_batch(const rollup::RollupParameters& parameters,
                                             const rollup::StateStore& store, const rollup::L1Queues& queues,
                                             const rollup::Header& header, std::span<const std::uint8_t> data) {
    auto batch = rollup::replay(parameters, store, queues, header, data);
    if (!batch) return invalid_batch(rollup::reject_name(batch.code()), rollup::reject_text(batch.code()));
    if (!check_signatures(batch.value().signature_checks)) {
        return invalid_batch("bad_signature", "a signature does not verify");
    }
    return std::move(batch).value();
}

Outcome<BatchProof> prove_batch(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                                const rollup::L1Queues& queues, const rollup::Header& header,
                                std::span<const std::uint8_t> data, const BatchProverOptions& options) {
    QUARRY_CHECK(!options.payee.is_zero());
    PhaseClock clock(options);
    clock.start("execute", &BatchProverPhases::execute);
    const auto batch = rollup::replay(parameters, store, queues, header, data);
    if (!batch) return invalid_batch(rollup::reject_name(batch.code()), rollup::reject_text(batch.code()));

    clock.start("signatures", &BatchProverPhases::signatures);
    const auto signatures = check_signatures(batch.value().signature_checks);
    if (!signatures) return invalid_batch("bad_signature", "a signature does not verify");

    clock.start("timeline", &BatchProverPhases::timeline);
    const rollup::BatchPoint start = rollup::batch_start(batch.value().before, rollup::header_hash(header));
    const circuits::Timeline timeline = circuits::make_timeline(
        parameters, store, batch.value(), 0, batch.value().steps.size(), start, options.payee, options.miner_tag);
    return prove_timeline(timeline, *signatures, options, clock);
}

Outcome<std::vector<SegmentInput>> split_batch(const rollup::RollupParameters& parameters,
                                               const rollup::StateStore& store, const rollup::L1Queues& queues,
                                               const rollup::Header& header, std::span<const std::uint8_t> data,
                                               std::size_t count) {
    QUARRY_CHECK(count >= 1);
    const auto executed = execute_batch(parameters, store, queues, header, data);
    if (!executed) return executed.error();
    const rollup::ExecutedBatch& batch = executed.value();

    std::size_t total = 0;
    for (const rollup::Step& step : batch.steps) total += cost(step);
    count = std::clamp<std::size_t>(batch.steps.size(), 1, count);
    circuits::BatchCutter cutter(parameters, store, batch);
    std::vector<SegmentInput> inputs;
    std::size_t step = 0;
    std::size_t spent = 0;
    for (std::size_t i = 1; i <= count; ++i) {
        const std::size_t first = step;
        // Rounded down, so that equal operations in a number that `count` divides are cut evenly whatever follows them;
        // at least one step here, and one left for each segment to come.
        const std::size_t latest = batch.steps.size() - (count - i);
        while (step < latest && (step == first || i == count || spent + cost(batch.steps[step]) <= total * i / count))
            spent += cost(batch.steps[step++]);
        inputs.push_back(make_segment_input(cutter.next(step), batch.signature_checks, first));
    }
    return inputs;
}

Outcome<BatchProof> prove_segment(const SegmentInput& input, const BatchProverOptions& options) {
    QUARRY_CHECK(!options.payee.is_zero());
    PhaseClock clock(options);
    clock.start("execute", &BatchProverPhases::execute);
    const auto segment = execute_segment(input);
    if (!segment) return invalid_batch(rollup::reject_name(segment.code()), rollup::reject_text(segment.code()));
    clock.start("signatures", &BatchProverPhases::signatures);
    const auto signatures = check_signatures(segment.value()->signature_checks);
    if (!signatures) return invalid_batch("bad_signature", "a signature does not verify");
    clock.start("timeline", &BatchProverPhases::timeline);
    const circuits::Timeline timeline =
        circuits::make_timeline(segment.value()->source, options.payee, options.miner_tag);
    return prove_timeline(timeline, *signatures, options, clock);
}

Outcome<Heights> segment_heights(const SegmentInput& input) {
    const auto segment = execute_segment(input);
    if (!segment) return invalid_batch(rollup::reject_name(segment.code()), rollup::reject_text(segment.code()));
    const auto signatures = check_signatures(segment.value()->signature_checks);
    if (!signatures) return invalid_batch("bad_signature", "a signature does not verify");
    constexpr rollup::L1Address kAnyone{{1}};
    return circuits::make_segment_rows(circuits::make_timeline(segment.value()->source, kAnyone, 0), *signatures)
        .heights;
}

}  // namespace quarry::node
