#include "quarry/rollup/queue_hash.hpp"

#include "quarry/hash/keccak.hpp"

namespace quarry::rollup {

namespace {

Bytes32 roll(const Bytes32& before, const Effect& effect) {
    std::vector<std::uint8_t> bytes(before.begin(), before.end());
    encode(effect, bytes);
    return keccak256(bytes);
}

}  // namespace

Bytes32 roll_queue(const Bytes32& before, std::uint64_t index, const DepositEntry& entry) {
    return roll(before, DepositEffect{.applied = true, .index = index, .entry = entry});
}

Bytes32 roll_queue(const Bytes32& before, std::uint64_t index, const ForcedEntry& entry) {
    if (const auto* withdrawal = std::get_if<ForcedWithdrawalEntry>(&entry)) {
        return roll(before, ForcedWithdrawalEffect{
                                .applied = true, .index = index, .entry = *withdrawal, .token = 0, .amount = {}});
    }
    return roll(before, SetKeyEffect{.applied = true, .index = index, .entry = std::get<SetKeyEntry>(entry)});
}

}  // namespace quarry::rollup
