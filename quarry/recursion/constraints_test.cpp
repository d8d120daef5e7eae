#include "quarry/recursion/constraints.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/circuits/segment.hpp"
#include "quarry/recursion/testing.hpp"

namespace quarry::recursion::constraints_test {
namespace {

ExtField random_ext(std::mt19937_64& rng) {
    ExtField x;
    for (std::size_t k = 0; k < kDegree; ++k) x[k] = KoalaBear(rng());
    return x;
}

/// The values on wires are the values of the text, for every table; and so the convolutions that are recorded are what
/// the atoms say. Returns how many rows of convolutions there are.
std::size_t expect_same_values(const Circuit& circuit) {
    std::mt19937_64 rng(1);
    CircuitBuilder builder;
    for (const Table& table : circuit.tables()) {
        std::vector<ExtField> row, next;
        std::vector<ExtensionExpr> row_wires, next_wires;
        for (std::size_t c = 0; c < table.num_columns(); ++c) {
            row.push_back(random_ext(rng));
            next.push_back(random_ext(rng));
            row_wires.push_back(builder.witness(row.back()));
            next_wires.push_back(builder.witness(next.back()));
        }
        NativeBackend native;
        const TableValues<ExtField> expected = evaluate_table(native, table, row, next);
        const TableValues<ExtensionExpr> values = evaluate_on_wires(builder, table, row_wires, next_wires);
        EXPECT_EQ(values.constraints.size(), expected.constraints.size());
        for (std::size_t i = 0; i < expected.constraints.size(); ++i) {
            EXPECT_EQ(values.constraints[i].value(), expected.constraints[i]) << table.name << ' ' << i;
        }
        for (std::size_t i = 0; i < expected.multiplicities.size(); ++i) {
            EXPECT_EQ(values.multiplicities[i].value(), expected.multiplicities[i]) << table.name << ' ' << i;
            for (std::size_t k = 0; k < expected.tuples[i].size(); ++k) {
                EXPECT_EQ(values.tuples[i][k].value(), expected.tuples[i][k]) << table.name << ' ' << i;
            }
        }
    }
    const std::size_t convolutions = builder.rows().convolution.rows.size();
    builder.expose(builder.constant(Digest{}));
    EXPECT_EQ(testing::LaidOut(std::move(builder).finish()).complaint(Digest{}), "");
    return convolutions;
}

TEST(ConstraintsOnWires, OfTheSegmentCircuit) { EXPECT_GT(expect_same_values(circuits::segment_circuit()), 50U); }

TEST(ConstraintsOnWires, OfARecursionCircuit) {
    CircuitBuilder builder;
    builder.expose(builder.constant(Digest{}));
    const auto circuit = make_circuit(fit(std::move(builder).finish()));
    EXPECT_EQ(expect_same_values(*circuit), kDegree * kDegree);
}

}  // namespace
}  // namespace quarry::recursion::constraints_test
