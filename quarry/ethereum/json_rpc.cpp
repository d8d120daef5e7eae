#include "quarry/ethereum/json_rpc.hpp"

#include <algorithm>

namespace quarry::ethereum {
namespace {

constexpr std::uint64_t kPauseSliceMs = 100;

std::string request_json(const RpcCall& call, std::uint64_t id) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + call.method + R"(","params":)" +
           call.params + "}";
}

EthereumError stopped() { return {EthereumCode::stopped, "", {}}; }

}  // namespace

JsonRpc::JsonRpc(RpcOptions options, std::vector<Endpoint> endpoints, std::shared_ptr<HttpTransport> transport,
                 Clock& clock)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      clock_(clock),
      endpoints_(std::move(endpoints)),
      jitter_(static_cast<std::minstd_rand::result_type>(options_.jitter_seed)) {}

Answer<std::unique_ptr<JsonRpc>> JsonRpc::create(RpcOptions options, std::shared_ptr<HttpTransport> transport,
                                                 Clock& clock) {
    QUARRY_CHECK(options.max_attempts > 0 && options.max_batch > 0);
    std::vector<Endpoint> endpoints;
    for (const std::string& text : options.endpoints) {
        QUARRY_TRY_ASSIGN(Url url, parse_url(text));
        Endpoint& endpoint = endpoints.emplace_back();
        endpoint.state.origin = url.origin();
        endpoint.url = std::move(url);
    }
    if (endpoints.empty()) return EthereumError{EthereumCode::bad_url, "no endpoint", {}};
    return std::unique_ptr<JsonRpc>(new JsonRpc(std::move(options), std::move(endpoints), std::move(transport), clock));
}

Answer<std::string> JsonRpc::call(const RpcCall& call) {
    const std::uint64_t id = next_id_++;
    std::string result;
    const auto read = [&](std::string_view body) -> Answer<Done> {
        QUARRY_TRY_ASSIGN(auto answers, parse_rpc_response(body, id, 1, false));
        if (!answers[0]) return answers[0].error();
        result = std::move(answers[0]).value();
        return Done{};
    };
    QUARRY_TRY(send(request_json(call, id), read));
    return result;
}

Answer<std::vector<Answer<std::string>>> JsonRpc::call_batch(const std::vector<RpcCall>& calls) {
    std::vector<Answer<std::string>> results;
    for (std::size_t first = 0; first < calls.size(); first += options_.max_batch) {
        const std::size_t count = std::min(options_.max_batch, calls.size() - first);
        const std::uint64_t first_id = next_id_.fetch_add(count);
        std::string body = "[";
        for (std::size_t i = 0; i < count; ++i) {
            body += (i == 0 ? "" : ",") + request_json(calls[first + i], first_id + i);
        }
        std::vector<Answer<std::string>> part;
        const auto read = [&](std::string_view text) -> Answer<Done> {
            QUARRY_TRY_ASSIGN(part, parse_rpc_response(text, first_id, count, true));
            for (const auto& answer : part) {
                if (!answer && answer.error().code == EthereumCode::rate_limited) return answer.error();
            }
            return Done{};
        };
        QUARRY_TRY(send(body + "]", read));
        std::move(part.begin(), part.end(), std::back_inserter(results));
    }
    return results;
}

std::vector<EndpointState> JsonRpc::endpoints() const {
    const std::uint64_t now_ms = clock_.now_ms();
    const std::scoped_lock lock(mutex_);
    std::vector<EndpointState> r;
    for (const Endpoint& endpoint : endpoints_) {
        r.push_back(endpoint.state);
        r.back().is_resting = endpoint.rests_until_ms > now_ms;
    }
    return r;
}

std::vector<std::size_t> JsonRpc::order() const {
    const std::uint64_t now_ms = clock_.now_ms();
    const std::scoped_lock lock(mutex_);
    std::vector<std::size_t> r;
    for (const bool is_resting : {false, true}) {
        for (std::size_t i = 0; i < endpoints_.size(); ++i) {
            if ((endpoints_[i].rests_until_ms > now_ms) == is_resting) r.push_back(i);
        }
    }
    return r;
}

void JsonRpc::record(std::size_t index, const EthereumError* error) {
    const std::uint64_t now_ms = clock_.now_ms();
    const std::scoped_lock lock(mutex_);
    Endpoint& endpoint = endpoints_[index];
    ++endpoint.state.num_requests;
    endpoint.rests_until_ms = 0;
    if (error == nullptr) {
        last_answered_ = index;
        return;
    }
    ++endpoint.state.num_failures;
    endpoint.state.last_error = ethereum_code_name(error->code);
    endpoint.rests_until_ms = now_ms + options_.rest_ms;
}

