#pragma once
// A small circuit with preprocessed columns, for tests: gates over write-once wires, as recursion has them. Addresses
// and operations are fixed with the circuit, values are the witness.
#include <algorithm>
#include <utility>
#include <vector>

#include "quarry/proof/proof.hpp"

namespace quarry::testing {

inline constexpr std::uint32_t kWireBus = 1;
inline constexpr std::uint32_t kSumBus = 2;

/// One gate: value at `out` = multiplies ? left * right : left + right.
struct GateTable {
    static constexpr const char* kName = "gates";
    template <class T>
    struct Fixed {
        T left, right, out, uses, multiplies;
        template <class V>
        void visit(V&& v) {
            v("left", left), v("right", right), v("out", out), v("uses", uses), v("multiplies", multiplies);
        }
    };
    template <class T>
    struct Row {
        T a, b, c;
        template <class V>
        void visit(V&& v) {
            v("a", a), v("b", b), v("c", c);
        }
    };
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
        const Expr product = row.a * row.b;
        const Expr sum = row.a + row.b;
        b.equal("gate", row.c, sum + fixed.multiplies * (product - sum));
        b.receive("left", kWireBus, 1, {fixed.left, row.a});
        b.receive("right", kWireBus, 1, {fixed.right, row.b});
        b.send("out", kWireBus, fixed.uses, {fixed.out, row.c});
    }
};

/// Constants on wires: no witness at all.
struct ConstantTable {
    static constexpr const char* kName = "constants";
    template <class T>
    struct Fixed {
        T address, value, uses;
        template <class V>
        void visit(V&& v) {
            v("address", address), v("value", value), v("uses", uses);
        }
    };
    template <class T>
    struct Row {
        template <class V>
        void visit(V&& /*v*/) {}
    };
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& /*row*/,
                          const Row<Expr>& /*next*/) {
        b.send("constant", kWireBus, fixed.uses, {fixed.address, fixed.value});
    }
};

/// A sum of fixed weights times values down the rows: preprocessed columns beside a next-row column.
struct WeightedSumTable {
    static constexpr const char* kName = "sum";
    template <class T>
    struct Fixed {
        T weight, first, last;
        template <class V>
        void visit(V&& v) {
            v("weight", weight), v("first", first), v("last", last);
        }
    };
    template <class T>
    struct Row {
        T value, sum;
        template <class V>
        void visit(V&& v) {
            v("value", value), v("sum", sum);
        }
    };
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
        b.zero("start", fixed.first * row.sum);
        b.zero("step", (1 - fixed.last) * (next.sum - row.sum - fixed.weight * row.value));
        b.send("total", kSumBus, fixed.last, {row.sum});
    }
};

/// No preprocessed column, no fixed height.
struct SquareTable {
    static constexpr const char* kName = "squares";
    template <class T>
    struct Row {
        T x, square;
        template <class V>
        void visit(V&& v) {
            v("x", x), v("square", square);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
        b.equal("square", row.square, row.x * row.x);
    }
};

inline std::vector<Table> gate_tables() {
    std::vector<Table> tables;
    tables.push_back(make_table<SquareTable>());
    tables.push_back(make_table<ConstantTable>(9));
    tables.push_back(make_table<GateTable>(10));
    tables.push_back(make_table<WeightedSumTable>(9));
    tables.push_back(make_table<WeightedSumTable>(10));  // one definition at two heights
    return tables;
}
inline const Heights kGateHeights{9, 9, 10, 9, 10};
inline constexpr std::size_t kNumGates = 1024;

/// Gate i reads the wires i and i + 1 and writes i + 2; every third one multiplies. The wires 0 and 1 are constants;
/// the world reads the last one.
inline PreprocessedTrace make_gate_columns(const Circuit& circuit, Heights heights = kGateHeights,
                                           unsigned log_lanes = kLogStackLanes) {
    PreprocessedTrace trace(circuit, std::move(heights), log_lanes);
    for (std::size_t t = 0; t < circuit.tables().size(); ++t) {
        for (std::size_t k = 0; k < circuit.tables()[t].num_preprocessed; ++k) {
            std::ranges::fill(trace.column(t, k), KoalaBear());
        }
    }
    for (std::size_t i = 0; i < 2; ++i) {
        trace.column(1, 0)[i] = KoalaBear(i);
        trace.column(1, 1)[i] = KoalaBear(5 + 4 * i);
        trace.column(1, 2)[i] = KoalaBear(1 + i);
    }
    for (std::size_t i = 0; i < kNumGates; ++i) {
        trace.column(2, 0)[i] = KoalaBear(i);
        trace.column(2, 1)[i] = KoalaBear(i + 1);
        trace.column(2, 2)[i] = KoalaBear(i + 2);
        trace.column(2, 3)[i] = KoalaBear(i + 2 < kNumGates ? 2 : 1);
        trace.column(2, 4)[i] = KoalaBear(i % 3 == 0 ? 1 : 0);
    }
    for (const std::size_t t : {std::size_t{3}, std::size_t{4}}) {
        const std::size_t height = trace.column(t, 0).size();
        for (std::size_t i = 0; i < height; ++i) trace.column(t, 0)[i] = KoalaBear(i * i + t);
        trace.column(t, 1)[0] = KoalaBear(1);
        trace.column(t, 2)[height - 1] = KoalaBear(1);
    }
    return trace;
}

struct GateSystem {
    Trace trace;
    Statement statement;
};

/// The witness and statement that fit the given preprocessed columns, whatever operations, constants and weights these
/// have; addresses and uses are taken to be those of make_gate_columns.
inline GateSystem make_gate_system(const PreprocessedTrace& fixed) {
    GateSystem s{Trace(fixed.circuit(), fixed.heights(), fixed.layout().log_lanes), {}};
    for (std::size_t i = 0; i < s.trace.column(0, 0).size(); ++i) {
        s.trace.column(0, 0)[i] = KoalaBear(i + 7);
        s.trace.column(0, 1)[i] = KoalaBear(i + 7) * KoalaBear(i + 7);
    }
    std::vector<KoalaBear> wires{fixed.column(1, 1)[0], fixed.column(1, 1)[1]};
    for (std::size_t i = 0; i < kNumGates; ++i) {
        const KoalaBear a = wires[i];
        const KoalaBear b = wires[i + 1];
        wires.push_back(fixed.column(2, 4)[i].is_zero() ? a + b : a * b);
        s.trace.column(2, 0)[i] = a;
        s.trace.column(2, 1)[i] = b;
        s.trace.column(2, 2)[i] = wires.back();
    }
    // The last wire but one is read by the last gate, the last one by the world.
    s.statement.tuples.push_back({kWireBus, -KoalaBear(1), {KoalaBear(kNumGates + 1), wires.back()}});
    for (const std::size_t t : {std::size_t{3}, std::size_t{4}}) {
        KoalaBear sum;
        for (std::size_t i = 0; i < s.trace.column(t, 0).size(); ++i) {
            s.trace.column(t, 0)[i] = KoalaBear(3 * i + t);
            s.trace.column(t, 1)[i] = sum;
            if (i + 1 < s.trace.column(t, 0).size()) sum += fixed.column(t, 0)[i] * s.trace.column(t, 0)[i];
        }
        s.statement.tuples.push_back({kSumBus, -KoalaBear(1), {sum}});
    }
    return s;
}

}  // namespace quarry::testing
