#include "quarry/proof/key.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry {

PreprocessedTrace::PreprocessedTrace(const Circuit& circuit, Heights heights)
    : circuit_(&circuit),
      heights_(std::move(heights)),
      layout_(make_stack_layout(circuit, heights_).value()),
      cells_(layout_.preprocessed_lanes << layout_.log_lane()) {
    QUARRY_CHECK(circuit.has_preprocessed());
    std::size_t used = 0;
    for (std::size_t t = 0; t < heights_.size(); ++t) used += circuit.tables()[t].num_preprocessed << heights_[t];
    std::fill(cells_.data() + used, cells_.data() + cells_.size(), KoalaBear());
}

std::size_t PreprocessedTrace::first_cell(std::size_t t, std::size_t k) const {
    QUARRY_CHECK(k < circuit_->tables()[t].num_preprocessed);
    return layout_.preprocessed_offset[t] + (k << heights_[t]);
}

std::span<KoalaBear> PreprocessedTrace::column(std::size_t t, std::size_t k) {
    return cells_.span().subspan(first_cell(t, k), std::size_t{1} << heights_[t]);
}
std::span<const KoalaBear> PreprocessedTrace::column(std::size_t t, std::size_t k) const {
    return cells_.span().subspan(first_cell(t, k), std::size_t{1} << heights_[t]);
}

const KoalaBear* PreprocessedTrace::columns(std::size_t t) const noexcept {
    return circuit_->tables()[t].num_preprocessed == 0 ? nullptr : cells_.data() + layout_.preprocessed_offset[t];
}

namespace {

constexpr unsigned kLogRowsOfNode = 5;  // so that a proof's queries cost little, and the level is small

WhirRound first_round(const PreprocessedTrace& trace, unsigned security_bits) {
    return generate_whir_parameters(trace.layout().log_size, security_target(security_bits)).rounds.front();
}

Commitment commit(const PreprocessedTrace& trace, unsigned security_bits) {
    return Commitment::commit(trace.stack(), trace.layout().preprocessed_lanes, first_round(trace, security_bits));
}

}  // namespace

ProvingKey::ProvingKey(PreprocessedTrace trace, Commitment commitment, unsigned security_bits)
    : trace_(std::move(trace)),
      commitment_(std::move(commitment)),
      verifying_key_{trace_.circuit().digest(), security_bits, trace_.layout().log_size, commitment_.root()} {}

ProvingKey::ProvingKey(PreprocessedTrace trace, unsigned security_bits)
    : trace_(std::move(trace)),
      commitment_(commit(trace_, security_bits)),
      verifying_key_{trace_.circuit().digest(), security_bits, trace_.layout().log_size, commitment_.root()} {}

std::optional<ProvingKey> ProvingKey::restore(PreprocessedTrace trace, std::span<const Digest> level,
                                              const VerifyingKey& expected) {
    QUARRY_CHECK(expected.circuit_digest == trace.circuit().digest() && expected.log_size == trace.layout().log_size);
    const WhirRound round = first_round(trace, expected.security_bits);
    if (level.size() != std::size_t{1} << (round.log_message + round.log_inv_rate - kLogRowsOfNode)) return {};
    if (MerkleTree<PoseidonHasher>::above(level).root() != expected.preprocessed_root) return {};
    Commitment commitment = Commitment::restore(trace.stack(), trace.layout().preprocessed_lanes, round, level);
    return ProvingKey(std::move(trace), std::move(commitment), expected.security_bits);
}

std::span<const Digest> ProvingKey::level() const { return commitment_.level(commitment_.log_rows() - kLogRowsOfNode); }

Status check_key(const Circuit& circuit, const VerifyingKey* key, unsigned log_size, unsigned security_bits) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    if (key == nullptr) return Ok{};
    QUARRY_CHECK(key->circuit_digest == circuit.digest());
    if (key->security_bits != security_bits) return Error{Errc::wrong_key, "security level of the key"};
    if (key->log_size != log_size) return Error{Errc::wrong_key, "size of the key"};
    return Ok{};
}

KeyDigests<KoalaBear> key_digests(const Circuit& circuit, const VerifyingKey* key) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    KeyDigests<KoalaBear> digests{circuit.digest(), {}};
    if (key != nullptr) digests.preprocessed_root = key->preprocessed_root;
    return digests;
}

}  // namespace quarry
