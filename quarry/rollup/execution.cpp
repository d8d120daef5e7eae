#include "quarry/rollup/execution.hpp"

#include <algorithm>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

Message make_message(const Transaction& tx) {
    return make_message(tx.op, key_hash(tx.key), tx.token, tx.nonce, tx.receiver_pair);
}

Digest transaction_id(const Digest& domain, const Transaction& tx) { return message_hash(domain, make_message(tx)); }

std::vector<Digest> transaction_ids(const Digest& domain, std::span<const Transaction> txs) {
    std::vector<AccountKey> keys;
    std::vector<Message> messages;
    keys.reserve(txs.size());
    messages.reserve(txs.size());
    for (const Transaction& tx : txs) keys.push_back(tx.key);
    const std::vector<KeyHash> hashes = key_hashes(keys);
    for (std::size_t i = 0; i < txs.size(); ++i) {
        messages.push_back(make_message(txs[i].op, hashes[i], txs[i].token, txs[i].nonce, txs[i].receiver_pair));
    }
    return message_hashes(domain, messages);
}

namespace {

/// `change` as the next access of the step.
void add_access(Step& step, SlotIndex slot, const std::optional<Leaf>& before, const Leaf& after) {
    QUARRY_CHECK(step.num_accesses < step.access.size());
    step.access[step.num_accesses++] = {slot, before, after};
}

}  // namespace

// Rule numbers: docs/spec/operations.md, section 4.
struct Executor::Rules {
    const Executor& at;

    // --- what every signed operation must satisfy ---

    /// S1 to S4.
    [[nodiscard]] Verdict sender(const Authorisation& auth, const std::optional<Leaf>& leaf) const {
        if (!leaf) return RejectCode::unknown_slot;                           // S1
        if (!leaf->key_published) return RejectCode::key_not_published;       // S2
        if (auth.expiry < at.context_.timestamp) return RejectCode::expired;  // S3
        if (leaf->nonce >= kMaxNonce) return RejectCode::nonce_exhausted;     // S4
        return Accepted{};
    }
    /// S5 to S7: takes amount and fee from the sender and uses its nonce.
    [[nodiscard]] Checked<Leaf> debit(const Authorisation& auth, Leaf leaf, Amount amount) const {
        const auto total = checked_add(amount, auth.fee);
        if (!total) return RejectCode::insufficient_balance;  // S5: balances are below 2^96
        const auto rest = checked_sub(leaf.balance, *total);
        if (!rest) return RejectCode::insufficient_balance;        // S5
        QUARRY_REQUIRE(at.fees_.check_add(leaf.token, auth.fee));  // S6, S7
        leaf.balance = *rest;
        ++leaf.nonce;
        return leaf;
    }
    [[nodiscard]] Verdict room_for_effect() const {
        if (at.num_effects_ >= kMaxEffects) return RejectCode::effects_full;  // B2
        return Accepted{};
    }
    [[nodiscard]] Step signed_step(const Operation& op, const Authorisation& auth, const Leaf& sender,
                                   const Digest& receiver_pair) const {
        Step step{.op = op,
                  .access = {},
                  .num_accesses = 0,
                  .effect = {},
                  .fee_token = sender.token,
                  .fee = auth.fee,
                  .collected = {},
                  .key = {},
                  .message = {}};
        step.message = make_message(op, sender.owner.key_hash, sender.token, sender.nonce, receiver_pair);
        return step;
    }
    [[nodiscard]] static Step unsigned_step(const Operation& op) {
        return {.op = op,
                .access = {},
                .num_accesses = 0,
                .effect = {},
                .fee_token = 0,
                .fee = {},
                .collected = {},
                .key = {},
                .message = {}};
    }

    // --- one function per operation ---

