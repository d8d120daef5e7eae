#include "quarry/iop/zerocheck.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/air/check.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/iop/row_kernels.hpp"

namespace quarry::zerocheck_test {
namespace {

// Rows of products of several degrees, looked up by `Chain`:  c = a b,  d = (c + 2 a + 1)^3,  named forms in between.
struct Products {
    static constexpr const char* kName = "products";
    template <class T>
    struct Row {
        T a, b, c, d, unused;
        std::array<T, 2> free;
        template <class V>
        void visit(V&& v) {
            v("a", a), v("b", b), v("c", c), v("d", d), v("unused", unused), v("free", free);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
        b.equal("c", row.c, row.a * row.b);
        const Expr s = row.c + 2 * row.a + 1;
        b.equal("d", row.d, s * s * s);
        // Degree 6, true for all values of a and b: products of products through a named form.
        const Expr t = (row.a * row.b * row.a + row.b * row.b + 3).named();
        b.zero("square", (t + row.a) * (t - row.a) - t * t + row.a * row.a);
        b.send("pair", 7, 1, {row.a, row.d});
    }
};

// x' = x^2 + y on all rows but the last.
struct Chain {
    static constexpr const char* kName = "chain";
    template <class T>
    struct Row {
        T x, y, last, a, d, count;
        template <class V>
        void visit(V&& v) {
            v("x", x), v("y", y), v("last", last), v("a", a), v("d", d), v("count", count);
        }
    };
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
        b.boolean("last", row.last);
        b.zero("step", (1 - row.last) * (next.x - row.x * row.x - row.y));
        b.receive("pair", 7, row.count, {row.a, row.d});
        b.send("shift_out", 9, 1, {row.y, next.y});
        b.receive("shift_in", 9, 1, {row.y, next.y});
    }
};

struct System {
    std::vector<Table> tables;
    std::vector<Program> programs;
    std::vector<Columns> traces;
    std::vector<unsigned> log_heights;
    std::vector<Buffer<KoalaBear>> flat;

