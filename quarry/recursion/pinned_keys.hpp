#pragma once
#include <vector>

#include "quarry/recursion/key_table.hpp"
#include "quarry/recursion/layout.hpp"

/// Every circuit that proofs of this release are made with, in figures that anyone can compute again: `quarry keys`.
namespace quarry::recursion {

struct CircuitKeys {
    unsigned security_bits = 0;
    Digest segment_circuit{};
    Digest data_circuit{};
    Digest node_circuit{};
    ShapeHeights shape;             ///< of all nodes
    std::vector<KeyEntry> entries;  ///< of the key table, in order
};

/// What pinned_keys.json says: kept in the repository, so that a change of a circuit shows, and so that who verifies a
/// node need not run every circuit first. `quarry keys --check` computes it again.
const CircuitKeys& pinned_keys();

/// The name of a kind of table in pinned_keys.json.
const char* table_kind_name(TableKind kind) noexcept;

}  // namespace quarry::recursion
