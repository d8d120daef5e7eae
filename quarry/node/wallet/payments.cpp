#include "quarry/node/wallet/payments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/token_amount.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::uint64_t kPollMs = 500;

using rollup::Amount;
using Kind = Problem::Kind;

std::string show(Amount amount, const Token& token) {
    return format_token_amount(amount, token.decimals) + " " + token.symbol;
}

Outcome<AccountView> choose_account(const PaymentRequest& request, const rollup::Owner& owner,
                                    SequencerClient& client) {
    const auto accounts = client.accounts_of(owner);
    if (!accounts) return accounts.error();
    const AccountView* best = nullptr;
    for (const AccountView& account : accounts.value()) {
        if (request.from_slot && account.slot != *request.from_slot) continue;
        if (account.token != request.token.id) continue;
        if (best == nullptr || account.balance > best->balance) best = &account;
    }
    if (best != nullptr) return *best;
    if (request.from_slot)
        return Problem{Kind::refused, "wrong_slot",
                       fmt::format("slot {} is not a slot of {} of this key", *request.from_slot, request.token.symbol),
                       "`quarry wallet balance` shows the key's slots"};
    return Problem{Kind::refused, "no_account", fmt::format("the key has no {} in the rollup", request.token.symbol),
                   "deposit some, or have somebody pay to the key's receiving address"};
}

/// The payee's slot or owner becomes an operation.
Outcome<Done> address_payment(const PaymentRequest& request, SequencerClient& client, PreparedPayment& payment) {
    if (const auto* to = std::get_if<WithdrawTo>(&request.to)) {
        payment.tx.tx.op = rollup::Withdraw{{}, {}, to->recipient};
        return Done{};
    }
    if (const auto* to = std::get_if<PaySlot>(&request.to)) {
        const auto receiver = client.account(to->slot);
        if (!receiver && receiver.error().name == "unknown_account")
            return Problem{Kind::refused, "unknown_receiver", fmt::format("slot {} does not exist", to->slot),
                           "ask for a receiving address instead of a slot number"};
        if (!receiver) return receiver.error();
        if (receiver.value().token != request.token.id)
            return Problem{Kind::refused, "token_mismatch", fmt::format("slot {} holds another token", to->slot),
                           "ask for a receiving address: it is good for every token"};
        payment.receiver = receiver.value().owner;
        payment.tx.tx.op = rollup::Transfer{{}, to->slot, {}};
    } else {
        payment.receiver = std::get<PayOwner>(request.to).owner;
        const auto slots = client.accounts_of(*payment.receiver);
        if (!slots) return slots.error();
        const auto slot = std::ranges::find(slots.value(), request.token.id, &AccountView::token);
        if (slot == slots.value().end()) {
            payment.tx.tx.op = rollup::TransferNew{{}, 0, {}, *payment.receiver};
            return Done{};
        }
        payment.tx.tx.op = rollup::Transfer{{}, slot->slot, {}};
    }
    // Of the owner that the payment is for: a slot of somebody else does not have it, and the operation is refused.
    payment.tx.tx.receiver_pair = rollup::pair_hash(*payment.receiver);
    if (std::get<rollup::Transfer>(payment.tx.tx.op).receiver == payment.from.slot)
        return Problem{Kind::refused, "own_account", "the payment goes to the slot that it comes from",
                       "choose another receiver"};
    return Done{};
}

Outcome<Done> choose_fee(const PaymentRequest& request, SequencerClient& client, PreparedPayment& payment) {
    const Token& token = request.token;
    const bool is_new = std::holds_alternative<rollup::TransferNew>(payment.tx.tx.op);
    if (request.fee) {
        payment.fee = *request.fee;
    } else {
        const auto quote = client.fee_quote(token.id);
        if (!quote) return quote.error();
        if (!quote.value().accepted)
            return Problem{Kind::refused, "fee_not_accepted",
                           fmt::format("the sequencer takes no fees in {}", token.symbol),
                           "ask another sequencer, or leave by `quarry wallet force-withdraw`"};
        payment.fee = quote.value().suggested;
        if (is_new) payment.fee = std::max(payment.fee, quote.value().new_pair_minimum);
        const Amount limit =
            request.max_fee ? *request.max_fee
                            : *Amount::from_wide((request.amount ? *request.amount : payment.from.balance).wide() / 10);
        if (payment.fee > limit)
            return Problem{Kind::refused, "fee_above_limit",
                           fmt::format("the sequencer asks a fee of {}, and the limit is {}", show(payment.fee, token),
                                       show(limit, token)),
                           "allow it with --max-fee, or choose one with --fee"};
    }
    if (payment.fee.fits_fee()) return Done{};
    return Problem{Kind::refused, "fee_above_limit", "the fee is 2^72 smallest units or more", "choose a smaller one"};
}

