#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/node_statement.hpp"
#include "quarry/recursion/catalog.hpp"

/// A proof that verifies proofs, as a file that says all that a verifier must know: docs/spec/work-tree.md, section 3.
namespace quarry::node {

inline constexpr std::size_t kMaxNodeProofBytes = std::size_t{16} << 20;

struct NodeProofFile {
    std::size_t node_kind = 0;  ///< place in the key table
    Digest keys{};              ///< the key table's digest
    NodeStatement statement;
    std::vector<std::uint8_t> proof;  ///< encode_proof, of the node circuit
};

std::vector<std::uint8_t> encode(const NodeProofFile& file);
/// Whether bytes begin like such a file.
bool is_node_proof(std::span<const std::uint8_t> bytes) noexcept;
/// Total. bad_input: no such file, or one with a statement that nobody can mean. The proof is not looked at.
Outcome<NodeProofFile> parse_node_proof(std::span<const std::uint8_t> bytes);

/// Ok iff the proof shows the statement under the catalog's keys. wrong_key: another key table or kind of node.
Status verify(const recursion::Catalog& catalog, const NodeProofFile& file);
/// The proof, decoded for a node that verifies it.
Result<Proof> decode(const recursion::Catalog& catalog, const NodeProofFile& file);

/// The catalog of the pinned keys, made on first use. Null: this program's circuits are not those that were pinned
/// (stale_keys says what to do), which is never so in a release.
const recursion::Catalog* find_catalog();
Problem stale_keys();

}  // namespace quarry::node
