#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/proof/proof.hpp"

/// The byte form of a proof, version 2. All integers little-endian; a field element is its canonical value in four
/// bytes.
///
///   "QRYP"                     magic
///   u16 version
///   u16 log cap                2^this nodes of the preprocessed tree are known to whom the proof is for (KeyCap): its
///                              siblings end below them. 0: the root alone is known, or there is no such tree
///   8 elements                 digest of the circuit
///   8 elements                 digest of what the transcript starts from: circuit, key, parameters, heights, statement
///   u8 security bits, u8 number of tables, u8 log height of each
///   the stream                 as many elements as circuit, heights and parameters fix
///   per oracle of WHIR         the opened rows by rising position, each position once; then the Merkle siblings that
///                              cannot be computed from them (MultiOpening). The stack is one oracle, or two: its
///                              preprocessed part first
///
/// Every count follows from what comes before it (positions from replaying the transcript), so that a proof has one
/// encoding for each cap. Which one a circuit's proofs are written for is fixed where their keys are: decoding under
/// another cap is wrong_key, as under another key.
namespace quarry {

inline constexpr std::uint16_t kProofFormatVersion = 2;

struct ProofHeader {
    unsigned version = 0;
    unsigned log_cap = 0;
    std::array<std::uint8_t, 32> key_digest{};
    std::array<std::uint8_t, 32> start_digest{};
    unsigned security_bits = 0;
    Heights heights;
};

/// Preconditions: `proof` is of this circuit, key and statement, made by prove() or decode_proof(); `cap` is of this
/// key, and not higher than its tree.
std::vector<std::uint8_t> encode_proof(const Circuit& circuit, const Proof& proof, const Statement& statement = {},
                                       const VerifyingKey* key = nullptr, const KeyCap* cap = nullptr);

/// Total on any input, a cap that is not the key's included. bad_magic, unsupported_version, wrong_key, bad_shape,
/// limit_exceeded, statement_mismatch, truncated, trailing_bytes, non_canonical, merkle_mismatch (the openings are
/// expanded, so their paths are checked here). The paths of the decoded proof are whole, cap or not.
Result<Proof> decode_proof(const Circuit& circuit, std::span<const std::uint8_t> bytes, const Statement& statement = {},
                           const VerifyingKey* key = nullptr, const KeyCap* cap = nullptr);

/// decode_proof and then verify of proof.hpp, in one pass: the same verdict for less than half the work, since the
/// transcript is followed once and opened rows are hashed together. Total on any input.
Status verify_encoded(const Circuit& circuit, std::span<const std::uint8_t> bytes, const Statement& statement = {},
                      unsigned required_bits = 100, const VerifyingKey* key = nullptr, const KeyCap* cap = nullptr);

Result<ProofHeader> decode_header(std::span<const std::uint8_t> bytes);

}  // namespace quarry
