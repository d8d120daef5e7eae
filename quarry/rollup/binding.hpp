#pragma once
#include <cstdint>
#include <vector>

#include "quarry/rollup/elements.hpp"
#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"
#include "quarry/rollup/words.hpp"

/// What ties a batch's accumulators to bytes that L1 has: one binding for each blob or calldata. The order of the field
/// elements is normative: docs/spec/operations.md, section 6.
namespace quarry::rollup {

/// How words define the polynomial that L1 evaluates.
enum class BindingForm : std::uint32_t {
    horner = 0,  ///< by its coefficients, as calldata that a contract evaluates itself
    blob = 1,    ///< by its values, as an EIP-4844 blob
};

/// The polynomial of `words` words, which L1 knows by `l1_hash`, has the value `value` at z.
struct L1Binding {
    BindingForm form = BindingForm::blob;
    std::uint32_t words = 0;
    Bytes32 l1_hash{};  ///< the blob's versioned hash, or the Keccak-256 of the calldata
    Digest point{};     ///< z = sum of point[i] 2^(31 i)
    Bytes32 value{};    ///< big-endian, below the order of the scalar field of BLS12-381
    friend bool operator==(const L1Binding&, const L1Binding&) noexcept = default;
};
/// form, words, l1_hash (16 limbs), point (8), value (16 limbs): 42 elements.
std::vector<KoalaBear> elements(const L1Binding& binding);

/// What a data proof says: the words lead an accumulator from `before` to `after`.
struct DataRun {
    Digest before{};
    Digest after{};
    L1Binding binding;
};

/// How much of an accumulator is bound: the words so far, and the list of the bindings that bind them.
struct BindingPoint {
    Accumulator words;     ///< count: words bound
    Accumulator bindings;  ///< count: bindings in the list
    friend bool operator==(const BindingPoint&, const BindingPoint&) noexcept = default;
};
/// Nothing bound yet of the accumulator that starts at `digest`: the list is chain_start("quarry/bindings/v1").
BindingPoint binding_start(const Digest& digest);
/// Appends a binding to a list: six steps of the chain, elements zero-padded to 48.
void absorb(Accumulator& list, const L1Binding& binding);
/// The list of these bindings.
Accumulator binding_list(std::span<const L1Binding> bindings);

/// What a batch's data may be bound by: blobs, all but the last one full, or one calldata.
inline constexpr std::size_t kMaxDataBindings = kMaxBlobs;
/// Words of the effects of a batch, at most.
inline constexpr std::uint32_t kMaxEffectWords = 4 * kMaxEffects;

/// The point after binding one more blob or calldata of batch data. Refuses a run that does not start at the point
/// (binding_gap), blobs that do not fill the ones before and calldata beside anything else (binding_order), and more
/// words than a batch has (limit_exceeded).
Checked<BindingPoint> bind_data(const BindingPoint& point, const DataRun& run);
/// The same for the effects: one calldata binds all of them.
Checked<BindingPoint> bind_effects(const BindingPoint& point, const DataRun& run);

}  // namespace quarry::rollup
