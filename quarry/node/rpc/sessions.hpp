#pragma once
/// Inside the server: what Boost.Beast and Boost.Asio are needed for. Only the server's .cpp files include this.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "quarry/node/rpc/server.hpp"

namespace quarry::node::rpc {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::span_body<const char>>;

/// What the server can ask of any connection.
class Session {
  public:
    virtual ~Session() = default;
    /// Answers what is in flight, then closes. Safe from any thread.
    virtual void finish() = 0;
    /// Closes. Safe from any thread.
    virtual void cut() = 0;
};

struct Server::State : std::enable_shared_from_this<Server::State> {
    State(const ServerOptions& o, Handler& h) : options(o), handler(h) {
        context.emplace();
        acceptor.emplace(*context);
    }

    ServerOptions options;
    Handler& handler;
    std::optional<asio::io_context> context;  ///< owns the sessions, which own this: ends before it
    std::optional<tcp::acceptor> acceptor;
    std::vector<std::thread> threads;
    std::atomic<std::uint64_t> next_id{1};
    std::atomic<bool> stopping{false};

    mutable std::mutex mutex;
    std::map<std::string, std::size_t> per_address;
    struct Entry {
        std::weak_ptr<Session> session;
        std::size_t unsent_bytes = 0;
    };
    std::map<std::uint64_t, Entry> sessions;  ///< but those that were cut
    std::size_t unsent_bytes = 0;             ///< of all of them
    std::size_t num_connections = 0;
    std::size_t num_refusing = 0;

    void accept();
    void admit(tcp::socket socket);
    void add(std::uint64_t id, std::weak_ptr<Session> session);
    void remove(std::uint64_t id);
    /// What the session keeps for its client. Where all keep more than they may, whoever keeps the most is cut: that
    /// makes room for at least what has come in addition.
    void set_unsent(std::uint64_t id, std::size_t bytes);
    [[nodiscard]] bool is_allowed(std::string_view origin) const;
};

/// A place among the connections, given back when the last session of the connection ends.
class Place {
  public:
    Place(std::shared_ptr<Server::State> state, std::string address)
        : state_(std::move(state)), address_(std::move(address)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

  private:
    std::shared_ptr<Server::State> state_;
    std::string address_;
};

/// The answer of a refusal below JSON-RPC.
std::string refusal_body(std::string_view code, std::string_view reason);

void start_http(std::shared_ptr<Server::State> state, tcp::socket socket, std::unique_ptr<Place> place);
/// `request` asked for the upgrade.
void start_websocket(std::shared_ptr<Server::State> state, tcp::socket socket, std::unique_ptr<Place> place,
                     Request request);

}  // namespace quarry::node::rpc
