#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <ctime>
#include <memory>

#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/wallet_commands.hpp"
#include "quarry/apps/wallet_options.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/payments.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/node/wallet/token_amount.hpp"
#include "quarry/rollup/hashing.hpp"

/// Commands that talk to the sequencer: balance, transfer, withdraw, receipt, resend, history.
namespace quarry::apps {
namespace {

namespace json = boost::json;
namespace wallet = node::wallet;

constexpr const char* kEverything = "all";

struct PaymentCommand {
    WalletOptions options;
    std::string to;
    std::string amount;
    std::string token = "0";
    std::optional<rollup::SlotIndex> from_slot;
    std::string fee;
    std::string max_fee;
    std::uint64_t valid_minutes = 24 * 60;
    bool replace = false;
    bool in_addition = false;
    std::string wait = "executed";
    std::uint64_t timeout = 600;
    std::string id;
};

json::object to_json(const wallet::ReceiptView& r) {
    json::object out{{"id", node::to_hex(r.id)}, {"stage", wallet::stage_name(r.stage)}};
    if (r.batch) out["batch"] = *r.batch;
    if (r.index) out["index"] = *r.index;
    if (r.created_slot) out["created_slot"] = *r.created_slot;
    if (!r.code.empty()) out["code"] = r.code;
    if (!r.reason.empty()) out["reason"] = r.reason;
    return out;
}

std::string describe(const wallet::ReceiptView& r) {
    std::string text = wallet::stage_name(r.stage);
    if (r.batch) text += fmt::format(" in batch {}", *r.batch);
    if (r.stage == wallet::Stage::rejected || r.stage == wallet::Stage::reverted)
        text += fmt::format(": {} ({})", r.reason, r.code);
    return text;
}

// --- balance

void run_balance(const PaymentCommand& command, const Session& session) {
    const ChosenKey key = choose_key(command.options);
    const auto net = network(command.options);
    auto client = sequencer(net);
    check_rollup(client, net);
    const auto accounts = value_of(client.accounts_of(key.owner()));
    json::array list;
    std::string text;
    for (const wallet::AccountView& a : accounts) {
        const auto token = net.token(a.token);
        const std::string shown =
            token ? show_amount(a.balance, *token)
                  : fmt::format("{} smallest units of token {}", rollup::to_string(a.balance), a.token);
        text += fmt::format("slot {:<10} {}\n", a.slot, shown);
        json::object item{{"slot", a.slot},
                          {"token", a.token},
                          {"balance", rollup::to_string(a.balance)},
                          {"nonce", a.nonce},
                          {"next_nonce", a.next_nonce}};
        if (token) {
            item["symbol"] = token->symbol;
            item["amount"] = wallet::format_token_amount(a.balance, token->decimals);
        }
        list.push_back(std::move(item));
    }
    if (session.json) {
        print_json(json::object{{"ok", true}, {"name", key.name}, {"accounts", std::move(list)}});
        return;
    }
    print(text.empty() ? "no account in the rollup yet: deposit, or have somebody pay to `quarry wallet address`\n"
                       : text);
}

// --- waiting

wallet::Stage stage_of(const std::string& name) { return wallet::stage_of(name).value(); }

wallet::ReceiptView wait(const Digest& id, const PaymentCommand& command, wallet::SequencerClient& client,
                         const Session& session) {
    const auto& stopped = stop_requested();
    const auto show = [&](const wallet::ReceiptView& r) {
        if (!session.quiet) (void)std::fprintf(stderr, "  %s\n", describe(r).c_str());
    };
    return value_of(wallet::wait_for_stage(id, stage_of(command.wait), command.timeout * 1000, client,
                                           ethereum::system_clock(), show, [&] { return stopped.load(); }));
}

void print_receipt(const wallet::ReceiptView& receipt, json::object more, const Session& session) {
    if (session.json) {
        json::object document{{"ok", true}};
        for (const auto& member : more) document[member.key()] = member.value();
        for (const auto& member : to_json(receipt)) document[member.key()] = member.value();
        print_json(document);
        return;
    }
    print(fmt::format("{}\n  {}\n", node::to_hex(receipt.id), describe(receipt)));
    if (receipt.created_slot) print(fmt::format("  the receiver's new slot is {}\n", *receipt.created_slot));
}

// --- transfer, withdraw

/// "quarry1..", or a slot number.
std::variant<wallet::WithdrawTo, wallet::PayOwner, wallet::PaySlot> receiver_of(const std::string& text) {
    if (const auto owner = wallet::parse_receiving_address(text)) return wallet::PayOwner{*owner};
    rollup::SlotIndex slot = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), slot);
    if (end.ec == std::errc() && end.ptr == text.data() + text.size() && slot < rollup::kMaxSlots)
        return wallet::PaySlot{slot};
    throw Failure(exit_usage, "bad_address", fmt::format("--to: '{}' is no receiving address and no slot number", text),
                  "a receiving address starts with quarry1 and has a checksum: copy it again");
}

