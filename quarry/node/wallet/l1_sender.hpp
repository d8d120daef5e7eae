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

/// Of a wallet in `folder`.
std::string l1_journal_path(const std::string& folder, std::uint64_t chain_id, const ethereum::Address& account);

/// The transactions of one account, in a journal: a process that ends in the middle leaves nothing in doubt, the next
/// one goes on.
class L1Sender {
  public:
    struct Options {
        std::uint64_t chain_id = 0;
        unsigned confirmations = 2;  ///< blocks, the one that contains the transaction included
        std::uint64_t poll_ms = 1'000;
        std::uint64_t timeout_ms = 15 * 60'000;
    };
    /// `path`: of the journal, whose folder is made if there is none. journal_failed (another process has it),
    /// journal_damaged, and what l1_problem says.
    static Outcome<L1Sender> open(const std::string& path, const Options& options, const ethereum::PrivateKey& key,
                                  ethereum::Chain& chain, ethereum::Clock& clock);

    /// How far a transaction is.
    struct Progress {
        ethereum::IntentStage stage = ethereum::IntentStage::queued;
        ethereum::Hash hash{};  ///< of its latest version; zero before it is sent
        std::uint64_t confirmations = 0;
        std::string waits_for;  ///< why it is not sent, if it waits
    };
    using Show = std::function<void(const Progress&)>;
    using Stop = std::function<bool()>;

    /// Whether the journal has a transaction of this name.
    [[nodiscard]] bool knows(const std::string& id) const { return manager_->status(id).ok(); }
    /// "base/N" with the least N from 1 on that is no finished attempt: what is under way is followed, and what is
    /// over, for better or worse, does not stand in the way of another one.
    [[nodiscard]] std::string attempt_of(const std::string& base);

    /// Sends and waits until the transaction has its confirmations; a later call looks after it until it is out of
    /// reach of reorganisations. `id` names it: the same id is never sent twice, whatever the call says the second
    /// time. Problems: l1_reverted, l1_failed, wait_timed_out, interrupted (what has left goes its way, and the same id
    /// goes on waiting; what has not left is taken back).
    Outcome<ethereum::Receipt> send(const std::string& id, const L1Call& call, const Show& show, const Stop& stop);
    /// The second half of it. Precondition: knows(id).
    Outcome<ethereum::Receipt> follow(const std::string& id, const std::string& what, const Show& show,
                                      const Stop& stop);

  private:
    Problem leave(const std::string& id, const std::string& name, const std::string& cause);
    L1Sender(Options options, std::unique_ptr<ethereum::TransactionManager> manager, ethereum::Chain& chain,
             ethereum::Clock& clock)
        : options_(options), manager_(std::move(manager)), chain_(&chain), clock_(&clock) {}
    Options options_;
    std::unique_ptr<ethereum::TransactionManager> manager_;
    ethereum::Chain* chain_;
    ethereum::Clock* clock_;
};

}  // namespace quarry::node::wallet