Outcome<Done> choose_amount(const PaymentRequest& request, PreparedPayment& payment) {
    const Amount balance = payment.from.balance;
    const auto rest = checked_sub(balance, payment.fee);
    payment.amount = request.amount ? *request.amount : rest.value_or(Amount());
    const auto total = checked_add(payment.amount, payment.fee);
    if (!rest || !total || *total > balance)
        return Problem{Kind::refused, "insufficient_balance",
                       fmt::format("slot {} has {}, and {} with a fee of {} are more", payment.from.slot,
                                   show(balance, request.token), show(payment.amount, request.token),
                                   show(payment.fee, request.token)),
                       "choose a smaller amount; `--amount all` is everything less the fee"};
    return Done{};
}

std::string say_nonce(const SignedEntry& entry) {
    return fmt::format("operation {} with nonce {}", to_hex(entry.id), entry.tx.tx.nonce);
}

/// An operation that is signed with the nonce of the payment: one of the two will count.
Outcome<Done> check_same_nonce(const PaymentRequest& request, const SignedEntry& entry,
                               const std::optional<ReceiptView>& receipt) {
    if (request.replace || (receipt && receipt->stage == Stage::rejected)) return Done{};
    if (!receipt)
        return Problem{Kind::refused, "operation_pending",
                       say_nonce(entry) + " is signed, and the sequencer does not have it",
                       "`quarry wallet resend` sends it; with --replace another one is signed in its place, and "
                       "one of the two will count"};
    return Problem{Kind::refused, "nonce_conflict",
                   fmt::format("{} is {}, and the sequencer asks for its nonce again", say_nonce(entry),
                               stage_name(receipt->stage)),
                   "wait and try again; with --replace another one is signed in its place, and one of the two will "
                   "count"};
}

/// The nonce that the sequencer asks for, unless the payment might count beside or instead of an operation that is
/// signed. Only its expiry ends a signature: a sequencer, or who is between, can keep one and say that it is rejected.
Outcome<Done> choose_nonce(const PaymentRequest& request, SequencerClient& client, const SignedLog& log,
                           std::uint64_t now, PreparedPayment& payment) {
    const rollup::Nonce nonce = payment.from.next_nonce;
    payment.tx.tx.nonce = nonce;
    std::map<rollup::Nonce, const SignedEntry*> used;  // nullptr: the sequencer has one of its operations
    const std::vector<SignedEntry> alive = log.alive(payment.from.slot, now);
    for (const SignedEntry& entry : alive) {
        const rollup::Nonce other = entry.tx.tx.nonce;
        if (other != nonce && request.in_addition) continue;
        if (other > nonce)
            return Problem{Kind::refused, "later_nonce_signed",
                           fmt::format("{} is signed and waits for nonce {}: a payment now takes that nonce, and both "
                                       "will count",
                                       say_nonce(entry), nonce),
                           "wait until it expires; with --in-addition a payment is signed although both will count"};
        const auto receipt = client.receipt(entry.id);
        if (!receipt) return receipt.error();
        const auto& r = receipt.value();
        if (other == nonce) {
            QUARRY_PASS_ON(check_same_nonce(request, entry, r));
            payment.replaces = entry.id;
            continue;
        }
        const SignedEntry*& unexplained = used.try_emplace(other, &entry).first->second;
        if (r && r->stage != Stage::rejected) unexplained = nullptr;
    }
    const auto lost = std::ranges::find_if(used, [](const auto& nonce_and_entry) { return nonce_and_entry.second; });
    if (lost == used.end()) return Done{};
    return Problem{Kind::refused, "nonce_conflict",
                   say_nonce(*lost->second) +
                       " is signed, the sequencer does not have it, and yet its nonce is used: it may have counted",
                   "compare the balance; with --in-addition a payment is signed although both may count"};
}

void set_amount(rollup::Operation& op, Amount amount) {
    if (auto* transfer = std::get_if<rollup::Transfer>(&op)) transfer->amount = amount;
    if (auto* transfer = std::get_if<rollup::TransferNew>(&op)) transfer->amount = amount;
    if (auto* withdraw = std::get_if<rollup::Withdraw>(&op)) withdraw->amount = amount;
}

}  // namespace

