#pragma once
#include <memory>
#include <mutex>

#include "quarry/recursion/catalog.hpp"
#include "quarry/rollup/bundle.hpp"

/// The circuit between the nodes and the terminal: it verifies the proof of one bundle and says what that proof says.
/// Its own proof is made at a low rate (kWrapProtocol), so that the terminal circuit has few queries to verify. See
/// docs/spec/recursion.md, section 5.
namespace quarry::recursion {

/// The circuit's rows: a node of a kind that the table with the digest `keys` has for bundles says that `bundle` is the
/// digest of a bundle. Values that make no true statement make a witness that no proof accepts. Precondition
/// (checked): a proof of the shape.
CircuitRows wrap_rows(const NodeShape& shape, const Digest& keys, const Digest& bundle, const Proof& proof,
                      const ChildKey& key);

/// The circuit and its key. Making it runs the circuit once without a proof; the key is made when it is asked for
/// first: seconds, and memory for 2^5 times its preprocessed cells, which it keeps. The key depends on the nodes' shape
/// alone, and not on the key table.
class Wrap {
  public:
    /// `catalog` must live as long.
    explicit Wrap(const Catalog& catalog);
    Wrap(const Wrap&) = delete;
    Wrap& operator=(const Wrap&) = delete;

    [[nodiscard]] const Catalog& catalog() const noexcept { return *catalog_; }
    [[nodiscard]] const ShapeHeights& shape_heights() const noexcept { return heights_; }
    [[nodiscard]] const Circuit& circuit() const noexcept { return *circuit_; }
    [[nodiscard]] unsigned security_bits() const noexcept { return catalog_->node_shape().security_bits; }
    /// A proof of the right lengths that proves nothing.
    [[nodiscard]] Proof blank_proof() const;
    /// Safe to call from several threads.
    [[nodiscard]] const ProvingKey& proving_key() const;
    /// The rows for a bundle's proof. Precondition: of a narrow node, one that verify_node accepts.
    [[nodiscard]] CircuitRows rows(const Digest& bundle, const NodeProof& proof) const;

  private:
    const Catalog* catalog_;
    ShapeHeights heights_;
    std::unique_ptr<Circuit> circuit_;
    mutable std::once_flag made_;
    mutable std::unique_ptr<ProvingKey> key_;
};

/// The proof of what the bundle's proof says, in the protocol kWrapProtocol.
/// Precondition (checked): rows of this circuit, that is, with the preprocessed cells of its key.
Proof prove_wrap(const Wrap& wrap, const CircuitRows& rows, const Digest& bundle);
/// Ok iff the proof shows that a bundle has this digest, under the catalog's keys.
Status verify_wrap(const Wrap& wrap, const Digest& bundle, const Proof& proof);

}  // namespace quarry::recursion
