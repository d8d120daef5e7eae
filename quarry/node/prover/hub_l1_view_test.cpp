#include "quarry/node/prover/hub_l1_view.hpp"

#include <gtest/gtest.h>

#include "quarry/ethereum/silent_chain.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/prover/pricing.hpp"

namespace quarry::node::prover::hub_l1_view_test {
namespace {

using ethereum::AbiValue;
using l1::U256;

class NoBlobs final : public ethereum::BlobSource {
  public:
    ethereum::Answer<std::vector<ethereum::Blob>> fetch(const ethereum::BlobQuery& /*query*/) override {
        return ethereum::EthereumError{ethereum::EthereumCode::blob_unavailable, "", {}};
    }
};

ethereum::Log log_of(std::string_view signature, const std::vector<std::uint64_t>& indexed, std::string_view types,
                     const AbiValue::List& values) {
    ethereum::Log log;
    log.topics = {ethereum::event_topic(signature)};
    for (const std::uint64_t x : indexed) log.topics.push_back(U256(x).to_bytes());
    log.data = ethereum::abi_encode(ethereum::abi_types(types), values).value();
    return log;
}

// The hub fixes what it repays when a batch is submitted: the owner cannot promise more afterwards.
TEST(HubL1View, AnUpgradeDoesNotChangeWhatABatchEarns) {
    l1::Parameters parameters;
    parameters.rebate_gas = 5;
    const auto registered =
        log_of("RollupRegistered(uint32,address,bytes32,uint96," QUARRY_ABI_PARAMETERS ")", {1, 7},
               "(bytes32,uint96," QUARRY_ABI_PARAMETERS ")", {Bytes32{}, std::uint64_t{0}, l1::to_abi(parameters)});
    rollup::Header header;
    header.rollup_id = 1;
    header.number = 1;
    const auto encoded = rollup::encode(header);
    const l1::Terms terms{U256(0), U256(0), U256(1'000)};
    const auto submitted =
        log_of("BatchSubmitted(uint32,uint64,address,uint64,bytes32,bytes,uint8,bytes32[]," QUARRY_ABI_TERMS ",uint96)",
               {1, 1, 7}, "(uint64,bytes32,bytes,uint8,bytes32[]," QUARRY_ABI_TERMS ",uint96)",
               {std::uint64_t{1}, keccak256(encoded), encoded, std::uint64_t{1}, AbiValue::of({Bytes32{}}),
                l1::to_abi(terms), std::uint64_t{0}});
    parameters.rebate_gas = (1U << 24) - 1;
    const auto upgraded = log_of("UpgradeApplied(uint32," QUARRY_ABI_PARAMETERS ")", {1}, "(" QUARRY_ABI_PARAMETERS ")",
                                 {l1::to_abi(parameters)});
    auto store = l1::make_memory_event_store();
    ASSERT_TRUE(store->write(std::nullopt, {{1, 1, {registered}}, {2, 2, {submitted}}, {3, 3, {upgraded}}}, {}).ok());
    ethereum::SilentChain chain;
    NoBlobs blobs;
    auto hub = l1::HubView::open(chain, {}, std::move(store));
    ASSERT_TRUE(hub.ok()) << hub.error().code << hub.error().detail;
    const HubL1View view(*hub.value(), chain, blobs, nullptr, {}, 1);
    hub.value()->read([](const l1::HubState& state, const auto&) {
        EXPECT_EQ(state.rollup(1)->parameters.rebate_gas, (1U << 24) - 1);
    });
    const auto batch = view.batch(1, 1);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->rebate_gas, 5U);
    EXPECT_EQ(rebate_at(*batch, 20), 100U);
}

}  // namespace
}  // namespace quarry::node::prover::hub_l1_view_test
