#include "quarry/ethereum/http.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <map>
#include <mutex>

#include "quarry/ethereum/base64.hpp"
#include "quarry/ethereum/byte_stream.hpp"

namespace quarry::ethereum {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using ResponseParser = http::response_parser<http::string_body>;

constexpr std::uint32_t kMaxHeaderBytes = 16 * 1024;
constexpr std::size_t kMaxIdle = 4;  ///< connections kept open to one origin
constexpr std::uint64_t kMaxRetryAfterSeconds = 3'600;

std::string request_text(const Url& url, const HttpRequest& request) {
    const std::string target = (url.target == "/" && !request.target.empty() ? "" : url.target) + request.target;
    std::string r = request.method + " " + target + " HTTP/1.1\r\n";
    const auto field = [&](std::string_view name, std::string_view value) {
        r.append(name).append(": ").append(value).append("\r\n");
    };
    field("Host", (url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]") + ":" + url.port);
    field("Accept", "application/json");
    if (!url.user_info.empty()) field("Authorization", "Basic " + to_base64(url.user_info));
    if (!request.body.empty()) field("Content-Type", "application/json");
    field("Content-Length", std::to_string(request.body.size()));
    for (const auto& [name, value] : request.headers) field(name, value);
    return r + "\r\n" + request.body;
}

/// Reads one response. `has_answer` says whether a single byte of it came.
Answer<Done> read_response(ByteStream& stream, ResponseParser& parser, Deadline deadline, const Url& url,
                           bool& has_answer) {
    std::string pending;
    std::array<std::uint8_t, 65'536> chunk;
    parser.eager(true);
    while (!parser.is_done()) {
        QUARRY_TRY_ASSIGN(const std::size_t n, stream.read_some(chunk, deadline));
        error_code error;
        if (n == 0) {
            if (parser.got_some()) parser.put_eof(error);
            if (!parser.got_some() || error) {
                return EthereumError{EthereumCode::connection_lost, url.origin() + ": closed by the other side", {}};
            }
            continue;
        }
        has_answer = true;
        pending.append(reinterpret_cast<const char*>(chunk.data()), n);
        while (!pending.empty() && !parser.is_done()) {
            const std::size_t used = parser.put(boost::asio::buffer(pending), error);
            pending.erase(0, used);
            if (error == http::error::need_more) break;
            if (error == http::error::body_limit || error == http::error::header_limit) {
                return EthereumError{EthereumCode::response_too_large, url.origin(), {}};
            }
            if (error) return EthereumError{EthereumCode::bad_response, url.origin() + ": " + error.message(), {}};
        }
    }
    if (!pending.empty()) return EthereumError{EthereumCode::bad_response, url.origin() + ": more than one answer", {}};
    return Done{};
}

HttpReply to_reply(http::response<http::string_body> response) {
    HttpReply r{.status = response.result_int(), .body = std::move(response.body()), .retry_after_ms = 0};
    const auto wait = response[http::field::retry_after];
    std::uint64_t seconds = 0;
    if (std::from_chars(wait.data(), wait.data() + wait.size(), seconds).ec == std::errc{}) {
        r.retry_after_ms = 1'000 * std::min(seconds, kMaxRetryAfterSeconds);
    }
    return r;
}

class SocketTransport final : public HttpTransport {
  public:
    Answer<HttpReply> exchange(const Url& url, const HttpRequest& request, std::uint64_t timeout_ms,
                               std::size_t limit_bytes) override {
        const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
        const std::string text = request_text(url, request);
        const ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
        // A kept connection may have been closed by the other side meanwhile: then another one is tried.
        for (auto stream = take_idle(url);; stream = take_idle(url)) {
            const bool is_kept = stream != nullptr;
            if (!is_kept) {
                QUARRY_TRY_ASSIGN(stream, ByteStream::connect(url, deadline));
            }
            ResponseParser parser;
            parser.header_limit(kMaxHeaderBytes);
            parser.body_limit(limit_bytes);
            bool has_answer = false;
            auto done = stream->write_all(bytes, deadline);
            if (done) done = read_response(*stream, parser, deadline, url, has_answer);
            if (!done) {
                const EthereumError& error = done.error();
                if (is_kept && !has_answer && error.code != EthereumCode::timed_out) continue;
                return error;
            }
            if (parser.get().keep_alive()) keep(url, std::move(stream));
            return to_reply(parser.release());
        }
    }

  private:
    std::unique_ptr<ByteStream> take_idle(const Url& url) {
        const std::scoped_lock lock(mutex_);
        auto& idle = idle_[url.origin()];
        if (idle.empty()) return nullptr;
        auto r = std::move(idle.back());
        idle.pop_back();
        return r;
    }
    void keep(const Url& url, std::unique_ptr<ByteStream> stream) {
        const std::scoped_lock lock(mutex_);
        auto& idle = idle_[url.origin()];
        if (idle.size() < kMaxIdle) idle.push_back(std::move(stream));
    }

    std::mutex mutex_;
    std::map<std::string, std::vector<std::unique_ptr<ByteStream>>> idle_;
};

}  // namespace

std::unique_ptr<HttpTransport> make_http_transport() { return std::make_unique<SocketTransport>(); }

}  // namespace quarry::ethereum
