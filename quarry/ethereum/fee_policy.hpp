#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/u256.hpp"

/// What a transaction offers per gas, and what its replacement must offer. Pure.
namespace quarry::ethereum {

/// In wei per gas.
struct Fees {
    U256 priority;
    U256 max;
    U256 max_blob;  ///< zero without blobs
    friend bool operator==(const Fees&, const Fees&) noexcept = default;
};

struct FeeLimits {
    U256 max;
    U256 max_blob;
    U256 min_priority;
};

/// Twice the next block's base fee and the median tip, so that it stays valid while the base fee rises for six full
/// blocks. Below the limits; empty when even the next block costs more than they allow.
std::optional<Fees> first_fees(const FeeSuggestion& now, const FeeLimits& limits, bool is_blob);
/// As above with just enough for a base fee that rises once more.
std::optional<Fees> tight_fees(const FeeSuggestion& now, const FeeLimits& limits, bool is_blob);

/// At least a tenth more in each field, or with blobs twice as much: less than that no node takes. Empty when the
/// limits forbid it, or when it would not be mined now in spite of it.
std::optional<Fees> replacement_fees(const Fees& old, const FeeSuggestion& now, const FeeLimits& limits, bool is_blob);

/// Whether the next block could contain a transaction with these fees.
bool are_enough(const Fees& fees, const FeeSuggestion& now, bool is_blob);

/// What it may cost at most, without its value; empty when that is no number of 256 bits.
std::optional<U256> worst_cost(const Fees& fees, std::uint64_t gas_limit, std::size_t num_blobs);

}  // namespace quarry::ethereum
