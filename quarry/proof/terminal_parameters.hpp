#pragma once
#include <cstddef>
#include <optional>

#include "quarry/proof/evm_cost.hpp"
#include "quarry/proof/security.hpp"

/// WHIR parameters of the proof that a contract verifies: generated, as those of quarry/proof/security.hpp, but for the
/// least gas. docs/decisions/0010.
namespace quarry {

/// Bounds on a terminal circuit: as on every circuit, with the terminal's protocol.
inline constexpr CircuitBounds kTerminalBounds{.log_skip = 0, .batching_variables = 24};

/// What the generator may choose from, and for what circuit. The choice must depend on nothing but a proof's size and
/// level, so that prover and contract agree: `rest` and the lanes are those of a typical terminal circuit
/// (tests/adversary/terminal_test.cpp).
struct TerminalOptions {
    SecurityTarget target{100, 22};
    unsigned log_lanes = 7;                         ///< of the first oracle
    unsigned max_log_inv_rate = 9;                  ///< of the first oracle
    unsigned max_log_lanes_later = 6;               ///< of the others, which all have as many
    unsigned max_log_final = 8;                     ///< the last vector is sent when it has at most this many variables
    std::size_t max_rounds = 3;                     ///< a fourth saves nothing
    std::size_t max_bytes = std::size_t{80} << 10;  ///< of a whole proof
    double max_seconds = 12;                        ///< evm_proving_seconds
    std::size_t witness_lanes = 76;
    std::size_t preprocessed_lanes = 29;
    EvmCost rest{2'435'800, 21'540};  ///< everything but the opening
};

/// The parameters of least evm_transaction_gas within max_bytes and max_seconds; if none has so few bytes, of least gas
/// within max_seconds. nullopt if none reaches the target in time. Deterministic: the same on every compiler.
/// Precondition: log_lanes + 9 <= log_size <= 28.
[[nodiscard]] std::optional<WhirParameters> find_terminal_parameters(unsigned log_size,
                                                                     const TerminalOptions& options = {});

}  // namespace quarry
