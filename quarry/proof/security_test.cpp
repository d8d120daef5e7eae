#include "quarry/proof/security.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "quarry/proof/protocol.hpp"
#include "quarry/proof/terminal_parameters.hpp"

namespace quarry::security_test {
namespace {

struct Profile {
    SecurityTarget target;
    unsigned log_inv_rate;
};
constexpr Profile kProfiles[] = {{{100, 16}, 1}, {{100, 16}, 2}, {{120, 20}, 1}, {{120, 20}, 2}};

/// Sizes of the wrap's stack that are pinned: at 2^27 its code would be longer than the field allows.
constexpr unsigned kLastWrapSize = 26;
constexpr SecurityTarget kWrapTarget{100, 20};
/// Sizes of the terminal's stack that are pinned.
constexpr unsigned kFirstTerminalSize = 18;
constexpr unsigned kLastTerminalSize = 24;

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

void write_circuit(std::ostream& out, const CircuitBounds& b, const char* hash) {
    out << "{\"hash\": \"" << hash << "\", \"log_fractions\": " << b.log_fractions
        << ", \"tuple_length\": " << b.tuple_length << ", \"log_max_height\": " << b.log_max_height
        << ", \"log_skip\": " << b.log_skip << ", \"constraint_degree\": " << b.constraint_degree
        << ", \"num_constraints\": " << b.num_constraints << ", \"num_openings\": " << b.num_openings
        << ", \"batching_variables\": " << b.batching_variables << "}";
}

void write_entry(std::ostream& out, const SecurityTarget& target, const WhirParameters& p, const std::string& costs,
                 const std::vector<SecurityLine>& lines) {
    out << "{\"target_bits\": " << target.bits << ", \"max_grinding_bits\": " << target.max_grinding_bits
        << ", \"log_size\": " << p.log_size << ", \"log_final\": " << p.log_final << ", \"rounds\": [";
    const char* comma = "";
    for (const WhirRound& r : p.rounds) {
        out << comma << '[' << r.log_lanes << ", " << r.log_message << ", " << r.log_inv_rate << ", " << r.num_queries
            << ", " << r.grinding_bits << ']';
        comma = ", ";
    }
    out << "], " << costs << ", \"minimum_bits\": " << decimal(minimum_bits(lines))
        << ", \"interactive_bits\": " << decimal(interactive_bits(lines)) << ", \"bits\": {";
    comma = "";
    for (const SecurityLine& line : lines) {
        out << comma << '"' << line.name << "\": " << decimal(line.bits);
        comma = ", ";
    }
    out << "}}";
}

std::string inner_costs(const WhirParameters& p) {
    const WhirCost cost = whir_cost(p);
    return "\"proof_bytes\": " + std::to_string(cost.proof_bytes) +
           ", \"verifier_permutations\": " + std::to_string(cost.verifier_permutations) +
           ", \"prover_permutations\": " + std::to_string(cost.prover_permutations);
}

/// Of the opening, for the lanes that the generator takes the stack to have.
std::string terminal_costs(const WhirParameters& p) {
    const TerminalOptions options;
    EvmCost cost = evm_final_cost(p.log_final, p.rounds.back().num_queries);
    std::string caps;
    for (std::size_t i = 0; i < p.rounds.size(); ++i) {
        const WhirRound& r = p.rounds[i];
        cost = cost + evm_round_cost(p, i, options.witness_lanes, options.preprocessed_lanes);
        caps += (i > 0 ? ", " : "") + std::to_string(KeccakPolicy::log_cap(r.num_queries));
    }
    return "\"lanes\": [" + std::to_string(options.witness_lanes) + ", " + std::to_string(options.preprocessed_lanes) +
           "], \"caps\": [" + caps + "], \"proof_bytes\": " + std::to_string(cost.bytes);
}

/// The tables that tests/security/soundness_reference.py recomputes: one object per line.
std::string table() {
    std::ostringstream out;
    out << "{\"generator\": \"QUARRY_PIN_SECURITY=1 proof_test --gtest_filter=Security.*\",\n \"tables\": [\n"
        << "  {\"circuit\": ";
    write_circuit(out, {}, "poseidon");
    out << ", \"entries\": [";
    const char* separator = "\n    ";
    for (const Profile& profile : kProfiles) {
        for (unsigned n = 16; n <= 28; ++n) {
            const WhirParameters p = generate(profile, n);
            out << separator;
            const SecurityTarget target{profile.target.bits, max_grinding_bits(n, profile.target)};
            write_entry(out, target, p, inner_costs(p), analyse(p));
            separator = ",\n    ";
        }
    }
    for (unsigned n = 16; n <= kLastWrapSize; ++n) {
        const WhirParameters p = generate_parameters(kWrapProtocol, n, 100);
        out << separator;
        const SecurityTarget target{kWrapTarget.bits, std::min(kWrapTarget.max_grinding_bits, n)};
        write_entry(out, target, p, inner_costs(p), analyse(p));
    }
    out << "\n  ]},\n  {\"circuit\": ";
    write_circuit(out, kTerminalBounds, "keccak");
    out << ", \"entries\": [";
    separator = "\n    ";
    for (unsigned n = kFirstTerminalSize; n <= kLastTerminalSize; ++n) {
        const WhirParameters p = generate_parameters(kTerminalProtocol, n, 100);
        out << separator;
        write_entry(out, TerminalOptions{}.target, p, terminal_costs(p),
                    analyse(p, kTerminalBounds, ProofHash::keccak));
        separator = ",\n    ";
    }
    out << "\n  ]}\n]}\n";
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
                EXPECT_LE(r.grinding_bits, max_grinding_bits(n, profile.target));
                log_size = r.log_message;
            }
            EXPECT_EQ(log_size, p.log_final);
        }
    }
}

