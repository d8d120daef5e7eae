#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/evm/terminal_fixture.hpp"

/// Terminal proofs that are wrong, as differences from a kept one: contracts/test/vectors/terminal-mutants.bin.
///
///   file      number of mutants (4); of each: profile (1), what the contract says (4: the error's selector), the
///   lengths of
///             limbs and of the proof (4 each), number of edits (2); of each edit: 0 limbs or 1 proof (1), place (4),
///             length (2), bytes
/// Integers are big-endian. An edit lies within the mutant's length; what is longer than the base is zeros.
namespace quarry::evm {

struct Edit {
    bool in_proof = true;
    std::size_t place = 0;
    ByteString bytes;
};

struct Mutant {
    unsigned profile = 0;
    std::uint32_t selector = 0;
    std::size_t limbs_size = 0, proof_size = 0;
    std::vector<Edit> edits;
};

/// Why a contract refuses a proof, and what the native verifier calls it.
struct Reason {
    const char* error;
    Errc code;
};
inline constexpr std::array<Reason, 13> kReasons{{
    {"WrongLimbsLength", Errc::bad_length},
    {"WrongProofLength", Errc::bad_length},
    {"NonCanonicalDigest", Errc::non_canonical},
    {"NonCanonicalElement", Errc::non_canonical},
    {"ZeroDenominator", Errc::zero_denominator},
    {"BusImbalance", Errc::bus_imbalance},
    {"LayerMismatch", Errc::gkr_mismatch},
    {"ConstraintMismatch", Errc::constraint_mismatch},
    {"WorkMissing", Errc::bad_grinding},
    {"CapMismatch", Errc::merkle_mismatch},
    {"PathMismatch", Errc::merkle_mismatch},
    {"QueryMismatch", Errc::query_mismatch},
    {"ClaimMismatch", Errc::final_mismatch},
}};

/// The first four bytes of the Keccak-256 of `Name()`.
std::uint32_t selector_of(const std::string& error);
/// What the native verifier says where the contract reverts with this selector. Throws std::runtime_error if it has
/// none.
Errc native_code(std::uint32_t selector);
Fixture apply(const Fixture& base, const Mutant& mutant);
/// The mutant that makes `changed` of `base`.
Mutant difference(unsigned profile, const std::string& error, const Fixture& base, const Fixture& changed);

std::string mutants_path(const std::string& source_folder);
ByteString encode(const std::vector<Mutant>& mutants);
/// Throws std::runtime_error.
std::vector<Mutant> decode(const ByteString& bytes);

/// Mutants of one base: of every message, row, path and length, elements that are not canonical, digests that are not,
/// lies that the next check believes, and work that was done again. Deterministic.
std::vector<Mutant> make_mutants(const Verifier& verifier, const Fixture& base);

}  // namespace quarry::evm
