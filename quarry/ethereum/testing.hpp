#pragma once
#include "quarry/ethereum/chain.hpp"

namespace quarry::ethereum::testing {

/// A node that knows no method: what fakes start from.
class SilentChain : public Chain {
  public:
    static EthereumError unused() { return {EthereumCode::unknown_method, "", {}}; }
    Answer<std::uint64_t> chain_id() override { return unused(); }
    Answer<std::uint64_t> block_number() override { return unused(); }
    Answer<BlockHeader> block(const BlockId&) override { return unused(); }
    Answer<std::vector<BlockHeader>> blocks(std::uint64_t, std::size_t) override { return unused(); }
    Answer<std::vector<Log>> logs(const LogFilter&, std::uint64_t, std::uint64_t) override { return unused(); }
    Answer<std::vector<Log>> logs_of(const LogFilter&, const Hash&) override { return unused(); }
    Answer<std::optional<Receipt>> receipt(const Hash&) override { return unused(); }
    Answer<ChainTransaction> transaction(const Hash&) override { return unused(); }
    Answer<std::uint64_t> transaction_count(const Address&, const BlockId&) override { return unused(); }
    Answer<Bytes> call(const CallRequest&, const BlockId&) override { return unused(); }
    Answer<std::uint64_t> estimate_gas(const CallRequest&) override { return unused(); }
    Answer<FeeSuggestion> suggest_fees() override { return unused(); }
    Answer<Hash> send_raw(ByteView) override { return unused(); }
    Answer<Bytes> code(const Address&, const BlockId&) override { return unused(); }
    Answer<U256> balance(const Address&, const BlockId&) override { return unused(); }
    Answer<U256> storage(const Address&, const U256&, const BlockId&) override { return unused(); }
};

}  // namespace quarry::ethereum::testing
