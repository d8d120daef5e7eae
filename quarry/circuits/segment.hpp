#pragma once
#include <array>
#include <span>
#include <vector>

#include "quarry/circuits/lookups.hpp"
#include "quarry/circuits/timeline.hpp"
#include "quarry/curve/schnorr.hpp"
#include "quarry/proof/proof.hpp"

/// The segment circuit as a whole: its tables, the witness of a run of operations, proving and verifying.
/// docs/spec/segment-circuit.md.
namespace quarry::circuits {

/// The tables by their place in the circuit.
enum class SegmentTable : std::size_t {
    hash,
    more_hash,
    range,
    word,
    effect,
    slot,
    merkle,
    more_merkle,
    register_file,
    fee,
    chain,
    signed_operation,
    new_pair,
    withdraw,
    change_key,
    publish,
    collect,
    deposit,
    forced,
    comb,
    schedule,
    signature,
    count,
};
inline constexpr auto kSegmentTables = static_cast<std::size_t>(SegmentTable::count);

/// Built on first use.
const Circuit& segment_circuit();

/// What a segment's proof is about, for prove and verify of proof.hpp.
Statement segment_public_input(const rollup::SegmentStatement& statement);

/// A signature of one of the batch's operations, which verifies (else the witness is one that nobody can prove).
struct OperationSignature {
    std::size_t step = 0;  ///< of the batch
    PublicKey<KB11> key;
    Digest message{};
    Signature<KB11> signature;
};

/// A witness before it is laid out: the rows of every table but the two of hashes, which follow from their inputs.
struct SegmentRows {
    std::vector<TableRows> tables;                  ///< by SegmentTable; the hash tables have no rows here
    std::vector<std::array<KoalaBear, 16>> hashes;  ///< inputs of every requested compression
    Heights heights;
};
/// `signatures`: at least those of the timeline's signed steps, by rising step. Parallel, deterministic. Tables are as
/// high as their rows need, and at least as high as `least` says, if it is given.
SegmentRows make_segment_rows(const Timeline& timeline, std::span<const OperationSignature> signatures,
                              const Heights* least = nullptr);
/// Whether rows that make_segment_rows gives the heights `needed` without a least fit into tables of these heights:
/// then it gives `heights` where they are the least.
bool heights_hold(const Heights& heights, const Heights& needed);
/// Lays the rows out and computes the hash tables. limit_exceeded: the segment is too large for one proof.
Result<Trace> make_segment_trace(const SegmentRows& rows);

/// prove() under the key that fits (segment_key.hpp), whatever options.key says.
Proof prove_segment_trace(const Trace& trace, const Statement& statement, ProveOptions options = {});
/// The byte form under the key that fits, for verifiers that know its cap (segment_key.hpp). Precondition: a proof of
/// this statement by prove_segment_trace or decode_segment_proof.
std::vector<std::uint8_t> encode_segment_proof(const Proof& proof, const Statement& statement);
/// Total on any input; errors as those of decode_proof (quarry/proof/wire.hpp). Does not verify.
Result<Proof> decode_segment_proof(std::span<const std::uint8_t> bytes, const Statement& statement);

/// Ok iff the proof shows the statement. Refuses before anything else a statement that no batch has
/// (statement_mismatch): no payee, counts beyond their limits (they would have aliases modulo p), units that are not
/// the words applied.
Status verify_segment(const rollup::SegmentStatement& statement, const Proof& proof, unsigned required_bits = 100);
/// The same from a proof's bytes, decoding included: what everyone who is handed a proof calls.
Status verify_segment(const rollup::SegmentStatement& statement, std::span<const std::uint8_t> proof,
                      unsigned required_bits = 100);

}  // namespace quarry::circuits
