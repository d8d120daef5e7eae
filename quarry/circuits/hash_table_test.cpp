#include "quarry/circuits/hash_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/segment_testing.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::circuits::hash_table_test {
namespace {

std::vector<Table> hash_tables() {
    std::vector<Table> tables;
    tables.push_back(make_table<HashTable>());
    return tables;
}

constexpr std::size_t kResultColumn = 84;
constexpr std::size_t kUsesColumn = 92;

Trace make_trace(const Circuit& circuit) {
    Trace trace(circuit, {9});
    std::mt19937_64 rng(1);
    for (std::size_t c = 0; c < kPoseidonWidth; ++c) {
        for (KoalaBear& x : trace.column(0, c)) x = KoalaBear(rng());
    }
    for (KoalaBear& x : trace.column(0, kUsesColumn)) x = KoalaBear();
    trace.column(0, kUsesColumn)[0] = KoalaBear(1);
    fill_hash_rows(trace, 0);
    return trace;
}

Columns columns_of_trace(const Circuit& circuit, const Trace& trace) {
    Columns columns;
    for (std::size_t c = 0; c < circuit.tables()[0].num_columns(); ++c) {
        const auto column = trace.column(0, c);
        columns.emplace_back(column.begin(), column.end());
    }
    return columns;
}

std::vector<KoalaBear> tuple_at(const Trace& trace, std::size_t row) {
    std::vector<KoalaBear> tuple;
    for (std::size_t c = 0; c < kPoseidonWidth; ++c) tuple.push_back(trace.column(0, c)[row]);
    for (std::size_t c = 0; c < kDigestSize; ++c) tuple.push_back(trace.column(0, kResultColumn + c)[row]);
    return tuple;
}

TEST(HashTable, RowsAreCompressions) {
    const Circuit circuit("test", hash_tables());
    EXPECT_EQ(circuit.tables()[0].num_columns(), 93U);
    EXPECT_EQ(circuit.tables()[0].max_degree(), 9U);
    const Trace trace = make_trace(circuit);
    for (std::size_t row = 0; row < 512; ++row) {
        const auto tuple = tuple_at(trace, row);
        Digest left, right, out;
        std::copy_n(tuple.begin(), 8, left.begin());
        std::copy_n(tuple.begin() + 8, 8, right.begin());
        std::copy_n(tuple.begin() + 16, 8, out.begin());
        ASSERT_EQ(out, poseidon_compress(left, right));
        ASSERT_EQ(trace.column(0, kUsesColumn)[row], KoalaBear(row == 0 ? 1 : 0));
    }
    const auto violation = find_violation(circuit.tables()[0], columns_of_trace(circuit, trace));
    EXPECT_FALSE(violation.has_value()) << violation->constraint;
}

// ADVERSARIAL, Tables: "mutate every cell". Row 0 has a use, so that even `uses` shows on the bus.
TEST(HashTable, NoCellIsFree) {
    const Circuit circuit("test", hash_tables());
    const Columns columns = columns_of_trace(circuit, make_trace(circuit));
    EXPECT_TRUE(testing::free_cells(circuit.tables()[0], columns, {0}).empty());
}

TEST(HashTable, EachConstraintIsNeeded) {
    const Circuit circuit("test", hash_tables());
    const Table& table = circuit.tables()[0];
    const Columns columns = columns_of_trace(circuit, make_trace(circuit));
    for (std::size_t lie = kPoseidonWidth; lie < kUsesColumn; ++lie) {
        EXPECT_EQ(broken_constraints(table, testing::lie_with_consequences(table, columns, lie)),
                  std::vector<std::string>{table.columns[lie]});
    }
}

TEST(HashTable, ProofsServeTrueRequestsOnly) {
    const Circuit circuit("test", hash_tables());
    const Trace trace = make_trace(circuit);
    Statement request{{{kHashBus, -KoalaBear(1), tuple_at(trace, 0)}}};
    EXPECT_TRUE(verify(circuit, prove(circuit, trace, request), request).ok());
    request.tuples[0].tuple.back() += KoalaBear(1);
    EXPECT_FALSE(verify(circuit, prove(circuit, trace, request), request).ok());
}

TEST(SplitHeights, HoldTheRowsWithTheFewest) {
    using Split = std::array<unsigned, 2>;
    EXPECT_EQ(split_heights(0), (Split{9, 9}));
    EXPECT_EQ(split_heights(1024), (Split{9, 9}));
    EXPECT_EQ(split_heights(1025), (Split{10, 9}));
    EXPECT_EQ(split_heights(193'473), (Split{17, 16}));
    EXPECT_EQ(split_heights(30'435), (Split{14, 14}));
    // without a least height of the second, it is there only where it saves rows
    EXPECT_EQ(split_heights(0, {9, 0}), (Split{9, 0}));
    EXPECT_EQ(split_heights(512, {9, 0}), (Split{9, 0}));
    EXPECT_EQ(split_heights(513, {9, 0}), (Split{10, 0}));
    EXPECT_EQ(split_heights(1024, {9, 0}), (Split{10, 0}));
    EXPECT_EQ(split_heights(1025, {9, 0}), (Split{10, 9}));
    EXPECT_EQ(split_heights(1537, {9, 0}), (Split{11, 0}));
    EXPECT_EQ(split_heights(10'331, {9, 0}), (Split{13, 12}));
    EXPECT_EQ(split_heights(57'827, {9, 0}), (Split{16, 0}));
    // heights that are asked for, as long as the rows fit
    EXPECT_EQ(split_heights(10'331, {13, 12}), (Split{13, 12}));
    EXPECT_EQ(split_heights(10, {16, 0}), (Split{16, 0}));
    EXPECT_EQ(split_heights(65'537, {16, 0}), (Split{16, 9}));
    for (std::size_t n = 1; n < 5000; n += 7) {
        for (const unsigned second : {0U, kMinLogHeight}) {
            const auto [a, b] = split_heights(n, {kMinLogHeight, second});
            EXPECT_GE((std::size_t{1} << a) + (b == 0 ? 0 : std::size_t{1} << b), n);
            EXPECT_LE(std::size_t{1} << a, std::size_t{1} << log_height_for(n));
            EXPECT_TRUE(b == 0 ? second == 0 : b >= kMinLogHeight && b <= a);
        }
    }
}

}  // namespace
}  // namespace quarry::circuits::hash_table_test
