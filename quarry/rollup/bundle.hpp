#pragma once
#include <optional>
#include <span>
#include <vector>

#include "quarry/rollup/join.hpp"

/// What proofs about many batches say. The order of the field elements is normative: docs/spec/operations.md,
/// section 6.
namespace quarry::rollup {

inline constexpr unsigned kMaxBundleDepth = 4;

/// An ordered list of whole batches, of any rollups and payees. Nothing is merged away: `root` is that of the binary
/// tree over the digests of the batch statements, of height `depth`, filled from the left; a subtree without batches is
/// eight zeros. It is a function of the list, whatever the order in which its halves were proven.
struct BundleStatement {
    unsigned depth = 0;
    std::uint32_t count = 0;  ///< 1 to 2^depth
    Digest root{};
    friend bool operator==(const BundleStatement&, const BundleStatement&) noexcept = default;
};

/// The list of one batch.
BundleStatement bundle_of(const BatchStatement& batch);
/// The list of these batch digests at this depth. Precondition: 1 <= items.size() <= 2^depth, depth <= kMaxBundleDepth.
BundleStatement bundle_of(std::span<const Digest> items, unsigned depth);
/// The same list in a higher tree. bundle_shape: it is higher already, or no bundle; limit_exceeded: above
/// kMaxBundleDepth.
Checked<BundleStatement> widen(const BundleStatement& bundle, unsigned depth);
/// The batches of `left` followed by those of `right`. bundle_shape: `left` is not full (count = 2^depth) or lower than
/// `right`; limit_exceeded: the tree would be higher than kMaxBundleDepth.
Checked<BundleStatement> merge(const BundleStatement& left, const BundleStatement& right);

/// kind, version, depth, count, root: 12 elements, and the chain "quarry/bundle/v1" over them.
std::vector<KoalaBear> elements(const BundleStatement& statement);
Digest digest(const BundleStatement& statement);

/// A batch with everything that its statement commits to.
struct TerminalItem {
    BatchStatement batch;
    Header header;
    std::vector<L1Binding> data;
    std::optional<L1Binding> effects;
    friend bool operator==(const TerminalItem&, const TerminalItem&) = default;
};

/// What L1 sees: the batches of a bundle, every field in the open.
struct TerminalStatement {
    unsigned log_profile = 0;  ///< room for 2^log_profile items: 1, 4 or 16
    std::vector<TerminalItem> items;
    friend bool operator==(const TerminalStatement&, const TerminalStatement&) = default;
};

/// Opens a bundle. Refuses another profile than 0, 2, 4 (limit_exceeded) or one that is too small (bundle_shape), other
/// batches than the bundle's (bundle_mismatch), a header or bindings that are not those of their batch
/// (header_mismatch, root_mismatch, binding_mismatch), bindings that L1 does not know such a batch by (binding_order).
Checked<TerminalStatement> open(const BundleStatement& bundle, unsigned log_profile, std::vector<TerminalItem> items);

/// 16-bit limbs of an item in the public input.
inline constexpr std::size_t kTerminalItemLimbs = 529;
inline constexpr std::size_t kTerminalHeadLimbs = 4;
/// The public input: kind, version, 2^log_profile, number of items; then 2^log_profile items of kTerminalItemLimbs
/// each, zeros where there is none. Every value is below 2^16.
std::vector<KoalaBear> elements(const TerminalStatement& statement);

}  // namespace quarry::rollup
