#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "quarry/iop/whir_parameters.hpp"
#include "quarry/proof/circuit.hpp"
#include "quarry/proof/evm_units.hpp"
#include "quarry/proof/protocol.hpp"

/// What a proof costs to verify in a contract, before there is one: counted operations of the verifier's text (with
/// Keccak-256) times the measured gas of each. tools/evm_gas_model.py counts the same independently.
namespace quarry {

struct EvmCost {
    double gas = 0;         ///< of execution, without calldata
    std::size_t bytes = 0;  ///< of calldata
    friend EvmCost operator+(const EvmCost& a, const EvmCost& b) { return {a.gas + b.gas, a.bytes + b.bytes}; }
};

/// Loops and moves between the parts: a whole round of queries was measured at 1.07 of the sum of its parts.
inline constexpr double kEvmGlue = 1.10;

/// Gas of a transaction with this execution and calldata, none of its bytes zero: 21,000 and 16 a byte beside the
/// execution, at least 40 a byte in all. [EIP-7623]
double evm_transaction_gas(const EvmCost& cost);

/// What one table asks of the verifier.
struct EvmTable {
    std::string name;
    unsigned log_rows = 0;
    std::size_t columns = 0;       ///< of the witness
    std::size_t next_columns = 0;  ///< that are claimed
    std::size_t preprocessed = 0;
    std::size_t interactions = 0;
    std::size_t tuple_values = 0;  ///< of all interactions
    std::size_t products = 0;      ///< of two elements of E
    std::size_t small_forms = 0;   ///< sums of terms whose coefficients are all small
    std::size_t small_terms = 0;   ///< terms with a coefficient below 2^15 in absolute value, and constants
    std::size_t large_terms = 0;   ///< terms with any other coefficient
    std::size_t constraints = 0;
    unsigned degree = 1;
};
/// A form of one term with coefficient 1 or -1 costs nothing: its reader takes it as it is.
EvmTable count_table(const Table& table, unsigned log_rows);

/// A circuit as the contract sees it.
struct EvmCircuit {
    std::vector<EvmTable> tables;
    std::size_t witness_lanes = 0, preprocessed_lanes = 0;
    std::size_t chunk_runs = 0;     ///< runs of neighbouring chunks that are claimed, over all heights
    std::size_t public_tuples = 0;  ///< of the statement and of the circuit's constants
    std::size_t public_values = 0;  ///< in one of them: an address and W limbs of 16 bits, say
};
/// Precondition: make_stack_layout succeeds.
EvmCircuit count_circuit(const Circuit& circuit, const Heights& heights, const Protocol& protocol,
                         std::size_t public_tuples, std::size_t public_values);

struct EvmPart {
    std::string name;
    EvmCost cost;
};
EvmCost sum(const std::vector<EvmPart>& parts);

/// Levels of a preprocessed tree whose nodes are in the contract's code.
inline constexpr unsigned kEvmKeptLevels = 9;

/// Paths of one tree that end at a cap, whose 2^log_cap nodes the proof brings unless it is the root.
EvmCost evm_paths_cost(std::size_t num_queries, unsigned depth, unsigned log_cap);
/// One round of WHIR, round `i` of `parameters`; lanes of the two trees count in the first one only.
EvmCost evm_round_cost(const WhirParameters& parameters, std::size_t i, std::size_t witness_lanes,
                       std::size_t preprocessed_lanes);
/// The last vector, its sumcheck and the last round's queries against it.
EvmCost evm_final_cost(unsigned log_final, std::size_t num_queries);

/// Everything but the opening.
std::vector<EvmPart> evm_parts_before_opening(const EvmCircuit& circuit, const Protocol& protocol);
/// Everything, in the order of the protocol.
std::vector<EvmPart> evm_parts(const EvmCircuit& circuit, const Protocol& protocol, const WhirParameters& parameters);

/// Seconds of two threads for what low rates make heavy: encoding, hashing and work (expected).
double evm_proving_seconds(const WhirParameters& parameters, std::size_t lanes);

}  // namespace quarry
