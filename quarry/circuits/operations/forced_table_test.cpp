#include "quarry/circuits/operations/forced_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/circuits/operations/queue_testing.hpp"

namespace quarry::circuits::forced_table_test {
namespace {

using rollup::Amount;
using rollup::ForcedWithdrawalEntry;
using rollup::L1Address;
using rollup::Leaf;
using rollup::SetKeyEntry;
using testing::kP;
using testing::make_address;
using testing::NativeRun;
using testing::SparseState;
using testing::Traffic;

using Row = ForcedRow<KoalaBear>;

const Table& table() {
    static const Table t = make_table<ForcedTable>();
    return t;
}

constexpr std::uint32_t kSlot = 5;

/// An entry over a state: `sender` takes the balance of `slot`, or sets its key.
struct Scenario {
    SparseState state;
    bool set_key = false;
    std::uint32_t slot = kSlot;
    L1Address sender = make_address(3);
    rollup::KeyHash new_key = key_hash(testing::make_key(50));

    [[nodiscard]] NativeRun run() const {
        testing::OneEntry queue;
        queue.forced_entry = entry();
        if (set_key) return {state, rollup::SetKey{}, queue};
        return {state, rollup::ForcedWithdrawal{}, queue};
    }
    [[nodiscard]] rollup::ForcedEntry entry() const {
        if (set_key) return SetKeyEntry{slot, sender, new_key};
        return ForcedWithdrawalEntry{slot, sender};
    }
    /// What a prover would start from who takes `found` for the slot's leaf.
    [[nodiscard]] ForcedFacts facts(const NativeRun& run, const std::optional<Leaf>& found) const {
        return {NativeRun::kWord, run.cursor, run.count, entry(), found, NativeRun::kPrevious};
    }
    [[nodiscard]] ForcedFacts facts() const { return facts(run(), state.leaf(slot)); }
    [[nodiscard]] Row row(ForcedCase claim) const { return forced_row(facts(), claim); }
};

/// Slot 5 of 0x20003 is owner 3's.
Scenario matched(bool set_key) {
    Scenario s;
    s.state.now.slot_count = 0x20003;
    s.state.now.forced_cursor = 0x1234'0000'ffff'ffff;
    s.state.leaves[kSlot] = testing::leaf_of(3, 2, Amount(0xffff'fff0'1234));
    s.set_key = set_key;
    return s;
}
Scenario with_slot(Scenario s, std::uint32_t slot) {
    s.slot = slot;
    return s;
}
Scenario with_count(Scenario s, std::uint32_t count) {
    s.state.now.slot_count = count;
    return s;
}
Scenario with_sender(Scenario s, const L1Address& sender) {
    s.sender = sender;
    return s;
}
/// The sender's address differs from the slot's in one byte.
Scenario with_byte(Scenario s, std::size_t byte) {
    s.sender.bytes[byte] ^= 1;
    return s;
}
Scenario mismatched(bool set_key) { return with_sender(matched(set_key), make_address(4)); }
Scenario absent(bool set_key) { return with_slot(matched(set_key), 0x20003); }

std::vector<Scenario> scenarios(bool set_key) {
    const Scenario m = matched(set_key);
    Scenario empty = m;
    empty.state.leaves[kSlot].balance = Amount();
    Scenario unpublished = m;
    unpublished.state.leaves[kSlot].key_published = false;
    Scenario largest = m;
    largest.new_key.fill(KoalaBear(kP - 1));
    largest.state.leaves[kSlot].balance = Amount::max();
    Scenario same_key = m;
    same_key.new_key = m.state.leaves.at(kSlot).owner.key_hash;
    std::vector<Scenario> r = {
        m,
        mismatched(set_key),
        absent(set_key),
        empty,
        unpublished,
        largest,
        same_key,
        with_slot(m, 0x20004),
        with_slot(m, 0x30000),
        with_slot(m, rollup::kMaxSlots),
        with_slot(m, 0xffffffff),
        with_slot(with_count(m, rollup::kMaxSlots), rollup::kMaxSlots),
        with_slot(with_count(m, 0), 0),
        with_slot(with_count(m, rollup::kMaxSlots), 0xffffffff),
        // Aliases of slot 5 in the field.
        with_slot(m, kP + kSlot),
        with_slot(with_count(m, rollup::kMaxSlots), kP + kSlot),
    };
    for (std::size_t byte = 0; byte < 20; ++byte) r.push_back(with_byte(m, byte));
    return r;
}

// "An applicable L1 entry as a no-op and the reverse": every case is claimed for every scenario, by provers who take
// the slot's leaf, the leaf that the field confuses it with, one that would suit them, or none.
TEST(ForcedTable, OnlyTheNativeOutcomeCanBeProven) {
    for (const bool set_key : {false, true}) {
        std::size_t index = 0;
        for (const Scenario& s : scenarios(set_key)) {
            SCOPED_TRACE(index++);
            const NativeRun run = s.run();
            const Leaf suitable = make_leaf({key_hash(testing::make_key(3)), s.sender}, 9, Amount(10));
            const std::vector<std::optional<Leaf>> candidates = {s.state.leaf(s.slot), s.state.leaf(s.slot - kP),
                                                                 suitable, std::nullopt};
            for (const auto& found : candidates) {
                for (std::size_t c = 0; c < kForcedCases; ++c) {
                    const Row row = forced_row(s.facts(run, found), static_cast<ForcedCase>(c));
                    if (!refusals(table(), row, run).empty()) continue;
                    EXPECT_TRUE(does_the_same(table(), row, run)) << "case " << c;
                }
            }
            const Row honest = s.row(forced_case(s.facts()));
            EXPECT_EQ(refusals(table(), honest, run), std::vector<std::string>{});
            EXPECT_TRUE(does_the_same(table(), honest, run));
        }
    }
}

// A slot of which the sparse state has no leaf, but whose number is below the count, exists: nobody may call it absent.
TEST(ForcedTable, ExistingSlotsAreNotAbsent) {
    for (const std::uint32_t slot : {0U, 0x20002U, 0x10004U, 0xffffU, 0x1ffffU}) {
        const Scenario s = with_slot(matched(false), slot);
        const NativeRun run = s.run();
        EXPECT_NE(refusals(table(), forced_row(s.facts(run, std::nullopt), ForcedCase::absent), run),
                  std::vector<std::string>{});
    }
}

// A row of one kind cannot stand for an operation or an entry of the other (rule Q2).
TEST(ForcedTable, KindsAreNotExchanged) {
    const NativeRun withdrawal = matched(false).run();
    const NativeRun key = matched(true).run();
    const auto refused = [&](bool set_key, const NativeRun& run) {
        const auto reasons = refusals(table(), matched(set_key).row(ForcedCase::matched), run);
        return std::find(reasons.begin(), reasons.end(), "word") != reasons.end();
    };
    EXPECT_FALSE(refused(false, withdrawal));
    EXPECT_FALSE(refused(true, key));
    EXPECT_TRUE(refused(true, withdrawal));
    EXPECT_TRUE(refused(false, key));
}

std::vector<std::string> false_lookups(const Row& row) {
    return testing::false_requests(testing::bus_items(table(), testing::single_row(row)));
}

// "A read from the future", and one access twice at the same time.
TEST(ForcedTable, ReadsOnlyThePast) {
    for (const std::uint32_t previous : {NativeRun::kWord + 1, NativeRun::kWord + 2, NativeRun::kWord + 1000}) {
        const auto order = [&](const Scenario& s) {
            Row row = s.row(forced_case(s.facts()));
            row.found.previous = KoalaBear(previous);
            return false_lookups(row);
        };
        EXPECT_EQ(order(matched(false)), std::vector<std::string>{"withdrawal.slot.order"});
        EXPECT_EQ(order(matched(true)), std::vector<std::string>{"key.slot.order"});
        EXPECT_EQ(order(mismatched(false)), std::vector<std::string>{"mismatched.slot.order"});
        Row row = matched(false).row(ForcedCase::matched);
        row.count.previous = row.cursor.previous = KoalaBear(previous);
        EXPECT_EQ(false_lookups(row), (std::vector<std::string>{"count.order", "cursor.order"}));
    }
}

// Numbers with limbs beyond their size or in two forms; a leaf's owner and a new pair that no hash binds.
TEST(ForcedTable, LimbsAndPairsAreChecked) {
    const Row honest = matched(true).row(ForcedCase::matched);
    EXPECT_TRUE(false_lookups(honest).empty());
    Row row = honest;  // slot 5 = 0x10005 - 2^16
    row.slot = {KoalaBear(0x10005), -KoalaBear(1)};
    EXPECT_EQ(find_violation(table(), testing::single_row(row)), std::nullopt);
    EXPECT_EQ(false_lookups(row),
              (std::vector<std::string>{"existing.slot", "existing.slot.upper", "slot[0]", "slot[1]"}));
    row = honest;  // slot 5 = p + 5
    row.slot = {KoalaBear(6), KoalaBear(0x7f00)};
    EXPECT_EQ(false_lookups(row), std::vector<std::string>{"existing.slot.upper"});
    row = honest;
    row.count.low += KoalaBear(1);
    row.count.high += KoalaBear(0x7f00);
    EXPECT_EQ(false_lookups(row), std::vector<std::string>{"count.high"});
    row = honest;
    row.key_hash.low[3] += KoalaBear(1);
    row.key_hash.high[3] += KoalaBear(0x7f00);
    EXPECT_EQ(false_lookups(row), std::vector<std::string>{"key_hash[3].high"});
    row = honest;  // the same piece from other limbs: 2^16 from the low limb to the middle one
    row.sender.limb[0] -= KoalaBear(1u << 16);
    row.sender.limb[1] += KoalaBear(1);
    EXPECT_EQ(false_lookups(row), (std::vector<std::string>{"sender.limb[0]"}));
    row = honest;
    row.new_pair = row.found.pair;
    EXPECT_EQ(false_lookups(row), std::vector<std::string>{"new_pair"});
    // Somebody else's slot, whose leaf is said to have the sender's address.
    row = mismatched(true).row(ForcedCase::matched);
    row.found_address = address_pieces(make_address(4));
    EXPECT_EQ(find_violation(table(), testing::single_row(row)), std::nullopt);
    EXPECT_EQ(false_lookups(row), std::vector<std::string>{"found.pair"});
    // The sender's own, said to have another.
    row = matched(false).row(ForcedCase::mismatched);
    row.found_address[6] += KoalaBear(1);
    row.address_difference[6] = KoalaBear(1);
    EXPECT_EQ(find_violation(table(), testing::single_row(row)), std::nullopt);
    EXPECT_EQ(false_lookups(row), std::vector<std::string>{"found.pair"});
}

struct BadRow {
    std::string constraint;
    Row row;
};

// A case counted -1 times takes back what two others put on the buses.
void add_bad_cases(std::vector<BadRow>& bad) {
    const KoalaBear one(1);
    Row row = mismatched(false).row(ForcedCase::mismatched);
    row.withdrawal_matched = -one;
    row.key_matched = one;
    bad.push_back({"withdrawal_matched", row});
    row.withdrawal_matched = one;
    row.key_matched = -one;
    bad.push_back({"key_matched", row});
    row = matched(false).row(ForcedCase::matched);
    row.key_mismatched = one;
    row.withdrawal_mismatched = -one;
    bad.push_back({"withdrawal_mismatched", row});
    row.key_mismatched = -one;
    row.withdrawal_mismatched = one;
    bad.push_back({"key_mismatched", row});
    row = matched(false).row(ForcedCase::matched);
    row.key_absent = one;
    row.withdrawal_absent = -one;
    bad.push_back({"withdrawal_absent", row});
    row.key_absent = -one;
    row.withdrawal_absent = one;
    bad.push_back({"key_absent", row});
    row = matched(false).row(ForcedCase::matched);
    row.key_matched = one;
    bad.push_back({"one_case", row});
}

// Each of these is a lie about the outcome that the named constraint alone refuses.
void add_bad_outcomes(std::vector<BadRow>& bad, bool set_key) {
    bad.push_back({"absent.low", with_slot(with_count(matched(set_key), 10), 9).row(ForcedCase::absent)});
    bad.back().row.gap = {};
    bad.push_back({"absent.high", with_slot(matched(set_key), 0x10005).row(ForcedCase::absent)});
    bad.back().row.gap = {KoalaBear(2), {}, {}};
    bad.push_back({"gap.carry", with_slot(matched(set_key), 0x10005).row(ForcedCase::absent)});
    bad.back().row.gap = {KoalaBear(3), KoalaBear(testing::kFalseCarry - 1), -KoalaBear(testing::kFalseCarry)};
    // The last bytes of the seven pieces: whoever shares the other six takes the slot.
    const std::array<std::size_t, 7> byte{19, 16, 13, 10, 7, 4, 1};
    for (std::size_t k = 0; k < byte.size(); ++k) {
        const Scenario s = with_byte(matched(set_key), byte[k]);
        bad.push_back({indexed("matched.address", k), s.row(ForcedCase::matched)});
    }
    bad.push_back({"mismatched.difference", matched(set_key).row(ForcedCase::mismatched)});
}

void add_bad_numbers(std::vector<BadRow>& bad) {
    for (std::size_t i = 0; i < 3; ++i) {
        Scenario s = matched(false);
        s.state.now.forced_cursor = 0;
        bad.push_back({indexed("cursor.carry", i), s.row(ForcedCase::matched)});
        bad.back().row.cursor.carry[i] = KoalaBear(testing::kFalseCarry);
    }
    Scenario s = matched(true);
    s.new_key.fill(KoalaBear(kP - 1));
    const Row row = s.row(ForcedCase::matched);
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        const std::string name = "key_hash[" + std::to_string(k) + "].top";
        bad.push_back({name, row});
        bad.back().row.key_hash.top[k] = KoalaBear(2);
        bad.push_back({name + ".low", row});  // p + 4
        bad.back().row.key_hash.low[k] = KoalaBear(5);
        bad.push_back({name + ".high", row});
        bad.back().row.key_hash.high[k] = KoalaBear(5);
    }
}

// Each named constraint, dropped, lets a bad row through.
TEST(ForcedTable, EachConstraintAloneRefusesABadRow) {
    std::vector<BadRow> bad;
    add_bad_cases(bad);
    add_bad_outcomes(bad, false);
    add_bad_outcomes(bad, true);
    add_bad_numbers(bad);
    std::set<std::string> names;
    for (const BadRow& b : bad) {
        EXPECT_EQ(broken_constraints(table(), testing::single_row(b.row)), std::vector<std::string>{b.constraint});
        names.insert(b.constraint);
    }
    for (const Constraint& c : table().constraints) EXPECT_TRUE(names.contains(c.name)) << c.name;
}

// ... and nothing else does: no lookup of these lies is untrue.
TEST(ForcedTable, LiesAboutOutcomesAreRefusedByConstraintsAlone) {
    std::vector<BadRow> bad;
    add_bad_outcomes(bad, false);
    add_bad_outcomes(bad, true);
    for (const BadRow& b : bad) EXPECT_EQ(false_lookups(b.row), std::vector<std::string>{}) << b.constraint;
}

/// Names of an array's cells.
std::vector<std::string> cells(const std::string& name, std::size_t n) {
    std::vector<std::string> r;
    for (std::size_t i = 0; i < n; ++i) r.push_back(indexed(name, i));
    return r;
}

// Every cell of a real row is held by a constraint or seen on a bus, but for those that its case does not read.
TEST(ForcedTable, CellsAreBound) {
    for (const bool set_key : {false, true}) {
        const auto expect_free = [&](const Scenario& s, const std::vector<std::vector<std::string>>& groups) {
            std::set<std::string> expected;
            for (const auto& group : groups) expected.insert(group.begin(), group.end());
            // Of key_hash, raised by one, `top` is held everywhere where it must not be 1.
            if (!set_key) {
                for (const std::string part : {"low", "high"}) {
                    for (const std::string& name : cells("key_hash." + part, kDigestSize)) expected.insert(name);
                }
            }
            const auto free = testing::free_cells(table(), s.row(forced_case(s.facts())));
            EXPECT_EQ(std::set<std::string>(free.begin(), free.end()), expected);
        };
        const std::vector<std::string> gap{"gap.low", "gap.high", "gap.carry"};
        const auto new_pair = cells("new_pair", kDigestSize);
        const auto difference = cells("address_difference", 7);
        if (set_key)
            expect_free(matched(set_key), {gap, difference});
        else
            expect_free(matched(set_key), {gap, difference, new_pair});
        // Where two pieces are equal, what their difference is multiplied by does not matter.
        const auto equal_pieces = [&](const std::array<KoalaBear, 7>& other) {
            std::vector<std::string> r;
            const auto sender = address_pieces(mismatched(set_key).sender);
            for (std::size_t k = 0; k < sender.size(); ++k) {
                if (sender[k] == other[k]) r.push_back(difference[k]);
            }
            return r;
        };
        expect_free(mismatched(set_key), {gap, new_pair, equal_pieces(address_pieces(make_address(3)))});
        expect_free(absent(set_key), {new_pair,
                                      cells("found.pair", kDigestSize),
                                      cells("found.balance", 6),
                                      cells("found_address", 7),
                                      equal_pieces({}),
                                      cells("found_key_hash", kDigestSize),
                                      {"found.previous", "found.token", "found.published", "found.nonce"}});
    }
}

// "The same entry consumed twice", "two touches of one account": of two withdrawals from one slot, the second finds
// what the first has left. A second row that repeats the first's reads takes each of those tuples off its bus twice.
TEST(ForcedTable, NothingIsPaidTwice) {
    const auto net_of = [](const Row& first, const Row& second, std::uint32_t bus) {
        const std::array<Row, 2> rows{first, second};
        const auto items = testing::bus_items(table(), columns_of<Row>(rows, 2));
        Traffic net = testing::bus_side(items, bus, 1);
        for (const auto& [tuple, count] : testing::bus_side(items, bus, -1)) net[tuple] += count;
        std::erase_if(net, [](const auto& entry) { return entry.second == 0; });
        return net;
    };
    const Row first = matched(false).row(ForcedCase::matched);
    Row second = first;
    second.word += KoalaBear(1);
    for (const std::uint32_t bus : {kMemoryBus, kRegisterBus}) {
        const Traffic net = net_of(first, second, bus);
        EXPECT_TRUE(std::any_of(net.begin(), net.end(), [](const auto& entry) { return entry.second == -2; }));
    }
    // The honest second row: one open and one close of the slot, the cursor and the count.
    Scenario after = matched(false);
    after.state.leaves[kSlot].balance = Amount();
    ++after.state.now.forced_cursor;
    second = after.row(ForcedCase::matched);
    second.word = first.word + KoalaBear(1);
    second.found.previous = second.cursor.previous = second.count.previous = first.word + KoalaBear(1);
    EXPECT_EQ(net_of(first, second, kMemoryBus).size(), 2U);
    EXPECT_EQ(net_of(first, second, kRegisterBus).size(), 4U);
    EXPECT_EQ(find_violation(table(), columns_of<Row>(std::array<Row, 2>{first, second}, 2)), std::nullopt);
}

// Padding satisfies every constraint and puts nothing on a bus.
TEST(ForcedTable, PaddingIsSilent) {
    const Columns padding = testing::single_row(Row{});
    EXPECT_EQ(find_violation(table(), padding), std::nullopt);
    EXPECT_TRUE(testing::bus_items(table(), padding).empty());
    EXPECT_LE(table().max_degree(), 2U);
}

// The rows of a batch's traffic are true, and do what its steps did; one slot is emptied twice and gets two keys.
TEST(ForcedTable, RowsOfABatch) {
    rollup::testing::World world;
    rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    rollup::testing::RandomTraffic traffic(world, 6);
    traffic.run(builder, 300);
    for (const std::uint32_t key : {70U, 71U}) {
        const L1Address sender = builder.executor().leaf(3)->owner.address;
        world.queues.forced_entries.emplace_back(ForcedWithdrawalEntry{3, sender});
        ASSERT_TRUE(builder.add_forced().ok());
        world.queues.forced_entries.emplace_back(SetKeyEntry{3, sender, key_hash(testing::make_key(key))});
        ASSERT_TRUE(builder.add_forced().ok());
    }
    const auto sealed = builder.seal();
    ASSERT_TRUE(sealed);
    const rollup::ExecutedBatch& batch = sealed.value();
    const Timeline timeline =
        make_timeline(world.parameters, world.store, batch, 0, batch.steps.size(),
                      rollup::batch_start(batch.before, header_hash(batch.header)), make_address(1), 3);
    const std::vector<Row> rows = forced_rows(timeline);
    EXPECT_EQ(rows.size(), world.queues.forced_entries.size());
    const Columns columns = columns_of<Row>(rows, 512);
    EXPECT_EQ(find_violation(table(), columns), std::nullopt);
    const auto items = testing::bus_items(table(), columns);
    EXPECT_EQ(testing::false_requests(items), std::vector<std::string>{});
    testing::expect_effects_of_steps(timeline, items, [](const rollup::Operation& op) {
        return std::holds_alternative<rollup::ForcedWithdrawal>(op) || std::holds_alternative<rollup::SetKey>(op);
    });
}

}  // namespace
}  // namespace quarry::circuits::forced_table_test
