#include "quarry/proof/protocol.hpp"

#include "quarry/base/check.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/security.hpp"
#include "quarry/proof/terminal_parameters.hpp"

namespace quarry {
namespace {

// What keeps the terminal circuit's hashes within 2^12 rows, at least of the prover's work: 33 queries of the first
// oracle, where half the rate would save five and double its code. Later oracles are small, and their queries dear.
constexpr unsigned kWrapLogInvRate = 5;
constexpr unsigned kWrapGrindingBits = 20;
constexpr std::uint64_t kWrapVerifierWeight = 40'000;
// The terminal circuit evaluates the last vector by sums, one for each of its coefficients and queries.
constexpr unsigned kWrapMaxLogFinal = 6;

}  // namespace

std::optional<WhirParameters> find_parameters(const Protocol& protocol, unsigned log_size, unsigned security_bits) {
    if (protocol.parameters == ParameterSet::terminal) {
        TerminalOptions options;
        options.target.bits = security_bits;
        options.log_lanes = protocol.log_stack_lanes;
        return find_terminal_parameters(log_size, options);
    }
    SecurityTarget target = security_target(security_bits);
    WhirOptions options;
    options.log_lanes = protocol.log_stack_lanes;
    if (protocol.parameters == ParameterSet::wrap) {
        target.max_grinding_bits = kWrapGrindingBits;
        options.log_cells_per_trial = 0;
        options.log_inv_rate = kWrapLogInvRate;
        options.max_log_final = kWrapMaxLogFinal;
        options.verifier_weight = kWrapVerifierWeight;
    }
    return find_whir_parameters(log_size, target, options);
}

WhirParameters generate_parameters(const Protocol& protocol, unsigned log_size, unsigned security_bits) {
    const auto parameters = find_parameters(protocol, log_size, security_bits);
    QUARRY_CHECK(parameters.has_value());
    return *parameters;
}

}  // namespace quarry
