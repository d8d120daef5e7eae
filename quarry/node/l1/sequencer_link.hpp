#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deployment.hpp"
#include "quarry/node/l1/settlement.hpp"
#include "quarry/node/log.hpp"

/// A running sequencer's side of L1: endpoints, the account that posts, the followed hub, and the thread that keeps
/// them going.
namespace quarry::node::l1 {

struct SequencerLinkOptions {
    std::vector<std::string> endpoints;  ///< in the order of preference
    std::string folder;                  ///< of the journal and the followed events
    std::uint64_t poll_ms = 1'000;       ///< between looks at the chain
    SettlementOptions settlement;        ///< `rollup` is taken from the deployment
    ethereum::TransactionManagerOptions sender = long_lived_sender();
};

class SequencerLink {
  public:
    /// Connects, and follows up to the head. environment: no endpoint answers; refused: wrong_chain, no_hub,
    /// not_a_sequencer (the key's account may not post for the rollup).
    static Outcome<std::unique_ptr<SequencerLink>> open(SequencerLinkOptions options, const Deployment& deployment,
                                                        const ethereum::PrivateKey& key, LogSink log);
    SequencerLink(const SequencerLink&) = delete;
    SequencerLink& operator=(const SequencerLink&) = delete;
    /// As stop.
    ~SequencerLink();

    /// What a sequencer is started with. Lives as long as the link.
    [[nodiscard]] L1Settlement& settlement() noexcept { return *settlement_; }
    /// The account that posts.
    [[nodiscard]] const Address& sender() const noexcept { return sender_->address(); }

    void start();
    /// Ends the thread; what was submitted stays in the journal.
    void stop();

  private:
    SequencerLink(SequencerLinkOptions options, LogSink log) : options_(std::move(options)), log_(std::move(log)) {}
    void run();
    void report(const Outcome<Done>& round);

    SequencerLinkOptions options_;
    LogSink log_;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<HubView> view_;
    std::unique_ptr<ethereum::TransactionManager> sender_;
    std::unique_ptr<L1Settlement> settlement_;
    std::string trouble_;  ///< the last round's problem; empty: none
    SettlementFigures reported_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stops_ = false;
    std::thread thread_;
};

}  // namespace quarry::node::l1
