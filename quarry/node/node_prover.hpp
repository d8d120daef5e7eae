#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/node/node_proof.hpp"

/// From proofs to the proof of a node that verifies them.
namespace quarry::node {

/// Proves that the children, in the order of the node's kind, say `statement` together. Each is a file as its prover
/// left it: a segment's (SegmentProof), one of data (DataProof) or a node's (NodeProofFile). Deterministic.
/// bad_input: a child of another kind or shape, or one whose proof cannot be read; refused: the children say something
/// else (the code of the rule). Whether the children's proofs are accepted is not asked here: with one that is not, the
/// result is a proof that is not, and whoever takes it in verifies it.
Outcome<NodeProofFile> prove_node_of(const recursion::Catalog& catalog, std::size_t node_kind,
                                     const NodeStatement& statement,
                                     std::span<const std::vector<std::uint8_t>> children,
                                     const std::function<void(const char*)>& on_phase = {});

}  // namespace quarry::node
