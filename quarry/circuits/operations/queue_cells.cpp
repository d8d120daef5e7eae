#include "quarry/circuits/operations/queue_cells.hpp"

namespace quarry::circuits {

void advance_cursor(AirBuilder& b, Register id, const Expr& m, const Expr& time, const CursorCells<Expr>& cursor) {
    std::array<Expr, 4> after;
    for (std::size_t i = 0; i < cursor.carry.size(); ++i) {
        b.boolean(indexed("cursor.carry", i), cursor.carry[i]);
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
        after[i] = cursor.before[i] + (i == 0 ? Expr(1) : cursor.carry[i - 1]);
        if (i < cursor.carry.size()) after[i] -= cursor.carry[i] * constant(1u << 16);
    }
    // With 16-bit limbs on both sides each carry is what it must be.
    require_range16(b, "cursor.before", m, cursor.before);
    require_range16(b, "cursor.after", m, after);
    access_register(b, "cursor", m, id, cursor.previous, time, cursor.before, after);
}

Expr access_count(AirBuilder& b, const Expr& m, const Expr& time, const CountCells<Expr>& count, const Expr& created) {
    // high < 0x7f00: the limbs are below p, so that they are the count and not the count + p.
    require_range16(b, "count.low", m, count.low);
    b.receive("count.high", kHigh15Bus, m, {count.high});
    const Expr value = count.low + count.high * constant(1u << 16);
    access_register(b, "count", m, kSlotCount, count.previous, time, {value, Expr(), Expr(), Expr()},
                    {value + created, Expr(), Expr(), Expr()});
    return value;
}

// number = count + gap limb by limb, all limbs of 16 bits: no sum reaches p, and no carry leaves the high limb.
void require_absent(AirBuilder& b, const Expr& absent, const std::array<Expr, 2>& number, const CountCells<Expr>& count,
                    const GapCells<Expr>& gap) {
    b.boolean("gap.carry", gap.carry);
    b.zero("absent.low", absent * (count.low + gap.low - number[0] - gap.carry * constant(1u << 16)));
    b.zero("absent.high", absent * (count.high + gap.high + gap.carry - number[1]));
    require_range16(b, "gap.low", absent, gap.low);
    require_range16(b, "gap.high", absent, gap.high);
}

DigestOf<Expr> require_digest(AirBuilder& b, const std::string& name, const Expr& m, const DigestLimbs<Expr>& limbs) {
    DigestOf<Expr> r;
    for (std::size_t k = 0; k < r.size(); ++k) {
        const std::string element = indexed(name, k);
        require_range16(b, element + ".low", m, limbs.low[k]);
        r[k] = require_canonical(b, element, m, limbs.low[k], limbs.high[k], limbs.top[k]);
    }
    return r;
}

std::array<Expr, 7> require_address(AirBuilder& b, const std::string& name, const Expr& m,
                                    const AddressCells<Expr>& address) {
    for (const std::size_t i : {0U, 2U, 3U, 5U, 6U, 8U, 9U}) {  // the splits check 1, 4 and 7
        require_range16(b, indexed(name + ".limb", i), m, address.limb[i]);
    }
    return require_address_pieces(b, name, m, address.limb, address.split);
}

void send_effect_word(AirBuilder& b, const std::string& name, const Expr& m, const Expr& time, std::uint32_t position,
                      const EffectFields<Expr>& fields, const Expr& kind) {
    b.send(name, kEffectWordBus, m, effect_word_tuple(time, constant(position), fields.word(position, kind)));
}

void receive_queue_word(AirBuilder& b, const Expr& m, const Expr& word, const Expr& opcode) {
    b.receive("word", kWordBus, m, word_tuple(word, WordCells<Expr>{opcode, {}}));
}

CursorCells<KoalaBear> cursor_cells(Register id, const RegisterAccess& access) {
    CursorCells<KoalaBear> r{KoalaBear(access.previous), register_values(id, access.before), {}};
    bool carry = true;
    for (std::size_t i = 0; i < r.carry.size(); ++i) {
        carry = carry && r.before[i] == KoalaBear(0xffff);
        r.carry[i] = KoalaBear(carry ? 1 : 0);
    }
    return r;
}

CountCells<KoalaBear> count_cells(const RegisterAccess& access) {
    return {KoalaBear(access.previous), KoalaBear(access.before & 0xffff), KoalaBear(access.before >> 16)};
}

GapCells<KoalaBear> gap_cells(std::uint32_t target, std::uint32_t count) {
    const std::uint32_t gap = target - count;
    const bool carry = (count & 0xffff) + (gap & 0xffff) > 0xffff;
    return {KoalaBear(gap & 0xffff), KoalaBear(gap >> 16), KoalaBear(carry ? 1 : 0)};
}

DigestLimbs<KoalaBear> digest_limbs(const Digest& digest) {
    DigestLimbs<KoalaBear> r;
    for (std::size_t k = 0; k < digest.size(); ++k) {
        const ElementLimbs limbs = element_limbs(digest[k]);
        r.low[k] = limbs.low;
        r.high[k] = limbs.high;
        r.top[k] = limbs.top;
    }
    return r;
}

AddressCells<KoalaBear> address_cells(const rollup::L1Address& address) {
    return {address_limbs(address), address_splits(address)};
}

FoundCells<KoalaBear> found_cells(const rollup::Leaf& leaf, std::uint32_t previous) {
    const LeafCells<KoalaBear> cells = leaf_cells(leaf);
    return {KoalaBear(previous), cells.pair, cells.balance, cells.token, cells.published, cells.nonce};
}

}  // namespace quarry::circuits
