#pragma once
#include "quarry/rollup/effects.hpp"

/// The rolling hashes by which L1 fixes its queues: q_0 = 0, q_(i+1) = keccak256(q_i || words of entry i). The words
/// are those of the entry's effect as if it applied, without token and amount in a forced withdrawal, so that a
/// contract checks what an effect says of an entry by hashing the effect. docs/spec/settlement.md, section 3.1.
namespace quarry::rollup {

/// The rolling hash after the deposit `entry`, number `index`, from the one before it.
Bytes32 roll_queue(const Bytes32& before, std::uint64_t index, const DepositEntry& entry);
/// The same for an entry of the forced queue.
Bytes32 roll_queue(const Bytes32& before, std::uint64_t index, const ForcedEntry& entry);

}  // namespace quarry::rollup
