#include "quarry/proof/key.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry {

PreprocessedTrace::PreprocessedTrace(const Circuit& circuit, Heights heights, unsigned log_lanes)
    : circuit_(&circuit),
      heights_(std::move(heights)),
      layout_(make_stack_layout(circuit, heights_, log_lanes).value()),
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

WhirRound first_round(const PreprocessedTrace& trace, unsigned security_bits, const Protocol& protocol) {
    QUARRY_CHECK(trace.layout().log_lanes == protocol.log_stack_lanes);
    return generate_parameters(protocol, trace.layout().log_size, security_bits).rounds.front();
}

template <class P>
BasicVerifyingKey<P> make_verifying_key(const PreprocessedTrace& trace,
                                        const BasicCommitment<typename P::Hasher>& commitment, unsigned security_bits) {
    BasicVerifyingKey<P> key{trace.circuit().digest(), security_bits, trace.layout().log_size, commitment.root(), {}};
    if constexpr (P::kHasCaps) {
        const auto cap = commitment.level(std::min(P::kLogKeyCap, commitment.log_rows()));
        key.preprocessed_cap.assign(cap.begin(), cap.end());
    }
    return key;
}

}  // namespace

template <class P>
BasicProvingKey<P>::BasicProvingKey(PreprocessedTrace trace, Tree commitment, unsigned security_bits)
    : trace_(std::move(trace)),
      commitment_(std::move(commitment)),
      verifying_key_(make_verifying_key<P>(trace_, commitment_, security_bits)) {}

template <class P>
BasicProvingKey<P>::BasicProvingKey(PreprocessedTrace trace, unsigned security_bits, const Protocol& protocol)
    : trace_(std::move(trace)),
      commitment_(Tree::commit(trace_.stack(), trace_.layout().preprocessed_lanes,
                               first_round(trace_, security_bits, protocol))),
      verifying_key_(make_verifying_key<P>(trace_, commitment_, security_bits)) {}

template <class P>
std::optional<BasicProvingKey<P>> BasicProvingKey<P>::restore(PreprocessedTrace trace,
                                                              std::span<const typename P::Digest> level,
                                                              const BasicVerifyingKey<P>& expected,
                                                              const Protocol& protocol) {
    QUARRY_CHECK(expected.circuit_digest == trace.circuit().digest() && expected.log_size == trace.layout().log_size);
    const WhirRound round = first_round(trace, expected.security_bits, protocol);
    if (level.size() != std::size_t{1} << (round.log_message + round.log_inv_rate - kLogRowsOfNode)) return {};
    if (MerkleTree<typename P::Hasher>::above(level).root() != expected.preprocessed_root) return {};
    Tree commitment = Tree::restore(trace.stack(), trace.layout().preprocessed_lanes, round, level);
    return BasicProvingKey(std::move(trace), std::move(commitment), expected.security_bits);
}

template <class P>
std::span<const typename P::Digest> BasicProvingKey<P>::level() const {
    return commitment_.level(commitment_.log_rows() - kLogRowsOfNode);
}

template class BasicProvingKey<PoseidonPolicy>;
template class BasicProvingKey<KeccakPolicy>;

template <class P>
Status check_key(const Circuit& circuit, const BasicVerifyingKey<P>* key, unsigned log_size, unsigned security_bits) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    if (key == nullptr) return Ok{};
    QUARRY_CHECK(key->circuit_digest == circuit.digest());
    if (key->security_bits != security_bits) return Error{Errc::wrong_key, "security level of the key"};
    if (key->log_size != log_size) return Error{Errc::wrong_key, "size of the key"};
    return Ok{};
}

template Status check_key(const Circuit&, const VerifyingKey*, unsigned, unsigned);
template Status check_key(const Circuit&, const KeccakVerifyingKey*, unsigned, unsigned);

KeyDigests<KoalaBear> key_digests(const Circuit& circuit, const VerifyingKey* key) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    KeyDigests<KoalaBear> digests{circuit.digest(), {}};
    if (key != nullptr) digests.preprocessed_root = key->preprocessed_root;
    return digests;
}

}  // namespace quarry
