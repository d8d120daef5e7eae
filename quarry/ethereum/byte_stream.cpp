#include "quarry/ethereum/byte_stream.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <thread>

namespace quarry::ethereum {

/// TLS over memory: OpenSSL never touches the socket, so that every wait has a deadline and no write raises a signal.
struct ByteStream::Tls {
    SSL* ssl = nullptr;
    BIO* incoming = nullptr;  ///< owned by ssl, as is the other
    BIO* outgoing = nullptr;
    ~Tls() { SSL_free(ssl); }
};

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// One context for the process, with the certificates of the system.
SSL_CTX* tls_context() {
    static SSL_CTX* const made = [] {
        SSL_CTX* r = SSL_CTX_new(TLS_client_method());
        QUARRY_CHECK(r != nullptr);
        SSL_CTX_set_min_proto_version(r, TLS1_2_VERSION);
        SSL_CTX_set_default_verify_paths(r);  // without them every handshake fails, and says so
        SSL_CTX_set_verify(r, SSL_VERIFY_PEER, nullptr);
        return r;
    }();
    return made;
}

struct Addresses {
    int error = 0;
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> list{nullptr, [](addrinfo* p) {
                                                            if (p != nullptr) ::freeaddrinfo(p);
                                                        }};
};

Addresses look_up(const std::string& host, const std::string& port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    Addresses r;
    r.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (r.error == 0) r.list.reset(found);
    return r;
}

Answer<Addresses> resolve(const Url& url, Deadline deadline) {
    Addresses found = look_up(url.host, url.port, AI_NUMERICHOST);
    if (found.error != 0) {
        // The resolver has timeouts of its own; a thread that outlives the deadline ends with them.
        std::packaged_task<Addresses()> task([host = url.host, port = url.port] { return look_up(host, port, 0); });
        auto result = task.get_future();
        std::thread(std::move(task)).detach();
        if (result.wait_until(deadline) != std::future_status::ready) {
            return EthereumError{EthereumCode::timed_out, url.origin() + ": name lookup", {}};
        }
        found = result.get();
    }
    if (found.error != 0) {
        return EthereumError{EthereumCode::resolve_failed, url.origin() + ": " + ::gai_strerror(found.error), {}};
    }
    return found;
}

/// Milliseconds to the deadline, for poll; 0 once it has passed.
int left_ms(Deadline deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

std::string tls_message(const SSL* ssl) {
    if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
        return X509_verify_cert_error_string(verdict);
    }
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason == nullptr ? "TLS failed" : reason;
}

}  // namespace

ByteStream::ByteStream(int fd, std::string origin) : fd_(fd), origin_(std::move(origin)) {}

ByteStream::~ByteStream() {
    tls_.reset();
    ::close(fd_);
}

Answer<std::unique_ptr<ByteStream>> ByteStream::connect(const Url& url, Deadline deadline) {
    QUARRY_TRY_ASSIGN(const Addresses addresses, resolve(url, deadline));
    EthereumError last{EthereumCode::connect_failed, url.origin(), {}};
    for (const addrinfo* at = addresses.list.get(); at != nullptr; at = at->ai_next) {
        const int fd = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) continue;
        std::unique_ptr<ByteStream> stream(new ByteStream(fd, url.origin()));
        int error = ::connect(fd, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            const auto ready = stream->wait(POLLOUT, deadline);
            if (!ready) return ready.error();
            socklen_t size = sizeof error;
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
        if (error != 0) {
            last.detail = url.origin() + ": " + std::strerror(error);
            continue;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (url.is_secure()) QUARRY_TRY(stream->start_tls(url.host, deadline));
        return stream;
    }
    return last;
}

Answer<Done> ByteStream::wait(short events, Deadline deadline) const {
    for (;;) {
        pollfd entry{.fd = fd_, .events = events, .revents = 0};
        const int n = ::poll(&entry, 1, left_ms(deadline));
        if (n > 0) return Done{};
        if (n == 0) return EthereumError{EthereumCode::timed_out, origin_, {}};
        if (errno != EINTR) return EthereumError{EthereumCode::connection_lost, origin_, {}};
    }
}

Answer<std::size_t> ByteStream::read_raw(std::span<std::uint8_t> out, Deadline deadline) {
    for (;;) {
        const ssize_t n = ::recv(fd_, out.data(), out.size(), 0);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            QUARRY_TRY(wait(POLLIN, deadline));
        } else if (errno != EINTR) {
            return EthereumError{EthereumCode::connection_lost, origin_ + ": " + std::strerror(errno), {}};
        }
    }
}

