#pragma once
#include "quarry/ethereum/chain.hpp"

/// A node that answers nothing: tests override what they need.
namespace quarry::ethereum {

class SilentChain : public Chain {
  public:
    static EthereumError unused() { return {EthereumCode::unknown_method, "", {}}; }
    Answer<std::uint64_t> chain_id() override { return unused(); }
    Answer<std::uint64_t> block_number() override { return unused(); }
    Answer<BlockHeader> block(const BlockId& /*id*/) override { return unused(); }
    Answer<std::vector<BlockHeader>> blocks(std::uint64_t /*first*/, std::size_t /*count*/) override {
        return unused();
    }
    Answer<std::vector<Log>> logs(const LogFilter& /*filter*/, std::uint64_t /*first*/,
                                  std::uint64_t /*last*/) override {
        return unused();
    }
    Answer<std::vector<Log>> logs_of(const LogFilter& /*filter*/, const Hash& /*block*/) override { return unused(); }
    Answer<std::optional<Receipt>> receipt(const Hash& /*transaction*/) override { return unused(); }
    Answer<ChainTransaction> transaction(const Hash& /*transaction*/) override { return unused(); }
    Answer<std::uint64_t> transaction_count(const Address& /*account*/, const BlockId& /*at*/) override {
        return unused();
    }
    Answer<Bytes> call(const CallRequest& /*request*/, const BlockId& /*at*/) override { return unused(); }
    Answer<std::uint64_t> estimate_gas(const CallRequest& /*request*/) override { return unused(); }
    Answer<FeeSuggestion> suggest_fees() override { return unused(); }
    Answer<Hash> send_raw(ByteView /*transaction*/) override { return unused(); }
    Answer<Bytes> code(const Address& /*account*/, const BlockId& /*at*/) override { return unused(); }
    Answer<U256> balance(const Address& /*account*/, const BlockId& /*at*/) override { return unused(); }
    Answer<U256> storage(const Address& /*account*/, const U256& /*slot*/, const BlockId& /*at*/) override {
        return unused();
    }
};

}  // namespace quarry::ethereum
