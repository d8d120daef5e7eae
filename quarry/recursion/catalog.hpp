#pragma once
#include <memory>
#include <string>
#include <vector>

#include "quarry/recursion/layout.hpp"
#include "quarry/recursion/node.hpp"

/// All circuits that exist: which children a node may have, the heights of leaves, and the one shape of all nodes.
namespace quarry::recursion {

/// Heights that segments are proven at so that a node can verify them, smallest first. A segment's proof takes the
/// first that holds its rows.
struct SegmentProfile {
    std::string name;
    Heights heights;
};
const std::vector<SegmentProfile>& segment_profiles();
/// What a node takes of a segment of this profile: with the key that it is proven under.
LeafShape segment_leaf(const SegmentProfile& profile, unsigned security_bits = 100);
/// The heights of every data proof that a node verifies.
const Heights& data_heights();

/// The children of a node, in order.
enum class ChildKind { segment, data, effects, join, bundle };
struct NodeKind {
    std::string name;
    rollup::StatementKind says;  ///< join or bundle
    struct Child {
        ChildKind kind;
        std::size_t profile = 0;  ///< of a segment
    };
    std::vector<Child> children;
    bool widens = false;  ///< a bundle's absent right half
};
/// Every node that there is, by its place in the key table.
const std::vector<NodeKind>& node_kinds();

/// The shape and keys of all nodes, for one security level. Making it runs every circuit once without a proof: seconds.
class Catalog {
  public:
    explicit Catalog(unsigned security_bits = 100);
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;

    [[nodiscard]] const NodeShape& node_shape() const noexcept { return shape_; }
    [[nodiscard]] const ShapeHeights& shape_heights() const noexcept { return heights_; }
    [[nodiscard]] const Circuit& circuit() const noexcept { return *circuit_; }
    [[nodiscard]] const KeyTable& keys() const noexcept { return *keys_; }
    [[nodiscard]] const ProvingKey& proving_key(std::size_t node_kind) const { return *proving_keys_[node_kind]; }
    [[nodiscard]] ChildKey child_key(std::size_t node_kind) const;
    /// The rows of a node of this kind without proofs.
    [[nodiscard]] CircuitRows blank(std::size_t node_kind) const;

  private:
    ShapeHeights heights_;
    std::unique_ptr<Circuit> circuit_;
    NodeShape shape_;
    std::vector<std::unique_ptr<ProvingKey>> proving_keys_;
    std::unique_ptr<KeyTable> keys_;
};

/// A proof that a node of some kind makes its statement.
struct NodeProof {
    std::size_t node_kind = 0;
    Proof proof;
};
/// Lays out and proves. Precondition (checked): rows are of that kind, that is, have the preprocessed cells of its key.
NodeProof prove_node(const Catalog& catalog, std::size_t node_kind, const CircuitRows& rows, const Digest& statement);
/// Ok iff the proof shows that a statement of this kind has this digest, under the catalog's keys.
Status verify_node(const Catalog& catalog, rollup::StatementKind kind, const Digest& statement, const NodeProof& proof);

}  // namespace quarry::recursion
