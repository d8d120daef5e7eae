/// One HTTP connection: requests one after the other, each with a time limit for its header, its body and its answer.
#include <array>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <optional>

#include "quarry/node/file_io.hpp"
#include "quarry/node/rpc/sessions.hpp"

namespace quarry::node::rpc {
namespace {

using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kWritePart = std::size_t{64} << 10;
constexpr std::size_t kMaxDiscardedBytes = std::size_t{4} << 20;
constexpr milliseconds kDiscardTime(1000);

bool is_json(std::string_view type) {
    type = type.substr(0, type.find(';'));
    while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
    return beast::iequals({type.data(), type.size()}, "application/json");
}

std::string_view view(boost::beast::string_view s) { return {s.data(), s.size()}; }

class HttpSession final : public Session, public Connection, public std::enable_shared_from_this<HttpSession> {
  public:
    HttpSession(std::shared_ptr<Server::State> state, tcp::socket socket, std::unique_ptr<Place> place)
        : state_(std::move(state)),
          id_(state_->next_id++),
          executor_(socket.get_executor()),
          socket_(std::move(socket)),
          timer_(executor_),
          place_(std::move(place)) {}
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;
    ~HttpSession() override { state_->remove(id_); }

    void start() {
        state_->add(id_, std::weak_ptr<Session>(std::static_pointer_cast<Session>(shared_from_this())));
        asio::post(executor_, [self = shared_from_this()] { self->wait_for_request(); });
    }

    [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
    [[nodiscard]] bool is_websocket() const noexcept override { return false; }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return 1; }
    void push(std::shared_ptr<const std::string>) override {}
    void cut() override {
        asio::post(executor_, [self = shared_from_this()] { self->close(); });
    }
    void finish() override {
        asio::post(executor_, [self = shared_from_this()] {
            self->finishing_ = true;
            if (self->idle_) self->close();
        });
    }

  private:
    [[nodiscard]] const ServerLimits& limits() const { return state_->options.limits; }

    /// After `time` the operation in progress is cancelled, with timed_out_ set.
    void arm(milliseconds time) {
        timed_out_ = false;
        timer_.expires_after(time);
        timer_.async_wait([self = shared_from_this(), armed = ++armed_](const ErrorCode& error) {
            if (error || armed != self->armed_) return;
            self->timed_out_ = true;
            ErrorCode ignored;
            self->socket_.cancel(ignored);
        });
    }
    void disarm() {
        ++armed_;
        timer_.cancel();
    }
    void close() {
        disarm();
        ErrorCode ignored;
        socket_.close(ignored);
    }

    void wait_for_request() {
        if (finishing_) return close();
        if (buffer_.size() > 0) return read_header();
        arm(milliseconds(served_ ? limits().idle_timeout_ms : limits().header_timeout_ms));
        idle_ = true;
        socket_.async_read_some(buffer_.prepare(kReadBytes),
                                [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
                                    self->idle_ = false;
                                    if (error) return self->close();
                                    self->buffer_.commit(size);
                                    self->read_header();
                                });
    }

    void read_header() {
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(limits().max_header_bytes));
        parser_->body_limit(limits().max_body_bytes);
        arm(milliseconds(limits().header_timeout_ms));
        http::async_read_header(socket_, buffer_, *parser_,
                                [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                                    self->disarm();
                                    if (error) return self->on_bad_request(error);
                                    self->on_header();
                                });
    }

    void on_bad_request(const ErrorCode& error) {
        if (timed_out_) return refuse(408, "request_timeout", "the request did not arrive in time");
        if (error == http::error::body_limit)
            return refuse(413, "body_too_large", "the request is larger than the server takes");
        if (error == http::error::header_limit || error == http::error::buffer_overflow)
            return refuse(431, "header_too_large", "the header is larger than the server takes");
        const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
        if (ended || error.category() != http::make_error_code(http::error::bad_version).category()) return close();
        refuse(400, "bad_http", "this is not HTTP/1.1");
    }

    void on_header() {
        const Request& request = parser_->get();
        if (const auto origin = request.find(http::field::origin); origin != request.end()) {
            if (!state_->is_allowed(view(origin->value())))
                return refuse(403, "origin_not_allowed", "pages of this origin may not use this server");
            origin_ = std::string(origin->value());
        }
        keep_alive_ = request.keep_alive();
        // Nobody reads a body but that of a POST, and what follows must not be taken for another request.
        if (request.method() != http::verb::post && !parser_->is_done()) closing_ = true;
        std::string_view path = view(request.target());
        path = path.substr(0, path.find('?'));
        const bool root = path == "/";
        if (root && state_->options.posts && boost::beast::websocket::is_upgrade(request)) {
            disarm();
            return start_websocket(state_, std::move(socket_), std::move(place_), parser_->release());
        }
        switch (request.method()) {
            case http::verb::get:
                return root ? refuse(405, "method_not_allowed", "POST a request, or upgrade to WebSocket") : get(path);
            case http::verb::post:
                return post(root, request);
            case http::verb::options:
                return reply(204, "", "");
            default:
                return refuse(405, "method_not_allowed", "this method is not served");
        }
    }

