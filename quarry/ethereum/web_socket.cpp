#include "quarry/ethereum/web_socket.hpp"

#include <cryptopp/sha.h>

#include <algorithm>
#include <array>
#include <random>

#include "quarry/ethereum/base64.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::uint8_t kContinuation = 0;
constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kBinary = 2;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;
constexpr std::size_t kMaxControlBytes = 125;
constexpr std::size_t kMaxHandshakeBytes = 16 * 1024;

EthereumError bad_response(const char* why) { return {EthereumCode::bad_response, why, {}}; }
ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string random_bytes(std::size_t count) {
    std::random_device device;
    std::string r;
    for (std::size_t i = 0; i < count; ++i) r.push_back(static_cast<char>(device() & 0xff));
    return r;
}

/// What a server answers to the client's key.
std::string accept_value(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::string digest(20, 0);
    CryptoPP::SHA1().CalculateDigest(reinterpret_cast<std::uint8_t*>(digest.data()), as_bytes(text).data(),
                                     text.size());
    return to_base64(digest);
}

/// The value of a field in the head of a response, whose names have any case.
std::string find_field(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(std::min(line.size() + 2, head.size()));
        const bool is_it = line.size() > name.size() && line[name.size()] == ':' &&
                           std::equal(name.begin(), name.end(), line.begin(),
                                      [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
        if (!is_it) continue;
        const std::string_view value = line.substr(name.size() + 1);
        const std::size_t first = value.find_first_not_of(' ');
        if (first == std::string_view::npos) return {};
        return std::string(value.substr(first, value.find_last_not_of(' ') - first + 1));
    }
    return {};
}

}  // namespace

Decoded<std::optional<WebSocketFrame>> parse_frame(ByteView bytes, std::size_t limit_bytes) {
    const std::optional<WebSocketFrame> incomplete;
    if (bytes.size() < 2) return incomplete;
    if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) != 0) return CodecError{CodecCode::wrong_kind, "parse_frame"};
    WebSocketFrame frame;
    frame.is_last = (bytes[0] & 0x80) != 0;
    frame.opcode = static_cast<std::uint8_t>(bytes[0] & 15);
    std::uint64_t length = bytes[1];
    std::size_t header_bytes = 2;
    if (length > 125) {
        const std::size_t num_digits = length == 126 ? 2 : 8;
        const std::uint64_t least = length == 126 ? 126 : 65'536;
        header_bytes += num_digits;
        if (bytes.size() < header_bytes) return incomplete;
        length = 0;
        for (std::size_t i = 2; i < header_bytes; ++i) length = length << 8 | bytes[i];
        if (length < least) return CodecError{CodecCode::not_minimal, "parse_frame"};
    }
    if (length > limit_bytes) return CodecError{CodecCode::limit_exceeded, "parse_frame"};
    if (frame.opcode >= kClose && (length > kMaxControlBytes || !frame.is_last)) {
        return CodecError{CodecCode::wrong_kind, "parse_frame"};
    }
    if (bytes.size() - header_bytes < length) return incomplete;
    frame.payload = bytes.subspan(header_bytes, static_cast<std::size_t>(length));
    frame.num_bytes = header_bytes + frame.payload.size();
    return std::optional(frame);
}

Answer<std::unique_ptr<WebSocket>> WebSocket::connect(const Url& url, Deadline deadline) {
    QUARRY_TRY_ASSIGN(auto stream, ByteStream::connect(url, deadline));
    std::unique_ptr<WebSocket> r(new WebSocket(std::move(stream)));
    QUARRY_TRY(r->handshake(url, deadline));
    return r;
}

Answer<Done> WebSocket::read_more(Deadline deadline) {
    std::array<std::uint8_t, 16'384> chunk{};
    QUARRY_TRY_ASSIGN(const std::size_t n, stream_->read_some(chunk, deadline));
    if (n == 0) return EthereumError{EthereumCode::connection_lost, "closed by the other side", {}};
    received_.insert(received_.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
    return Done{};
}

Answer<Done> WebSocket::handshake(const Url& url, Deadline deadline) {
    const std::string key = to_base64(random_bytes(16));
    std::string request = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.host + ":" + url.port +
                          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
                          "Sec-WebSocket-Key: " + key + "\r\n";
    if (!url.user_info.empty()) request += "Authorization: Basic " + to_base64(url.user_info) + "\r\n";
    request += "\r\n";
    QUARRY_TRY(stream_->write_all(as_bytes(request), deadline));
    constexpr std::string_view kEnd = "\r\n\r\n";
    for (;;) {
        const auto end = std::search(received_.begin(), received_.end(), kEnd.begin(), kEnd.end());
        if (end != received_.end()) {
            const std::string head(received_.begin(), end);
            received_.erase(received_.begin(), end + static_cast<std::ptrdiff_t>(kEnd.size()));
            if (!head.starts_with("HTTP/1.1 101")) return bad_response("no WebSocket there");
            if (find_field(head, "sec-websocket-accept") != accept_value(key))
                return bad_response("no WebSocket there");
            return Done{};
        }
        if (received_.size() > kMaxHandshakeBytes)
            return EthereumError{EthereumCode::response_too_large, url.origin(), {}};
        QUARRY_TRY(read_more(deadline));
    }
}

Answer<Done> WebSocket::send_frame(std::uint8_t opcode, ByteView payload, Deadline deadline) {
    Bytes frame{static_cast<std::uint8_t>(0x80 | opcode)};
    const std::size_t length = payload.size();
    const std::size_t num_digits = length < 126 ? 0 : length < 65'536 ? 2 : 8;
    frame.push_back(static_cast<std::uint8_t>(0x80 | (num_digits == 0 ? length : num_digits == 2 ? 126 : 127)));
    for (std::size_t i = num_digits; i-- > 0;) frame.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
    const std::string mask = random_bytes(4);
    for (const char c : mask) frame.push_back(static_cast<std::uint8_t>(c));
    for (std::size_t i = 0; i < length; ++i) frame.push_back(static_cast<std::uint8_t>(payload[i] ^ mask[i % 4]));
    return stream_->write_all(frame, deadline);
}

Answer<Done> WebSocket::send_text(std::string_view text, Deadline deadline) {
    return send_frame(kText, as_bytes(text), deadline);
}

Answer<std::string> WebSocket::receive(Deadline deadline, std::size_t limit_bytes) {
    std::string message;
    bool has_started = false;
    for (;;) {
        const auto parsed = parse_frame(received_, limit_bytes - message.size());
        if (!parsed) {
            const bool is_long = parsed.error().code == CodecCode::limit_exceeded;
            return EthereumError{is_long ? EthereumCode::response_too_large : EthereumCode::bad_response,
                                 codec_code_text(parsed.error().code),
                                 {}};
        }
        if (!parsed.value()) {
            QUARRY_TRY(read_more(deadline));
            continue;
        }
        const WebSocketFrame& frame = *parsed.value();
        const Bytes payload(frame.payload.begin(), frame.payload.end());
        const std::uint8_t opcode = frame.opcode;
        const bool is_last = frame.is_last;
        received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(frame.num_bytes));
        if (opcode == kClose) return EthereumError{EthereumCode::connection_lost, "closed by the other side", {}};
        if (opcode == kPing) QUARRY_TRY(send_frame(kPong, payload, deadline));
        if (opcode >= kClose) continue;
        const bool is_start = opcode == kText || opcode == kBinary;
        if (is_start == has_started || (!is_start && opcode != kContinuation))
            return bad_response("frames out of order");
        has_started = true;
        message.append(payload.begin(), payload.end());
        if (is_last) return message;
    }
}

}  // namespace quarry::ethereum
