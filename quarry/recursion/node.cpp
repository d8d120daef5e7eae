#include "quarry/recursion/node.hpp"

#include <algorithm>
#include <bit>

#include "quarry/base/check.hpp"
#include "quarry/recursion/verifier_backend.hpp"
#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/fee_ledger.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::recursion {
namespace {

using rollup::StatementKind;

Elements constants(std::span<const KoalaBear> values) { return {values.begin(), values.end()}; }
Elements copy(std::span<const BaseExpr> wires) { return {wires.begin(), wires.end()}; }

void require_equal(CircuitBuilder& b, std::span<const BaseExpr> x, std::span<const BaseExpr> y) {
    QUARRY_CHECK(x.size() == y.size());
    for (std::size_t i = 0; i < x.size(); ++i) b.require_equal(x[i].lifted(), y[i].lifted());
}

template <class Shape>
void check_shape(const Shape& shape, const Proof& proof) {
    QUARRY_CHECK(proof.heights == shape.heights && proof.security_bits == shape.security_bits);
}

std::vector<KoalaBear> slice(const std::vector<KoalaBear>& elements, Slice s) {
    const auto begin = elements.begin() + static_cast<std::ptrdiff_t>(s.begin);
    return {begin, begin + static_cast<std::ptrdiff_t>(s.size)};
}

// Places in rollup::elements(Header).
constexpr std::size_t kHeaderElements = 85;
constexpr Slice kByteLength{23, 2}, kPostRoot{76, 8};
constexpr std::size_t kVersion = 0, kNumEffects = 35, kPostSlotCount = 84;
constexpr Slice kDepositCursor{36, 4}, kForcedCursor{56, 4};

}  // namespace

NodeBuilder::NodeBuilder(const Digest& keys, std::uint32_t version) : keys_(b_.witness(keys)), version_(version) {}

Elements NodeBuilder::head(const Digest& domain, const Digest& header, const rollup::L1Address& payee) {
    const auto values = elements(rollup::JoinStatement{
        .domain = domain, .header = header, .payee = payee, .before = {}, .after = {}, .work = {}});
    Elements e{number(static_cast<std::uint32_t>(StatementKind::join)), number(version_)};
    append_to(e, witnesses(b_, std::span(values).subspan(2, kHead.size - 2)));
    return e;
}

Elements NodeBuilder::point(const rollup::JoinPoint& start) {
    const auto values = elements(
        rollup::JoinStatement{.domain = {}, .header = {}, .payee = {}, .before = start, .after = {}, .work = {}});
    return witnesses(b_, slice(values, kJoinBefore));
}

void NodeBuilder::append(const Elements& head, const Elements& before, Elements after, std::span<const BaseExpr> work) {
    work_ = has_part_ ? merge_work(b_, work_, work) : copy(work);
    if (!has_part_) {
        head_ = head;
        before_ = before;
    }
    after_ = std::move(after);
    has_part_ = true;
}

void NodeBuilder::segment(const LeafShape& shape, const rollup::SegmentStatement& statement, const Proof& proof,
                          const rollup::JoinPoint& start) {
    const Elements head = has_part_ ? head_ : this->head(statement.domain, statement.header, statement.payee);
    const Elements before = has_part_ ? after_ : point(start);
    const auto values = elements(statement);

    Elements e{number(static_cast<std::uint32_t>(StatementKind::segment)), number(version_)};
    append_to(e, std::span(head).subspan(2));
    append_to(e, kOperations.of(before));
    append_to(e, witnesses(b_, slice(values, kSegmentAfter)));
    append_to(e, witnesses(b_, slice(values, kSegmentWork)));
    verify_leaf(shape, segment_layout().on_wires(e), proof);

    // What circuits::verify_segment checks before it verifies: no count has another meaning modulo p, and someone is
    // paid for the words that were applied.
    const auto after = kSegmentAfter.of(e);
    const auto work = kSegmentWork.of(e);
    for (const auto& p : {kSegmentBefore.of(e), after}) {
        require_slot_count(p[kSlotCount]);
        require_at_most(p[kDataCount], rollup::kMaxBatchWords);
        require_at_most(p[kEffectsCount], rollup::kMaxEffects);
    }
    b_.require_below(work[0], 16);
    b_.require_below(work[1], 16);
    const BaseExpr units = work[0] + work[1] * number(1 << 16);
    b_.require_equal(units.lifted(), (after[kDataCount] - kSegmentBefore.of(e)[kDataCount]).lifted());
    require_payee(kPayee.of(e));

    Elements end = copy(after);
    append_to(end, std::span(before).subspan(kPointSize));
    append(head, before, std::move(end), work);
}

