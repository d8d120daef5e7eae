#include "quarry/node/wallet/contracts.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "quarry/ethereum/silent_chain.hpp"
#include "quarry/ethereum/transaction.hpp"
#include "quarry/node/development_keys.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::wallet::contracts_test {
namespace {

using ethereum::AbiValue;
using ethereum::Address;
using ethereum::Answer;
using ethereum::Bytes;
using ethereum::EthereumCode;
using ethereum::EthereumError;
using ethereum::U256;

Address address(std::uint8_t last) {
    Address r;
    r.bytes[0] = 0xaa;
    r.bytes[19] = last;
    return r;
}
const Address kHub = address(1);
const Address kBridge = ethereum::contract_address(kHub, 1);
const Address kToken = address(3);
const Address kMe = address(4);
constexpr std::uint32_t kRollup = 5;

rollup::RollupParameters parameters() { return {31337, {kHub.bytes}, kRollup, {}, rollup::Amount(1)}; }

Bytes encode(std::string_view types, const AbiValue::List& values) {
    return ethereum::abi_encode(ethereum::abi_types(types), values).value();
}

/// A node whose contracts answer from a few values.
class FakeChain final : public ethereum::SilentChain {
  public:
    std::uint64_t id = 31337;
    Bytes32 domain = l1::digest_bytes(rollup::domain_hash(parameters()));
    U256 allowance;
    std::vector<ethereum::Log> stored;
    Bytes32 root{};
    bool claimed = false;
    std::size_t max_range = 100'000;
    Address bridge = kBridge;
    std::optional<EthereumCode> decimals_error;

