#include "quarry/node/wallet/l1_sender.hpp"

#include <fmt/format.h>

#include "quarry/ethereum/journal.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deploy.hpp"
#include "quarry/node/wallet/wallet_folder.hpp"

namespace quarry::node::wallet {
namespace {

using ethereum::IntentStage;
using Kind = Problem::Kind;

constexpr const char* kGoesOn = "it goes its way: the same command with the same --id goes on waiting";

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
    quote.price = fees.value().base_fee + fees.value().priority_fee;
    quote.cost = quote.price * quote.gas;
    return quote;
}

Outcome<L1Sender> L1Sender::open(const std::string& folder, const Options& options, const ethereum::PrivateKey& key,
                                 ethereum::Chain& chain, ethereum::Clock& clock) {
    QUARRY_PASS_ON(make_private_folder(folder));
    const std::string path =
        fmt::format("{}/l1-{}-{}.journal", folder, options.chain_id, ethereum::to_hex(key.address()));
    auto journal = ethereum::open_journal_file(path);
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

Outcome<ethereum::Receipt> L1Sender::send(const std::string& id, const L1Call& call,
                                          const std::function<void(const Progress&)>& show,
                                          const std::function<bool()>& stop) {
    ethereum::Intent intent;
    intent.id = id;
    intent.to = call.to;
    intent.value = call.value;
    intent.data = call.data;
    const auto taken = manager_->submit(std::move(intent));
    if (!taken) return l1_problem(taken.error());
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
                           fmt::format("{}: the transaction is in a block and failed", call.what),
                           "nothing but its gas is gone; try --dry-run to see the cause"};
        if (stage > IntentStage::confirmed) {
            Problem problem{Kind::refused, "l1_failed", fmt::format("{}: it was not sent", call.what), "try again"};
            if (s.error) problem = l1_problem(*s.error);
            return problem;
        }
        if (stop()) return Problem{Kind::environment, "interrupted", "interrupted while waiting", kGoesOn};
        if (clock_->now_ms() >= deadline)
            return Problem{
                Kind::environment, "wait_timed_out",
                fmt::format("{} is {} and not confirmed yet", call.what, ethereum::intent_stage_name(s.stage)),
                kGoesOn};
        clock_->sleep_ms(options_.poll_ms);
    }
}

}  // namespace quarry::node::wallet
