#include "quarry/rollup/join.hpp"

#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/statement_elements.hpp"

namespace quarry::rollup {

namespace {

void write(ElementWriter& w, const BindingPoint& p) {
    rollup::write(w, p.words);
    rollup::write(w, p.bindings);
}

void write(ElementWriter& w, const JoinPoint& p) {
    rollup::write(w, p.operations);
    write(w, p.data);
    write(w, p.effects);
}

Verdict check_bindings(const BindingPoint& before, const BindingPoint& after, std::size_t max_words,
                       std::size_t max_bindings) {
    if (before.words.count > after.words.count) return RejectCode::counter_falls;
    if (before.bindings.count > after.bindings.count) return RejectCode::counter_falls;
    if (after.words.count > max_words || after.bindings.count > max_bindings) return RejectCode::limit_exceeded;
    return Accepted{};
}

Verdict check_counts(const JoinStatement& s) {
    QUARRY_REQUIRE(check_counts(s.before.operations, s.after.operations));
    QUARRY_REQUIRE(check_bindings(s.before.data, s.after.data, kMaxBatchWords, kMaxDataBindings));
    return check_bindings(s.before.effects, s.after.effects, kMaxEffectWords, 1);
}

Verdict check_effects_bound(const JoinStatement& part, const Header& header) {
    const BindingPoint start = binding_start(effects_start().digest);
    if (part.before.effects != start) return RejectCode::not_at_start;
    // Also without effects: an accumulator that moved nevertheless is none of such a batch.
    if (part.after.effects.words.digest != part.after.operations.effects.digest) return RejectCode::unbound_effects;
    if (header.num_effects == 0 && part.after.effects != start) return RejectCode::unbound_effects;
    if (header.num_effects != 0 && part.after.effects.bindings.count != 1) return RejectCode::unbound_effects;
    return Accepted{};
}

}  // namespace

Checked<JoinStatement> lift(const SegmentStatement& s, const BindingPoint& data, const BindingPoint& effects) {
    if (s.payee.is_zero()) return RejectCode::missing_payee;
    const JoinStatement part{.domain = s.domain,
                             .header = s.header,
                             .payee = s.payee,
                             .before = {s.before, data, effects},
                             .after = {s.after, data, effects},
                             .work = s.work};
    QUARRY_REQUIRE(check_counts(part));
    return part;
}

Checked<JoinStatement> lift(const DataRun& run, DataRole role, const L1Address& payee, const Work& work,
                            const Digest& domain, const Digest& header, const JoinPoint& point) {
    if (payee.is_zero()) return RejectCode::missing_payee;
    JoinStatement part{
        .domain = domain, .header = header, .payee = payee, .before = point, .after = point, .work = work};
    const auto bound = role == DataRole::data ? bind_data(point.data, run) : bind_effects(point.effects, run);
    QUARRY_REQUIRE(bound);
    (role == DataRole::data ? part.after.data : part.after.effects) = bound.value();
    QUARRY_REQUIRE(check_counts(part));
    return part;
}

Checked<JoinStatement> merge(const JoinStatement& left, const JoinStatement& right) {
    QUARRY_REQUIRE(check_same_batch(left.domain, right.domain, left.header, right.header, left.payee, right.payee));
    QUARRY_REQUIRE(check_meets(left.after.operations, right.before.operations));
    if (left.after.data != right.before.data) return RejectCode::binding_gap;
    if (left.after.effects != right.before.effects) return RejectCode::binding_gap;
    QUARRY_REQUIRE(check_counts(left));
    QUARRY_REQUIRE(check_counts(right));
    const auto work = merge(left.work, right.work);
    QUARRY_REQUIRE(work);
    return JoinStatement{.domain = left.domain,
                         .header = left.header,
                         .payee = left.payee,
                         .before = left.before,
                         .after = right.after,
                         .work = work.value()};
}

Checked<BatchStatement> close(const JoinStatement& part, const Header& header) {
    if (part.payee.is_zero()) return RejectCode::missing_payee;
    QUARRY_REQUIRE(check_whole(part.header, part.before.operations, part.after.operations, header));
    QUARRY_REQUIRE(check_counts(part));
    if (part.before.data != binding_start(part.header)) return RejectCode::not_at_start;
    if (part.after.data.words != part.after.operations.data) return RejectCode::unbound_data;
    if (part.after.data.bindings.count == 0) return RejectCode::unbound_data;
    QUARRY_REQUIRE(check_effects_bound(part, header));
    return BatchStatement{.domain = part.domain,
                          .header = part.header,
                          .payee = part.payee,
                          .before = part.before.operations.state,
                          .after = part.after.operations.state,
                          .data = part.after.data.bindings,
                          .effects = part.after.effects.bindings,
                          .work = part.work};
}

std::vector<KoalaBear> elements(const JoinStatement& s) {
    ElementWriter w;
    write_kind(w, StatementKind::join);
    w.digest(s.domain);
    w.digest(s.header);
    w.big_endian(s.payee.bytes);
    write(w, s.before);
    write(w, s.after);
    rollup::write(w, s.work);
    return w.elements();
}

std::vector<KoalaBear> elements(const BatchStatement& s) {
    ElementWriter w;
    write_kind(w, StatementKind::batch);
    w.digest(s.domain);
    w.digest(s.header);
    w.big_endian(s.payee.bytes);
    rollup::write(w, s.before);
    rollup::write(w, s.after);
    rollup::write(w, s.data);
    rollup::write(w, s.effects);
    rollup::write(w, s.work);
    return w.elements();
}

Digest digest(const JoinStatement& statement) { return hash_elements("quarry/join/v1", elements(statement)); }
Digest digest(const BatchStatement& statement) { return hash_elements("quarry/batch/v1", elements(statement)); }

}  // namespace quarry::rollup
