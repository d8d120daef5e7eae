#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "quarry/apps/l1_session.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/hub_state.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
namespace l1 = node::l1;

struct BatchOptions {
    L1Options l1;
    std::uint64_t number = 0;
    std::uint64_t count = 20;
    std::string amount;
};

/// A batch with what depends on the present.
struct BatchNow {
    l1::Submission batch;
    l1::U256 bounty;
};

std::vector<BatchNow> read_batches(const l1::HubView& view, std::uint32_t rollup, std::uint64_t first,
                                   std::uint64_t last) {
    return view.read([&](const l1::HubState& state, const auto& head) {
        std::vector<BatchNow> out;
        const l1::RollupRecord* r = state.rollup(rollup);
        if (r == nullptr) {
            throw Failure(exit_bad_input, "unknown_rollup", fmt::format("the hub has no rollup {}", rollup),
                          "check --rollup");
        }
        for (std::uint64_t n = std::max<std::uint64_t>(first, 1); n <= std::min(last, r->head); ++n) {
            const l1::Submission& s = *state.batch(rollup, n);
            out.push_back({s, head ? l1::bounty_at(s, head->number + 1, head->timestamp) : l1::U256{}});
        }
        return out;
    });
}

json::object to_json(const BatchNow& now) {
    const l1::Submission& s = now.batch;
    json::array hashes;
    for (const auto& hash : s.l1_hashes) hashes.push_back(json::string(ethereum::to_hex(hash)));
    json::array withdrawals;
    for (const l1::Withdrawal& w : s.withdrawals) {
        withdrawals.push_back(json::object{
            {"token", w.token}, {"amount", rollup::to_string(w.amount)}, {"recipient", ethereum::to_hex(w.recipient)}});
    }
    return {{"number", s.number},
            {"submission", s.id},
            {"stage", l1::batch_state_name(s.state)},
            {"hash", ethereum::to_hex(s.header_hash)},
            {"byte_length", s.header.byte_length},
            {"timestamp", s.header.timestamp},
            {"num_effects", s.header.num_effects},
            {"placement", s.form == 1 ? "blobs" : "calldata"},
            {"l1_hashes", hashes},
            {"transaction", ethereum::to_hex(s.submitted.transaction)},
            {"block", s.submitted.block},
            {"sequencer", ethereum::to_hex(s.sequencer)},
            {"base", s.terms.base.to_decimal()},
            {"max", s.terms.max.to_decimal()},
            {"rebate_cap", s.terms.rebate_cap.to_decimal()},
            {"bounty", now.bounty.to_decimal()},
            {"bond", s.bond.to_decimal()},
            {"deadline", s.deadline},
            {"payee", ethereum::to_hex(s.payee)},
            {"owed", s.owed.to_decimal()},
            {"units", s.units},
            {"withdrawals", withdrawals}};
}

void run_list(const BatchOptions& options, const Session& session) {
    const HubPlace place = hub_place(options.l1);
    const auto connection = connect(options.l1, place.chain_id);
    const auto view = follow(*connection, place);
    const std::uint64_t head = view->read([&](const l1::HubState& state, const auto&) {
        const l1::RollupRecord* r = state.rollup(place.rollup);
        return r == nullptr ? 0 : r->head;
    });
    const auto batches = read_batches(*view, place.rollup, head > options.count ? head - options.count + 1 : 1, head);
    if (session.json) {
        json::array list;
        for (const BatchNow& now : batches) list.push_back(to_json(now));
        return print_json(json::object{{"ok", true}, {"rollup", place.rollup}, {"batches", list}});
    }
    if (batches.empty()) return print(fmt::format("rollup {} has no batches yet\n", place.rollup));
    constexpr const char* kLine = "{:>8}  {:<10}  {:>9}  {:<8}  {:>8}  {:>18}  {:>18}  {:>18}  {:>18}  {}\n";
    print(fmt::format(kLine, "batch", "stage", "bytes", "data", "block", "bounty or owed", "greatest bounty",
                      "rebate cap", "bond", "payee"));
    for (const BatchNow& now : batches) {
        const l1::Submission& s = now.batch;
        const bool is_pending = s.state == l1::BatchState::pending;
        print(fmt::format(kLine, s.number, l1::batch_state_name(s.state), with_commas(s.header.byte_length),
                          s.form == 1 ? "blobs" : "calldata", s.submitted.block,
                          l1::ether_text(is_pending ? now.bounty : s.owed), l1::ether_text(s.terms.max),
                          l1::ether_text(s.terms.rebate_cap), l1::ether_text(s.bond),
                          is_pending ? "-" : ethereum::to_hex(s.payee)));
    }
}

BatchNow read_batch(const l1::HubView& view, const HubPlace& place, std::uint64_t number) {
    const auto batches = read_batches(view, place.rollup, number, number);
    if (!batches.empty() && batches.front().batch.number == number) return batches.front();
    throw Failure(exit_bad_input, "unknown_batch", fmt::format("rollup {} has no batch {}", place.rollup, number),
                  "see `quarry batch ls`");
}

