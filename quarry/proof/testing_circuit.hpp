#pragma once
// A small circuit with everything that the proof system offers, for tests: two heights, buses, next rows, public
// tuples.
#include <vector>

#include "quarry/proof/proof.hpp"

namespace quarry::testing {

inline constexpr std::uint32_t kCubesBus = 1;
inline constexpr std::uint32_t kResultBus = 2;

/// Looks up cubes, and carries a sum of them down the rows: acc' = acc + y. The sum behind the last row is public.
struct UserTable {
    static constexpr const char* kName = "user";
    template <class T>
    struct Row {
        T x, y, acc, first, last;
        template <class V>
        void visit(V&& v) {
            v("x", x), v("y", y), v("acc", acc), v("first", first), v("last", last);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
        b.boolean("first", row.first);
        b.boolean("last", row.last);
        // Cyclic: the row after a last row is a first row, and only that one.
        b.equal("wrap", next.first, row.last);
        b.zero("start", row.first * row.acc);
        b.zero("step", (1 - row.last) * (next.acc - row.acc - row.y));
        b.send("lookup", kCubesBus, 1, {row.x, row.y});
        b.send("result", kResultBus, row.last, {row.acc + row.y});
    }
};

/// All (x, x^3) for x < height, each with the number of its uses.
struct CubeTable {
    static constexpr const char* kName = "cubes";
    template <class T>
    struct Row {
        T x, square, y, uses;
        template <class V>
        void visit(V&& v) {
            v("x", x), v("square", square), v("y", y), v("uses", uses);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
        b.equal("square", row.square, row.x * row.x);
        b.equal("cube", row.y, row.square * row.x);
        b.receive("table", kCubesBus, row.uses, {row.x, row.y});
    }
};

inline std::vector<Table> cube_tables() {
    std::vector<Table> tables;
    tables.push_back(make_table<CubeTable>());  // the smaller table first: the stack reorders them
    tables.push_back(make_table<UserTable>());
    return tables;
}

struct CubeSystem {
    Trace trace;
    Statement statement;
};

/// 2^10 users of 2^9 cubes.
inline CubeSystem make_cube_system(const Circuit& circuit) {
    CubeSystem s{Trace(circuit, {9, 10}), {}};
    for (std::size_t i = 0; i < 512; ++i) {
        const KoalaBear x(i);
        s.trace.column(0, 0)[i] = x;
        s.trace.column(0, 1)[i] = x * x;
        s.trace.column(0, 2)[i] = x * x * x;
        s.trace.column(0, 3)[i] = KoalaBear();
    }
    KoalaBear sum;
    for (std::size_t i = 0; i < 1024; ++i) {
        const std::size_t x = i * i % 512;
        s.trace.column(1, 0)[i] = KoalaBear(x);
        s.trace.column(1, 1)[i] = KoalaBear(x).pow(3);
        s.trace.column(1, 2)[i] = sum;
        s.trace.column(1, 3)[i] = KoalaBear(i == 0 ? 1 : 0);
        s.trace.column(1, 4)[i] = KoalaBear(i == 1023 ? 1 : 0);
        sum += KoalaBear(x).pow(3);
        s.trace.column(0, 3)[x] += KoalaBear(1);
    }
    // The world takes the result off its bus.
    s.statement.tuples.push_back({kResultBus, -KoalaBear(1), {sum}});
    return s;
}

}  // namespace quarry::testing
