#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/iop/commitment.hpp"
#include "quarry/iop/hash_policy.hpp"
#include "quarry/proof/circuit.hpp"
#include "quarry/proof/protocol.hpp"

/// Keys of circuits with preprocessed columns. A circuit without needs none: its digest is its key.
namespace quarry {

/// What a verifier knows of a circuit's preprocessed columns: the root of the honest commitment to them. It holds for
/// one size of the stack, one security level and one protocol, since these shape the code: tables with preprocessed
/// columns have fixed heights, so that heights of the others matter by the size of the stack alone. Who takes a key
/// from elsewhere trusts its root: it can be recomputed from the circuit (ProvingKey).
template <class P>
struct BasicVerifyingKey {
    quarry::Digest circuit_digest{};
    unsigned security_bits = 0;
    unsigned log_size = 0;  ///< of the stack
    typename P::Digest preprocessed_root{};
    /// The tree's nodes at the level where paths in it end, unless they end at the root.
    std::vector<typename P::Digest> preprocessed_cap{};
    friend bool operator==(const BasicVerifyingKey&, const BasicVerifyingKey&) = default;
};
using VerifyingKey = BasicVerifyingKey<PoseidonPolicy>;
using KeccakVerifyingKey = BasicVerifyingKey<KeccakPolicy>;

/// The upper part of a key's preprocessed tree (MerkleTree::above), which a verifier may know beside the root: proofs
/// need no node of it. It has the root that its nodes lead to, hence belongs to the keys with that root and no others.
using KeyCap = MerkleTree<PoseidonHasher>;

/// The cells of the preprocessed columns, laid out as the first lanes of the stack.
class PreprocessedTrace {
  public:
    /// Preconditions: make_stack_layout succeeds; the circuit has preprocessed columns. Cells are uninitialised,
    /// padding is zero.
    PreprocessedTrace(const Circuit& circuit, Heights heights, unsigned log_lanes = kLogStackLanes);

    [[nodiscard]] const Circuit& circuit() const noexcept { return *circuit_; }
    [[nodiscard]] const Heights& heights() const noexcept { return heights_; }
    [[nodiscard]] const StackLayout& layout() const noexcept { return layout_; }
    /// Preprocessed column k of table t (column num_witness() + k of the table), 2^heights()[t] cells. A table's
    /// columns follow each other. Precondition: the table has it.
    [[nodiscard]] std::span<KoalaBear> column(std::size_t t, std::size_t k);
    [[nodiscard]] std::span<const KoalaBear> column(std::size_t t, std::size_t k) const;
    /// The preprocessed lanes, end to end.
    [[nodiscard]] std::span<const KoalaBear> stack() const noexcept { return cells_.span(); }
    /// The first cell of table t's preprocessed columns.
    [[nodiscard]] const KoalaBear* columns(std::size_t t) const noexcept;

  private:
    [[nodiscard]] std::size_t first_cell(std::size_t t, std::size_t k) const;

    const Circuit* circuit_;
    Heights heights_;
    StackLayout layout_;
    Buffer<KoalaBear> cells_;
};

/// The preprocessed columns with their commitment: made once for a circuit, size of the stack, level and protocol, used
/// by every proof of that size. Deterministic. Keeps the codeword: 2^log_inv_rate times the columns.
template <class P>
class BasicProvingKey {
  public:
    using Tree = BasicCommitment<typename P::Hasher>;
    /// level() has a node for each 2^5 rows, so that a proof's queries cost little and the level is small.
    static constexpr unsigned kLogRowsOfNode = 5;

    /// Cost: the commitment to the preprocessed lanes.
    /// Precondition (checked): the trace has the protocol's number of lanes.
    explicit BasicProvingKey(PreprocessedTrace trace, unsigned security_bits = 100, const Protocol& protocol = {});
    /// The same key from level() of one that was made before, for a tenth of the cost: no row is hashed but those that
    /// proofs open. nullopt: these digests do not lead to `expected`'s root, which is the root of this trace's key.
    static std::optional<BasicProvingKey> restore(PreprocessedTrace trace, std::span<const typename P::Digest> level,
                                                  const BasicVerifyingKey<P>& expected, const Protocol& protocol = {});

    /// One node of the tree for each 2^kLogRowsOfNode rows: what restore() takes.
    [[nodiscard]] std::span<const typename P::Digest> level() const;
    [[nodiscard]] const PreprocessedTrace& trace() const noexcept { return trace_; }
    [[nodiscard]] const Tree& commitment() const noexcept { return commitment_; }
    [[nodiscard]] const BasicVerifyingKey<P>& verifying_key() const noexcept { return verifying_key_; }

  private:
    BasicProvingKey(PreprocessedTrace trace, Tree commitment, unsigned security_bits);

    PreprocessedTrace trace_;
    Tree commitment_;
    BasicVerifyingKey<P> verifying_key_;
};
using ProvingKey = BasicProvingKey<PoseidonPolicy>;
using KeccakProvingKey = BasicProvingKey<KeccakPolicy>;
extern template class BasicProvingKey<PoseidonPolicy>;
extern template class BasicProvingKey<KeccakPolicy>;

/// wrong_key: a key for another size of the stack or another level than the proof's, which the prover chose. Having a
/// key of another circuit, none where one is needed, or one where none is needed is our own bug (checked).
template <class P>
Status check_key(const Circuit& circuit, const BasicVerifyingKey<P>* key, unsigned log_size, unsigned security_bits);

/// What binds a circuit, as a verifier over some arithmetic has it: constants, or wires of a table of keys.
template <class F>
struct KeyDigests {
    std::array<F, kDigestSize> circuit;
    std::optional<std::array<F, kDigestSize>> preprocessed_root;  ///< iff the circuit has preprocessed columns
};
/// Precondition: a key iff the circuit has preprocessed columns.
KeyDigests<KoalaBear> key_digests(const Circuit& circuit, const VerifyingKey* key);

}  // namespace quarry
