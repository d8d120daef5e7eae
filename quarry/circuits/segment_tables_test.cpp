// The tables of state, words, effects and chains together, against what the operations of a batch do.

#include <gtest/gtest.h>

#include "quarry/circuits/chain_table.hpp"
#include "quarry/circuits/effect_table.hpp"
#include "quarry/circuits/segment_statement.hpp"
#include "quarry/circuits/segment_testing.hpp"
#include "quarry/circuits/state/fee_table.hpp"
#include "quarry/circuits/state/merkle_table.hpp"
#include "quarry/circuits/state/register_table.hpp"
#include "quarry/circuits/state/slot_table.hpp"
#include "quarry/circuits/word_table.hpp"

namespace quarry::circuits::segment_tables_test {
namespace {

using testing::BusSums;
using testing::TestSegment;

template <class Definition, class Rows>
void add_sums(BusSums& sums, const Rows& rows) {
    const Table table = make_table<Definition>();
    const Columns columns = testing::columns_of_rows(rows);
    const auto violation = find_violation(table, columns);
    EXPECT_FALSE(violation.has_value()) << violation->constraint << " at row " << violation->row;
    sums.add_table(table, columns);
}

// What the operations put and take, by the timeline.
void add_operations(BusSums& sums, const Timeline& timeline) {
    const KoalaBear one(1);
    for (const TimedStep& step : timeline.steps) {
        const auto access = [&](std::uint32_t bus, auto before, auto after) {
            sums.add(bus, before, -one);
            sums.add(bus, after, one);
        };
        const KoalaBear time(step.time());
        const bool two_accesses = rollup::opcode(step.step->op) == rollup::Opcode::change_key;
        for (std::size_t k = 0; k < step.step->num_accesses; ++k) {
            const rollup::LeafChange& change = step.step->access[k];
            const KoalaBear slot(change.slot);
            access(kMemoryBus, memory_tuple(slot, KoalaBear(step.previous[k]), leaf_cells(change.before)),
                   memory_tuple(slot, time + KoalaBear(two_accesses ? 1 : 0), leaf_cells(change.after)));
        }
        if (!step.step->fee.is_zero() || !step.step->collected.is_zero()) {
            const KoalaBear token(step.step->fee_token);
            access(kFeeBus, fee_tuple(token, KoalaBear(step.fees_previous), amount_limbs(step.fees_before)),
                   fee_tuple(token, time, amount_limbs(step.fees_after)));
        }
        for (std::size_t i = 0; i < kRegisters; ++i) {
            if (!step.registers[i]) continue;
            const auto id = static_cast<Register>(i + 1);
            const RegisterAccess& r = *step.registers[i];
            access(kRegisterBus, register_tuple(KoalaBear(id), KoalaBear(r.previous), register_values(id, r.before)),
                   register_tuple(KoalaBear(id), time, register_values(id, r.after)));
        }
        std::vector<std::uint8_t> bytes;
        rollup::encode(step.step->op, bytes);
        const auto word = [&](std::size_t i) {
            return word_cells(std::span<const std::uint8_t, rollup::kWordBytes>(bytes.data() + i * rollup::kWordBytes,
                                                                                rollup::kWordBytes));
        };
        for (std::size_t i = 0; i < bytes.size() / rollup::kWordBytes; ++i) {
            sums.add(kWordBus, word_tuple(KoalaBear(step.word + i), word(i)), -one);
        }
        if (!step.step->effect) continue;
        bytes.clear();
        rollup::encode(*step.step->effect, bytes);
        for (std::size_t i = 0; i < bytes.size() / rollup::kWordBytes; ++i) {
            sums.add(kEffectWordBus, effect_word_tuple(time, KoalaBear(i), word(i)), one);
        }
    }
}

// Requests are facts.
bool is_fact(const BusSums::Key& key) {
    const auto digest = [&](std::size_t at) {
        Digest d;
        for (std::size_t i = 0; i < kDigestSize; ++i) d[i] = KoalaBear(key[at + i]);
        return d;
    };
    switch (key[0]) {
        case kHashBus:
            return digest(17) == poseidon_compress(digest(1), digest(9));
        case kRange16Bus:
            return key[1] < 1u << 16;
        default:
            return false;
    }
}

void check_segment(const TestSegment& segment) {
    const Timeline& timeline = segment.timeline;
    BusSums sums;
    add_sums<WordTable>(sums, word_rows(timeline));
    add_sums<EffectTable>(sums, effect_rows(timeline));
    add_sums<SlotTable>(sums, slot_rows(timeline));
    add_sums<MerkleTable>(sums, merkle_rows(timeline));
    add_sums<RegisterTable>(sums, register_rows(timeline));
    add_sums<FeeTable>(sums, fee_rows(timeline));
    add_sums<ChainTable>(sums, chain_rows(timeline));
    for (const PublicTuple& t : segment_tuples(timeline.statement)) sums.add(t.bus, t.tuple, t.multiplicity);
    add_operations(sums, timeline);
    for (const auto& [key, sum] : sums.sums()) {
        ASSERT_TRUE(is_fact(key)) << "bus " << key[0] << " is off by " << sum.canonical();
    }
}

TEST(SegmentTables, AWholeBatchBalances) { check_segment(TestSegment(1)); }

TEST(SegmentTables, EverySegmentOfABatchBalances) {
    std::size_t num_steps = 0;
    {
        const TestSegment whole(2);
        num_steps = whole.batch.steps.size();
    }
    ASSERT_GT(num_steps, 20U);
    for (std::size_t first = 0; first < num_steps; first += 9) check_segment(TestSegment(2, 60, first, first + 9));
}

TEST(SegmentTables, ASegmentWithoutOperationsBalances) {
    const TestSegment segment(3, 60, 7, 7);
    EXPECT_TRUE(segment.timeline.steps.empty());
    EXPECT_TRUE(word_rows(segment.timeline).empty());
    EXPECT_EQ(merkle_rows(segment.timeline).size(), 1U);
    check_segment(segment);
}

TEST(SegmentTables, RandomTrafficBalances) {
    for (std::uint64_t seed = 10; seed < 14; ++seed) check_segment(TestSegment(seed, 40));
}

// ADVERSARIAL, Tables: "segments that stop before the batch's end; units or tag not computed in the circuit". Every
// element that the verifier absorbs, but kind and version, moves some tuple.
TEST(SegmentStatement, EveryElementIsBound) {
    const TestSegment segment(4, 30, 5);
    const rollup::SegmentStatement honest = segment.timeline.statement;
    const auto sums_of = [](const rollup::SegmentStatement& s) {
        BusSums sums;
        for (const PublicTuple& t : segment_tuples(s)) sums.add(t.bus, t.tuple, t.multiplicity);
        return sums;
    };
    const auto elements = rollup::elements(honest);
    std::set<std::size_t> moved;
    const auto expect_bound = [&](auto change) {
        rollup::SegmentStatement s = honest;
        change(s);
        const auto changed = rollup::elements(s);
        ASSERT_EQ(changed.size(), elements.size());
        for (std::size_t i = 0; i < elements.size(); ++i) {
            if (changed[i] != elements[i]) moved.insert(i);
        }
        EXPECT_NE(sums_of(s), sums_of(honest));
    };
    const auto digest = [&](auto member) {
        for (std::size_t i = 0; i < kDigestSize; ++i) {
            expect_bound([&](rollup::SegmentStatement& s) { member(s)[i] += KoalaBear(1); });
        }
    };
    const auto integer = [&](auto member, unsigned bits) {
        for (unsigned bit = 0; bit < bits; bit += 16) {
            expect_bound([&](rollup::SegmentStatement& s) {
                auto& x = member(s);
                x = static_cast<std::remove_reference_t<decltype(x)>>(x ^ (std::uint64_t{1} << bit));
            });
        }
    };
    digest([](auto& s) -> Digest& { return s.domain; });
    digest([](auto& s) -> Digest& { return s.header; });
    for (std::size_t i = 0; i < 20; ++i) {
        expect_bound([&](rollup::SegmentStatement& s) { s.payee.bytes[i] ^= 1; });
    }
    for (auto point : {&rollup::SegmentStatement::before, &rollup::SegmentStatement::after}) {
        digest([&](auto& s) -> Digest& { return (s.*point).state.root; });
        integer([&](auto& s) -> auto& { return (s.*point).state.slot_count; }, 16);
        integer([&](auto& s) -> auto& { return (s.*point).state.deposit_cursor; }, 64);
        integer([&](auto& s) -> auto& { return (s.*point).state.forced_cursor; }, 64);
        digest([&](auto& s) -> Digest& { return (s.*point).fees; });
        digest([&](auto& s) -> Digest& { return (s.*point).data.digest; });
        integer([&](auto& s) -> auto& { return (s.*point).data.count; }, 16);
        digest([&](auto& s) -> Digest& { return (s.*point).effects.digest; });
        integer([&](auto& s) -> auto& { return (s.*point).effects.count; }, 16);
    }
    integer([](auto& s) -> auto& { return s.work.units; }, 32);
    digest([](auto& s) -> Digest& { return s.work.root; });
    EXPECT_EQ(moved.size(), elements.size() - 2);  // all but kind and version
}

}  // namespace
}  // namespace quarry::circuits::segment_tables_test
