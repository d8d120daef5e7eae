#include "quarry/recursion/terminal_item.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::recursion {
namespace {

using rollup::StatementKind;

/// The chain over these elements. Blocks of eight wires in a row, which most limbs are, are read as a digest, with one
/// row for eight.
DigestWire chain_of_limbs(CircuitBuilder& b, DigestWire state, std::span<const BaseExpr> elements) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < elements.size(); at += kBlock) {
        if (at + kBlock > elements.size() || !CircuitBuilder::are_in_a_row(elements.subspan(at, kBlock))) continue;
        if (begin < at) state = b.chain(state, elements.subspan(begin, at - begin));
        state = b.compress(state, b.gather(elements.subspan(at, kBlock)));
        begin = at + kBlock;
    }
    return begin < elements.size() ? b.chain(state, elements.subspan(begin)) : state;
}
DigestWire chain_of_limbs(CircuitBuilder& b, std::string_view tag, std::span<const BaseExpr> elements) {
    return chain_of_limbs(b, b.constant(rollup::chain_start(tag)), elements);
}

void require_boolean(CircuitBuilder& b, const BaseExpr& x) {
    b.require_equal(x.lifted() * (kOneExpr - x.lifted()), kZeroExpr);
}

/// Takes the limbs of an item one after the other, as the elements that statements have.
class LimbReader {
  public:
    LimbReader(CircuitBuilder& builder, Elements limbs) : builder_(&builder), limbs_(std::move(limbs)) {}
    [[nodiscard]] Elements take(std::size_t count) {
        QUARRY_CHECK(at_ + count <= limbs_.size());
        const auto begin = limbs_.begin() + static_cast<std::ptrdiff_t>(at_);
        at_ += count;
        return {begin, begin + static_cast<std::ptrdiff_t>(count)};
    }
    [[nodiscard]] BaseExpr limb() { return take(1)[0]; }
    /// Limbs that two statements have.
    [[nodiscard]] Elements take_copies(std::size_t count) {
        Elements limbs = take(count);
        for (BaseExpr& x : limbs) x = builder_->copy(x);
        return limbs;
    }
    [[nodiscard]] Elements digest() {
        Elements elements;
        for (std::size_t i = 0; i < kBlock; ++i) {
            const BaseExpr low = limb();
            elements.push_back(pair(*builder_, low, limb()));
        }
        return elements;
    }
    /// At most rollup::kMaxSlots, up to the low limb: below p, so that no other limbs are the same element.
    [[nodiscard]] BaseExpr slot_count() {
        static_assert(rollup::kMaxSlots % (1U << 16) == 0 && rollup::kMaxSlots + 0xffff < KoalaBear::kModulus);
        const BaseExpr low = limb();
        const BaseExpr high = builder_->copy(limb());
        builder_->require_below(number(rollup::kMaxSlots >> 16) - high, kIndexBitLimit);
        return pair(*builder_, low, high);
    }
    /// Below 2^16.
    [[nodiscard]] BaseExpr small() {
        BaseExpr low = limb();
        builder_->require_equal(limb().lifted(), kZeroExpr);
        return low;
    }
    [[nodiscard]] bool is_at_end() const { return at_ == limbs_.size(); }

  private:
    CircuitBuilder* builder_;
    Elements limbs_;
    std::size_t at_ = 0;
};

LimbReader read_rows(CircuitBuilder& b, std::span<const KoalaBear> limbs) {
    Elements all;
    for (std::size_t i = 0; i < limbs.size(); i += kPublicValues) {
        append_to(all, b.public_row(limbs.subspan(i, std::min(kPublicValues, limbs.size() - i))).values);
    }
    return {b, std::move(all)};
}

/// A binding as its list absorbs it, and what decides whether it is there.
struct BindingWires {
    Elements elements;
    BaseExpr form_plus_one;
    BaseExpr sum;  ///< of all limbs: zero iff each is
};

BindingWires read_binding(CircuitBuilder& b, std::span<const KoalaBear> limbs) {
    static_assert(kBindingLimbs == kFirstPublicValues && kItemRestLimbs <= kItemRestRows * kPublicValues);
    PublicRow row = b.public_row(limbs);
    LimbReader reader(b, std::move(row.values));
    BindingWires binding{.elements = {}, .form_plus_one = b.copy(reader.limb()), .sum = row.sum};
    binding.elements = {binding.form_plus_one - number(1), reader.small()};
    append_to(binding.elements, reader.take(16));  // L1 hash
    append_to(binding.elements, reader.digest());  // z
    append_to(binding.elements, reader.take(16));  // y
    QUARRY_CHECK(reader.is_at_end());
    return binding;
}

/// A list of bindings so far: its digest, by elements too, and how many there are.
struct BindingList {
    DigestWire digest;
    Elements elements;
    BaseExpr count;
};

/// The list with this binding behind it if `there`, and without a limb of it otherwise.
void append_if(CircuitBuilder& b, BindingList& list, const BindingWires& binding, const BaseExpr& there) {
    b.require_equal(binding.sum.lifted() * (kOneExpr - there.lifted()), kZeroExpr);
    const auto longer = b.elements_once(chain_of_limbs(b, list.digest, binding.elements));
    for (std::size_t i = 0; i < kBlock; ++i) {
        BaseExpr& x = list.elements[i];
        const ExtensionExpr sum = x.lifted() + there.lifted() * longer[i].lifted();
        x = BaseExpr(sum - there.lifted() * x.lifted());
        (void)b.wire(x.lifted());
    }
    list.digest = b.gather(list.elements);
    list.count = list.count + there;
}