    Answer<std::uint64_t> chain_id() override { return id; }
    Answer<std::uint64_t> block_number() override { return std::uint64_t{25'000}; }
    Answer<std::vector<ethereum::Log>> logs(const ethereum::LogFilter& filter, std::uint64_t first,
                                            std::uint64_t last) override {
        if (last - first + 1 > max_range) return EthereumError{EthereumCode::too_many_results, "", {}};
        std::vector<ethereum::Log> found;
        for (const ethereum::Log& log : stored) {
            const bool wanted = std::ranges::find(filter.addresses, log.address) != filter.addresses.end() &&
                                std::ranges::find(filter.topics, log.topics[0]) != filter.topics.end();
            if (wanted && log.block_number >= first && log.block_number <= last) found.push_back(log);
        }
        return found;
    }
    Answer<Bytes> call(const ethereum::CallRequest& request, const ethereum::BlockId&) override {
        using l1::BridgeFunction;
        const auto is = [&](const ethereum::AbiFunction& f) { return f.matches(request.data); };
        if (*request.to == kHub && is(l1::abi(l1::HubFunction::bridge))) return encode("(address)", {bridge});
        if (*request.to == kHub && is(l1::abi(l1::HubFunction::rollup_info))) {
            const AbiValue::List view{kMe,
                                      address(0),
                                      domain,
                                      U256(1),
                                      true,
                                      U256(3),
                                      U256(2),
                                      Bytes32{},
                                      Bytes32{},
                                      U256(0),
                                      l1::to_abi(l1::Parameters())};
            return encode("(" QUARRY_ABI_ROLLUP_VIEW ")", {AbiValue(view)});
        }
        if (*request.to == kBridge && is(l1::abi(BridgeFunction::withdrawals_root))) return encode("(bytes32)", {root});
        if (*request.to == kBridge && is(l1::abi(BridgeFunction::is_claimed))) return encode("(bool)", {claimed});
        if (*request.to == kBridge && is(l1::abi(BridgeFunction::token_count))) return encode("(uint256)", {U256(2)});
        if (*request.to == kBridge && is(l1::abi(BridgeFunction::token_of))) return encode("(address)", {kToken});
        if (*request.to == kToken && is(ethereum::AbiFunction("decimals()"))) {
            if (decimals_error) return EthereumError{*decimals_error, "", {}};
            return encode("(uint8)", {U256(6)});
        }
        if (*request.to == kToken && is(ethereum::AbiFunction("symbol()")))
            return encode("(string)", {AbiValue::text("US\"D")});
        if (*request.to == kToken && is(ethereum::AbiFunction("allowance(address,address)")))
            return encode("(uint256)", {allowance});
        return Bytes{};
    }
};

/// BatchProven of a batch, with withdrawals of 34 bytes each.
ethereum::Log proven(std::uint32_t rollup_id, std::uint64_t number, std::uint64_t block,
                     const std::vector<l1::Withdrawal>& withdrawals) {
    Bytes packed;
    for (const l1::Withdrawal& w : withdrawals) {
        packed.push_back(static_cast<std::uint8_t>(w.token >> 8));
        packed.push_back(static_cast<std::uint8_t>(w.token));
        const Bytes32 amount = l1::to_u256(w.amount).to_bytes();
        packed.insert(packed.end(), amount.end() - 12, amount.end());
        packed.insert(packed.end(), w.recipient.bytes.begin(), w.recipient.bytes.end());
    }
    ethereum::Log log;
    log.address = kHub;
    log.block_number = block;
    log.topics = {
        ethereum::event_topic("BatchProven(uint32,uint64,address,uint64,address,uint96,uint32,bytes32,bytes)"),
        U256(rollup_id).to_bytes(), U256(number).to_bytes(), AbiValue(kMe).bytes32()};
    log.data = encode("(uint64,address,uint96,uint32,bytes32,bytes)",
                      {U256(1), kMe, U256(2), U256(3), Bytes32{}, AbiValue(packed)});
    return log;
}

Bytes32 node_of(const Bytes32& left, const Bytes32& right) {
    Bytes bytes{1};
    bytes.insert(bytes.end(), left.begin(), left.end());
    bytes.insert(bytes.end(), right.begin(), right.end());
    return keccak256(bytes);
}

TEST(WalletContracts, AreThoseOfTheRollup) {
    FakeChain chain;
    const auto contracts = find_contracts(chain, parameters());
    ASSERT_TRUE(contracts.ok()) << contracts.error().cause;
    EXPECT_EQ(contracts.value().bridge, kBridge);
    EXPECT_TRUE(contracts.value().is_trusted);
    const auto tokens = read_tokens(chain, contracts.value(), kRollup).value();
    ASSERT_EQ(tokens.size(), 1u);
    EXPECT_EQ(tokens[0], (Token{1, {kToken.bytes}, 6, "USD"}));
    // An endpoint cannot send deposits elsewhere.
    chain.bridge = address(2);
    EXPECT_EQ(find_contracts(chain, parameters()).error().name, "l1_unreachable");
    chain.bridge = kBridge;
    chain.domain[0] ^= 1;
    EXPECT_EQ(find_contracts(chain, parameters()).error().name, "wrong_rollup");
    chain.id = 1;
    EXPECT_EQ(find_contracts(chain, parameters()).error().name, "wrong_chain");
}

TEST(WalletContracts, DecimalsAreKnownOrNot) {
    FakeChain chain;
    const Contracts contracts{kHub, kBridge, true};
    chain.decimals_error = EthereumCode::execution_reverted;  // the token has none
    EXPECT_EQ(read_tokens(chain, contracts, kRollup).value().at(0).decimals, 0u);
    for (const EthereumCode code : {EthereumCode::timed_out, EthereumCode::rate_limited, EthereumCode::bad_response}) {
        chain.decimals_error = code;
        EXPECT_EQ(read_tokens(chain, contracts, kRollup).error().name, "l1_unreachable");
    }
}

TEST(WalletContracts, ApproveWhatIsMissingAndNoMore) {
    FakeChain chain;
    const Token token{1, {kToken.bytes}, 6, "USD"};
    EXPECT_TRUE(approvals(chain, ether(), kMe, kBridge, rollup::Amount(5)).value().empty());
    const auto one = approvals(chain, token, kMe, kBridge, rollup::Amount(1'500'000)).value();
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].to, kToken);
    EXPECT_EQ(one[0].data, ethereum::AbiFunction("approve(address,uint256)").call({kBridge, U256(1'500'000)}));
    chain.allowance = 1'499'999;
    EXPECT_EQ(approvals(chain, token, kMe, kBridge, rollup::Amount(1'500'000)).value().size(), 2u);
    chain.allowance = 1'500'000;
    EXPECT_TRUE(approvals(chain, token, kMe, kBridge, rollup::Amount(1'500'000)).value().empty());
    const Token other{2, {kMe.bytes}, 6, "NO"};
    EXPECT_EQ(approvals(chain, other, kMe, kBridge, rollup::Amount(1)).error().name, "bad_contract");
}

TEST(WalletContracts, FindWithdrawalsOfFinalBatchesAlone) {
    FakeChain chain;
    const std::vector<l1::Withdrawal> real{
        {0, rollup::Amount(7), address(9)}, {1, rollup::Amount(8), kMe}, {0, rollup::Amount(9), kMe}};
    std::vector<l1::Withdrawal> replaced = real;
    replaced[1].amount = rollup::Amount(1'000'000);
    chain.root = l1::withdrawal_path(real, 0).root;
    chain.stored = {proven(kRollup, 4, 10, replaced), proven(kRollup, 4, 20'000, real),
                    proven(kRollup + 1, 4, 30, real)};
    chain.stored.push_back(chain.stored[1]);
    chain.stored.back().address = address(8);  // somebody else's contract says the same
    const auto found = find_withdrawals(chain, {kHub, kBridge, true}, kRollup, kMe, 0, 0).value();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].withdrawal, real[1]);
    EXPECT_EQ(found[1].index, 2);
    EXPECT_EQ(found[1].batch, 4u);
    // The path leads from the leaf, written down here, to the bridge's root.
    Bytes leaf{0, 2, 0, 0};
    const Bytes32 amount = U256(9).to_bytes();
    leaf.insert(leaf.end(), amount.end() - 12, amount.end());
    leaf.insert(leaf.end(), kMe.bytes.begin(), kMe.bytes.end());
    Bytes32 at = keccak256(leaf);
    for (std::size_t i = 0; i < 8; ++i)
        at = (2 >> i & 1) != 0 ? node_of(found[1].path[i], at) : node_of(at, found[1].path[i]);
    EXPECT_EQ(at, chain.root);
    chain.max_range = 300;  // a node that refuses larger ranges
    EXPECT_EQ(find_withdrawals(chain, {kHub, kBridge, true}, kRollup, kMe, 0, 4).value().size(), 2u);
    EXPECT_TRUE(find_withdrawals(chain, {kHub, kBridge, true}, kRollup, kMe, 0, 3).value().empty());
    EXPECT_TRUE(find_withdrawals(chain, {kHub, kBridge, true}, kRollup, kMe, 20'001, 0).value().empty());
    chain.root = {};
    EXPECT_TRUE(find_withdrawals(chain, {kHub, kBridge, true}, kRollup, kMe, 0, 0).value().empty());
}

}  // namespace
}  // namespace quarry::node::wallet::contracts_test
