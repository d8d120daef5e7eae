#pragma once
/// A small rollup whose accounts sign for real, for the attacks on the segment circuit.

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <unordered_map>
#include <vector>

#include "quarry/node/development_keys.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/rollup/batch.hpp"
#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/memory_store.hpp"

namespace quarry::adversary {

using rollup::Amount;

inline constexpr rollup::Timestamp kNow = 1'700'000'000;
inline constexpr std::uint64_t kBalance = 1'000'000;

/// One leaf of the genesis: account `owner` is key and address number `owner` of the development keys.
struct GenesisSlot {
    std::uint32_t owner = 0;
    rollup::TokenId token = 1;
    Amount balance{kBalance};
    rollup::Nonce nonce = 0;
    bool published = true;
};

/// Slots 0 and 1 are the fee receiver's, in both tokens. 5: not published. 6: ten below the largest balance. 7: its
/// last nonce.
inline std::vector<GenesisSlot> usual_slots() {
    return {{0, 1},
            {0, 2},
            {2, 1},
            {3, 2},
            {4, 1},
            {.owner = 5, .token = 2, .published = false},
            {.owner = 6, .balance = *checked_sub(Amount::max(), Amount(10))},
            {.owner = 7, .nonce = rollup::kMaxNonce - 1}};
}

class RealRollup {
  public:
    static constexpr std::uint32_t kKeys = 40;

    explicit RealRollup(const std::vector<GenesisSlot>& slots = usual_slots(), Amount min_new_pair_fee = Amount(10))
        : points_(keys_.public_keys(0, kKeys)) {
        for (std::uint32_t i = 0; i < kKeys; ++i) numbers_[key_hash(i)] = i;
        std::vector<rollup::Leaf> leaves;
        std::vector<rollup::AccountKey> published;
        for (const GenesisSlot& slot : slots) {
            rollup::Leaf leaf = rollup::make_leaf(owner(slot.owner), slot.token, slot.balance);
            leaf.nonce = slot.nonce;
            leaf.key_published = slot.published;
            leaves.push_back(leaf);
            if (slot.published) published.push_back(key(slot.owner));
            if (slot.owner == 0) fee_slots_[slot.token] = static_cast<rollup::SlotIndex>(leaves.size() - 1);
        }
        store = rollup::MemoryStore(std::move(leaves), published);
        parameters = {.l1_chain_id = 31337,
                      .hub = keys_.hub_address(),
                      .rollup_id = 7,
                      .genesis_root = store.state().root,
                      .min_new_pair_fee = min_new_pair_fee};
    }
    RealRollup(const RealRollup&) = delete;
    RealRollup& operator=(const RealRollup&) = delete;

    [[nodiscard]] rollup::AccountKey key(std::uint32_t i) const { return node::to_account_key(points_[i]); }
    [[nodiscard]] rollup::KeyHash key_hash(std::uint32_t i) const { return rollup::key_hash(key(i)); }
    [[nodiscard]] rollup::L1Address address(std::uint32_t i) const { return keys_.address(i); }
    [[nodiscard]] rollup::Owner owner(std::uint32_t i) const { return {key_hash(i), address(i)}; }
    [[nodiscard]] const PublicKey<KB11>& point(const rollup::KeyHash& hash) const { return points_[numbers_.at(hash)]; }
    [[nodiscard]] std::uint32_t number(const rollup::KeyHash& hash) const { return numbers_.at(hash); }
    [[nodiscard]] rollup::SignatureBytes sign(const rollup::KeyHash& hash, const Digest& message) const {
        return keys_.secret(numbers_.at(hash)).sign(message, {}).encode();
    }
    [[nodiscard]] rollup::BatchPlan plan() const {
        rollup::BatchPlan p;
        p.number = store.batch_number() + 1;
        p.timestamp = kNow;
        p.fee_receiver = rollup::pair_hash(owner(0));
        p.fee_slots = fee_slots_;
        return p;
    }

    rollup::RollupParameters parameters;
    rollup::MemoryStore store;
    rollup::MemoryQueues queues;

  private:
    node::DevelopmentKeys keys_{11};
    std::vector<PublicKey<KB11>> points_;
    std::unordered_map<rollup::KeyHash, std::uint32_t, rollup::DigestHasher> numbers_;
    std::map<rollup::TokenId, rollup::SlotIndex> fee_slots_;
};

inline rollup::Authorisation auth(rollup::SlotIndex slot, std::uint64_t fee = 0) {
    return {.slot = slot, .expiry = kNow, .fee = Amount(fee), .signature = {}};
}

/// Fills a batch. Each operation is signed with the key that its slot has at that time.
class RealBatch {
  public:
    explicit RealBatch(RealRollup& rollup)
        : rollup_(rollup), builder_(rollup.parameters, rollup.plan(), rollup.store, rollup.queues) {}

