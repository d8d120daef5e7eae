#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/clock.hpp"
#include "quarry/ethereum/secp256k1.hpp"
#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/wallet/contracts.hpp"

/// Sending to L1, once each.
namespace quarry::node::wallet {

/// What a call would cost now.
struct L1Quote {
    std::uint64_t gas = 0;  ///< the node's estimate
    ethereum::U256 price;   ///< wei a gas: base fee of the next block and a usual priority fee
    ethereum::U256 cost;    ///< gas x price, wei, without the value sent
};
/// What the node refuses is l1_refused: the call would fail.
Outcome<L1Quote> quote_call(ethereum::Chain& chain, const ethereum::Address& from, const L1Call& call);

/// The transactions of one account, in a journal FOLDER/l1-<chain>-<account>.journal: a process that ends in the middle
/// leaves nothing in doubt, the next one goes on.
class L1Sender {
  public:
    struct Options {
        std::uint64_t chain_id = 0;
        unsigned confirmations = 2;  ///< blocks, the one that contains the transaction included
        std::uint64_t poll_ms = 1'000;
        std::uint64_t timeout_ms = 15 * 60'000;
    };
    /// l1_journal_busy or damaged, and what l1_problem says.
    static Outcome<L1Sender> open(const std::string& folder, const Options& options, const ethereum::PrivateKey& key,
                                  ethereum::Chain& chain, ethereum::Clock& clock);

    /// How far a transaction is.
    struct Progress {
        ethereum::IntentStage stage = ethereum::IntentStage::queued;
        ethereum::Hash hash{};  ///< of its latest version; zero before it is sent
        std::uint64_t confirmations = 0;
        std::string waits_for;  ///< why it is not sent, if it waits
    };
    /// Sends and waits until the transaction has its confirmations; a later call looks after it until it is out of
    /// reach of reorganisations. `id` names it: the same id is never sent twice. Problems: l1_reverted, l1_failed,
    /// wait_timed_out, interrupted (the transaction goes its way; the same id goes on waiting).
    Outcome<ethereum::Receipt> send(const std::string& id, const L1Call& call,
                                    const std::function<void(const Progress&)>& show,
                                    const std::function<bool()>& stop);

  private:
    L1Sender(Options options, std::unique_ptr<ethereum::TransactionManager> manager, ethereum::Chain& chain,
             ethereum::Clock& clock)
        : options_(options), manager_(std::move(manager)), chain_(&chain), clock_(&clock) {}
    Options options_;
    std::unique_ptr<ethereum::TransactionManager> manager_;
    ethereum::Chain* chain_;
    ethereum::Clock* clock_;
};

}  // namespace quarry::node::wallet
