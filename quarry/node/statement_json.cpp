#include "quarry/node/statement_json.hpp"

namespace quarry::node {
namespace {

using rollup::Accumulator;
using rollup::BatchPoint;

Accumulator read_accumulator(ObjectReader& r, const std::string& name) {
    return {r.digest(name + "_digest"), r.integer<std::uint32_t>(name + "_count")};
}

void write_accumulator(ObjectWriter& w, const std::string& name, const Accumulator& x) {
    w.elements(name + "_digest", x.digest).integer(name + "_count", x.count);
}

BatchPoint read_point(ObjectReader& r, const std::string& prefix) {
    BatchPoint p;
    p.state.root = r.digest(prefix + "root");
    p.state.slot_count = r.integer<rollup::SlotIndex>(prefix + "slot_count");
    p.state.deposit_cursor = r.integer<std::uint64_t>(prefix + "deposit_cursor");
    p.state.forced_cursor = r.integer<std::uint64_t>(prefix + "forced_cursor");
    p.fees = r.digest(prefix + "fees");
    p.data = read_accumulator(r, prefix + "data");
    p.effects = read_accumulator(r, prefix + "effects");
    return p;
}

void write_point(ObjectWriter& w, const std::string& prefix, const BatchPoint& p) {
    w.elements(prefix + "root", p.state.root).integer(prefix + "slot_count", p.state.slot_count);
    w.integer(prefix + "deposit_cursor", p.state.deposit_cursor);
    w.integer(prefix + "forced_cursor", p.state.forced_cursor);
    w.elements(prefix + "fees", p.fees);
    write_accumulator(w, prefix + "data", p.data);
    write_accumulator(w, prefix + "effects", p.effects);
}

}  // namespace

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
