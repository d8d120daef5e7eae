#include "quarry/circuits/gadgets.hpp"

#include "quarry/rollup/hashing.hpp"

namespace quarry::circuits {

void require_hash(AirBuilder& b, const std::string& name, const Expr& m, const DigestOf<Expr>& left,
                  const DigestOf<Expr>& right, const DigestOf<Expr>& out) {
    b.receive(name, kHashBus, m, hash_tuple(left, right, out));
}

void require_range16(AirBuilder& b, const std::string& name, const Expr& m, const Expr& x) {
    b.receive(name, kRange16Bus, m, {x});
}

// now x < 2^16, so 4 x < 2^18 is no multiple of p away from what it looks like.
void require_range14(AirBuilder& b, const std::string& name, const Expr& m, const Expr& x) {
    require_range16(b, name, m, x);
    require_range16(b, name + ".upper", m, x * constant(4));
}

void require_byte(AirBuilder& b, const std::string& name, const Expr& m, const Expr& x) {
    b.receive(name, kSplitBus, m, {x, Expr(0)});
}

// p - 1 = 2^16 0x7f00. high - top < 0x7f00 leaves high <= 0x7f00, and high = 0x7f00 only with top = 1, where low = 0.
Expr require_canonical(AirBuilder& b, const std::string& name, const Expr& m, const Expr& low, const Expr& high,
                       const Expr& top) {
    static_assert(KoalaBear::kModulus - 1 == 0x7f00u << 16);
    b.boolean(name + ".top", top);
    b.zero(name + ".top.high", top * (high - constant(0x7f00)));
    b.zero(name + ".top.low", top * low);
    b.receive(name + ".high", kHigh15Bus, m, {high - top});
    return low + high * constant(1u << 16);
}

std::array<Expr, 7> require_address_pieces(AirBuilder& b, const std::string& name, const Expr& m,
                                           const std::array<Expr, 10>& limbs, const std::array<Expr, 3>& split) {
    std::array<Expr, 7> pieces;
    for (std::size_t k = 0; k < 3; ++k) {
        const Expr& middle = limbs[3 * k + 1];
        b.receive(indexed(name + ".split", k), kSplitBus, m, {middle, split[k]});
        const Expr low = middle - split[k] * constant(1u << 8);
        pieces[2 * k] = limbs[3 * k] + low * constant(1u << 16);
        pieces[2 * k + 1] = split[k] + limbs[3 * k + 2] * constant(1u << 8);
    }
    pieces[6] = limbs[9];
    return pieces;
}

void require_zero_flag(AirBuilder& b, const std::string& name, const Expr& x, const Expr& is_zero,
                       const Expr& inverse) {
    b.equal(name + ".inverse", x * inverse, Expr(1) - is_zero);
    b.zero(name + ".flag", x * is_zero);
}

void access_memory(AirBuilder& b, const std::string& name, const Expr& m, const Expr& slot, const Expr& previous,
                   const Expr& time, const LeafCells<Expr>& before, const LeafCells<Expr>& after) {
    b.receive(name + ".read", kMemoryBus, m, memory_tuple(slot, previous, before));
    b.send(name + ".write", kMemoryBus, m, memory_tuple(slot, time, after));
    require_range16(b, name + ".order", m, time - previous - 1);
}

void access_fees(AirBuilder& b, const std::string& name, const Expr& m, const Expr& token, const Expr& previous,
                 const Expr& time, const std::array<Expr, 6>& before, const std::array<Expr, 6>& after) {
    b.receive(name + ".read", kFeeBus, m, fee_tuple(token, previous, before));
    b.send(name + ".write", kFeeBus, m, fee_tuple(token, time, after));
    require_range16(b, name + ".order", m, time - previous - 1);
}

void access_register(AirBuilder& b, const std::string& name, const Expr& m, Register id, const Expr& previous,
                     const Expr& time, const std::array<Expr, 4>& before, const std::array<Expr, 4>& after) {
    b.receive(name + ".read", kRegisterBus, m, register_tuple(constant(id), previous, before));
    b.send(name + ".write", kRegisterBus, m, register_tuple(constant(id), time, after));
    require_range16(b, name + ".order", m, time - previous - 1);
}

DigestOf<Expr> leaf_block(const LeafCells<Expr>& leaf) {
    DigestOf<Expr> r;
    for (std::size_t i = 0; i < leaf.balance.size(); ++i) r[i] = leaf.balance[i];
    r[6] = leaf.token + (constant(2 * rollup::kLeafTag) + leaf.published) * constant(1u << 16);
    r[7] = leaf.nonce;
    return r;
}

DigestOf<Expr> pair_block(const std::array<Expr, 7>& address_pieces) {
    DigestOf<Expr> r;
    for (std::size_t i = 0; i < address_pieces.size(); ++i) r[i] = address_pieces[i];
    r[7] = constant(static_cast<std::uint32_t>(rollup::BlockTag::owner_pair));
    return r;
}

}  // namespace quarry::circuits
