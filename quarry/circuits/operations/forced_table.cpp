#include "quarry/circuits/operations/forced_table.hpp"

#include "quarry/base/check.hpp"

namespace quarry::circuits {

namespace {

using rollup::EffectKind;
using rollup::Opcode;

/// The cases as selectors.
struct ForcedCases {
    Expr withdrawal, set_key, is_real;
    Expr matched, mismatched, absent;
    Expr withdrawal_void, key_void;
    explicit ForcedCases(const ForcedRow<Expr>& row)
        : matched(row.withdrawal_matched + row.key_matched),
          mismatched(row.withdrawal_mismatched + row.key_mismatched),
          absent(row.withdrawal_absent + row.key_absent),
          withdrawal_void(row.withdrawal_mismatched + row.withdrawal_absent),
          key_void(row.key_mismatched + row.key_absent) {
        withdrawal = row.withdrawal_matched + withdrawal_void;
        set_key = row.key_matched + key_void;
        is_real = withdrawal + set_key;
    }
};

void constrain_cases(AirBuilder& b, const ForcedRow<Expr>& row, const ForcedCases& cases) {
    b.boolean("withdrawal_matched", row.withdrawal_matched);
    b.boolean("withdrawal_mismatched", row.withdrawal_mismatched);
    b.boolean("withdrawal_absent", row.withdrawal_absent);
    b.boolean("key_matched", row.key_matched);
    b.boolean("key_mismatched", row.key_mismatched);
    b.boolean("key_absent", row.key_absent);
    b.boolean("one_case", cases.is_real);
}

/// The slot exists. Its number is below 2^30, hence so is the entry's: one above p that the field cannot tell from it
/// names no slot.
void constrain_existing(AirBuilder& b, const ForcedRow<Expr>& row, const ForcedCases& cases,
                        const std::array<Expr, 7>& sender, const Expr& time) {
    const Expr existing = cases.matched + cases.mismatched;
    require_range14(b, "existing.slot", existing, row.slot[1]);
    require_hash(b, "found.pair", existing, row.found_key_hash, pair_block(row.found_address), row.found.pair);
    for (std::size_t k = 0; k < sender.size(); ++k) {
        b.zero(indexed("matched.address", k), cases.matched * (row.found_address[k] - sender[k]));
    }
    b.equal("mismatched.difference", difference(row.found_address, sender, row.address_difference), cases.mismatched);

    const Expr slot = row.slot[0] + row.slot[1] * constant(1u << 16);
    const Expr& previous = row.found.previous;
    const LeafCells<Expr> leaf = row.found.leaf();
    LeafCells<Expr> emptied = leaf;
    emptied.balance = {};
    access_memory(b, "withdrawal.slot", row.withdrawal_matched, slot, previous, time, leaf, emptied);
    LeafCells<Expr> rotated = leaf;
    rotated.pair = row.new_pair;
    rotated.published = Expr();
    access_memory(b, "key.slot", row.key_matched, slot, previous, time, leaf, rotated);
    access_memory(b, "mismatched.slot", cases.mismatched, slot, previous, time, leaf, leaf);
}

void send_withdrawal_effect(AirBuilder& b, const ForcedRow<Expr>& row, const ForcedCases& cases, const Expr& time) {
    EffectFields<Expr> applied;
    applied << row.cursor.before << row.slot << row.found.token << row.found.balance << row.sender.limb;
    EffectFields<Expr> nothing;
    nothing << row.cursor.before << row.slot << Expr() << std::array<Expr, 6>{} << row.sender.limb;
    send_effect_word(b, "withdrawal.applied", row.withdrawal_matched, time, 0, applied,
                     code_of(EffectKind::forced_withdrawal_applied));
    send_effect_word(b, "withdrawal.void", cases.withdrawal_void, time, 0, nothing,
                     code_of(EffectKind::forced_withdrawal_void));
    // The second word holds the end of the sender alone.
    send_effect_word(b, "withdrawal.second", cases.withdrawal, time, 1, nothing, Expr());
}

void send_key_effect(AirBuilder& b, const ForcedRow<Expr>& row, const ForcedCases& cases, const Expr& time) {
    EffectFields<Expr> fields;
    fields << row.cursor.before << row.slot << row.sender.limb << row.key_hash;
    const Expr kind = code_of(EffectKind::set_key_void) - row.key_matched;
    static_assert(static_cast<int>(EffectKind::set_key_void) == static_cast<int>(EffectKind::set_key_applied) + 1);
    for (std::uint32_t i = 0; i < 3; ++i) {
        send_effect_word(b, indexed("key.effect", i), cases.set_key, time, i, fields, kind);
    }
}

}  // namespace

void ForcedTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const ForcedCases cases(row);
    const Expr time = row.word + 1;
    constrain_cases(b, row, cases);
    receive_queue_word(
        b, cases.is_real, row.word,
        cases.withdrawal * code_of(Opcode::forced_withdrawal) + cases.set_key * code_of(Opcode::set_key));
    advance_cursor(b, kForcedCursor, cases.is_real, time, row.cursor);
    access_count(b, cases.is_real, time, row.count, Expr());
    require_range16(b, "slot", cases.is_real, row.slot);
    const auto sender = require_address(b, "sender", cases.is_real, row.sender);
    const DigestOf<Expr> key_hash = require_digest(b, "key_hash", cases.set_key, row.key_hash);
    require_hash(b, "new_pair", row.key_matched, key_hash, pair_block(sender), row.new_pair);
    require_absent(b, cases.absent, row.slot, row.count, row.gap);
    constrain_existing(b, row, cases, sender, time);
    send_withdrawal_effect(b, row, cases, time);
    send_key_effect(b, row, cases, time);
}

