#include "quarry/circuits/data/point_table.hpp"

#include <algorithm>

#include "quarry/circuits/data/field_table.hpp"
#include "quarry/circuits/gadgets.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

namespace {

constexpr const char* kPointTag = "quarry/data/v1";
constexpr auto kWorkTag = static_cast<std::uint32_t>(rollup::BlockTag::work);

/// The blocks that the chain to h absorbs.
template <class T>
std::array<DigestOf<T>, 5> point_blocks(const PointRow<T>& row) {
    std::array<DigestOf<T>, 5> r{};
    r[0] = row.before;
    r[1] = row.after;
    std::copy_n(row.l1_hash.begin(), kDigestSize, r[2].begin());
    std::copy_n(row.l1_hash.begin() + kDigestSize, kDigestSize, r[3].begin());
    r[4][0] = row.blob;
    r[4][1] = row.words;
    return r;
}

/// h from the limbs of z, cut where its elements meet.
DigestOf<Expr> require_point(AirBuilder& b, const PointRow<Expr>& row) {
    DigestOf<Expr> h;
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const auto bits = static_cast<unsigned>(i);  // of h[i] in the limb before
        const Expr first = i == 0 ? Expr(0) : row.finish[i - 1];
        const Expr& whole = row.z[2 * i];
        Expr last = row.z[2 * i + 1];
        if (i + 1 < kDigestSize) last -= row.finish[i] * constant(1u << (15 - bits));
        if (i > 0) {  // below 2^i
            require_byte(b, indexed("finish", i - 1), row.is_real, first);
            require_range16(b, indexed("finish.upper", i - 1), row.is_real, first * constant(1u << (16 - bits)));
        }
        require_range16(b, indexed("whole", i), row.is_real, whole);
        // h[i] < p = 127 2^24 + 1: the 15 - i bits are below 127 2^(8 - i), or that with zeros before.
        const Expr& top = row.top[i];
        b.boolean(indexed("top", i), top);
        b.zero(indexed("top.last", i), top * (last - constant(127u << (8 - bits))));
        b.zero(indexed("top.whole", i), top * whole);
        if (i > 0) b.zero(indexed("top.first", i), top * first);
        require_range16(b, indexed("last", i), row.is_real, last);
        b.receive(indexed("last.high", i), kHigh15Bus, row.is_real, {(last - top) * constant(1u << bits)});
        h[i] = first + whole * constant(1u << bits) + last * constant(1u << (16 + bits));
    }
    return h;
}

void require_work(AirBuilder& b, const PointRow<Expr>& row) {
    b.equal("units", row.units * static_cast<int>(rollup::kDataWordsPerUnit), row.words + row.spare);
    static_assert(rollup::kDataWordsPerUnit == 8);
    require_range16(b, "units", row.is_real, row.units);
    require_byte(b, "spare", row.is_real, row.spare);
    require_range16(b, "spare.upper", row.is_real, row.spare * constant(1u << 13));
    DigestOf<Expr> left, right;
    for (std::size_t i = 0; i < row.tag.size(); ++i) left[i] = row.tag[i];
    left[4] = row.units;
    right[kDigestSize - 1] = constant(kWorkTag);
    require_range16(b, "tag", row.is_real, row.tag);
    require_hash(b, "work", row.is_real, left, right, row.work);
}

}  // namespace

void PointTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    b.boolean("is_real", row.is_real);
    b.boolean("empty", row.empty);
    b.zero("empty.where", row.empty * (Expr(1) - row.is_real));
    b.boolean("blob", row.blob);

    // z.
    const auto blocks = point_blocks(row);
    DigestOf<Expr> state;
    const Digest start = rollup::chain_start(kPointTag);
    std::copy(start.begin(), start.end(), state.begin());
    for (std::size_t i = 0; i < row.state.size(); ++i) {
        require_hash(b, indexed("state", i), row.is_real, state, blocks[i], row.state[i]);
        state = row.state[i];
    }
    const DigestOf<Expr> point = require_point(b, row);
    require_hash(b, "point", row.is_real, state, blocks.back(), point);

    // The evaluation, from its start to its end; nothing between them if there are no words.
    b.zero("empty.words", row.empty * row.words);
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        b.zero(indexed("empty.after", k), row.empty * (row.after[k] - row.before[k]));
    }
    for (std::size_t k = 0; k < kFieldLimbs; ++k) b.zero(indexed("empty.sum", k), row.empty * row.sum[k]);
    const Expr evaluates = row.is_real - row.empty;
    b.send("start", kDataStartBus, evaluates, data_start_tuple(row.blob, row.before, row.z));
    b.receive("end", kDataEndBus, evaluates, data_end_tuple(row.words, row.after, row.sum));

    // The rest of the arithmetic.
    const auto put = [&](const char* text, FieldName name, const Expr& m, const LimbsOf<Expr>& limbs) {
        b.send(text, kFieldValueBus, m, field_value_tuple(constant(static_cast<std::uint32_t>(name)), limbs));
    };
    const auto steps = field_steps(row.blob);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        b.send(indexed("step", i), kFieldStepBus, row.is_real, field_step_tuple(steps[i]));
    }
    put("z", FieldName::power, row.is_real * 2, row.z);
    put("sum", FieldName::sum, row.is_real, row.sum);
    put("value", FieldName::value, row.is_real, row.value);

    // y < r.
    LimbsOf<Expr> largest;
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        largest[k] = row.is_real * constant(order_limbs()[k] - (k == 0 ? 1 : 0));
    }
    require_sum(b, "value", largest, {row.value, row.value_gap});
    require_range16(b, "value.limb", row.is_real, row.value);
    require_range16(b, "value_gap", row.is_real, row.value_gap);

    require_work(b, row);
    b.receive("statement", kDataPointBus, row.is_real,
              data_point_tuple(row.blob, row.words, row.before, row.after, row.l1_hash, point));
    b.receive("claim", kDataClaimBus, row.is_real,
              data_claim_tuple(row.value, {row.units, Expr(0)}, row.work, row.payee));
}

namespace {

/// The 16 limbs of a big-endian number.
LimbsOf<KoalaBear> limbs_of(const rollup::Bytes32& bytes) {
    LimbsOf<KoalaBear> r;
    for (std::size_t k = 0; k < r.size(); ++k) {
        r[k] = KoalaBear(static_cast<std::uint32_t>(bytes[30 - 2 * k] << 8 | bytes[31 - 2 * k]));
    }
    return r;
}

}  // namespace

std::vector<PointRow<KoalaBear>> point_rows(const rollup::DataStatement& s, std::uint64_t miner_tag,
                                            const LimbsOf<KoalaBear>& sum) {
    PointRow<KoalaBear> row;
    row.is_real = KoalaBear(1);
    row.empty = KoalaBear(s.words == 0 ? 1 : 0);
    row.blob = KoalaBear(static_cast<std::uint32_t>(s.form));
    row.words = KoalaBear(s.words);
    row.before = s.before;
    row.after = s.after;
    row.l1_hash = limbs_of(s.l1_hash);
    const auto blocks = point_blocks(row);
    Digest state = rollup::chain_start(kPointTag);
    for (std::size_t i = 0; i < row.state.size(); ++i) {
        state = poseidon_compress(state, blocks[i]);
        row.state[i] = state;
    }
    row.z = limbs_of(rollup::scalar_bytes(rollup::point_scalar(s.point)));
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const std::uint32_t h = s.point[i].canonical();
        if (i > 0) row.finish[i - 1] = KoalaBear(h & ((1u << i) - 1));
        row.top[i] = KoalaBear(h == KoalaBear::kModulus - 1 ? 1 : 0);
    }
    row.value = limbs_of(s.value);
    FieldNumber largest = rollup::Bls12381::kOrder;
    subtract_limbs(largest, FieldNumber{1});
    FieldNumber value{};
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        value[k / 4] |= std::uint64_t{row.value[k].canonical()} << (16 * (k % 4));
    }
    subtract_limbs(largest, value);
    row.value_gap = field_cells(largest).limb;
    row.sum = sum;
    row.units = KoalaBear(s.work.units);
    row.spare = KoalaBear(std::uint64_t{s.work.units} * rollup::kDataWordsPerUnit - s.words);
    for (std::size_t i = 0; i < row.tag.size(); ++i) row.tag[i] = KoalaBear((miner_tag >> (16 * i)) & 0xffff);
    row.work = s.work.root;
    row.payee = address_limbs(s.payee);
    return {row};
}

std::vector<PublicTuple> data_tuples(const rollup::DataStatement& s) {
    const KoalaBear form(static_cast<std::uint32_t>(s.form));
    const std::array<KoalaBear, 2> units{KoalaBear(s.work.units & 0xffff), KoalaBear(s.work.units >> 16)};
    return {
        {kDataPointBus, KoalaBear(1),
         data_point_tuple(form, KoalaBear(s.words), s.before, s.after, limbs_of(s.l1_hash), s.point)},
        {kDataClaimBus, KoalaBear(1), data_claim_tuple(limbs_of(s.value), units, s.work.root, address_limbs(s.payee))}};
}

}  // namespace quarry::circuits
