#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/ethereum/byte_stream.hpp"

/// The client's side of WebSocket. [RFC-6455]
namespace quarry::ethereum {

struct WebSocketFrame {
    bool is_last = false;
    std::uint8_t opcode = 0;
    ByteView payload;           ///< points into what was parsed
    std::size_t num_bytes = 0;  ///< of the whole frame
};
/// The frame at the start of `bytes`; empty: more bytes are needed. Total. wrong_kind (masked, or reserved bits: no
/// server sends that), limit_exceeded, not_minimal.
Decoded<std::optional<WebSocketFrame>> parse_frame(ByteView bytes, std::size_t limit_bytes);

/// A connection for text messages.
class WebSocket {
  public:
    /// Codes of ByteStream, and bad_response: the other side does not speak WebSocket.
    static Answer<std::unique_ptr<WebSocket>> connect(const Url& url, Deadline deadline);
    Answer<Done> send_text(std::string_view text, Deadline deadline);
    /// The next whole message; pings are answered on the way. timed_out, connection_lost (also when the other side says
    /// goodbye), bad_response, response_too_large.
    Answer<std::string> receive(Deadline deadline, std::size_t limit_bytes);
    /// Ends calls of now and later. May be called from another thread.
    void interrupt() noexcept { stream_->interrupt(); }

  private:
    explicit WebSocket(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}
    Answer<Done> handshake(const Url& url, Deadline deadline);
    Answer<Done> read_more(Deadline deadline);
    Answer<Done> send_frame(std::uint8_t opcode, ByteView payload, Deadline deadline);

    std::unique_ptr<ByteStream> stream_;
    Bytes received_;  ///< not yet parsed
};

}  // namespace quarry::ethereum
