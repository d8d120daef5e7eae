#include "quarry/circuits/operations/publish_table.hpp"

namespace quarry::circuits {

void PublishTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const Expr& m = row.is_real;
    b.boolean("is_real", m);
    FieldWriter<Expr> fields;
    fields << row.slot;
    receive_word(b, "word[0]", m, row.word,
                 fields.word(constant(static_cast<std::uint32_t>(rollup::Opcode::publish_key))));
    const Expr slot = require_slot(b, "slot", m, row.slot);
    require_key_words(b, m, row.word + 1, row.key, row.key_hash);                 // P3
    require_hash(b, "pair", m, row.key_hash, pair_block(row.address), row.pair);  // P3
    const LeafCells<Expr> before{.exists = 1,                                     // P1
                                 .pair = row.pair,
                                 .balance = row.balance,
                                 .token = row.token,
                                 .published = 0,  // P2
                                 .nonce = row.nonce};
    LeafCells<Expr> after = before;
    after.published = 1;
    access_memory(b, "slot", m, slot, row.previous, row.word + 1, before, after);
}

std::vector<PublishRow<KoalaBear>> publish_rows(const Timeline& timeline) {
    std::vector<PublishRow<KoalaBear>> rows;
    for (const TimedStep& timed : timeline.steps) {
        const auto* op = std::get_if<rollup::PublishKey>(&timed.step->op);
        if (op == nullptr) continue;
        const rollup::Leaf& leaf = *timed.step->access[0].before;
        PublishRow<KoalaBear> row{};
        row.is_real = KoalaBear(1);
        row.word = KoalaBear(timed.word);
        row.slot = limbs_of(op->slot);
        row.key = key_cells(op->key);
        row.key_hash = leaf.owner.key_hash;
        row.address = address_pieces(leaf.owner.address);
        row.previous = KoalaBear(timed.previous[0]);
        row.pair = leaf.pair;
        row.balance = amount_limbs(leaf.balance);
        row.token = KoalaBear(leaf.token);
        row.nonce = KoalaBear(leaf.nonce);
        rows.push_back(row);
    }
    return rows;
}

}  // namespace quarry::circuits