Answer<Done> ByteStream::write_raw(ByteView bytes, Deadline deadline) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            QUARRY_TRY(wait(POLLOUT, deadline));
        } else if (errno != EINTR) {
            return EthereumError{EthereumCode::connection_lost, origin_ + ": " + std::strerror(errno), {}};
        }
    }
    return Done{};
}

/// Repeats an operation of OpenSSL, carrying bytes to and from the socket as it asks. What the operation returned; 0 at
/// the end of the stream.
template <class Operation>
Answer<std::size_t> ByteStream::run_tls(const Operation& operation, Deadline deadline) {
    std::array<std::uint8_t, 16'384> chunk{};
    for (;;) {
        ERR_clear_error();
        const int result = operation();
        const int cause = result > 0 ? SSL_ERROR_NONE : SSL_get_error(tls_->ssl, result);
        for (int n = 0; (n = BIO_read(tls_->outgoing, chunk.data(), static_cast<int>(chunk.size()))) > 0;) {
            QUARRY_TRY(write_raw({chunk.data(), static_cast<std::size_t>(n)}, deadline));
        }
        if (result > 0) return static_cast<std::size_t>(result);
        if (cause == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
        if (cause == SSL_ERROR_WANT_WRITE) continue;
        if (cause != SSL_ERROR_WANT_READ) {
            return EthereumError{EthereumCode::tls_failed, origin_ + ": " + tls_message(tls_->ssl), {}};
        }
        QUARRY_TRY_ASSIGN(const std::size_t n, read_raw(chunk, deadline));
        if (n == 0) return EthereumError{EthereumCode::connection_lost, origin_ + ": ended inside TLS", {}};
        QUARRY_CHECK(BIO_write(tls_->incoming, chunk.data(), static_cast<int>(n)) == static_cast<int>(n));
    }
}

Answer<Done> ByteStream::start_tls(const std::string& host, Deadline deadline) {
    tls_ = std::make_unique<Tls>();
    tls_->ssl = SSL_new(tls_context());
    tls_->incoming = BIO_new(BIO_s_mem());
    tls_->outgoing = BIO_new(BIO_s_mem());
    QUARRY_CHECK(tls_->ssl != nullptr && tls_->incoming != nullptr && tls_->outgoing != nullptr);
    BIO_set_mem_eof_return(tls_->incoming, -1);
    SSL_set_bio(tls_->ssl, tls_->incoming, tls_->outgoing);
    // A certificate names addresses apart from hosts, and no server is asked for by an address.
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_->ssl), host.c_str()) != 1) {
        SSL_set_tlsext_host_name(tls_->ssl, host.c_str());
        SSL_set1_host(tls_->ssl, host.c_str());
    }
    SSL_set_connect_state(tls_->ssl);
    QUARRY_TRY(run_tls([&] { return SSL_do_handshake(tls_->ssl); }, deadline));
    return Done{};
}

Answer<std::size_t> ByteStream::read_some(std::span<std::uint8_t> out, Deadline deadline) {
    if (!tls_) return read_raw(out, deadline);
    const int size = static_cast<int>(std::min<std::size_t>(out.size(), 1 << 30));
    return run_tls([&] { return SSL_read(tls_->ssl, out.data(), size); }, deadline);
}

Answer<Done> ByteStream::write_all(ByteView bytes, Deadline deadline) {
    if (!tls_) return write_raw(bytes, deadline);
    while (!bytes.empty()) {
        const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20));
        QUARRY_TRY_ASSIGN(const std::size_t n,
                          run_tls([&] { return SSL_write(tls_->ssl, bytes.data(), size); }, deadline));
        if (n == 0) return EthereumError{EthereumCode::connection_lost, origin_, {}};
        bytes = bytes.subspan(n);
    }
    return Done{};
}

}  // namespace quarry::ethereum