BindingList read_data_bindings(CircuitBuilder& b, std::span<const KoalaBear> limbs) {
    // The first one is there in every batch: in an item that is not there it is zeros, with form -1.
    const BindingWires first = read_binding(b, limbs.first(kBindingLimbs));
    const DigestWire one = chain_of_limbs(b, b.constant(rollup::binding_start({}).bindings.digest), first.elements);
    const auto elements = b.elements(one);
    BindingList list{one, {elements.begin(), elements.end()}, number(1)};
    const BaseExpr blob = number(static_cast<std::uint64_t>(rollup::BindingForm::blob) + 1);
    BaseExpr before = number(1);
    for (std::size_t i = 1; i < rollup::kMaxDataBindings; ++i) {
        const std::span<const KoalaBear> of_this = limbs.subspan(i * kBindingLimbs, kBindingLimbs);
        const BindingWires binding = read_binding(b, of_this);
        const BaseExpr there = b.base_witness(KoalaBear(of_this[0].is_zero() ? 0 : 1));
        require_boolean(b, there);
        // None after one that is not there; calldata alone.
        b.require_equal(there.lifted() * (kOneExpr - before.lifted()), kZeroExpr);
        b.require_equal(there.lifted() * (blob - binding.form_plus_one).lifted(), kZeroExpr);
        if (i == 1) b.require_equal(there.lifted() * (blob - first.form_plus_one).lifted(), kZeroExpr);
        append_if(b, list, binding, there);
        before = there;
    }
    return list;
}

BindingList read_effects_binding(CircuitBuilder& b, std::span<const KoalaBear> limbs) {
    const Digest start = rollup::binding_start({}).bindings.digest;
    BindingList list{b.constant(start), {start.begin(), start.end()}, number(0)};
    const BaseExpr there = b.base_witness(KoalaBear(limbs[0].is_zero() ? 0 : 1));
    require_boolean(b, there);
    append_if(b, list, read_binding(b, limbs), there);
    return list;
}

}  // namespace

BaseExpr pair(CircuitBuilder& builder, const BaseExpr& low, const BaseExpr& high) {
    BaseExpr x = low + high * number(1U << 16);
    (void)builder.wire(x.lifted());
    return x;
}

DigestWire open_item(CircuitBuilder& b, std::span<const KoalaBear> limbs) {
    QUARRY_CHECK(limbs.size() == rollup::kTerminalItemLimbs);
    LimbReader r = read_rows(b, limbs.first(kItemRestLimbs));
    const Elements domain = r.digest();
    // The header's elements, and of these the state after the batch, which both statements have.
    Elements header = r.take(1 + 2 + 4 + 16 + 2 + 2);  // version .. timestamp
    append_to(header, r.digest());                     // fee receiver
    header.push_back(r.limb());                        // number of effects
    const Elements deposit_cursor = r.take_copies(4);
    append_to(header, deposit_cursor);
    append_to(header, r.take(16));
    const Elements forced_cursor = r.take_copies(4);
    append_to(header, forced_cursor);
    append_to(header, r.take(16));
    Elements after = r.digest();
    after.push_back(r.slot_count());
    append_to(header, after);
    append_to(after, deposit_cursor);
    append_to(after, forced_cursor);

    Elements e{number(static_cast<std::uint32_t>(StatementKind::batch)), number(rollup::kProtocolVersion)};
    append_to(e, domain);
    append_to(e, b.elements_once(chain_of_limbs(b, "quarry/header/v1", header)));
    append_to(e, r.take(10));  // payee
    append_to(e, r.digest());
    e.push_back(r.slot_count());
    append_to(e, r.take(8));
    append_to(e, after);
    const Elements units = r.take(2);
    const Elements work_root = r.digest();
    QUARRY_CHECK(r.is_at_end());
    const std::size_t effects = kItemRestLimbs + rollup::kMaxDataBindings * kBindingLimbs;
    for (const BindingList& list : {read_data_bindings(b, limbs.subspan(kItemRestLimbs, effects - kItemRestLimbs)),
                                    read_effects_binding(b, limbs.subspan(effects))}) {
        append_to(e, list.elements);
        e.push_back(list.count);
    }
    append_to(e, units);
    append_to(e, work_root);
    QUARRY_CHECK(header.size() == 85 && e.size() == 90);
    return chain_of_limbs(b, "quarry/batch/v1", e);
}

Digest absent_item() {
    std::vector<KoalaBear> binding(2 + 16 + 8 + 16);
    binding[0] = -KoalaBear(1);
    rollup::BatchStatement batch{};
    batch.header = rollup::hash_elements("quarry/header/v1", std::vector<KoalaBear>(85));
    batch.data = {rollup::hash_elements(rollup::binding_start({}).bindings.digest, binding), 1};
    batch.effects = rollup::binding_start({}).bindings;
    return digest(batch);
}

}  // namespace quarry::recursion
