#include "quarry/circuits/operations/deposit_table.hpp"

#include "quarry/base/check.hpp"

namespace quarry::circuits {

namespace {

using rollup::EffectKind;
using rollup::Opcode;

/// The cases as selectors.
struct DepositCases {
    Expr is_real, applied, to_new_slot;
    Expr existing;  ///< the target exists
    Expr kept;      ///< and stays as it is
    explicit DepositCases(const DepositRow<Expr>& row)
        : applied(row.created + row.credited),
          to_new_slot(row.created + row.full),
          kept(row.other_token + row.other_pair + row.overflow) {
        existing = row.credited + kept;
        is_real = to_new_slot + row.absent + existing;
    }
};

void constrain_cases(AirBuilder& b, const DepositRow<Expr>& row, const DepositCases& cases) {
    b.boolean("created", row.created);
    b.boolean("full", row.full);
    b.boolean("absent", row.absent);
    b.boolean("credited", row.credited);
    b.boolean("other_token", row.other_token);
    b.boolean("other_pair", row.other_pair);
    b.boolean("overflow", row.overflow);
    b.boolean("one_case", cases.is_real);
}

/// Checks the entry's limbs, and the pair.
void constrain_entry(AirBuilder& b, const DepositRow<Expr>& row, const Expr& m) {
    const DigestOf<Expr> key_hash = require_digest(b, "key_hash", m, row.key_hash);
    const auto pieces = require_address(b, "owner", m, row.owner);
    require_hash(b, "pair", m, key_hash, pair_block(pieces), row.pair);
    require_range16(b, "depositor", m, row.depositor);
    require_range16(b, "token", m, row.token);
    require_range16(b, "amount", m, row.amount);
    require_range16(b, "target", m, row.target);
}

/// A deposit that names no slot: 2^32 - 1 is the only number whose two limbs add up to 2 0xffff.
void constrain_new_slot(AirBuilder& b, const DepositRow<Expr>& row, const DepositCases& cases, const Expr& count,
                        const Expr& time) {
    b.zero("new_slot.low", cases.to_new_slot * (row.target[0] - 0xffff));
    b.zero("new_slot.high", cases.to_new_slot * (row.target[1] - 0xffff));
    static_assert(rollup::kNewSlot == 0xffffffff && rollup::kMaxSlots == 1u << 30);
    require_range14(b, "created.count", row.created, row.count.high);
    b.zero("full.low", row.full * row.count.low);
    b.zero("full.high", row.full * (row.count.high - constant(1u << 14)));
    const LeafCells<Expr> leaf{Expr(1), row.pair, row.amount, row.token, Expr(), Expr()};
    access_memory(b, "created.slot", row.created, count, row.found.previous, time, LeafCells<Expr>{}, leaf);
}

/// A deposit to a slot that exists. Its number is below 2^30, hence so is the target: one above p that the field cannot
/// tell from it names no slot.
void constrain_existing(AirBuilder& b, const DepositRow<Expr>& row, const DepositCases& cases, const Expr& time) {
    require_range14(b, "existing.target", cases.existing, row.target[1]);
    const Expr slot = row.target[0] + row.target[1] * constant(1u << 16);
    for (std::size_t i = 0; i < row.sum.size(); ++i) {
        const std::string index = "[" + std::to_string(i) + "]";
        b.boolean("carry" + index, row.carry[i]);
        const Expr in = i > 0 ? row.carry[i - 1] : Expr();
        b.equal("sum" + index, row.sum[i] + row.carry[i] * constant(1u << 16),
                row.found.balance[i] + row.amount[i] + in);
    }
    require_range16(b, "sum", cases.is_real, row.sum);

    for (std::size_t k = 0; k < row.pair.size(); ++k) {
        b.zero(indexed("credited.pair", k), row.credited * (row.found.pair[k] - row.pair[k]));
    }
    b.zero("credited.token", row.credited * (row.found.token - row.token));
    b.zero("credited.carry", row.credited * row.carry[5]);
    b.equal("other_token.inverse", (row.found.token - row.token) * row.token_inverse, row.other_token);
    b.equal("other_pair.difference", difference(row.found.pair, row.pair, row.pair_difference), row.other_pair);
    b.zero("overflow.carry", row.overflow * (row.carry[5] - 1));

    const LeafCells<Expr> leaf = row.found.leaf();
    LeafCells<Expr> credited = leaf;
    credited.balance = row.sum;
    access_memory(b, "credited.slot", row.credited, slot, row.found.previous, time, leaf, credited);
    access_memory(b, "kept.slot", cases.kept, slot, row.found.previous, time, leaf, leaf);
}

void send_effect(AirBuilder& b, const DepositRow<Expr>& row, const DepositCases& cases, const Expr& time) {
    EffectFields<Expr> fields;
    fields << row.cursor.before << row.target << row.token << row.amount << row.depositor << row.owner.limb
           << row.key_hash;
    const Expr kind = cases.is_real * code_of(EffectKind::deposit_refunded) - cases.applied;
    static_assert(static_cast<int>(EffectKind::deposit_refunded) == static_cast<int>(EffectKind::deposit_applied) + 1);
    for (std::uint32_t i = 0; i < 4; ++i) {
        send_effect_word(b, indexed("effect", i), cases.is_real, time, i, fields, kind);
    }
}

}  // namespace

void DepositTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const DepositCases cases(row);
    const Expr time = row.word + 1;
    constrain_cases(b, row, cases);
    receive_queue_word(b, cases.is_real, row.word, code_of(Opcode::deposit));
    advance_cursor(b, kDepositCursor, cases.is_real, time, row.cursor);
    const Expr count = access_count(b, cases.is_real, time, row.count, row.created);
    constrain_entry(b, row, cases.is_real);
    constrain_new_slot(b, row, cases, count, time);
    require_absent(b, row.absent, row.target, row.count, row.gap);
    b.equal("absent.target", (constant(2 * 0xffff) - row.target[0] - row.target[1]) * row.target_inverse, row.absent);
    constrain_existing(b, row, cases, time);
    send_effect(b, row, cases, time);
}

