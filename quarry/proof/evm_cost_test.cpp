#include "quarry/proof/evm_cost.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "quarry/proof/terminal_parameters.hpp"
#include "quarry/proof/testing_preprocessed.hpp"

namespace quarry::evm_cost_test {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << path;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}
std::string results(const char* name) { return QUARRY_SOURCE_DIR "/bench/results/" + std::string(name); }

/// The number behind "key": in a JSON document in which the key occurs once.
double number(const std::string& json, const std::string& key) {
    const std::size_t at = json.find("\"" + key + "\":");
    EXPECT_NE(at, std::string::npos) << key;
    return std::strtod(json.c_str() + at + key.size() + 3, nullptr);
}

TEST(EvmUnits, AreTheMeasuredOnes) {
    const std::string path = QUARRY_SOURCE_DIR "/quarry/proof/evm_units.hpp";
    const std::string header = read_file(path);
    const std::string json = read_file(results("2026-11-evm-units.json"));
    // Members are the lines between the struct's braces: one for each line of "units".
    const std::size_t open = header.find("struct EvmUnits {\n") + 18;
    const std::size_t close = header.find("};");
    std::istringstream units(json.substr(json.find("\"units\": {") + 11));
    std::string members, line;
    while (std::getline(units, line) && line.find('"') != std::string::npos) {
        const std::size_t begin = line.find('"') + 1;
        const std::string name = line.substr(begin, line.find('"', begin) - begin);
        char value[64];
        std::snprintf(value, sizeof value, "%.2f", number(json, name));
        members += "    double " + name + " = " + value + ";\n";
    }
    EXPECT_GT(members.size(), 1000U);
    if (std::getenv("QUARRY_PIN_UNITS") != nullptr) {
        std::ofstream(path) << header.substr(0, open) + members + header.substr(close);
        GTEST_SKIP() << "wrote " << path;
    }
    EXPECT_EQ(header.substr(open, close - open), members);
}

/// The terminal circuit for 16 batches; tools/evm_gas_model.py has the same, tests/adversary/terminal_test.cpp
/// compares.
EvmCircuit assumed_circuit() {
    EvmCircuit circuit;
    // Name, log rows; columns, next-row, preprocessed; interactions, values; products, forms, small and large terms;
    // constraints, degree.
    circuit.tables = {{"tree", 12, 93, 17, 10, 12, 45, 321, 466, 2368, 2064, 93, 9},
                      {"sponge", 11, 100, 16, 11, 16, 32, 331, 476, 2493, 2064, 116, 9},
                      {"sum", 14, 20, 0, 11, 4, 24, 75, 15, 103, 0, 5, 3},
                      {"form", 12, 45, 0, 23, 9, 54, 160, 25, 210, 0, 5, 3},
                      {"pack", 14, 5, 0, 6, 6, 16, 4, 4, 8, 0, 4, 2},
                      {"digest", 10, 8, 0, 8, 18, 82, 0, 14, 28, 0, 0, 1},
                      {"constant", 9, 8, 0, 12, 2, 15, 0, 8, 16, 0, 8, 1},
                      {"index", 9, 45, 0, 31, 27, 62, 116, 93, 247, 63, 53, 7},
                      {"public input", 9, 58, 0, 6, 60, 413, 0, 58, 172, 0, 0, 1}};
    circuit.witness_lanes = 76;
    circuit.preprocessed_lanes = 29;
    circuit.chunk_runs = 13;
    circuit.public_tuples = 161;
    circuit.public_values = 59;
    return circuit;
}

// The two models count independently; the kept figures are the other one's (evm_gas_model.py --json).
TEST(EvmCost, AgreesWithTheOtherModel) {
    const std::string kept = read_file(results("2026-11-evm-terminal.json"));
    const WhirParameters parameters = generate_parameters(kTerminalProtocol, 21, 100);
    const EvmCost cost = sum(evm_parts(assumed_circuit(), kTerminalProtocol, parameters));
    EXPECT_NEAR(evm_transaction_gas(cost), number(kept, "gas"), 0.01 * number(kept, "gas"));
    EXPECT_NEAR(kEvmGlue * cost.gas, number(kept, "execution_gas"), 0.01 * number(kept, "execution_gas"));
    EXPECT_EQ(static_cast<double>(cost.bytes), number(kept, "bytes"));
    EXPECT_NEAR(evm_proving_seconds(parameters, 105), number(kept, "proving_seconds"), 0.1);
    // The bars: gas, bytes, seconds.
    EXPECT_LT(evm_transaction_gas(cost), 5e6);
    EXPECT_LE(cost.bytes, std::size_t{80} << 10);
    EXPECT_LE(evm_proving_seconds(parameters, 128), 24);
}

