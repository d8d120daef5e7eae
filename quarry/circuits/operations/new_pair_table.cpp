#include "quarry/circuits/operations/new_pair_table.hpp"

namespace quarry::circuits {

namespace {

using PairRow = NewPairRow<Expr>;

/// Words 3 and 4, and the pair that they name.
void constrain_owner(AirBuilder& b, const PairRow& row) {
    const Expr& m = row.is_real;
    FieldWriter<Expr, 30> fields;
    DigestOf<Expr> key_hash;
    for (std::size_t i = 0; i < key_hash.size(); ++i) {
        const auto& [low, high, top] = row.key_hash[i];
        key_hash[i] = require_canonical(b, indexed("key_hash", i), m, low, high, top);
        fields << high << low;
    }
    fields << row.address;
    receive_word(b, "word[3]", m, row.time + 2, fields.word(0, 0));
    receive_word(b, "word[4]", m, row.time + 3, fields.word(0, 1));
    const auto pieces = require_address_pieces(b, "address", m, row.address, row.split);
    require_hash(b, "pair", m, key_hash, pair_block(pieces), row.pair);
}

/// N3: each limb of fee - minimum, with its borrow, is in range, and the last one borrows nothing.
void constrain_fee(AirBuilder& b, const PairRow& row) {
    b.receive("minimum", kMinimumFeeBus, row.is_real, {row.minimum.begin(), row.minimum.end()});
    for (std::size_t i = 0; i < row.fee.size(); ++i) {
        Expr difference = row.fee[i] - row.minimum[i];
        if (i > 0) difference -= row.borrow[i - 1];
        if (i < row.borrow.size()) {
            b.boolean(indexed("fee.borrow", i), row.borrow[i]);
            difference += row.borrow[i] * constant(1u << 16);
        }
        require_range16(b, indexed("fee.difference", i), row.is_real, difference);
    }
}

}  // namespace

// N1 and N2: the receiver's slot, which SignedTable holds below 2^30, is the count.
void NewPairTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const Expr& m = row.is_real;
    b.boolean("is_real", m);
    b.receive("extension", kExtensionBus, m,
              extension_tuple<Expr>({.opcode = constant(static_cast<std::uint32_t>(rollup::Opcode::transfer_new)),
                                     .time = row.time,
                                     .slot = row.slot,
                                     .receiver = row.receiver,
                                     .token = row.token,
                                     .amount = row.amount,
                                     .fee = row.fee,
                                     .payload = row.pair}));
    constrain_owner(b, row);
    constrain_fee(b, row);
    access_register(b, "slot_count", m, kSlotCount, row.count_previous, row.time, {row.receiver, 0, 0, 0},
                    {row.receiver + 1, 0, 0, 0});
    const LeafCells<Expr> created{
        .exists = 1, .pair = row.pair, .balance = row.amount, .token = row.token, .published = 0, .nonce = 0};
    access_memory(b, "created", m, row.receiver, row.previous, row.time, {}, created);
}

std::vector<NewPairRow<KoalaBear>> new_pair_rows(const Timeline& timeline) {
    std::vector<NewPairRow<KoalaBear>> rows;
    const rollup::Amount minimum = timeline.parameters.min_new_pair_fee;
    for (const TimedStep& timed : timeline.steps) {
        const auto* op = std::get_if<rollup::TransferNew>(&timed.step->op);
        if (op == nullptr) continue;
        const rollup::LeafChange& created = timed.step->access[1];
        NewPairRow<KoalaBear> row{};
        row.is_real = KoalaBear(1);
        row.time = KoalaBear(timed.time());
        row.slot = KoalaBear(op->auth.slot);
        row.receiver = KoalaBear(op->receiver);
        row.token = KoalaBear(created.after->token);
        row.amount = amount_limbs(op->amount);
        row.pair = created.after->pair;
        for (std::size_t i = 0; i < row.key_hash.size(); ++i) row.key_hash[i] = element_cells(op->owner.key_hash[i]);
        row.address = address_limbs(op->owner.address);
        row.split = address_splits(op->owner.address);
        row.previous = KoalaBear(timed.previous[1]);
        row.count_previous = KoalaBear(timed.registers[kSlotCount - 1]->previous);
        std::uint32_t borrow = 0;
        for (std::size_t i = 0; i < row.fee.size(); ++i) {
            row.fee[i] = KoalaBear(op->auth.fee.limb(i));
            row.minimum[i] = KoalaBear(minimum.limb(i));
            borrow = op->auth.fee.limb(i) < minimum.limb(i) + borrow ? 1 : 0;
            if (i < row.borrow.size()) row.borrow[i] = KoalaBear(borrow);
        }
        rows.push_back(row);
    }
    return rows;
}

}  // namespace quarry::circuits
