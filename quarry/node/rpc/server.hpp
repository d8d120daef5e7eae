#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"

/// HTTP/1.1 and WebSocket on one port, with a limit on everything. Knows nothing of JSON. docs/rpc.md, sections 1
/// and 2.
namespace quarry::node::rpc {

struct ServerLimits {
    std::size_t max_body_bytes = 1'048'576;   ///< of a request or a WebSocket message
    std::size_t max_header_bytes = 8'192;     ///< of an HTTP request
    std::uint64_t header_timeout_ms = 5'000;  ///< from the first byte, or the opening, to the end of the header
    std::uint64_t body_timeout_ms = 10'000;
    std::uint64_t write_timeout_ms = 10'000;  ///< for the client to take 64 KiB of an answer
    std::uint64_t idle_timeout_ms = 60'000;   ///< without a request
    std::size_t max_connections = 512;
    std::size_t max_connections_per_address = 128;
    std::size_t max_queue_bytes = 4'194'304;     ///< that a WebSocket has not taken when the next message is due
    std::size_t max_unsent_bytes = 268'435'456;  ///< that all connections have not taken
};

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 9545;  ///< 0: any free one
    unsigned threads = 1;
    std::vector<std::string> allowed_origins;  ///< of browsers' pages; "*": all
    bool posts = true;                         ///< whether requests and WebSockets are served, or GET alone
    ServerLimits limits;
};

/// A client's connection, as handlers see it. Safe from any thread.
class Connection {
  public:
    virtual ~Connection() = default;
    [[nodiscard]] virtual std::uint64_t id() const noexcept = 0;
    [[nodiscard]] virtual bool is_websocket() const noexcept = 0;
    /// Requests that were handed over and are not answered yet, this one included.
    [[nodiscard]] virtual std::size_t in_flight() const noexcept = 0;
    /// Sends a message; over WebSocket only. Lost if the connection is gone.
    virtual void push(std::shared_ptr<const std::string> text) = 0;
};
using ConnectionPointer = std::shared_ptr<Connection>;

struct HttpAnswer {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
    /// Sent in place of `body` if it is not null: one copy for all answers of it, let go of when it was sent. Not
    /// counted among a connection's unsent bytes: whoever shares it bounds how many there are.
    std::shared_ptr<const std::vector<std::uint8_t>> shared_body = nullptr;
};

/// Calls come from the server's threads, several at a time.
class Handler {
  public:
    virtual ~Handler() = default;
    /// `respond` is to be called exactly once, from any thread; an empty answer is none (204).
    virtual void on_request(std::string body, const ConnectionPointer& connection,
                            std::function<void(std::string)> respond) = 0;
    /// Of a path other than "/". Status 404: there is none.
    virtual HttpAnswer on_get(std::string_view path) = 0;
    virtual void on_close(std::uint64_t /*connection*/) {}
    /// A request or connection was refused below the handler, with this code.
    virtual void on_refused(std::string_view /*code*/) {}
};

class Server {
  public:
    /// Listens. environment (cannot_listen): the address is taken or not ours. `handler` outlives the server.
    static Outcome<std::unique_ptr<Server>> start(const ServerOptions& options, Handler& handler);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    /// As stop, without grace. Precondition: every request was answered, so that nobody has its `respond` any more.
    ~Server();

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t num_connections() const;
    /// Accepts nothing more, lets requests in flight be answered for at most `grace`, then closes everything.
    void stop(std::chrono::milliseconds grace);

    struct State;  ///< inside the server

  private:
    explicit Server(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace quarry::node::rpc
