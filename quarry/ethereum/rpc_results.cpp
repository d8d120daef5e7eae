#include <algorithm>

#include "quarry/ethereum/json_fields.hpp"
#include "quarry/ethereum/rpc_chain.hpp"
#include "quarry/ethereum/transaction.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxTopics = 4;
constexpr std::size_t kMaxLogBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxCalldataBytes = std::size_t{1} << 20;

Answer<boost::json::value> parse_found(std::string_view json, const char* what) {
    QUARRY_TRY_ASSIGN(boost::json::value value, parse_json(json));
    if (value.is_null()) return EthereumError{EthereumCode::not_found, what, {}};
    return value;
}

Answer<Log> read_log(const boost::json::value& value) {
    JsonFields f(value, "log");
    Log r;
    r.address = f.address("address");
    r.topics = f.hashes("topics", kMaxTopics);
    r.data = f.bytes("data", kMaxLogBytes);
    r.block_number = f.quantity("blockNumber");
    r.block_hash = f.hash("blockHash");
    r.transaction_hash = f.hash("transactionHash");
    r.transaction_index = f.quantity("transactionIndex");
    r.log_index = f.quantity("logIndex");
    if (f.is_true("removed")) f.refuse("removed");
    QUARRY_TRY(f.finish());
    return r;
}

Answer<std::vector<Log>> read_logs(const boost::json::array& array) {
    std::vector<Log> r;
    r.reserve(array.size());
    for (const auto& value : array) {
        QUARRY_TRY_ASSIGN(Log log, read_log(value));
        r.push_back(std::move(log));
    }
    return r;
}

/// The numbers of an array of quantities.
Answer<std::vector<U256>> read_amounts(const boost::json::array& array, const char* what) {
    std::vector<U256> r;
    for (const auto& value : array) {
        const auto* const text = value.if_string();
        const auto amount =
            U256::from_hex(text == nullptr ? std::string_view() : std::string_view(text->data(), text->size()));
        if (!amount) return bad_response(what);
        r.push_back(amount.value());
    }
    return r;
}

}  // namespace

Answer<BlockHeader> parse_block(std::string_view json) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_found(json, "block"));
    JsonFields f(value, "block");
    BlockHeader r;
    r.number = f.quantity("number");
    r.hash = f.hash("hash");
    r.parent_hash = f.hash("parentHash");
    r.timestamp = f.quantity("timestamp");
    r.gas_used = f.quantity("gasUsed");
    r.gas_limit = f.quantity("gasLimit");
    r.base_fee_per_gas = f.amount("baseFeePerGas");
    if (f.has("excessBlobGas")) r.excess_blob_gas = f.quantity("excessBlobGas");
    if (f.has("parentBeaconBlockRoot")) r.parent_beacon_block_root = f.hash("parentBeaconBlockRoot");
    f.fixed("logsBloom", r.logs_bloom);
    QUARRY_TRY(f.finish());
    return r;
}

Answer<std::vector<Log>> parse_logs(std::string_view json) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_json(json));
    if (!value.is_array()) return bad_response("logs");
    return read_logs(value.get_array());
}

Answer<std::optional<Receipt>> parse_receipt(std::string_view json) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_json(json));
    if (value.is_null()) return std::optional<Receipt>();
    JsonFields f(value, "receipt");
    if (!f.has("blockHash")) return std::optional<Receipt>();  // some nodes answer for what is still pending
    Receipt r;
    r.transaction_hash = f.hash("transactionHash");
    r.block = {f.quantity("blockNumber"), f.hash("blockHash")};
    r.transaction_index = f.quantity("transactionIndex");
    const std::uint64_t status = f.quantity("status");
    if (status > 1) f.refuse("status");
    r.is_success = status == 1;
    r.gas_used = f.quantity("gasUsed");
    r.effective_gas_price = f.amount("effectiveGasPrice");
    if (f.has("blobGasUsed")) r.blob_gas_used = f.quantity("blobGasUsed");
    if (f.has("blobGasPrice")) r.blob_gas_price = f.amount("blobGasPrice");
    if (f.has("contractAddress")) r.contract_address = f.address("contractAddress");
    const auto* const logs = f.array("logs");
    QUARRY_TRY(f.finish());
    QUARRY_TRY_ASSIGN(r.logs, read_logs(*logs));
    return std::optional<Receipt>(std::move(r));
}

Answer<ChainTransaction> parse_transaction(std::string_view json) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_found(json, "transaction"));
    JsonFields f(value, "transaction");
    ChainTransaction r;
    r.hash = f.hash("hash");
    const std::uint64_t type = f.has("type") ? f.quantity("type") : 0;
    if (type > 0x7f) f.refuse("type");
    r.type = static_cast<std::uint8_t>(type);
    r.from = f.address("from");
    if (f.has("to")) r.to = f.address("to");
    r.nonce = f.quantity("nonce");
    r.value = f.amount("value");
    r.data = f.bytes("input", kMaxCalldataBytes);
    if (f.has("blobVersionedHashes")) r.blob_hashes = f.hashes("blobVersionedHashes", kMaxBlobHashes);
    if (f.has("blockHash")) r.block = BlockRef{f.quantity("blockNumber"), f.hash("blockHash")};
    QUARRY_TRY(f.finish());
    return r;
}

Answer<FeeSuggestion> parse_fee_history(std::string_view json) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_found(json, "fee history"));
    JsonFields f(value, "fee history");
    const auto* const base = f.array("baseFeePerGas");
    const auto* const reward = f.array("reward");
    const auto* const blob = f.has("baseFeePerBlobGas") ? f.array("baseFeePerBlobGas") : nullptr;
    QUARRY_TRY(f.finish());
    FeeSuggestion r;
    QUARRY_TRY_ASSIGN(const std::vector<U256> base_fees, read_amounts(*base, "baseFeePerGas"));
    if (base_fees.empty()) return bad_response("baseFeePerGas");
    r.base_fee = base_fees.back();
    if (blob != nullptr) {
        QUARRY_TRY_ASSIGN(const std::vector<U256> blob_fees, read_amounts(*blob, "baseFeePerBlobGas"));
        if (!blob_fees.empty()) r.blob_base_fee = blob_fees.back();
    }
    std::vector<U256> tips;
    for (const auto& block : *reward) {
        if (!block.is_array()) return bad_response("reward");
        QUARRY_TRY_ASSIGN(const std::vector<U256> percentiles, read_amounts(block.get_array(), "reward"));
        if (!percentiles.empty() && !percentiles[0].is_zero()) tips.push_back(percentiles[0]);  // zero: an empty block
    }
    if (!tips.empty()) {
        const auto middle = tips.begin() + static_cast<std::ptrdiff_t>(tips.size() / 2);
        std::nth_element(tips.begin(), middle, tips.end());
        r.priority_fee = *middle;
    }
    return r;
}

}  // namespace quarry::ethereum
