#include "quarry/node/wallet/l1_sender.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "quarry/ethereum/journal.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deploy.hpp"
#include "quarry/node/wallet/wallet_folder.hpp"

namespace quarry::node::wallet {
namespace {

using ethereum::IntentStage;
using Kind = Problem::Kind;

}  // namespace

Outcome<L1Quote> quote_call(ethereum::Chain& chain, const ethereum::Address& from, const L1Call& call) {
    ethereum::CallRequest request;
    request.from = from;
    request.to = call.to;
    request.data = call.data;
    request.value = call.value;
    const auto gas = chain.estimate_gas(request);
    if (!gas) return l1_problem(gas.error());
    const auto fees = chain.suggest_fees();
    if (!fees) return l1_problem(fees.error());
    L1Quote quote;
    quote.gas = gas.value();
    // What an endpoint says may be any number.
    quote.price = l1::saturated_sum(fees.value().base_fee, fees.value().priority_fee);
    quote.cost = l1::saturated_product(quote.price, quote.gas);
    return quote;
}

std::string l1_journal_path(const std::string& folder, std::uint64_t chain_id, const ethereum::Address& account) {
    return fmt::format("{}/l1-{}-{}.journal", folder, chain_id, ethereum::to_hex(account));
}

Outcome<L1Sender> L1Sender::open(const std::string& path, const Options& options, const ethereum::PrivateKey& key,
                                 ethereum::Chain& chain, ethereum::Clock& clock) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!folder.empty()) QUARRY_PASS_ON(make_private_folder(folder));
    auto journal = ethereum::open_journal_file(path, {options.chain_id, key.address()});
    if (!journal)
        return Problem{Kind::environment, ethereum::ethereum_code_name(journal.error().code),
                       fmt::format("{}: {}", path, journal.error().detail),
                       "wait until no other command sends from this account, then try again"};
    ethereum::TransactionManagerOptions manager_options = l1::long_lived_sender();
    manager_options.chain_id = options.chain_id;
    auto manager = ethereum::TransactionManager::create(manager_options, key, chain, std::move(journal).value(), clock);
    if (!manager) return l1_problem(manager.error());
    return L1Sender(options, std::move(manager).value(), chain, clock);
}

std::string L1Sender::attempt_of(const std::string& base) {
    (void)manager_->step();  // the journal does not say how deep what an earlier command sent is by now
    for (std::uint64_t n = 1;; ++n) {
        std::string id = fmt::format("{}/{}", base, n);
        const auto status = manager_->status(id);
        if (!status || status.value().stage_at(options_.confirmations) < IntentStage::confirmed) return id;
    }
}

/// Nobody waits any longer: what has not left is not to leave later, behind its owner's back.
Problem L1Sender::leave(const std::string& id, const std::string& name, const std::string& cause) {
    const auto stage_now = [&] {
        const auto status = manager_->status(id);
        return status ? status.value().stage : IntentStage::queued;
    };
    if (stage_now() == IntentStage::queued && manager_->cancel(id)) (void)manager_->step();
    const IntentStage stage = stage_now();
    if (stage == IntentStage::cancelled)
        return {Kind::environment, name, cause + "; it was not sent and is taken back", "run the command again"};
    if (stage == IntentStage::queued)
        return {Kind::environment, name, cause + "; it was not sent yet",
                "the next command that sends from this account sends it: --id " + id + " waits for it"};
    return {Kind::environment, name, cause, "it goes its way: the same command with --id " + id + " goes on waiting"};
}

Outcome<ethereum::Receipt> L1Sender::send(const std::string& id, const L1Call& call, const Show& show,
                                          const Stop& stop) {
    if (!knows(id)) {
        ethereum::Intent intent;
        intent.id = id;
        intent.to = call.to;
        intent.value = call.value;
        intent.data = call.data;
        const auto taken = manager_->submit(std::move(intent));
        if (!taken) return l1_problem(taken.error());
    }
    return follow(id, call.what, show, stop);
}

Outcome<ethereum::Receipt> L1Sender::follow(const std::string& id, const std::string& what, const Show& show,
                                            const Stop& stop) {
    const std::uint64_t deadline = clock_->now_ms() + options_.timeout_ms;
    while (true) {
        const auto stepped = manager_->step();
        const auto status = manager_->status(id);
        if (!status) return l1_problem(status.error());
        const ethereum::IntentStatus& s = status.value();
        Progress progress{s.stage, {}, 0, {}};
        if (!s.hashes.empty()) progress.hash = s.hashes.back();
        if (s.error) progress.waits_for = ethereum::ethereum_code_text(s.error->code);
        if (!stepped && progress.waits_for.empty())
            progress.waits_for = ethereum::ethereum_code_text(stepped.error().code);
        if (s.receipt) {
            progress.hash = s.receipt->transaction_hash;
            const auto head = chain_->block_number();
            if (head && head.value() >= s.receipt->block.number)
                progress.confirmations = head.value() - s.receipt->block.number + 1;
        }
        show(progress);
        const IntentStage stage = s.stage_at(options_.confirmations);
        if (stage == IntentStage::confirmed) return l1::receipt_of(*chain_, s, id);
        if (stage == IntentStage::reverted)
            return Problem{Kind::refused, "l1_reverted",
                           fmt::format("{}: the transaction is in a block and failed", what),
                           "nothing but its gas is gone; try --dry-run to see the cause"};
        if (stage > IntentStage::confirmed) {
            Problem problem{Kind::refused, "l1_failed", fmt::format("{}: it was not sent", what), "try again"};
            if (s.error) problem = l1_problem(*s.error);
            return problem;
        }
        if (stop()) return leave(id, "interrupted", what + ": interrupted while waiting");
        if (clock_->now_ms() >= deadline)
            return leave(id, "wait_timed_out",
                         fmt::format("{}: {}, and not confirmed yet", what, ethereum::intent_stage_name(s.stage)));
        clock_->sleep_ms(options_.poll_ms);
    }
}

}  // namespace quarry::node::wallet
