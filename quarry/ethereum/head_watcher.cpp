#include "quarry/ethereum/head_watcher.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "quarry/ethereum/web_socket.hpp"

namespace quarry::ethereum {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20;
constexpr std::uint64_t kMaxReconnectMs = 30'000;
constexpr const char* kSubscribe = R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})";

}  // namespace

class HeadWatcher::Impl {
  public:
    Impl(Options options, std::optional<Url> url) : options_(std::move(options)), url_(std::move(url)) {
        if (url_) thread_ = std::thread([this] { run(); });
    }
    ~Impl() {
        {
            const std::scoped_lock lock(mutex_);
            is_stopped_ = true;
            if (socket_ != nullptr) socket_->interrupt();
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    bool wait() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, milliseconds(options_.poll_ms), [&] { return has_head_ || is_woken_ || is_stopped_; });
        is_woken_ = false;
        return std::exchange(has_head_, false);
    }
    void wake() {
        {
            const std::scoped_lock lock(mutex_);
            is_woken_ = true;
        }
        changed_.notify_all();
    }
    [[nodiscard]] bool is_connected() const noexcept { return is_connected_; }

  private:
    void run() {
        std::uint64_t pause_ms = options_.reconnect_ms;
        for (;;) {
            if (listen()) pause_ms = options_.reconnect_ms;
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, milliseconds(pause_ms), [&] { return is_stopped_; })) return;
            pause_ms = std::min(2 * pause_ms, kMaxReconnectMs);
        }
    }

    /// One connection from start to end. True: it announced something.
    bool listen() {
        const auto deadline = steady_clock::now() + milliseconds(options_.connect_timeout_ms);
        auto connected = WebSocket::connect(*url_, deadline);
        if (!connected) return false;
        auto socket = std::move(connected).value();
        if (!attach(socket.get())) return false;
        bool has_announced = false;
        if (socket->send_text(kSubscribe, deadline)) {
            for (;;) {
                // What a message says is not needed: that there is something new is.
                const auto message =
                    socket->receive(steady_clock::now() + milliseconds(options_.silence_ms), kMaxMessageBytes);
                if (!message) break;
                if (message.value().find("\"error\"") != std::string::npos) break;
                is_connected_ = true;
                if (message.value().find("eth_subscription") == std::string::npos) continue;
                has_announced = true;
                announce();
            }
        }
        is_connected_ = false;
        attach(nullptr);
        return has_announced;
    }
    /// False: we are stopping.
    bool attach(WebSocket* socket) {
        const std::scoped_lock lock(mutex_);
        socket_ = is_stopped_ ? nullptr : socket;
        return !is_stopped_;
    }
    void announce() {
        {
            const std::scoped_lock lock(mutex_);
            has_head_ = true;
        }
        changed_.notify_all();
    }

    Options options_;
    std::optional<Url> url_;
    std::mutex mutex_;
    std::condition_variable changed_;
    WebSocket* socket_ = nullptr;
    bool has_head_ = false;
    bool is_woken_ = false;
    bool is_stopped_ = false;
    std::atomic<bool> is_connected_{false};
    std::thread thread_;
};

HeadWatcher::HeadWatcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HeadWatcher::~HeadWatcher() = default;

Answer<std::unique_ptr<HeadWatcher>> HeadWatcher::start(Options options) {
    std::optional<Url> url;
    if (!options.websocket_url.empty()) {
        QUARRY_TRY_ASSIGN(url, parse_url(options.websocket_url));
        if (!url->scheme.starts_with("ws")) return EthereumError{EthereumCode::bad_url, url->origin(), {}};
    }
    return std::unique_ptr<HeadWatcher>(new HeadWatcher(std::make_unique<Impl>(std::move(options), std::move(url))));
}

bool HeadWatcher::wait() { return impl_->wait(); }
void HeadWatcher::wake() { impl_->wake(); }
bool HeadWatcher::is_connected() const noexcept { return impl_->is_connected(); }

}  // namespace quarry::ethereum
