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

template <class Tree>
Tree commit(const PreprocessedTrace& trace, unsigned security_bits, const Protocol& protocol) {
    const StackLayout& layout = trace.layout();
    QUARRY_CHECK(layout.log_lanes == protocol.log_stack_lanes);
    const WhirParameters parameters = generate_parameters(protocol, layout.log_size, security_bits);
    return Tree::commit(trace.stack(), layout.preprocessed_lanes, parameters.rounds.front());
}

}  // namespace

template <class P>
BasicProvingKey<P>::BasicProvingKey(PreprocessedTrace trace, unsigned security_bits, const Protocol& protocol)
    : trace_(std::move(trace)),
      commitment_(commit<Tree>(trace_, security_bits, protocol)),
      verifying_key_{trace_.circuit().digest(), security_bits, trace_.heights(), commitment_.root(),
                     commitment_.cap(std::min(P::kLogKeyCap, commitment_.log_rows()))} {}

template class BasicProvingKey<PoseidonPolicy>;
template class BasicProvingKey<KeccakPolicy>;

template <class P>
Status check_key(const Circuit& circuit, const BasicVerifyingKey<P>* key, const Heights& heights,
                 unsigned security_bits) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    if (key == nullptr) return Ok{};
    QUARRY_CHECK(key->circuit_digest == circuit.digest());
    if (key->security_bits != security_bits) return Error{Errc::wrong_key, "security level of the key"};
    if (key->heights != heights) return Error{Errc::wrong_key, "heights of the key"};
    return Ok{};
}

template Status check_key(const Circuit&, const VerifyingKey*, const Heights&, unsigned);
template Status check_key(const Circuit&, const KeccakVerifyingKey*, const Heights&, unsigned);

KeyDigests<KoalaBear> key_digests(const Circuit& circuit, const VerifyingKey* key) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    KeyDigests<KoalaBear> digests{circuit.digest(), {}};
    if (key != nullptr) digests.preprocessed_root = key->preprocessed_root;
    return digests;
}

}  // namespace quarry
