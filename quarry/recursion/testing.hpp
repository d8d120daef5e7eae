#pragma once
/// Shared by this module's tests: rows against their constraints and buses, without a proof.
#include <algorithm>

#include "quarry/air/check.hpp"
#include "quarry/recursion/layout.hpp"

namespace quarry::recursion::testing {

/// A circuit with its witness: fixed once, laid out, ready to check or prove.
struct LaidOut {
    explicit LaidOut(const CircuitRows& rows) : LaidOut(rows, fit(rows)) {}
    /// Precondition: the rows fit.
    LaidOut(const CircuitRows& rows, ShapeHeights heights)
        : shape(std::move(heights)),
          circuit(make_circuit(shape)),
          preprocessed(lay_out_preprocessed(*circuit, shape, rows).value()),
          trace(lay_out_witness(*circuit, shape, rows)) {}

    [[nodiscard]] std::vector<Columns> columns() const {
        std::vector<Columns> all;
        for (std::size_t t = 0; t < circuit->tables().size(); ++t) {
            const Table& table = circuit->tables()[t];
            Columns columns;
            for (std::size_t c = 0; c < table.num_witness(); ++c) {
                const auto column = trace.column(t, c);
                columns.emplace_back(column.begin(), column.end());
            }
            for (std::size_t k = 0; k < table.num_preprocessed; ++k) {
                const auto column = preprocessed.column(t, k);
                columns.emplace_back(column.begin(), column.end());
            }
            all.push_back(std::move(columns));
        }
        return all;
    }

    /// The first broken constraint, or a tuple that is not balanced, or nothing.
    [[nodiscard]] std::string complaint(const Digest& exposed) const { return complaint(digest_statement(exposed)); }
    [[nodiscard]] std::string complaint(const Statement& statement) const {
        const std::vector<Columns> traces = columns();
        std::vector<const Table*> tables;
        for (std::size_t t = 0; t < traces.size(); ++t) {
            tables.push_back(&circuit->tables()[t]);
            if (const auto v = find_violation(*tables.back(), traces[t])) {
                return v->constraint + " at row " + std::to_string(v->row);
            }
        }
        std::string found;
        std::size_t met = 0;
        for (const Imbalance& imbalance : find_imbalances(tables, traces, statement.tuples.size() + 7)) {
            const auto is = [&](const PublicTuple& t) {
                return imbalance.bus == t.bus && imbalance.tuple == t.tuple && imbalance.total == -t.multiplicity;
            };
            if (std::any_of(statement.tuples.begin(), statement.tuples.end(), is)) {
                ++met;
            } else {
                found += to_string(imbalance) + "\n";
            }
        }
        return found.empty() && met != statement.tuples.size() ? "the statement is not read" : found;
    }

    ShapeHeights shape;
    std::unique_ptr<Circuit> circuit;
    PreprocessedTrace preprocessed;
    Trace trace;
};

}  // namespace quarry::recursion::testing
