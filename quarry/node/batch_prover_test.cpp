#include "quarry/node/batch_prover.hpp"

#include <gtest/gtest.h>

#include "quarry/air/check.hpp"
#include "quarry/circuits/segment_key.hpp"
#include "quarry/node/development_batch.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::node::batch_prover_test {
namespace {

rollup::L1Address payee() {
    rollup::L1Address a;
    a.bytes.fill(0x51);
    return a;
}

circuits::SegmentRows rows_of(const DevelopmentBatch& batch, circuits::Timeline& timeline) {
    static rollup::ExecutedBatch executed;
    executed = rollup::replay(batch.parameters, *batch.store, batch.queues, batch.header, batch.data).value();
    const auto start = rollup::batch_start(executed.before, rollup::header_hash(batch.header));
    timeline =
        circuits::make_timeline(batch.parameters, *batch.store, executed, 0, executed.steps.size(), start, payee(), 7);
    std::vector<circuits::OperationSignature> signatures;
    for (const auto& check : executed.signature_checks) {
        signatures.push_back({check.step, to_public_key(check.key).value(), check.message,
                              Signature<KB11>::decode(check.signature).value()});
    }
    return circuits::make_segment_rows(timeline, signatures);
}

TEST(BatchProver, RowsSatisfyEveryTableAndBalanceEveryBusSlow) {
    const DevelopmentBatch batch = make_development_batch(10'000, 96, 1);
    circuits::Timeline timeline;
    const circuits::SegmentRows rows = rows_of(batch, timeline);
    // Enough touched nodes for both of their tables.
    const auto height = [&](circuits::SegmentTable t) { return rows.heights[static_cast<std::size_t>(t)]; };
    EXPECT_EQ(height(circuits::SegmentTable::merkle), 10U);
    EXPECT_EQ(height(circuits::SegmentTable::more_merkle), 9U);
    const auto trace = circuits::make_segment_trace(rows);
    ASSERT_TRUE(trace.ok());
    const Circuit& circuit = circuits::segment_circuit();
    const PreprocessedTrace& fixed = circuits::segment_keys().proving_key(rows.heights, 100).trace();
    std::vector<const Table*> tables;
    std::vector<Columns> columns;
    for (std::size_t t = 0; t < circuit.tables().size(); ++t) {
        if (rows.heights[t] == 0) continue;  // absent
        tables.push_back(&circuit.tables()[t]);
        columns.emplace_back();
        for (std::size_t c = 0; c < tables.back()->num_columns(); ++c) {
            const std::size_t num_witness = tables.back()->num_witness();
            const auto column = c < num_witness ? trace.value().column(t, c) : fixed.column(t, c - num_witness);
            columns.back().emplace_back(column.begin(), column.end());
        }
        const auto violation = find_violation(*tables.back(), columns.back());
        EXPECT_FALSE(violation.has_value()) << violation->constraint << " at row " << violation->row;
    }
    // The public tuples, as a table of one row.
    Table world;
    world.name = "statement";
    world.columns = {"zero"};
    AirBuilder builder(world);
    const Expr zero(&world.graph, world.graph.column(0, false));
    for (const PublicTuple& tuple : public_tuples(circuit, circuits::segment_public_input(timeline.statement))) {
        std::vector<Expr> values;
        for (const KoalaBear x : tuple.tuple) values.push_back(zero + Expr(x));
        builder.send("tuple", tuple.bus, zero + Expr(tuple.multiplicity), values);
    }
    tables.push_back(&world);
    columns.push_back({{KoalaBear()}});
    for (const Imbalance& imbalance : find_imbalances(tables, columns)) ADD_FAILURE() << to_string(imbalance);
}

}  // namespace
}  // namespace quarry::node::batch_prover_test
