#include "quarry/circuits/data/data.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/air/check.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::circuits {
namespace {

using rollup::DataForm;

TEST(Probe, Blob) {
    std::mt19937_64 rng(1);
    std::vector<std::uint8_t> words(31 * 7);
    for (auto& b : words) b = static_cast<std::uint8_t>(rng());
    for (const auto form : {DataForm::blob, DataForm::horner}) {
        const auto s = rollup::make_data_statement(form, Digest{}, words, {}, rollup::testing::make_address(1), 7);
        const auto rows = make_data_rows(s, 7, words);
        ASSERT_TRUE(rows);
        const Trace trace = make_data_trace(rows.value());
        std::vector<const Table*> tables;
        std::vector<Columns> traces;
        for (std::size_t t = 0; t < kDataTables; ++t) {
            const Table& table = data_circuit().tables()[t];
            Columns columns;
            for (std::size_t c = 0; c < table.num_columns(); ++c) {
                const auto col = trace.column(t, c);
                columns.emplace_back(col.begin(), col.end());
            }
            for (const auto& name : broken_constraints(table, columns)) ADD_FAILURE() << table.name << " " << name;
        }
        const auto proof = prove_data(s, 7, words);
        ASSERT_TRUE(proof);
        const auto status = verify_data(s, proof.value());
        EXPECT_TRUE(status) << (status ? "" : errc_name(status.error().code));
    }
}

}  // namespace
}  // namespace quarry::circuits
