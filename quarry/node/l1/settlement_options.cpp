#include "quarry/node/l1/settlement_options.hpp"

#include <algorithm>

#include "quarry/ethereum/transaction.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node::l1 {
namespace {

constexpr std::uint64_t kHornerGasPerWord = 120;       ///< measured: contracts/test/vectors/settlement-gas.json
constexpr std::uint64_t kPointEvaluationGas = 60'000;  ///< of a blob, at its proof: precompile and calldata

}  // namespace

Terms terms_for(const SettlementOptions& options, std::size_t num_words) {
    Terms terms;
    terms.base = options.base_per_batch + options.base_per_word * num_words;
    terms.max = std::max(terms.base, (terms.base * options.max_percent).divide(100));
    terms.rebate_cap = options.rebate_cap;
    return terms;
}

std::uint64_t calldata_gas(ByteView data) {
    const auto zeros = static_cast<std::uint64_t>(std::count(data.begin(), data.end(), std::uint8_t{0}));
    const std::uint64_t nonzeros = data.size() - zeros;
    const std::uint64_t words = data.size() / rollup::kWordBytes;
    return std::max(16 * nonzeros + 4 * zeros + kHornerGasPerWord * words, 10 * (4 * nonzeros + zeros));
}

PlacementCost placement_cost(ByteView data, const U256& gas_price, const U256& blob_gas_price) {
    const std::size_t blob_bytes = rollup::kBlobWords * rollup::kWordBytes;
    const std::uint64_t num_blobs = (data.size() + blob_bytes - 1) / blob_bytes;
    return {saturated_sum(saturated_product(blob_gas_price, num_blobs * ethereum::kGasPerBlob),
                          saturated_product(gas_price, num_blobs * kPointEvaluationGas)),
            saturated_product(gas_price, calldata_gas(data))};
}

}  // namespace quarry::node::l1
