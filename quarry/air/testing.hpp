#pragma once
/// Shared by the tests of tables: sums over buses, changes of cells that nothing notices, and constraints that are
/// needed.

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "quarry/air/check.hpp"

namespace quarry::testing {

/// What goes over the buses: (bus, tuple) -> put minus taken, without zeros.
class BusSums {
  public:
    using Key = std::vector<std::uint32_t>;

    void add(std::uint32_t bus, const std::vector<KoalaBear>& tuple, KoalaBear multiplicity) {
        if (multiplicity.is_zero()) return;
        Key key{bus};
        for (const KoalaBear x : tuple) key.push_back(x.canonical());
        KoalaBear& sum = sums_[key];
        sum += multiplicity;
        if (sum.is_zero()) sums_.erase(key);
    }
    /// What row `row` of the table says.
    void add_row(const Table& table, const std::vector<KoalaBear>& atoms) {
        const auto value = [&](const LinearForm& f) { return evaluate_form(f, atoms, [](KoalaBear x) { return x; }); };
        for (const Interaction& interaction : table.interactions) {
            std::vector<KoalaBear> tuple;
            for (const LinearForm& f : interaction.tuple) tuple.push_back(value(f));
            add(interaction.bus, tuple, value(interaction.multiplicity));
        }
    }
    void add_table(const Table& table, const Columns& columns);
    [[nodiscard]] std::vector<Key> on(std::uint32_t bus) const {
        std::vector<Key> keys;
        for (const auto& [key, sum] : sums_) {
            if (key[0] == bus) keys.push_back(key);
        }
        return keys;
    }
    [[nodiscard]] const std::map<Key, KoalaBear>& sums() const noexcept { return sums_; }
    friend bool operator==(const BusSums&, const BusSums&) = default;

  private:
    std::map<Key, KoalaBear> sums_;
};

inline std::vector<KoalaBear> atoms_at(const Table& table, const Columns& columns, std::size_t row) {
    const std::size_t next_row = (row + 1) % columns.front().size();
    std::vector<KoalaBear> here, next;
    for (const auto& column : columns) {
        here.push_back(column[row]);
        next.push_back(column[next_row]);
    }
    return evaluate_atoms(table.graph, here, next, [](KoalaBear x) { return x; });
}

inline void BusSums::add_table(const Table& table, const Columns& columns) {
    for (std::size_t row = 0; row < columns.front().size(); ++row) add_row(table, atoms_at(table, columns, row));
}

/// What the two rows that read row `row`'s cells say: the constraints that they break, and their tuples.
struct Neighbourhood {
    std::set<std::string> broken;
    BusSums sums;

    Neighbourhood(const Table& table, const Columns& columns, std::size_t row) {
        const std::size_t height = columns.front().size();
        for (const std::size_t r : {(row + height - 1) % height, row}) {
            const auto atoms = atoms_at(table, columns, r);
            for (const Constraint& c : table.constraints) {
                if (!evaluate_form(c.form, atoms, [](KoalaBear x) { return x; }).is_zero()) broken.insert(c.name);
            }
            sums.add_row(table, atoms);
        }
    }
};

/// The witness cells of `rows` that can be changed without breaking a constraint or changing what is on the buses:
/// "column at row r". Honest columns must satisfy the table.
inline std::vector<std::string> free_cells(const Table& table, Columns columns, const std::vector<std::size_t>& rows) {
    std::vector<std::string> found;
    std::mt19937_64 rng(7);
    for (const std::size_t row : rows) {
        const Neighbourhood honest(table, columns, row);
        for (std::size_t c = 0; c < table.num_witness(); ++c) {
            const KoalaBear original = columns[c][row];
            bool noticed = true;
            for (const KoalaBear value : {original + KoalaBear(1), original - KoalaBear(1), KoalaBear(rng())}) {
                if (value == original) continue;
                columns[c][row] = value;
                const Neighbourhood changed(table, columns, row);
                noticed = noticed && (!changed.broken.empty() || changed.sums != honest.sums);
            }
            columns[c][row] = original;
            if (!noticed) found.push_back(table.columns[c] + " at row " + std::to_string(row));
        }
    }
    return found;
}

/// The constraints that no change of one witness cell, or of two of a row, breaks alone: for every other constraint
/// there is a bad row that only it refuses. `rows`, `pair_rows`: where to try one and two cells.
inline std::set<std::string> never_alone(const Table& table, Columns columns, const std::vector<std::size_t>& rows,
                                         const std::vector<std::size_t>& pair_rows = {}) {
    std::set<std::string> left;
    for (const Constraint& c : table.constraints) left.insert(c.name);
    const auto note = [&](std::size_t row) {
        const Neighbourhood changed(table, columns, row);
        if (changed.broken.size() == 1) left.erase(*changed.broken.begin());
    };
    const auto values_for = [](KoalaBear x) {
        std::vector<KoalaBear> values{KoalaBear(0), KoalaBear(1), KoalaBear(2), -KoalaBear(1), x + KoalaBear(1), -x};
        std::erase(values, x);
        return values;
    };
    for (const std::size_t row : rows) {
        for (std::size_t c = 0; c < table.num_witness(); ++c) {
            const KoalaBear original = columns[c][row];
            for (const KoalaBear value : values_for(original)) {
                columns[c][row] = value;
                note(row);
            }
            columns[c][row] = original;
        }
    }
    for (const std::size_t row : pair_rows) {
        for (std::size_t c = 0; c < table.num_witness() && !left.empty(); ++c) {
            for (std::size_t d = c + 1; d < table.num_witness() && !left.empty(); ++d) {
                const KoalaBear first = columns[c][row];
                const KoalaBear second = columns[d][row];
                for (const KoalaBear x : values_for(first)) {
                    for (const KoalaBear y : values_for(second)) {
                        columns[c][row] = x;
                        columns[d][row] = y;
                        note(row);
                    }
                }
                columns[c][row] = first;
                columns[d][row] = second;
            }
        }
    }
    return left;
}

/// For tables whose constraints each define the column of the same name from columns before it: recomputes the columns
/// of row `row` behind `column`, up to and with `last`.
inline void recompute_after(const Table& table, Columns& columns, std::size_t row, std::size_t column,
                            std::size_t last = SIZE_MAX) {
    for (std::size_t c = column + 1; c < table.num_witness() && c <= last; ++c) {
        for (const Constraint& constraint : table.constraints) {
            if (constraint.name != table.columns[c]) continue;
            // constraint = column - f(earlier): set the column to f.
            columns[c][row] = KoalaBear();
            columns[c][row] =
                -evaluate_form(constraint.form, atoms_at(table, columns, row), [](KoalaBear x) { return x; });
        }
    }
}

/// For the same tables: row 0 alone, with a lie in column `lie` and every later column recomputed.
inline Columns lie_with_consequences(const Table& table, const Columns& honest, std::size_t lie) {
    Columns row;
    for (const auto& column : honest) row.push_back({column[0]});
    row[lie][0] += KoalaBear(1);
    recompute_after(table, row, 0, lie);
    return row;
}

}  // namespace quarry::testing