void run_show(const BatchOptions& options, const Session& session) {
    const HubPlace place = hub_place(options.l1);
    const auto connection = connect(options.l1, place.chain_id);
    const auto view = follow(*connection, place);
    json::object document = to_json(read_batch(*view, place, options.number));
    if (session.json) {
        document["ok"] = true;
        return print_json(document);
    }
    for (const auto& member : document) {
        const json::value& value = member.value();
        print(fmt::format("  {:<12}  {}\n", std::string_view(member.key()),
                          value.is_string() ? std::string(value.as_string()) : json::serialize(value)));
    }
}

void run_raise(const BatchOptions& options, const Session& session) {
    const l1::U256 amount = ether_of(options.amount, "--amount");
    const HubPlace place = hub_place(options.l1);
    const auto connection = connect(options.l1, place.chain_id);
    send_call(options.l1, *connection,
              {fmt::format("raise the bounty of batch {}", options.number), place.hub, amount,
               l1::hub_call::raise_bounty(place.rollup, options.number)},
              session);
}

// --- rewards

struct RewardOptions {
    L1Options l1;
    std::string account;
    bool collects = false;
};

void run_rewards(const RewardOptions& options, const Session& session) {
    const HubPlace place = hub_place(options.l1);
    const l1::Address account = address_of(options.account, "--account");
    const auto connection = connect(options.l1, place.chain_id);
    if (options.collects) {
        return send_call(options.l1, *connection,
                         {"collect the credit of " + options.account, place.hub, {}, l1::hub_call::collect(account)},
                         session);
    }
    const auto view = follow(*connection, place);
    const auto credit = l1::HubReader(connection->chain(), place.hub).credit(account);
    const auto fees = l1::BridgeReader(connection->chain(), view->options().bridge).fees(account);
    if (!credit || !fees) {
        (void)value_of(node::Outcome<node::Done>(l1::chain_problem(credit ? fees.error() : credit.error())));
    }
    json::array proven;
    l1::U256 open;
    l1::U256 earned;
    view->read([&](const l1::HubState& state, const auto&) {
        for (const auto& [id, s] : state.submissions()) {
            if (s.payee != account) continue;
            const bool is_final = s.state == l1::BatchState::finalised;
            l1::U256& sum = is_final ? earned : open;
            sum = l1::saturated_sum(sum, s.owed);
            proven.push_back(json::object{{"rollup", s.rollup},
                                          {"number", s.number},
                                          {"stage", l1::batch_state_name(s.state)},
                                          {"owed", s.owed.to_decimal()}});
        }
    });
    if (session.json) {
        return print_json(json::object{{"ok", true},
                                       {"account", options.account},
                                       {"credit", credit.value().to_decimal()},
                                       {"forced_fees", fees.value().to_decimal()},
                                       {"earned", earned.to_decimal()},
                                       {"waiting", open.to_decimal()},
                                       {"batches", proven}});
    }
    print(
        fmt::format("{}\n  batches proven  {}\n  earned          {} ETH\n  not final yet   {} ETH\n"
                    "  to collect      {} ETH\n  forced fees     {} ETH\n",
                    options.account, proven.size(), l1::ether_text(earned), l1::ether_text(open),
                    l1::ether_text(credit.value()), l1::ether_text(fees.value())));
}

}  // namespace

void add_batch_commands(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("batch", "Batches as the hub on Ethereum shows them");
    group->require_subcommand(1);
    const auto list = std::make_shared<BatchOptions>();
    CLI::App* ls = add_command(*group, session, "ls", "The last batches of a rollup",
                               "quarry batch ls --l1 http://127.0.0.1:8545 --deployment deployment.json",
                               [list, &session] { run_list(*list, session); });
    add_hub_options(*ls, list->l1);
    add_number(*ls, "--count", list->count, 1, 100'000, "how many");

    const auto shown = std::make_shared<BatchOptions>();
    CLI::App* show = add_command(*group, session, "show", "Everything about one batch",
                                 "quarry batch show 7 --l1 http://127.0.0.1:8545 --deployment deployment.json",
                                 [shown, &session] { run_show(*shown, session); });
    show->add_option("NUMBER", shown->number, "of the batch")->type_name("")->required();
    add_hub_options(*show, shown->l1);

    const auto raised = std::make_shared<BatchOptions>();
    CLI::App* raise = add_command(
        *group, session, "raise", "Adds to the bounty of a batch that is not proven",
        "quarry batch raise 7 --amount 0.01 --l1 http://127.0.0.1:8545 --deployment deployment.json --key payer.key",
        [raised, &session] { run_raise(*raised, session); });
    raise->add_option("NUMBER", raised->number, "of the batch")->type_name("")->required();
    raise->add_option("--amount", raised->amount, "how much")->type_name("ETHER")->required();
    add_hub_options(*raise, raised->l1);
    add_sender_options(*raise, raised->l1);
    add_id_option(*raise, raised->l1);

    const auto rewards = std::make_shared<RewardOptions>();
    CLI::App* command =
        add_command(app, session, "rewards", "What an account has earned with proofs, and its credit at the hub",
                    "quarry rewards --account 0x.. --l1 http://127.0.0.1:8545 --deployment deployment.json",
                    [rewards, &session] { run_rewards(*rewards, session); });
    command->add_option("--account", rewards->account, "whose")->type_name("ADDRESS")->required();
    command->add_flag("--collect", rewards->collects, "send the credit to the account");
    add_hub_options(*command, rewards->l1);
    add_sender_options(*command, rewards->l1);
    add_id_option(*command, rewards->l1);
}

}  // namespace quarry::apps
