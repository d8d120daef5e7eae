#include "quarry/rollup/data_statement.hpp"

#include "quarry/rollup/elements.hpp"

namespace quarry::rollup {

Digest data_point(DataForm form, const Digest& before, const Digest& after, std::uint32_t words,
                  const Bytes32& l1_hash) {
    ElementWriter w;
    w.digest(before);
    w.digest(after);
    w.big_endian(l1_hash);
    w.small(static_cast<std::uint32_t>(form));
    w.small(words);
    return hash_elements("quarry/data/v1", w.elements());
}

BlsScalar point_scalar(const Digest& point) noexcept {
    BlsScalar::Limbs z{};
    for (std::size_t i = 0; i < point.size(); ++i) {
        const std::size_t bit = 31 * i;
        const std::uint64_t x = point[i].canonical();
        z[bit / 64] |= x << (bit % 64);
        if (bit % 64 > 33) z[bit / 64 + 1] |= x >> (64 - bit % 64);
    }
    return BlsScalar::from_limbs(z);
}

Bytes32 scalar_bytes(const BlsScalar& x) noexcept {
    const BlsScalar::Limbs limbs = x.limbs();
    Bytes32 r;
    for (std::size_t i = 0; i < r.size(); ++i) r[31 - i] = static_cast<std::uint8_t>(limbs[i / 8] >> (8 * (i % 8)));
    return r;
}

std::uint32_t data_units(std::uint32_t words) noexcept { return (words + kDataWordsPerUnit - 1) / kDataWordsPerUnit; }

DataStatement make_data_statement(DataForm form, const Digest& before, std::span<const std::uint8_t> words,
                                  const Bytes32& l1_hash, const L1Address& payee, std::uint64_t miner_tag) {
    QUARRY_CHECK(words.size() % kWordBytes == 0 && words.size() <= kMaxDataWords * kWordBytes);
    Accumulator accumulator{before, 0};
    for (std::size_t i = 0; i < words.size(); i += kWordBytes) {
        accumulator.absorb_word(std::span<const std::uint8_t, kWordBytes>(words.data() + i, kWordBytes));
    }
    DataStatement s;
    s.payee = payee;
    s.form = form;
    s.before = before;
    s.after = accumulator.digest;
    s.words = static_cast<std::uint32_t>(words.size() / kWordBytes);
    s.l1_hash = l1_hash;
    s.point = data_point(form, s.before, s.after, s.words, l1_hash);
    const BlsScalar z = point_scalar(s.point);
    s.value = scalar_bytes(form == DataForm::blob ? evaluate_blob(words, z) : evaluate_horner(words, z));
    s.work = leaf_work(miner_tag, data_units(s.words));
    return s;
}

DataRun data_run(const DataStatement& s) { return {s.before, s.after, s}; }

std::vector<KoalaBear> elements(const DataStatement& s) {
    ElementWriter w;
    w.small(static_cast<std::uint32_t>(StatementKind::data));
    w.small(kProtocolVersion);
    w.big_endian(s.payee.bytes);
    w.small(static_cast<std::uint32_t>(s.form));
    w.digest(s.before);
    w.digest(s.after);
    w.small(s.words);
    w.big_endian(s.l1_hash);
    w.digest(s.point);
    w.big_endian(s.value);
    w.limbs(s.work.units);
    w.digest(s.work.root);
    return w.elements();
}

}  // namespace quarry::rollup
