#pragma once
#include <functional>
#include <span>
#include <vector>

#include "quarry/circuits/lookups.hpp"
#include "quarry/circuits/timeline.hpp"
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

/// The rows of every table but the two of hashes, whose inputs stand beside them: a witness before it is laid out.
struct SegmentRows {
    std::vector<TableRows> tables;                   ///< by SegmentTable; the hash tables have no rows here
    std::vector<std::array<KoalaBear, 16>> hashes;  ///< every requested compression's input
    Heights heights;
};
/// Seconds spent on a witness.
struct WitnessPhases {
    double rows = 0, lookups = 0, layout = 0;
};
/// `checks`: the signatures of the batch that the timeline is a part of (rollup::ExecutedBatch::signature_checks, or the
/// same for a batch that was just built). A signature that does not verify makes a witness that nobody can prove:
/// bad_signature. Parallel.
Result<SegmentRows> make_segment_rows(const Timeline& timeline, std::span<const rollup::SignatureCheck> checks);
/// Lays the rows out and computes the hash tables. limit_exceeded: the segment is too large for one proof.
Result<Trace> make_segment_trace(SegmentRows rows);

/// ok, or what verify of proof.hpp says.
Status verify_segment(const rollup::SegmentStatement& statement, const Proof& proof, unsigned required_bits = 100);

}  // namespace quarry::circuits
