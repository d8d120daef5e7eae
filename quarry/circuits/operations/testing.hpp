#pragma once
/// Shared by the tests of the operations' tables: a segment to prove, a judge for single rows, and the world around.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "quarry/air/check.hpp"
#include "quarry/circuits/operations/fields.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/circuits/timeline.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::circuits::testing {

/// A whole batch as one segment. Not movable: the timeline points into it.
struct Segment {
    Segment(rollup::testing::World& world, rollup::BatchBuilder& builder) {
        auto sealed = builder.seal();
        QUARRY_CHECK(sealed.ok());
        batch = sealed.value();
        timeline = make_timeline(world.parameters, world.store, batch, 0, batch.steps.size(),
                                 rollup::batch_start(batch.before, rollup::header_hash(batch.header)),
                                 rollup::testing::make_address(5), 1);
    }
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;
    ~Segment() = default;

    rollup::ExecutedBatch batch;
    Timeline timeline;
};

/// One operation of every kind of these tables, some twice. In order: transfer 2 -> 4 with the first fee of token 1,
/// transfer 3 -> 7 without fee, new pair 4 -> 8 with fee, withdrawal from 3 with the first fee of token 2, change of
/// key of 6, publication of 5 and its transfer to 3, collections of both tokens.
inline std::unique_ptr<Segment> every_kind() {
    using namespace rollup;
    using namespace rollup::testing;
    World world;
    BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    const auto add = [&](const Operation& op, std::uint32_t key) {
        QUARRY_CHECK(builder.add(world.sign(op, make_key(key), builder.executor()), true).ok());
    };
    add(transfer(2, 4, 1000, 5), 2);
    add(transfer(3, 7, 700), 3);
    add(transfer_new(4, 8, 300, 12, make_owner(20)), 4);
    add(withdraw(3, 500, 3), 3);
    add(ChangeKey{auth(6, 2), make_key(21)}, 6);
    add(transfer(5, 3, 10, 1), 5);
    return std::make_unique<Segment>(world, builder);
}

/// What lookup tables know.
inline bool is_fact(std::uint32_t bus, const std::vector<KoalaBear>& tuple, const Timeline& timeline) {
    const auto value = [&](std::size_t i) { return tuple[i].canonical(); };
    const auto digest = [&](std::size_t first) {
        Digest d;
        std::copy_n(tuple.begin() + static_cast<std::ptrdiff_t>(first), d.size(), d.begin());
        return d;
    };
    switch (bus) {
        case kHashBus:
            return poseidon_compress(digest(0), digest(8)) == digest(16);
        case kRange16Bus:
            return value(0) < 1u << 16;
        case kSplitBus:
            return value(0) < 1u << 16 && value(1) == value(0) >> 8;
        case kHigh15Bus:
            return value(0) < 0x7f00;
        case kTimestampBus:
            return (value(0) | value(1) << 16) == timeline.header.timestamp && value(0) < 1u << 16;
        case kFeeReceiverBus:
            return digest(0) == timeline.header.fee_receiver;
        case kDomainBus:
            return digest(0) == timeline.statement.domain;
        case kMinimumFeeBus: {
            const auto limbs = amount_limbs(timeline.parameters.min_new_pair_fee);
            return std::equal(tuple.begin(), tuple.end(), limbs.begin());
        }
        default:
            QUARRY_CHECK(false);
            return false;
    }
}
inline bool is_lookup(std::uint32_t bus) { return bus < kWordBus; }

/// Everything on buses where each tuple is put and taken once: bus and tuple -> put minus taken.
using Exchange = std::map<std::vector<std::uint32_t>, KoalaBear>;
inline void put(Exchange& exchange, std::uint32_t bus, const std::vector<KoalaBear>& tuple,
                KoalaBear multiplicity = KoalaBear(1)) {
    std::vector<std::uint32_t> key{bus};
    for (const KoalaBear x : tuple) key.push_back(x.canonical());
    KoalaBear& total = exchange[key];
    total += multiplicity;
    if (total.is_zero()) exchange.erase(key);
}
inline void take(Exchange& exchange, std::uint32_t bus, const std::vector<KoalaBear>& tuple) {
    put(exchange, bus, tuple, -KoalaBear(1));
}
inline std::string to_string(const Exchange& exchange) {
    std::string text;
    for (const auto& [key, total] : exchange) {
        text += "bus";
        for (const std::uint32_t x : key) text += " " + std::to_string(x);
        text += " total " + std::to_string(total.canonical()) + "\n";
    }
    return text;
}

/// What speaks against rows, as far as their own table and the lookup tables go, and what they exchange with others.
struct Judgement {
    std::vector<std::string> faults;  ///< names of broken constraints, then of lookups of what is no fact
    Exchange exchange;
};

/// Judges rows of one table. No table of operations looks at the next row, so that a row can stand alone.
template <class Definition>
class Judge {
  public:
    using Row = typename Definition::template Row<KoalaBear>;
    explicit Judge(const Timeline& timeline) : table_(make_table<Definition>()), timeline_(&timeline) {
        QUARRY_CHECK(table_.next_columns().empty());
    }
    [[nodiscard]] const Table& table() const { return table_; }

