#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/recursion/key_table.hpp"
#include "quarry/recursion/layout.hpp"

/// Every circuit that proofs of this release are made with, in figures that anyone can compute again: `quarry keys`.
namespace quarry::recursion {

/// The key of a circuit that is no node: of the wrap, of a terminal.
struct LastKey {
    std::string name;
    Digest circuit{};
    std::array<std::uint8_t, 32> root{};  ///< the wrap's elements big-endian, a terminal's bytes
    friend bool operator==(const LastKey&, const LastKey&) = default;
};

/// Of all nodes of a size.
struct NodeForm {
    Digest circuit{};
    ShapeHeights heights;
};

struct CircuitKeys {
    unsigned security_bits = 0;
    Digest segment_circuit{};
    Digest data_circuit{};
    std::array<NodeForm, kNodeSizes> nodes;  ///< by NodeSize
    std::vector<KeyEntry> entries;           ///< of the key table, in order
    std::vector<LastKey> last;               ///< last_keys (terminal.hpp); none as far as they were not asked for
};

/// What pinned_keys.json says: kept in the repository, so that a change of a circuit shows, and so that who verifies a
/// node need not run every circuit first. `quarry keys --check` computes it again.
const CircuitKeys& pinned_keys();

/// The name of a size of nodes in pinned_keys.json.
const char* node_size_name(NodeSize size) noexcept;
/// The name of a kind of table in pinned_keys.json.
const char* table_kind_name(TableKind kind) noexcept;

}  // namespace quarry::recursion
