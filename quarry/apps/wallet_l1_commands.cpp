#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/wallet_commands.hpp"
#include "quarry/apps/wallet_l1_options.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/wallet/ethereum_key.hpp"
#include "quarry/node/wallet/receiving_address.hpp"
#include "quarry/node/wallet/token_amount.hpp"

/// Commands that send to Ethereum: deposit, claim, force-withdraw, set-key.
namespace quarry::apps {
namespace {

namespace json = boost::json;
namespace wallet = node::wallet;
using ethereum::U256;

struct L1Command {
    WalletOptions options;
    std::string amount;
    std::string token = "0";
    std::string receiver;  ///< a receiving address
    std::string new_key;
    std::string id;
    bool new_slot = false;
    bool dry_run = false;
    bool no_wait = false;
    rollup::SlotIndex slot = 0;
    unsigned confirmations = 2;
    std::uint64_t timeout = 900;
    std::uint64_t batch = 0;
    std::uint64_t first_block = 0;
};

/// What every command of this file starts from.
struct L1Session {
    wallet::Network net;
    ethereum::PrivateKey key;
    std::unique_ptr<ethereum::Chain> chain;
    wallet::Contracts contracts;
};

L1Session start(const L1Command& command) {
    L1Session s{network(command.options), ethereum_key(command.options), nullptr, {}};
    s.chain = open_chain(s.net.l1);
    s.contracts = value_of(wallet::find_contracts(*s.chain, s.net.parameters));
    return s;
}

std::string new_id(const std::string& command) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return fmt::format("{}-{}", command, std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// --- dry run

/// Prints what would be sent. A call that only works after the one before it has no estimate.
void show_calls(const std::vector<wallet::L1Call>& calls, L1Session& s, const Session& session) {
    json::array list;
    std::string text;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const wallet::L1Call& call = calls[i];
        json::object item{{"what", call.what},
                          {"from", ethereum::to_hex(s.key.address())},
                          {"to", ethereum::to_hex(call.to)},
                          {"value_wei", call.value.to_decimal()},
                          {"data", ethereum::to_hex(call.data)}};
        text += fmt::format("{}\n  to     {}\n  value  {}\n  data   {} bytes, {}..\n", call.what,
                            wallet::format_l1_address({call.to.bytes}), show_ether(call.value), call.data.size(),
                            ethereum::to_hex(call.data).substr(0, 10));
        if (i == 0) {
            const auto quote = value_of(wallet::quote_call(*s.chain, s.key.address(), call));
            item["gas"] = quote.gas;
            item["gas_price_wei"] = quote.price.to_decimal();
            item["cost_wei"] = quote.cost.to_decimal();
            text += fmt::format("  gas    {} at {} wei: {}\n", with_commas(quote.gas), quote.price.to_decimal(),
                                show_ether(quote.cost));
        } else {
            item["gas"] = nullptr;
            text += "  gas    is known once the one before is in a block\n";
        }
        list.push_back(std::move(item));
    }
    if (session.json) {
        print_json(json::object{{"ok", true}, {"dry_run", true}, {"transactions", std::move(list)}});
        return;
    }
    print(text + "nothing was sent\n");
}

// --- sending

/// Tells each step once.
class Teller {
  public:
    Teller(const std::string& what, unsigned confirmations, bool quiet)
        : what_(what), wanted_(confirmations), quiet_(quiet) {}
    void operator()(const wallet::L1Sender::Progress& p) {
        std::string line = fmt::format("{}: {}", what_, ethereum::intent_stage_name(p.stage));
        if (p.stage == ethereum::IntentStage::sent) line += " as " + ethereum::to_hex(p.hash);
        if (p.confirmations > 0)
            line += fmt::format(", {} of {} confirmations", std::min<std::uint64_t>(p.confirmations, wanted_), wanted_);
        if (!p.waits_for.empty()) line += " (" + p.waits_for + ")";
        if (line != last_ && !quiet_) (void)std::fprintf(stderr, "  %s\n", line.c_str());
        last_ = line;
    }

