#pragma once
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "quarry/ethereum/chain.hpp"

/// For tests: a node behind a name that others share, whose index of logs has a hole.
namespace quarry::testing {

class ForgetfulChain final : public ethereum::Chain {
  public:
    template <class T>
    using Answer = ethereum::Answer<T>;

    explicit ForgetfulChain(ethereum::Chain& chain) : chain_(chain) {}

    /// One log of this block it does not have.
    std::optional<std::uint64_t> hole;
    /// Whether, once doubted, another node answers, which has it.
    bool has_others = false;
    unsigned num_doubts = 0;
    /// After so many receipts the way to it is lost.
    std::optional<unsigned> receipts_left;

    void doubt() override {
        ++num_doubts;
        if (has_others) hole.reset();
    }
    Answer<std::vector<ethereum::Log>> logs(const ethereum::LogFilter& filter, std::uint64_t first,
                                            std::uint64_t last) override {
        return without_one(chain_.logs(filter, first, last));
    }
    Answer<std::vector<ethereum::Log>> logs_of(const ethereum::LogFilter& filter,
                                               const ethereum::Hash& block_hash) override {
        return without_one(chain_.logs_of(filter, block_hash));
    }

    Answer<std::uint64_t> chain_id() override { return chain_.chain_id(); }
    Answer<std::uint64_t> block_number() override { return chain_.block_number(); }
    Answer<ethereum::BlockHeader> block(const ethereum::BlockId& id) override { return chain_.block(id); }
    Answer<std::vector<ethereum::BlockHeader>> blocks(std::uint64_t first, std::size_t count) override {
        return chain_.blocks(first, count);
    }
    Answer<std::optional<ethereum::Receipt>> receipt(const ethereum::Hash& transaction) override {
        if (receipts_left && (*receipts_left)-- == 0) {
            receipts_left = 0;
            return ethereum::EthereumError{ethereum::EthereumCode::timed_out, "", {}};
        }
        return chain_.receipt(transaction);
    }
    Answer<ethereum::ChainTransaction> transaction(const ethereum::Hash& transaction) override {
        return chain_.transaction(transaction);
    }
    Answer<std::uint64_t> transaction_count(const ethereum::Address& account, const ethereum::BlockId& at) override {
        return chain_.transaction_count(account, at);
    }
    Answer<ethereum::Bytes> call(const ethereum::CallRequest& request, const ethereum::BlockId& at) override {
        return chain_.call(request, at);
    }
    Answer<std::uint64_t> estimate_gas(const ethereum::CallRequest& request) override {
        return chain_.estimate_gas(request);
    }
    Answer<ethereum::FeeSuggestion> suggest_fees() override { return chain_.suggest_fees(); }
    Answer<ethereum::Hash> send_raw(ethereum::ByteView transaction) override { return chain_.send_raw(transaction); }
    Answer<ethereum::Bytes> code(const ethereum::Address& account, const ethereum::BlockId& at) override {
        return chain_.code(account, at);
    }
    Answer<ethereum::U256> balance(const ethereum::Address& account, const ethereum::BlockId& at) override {
        return chain_.balance(account, at);
    }

  private:
    Answer<std::vector<ethereum::Log>> without_one(Answer<std::vector<ethereum::Log>> answer) const {
        if (!answer || !hole) return answer;
        std::vector<ethereum::Log>& logs = answer.value();
        const auto at = std::ranges::find(logs, *hole, &ethereum::Log::block_number);
        if (at != logs.end()) logs.erase(at);
        return answer;
    }

    ethereum::Chain& chain_;
};

}  // namespace quarry::testing