void JsonRpc::doubt() {
    const std::uint64_t now_ms = clock_.now_ms();
    const std::scoped_lock lock(mutex_);
    Endpoint& endpoint = endpoints_[last_answered_];
    ++endpoint.state.num_failures;
    endpoint.state.last_error = ethereum_code_name(EthereumCode::bad_response);
    endpoint.rests_until_ms = now_ms + options_.rest_ms;
}

Answer<Done> JsonRpc::pause(unsigned round, std::uint64_t at_least_ms) {
    std::uint64_t duration_ms = options_.backoff_ms << std::min(round, 16U);
    duration_ms = std::min(std::max(duration_ms, at_least_ms), options_.max_backoff_ms);
    {
        // Many clients that failed together shall not come back together.
        const std::scoped_lock lock(mutex_);
        duration_ms += jitter_() % (duration_ms / 4 + 1);
    }
    for (std::uint64_t left_ms = duration_ms; left_ms > 0 && !is_stopped_;) {
        const std::uint64_t slice_ms = std::min(left_ms, kPauseSliceMs);
        clock_.sleep_ms(slice_ms);
        left_ms -= slice_ms;
    }
    if (is_stopped_) return stopped();
    return Done{};
}

Answer<Done> JsonRpc::exchange(const Url& url, const std::string& body, const Read& read,
                               std::uint64_t& retry_after_ms) {
    const HttpRequest request{.method = "POST", .target = "", .body = body, .headers = {}};
    QUARRY_TRY_ASSIGN(const HttpReply reply,
                      transport_->exchange(url, request, options_.timeout_ms, options_.max_response_bytes));
    retry_after_ms = std::max(retry_after_ms, reply.retry_after_ms);
    const EthereumCode code = reply.status == 429 ? EthereumCode::rate_limited : EthereumCode::http_status;
    const EthereumError by_status{code, url.origin() + ": status " + std::to_string(reply.status), {}};
    const bool is_success = reply.status >= 200 && reply.status < 300;
    if (reply.status == 429) return by_status;
    auto done = read(reply.body);
    // Some nodes put an error object under another status; a proxy's error page says nothing.
    if (!done && !is_success && is_transient(done.error().code)) return by_status;
    if (!done && is_transient(done.error().code)) {
        return EthereumError{done.error().code, url.origin() + ": " + done.error().detail, {}};
    }
    return done;
}

Answer<Done> JsonRpc::check_endpoint(std::size_t index, const Url& url) {
    std::uint64_t retry_after_ms = 0;
    const auto read = [&](std::string_view body) -> Answer<Done> {
        QUARRY_TRY_ASSIGN(auto answers, parse_rpc_response(body, 0, 1, false));
        if (!answers[0]) return answers[0].error();
        const std::string& text = answers[0].value();
        const auto id = parse_quantity(text.size() < 2 ? "" : std::string_view(text).substr(1, text.size() - 2));
        if (!id) return EthereumError{EthereumCode::bad_response, "eth_chainId", {}};
        if (id.value() != options_.chain_id) {
            return EthereumError{EthereumCode::wrong_chain, url.origin() + ": " + std::to_string(id.value()), {}};
        }
        return Done{};
    };
    QUARRY_TRY(exchange(url, request_json({.method = "eth_chainId", .params = "[]"}, 0), read, retry_after_ms));
    const std::scoped_lock lock(mutex_);
    endpoints_[index].is_checked = true;
    return Done{};
}

Answer<Done> JsonRpc::try_endpoint(std::size_t index, const std::string& body, const Read& read,
                                   std::uint64_t& retry_after_ms) {
    Url url;
    bool is_checked = false;
    {
        const std::scoped_lock lock(mutex_);
        url = endpoints_[index].url;
        is_checked = endpoints_[index].is_checked || options_.chain_id == 0;
    }
    if (!is_checked) QUARRY_TRY(check_endpoint(index, url));
    return exchange(url, body, read, retry_after_ms);
}

Answer<Done> JsonRpc::send(const std::string& body, const Read& read) {
    EthereumError last = stopped();
    unsigned attempt = 0;
    for (unsigned round = 0;; ++round) {
        std::uint64_t retry_after_ms = 0;
        for (const std::size_t index : order()) {
            if (is_stopped_) return stopped();
            const auto done = try_endpoint(index, body, read, retry_after_ms);
            const bool is_final =
                done || (!is_transient(done.error().code) && done.error().code != EthereumCode::wrong_chain);
            record(index, is_final ? nullptr : &done.error());
            if (is_final) return done;
            last = done.error();
            if (++attempt >= options_.max_attempts) return last;
        }
        QUARRY_TRY(pause(round, retry_after_ms));
    }
}

}  // namespace quarry::ethereum
