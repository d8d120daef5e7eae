// The kept terminal proofs and their mutants, which contracts/test/Terminal.t.sol has the contracts judge, judged
// natively.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "quarry/node/node_proof.hpp"
#include "quarry/proof/evm_cost.hpp"
#include "tests/evm/terminal_mutants.hpp"

namespace quarry::evm::terminal_contracts_test {
namespace {

const std::string kSource = QUARRY_SOURCE_DIR;
constexpr const char* kRemedy =
    "circuits, keys or parameters changed: tests/evm/make_terminal_vectors.sh makes proofs and mutants again";

std::map<unsigned, Verifier>& verifiers() {
    static std::map<unsigned, Verifier> all = [] {
        std::map<unsigned, Verifier> r;
        const auto wrap = std::make_shared<const recursion::Wrap>(*node::find_catalog());
        for (const unsigned log_profile : {0U, 2U, 4U}) {
            r.try_emplace(1U << log_profile, wrap, log_profile, kSource);
        }
        return r;
    }();
    return all;
}

TEST(TerminalContracts, KeptProofsHoldSlow) {
    for (const auto& [profile, verifier] : verifiers()) {
        const Fixture kept = read_fixture(kSource, profile);
        EXPECT_TRUE(verifier.verify(kept.limbs, kept.proof).ok()) << profile << ": " << kRemedy;
    }
}

/// For the reason that the contract has.
TEST(TerminalContracts, MutantsAreRefusedSlow) {
    const std::vector<Mutant> mutants = decode(read_bytes(mutants_path(kSource)));
    EXPECT_GE(mutants.size(), 1000U);
    std::map<unsigned, Fixture> bases;
    for (const auto& [profile, verifier] : verifiers()) bases.emplace(profile, read_fixture(kSource, profile));
    for (std::size_t i = 0; i < mutants.size(); ++i) {
        const Fixture changed = apply(bases.at(mutants[i].profile), mutants[i]);
        const Status status = verifiers().at(mutants[i].profile).verify(changed.limbs, changed.proof);
        ASSERT_FALSE(status.ok()) << i;
        EXPECT_STREQ(errc_name(status.error().code), errc_name(native_code(mutants[i].selector))) << i;
    }
}

/// Of a profile's verifier, as contracts/test/Terminal.t.sol compares it.
double kept_gas(unsigned profile) {
    const ByteString bytes = read_bytes(kSource + "/contracts/test/vectors/terminal-gas.json");
    const std::string json(bytes.begin(), bytes.end());
    const std::string key = "\"" + std::to_string(profile) + "\":";
    const std::size_t at = json.find(key);
    EXPECT_NE(at, std::string::npos);
    return std::stod(json.substr(at + key.size()));
}

// A transaction with the whole proof: the bar, and what was foreseen.
TEST(TerminalContracts, GasIsWhatTheModelSaysSlow) {
    for (const auto& [profile, verifier] : verifiers()) {
        const Fixture kept = read_fixture(kSource, profile);
        const double gas = 21'000 + 16.0 * static_cast<double>(kept.proof.size()) + kept_gas(profile);
        EXPECT_LE(gas, 8e6) << profile;
        if (profile != 16) continue;
        const auto& terminal = verifier.terminal();
        const auto tuples = recursion::terminal_statement(unpack_limbs(kept.limbs)).tuples;
        const EvmCircuit circuit = count_circuit(terminal.circuit(), recursion::heights_of(terminal.shape_heights()),
                                                 kTerminalProtocol, tuples.size(), tuples.front().tuple.size());
        const auto parameters =
            generate_parameters(kTerminalProtocol, verifier.key().log_size, terminal.security_bits());
        const double model = evm_transaction_gas(sum(evm_parts(circuit, kTerminalProtocol, parameters)));
        EXPECT_NEAR(gas, model, 0.15 * model);
        std::cout << gas << " gas, the model says " << model << '\n';
    }
}

// Every reason that a contract has to refuse a proof is that of a mutant.
TEST(TerminalContracts, MutantsReachEveryError) {
    std::set<std::uint32_t> seen;
    for (const Mutant& m : decode(read_bytes(mutants_path(kSource)))) seen.insert(m.selector);
    for (const Reason& reason : kReasons) EXPECT_TRUE(seen.erase(selector_of(reason.error)) == 1) << reason.error;
    EXPECT_TRUE(seen.empty());
}

TEST(TerminalContracts, DifferencesAreWhatChanged) {
    const Fixture base{{1, 2, 3, 4}, ByteString(100)};
    Fixture changed{{1, 2, 7}, ByteString(130)};
    changed.proof[0] = changed.proof[50] = changed.proof[53] = changed.proof[129] = 9;
    const Mutant m = difference(4, "PathMismatch", base, changed);
    EXPECT_EQ(m.edits.size(), 4U);
    const auto again = decode(encode({m, m}));
    ASSERT_EQ(again.size(), 2U);
    const Fixture applied = apply(base, again[1]);
    EXPECT_EQ(applied.limbs, changed.limbs);
    EXPECT_EQ(applied.proof, changed.proof);
}

}  // namespace
}  // namespace quarry::evm::terminal_contracts_test
