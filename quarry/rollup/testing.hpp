#pragma once
/// Shared by this module's tests: a toy signature scheme, keys, and a small world with every kind of slot.

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "quarry/rollup/batch.hpp"
#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/memory_store.hpp"

namespace quarry::rollup::testing {

/// Elements as the vectors of docs/spec write them.
inline std::string hex(const Digest& d) {
    std::string r;
    for (const KoalaBear x : d) {
        char text[9];
        std::snprintf(text, sizeof text, "%08x", x.canonical());
        r += text;
    }
    return r;
}

inline AccountKey make_key(std::uint32_t i) {
    AccountKey key;
    for (std::size_t k = 0; k < AccountKey::kX; ++k) key.x[k] = KoalaBear(1000003u * (i + 1) + k * k);
    for (std::size_t k = 0; k < AccountKey::kY; ++k) key.y[k] = KoalaBear(7919u * (i + 1) + k);
    return key;
}
inline L1Address make_address(std::uint32_t i) {
    L1Address a;
    a.bytes[0] = 0xa0;
    for (std::size_t k = 0; k < 4; ++k) a.bytes[16 + k] = static_cast<std::uint8_t>(i >> (8 * k));
    return a;
}
inline Owner make_owner(std::uint32_t i) { return {key_hash(make_key(i)), make_address(i)}; }

/// Stands for the curve: a signature that exactly one (key, message) accepts.
inline SignatureBytes toy_sign(const AccountKey& key, const Digest& message) {
    const Digest d = poseidon_compress(key_hash(key), message);
    SignatureBytes s{};
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<std::uint8_t>(d[i % 8].canonical() >> (i / 8));
    return s;
}
inline bool toy_verify(const AccountKey& key, const Digest& message, const SignatureBytes& signature) {
    return toy_sign(key, message) == signature;
}
inline bool all_verify(const std::vector<SignatureCheck>& checks) {
    for (const SignatureCheck& c : checks) {
        if (!toy_verify(c.key, c.message, c.signature)) return false;
    }
    return true;
}

inline constexpr Timestamp kNow = 1'700'000'000;
inline constexpr std::uint64_t kInitialBalance = 1'000'000;

/// Owner i has slot i with token 1 + i % 2. Slot 0 and 1 are the fee receiver's (owner 0). Owner 5's key is not
/// published.
struct World {
    static constexpr std::uint32_t kOwners = 8;
    static std::vector<Leaf> leaves() {
        std::vector<Leaf> r;
        for (std::uint32_t i = 0; i < kOwners; ++i) {
            Leaf leaf = make_leaf(make_owner(i == 1 ? 0 : i), static_cast<TokenId>(1 + i % 2), Amount(kInitialBalance));
            leaf.key_published = i != 5;
            r.push_back(leaf);
        }
        return r;
    }
    static std::vector<AccountKey> keys() {
        std::vector<AccountKey> r;
        for (std::uint32_t i = 0; i < kOwners; ++i) {
            if (i != 5) r.push_back(make_key(i));
        }
        return r;
    }

    World() : World(leaves()) {}
    explicit World(std::vector<Leaf> genesis) : store(std::move(genesis), keys()) {
        parameters.l1_chain_id = 31337;
        parameters.hub = make_address(777);
        parameters.rollup_id = 7;
        parameters.genesis_root = store.state().root;
        parameters.min_new_pair_fee = Amount(10);
    }

    [[nodiscard]] BatchContext context() const {
        return {domain_hash(parameters), parameters.min_new_pair_fee, kNow, pair_hash(make_owner(0))};
    }
    [[nodiscard]] BatchPlan plan() const {
        BatchPlan p;
        p.number = store.batch_number() + 1;
        p.timestamp = kNow;
        p.fee_receiver = pair_hash(make_owner(0));
        p.fee_slots = {{1, 0}, {2, 1}};
        return p;
    }
    /// Fills in what the signer sees in `reader`, and signs.
    template <class Reader>
    [[nodiscard]] Transaction sign(Operation op, const AccountKey& key, const Reader& reader) const {
        const SlotIndex slot = authorisation(op)->slot;
        const auto leaf = reader.leaf(slot);
        Transaction tx{std::move(op), key, leaf ? leaf->token : TokenId{0}, leaf ? leaf->nonce : 0, {}};
        if (const auto* t = std::get_if<Transfer>(&tx.op)) {
            const auto to = reader.leaf(t->receiver);
            if (to) tx.receiver_pair = to->pair;
        }
        resign(tx);
        return tx;
    }
    void resign(Transaction& tx) const {
        authorisation(tx.op)->signature = toy_sign(tx.key, transaction_id(domain_hash(parameters), tx));
    }
    [[nodiscard]] bool signature_ok(const Transaction& tx) const {
        return toy_verify(tx.key, transaction_id(domain_hash(parameters), tx), authorisation(tx.op)->signature);
    }

