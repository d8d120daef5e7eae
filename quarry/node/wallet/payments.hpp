#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quarry/node/wallet/network.hpp"
#include "quarry/node/wallet/secret_bytes.hpp"
#include "quarry/node/wallet/sequencer_client.hpp"
#include "quarry/node/wallet/signed_log.hpp"

/// Signing and sending operations of the rollup.
namespace quarry::node::wallet {

/// To an L1 address.
struct WithdrawTo {
    rollup::L1Address recipient;
};
/// To a receiving address: a slot of this pair, which is made if there is none.
struct PayOwner {
    rollup::Owner owner;
};
/// To a slot, whoever has it.
struct PaySlot {
    rollup::SlotIndex slot = 0;
};

struct PaymentRequest {
    std::variant<WithdrawTo, PayOwner, PaySlot> to;
    Token token;
    std::optional<rollup::Amount> amount;          ///< none: everything, less the fee
    std::optional<rollup::SlotIndex> from_slot;    ///< none: the owner's slot of this token with the most in it
    std::optional<rollup::Amount> fee;             ///< none: what the sequencer suggests
    std::optional<rollup::Amount> max_fee;         ///< for what it suggests; none: a tenth of the amount
    std::uint64_t valid_for_seconds = 24 * 3'600;  ///< after which nobody can execute the operation any more
    bool replace = false;      ///< sign although an operation with the same nonce is signed: one of them will count
    bool in_addition = false;  ///< sign although one with another nonce may count too
};

/// An operation ready to be signed, and what to tell about it.
struct PreparedPayment {
    SignedTransaction tx;  ///< without key and signature
    AccountView from;
    rollup::Amount amount;
    rollup::Amount fee;
    std::optional<rollup::Owner> receiver;  ///< of a transfer
    std::optional<Digest> replaces;         ///< id of an operation with the same nonce that was signed before
};

/// Looks up slots, nonce and fee, and checks what can be checked here. `now`: seconds since 1970. Problems:
///     no_account (the key has no slot of the token), wrong_slot, insufficient_balance, fee_not_accepted,
///     fee_above_limit, unknown_receiver, token_mismatch, own_account, operation_pending (an operation with this nonce
///     is signed, and the sequencer does not have it), nonce_conflict (the sequencer has it, and yet asks for its nonce
///     again; or it has none that was signed with a nonce that it says is used), later_nonce_signed (an operation is
///     signed that counts once this nonce is used),
/// and the client's.
Outcome<PreparedPayment> prepare_payment(const PaymentRequest& request, const rollup::Owner& owner,
                                         SequencerClient& client, const SignedLog& log, std::uint64_t now);

/// Signs, logs, sends. After `rpc_unreachable` and `bad_answer` the operation may be under way: send_again() finds out.
Outcome<ReceiptView> sign_and_send(PreparedPayment& payment, const SecretKey<KB11>& key, const Digest& domain,
                                   const Entropy& entropy, SequencerClient& client, SignedLog& log, std::uint64_t now);

/// What became of an operation that was sent again: its receipt, or why not.
struct Resent {
    SignedEntry entry;
    std::optional<ReceiptView> receipt;
    std::optional<Problem> problem;
};
/// Sends what the sequencer has not executed yet, of all slots of the owner, in the order of signing. What it rejected
/// stays rejected (its owner may have paid otherwise since), and so does what a later signature with its slot and nonce
/// took the place of.
Outcome<std::vector<Resent>> send_again(const rollup::Owner& owner, SequencerClient& client, const SignedLog& log);

/// Asks until the operation is at `stage`, or rejected (operation_rejected), or `timeout_ms` are over
/// (wait_timed_out). `show` is told each stage on the way once; `stop` ends the waiting (interrupted).
Outcome<ReceiptView> wait_for_stage(const Digest& id, Stage stage, std::uint64_t timeout_ms, SequencerClient& client,
                                    ethereum::Clock& clock, const std::function<void(const ReceiptView&)>& show,
                                    const std::function<bool()>& stop);

}  // namespace quarry::node::wallet
