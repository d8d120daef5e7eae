#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/ethereum/error.hpp"

/// HTTP/1.1 requests with a deadline and a bound on the answer.
namespace quarry::ethereum {

/// scheme://[user:password@]host[:port][/target]
struct Url {
    std::string scheme;  ///< http, https, ws or wss
    std::string host;
    std::string port;    ///< a number; the scheme's own if the text has none
    std::string target;  ///< starts with a slash
    std::string user_info;

    [[nodiscard]] bool is_secure() const noexcept { return scheme == "https" || scheme == "wss"; }
    /// Without credentials: for messages.
    [[nodiscard]] std::string origin() const { return scheme + "://" + host + ":" + port; }
};
/// bad_url.
Answer<Url> parse_url(std::string_view text);

struct HttpRequest {
    std::string method = "POST";
    std::string target;  ///< appended to the URL's own, unless empty
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpReply {
    unsigned status = 0;
    std::string body;
    std::uint64_t retry_after_ms = 0;  ///< what the server asked for; 0: nothing
};

/// How requests travel; tests put their own in its place. Implementations are thread-safe.
class HttpTransport {
  public:
    HttpTransport() = default;
    HttpTransport(const HttpTransport&) = delete;
    HttpTransport& operator=(const HttpTransport&) = delete;
    virtual ~HttpTransport() = default;
    /// One exchange, everything included, within `timeout_ms`. Any status is an answer. Codes of the way there.
    virtual Answer<HttpReply> exchange(const Url& url, const HttpRequest& request, std::uint64_t timeout_ms,
                                       std::size_t limit_bytes) = 0;
};

/// Sockets, with TLS for https (certificates checked against the system's), connections kept open for the next request.
std::unique_ptr<HttpTransport> make_http_transport();

}  // namespace quarry::ethereum
