#pragma once
#include <boost/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "quarry/proof/evm_cost.hpp"
#include "quarry/recursion/terminal.hpp"

namespace quarry::apps {

/// What a terminal proof is and what it is predicted to cost on Ethereum.
struct TerminalFigures {
    std::size_t proof_bytes = 0;
    double predicted_gas = 0;  ///< of a transaction that brings the proof and nothing else
    double execution_gas = 0;  ///< of that, without calldata
    std::size_t predicted_bytes = 0;
    double provable_bits = 0;
    std::size_t cells = 0;  ///< of all columns
    unsigned log_size = 0;  ///< of the stack
    WhirParameters parameters;
    std::vector<EvmPart> parts;
};
TerminalFigures terminal_figures(const recursion::Terminal& terminal, std::span<const KoalaBear> limbs,
                                 std::size_t proof_bytes);
boost::json::object to_json(const TerminalFigures& figures);
std::string to_text(const TerminalFigures& figures);

}  // namespace quarry::apps