    [[nodiscard]] Checked<Step> operator()(const Transfer& op) const {
        const auto from = at.leaf(op.auth.slot);
        QUARRY_REQUIRE(sender(op.auth, from));
        const auto to = at.leaf(op.receiver);
        if (op.amount.is_zero()) return RejectCode::zero_amount;                   // T1
        if (op.receiver == op.auth.slot) return RejectCode::self_transfer;         // T2
        if (!to) return RejectCode::unknown_receiver;                              // T3
        if (to->token != from->token) return RejectCode::receiver_token_mismatch;  // T4
        const auto debited = debit(op.auth, *from, op.amount);
        QUARRY_REQUIRE(debited);
        const auto balance = checked_add(to->balance, op.amount);
        if (!balance) return RejectCode::balance_overflow;  // T5
        Step step = signed_step(op, op.auth, *from, to->pair);
        add_access(step, op.auth.slot, from, debited.value());
        Leaf credited = *to;
        credited.balance = *balance;
        add_access(step, op.receiver, to, credited);
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const TransferNew& op) const {
        const auto from = at.leaf(op.auth.slot);
        QUARRY_REQUIRE(sender(op.auth, from));
        if (op.amount.is_zero()) return RejectCode::zero_amount;                           // T1
        if (at.state_.slot_count >= kMaxSlots) return RejectCode::tree_full;               // N1
        if (op.receiver != at.state_.slot_count) return RejectCode::wrong_new_slot;        // N2
        if (op.auth.fee < at.context_.min_new_pair_fee) return RejectCode::fee_too_small;  // N3
        const auto debited = debit(op.auth, *from, op.amount);
        QUARRY_REQUIRE(debited);
        Step step = signed_step(op, op.auth, *from, {});
        add_access(step, op.auth.slot, from, debited.value());
        add_access(step, op.receiver, std::nullopt, make_leaf(op.owner, from->token, op.amount));
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const Withdraw& op) const {
        const auto from = at.leaf(op.auth.slot);
        QUARRY_REQUIRE(sender(op.auth, from));
        if (op.amount.is_zero()) return RejectCode::zero_amount;  // T1
        const auto debited = debit(op.auth, *from, op.amount);
        QUARRY_REQUIRE(debited);
        QUARRY_REQUIRE(room_for_effect());
        Step step = signed_step(op, op.auth, *from, {});
        add_access(step, op.auth.slot, from, debited.value());
        step.effect = WithdrawalEffect{op.recipient, from->token, op.amount};
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const ChangeKey& op) const {
        const auto from = at.leaf(op.auth.slot);
        QUARRY_REQUIRE(sender(op.auth, from));
        auto debited = debit(op.auth, *from, Amount());
        QUARRY_REQUIRE(debited);
        Step step = signed_step(op, op.auth, *from, {});
        Leaf after = debited.value();
        after.owner.key_hash = key_hash(op.key);
        after.pair = pair_hash(after.owner);
        add_access(step, op.auth.slot, from, after);
        step.key = op.key;
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const PublishKey& op) const {
        const auto leaf = at.leaf(op.slot);
        if (!leaf) return RejectCode::unknown_slot;                                          // P1
        if (leaf->key_published) return RejectCode::key_already_published;                   // P2
        if (key_hash(op.key) != leaf->owner.key_hash) return RejectCode::key_hash_mismatch;  // P3
        Step step = unsigned_step(op);
        Leaf after = *leaf;
        after.key_published = true;
        add_access(step, op.slot, leaf, after);
        step.key = op.key;
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const Collect& op) const {
        const auto leaf = at.leaf(op.slot);
        if (!leaf) return RejectCode::unknown_slot;                                       // C1
        if (leaf->pair != at.context_.fee_receiver) return RejectCode::not_fee_receiver;  // C2
        const Amount sum = at.fees_.pending(leaf->token);
        if (sum.is_zero()) return RejectCode::nothing_to_collect;  // C3
        const auto balance = checked_add(leaf->balance, sum);
        if (!balance) return RejectCode::balance_overflow;  // C4
        Step step = unsigned_step(op);
        step.fee_token = leaf->token;
        step.collected = sum;
        Leaf after = *leaf;
        after.balance = *balance;
        add_access(step, op.slot, leaf, after);
        return step;
    }

    // The outcome of a queue entry is a function of the state: the record in the batch carries no choice.

