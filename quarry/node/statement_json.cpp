#include "quarry/node/statement_json.hpp"

namespace quarry::node {

void write_accumulator(ObjectWriter& w, const std::string& prefix, const rollup::Accumulator& a) {
    w.elements(prefix + "_digest", a.digest).integer(prefix + "_count", a.count);
}
rollup::Accumulator read_accumulator(ObjectReader& r, const std::string& prefix) {
    return {r.digest(prefix + "_digest"), r.integer<std::uint32_t>(prefix + "_count")};
}

void write_state(ObjectWriter& w, const std::string& prefix, const rollup::State& s) {
    w.elements(prefix + "root", s.root).integer(prefix + "slot_count", s.slot_count);
    w.integer(prefix + "deposit_cursor", s.deposit_cursor).integer(prefix + "forced_cursor", s.forced_cursor);
}
rollup::State read_state(ObjectReader& r, const std::string& prefix) {
    rollup::State s;
    s.root = r.digest(prefix + "root");
    s.slot_count = r.integer<rollup::SlotIndex>(prefix + "slot_count");
    s.deposit_cursor = r.integer<std::uint64_t>(prefix + "deposit_cursor");
    s.forced_cursor = r.integer<std::uint64_t>(prefix + "forced_cursor");
    return s;
}

void write_point(ObjectWriter& w, const std::string& prefix, const rollup::BatchPoint& p) {
    write_state(w, prefix, p.state);
    w.elements(prefix + "fees", p.fees);
    write_accumulator(w, prefix + "data", p.data);
    write_accumulator(w, prefix + "effects", p.effects);
}
rollup::BatchPoint read_point(ObjectReader& r, const std::string& prefix) {
    rollup::BatchPoint p;
    p.state = read_state(r, prefix);
    p.fees = r.digest(prefix + "fees");
    p.data = read_accumulator(r, prefix + "data");
    p.effects = read_accumulator(r, prefix + "effects");
    return p;
}

std::string to_json(const rollup::SegmentStatement& statement) {
    ObjectWriter w("\n  ");
    w.elements("domain", statement.domain).elements("header", statement.header).address("payee", statement.payee);
    write_point(w, "before_", statement.before);
    write_point(w, "after_", statement.after);
    w.integer("work_units", statement.work.units).elements("work_root", statement.work.root);
    return std::move(w).finish() + "\n";
}

Parsed<rollup::SegmentStatement> parse_segment_statement(std::string_view text) {
    ObjectReader r(text, kMaxStatementBytes);
    rollup::SegmentStatement s;
    s.domain = r.digest("domain");
    s.header = r.digest("header");
    s.payee = r.address("payee");
    s.before = read_point(r, "before_");
    s.after = read_point(r, "after_");
    s.work.units = r.integer<std::uint32_t>("work_units");
    s.work.root = r.digest("work_root");
    if (auto error = r.finish()) return std::move(*error);
    return s;
}

std::string to_json(const rollup::DataStatement& s) {
    ObjectWriter w("\n  ");
    w.text("form", s.form == rollup::DataForm::blob ? "blob" : "calldata").address("payee", s.payee);
    w.elements("before", s.before).elements("after", s.after).integer("words", s.words);
    w.hex("hash", s.l1_hash).elements("point", s.point).hex("value", s.value);
    w.integer("work_units", s.work.units).elements("work_root", s.work.root);
    return std::move(w).finish() + "\n";
}

Parsed<rollup::DataStatement> parse_data_statement(std::string_view text) {
    ObjectReader r(text, kMaxStatementBytes);
    rollup::DataStatement s;
    const std::string_view form = r.text("form");
    s.form = form == "blob" ? rollup::DataForm::blob : rollup::DataForm::horner;
    if (form != "blob" && form != "calldata") r.refuse(JsonCode::unknown_type, "form");
    s.payee = r.address("payee");
    s.before = r.digest("before");
    s.after = r.digest("after");
    s.words = r.integer<std::uint32_t>("words");
    s.l1_hash = r.bytes<32>("hash");
    s.point = r.digest("point");
    s.value = r.bytes<32>("value");
    s.work.units = r.integer<std::uint32_t>("work_units");
    s.work.root = r.digest("work_root");
    if (auto error = r.finish()) return std::move(*error);
    return s;
}

}  // namespace quarry::node