    void get(std::string_view path) {
        HttpAnswer answer = state_->handler.on_get(path);
        if (answer.status == 404) return refuse(404, "unknown_path", "there is nothing under this path");
        reply(std::move(answer));
    }

    void post(bool root, const Request& request) {
        if (!root) return refuse(404, "unknown_path", "there is nothing under this path");
        if (!state_->options.posts) return refuse(405, "method_not_allowed", "this port serves GET alone");
        if (!is_json(view(request[http::field::content_type])))
            return refuse(415, "unsupported_media_type", "the content type is not application/json");
        arm(milliseconds(limits().body_timeout_ms));
        http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](const ErrorCode& error, std::size_t) {
            self->disarm();
            if (error) return self->on_bad_request(error);
            self->on_body();
        });
    }

    void on_body() {
        const auto respond = [self = shared_from_this()](std::string text) {
            asio::post(self->executor_, [self, body = std::move(text)]() mutable {
                if (body.empty()) return self->reply(204, "", "");
                self->reply(200, "application/json", std::move(body));
            });
        };
        state_->handler.on_request(std::move(parser_->get().body()), shared_from_this(), respond);
    }

    void refuse(unsigned status, std::string_view code, std::string_view reason) {
        state_->handler.on_refused(code);
        closing_ = true;
        reply(status, "application/json", refusal_body(code, reason));
    }

    void reply(unsigned status, std::string type, std::string body) {
        reply({status, std::move(type), std::move(body)});
    }

    void reply(HttpAnswer answer) {
        answer_ = std::move(answer);
        response_ = {};
        response_.version(11);
        response_.result(answer_.status);
        if (!answer_.type.empty()) response_.set(http::field::content_type, answer_.type);
        if (!origin_.empty()) {
            response_.set(http::field::access_control_allow_origin, origin_);
            response_.set(http::field::access_control_allow_headers, "content-type");
            response_.set(http::field::vary, "origin");
        }
        if (!keep_alive_ || finishing_) closing_ = true;
        response_.keep_alive(!closing_);
        state_->set_unsent(id_, answer_.body.size());  // a shared one is bounded by who shares it
        const auto& shared = answer_.shared_body;
        const std::string_view body = shared ? as_text(*shared) : std::string_view(answer_.body);
        response_.body() = {body.data(), body.size()};
        response_.prepare_payload();
        served_ = true;
        serializer_.emplace(response_);
        arm_write();
        write_some();
    }

    void arm_write() {
        num_written_ = 0;
        arm(milliseconds(limits().write_timeout_ms));
    }

    /// The time limit is for each kWritePart: a long answer over a slow line is not cut off, and nobody keeps one for
    /// hours by taking a byte now and then.
    void write_some() {
        http::async_write_some(socket_, *serializer_,
                               [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
                                   if (error || self->timed_out_) return self->close();
                                   if (!self->serializer_->is_done()) {
                                       self->num_written_ += size;
                                       if (self->num_written_ >= kWritePart) self->arm_write();
                                       return self->write_some();
                                   }
                                   self->disarm();
                                   self->serializer_.reset();
                                   self->response_ = {};
                                   self->answer_ = {};
                                   self->state_->set_unsent(self->id_, 0);
                                   self->closing_ ? self->linger() : self->wait_for_request();
                               });
    }

    /// Reads what the client still sends, or the system resets the connection before the client sees the answer.
    void linger() {
        ErrorCode ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        arm(kDiscardTime);
        discard(0);
    }
    void discard(std::size_t total) {
        socket_.async_read_some(asio::buffer(scratch_),
                                [self = shared_from_this(), total](const ErrorCode& error, std::size_t size) {
                                    if (error || total + size > kMaxDiscardedBytes) return self->close();
                                    self->discard(total + size);
                                });
    }

    std::shared_ptr<Server::State> state_;
    std::uint64_t id_;
    tcp::socket::executor_type executor_;
    tcp::socket socket_;
    asio::steady_timer timer_;
    std::unique_ptr<Place> place_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    HttpAnswer answer_;                                                         ///< that is being sent
    Response response_;                                                         ///< its header, and a view of its body
    std::optional<http::response_serializer<Response::body_type>> serializer_;  ///< of response_
    std::string origin_;
    std::array<char, kReadBytes> scratch_{};
    std::size_t num_written_ = 0;  ///< since the time limit began
    std::uint64_t armed_ = 0;
    bool timed_out_ = false;
    bool idle_ = false;
    bool served_ = false;  ///< a request was answered
    bool keep_alive_ = true;
    bool closing_ = false;    ///< after the answer
    bool finishing_ = false;  ///< the server stops
};

}  // namespace

void start_http(std::shared_ptr<Server::State> state, tcp::socket socket, std::unique_ptr<Place> place) {
    std::make_shared<HttpSession>(std::move(state), std::move(socket), std::move(place))->start();
}

}  // namespace quarry::node::rpc