wallet::PaymentRequest request_of(const PaymentCommand& command, const wallet::Token& token) {
    wallet::PaymentRequest r;
    r.token = token;
    if (command.amount != kEverything) r.amount = amount_in(command.amount, token);
    r.from_slot = command.from_slot;
    if (!command.fee.empty()) r.fee = amount_in(command.fee, token);
    if (!command.max_fee.empty()) r.max_fee = amount_in(command.max_fee, token);
    r.valid_for_seconds = command.valid_minutes * 60;
    r.replace = command.replace;
    r.in_addition = command.in_addition;
    return r;
}

void say_payment(const wallet::PreparedPayment& payment, const wallet::Token& token, const std::string& to,
                 const Session& session) {
    if (session.quiet) return;
    (void)std::fprintf(stderr, "%s from slot %u to %s, fee %s, nonce %u\n", show_amount(payment.amount, token).c_str(),
                       payment.from.slot, to.c_str(), show_amount(payment.fee, token).c_str(), payment.tx.tx.nonce);
    if (payment.replaces)
        (void)std::fprintf(stderr, "it takes the place of operation %s, which has the same nonce: one of them counts\n",
                           node::to_hex(*payment.replaces).c_str());
}

void pay(const PaymentCommand& command, const Session& session, bool is_withdrawal) {
    const ChosenKey key = choose_key(command.options);
    const auto net = network(command.options);
    const auto token = token_of(net, command.token);
    wallet::PaymentRequest request = request_of(command, token);
    if (is_withdrawal) {
        request.to = wallet::WithdrawTo{command.to.empty() ? key.owner().address : l1_address_of(command.to, "--to")};
    } else {
        request.to = receiver_of(command.to);
    }
    auto client = sequencer(net);
    check_rollup(client, net);
    const Digest domain = rollup::domain_hash(net.parameters);
    auto log = std::make_optional(
        value_of(wallet::SignedLog::open(wallet_folder(command.options).path(), key.owner().key_hash, domain)));
    auto payment = value_of(wallet::prepare_payment(request, key.owner(), client, *log, unix_now()));
    const std::string to = is_withdrawal ? wallet::format_l1_address(std::get<wallet::WithdrawTo>(request.to).recipient)
                                         : wallet::format_receiving_address(*payment.receiver);
    say_payment(payment, token, to, session);
    const auto secret = unlock(key, command.options);
    const auto sent =
        value_of(wallet::sign_and_send(payment, secret, domain, wallet::system_entropy(), client, *log, unix_now()));
    log.reset();  // other commands may sign while this one waits
    const auto receipt = wait(sent.id, command, client, session);
    json::object more{{"slot", payment.from.slot},
                      {"nonce", payment.tx.tx.nonce},
                      {"token", token.id},
                      {"amount", rollup::to_string(payment.amount)},
                      {"fee", rollup::to_string(payment.fee)},
                      {"to", to}};
    if (payment.replaces) more["replaces"] = node::to_hex(*payment.replaces);
    print_receipt(receipt, std::move(more), session);
}

// --- receipt, resend, history

Digest id_of(const std::string& text) {
    const std::string line = "{\"id\":\"" + text + "\"}";
    node::ObjectReader r(line, 4096);
    const Digest id = r.digest("id");
    if (!r.finish()) return id;
    throw Failure(exit_usage, "bad_id", fmt::format("'{}' is no operation's id", text),
                  "`quarry wallet history` shows them: 0x and 64 digits");
}

