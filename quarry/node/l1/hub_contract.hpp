#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "quarry/ethereum/chain.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_types.hpp"
#include "quarry/rollup/types.hpp"

/// Every function of the hub and of the bridge: calldata of those that change something, answers of the others.
namespace quarry::node::l1 {

/// Calldata, named as in IHub.sol.
namespace hub_call {
Bytes register_rollup(const Address& owner, const std::vector<Address>& sequencers, const U256& min_new_pair_fee,
                      const Parameters& parameters);
Bytes add_verifiers(const VerifierSet& set);
Bytes set_sequencer(std::uint32_t rollup, const Address& account, bool is_allowed);
Bytes schedule_upgrade(std::uint32_t rollup, const Parameters& parameters);
Bytes cancel_upgrade(std::uint32_t rollup);
Bytes apply_upgrade(std::uint32_t rollup);
Bytes offer_ownership(std::uint32_t rollup, const Address& new_owner);
Bytes accept_ownership(std::uint32_t rollup);
Bytes submit_batch(const Bytes& parent_header, const Bytes& header, const Terms& terms);
Bytes submit_batch_calldata(const Bytes& parent_header, const Bytes& header, const Bytes& data, const Bytes32& point,
                            const Terms& terms);
Bytes raise_bounty(std::uint32_t rollup, std::uint64_t number);
Bytes reclaim_raise(std::uint64_t id, std::uint64_t index);
Bytes commit_proof(std::uint32_t rollup, std::uint64_t number, const Bytes32& commitment);
Bytes submit_proof(const Item& item, const Bytes& proof);
Bytes submit_aggregate(std::uint32_t key, unsigned log_profile, const std::vector<Item>& items, const Bytes& proof);
Bytes replace_and_prove(const Item& item, const Bytes& data, const Bytes& proof);
Bytes discard_unproven(std::uint32_t rollup, std::uint64_t from);
Bytes advance(std::uint32_t rollup, std::uint64_t max);
Bytes settle(std::uint64_t id);
Bytes collect(const Address& account);
}  // namespace hub_call

/// Calldata, named as in IBridge.sol.
namespace bridge_call {
Bytes add_token(std::uint32_t rollup, const Address& token);
Bytes deposit(std::uint32_t rollup, rollup::TokenId token, const rollup::Amount& amount, const rollup::Owner& owner,
              std::uint32_t target);
Bytes force_withdraw(std::uint32_t rollup, std::uint32_t slot);
Bytes force_set_key(std::uint32_t rollup, std::uint32_t slot, const Digest& key_hash);
Bytes claim_withdrawal(std::uint32_t rollup, std::uint64_t number, std::uint8_t index, rollup::TokenId token,
                       const rollup::Amount& amount, const Address& recipient, const std::array<Bytes32, 8>& path);
Bytes collect_fees(const Address& sequencer);
}  // namespace bridge_call

/// What the hub's views answer as of one block.
class HubReader {
  public:
    HubReader(ethereum::Chain& chain, const Address& hub, ethereum::BlockId at = ethereum::BlockTag::latest)
        : chain_(chain), hub_(hub), at_(at) {}

    ethereum::Answer<U256> current_bounty(std::uint32_t rollup, std::uint64_t number);
    ethereum::Answer<Bytes32> statement_digest(unsigned log_profile, const std::vector<Item>& items);
    ethereum::Answer<BatchView> batch(std::uint32_t rollup, std::uint64_t number);
    ethereum::Answer<BatchView> submission(std::uint64_t id);
    ethereum::Answer<RollupView> rollup_info(std::uint32_t rollup);
    ethereum::Answer<bool> is_sequencer(std::uint32_t rollup, const Address& account);
    ethereum::Answer<Address> owner_of(std::uint32_t rollup);
    ethereum::Answer<std::pair<U256, U256>> forced_terms(std::uint32_t rollup);
    ethereum::Answer<std::pair<VerifierSet, bool>> verifiers(std::uint32_t key);
    ethereum::Answer<U256> credit(const Address& account);
    ethereum::Answer<Address> bridge();
    ethereum::Answer<std::uint32_t> min_upgrade_delay();

  private:
    ethereum::Answer<ethereum::AbiValue::List> view(HubFunction function, const ethereum::AbiValue::List& arguments);
    ethereum::Chain& chain_;
    Address hub_;
    ethereum::BlockId at_;
};

class BridgeReader {
  public:
    BridgeReader(ethereum::Chain& chain, const Address& bridge, ethereum::BlockId at = ethereum::BlockTag::latest)
        : chain_(chain), bridge_(bridge), at_(at) {}

    struct ForcedHead {
        std::uint64_t index = 0;
        std::uint64_t time = 0;
        std::uint64_t waiting = 0;
    };
    ethereum::Answer<QueueHead> queues(std::uint32_t rollup, std::uint64_t deposit_cursor, std::uint64_t forced_cursor);
    ethereum::Answer<ForcedHead> forced_head(std::uint32_t rollup);
    ethereum::Answer<U256> current_forced_fee(std::uint32_t rollup);
    ethereum::Answer<Address> token_of(std::uint32_t rollup, rollup::TokenId id);
    ethereum::Answer<std::uint64_t> token_count(std::uint32_t rollup);
    ethereum::Answer<U256> balance_of(std::uint32_t rollup, rollup::TokenId token);
    ethereum::Answer<Bytes32> withdrawals_root(std::uint32_t rollup, std::uint64_t number);
    ethereum::Answer<bool> is_claimed(std::uint32_t rollup, std::uint64_t number, std::uint8_t index);
    /// Deposits, forced entries.
    ethereum::Answer<std::pair<std::uint64_t, std::uint64_t>> final_cursors(std::uint32_t rollup);
    ethereum::Answer<U256> fees(const Address& sequencer);
    ethereum::Answer<Address> hub();

  private:
    ethereum::Answer<ethereum::AbiValue::List> view(BridgeFunction function, const ethereum::AbiValue::List& arguments);
    ethereum::Chain& chain_;
    Address bridge_;
    ethereum::BlockId at_;
};

/// Of a withdrawal's tree (docs/spec/settlement.md, section 3.3): the root, and the path from leaf `index` upwards.
/// Precondition: index < leaves.size() <= 256.
struct WithdrawalPath {
    Bytes32 root{};
    std::array<Bytes32, 8> siblings{};
};
struct Withdrawal;
WithdrawalPath withdrawal_path(const std::vector<Withdrawal>& withdrawals, std::uint8_t index);

}  // namespace quarry::node::l1
