#include "quarry/ethereum/fee_policy.hpp"

#include <algorithm>

#include "quarry/ethereum/transaction.hpp"

namespace quarry::ethereum {
namespace {

/// What a node says is not trusted: numbers that no arithmetic here can overflow.
constexpr unsigned kMaxFeeBits = 128;

std::optional<Fees> fees_at(const FeeSuggestion& now, const FeeLimits& limits, bool is_blob, std::uint64_t percent) {
    if (now.base_fee.num_bits() > kMaxFeeBits || now.priority_fee.num_bits() > kMaxFeeBits ||
        now.blob_base_fee.num_bits() > kMaxFeeBits) {
        return std::nullopt;
    }
    Fees r;
    r.priority = std::max(now.priority_fee, limits.min_priority);
    if (now.base_fee + r.priority > limits.max) return std::nullopt;
    r.max = std::min(limits.max, (now.base_fee * percent).divide(100) + r.priority);
    if (!is_blob) return r;
    const U256 blob_now = std::max(now.blob_base_fee, U256(1));
    if (blob_now > limits.max_blob) return std::nullopt;
    r.max_blob = std::min(limits.max_blob, std::max((blob_now * percent).divide(100), U256(2)));
    r.max_blob = std::max(r.max_blob, blob_now);
    return r;
}

}  // namespace

std::optional<Fees> first_fees(const FeeSuggestion& now, const FeeLimits& limits, bool is_blob) {
    return fees_at(now, limits, is_blob, 200);
}

std::optional<Fees> tight_fees(const FeeSuggestion& now, const FeeLimits& limits, bool is_blob) {
    return fees_at(now, limits, is_blob, 113);
}

std::optional<Fees> replacement_fees(const Fees& old, const FeeSuggestion& now, const FeeLimits& limits, bool is_blob) {
    const auto wanted = first_fees(now, limits, is_blob);
    if (!wanted) return std::nullopt;
    const std::uint64_t factor = is_blob ? 200 : 112;  // percent; nodes ask for 200 and 110
    const auto raised = [&](const U256& x) { return (x * factor + U256(99)).divide(100); };
    Fees r;
    r.priority = std::max(wanted->priority, raised(old.priority));
    r.max = std::max({wanted->max, raised(old.max), r.priority});
    if (is_blob) r.max_blob = std::max(wanted->max_blob, raised(old.max_blob));
    if (r.max > limits.max || r.max_blob > limits.max_blob) return std::nullopt;
    return r;
}

bool are_enough(const Fees& fees, const FeeSuggestion& now, bool is_blob) {
    const auto left = fees.max.checked_sub(now.base_fee);
    return left && *left >= std::min(fees.priority, now.priority_fee) && fees.priority >= now.priority_fee &&
           (!is_blob || fees.max_blob >= now.blob_base_fee);
}

std::optional<U256> worst_cost(const Fees& fees, std::uint64_t gas_limit, std::size_t num_blobs) {
    const auto gas = fees.max.checked_mul(gas_limit);
    const auto blobs = fees.max_blob.checked_mul(num_blobs * kGasPerBlob);
    return gas && blobs ? gas->checked_add(*blobs) : std::nullopt;
}

}  // namespace quarry::ethereum
