#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ethereum/clock.hpp"
#include "quarry/ethereum/error.hpp"
#include "quarry/ethereum/http.hpp"

/// JSON-RPC 2.0 over HTTP with several endpoints.
namespace quarry::ethereum {

struct RpcOptions {
    std::uint64_t chain_id = 0;          ///< each endpoint is asked before its first use; 0: any chain
    std::vector<std::string> endpoints;  ///< in the order of preference
    std::uint64_t timeout_ms = 10'000;   ///< of one attempt
    unsigned max_attempts = 4;           ///< of one request, over all endpoints
    std::uint64_t backoff_ms = 250;      ///< before the first round again; doubled each time, with jitter
    std::uint64_t max_backoff_ms = 8'000;
    std::uint64_t rest_ms = 15'000;  ///< for how long an endpoint that failed is tried last
    std::size_t max_response_bytes = std::size_t{64} << 20;
    std::size_t max_batch = 100;    ///< requests in one HTTP body
    std::uint64_t jitter_seed = 1;  ///< of the backoff
};

/// One call: method and parameters as JSON text ("[...]").
struct RpcCall {
    std::string method;
    std::string params = "[]";
};

/// What one endpoint did so far: for metrics.
struct EndpointState {
    std::string origin;
    std::uint64_t num_requests = 0;
    std::uint64_t num_failures = 0;
    bool is_resting = false;
    std::string last_error;  ///< code, empty if none
};

/// Sends calls, fails over, and repeats what may succeed later. Results are JSON text. Thread-safe.
class JsonRpc {
  public:
    /// bad_url.
    static Answer<std::unique_ptr<JsonRpc>> create(RpcOptions options, std::shared_ptr<HttpTransport> transport,
                                                   Clock& clock);
    /// The `result`, as JSON. Errors of the node (an `error` member) are not repeated, except for rate limits; errors
    /// of the way are, at the next endpoint.
    Answer<std::string> call(const RpcCall& call);
    /// One result a call, in order, in as few HTTP requests as max_batch allows. An error of the way is the whole
    /// batch's; an error of the node its call's.
    Answer<std::vector<Answer<std::string>>> call_batch(const std::vector<RpcCall>& calls);
    /// The endpoint that answered last is tried last for a while, as if it had failed.
    void doubt();
    /// Calls in flight finish with `stopped` at their next pause, and so do all later ones.
    void stop() noexcept { is_stopped_ = true; }
    [[nodiscard]] std::vector<EndpointState> endpoints() const;

  private:
    struct Endpoint {
        Url url;
        EndpointState state;
        std::uint64_t rests_until_ms = 0;
        bool is_checked = false;  ///< it is on the chain that the options name
    };
    /// Judges the body of a 2xx answer, and of others that may hold an error object.
    using Read = std::function<Answer<Done>(std::string_view body)>;

    JsonRpc(RpcOptions options, std::vector<Endpoint> endpoints, std::shared_ptr<HttpTransport> transport,
            Clock& clock);
    /// Sends `body` until an endpoint's answer satisfies `read`, or an error is none that another try can change.
    Answer<Done> send(const std::string& body, const Read& read);
    Answer<Done> try_endpoint(std::size_t index, const std::string& body, const Read& read,
                              std::uint64_t& retry_after_ms);
    Answer<Done> check_endpoint(std::size_t index, const Url& url);
    Answer<Done> exchange(const Url& url, const std::string& body, const Read& read, std::uint64_t& retry_after_ms);
    /// Endpoints that rest come last.
    [[nodiscard]] std::vector<std::size_t> order() const;
    void record(std::size_t index, const EthereumError* error);
    Answer<Done> pause(unsigned round, std::uint64_t at_least_ms);

    RpcOptions options_;
    std::shared_ptr<HttpTransport> transport_;
    Clock& clock_;
    std::atomic<bool> is_stopped_{false};
    std::atomic<std::uint64_t> next_id_{1};
    mutable std::mutex mutex_;  ///< of those below
    std::vector<Endpoint> endpoints_;
    std::size_t last_answered_ = 0;  ///< index
    std::minstd_rand jitter_;
};

/// The answer to one request or to a batch of `num_calls` with ids from `first_id`: results as JSON text in the order
/// of ids. Total. bad_json, bad_response.
Answer<std::vector<Answer<std::string>>> parse_rpc_response(std::string_view body, std::uint64_t first_id,
                                                            std::size_t num_calls, bool is_batch);
/// The cause behind a node's error object; nodes agree on few numbers, so that words of the message count too.
EthereumError classify_rpc_error(std::int64_t code, std::string_view message, Bytes revert_data);

}  // namespace quarry::ethereum