    [[nodiscard]] Checked<Step> operator()(const Deposit& op) const {
        const std::uint64_t index = at.state_.deposit_cursor;
        const auto entry = at.queues_.deposit(index);
        if (!entry) return RejectCode::no_queue_entry;  // Q1
        QUARRY_REQUIRE(room_for_effect());
        Step step = unsigned_step(op);
        bool applied = false;
        if (entry->target == kNewSlot) {
            applied = at.state_.slot_count < kMaxSlots;
            if (applied) {
                add_access(step, at.state_.slot_count, std::nullopt,
                           make_leaf(entry->owner, entry->token, entry->amount));
            }
        } else {
            const auto leaf = at.leaf(entry->target);
            const auto balance = leaf ? checked_add(leaf->balance, entry->amount) : std::nullopt;
            applied = leaf && leaf->token == entry->token && leaf->pair == pair_hash(entry->owner) && balance;
            if (applied) {
                Leaf after = *leaf;
                after.balance = *balance;
                add_access(step, entry->target, leaf, after);
            } else if (leaf) {
                add_access(step, entry->target, leaf, *leaf);
            }
        }
        step.effect = DepositEffect{applied, index, *entry};
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const ForcedWithdrawal& op) const {
        const std::uint64_t index = at.state_.forced_cursor;
        const auto queued = at.queues_.forced(index);
        if (!queued) return RejectCode::no_queue_entry;  // Q1
        const auto* entry = std::get_if<ForcedWithdrawalEntry>(&*queued);
        if (entry == nullptr) return RejectCode::queue_kind_mismatch;  // Q2
        QUARRY_REQUIRE(room_for_effect());
        Step step = unsigned_step(op);
        ForcedWithdrawalEffect effect{false, index, *entry, 0, {}};
        const auto leaf = at.leaf(entry->slot);
        if (leaf) {
            Leaf after = *leaf;
            if (leaf->owner.address == entry->sender) {
                effect.applied = true;
                effect.token = leaf->token;
                effect.amount = leaf->balance;
                after.balance = Amount();
            }
            add_access(step, entry->slot, leaf, after);
        }
        step.effect = effect;
        return step;
    }

    [[nodiscard]] Checked<Step> operator()(const SetKey& op) const {
        const std::uint64_t index = at.state_.forced_cursor;
        const auto queued = at.queues_.forced(index);
        if (!queued) return RejectCode::no_queue_entry;  // Q1
        const auto* entry = std::get_if<SetKeyEntry>(&*queued);
        if (entry == nullptr) return RejectCode::queue_kind_mismatch;  // Q2
        QUARRY_REQUIRE(room_for_effect());
        Step step = unsigned_step(op);
        SetKeyEffect effect{false, index, *entry};
        const auto leaf = at.leaf(entry->slot);
        if (leaf) {
            Leaf after = *leaf;
            if (leaf->owner.address == entry->sender) {
                effect.applied = true;
                after.owner.key_hash = entry->key_hash;
                after.pair = pair_hash(after.owner);
                after.key_published = false;
            }
            add_access(step, entry->slot, leaf, after);
        }
        step.effect = effect;
        return step;
    }
};

Executor::Executor(const BatchContext& context, const StateReader& base, const L1Queues& queues)
    : Executor(context, base, queues, {}, 0, 0) {}

Executor::Executor(const BatchContext& context, const StateReader& base, const L1Queues& queues, const FeeLedger& fees,
                   std::size_t num_words, std::size_t num_effects)
    : context_(context),
      base_(base),
      queues_(queues),
      state_(base.state()),
      fees_(fees),
      num_words_(num_words),
      num_effects_(num_effects) {}

std::optional<Leaf> Executor::leaf(SlotIndex slot) const {
    const auto it = touched_.find(slot);
    return it != touched_.end() ? it->second.change.after : base_.leaf(slot);
}

std::optional<AccountKey> Executor::find_key(const KeyHash& hash) const {
    const auto it = keys_.find(hash);
    if (it != keys_.end()) return it->second;
    return base_.key(hash);
}

Checked<Step> Executor::plan(const Operation& op) const {
    QUARRY_REQUIRE(check_encodable(op));                                                      // E1
    if (num_words_ + word_count(opcode(op)) > kMaxBatchWords) return RejectCode::batch_full;  // B1
    return std::visit(Rules{*this}, op);
}

void Executor::commit(const Step& step) {
    for (std::size_t i = 0; i < step.num_accesses; ++i) {
        const LeafChange& access = step.access[i];
        Touched& touched = touched_.try_emplace(access.slot, Touched{access, 0}).first->second;
        touched.change.after = access.after;
        ++touched.num_accesses;
        if (!access.before) ++state_.slot_count;
    }
    fees_.add(step.fee_token, step.fee);
    if (!step.collected.is_zero()) fees_.clear(step.fee_token);
    if (step.key) keys_.emplace(key_hash(*step.key), *step.key);
    if (step.effect) ++num_effects_;
    if (std::holds_alternative<Deposit>(step.op)) ++state_.deposit_cursor;
    const bool forced = std::holds_alternative<ForcedWithdrawal>(step.op) || std::holds_alternative<SetKey>(step.op);
    if (forced) ++state_.forced_cursor;
    num_words_ += word_count(opcode(step.op));
    steps_.push_back(step);
}

