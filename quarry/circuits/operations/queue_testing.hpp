#pragma once
/// Shared by the tests of the queue tables: one entry over any state, what native execution makes of it, and whether
/// the rest of the circuit and L1 would go along with a row.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quarry/circuits/operations/bus_testing.hpp"
#include "quarry/circuits/operations/queue_cells.hpp"
#include "quarry/rollup/execution.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::circuits::testing {

using rollup::testing::make_address;
using rollup::testing::make_key;
using rollup::testing::make_owner;

/// A state with any slot count, of which only some leaves are there.
struct SparseState final : rollup::StateReader {
    rollup::State now;
    std::map<rollup::SlotIndex, rollup::Leaf> leaves;
    [[nodiscard]] const rollup::State& state() const override { return now; }
    [[nodiscard]] std::optional<rollup::Leaf> leaf(rollup::SlotIndex slot) const override {
        const auto it = leaves.find(slot);
        return it == leaves.end() ? std::nullopt : std::optional(it->second);
    }
    [[nodiscard]] std::optional<rollup::AccountKey> key(const rollup::KeyHash&) const override { return std::nullopt; }
};

/// Queues that hold the same entry at every index.
struct OneEntry final : rollup::L1Queues {
    std::optional<rollup::DepositEntry> deposit_entry;
    std::optional<rollup::ForcedEntry> forced_entry;
    [[nodiscard]] std::optional<rollup::DepositEntry> deposit(std::uint64_t) const override { return deposit_entry; }
    [[nodiscard]] std::optional<rollup::ForcedEntry> forced(std::uint64_t) const override { return forced_entry; }
    [[nodiscard]] rollup::Bytes32 deposit_hash(std::uint64_t) const override { return {}; }
    [[nodiscard]] rollup::Bytes32 forced_hash(std::uint64_t) const override { return {}; }
};

/// One queue operation at word `word`, natively executed.
struct NativeRun {
    static constexpr std::uint32_t kWord = 41;
    static constexpr std::uint32_t kPrevious = 7;  ///< time of every access before
    SparseState before;
    rollup::Step step;
    Register cursor_id;
    RegisterAccess cursor, count;

    NativeRun(const SparseState& state, const rollup::Operation& op, const OneEntry& queue)
        : before(state),
          step{},
          cursor_id(std::holds_alternative<rollup::Deposit>(op) ? kDepositCursor : kForcedCursor) {
        rollup::Executor executor({}, before, queue);
        QUARRY_CHECK(executor.apply(op).ok());
        step = executor.steps().front();
        const bool deposit = cursor_id == kDepositCursor;
        const std::uint64_t index = deposit ? before.now.deposit_cursor : before.now.forced_cursor;
        cursor = {kPrevious, index, index + 1};
        count = {kPrevious, before.now.slot_count, executor.state().slot_count};
    }
    /// The slot that a field element means: its number, or nothing.
    [[nodiscard]] std::optional<rollup::Leaf> leaf(KoalaBear slot) const { return before.leaf(slot.canonical()); }
};

/// An effect without its outcome: what L1 compares with its queue.
inline rollup::Effect entry_of(rollup::Effect effect) {
    if (auto* d = std::get_if<rollup::DepositEffect>(&effect)) d->applied = false;
    if (auto* s = std::get_if<rollup::SetKeyEffect>(&effect)) s->applied = false;
    if (auto* f = std::get_if<rollup::ForcedWithdrawalEffect>(&effect)) {
        f->applied = false;
        f->token = 0;
        f->amount = {};
    }
    return effect;
}

/// The effect that the words on the bus make, if they do.
inline std::optional<rollup::Effect> effect_of(const std::vector<BusItem>& items, std::uint32_t time) {
    std::vector<std::uint8_t> bytes;
    std::uint32_t position = 0;
    for (const BusItem& item : items) {
        if (item.bus != kEffectWordBus) continue;
        if (item.multiplicity != 1 || item.tuple[0] != KoalaBear(time)) return std::nullopt;
        if (item.tuple[1] != KoalaBear(position++) || item.tuple[2].canonical() > 0xff) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(item.tuple[2].canonical()));
        for (std::size_t i = 3; i < item.tuple.size(); ++i) {
            const std::uint32_t limb = item.tuple[i].canonical();
            if (limb > 0xffff) return std::nullopt;
            bytes.push_back(static_cast<std::uint8_t>(limb >> 8));
            bytes.push_back(static_cast<std::uint8_t>(limb));
        }
    }
    const auto effects = rollup::parse_effects(bytes);
    if (!effects || effects.value().size() != 1) return std::nullopt;
    return effects.value().front();
}

/// The tuples of one bus that are put on it (sign 1) or taken off it (sign -1), sorted by value.
inline Traffic bus_side(const std::vector<BusItem>& items, std::uint32_t bus, std::int64_t sign) {
    std::vector<BusItem> side;
    for (const BusItem& item : items) {
        if (item.bus == bus && item.multiplicity * sign > 0) side.push_back(item);
    }
    return traffic(side);
}
inline Traffic traffic_of(std::uint32_t bus, std::int64_t sign, const std::vector<std::vector<KoalaBear>>& tuples) {
    std::vector<BusItem> items;
    for (const auto& tuple : tuples) items.push_back({"", bus, sign, tuple});
    return traffic(items);
}

