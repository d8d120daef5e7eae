#include "quarry/node/node_statement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/node/flat_json.hpp"
#include "quarry/node/statement_json.hpp"

namespace quarry::node {
namespace {

using rollup::BindingPoint;
using rollup::JoinPoint;
using rollup::JoinStatement;
using rollup::L1Binding;
using rollup::TerminalItem;

constexpr std::string_view kBundleStart = "{\"kind\":\"bundle\"";
constexpr const char* kRemedy = "give the statement that was written beside the proof";

Problem bad_statement(const char* name, const std::string& why) {
    return {Problem::Kind::bad_input, name, "the statement cannot be read: " + why, kRemedy};
}
Problem bad_statement(const JsonError& error) {
    const std::string field = error.field.empty() ? "" : fmt::format(" (field {})", error.field);
    return bad_statement(json_code_name(error.code), json_code_text(error.code) + field);
}

// --- joins: each part written and read side by side ---

void write_bound(ObjectWriter& w, const std::string& name, const BindingPoint& p) {
    write_accumulator(w, name, p.words);
    write_accumulator(w, name + "_bindings", p.bindings);
}
BindingPoint read_bound(ObjectReader& r, const std::string& name) {
    return {read_accumulator(r, name), read_accumulator(r, name + "_bindings")};
}

void write_point(ObjectWriter& w, const std::string& prefix, const JoinPoint& p) {
    write_point(w, prefix, p.operations);
    write_bound(w, prefix + "bound_data", p.data);
    write_bound(w, prefix + "bound_effects", p.effects);
}
JoinPoint read_join_point(ObjectReader& r, const std::string& prefix) {
    return {read_point(r, prefix), read_bound(r, prefix + "bound_data"), read_bound(r, prefix + "bound_effects")};
}

void write_work(ObjectWriter& w, const rollup::Work& work) {
    w.integer("work_units", work.units).elements("work_root", work.root);
}
rollup::Work read_work(ObjectReader& r) { return {r.integer<std::uint32_t>("work_units"), r.digest("work_root")}; }

std::string join_text(const JoinStatement& s) {
    ObjectWriter w("\n  ");
    w.text("kind", "join").elements("domain", s.domain).elements("header", s.header).address("payee", s.payee);
    write_point(w, "before_", s.before);
    write_point(w, "after_", s.after);
    write_work(w, s.work);
    return std::move(w).finish() + "\n";
}
Outcome<NodeStatement> parse_join(std::string_view text) {
    ObjectReader r(text, kMaxNodeStatementBytes);
    JoinStatement s;
    if (r.text("kind") != "join") r.refuse(JsonCode::unknown_type, "kind");
    s.domain = r.digest("domain");
    s.header = r.digest("header");
    s.payee = r.address("payee");
    s.before = read_join_point(r, "before_");
    s.after = read_join_point(r, "after_");
    s.work = read_work(r);
    if (const auto error = r.finish()) return bad_statement(*error);
    return NodeStatement(s);
}

// --- bundles ---

void write_binding(ObjectWriter& w, const std::string& name, const L1Binding& b) {
    w.text(name + "_form", b.form == rollup::BindingForm::blob ? "blob" : "calldata").integer(name + "_words", b.words);
    w.hex(name + "_hash", b.l1_hash).elements(name + "_point", b.point).hex(name + "_value", b.value);
}
L1Binding read_binding(ObjectReader& r, const std::string& name) {
    L1Binding b;
    const std::string_view form = r.text(name + "_form");
    b.form = form == "blob" ? rollup::BindingForm::blob : rollup::BindingForm::horner;
    if (form != "blob" && form != "calldata") r.refuse(JsonCode::unknown_type, name + "_form");
    b.words = r.integer<std::uint32_t>(name + "_words");
    b.l1_hash = r.bytes<32>(name + "_hash");
    b.point = r.digest(name + "_point");
    b.value = r.bytes<32>(name + "_value");
    return b;
}

std::string data_name(std::size_t i) { return "data_" + std::to_string(i + 1); }

std::string item_line(const TerminalItem& item) {
    ObjectWriter w;
    w.elements("domain", item.batch.domain).address("payee", item.batch.payee);
    write_state(w, "before_", item.batch.before);
    w.hex("header", rollup::encode(item.header));
    write_work(w, item.batch.work);
    for (std::size_t i = 0; i < item.data.size(); ++i) write_binding(w, data_name(i), item.data[i]);
    if (item.effects) write_binding(w, "effects", *item.effects);
    return std::move(w).finish() + "\n";
}
/// Header hash and lists of bindings are those of what the line shows.
Outcome<TerminalItem> parse_item(std::string_view line) {
    ObjectReader r(line, kMaxNodeStatementBytes);
    const Digest domain = r.digest("domain");
    const rollup::L1Address payee = r.address("payee");
    const rollup::State before = read_state(r, "before_");
    const auto header = rollup::parse_header(r.bytes<rollup::kHeaderBytes>("header"));
    const rollup::Work work = read_work(r);
    std::vector<L1Binding> data;
    while (data.size() < rollup::kMaxDataBindings && r.has(data_name(data.size()) + "_form")) {
        data.push_back(read_binding(r, data_name(data.size())));
    }
    std::optional<L1Binding> effects;
    if (r.has("effects_form")) effects = read_binding(r, "effects");
    if (const auto error = r.finish()) return bad_statement(*error);
    if (!header) return bad_statement(rollup::reject_name(header.code()), rollup::reject_text(header.code()));
    TerminalItem item = make_item(domain, payee, before, header.value(), std::move(data), effects);
    item.batch.work = work;
    return item;
}

std::string bundle_text(const BundleContent& bundle) {
    ObjectWriter w;
    w.text("kind", "bundle").integer("depth", bundle.depth).integer("batches", bundle.items.size());
    std::string text = std::move(w).finish() + "\n";
    for (const TerminalItem& item : bundle.items) text += item_line(item);
    return text;
}

Outcome<NodeStatement> parse_bundle(std::string_view whole) {
    std::string_view text = whole;
    const auto take_line = [&] {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        return line;
    };
    ObjectReader head(take_line(), kMaxNodeStatementBytes);
    BundleContent bundle;
    (void)head.text("kind");
    bundle.depth = head.integer<std::uint32_t>("depth");
    const auto count = head.integer<std::uint32_t>("batches");
    if (const auto error = head.finish()) return bad_statement(*error);
    if (bundle.depth > rollup::kMaxBundleDepth || count == 0 || count > 1U << bundle.depth) {
        return bad_statement("bundle_shape", rollup::reject_text(rollup::RejectCode::bundle_shape));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        auto item = parse_item(take_line());
        if (!item) return item.error();
        bundle.items.push_back(std::move(item).value());
    }
    // One text for each bundle, and nothing in it that L1 would refuse.
    const unsigned log_profile = bundle.depth == 0 ? 0 : (bundle.depth <= 2 ? 2 : 4);
    const auto opened = rollup::open(bundle.statement(), log_profile, bundle.items);
    if (!opened) return bad_statement(rollup::reject_name(opened.code()), rollup::reject_text(opened.code()));
    if (bundle_text(bundle) != whole) {
        return bad_statement("non_canonical", "a bundle is written in one way only");
    }
    return NodeStatement(std::move(bundle));
}

}  // namespace

rollup::BundleStatement BundleContent::statement() const {
    std::vector<Digest> digests;
    for (const TerminalItem& item : items) digests.push_back(digest(item.batch));
    return rollup::bundle_of(digests, depth);
}

rollup::StatementKind kind_of(const NodeStatement& statement) noexcept {
    return std::holds_alternative<JoinStatement>(statement) ? rollup::StatementKind::join
                                                            : rollup::StatementKind::bundle;
}

const char* kind_name(const NodeStatement& statement) noexcept {
    const auto* bundle = std::get_if<BundleContent>(&statement);
    if (bundle == nullptr) return "join";
    return bundle->depth == 0 ? "batch" : "bundle";
}

Digest digest_of(const NodeStatement& statement) {
    if (const auto* join = std::get_if<JoinStatement>(&statement)) return digest(*join);
    return digest(std::get<BundleContent>(statement).statement());
}

std::string to_text(const NodeStatement& statement) {
    if (const auto* join = std::get_if<JoinStatement>(&statement)) return join_text(*join);
    return bundle_text(std::get<BundleContent>(statement));
}

Outcome<NodeStatement> parse_node_statement(std::string_view text) {
    if (text.size() > kMaxNodeStatementBytes) return bad_statement(JsonError{JsonCode::too_long, ""});
    return text.starts_with(kBundleStart) ? parse_bundle(text) : parse_join(text);
}

TerminalItem make_item(const Digest& domain, const rollup::L1Address& payee, const rollup::State& before,
                       const rollup::Header& header, std::vector<L1Binding> data, std::optional<L1Binding> effects) {
    TerminalItem item;
    item.header = header;
    item.batch.domain = domain;
    item.batch.header = rollup::header_hash(header);
    item.batch.payee = payee;
    item.batch.before = before;
    item.batch.after = header.post_state();
    item.batch.data = rollup::binding_list(data);
    item.batch.effects =
        rollup::binding_list(effects ? std::span<const L1Binding>(&*effects, 1) : std::span<const L1Binding>());
    item.data = std::move(data);
    item.effects = effects;
    return item;
}

}  // namespace quarry::node