    /// Signs and adds; whether it was accepted.
    bool try_add(const rollup::Operation& op) {
        const auto leaf = builder_.executor().leaf(rollup::authorisation(op)->slot);
        if (!leaf) return false;
        rollup::Transaction tx{op, rollup_.key(rollup_.number(leaf->owner.key_hash)), leaf->token, leaf->nonce, {}};
        if (const auto* transfer = std::get_if<rollup::Transfer>(&op)) {
            const auto to = builder_.executor().leaf(transfer->receiver);
            if (!to) return false;
            tx.receiver_pair = to->pair;
        }
        rollup::authorisation(tx.op)->signature =
            rollup_.sign(leaf->owner.key_hash, rollup::transaction_id(rollup::domain_hash(rollup_.parameters), tx));
        return builder_.add(tx, true).ok();
    }
    RealBatch& add(const rollup::Operation& op) {
        EXPECT_TRUE(try_add(op)) << "operation with opcode " << static_cast<int>(rollup::opcode(op));
        return *this;
    }
    RealBatch& deposit(const rollup::DepositEntry& entry) {
        rollup_.queues.deposits.push_back(entry);
        EXPECT_TRUE(builder_.add_deposit().ok());
        return *this;
    }
    RealBatch& forced(const rollup::ForcedEntry& entry) {
        rollup_.queues.forced_entries.push_back(entry);
        EXPECT_TRUE(builder_.add_forced().ok());
        return *this;
    }
    [[nodiscard]] const rollup::Executor& executor() const { return builder_.executor(); }
    [[nodiscard]] rollup::ExecutedBatch seal() { return builder_.seal().value(); }

  private:
    RealRollup& rollup_;
    rollup::BatchBuilder builder_;
};

/// All nine operations, every outcome of queue entries, and what must work within one batch: the first transfer of a
/// slot created by a deposit in it, a transfer with the new key of a change in it, a key that is published for it.
inline rollup::ExecutedBatch every_operation(RealRollup& r) {
    RealBatch batch(r);
    batch.add(rollup::Transfer{auth(2, 3), 4, Amount(100)})
        .add(rollup::TransferNew{auth(4, 10), 8, Amount(50), r.owner(20)})
        .add(rollup::Withdraw{auth(6, 1), Amount(70), r.address(30)})
        .add(rollup::ChangeKey{auth(2, 2), r.key(22)})
        .add(rollup::Transfer{auth(2), 4, Amount(5)})
        .add(rollup::Transfer{auth(5, 4), 3, Amount(9)})
        .deposit({r.owner(21), r.address(31), 1, Amount(500), rollup::kNewSlot})
        .add(rollup::Transfer{auth(9, 1), 2, Amount(20)})
        .deposit({r.owner(3), r.address(31), 2, Amount(40), 3})
        .deposit({r.owner(3), r.address(31), 1, Amount(40), 3})
        .deposit({r.owner(4), r.address(31), 2, Amount(40), 3})
        .deposit({r.owner(6), r.address(31), 1, Amount::max(), 6})
        .deposit({r.owner(3), r.address(31), 2, Amount(40), 77})
        .forced(rollup::ForcedWithdrawalEntry{3, r.address(3)})
        .forced(rollup::ForcedWithdrawalEntry{4, r.address(3)})
        .forced(rollup::ForcedWithdrawalEntry{0xffffffff, r.address(3)})
        .forced(rollup::SetKeyEntry{6, r.address(6), r.key_hash(26)})
        .forced(rollup::SetKeyEntry{7, r.address(6), r.key_hash(26)})
        .forced(rollup::SetKeyEntry{1u << 30, r.address(6), r.key_hash(26)})
        .add(rollup::Transfer{auth(6, 1), 2, Amount(1)});
    return batch.seal();
}

/// Draws every kind of operation and entry, most of them applicable.
class RealTraffic {
  public:
    RealTraffic(RealRollup& rollup, std::uint64_t seed) : rollup_(rollup), batch_(rollup), rng_(seed) {}

    rollup::ExecutedBatch run(std::size_t num_tries) {
        for (std::size_t i = 0; i < num_tries; ++i) step();
        return batch_.seal();
    }

  private:
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(rng_() % n); }

    void step() {
        const std::uint32_t count = batch_.executor().state().slot_count;
        const rollup::SlotIndex slot = below(count);
        const rollup::Leaf leaf = *batch_.executor().leaf(slot);
        const std::uint32_t kind = below(14);
        if (kind == 0) {
            const bool fits = below(3) != 0;
            batch_.deposit({fits ? leaf.owner : rollup_.owner(below(30)), rollup_.address(below(40)),
                            fits ? leaf.token : static_cast<rollup::TokenId>(1 + below(2)), Amount(below(5000)),
                            below(3) == 0 ? rollup::kNewSlot : slot + (below(4) == 0 ? count : 0)});
        } else if (kind == 1) {
            const auto sender = below(3) == 0 ? rollup_.address(below(40)) : leaf.owner.address;
            if (slot > 1 && below(2) == 0)
                batch_.forced(rollup::SetKeyEntry{slot, sender, rollup_.key_hash(below(40))});
            else
                batch_.forced(rollup::ForcedWithdrawalEntry{slot + (below(4) == 0 ? count : 0), sender});
        } else if (kind == 2) {
            batch_.try_add(rollup::TransferNew{auth(slot, 10 + below(20)), count, Amount(1 + below(900)),
                                               rollup_.owner(below(40))});
        } else if (kind < 5) {
            batch_.try_add(rollup::Withdraw{auth(slot, below(20)), Amount(below(900)), rollup_.address(below(40))});
        } else if (kind == 5) {
            if (slot > 1) batch_.try_add(rollup::ChangeKey{auth(slot, below(20)), rollup_.key(below(40))});
        } else {
            batch_.try_add(rollup::Transfer{auth(slot, below(20)), below(count), Amount(below(2000))});
        }
    }

    RealRollup& rollup_;
    RealBatch batch_;
    std::mt19937_64 rng_;
};

}  // namespace quarry::adversary
