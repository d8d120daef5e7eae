// Random circuits: the proof system agrees with the plain checker (quarry/air/check.hpp) on every trace that we show
// both. QUARRY_ADVERSARY_SEEDS=n runs n seeds instead of the few that a test run affords.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "tests/adversary/attack.hpp"
#include "tests/adversary/random_circuits.hpp"

namespace quarry::differential_test {
namespace {

using adversary::Menu;
using adversary::name_of;
using adversary::RandomSystem;
using adversary::SystemMaker;

std::uint64_t num_seeds(std::uint64_t usual) {
    const char* wanted = std::getenv("QUARRY_ADVERSARY_SEEDS");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

std::string verdict(const RandomSystem& s) {
    return name_of(verify(*s.circuit, prove(*s.circuit, s.trace(), s.statement), s.statement));
}

void check_seed(std::uint64_t seed, const Menu& menu) {
    RandomSystem s = SystemMaker(seed, menu).make();
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + s.description);
    ASSERT_TRUE(s.is_satisfied());
    EXPECT_EQ(verdict(s), "ok");
    // One cell: refused iff the checker refuses.
    std::mt19937_64 rng(seed);
    for (int i = 0; i < 2; ++i) {
        auto& table = s.values[rng() % s.values.size()];
        auto& column = table[rng() % table.size()];
        constexpr std::array<std::size_t, 4> kEdges{0, 15, 16, 511};
        const std::size_t row = rng() % 2 == 0 ? kEdges[rng() % 4] : rng() % column.size();
        const KoalaBear before = column[row];
        column[row] += KoalaBear(1 + rng() % 1000);
        const bool satisfied = s.is_satisfied();
        EXPECT_EQ(verdict(s) == "ok", satisfied) << "row " << row;
        column[row] = before;
    }
    // One message of the honest proof changed before it is absorbed: always refused.
    std::size_t num_messages = 0;
    const auto lie = [&](std::size_t number) {
        ProveOptions options;
        num_messages = 0;
        options.tamper = [&](const char* /*label*/, std::span<KoalaBear> message) {
            if (num_messages++ == number) message[rng() % message.size()] += KoalaBear(1 + rng() % 1000);
        };
        return name_of(verify(*s.circuit, prove(*s.circuit, s.trace(), s.statement, options), s.statement));
    };
    EXPECT_EQ(lie(~std::size_t{0}), "ok");
    for (int i = 0; i < 2; ++i) {
        const std::size_t number = rng() % num_messages;
        EXPECT_NE(lie(number), "ok") << "message " << number;
    }
}

TEST(Differential, RandomCircuits) {
    for (std::uint64_t seed = 0; seed < num_seeds(8); ++seed) check_seed(seed, {});
}

// Every table without constraints or without buses, of one height only, and the highest degree that is budgeted for.
TEST(Differential, RandomCircuitsOfOneKind) {
    for (std::uint64_t seed = 1000; seed < 1000 + num_seeds(2); ++seed) {
        check_seed(seed, {.max_defined = 0, .log_heights = {9}});
        check_seed(seed, {.max_buses = 0, .log_heights = {9, 12}});
        check_seed(seed, {.max_tables = 1, .max_degree = 9, .log_heights = {9}});
        check_seed(seed, {.max_tables = 3, .max_degree = 1, .log_heights = {10}});
    }
}

/// The verifier's arithmetic without its check of the column values against the constraints and the buses.
struct BlindBackend : NativeBackend {
    [[nodiscard]] static Status require_equal(const E& a, const E& b, Errc code, const char* where) {
        if (std::string_view(where) == "zerocheck/values") return Ok{};
        return NativeBackend::require_equal(a, b, code, where);
    }
};

// Every value that the prover claims for a column or its next row is bound by the opening alone, whatever the heights,
// the neighbours and the number of tables: also without the check that would notice it first.
TEST(Differential, EveryColumnClaimIsBoundByTheOpening) {
    for (std::uint64_t seed = 3000; seed < 3000 + num_seeds(2); ++seed) {
        const RandomSystem s = SystemMaker(seed, {.max_tables = 3}).make();
        SCOPED_TRACE("seed " + std::to_string(seed) + ": " + s.description);
        const auto verdict_with = [&](std::size_t lie) {
            const Proof p =
                adversary::prove_lying(*s.circuit, s.trace(), s.statement,
                                       adversary::tell({{"zerocheck/values", lie, ExtField(KoalaBear(1 + seed))}}));
            BlindBackend backend;
            return name_of(adversary::run_verifier(backend, *s.circuit, p, s.statement, nullptr, nullptr, true));
        };
        std::size_t num_values = 0;
        for (const Table& t : s.circuit->tables()) num_values += t.num_columns() + t.next_columns().size();
        EXPECT_EQ(verdict_with(num_values), "ok");  // there is no such message: no lie
        for (std::size_t k = 0; k < num_values; ++k) EXPECT_EQ(verdict_with(k), "final_mismatch") << k;
    }
}

// Far heights in one circuit: idle variables, and WHIR with as many rounds as it takes.
TEST(Differential, FarHeightsSlow) {
    for (std::uint64_t seed = 2000; seed < 2000 + num_seeds(2); ++seed) {
        check_seed(seed, {.max_tables = 3, .max_free = 2, .max_defined = 2, .max_buses = 2, .log_heights = {9, 14}});
    }
}

}  // namespace
}  // namespace quarry::differential_test
