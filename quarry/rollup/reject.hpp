#pragma once
#include <utility>
#include <variant>

#include "quarry/base/check.hpp"

namespace quarry::rollup {

/// Every cause for which the rollup layer refuses something, one enumerator per cause: X(name, sentence a user can act
/// on). A refused operation changes nothing.
#define QUARRY_REJECT_CODES(X)                                                                          \
    /* encoding of operations and headers */                                                            \
    X(truncated, "the bytes end inside an operation")                                                   \
    X(bad_length, "the bytes are not whole 31-byte words, or not of the fixed length")                  \
    X(too_many_words, "the batch is longer than six blobs of 4096 words")                               \
    X(unknown_opcode, "the first byte of an operation is not an opcode")                                \
    X(nonzero_padding, "a byte that must be zero is not")                                               \
    X(slot_out_of_range, "a slot number is 2^30 or more")                                               \
    X(non_canonical_element, "a field element is not below the modulus")                                \
    X(bad_flag, "a byte that says yes or no is neither 1 nor 0")                                        \
    X(fee_too_large, "the fee is 2^72 or more")                                                         \
    X(bad_amount, "an amount is not a decimal integer without sign or leading zeros")                   \
    X(amount_too_large, "the amount is 2^96 or more")                                                   \
    X(bad_magic, "the file is not of this kind")                                                        \
    X(unsupported_version, "written by another version of the format")                                  \
    X(limit_exceeded, "a count is above the documented limit")                                          \
    /* signed operations */                                                                             \
    X(unknown_slot, "the sender's slot does not exist")                                                 \
    X(key_not_published, "the slot's public key has not been published yet")                            \
    X(expired, "the operation's expiry is before the batch's timestamp")                                \
    X(wrong_key, "the public key is not the one of the slot")                                           \
    X(wrong_token, "the slot holds another token")                                                      \
    X(nonce_too_low, "the nonce was used already")                                                      \
    X(nonce_too_high, "an operation with an earlier nonce is missing")                                  \
    X(nonce_exhausted, "the slot has used all of its 2^30 - 1 nonces; leave it by a forced withdrawal") \
    X(bad_signature, "the signature does not verify")                                                   \
    X(zero_amount, "the amount is zero")                                                                \
    X(self_transfer, "sender and receiver are the same slot")                                           \
    X(unknown_receiver, "the receiver's slot does not exist")                                           \
    X(receiver_token_mismatch, "the receiver's slot holds another token")                               \
    X(receiver_pair_mismatch, "the receiver's slot does not belong to the signed key and L1 address")   \
    X(insufficient_balance, "amount and fee exceed the balance")                                        \
    X(balance_overflow, "the receiver's balance would reach 2^96")                                      \
    X(fee_too_small, "creating a slot costs at least the rollup's minimum fee")                         \
    X(wrong_new_slot, "the slot to create is not the next free number")                                 \
    X(tree_full, "all 2^30 slots are taken")                                                            \
    X(fee_ledger_full, "sixteen other tokens have uncollected fees")                                    \
    X(fee_overflow, "the uncollected fees of the token would reach 2^96")                               \
    X(no_fee_slot, "the sequencer has no slot to collect fees in this token")                           \
    /* records of the sequencer */                                                                      \
    X(key_already_published, "the slot's public key is published already")                              \
    X(key_hash_mismatch, "the published key does not hash to the slot's key hash")                      \
    X(not_fee_receiver, "fees are collected into a slot that is not the header's fee receiver's")       \
    X(nothing_to_collect, "there are no uncollected fees in the slot's token")                          \
    X(no_queue_entry, "the L1 queue has no entry at the cursor")                                        \
    X(queue_kind_mismatch, "the L1 queue's next entry is of another kind")                              \
    X(effects_full, "the batch has as many L1 effects as one proof may carry")                          \
    X(batch_full, "the operation does not fit into the batch")                                          \
    /* whole batches */                                                                                 \
    X(uncollected_fees, "the batch ends with fees that were not collected")                             \
    X(byte_length_mismatch, "the header's byte length is not the data's")                               \
    X(effect_count_mismatch, "the header's number of effects is not the batch's")                       \
    X(cursor_mismatch, "the header's queue cursors are not the batch's")                                \
    X(slot_count_mismatch, "the header's slot count is not the batch's")                                \
    X(root_mismatch, "the claimed state root is not the state's")                                       \
    X(queue_hash_mismatch, "the header's rolling hash of a queue is not the queue's")                   \
    X(wrong_rollup, "the header is of another rollup")                                                  \
    X(wrong_parent, "the batch does not follow the store's last batch")                                 \
    /* statements */                                                                                    \
    X(domain_mismatch, "the statements are of different rollups")                                       \
    X(header_mismatch, "the statements are of different batches")                                       \
    X(payee_mismatch, "the statements pay different payees")                                            \
    X(missing_payee, "the payee is the zero address")                                                   \
    X(state_gap, "the second statement does not start in the state in which the first ends")            \
    X(data_gap, "the data accumulators or their counts do not meet")                                    \
    X(effects_gap, "the effects accumulators or their counts do not meet")                              \
    X(fees_gap, "the fee ledgers do not meet")                                                          \
    X(work_overflow, "the units of work exceed 2^32 - 1")                                               \
    X(counter_falls, "a count at the statement's end is below the one at its start")                    \
    X(binding_gap, "the data bound to L1 do not meet")                                                  \
    X(binding_order, "blobs are bound in order, each but the last one full, and calldata alone")        \
    X(unbound_data, "not all of the batch's data are bound to L1")                                      \
    X(unbound_effects, "the batch's effects are not bound to L1 exactly once, or there are none")       \
    X(binding_mismatch, "these are not the L1 bindings that the statement commits to")                  \
    X(bundle_shape, "the left bundle is not full, or lower than the right one")                         \
    X(bundle_mismatch, "the bundle is not of these batches, or not in this order")                      \
    X(not_at_start, "the statement does not start where a batch starts")                                \
    X(not_at_end, "the statement does not run to the batch's end")                                      \
    /* stores */                                                                                        \
    X(stale_commit, "the commit was made on another state than the store's")                            \
    X(not_reversible, "the batch is finalised, or was never applied: it cannot be rolled back")         \
    X(storage_failed, "the storage engine refused to read or write")

enum class RejectCode {
#define QUARRY_X(name, text) name,
    QUARRY_REJECT_CODES(QUARRY_X)
#undef QUARRY_X
};

/// The enumerator's name, stable: scripts may match on it.
constexpr const char* reject_name(RejectCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case RejectCode::name:   \
        return #name;
        QUARRY_REJECT_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

/// One sentence for people.
constexpr const char* reject_text(RejectCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case RejectCode::name:   \
        return text;
        QUARRY_REJECT_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown cause";
}

struct Accepted {
    friend bool operator==(Accepted, Accepted) noexcept { return true; }
};

/// A value or the cause of its refusal.
template <class T = Accepted>
class [[nodiscard]] Checked {
  public:
    Checked(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Checked(RejectCode code) : v_(std::in_place_index<1>, code) {}      // NOLINT(google-explicit-constructor)
    [[nodiscard]] bool ok() const noexcept { return v_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] const T& value() const& {
        QUARRY_CHECK(ok());
        return *std::get_if<0>(&v_);
    }
    [[nodiscard]] T& value() & {
        QUARRY_CHECK(ok());
        return *std::get_if<0>(&v_);
    }
    [[nodiscard]] T&& value() && {
        QUARRY_CHECK(ok());
        return std::move(*std::get_if<0>(&v_));
    }
    [[nodiscard]] RejectCode code() const {
        QUARRY_CHECK(!ok());
        return *std::get_if<1>(&v_);
    }

  private:
    std::variant<T, RejectCode> v_;
};

using Verdict = Checked<Accepted>;

}  // namespace quarry::rollup

/// Returns the code of `expression` from the enclosing function, if it is a refusal.
#define QUARRY_REQUIRE(expression)                           \
    do {                                                     \
        const auto& quarry_require_ = (expression);          \
        if (!quarry_require_) return quarry_require_.code(); \
    } while (false)
