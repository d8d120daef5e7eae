#pragma once
#include <cstdint>
#include <optional>

#include "quarry/iop/whir_parameters.hpp"
#include "quarry/iop/zerocheck.hpp"

namespace quarry {

inline constexpr std::uint32_t kProtocolVersion = 1;

/// How the claims on columns become one: claim k weighs the k-th power of one challenge; or the claim on chunk s of
/// group g, a group being the columns or the next-row columns of one height, weighs eq(delta, s) eq(delta', g). The
/// latter is a multilinear extension, which folds in about one multiplication a claim.
enum class ClaimBatching { powers, eq };

/// Who chooses WHIR's parameters: the generator for proofs that a circuit verifies (quarry/proof/security.hpp), at the
/// highest rate or, for the one proof that the terminal circuit verifies, at a low one; or the generator for proofs
/// that a contract verifies (quarry/proof/terminal_parameters.hpp).
enum class ParameterSet { inner, wrap, terminal };

/// What a protocol may choose. docs/spec/proof-system.md describes the default; its section 10 the other choices. The
/// verifier decides: a proof carries none of it, but its transcript starts from version().
struct Protocol {
    RowRounds row_rounds = RowRounds::skip;
    ClaimBatching batching = ClaimBatching::powers;
    unsigned log_stack_lanes = 7;  ///< the first oracle's, which the layout of the stack depends on
    ParameterSet parameters = ParameterSet::inner;

    /// The element that stands for the protocol at the start of a transcript: 1 for the default, another one for every
    /// other choice. (The number of lanes is among WHIR's parameters, which follow.)
    [[nodiscard]] constexpr std::uint32_t version() const noexcept {
        return kProtocolVersion + (row_rounds == RowRounds::plain ? 2U : 0U) +
               (batching == ClaimBatching::eq ? 4U : 0U);
    }
    friend bool operator==(const Protocol&, const Protocol&) = default;
};

/// The protocol of the proof that the terminal circuit verifies: a contract pays for every row of that circuit, and a
/// low rate has few queries. docs/spec/recursion.md, section 5.
inline constexpr Protocol kWrapProtocol{RowRounds::skip, ClaimBatching::powers, 7, ParameterSet::wrap};

/// The protocol of the proof that a contract verifies. docs/decisions/0010.
inline constexpr Protocol kTerminalProtocol{RowRounds::plain, ClaimBatching::eq, 7, ParameterSet::terminal};

/// WHIR's parameters for a stack of 2^log_size cells; nullopt where no choice reaches the level. Preconditions:
/// kMinLogStack <= log_size <= kMaxLogStack; security_bits is one of kSecurityLevels.
std::optional<WhirParameters> find_parameters(const Protocol& protocol, unsigned log_size, unsigned security_bits);
/// find_parameters; having none is our own bug (checked).
WhirParameters generate_parameters(const Protocol& protocol, unsigned log_size, unsigned security_bits);

}  // namespace quarry
