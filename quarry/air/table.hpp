#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/air/expression.hpp"
#include "quarry/base/check.hpp"
#include "quarry/hash/poseidon.hpp"

namespace quarry {

/// name[i]: constraints and interactions of one name.
inline std::string indexed(const std::string& name, std::size_t i) { return name + "[" + std::to_string(i) + "]"; }

/// form = 0 on every row.
struct Constraint {
    std::string name;
    LinearForm form;
    unsigned degree;
};

/// `multiplicity` copies of `tuple` put on (or, negative, taken off) a bus by every row. Both are of degree <= 1, so
/// that bus leaves cost the zerocheck no extension of columns.
struct Interaction {
    std::string name;
    std::uint32_t bus;
    LinearForm multiplicity;
    std::vector<LinearForm> tuple;
};

/// One table of a circuit: named columns, named constraints over a row and the next (cyclically), interactions with
/// buses.
struct Table {
    std::string name;
    std::vector<std::string> columns;
    /// The last ones of `columns`: their cells are no witness, but fixed with the circuit and committed once, in a
    /// proving key. Read in this row only; a table with any has a fixed height.
    std::size_t num_preprocessed = 0;
    ExpressionGraph graph;
    std::vector<Constraint> constraints;
    std::vector<Interaction> interactions;
    /// Set: the only height that a trace may have. What a table of constants needs, so that it cannot go on too far.
    std::optional<unsigned> fixed_log_height;
    [[nodiscard]] unsigned max_degree() const;
    [[nodiscard]] std::size_t num_columns() const noexcept { return columns.size(); }
    [[nodiscard]] std::size_t num_witness() const noexcept { return columns.size() - num_preprocessed; }
    /// Columns that a constraint or an interaction reads in the next row, in rising order. Remembered: the first call
    /// after a change is not safe beside others.
    [[nodiscard]] const std::vector<std::uint32_t>& next_columns() const;
    /// Binds name, columns, every atom, constraint and interaction: equal digests mean the same table.
    [[nodiscard]] Digest digest() const;

  private:
    mutable std::vector<std::uint32_t> next_columns_;
    mutable std::array<std::size_t, 3> next_columns_of_{};  ///< atoms, constraints, interactions that it was found for
};

/// What a table's text is written against.
class AirBuilder {
  public:
    explicit AirBuilder(Table& table) : table_(&table) {}
    void zero(std::string name, const Expr& e);
    void equal(std::string name, const Expr& a, const Expr& b) { zero(std::move(name), a - b); }
    void boolean(std::string name, const Expr& e) { zero(std::move(name), e * e - e); }
    void send(std::string name, std::uint32_t bus, const Expr& multiplicity, const std::vector<Expr>& tuple);
    void receive(std::string name, std::uint32_t bus, const Expr& multiplicity, const std::vector<Expr>& tuple) {
        send(std::move(name), bus, -multiplicity, tuple);
    }

  private:
    Table* table_;
};

namespace detail {
/// Hands out columns in the order in which Row::visit names them.
struct ColumnNamer {
    Table* table;
    std::vector<Expr*> cells;
    void operator()(const std::string& name, Expr& cell) {
        table->columns.push_back(name);
        cells.push_back(&cell);
    }
    template <class T, std::size_t N>
    void operator()(const std::string& name, std::array<T, N>& cells_of) {
        for (std::size_t i = 0; i < N; ++i) (*this)(name + "[" + std::to_string(i) + "]", cells_of[i]);
    }
    /// A group of cells with a visit of its own.
    template <class Group>
    void operator()(const std::string& name, Group& group)
        requires requires(ColumnNamer& namer) { group.visit(namer); }
    {
        group.visit([&](const std::string& cell, auto& cells_of) { (*this)(name + "." + cell, cells_of); });
    }
};
}  // namespace detail

/// Builds a table from its definition:
///   struct Definition {
///       static constexpr const char* kName;
///       /// Cells, arrays of cells, or groups that have a visit themselves.
///       template <class T> struct Row { T a; std::array<T, 8> b; template <class V> void visit(V&& v) { v("a", a);
///       v("b", b); } }; static void constrain(AirBuilder&, const Row<Expr>& row, const Row<Expr>& next);
///       static constexpr unsigned kLogHeight = 16;  // only if the height is fixed
///   };
/// A definition with preprocessed columns names them in a struct beside Row, and has them in this row only:
///       template <class T> struct Fixed { T address; template <class V> void visit(V&& v) { v("address", address); }
///       }; static void constrain(AirBuilder&, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
/// `log_height` fixes the height of this table, where the definition leaves it open; a table with preprocessed columns
/// must get one from either (checked).
template <class Definition>
Table make_table(std::optional<unsigned> log_height = {}) {
    Table table;
    table.name = Definition::kName;
    table.fixed_log_height = log_height;
    if constexpr (requires { Definition::kLogHeight; }) {
        QUARRY_CHECK(!log_height);
        table.fixed_log_height = Definition::kLogHeight;
    }
    typename Definition::template Row<Expr> row;
    typename Definition::template Row<Expr> next;
    detail::ColumnNamer names{&table, {}};
    row.visit(names);
    Table scratch;
    detail::ColumnNamer next_names{&scratch, {}};
    next.visit(next_names);
    for (std::uint32_t c = 0; c < names.cells.size(); ++c) {
        *names.cells[c] = Expr(&table.graph, table.graph.column(c, false));
        *next_names.cells[c] = Expr(&table.graph, table.graph.column(c, true));
    }
    AirBuilder builder(table);
    if constexpr (requires { typename Definition::template Fixed<Expr>; }) {
        typename Definition::template Fixed<Expr> fixed;
        detail::ColumnNamer fixed_names{&table, {}};
        fixed.visit(fixed_names);
        QUARRY_CHECK(table.fixed_log_height.has_value());
        table.num_preprocessed = fixed_names.cells.size();
        for (std::size_t c = 0; c < table.num_preprocessed; ++c) {
            const auto column = static_cast<std::uint32_t>(table.num_witness() + c);
            *fixed_names.cells[c] = Expr(&table.graph, table.graph.column(column, false));
        }
        Definition::constrain(builder, fixed, row, next);
    } else {
        Definition::constrain(builder, row, next);
    }
    return table;
}

}  // namespace quarry
