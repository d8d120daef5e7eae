#include "quarry/circuits/operations/change_key_table.hpp"

namespace quarry::circuits {

void ChangeKeyTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const Expr& m = row.is_real;
    b.boolean("is_real", m);
    b.receive("extension", kExtensionBus, m,
              extension_tuple<Expr>({.opcode = constant(static_cast<std::uint32_t>(rollup::Opcode::change_key)),
                                     .time = row.time,
                                     .slot = row.slot,
                                     .receiver = 0,
                                     .token = row.token,
                                     .amount = {},
                                     .fee = row.fee,
                                     .payload = row.new_key_hash}));
    require_key_words(b, m, row.time + 2, row.key, row.new_key_hash);

    const DigestOf<Expr> address = pair_block(row.address);
    require_hash(b, "pair", m, row.key_hash, address, row.pair);
    require_hash(b, "new_pair", m, row.new_key_hash, address, row.new_pair);
    const LeafCells<Expr> before{
        .exists = 1, .pair = row.pair, .balance = row.balance, .token = row.token, .published = 1, .nonce = row.nonce};
    LeafCells<Expr> after = before;
    after.pair = row.new_pair;
    // The access before this one is SignedTable's at `time`, which its extension vouches for: nothing else fits
    // between.
    b.receive("slot.read", kMemoryBus, m, memory_tuple(row.slot, row.time, before));
    b.send("slot.write", kMemoryBus, m, memory_tuple(row.slot, row.time + 1, after));
}

std::vector<ChangeKeyRow<KoalaBear>> change_key_rows(const Timeline& timeline) {
    std::vector<ChangeKeyRow<KoalaBear>> rows;
    for (const TimedStep& timed : timeline.steps) {
        const auto* op = std::get_if<rollup::ChangeKey>(&timed.step->op);
        if (op == nullptr) continue;
        const rollup::Leaf& before = *timed.step->access[0].before;
        const rollup::Leaf& after = *timed.step->access[0].after;
        ChangeKeyRow<KoalaBear> row{};
        row.is_real = KoalaBear(1);
        row.time = KoalaBear(timed.time());
        row.slot = KoalaBear(op->auth.slot);
        row.token = KoalaBear(after.token);
        for (std::size_t i = 0; i < row.fee.size(); ++i) row.fee[i] = KoalaBear(op->auth.fee.limb(i));
        row.key = key_cells(op->key);
        row.new_key_hash = after.owner.key_hash;
        row.key_hash = before.owner.key_hash;
        row.address = address_pieces(before.owner.address);
        row.pair = before.pair;
        row.new_pair = after.pair;
        row.balance = amount_limbs(after.balance);
        row.nonce = KoalaBear(after.nonce);
        rows.push_back(row);
    }
    return rows;
}

}  // namespace quarry::circuits