    RollupParameters parameters;
    MemoryStore store;
    MemoryQueues queues;
};

inline Authorisation auth(SlotIndex slot, std::uint64_t fee = 0, Timestamp expiry = kNow) {
    return {.slot = slot, .expiry = expiry, .fee = Amount(fee), .signature = {}};
}
inline Operation transfer(SlotIndex from, SlotIndex to, std::uint64_t amount, std::uint64_t fee = 0) {
    return Transfer{auth(from, fee), to, Amount(amount)};
}
inline Operation transfer_new(SlotIndex from, SlotIndex to, std::uint64_t amount, std::uint64_t fee,
                              const Owner& owner) {
    return TransferNew{auth(from, fee), to, Amount(amount), owner};
}
inline Operation withdraw(SlotIndex from, std::uint64_t amount, std::uint64_t fee = 0) {
    return Withdraw{auth(from, fee), Amount(amount), make_address(99)};
}

/// Draws every kind of operation and entry, most of them applicable.
class RandomTraffic {
  public:
    RandomTraffic(World& world, std::uint64_t seed) : world_(world), rng_(seed) {}

    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(rng_() % n); }

    /// Adds n operations to the builder, refused ones among them; returns the number accepted.
    std::size_t run(BatchBuilder& builder, std::size_t n) {
        std::size_t accepted = 0;
        for (std::size_t i = 0; i < n; ++i) accepted += step(builder) ? 1 : 0;
        return accepted;
    }

  private:
    const AccountKey& key_of(const Leaf& leaf) {
        for (const AccountKey& key : known_) {
            if (key_hash(key) == leaf.owner.key_hash) return key;
        }
        known_.push_back(make_key(0));
        return known_.back();
    }
    void queue_deposit(BatchBuilder& builder) {
        const auto& executor = builder.executor();
        const SlotIndex target = below(executor.state().slot_count + 2);
        const auto leaf = executor.leaf(target);
        DepositEntry entry{make_owner(below(40)), make_address(below(40)), static_cast<TokenId>(1 + below(2)),
                           Amount(below(5000)), below(2) == 0 ? kNewSlot : target};
        if (leaf && below(4) != 0) {
            entry.owner = leaf->owner;
            entry.token = leaf->token;
        }
        world_.queues.deposits.push_back(entry);
    }
    void queue_forced(BatchBuilder& builder) {
        const auto& executor = builder.executor();
        const SlotIndex slot = 2 + below(executor.state().slot_count);
        const auto leaf = executor.leaf(slot);
        const L1Address sender = leaf && below(3) != 0 ? leaf->owner.address : make_address(below(40));
        if (below(2) == 0)
            world_.queues.forced_entries.emplace_back(ForcedWithdrawalEntry{slot, sender});
        else
            world_.queues.forced_entries.emplace_back(SetKeyEntry{slot, sender, key_hash(make_key(below(60)))});
    }
    bool step(BatchBuilder& builder) {
        if (known_.empty()) {
            for (std::uint32_t i = 0; i < 60; ++i) known_.push_back(make_key(i));
        }
        const auto& executor = builder.executor();
        const std::uint32_t kind = below(20);
        if (kind == 0) {
            queue_deposit(builder);
            return builder.add_deposit().ok();
        }
        if (kind == 1) {
            queue_forced(builder);
            return builder.add_forced().ok();
        }
        const std::uint32_t count = executor.state().slot_count;
        const SlotIndex from = below(count);
        const auto leaf = executor.leaf(from);
        Operation op = transfer(from, below(count), below(2000), below(30));
        if (kind < 5)
            op = transfer_new(from, count, below(2000), below(40), make_owner(below(60)));
        else if (kind < 8)
            op = withdraw(from, below(3000), below(30));
        else if (kind == 8 && from > 1)
            op = ChangeKey{auth(from, below(30)), make_key(below(60))};
        const Transaction tx = world_.sign(op, key_of(*leaf), executor);
        return builder.add(tx, below(16) != 0).ok();
    }

    World& world_;
    std::mt19937_64 rng_;
    std::vector<AccountKey> known_;
};

}  // namespace quarry::rollup::testing