void run_receipt(const PaymentCommand& command, const Session& session) {
    const Digest id = id_of(command.id);
    const auto net = network(command.options);
    auto client = sequencer(net);
    print_receipt(wait(id, command, client, session), {}, session);
}

struct Described {
    std::string type;
    std::string amount;
    std::string to;
};
Described describe(const rollup::Operation& op, const wallet::Network& net, rollup::TokenId token_id) {
    const auto token = net.token(token_id);
    const auto show = [&](rollup::Amount amount) {
        return token ? show_amount(amount, *token) : rollup::to_string(amount) + " smallest units";
    };
    if (const auto* x = std::get_if<rollup::Transfer>(&op))
        return {"transfer", show(x->amount), fmt::format("slot {}", x->receiver)};
    if (const auto* x = std::get_if<rollup::TransferNew>(&op))
        return {"transfer_new", show(x->amount), wallet::format_receiving_address(x->owner)};
    if (const auto* x = std::get_if<rollup::Withdraw>(&op))
        return {"withdraw", show(x->amount), wallet::format_l1_address(x->recipient)};
    return {"change_key", "", ""};
}

void run_resend(const PaymentCommand& command, const Session& session) {
    const ChosenKey key = choose_key(command.options);
    const auto net = network(command.options);
    auto client = sequencer(net);
    check_rollup(client, net);
    const Digest domain = rollup::domain_hash(net.parameters);
    const auto log =
        value_of(wallet::SignedLog::open(wallet_folder(command.options).path(), key.owner().key_hash, domain));
    json::array list;
    std::string text;
    for (const wallet::Resent& sent : value_of(wallet::send_again(key.owner(), client, log))) {
        json::object item = sent.receipt ? to_json(*sent.receipt) : json::object{{"id", node::to_hex(sent.entry.id)}};
        std::string outcome = sent.receipt ? describe(*sent.receipt) : "";
        if (sent.problem) {
            item["refused"] = sent.problem->name;
            outcome = sent.problem->cause;
        }
        text += fmt::format("{}  {}\n", node::to_hex(sent.entry.id), outcome);
        list.push_back(std::move(item));
    }
    if (session.json) {
        print_json(json::object{{"ok", true}, {"operations", std::move(list)}});
        return;
    }
    print(text.empty() ? "nothing is to be sent again: what counts is executed\n" : text);
}

std::string local_time(std::uint64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (::localtime_r(&time, &parts) == nullptr) return "?";
    return fmt::format("{:%Y-%m-%d %H:%M:%S}", parts);
}

void run_history(const PaymentCommand& command, const Session& session) {
    const ChosenKey key = choose_key(command.options);
    const auto net = network(command.options);
    auto client = sequencer(net);
    check_rollup(client, net);
    const Digest domain = rollup::domain_hash(net.parameters);
    const auto log =
        value_of(wallet::SignedLog::open(wallet_folder(command.options).path(), key.owner().key_hash, domain));
    json::array list;
    std::string text;
    for (const wallet::SignedEntry& entry : log.entries()) {
        const auto receipt = value_of(client.receipt(entry.id));
        const auto& auth = *rollup::authorisation(entry.tx.tx.op);
        const Described d = describe(entry.tx.tx.op, net, entry.tx.tx.token);
        text += fmt::format("{}  {:<12} {:>24}  to {}\n    {}  {}\n", local_time(entry.time), d.type, d.amount, d.to,
                            node::to_hex(entry.id), receipt ? describe(*receipt) : "the sequencer does not know it");
        json::object item{{"time", entry.time},         {"type", d.type}, {"slot", auth.slot},
                          {"nonce", entry.tx.tx.nonce}, {"to", d.to},     {"shown", d.amount},
                          {"token", entry.tx.tx.token}};
        if (receipt) {
            for (const auto& member : to_json(*receipt)) item[member.key()] = member.value();
        } else {
            item["id"] = node::to_hex(entry.id);
            item["stage"] = "unknown";
        }
        list.push_back(std::move(item));
    }
    if (session.json) {
        print_json(json::object{{"ok", true}, {"operations", std::move(list)}});
        return;
    }
    print(text.empty() ? "this wallet has signed nothing in this rollup\n" : text);
}