namespace {

const rollup::L1Address& sender_of(const rollup::ForcedEntry& entry) {
    return std::visit([](const auto& e) -> const rollup::L1Address& { return e.sender; }, entry);
}

}  // namespace

ForcedCase forced_case(const ForcedFacts& facts) {
    if (!facts.found) return ForcedCase::absent;
    return facts.found->owner.address == sender_of(facts.entry) ? ForcedCase::matched : ForcedCase::mismatched;
}

ForcedRow<KoalaBear> forced_row(const ForcedFacts& facts, ForcedCase claim) {
    ForcedRow<KoalaBear> row{};
    const auto* set_key = std::get_if<rollup::SetKeyEntry>(&facts.entry);
    const std::array<KoalaBear*, kForcedCases> withdrawal{&row.withdrawal_matched, &row.withdrawal_mismatched,
                                                          &row.withdrawal_absent};
    const std::array<KoalaBear*, kForcedCases> key{&row.key_matched, &row.key_mismatched, &row.key_absent};
    *(set_key != nullptr ? key : withdrawal)[static_cast<std::size_t>(claim)] = KoalaBear(1);
    row.word = KoalaBear(facts.word);
    row.cursor = cursor_cells(kForcedCursor, facts.cursor);
    row.count = count_cells(facts.count);
    const std::uint32_t slot = std::visit([](const auto& e) { return e.slot; }, facts.entry);
    row.slot = {KoalaBear(slot & 0xffff), KoalaBear(slot >> 16)};
    const rollup::L1Address& sender = sender_of(facts.entry);
    row.sender = address_cells(sender);
    if (set_key != nullptr) row.key_hash = digest_limbs(set_key->key_hash);
    if (facts.found) {
        row.found = found_cells(*facts.found, facts.found_previous);
        row.found_key_hash = facts.found->owner.key_hash;
        row.found_address = address_pieces(facts.found->owner.address);
    }
    if (claim == ForcedCase::matched && set_key != nullptr) {
        row.new_pair = rollup::pair_hash({set_key->key_hash, sender});
    }
    if (claim == ForcedCase::mismatched) {
        row.address_difference = difference_witness(row.found_address, address_pieces(sender));
    }
    if (claim == ForcedCase::absent) row.gap = gap_cells(slot, static_cast<std::uint32_t>(facts.count.before));
    return row;
}

std::vector<ForcedRow<KoalaBear>> forced_rows(const Timeline& timeline) {
    std::vector<ForcedRow<KoalaBear>> rows;
    for (const TimedStep& timed : timeline.steps) {
        const rollup::Step& step = *timed.step;
        const Opcode code = rollup::opcode(step.op);
        if (code != Opcode::forced_withdrawal && code != Opcode::set_key) continue;
        ForcedFacts facts{.word = timed.word,
                          .cursor = *timed.registers[kForcedCursor - 1],
                          .count = *timed.registers[kSlotCount - 1],
                          .entry = {},
                          .found = step.num_accesses > 0 ? step.access[0].before : std::nullopt,
                          .found_previous = timed.previous[0]};
        bool applied = false;
        if (const auto* withdrawal = std::get_if<rollup::ForcedWithdrawalEffect>(&*step.effect)) {
            facts.entry = withdrawal->entry;
            applied = withdrawal->applied;
        } else {
            const auto& effect = std::get<rollup::SetKeyEffect>(*step.effect);
            facts.entry = effect.entry;
            applied = effect.applied;
        }
        const ForcedCase which = forced_case(facts);
        QUARRY_CHECK(applied == (which == ForcedCase::matched));
        rows.push_back(forced_row(facts, which));
    }
    return rows;
}

}  // namespace quarry::circuits