TEST(EvmCost, TheGeneratorKnowsATypicalRest) {
    const EvmCost rest = sum(evm_parts_before_opening(assumed_circuit(), kTerminalProtocol));
    const TerminalOptions options;
    EXPECT_NEAR(options.rest.gas, rest.gas, 0.02 * rest.gas);
    EXPECT_NEAR(static_cast<double>(options.rest.bytes), static_cast<double>(rest.bytes), 200);
}

struct Counted {
    static constexpr const char* kName = "counted";
    template <class T>
    struct Row {
        T a, b, c;
        template <class V>
        void visit(V&& v) {
            v("a", a), v("b", b), v("c", c);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
        b.equal("product", row.c, row.a * row.b);         // forms: a, b (free); ab - c, two terms
        b.zero("square", (row.a + 5) * (row.a + 5));      // one form of a term and a constant, read twice; the product
        b.zero("large", row.a + 100'000 * row.b);         // a small and a large term
        b.zero("next", 3 * next.c);                       // a small term
        b.send("out", 1, row.a, {row.b, row.a - row.c});  // two terms
    }
};

TEST(EvmCost, CountsWhatATableAsks) {
    const EvmTable t = count_table(make_table<Counted>(), 12);
    EXPECT_EQ(t.log_rows, 12U);
    EXPECT_EQ(t.columns, 3U);
    EXPECT_EQ(t.next_columns, 1U);
    EXPECT_EQ(t.preprocessed, 0U);
    EXPECT_EQ(t.interactions, 1U);
    EXPECT_EQ(t.tuple_values, 2U);
    EXPECT_EQ(t.products, 2U);
    EXPECT_EQ(t.constraints, 4U);
    EXPECT_EQ(t.degree, 2U);
    EXPECT_EQ(t.small_forms, 4U);
    EXPECT_EQ(t.small_terms, 2U + 2 + 1 + 1 + 2);
    EXPECT_EQ(t.large_terms, 1U);
}

TEST(EvmCost, CountsACircuitAsItIsLaidOut) {
    const Circuit circuit("gates", testing::gate_tables());
    const EvmCircuit c = count_circuit(circuit, testing::kGateHeights, Protocol{}, 3, 2);
    EXPECT_EQ(c.tables.size(), 5U);
    EXPECT_EQ(c.tables[2].preprocessed, 5U);
    EXPECT_EQ(c.tables[2].log_rows, 10U);
    EXPECT_EQ(c.preprocessed_lanes, 11U);
    EXPECT_EQ(c.witness_lanes, 7U);
    // Height 10: witness and preprocessed columns, a next-row column; height 9 likewise, its preprocessed columns
    // neighbours too.
    EXPECT_EQ(c.chunk_runs, 6U);
    EXPECT_EQ(c.public_tuples, 3U);
    // Fewer lanes, twice as long.
    Protocol six;
    six.log_stack_lanes = 6;
    EXPECT_EQ(count_circuit(circuit, testing::kGateHeights, six, 3, 2).preprocessed_lanes, 11U);
    // More of anything costs more.
    const WhirParameters parameters = generate_parameters(Protocol{}, 17, 100);
    const auto gas = [&](const EvmCircuit& x) { return sum(evm_parts(x, kTerminalProtocol, parameters)).gas; };
    EvmCircuit more = c;
    ++more.tables[0].products;
    EXPECT_GT(gas(more), gas(c));
    more = c;
    ++more.public_tuples;
    EXPECT_GT(gas(more), gas(c));
    more = c;
    ++more.chunk_runs;
    EXPECT_GT(gas(more), gas(c));
}

TEST(EvmCost, CalldataHasAFloor) {
    EXPECT_EQ(evm_transaction_gas({0, 1000}), 21'000 + 40'000);
    EXPECT_EQ(evm_transaction_gas({100'000, 1000}), 21'000 + 16'000 + 110'000);
}

TEST(EvmCost, CapsPayForManyPaths) {
    const auto gas = [](std::size_t queries, unsigned depth, unsigned log_cap) {
        return evm_transaction_gas(EvmCost{1e6, 0} + evm_paths_cost(queries, depth, log_cap)) -
               evm_transaction_gas({1e6, 0});
    };
    EXPECT_LT(gas(1, 20, 0), gas(1, 20, 1));
    EXPECT_LT(gas(170, 24, 8), gas(170, 24, 0) / 1.2);
    // The level that the protocol fixes by the number of queries costs about as little as any.
    for (unsigned depth = 12; depth <= 26; ++depth) {
        for (std::size_t queries = 1; queries <= 200; ++queries) {
            double least = gas(queries, depth, 0);
            for (unsigned log_cap = 1; log_cap < depth; ++log_cap)
                least = std::min(least, gas(queries, depth, log_cap));
            EXPECT_LE(gas(queries, depth, KeccakPolicy::log_cap(queries)), 1.02 * least) << queries << ' ' << depth;
        }
    }
}

}  // namespace
}  // namespace quarry::evm_cost_test
