#include "quarry/circuits/timeline.hpp"

#include <algorithm>

#include "quarry/rollup/hashing.hpp"

namespace quarry::circuits {

namespace {

using rollup::Amount;

/// Builds the histories while it walks the steps.
class Walk {
  public:
    explicit Walk(Timeline& timeline) : t_(timeline) {
        const rollup::State& s = t_.statement.before.state;
        at(kSlotCount).before = s.slot_count;
        at(kDepositCursor).before = s.deposit_cursor;
        at(kForcedCursor).before = s.forced_cursor;
        for (RegisterHistory& r : t_.registers) r.after = r.before;
    }
    void start_fees(const rollup::FeeLedger& fees) {
        for (const auto& cell : fees.cells()) {
            if (cell.sum.is_zero()) continue;
            fees_[cell.token] = {cell.token, cell.sum, cell.sum, 0};
            ++at(kFeeTokens).before;
        }
        at(kFeeTokens).after = at(kFeeTokens).before;
    }

    void add(const rollup::Step& step, std::uint32_t word) {
        TimedStep timed;
        timed.step = &step;
        timed.word = word;
        const std::uint32_t time = timed.time();
        const rollup::Opcode code = rollup::opcode(step.op);
        for (std::size_t k = 0; k < step.num_accesses; ++k) {
            const rollup::LeafChange& access = step.access[k];
            SlotHistory& slot =
                slots_.try_emplace(access.slot, SlotHistory{access.slot, access.before, {}, 0}).first->second;
            timed.previous[k] = slot.last;
            slot.after = access.after;
            slot.last = time + (code == rollup::Opcode::change_key ? 1 : 0);
        }
        add_fees(timed);
        add_registers(timed, code);
        t_.steps.push_back(timed);
    }

    void finish() {
        for (auto& [slot, history] : slots_) t_.slots.push_back(history);
        for (auto& [token, history] : fees_) t_.fees.push_back(history);
    }

  private:
    RegisterHistory& at(Register id) { return t_.registers[id - 1]; }

    void access(TimedStep& timed, Register id, std::int64_t change) {
        RegisterHistory& r = at(id);
        const std::uint64_t after = r.after + static_cast<std::uint64_t>(change);
        timed.registers[id - 1] = RegisterAccess{r.last, r.after, after};
        r.after = after;
        r.last = timed.time();
    }

    void add_fees(TimedStep& timed) {
        const rollup::Step& step = *timed.step;
        if (step.fee.is_zero() && step.collected.is_zero()) return;
        FeeHistory& fees =
            fees_.try_emplace(step.fee_token, FeeHistory{step.fee_token, Amount(), Amount(), 0}).first->second;
        timed.fees_previous = fees.last;
        timed.fees_before = fees.after;
        fees.after = step.collected.is_zero() ? *checked_add(fees.after, step.fee) : Amount();
        timed.fees_after = fees.after;
        fees.last = timed.time();
        if (timed.fees_before.is_zero() != timed.fees_after.is_zero()) {
            access(timed, kFeeTokens, timed.fees_before.is_zero() ? 1 : -1);
        }
    }

    void add_registers(TimedStep& timed, rollup::Opcode code) {
        std::int64_t created = 0;
        for (std::size_t k = 0; k < timed.step->num_accesses; ++k) created += timed.step->access[k].before ? 0 : 1;
        const bool deposit = code == rollup::Opcode::deposit;
        const bool forced = code == rollup::Opcode::forced_withdrawal || code == rollup::Opcode::set_key;
        if (code == rollup::Opcode::transfer_new || deposit || forced) access(timed, kSlotCount, created);
        if (deposit) access(timed, kDepositCursor, 1);
        if (forced) access(timed, kForcedCursor, 1);
    }

