#include "quarry/node/wallet/contracts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/wallet/token_amount.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::wallet {
namespace {

using ethereum::AbiFunction;
using ethereum::Address;
using ethereum::BlockTag;
using ethereum::Bytes;
using ethereum::Chain;
using ethereum::U256;
using Kind = Problem::Kind;

constexpr std::uint64_t kMaxTokens = 1024;

/// The functions of ERC-20 that a wallet uses.
struct TokenAbi {
    AbiFunction decimals{"decimals()", "(uint8)"};
    AbiFunction symbol{"symbol()", "(string)"};
    AbiFunction allowance{"allowance(address,address)", "(uint256)"};
    AbiFunction approve{"approve(address,uint256)", "(bool)"};
};
const TokenAbi& token_abi() {
    static const TokenAbi abi;
    return abi;
}

/// Empty: the contract has no such function, or answers otherwise. A problem: nobody knows.
Outcome<std::optional<ethereum::AbiValue::List>> ask(Chain& chain, const Address& contract, const AbiFunction& function,
                                                     const ethereum::AbiValue::List& arguments) {
    using Results = std::optional<ethereum::AbiValue::List>;
    ethereum::CallRequest request;
    request.to = contract;
    request.data = function.call(arguments);
    const auto data = chain.call(request, BlockTag::latest);
    if (!data && data.error().code == ethereum::EthereumCode::execution_reverted) return Results();
    if (!data) return l1_problem(data.error());
    auto results = function.decode_results(data.value());
    if (!results) return Results();
    return Results(std::move(results).value());
}

/// The last BatchProven of each number: an earlier one may be of a batch that was replaced.
using Proven = std::map<std::uint64_t, std::vector<l1::BatchProven>>;

/// Logs of a range; halved where the node finds it too large.
Outcome<Done> collect_proven(Chain& chain, const ethereum::LogFilter& filter, std::uint64_t first, std::uint64_t last,
                             std::uint32_t rollup_id, Proven& out) {
    constexpr std::uint64_t kMaxRange = 10'000;
    while (first <= last) {
        std::uint64_t end = std::min(last, first + kMaxRange - 1);
        auto logs = chain.logs(filter, first, end);
        while (!logs && logs.error().code == ethereum::EthereumCode::too_many_results && end > first) {
            end = first + (end - first) / 2;
            logs = chain.logs(filter, first, end);
        }
        if (!logs) return l1_problem(logs.error());
        for (const ethereum::Log& log : logs.value()) {
            const auto event = l1::decode_event(log);
            if (!event || !event.value()) continue;
            const auto* proven = std::get_if<l1::BatchProven>(&*event.value());
            if (proven != nullptr && proven->rollup == rollup_id) out[proven->number].push_back(*proven);
        }
        first = end + 1;
    }
    return Done{};
}

}  // namespace

Problem l1_problem(const ethereum::EthereumError& error) {
    using Code = ethereum::EthereumCode;
    std::string cause = ethereum::ethereum_code_text(error.code);
    if (!error.detail.empty()) cause += ": " + error.detail;
    if (error.code == Code::execution_reverted) {
        const std::string name = l1::revert_name(error.revert_data);
        return {Kind::refused, "l1_refused", fmt::format("the contract refuses: {} ({})", name, cause),
                "docs/spec/settlement.md says when it does"};
    }
    if (error.code == Code::insufficient_funds)
        return {Kind::refused, "insufficient_funds", cause, "send some ETH to the account of --ethereum-key"};
    if (ethereum::is_transient(error.code))
        return {Kind::environment, "l1_unreachable", "the Ethereum node: " + cause, "check --l1 and try again"};
    return {Kind::environment, ethereum::ethereum_code_name(error.code), "the Ethereum node: " + cause,
            "check --l1 and try again"};
}

Outcome<Contracts> find_contracts(Chain& chain, const rollup::RollupParameters& parameters) {
    const auto chain_id = chain.chain_id();
    if (!chain_id) return l1_problem(chain_id.error());
    if (chain_id.value() != parameters.l1_chain_id)
        return Problem{
            Kind::refused, "wrong_chain",
            fmt::format("the Ethereum node is on chain {}, the rollup on {}", chain_id.value(), parameters.l1_chain_id),
            "give a node of the rollup's chain with --l1"};
    Contracts contracts{{parameters.hub.bytes}, {}, false};
    l1::HubReader hub(chain, contracts.hub);
    const auto info = hub.rollup_info(parameters.rollup_id);
    if (!info) return l1_problem(info.error());
    if (info.value().domain != l1::digest_bytes(rollup::domain_hash(parameters)))
        return Problem{Kind::refused, "wrong_rollup", "the hub has another rollup under this number",
                       "check --hub and --rollup-id with whoever runs the rollup"};
    contracts.is_trusted = info.value().is_trusted;
    const auto bridge = hub.bridge();
    if (!bridge) return l1_problem(bridge.error());
    contracts.bridge = bridge.value();
    return contracts;
}