/// Undoes a publication, the only step that is ever made on behalf of another.
void Executor::retract_last() {
    const Step step = steps_.back();
    QUARRY_CHECK(std::holds_alternative<PublishKey>(step.op));
    steps_.pop_back();
    const auto it = touched_.find(step.access[0].slot);
    it->second.change.after = step.access[0].before;
    if (--it->second.num_accesses == 0) touched_.erase(it);
    num_words_ -= word_count(Opcode::publish_key);
}

Verdict Executor::apply(const Operation& op) {
    const auto planned = plan(op);
    QUARRY_REQUIRE(planned);
    const Step& step = planned.value();
    if (authorisation(op) != nullptr) {
        // A published key that the store lacks is a broken store, never a bad batch.
        const auto key = find_key(step.message->key_hash);
        if (!key) return RejectCode::storage_failed;
        unchecked_.emplace_back(steps_.size(), *key);
    }
    commit(step);
    return Accepted{};
}

/// The claims of a transaction, in the order in which a user wants to hear of them. They make the message that was
/// signed the message that plan computes.
Verdict Executor::check_claims(const Transaction& tx, bool signature_ok) const {
    const auto from = leaf(authorisation(tx.op)->slot);
    if (!from) return RejectCode::unknown_slot;
    // A published key is compared with the published one; hashing it would say the same.
    const auto known = from->key_published ? find_key(from->owner.key_hash) : std::nullopt;
    if (known ? tx.key != *known : key_hash(tx.key) != from->owner.key_hash) return RejectCode::wrong_key;
    if (tx.token != from->token) return RejectCode::wrong_token;
    if (!signature_ok) return RejectCode::bad_signature;
    if (tx.nonce < from->nonce) return RejectCode::nonce_too_low;
    if (tx.nonce > from->nonce) return RejectCode::nonce_too_high;
    if (const auto* transfer = std::get_if<Transfer>(&tx.op)) {
        const auto to = leaf(transfer->receiver);
        if (!to) return RejectCode::unknown_receiver;
        if (to->token != from->token) return RejectCode::receiver_token_mismatch;
        if (to->pair != tx.receiver_pair) return RejectCode::receiver_pair_mismatch;
    }
    return Accepted{};
}

Verdict Executor::apply(const Transaction& tx, bool signature_ok) {
    QUARRY_CHECK(authorisation(tx.op) != nullptr);
    QUARRY_REQUIRE(check_encodable(tx.op));
    QUARRY_REQUIRE(check_claims(tx, signature_ok));
    const SlotIndex slot = authorisation(tx.op)->slot;
    const bool publish = !leaf(slot)->key_published;
    if (publish) {
        const auto publication = plan(PublishKey{slot, tx.key});
        QUARRY_REQUIRE(publication);
        commit(publication.value());
    }
    const auto planned = plan(tx.op);
    if (!planned) {
        if (publish) retract_last();
        return planned.code();
    }
    commit(planned.value());
    return Accepted{};
}

std::vector<SignatureCheck> Executor::signature_checks() const {
    std::vector<Message> messages;
    messages.reserve(unchecked_.size());
    for (const auto& [step, key] : unchecked_) messages.push_back(*steps_[step].message);
    const std::vector<Digest> hashes = message_hashes(context_.domain, messages);
    std::vector<SignatureCheck> checks;
    checks.reserve(unchecked_.size());
    for (std::size_t i = 0; i < unchecked_.size(); ++i) {
        const auto& [step, key] = unchecked_[i];
        checks.push_back({step, key, hashes[i], authorisation(steps_[step].op)->signature});
    }
    return checks;
}

std::vector<LeafChange> Executor::changes() const {
    std::vector<LeafChange> r;
    r.reserve(touched_.size());
    for (const auto& [slot, touched] : touched_) r.push_back(touched.change);
    std::sort(r.begin(), r.end(), [](const LeafChange& a, const LeafChange& b) { return a.slot < b.slot; });
    return r;
}

std::vector<AccountKey> Executor::published_keys() const {
    std::vector<AccountKey> r;
    for (const Step& step : steps_) {
        if (step.key) r.push_back(*step.key);
    }
    return r;
}

}  // namespace quarry::rollup