void NodeBuilder::verify_leaf(const LeafShape& shape, const BasicStatement<BaseExpr>& statement, const Proof& proof) {
    check_shape(shape, proof);
    const StackLayout layout = make_stack_layout(*shape.circuit, shape.heights).value();
    QUARRY_CHECK(check_key(*shape.circuit, shape.key, layout.log_size, shape.security_bits).ok());
    std::optional<DigestWire> root;
    if (shape.key != nullptr) root = b_.constant(shape.key->preprocessed_root);
    verify_in_circuit(b_, *shape.circuit, proof, statement, root);
}

void NodeBuilder::require_payee(std::span<const BaseExpr> limbs) {
    // Ten limbs of 16 bits: their sum is zero for nobody's address alone.
    BaseExpr sum = number(0);
    for (const BaseExpr& limb : limbs) {
        b_.require_below(limb, 16);
        sum = sum + limb;
    }
    (void)b_.inverse(sum.lifted());
}

void NodeBuilder::require_at_most(const BaseExpr& x, std::uint32_t limit) {
    QUARRY_CHECK(limit < 1U << kIndexBitLimit);
    b_.require_below(x, kIndexBitLimit);
    b_.require_below(number(limit) - x, kIndexBitLimit);
}

void NodeBuilder::require_slot_count(const BaseExpr& x) {
    // x = low + 2^24 high with high <= 64, and low = 0 if high = 64: then 64 - high has no inverse to offer.
    static_assert(rollup::kMaxSlots == 64U << kIndexBitLimit);
    const std::uint32_t value = x.value().canonical();
    const BaseExpr low = b_.base_witness(number(value & ((1U << kIndexBitLimit) - 1)).value());
    const BaseExpr high = b_.base_witness(number(value >> kIndexBitLimit).value());
    b_.require_below(low, kIndexBitLimit);
    require_at_most(high, 64);
    b_.require_equal(x.lifted(), (low + high * number(1U << kIndexBitLimit)).lifted());
    const BaseExpr left = number(64) - high;
    const BaseExpr inverse = b_.base_witness(left.value().is_zero() ? KoalaBear() : left.value().inverse());
    b_.require_equal(low.lifted(), (low * (left * inverse)).lifted());
}