// What the terminal circuit verifies: as secure as any node's proof, with a fifth of the queries.
TEST(Security, EveryWrapReachesItsTarget) {
    for (unsigned n = 16; n <= kLastWrapSize; ++n) {
        const WhirParameters p = generate_parameters(kWrapProtocol, n, 100);
        EXPECT_GE(minimum_bits(analyse(p)), 100) << n;
        EXPECT_EQ(p.rounds[0].log_lanes, kWrapProtocol.log_stack_lanes);
        EXPECT_EQ(p.rounds[0].log_inv_rate, 5U);
        EXPECT_LE(p.log_final, 6U);
        EXPECT_LE(5 * p.rounds[0].num_queries, generate_parameters(Protocol{}, n, 100).rounds[0].num_queries) << n;
        for (std::size_t i = 0; i < p.rounds.size(); ++i) {
            WhirParameters worse = p;
            --worse.rounds[i].num_queries;
            EXPECT_LT(minimum_bits(analyse(worse)), 100) << n << ' ' << i;
        }
    }
    EXPECT_FALSE(find_parameters(kWrapProtocol, kLastWrapSize + 1, 100));
}

TEST(Security, EveryTerminalReachesItsTarget) {
    for (unsigned n = kFirstTerminalSize; n <= kLastTerminalSize; ++n) {
        const WhirParameters p = generate_parameters(kTerminalProtocol, n, 100);
        const auto bits = [](const WhirParameters& q) {
            return minimum_bits(analyse(q, kTerminalBounds, ProofHash::keccak));
        };
        EXPECT_GE(bits(p), 100) << n;
        EXPECT_EQ(p.rounds[0].log_lanes, kTerminalProtocol.log_stack_lanes);
        EXPECT_LE(p.rounds[0].log_inv_rate, 9U);
        unsigned log_size = p.log_size;
        for (std::size_t i = 0; i < p.rounds.size(); ++i) {
            const WhirRound& r = p.rounds[i];
            EXPECT_EQ(r.log_lanes + r.log_message, log_size);
            EXPECT_LE(r.log_message + r.log_inv_rate, 24U);
            EXPECT_LE(r.grinding_bits, 22U);
            log_size = r.log_message;
            WhirParameters worse = p;
            --worse.rounds[i].num_queries;
            EXPECT_LT(bits(worse), 100) << n << ' ' << i;
            worse = p;
            if (r.grinding_bits == 0) continue;
            --worse.rounds[i].grinding_bits;
            EXPECT_LT(bits(worse), 100) << n << ' ' << i;
        }
        EXPECT_EQ(log_size, p.log_final);
    }
}

// What is not sent has no line; what is batched by eq has one of degree 1 for every challenge.
TEST(Security, LinesFollowTheProtocol) {
    const auto line = [](const std::vector<SecurityLine>& lines, const std::string& name) {
        const auto it = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.name == name; });
        return it == lines.end() ? SecurityLine{} : *it;
    };
    const WhirParameters p = generate_parameters(kTerminalProtocol, 22, 100);
    const auto inner = analyse(p);
    const auto terminal = analyse(p, kTerminalBounds, ProofHash::keccak);
    EXPECT_EQ(line(inner, "constraints.skip").count, 1U);
    EXPECT_EQ(line(terminal, "constraints.skip").count, 0U);
    EXPECT_EQ(line(inner, "constraints.round").count + 5, line(terminal, "constraints.round").count);
    EXPECT_EQ(line(inner, "openings.batch").count, 1U);
    EXPECT_EQ(line(terminal, "openings.batch").count, kTerminalBounds.batching_variables);
    EXPECT_EQ(line(terminal, "openings.batch").bits, line(terminal, "gkr.merge").bits);
    EXPECT_EQ(line(terminal, "hash.collision").bits, 128);
    EXPECT_EQ(line(inner, "hash.collision").bits, 123.95);
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
}  // namespace quarry::security_test
