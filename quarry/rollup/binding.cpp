#include "quarry/rollup/binding.hpp"

namespace quarry::rollup {

namespace {

Checked<BindingPoint> advance(BindingPoint point, const DataRun& run, std::uint32_t max_words) {
    if (run.before != point.words.digest) return RejectCode::binding_gap;
    if (std::uint64_t{point.words.count} + run.binding.words > max_words) return RejectCode::limit_exceeded;
    point.words = {run.after, point.words.count + run.binding.words};
    absorb(point.bindings, run.binding);
    return point;
}

}  // namespace

std::vector<KoalaBear> elements(const L1Binding& binding) {
    ElementWriter w;
    w.small(static_cast<std::uint32_t>(binding.form));
    w.small(binding.words);
    w.big_endian(binding.l1_hash);
    w.digest(binding.point);
    w.big_endian(binding.value);
    return w.elements();
}

BindingPoint binding_start(const Digest& digest) { return {{digest, 0}, {chain_start("quarry/bindings/v1"), 0}}; }

void absorb(Accumulator& list, const L1Binding& binding) {
    list.digest = hash_elements(list.digest, elements(binding));
    ++list.count;
}

Accumulator binding_list(std::span<const L1Binding> bindings) {
    Accumulator list = binding_start({}).bindings;
    for (const L1Binding& binding : bindings) absorb(list, binding);
    return list;
}

Checked<BindingPoint> bind_data(const BindingPoint& point, const DataRun& run) {
    const bool blob = run.binding.form == BindingForm::blob;
    if (run.binding.words > kBlobWords) return RejectCode::limit_exceeded;
    if (blob ? point.words.count != kBlobWords * std::uint64_t{point.bindings.count} : point.bindings.count != 0)
        return RejectCode::binding_order;
    return advance(point, run, kMaxBatchWords);
}

Checked<BindingPoint> bind_effects(const BindingPoint& point, const DataRun& run) {
    if (run.binding.form != BindingForm::horner || point.bindings.count != 0) return RejectCode::binding_order;
    return advance(point, run, kMaxEffectWords);
}

}  // namespace quarry::rollup
