#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/join.hpp"

/// Proofs that bind a batch's words and effects to L1, as files: docs/spec/work-tree.md, section 3.
namespace quarry::node {

/// What is to be proven of one blob or calldata.
struct DataInput {
    rollup::DataForm form = rollup::DataForm::blob;
    Digest before{};  ///< the accumulator in front of the words
    rollup::Bytes32 l1_hash{};
    std::vector<std::uint8_t> words;
};
std::vector<std::uint8_t> encode(const DataInput& input);
std::optional<DataInput> parse_data_input(std::span<const std::uint8_t> bytes);

/// A proof with what it proves.
struct DataProof {
    rollup::DataStatement statement;
    std::vector<std::uint8_t> proof;
};
std::vector<std::uint8_t> encode(const DataProof& proof);
std::optional<DataProof> parse_data_proof(std::span<const std::uint8_t> bytes);

/// How a batch's data is on L1.
enum class DataPlacement { calldata, blobs };
/// What is to be proven of the batch's data, in order. blobs: 4096 words each, the last one fewer. `l1_hashes`: what L1
/// knows them by, one each; empty: calldata by its Keccak-256, a blob, which is then on no L1, by a development hash:
/// 0x01, then Keccak-256 of its words without the first byte. No value: calldata has at most 4096 words, or it is
/// another number of hashes.
std::optional<std::vector<DataInput>> data_inputs(const BatchFiles& batch, DataPlacement placement,
                                                  std::span<const rollup::Bytes32> l1_hashes = {});
/// The same of its effects; no value: it has none.
std::optional<DataInput> effects_input(const BatchFiles& batch);

/// The statement that a prover with this payee and tag makes of it.
rollup::DataStatement statement_of(const DataInput& input, const rollup::L1Address& payee, std::uint64_t miner_tag);
/// Proves it at the heights that nodes verify (recursion::data_heights). Deterministic.
Outcome<DataProof> prove_data(const DataInput& input, const rollup::L1Address& payee, std::uint64_t miner_tag,
                              unsigned security_bits);

}  // namespace quarry::node
