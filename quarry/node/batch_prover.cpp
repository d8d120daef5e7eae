#include "quarry/node/batch_prover.hpp"

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
    const std::span<const rollup::SignatureCheck> checks = batch.value().signature_checks;
    if (!all_verify(checks)) return invalid_batch("bad_signature", "a signature does not verify");

    clock.start("timeline", &BatchProverPhases::timeline);
    const rollup::BatchPoint start = rollup::batch_start(batch.value().before, rollup::header_hash(header));
    const circuits::Timeline timeline =
        circuits::make_timeline(parameters, store, batch.value(), 0, batch.value().steps.size(), start, options.payee,
                                options.miner_tag);

    clock.start("witness", &BatchProverPhases::rows);
    auto rows = circuits::make_segment_rows(timeline, checks);
    if (!rows) return invalid_batch(errc_name(rows.error().code), errc_text(rows.error().code));
    BatchProof result;
    result.statement = timeline.statement;
    result.num_hashes = rows.value().hashes.size();

    clock.start("trace", &BatchProverPhases::trace);
    auto trace = circuits::make_segment_trace(std::move(rows).value());
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
