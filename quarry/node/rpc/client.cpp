#include "quarry/node/rpc/client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace quarry::node::rpc {
namespace {

constexpr std::size_t kMaxHeaderBytes = 16'384;
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;

Problem lost(const std::string& why) {
    return {Problem::Kind::environment, "connection_lost", "the connection to the node was lost: " + why,
            "see that the node runs, and try again"};
}
Problem bad_url(const std::string& url) {
    return {Problem::Kind::bad_input, "bad_url", fmt::format("'{}' is not http://ADDRESS:PORT", url),
            "name the node's RPC, for instance http://127.0.0.1:9545"};
}

/// The number that starts `text`.
template <class T>
bool parse_number(std::string_view text, T& out) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
    return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

/// The value of a header field, whose name is given in lower case; empty: there is none.
std::string_view field(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        const std::string_view line = header.substr(0, header.find("\r\n"));
        header.remove_prefix(std::min(header.size(), line.size() + 2));
        const std::size_t colon = line.find(':');
        if (colon != name.size()) continue;
        const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
            return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
        });
        if (!same) continue;
        std::string_view value = line.substr(colon + 1);
        while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
        return value;
    }
    return {};
}

}  // namespace

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), host_(std::move(other.host_)), buffer_(std::move(other.buffer_)) {}

Client& Client::operator=(Client&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(host_, other.host_);
    std::swap(buffer_, other.buffer_);
    return *this;
}

Client::~Client() {
    if (fd_ >= 0) ::close(fd_);
}

Outcome<Client> Client::connect(const std::string& url, unsigned timeout_ms) {
    constexpr std::string_view kScheme = "http://";
    std::string_view rest = url;
    if (!rest.starts_with(kScheme)) return bad_url(url);
    rest.remove_prefix(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const std::size_t colon = rest.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string_view::npos || !parse_number(rest.substr(colon + 1), port)) return bad_url(url);
    const std::string host(rest.substr(0, colon));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &address.sin_addr) != 1)
        return bad_url(url);
    Client client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), std::string(rest));
    const timeval time{.tv_sec = timeout_ms / 1000, .tv_usec = static_cast<suseconds_t>(timeout_ms % 1000) * 1000};
    const int on = 1;
    const bool connected = client.fd_ >= 0 &&
                           ::setsockopt(client.fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
                           ::setsockopt(client.fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0 &&
                           ::setsockopt(client.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                           ::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (connected) return client;
    return Problem{Problem::Kind::environment, "cannot_connect",
                   fmt::format("cannot connect to {}: {}", url, std::strerror(errno)), "see that the node runs there"};
}

Outcome<std::string> Client::post(std::string_view json) {
    std::string request =
        fmt::format("POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    host_, json.size());
    request += json;
    for (std::string_view left = request; !left.empty();) {
        const ssize_t sent = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return lost(std::strerror(errno));
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
    return read_answer();
}

Outcome<std::string> Client::read_answer() {
    std::size_t header_end = std::string::npos;
    std::size_t length = 0;
    for (;;) {
        if (header_end == std::string::npos) {
            header_end = buffer_.find("\r\n\r\n");
            if (header_end == std::string::npos && buffer_.size() > kMaxHeaderBytes) return lost("no HTTP answer");
            if (header_end != std::string::npos) {
                const std::string_view value = field(std::string_view(buffer_).substr(0, header_end), "content-length");
                if (!value.empty() && (!parse_number(value, length) || length > kMaxAnswerBytes))
                    return lost("the answer has no usable length");
            }
        }
        if (header_end != std::string::npos && buffer_.size() >= header_end + 4 + length) break;
        char chunk[65'536];
        const ssize_t got = ::recv(fd_, chunk, sizeof chunk, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return Problem{Problem::Kind::environment, "no_answer", "the node did not answer in time",
                           "see how busy it is, and try again"};
        }
        if (got <= 0) return lost(got == 0 ? "it was closed" : std::strerror(errno));
        buffer_.append(chunk, static_cast<std::size_t>(got));
    }
    std::string body = buffer_.substr(header_end + 4, length);
    const std::string status = buffer_.substr(0, buffer_.find("\r\n"));
    buffer_.erase(0, header_end + 4 + length);
    if (status.starts_with("HTTP/1.1 200") || status.starts_with("HTTP/1.1 204")) return body;
    return Problem{Problem::Kind::refused, "http_status", status + " " + body, "see docs/rpc.md, section 1"};
}

}  // namespace quarry::node::rpc
