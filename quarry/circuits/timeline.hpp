#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/segment_source.hpp"
#include "quarry/rollup/batch.hpp"

/// What happens in a segment, in the order and with the times that the circuit sees: everything that tables need to
/// fill their rows. Times: buses.hpp, memory_tuple.
namespace quarry::circuits {

using RegisterValues = std::array<std::uint16_t, 4>;

/// One read and write of a register; the value after it is the next access's.
struct RegisterAccess {
    std::uint32_t previous = 0;  ///< time of the access before
    std::uint64_t before = 0;
    std::uint64_t after = 0;
};

/// One step of the batch with its times.
struct TimedStep {
    const rollup::Step* step = nullptr;
    std::uint32_t word = 0;                   ///< index of its first word in the batch
    std::array<std::uint32_t, 2> previous{};  ///< of each of step->access: time of the access before
    /// The fee ledger's sum of step->fee_token around the step; when it pays a fee or collects.
    rollup::Amount fees_before, fees_after;
    std::uint32_t fees_previous = 0;
    /// By register - 1; only those that the operation reads: slot_count (new pair, queue entries), deposit cursor,
    /// forced cursor, fee_tokens (when a token's sum starts or ends).
    std::array<std::optional<RegisterAccess>, kRegisters> registers;

    [[nodiscard]] std::uint32_t time() const noexcept { return word + 1; }
};

/// A cell of memory over the whole segment.
struct SlotHistory {
    rollup::SlotIndex slot = 0;
    std::optional<rollup::Leaf> before, after;
    std::uint32_t last = 0;  ///< time of the last access
};
struct FeeHistory {
    rollup::TokenId token = 0;
    rollup::Amount before, after;
    std::uint32_t last = 0;
};
struct RegisterHistory {
    std::uint64_t before = 0, after = 0;
    std::uint32_t last = 0;
};

struct Timeline {
    rollup::SegmentStatement statement;
    rollup::RollupParameters parameters;
    rollup::Header header;
    std::uint64_t miner_tag = 0;
    std::size_t first_step = 0;  ///< number of steps[0] in the batch
    std::vector<TimedStep> steps;
    std::vector<SlotHistory> slots;  ///< every accessed slot, by rising number
    std::vector<FeeHistory> fees;    ///< every token that has fees before or after or in between, by rising token
    std::array<RegisterHistory, kRegisters> registers;
    rollup::TreeUpdate update;  ///< of `slots`; without a slot: no node at all
    Siblings siblings;          ///< of `update`
    /// Of the state before the segment: a root row is needed even when no slot is touched.
    std::array<Digest, 2> root_children{};
};

/// The steps [first, last) of an executed batch; `before`: the point before step `first`. `store` is in the state
/// before the batch, and like `batch` must live as long as the timeline.
Timeline make_timeline(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                       const rollup::ExecutedBatch& batch, std::size_t first, std::size_t last,
                       const rollup::BatchPoint& before, const rollup::L1Address& payee, std::uint64_t miner_tag);

/// The same of a segment that was cut out already; first_step is 0. Its steps must live as long as the timeline.
Timeline make_timeline(const SegmentSource& source, const rollup::L1Address& payee, std::uint64_t miner_tag);

/// Conversions to cells.
LeafCells<KoalaBear> leaf_cells(const std::optional<rollup::Leaf>& leaf);
std::array<KoalaBear, 6> amount_limbs(rollup::Amount amount);
std::array<KoalaBear, 10> address_limbs(const rollup::L1Address& address);  ///< least significant first
std::array<KoalaBear, 3> address_splits(const rollup::L1Address& address);
std::array<KoalaBear, 7> address_pieces(const rollup::L1Address& address);
std::array<KoalaBear, 4> register_values(Register id, std::uint64_t value);
/// Low and high 16 bits of a canonical element, and whether high = 0x7f00.
struct ElementLimbs {
    KoalaBear low, high, top;
};
ElementLimbs element_limbs(KoalaBear x);
WordCells<KoalaBear> word_cells(std::span<const std::uint8_t, rollup::kWordBytes> word);
/// The carries of require_sum, for total = sum of addends.
std::array<KoalaBear, 5> sum_carries(std::initializer_list<rollup::Amount> addends);
/// 1/x, or 0 for 0: what require_zero_flag wants.
KoalaBear inverse_or_zero(KoalaBear x);

}  // namespace quarry::circuits
