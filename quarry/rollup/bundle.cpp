#include "quarry/rollup/bundle.hpp"

#include <utility>

#include "quarry/rollup/statement_elements.hpp"

namespace quarry::rollup {

namespace {

std::uint32_t capacity(unsigned depth) { return std::uint32_t{1} << depth; }

bool is_bundle(const BundleStatement& b) {
    return b.depth <= kMaxBundleDepth && b.count >= 1 && b.count <= capacity(b.depth);
}

/// Writes 16-bit limbs.
class LimbWriter {
  public:
    /// Each element as two limbs, the lower one first.
    void elements(std::span<const KoalaBear> xs) {
        for (const KoalaBear x : xs) w_.limbs(x.canonical());
    }
    template <class T>
    void limbs(T x) {
        w_.limbs(x);
    }
    void bytes(std::span<const std::uint8_t> x) { w_.big_endian(x); }
    [[nodiscard]] std::vector<KoalaBear> take() const { return w_.elements(); }

  private:
    ElementWriter w_;
};

void write_header(LimbWriter& w, const Header& h) {
    w.limbs(h.version);
    w.limbs(h.rollup_id);
    w.limbs(h.number);
    w.bytes(h.parent_hash);
    w.limbs(h.byte_length);
    w.limbs(h.timestamp);
    w.elements(h.fee_receiver);
    w.limbs(h.num_effects);
    w.limbs(h.deposit_cursor);
    w.bytes(h.deposit_hash);
    w.limbs(h.forced_cursor);
    w.bytes(h.forced_hash);
    w.elements(h.post_root);
    w.limbs(h.post_slot_count);
}

void write_state(LimbWriter& w, const State& s) {
    w.elements(s.root);
    w.limbs(s.slot_count);
    w.limbs(s.deposit_cursor);
    w.limbs(s.forced_cursor);
}

/// 51 limbs, the first of them form + 1; all zero where there is no binding.
void write_binding(LimbWriter& w, const L1Binding* binding) {
    const L1Binding b = binding != nullptr ? *binding : L1Binding{};
    w.limbs(static_cast<std::uint16_t>(binding != nullptr ? static_cast<std::uint32_t>(b.form) + 1 : 0));
    w.limbs(b.words);
    w.bytes(b.l1_hash);
    w.elements(b.point);
    w.bytes(b.value);
}

std::vector<KoalaBear> item_limbs(const TerminalItem& item) {
    LimbWriter w;
    w.elements(item.batch.domain);
    write_header(w, item.header);
    w.bytes(item.batch.payee.bytes);
    write_state(w, item.batch.before);
    w.limbs(item.batch.work.units);
    w.elements(item.batch.work.root);
    for (std::size_t i = 0; i < kMaxDataBindings; ++i) write_binding(w, i < item.data.size() ? &item.data[i] : nullptr);
    write_binding(w, item.effects ? &*item.effects : nullptr);
    return w.take();
}

/// That blobs, or one calldata, are the whole of the batch's data.
Verdict check_forms(const TerminalItem& item) {
    for (std::size_t i = 0; i < item.data.size(); ++i) {
        if (item.data[i].form == BindingForm::horner && item.data.size() != 1) return RejectCode::binding_order;
    }
    return Accepted{};
}

Verdict check_item(const TerminalItem& item) {
    if (header_hash(item.header) != item.batch.header) return RejectCode::header_mismatch;
    if (item.header.post_state() != item.batch.after) return RejectCode::root_mismatch;
    if (item.data.size() > kMaxDataBindings) return RejectCode::limit_exceeded;
    if (binding_list(item.data) != item.batch.data) return RejectCode::binding_mismatch;
    const std::span<const L1Binding> effects =
        item.effects ? std::span<const L1Binding>(&*item.effects, 1) : std::span<const L1Binding>();
    if (binding_list(effects) != item.batch.effects) return RejectCode::binding_mismatch;
    return check_forms(item);
}

}  // namespace

BundleStatement bundle_of(const BatchStatement& batch) { return {0, 1, digest(batch)}; }

BundleStatement bundle_of(std::span<const Digest> items, unsigned depth) {
    QUARRY_CHECK(depth <= kMaxBundleDepth && !items.empty() && items.size() <= capacity(depth));
    std::vector<Digest> level(items.begin(), items.end());
    level.resize(capacity(depth));
    for (unsigned d = 0; d < depth; ++d) {
        for (std::size_t i = 0; i < level.size() / 2; ++i) {
            const bool absent = (i << (d + 1)) >= items.size();
            level[i] = absent ? Digest{} : poseidon_compress(level[2 * i], level[2 * i + 1]);
        }
        level.resize(level.size() / 2);
    }
    return {depth, static_cast<std::uint32_t>(items.size()), level[0]};
}

Checked<BundleStatement> widen(const BundleStatement& bundle, unsigned depth) {
    if (depth > kMaxBundleDepth) return RejectCode::limit_exceeded;
    if (!is_bundle(bundle) || bundle.depth > depth) return RejectCode::bundle_shape;
    BundleStatement r = bundle;
    for (; r.depth < depth; ++r.depth) r.root = poseidon_compress(r.root, Digest{});
    return r;
}

Checked<BundleStatement> merge(const BundleStatement& left, const BundleStatement& right) {
    if (!is_bundle(left) || !is_bundle(right)) return RejectCode::bundle_shape;
    if (left.count != capacity(left.depth) || right.depth > left.depth) return RejectCode::bundle_shape;
    if (left.depth == kMaxBundleDepth) return RejectCode::limit_exceeded;
    const BundleStatement wide = widen(right, left.depth).value();
    return BundleStatement{left.depth + 1, left.count + right.count, poseidon_compress(left.root, wide.root)};
}

std::vector<KoalaBear> elements(const BundleStatement& s) {
    ElementWriter w;
    write_kind(w, StatementKind::bundle);
    w.small(s.depth);
    w.small(s.count);
    w.digest(s.root);
    return w.elements();
}

Digest digest(const BundleStatement& statement) { return hash_elements("quarry/bundle/v1", elements(statement)); }

Checked<TerminalStatement> open(const BundleStatement& bundle, unsigned log_profile, std::vector<TerminalItem> items) {
    if (log_profile != 0 && log_profile != 2 && log_profile != 4) return RejectCode::limit_exceeded;
    const auto wide = widen(bundle, log_profile);
    QUARRY_REQUIRE(wide);
    if (items.size() != bundle.count) return RejectCode::bundle_mismatch;
    std::vector<Digest> digests;
    for (const TerminalItem& item : items) {
        QUARRY_REQUIRE(check_item(item));
        digests.push_back(digest(item.batch));
    }
    if (bundle_of(digests, log_profile) != wide.value()) return RejectCode::bundle_mismatch;
    return TerminalStatement{log_profile, std::move(items)};
}

std::vector<KoalaBear> elements(const TerminalStatement& s) {
    QUARRY_CHECK(s.log_profile <= kMaxBundleDepth && s.items.size() <= capacity(s.log_profile));
    ElementWriter w;
    write_kind(w, StatementKind::terminal);
    w.small(capacity(s.log_profile));
    w.small(static_cast<std::uint32_t>(s.items.size()));
    std::vector<KoalaBear> r = w.elements();
    QUARRY_CHECK(r.size() == kTerminalHeadLimbs);
    for (const TerminalItem& item : s.items) {
        const std::vector<KoalaBear> limbs = item_limbs(item);
        QUARRY_CHECK(limbs.size() == kTerminalItemLimbs);
        r.insert(r.end(), limbs.begin(), limbs.end());
    }
    r.resize(kTerminalHeadLimbs + capacity(s.log_profile) * kTerminalItemLimbs);
    return r;
}

}  // namespace quarry::rollup
