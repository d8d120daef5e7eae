#include "quarry/node/sequencer/node_process.hpp"

#include <fmt/format.h>

#include "quarry/rollup/hashing.hpp"

namespace quarry::node::sequencer {
namespace {

constexpr auto kGrace = std::chrono::milliseconds(5000);

/// The port of metrics: GET alone.
class MetricsHandler final : public rpc::Handler {
  public:
    explicit MetricsHandler(RpcService& service) : service_(service) {}
    void on_request(std::string, const rpc::ConnectionPointer&, std::function<void(std::string)> respond) override {
        respond({});
    }
    rpc::HttpAnswer on_get(std::string_view path) override { return service_.on_metrics_get(path); }
    void on_refused(std::string_view code) override { service_.on_refused(code); }

  private:
    RpcService& service_;
};

Problem to_problem(const StorageError& error) {
    return {Problem::Kind::bad_input, storage_code_name(error.code), error.message, "then start the sequencer again"};
}

}  // namespace

/// In the order in which they depend on each other.
struct Node::Parts {
    Metrics metrics;
    std::unique_ptr<DurableStore> store;
    std::unique_ptr<Ledger> ledger;
    std::unique_ptr<FolderArchive> archive;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<RpcService> service;
    std::unique_ptr<MetricsHandler> metrics_handler;
    std::unique_ptr<rpc::Server> rpc_server;
    std::unique_ptr<rpc::Server> metrics_server;
    std::unique_ptr<Sequencer> sequencer;
    LogSink log;
    bool stopped = false;
};

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Node::~Node() { stop(); }

namespace {

void log_events(const LogSink& log, const Events& events) {
    for (const BatchSummary& batch : events.batches) {
        const BatchRecord& record = batch.record;
        LogFields fields{{"number", std::to_string(record.header.number)},
                         {"stage", stage_name(batch.stage)},
                         {"operations", std::to_string(record.operations)},
                         {"bytes", std::to_string(record.header.byte_length)},
                         {"effects", std::to_string(record.header.num_effects)},
                         {"hash", to_hex(record.hash)}};
        const bool reverted = record.status.phase == BatchPhase::reverted;
        if (reverted) fields.emplace_back("code", record.status.code);
        log(reverted ? LogLevel::warning : LogLevel::info, "batch", fields);
    }
}

}  // namespace

Outcome<std::unique_ptr<Node>> Node::start(const SequencerConfig& config, Settlement& settlement, std::string version,
                                           std::function<Milliseconds()> now, LogSink log) {
    auto parts = std::make_unique<Parts>();
    Parts& p = *parts;
    p.log = std::move(log);
    declare_metrics(p.metrics);
    p.service = std::make_unique<RpcService>(p.metrics, config.service, std::move(version),
                                             [now] { return static_cast<rollup::Timestamp>(now() / 1000); });
    auto store = DurableStore::open(config.state);
    if (!store) return to_problem(store.error());
    p.store = std::move(store).value();
    auto ledger = Ledger::open(config.ledger.empty() ? config.state + ".ledger" : config.ledger,
                               rollup::domain_hash(p.store->parameters()));
    if (!ledger) return to_problem(ledger.error());
    p.ledger = std::move(ledger).value();
    auto folder =
        BatchFolder::create(config.batches.empty() ? config.state + ".batches" : config.batches, p.store->parameters());
    if (!folder) return folder.error();
    p.archive = std::make_unique<FolderArchive>(std::move(folder).value());
    auto engine = Engine::start(*p.store, *p.ledger, *p.archive, settlement, config.engine, now());
    if (!engine) return engine.error();
    p.engine = std::move(engine).value();
    auto rpc_server = rpc::Server::start(config.rpc, *p.service);
    if (!rpc_server) return rpc_server.error();
    p.rpc_server = std::move(rpc_server).value();
    p.metrics_handler = std::make_unique<MetricsHandler>(*p.service);
    auto metrics_server = rpc::Server::start(config.metrics, *p.metrics_handler);
    if (!metrics_server) return metrics_server.error();
    p.metrics_server = std::move(metrics_server).value();

    Sequencer::Options options;
    options.tick_ms = config.tick_ms;
    options.now = std::move(now);
    options.on_events = [&p](const Events& events) {
        p.service->publish(events);
        log_events(p.log, events);
    };
    options.events_wanted = [&p] { return p.service->subscriptions().wants_receipts(); };
    options.on_group = [&p](std::size_t operations, double seconds) {
        p.metrics.count("quarry_sequencer_submitted_operations_total", static_cast<double>(operations));
        p.metrics.observe("quarry_sequencer_group_duration_seconds", seconds);
    };
    p.sequencer = std::make_unique<Sequencer>(*p.engine, std::move(options));
    p.service->attach(*p.sequencer);
    return std::unique_ptr<Node>(new Node(std::move(parts)));
}

std::uint16_t Node::rpc_port() const { return parts_->rpc_server->port(); }
std::uint16_t Node::metrics_port() const { return parts_->metrics_server->port(); }
EngineStatus Node::status() const {
    return parts_->sequencer->read([](const Engine& engine) { return engine.status(); });
}
std::optional<Problem> Node::failure() const { return parts_->sequencer->failure(); }

void Node::stop() {
    if (parts_->stopped) return;
    parts_->stopped = true;
    parts_->service->stop_accepting();
    parts_->sequencer->stop();
    parts_->rpc_server->stop(kGrace);
    parts_->metrics_server->stop(kGrace);
}

}  // namespace quarry::node::sequencer
