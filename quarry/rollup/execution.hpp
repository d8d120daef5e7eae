#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/fee_ledger.hpp"
#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/operations.hpp"
#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/store.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// What operations see of their rollup and of their batch's header.
struct BatchContext {
    Digest domain{};  ///< domain_hash(RollupParameters)
    Amount min_new_pair_fee;
    Timestamp timestamp = 0;
    Digest fee_receiver{};  ///< a pair hash
};

/// A signed operation with what its signer signed beyond its bytes: a sender that is not yet in a batch states what it
/// believes the slot to hold, so that its signature can be checked without the state.
struct Transaction {
    Operation op;  ///< a signed one
    AccountKey key;
    TokenId token = 0;
    Nonce nonce = 0;
    Digest receiver_pair{};  ///< of a Transfer
    friend bool operator==(const Transaction&, const Transaction&) noexcept = default;
};
/// The message that tx.op's signature signs under tx.key, and the transaction's id. Precondition: tx.op is signed.
Message make_message(const Transaction& tx);
Digest transaction_id(const Digest& domain, const Transaction& tx);
/// The ids of many, on the batch kernels.
std::vector<Digest> transaction_ids(const Digest& domain, std::span<const Transaction> txs);

/// A signature still to be checked: the batch is valid only if all of its checks pass.
struct SignatureCheck {
    std::size_t step = 0;  ///< of the batch
    AccountKey key;
    Digest message{};
    SignatureBytes signature{};
};

/// What one operation did: at most two slots, in the order of access, at most one effect.
struct Step {
    Operation op;
    std::array<LeafChange, 2> access;
    std::size_t num_accesses = 0;
    std::optional<Effect> effect;
    TokenId fee_token = 0;
    Amount fee;                      ///< added to the fee ledger
    Amount collected;                ///< taken from it
    std::optional<AccountKey> key;   ///< published by the operation
    std::optional<Message> message;  ///< what was signed
};

/// Executes the operations of one batch over a state that it only reads. Each operation is planned (a function of the
/// state: one early return per rule) and then committed as a whole, so that a refused operation changes nothing.
///
/// The rules are the circuit's rules: what plan refuses cannot be proven, and what it accepts can.
class Executor {
  public:
    /// `base` and `queues` must live as long as the executor.
    Executor(const BatchContext& context, const StateReader& base, const L1Queues& queues);
    /// Goes on in the middle of a batch. `base` is the state there, `fees` the fees not collected yet; so many words
    /// and effects went before.
    Executor(const BatchContext& context, const StateReader& base, const L1Queues& queues, const FeeLedger& fees,
             std::size_t num_words, std::size_t num_effects);

    /// Applies an operation of a batch's data. A signed one leaves a SignatureCheck behind.
    Verdict apply(const Operation& op);
    /// Applies a transaction whose signature was checked against transaction_id beforehand, and publishes its key first
    /// when the slot needs that.
    Verdict apply(const Transaction& tx, bool signature_ok);

    /// The state after the operations so far; its root is still the base's.
    [[nodiscard]] const State& state() const noexcept { return state_; }
    [[nodiscard]] std::optional<Leaf> leaf(SlotIndex slot) const;
    [[nodiscard]] const FeeLedger& fees() const noexcept { return fees_; }
    [[nodiscard]] const std::vector<Step>& steps() const noexcept { return steps_; }
    [[nodiscard]] std::size_t num_words() const noexcept { return num_words_; }
    [[nodiscard]] std::size_t num_effects() const noexcept { return num_effects_; }
    /// One for each signed operation that was applied without a verdict on its signature.
    [[nodiscard]] std::vector<SignatureCheck> signature_checks() const;
    /// The steps, moved out: the executor is used up.
    [[nodiscard]] std::vector<Step> release_steps() { return std::move(steps_); }
    /// Every touched slot, by rising number.
    [[nodiscard]] std::vector<LeafChange> changes() const;
    [[nodiscard]] std::vector<AccountKey> published_keys() const;

  private:
    struct Rules;
    friend struct Rules;

    [[nodiscard]] Checked<Step> plan(const Operation& op) const;
    [[nodiscard]] Verdict check_claims(const Transaction& tx, bool signature_ok) const;
    void commit(const Step& step);
    void retract_last();
    [[nodiscard]] std::optional<AccountKey> find_key(const KeyHash& hash) const;

    struct Touched {
        LeafChange change;
        std::size_t num_accesses = 0;
    };

    BatchContext context_;
    const StateReader& base_;
    const L1Queues& queues_;
    State state_;
    FeeLedger fees_;
    std::unordered_map<SlotIndex, Touched> touched_;
    std::unordered_map<KeyHash, AccountKey, DigestHasher> keys_;  ///< published by the batch
    std::vector<Step> steps_;
    std::vector<std::pair<std::size_t, AccountKey>> unchecked_;  ///< steps with unchecked signatures
    std::size_t num_words_ = 0;
    std::size_t num_effects_ = 0;
};

}  // namespace quarry::rollup
