#include "quarry/ethereum/rpc_chain.hpp"

#include <algorithm>
#include <utility>

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxResultBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxLogs = 200'000;  ///< of one request; more memory than that is refused

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }
std::string quoted(const Hash& hash) { return quoted(to_hex(hash)); }

std::string_view tag_name(BlockTag tag) {
    switch (tag) {
        case BlockTag::latest:
            return "latest";
        case BlockTag::safe:
            return "safe";
        case BlockTag::finalized:
            return "finalized";
        case BlockTag::pending:
            return "pending";
        case BlockTag::earliest:
            return "earliest";
    }
    return "latest";
}

/// A block parameter; hashes as EIP-1898 has them.
std::string block_param(const BlockId& id) {
    if (const auto* const number = std::get_if<std::uint64_t>(&id)) return quoted(to_quantity(*number));
    if (const auto* const hash = std::get_if<Hash>(&id)) return R"({"blockHash":)" + quoted(*hash) + "}";
    return quoted(tag_name(*std::get_if<BlockTag>(&id)));
}

RpcCall block_call(const BlockId& id) {
    if (const auto* const hash = std::get_if<Hash>(&id)) {
        return {.method = "eth_getBlockByHash", .params = "[" + quoted(*hash) + ",false]"};
    }
    return {.method = "eth_getBlockByNumber", .params = "[" + block_param(id) + ",false]"};
}

template <class T, class Text>
std::string json_list(const std::vector<T>& values, const Text& text) {
    std::string r = "[";
    for (const T& value : values) r += (r.size() == 1 ? "" : ",") + text(value);
    return r + "]";
}

/// The filter's members, to which the blocks are added.
std::string filter_members(const LogFilter& filter) {
    std::string r;
    if (!filter.addresses.empty()) {
        r += R"(,"address":)" + json_list(filter.addresses, [](const Address& a) { return quoted(to_hex(a)); });
    }
    if (!filter.topics.empty()) {
        r += R"(,"topics":[)" + json_list(filter.topics, [](const Hash& h) { return quoted(h); }) + "]";
    }
    return r;
}

std::string call_object(const CallRequest& request) {
    std::string r = R"({"data":)" + quoted(to_hex(request.data));
    if (request.from) r += R"(,"from":)" + quoted(to_hex(*request.from));
    if (request.to) r += R"(,"to":)" + quoted(to_hex(*request.to));
    if (!request.value.is_zero()) r += R"(,"value":)" + quoted(request.value.to_hex());
    if (request.gas_limit) r += R"(,"gas":)" + quoted(to_quantity(*request.gas_limit));
    if (!request.blob_hashes.empty()) {
        r += R"(,"blobVersionedHashes":)" + json_list(request.blob_hashes, [](const Hash& h) { return quoted(h); });
        r += R"(,"maxFeePerBlobGas":)" + quoted(request.max_fee_per_blob_gas.to_hex());
    }
    return r + "}";
}

/// The text inside a JSON string of hexadecimal digits.
std::string_view unquoted(std::string_view json) {
    return json.size() >= 2 && json.front() == '"' && json.back() == '"' ? json.substr(1, json.size() - 2)
                                                                         : std::string_view();
}

template <class T>
Answer<T> read(Decoded<T> value, const char* method) {
    if (value) return std::move(value).value();
    return EthereumError{EthereumCode::bad_response, method, {}};
}

EthereumError other_than_asked(const std::string& what) {
    return {EthereumCode::bad_response, "another " + what + " than the one asked for", {}};
}

class RpcChain final : public Chain {
  public:
    explicit RpcChain(std::shared_ptr<JsonRpc> rpc) : rpc_(std::move(rpc)) {}

    void doubt() override { rpc_->doubt(); }
    Answer<std::uint64_t> chain_id() override { return quantity("eth_chainId", "[]"); }
    Answer<std::uint64_t> block_number() override { return quantity("eth_blockNumber", "[]"); }

