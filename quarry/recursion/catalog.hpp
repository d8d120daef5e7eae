#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "quarry/recursion/layout.hpp"
#include "quarry/recursion/node.hpp"
#include "quarry/recursion/pinned_keys.hpp"

/// All circuits that exist: which children a node may have, the heights of leaves, and the two shapes of nodes.
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
        std::size_t profile = 0;           ///< of a segment
        bool closes = false;               ///< a part: with it the parts so far are a whole batch
        NodeSize size = NodeSize::narrow;  ///< of a node
    };
    std::vector<Child> children;
    bool widens = false;  ///< a bundle's absent right half
    NodeSize size = NodeSize::narrow;
};
/// Every node that there is, by its place in the key table. A batch of one segment and one blob is one node; of n parts
/// it is n - 1 nodes above those of the leaves. A narrow node has two children at most, since all of a size are as high
/// as the largest: what a third costs, every node would pay. A wide one verifies the leaves of four batches at once, in
/// the room of four nodes without the three above them (decision 0018).
const std::vector<NodeKind>& node_kinds();
/// Batches of one wide node.
inline constexpr std::size_t kWideBatches = 4;
/// The place of the kind of this name; no value: there is none.
std::optional<std::size_t> find_node_kind(std::string_view name);

/// The shapes and keys of all nodes, for one security level.
class Catalog {
  public:
    /// Runs every circuit once without a proof: seconds.
    explicit Catalog(unsigned security_bits = 100);
    /// Takes over what is known of the keys: milliseconds. Precondition: describes the circuits of this program
    /// (are_current).
    explicit Catalog(const CircuitKeys& keys);
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;

    [[nodiscard]] const NodeShape& node_shape(NodeSize size = NodeSize::narrow) const noexcept {
        return of(size).shape;
    }
    [[nodiscard]] const ShapeHeights& shape_heights(NodeSize size = NodeSize::narrow) const noexcept {
        return of(size).heights;
    }
    [[nodiscard]] unsigned security_bits() const noexcept { return node_shape().security_bits; }
    /// Of a node of this kind.
    [[nodiscard]] const NodeShape& shape_of(std::size_t node_kind) const {
        return node_shape(node_kinds()[node_kind].size);
    }
    [[nodiscard]] const KeyTable& keys() const noexcept { return *keys_; }
    /// Made on first use where the catalog is of known keys.
    [[nodiscard]] const ProvingKey& proving_key(std::size_t node_kind) const;
    /// The same from rows of a node of this kind; null: these are not the preprocessed cells of that key.
    [[nodiscard]] const ProvingKey* find_proving_key(std::size_t node_kind, const CircuitRows& rows) const;
    [[nodiscard]] VerifyingKey verifying_key(std::size_t node_kind) const;
    [[nodiscard]] ChildKey child_key(std::size_t node_kind) const;
    /// The rows of a node of this kind without proofs.
    [[nodiscard]] CircuitRows blank(std::size_t node_kind) const;

  private:
    /// What all nodes of a size have.
    struct Form {
        ShapeHeights heights;
        std::unique_ptr<Circuit> circuit;
        NodeShape shape;
    };
    [[nodiscard]] const Form& of(NodeSize size) const noexcept { return forms_[static_cast<std::size_t>(size)]; }
    void set_form(NodeSize size, ShapeHeights heights, unsigned security_bits);
    [[nodiscard]] std::optional<PreprocessedTrace> lay_out_key(std::size_t node_kind, const CircuitRows& rows) const;

    std::array<Form, kNodeSizes> forms_;
    mutable std::mutex mutex_;  ///< guards proving_keys_
    mutable std::vector<std::unique_ptr<ProvingKey>> proving_keys_;
    std::unique_ptr<KeyTable> keys_;
};
/// What a catalog fixes: what `quarry keys` prints and the repository pins.
CircuitKeys describe(const Catalog& catalog);
/// Whether keys are of circuits and nodes with these digests and names, as far as can be told without running them.
bool are_current(const CircuitKeys& keys);

/// A proof that a node of some kind makes its statement.
struct NodeProof {
    std::size_t node_kind = 0;
    Proof proof;
};
/// Lays out and proves. Precondition (checked): rows are of that kind, that is, have the preprocessed cells of its key.
NodeProof prove_node(const Catalog& catalog, std::size_t node_kind, const CircuitRows& rows, const Digest& statement);
/// wrong_key: rows of another kind, or keys of other circuits than this program's.
Result<NodeProof> try_prove_node(const Catalog& catalog, std::size_t node_kind, const CircuitRows& rows,
                                 const Digest& statement);
/// Ok iff the proof shows that a statement of this kind has this digest, under the catalog's keys.
Status verify_node(const Catalog& catalog, rollup::StatementKind kind, const Digest& statement, const NodeProof& proof);

}  // namespace quarry::recursion