// --- options

using Run = std::function<void(const PaymentCommand&, const Session&)>;

CLI::App* add(CLI::App& parent, Session& session, const std::string& name, const std::string& description,
              const std::string& example, const std::shared_ptr<PaymentCommand>& options, Run run) {
    CLI::App* command = add_command(parent, session, name, description, example,
                                    [options, run = std::move(run), &session] { run(*options, session); });
    add_key_options(*command, options->options);
    add_rpc_option(*command, options->options);
    return command;
}

void add_wait_options(CLI::App& command, PaymentCommand& options) {
    command.add_option("--wait", options.wait, "return when the operation is at this stage")
        ->type_name("STAGE")
        ->check(CLI::IsMember({"received", "executed", "posted", "proven", "claimable"}))
        ->capture_default_str();
    add_number(command, "--timeout", options.timeout, 1, 7 * 24 * 3600, "seconds to wait for it")
        ->capture_default_str();
}

void add_payment_options(CLI::App& command, PaymentCommand& options) {
    command.add_option("--amount", options.amount, "in units of the token, such as 0.25; or all, less the fee")
        ->type_name("AMOUNT")
        ->required();
    command.add_option("--token", options.token, "number or symbol")->type_name("TOKEN")->capture_default_str();
    command.add_option("--from-slot", options.from_slot, "pay from this slot (default: the one with the most in it)")
        ->type_name("SLOT");
    command.add_option("--fee", options.fee, "in units of the token (default: what the sequencer suggests)")
        ->type_name("AMOUNT");
    command
        .add_option("--max-fee", options.max_fee, "most that the sequencer may suggest (default: a tenth of --amount)")
        ->type_name("AMOUNT");
    add_number(command, "--valid-minutes", options.valid_minutes, 1, 30 * 24 * 60,
               "after which nobody can execute the operation any more")
        ->capture_default_str();
    command.add_flag("--replace", options.replace,
                     "sign even if an operation with the same nonce is about: one of them will count");
    command.add_flag("--in-addition", options.in_addition,
                     "sign even if an operation with another nonce is about: both may count");
    add_wait_options(command, options);
}

}  // namespace

void add_wallet_payment_commands(CLI::App& parent, Session& session) {
    auto options = std::make_shared<PaymentCommand>();
    add(parent, session, "balance", "What the key has in the rollup", "quarry wallet balance", options, run_balance);

    options = std::make_shared<PaymentCommand>();
    CLI::App* command = add(parent, session, "transfer", "Pay somebody in the rollup",
                            "quarry wallet transfer --to quarry1qp.. --amount 0.25", options,
                            [](const PaymentCommand& c, const Session& s) { pay(c, s, false); });
    command->add_option("--to", options->to, "receiving address, or slot number")->type_name("RECEIVER")->required();
    add_payment_options(*command, *options);

    options = std::make_shared<PaymentCommand>();
    command = add(parent, session, "withdraw", "Take funds out to Ethereum: claim them when the batch is final",
                  "quarry wallet withdraw --amount all --wait claimable", options,
                  [](const PaymentCommand& c, const Session& s) { pay(c, s, true); });
    command->add_option("--to", options->to, "Ethereum address (default: the key's own)")->type_name("ADDRESS");
    add_payment_options(*command, *options);

    options = std::make_shared<PaymentCommand>();
    options->wait = "received";
    command = add(parent, session, "receipt", "How far an operation is, or wait for it",
                  "quarry wallet receipt 0x12..ef --wait posted", options, run_receipt);
    command->add_option("id", options->id, "the operation's id")->type_name("ID")->required();
    add_wait_options(*command, *options);

    options = std::make_shared<PaymentCommand>();
    add(parent, session, "resend", "Send again what is signed and not executed", "quarry wallet resend", options,
        run_resend);

    options = std::make_shared<PaymentCommand>();
    add(parent, session, "history", "What this wallet has signed, and what became of it", "quarry wallet history",
        options, run_history);
}

}  // namespace quarry::apps