    [[nodiscard]] std::vector<const Table*> table_pointers() const {
        std::vector<const Table*> r;
        for (const Table& t : tables) r.push_back(&t);
        return r;
    }
    void flatten() {
        flat.clear();
        for (std::size_t t = 0; t < tables.size(); ++t) {
            flat.emplace_back(traces[t].size() << log_heights[t]);
            for (std::size_t c = 0; c < traces[t].size(); ++c) {
                for (std::size_t i = 0; i < traces[t][c].size(); ++i)
                    flat[t][(c << log_heights[t]) + i] = traces[t][c][i];
            }
        }
    }
    [[nodiscard]] std::vector<TableInstance> instances() const {
        std::vector<TableInstance> r;
        for (std::size_t t = 0; t < tables.size(); ++t)
            r.push_back({&tables[t], &programs[t], log_heights[t], flat[t].data()});
        return r;
    }
};

System make_system() {
    System s;
    s.tables.push_back(make_table<Products>());
    s.tables.push_back(make_table<Chain>());
    for (const Table& t : s.tables) s.programs.push_back(compile(t));
    s.log_heights = {11, 9};
    std::mt19937_64 rng(11);
    for (std::size_t t = 0; t < 2; ++t) {
        s.traces.emplace_back(s.tables[t].num_columns(), std::vector<KoalaBear>(std::size_t{1} << s.log_heights[t]));
    }
    auto& p = s.traces[0];
    auto& q = s.traces[1];
    for (std::size_t i = 0; i < p[0].size(); ++i) {
        // Four times the same 512 pairs, so that each is received with multiplicity 4.
        p[0][i] = KoalaBear(i % 512 * 77);
        p[1][i] = KoalaBear(i % 512 + 5);
        p[2][i] = p[0][i] * p[1][i];
        p[3][i] = (p[2][i] + p[0][i] + p[0][i] + KoalaBear(1)).pow(3);
        for (std::size_t c = 4; c < 7; ++c) p[c][i] = KoalaBear(rng());
    }
    for (std::size_t i = 0; i < q[0].size(); ++i) {
        q[0][i] = i == 0 ? KoalaBear(3) : q[0][i - 1] * q[0][i - 1] + q[1][i - 1];
        q[1][i] = KoalaBear(rng());
        q[2][i] = KoalaBear(i + 1 == q[0].size() ? 1 : 0);
        q[3][i] = p[0][i];
        q[4][i] = p[3][i];
        q[5][i] = KoalaBear(4);
    }
    s.flatten();
    return s;
}

struct Proved {
    ProofStream stream;
    ZerocheckClaims<ExtField> claims;
};

Proved prove(const System& s, RowRounds rounds, ProverChannel::Tamper tamper = nullptr) {
    PoseidonProverChannel channel(Transcript{}, std::move(tamper));
    const auto instances = s.instances();
    const auto tables = s.table_pointers();
    BusClaim<ExtField> bus;
    bus.layout = make_leaf_layout(tables, s.log_heights);
    bus.challenges = {channel.challenge(), channel.challenge()};
    GkrClaim<> gkr = prove_gkr(channel, make_leaves(instances, bus.layout, bus.challenges));
    bus.point = gkr.point;
    bus.numerator = gkr.numerator;
    bus.denominator = gkr.denominator;
    Proved run;
    run.claims = prove_zerocheck(channel, instances, bus, rounds);
    run.stream = std::move(channel).take();
    return run;
}

Result<ZerocheckClaims<ExtField>> verify(const System& s, RowRounds rounds, const ProofStream& stream) {
    NativeBackend backend;
    NativeVerifierChannel channel(Transcript{}, stream);
    const auto tables = s.table_pointers();
    BusClaim<ExtField> bus;
    bus.layout = make_leaf_layout(tables, s.log_heights);
    bus.challenges = {channel.challenge(), channel.challenge()};
    QUARRY_TRY_ASSIGN(auto gkr, verify_gkr(backend, channel, bus.layout.log_size));
    bus.point = gkr.point;
    bus.numerator = gkr.numerator;
    bus.denominator = gkr.denominator;
    QUARRY_TRY_ASSIGN(auto claims, verify_zerocheck(backend, channel, tables, s.log_heights, bus, rounds));
    QUARRY_TRY(channel.finish());
    return claims;
}

class ZerocheckRounds : public ::testing::TestWithParam<RowRounds> {};
INSTANTIATE_TEST_SUITE_P(Both, ZerocheckRounds, ::testing::Values(RowRounds::skip, RowRounds::plain),
                         [](const auto& of) { return of.param == RowRounds::skip ? "Skip" : "Plain"; });

ExtField inner(const ExtVector& w, const std::vector<KoalaBear>& column) {
    ExtField s;
    for (std::size_t i = 0; i < column.size(); ++i) s += w.get(i) * column[i];
    return s;
}

TEST(Zerocheck, HonestTraceSatisfiesItsTables) {
    const System s = make_system();
    for (std::size_t t = 0; t < 2; ++t) EXPECT_FALSE(find_violation(s.tables[t], s.traces[t]).has_value());
    EXPECT_TRUE(buses_balance(s.table_pointers(), s.traces));
}

TEST_P(ZerocheckRounds, AcceptsAndClaimsTheColumns) {
    const System s = make_system();
    const Proved run = prove(s, GetParam());
    const auto verified = verify(s, GetParam(), run.stream);
    ASSERT_TRUE(verified.ok()) << errc_name(verified.error().code);
    for (std::size_t t = 0; t < 2; ++t) {
        const auto row = row_weights(run.claims.point, s.log_heights[t], false);
        const auto next = row_weights(run.claims.point, s.log_heights[t], true);
        for (std::size_t c = 0; c < s.traces[t].size(); ++c) {
            EXPECT_EQ(verified.value().tables[t].row[c], inner(row, s.traces[t][c])) << t << " " << c;
        }
        const auto next_columns = s.tables[t].next_columns();
        for (std::size_t i = 0; i < next_columns.size(); ++i) {
            EXPECT_EQ(verified.value().tables[t].next[i], inner(next, s.traces[t][next_columns[i]]));
        }
    }
    EXPECT_EQ(s.tables[1].next_columns(), (std::vector<std::uint32_t>{0, 1}));
    EXPECT_EQ(run.stream.size(), gkr_stream_size(make_leaf_layout(s.table_pointers(), s.log_heights).log_size) +
                                     zerocheck_stream_length(s.table_pointers(), s.log_heights, GetParam()));
}

TEST_P(ZerocheckRounds, KernelsAreTheMultilinearExtensionsOfTheWeights) {
    std::mt19937_64 rng(5);
    auto random = [&] {
        ExtField x;
        for (std::size_t k = 0; k < 5; ++k) x[k] = KoalaBear(rng());
        return x;
    };
    NativeBackend backend;
    const unsigned h = 11;
    RowPoint<ExtField> point;
    if (GetParam() == RowRounds::skip) point.skip = random();
    std::vector<ExtField> p;
    for (unsigned v = 0; v < h; ++v) {
        point.r.push_back(random());
        p.push_back(random());
    }
    RowKernels<NativeBackend> kernels(backend, point);
    for (const unsigned height : {10U, 9U, h, 10U}) {
        const auto prefix = std::span<const ExtField>(p).first(height);
        const auto eq = eq_all(backend, prefix);
        for (const bool next : {false, true}) {
            const ExtVector w = row_weights(point, height, next);
            ExtField expected;
            for (std::size_t i = 0; i < eq.size(); ++i) expected += w.get(i) * eq[i];
            EXPECT_EQ(next ? kernels.next(prefix) : kernels.row(prefix), expected);
        }
    }
}

TEST_P(ZerocheckRounds, ProofDoesNotDependOnTheIsa) {
    const System s = make_system();
    const Isa before = current_isa();
    const ProofStream expected = prove(s, GetParam()).stream;
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        EXPECT_EQ(prove(s, GetParam()).stream, expected) << isa_name(isa);
    }
    force_isa(before);
}

// ADVERSARIAL, Tables: "for every table, mutate every cell of a small valid trace": here one row of each column, in the
// full protocol. The checker says which cells are free; every other mutation must be refused.
TEST_P(ZerocheckRounds, RefusesMutatedCells) {
    const System honest = make_system();
    std::mt19937_64 rng(3);
    for (std::size_t t = 0; t < 2; ++t) {
        for (std::size_t c = 0; c < honest.traces[t].size(); ++c) {
            for (const std::size_t row : {std::size_t{0}, std::size_t{300}, honest.traces[t][c].size() - 1}) {
                System s = make_system();
                s.traces[t][c][row] += KoalaBear(1 + rng() % 1000);
                s.flatten();
                const bool valid = !find_violation(s.tables[t], s.traces[t]).has_value() &&
                                   buses_balance(s.table_pointers(), s.traces);
                EXPECT_EQ(verify(s, GetParam(), prove(s, GetParam()).stream).ok(), valid)
                    << t << " " << c << " " << row;
            }
        }
    }
}

// ADVERSARIAL, Transcript: "Change any single element of a proof: rejected."
TEST_P(ZerocheckRounds, RefusesEveryChangedElement) {
    const System s = make_system();
    const Proved run = prove(s, GetParam());
    for (std::size_t i = 0; i < run.stream.size(); ++i) {
        ProofStream stream = run.stream;
        stream[i] += KoalaBear(1);
        const auto changed = verify(s, GetParam(), stream);
        if (!changed.ok()) continue;
        // The value of a column that no constraint reads: another claim on that column, which the opening must refuse.
        std::size_t different = 0;
        for (std::size_t c = 4; c < 7; ++c) {
            different += changed.value().tables[0].row[c] != run.claims.tables[0].row[c] ? 1U : 0U;
        }
        EXPECT_EQ(different, 1U) << i;
    }
}

// A prover that changes a message before absorbing it and goes on consistently.
TEST_P(ZerocheckRounds, LyingProverIsRefusedAtTheLie) {
    const System s = make_system();
    const struct {
        const char* label;
        Errc code;
    } cases[] = {{"gkr/root", Errc::bus_imbalance},
                 {"gkr/round", Errc::gkr_mismatch},
                 {"gkr/layer", Errc::gkr_mismatch},
                 {"zerocheck/skip", Errc::skip_sum_mismatch},
                 {"zerocheck/round", Errc::constraint_mismatch},
                 {"zerocheck/values", Errc::constraint_mismatch}};
    for (const auto& c : cases) {
        if (GetParam() == RowRounds::plain && c.code == Errc::skip_sum_mismatch) continue;
        bool done = false;
        const Proved run = prove(s, GetParam(), [&](const char* label, std::span<KoalaBear> message) {
            if (done || std::string_view(label) != c.label) return;
            message[0] += KoalaBear(1);
            done = true;
        });
        ASSERT_TRUE(done) << c.label;
        const auto result = verify(s, GetParam(), run.stream);
        ASSERT_FALSE(result.ok()) << c.label;
        EXPECT_EQ(errc_name(result.error().code), std::string(errc_name(c.code))) << c.label;
    }
}

}  // namespace
}  // namespace quarry::zerocheck_test
