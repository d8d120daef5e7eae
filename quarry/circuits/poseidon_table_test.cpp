#include "quarry/circuits/poseidon_table.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "quarry/air/check.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::poseidon_table_test {
namespace {

Trace make_trace(const Circuit& circuit, unsigned log_height) {
    Trace trace(circuit, {log_height});
    std::mt19937_64 rng(1);
    for (std::size_t c = 0; c < kPoseidonWidth; ++c) {
        for (KoalaBear& x : trace.column(0, c)) x = KoalaBear(rng());
    }
    fill_permutations(trace, 0);
    return trace;
}

Columns columns_of(const Circuit& circuit, const Trace& trace) {
    Columns columns;
    for (std::size_t c = 0; c < circuit.tables()[0].num_columns(); ++c) {
        const auto column = trace.column(0, c);
        columns.emplace_back(column.begin(), column.end());
    }
    return columns;
}

std::vector<Table> permutation_tables() {
    std::vector<Table> tables;
    tables.push_back(make_table<PoseidonPermutationTable>());
    return tables;
}

TEST(PoseidonTable, RowsArePermutations) {
    const Circuit circuit("test", permutation_tables());
    EXPECT_EQ(circuit.tables()[0].num_columns(), 100U);
    EXPECT_EQ(circuit.tables()[0].max_degree(), 9U);
    const Trace trace = make_trace(circuit, 9);
    for (std::size_t row = 0; row < 512; ++row) {
        PoseidonState state;
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) state[i] = trace.column(0, i)[row];
        poseidon_permute(state);
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) ASSERT_EQ(state[i], trace.column(0, 84 + i)[row]);
    }
    const auto violation = find_violation(circuit.tables()[0], columns_of(circuit, trace));
    EXPECT_FALSE(violation.has_value()) << violation->constraint;
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace: at least one constraint must fail". One row stands
// for all: the table has no next-row constraint.
TEST(PoseidonTable, EveryCellIsConstrained) {
    const Circuit circuit("test", permutation_tables());
    const Columns honest = columns_of(circuit, make_trace(circuit, 9));
    Columns one_row;
    for (const auto& column : honest) one_row.push_back({column[0]});
    for (std::size_t c = 0; c < one_row.size(); ++c) {
        Columns mutant = one_row;
        mutant[c][0] += KoalaBear(1);
        EXPECT_TRUE(find_violation(circuit.tables()[0], mutant).has_value()) << circuit.tables()[0].columns[c];
    }
}

// Each named constraint, dropped, lets a bad row through: the one where the column that it defines is changed and every
// later column is recomputed.
TEST(PoseidonTable, NoConstraintIsRedundant) {
    const Circuit circuit("test", permutation_tables());
    const Table& table = circuit.tables()[0];
    const Columns honest = columns_of(circuit, make_trace(circuit, 9));
    // The constraint named like column c defines it from columns before it, so recompute forward with a lie in c.
    for (std::size_t lie = kPoseidonWidth; lie < table.num_columns(); ++lie) {
        Columns row;
        for (const auto& column : honest) row.push_back({column[0]});
        row[lie][0] += KoalaBear(1);
        for (std::size_t c = lie + 1; c < table.num_columns(); ++c) {
            for (const Constraint& constraint : table.constraints) {
                if (constraint.name != table.columns[c]) continue;
                // constraint = column - f(earlier): set the column to f.
                row[c][0] = KoalaBear();
                std::vector<KoalaBear> values;
                for (const auto& column : row) values.push_back(column[0]);
                const auto atoms = evaluate_atoms(table.graph, values, values, [](KoalaBear x) { return x; });
                row[c][0] = -evaluate_form(constraint.form, atoms, [](KoalaBear x) { return x; });
            }
        }
        EXPECT_EQ(broken_constraints(table, row), std::vector<std::string>{table.columns[lie]});
    }
}

TEST(PoseidonTable, ProvesAndVerifies) {
    const Circuit circuit("test", permutation_tables());
    const Trace trace = make_trace(circuit, 10);
    const Proof proof = prove(circuit, trace, {});
    const Status status = verify(circuit, proof, {});
    EXPECT_TRUE(status.ok()) << errc_name(status.error().code) << " " << status.error().where;
}

TEST(PoseidonTable, ProofOfAChangedTraceIsRefused) {
    const Circuit circuit("test", permutation_tables());
    for (const std::size_t column : {std::size_t{0}, std::size_t{50}, std::size_t{99}}) {
        Trace trace = make_trace(circuit, 9);
        trace.column(0, column)[77] += KoalaBear(1);
        EXPECT_FALSE(verify(circuit, prove(circuit, trace, {}), {}).ok());
    }
}

}  // namespace
}  // namespace quarry::poseidon_table_test
