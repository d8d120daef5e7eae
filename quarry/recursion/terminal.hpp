#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "quarry/recursion/wrap.hpp"

/// The last circuit: verifies the wrapped proof of one bundle and opens it, so that every field of every batch is
/// public input. What a contract verifies; see docs/spec/recursion.md, section 5.
namespace quarry::recursion {

/// ok iff the limbs are those of one statement of a profile: their number, each below 2^16, each pair that is an
/// element of a digest below p. A contract makes the limbs of 32-byte words: it has to refuse a digest's word with an
/// element that is not below p, and nothing else. bad_length, limit_exceeded, non_canonical.
Status check_limbs(std::span<const KoalaBear> limbs);
/// The public input of these limbs (rollup::elements of a terminal statement): the head, then for every item three rows
/// of what is no binding, and one of each binding. Precondition: as many limbs as a profile has.
Statement terminal_statement(std::span<const KoalaBear> limbs);

/// Takes the public input and opens it: the digest of the bundle whose batches it shows, at height `depth`. Unless the
/// limbs are those of one terminal statement of it, given check_limbs, there is no witness. Precondition: as many limbs
/// as a profile has.
DigestWire open_bundle(CircuitBuilder& builder, std::span<const KoalaBear> limbs, unsigned depth);

/// The circuit's rows. `limbs` say what the items are; `wrap_root`: of the key that the wrap's proof is verified under.
/// Values that make no true statement make a witness that no proof accepts. Preconditions (checked): as many limbs as a
/// profile has; a proof of the wrap's shape.
CircuitRows terminal_rows(const Wrap& wrap, const Digest& wrap_root, const Digest& keys,
                          std::span<const KoalaBear> limbs, const rollup::BundleStatement& bundle, const Proof& proof);

/// The circuits and keys of one profile: of the wrap and of the terminal. Making it runs both circuits once without a
/// proof; the keys are made when they are asked for first: seconds, and about 2 GiB that they keep.
class Terminal {
  public:
    /// Precondition: 0, 2 or 4. `catalog` must live as long.
    Terminal(const Catalog& catalog, unsigned log_profile);
    /// With a wrap that terminals share.
    Terminal(std::shared_ptr<const Wrap> wrap, unsigned log_profile);
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] unsigned log_profile() const noexcept { return log_profile_; }
    [[nodiscard]] const Catalog& catalog() const noexcept { return wrap_->catalog(); }
    [[nodiscard]] const Wrap& wrap() const noexcept { return *wrap_; }
    [[nodiscard]] const ShapeHeights& shape_heights() const noexcept { return heights_; }
    [[nodiscard]] const Circuit& circuit() const noexcept { return *circuit_; }
    [[nodiscard]] unsigned security_bits() const noexcept { return wrap_->security_bits(); }
    /// Covers the key table's digest and the wrap's key, which are constants of the circuit: makes the latter first.
    /// Safe to call from several threads.
    [[nodiscard]] const KeccakProvingKey& proving_key() const;
    /// The rows for a bundle's wrapped proof. Precondition: one that verify_wrap accepts.
    [[nodiscard]] CircuitRows rows(std::span<const KoalaBear> limbs, const rollup::BundleStatement& bundle,
                                   const Proof& wrapped) const;

  private:
    [[nodiscard]] CircuitRows blank(const Digest& wrap_root) const;

    std::shared_ptr<const Wrap> wrap_;
    unsigned log_profile_;
    ShapeHeights heights_;
    std::unique_ptr<Circuit> circuit_;
    mutable std::once_flag made_;
    mutable std::unique_ptr<KeccakProvingKey> key_;
};

/// The keys of the wrap and of every profile: makes them, one after the other.
std::vector<LastKey> last_keys(const Catalog& catalog);

/// The proof of the wrap for a bundle's proof. Precondition: of a narrow node, one that verify_node accepts.
Proof wrap_bundle(const Terminal& terminal, const rollup::BundleStatement& bundle, const NodeProof& proof);
/// The bytes that a contract reads (quarry/proof/keccak_wire.hpp), in the protocol kTerminalProtocol. `phases`, `now`:
/// as for prove(). Precondition (checked): rows of this circuit, that is, with the preprocessed cells of its key.
std::vector<std::uint8_t> prove_terminal(const Terminal& terminal, const CircuitRows& rows,
                                         std::span<const KoalaBear> limbs, ProvePhases* phases = nullptr,
                                         std::function<double()> now = {});
/// Ok iff the limbs are a statement (check_limbs) of the profile and the proof shows that each of their items is a
/// batch that was proven under the catalog's keys. Total on any input. `key`: of this circuit (checked).
Status verify_terminal(const Terminal& terminal, const KeccakVerifyingKey& key, std::span<const KoalaBear> limbs,
                       std::span<const std::uint8_t> proof);

}  // namespace quarry::recursion
