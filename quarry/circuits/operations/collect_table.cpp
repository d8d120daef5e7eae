#include "quarry/circuits/operations/collect_table.hpp"

namespace quarry::circuits {

void CollectTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const Expr& m = row.is_real;
    const Expr time = row.word + 1;
    b.boolean("is_real", m);
    FieldWriter<Expr> fields;
    fields << row.slot;
    receive_word(b, "word[0]", m, row.word, fields.word(constant(static_cast<std::uint32_t>(rollup::Opcode::collect))));
    const Expr slot = require_slot(b, "slot", m, row.slot);
    b.receive("fee_receiver", kFeeReceiverBus, m, {row.pair.begin(), row.pair.end()});  // C2
    const LeafCells<Expr> before{.exists = 1,                                           // C1
                                 .pair = row.pair,
                                 .balance = row.balance,
                                 .token = row.token,
                                 .published = row.published,
                                 .nonce = row.nonce};
    LeafCells<Expr> after = before;
    after.balance = row.credited;
    access_memory(b, "slot", m, slot, row.previous, time, before, after);

    b.equal("sum.positive", sum_of(row.sum) * row.sum_inverse, m);  // C3
    access_fees(b, "fees", m, row.token, row.fees_previous, time, row.sum, {});
    access_register(b, "fee_tokens", m, kFeeTokens, row.count_previous, time, {row.count, 0, 0, 0},
                    {row.count - 1, 0, 0, 0});
    require_sum(b, "balance", row.credited, {row.balance, row.sum});  // C4
    require_range16(b, "credited", m, row.credited);
}

std::vector<CollectRow<KoalaBear>> collect_rows(const Timeline& timeline) {
    std::vector<CollectRow<KoalaBear>> rows;
    for (const TimedStep& timed : timeline.steps) {
        const auto* op = std::get_if<rollup::Collect>(&timed.step->op);
        if (op == nullptr) continue;
        const rollup::LeafChange& access = timed.step->access[0];
        const RegisterAccess& count = *timed.registers[kFeeTokens - 1];
        CollectRow<KoalaBear> row{};
        row.is_real = KoalaBear(1);
        row.word = KoalaBear(timed.word);
        row.slot = limbs_of(op->slot);
        row.previous = KoalaBear(timed.previous[0]);
        row.pair = access.before->pair;
        row.balance = amount_limbs(access.before->balance);
        row.credited = amount_limbs(access.after->balance);
        row.token = KoalaBear(access.before->token);
        row.published = KoalaBear(access.before->key_published ? 1 : 0);
        row.nonce = KoalaBear(access.before->nonce);
        row.fees_previous = KoalaBear(timed.fees_previous);
        row.sum = amount_limbs(timed.fees_before);
        row.sum_inverse = sum_of(row.sum).inverse();
        row.count = KoalaBear(count.before);
        row.count_previous = KoalaBear(count.previous);
        rows.push_back(row);
    }
    return rows;
}

}  // namespace quarry::circuits
