#pragma once
/// Shared by the tests of this module's tables: what a trace puts on its buses, which lookups no table of facts can
/// answer, and which cells nothing holds.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "quarry/air/check.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/hash/poseidon.hpp"

namespace quarry::circuits::testing {

/// One tuple that a row puts on a bus (multiplicity > 0) or takes off it.
struct BusItem {
    std::string interaction;
    std::uint32_t bus = 0;
    std::int64_t multiplicity = 0;
    std::vector<KoalaBear> tuple;
};

/// What the rows put on buses and take off them, row by row.
inline std::vector<BusItem> bus_items(const Table& table, const Columns& columns) {
    std::vector<BusItem> items;
    const std::size_t height = columns.front().size();
    for (std::size_t r = 0; r < height; ++r) {
        std::vector<KoalaBear> row;
        std::vector<KoalaBear> next;
        for (const auto& column : columns) {
            row.push_back(column[r]);
            next.push_back(column[(r + 1) % height]);
        }
        const auto lift = [](KoalaBear x) { return x; };
        const auto atoms = evaluate_atoms(table.graph, row, next, lift);
        for (const Interaction& interaction : table.interactions) {
            const std::uint32_t m = evaluate_form(interaction.multiplicity, atoms, lift).canonical();
            if (m == 0) continue;
            BusItem item{interaction.name, interaction.bus, m, {}};
            if (m > KoalaBear::kModulus / 2) item.multiplicity -= KoalaBear::kModulus;
            for (const LinearForm& f : interaction.tuple) item.tuple.push_back(evaluate_form(f, atoms, lift));
            items.push_back(std::move(item));
        }
    }
    return items;
}

/// The multiset: put minus taken by (bus, tuple).
using Traffic = std::map<std::vector<std::uint32_t>, std::int64_t>;
inline Traffic traffic(const std::vector<BusItem>& items) {
    Traffic r;
    for (const BusItem& item : items) {
        std::vector<std::uint32_t> key{item.bus};
        for (const KoalaBear x : item.tuple) key.push_back(x.canonical());
        r[key] += item.multiplicity;
    }
    std::erase_if(r, [](const auto& entry) { return entry.second == 0; });
    return r;
}

/// Whether a table of facts has this tuple. True for buses that are no pure tables of facts.
inline bool is_fact(const BusItem& item) {
    const auto& v = item.tuple;
    switch (item.bus) {
        case kRange16Bus:
            return v[0].canonical() < 1u << 16;
        case kSplitBus:
            return v[0].canonical() < 1u << 16 && v[1].canonical() == v[0].canonical() >> 8;
        case kHigh15Bus:
            return v[0].canonical() < 0x7f00;
        case kHashBus: {
            Digest left;
            Digest right;
            Digest out;
            std::copy_n(v.begin(), kDigestSize, left.begin());
            std::copy_n(v.begin() + kDigestSize, kDigestSize, right.begin());
            std::copy_n(v.begin() + 2 * kDigestSize, kDigestSize, out.begin());
            return poseidon_compress(left, right) == out;
        }
        default:
            return true;
    }
}

/// Names of the lookups that ask for what is not so.
inline std::vector<std::string> false_requests(const std::vector<BusItem>& items) {
    std::set<std::string> names;
    for (const BusItem& item : items) {
        if (item.multiplicity < 0 && !is_fact(item)) names.insert(item.interaction);
    }
    return {names.begin(), names.end()};
}

/// One row as a trace of height 1.
template <class Row>
Columns single_row(const Row& row) {
    return columns_of<Row>(std::span<const Row>(&row, 1), 1);
}

/// The columns of this row that may be raised by one, and no constraint breaks and no bus sees it. For tables without
/// constraints on the next row.
template <class Row>
std::vector<std::string> free_cells(const Table& table, const Row& row) {
    const Columns honest = single_row(row);
    const Traffic before = traffic(bus_items(table, honest));
    std::vector<std::string> names;
    for (std::size_t c = 0; c < honest.size(); ++c) {
        Columns mutant = honest;
        mutant[c][0] += KoalaBear(1);
        if (find_violation(table, mutant)) continue;
        if (traffic(bus_items(table, mutant)) == before) names.push_back(table.columns[c]);
    }
    return names;
}

}  // namespace quarry::circuits::testing
