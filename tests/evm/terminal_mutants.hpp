#pragma once
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

/// The first four bytes of the Keccak-256 of `Name()`.
std::uint32_t selector_of(const std::string& error);
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
