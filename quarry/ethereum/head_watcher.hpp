#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "quarry/ethereum/error.hpp"

namespace quarry::ethereum {

/// Says when to look at the chain again: at once when a node announces a new head over WebSocket (eth_subscribe
/// newHeads), and in any case after the polling interval. An announcement is only a hint; whoever waits asks the node.
class HeadWatcher {
  public:
    struct Options {
        std::string websocket_url;  ///< ws:// or wss://; empty: polling only
        std::uint64_t poll_ms = 2'000;
        std::uint64_t connect_timeout_ms = 10'000;
        std::uint64_t silence_ms = 60'000;   ///< without any head: connect anew
        std::uint64_t reconnect_ms = 1'000;  ///< before the second attempt; doubled up to 30 s
    };
    /// Starts a thread if there is a URL. bad_url.
    static Answer<std::unique_ptr<HeadWatcher>> start(Options options);
    HeadWatcher(const HeadWatcher&) = delete;
    HeadWatcher& operator=(const HeadWatcher&) = delete;
    /// Closes the connection.
    ~HeadWatcher();

    /// Waits for a head announced since the last return, or for poll_ms, or for wake(). True: a head was announced.
    bool wait();
    /// Ends the waits of now: for shutdown, or because there is other work.
    void wake();
    [[nodiscard]] bool is_connected() const noexcept;

  private:
    class Impl;
    explicit HeadWatcher(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace quarry::ethereum
