#include "quarry/rollup/statement.hpp"

#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/elements.hpp"
#include "quarry/rollup/fee_ledger.hpp"

namespace quarry::rollup {

namespace {

void write(ElementWriter& w, const State& s) {
    w.digest(s.root);
    w.small(s.slot_count);
    w.limbs(s.deposit_cursor);
    w.limbs(s.forced_cursor);
}

void write(ElementWriter& w, const Accumulator& a) {
    w.digest(a.digest);
    w.small(a.count);
}

void write(ElementWriter& w, const BatchPoint& p) {
    write(w, p.state);
    w.digest(p.fees);
    write(w, p.data);
    write(w, p.effects);
}

void write(ElementWriter& w, const Work& work) {
    w.limbs(work.units);
    w.digest(work.root);
}

const Digest& empty_fees() {
    static const Digest digest = FeeLedger{}.digest();
    return digest;
}

}  // namespace

Work leaf_work(std::uint64_t miner_tag, std::uint32_t units) {
    Block left{};
    for (std::size_t i = 0; i < 4; ++i) left[i] = KoalaBear((miner_tag >> (16 * i)) & 0xffff);
    left[4] = KoalaBear(units & 0xffff);
    left[5] = KoalaBear(units >> 16);
    Block right{};
    right[7] = KoalaBear(static_cast<std::uint32_t>(BlockTag::work));
    return {units, poseidon_compress(left, right)};
}

Checked<Work> merge(const Work& left, const Work& right) {
    const std::uint64_t units = std::uint64_t{left.units} + right.units;
    if (units > UINT32_MAX) return RejectCode::work_overflow;
    return Work{static_cast<std::uint32_t>(units), poseidon_compress(left.root, right.root)};
}

BatchPoint batch_start(const State& before, const Digest& header_hash) {
    return {.state = before, .fees = empty_fees(), .data = {header_hash, 0}, .effects = effects_start()};
}

std::vector<KoalaBear> elements(const SegmentStatement& s) {
    ElementWriter w;
    w.small(static_cast<std::uint32_t>(StatementKind::segment));
    w.small(kProtocolVersion);
    w.digest(s.domain);
    w.digest(s.header);
    w.big_endian(s.payee.bytes);
    write(w, s.before);
    write(w, s.after);
    write(w, s.work);
    return w.elements();
}

std::vector<KoalaBear> elements(const BatchStatement& s) {
    ElementWriter w;
    w.small(static_cast<std::uint32_t>(StatementKind::batch));
    w.small(kProtocolVersion);
    w.digest(s.domain);
    w.digest(s.header);
    w.big_endian(s.payee.bytes);
    write(w, s.before);
    write(w, s.after);
    write(w, s.data);
    write(w, s.effects);
    write(w, s.work);
    return w.elements();
}

Checked<SegmentStatement> merge(const SegmentStatement& left, const SegmentStatement& right) {
    if (left.domain != right.domain) return RejectCode::domain_mismatch;
    if (left.header != right.header) return RejectCode::header_mismatch;
    if (left.payee.is_zero()) return RejectCode::missing_payee;
    if (left.payee != right.payee) return RejectCode::payee_mismatch;
    if (left.after.state != right.before.state) return RejectCode::state_gap;
    if (left.after.fees != right.before.fees) return RejectCode::fees_gap;
    if (left.after.data != right.before.data) return RejectCode::data_gap;
    if (left.after.effects != right.before.effects) return RejectCode::effects_gap;
    const auto work = merge(left.work, right.work);
    QUARRY_REQUIRE(work);
    return SegmentStatement{.domain = left.domain,
                            .header = left.header,
                            .payee = left.payee,
                            .before = left.before,
                            .after = right.after,
                            .work = work.value()};
}

Checked<BatchStatement> close(const SegmentStatement& s, const Header& header) {
    if (s.header != header_hash(header)) return RejectCode::header_mismatch;
    if (s.payee.is_zero()) return RejectCode::missing_payee;
    if (s.before != batch_start(s.before.state, s.header)) return RejectCode::not_at_start;
    if (s.after.data.count * kWordBytes != header.byte_length) return RejectCode::not_at_end;
    if (s.after.fees != empty_fees()) return RejectCode::uncollected_fees;
    if (s.after.effects.count != header.num_effects) return RejectCode::effect_count_mismatch;
    if (s.after.state.root != header.post_root) return RejectCode::root_mismatch;
    if (s.after.state.slot_count != header.post_slot_count) return RejectCode::slot_count_mismatch;
    if (s.after.state != header.post_state()) return RejectCode::cursor_mismatch;
    return BatchStatement{.domain = s.domain,
                          .header = s.header,
                          .payee = s.payee,
                          .before = s.before.state,
                          .after = s.after.state,
                          .data = s.after.data,
                          .effects = s.after.effects,
                          .work = s.work};
}

}  // namespace quarry::rollup