  private:
    std::string what_;
    unsigned wanted_;
    bool quiet_;
    std::string last_;
};

json::object to_json(const ethereum::Receipt& r) {
    return {{"transaction", ethereum::to_hex(r.transaction_hash)},
            {"block", r.block.number},
            {"gas_used", r.gas_used},
            {"cost_wei", node::l1::saturated_product(r.effective_gas_price, r.gas_used).to_decimal()}};
}

wallet::L1Sender open_sender(const L1Command& command, L1Session& s) {
    const wallet::L1Sender::Options options{.chain_id = s.net.parameters.l1_chain_id,
                                            .confirmations = command.confirmations,
                                            .timeout_ms = command.timeout * 1000};
    return value_of(wallet::L1Sender::open(
        wallet::l1_journal_path(wallet_folder(command.options).path(), options.chain_id, s.key.address()), options,
        s.key, *s.chain, ethereum::system_clock()));
}

/// Sends a call as `id`.
ethereum::Receipt send_call(wallet::L1Sender& sender, const std::string& id, const wallet::L1Call& call,
                            const L1Command& command, const Session& session) {
    const auto& stopped = stop_requested();
    return value_of(
        sender.send(id, call, Teller(call.what, command.confirmations, session.quiet), [&] { return stopped.load(); }));
}

/// Sends calls one after the other, the last of them as `id`. An id that the journal knows is followed instead, and the
/// calls are not made: what they were made of (allowances, slots, fees) is another one by now.
std::vector<ethereum::Receipt> send_calls(const std::function<std::vector<wallet::L1Call>()>& make_calls,
                                          const std::string& id, const L1Command& command, L1Session& s,
                                          const Session& session) {
    auto sender = open_sender(command, s);
    if (!session.quiet) (void)std::fprintf(stderr, "id %s\n", id.c_str());
    if (sender.knows(id)) {
        const std::string what = "transaction " + id;
        const auto& stopped = stop_requested();
        return {value_of(sender.follow(id, what, Teller(what, command.confirmations, session.quiet),
                                       [&] { return stopped.load(); }))};
    }
    std::vector<wallet::L1Call> calls = make_calls();
    const wallet::L1Call last = std::move(calls.back());
    calls.pop_back();
    std::vector<ethereum::Receipt> receipts;
    for (const wallet::L1Call& call : calls) {
        // Needed or not, by what the chain says now: named by what it does, so that one that is under way is found.
        const std::string content = node::to_hex(keccak256(call.data)).substr(2, 16);
        receipts.push_back(send_call(sender, sender.attempt_of(id + "/" + content), call, command, session));
    }
    receipts.push_back(send_call(sender, id, last, command, session));
    return receipts;
}

/// The event of a kind in a receipt; our contracts always emit it.
template <class Event>
Event event_of(const ethereum::Receipt& receipt, const ethereum::Address& contract) {
    for (const ethereum::Log& log : receipt.logs) {
        if (log.address != contract) continue;
        const auto event = node::l1::decode_event(log);
        if (!event || !event.value()) continue;
        if (const auto* found = std::get_if<Event>(&*event.value())) return *found;
    }
    throw Failure(exit_environment, "bad_contract", "the transaction succeeded without the bridge's event",
                  "check the contract's address with whoever runs the rollup");
}

/// Polls until a batch has consumed entry `index` of a queue. False: --timeout is over, or interrupted.
bool wait_consumed(wallet::SequencerClient& client, std::uint64_t wallet::QueueCursors::* cursor, std::uint64_t index,
                   const L1Command& command) {
    const auto& stopped = stop_requested();
    auto& clock = ethereum::system_clock();
    const std::uint64_t deadline = clock.now_ms() + command.timeout * 1000;
    while (true) {
        const auto cursors = client.cursors();
        if (cursors && cursors.value().*cursor > index) return true;
        if (stopped || clock.now_ms() >= deadline) return false;
        clock.sleep_ms(500);
    }
}

void finish(json::object document, const std::vector<ethereum::Receipt>& receipts, const std::string& text,
            const Session& session) {
    if (session.json) {
        json::object all{{"ok", true}};
        for (const auto& member : document) all[member.key()] = member.value();
        json::array list;
        for (const auto& receipt : receipts) list.push_back(to_json(receipt));
        all["transactions"] = std::move(list);
        print_json(all);
        return;
    }
    print(text);
}

// --- deposit

rollup::Owner deposit_owner(const L1Command& command) {
    if (command.receiver.empty()) return choose_key(command.options).owner();
    if (const auto owner = wallet::parse_receiving_address(command.receiver)) return *owner;
    throw Failure(exit_usage, "bad_address", fmt::format("--to: '{}' is no receiving address", command.receiver),
                  "it starts with quarry1 and has a checksum: copy it again");
}

/// The owner's slot of the token, or that a new one is to be made.
std::uint32_t deposit_target(const L1Command& command, const rollup::Owner& owner, rollup::TokenId token,
                             const wallet::Network& net) {
    if (command.new_slot) return rollup::kNewSlot;
    auto client = sequencer(net);
    check_rollup(client, net);
    for (const wallet::AccountView& account : value_of(client.accounts_of(owner))) {
        if (account.token == token) return account.slot;
    }
    return rollup::kNewSlot;
}

void run_deposit(const L1Command& command, const Session& session) {
    L1Session s = start(command);
    const auto token = token_of(s.net, command.token);
    const auto amount = amount_in(command.amount, token);
    if (amount.is_zero()) throw Failure(exit_usage, "usage", "--amount is 0", "choose a larger one");
    const rollup::Owner owner = deposit_owner(command);
    const auto make_calls = [&] {
        const std::uint32_t target = deposit_target(command, owner, token.id, s.net);
        auto calls = value_of(wallet::approvals(*s.chain, token, s.key.address(), s.contracts.bridge, amount));
        const std::string place = target == rollup::kNewSlot ? "a new slot" : fmt::format("slot {}", target);
        calls.push_back({fmt::format("deposit of {} into {}", show_amount(amount, token), place), s.contracts.bridge,
                         token.id == 0 ? node::l1::to_u256(amount) : U256(),
                         node::l1::bridge_call::deposit(s.net.parameters.rollup_id, token.id, amount, owner, target)});
        return calls;
    };
    if (command.dry_run) return show_calls(make_calls(), s, session);
    const std::string id = command.id.empty() ? new_id("deposit") : command.id;
    const auto receipts = send_calls(make_calls, id, command, s, session);
    // With a known --id, of the deposit that it named.
    const auto queued = event_of<node::l1::DepositQueued>(receipts.back(), s.contracts.bridge);
    const rollup::DepositEntry& entry = queued.entry;
    const auto known_token = s.net.token(entry.token);
    const std::string shown = known_token
                                  ? show_amount(entry.amount, *known_token)
                                  : fmt::format("{} units of token {}", rollup::to_string(entry.amount), entry.token);
    bool credited = false;
    if (!command.no_wait) {
        if (!session.quiet)
            (void)std::fprintf(stderr, "  deposit %llu is queued; waiting for the sequencer's batch\n",
                               static_cast<unsigned long long>(queued.index));
        auto client = sequencer(s.net);
        credited = wait_consumed(client, &wallet::QueueCursors::deposit_cursor, queued.index, command);
    }
    finish({{"id", id},
            {"index", queued.index},
            {"token", entry.token},
            {"amount", rollup::to_string(entry.amount)},
            {"receiving_address", wallet::format_receiving_address(entry.owner)},
            {"credited", credited}},
           receipts,
           fmt::format("deposit {} of {}: {}\n", queued.index, shown,
                       credited ? "a batch has it; `quarry wallet balance` shows it"
                                : "queued; `quarry wallet balance` shows it once a batch has it"),
           session);
}

// --- claim

void run_claim(const L1Command& command, const Session& session) {
    L1Session s = start(command);
    const rollup::L1Address recipient =
        command.receiver.empty() ? wallet::l1_address(s.key) : l1_address_of(command.receiver, "--recipient");
    const auto found =
        value_of(wallet::find_withdrawals(*s.chain, s.contracts, s.net.parameters.rollup_id,
                                          node::l1::to_ethereum(recipient), command.first_block, command.batch));
    std::vector<wallet::L1Call> calls;
    json::array list;
    std::string text;
    for (const wallet::Claimable& c : found) {
        const auto token = s.net.token(c.withdrawal.token);
        const std::string shown = token ? show_amount(c.withdrawal.amount, *token)
                                        : fmt::format("{} smallest units of token {}",
                                                      rollup::to_string(c.withdrawal.amount), c.withdrawal.token);
        list.push_back(json::object{{"batch", c.batch},
                                    {"index", c.index},
                                    {"token", c.withdrawal.token},
                                    {"amount", rollup::to_string(c.withdrawal.amount)},
                                    {"was_claimed", c.is_claimed}});
        text += fmt::format("batch {} withdrawal {}: {}{}\n", c.batch, c.index, shown,
                            c.is_claimed ? ", claimed before" : "");
        if (c.is_claimed) continue;
        calls.push_back(
            {fmt::format("claim of {} from batch {}", shown, c.batch),
             s.contracts.bridge,
             {},
             node::l1::bridge_call::claim_withdrawal(s.net.parameters.rollup_id, c.batch, c.index, c.withdrawal.token,
                                                     c.withdrawal.amount, c.withdrawal.recipient, c.path)});
    }
    if (command.dry_run && !calls.empty()) return show_calls(calls, s, session);
    std::vector<ethereum::Receipt> receipts;
    if (!calls.empty()) {
        auto sender = open_sender(command, s);
        for (const wallet::L1Call& call : calls) {
            // Named by what it claims: a claim that is under way is not sent once more.
            const std::string claim = fmt::format("claim-{}-{}", s.net.parameters.rollup_id,
                                                  node::to_hex(keccak256(call.data)).substr(2, 32));
            receipts.push_back(send_call(sender, sender.attempt_of(claim), call, command, session));
        }
    }
    if (found.empty())
        text = fmt::format("no withdrawal to {} in a final batch\n", wallet::format_l1_address(recipient));
    text += fmt::format("{} claimed now\n", receipts.size());
    finish({{"recipient", wallet::format_l1_address(recipient)}, {"withdrawals", std::move(list)}}, receipts, text,
           session);
}

// --- force-withdraw, set-key

/// Fee and a quarter: it rises with each entry that is queued meanwhile, and the rest comes back.
U256 forced_fee(L1Session& s) {
    node::l1::BridgeReader bridge(*s.chain, s.contracts.bridge);
    const auto fee = bridge.current_forced_fee(s.net.parameters.rollup_id);
    if (!fee) throw to_failure(wallet::l1_problem(fee.error()));
    return node::l1::saturated_product(fee.value(), 5).divide(4);
}

void send_forced(const std::string& name, const std::string& what, const ethereum::Bytes& data,
                 const L1Command& command, L1Session& s, const Session& session) {
    const auto make_calls = [&] {
        return std::vector<wallet::L1Call>{{what, s.contracts.bridge, forced_fee(s), data}};
    };
    if (command.dry_run) return show_calls(make_calls(), s, session);
    const std::string id = command.id.empty() ? new_id(name) : command.id;
    const auto receipts = send_calls(make_calls, id, command, s, session);
    const auto queued = event_of<node::l1::ForcedQueued>(receipts.back(), s.contracts.bridge);
    finish({{"id", id}, {"index", queued.index}, {"slot", command.slot}, {"fee_wei", queued.fee.to_decimal()}},
           receipts,
           fmt::format("{}: entry {} of the forced queue, fee {}; a batch must take it in time\n", what, queued.index,
                       show_ether(queued.fee)),
           session);
}

void run_force_withdraw(const L1Command& command, const Session& session) {
    L1Session s = start(command);
    send_forced("force-withdraw", fmt::format("withdrawal of all of slot {}", command.slot),
                node::l1::bridge_call::force_withdraw(s.net.parameters.rollup_id, command.slot), command, s, session);
}

void run_set_key(const L1Command& command, const Session& session) {
    L1Session s = start(command);
    WalletOptions options = command.options;
    options.key = command.new_key;
    const ChosenKey key = choose_key(options);
    if (key.owner().address != wallet::l1_address(s.key))
        throw Failure(
            exit_refused, "wrong_l1_address",
            fmt::format("key '{}' is for the L1 address {}", key.name, wallet::format_l1_address(key.owner().address)),
            "make a key for the address of --ethereum-key: the slot keeps its L1 address");
    send_forced("set-key", fmt::format("key '{}' for slot {}", key.name, command.slot),
                node::l1::bridge_call::force_set_key(s.net.parameters.rollup_id, command.slot, key.owner().key_hash),
                command, s, session);
}

// --- options

CLI::App* add(CLI::App& parent, Session& session, const std::string& name, const std::string& description,
              const std::string& example, const std::shared_ptr<L1Command>& options,
              void (*run)(const L1Command&, const Session&)) {
    CLI::App* command =
        add_command(parent, session, name, description, example, [options, run, &session] { run(*options, session); });
    add_folder_option(*command, options->options);
    add_ethereum_key_option(*command, options->options);
    add_l1_option(*command, options->options);
    command->add_flag("--dry-run", options->dry_run, "show what would be sent and what it would cost; send nothing");
    add_number(*command, "--confirmations", options->confirmations, 1, 1000,
               "blocks until a transaction counts, the one that contains it included")
        ->capture_default_str();
    add_number(*command, "--timeout", options->timeout, 1, 7 * 24 * 3600, "seconds to wait")->capture_default_str();
    return command;
}

void add_id_option(CLI::App& command, L1Command& options) {
    command.add_option("--id", options.id, "go on with an interrupted command: what it printed as its id")
        ->type_name("ID");
}

void add_slot_option(CLI::App& command, L1Command& options) {
    add_number(command, "--slot", options.slot, 0, rollup::kMaxSlots - 1,
               "the slot; its L1 address must be the sender's")
        ->required();
}

}  // namespace

void add_wallet_l1_commands(CLI::App& parent, Session& session) {
    auto options = std::make_shared<L1Command>();
    CLI::App* command =
        add(parent, session, "deposit", "Bring ETH or tokens into the rollup",
            "quarry wallet deposit --amount 0.5 --ethereum-key eth.key --dry-run", options, run_deposit);
    command->add_option("--amount", options->amount, "in units of the token, such as 0.5")
        ->type_name("AMOUNT")
        ->required();
    command->add_option("--token", options->token, "number or symbol")->type_name("TOKEN")->capture_default_str();
    command->add_option("--key", options->options.key, "credit this key of the wallet (default: the only one)")
        ->type_name("NAME")
        ->envname("QUARRY_WALLET_KEY");
    command->add_option("--to", options->receiver, "credit this receiving address instead")->type_name("RECEIVER");
    command->add_flag("--new-slot", options->new_slot, "into a new slot, without asking the sequencer for an old one");
    command->add_flag("--no-wait", options->no_wait, "return when L1 has it, before a batch does");
    add_rpc_option(*command, options->options);
    add_id_option(*command, *options);

    options = std::make_shared<L1Command>();
    command = add(parent, session, "claim", "Collect withdrawals of final batches on L1; anyone may, for anyone",
                  "quarry wallet claim --ethereum-key eth.key", options, run_claim);
    command->add_option("--recipient", options->receiver, "whose (default: the address of --ethereum-key)")
        ->type_name("ADDRESS");
    command->add_option("--batch", options->batch, "of this batch only")->type_name("N");
    command->add_option("--from-block", options->first_block, "look at proofs from this L1 block on")
        ->type_name("N")
        ->capture_default_str();

    options = std::make_shared<L1Command>();
    command = add(parent, session, "force-withdraw", "Take all of a slot out, whatever the sequencer does",
                  "quarry wallet force-withdraw --slot 7 --ethereum-key eth.key", options, run_force_withdraw);
    add_slot_option(*command, *options);
    add_id_option(*command, *options);

    options = std::make_shared<L1Command>();
    command = add(parent, session, "set-key", "Give a slot another key of the wallet, whatever the sequencer does",
                  "quarry wallet set-key --slot 7 --new-key second --ethereum-key eth.key", options, run_set_key);
    add_slot_option(*command, *options);
    command->add_option("--new-key", options->new_key, "name of the key in the wallet")->type_name("NAME")->required();
    add_id_option(*command, *options);
}

}  // namespace quarry::apps
