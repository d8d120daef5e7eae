#include "quarry/circuits/operations/deposit_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/circuits/operations/queue_testing.hpp"

namespace quarry::circuits::deposit_table_test {
namespace {

using rollup::Amount;
using rollup::DepositEntry;
using rollup::Leaf;
using testing::kP;
using testing::NativeRun;
using testing::SparseState;

using Row = DepositRow<KoalaBear>;

const Table& table() {
    static const Table t = make_table<DepositTable>();
    return t;
}

/// An entry over a state.
struct Scenario {
    SparseState state;
    DepositEntry entry;

    [[nodiscard]] NativeRun run() const {
        testing::OneEntry queue;
        queue.deposit_entry = entry;
        return {state, rollup::Deposit{}, queue};
    }
    /// What a prover would start from who takes `found` for the slot's leaf.
    [[nodiscard]] DepositFacts facts(const NativeRun& run, const std::optional<Leaf>& found) const {
        return {NativeRun::kWord, run.cursor, run.count, entry, found, NativeRun::kPrevious};
    }
    [[nodiscard]] DepositFacts facts() const {
        const NativeRun r = run();
        return facts(r, entry.target == rollup::kNewSlot ? std::nullopt : state.leaf(entry.target));
    }
    [[nodiscard]] Row row(DepositCase claim) const { return deposit_row(facts(), claim); }
};

constexpr std::uint32_t kSlot = 5;

/// Owner 3 deposits 1000 of token 2 to slot 5, which is theirs, among 0x20003 slots.
Scenario credited() {
    Scenario s;
    s.state.now.slot_count = 0x20003;
    s.state.now.deposit_cursor = 0x1234'0000'ffff'ffff;
    s.state.leaves[kSlot] = testing::leaf_of(3, 2, Amount(0xffff'fff0'1234));
    s.entry = {testing::make_owner(3), testing::make_address(44), 2, Amount(1000), kSlot};
    return s;
}
Scenario with_target(Scenario s, std::uint32_t target) {
    s.entry.target = target;
    return s;
}
Scenario with_count(Scenario s, std::uint32_t count) {
    s.state.now.slot_count = count;
    return s;
}
Scenario with_token(Scenario s, rollup::TokenId token) {
    s.entry.token = token;
    return s;
}
Scenario with_owner(Scenario s, const rollup::Owner& owner) {
    s.entry.owner = owner;
    return s;
}
Scenario with_amounts(Scenario s, Amount balance, Amount amount) {
    s.state.leaves[kSlot].balance = balance;
    s.entry.amount = amount;
    return s;
}
Scenario created() { return with_target(credited(), rollup::kNewSlot); }
Scenario full() { return with_count(created(), rollup::kMaxSlots); }
Scenario absent() { return with_target(credited(), 0x20003); }
Scenario other_token() { return with_token(credited(), 1); }
Scenario other_pair() { return with_owner(credited(), testing::make_owner(4)); }
Scenario overflow() { return with_amounts(credited(), Amount::max(), Amount(1)); }

std::vector<Scenario> scenarios() {
    rollup::Owner same_key = testing::make_owner(3);
    same_key.address = testing::make_address(9);
    rollup::Owner largest = testing::make_owner(3);
    largest.key_hash.fill(KoalaBear(kP - 1));
    Amount nearly = *checked_sub(Amount::max(), Amount(1));
    Scenario all_wrong = with_owner(with_token(overflow(), 1), testing::make_owner(4));
    Scenario last_cursor = credited();
    last_cursor.state.now.deposit_cursor = ~std::uint64_t{0} - 1;
    return {
        credited(),
        created(),
        full(),
        absent(),
        other_token(),
        other_pair(),
        overflow(),
        all_wrong,
        last_cursor,
        with_amounts(credited(), nearly, Amount(1)),
        with_amounts(credited(), Amount(), Amount::max()),
        with_amounts(credited(), Amount(1), Amount::max()),
        with_amounts(credited(), Amount::max(), Amount()),
        with_amounts(credited(), Amount(), Amount()),
        with_amounts(created(), Amount(), Amount::max()),
        with_owner(credited(), same_key),
        with_owner(created(), largest),
        // The last slot, the first one past it, none at all, numbers at and around 2^30, 2^31, 2^32.
        with_count(created(), rollup::kMaxSlots - 1),
        with_count(created(), 0),
        with_target(credited(), 0x20004),
        with_target(credited(), 0x30000),
        with_target(credited(), rollup::kMaxSlots),
        with_target(with_count(credited(), rollup::kMaxSlots), rollup::kMaxSlots),
        with_target(with_count(credited(), 0), 0),
        with_target(credited(), 0xfffffffe),
        with_target(with_count(credited(), rollup::kMaxSlots), 0xfffffffe),
        with_target(credited(), 0xfffeffff),
        // Aliases of slot 5 in the field.
        with_target(credited(), kP + kSlot),
        with_target(with_count(credited(), rollup::kMaxSlots), kP + kSlot),
    };
}

// "An applicable L1 entry as a no-op and the reverse": every case is claimed for every scenario, by provers who take
// the slot's leaf, the leaf that the field confuses it with, one that would suit them, or none.
TEST(DepositTable, OnlyTheNativeOutcomeCanBeProven) {
    std::size_t index = 0;
    for (const Scenario& s : scenarios()) {
        SCOPED_TRACE(index++);
        const NativeRun run = s.run();
        Leaf suitable = make_leaf(s.entry.owner, s.entry.token, Amount(1));
        Leaf unsuitable = make_leaf(testing::make_owner(30), 77, Amount::max());
        const std::vector<std::optional<Leaf>> candidates = {
            s.state.leaf(s.entry.target), s.state.leaf(s.entry.target - kP), suitable, unsuitable, std::nullopt};
        std::size_t provable = 0;
        for (const auto& found : candidates) {
            for (std::size_t c = 0; c < kDepositCases; ++c) {
                const Row row = deposit_row(s.facts(run, found), static_cast<DepositCase>(c));
                if (!refusals(table(), row, run).empty()) continue;
                ++provable;
                EXPECT_TRUE(does_the_same(table(), row, run)) << "case " << c;
            }
        }
        EXPECT_GT(provable, 0U);
        const Row honest = s.row(deposit_case(s.facts()));
        EXPECT_EQ(refusals(table(), honest, run), std::vector<std::string>{});
        EXPECT_TRUE(does_the_same(table(), honest, run));
    }
}

// The slot that no leaf of the sparse state is at, but whose number is below the count, exists: nobody may call it
// absent, wherever its limbs stand against the count's.
TEST(DepositTable, ExistingSlotsAreNotAbsent) {
    for (const std::uint32_t target : {0U, 0x20002U, 0x10004U, 0xffffU, 0x1ffffU}) {
        const Scenario s = with_target(credited(), target);
        const NativeRun run = s.run();
        EXPECT_NE(refusals(table(), deposit_row(s.facts(run, std::nullopt), DepositCase::absent), run),
                  std::vector<std::string>{});
    }
}

// "A read from the future", and one access twice at the same time: previous must be before time.
TEST(DepositTable, ReadsOnlyThePast) {
    for (const std::uint32_t previous : {NativeRun::kWord + 1, NativeRun::kWord + 2, NativeRun::kWord + 1000}) {
        Row row = credited().row(DepositCase::credited);
        row.found.previous = KoalaBear(previous);
        EXPECT_EQ(testing::false_requests(testing::bus_items(table(), testing::single_row(row))),
                  std::vector<std::string>{"credited.slot.order"});
        row = credited().row(DepositCase::credited);
        row.count.previous = row.cursor.previous = KoalaBear(previous);
        EXPECT_EQ(testing::false_requests(testing::bus_items(table(), testing::single_row(row))),
                  (std::vector<std::string>{"count.order", "cursor.order"}));
    }
}

// Numbers with limbs beyond 16 bits, or in two forms.
TEST(DepositTable, LimbsAreChecked) {
    const auto lookups = [](const Row& row) {
        return testing::false_requests(testing::bus_items(table(), testing::single_row(row)));
    };
    const Row honest = credited().row(DepositCase::credited);
    EXPECT_TRUE(lookups(honest).empty());
    Row row = honest;  // slot 5 = 0x10005 - 2^16
    row.target = {KoalaBear(0x10005), -KoalaBear(1)};
    EXPECT_EQ(find_violation(table(), testing::single_row(row)), std::nullopt);
    EXPECT_EQ(lookups(row),
              (std::vector<std::string>{"existing.target", "existing.target.upper", "target[0]", "target[1]"}));
    row = honest;  // slot 5 = p + 5
    row.target = {KoalaBear(6), KoalaBear(0x7f00)};
    EXPECT_EQ(lookups(row), std::vector<std::string>{"existing.target.upper"});
    row = honest;  // the count as count + p
    row.count.low += KoalaBear(1);
    row.count.high += KoalaBear(0x7f00);
    EXPECT_EQ(lookups(row), std::vector<std::string>{"count.high"});
    row = honest;  // an element of the key hash in its other form
    row.key_hash.low[3] += KoalaBear(1);
    row.key_hash.high[3] += KoalaBear(0x7f00);
    EXPECT_EQ(lookups(row), std::vector<std::string>{"key_hash[3].high"});
    row = honest;  // an amount of -1 in its upper limb
    row.amount[5] -= KoalaBear(1);
    row.sum[5] -= KoalaBear(1);
    EXPECT_EQ(lookups(row), (std::vector<std::string>{"amount[5]", "sum[5]"}));
    row = honest;  // another owner's pair
    row.pair = row.found.pair = rollup::pair_hash(testing::make_owner(8));
    EXPECT_EQ(lookups(row), std::vector<std::string>{"pair"});
}

struct BadRow {
    std::string constraint;
    Row row;
};

void add_bad_cases(std::vector<BadRow>& bad) {
    const KoalaBear one(1);
    // A case counted -1 times takes back what two others put on the buses.
    Row row = with_count(other_token(), rollup::kMaxSlots).row(DepositCase::other_token);
    row.full = one;
    row.created = -one;
    bad.push_back({"created", row});
    row.full = -one;
    row.created = one;
    bad.push_back({"full", row});
    Row twice = with_owner(other_token(), testing::make_owner(4)).row(DepositCase::other_token);
    twice.other_pair = one;
    twice.pair_difference = difference_witness(twice.found.pair, twice.pair);
    bad.push_back({"one_case", twice});
    row = twice;
    row.absent = -one;
    row.target_inverse = -(KoalaBear(2 * 0xffff) - row.target[0] - row.target[1]).inverse();
    row.gap = {row.target[0] - row.count.low, row.target[1] - row.count.high, {}};
    bad.push_back({"absent", row});
    row = full().row(DepositCase::full);
    row.created = one;
    row.credited = -one;
    row.found.pair = row.pair;
    row.found.token = row.token;
    bad.push_back({"credited", row});

    Row all = with_owner(with_token(overflow(), 1), testing::make_owner(4)).row(DepositCase::overflow);
    all.other_pair = all.other_token = one;
    all.token_inverse = (all.found.token - all.token).inverse();
    all.pair_difference = difference_witness(all.found.pair, all.pair);
    row = all;
    row.other_token = -one;
    row.token_inverse = -row.token_inverse;
    bad.push_back({"other_token", row});
    row = all;
    row.other_pair = -one;
    for (KoalaBear& u : row.pair_difference) u = -u;
    bad.push_back({"other_pair", row});
    row = all;
    row.overflow = -one;
    bad.push_back({"overflow", row});
}

// Each of these is a lie about the outcome that the named constraint alone refuses.
void add_bad_outcomes(std::vector<BadRow>& bad) {
    // Slots made for deposits that name one; refunds while there is room.
    bad.push_back({"new_slot.low", with_target(credited(), 0xfffffffe).row(DepositCase::created)});
    bad.push_back({"new_slot.high", with_target(credited(), 0xfffeffff).row(DepositCase::created)});
    bad.push_back({"full.high", with_count(created(), 0x50000).row(DepositCase::full)});
    bad.push_back({"full.low", with_count(created(), rollup::kMaxSlots + 1).row(DepositCase::full)});
    // Existing slots called absent, and a new slot's number taken for one that is not there.
    bad.push_back({"absent.target", with_count(created(), 9).row(DepositCase::absent)});
    bad.push_back({"absent.low", with_target(with_count(credited(), 10), 9).row(DepositCase::absent)});
    bad.back().row.gap = {};
    bad.push_back({"absent.high", with_target(credited(), 0x10005).row(DepositCase::absent)});
    bad.back().row.gap = {KoalaBear(2), {}, {}};
    bad.push_back({"gap.carry", with_target(credited(), 0x10005).row(DepositCase::absent)});
    bad.back().row.gap = {KoalaBear(3), KoalaBear(testing::kFalseCarry - 1), -KoalaBear(testing::kFalseCarry)};
    // Credits and refunds that are not due.
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        Scenario s = credited();
        s.state.leaves[kSlot].pair[k] += KoalaBear(1);
        bad.push_back({indexed("credited.pair", k), s.row(DepositCase::credited)});
    }
    bad.push_back({"credited.token", other_token().row(DepositCase::credited)});
    bad.push_back({"credited.carry", overflow().row(DepositCase::credited)});
    bad.push_back({"other_token.inverse", credited().row(DepositCase::other_token)});
    bad.push_back({"other_pair.difference", credited().row(DepositCase::other_pair)});
    bad.push_back({"overflow.carry", credited().row(DepositCase::overflow)});
}

void add_bad_numbers(std::vector<BadRow>& bad) {
    const KoalaBear carry(testing::kFalseCarry);
    // 2^16 0x7f00 = -1: the limb gains one, and the next one 0x7f00.
    for (std::size_t i = 0; i < 3; ++i) {
        Scenario s = credited();
        s.state.now.deposit_cursor = 0;
        Row row = s.row(DepositCase::credited);
        row.cursor.carry[i] = carry;
        bad.push_back({indexed("cursor.carry", i), row});
    }
    for (std::size_t i = 0; i < 6; ++i) {
        const std::string index = "[" + std::to_string(i) + "]";
        Row row = with_amounts(other_token(), Amount(7), Amount(9)).row(DepositCase::other_token);
        if (i < 5) row = with_amounts(credited(), Amount(7), Amount(9)).row(DepositCase::credited);
        bad.push_back({"sum" + index, row});
        bad.back().row.sum[i] += KoalaBear(1);
        row.carry[i] = carry;
        row.sum[i] += KoalaBear(1);
        if (i < 5) row.sum[i + 1] += carry;
        bad.push_back({"carry" + index, row});
    }
    rollup::Owner largest = testing::make_owner(3);
    largest.key_hash.fill(KoalaBear(kP - 1));
    Row row = with_owner(created(), largest).row(DepositCase::created);
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
TEST(DepositTable, EachConstraintAloneRefusesABadRow) {
    std::vector<BadRow> bad;
    add_bad_cases(bad);
    add_bad_outcomes(bad);
    add_bad_numbers(bad);
    std::set<std::string> names;
    for (const BadRow& b : bad) {
        EXPECT_EQ(broken_constraints(table(), testing::single_row(b.row)), std::vector<std::string>{b.constraint});
        names.insert(b.constraint);
    }
    for (const Constraint& c : table().constraints) EXPECT_TRUE(names.contains(c.name)) << c.name;
}

// ... and nothing else does: no lookup of these lies is untrue, no read is of what is not there.
TEST(DepositTable, LiesAboutOutcomesAreRefusedByConstraintsAlone) {
    std::vector<BadRow> bad;
    add_bad_outcomes(bad);
    for (const BadRow& b : bad) {
        EXPECT_EQ(testing::false_requests(testing::bus_items(table(), testing::single_row(b.row))),
                  std::vector<std::string>{})
            << b.constraint;
    }
}

// Every cell of a real row is held by a constraint or seen on a bus, but for those that its case does not read.
TEST(DepositTable, CellsAreBound) {
    const auto free = [](const Scenario& s) { return testing::free_cells(table(), s.row(deposit_case(s.facts()))); };
    const std::vector<std::string> gap{"gap.low", "gap.high", "gap.carry"};
    // Witnesses of inequalities that hold do not matter where the two sides are equal.
    const std::vector<std::string> witnesses = [] {
        std::vector<std::string> r{"token_inverse"};
        for (std::size_t k = 0; k < kDigestSize; ++k) r.push_back(indexed("pair_difference", k));
        return r;
    }();
    const auto join = [](std::vector<std::string> a, const std::vector<std::string>& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    };
    EXPECT_EQ(free(credited()), join(gap, witnesses));
    EXPECT_EQ(free(overflow()), join(gap, witnesses));
    std::vector<std::string> no_leaf;
    for (std::size_t k = 0; k < kDigestSize; ++k) no_leaf.push_back(indexed("found.pair", k));
    const std::vector<std::string> rest{"found.token", "found.published", "found.nonce"};
    EXPECT_EQ(free(created()), join(join(join(no_leaf, rest), gap), {"target_inverse"}));
    EXPECT_EQ(free(full()), join(join(join(join({"found.previous"}, no_leaf), rest), gap), {"target_inverse"}));
    EXPECT_EQ(free(absent()), join(join({"found.previous"}, no_leaf), rest));
    std::vector<std::string> equal_token = gap;
    equal_token.emplace_back("token_inverse");
    // Of the pair's differences only those between equal elements are free, and there are none.
    EXPECT_EQ(free(other_pair()), equal_token);
    EXPECT_EQ(free(other_token()), join(gap, std::vector<std::string>(witnesses.begin() + 1, witnesses.end())));
}

// Padding satisfies every constraint and puts nothing on a bus.
TEST(DepositTable, PaddingIsSilent) {
    const Columns padding = testing::single_row(Row{});
    EXPECT_EQ(find_violation(table(), padding), std::nullopt);
    EXPECT_TRUE(testing::bus_items(table(), padding).empty());
    EXPECT_LE(table().max_degree(), 2U);
}

// The rows of a batch's traffic are true, and do what its steps did; one slot is paid into several times.
TEST(DepositTable, RowsOfABatch) {
    rollup::testing::World world;
    rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    rollup::testing::RandomTraffic traffic(world, 5);
    traffic.run(builder, 300);
    const DepositEntry again{testing::make_owner(3), testing::make_address(9), 2, Amount(5), 3};
    for (const std::uint32_t target : {3U, 3U, rollup::kNewSlot, 3U}) {
        world.queues.deposits.push_back(again);
        world.queues.deposits.back().target = target;
        ASSERT_TRUE(builder.add_deposit().ok());
    }
    const auto sealed = builder.seal();
    ASSERT_TRUE(sealed);
    const rollup::ExecutedBatch& batch = sealed.value();
    const Timeline timeline =
        make_timeline(world.parameters, world.store, batch, 0, batch.steps.size(),
                      rollup::batch_start(batch.before, header_hash(batch.header)), testing::make_address(1), 3);
    const std::vector<Row> rows = deposit_rows(timeline);
    EXPECT_EQ(rows.size(), world.queues.deposits.size());
    const Columns columns = columns_of<Row>(rows, 512);
    EXPECT_EQ(find_violation(table(), columns), std::nullopt);
    const auto items = testing::bus_items(table(), columns);
    EXPECT_EQ(testing::false_requests(items), std::vector<std::string>{});

    testing::expect_effects_of_steps(
        timeline, items, [](const rollup::Operation& op) { return std::holds_alternative<rollup::Deposit>(op); });
}

}  // namespace
}  // namespace quarry::circuits::deposit_table_test
