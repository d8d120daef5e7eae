#include "quarry/node/l1/hub_contract.hpp"

#include <algorithm>

#include "quarry/ethereum/transaction.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/hub_events.hpp"

namespace quarry::node::l1 {

using ethereum::AbiValue;
using ethereum::Answer;
using List = AbiValue::List;

namespace {

AbiValue number(std::uint64_t x) { return {x}; }

AbiValue addresses(const std::vector<Address>& list) {
    List out;
    for (const Address& x : list) out.emplace_back(x);
    return AbiValue::of(std::move(out));
}

AbiValue items_of(const std::vector<Item>& items) {
    List out;
    for (const Item& item : items) out.push_back(to_abi(item));
    return AbiValue::of(std::move(out));
}

Answer<List> call_view(ethereum::Chain& chain, const Address& to, const ethereum::AbiFunction& function,
                       const List& arguments, const ethereum::BlockId& at) {
    ethereum::CallRequest request;
    request.to = to;
    request.data = function.call(arguments);
    auto data = chain.call(request, at);
    if (!data) return data.error();
    auto results = function.decode_results(data.value());
    if (!results) {
        return ethereum::EthereumError{
            ethereum::EthereumCode::bad_response, "there is no contract of this kind at " + ethereum::to_hex(to), {}};
    }
    return std::move(results).value();
}

/// What `read` makes of the results.
template <class T, class Read>
Answer<T> map(Answer<List> results, Read read) {
    if (!results) return results.error();
    return T(read(results.value()));
}

U256 first_word(const List& x) { return x[0].word(); }
Address first_address(const List& x) { return x[0].address(); }
bool first_bool(const List& x) { return x[0].boolean(); }
Bytes32 first_bytes32(const List& x) { return x[0].bytes32(); }

}  // namespace

namespace hub_call {

Bytes register_rollup(const Address& owner, const std::vector<Address>& sequencers, const U256& min_new_pair_fee,
                      const Parameters& parameters) {
    return abi(HubFunction::register_rollup).call({owner, addresses(sequencers), min_new_pair_fee, to_abi(parameters)});
}
Bytes add_verifiers(const VerifierSet& set) { return abi(HubFunction::add_verifiers).call({to_abi(set)}); }
Bytes set_sequencer(std::uint32_t rollup, const Address& account, bool is_allowed) {
    return abi(HubFunction::set_sequencer).call({number(rollup), account, is_allowed});
}
Bytes schedule_upgrade(std::uint32_t rollup, const Parameters& parameters) {
    return abi(HubFunction::schedule_upgrade).call({number(rollup), to_abi(parameters)});
}
Bytes cancel_upgrade(std::uint32_t rollup) { return abi(HubFunction::cancel_upgrade).call({number(rollup)}); }
Bytes apply_upgrade(std::uint32_t rollup) { return abi(HubFunction::apply_upgrade).call({number(rollup)}); }
Bytes offer_ownership(std::uint32_t rollup, const Address& new_owner) {
    return abi(HubFunction::offer_ownership).call({number(rollup), new_owner});
}
Bytes accept_ownership(std::uint32_t rollup) { return abi(HubFunction::accept_ownership).call({number(rollup)}); }
Bytes submit_batch(const Bytes& parent_header, const Bytes& header, const Terms& terms) {
    return abi(HubFunction::submit_batch).call({parent_header, header, to_abi(terms)});
}
Bytes submit_batch_calldata(const Bytes& parent_header, const Bytes& header, const Bytes& data, const Bytes32& point,
                            const Terms& terms) {
    return abi(HubFunction::submit_batch_calldata).call({parent_header, header, data, point, to_abi(terms)});
}
Bytes raise_bounty(std::uint32_t rollup, std::uint64_t batch) {
    return abi(HubFunction::raise_bounty).call({number(rollup), number(batch)});
}
Bytes reclaim_raise(std::uint64_t id, std::uint64_t index) {
    return abi(HubFunction::reclaim_raise).call({number(id), number(index)});
}
Bytes commit_proof(std::uint32_t rollup, std::uint64_t batch, const Bytes32& commitment) {
    return abi(HubFunction::commit_proof).call({number(rollup), number(batch), commitment});
}
Bytes submit_proof(const Item& item, const Bytes& proof) {
    return abi(HubFunction::submit_proof).call({to_abi(item), proof});
}
Bytes submit_aggregate(std::uint32_t key, unsigned log_profile, const std::vector<Item>& items, const Bytes& proof) {
    return abi(HubFunction::submit_aggregate).call({number(key), number(log_profile), items_of(items), proof});
}
Bytes replace_and_prove(const Item& item, const Bytes& data, const Bytes& proof) {
    return abi(HubFunction::replace_and_prove).call({to_abi(item), data, proof});
}
Bytes discard_unproven(std::uint32_t rollup, std::uint64_t from) {
    return abi(HubFunction::discard_unproven).call({number(rollup), number(from)});
}
Bytes advance(std::uint32_t rollup, std::uint64_t max) {
    return abi(HubFunction::advance).call({number(rollup), number(max)});
}
Bytes settle(std::uint64_t id) { return abi(HubFunction::settle).call({number(id)}); }
Bytes collect(const Address& account) { return abi(HubFunction::collect).call({account}); }

}  // namespace hub_call

namespace bridge_call {

Bytes add_token(std::uint32_t rollup, const Address& token) {
    return abi(BridgeFunction::add_token).call({number(rollup), token});
}
Bytes deposit(std::uint32_t rollup, rollup::TokenId token, const rollup::Amount& amount, const rollup::Owner& owner,
              std::uint32_t target) {
    return abi(BridgeFunction::deposit)
        .call({number(rollup), number(token), to_u256(amount), digest_bytes(owner.key_hash), to_ethereum(owner.address),
               number(target)});
}
Bytes force_withdraw(std::uint32_t rollup, std::uint32_t slot) {
    return abi(BridgeFunction::force_withdraw).call({number(rollup), number(slot)});
}
Bytes force_set_key(std::uint32_t rollup, std::uint32_t slot, const Digest& key_hash) {
    return abi(BridgeFunction::force_set_key).call({number(rollup), number(slot), digest_bytes(key_hash)});
}
Bytes claim_withdrawal(std::uint32_t rollup, std::uint64_t batch, std::uint8_t index, rollup::TokenId token,
                       const rollup::Amount& amount, const Address& recipient, const std::array<Bytes32, 8>& path) {
    List siblings;
    for (const Bytes32& x : path) siblings.emplace_back(x);
    return abi(BridgeFunction::claim_withdrawal)
        .call({number(rollup), number(batch), number(index), number(token), to_u256(amount), recipient,
               AbiValue::of(std::move(siblings))});
}
Bytes collect_fees(const Address& sequencer) { return abi(BridgeFunction::collect_fees).call({sequencer}); }

}  // namespace bridge_call

Answer<List> HubReader::view(HubFunction function, const List& arguments) {
    return call_view(chain_, hub_, abi(function), arguments, at_);
}
Answer<U256> HubReader::current_bounty(std::uint32_t rollup, std::uint64_t batch) {
    return map<U256>(view(HubFunction::current_bounty, {number(rollup), number(batch)}), first_word);
}
Answer<Bytes32> HubReader::statement_digest(unsigned log_profile, const std::vector<Item>& items) {
    return map<Bytes32>(view(HubFunction::statement_digest, {number(log_profile), items_of(items)}), first_bytes32);
}
Answer<BatchView> HubReader::batch(std::uint32_t rollup, std::uint64_t batch) {
    return map<BatchView>(view(HubFunction::batch, {number(rollup), number(batch)}),
                          [](const List& x) { return batch_view_of(x[0]); });
}
Answer<BatchView> HubReader::submission(std::uint64_t id) {
    return map<BatchView>(view(HubFunction::submission, {number(id)}),
                          [](const List& x) { return batch_view_of(x[0]); });
}
Answer<RollupView> HubReader::rollup_info(std::uint32_t rollup) {
    return map<RollupView>(view(HubFunction::rollup_info, {number(rollup)}),
                           [](const List& x) { return rollup_view_of(x[0]); });
}
Answer<bool> HubReader::is_sequencer(std::uint32_t rollup, const Address& account) {
    return map<bool>(view(HubFunction::is_sequencer, {number(rollup), account}), first_bool);
}
Answer<Address> HubReader::owner_of(std::uint32_t rollup) {
    return map<Address>(view(HubFunction::owner_of, {number(rollup)}), first_address);
}
Answer<std::pair<U256, U256>> HubReader::forced_terms(std::uint32_t rollup) {
    return map<std::pair<U256, U256>>(view(HubFunction::forced_terms, {number(rollup)}),
                                      [](const List& x) { return std::pair(x[0].word(), x[1].word()); });
}
Answer<std::pair<VerifierSet, bool>> HubReader::verifiers(std::uint32_t key) {
    return map<std::pair<VerifierSet, bool>>(view(HubFunction::verifiers, {number(key)}), [](const List& x) {
        return std::pair(verifier_set_of(x[0]), x[1].boolean());
    });
}
Answer<U256> HubReader::credit(const Address& account) {
    return map<U256>(view(HubFunction::credit, {account}), first_word);
}
Answer<Address> HubReader::bridge() {
    // The hub's constructor makes the bridge before anything else: no endpoint has a say in where funds go.
    constexpr std::uint64_t kFirstNonceOfContracts = 1;
    auto answer = map<Address>(view(HubFunction::bridge, {}), first_address);
    if (!answer || answer.value() == ethereum::contract_address(hub_, kFirstNonceOfContracts)) return answer;
    return ethereum::EthereumError{
        ethereum::EthereumCode::bad_response, "the bridge is not the contract that the hub made", {}};
}
Answer<std::uint32_t> HubReader::min_upgrade_delay() {
    return map<std::uint32_t>(view(HubFunction::min_upgrade_delay, {}),
                              [](const List& x) { return static_cast<std::uint32_t>(x[0].u64()); });
}

Answer<List> BridgeReader::view(BridgeFunction function, const List& arguments) {
    return call_view(chain_, bridge_, abi(function), arguments, at_);
}
Answer<QueueHead> BridgeReader::queues(std::uint32_t rollup, std::uint64_t deposit_cursor,
                                       std::uint64_t forced_cursor) {
    return map<QueueHead>(view(BridgeFunction::queues, {number(rollup), number(deposit_cursor), number(forced_cursor)}),
                          [](const List& x) { return queue_head_of(x[0]); });
}
Answer<BridgeReader::ForcedHead> BridgeReader::forced_head(std::uint32_t rollup) {
    return map<ForcedHead>(view(BridgeFunction::forced_head, {number(rollup)}),
                           [](const List& x) { return ForcedHead{x[0].u64(), x[1].u64(), x[2].u64()}; });
}
Answer<U256> BridgeReader::current_forced_fee(std::uint32_t rollup) {
    return map<U256>(view(BridgeFunction::current_forced_fee, {number(rollup)}), first_word);
}
Answer<Address> BridgeReader::token_of(std::uint32_t rollup, rollup::TokenId id) {
    return map<Address>(view(BridgeFunction::token_of, {number(rollup), number(id)}), first_address);
}
Answer<std::uint64_t> BridgeReader::token_count(std::uint32_t rollup) {
    return map<std::uint64_t>(view(BridgeFunction::token_count, {number(rollup)}),
                              [](const List& x) { return x[0].word().saturated_u64(); });
}
Answer<U256> BridgeReader::balance_of(std::uint32_t rollup, rollup::TokenId token) {
    return map<U256>(view(BridgeFunction::balance_of, {number(rollup), number(token)}), first_word);
}
Answer<Bytes32> BridgeReader::withdrawals_root(std::uint32_t rollup, std::uint64_t batch) {
    return map<Bytes32>(view(BridgeFunction::withdrawals_root, {number(rollup), number(batch)}), first_bytes32);
}
Answer<bool> BridgeReader::is_claimed(std::uint32_t rollup, std::uint64_t batch, std::uint8_t index) {
    return map<bool>(view(BridgeFunction::is_claimed, {number(rollup), number(batch), number(index)}), first_bool);
}
Answer<std::pair<std::uint64_t, std::uint64_t>> BridgeReader::final_cursors(std::uint32_t rollup) {
    return map<std::pair<std::uint64_t, std::uint64_t>>(
        view(BridgeFunction::final_cursors, {number(rollup)}),
        [](const List& x) { return std::pair(x[0].u64(), x[1].u64()); });
}
Answer<U256> BridgeReader::fees(const Address& sequencer) {
    return map<U256>(view(BridgeFunction::fees, {sequencer}), first_word);
}
Answer<Address> BridgeReader::hub() { return map<Address>(view(BridgeFunction::hub, {}), first_address); }

WithdrawalPath withdrawal_path(const std::vector<Withdrawal>& withdrawals, std::uint8_t index) {
    std::vector<Bytes32> level(256);
    for (std::size_t i = 0; i < withdrawals.size(); ++i) {
        const Withdrawal& w = withdrawals[i];
        Bytes leaf;
        rollup::WordWriter writer(leaf);
        writer.integer(std::uint8_t{0});
        writer.integer(static_cast<std::uint8_t>(i));
        writer.integer(w.token);
        writer.amount(w.amount);
        writer.bytes(w.recipient.bytes);
        level[i] = keccak256(leaf);
    }
    WithdrawalPath path;
    std::size_t at = index;
    for (Bytes32& sibling : path.siblings) {
        sibling = level[at ^ 1];
        for (std::size_t i = 0; i < level.size() / 2; ++i) {
            Bytes node{1};
            node.insert(node.end(), level[2 * i].begin(), level[2 * i].end());
            node.insert(node.end(), level[2 * i + 1].begin(), level[2 * i + 1].end());
            level[i] = keccak256(node);
        }
        level.resize(level.size() / 2);
        at /= 2;
    }
    path.root = level[0];
    return path;
}

}  // namespace quarry::node::l1