void NodeBuilder::data(const LeafShape& shape, rollup::DataRole role, const rollup::DataStatement& statement,
                       const Proof& proof, const Digest& domain, const Digest& header, const rollup::JoinPoint& start) {
    const Elements head = has_part_ ? head_ : this->head(domain, header, statement.payee);
    const Elements before = has_part_ ? after_ : point(start);
    const bool is_data = role == rollup::DataRole::data;
    const std::size_t at = is_data ? kDataBinding.begin : kEffectsBinding.begin;
    const auto values = elements(statement);
    QUARRY_CHECK(values.size() == kDataElements);

    // The run begins where the words bound so far end, and its payee is the part's.
    Elements e{number(static_cast<std::uint32_t>(StatementKind::data)), number(version_)};
    append_to(e, kPayee.of(head));
    const BaseExpr form = is_data ? b_.base_witness(values[kDataForm]) : number(0);
    e.push_back(form);
    append_to(e, std::span(before).subspan(at, kBlock));
    append_to(e, witnesses(b_, std::span(values).subspan(kDataAfter.begin)));
    verify_leaf(shape, data_layout().on_wires(e), proof);

    // What circuits::verify_data checks before it verifies.
    const ExtensionExpr one{ExtField(1)};
    const ExtensionExpr zero{ExtField()};
    const BaseExpr& words = e[kDataWords];
    const auto work = kDataWork.of(e);
    require_payee(kDataPayee.of(e));
    b_.require_equal(form.lifted() * (one - form.lifted()), zero);
    require_at_most(words, is_data ? std::uint32_t{rollup::kMaxDataWords} : rollup::kMaxEffectWords);
    b_.require_below(work[0], 16);
    b_.require_equal(work[1].lifted(), zero);
    b_.require_below(work[0] * number(rollup::kDataWordsPerUnit) - words, 3);
    static_assert(rollup::kDataWordsPerUnit == 8);

    // rollup::bind_data and bind_effects.
    const BaseExpr& bound_words = before[at + kBlock];
    const BaseExpr& bindings = before[at + kBindingSize - 1];
    b_.require_equal((one - form.lifted()) * bindings.lifted(), zero);
    if (is_data) {
        b_.require_equal(form.lifted() * (bound_words - bindings * number(rollup::kBlobWords)).lifted(), zero);
        require_at_most(bindings + number(1), rollup::kMaxDataBindings);
        require_at_most(bound_words + words, rollup::kMaxBatchWords);
    }
    Elements binding{form, words};
    append_to(binding, std::span(e).subspan(kDataL1Hash.begin, kDataL1Hash.size + kDataPointAndValue.size));
    const DigestWire list = b_.chain(b_.gather(std::span(before).subspan(at + kBlock + 1, kBlock)), binding);
    Elements end = before;
    std::copy_n(kDataAfter.of(e).begin(), kBlock, end.begin() + static_cast<std::ptrdiff_t>(at));
    end[at + kBlock] = bound_words + words;
    const auto new_list = b_.elements(list);
    std::copy_n(new_list.begin(), kBlock, end.begin() + static_cast<std::ptrdiff_t>(at + kBlock + 1));
    end[at + kBindingSize - 1] = bindings + number(1);
    append(head, before, std::move(end), work);
}

DigestWire exposed_wire(CircuitBuilder& b, StatementKind kind, const DigestWire& keys, const DigestWire& statement) {
    Elements exposed{number(static_cast<std::uint32_t>(kind))};
    append_to(exposed, b.elements(keys));
    append_to(exposed, b.elements(statement));
    return tagged_chain(b, "quarry/recursion/v1", exposed);
}

BasicStatement<BaseExpr> statement_wires(CircuitBuilder& b, const DigestWire& exposed) {
    BasicStatement<BaseExpr> wires;
    BasicPublicTuple<BaseExpr> tuple{kDigestBus, number(1), {number(kPublicDigest)}};
    for (const BaseExpr& x : b.elements(exposed)) tuple.tuple.push_back(x);
    wires.tuples.push_back(std::move(tuple));
    return wires;
}

DigestWire verify_child(CircuitBuilder& b, const DigestWire& keys, const NodeShape& shape, StatementKind kind,
                        const DigestWire& statement, const Proof& proof, const ChildKey& key) {
    // The key is one that the table has for this kind and size, and the child says under which table it was made.
    const DigestWire root = b.witness(key.preprocessed_root);
    Elements leaf{number(static_cast<std::uint32_t>(kind)), number(static_cast<std::uint32_t>(shape.size))};
    append_to(leaf, b.elements(root));
    b.require_member(keys, b.constant(rollup::chain_start("quarry/key/v1")), leaf, key.entry, key.path);

    const DigestWire exposed = exposed_wire(b, kind, keys, statement);
    const BasicStatement<BaseExpr> wires = statement_wires(b, exposed);
    check_shape(shape, proof);
    verify_in_circuit(b, *shape.circuit, proof, wires, root);
    return exposed;
}

void NodeBuilder::verify_node(const NodeShape& shape, StatementKind kind, const DigestWire& statement,
                              const Proof& proof, const ChildKey& key) {
    (void)verify_child(b_, keys_, shape, kind, statement, proof, key);
}

void NodeBuilder::join(const NodeShape& shape, const rollup::JoinStatement& statement, const Proof& proof,
                       const ChildKey& key) {
    const auto values = elements(statement);
    const Elements head = has_part_ ? head_ : this->head(statement.domain, statement.header, statement.payee);
    Elements e = head;
    const Elements before = has_part_ ? after_ : witnesses(b_, slice(values, kJoinBefore));
    append_to(e, before);
    const Elements after = witnesses(b_, slice(values, kJoinAfter));
    append_to(e, after);
    const Elements work = witnesses(b_, slice(values, kJoinWork));
    append_to(e, work);
    verify_node(shape, StatementKind::join, tagged_chain(b_, "quarry/join/v1", e), proof, key);
    append(head, before, after, work);
}