    [[nodiscard]] Judgement operator()(std::span<const Row> rows) const {
        Judgement r;
        if (rows.empty()) return r;
        const Columns columns = columns_of<Row>(rows, rows.size());
        r.faults = broken_constraints(table_, columns);
        std::set<std::string> no_facts;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::vector<KoalaBear> cells;
            for (const auto& column : columns) cells.push_back(column[i]);
            const auto atoms = evaluate_atoms(table_.graph, cells, cells, [](KoalaBear x) { return x; });
            const auto value = [&](const LinearForm& f) {
                return evaluate_form(f, atoms, [](KoalaBear x) { return x; });
            };
            for (const Interaction& interaction : table_.interactions) {
                const KoalaBear multiplicity = value(interaction.multiplicity);
                if (multiplicity.is_zero()) continue;
                std::vector<KoalaBear> tuple;
                for (const LinearForm& f : interaction.tuple) tuple.push_back(value(f));
                if (!is_lookup(interaction.bus)) {
                    put(r.exchange, interaction.bus, tuple, multiplicity);
                } else if (!is_fact(interaction.bus, tuple, *timeline_)) {
                    no_facts.insert(interaction.name);
                }
            }
        }
        r.faults.insert(r.faults.end(), no_facts.begin(), no_facts.end());
        return r;
    }
    [[nodiscard]] Judgement operator()(const Row& row) const { return (*this)(std::span<const Row>(&row, 1)); }

    /// The cells that can be anything: neither a fault nor a change of what the row exchanges when they change.
    [[nodiscard]] std::vector<std::string> free_cells(const Row& honest) const {
        const Exchange before = (*this)(honest).exchange;
        const auto offsets = cell_offsets<Row>();
        std::vector<std::string> names;
        for (std::size_t c = 0; c < offsets.size(); ++c) {
            Row mutant = honest;
            *reinterpret_cast<KoalaBear*>(reinterpret_cast<std::byte*>(&mutant) + offsets[c]) += KoalaBear(1);
            const Judgement judgement = (*this)(mutant);
            if (judgement.faults.empty() && judgement.exchange == before) names.push_back(table_.columns[c]);
        }
        return names;
    }

  private:
    Table table_;
    const Timeline* timeline_;
};

/// A forged row, and the one constraint or lookup that stands in its way.
template <class Row>
struct Forgery {
    std::string obstacle;
    Row row;
};

/// Each forgery meets its obstacle and no other; together they meet every constraint and every lookup of the table: so
/// none can be dropped.
template <class Definition>
void expect_all_needed(const Judge<Definition>& judge,
                       const std::vector<Forgery<typename Definition::template Row<KoalaBear>>>& forgeries) {
    std::set<std::string> missing;
    for (const Constraint& c : judge.table().constraints) missing.insert(c.name);
    for (const Interaction& i : judge.table().interactions) {
        if (is_lookup(i.bus)) missing.insert(i.name);
    }
    for (const auto& forgery : forgeries) {
        EXPECT_EQ(judge(forgery.row).faults, std::vector<std::string>{forgery.obstacle});
        missing.erase(forgery.obstacle);
    }
    EXPECT_EQ(missing, std::set<std::string>());
}

/// "name[i]".

/// A sum of limbs lies by adding 5 2^16 to an addend's limb i and taking 5 from its limb i + 1: only carry i can tell.
/// The last limb has no carry.
template <std::size_t N>
void forge_carry(std::array<KoalaBear, N>& addend, std::size_t i) {
    if (i + 1 == N) {
        addend[i] += KoalaBear(1);
        return;
    }
    addend[i] += KoalaBear(5u << 16);
    addend[i + 1] -= KoalaBear(5);
}
inline std::string carry_name(const std::string& name, std::size_t i) {
    return i + 1 == rollup::Amount::kLimbs ? name + ".top" : indexed(name + ".carry", i);
}

/// The hash of a key's cells, canonical or not.
inline Digest hash_of(const KeyCells<KoalaBear>& key) {
    rollup::AccountKey k;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const KoalaBear element = key[i].low + key[i].high * KoalaBear(1u << 16);
        (i < k.x.size() ? k.x[i] : k.y[i - k.x.size()]) = element;
    }
    return rollup::key_hash(k);
}

/// Four ways for the limbs of an element not to be canonical, by the constraint that each of them meets: a top that is
/// not boolean, one at another high limb, one with a low limb, and p + 0xfffe as two limbs.
inline std::vector<Forgery<ElementCells<KoalaBear>>> forged_elements(const std::string& name) {
    const KoalaBear top_limb(0x7f00);
    return {{name + ".top", {{}, top_limb, KoalaBear(2)}},
            {name + ".top.high", {{}, KoalaBear(5), KoalaBear(1)}},
            {name + ".top.low", {KoalaBear(0xffff), top_limb, KoalaBear(1)}},
            {name + ".high", {KoalaBear(0xffff), top_limb, KoalaBear()}}};
}
/// The same for each element of row.key; `complete` makes the row's hashes belong to it.
template <class Row, class Complete>
std::vector<Forgery<Row>> forge_elements(const Row& honest, Complete&& complete) {
    std::vector<Forgery<Row>> r;
    for (std::size_t i = 0; i < honest.key.size(); ++i) {
        for (const auto& element : forged_elements(indexed("key", i))) {
            Row row = honest;
            row.key[i] = element.row;
            complete(row);
            r.push_back({element.obstacle, row});
        }
    }
    return r;
}

}  // namespace quarry::circuits::testing