/// Everything that keeps this row from being part of a proof about `run`'s state and entry. Constraints, lookups that
/// are untrue, reads of what is not there, and effects that are not of the entry.
template <class Row>
std::vector<std::string> refusals(const Table& table, const Row& row, const NativeRun& run) {
    const Columns columns = single_row(row);
    const std::vector<BusItem> items = bus_items(table, columns);
    std::vector<std::string> reasons = broken_constraints(table, columns);
    for (const std::string& name : false_requests(items)) reasons.push_back("lookup " + name);

    const auto opcode = static_cast<std::uint32_t>(rollup::opcode(run.step.op));
    const auto word = word_tuple(KoalaBear(NativeRun::kWord), WordCells<KoalaBear>{KoalaBear(opcode), {}});
    if (bus_side(items, kWordBus, -1) != traffic_of(kWordBus, -1, {word})) reasons.emplace_back("word");
    const auto read = [](Register id, const RegisterAccess& access) {
        return register_tuple(KoalaBear(id), KoalaBear(access.previous), register_values(id, access.before));
    };
    const Traffic registers =
        traffic_of(kRegisterBus, -1, {read(run.cursor_id, run.cursor), read(kSlotCount, run.count)});
    if (bus_side(items, kRegisterBus, -1) != registers) reasons.emplace_back("registers");
    for (const BusItem& item : items) {
        if (item.bus != kMemoryBus || item.multiplicity >= 0) continue;
        const KoalaBear slot = item.tuple[0];
        const auto there = memory_tuple(slot, KoalaBear(NativeRun::kPrevious), leaf_cells(run.leaf(slot)));
        if (item.multiplicity != -1 || item.tuple != there) reasons.push_back("memory " + item.interaction);
    }
    const auto effect = effect_of(items, NativeRun::kWord + 1);
    if (!effect || entry_of(*effect) != entry_of(*run.step.effect)) reasons.emplace_back("effect");
    return reasons;
}

/// Whether the row does to the state and to L1 what native execution did.
template <class Row>
bool does_the_same(const Table& table, const Row& row, const NativeRun& run) {
    const std::vector<BusItem> items = bus_items(table, single_row(row));
    const KoalaBear time(NativeRun::kWord + 1);
    std::vector<std::vector<KoalaBear>> reads;
    std::vector<std::vector<KoalaBear>> writes;
    for (std::size_t k = 0; k < run.step.num_accesses; ++k) {
        const rollup::LeafChange& access = run.step.access[k];
        reads.push_back(
            memory_tuple(KoalaBear(access.slot), KoalaBear(NativeRun::kPrevious), leaf_cells(access.before)));
        writes.push_back(memory_tuple(KoalaBear(access.slot), time, leaf_cells(access.after)));
    }
    const auto written = [&](Register id, const RegisterAccess& access) {
        return register_tuple(KoalaBear(id), time, register_values(id, access.after));
    };
    return bus_side(items, kMemoryBus, -1) == traffic_of(kMemoryBus, -1, reads) &&
           bus_side(items, kMemoryBus, 1) == traffic_of(kMemoryBus, 1, writes) &&
           bus_side(items, kRegisterBus, 1) ==
               traffic_of(kRegisterBus, 1, {written(run.cursor_id, run.cursor), written(kSlotCount, run.count)}) &&
           effect_of(items, NativeRun::kWord + 1) == run.step.effect;
}

/// The rows put on the effect and memory buses what those steps did that `is_ours` picks.
template <class IsOurs>
void expect_effects_of_steps(const Timeline& timeline, const std::vector<BusItem>& items, IsOurs is_ours) {
    std::vector<std::vector<KoalaBear>> words;
    std::vector<std::vector<KoalaBear>> reads;
    std::vector<std::vector<KoalaBear>> writes;
    for (const TimedStep& timed : timeline.steps) {
        if (!is_ours(timed.step->op)) continue;
        const KoalaBear time(timed.time());
        std::vector<std::uint8_t> bytes;
        encode(*timed.step->effect, bytes);
        for (std::size_t i = 0; i * rollup::kWordBytes < bytes.size(); ++i) {
            const std::span<const std::uint8_t, rollup::kWordBytes> word(bytes.data() + i * rollup::kWordBytes,
                                                                         rollup::kWordBytes);
            words.push_back(effect_word_tuple(time, KoalaBear(i), word_cells(word)));
        }
        for (std::size_t k = 0; k < timed.step->num_accesses; ++k) {
            const rollup::LeafChange& access = timed.step->access[k];
            const KoalaBear slot(access.slot);
            reads.push_back(memory_tuple(slot, KoalaBear(timed.previous[k]), leaf_cells(access.before)));
            writes.push_back(memory_tuple(slot, time, leaf_cells(access.after)));
        }
    }
    EXPECT_GT(writes.size(), 4U);
    EXPECT_EQ(bus_side(items, kEffectWordBus, 1), traffic_of(kEffectWordBus, 1, words));
    EXPECT_EQ(bus_side(items, kMemoryBus, -1), traffic_of(kMemoryBus, -1, reads));
    EXPECT_EQ(bus_side(items, kMemoryBus, 1), traffic_of(kMemoryBus, 1, writes));
}

/// A leaf of owner i.
inline rollup::Leaf leaf_of(std::uint32_t i, rollup::TokenId token, rollup::Amount balance) {
    rollup::Leaf leaf = make_leaf(make_owner(i), token, balance);
    leaf.key_published = true;
    leaf.nonce = 12;
    return leaf;
}

/// The modulus, and what is -1 when it is multiplied by 2^16: a "carry" that gives its own limb one and the next
/// 0x7f00.
inline constexpr std::uint32_t kP = KoalaBear::kModulus;
inline constexpr std::uint32_t kFalseCarry = 0x7f00;

}  // namespace quarry::circuits::testing