CircuitRows NodeBuilder::expose(StatementKind kind, const DigestWire& statement) {
    b_.expose(exposed_wire(b_, kind, keys_, statement));
    return std::move(b_).finish();
}

CircuitRows NodeBuilder::finish_join() && {
    QUARRY_CHECK(has_part_);
    Elements e = head_;
    append_to(e, before_);
    append_to(e, after_);
    append_to(e, work_);
    QUARRY_CHECK(e.size() == kJoinElements);
    const DigestWire statement = tagged_chain(b_, "quarry/join/v1", e);
    return expose(StatementKind::join, statement);
}

void NodeBuilder::close(const rollup::Header& header) {
    QUARRY_CHECK(has_part_);
    const auto values = elements(header);
    QUARRY_CHECK(values.size() == kHeaderElements);
    const Elements h = witnesses(b_, values);
    const Slice header_digest{10, 8};
    const auto hash = header_digest.of(head_);
    const DigestWire hash_of_h = tagged_chain(b_, "quarry/header/v1", h);
    b_.require_equal(hash_of_h, b_.gather(hash));
    // A header's version selects the keys: these are of one version.
    b_.require_equal(h[kVersion].lifted(), number(version_).lifted());

    const auto start = [&](std::size_t at, std::span<const KoalaBear> expected, const Elements& of) {
        require_equal(b_, std::span(of).subspan(at, expected.size()), constants(expected));
    };
    const auto elements_of = [](const Digest& d, std::uint32_t count) {
        std::vector<KoalaBear> e(d.begin(), d.end());
        e.emplace_back(count);
        return e;
    };
    const Digest no_fees = rollup::FeeLedger().digest();
    const rollup::BindingPoint no_effects = rollup::binding_start(rollup::effects_start().digest);
    constexpr std::size_t kFees = 17, kData = 25, kEffects = 34;
    const std::size_t data = kDataBinding.begin;
    const std::size_t effects = kEffectsBinding.begin;

    // Operations start where a batch starts, and end at what the header claims.
    start(kFees, no_fees, before_);
    require_equal(b_, std::span(before_).subspan(kData, 8), hash);
    start(kData + 8, std::array{KoalaBear()}, before_);
    start(kEffects, elements_of(rollup::effects_start().digest, 0), before_);
    start(kFees, no_fees, after_);
    require_equal(b_, std::span(after_).first(8), kPostRoot.of(h));
    b_.require_equal(after_[8].lifted(), h[kPostSlotCount].lifted());
    require_equal(b_, std::span(after_).subspan(9, 4), kDepositCursor.of(h));
    require_equal(b_, std::span(after_).subspan(13, 4), kForcedCursor.of(h));
    const auto length = kByteLength.of(h);
    b_.require_below(length[0], 16);
    b_.require_below(length[1], 8);
    const BaseExpr num_bytes = after_[kDataCount] * number(rollup::kWordBytes);
    b_.require_equal(num_bytes.lifted(), (length[0] + length[1] * number(1 << 16)).lifted());
    b_.require_equal(after_[kEffectsCount].lifted(), h[kNumEffects].lifted());

    // All data is bound, by one binding or more.
    require_equal(b_, std::span(before_).subspan(data, 8), hash);
    start(data + 8, std::array{KoalaBear()}, before_);
    start(data + 9, elements_of(rollup::binding_start({}).bindings.digest, 0), before_);
    require_equal(b_, std::span(after_).subspan(data, 9), std::span(after_).subspan(kData, 9));
    (void)b_.inverse(after_[data + 17].lifted());

    // The effects are bound by one binding if there are some, and by none if there are none.
    start(effects, elements_of(no_effects.words.digest, 0), before_);
    start(effects + 9, elements_of(no_effects.bindings.digest, 0), before_);
    const BaseExpr bound = after_[effects + 17];
    const ExtensionExpr unbound = ExtensionExpr(ExtField(1)) - bound.lifted();
    const ExtensionExpr zero{ExtField()};
    b_.require_equal(bound.lifted() * unbound, zero);
    const KoalaBear num_effects = h[kNumEffects].value();
    const BaseExpr inverse = b_.base_witness(num_effects.is_zero() ? KoalaBear() : num_effects.inverse());
    b_.require_equal((h[kNumEffects] * inverse).lifted(), bound.lifted());
    b_.require_equal(h[kNumEffects].lifted() * unbound, zero);
    for (std::size_t i = 0; i < 8; ++i) {
        b_.require_equal(bound.lifted() * (after_[effects + i] - after_[kEffects + i]).lifted(), zero);
    }
    for (std::size_t i = 0; i < kBindingSize; ++i) {
        b_.require_equal(unbound * (after_[effects + i] - before_[effects + i]).lifted(), zero);
    }

    Elements e{number(static_cast<std::uint32_t>(StatementKind::batch)), number(version_)};
    append_to(e, std::span(head_).subspan(2));
    append_to(e, std::span(before_).first(kFees));
    append_to(e, std::span(after_).first(kFees));
    append_to(e, std::span(after_).subspan(data + 9, 9));
    append_to(e, std::span(after_).subspan(effects + 9, 9));
    append_to(e, work_);
    bundles_.push_back({number(0), number(1), tagged_chain(b_, "quarry/batch/v1", e)});
    has_part_ = false;
}

