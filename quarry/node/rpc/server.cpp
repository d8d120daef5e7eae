#include "quarry/node/rpc/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>

#include "quarry/node/flat_json.hpp"
#include "quarry/node/rpc/sessions.hpp"

namespace quarry::node::rpc {
namespace {

constexpr std::size_t kMaxRefusing = 64;  // connections that are being told why they are refused
constexpr auto kRefusalTime = std::chrono::seconds(2);
constexpr auto kAcceptPause = std::chrono::milliseconds(50);  // when the process has no descriptors left

Problem cannot_listen(const ServerOptions& options, const std::string& why) {
    return {Problem::Kind::environment, "cannot_listen",
            fmt::format("cannot listen on {}:{}: {}", options.host, options.port, why),
            "choose another address or port, or stop the program that has it"};
}

/// Tells a connection that there is no room for it, whatever it asked for, and closes it.
class RefusingSession : public std::enable_shared_from_this<RefusingSession> {
  public:
    RefusingSession(std::shared_ptr<Server::State> state, tcp::socket socket, unsigned status, std::string_view code,
                    std::string_view reason)
        : state_(std::move(state)), socket_(std::move(socket)), timer_(socket_.get_executor()) {
        const std::string body = refusal_body(code, reason);
        text_ = fmt::format(
            "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            status, status == 429 ? "Too Many Requests" : "Service Unavailable", body.size(), body);
    }
    RefusingSession(const RefusingSession&) = delete;
    RefusingSession& operator=(const RefusingSession&) = delete;
    ~RefusingSession() {
        const std::scoped_lock lock(state_->mutex);
        --state_->num_refusing;
    }
    void run() {
        timer_.expires_after(kRefusalTime);
        timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->close();
        });
        asio::async_write(socket_, asio::buffer(text_),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                              boost::system::error_code ignored;
                              self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
                              if (error) return self->close();
                              self->discard();
                          });
    }

  private:
    /// What the client has sent must be read, or the system resets the connection before it sees the answer.
    void discard() {
        socket_.async_read_some(asio::buffer(scratch_),
                                [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                                    if (error) return self->close();
                                    self->discard();
                                });
    }
    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
        timer_.cancel();
    }

    std::shared_ptr<Server::State> state_;
    tcp::socket socket_;
    asio::steady_timer timer_;
    std::string text_;
    std::array<char, 4096> scratch_{};
};

}  // namespace

std::string refusal_body(std::string_view code, std::string_view reason) {
    ObjectWriter w;
    w.text("code", code).text("reason", reason);
    return std::move(w).finish();
}

Place::~Place() {
    const std::scoped_lock lock(state_->mutex);
    --state_->num_connections;
    const auto it = state_->per_address.find(address_);
    if (--it->second == 0) state_->per_address.erase(it);
}

void Server::State::add(std::uint64_t id, std::weak_ptr<Session> session) {
    const std::scoped_lock lock(mutex);
    sessions.emplace(id, Entry{std::move(session)});
}

void Server::State::remove(std::uint64_t id) {
    {
        const std::scoped_lock lock(mutex);
        if (const auto it = sessions.find(id); it != sessions.end()) {
            unsent_bytes -= it->second.unsent_bytes;
            sessions.erase(it);
        }
    }
    handler.on_close(id);
}

void Server::State::set_unsent(std::uint64_t id, std::size_t bytes) {
    std::shared_ptr<Session> greatest;
    {
        const std::scoped_lock lock(mutex);
        const auto it = sessions.find(id);
        if (it == sessions.end()) return;
        unsent_bytes = unsent_bytes - it->second.unsent_bytes + bytes;
        it->second.unsent_bytes = bytes;
        if (unsent_bytes <= options.limits.max_unsent_bytes) return;
        const auto found =
            std::ranges::max_element(sessions, {}, [](const auto& entry) { return entry.second.unsent_bytes; });
        greatest = found->second.session.lock();
        unsent_bytes -= found->second.unsent_bytes;
        sessions.erase(found);
    }
    handler.on_refused("slow_consumer");
    if (greatest) greatest->cut();
}

bool Server::State::is_allowed(std::string_view origin) const {
    return std::ranges::any_of(options.allowed_origins,
                               [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

void Server::State::accept() {
    acceptor->async_accept(asio::make_strand(*context),
                           [self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
                               if (self->stopping || error == asio::error::operation_aborted) return;
                               if (!error) {
                                   self->admit(std::move(socket));
                                   return self->accept();
                               }
                               // Out of descriptors, most likely: they come back when connections end.
                               auto pause = std::make_shared<asio::steady_timer>(*self->context, kAcceptPause);
                               pause->async_wait([self, pause](const boost::system::error_code&) { self->accept(); });
                           });
}

void Server::State::admit(tcp::socket socket) {
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    socket.set_option(tcp::no_delay(true), error);
    const std::string address = peer.address().to_string();
    unsigned refusal = 0;
    {
        const std::scoped_lock lock(mutex);
        auto& of_address = per_address[address];
        if (num_connections >= options.limits.max_connections)
            refusal = 503;
        else if (of_address >= options.limits.max_connections_per_address)
            refusal = 429;
        if (refusal == 0) {
            ++num_connections;
            ++of_address;
        } else {
            if (of_address == 0) per_address.erase(address);
            if (num_refusing >= kMaxRefusing) return;  // closes it
            ++num_refusing;
        }
    }
    if (refusal == 0)
        return start_http(shared_from_this(), std::move(socket), std::make_unique<Place>(shared_from_this(), address));
    const char* code = refusal == 503 ? "too_many_connections" : "too_many_connections_of_address";
    handler.on_refused(code);
    std::make_shared<RefusingSession>(shared_from_this(), std::move(socket), refusal, code,
                                      refusal == 503 ? "the server has as many connections as it takes; try again later"
                                                     : "your address has as many connections as the server takes")
        ->run();
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Outcome<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler& handler) {
    auto state = std::make_shared<State>(options, handler);
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options.host, error);
    if (error) return cannot_listen(options, "not an IP address");
    const tcp::endpoint endpoint(address, options.port);
    state->acceptor->open(endpoint.protocol(), error);
    if (!error) state->acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) state->acceptor->bind(endpoint, error);
    if (!error) state->acceptor->listen(tcp::acceptor::max_listen_connections, error);
    if (error) return cannot_listen(options, error.message());
    state->options.port = state->acceptor->local_endpoint().port();
    state->accept();
    for (unsigned i = 0; i < std::max(1U, options.threads); ++i)
        state->threads.emplace_back([context = &*state->context] { context->run(); });
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::uint16_t Server::port() const noexcept { return state_->options.port; }

std::size_t Server::num_connections() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->num_connections;
}

void Server::stop(std::chrono::milliseconds grace) {
    if (state_->threads.empty()) return;
    state_->stopping = true;
    asio::post(*state_->context, [state = state_] {
        boost::system::error_code ignored;
        state->acceptor->close(ignored);
    });
    std::vector<std::shared_ptr<Session>> sessions;
    {
        const std::scoped_lock lock(state_->mutex);
        for (const auto& [id, entry] : state_->sessions) sessions.push_back(entry.session.lock());
    }
    for (const auto& session : sessions) {
        if (session) session->finish();
    }
    sessions.clear();
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while (num_connections() > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    state_->context->stop();
    for (std::thread& thread : state_->threads) thread.join();
    state_->threads.clear();
}

Server::~Server() {
    stop(std::chrono::milliseconds(0));
    state_->acceptor.reset();
    state_->context.reset();
}

}  // namespace quarry::node::rpc
