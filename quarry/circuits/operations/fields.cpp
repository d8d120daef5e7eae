#include "quarry/circuits/operations/fields.hpp"

#include "quarry/rollup/hashing.hpp"

namespace quarry::circuits {

ElementCells<KoalaBear> element_cells(KoalaBear x) {
    const ElementLimbs limbs = element_limbs(x);
    return {limbs.low, limbs.high, limbs.top};
}

KeyCells<KoalaBear> key_cells(const rollup::AccountKey& key) {
    KeyCells<KoalaBear> r;
    for (std::size_t i = 0; i < key.x.size(); ++i) r[i] = element_cells(key.x[i]);
    for (std::size_t i = 0; i < key.y.size(); ++i) r[key.x.size() + i] = element_cells(key.y[i]);
    return r;
}

void require_key_words(AirBuilder& b, const Expr& m, const Expr& first, const KeyCells<Expr>& key,
                       const DigestOf<Expr>& out) {
    FieldWriter<Expr, 30> fields;
    DigestOf<Expr> left;
    DigestOf<Expr> right;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const auto& [low, high, top] = key[i];
        const Expr element = require_canonical(b, indexed("key", i), m, low, high, top);
        fields << high << low;
        (i < left.size() ? left[i] : right[i - left.size()]) = element;
    }
    right[right.size() - 1] = constant(static_cast<std::uint32_t>(rollup::BlockTag::kb11_key));
    receive_word(b, "key.word[0]", m, first, fields.word(0, 0));
    receive_word(b, "key.word[1]", m, first + 1, fields.word(0, 1));
    require_hash(b, "key.hash", m, left, right, out);
}

void receive_word(AirBuilder& b, const std::string& name, const Expr& m, const Expr& index,
                  const WordCells<Expr>& word) {
    b.receive(name, kWordBus, m, word_tuple(index, word));
}

Expr require_slot(AirBuilder& b, const std::string& name, const Expr& m, const std::array<Expr, 2>& limbs) {
    require_range16(b, name + ".upper", m, limbs[1] * constant(4));
    return limbs[0] + limbs[1] * constant(1u << 16);
}

std::array<KoalaBear, 2> limbs_of(std::uint32_t x) { return {KoalaBear(x & 0xffff), KoalaBear(x >> 16)}; }

}  // namespace quarry::circuits
