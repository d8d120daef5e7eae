#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/iop/whir_parameters.hpp"

/// Provable security: bits of every message of the protocol, and the WHIR parameters that reach a target.
/// The argument behind each formula, and what it relies on: docs/soundness.md. An independent calculation:
/// tests/security/soundness_reference.py; both are pinned by tests/security/expected.json.
namespace quarry {

/// Every statistical message error must be at most 2^-bits, the work of at most max_grinding_bits counted for the
/// message that it precedes.
struct SecurityTarget {
    unsigned bits = 100;
    unsigned max_grinding_bits = 16;  ///< at most 24: p = 127 2^24 + 1
};

/// Upper bounds on a circuit, as far as soundness depends on them. The defaults bound every circuit that Quarry proves.
struct CircuitBounds {
    unsigned log_fractions = 26;               ///< variables of LogUp-GKR's leaf layer
    unsigned tuple_length = 64;                ///< values in the longest bus tuple, without the bus id
    unsigned log_max_height = 24;              ///< rows of the tallest table
    unsigned log_skip = 5;                     ///< variables of the univariate skip; 0 without one
    unsigned constraint_degree = 9;            ///< in the columns, the eq factor not counted
    std::uint64_t num_constraints = 1u << 16;  ///< of all tables
    std::uint64_t num_openings = 1u << 16;     ///< claims batched into the opening: columns and next-row columns
    unsigned batching_variables = 0;           ///< if not 0, by eq over as many challenges; else by powers of one
    friend bool operator==(const CircuitBounds&, const CircuitBounds&) = default;
};

/// What trees and transcript are made of.
///   poseidon   challenges are field elements; a position is the low bits of one
///   keccak     positions and the ground word are uniform; a coefficient of a challenge is 51 bits mod p
enum class ProofHash { poseidon, keccak };

/// LogUp counts modulo p: with 2^log_fractions fractions of multiplicity -1, 0 or 1 beside the looked-up table's own,
/// no non-zero count may vanish mod p. True if 2^log_fractions < p.
[[nodiscard]] bool multiplicities_cannot_wrap(const CircuitBounds& bounds) noexcept;

/// What a generator may choose from.
struct WhirOptions {
    unsigned log_lanes = 7;                    ///< of the first oracle; never more than log_size - 9
    unsigned log_inv_rate = 1;                 ///< of the first oracle
    unsigned log_lanes_later = 5;              ///< of every later oracle but the last, which may have fewer
    unsigned max_log_final = 9;                ///< the last vector is sent when it has at most this many variables
    std::size_t max_proof_bytes = 256 * 1024;  ///< for the opening; out of reach: the smallest is taken
    std::uint64_t verifier_weight = 50;        ///< permutations that the prover computes to save one to be verified
    /// At most 2^(log_size - this) trials for a message, so that the work of small proofs is small too: at 2^23 cells a
    /// trial less is worth more than the queries that it saves.
    unsigned log_cells_per_trial = 10;
    CircuitBounds bounds{};  ///< the messages before WHIR are charged the first oracle's list
};

/// The most work that a proof of this size asks for before a message.
[[nodiscard]] unsigned max_grinding_bits(unsigned log_size, const SecurityTarget& target,
                                         const WhirOptions& options = {}) noexcept;

/// Parameters for 2^log_size elements. Of all rates and round counts that reach the target within max_proof_bytes, the
/// one of least prover_permutations + verifier_weight verifier_permutations (a parent proves a permutation for about 50
/// computed ones). nullopt if no choice reaches the target. Deterministic: the same on every compiler. Precondition: 16
/// <= log_size <= 28.
[[nodiscard]] std::optional<WhirParameters> find_whir_parameters(unsigned log_size, const SecurityTarget& target,
                                                                 const WhirOptions& options = {});

/// The fewest queries of one oracle that reach the target at full grinding, and the least grinding for that number: a
/// round with lanes of 2^log_message of 2^log_size elements. nullopt if none does. `bounds`: of the messages before the
/// first oracle, not used for later ones.
[[nodiscard]] std::optional<WhirRound> plan_whir_round(unsigned log_size, unsigned log_message, unsigned log_inv_rate,
                                                       bool first, const SecurityTarget& target,
                                                       const CircuitBounds& bounds, ProofHash hash);

/// find_whir_parameters; having none is our own bug (the sizes and targets of expected.json are always reached).
[[nodiscard]] WhirParameters generate_whir_parameters(unsigned log_size, const SecurityTarget& target,
                                                      const WhirOptions& options = {});

/// Worst cases over the queried positions.
struct WhirCost {
    std::uint64_t prover_permutations;    ///< Merkle trees of the rounds >= 1; the first tree is the caller's matter
    std::uint64_t verifier_permutations;  ///< opened rows and pruned paths of every round
    std::size_t proof_bytes;              ///< the whole opening: roots, sumchecks, nonces, rows, paths, last vector
};
[[nodiscard]] WhirCost whir_cost(const WhirParameters& parameters);

/// One kind of verifier message.
struct SecurityLine {
    enum class Basis {
        statistical,  ///< follows from the theorem named in relies_on
        assumption,   ///< the hash function behaves as a random one
    };
    std::string name;       ///< e.g. "whir.0.fold"
    double bits;            ///< -log2 of one message's error, grinding included, rounded down to 0.01
    unsigned count;         ///< messages of this kind in one proof
    unsigned multiplicity;  ///< the proximity parameter behind the bits of an oracle's messages, else 0
    Basis basis;
    std::string relies_on;
};

/// Every message in protocol order. The proximity parameter of each oracle is no protocol parameter: the one that makes
/// the least of the oracle's bits largest is taken.
[[nodiscard]] std::vector<SecurityLine> analyse(const WhirParameters& parameters, const CircuitBounds& bounds = {},
                                                ProofHash hash = ProofHash::poseidon);

/// Round-by-round level: the least bits of one message. This is the level of the proof under Fiat-Shamir.
[[nodiscard]] double minimum_bits(std::span<const SecurityLine> lines,
                                  SecurityLine::Basis basis = SecurityLine::Basis::statistical);

/// Bits of the sum of all statistical errors: the interactive protocol's level, for information.
[[nodiscard]] double interactive_bits(std::span<const SecurityLine> lines);

}  // namespace quarry