void NodeBuilder::bundle(const NodeShape& shape, const rollup::BundleStatement& statement, const Proof& proof,
                         const ChildKey& key) {
    const auto values = elements(statement);
    const BaseExpr depth = bundles_.empty() ? b_.base_witness(values[2]) : bundles_.front().depth;
    const BaseExpr count = b_.base_witness(values[3]);
    const DigestWire root = b_.witness(statement.root);
    Elements e{number(static_cast<std::uint32_t>(StatementKind::bundle)), number(version_), depth, count};
    append_to(e, b_.elements(root));
    verify_node(shape, StatementKind::bundle, tagged_chain(b_, "quarry/bundle/v1", e), proof, key);
    bundles_.push_back({depth, count, root});
}

void NodeBuilder::widen() {
    QUARRY_CHECK(bundles_.size() == 1);
    bundles_.push_back({bundles_.front().depth, number(0), b_.constant(Digest{})});
}

NodeBuilder::Bundle NodeBuilder::halves(const Bundle& left, const Bundle& right) {
    const auto is_known = [](const BaseExpr& x) { return x.lifted().is_constant(); };
    const bool absent = is_known(right.count) && right.count.value().is_zero();
    if (is_known(left.depth) && is_known(left.count)) {
        // Batches that were closed here.
        QUARRY_CHECK(!absent && left.count.value() == KoalaBear(1U << left.depth.value().canonical()));
    } else {
        // A left half before another half is full: count = 2^depth, depth below 4.
        b_.require_below(left.depth, 2);
        if (!absent) {
            const ExtensionExpr d = left.depth.lifted();
            const ExtensionExpr one{ExtField(1)};
            const ExtensionExpr two = d * (d - one) * KoalaBear(2).inverse();
            const ExtensionExpr three = two * (d - ExtensionExpr(ExtField(2))) * KoalaBear(3).inverse();
            b_.require_equal(left.count.lifted(), one + d + two + three);
        }
    }
    return {left.depth + number(1), left.count + right.count, b_.compress(left.root, right.root)};
}

CircuitRows NodeBuilder::finish_bundle() && {
    QUARRY_CHECK(std::has_single_bit(bundles_.size()));
    while (bundles_.size() > 1) {
        for (std::size_t i = 0; i < bundles_.size() / 2; ++i)
            bundles_[i] = halves(bundles_[2 * i], bundles_[2 * i + 1]);
        bundles_.resize(bundles_.size() / 2);
    }
    const Bundle& whole = bundles_.front();
    Elements e{number(static_cast<std::uint32_t>(StatementKind::bundle)), number(version_), whole.depth, whole.count};
    append_to(e, b_.elements(whole.root));
    const DigestWire statement = tagged_chain(b_, "quarry/bundle/v1", e);
    return expose(StatementKind::bundle, statement);
}

}  // namespace quarry::recursion
