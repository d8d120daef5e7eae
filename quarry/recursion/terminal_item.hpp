#pragma once
#include <span>

#include "quarry/recursion/statement_wires.hpp"
#include "quarry/rollup/bundle.hpp"

/// One item of a terminal statement: from its limbs to the digest of its batch statement.
namespace quarry::recursion {

/// Limbs of a binding, and of the rest of an item, which stands before the bindings.
inline constexpr std::size_t kBindingLimbs = 51;
inline constexpr std::size_t kNumBindings = rollup::kMaxDataBindings + 1;
inline constexpr std::size_t kItemRestLimbs = rollup::kTerminalItemLimbs - kNumBindings * kBindingLimbs;
inline constexpr std::size_t kItemRestRows = 3;

/// The digest of the batch that the limbs show, which take the next rows of the public input. Limbs of bindings that
/// are not there are zero, or there is no witness; no limbs but these have the digest, given that they are below 2^16
/// and that pairs which are elements of digests are below p. Precondition: kTerminalItemLimbs limbs.
DigestWire open_item(CircuitBuilder& builder, std::span<const KoalaBear> limbs);
/// What open_item makes of zeros alone: of an item that is not there.
Digest absent_item();

/// low + 2^16 high, as a wire.
BaseExpr pair(CircuitBuilder& builder, const BaseExpr& low, const BaseExpr& high);

}  // namespace quarry::recursion
