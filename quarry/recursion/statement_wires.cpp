#include "quarry/recursion/statement_wires.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/circuits/data/point_table.hpp"
#include "quarry/circuits/segment_statement.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::recursion {
namespace {

/// Draws values that all differ: digests above 2^12, limbs below.
class Probe {
  public:
    explicit Probe(std::uint32_t seed) : next_(seed) {}
    std::uint32_t limb() { return ++next_; }
    std::uint64_t limbs(unsigned count) {
        std::uint64_t x = 0;
        for (unsigned i = 0; i < count; ++i) x |= std::uint64_t{limb()} << (16 * i);
        return x;
    }
    Digest digest() {
        Digest d;
        for (KoalaBear& x : d) x = KoalaBear(std::uint64_t{limb()} << 16);
        return d;
    }
    void bytes(std::span<std::uint8_t> out) {
        for (std::size_t i = 0; i < out.size(); i += 2) {
            const std::uint32_t x = limb();
            out[i] = static_cast<std::uint8_t>(x >> 8);
            out[i + 1] = static_cast<std::uint8_t>(x);
        }
    }
    rollup::BatchPoint point() {
        rollup::BatchPoint p;
        p.state = {digest(), limb(), limbs(4), limbs(4)};
        p.fees = digest();
        p.data = {digest(), limb()};
        p.effects = {digest(), limb()};
        return p;
    }

  private:
    std::uint32_t next_;
};

rollup::SegmentStatement segment_probe(std::uint32_t seed) {
    Probe probe(seed);
    rollup::SegmentStatement s;
    s.domain = probe.digest();
    s.header = probe.digest();
    probe.bytes(s.payee.bytes);
    s.before = probe.point();
    s.after = probe.point();
    s.work = {static_cast<std::uint32_t>(probe.limbs(2)), probe.digest()};
    return s;
}

rollup::DataStatement data_probe(std::uint32_t seed) {
    Probe probe(seed);
    rollup::DataStatement s;
    s.form = seed < 1000 ? rollup::DataForm::horner : rollup::DataForm::blob;
    probe.bytes(s.payee.bytes);
    s.before = probe.digest();
    s.after = probe.digest();
    s.words = probe.limb();
    probe.bytes(s.l1_hash);
    s.point = probe.digest();
    probe.bytes(s.value);
    s.work = {static_cast<std::uint32_t>(probe.limbs(2)), probe.digest()};
    return s;
}

}  // namespace

BasicStatement<BaseExpr> TupleLayout::on_wires(const Elements& elements) const {
    BasicStatement<BaseExpr> statement;
    for (const Tuple& t : tuples) {
        BasicPublicTuple<BaseExpr> tuple{t.bus, BaseExpr(t.multiplicity), {}};
        for (const Value& v : t.values)
            tuple.tuple.push_back(v.is_element ? elements[v.element] : BaseExpr(v.constant));
        statement.tuples.push_back(std::move(tuple));
    }
    return statement;
}

TupleLayout find_layout(const std::vector<PublicTuple>& first, std::span<const KoalaBear> first_elements,
                        const std::vector<PublicTuple>& second, std::span<const KoalaBear> second_elements) {
    QUARRY_CHECK(first.size() == second.size() && first_elements.size() == second_elements.size());
    TupleLayout layout;
    for (std::size_t t = 0; t < first.size(); ++t) {
        QUARRY_CHECK(first[t].bus == second[t].bus && first[t].multiplicity == second[t].multiplicity &&
                     first[t].tuple.size() == second[t].tuple.size());
        TupleLayout::Tuple tuple{first[t].bus, first[t].multiplicity, {}};
        for (std::size_t i = 0; i < first[t].tuple.size(); ++i) {
            const KoalaBear value = first[t].tuple[i];
            if (value == second[t].tuple[i]) {
                tuple.values.push_back({false, 0, value});
                continue;
            }
            const auto at = std::find(first_elements.begin(), first_elements.end(), value);
            QUARRY_CHECK(at != first_elements.end());
            const auto e = static_cast<std::size_t>(at - first_elements.begin());
            QUARRY_CHECK(second_elements[e] == second[t].tuple[i] &&
                         std::count(first_elements.begin(), first_elements.end(), value) == 1);
            tuple.values.push_back({true, e, {}});
        }
        layout.tuples.push_back(std::move(tuple));
    }
    return layout;
}

const TupleLayout& segment_layout() {
    static const TupleLayout layout = [] {
        const rollup::SegmentStatement a = segment_probe(100);
        const rollup::SegmentStatement b = segment_probe(8000);
        return find_layout(circuits::segment_tuples(a), elements(a), circuits::segment_tuples(b), elements(b));
    }();
    return layout;
}

const TupleLayout& data_layout() {
    static const TupleLayout layout = [] {
        const rollup::DataStatement a = data_probe(100);
        const rollup::DataStatement b = data_probe(8000);
        return find_layout(circuits::data_tuples(a), elements(a), circuits::data_tuples(b), elements(b));
    }();
    return layout;
}

Elements witnesses(CircuitBuilder& builder, std::span<const KoalaBear> values) {
    Elements wires;
    for (const KoalaBear x : values) wires.push_back(builder.base_witness(x));
    return wires;
}

DigestWire tagged_chain(CircuitBuilder& builder, std::string_view tag, std::span<const BaseExpr> elements) {
    return builder.chain(builder.constant(rollup::chain_start(tag)), elements);
}

Elements merge_work(CircuitBuilder& builder, std::span<const BaseExpr> left, std::span<const BaseExpr> right) {
    // units = low + 2^16 high, both canonical: the sum has no other limbs, and none beyond 2^32.
    const auto sum = static_cast<std::uint64_t>(left[0].value().canonical()) + right[0].value().canonical() +
                     ((std::uint64_t{left[1].value().canonical()} + right[1].value().canonical()) << 16);
    Elements work{builder.base_witness(KoalaBear(sum & 0xffff)), builder.base_witness(KoalaBear(sum >> 16))};
    // A carry is one bit: the low limbs may pass 2^16 once.
    const BaseExpr carry =
        builder.base_witness(KoalaBear((left[0].value().canonical() + right[0].value().canonical()) >> 16));
    builder.require_below(carry, 1);
    for (const BaseExpr& limb : work) builder.require_below(limb, 16);
    const BaseExpr low = work[0] + carry * BaseExpr(KoalaBear(1U << 16));
    builder.require_equal(low.lifted(), (left[0] + right[0]).lifted());
    builder.require_equal(work[1].lifted(), (left[1] + right[1] + carry).lifted());
    const DigestWire left_root = builder.gather(left.subspan(2));
    const DigestWire right_root = builder.gather(right.subspan(2));
    const DigestWire root = builder.compress(left_root, right_root);
    for (const BaseExpr& x : builder.elements(root)) work.push_back(x);
    return work;
}

}  // namespace quarry::recursion
