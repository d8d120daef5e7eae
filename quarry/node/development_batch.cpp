#include "quarry/node/development_batch.hpp"

#include <algorithm>
#include <random>
#include <unordered_set>

#include "quarry/base/parallel.hpp"
#include "quarry/node/development_keys.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node {

namespace {

constexpr std::uint64_t kBalance = 1'000'000'000;
constexpr rollup::TokenId kToken = 1;
constexpr rollup::Timestamp kNow = 1'800'000'000;

/// `count` different senders, none of them the fee receiver.
std::vector<rollup::SlotIndex> draw_senders(std::size_t num_accounts, std::size_t count, std::mt19937_64& rng) {
    std::unordered_set<rollup::SlotIndex> drawn{kDevelopmentFeeSlot};
    std::vector<rollup::SlotIndex> r;
    while (r.size() < count) {
        const auto slot = static_cast<rollup::SlotIndex>(rng() % num_accounts);
        if (drawn.insert(slot).second) r.push_back(slot);
    }
    return r;
}

}  // namespace

DevelopmentBatch make_development_batch(std::size_t num_accounts, std::size_t num_transfers, std::uint64_t seed) {
    QUARRY_CHECK(num_transfers >= 1 && num_transfers < num_accounts && num_accounts < rollup::kMaxSlots);
    std::mt19937_64 rng(seed);
    const DevelopmentKeys keys(seed);
    const std::vector<rollup::SlotIndex> senders = draw_senders(num_accounts, num_transfers, rng);
    const std::vector<PublicKey<KB11>> points = keys.public_keys(0, num_accounts);

    std::vector<rollup::AccountKey> account_keys(num_accounts);
    std::vector<rollup::Leaf> leaves(num_accounts);
    parallel_for(num_accounts, 4096, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) account_keys[i] = to_account_key(points[i]);
    });
    const std::vector<rollup::KeyHash> hashes = rollup::key_hashes(account_keys);
    for (std::size_t i = 0; i < num_accounts; ++i) {
        leaves[i].owner = {hashes[i], keys.address(i)};
        leaves[i].token = kToken;
        leaves[i].balance = rollup::Amount(kBalance);
    }
    rollup::set_pairs(leaves);
    std::vector<rollup::AccountKey> published{account_keys[kDevelopmentFeeSlot]};
    leaves[kDevelopmentFeeSlot].key_published = true;
    for (const rollup::SlotIndex slot : senders) {
        leaves[slot].key_published = true;
        published.push_back(account_keys[slot]);
    }

    DevelopmentBatch r;
    r.store = std::make_unique<rollup::MemoryStore>(std::move(leaves), published);
    r.parameters = {.l1_chain_id = 31337,
                    .hub = keys.hub_address(),
                    .rollup_id = 1,
                    .genesis_root = r.store->state().root,
                    .min_new_pair_fee = rollup::Amount(1)};

    std::vector<SignedTransaction> txs(num_transfers);
    for (std::size_t i = 0; i < num_transfers; ++i) {
        rollup::SlotIndex receiver = senders[i];
        while (receiver == senders[i]) receiver = static_cast<rollup::SlotIndex>(rng() % num_accounts);
        txs[i].key = points[senders[i]];
        txs[i].tx.op = rollup::Transfer{
            .auth = {.slot = senders[i], .expiry = kNow, .fee = rollup::Amount(1 + rng() % 100), .signature = {}},
            .receiver = receiver,
            .amount = rollup::Amount(1 + rng() % 1'000'000)};
        txs[i].tx.token = kToken;
        txs[i].tx.receiver_pair = r.store->leaf(receiver)->pair;
    }
    const Digest domain = rollup::domain_hash(r.parameters);
    parallel_for(num_transfers, 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) sign(txs[i], domain, keys.secret(senders[i]));
    });

    rollup::BatchPlan plan;
    plan.number = 1;
    plan.timestamp = kNow;
    plan.fee_receiver = r.store->leaf(kDevelopmentFeeSlot)->pair;
    plan.fee_slots = {{kToken, kDevelopmentFeeSlot}};
    plan.max_operations = num_transfers;
    rollup::BatchBuilder builder(r.parameters, plan, *r.store, r.queues);
    for (const SignedTransaction& tx : txs) QUARRY_CHECK(builder.add(tx.tx, true).ok());
    const auto batch = builder.seal();
    r.header = batch.value().header;
    r.data = batch.value().data;
    return r;
}

}  // namespace quarry::node
