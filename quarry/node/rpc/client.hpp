#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "quarry/node/expected.hpp"

namespace quarry::node::rpc {

/// A blocking client of a server like ours (HTTP/1.1, kept alive, answers with a content length): what load generators
/// and command lines need. One thread at a time.
class Client {
  public:
    /// url: http://HOST:PORT, a numeric host or localhost. bad_input (bad_url), environment (cannot_connect).
    static Outcome<Client> connect(const std::string& url, unsigned timeout_ms = 30'000);
    Client(Client&& other) noexcept;
    Client& operator=(Client&& other) noexcept;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// POSTs a JSON text and returns the body of the answer. environment: connection_lost, no_answer (in time);
    /// refused: http_status, with the body as the cause.
    Outcome<std::string> post(std::string_view json);

  private:
    Client(int fd, std::string host) : fd_(fd), host_(std::move(host)) {}
    Outcome<std::string> read_answer();
    int fd_ = -1;
    std::string host_;
    std::string buffer_;  ///< received, not used yet
};

}  // namespace quarry::node::rpc
