#pragma once
#include <cstdint>

#include "quarry/node/l1/hub_types.hpp"

namespace quarry::node::l1 {

/// How a sequencer's batches get to L1, and what it pays for their proofs. Money in wei.
struct SettlementOptions {
    std::uint32_t rollup = 0;
    /// Blocks on top, the one that contains it included, before a queue entry is used or a batch counts as posted.
    unsigned confirmations = 2;
    /// The same before what nothing takes back: a batch is final for users, is executed again, is given up. As deep a
    /// reorganisation as that is survived.
    unsigned final_confirmations = 16;

    enum class Placement { automatic, blobs, calldata };
    Placement placement = Placement::automatic;  ///< automatic: whatever costs less now
    U256 max_total_fee;                          ///< of one batch's transaction; 0: the sender's caps alone

    U256 base_per_batch{100'000'000'000'000};  ///< of the bounty: 0.0001 ETH
    U256 base_per_word{20'000'000'000};        ///< a transfer has three words
    unsigned max_percent = 300;                ///< the bounty at the end of the proving window, of base
    U256 rebate_cap{20'000'000'000'000'000};   ///< 0.02 ETH

    /// The last part of the proving window in which the bounty is raised, in equal steps.
    unsigned raise_last_percent = 30;
    unsigned num_raises = 2;
    U256 raise_amount;  ///< of one step; 0: never

    bool discards_late = true;             ///< drop a batch that nobody proved, and execute its operations again
    std::uint64_t discard_after_sec = 20;  ///< after the end of the window: a late proof may still come
    /// Credit at the hub, or fees of forced entries at the bridge, that are drawn; 0: never.
    U256 collect_above{1'000'000'000'000'000'000};
};

/// base and max for a batch of so many words.
Terms terms_for(const SettlementOptions& options, std::size_t num_words);

/// Gas that data costs as calldata: the larger of EIP-2028's price and EIP-7623's floor, and the contract's evaluation.
std::uint64_t calldata_gas(ByteView data);
/// Wei that posting the data costs in blobs and as calldata, at these prices per gas.
struct PlacementCost {
    U256 blobs;
    U256 calldata;
};
PlacementCost placement_cost(ByteView data, const U256& gas_price, const U256& blob_gas_price);

}  // namespace quarry::node::l1
