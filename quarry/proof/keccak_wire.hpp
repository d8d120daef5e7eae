#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/proof/proof.hpp"

/// The byte form of a proof over Keccak-256: what a contract reads as calldata. docs/spec/terminal-proof.md.
///
///   the stream        all messages in order
///   per oracle        its cap, unless it is the preprocessed part, whose cap the verifier knows; then for each query,
///   in
///                     the order of the positions drawn, repeated ones too: the row, the siblings from the leaf up to
///                     the cap
///
/// An element is four bytes, canonical, big-endian. No header and no counts: circuit, heights and parameters fix the
/// length.
namespace quarry {

/// What stands for the circuit, its key and every size in a proof over Keccak, and the shape of its statement (the bus,
/// multiplicity and length of each tuple): constant for a contract. Precondition: a key iff the circuit has
/// preprocessed columns.
Bytes32 keccak_key_digest(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                          unsigned security_bits, const Statement& statement, const KeccakVerifyingKey* key = nullptr,
                          const Protocol& protocol = {});

/// The exact number of bytes. Precondition: make_stack_layout succeeds, of the parameters' size.
std::size_t keccak_proof_size(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                              const Protocol& protocol = {});

/// Precondition: `proof` is of this circuit, made by prove() or decode_keccak_proof().
std::vector<std::uint8_t> encode_keccak_proof(const Circuit& circuit, const KeccakProof& proof);

/// Total on any input; whether the proof holds is verify()'s matter, which also refuses what is not canonical in the
/// stream. wrong_key (level, key), bad_shape and limit_exceeded (heights), bad_length (not exactly keccak_proof_size),
/// non_canonical (an element of a row). Precondition: a key iff the circuit has preprocessed columns.
Result<KeccakProof> decode_keccak_proof(const Circuit& circuit, const Heights& heights,
                                        std::span<const std::uint8_t> bytes, unsigned security_bits = 100,
                                        const KeccakVerifyingKey* key = nullptr, const Protocol& protocol = {});

}  // namespace quarry