    Answer<BlockHeader> block(const BlockId& id) override {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call(block_call(id)));
        QUARRY_TRY_ASSIGN(BlockHeader r, parse_block(json));
        const auto* const number = std::get_if<std::uint64_t>(&id);
        const auto* const hash = std::get_if<Hash>(&id);
        if ((number != nullptr && r.number != *number) || (hash != nullptr && r.hash != *hash)) {
            return other_than_asked("block");
        }
        return r;
    }

    Answer<std::vector<BlockHeader>> blocks(std::uint64_t first, std::size_t count) override {
        std::vector<RpcCall> calls;
        for (std::size_t i = 0; i < count; ++i) calls.push_back(block_call(first + i));
        QUARRY_TRY_ASSIGN(const auto answers, rpc_->call_batch(calls));
        std::vector<BlockHeader> r;
        for (const auto& answer : answers) {
            if (!answer) return answer.error();
            auto header = parse_block(answer.value());
            if (!header && header.error().code == EthereumCode::not_found) break;
            if (!header) return header.error();
            if (header.value().number != first + r.size()) {
                return other_than_asked("block");
            }
            r.push_back(std::move(header).value());
        }
        return r;
    }

    Answer<std::vector<Log>> logs(const LogFilter& filter, std::uint64_t first, std::uint64_t last) override {
        return query_logs(R"([{"fromBlock":)" + quoted(to_quantity(first)) + R"(,"toBlock":)" +
                          quoted(to_quantity(last)) + filter_members(filter) + "}]");
    }
    Answer<std::vector<Log>> logs_of(const LogFilter& filter, const Hash& block_hash) override {
        return query_logs(R"([{"blockHash":)" + quoted(block_hash) + filter_members(filter) + "}]");
    }

    Answer<std::optional<Receipt>> receipt(const Hash& transaction) override {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = "eth_getTransactionReceipt",
                                                              .params = "[" + quoted(transaction) + "]"}));
        QUARRY_TRY_ASSIGN(auto r, parse_receipt(json));
        const bool is_other = r && (r->transaction_hash != transaction ||
                                    std::any_of(r->logs.begin(), r->logs.end(), [&](const Log& log) {
                                        return log.transaction_hash != transaction || log.block_hash != r->block.hash;
                                    }));
        if (is_other) return other_than_asked("transaction");
        return r;
    }
    Answer<ChainTransaction> transaction(const Hash& transaction) override {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = "eth_getTransactionByHash",
                                                              .params = "[" + quoted(transaction) + "]"}));
        QUARRY_TRY_ASSIGN(ChainTransaction r, parse_transaction(json));
        if (r.hash != transaction) return other_than_asked("transaction");
        return r;
    }
    Answer<std::uint64_t> transaction_count(const Address& account, const BlockId& at) override {
        return quantity("eth_getTransactionCount", account_params(account, at));
    }
    Answer<Bytes> call(const CallRequest& request, const BlockId& at) override {
        return bytes("eth_call", "[" + call_object(request) + "," + block_param(at) + "]");
    }
    Answer<std::uint64_t> estimate_gas(const CallRequest& request) override {
        return quantity("eth_estimateGas", "[" + call_object(request) + "]");
    }
    Answer<FeeSuggestion> suggest_fees() override {
        QUARRY_TRY_ASSIGN(const std::string json,
                          rpc_->call({.method = "eth_feeHistory", .params = R"(["0xa","latest",[50]])"}));
        return parse_fee_history(json);
    }
    Answer<Hash> send_raw(ByteView transaction) override {
        const std::string params = "[" + quoted(to_hex(transaction)) + "]";
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = "eth_sendRawTransaction", .params = params}));
        return read(parse_hash(unquoted(json)), "eth_sendRawTransaction");
    }
    Answer<Bytes> code(const Address& account, const BlockId& at) override {
        return bytes("eth_getCode", account_params(account, at));
    }
    Answer<U256> balance(const Address& account, const BlockId& at) override {
        return amount("eth_getBalance", account_params(account, at));
    }

  private:
    static std::string account_params(const Address& account, const BlockId& at) {
        return "[" + quoted(to_hex(account)) + "," + block_param(at) + "]";
    }
    Answer<std::uint64_t> quantity(const char* method, std::string params) {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = method, .params = std::move(params)}));
        return read(parse_quantity(unquoted(json)), method);
    }
    Answer<U256> amount(const char* method, std::string params) {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = method, .params = std::move(params)}));
        return read(U256::from_hex(unquoted(json)), method);
    }
    Answer<Bytes> bytes(const char* method, std::string params) {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = method, .params = std::move(params)}));
        return read(from_hex(unquoted(json), kMaxResultBytes), method);
    }
    Answer<std::vector<Log>> query_logs(std::string params) {
        QUARRY_TRY_ASSIGN(const std::string json, rpc_->call({.method = "eth_getLogs", .params = std::move(params)}));
        QUARRY_TRY_ASSIGN(std::vector<Log> r, parse_logs(json));
        if (r.size() > kMaxLogs) return EthereumError{EthereumCode::too_many_results, "eth_getLogs", {}};
        const auto position = [](const Log& log) { return std::pair(log.block_number, log.log_index); };
        std::sort(r.begin(), r.end(), [&](const Log& a, const Log& b) { return position(a) < position(b); });
        return r;
    }

    std::shared_ptr<JsonRpc> rpc_;
};

}  // namespace

std::unique_ptr<Chain> make_rpc_chain(std::shared_ptr<JsonRpc> rpc) {
    return std::make_unique<RpcChain>(std::move(rpc));
}

Answer<Done> check_chain(Chain& chain, std::uint64_t chain_id) {
    QUARRY_TRY_ASSIGN(const std::uint64_t found, chain.chain_id());
    if (found == chain_id) return Done{};
    return EthereumError{EthereumCode::wrong_chain, std::to_string(found), {}};
}

}  // namespace quarry::ethereum
