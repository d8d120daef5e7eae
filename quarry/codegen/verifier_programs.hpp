#pragma once
#include <cstddef>
#include <vector>

#include "quarry/codegen/assembler.hpp"
#include "quarry/proof/circuit.hpp"

namespace quarry::codegen {

/// What the verifier of a circuit's terminal proofs computes between messages, as programs of the machine, traced from
/// the verifier's text. Arrays of inputs lie in the order given, a word each:
struct VerifierPrograms {
    unsigned log_fractions = 0;  ///< m, variables of LogUp-GKR's leaves
    unsigned log_rows = 0;       ///< H, variables of the tallest table
    unsigned log_size = 0;       ///< n, variables of the stack
    unsigned degree = 0;         ///< of the constraints
    std::size_t num_values = 0;  ///< of columns and next-row columns
    std::size_t num_deltas = 0;  ///< challenges that batch the claims

    Slot rho = 0;  ///< m: word k is of variable gkr_variable(m, m - 1 - k), so in the order in which they appear
    Slot fraction =
        0;       ///< beta, alpha, then the claims: numerator, denominator; then the challenge that batches constraints
    Slot z = 0;  ///< H: the row variables' challenges
    Slot values = 0;  ///< claimed values, in the order of the message
    Slot deltas = 0;
    Slot point = 0;  ///< n: WHIR's point

    /// Stages: the sum that the zerocheck shows; its summand at the values; the sum of the batched claims; what the
    /// groups weigh at the point. One result each.
    Assembled programs;
};

/// Precondition: make_stack_layout succeeds in the terminal's protocol; the circuit has interactions.
VerifierPrograms trace_verifier(const Circuit& circuit, const Heights& heights);

}  // namespace quarry::codegen
