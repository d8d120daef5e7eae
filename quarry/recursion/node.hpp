#pragma once
#include <memory>
#include <optional>
#include <span>

#include "quarry/recursion/key_table.hpp"
#include "quarry/recursion/statement_wires.hpp"
#include "quarry/rollup/bundle.hpp"
#include "quarry/rollup/data_statement.hpp"

/// Circuits that verify proofs and say one thing about all of them. A node is built child by child, from left to right;
/// what a child shares with the one before it is the same wires, so that it cannot differ.
namespace quarry::recursion {

/// A leaf circuit at one choice of heights. What it is verified under is a constant of the node.
struct LeafShape {
    const Circuit* circuit = nullptr;
    Heights heights;
    unsigned security_bits = 100;
    const VerifyingKey* key = nullptr;  ///< iff the circuit has preprocessed columns
};

/// The circuit and heights that all nodes of a size have, so that a parent can verify any of them.
struct NodeShape {
    const Circuit* circuit = nullptr;
    Heights heights;
    unsigned security_bits = 100;
    NodeSize size = NodeSize::narrow;
};

/// The key under which a child that is a node was proven.
struct ChildKey {
    Digest preprocessed_root{};
    std::size_t entry = 0;
    std::vector<Digest> path = std::vector<Digest>(KeyTable::kLogKeys);
};

/// exposed_digest of a node, on wires.
DigestWire exposed_wire(CircuitBuilder& builder, rollup::StatementKind kind, const DigestWire& keys,
                        const DigestWire& statement);
/// digest_statement, on wires.
BasicStatement<BaseExpr> statement_wires(CircuitBuilder& builder, const DigestWire& exposed);

/// A node's proof in the circuit that is being built: a statement of this kind has this digest, under a key that the
/// table with the digest `keys` has for the kind and the shape's size. Returns what the node exposes. Precondition
/// (checked): a proof of the shape.
DigestWire verify_child(CircuitBuilder& builder, const DigestWire& keys, const NodeShape& shape,
                        rollup::StatementKind kind, const DigestWire& statement, const Proof& proof,
                        const ChildKey& key);

/// Builds the circuit of one node. Calls must not depend on values; values that make no true statement make a witness
/// that no proof accepts. Whoever is handed a child verifies it first: one of another shape is our own bug (checked).
class NodeBuilder {
  public:
    /// `keys`: the key table's digest, of the node itself and of every node below it. `version`: of every statement
    /// (tests: nodes of another version).
    explicit NodeBuilder(const Digest& keys, std::uint32_t version = rollup::kProtocolVersion);

    /// A segment, as the next part of a batch. `start`: where the part begins; only the first part uses it.
    void segment(const LeafShape& shape, const rollup::SegmentStatement& statement, const Proof& proof,
                 const rollup::JoinPoint& start);
    /// A data proof as the next part: of the batch's data or of its effects. `domain`, `header`, `start`: only the
    /// first part uses them.
    void data(const LeafShape& shape, rollup::DataRole role, const rollup::DataStatement& statement, const Proof& proof,
              const Digest& domain, const Digest& header, const rollup::JoinPoint& start);
    /// A node that is a part of a batch.
    void join(const NodeShape& shape, const rollup::JoinStatement& statement, const Proof& proof, const ChildKey& key);
    /// The parts so far, as one.
    [[nodiscard]] CircuitRows finish_join() &&;

    /// The part at hand is a whole batch: closes it under this header and puts it last in the bundle.
    void close(const rollup::Header& header);
    /// A bundle as the last half of a wider one.
    void bundle(const NodeShape& shape, const rollup::BundleStatement& statement, const Proof& proof,
                const ChildKey& key);
    /// An absent half.
    void widen();
    /// The bundle of what was closed, or of the bundles: one, or two halves; of batches that were closed, any power of
    /// two.
    [[nodiscard]] CircuitRows finish_bundle() &&;

  private:
    struct Bundle {
        BaseExpr depth, count;
        DigestWire root;
    };
    /// Two bundles of one depth as one.
    Bundle halves(const Bundle& left, const Bundle& right);
    void verify_leaf(const LeafShape& shape, const BasicStatement<BaseExpr>& statement, const Proof& proof);
    void require_payee(std::span<const BaseExpr> limbs);
    /// x <= limit < 2^24, as integers below p.
    void require_at_most(const BaseExpr& x, std::uint32_t limit);
    /// x <= rollup::kMaxSlots.
    void require_slot_count(const BaseExpr& x);
    void verify_node(const NodeShape& shape, rollup::StatementKind kind, const DigestWire& statement,
                     const Proof& proof, const ChildKey& key);
    /// Appends a part that begins where the last one ended. `work`: of that part.
    void append(const Elements& head, const Elements& before, Elements after, std::span<const BaseExpr> work);
    [[nodiscard]] CircuitRows expose(rollup::StatementKind kind, const DigestWire& statement);
    Elements head(const Digest& domain, const Digest& header, const rollup::L1Address& payee);
    Elements point(const rollup::JoinPoint& start);

    CircuitBuilder b_;
    DigestWire keys_;
    std::uint32_t version_;
    bool has_part_ = false;
    Elements head_, before_, after_, work_;  ///< of the parts so far, as kHead, kJoinBefore, kJoinAfter, kJoinWork
    std::vector<Bundle> bundles_;
};

}  // namespace quarry::recursion
