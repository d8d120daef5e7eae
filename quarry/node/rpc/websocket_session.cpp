/// One WebSocket: requests in, answers and events out, in any order.
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>

#include "quarry/node/rpc/sessions.hpp"

namespace quarry::node::rpc {
namespace {

namespace websocket = boost::beast::websocket;
using ErrorCode = boost::system::error_code;

class WebsocketSession final : public Session,
                               public Connection,
                               public std::enable_shared_from_this<WebsocketSession> {
  public:
    WebsocketSession(std::shared_ptr<Server::State> state, tcp::socket socket, std::unique_ptr<Place> place,
                     Request request)
        : state_(std::move(state)),
          id_(state_->next_id++),
          executor_(socket.get_executor()),
          stream_(std::move(socket)),
          place_(std::move(place)),
          request_(std::move(request)) {}
    WebsocketSession(const WebsocketSession&) = delete;
    WebsocketSession& operator=(const WebsocketSession&) = delete;
    ~WebsocketSession() override { state_->remove(id_); }

    /// On the connection's strand.
    void start() {
        state_->add(id_, std::weak_ptr<Session>(std::static_pointer_cast<Session>(shared_from_this())));
        const ServerLimits& limits = state_->options.limits;
        websocket::stream_base::timeout timeout{};
        timeout.handshake_timeout = std::chrono::milliseconds(limits.header_timeout_ms);
        timeout.idle_timeout = std::chrono::milliseconds(limits.idle_timeout_ms);
        timeout.keep_alive_pings = true;
        stream_.set_option(timeout);
        stream_.read_message_max(limits.max_body_bytes);
        stream_.async_accept(request_, [self = shared_from_this()](const ErrorCode& error) {
            if (error) return;
            self->accepted_ = true;
            self->read();
            self->write();
        });
    }

    [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
    [[nodiscard]] bool is_websocket() const noexcept override { return true; }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return in_flight_; }
    void push(std::shared_ptr<const std::string> text) override {
        asio::post(executor_, [self = shared_from_this(), t = std::move(text)]() mutable { self->send(std::move(t)); });
    }
    void cut() override {
        asio::post(executor_, [self = shared_from_this()] { self->close(); });
    }
    void finish() override {
        asio::post(executor_, [self = shared_from_this()] {
            self->finishing_ = true;
            self->close_if_done();
        });
    }

  private:
    void read() {
        stream_.async_read(buffer_, [self = shared_from_this()](const ErrorCode& error, std::size_t) {
            if (error == websocket::error::message_too_big) self->state_->handler.on_refused("body_too_large");
            if (error) return;
            std::string text = beast::buffers_to_string(self->buffer_.data());
            self->buffer_.consume(self->buffer_.size());
            ++self->in_flight_;
            const auto respond = [self](std::string answer) {
                asio::post(self->executor_, [self, a = std::move(answer)]() mutable {
                    --self->in_flight_;
                    if (!a.empty()) self->send(std::make_shared<const std::string>(std::move(a)));
                    self->close_if_done();
                });
            };
            self->state_->handler.on_request(std::move(text), self, respond);
            if (!self->finishing_) self->read();
        });
    }

    /// However long a message is, whoever takes what is before it gets it.
    void send(std::shared_ptr<const std::string> text) {
        if (queued_bytes_ > state_->options.limits.max_queue_bytes) {
            state_->handler.on_refused("slow_consumer");
            return close();
        }
        queued_bytes_ += text->size();
        queue_.push_back(std::move(text));
        state_->set_unsent(id_, queued_bytes_);
        if (queue_.size() == 1) write();
    }

    /// One message at a time.
    void write() {
        if (queue_.empty() || !accepted_) return;
        stream_.text(true);
        stream_.async_write(asio::buffer(*queue_.front()),
                            [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                                if (error) return self->close();
                                self->queued_bytes_ -= self->queue_.front()->size();
                                self->queue_.pop_front();
                                self->state_->set_unsent(self->id_, self->queued_bytes_);
                                self->write();
                                self->close_if_done();
                            });
    }

    void close_if_done() {
        if (!finishing_ || closing_ || in_flight_ != 0 || !queue_.empty()) return;
        closing_ = true;
        stream_.async_close(websocket::close_code::going_away, [self = shared_from_this()](const ErrorCode&) {});
    }
    void close() {
        ErrorCode ignored;
        stream_.next_layer().close(ignored);
    }

    std::shared_ptr<Server::State> state_;
    std::uint64_t id_;
    tcp::socket::executor_type executor_;
    websocket::stream<tcp::socket> stream_;
    std::unique_ptr<Place> place_;
    Request request_;
    beast::flat_buffer buffer_;
    std::deque<std::shared_ptr<const std::string>> queue_;
    std::size_t queued_bytes_ = 0;
    std::atomic<std::size_t> in_flight_{0};
    bool accepted_ = false;
    bool finishing_ = false;
    bool closing_ = false;
};

}  // namespace

void start_websocket(std::shared_ptr<Server::State> state, tcp::socket socket, std::unique_ptr<Place> place,
                     Request request) {
    std::make_shared<WebsocketSession>(std::move(state), std::move(socket), std::move(place), std::move(request))
        ->start();
}

}  // namespace quarry::node::rpc