Outcome<std::vector<Token>> read_tokens(Chain& chain, const Contracts& contracts, std::uint32_t rollup_id) {
    l1::BridgeReader bridge(chain, contracts.bridge);
    const auto count = bridge.token_count(rollup_id);
    if (!count) return l1_problem(count.error());
    std::vector<Token> tokens;
    for (std::uint64_t id = 1; id < std::min(count.value(), kMaxTokens); ++id) {
        const auto contract = bridge.token_of(rollup_id, static_cast<rollup::TokenId>(id));
        if (!contract) return l1_problem(contract.error());
        const auto decimals = ask(chain, contract.value(), token_abi().decimals, {});
        if (!decimals) return decimals.error();
        // ERC-20 has decimals as an option: without it, amounts are in smallest units.
        const std::uint64_t places = decimals.value() ? (*decimals.value())[0].u64() : 0;
        if (places > kMaxDecimals) continue;
        const auto symbol = ask(chain, contract.value(), token_abi().symbol, {});
        if (!symbol) return symbol.error();
        std::string text;
        if (symbol.value()) text.assign((*symbol.value())[0].bytes().begin(), (*symbol.value())[0].bytes().end());
        tokens.push_back({static_cast<rollup::TokenId>(id),
                          {contract.value().bytes},
                          static_cast<unsigned>(places),
                          clean_symbol(text)});
    }
    return tokens;
}

Outcome<std::vector<L1Call>> approvals(Chain& chain, const Token& token, const Address& holder, const Address& bridge,
                                       rollup::Amount amount) {
    std::vector<L1Call> calls;
    if (token.id == 0) return calls;
    const Address contract = l1::to_ethereum(token.contract);
    const auto allowed = ask(chain, contract, token_abi().allowance, {holder, bridge});
    if (!allowed) return allowed.error();
    if (!allowed.value())
        return Problem{Kind::refused, "bad_contract", fmt::format("{} does not answer as a token", token.symbol),
                       "`quarry wallet connect --replace --l1 URL ..` reads the rollup's tokens again"};
    const U256 wanted = l1::to_u256(amount);
    const U256 present = (*allowed.value())[0].word();
    if (present >= wanted) return calls;
    const auto approve = [&](const U256& x) { return token_abi().approve.call({bridge, x}); };
    if (!present.is_zero())
        calls.push_back(
            {fmt::format("taking an earlier approval of {} back", token.symbol), contract, {}, approve({})});
    calls.push_back(
        {fmt::format("approval of {} {} for the bridge", format_token_amount(amount, token.decimals), token.symbol),
         contract,
         {},
         approve(wanted)});
    return calls;
}

Outcome<std::vector<Claimable>> find_withdrawals(Chain& chain, const Contracts& contracts, std::uint32_t rollup_id,
                                                 const Address& recipient, std::uint64_t first_block,
                                                 std::uint64_t only_batch) {
    const auto head = chain.block_number();
    if (!head) return l1_problem(head.error());
    ethereum::LogFilter filter;
    filter.addresses = {contracts.hub};
    filter.topics = {
        ethereum::event_topic("BatchProven(uint32,uint64,address,uint64,address,uint96,uint32,bytes32,bytes)")};
    Proven proven;
    QUARRY_PASS_ON(collect_proven(chain, filter, first_block, head.value(), rollup_id, proven));
    l1::BridgeReader bridge(chain, contracts.bridge);
    std::vector<Claimable> found;
    for (const auto& [number, events] : proven) {
        if (only_batch != 0 && number != only_batch) continue;
        std::optional<Bytes32> root;
        for (const l1::BatchProven& event : events) {
            for (std::size_t i = 0; i < event.withdrawals.size(); ++i) {
                if (event.withdrawals[i].recipient != recipient) continue;
                if (!root) {
                    const auto read = bridge.withdrawals_root(rollup_id, number);
                    if (!read) return l1_problem(read.error());
                    root = read.value();
                }
                const auto index = static_cast<std::uint8_t>(i);
                const auto path = l1::withdrawal_path(event.withdrawals, index);
                // Of a batch that is not final, or of one that was replaced.
                if (path.root != *root) continue;
                const auto claimed = bridge.is_claimed(rollup_id, number, index);
                if (!claimed) return l1_problem(claimed.error());
                found.push_back({number, index, event.withdrawals[i], path.siblings, claimed.value()});
            }
        }
    }
    return found;
}

}  // namespace quarry::node::wallet
