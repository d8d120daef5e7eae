#include "quarry/circuits/operations/withdraw_table.hpp"

namespace quarry::circuits {

void WithdrawTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const Expr& m = row.is_real;
    b.boolean("is_real", m);
    FieldWriter<Expr> fields;
    fields << row.recipient;
    receive_word(b, "word[3]", m, row.time + 2, fields.word(0));
    const auto pieces = require_address_pieces(b, "recipient", m, row.recipient, row.split);
    DigestOf<Expr> payload{};
    std::copy(pieces.begin(), pieces.end(), payload.begin());
    b.receive("extension", kExtensionBus, m,
              extension_tuple<Expr>({.opcode = constant(static_cast<std::uint32_t>(rollup::Opcode::withdraw)),
                                     .time = row.time,
                                     .slot = row.slot,
                                     .receiver = 0,
                                     .token = row.token,
                                     .amount = row.amount,
                                     .fee = row.fee,
                                     .payload = payload}));

    FieldWriter<Expr, 30> effect;
    effect << row.token << row.amount << row.recipient;
    const Expr kind = constant(static_cast<std::uint32_t>(rollup::EffectKind::withdrawal));
    b.send("effect[0]", kEffectWordBus, m, effect_word_tuple<Expr>(row.time, 0, effect.word(kind, 0)));
    b.send("effect[1]", kEffectWordBus, m, effect_word_tuple<Expr>(row.time, 1, effect.word(0, 1)));
}

std::vector<WithdrawRow<KoalaBear>> withdraw_rows(const Timeline& timeline) {
    std::vector<WithdrawRow<KoalaBear>> rows;
    for (const TimedStep& timed : timeline.steps) {
        const auto* op = std::get_if<rollup::Withdraw>(&timed.step->op);
        if (op == nullptr) continue;
        WithdrawRow<KoalaBear> row{};
        row.is_real = KoalaBear(1);
        row.time = KoalaBear(timed.time());
        row.slot = KoalaBear(op->auth.slot);
        row.token = KoalaBear(timed.step->access[0].before->token);
        row.amount = amount_limbs(op->amount);
        for (std::size_t i = 0; i < row.fee.size(); ++i) row.fee[i] = KoalaBear(op->auth.fee.limb(i));
        row.recipient = address_limbs(op->recipient);
        row.split = address_splits(op->recipient);
        rows.push_back(row);
    }
    return rows;
}

}  // namespace quarry::circuits
