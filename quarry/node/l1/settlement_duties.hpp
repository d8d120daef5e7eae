#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/l1/hub_view.hpp"
#include "quarry/node/l1/settlement_options.hpp"

/// What a sequencer does for its batches on L1 once they are there: as a function of what is followed.
namespace quarry::node::l1 {

/// Transactions since the start.
struct SettlementFigures {
    std::uint64_t batches_in_blobs = 0;
    std::uint64_t batches_in_calldata = 0;
    std::uint64_t batches_refused = 0;
    std::uint64_t raises = 0;
    std::uint64_t discards = 0;
    std::uint64_t settlements = 0;
    std::uint64_t reclaims = 0;
    std::uint64_t collections = 0;
};

/// A transaction that is due.
struct Duty {
    std::string name;  ///< what it is for: the same as long as it is due
    Address to;
    Bytes data;
    U256 value;
    std::uint64_t SettlementFigures::* counter = nullptr;
};

/// Whether the block has so many blocks on top, its own included. Block 0 is none.
bool is_deep(std::uint64_t block, const std::optional<HubView::Head>& head, unsigned confirmations);

/// Raises of the first open batch's bounty, its discarding when it is late, the settling of orphans, and raises of
/// `self` that go back to it, of the rollup's submissions. What L1 shows as done is not due.
std::vector<Duty> due_duties(const HubState& state, const HubView::Head& head, const SettlementOptions& options,
                             const Address& hub, const Address& self);

}  // namespace quarry::node::l1
