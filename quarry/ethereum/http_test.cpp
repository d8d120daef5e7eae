// The transport against servers that misbehave, over plain sockets and TLS.

#include "quarry/ethereum/http.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

#include "quarry/ethereum/clock.hpp"

namespace quarry::ethereum::http_test {
namespace {

/// Serves connections one after the other on a port of its own.
class Server {
  public:
    explicit Server(std::function<void(int fd)> serve) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this, serve = std::move(serve)] {
            for (int fd; (fd = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(fd)) {
                ++num_connections;
                serve(fd);
            }
        });
    }
    ~Server() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port = 0;
    std::atomic<int> num_connections{0};

  private:
    int listener_;
    std::thread thread_;
};

void read_request(int fd) {
    std::string text;
    char chunk[4'096];
    while (text.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
        if (n <= 0) return;
        text.append(chunk, static_cast<std::size_t>(n));
    }
}
void write_text(int fd, std::string_view text) { ::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }

Answer<HttpReply> get(HttpTransport& transport, std::uint16_t port, std::uint64_t timeout_ms = 20'000,
                      const std::string& origin = "http://127.0.0.1:") {
    const HttpRequest request{.method = "GET", .target = "/x", .body = "", .headers = {}};
    return transport.exchange(parse_url(origin + std::to_string(port)).value(), request, timeout_ms, 100);
}
EthereumCode refusal_of(const std::string& answer) {
    const Server server([&](int fd) {
        read_request(fd);
        write_text(fd, answer);
    });
    const auto reply = get(*make_http_transport(), server.port);
    EXPECT_FALSE(reply.ok());
    return reply.ok() ? EthereumCode::stopped : reply.error().code;
}

TEST(Http, ReadsChunksAndRetryAfter) {
    const Server server([](int fd) {
        read_request(fd);
        write_text(fd, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        write_text(fd, "2\r\nde\r\n0\r\n\r\n");
    });
    const auto reply = get(*make_http_transport(), server.port);
    ASSERT_TRUE(reply.ok()) << reply.error().detail;
    EXPECT_EQ(reply.value().status, 429U);
    EXPECT_EQ(reply.value().body, "abcde");
    EXPECT_EQ(reply.value().retry_after_ms, 7'000U);
}

TEST(Http, RefusesLongCutAndForeignAnswers) {
    EXPECT_EQ(refusal_of("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x')),
              EthereumCode::response_too_large);
    EXPECT_EQ(refusal_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + std::string(65'535, 'x')),
              EthereumCode::response_too_large);
    EXPECT_EQ(refusal_of("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')), EthereumCode::response_too_large);
    EXPECT_EQ(refusal_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), EthereumCode::connection_lost);
    EXPECT_EQ(refusal_of("SSH-2.0-OpenSSH\r\n"), EthereumCode::bad_response);
    EXPECT_EQ(refusal_of(""), EthereumCode::connection_lost);
}

TEST(Http, ADripOfBytesEndsAtTheDeadline) {
    const std::uint64_t start_ms = system_clock().now_ms();
    const Server slow([](int fd) {
        read_request(fd);
        write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n");
        for (int i = 0; i < 80; ++i) {
            if (::send(fd, "x", 1, MSG_NOSIGNAL) != 1) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    });
    EXPECT_EQ(get(*make_http_transport(), slow.port, 200).error().code, EthereumCode::timed_out);
    EXPECT_LT(system_clock().now_ms() - start_ms, 6'000U) << "the whole answer takes 8 s";
}

TEST(Http, KeepsConnectionsAndSurvivesTheirEnd) {
    const Server server([](int fd) {
        for (int i = 0; i < 2; ++i) {
            read_request(fd);
            write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    const auto transport = make_http_transport();
    for (int i = 0; i < 4; ++i) {
        const auto reply = get(*transport, server.port);
        ASSERT_TRUE(reply.ok()) << reply.error().detail;
        EXPECT_EQ(reply.value().body, "ok");
    }
    EXPECT_EQ(server.num_connections, 2);
    std::uint16_t closed = 0;
    {
        closed = Server([](int) {}).port;
    }
    EXPECT_EQ(get(*transport, closed).error().code, EthereumCode::connect_failed);
}

/// A key and a certificate for "localhost" that it signs itself.
struct Identity {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    Identity() {
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
        X509_set_pubkey(certificate, key);
        X509_NAME* const name = X509_get_subject_name(certificate);
        const std::string host = "localhost";
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.data()), -1,
                                   -1, 0);
        X509_set_issuer_name(certificate, name);
        X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
        X509_add_ext(certificate, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(certificate, key, EVP_sha256());
    }
    ~Identity() {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;
};

void serve_tls(int fd, SSL_CTX* context) {
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    char chunk[4'096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, chunk, sizeof chunk) > 0) {
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
        SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

TEST(Http, TlsChecksCertificateAndHost) {
    const Identity trusted;
    const Identity stranger;
    // The process's TLS context reads this file when it is made: no test before this one uses TLS.
    const std::string path =
        (std::filesystem::temp_directory_path() / ("quarry-tls-" + std::to_string(::getpid()))).string();
    FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    PEM_write_X509(file, trusted.certificate);
    std::fclose(file);
    ::setenv("SSL_CERT_FILE", path.c_str(), 1);

    const auto transport = make_http_transport();
    const auto reply_of = [&](const Identity& identity, const std::string& origin) {
        const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
        SSL_CTX_use_certificate(context.get(), identity.certificate);
        SSL_CTX_use_PrivateKey(context.get(), identity.key);
        const Server server([&](int fd) { serve_tls(fd, context.get()); });
        return get(*transport, server.port, 20'000, origin);
    };
    const auto fine = reply_of(trusted, "https://localhost:");
    ASSERT_TRUE(fine.ok()) << fine.error().detail;
    EXPECT_EQ(fine.value().body, "secret");
    EXPECT_EQ(reply_of(trusted, "https://127.0.0.1:").error().code, EthereumCode::tls_failed) << "another host";
    EXPECT_EQ(reply_of(stranger, "https://localhost:").error().code, EthereumCode::tls_failed)
        << "nobody vouches for it";
    const Server plain([](int fd) {
        write_text(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
        read_request(fd);
    });
    EXPECT_EQ(get(*transport, plain.port, 20'000, "https://localhost:").error().code, EthereumCode::tls_failed);
    std::remove(path.c_str());
}

}  // namespace
}  // namespace quarry::ethereum::http_test
