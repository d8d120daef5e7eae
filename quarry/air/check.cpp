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

bool buses_balance(std::span<const Table* const> tables, std::span<const Columns> traces) {
    QUARRY_CHECK(tables.size() == traces.size());
    std::map<std::vector<std::uint32_t>, KoalaBear> totals;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        for (std::size_t row = 0; row < traces[t].front().size(); ++row) {
            const auto atoms = atoms_of_row(*tables[t], traces[t], row);
            for (const Interaction& i : tables[t]->interactions) {
                const KoalaBear multiplicity = value(i.multiplicity, atoms);
                if (multiplicity.is_zero()) continue;
                std::vector<std::uint32_t> key{i.bus};
                for (const LinearForm& f : i.tuple) key.push_back(value(f, atoms).canonical());
                totals[key] += multiplicity;
            }
        }
    }
    for (const auto& [key, total] : totals) {
        if (!total.is_zero()) return false;
    }
    return true;
}

}  // namespace quarry