DepositCase deposit_case(const DepositFacts& facts) {
    const rollup::DepositEntry& entry = facts.entry;
    if (entry.target == rollup::kNewSlot) {
        return facts.count.before < rollup::kMaxSlots ? DepositCase::created : DepositCase::full;
    }
    if (!facts.found) return DepositCase::absent;
    if (facts.found->token != entry.token) return DepositCase::other_token;
    if (facts.found->pair != rollup::pair_hash(entry.owner)) return DepositCase::other_pair;
    return checked_add(facts.found->balance, entry.amount) ? DepositCase::credited : DepositCase::overflow;
}

DepositRow<KoalaBear> deposit_row(const DepositFacts& facts, DepositCase claim) {
    const rollup::DepositEntry& entry = facts.entry;
    DepositRow<KoalaBear> row{};
    const std::array<KoalaBear*, kDepositCases> cases{&row.created,     &row.full,       &row.absent,  &row.credited,
                                                      &row.other_token, &row.other_pair, &row.overflow};
    *cases[static_cast<std::size_t>(claim)] = KoalaBear(1);
    row.word = KoalaBear(facts.word);
    row.cursor = cursor_cells(kDepositCursor, facts.cursor);
    row.count = count_cells(facts.count);
    row.key_hash = digest_limbs(entry.owner.key_hash);
    row.owner = address_cells(entry.owner.address);
    row.depositor = address_limbs(entry.depositor);
    row.token = KoalaBear(entry.token);
    row.amount = amount_limbs(entry.amount);
    row.target = {KoalaBear(entry.target & 0xffff), KoalaBear(entry.target >> 16)};
    row.pair = rollup::pair_hash(entry.owner);
    if (facts.found) row.found = found_cells(*facts.found, facts.found_previous);
    row.found.previous = KoalaBear(facts.found_previous);

    const rollup::Amount balance = facts.found ? facts.found->balance : rollup::Amount();
    std::uint32_t carry = 0;
    for (std::size_t i = 0; i < row.sum.size(); ++i) {
        carry += std::uint32_t{balance.limb(i)} + entry.amount.limb(i);
        row.sum[i] = KoalaBear(carry & 0xffff);
        carry >>= 16;
        row.carry[i] = KoalaBear(carry);
    }
    if (claim == DepositCase::absent) {
        row.gap = gap_cells(entry.target, static_cast<std::uint32_t>(facts.count.before));
        row.target_inverse = inverse_or_zero(KoalaBear(2 * 0xffff) - row.target[0] - row.target[1]);
    }
    if (claim == DepositCase::other_token) row.token_inverse = inverse_or_zero(row.found.token - row.token);
    if (claim == DepositCase::other_pair) row.pair_difference = difference_witness(row.found.pair, row.pair);
    return row;
}

std::vector<DepositRow<KoalaBear>> deposit_rows(const Timeline& timeline) {
    std::vector<DepositRow<KoalaBear>> rows;
    for (const TimedStep& timed : timeline.steps) {
        const rollup::Step& step = *timed.step;
        if (rollup::opcode(step.op) != Opcode::deposit) continue;
        const auto& effect = std::get<rollup::DepositEffect>(*step.effect);
        const DepositFacts facts{.word = timed.word,
                                 .cursor = *timed.registers[kDepositCursor - 1],
                                 .count = *timed.registers[kSlotCount - 1],
                                 .entry = effect.entry,
                                 .found = step.num_accesses > 0 ? step.access[0].before : std::nullopt,
                                 .found_previous = timed.previous[0]};
        const DepositCase which = deposit_case(facts);
        QUARRY_CHECK(effect.applied == (which == DepositCase::created || which == DepositCase::credited));
        rows.push_back(deposit_row(facts, which));
    }
    return rows;
}

}  // namespace quarry::circuits
