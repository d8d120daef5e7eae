#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "quarry/ethereum/error.hpp"
#include "quarry/ethereum/http.hpp"

namespace quarry::ethereum {

using Deadline = std::chrono::steady_clock::time_point;

/// A connection to a host, plain or with TLS (certificate and host name checked), whose every call ends by its
/// deadline.
class ByteStream {
  public:
    /// bad_url (a port out of range), resolve_failed, connect_failed, tls_failed, timed_out.
    static Answer<std::unique_ptr<ByteStream>> connect(const Url& url, Deadline deadline);
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    ~ByteStream();

    /// The number of bytes read, at least one; 0 at the end of the stream. connection_lost, timed_out, tls_failed.
    Answer<std::size_t> read_some(std::span<std::uint8_t> out, Deadline deadline);
    Answer<Done> write_all(ByteView bytes, Deadline deadline);

  private:
    struct Tls;
    ByteStream(int fd, std::string origin);
    Answer<Done> start_tls(const std::string& host, Deadline deadline);
    Answer<Done> wait(short events, Deadline deadline) const;
    Answer<std::size_t> read_raw(std::span<std::uint8_t> out, Deadline deadline);
    Answer<Done> write_raw(ByteView bytes, Deadline deadline);
    template <class Operation>
    Answer<std::size_t> run_tls(const Operation& operation, Deadline deadline);

    int fd_;
    std::string origin_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace quarry::ethereum
