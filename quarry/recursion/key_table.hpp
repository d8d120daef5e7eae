#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/proof/key.hpp"
#include "quarry/rollup/statement.hpp"

/// The keys of all recursion circuits under one digest. A parent verifies a child under a key that this digest commits
/// to for the child's kind and size, and under no other; the digest is part of every statement and equal along the
/// tree, so that the one who checks the last proof checks the keys of all.
namespace quarry::recursion {

/// Nodes have one of two circuits: a narrow one holds what two proofs need, a wide one what eight leaves need.
enum class NodeSize : std::uint32_t { narrow, wide };
inline constexpr std::size_t kNodeSizes = 2;

struct KeyEntry {
    std::string name;
    rollup::StatementKind kind;
    NodeSize size;
    Digest preprocessed_root;
};

/// Leaves H(chain "quarry/key/v1" over kind, size, root), zeros where there is no entry; 2^kLogKeys of them.
class KeyTable {
  public:
    static constexpr unsigned kLogKeys = 5;
    explicit KeyTable(std::vector<KeyEntry> entries);

    [[nodiscard]] const Digest& digest() const noexcept { return levels_.back().front(); }
    [[nodiscard]] const std::vector<KeyEntry>& entries() const noexcept { return entries_; }
    /// Leaf to root. Precondition: an entry.
    [[nodiscard]] std::vector<Digest> path(std::size_t entry) const;
    /// The elements that a leaf hashes.
    static std::vector<KoalaBear> leaf_elements(rollup::StatementKind kind, NodeSize size,
                                                const Digest& preprocessed_root);

  private:
    std::vector<KeyEntry> entries_;
    std::vector<std::vector<Digest>> levels_;
};

/// What a recursion proof exposes: the chain "quarry/recursion/v1" over the kind, the key table's digest and the
/// statement's digest.
Digest exposed_digest(rollup::StatementKind kind, const Digest& keys, const Digest& statement);

}  // namespace quarry::recursion
