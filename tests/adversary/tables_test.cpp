// ADVERSARIAL.md, "Tables", the lines that hold for any table, on small circuits in the full protocol. Quoted lines
// stand above the tests that try them.
#include <gtest/gtest.h>

#include "quarry/air/check.hpp"
#include "tests/adversary/attack.hpp"

namespace quarry::tables_test {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)

constexpr std::uint32_t kPairsBus = 3;
constexpr std::uint32_t kTotalBus = 4;

/// Takes pairs (x, y) from the pool on its real rows and adds the y up; the total behind the last row is public. All
/// real rows stand before the padding.
struct UserTable {
    static constexpr const char* kName = "user";
    template <class T>
    struct Row {
        T is_real, x, y, sum, last;
        template <class V>
        void visit(V&& v) {
            v("is_real", is_real), v("x", x), v("y", y), v("sum", sum), v("last", last);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
        b.boolean("is_real", row.is_real);
        b.boolean("last", row.last);
        b.zero("padding stays", (1 - row.last) * next.is_real * (1 - row.is_real));
        b.zero("start", row.last * next.sum);
        b.zero("step", (1 - row.last) * (next.sum - row.sum - row.is_real * row.y));
        b.send("pairs", kPairsBus, row.is_real, {row.x, row.y});
        b.send("total", kTotalBus, row.last, {row.sum});
    }
};

/// Pairs (x, x^2) on real rows; padding holds anything and gives nothing.
struct PoolTable {
    static constexpr const char* kName = "pool";
    template <class T>
    struct Row {
        T is_real, x, y, uses;
        template <class V>
        void visit(V&& v) {
            v("is_real", is_real), v("x", x), v("y", y), v("uses", uses);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
        b.boolean("is_real", row.is_real);
        b.zero("square", row.is_real * (row.y - row.x * row.x));
        b.zero("padding is not used", (1 - row.is_real) * row.uses);
        b.receive("pairs", kPairsBus, row.uses, {row.x, row.y});
    }
};

// Columns of the user table.
constexpr std::size_t kIsReal = 0;
constexpr std::size_t kX = 1;
constexpr std::size_t kY = 2;
constexpr std::size_t kSum = 3;
constexpr std::size_t kLast = 4;
constexpr std::size_t kUses = 3;
constexpr std::size_t kNumReal = 300;

struct System {
    Trace trace;
    Statement statement;
};

const Circuit& circuit() {
    static const Circuit c("pool", [] {
        std::vector<Table> tables;
        tables.push_back(make_table<UserTable>());
        tables.push_back(make_table<PoolTable>());
        return tables;
    }());
    return c;
}

/// The user's sums recomputed from y, and the statement from the sums: consistent with whatever was changed before.
void resum(System& s) {
    KoalaBear sum;
    for (std::size_t i = 0; i < 512; ++i) {
        s.trace.column(0, kSum)[i] = sum;
        if (i + 1 < 512) sum += s.trace.column(0, kIsReal)[i] * s.trace.column(0, kY)[i];
    }
    s.statement.tuples = {{kTotalBus, -KoalaBear(1), {s.trace.column(0, kSum)[511]}}};
}

/// Both tables of the minimal height: 300 accesses to 300 pairs, then padding.
System make_system() {
    System s{Trace(circuit(), {9, 9}), {}};
    for (std::size_t t = 0; t < 2; ++t) {
        for (std::size_t c = 0; c < circuit().tables()[t].num_columns(); ++c)
            std::ranges::fill(s.trace.column(t, c), KoalaBear());
    }
    for (std::size_t i = 0; i < kNumReal; ++i) {
        const std::size_t x = i * i % kNumReal;
        s.trace.column(0, kIsReal)[i] = s.trace.column(1, kIsReal)[i] = KoalaBear(1);
        s.trace.column(0, kX)[i] = KoalaBear(x);
        s.trace.column(0, kY)[i] = KoalaBear(x * x);
        s.trace.column(1, kX)[i] = KoalaBear(i);
        s.trace.column(1, kY)[i] = KoalaBear(i * i);
        s.trace.column(1, kUses)[x] += KoalaBear(1);
    }
    s.trace.column(0, kLast)[511] = KoalaBear(1);
    resum(s);
    return s;
}

std::string refusal(const System& s) {
    return name_of(verify(circuit(), prove(circuit(), s.trace, s.statement), s.statement));
}
/// The constraints that the plain checker finds broken in a table.
std::vector<std::string> broken(const System& s, std::size_t t) {
    Columns columns;
    for (std::size_t c = 0; c < circuit().tables()[t].num_columns(); ++c) {
        columns.emplace_back(s.trace.column(t, c).begin(), s.trace.column(t, c).end());
    }
    return broken_constraints(circuit().tables()[t], columns);
}
using Names = std::vector<std::string>;

/// A false witness whose polynomials are too high in degree shows at the skip, one of the right degree at the values.
void expect_constraint_refusal(const System& s) {
    const std::string got = refusal(s);
    EXPECT_TRUE(got == "skip_sum_mismatch" || got == "constraint_mismatch") << got;
}

TEST(AdversaryTables, HonestTablesOfMinimalHeight) { EXPECT_EQ(refusal(make_system()), "ok"); }

// "empty table": no real row at all, which says that the total is 0 and nothing else.
TEST(AdversaryTables, EmptyTable) {
    System s = make_system();
    for (std::size_t i = 0; i < 512; ++i) {
        s.trace.column(0, kIsReal)[i] = KoalaBear();
        s.trace.column(1, kUses)[i] = KoalaBear();
        s.trace.column(1, kIsReal)[i] = KoalaBear();
    }
    resum(s);
    EXPECT_TRUE(s.statement.tuples[0].tuple[0].is_zero());
    EXPECT_EQ(refusal(s), "ok");
    s.statement.tuples[0].tuple[0] = KoalaBear(1);
    EXPECT_EQ(refusal(s), "bus_imbalance");
    // No last row: then there is no total.
    s.trace.column(0, kLast)[511] = KoalaBear();
    s.statement.tuples.clear();
    EXPECT_EQ(refusal(s), "ok");
}

// "table of one row": heights begin at 2^9; below it nothing is provable, and one real row is a padded table.
TEST(AdversaryTables, OneRealRow) {
    System s = make_system();
    for (std::size_t i = 0; i < 512; ++i) {
        s.trace.column(0, kIsReal)[i] = KoalaBear(i == 0 ? 1 : 0);
        s.trace.column(1, kUses)[i] = KoalaBear(i == 5 ? 1 : 0);
    }
    s.trace.column(0, kX)[0] = KoalaBear(5);
    s.trace.column(0, kY)[0] = KoalaBear(25);
    resum(s);
    EXPECT_EQ(s.statement.tuples[0].tuple[0], KoalaBear(25));
    EXPECT_EQ(refusal(s), "ok");
    for (const unsigned h : {1U, 2U, 8U}) {
        EXPECT_EQ(name_of(make_stack_layout(circuit(), {h, 9})), "bad_shape");
        Proof p = prove(circuit(), s.trace, s.statement);
        p.heights[1] = h;
        EXPECT_EQ(name_of(verify(circuit(), p, s.statement)), "bad_shape");
    }
}

// "padding that pretends to be real": a pair (x, y) that is no square, from a padding row of the pool.
TEST(AdversaryTables, PaddingThatPretendsToBeReal) {
    System s = make_system();
    // The user takes (5, 26) instead of one of its pairs; the pool has it on a padding row.
    s.trace.column(0, kX)[0] = KoalaBear(5);
    s.trace.column(0, kY)[0] = KoalaBear(26);
    resum(s);
    EXPECT_EQ(refusal(s), "bus_imbalance");
    s.trace.column(1, kX)[400] = KoalaBear(5);
    s.trace.column(1, kY)[400] = KoalaBear(26);
    EXPECT_EQ(refusal(s), "bus_imbalance");
    // "free multiplicity on padding rows": with a multiplicity the buses balance.
    s.trace.column(1, kUses)[400] = KoalaBear(1);
    s.trace.column(1, kUses)[0] -= KoalaBear(1);
    EXPECT_EQ(broken(s, 1), Names{"padding is not used"});
    expect_constraint_refusal(s);
    // It calls itself real, then it must be a square.
    s.trace.column(1, kIsReal)[400] = KoalaBear(1);
    EXPECT_EQ(broken(s, 1), Names{"square"});
    expect_constraint_refusal(s);
    // "selectors boolean": half real, half padding leaves half of each constraint.
    s.trace.column(1, kIsReal)[400] = KoalaBear(2).inverse();
    EXPECT_EQ(broken(s, 1), (Names{"is_real", "square", "padding is not used"}));
    expect_constraint_refusal(s);
}

// "selectors boolean": one access counted twice, or taken back, with buses that balance.
TEST(AdversaryTables, SelectorsAreBoolean) {
    for (const KoalaBear weight : {KoalaBear(2), -KoalaBear(1), KoalaBear(2).inverse()}) {
        System s = make_system();
        const std::size_t x = s.trace.column(0, kX)[7].canonical();
        s.trace.column(0, kIsReal)[7] = weight;
        s.trace.column(1, kUses)[x] += weight - KoalaBear(1);
        resum(s);
        const Names names = broken(s, 0);
        EXPECT_NE(std::ranges::find(names, "is_real"), names.end());
        expect_constraint_refusal(s);
    }
    // The selector of the public total: two halves.
    System s = make_system();
    s.trace.column(0, kLast)[511] = s.trace.column(0, kLast)[510] = KoalaBear(2).inverse();
    EXPECT_NE(refusal(s), "ok");
}

// "First row": a sum that does not start at zero.
TEST(AdversaryTables, FirstRow) {
    System s = make_system();
    for (KoalaBear& x : s.trace.column(0, kSum)) x += KoalaBear(1000);
    s.statement.tuples[0].tuple[0] += KoalaBear(1000);
    EXPECT_EQ(broken(s, 0), Names{"start"});
    expect_constraint_refusal(s);
}

// "last row": no last row (then nothing anchors the first), or more of them.
TEST(AdversaryTables, LastRow) {
    System s = make_system();
    s.trace.column(0, kLast)[511] = KoalaBear();
    // Cyclic: real rows follow padding, and the sum would have to come back to where it began.
    EXPECT_EQ(broken(s, 0), (Names{"padding stays", "step"}));
    EXPECT_NE(refusal(s), "ok");
    // Two last rows: two totals, of which the statement has one.
    s = make_system();
    s.trace.column(0, kLast)[200] = KoalaBear(1);
    KoalaBear sum;
    for (std::size_t i = 0; i < 512; ++i) {
        s.trace.column(0, kSum)[i] = sum;
        sum = i == 200 ? KoalaBear() : sum + s.trace.column(0, kIsReal)[i] * s.trace.column(0, kY)[i];
    }
    s.statement.tuples[0].tuple[0] = s.trace.column(0, kSum)[511];
    EXPECT_EQ(broken(s, 0), Names{});
    EXPECT_EQ(refusal(s), "bus_imbalance");
}

// "wrap-around": the constraint between the last row and the first is a constraint like any other ..
TEST(AdversaryTables, WrapAround) {
    System s = make_system();
    s.trace.column(0, kSum)[0] = KoalaBear(1);
    EXPECT_EQ(broken(s, 0), (Names{"start", "step"}));
    EXPECT_NE(refusal(s), "ok");
    // .. so that turning the whole table is another witness of the same statement, and free.
    for (const std::ptrdiff_t by : {1, 16, 511}) {
        s = make_system();
        for (std::size_t c = 0; c < 5; ++c) {
            const auto column = s.trace.column(0, c);
            std::rotate(column.begin(), column.begin() + by, column.end());
        }
        EXPECT_EQ(refusal(s), "ok") << by;
        // One column alone is not.
        s = make_system();
        const auto column = s.trace.column(0, kSum);
        std::rotate(column.begin(), column.begin() + by, column.end());
        EXPECT_NE(refusal(s), "ok") << by;
    }
}

// "For every table, mutate every cell of a small valid trace: at least one constraint or bus must fail, or the cell is
// documented as free": edges of lanes, chunks and padding in every column. Free: x and y of padding rows (both tables).
TEST(AdversaryTables, MutatedCells) {
    for (std::size_t t = 0; t < 2; ++t) {
        for (std::size_t c = 0; c < circuit().tables()[t].num_columns(); ++c) {
            for (const std::size_t row :
                 {std::size_t{0}, std::size_t{15}, std::size_t{16}, kNumReal - 1, kNumReal, std::size_t{511}}) {
                System s = make_system();
                s.trace.column(t, c)[row] += KoalaBear(3);
                const bool free = row >= kNumReal && (c == kX || c == kY);
                EXPECT_EQ(refusal(s) == "ok", free) << t << ' ' << c << ' ' << row;
            }
        }
    }
}

// A proof for one circuit against another with tables of the same shape: a constraint less, another coefficient,
// another name of a column, table or circuit, the tables in another order.
TEST(AdversaryTables, ProofOfAnotherCircuit) {
    const Cubes& c = Cubes::get();
    const auto refused = [&](std::vector<Table> tables, const std::string& name) {
        const Circuit other(name, std::move(tables));
        EXPECT_NE(other.digest(), c.circuit.digest());
        EXPECT_EQ(name_of(decode_proof(other, c.file, c.system.statement)), "wrong_key");
        const std::string got = name_of(verify(other, c.proof, c.system.statement));
        EXPECT_TRUE(got == "bus_imbalance" || got == "bad_length") << got;
    };
    using quarry::testing::cube_tables;
    refused(cube_tables(), "cubes ");
    auto tables = cube_tables();
    tables[0].constraints.pop_back();
    refused(std::move(tables), "cubes");
    tables = cube_tables();
    tables[0].constraints[1].form.terms[0].coefficient += KoalaBear(1);
    refused(std::move(tables), "cubes");
    tables = cube_tables();
    std::swap(tables[0].constraints[0], tables[0].constraints[1]);
    refused(std::move(tables), "cubes");
    tables = cube_tables();
    tables[0].columns[0] = "z";
    refused(std::move(tables), "cubes");
    tables = cube_tables();
    tables[0].name = "cube";
    refused(std::move(tables), "cubes");
    tables = cube_tables();
    tables[0].interactions[0].multiplicity.constant += KoalaBear(1);
    refused(std::move(tables), "cubes");
    tables = cube_tables();
    tables[1].interactions[1].bus = 9;
    const Circuit other("cubes", std::move(tables));
    EXPECT_NE(other.digest(), c.circuit.digest());
}

// Heights swapped between tables of the same text: only the heights in the transcript tell the two stacks apart.
TEST(AdversaryTables, HeightsSwapped) {
    std::vector<Table> tables;
    tables.push_back(make_table<PoolTable>());
    tables.push_back(make_table<PoolTable>());
    for (Table& t : tables) t.interactions.clear();
    const Circuit pools("pools", std::move(tables));
    Trace trace(pools, {9, 10});
    for (std::size_t t = 0; t < 2; ++t) {
        for (std::size_t i = 0; i < trace.column(t, 0).size(); ++i) {
            trace.column(t, kIsReal)[i] = KoalaBear(1);
            trace.column(t, kX)[i] = KoalaBear(i);
            trace.column(t, kY)[i] = KoalaBear(i * i);
            trace.column(t, kUses)[i] = KoalaBear(i % 3);
        }
    }
    const Proof honest = prove(pools, trace, {});
    EXPECT_EQ(name_of(verify(pools, honest, {})), "ok");
    Proof swapped = honest;
    std::swap(swapped.heights[0], swapped.heights[1]);
    EXPECT_EQ(name_of(verify(pools, swapped, {})), "constraint_mismatch");
    FileBytes file = encode_proof(pools, honest, {});
    ASSERT_EQ(file[74] + file[75], 19);
    std::swap(file[74], file[75]);
    EXPECT_EQ(name_of(decode_proof(pools, file, {})), "statement_mismatch");
    for (const Heights& heights : {Heights{10, 10}, Heights{9, 9}, Heights{9, 11}, Heights{9, 10, 9}, Heights{10}}) {
        swapped.heights = heights;
        EXPECT_FALSE(verify(pools, swapped, {}).ok());
    }
    // Heights that no machine should allocate for are refused before anything is.
    for (const unsigned h : {21U, 22U, 23U, 63U, 64U, ~0U}) {
        swapped.heights = {h, h};
        const std::string got = name_of(verify(pools, swapped, {}));
        EXPECT_TRUE(got == "bad_shape" || got == "limit_exceeded" || got == "bad_length") << h << got;
    }
}

}  // namespace
}  // namespace quarry::tables_test
