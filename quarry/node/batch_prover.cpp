#include "quarry/node/batch_prover.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include "quarry/base/parallel.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/proof/wire.hpp"

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

}  // namespace

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

    clock.start("witness", &BatchProverPhases::rows);
    const circuits::SegmentRows rows = circuits::make_segment_rows(timeline, *signatures);
    BatchProof result;
    result.statement = timeline.statement;
    result.num_operations = timeline.steps.size();
    result.num_hashes = rows.hashes.size();

    clock.start("trace", &BatchProverPhases::trace);
    auto trace = circuits::make_segment_trace(rows);
    if (!trace) {
        return Problem{Problem::Kind::refused, errc_name(trace.error().code), "the batch is too large for one proof",
                       "prove it in segments"};
    }
    const StackLayout& layout = trace.value().layout();
    result.heights = trace.value().heights();
    result.used_cells = layout.used_cells;
    result.committed_cells = layout.used_lanes << layout.log_lane();

    clock.start("prove", nullptr);
    const Circuit& circuit = circuits::segment_circuit();
    const Statement statement = circuits::segment_public_input(result.statement);
    ProveOptions prove_options;
    prove_options.security_bits = options.security_bits;
    prove_options.now = options.now;
    prove_options.phases = options.phases != nullptr ? &options.phases->prove : nullptr;
    prove_options.on_phase = options.on_phase;
    const Proof proof = prove(circuit, trace.value(), statement, prove_options);

    clock.start("encode", &BatchProverPhases::encode);
    result.bytes = encode_proof(circuit, proof, statement);
    clock.start("done", nullptr);
    return result;
}

}  // namespace quarry::node
