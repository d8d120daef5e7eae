#include "quarry/proof/security.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace quarry {
namespace {

struct Profile {
    SecurityTarget target;
    unsigned log_inv_rate;
};
constexpr Profile kProfiles[] = {{{100, 16}, 1}, {{100, 16}, 2}, {{120, 20}, 1}, {{120, 20}, 2}};

WhirParameters generate(const Profile& profile, unsigned log_size) {
    WhirOptions options;
    options.log_inv_rate = profile.log_inv_rate;
    return generate_whir_parameters(log_size, profile.target, options);
}

std::string decimal(double bits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", bits);
    return text;
}

/// The table that tests/security/soundness_reference.py recomputes: one object per line.
std::string table() {
    const CircuitBounds b;
    std::ostringstream out;
    out << "{\"generator\": \"QUARRY_PIN_SECURITY=1 proof_test --gtest_filter=Security.*\",\n"
        << " \"circuit\": {\"log_fractions\": " << b.log_fractions << ", \"tuple_length\": " << b.tuple_length
        << ", \"log_max_height\": " << b.log_max_height << ", \"log_skip\": " << b.log_skip
        << ", \"constraint_degree\": " << b.constraint_degree << ", \"num_constraints\": " << b.num_constraints
        << ", \"num_openings\": " << b.num_openings << "},\n \"entries\": [";
    const char* separator = "\n";
    for (const Profile& profile : kProfiles) {
        for (unsigned n = 16; n <= 28; ++n) {
            const WhirParameters p = generate(profile, n);
            const WhirCost cost = whir_cost(p);
            const auto lines = analyse(p, b);
            out << separator << "  {\"target_bits\": " << profile.target.bits
                << ", \"max_grinding_bits\": " << profile.target.max_grinding_bits << ", \"log_size\": " << n
                << ", \"log_final\": " << p.log_final << ", \"rounds\": [";
            const char* comma = "";
            for (const WhirRound& r : p.rounds) {
                out << comma << '[' << r.log_lanes << ", " << r.log_message << ", " << r.log_inv_rate << ", "
                    << r.num_queries << ", " << r.grinding_bits << ']';
                comma = ", ";
            }
            out << "], \"proof_bytes\": " << cost.proof_bytes
                << ", \"verifier_permutations\": " << cost.verifier_permutations
                << ", \"prover_permutations\": " << cost.prover_permutations
                << ", \"minimum_bits\": " << decimal(minimum_bits(lines))
                << ", \"interactive_bits\": " << decimal(interactive_bits(lines)) << ", \"bits\": {";
            comma = "";
            for (const SecurityLine& line : lines) {
                out << comma << '"' << line.name << "\": " << decimal(line.bits);
                comma = ", ";
            }
            out << "}}";
            separator = ",\n";
        }
    }
    out << "\n]}\n";
    return out.str();
}

std::string expected_path() { return QUARRY_SOURCE_DIR "/tests/security/expected.json"; }

TEST(Security, TableIsPinned) {
    if (std::getenv("QUARRY_PIN_SECURITY") != nullptr) {
        std::ofstream(expected_path()) << table();
        GTEST_SKIP() << "wrote " << expected_path();
    }
    std::ifstream file(expected_path());
    ASSERT_TRUE(file) << expected_path();
    std::stringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(table(), expected.str());
}

TEST(Security, EverySizeReachesItsTarget) {
    for (const Profile& profile : kProfiles) {
        for (unsigned n = 16; n <= 28; ++n) {
            const WhirParameters p = generate(profile, n);
            const auto lines = analyse(p);
            EXPECT_GE(minimum_bits(lines), profile.target.bits) << n;
            EXPECT_GE(minimum_bits(lines, SecurityLine::Basis::assumption), profile.target.bits);
            EXPECT_GE(p.rounds[0].log_message, 9u);
            EXPECT_EQ(p.rounds[0].log_lanes, 7u);
            EXPECT_LE(p.log_final, 9u);
            unsigned log_size = p.log_size;
            for (const WhirRound& r : p.rounds) {
                EXPECT_EQ(r.log_lanes + r.log_message, log_size);
                EXPECT_LE(r.log_message + r.log_inv_rate, 24u);
                EXPECT_GE(r.log_inv_rate, 1u);
                EXPECT_GT(r.num_queries, 0u);
                EXPECT_LE(r.grinding_bits, profile.target.max_grinding_bits);
                log_size = r.log_message;
            }
            EXPECT_EQ(log_size, p.log_final);
        }
    }
}

TEST(Security, FewerQueriesOrLessGrindingMissTheTarget) {
    const Profile& profile = kProfiles[0];
    for (const unsigned n : {16u, 20u, 24u, 26u}) {
        const WhirParameters p = generate(profile, n);
        for (std::size_t i = 0; i < p.rounds.size(); ++i) {
            WhirParameters worse = p;
            --worse.rounds[i].num_queries;
            EXPECT_LT(minimum_bits(analyse(worse)), profile.target.bits) << n << ' ' << i;
            worse = p;
            if (worse.rounds[i].grinding_bits == 0) continue;
            --worse.rounds[i].grinding_bits;
            EXPECT_LT(minimum_bits(analyse(worse)), profile.target.bits) << n << ' ' << i;
        }
    }
}

TEST(Security, UnreachableTargetsAreRefused) {
    EXPECT_FALSE(find_whir_parameters(26, {150, 16}));  // the fold of a degree-5 field
    WhirOptions long_code;
    long_code.log_inv_rate = 6;
    EXPECT_FALSE(find_whir_parameters(26, {100, 16}, long_code));  // 19 + 6 > 24, the two-adicity of p
}

TEST(Security, LargerCircuitsNeedSmallerLists) {
    const WhirParameters p = generate(kProfiles[2], 26);
    CircuitBounds larger;
    larger.tuple_length = 256;
    EXPECT_LT(minimum_bits(analyse(p, larger)), 120);
    EXPECT_TRUE(multiplicities_cannot_wrap(larger));
    larger.log_fractions = 31;
    EXPECT_FALSE(multiplicities_cannot_wrap(larger));
}

TEST(Security, WorstCasePaths) {
    // 3 positions in a tree of 8: levels of 2 and 3 nodes hold 0 + 1 siblings, the leaves 3; 1 + 2 + 3 inner nodes.
    const WhirParameters p{10, {WhirRound{7, 2, 1, 3, 0}}, 2};
    const WhirCost cost = whir_cost(p);
    EXPECT_EQ(cost.verifier_permutations, 3 * 16 + 6u);
    EXPECT_EQ(cost.prover_permutations, 0u);
    EXPECT_EQ(cost.proof_bytes, 32 + 7 * 40 + 4 + 3 * 128 * 4 + 4 * 32 + 4 * 20 + 2 * 40u);
}

}  // namespace
}  // namespace quarry
