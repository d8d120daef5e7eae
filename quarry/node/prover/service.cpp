#include "quarry/node/prover/service.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

#include "quarry/ethereum/http.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/prover/first_block.hpp"
#include "quarry/node/prover/hub_l1_view.hpp"

namespace quarry::node::prover {
namespace {

namespace fs = std::filesystem;

constexpr auto kGrace = std::chrono::milliseconds(2000);
constexpr std::uint64_t kSnapshotTimeoutMs = 600'000;
constexpr std::size_t kMaxSnapshotBytes = std::size_t{2} << 30;
constexpr const char* kJson = "application/json";
constexpr const char* kOctets = "application/octet-stream";

using Page = rpc::HttpAnswer;

Page not_found() { return {404, kJson, "{\"code\":\"unknown_path\",\"reason\":\"there is nothing here\"}\n"}; }

std::string to_body(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

Page page_of(const Problem& why) {
    const bool is_temporary = why.kind == Problem::Kind::environment;
    return {is_temporary ? 503U : 404U, kJson, fmt::format("{{\"code\":\"{}\"}}\n", why.name)};
}

/// "NUMBER" or "NUMBER/rest"; the rest is left in `path`.
template <class T>
bool take_number(std::string_view& path, T& value) {
    const auto r = std::from_chars(path.data(), path.data() + path.size(), value);
    if (r.ec != std::errc()) return false;
    path.remove_prefix(static_cast<std::size_t>(r.ptr - path.data()));
    if (path.empty()) return true;
    if (path.front() != '/') return false;
    path.remove_prefix(1);
    return true;
}

Page batch_page(const Prover& prover, std::string_view path) {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    if (!take_number(path, rollup) || !take_number(path, number)) return not_found();
    const auto batch = prover.batch(rollup, number);
    if (!batch) return page_of(batch.error());
    if (path == "header") return {200, kOctets, to_body(rollup::encode(batch.value().header))};
    if (path == "data") return {200, kOctets, to_body(batch.value().data)};
    if (path != "effects") return not_found();
    std::vector<std::uint8_t> words;
    for (const rollup::Effect& effect : batch.value().effects) rollup::encode(effect, words);
    return {200, kOctets, to_body(words)};
}

/// Serves the pages.
class PageHandler final : public rpc::Handler {
  public:
    explicit PageHandler(const Prover& prover) : prover_(prover) {}
    void on_request(std::string, const rpc::ConnectionPointer&, std::function<void(std::string)> respond) override {
        respond({});
    }
    rpc::HttpAnswer on_get(std::string_view path) override { return prover::page_of(prover_, path); }

  private:
    const Prover& prover_;
};

Outcome<std::vector<std::uint8_t>> fetch_snapshot(ethereum::HttpTransport& transport, const std::string& url,
                                                  std::uint32_t rollup) {
    const auto parsed = ethereum::parse_url(url);
    if (!parsed) {
        return Problem{Problem::Kind::bad_input, "bad_url", url + " is no URL", "give http://HOST:PORT"};
    }
    ethereum::HttpRequest request;
    request.method = "GET";
    request.target = fmt::format("/snapshots/{}", rollup);
    const auto reply = transport.exchange(parsed.value(), request, kSnapshotTimeoutMs, kMaxSnapshotBytes);
    if (!reply) return l1::chain_problem(reply.error());
    if (reply.value().status != 200) {
        return Problem{
            Problem::Kind::environment, "no_snapshot",
            fmt::format("{} has no snapshot of rollup {}: HTTP status {}", url, rollup, reply.value().status),
            "ask another prover, or start without a snapshot"};
    }
    const auto bytes = as_bytes(reply.value().body);
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

LogLevel level_of(ProverEvent::Level level) {
    switch (level) {
        case ProverEvent::Level::debug:
            return LogLevel::debug;
        case ProverEvent::Level::info:
            break;
        case ProverEvent::Level::warning:
            return LogLevel::warning;
        case ProverEvent::Level::error:
            return LogLevel::error;
    }
    return LogLevel::info;
}

std::uint64_t now_seconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace

rpc::HttpAnswer page_of(const Prover& prover, std::string_view path) {
    constexpr std::string_view kSnapshots = "/snapshots/";
    constexpr std::string_view kBatches = "/batches/";
    if (path == "/healthz") return {200, kJson, "{\"ok\":true}\n"};
    if (path == "/metrics") return {200, "text/plain; version=0.0.4", to_prometheus(prover.status())};
    if (path == "/status") return {200, kJson, to_json(prover.status())};
    if (path == "/readyz") {
        const ProverStatus status = prover.status();
        return {status.is_ready() ? 200U : 503U, kJson, to_json(status)};
    }
    if (path.starts_with(kSnapshots)) {
        path.remove_prefix(kSnapshots.size());
        std::uint32_t rollup = 0;
        if (!take_number(path, rollup) || !path.empty()) return not_found();
        const auto bytes = prover.snapshot(rollup);
        return bytes ? Page{200, kOctets, {}, bytes.value()} : page_of(bytes.error());
    }
    if (path.starts_with(kBatches)) return batch_page(prover, path.substr(kBatches.size()));
    return not_found();
}

/// In the order in which they depend on each other.
struct Service::Parts {
    ProverConfig config;
    LogSink log;
    std::unique_ptr<ethereum::HttpTransport> transport;  ///< to other provers
    std::unique_ptr<l1::Connection> connection;
    std::unique_ptr<l1::HubView> hub;
    std::unique_ptr<ethereum::BlobSource> blobs;
    std::unique_ptr<ethereum::TransactionManager> sender;
    std::unique_ptr<HubL1View> view;
    std::unique_ptr<Prover> prover;
    std::unique_ptr<PageHandler> pages;
    std::unique_ptr<rpc::Server> server;
};

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Service::~Service() {
    if (parts_->server) parts_->server->stop(kGrace);
}

namespace {

Outcome<Done> open_sender(const ProverConfig& config, const l1::Connection& connection,
                          std::unique_ptr<ethereum::TransactionManager>& sender) {
    const auto key = l1::read_key_file(config.key);
    if (!key) return key.error();
    ethereum::TransactionManagerOptions options = l1::long_lived_sender();
    options.max_fee_per_gas = ethereum::U256(config.max_fee_gwei) * 1'000'000'000;
    auto opened = connection.open_sender(options, key.value(), (fs::path(config.folder) / "sender").string());
    if (!opened) return opened.error();
    sender = std::move(opened).value();
    return Done{};
}

}  // namespace

Outcome<std::unique_ptr<Service>> Service::start(const ProverConfig& config, WorkDoer doer, LogSink log) {
    auto options = options_of(config);
    if (!options) return options.error();
    const auto hub = ethereum::parse_address(config.hub);
    if (config.endpoints.empty() || !hub) {
        return Problem{Problem::Kind::bad_input, "missing_setting",
                       config.endpoints.empty() ? "no L1 endpoint is named" : "the hub's address is none",
                       "give --l1 URL and --hub ADDRESS"};
    }
    QUARRY_PASS_ON(make_folder(config.folder));
    auto parts = std::make_unique<Parts>();
    Parts& p = *parts;
    p.config = config;
    p.log = std::move(log);
    auto connection = l1::Connection::open({config.endpoints, 0, 10'000});
    if (!connection) return connection.error();
    p.connection = std::move(connection).value();
    std::uint64_t first_block = config.first_block;
    if (first_block == 0) {
        const auto found =
            find_creation(p.connection->chain(), hub.value(), (fs::path(config.folder) / "first_block").string());
        if (!found) return found.error();
        first_block = found.value();
    }
    auto view = p.connection->open_view(hub.value(), first_block, (fs::path(config.folder) / "l1").string());
    if (!view) return view.error();
    p.hub = std::move(view).value();
    auto blobs = p.connection->open_blobs(config.beacon);
    if (!blobs) return blobs.error();
    p.blobs = std::move(blobs).value();
    if (config.key.empty()) {
        p.log(LogLevel::warning, "no_key", {{"text", "no key to send with: proofs are made, and wait"}});
    } else {
        QUARRY_PASS_ON(open_sender(config, *p.connection, p.sender));
    }
    p.view = std::make_unique<HubL1View>(
        *p.hub, p.connection->chain(), *p.blobs, p.sender.get(), [] { return ethereum::Kzg::shared(); },
        static_cast<unsigned>(config.confirmations));
    p.transport = ethereum::make_http_transport();
    if (!config.snapshot.empty()) {
        options.value().fetch_snapshot = [&p](std::uint32_t rollup) {
            return prover::fetch_snapshot(*p.transport, p.config.snapshot, rollup);
        };
    }
    options.value().on_event = [&p](const ProverEvent& e) {
        LogFields fields{{"text", e.text}};
        for (const auto& [name, value] : e.fields) fields.emplace_back(name, value);
        p.log(level_of(e.level), e.event, fields);
    };
    auto prover = Prover::open(std::move(options).value(), *p.view, make_proof_runner(std::move(doer)));
    if (!prover) return prover.error();
    p.prover = std::move(prover).value();
    p.pages = std::make_unique<PageHandler>(*p.prover);
    rpc::ServerOptions server;
    server.host = config.host;
    server.port = config.port;
    server.posts = false;
    server.threads = 2;  // one may make a snapshot
    auto listening = rpc::Server::start(server, *p.pages);
    if (!listening) return listening.error();
    p.server = std::move(listening).value();
    return std::unique_ptr<Service>(new Service(std::move(parts)));
}

Outcome<Done> Service::run(const std::atomic<bool>& stop) {
    using std::chrono::milliseconds;
    constexpr milliseconds kGlance(50);
    const milliseconds tick(parts_->config.tick_ms);
    while (!parts_->prover->is_stopped()) {
        if (stop && !parts_->prover->status().stopping) {
            parts_->connection->stop();
            parts_->prover->stop();
        }
        QUARRY_PASS_ON(parts_->prover->step(now_seconds()));
        for (milliseconds waited(0); waited < tick && !stop; waited += kGlance) std::this_thread::sleep_for(kGlance);
        if (stop) std::this_thread::sleep_for(kGlance);
    }
    return Done{};
}

std::uint16_t Service::port() const { return parts_->server->port(); }
ProverStatus Service::status() const { return parts_->prover->status(); }

}  // namespace quarry::node::prover
