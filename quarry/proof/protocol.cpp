#include "quarry/proof/protocol.hpp"

#include "quarry/base/check.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/security.hpp"
#include "quarry/proof/terminal_parameters.hpp"

namespace quarry {

std::optional<WhirParameters> find_parameters(const Protocol& protocol, unsigned log_size, unsigned security_bits) {
    if (protocol.parameters == ParameterSet::terminal) {
        TerminalOptions options;
        options.target.bits = security_bits;
        options.log_lanes = protocol.log_stack_lanes;
        return find_terminal_parameters(log_size, options);
    }
    WhirOptions options;
    options.log_lanes = protocol.log_stack_lanes;
    return find_whir_parameters(log_size, security_target(security_bits), options);
}

WhirParameters generate_parameters(const Protocol& protocol, unsigned log_size, unsigned security_bits) {
    const auto parameters = find_parameters(protocol, log_size, security_bits);
    QUARRY_CHECK(parameters.has_value());
    return *parameters;
}

}  // namespace quarry
