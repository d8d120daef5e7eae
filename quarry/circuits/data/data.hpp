#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/circuits/lookups.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/rollup/data_statement.hpp"

/// The data circuit as a whole: its tables, the witness, proving and verifying. docs/spec/data-proof.md.
namespace quarry::circuits {

/// The tables by their place in the circuit.
enum class DataTable : std::size_t { hash, more_hash, range, evaluation, point, field, count };
inline constexpr auto kDataTables = static_cast<std::size_t>(DataTable::count);

/// Built on first use.
const Circuit& data_circuit();

/// What a data proof is about, for prove and verify of proof.hpp.
Statement data_public_input(const rollup::DataStatement& statement);

/// A witness before it is laid out; the hash tables follow from their inputs.
struct DataRows {
    std::vector<TableRows> tables;                  ///< by DataTable; the hash tables have no rows here
    std::vector<std::array<KoalaBear, 16>> hashes;  ///< inputs of every requested compression
    Heights heights;
};
/// The rows of the statement that make_data_statement makes of `words` under `miner_tag` (checked where the numbers
/// meet). Deterministic. scalar_out_of_range: z of a blob is one of the 4096 roots of unity and the word there is not
/// 0; there is no such proof (a chance of 2^-236, and nobody can aim at it without inverting the hash).
/// Tables are as high as their rows need, and at least as high as `least` says, if it is given.
Result<DataRows> make_data_rows(const rollup::DataStatement& statement, std::uint64_t miner_tag,
                                std::span<const std::uint8_t> words, const Heights* least = nullptr);
/// Lays the rows out and computes the hash tables.
Trace make_data_trace(const DataRows& rows);

/// From words to proof. Errors: make_data_rows.
Result<Proof> prove_data(const rollup::DataStatement& statement, std::uint64_t miner_tag,
                         std::span<const std::uint8_t> words, const ProveOptions& options = {});

/// Ok iff the proof shows the statement. Refuses before anything else a statement that nobody can mean
/// (statement_mismatch): no payee, an unknown form, more than 4096 words, units that are not the words', y >= r.
Status verify_data(const rollup::DataStatement& statement, const Proof& proof, unsigned required_bits = 100);
/// The same from a proof's bytes, decoding included.
Status verify_data(const rollup::DataStatement& statement, std::span<const std::uint8_t> proof,
                   unsigned required_bits = 100);

}  // namespace quarry::circuits
