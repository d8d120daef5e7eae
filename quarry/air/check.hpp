#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/air/table.hpp"

namespace quarry {

/// A table's trace as a test or a checker sees it: columns[c][row].
using Columns = std::vector<std::vector<KoalaBear>>;

/// The first broken constraint, as "table.constraint at row 7".
struct Violation {
    std::string constraint;
    std::size_t row;
};

/// The first row and constraint that fails, or nothing. Slow and plain: the reference for every other interpreter.
std::optional<Violation> find_violation(const Table& table, const Columns& columns);
/// All constraints that fail on some row, by name, each once.
std::vector<std::string> broken_constraints(const Table& table, const Columns& columns);
/// A tuple that is not put on its bus as often as it is taken off.
struct Imbalance {
    std::uint32_t bus;
    std::vector<KoalaBear> tuple;
    KoalaBear total;                    ///< put minus taken
    std::vector<std::string> touching;  ///< "table.interaction at row 7: +1", at most a few
};
/// The unbalanced tuples over all tables, at most `limit`: what a test prints.
std::vector<Imbalance> find_imbalances(std::span<const Table* const> tables, std::span<const Columns> traces,
                                       std::size_t limit = 8);
std::string to_string(const Imbalance& imbalance);
/// True if everything put on each bus is taken off it, over all tables: exact multisets, no challenge.
bool buses_balance(std::span<const Table* const> tables, std::span<const Columns> traces);

}  // namespace quarry
