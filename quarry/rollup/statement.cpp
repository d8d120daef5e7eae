#include "quarry/rollup/statement.hpp"

#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/fee_ledger.hpp"
#include "quarry/rollup/statement_elements.hpp"

namespace quarry::rollup {

namespace {

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
    write_kind(w, StatementKind::segment);
    w.digest(s.domain);
    w.digest(s.header);
    w.big_endian(s.payee.bytes);
    write(w, s.before);
    write(w, s.after);
    write(w, s.work);
    return w.elements();
}

Digest digest(const SegmentStatement& statement) { return hash_elements("quarry/segment/v1", elements(statement)); }

Verdict check_same_batch(const Digest& left_domain, const Digest& right_domain, const Digest& left_header,
                         const Digest& right_header, const L1Address& left_payee, const L1Address& right_payee) {
    if (left_domain != right_domain) return RejectCode::domain_mismatch;
    if (left_header != right_header) return RejectCode::header_mismatch;
    if (left_payee.is_zero()) return RejectCode::missing_payee;
    if (left_payee != right_payee) return RejectCode::payee_mismatch;
    return Accepted{};
}

Verdict check_meets(const BatchPoint& end, const BatchPoint& next) {
    if (end.state != next.state) return RejectCode::state_gap;
    if (end.fees != next.fees) return RejectCode::fees_gap;
    if (end.data != next.data) return RejectCode::data_gap;
    if (end.effects != next.effects) return RejectCode::effects_gap;
    return Accepted{};
}

Verdict check_counts(const BatchPoint& before, const BatchPoint& after) {
    const bool falls = before.data.count > after.data.count || before.effects.count > after.effects.count ||
                       before.state.slot_count > after.state.slot_count ||
                       before.state.deposit_cursor > after.state.deposit_cursor ||
                       before.state.forced_cursor > after.state.forced_cursor;
    if (falls) return RejectCode::counter_falls;
    const bool fits =
        after.data.count <= kMaxBatchWords && after.effects.count <= kMaxEffects && after.state.slot_count <= kMaxSlots;
    if (!fits) return RejectCode::limit_exceeded;
    return Accepted{};
}

Checked<SegmentStatement> merge(const SegmentStatement& left, const SegmentStatement& right) {
    QUARRY_REQUIRE(check_same_batch(left.domain, right.domain, left.header, right.header, left.payee, right.payee));
    QUARRY_REQUIRE(check_meets(left.after, right.before));
    QUARRY_REQUIRE(check_counts(left.before, left.after));
    QUARRY_REQUIRE(check_counts(right.before, right.after));
    const auto work = merge(left.work, right.work);
    QUARRY_REQUIRE(work);
    return SegmentStatement{.domain = left.domain,
                            .header = left.header,
                            .payee = left.payee,
                            .before = left.before,
                            .after = right.after,
                            .work = work.value()};
}

Verdict check_whole(const Digest& hash, const BatchPoint& before, const BatchPoint& after, const Header& header) {
    if (hash != header_hash(header)) return RejectCode::header_mismatch;
    if (header.version != kProtocolVersion) return RejectCode::unsupported_version;
    if (before != batch_start(before.state, hash)) return RejectCode::not_at_start;
    if (std::uint64_t{after.data.count} * kWordBytes != header.byte_length) return RejectCode::not_at_end;
    if (after.fees != empty_fees()) return RejectCode::uncollected_fees;
    if (after.effects.count != header.num_effects) return RejectCode::effect_count_mismatch;
    if (after.state.root != header.post_root) return RejectCode::root_mismatch;
    if (after.state.slot_count != header.post_slot_count) return RejectCode::slot_count_mismatch;
    if (after.state != header.post_state()) return RejectCode::cursor_mismatch;
    return Accepted{};
}

}  // namespace quarry::rollup
