#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/http.hpp"
#include "quarry/node/doctor/check.hpp"
#include "quarry/node/l1/hub_types.hpp"

/// Checks of an L1 and of the hub on it. Every answer of a node may be false or missing.
namespace quarry::node::doctor {

using ethereum::Address;
using ethereum::U256;

/// A hub, as the configuration names it.
struct HubPlace {
    Address hub;
    std::uint64_t first_block = 0;  ///< not after that of the hub's creation
    std::uint64_t chain_id = 0;     ///< 0: any
};

/// One endpoint: answers, is on the chain, is at its head, serves the hub's logs from its first block on.
Finding check_endpoint(ethereum::Chain& chain, const HubPlace& place, std::uint64_t now_seconds);
/// This machine's clock against the head's timestamp: blocks of the future mean that the clock is behind.
Finding check_clock(ethereum::Chain& chain, std::uint64_t now_seconds);
/// A beacon node that serves blobs; or an L1 endpoint that does, as a development chain.
Finding check_blobs(ethereum::HttpTransport& transport, const std::string& url, bool is_beacon);
/// A hub answers at the address.
Finding check_hub(ethereum::Chain& chain, const Address& hub);

/// Of the verifying contracts for 1, 4 and 16 batches, as this program makes proofs.
using KeyDigests = std::array<ethereum::Hash, 3>;
/// The number of verifying contracts in a hub's list.
using KeyNumber = decltype(l1::Parameters::key);
/// The hub's verifying contracts of that number verify this program's proofs.
Finding check_verifiers(ethereum::Chain& chain, const Address& hub, KeyNumber key, const KeyDigests& known);
/// The same of every key that batches of these rollups are proven with; none named: of all rollups of the hub, up to
/// kMaxRollups. A rollup that is named and not there fails.
inline constexpr std::uint32_t kMaxRollups = 32;
std::vector<Finding> check_verifiers(ethereum::Chain& chain, const Address& hub,
                                     const std::vector<std::uint32_t>& rollups, const KeyDigests& known);
/// The rollup is there and the account may submit its batches.
Finding check_sequencer(ethereum::Chain& chain, const Address& hub, std::uint32_t rollup, const Address& account);
/// The account has `price` wei, and better `advised` times that.
Finding check_balance(ethereum::Chain& chain, const Address& account, const ethereum::Answer<U256>& price,
                      std::uint64_t advised);

}  // namespace quarry::node::doctor