    Timeline& t_;
    std::map<rollup::SlotIndex, SlotHistory> slots_;
    std::map<rollup::TokenId, FeeHistory> fees_;
};

}  // namespace

Timeline make_timeline(const SegmentSource& source, const rollup::L1Address& payee, std::uint64_t miner_tag) {
    Timeline timeline;
    timeline.parameters = source.parameters;
    timeline.header = source.header;
    timeline.miner_tag = miner_tag;
    timeline.statement = statement_of(source, payee, miner_tag);
    timeline.update = source.update;
    timeline.siblings = source.siblings;
    timeline.root_children = source.root_children;

    Walk walk(timeline);
    walk.start_fees(source.fees);
    std::uint32_t word = source.before.data.count;
    timeline.steps.reserve(source.steps.size());
    for (const rollup::Step& step : source.steps) {
        walk.add(step, word);
        word += static_cast<std::uint32_t>(rollup::word_count(rollup::opcode(step.op)));
    }
    walk.finish();
    return timeline;
}

Timeline make_timeline(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                       const rollup::ExecutedBatch& batch, std::size_t first, std::size_t last,
                       const rollup::BatchPoint& before, const rollup::L1Address& payee, std::uint64_t miner_tag) {
    Timeline timeline = make_timeline(cut_segment(parameters, store, batch, first, last, before), payee, miner_tag);
    timeline.first_step = first;
    return timeline;
}

LeafCells<KoalaBear> leaf_cells(const std::optional<rollup::Leaf>& leaf) {
    if (!leaf) return {};
    return {.exists = KoalaBear(1),
            .pair = leaf->pair,
            .balance = amount_limbs(leaf->balance),
            .token = KoalaBear(leaf->token),
            .published = KoalaBear(leaf->key_published ? 1 : 0),
            .nonce = KoalaBear(leaf->nonce)};
}

std::array<KoalaBear, 6> amount_limbs(rollup::Amount amount) {
    std::array<KoalaBear, 6> r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = KoalaBear(amount.limb(i));
    return r;
}

std::array<KoalaBear, 10> address_limbs(const rollup::L1Address& address) {
    std::array<KoalaBear, 10> r;
    for (std::size_t i = 0; i < r.size(); ++i) {
        r[i] = KoalaBear(address.bytes[19 - 2 * i] | static_cast<std::uint32_t>(address.bytes[18 - 2 * i]) << 8);
    }
    return r;
}

std::array<KoalaBear, 3> address_splits(const rollup::L1Address& address) {
    std::array<KoalaBear, 3> r;
    for (std::size_t k = 0; k < r.size(); ++k) r[k] = KoalaBear(address.bytes[18 - 2 * (3 * k + 1)]);
    return r;
}

std::array<KoalaBear, 7> address_pieces(const rollup::L1Address& address) {
    const rollup::Block block = rollup::address_block(address);
    std::array<KoalaBear, 7> r;
    std::copy_n(block.begin(), r.size(), r.begin());
    return r;
}

std::array<KoalaBear, 4> register_values(Register id, std::uint64_t value) {
    if (id == kSlotCount || id == kFeeTokens) return {KoalaBear(value), {}, {}, {}};
    std::array<KoalaBear, 4> r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = KoalaBear((value >> (16 * i)) & 0xffff);
    return r;
}

ElementLimbs element_limbs(KoalaBear x) {
    const std::uint32_t v = x.canonical();
    return {KoalaBear(v & 0xffff), KoalaBear(v >> 16), KoalaBear((v >> 16) == 0x7f00 ? 1 : 0)};
}

WordCells<KoalaBear> word_cells(std::span<const std::uint8_t, rollup::kWordBytes> word) {
    const auto limbs = rollup::word_limbs(word);
    WordCells<KoalaBear> r;
    r.byte = limbs[0];
    std::copy(limbs.begin() + 1, limbs.end(), r.limb.begin());
    return r;
}

std::array<KoalaBear, 5> sum_carries(std::initializer_list<rollup::Amount> addends) {
    std::array<KoalaBear, 5> r;
    std::uint32_t carry = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
        for (const rollup::Amount& a : addends) carry += a.limb(i);
        carry >>= 16;
        r[i] = KoalaBear(carry);
    }
    return r;
}

KoalaBear inverse_or_zero(KoalaBear x) { return x.is_zero() ? x : x.inverse(); }

}  // namespace quarry::circuits
