#pragma once
#include <memory>
#include <string_view>

#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/json_rpc.hpp"

namespace quarry::ethereum {

/// The node behind a JsonRpc.
std::unique_ptr<Chain> make_rpc_chain(std::shared_ptr<JsonRpc> rpc);

/// wrong_chain unless the endpoint is on this chain.
Answer<Done> check_chain(Chain& chain, std::uint64_t chain_id);

/// Readers of results: JSON text from the node to values. Total. bad_json, bad_response, not_found (null).
Answer<BlockHeader> parse_block(std::string_view json);
Answer<std::vector<Log>> parse_logs(std::string_view json);
Answer<std::optional<Receipt>> parse_receipt(std::string_view json);
Answer<ChainTransaction> parse_transaction(std::string_view json);
Answer<FeeSuggestion> parse_fee_history(std::string_view json);

}  // namespace quarry::ethereum
