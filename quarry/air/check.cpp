#include "quarry/air/check.hpp"

#include <map>

#include "quarry/base/check.hpp"

namespace quarry {
namespace {

std::vector<KoalaBear> atoms_of_row(const Table& table, const Columns& columns, std::size_t row) {
    const std::size_t height = columns.front().size();
    std::vector<KoalaBear> here;
    std::vector<KoalaBear> next;
    for (const auto& column : columns) {
        QUARRY_CHECK(column.size() == height);
        here.push_back(column[row]);
        next.push_back(column[(row + 1) % height]);
    }
    return evaluate_atoms(table.graph, here, next, [](KoalaBear x) { return x; });
}

KoalaBear value(const LinearForm& form, const std::vector<KoalaBear>& atoms) {
    return evaluate_form(form, atoms, [](KoalaBear x) { return x; });
}

}  // namespace

std::optional<Violation> find_violation(const Table& table, const Columns& columns) {
    for (std::size_t row = 0; row < columns.front().size(); ++row) {
        const auto atoms = atoms_of_row(table, columns, row);
        for (const Constraint& c : table.constraints) {
            if (!value(c.form, atoms).is_zero()) return Violation{table.name + "." + c.name, row};
        }
    }
    return std::nullopt;
}

std::vector<std::string> broken_constraints(const Table& table, const Columns& columns) {
    std::vector<bool> broken(table.constraints.size());
    for (std::size_t row = 0; row < columns.front().size(); ++row) {
        const auto atoms = atoms_of_row(table, columns, row);
        for (std::size_t j = 0; j < table.constraints.size(); ++j) {
            if (!value(table.constraints[j].form, atoms).is_zero()) broken[j] = true;
        }
    }
    std::vector<std::string> names;
    for (std::size_t j = 0; j < table.constraints.size(); ++j) {
        if (broken[j]) names.push_back(table.constraints[j].name);
    }
    return names;
}

std::vector<Imbalance> find_imbalances(std::span<const Table* const> tables, std::span<const Columns> traces,
                                       std::size_t limit) {
    QUARRY_CHECK(tables.size() == traces.size());
    struct Touch {
        std::size_t table, interaction, row;
        KoalaBear multiplicity;
    };
    struct Entry {
        KoalaBear total;
        std::vector<Touch> touches;
    };
    constexpr std::size_t kTouches = 6;
    std::map<std::vector<std::uint32_t>, Entry> entries;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        for (std::size_t row = 0; row < traces[t].front().size(); ++row) {
            const auto atoms = atoms_of_row(*tables[t], traces[t], row);
            for (std::size_t i = 0; i < tables[t]->interactions.size(); ++i) {
                const Interaction& interaction = tables[t]->interactions[i];
                const KoalaBear multiplicity = value(interaction.multiplicity, atoms);
                if (multiplicity.is_zero()) continue;
                std::vector<std::uint32_t> key{interaction.bus};
                for (const LinearForm& f : interaction.tuple) key.push_back(value(f, atoms).canonical());
                Entry& entry = entries[key];
                entry.total += multiplicity;
                if (entry.touches.size() < kTouches) entry.touches.push_back({t, i, row, multiplicity});
            }
        }
    }
    std::vector<Imbalance> r;
    for (const auto& [key, entry] : entries) {
        if (entry.total.is_zero()) continue;
        if (r.size() == limit) break;
        Imbalance imbalance{key[0], {}, entry.total, {}};
        for (std::size_t k = 1; k < key.size(); ++k) imbalance.tuple.emplace_back(key[k]);
        for (const Touch& touch : entry.touches) {
            const auto m = static_cast<std::int64_t>(touch.multiplicity.canonical());
            const bool negative = m > KoalaBear::kModulus / 2;
            imbalance.touching.push_back(
                tables[touch.table]->name + "." + tables[touch.table]->interactions[touch.interaction].name +
                " at row " + std::to_string(touch.row) + ": " + std::to_string(negative ? m - KoalaBear::kModulus : m));
        }
        r.push_back(std::move(imbalance));
    }
    return r;
}

std::string to_string(const Imbalance& imbalance) {
    std::string text = "bus " + std::to_string(imbalance.bus) + " (";
    for (const KoalaBear x : imbalance.tuple) text += std::to_string(x.canonical()) + " ";
    text += ")";
    for (const std::string& touch : imbalance.touching) text += "\n  " + touch;
    return text;
}

bool buses_balance(std::span<const Table* const> tables, std::span<const Columns> traces) {
    return find_imbalances(tables, traces, 1).empty();
}

}  // namespace quarry
