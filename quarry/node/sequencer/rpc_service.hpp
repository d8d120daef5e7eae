#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "quarry/node/metrics.hpp"
#include "quarry/node/rpc/json_rpc.hpp"
#include "quarry/node/sequencer/sequencer.hpp"

/// The methods of docs/rpc.md, section 5, over a sequencer.
namespace quarry::node::sequencer {

struct ServiceLimits {
    rpc::DispatcherLimits dispatcher;
    std::size_t max_operations = 1'000;  ///< in one quarry_sendOperations
    std::size_t max_subscriptions = 16;  ///< of a connection
};

/// Who is told what. A subscription is named by its topic, the same for every connection: a message is made once, for
/// whoever listens. Safe from any thread.
class Subscriptions {
  public:
    explicit Subscriptions(std::size_t max_per_connection) : max_per_connection_(max_per_connection) {}
    /// slot: receipts of operations that it sends or receives; none: batches. The topic, which may be the connection's
    /// already. No value: the connection has enough.
    std::optional<std::uint64_t> add(const rpc::ConnectionPointer& connection, std::optional<rollup::SlotIndex> slot);
    /// False: the connection has no such subscription.
    bool remove(std::uint64_t connection, std::uint64_t topic);
    void remove_all(std::uint64_t connection);
    void publish(const Events& events) const;
    /// At most max_per_connection for each connection that is open.
    [[nodiscard]] std::size_t size() const;
    /// Whether anyone listens to receipts.
    [[nodiscard]] bool wants_receipts() const;

  private:
    static constexpr std::uint64_t kBatches = 0;  ///< those of slots follow
    static std::uint64_t topic_of(std::optional<rollup::SlotIndex> slot) noexcept;
    void forget(std::uint64_t connection, std::uint64_t topic);
    template <class Result>
    void tell(std::uint64_t topic, const Result& result) const;

    std::size_t max_per_connection_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, std::map<std::uint64_t, std::weak_ptr<rpc::Connection>>> listeners_;  ///< of topics, by id
    std::map<std::uint64_t, std::set<std::uint64_t>> topics_of_;                                  ///< of connections
    std::size_t size_ = 0;
};

/// Declares what a service measures.
void declare_metrics(Metrics& metrics);

class RpcService final : public rpc::Handler {
  public:
    /// `now_seconds`: the node's clock.
    RpcService(Metrics& metrics, const ServiceLimits& limits, std::string version,
               std::function<rollup::Timestamp()> now_seconds);

    /// From now on requests are answered; before, they are refused (not_ready).
    void attach(Sequencer& sequencer);
    /// Refuses operations from now on (stopping).
    void stop_accepting() { stopping_ = true; }
    void publish(const Events& events);
    [[nodiscard]] Subscriptions& subscriptions() noexcept { return subscriptions_; }

    void on_request(std::string body, const rpc::ConnectionPointer& connection,
                    std::function<void(std::string)> respond) override;
    rpc::HttpAnswer on_get(std::string_view path) override;
    void on_close(std::uint64_t connection) override;
    void on_refused(std::string_view code) override;
    /// The same for the port of metrics.
    rpc::HttpAnswer on_metrics_get(std::string_view path);

  private:
    using AnswerCall = std::function<void(rpc::Answer)>;
    void add_methods();
    void send_operation(const rpc::Params& params, const AnswerCall& answer);
    void send_operations(const rpc::Params& params, const AnswerCall& answer);
    [[nodiscard]] rpc::Answer get_receipt(const rpc::Params& params) const;
    [[nodiscard]] rpc::Answer get_account(const rpc::Params& params) const;
    [[nodiscard]] rpc::Answer get_batch(const rpc::Params& params) const;
    [[nodiscard]] rpc::Answer state_root(const rpc::Params& params) const;
    [[nodiscard]] rpc::Answer fee_quote(const rpc::Params& params) const;
    [[nodiscard]] rpc::Answer status() const;
    rpc::Answer subscribe(const rpc::Params& params, const rpc::ConnectionPointer& connection);
    rpc::Answer unsubscribe(const rpc::Params& params, const rpc::ConnectionPointer& connection);
    /// Why operations are not accepted now.
    [[nodiscard]] std::optional<rpc::Error> unavailable() const;
    [[nodiscard]] std::string health() const;
    void measure() const;

    Metrics& metrics_;
    ServiceLimits limits_;
    std::string version_;
    std::function<rollup::Timestamp()> now_seconds_;
    rpc::Dispatcher dispatcher_;
    Subscriptions subscriptions_;
    std::atomic<Sequencer*> sequencer_{nullptr};
    std::atomic<bool> stopping_{false};
};

}  // namespace quarry::node::sequencer