Outcome<PreparedPayment> prepare_payment(const PaymentRequest& request, const rollup::Owner& owner,
                                         SequencerClient& client, const SignedLog& log, std::uint64_t now) {
    PreparedPayment payment;
    auto from = choose_account(request, owner, client);
    if (!from) return from.error();
    payment.from = from.value();
    QUARRY_PASS_ON(address_payment(request, client, payment));
    QUARRY_PASS_ON(choose_fee(request, client, payment));
    QUARRY_PASS_ON(choose_amount(request, payment));
    QUARRY_PASS_ON(choose_nonce(request, client, log, now, payment));
    set_amount(payment.tx.tx.op, payment.amount);
    rollup::Authorisation& auth = *rollup::authorisation(payment.tx.tx.op);
    auth.slot = payment.from.slot;
    auth.fee = payment.fee;
    auth.expiry = static_cast<rollup::Timestamp>(
        std::min<std::uint64_t>(now + request.valid_for_seconds, std::numeric_limits<rollup::Timestamp>::max()));
    payment.tx.tx.token = request.token.id;
    return payment;
}

Outcome<ReceiptView> sign_and_send(PreparedPayment& payment, const SecretKey<KB11>& key, const Digest& domain,
                                   const Entropy& entropy, SequencerClient& client, SignedLog& log, std::uint64_t now) {
    SignedTransaction& tx = payment.tx;
    tx.key = key.public_key();
    tx.tx.key = to_account_key(tx.key);
    std::array<std::uint8_t, 32> hedge{};
    entropy(hedge);
    rollup::authorisation(tx.tx.op)->signature = key.sign(rollup::transaction_id(domain, tx.tx), hedge).encode();
    QUARRY_PASS_ON(log.append(now, tx));
    auto receipt = client.send(log.entries().back());
    if (!receipt && (receipt.error().name == "rpc_unreachable" || receipt.error().name == "bad_answer")) {
        Problem problem = receipt.error();
        problem.remedy = "the operation is signed and may be under way: `quarry wallet resend` sends it once more";
        return problem;
    }
    return receipt;
}

Outcome<std::vector<Resent>> send_again(const rollup::Owner& owner, SequencerClient& client, const SignedLog& log) {
    const auto accounts = client.accounts_of(owner);
    if (!accounts) return accounts.error();
    std::map<rollup::SlotIndex, rollup::Nonce> next;
    for (const AccountView& account : accounts.value()) next[account.slot] = account.nonce;
    const auto place = [](const SignedEntry& entry) {
        return std::pair(rollup::authorisation(entry.tx.tx.op)->slot, entry.tx.tx.nonce);
    };
    std::map<std::pair<rollup::SlotIndex, rollup::Nonce>, Digest> latest;
    for (const SignedEntry& entry : log.entries()) latest[place(entry)] = entry.id;
    std::vector<Resent> sent;
    for (const SignedEntry& entry : log.entries()) {
        const auto slot = next.find(place(entry).first);
        if (slot == next.end() || entry.tx.tx.nonce < slot->second) continue;
        if (latest.at(place(entry)) != entry.id) continue;
        const auto known = client.receipt(entry.id);
        if (!known) return known.error();
        if (known.value() && known.value()->stage == Stage::rejected) continue;
        Resent resent{entry, std::nullopt, std::nullopt};
        const auto receipt = client.send(entry);
        if (receipt) {
            resent.receipt = receipt.value();
        } else if (receipt.error().name == "rpc_unreachable") {
            return receipt.error();
        } else {
            resent.problem = receipt.error();
        }
        sent.push_back(std::move(resent));
    }
    return sent;
}

Outcome<ReceiptView> wait_for_stage(const Digest& id, Stage stage, std::uint64_t timeout_ms, SequencerClient& client,
                                    ethereum::Clock& clock, const std::function<void(const ReceiptView&)>& show_stage,
                                    const std::function<bool()>& stop) {
    const std::uint64_t deadline = clock.now_ms() + timeout_ms;
    std::optional<Stage> shown;
    while (true) {
        const auto receipt = client.receipt(id);
        if (!receipt) return receipt.error();
        const auto& r = receipt.value();
        if (!r)
            return Problem{Kind::refused, "unknown_operation", "the sequencer does not know the operation",
                           "`quarry wallet resend` sends what was signed and not executed"};
        if (shown != r->stage) show_stage(*r);
        shown = r->stage;
        if (has_reached(r->stage, stage)) return *r;
        if (r->stage == Stage::rejected)
            return Problem{Kind::refused, "operation_rejected",
                           fmt::format("the operation was rejected: {} ({})", r->reason, r->code),
                           "nothing has moved; correct the cause and sign a new one"};
        if (stop())
            return Problem{Kind::environment, "interrupted", "interrupted while waiting",
                           "the operation goes its way: `quarry wallet receipt ID --wait STAGE` goes on waiting"};
        if (clock.now_ms() >= deadline)
            return Problem{Kind::environment, "wait_timed_out",
                           fmt::format("the operation is {}, and the time to wait for {} is over", stage_name(r->stage),
                                       stage_name(stage)),
                           "the operation goes its way: `quarry wallet receipt ID --wait STAGE` goes on waiting"};
        clock.sleep_ms(kPollMs);
    }
}

}  // namespace quarry::node::wallet
