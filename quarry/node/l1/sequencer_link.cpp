#include "quarry/node/l1/sequencer_link.hpp"

#include <chrono>

#include "quarry/ethereum/kzg.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/hub_contract.hpp"

namespace quarry::node::l1 {
namespace {

Outcome<Done> check_sequencer(ethereum::Chain& chain, const Deployment& deployment, const Address& sender) {
    const auto allowed = HubReader(chain, deployment.hub).is_sequencer(deployment.rollup, sender);
    if (!allowed) return chain_problem(allowed.error());
    if (allowed.value()) return Done{};
    return Problem{Problem::Kind::refused, "not_a_sequencer",
                   ethereum::to_hex(sender) + " may not post batches of rollup " + std::to_string(deployment.rollup),
                   "use the key of one of its sequencers, or have the rollup's owner add this one"};
}

}  // namespace

Outcome<std::unique_ptr<SequencerLink>> SequencerLink::open(SequencerLinkOptions options, const Deployment& deployment,
                                                            const ethereum::PrivateKey& key, LogSink log) {
    std::unique_ptr<SequencerLink> link(new SequencerLink(std::move(options), std::move(log)));
    const SequencerLinkOptions& o = link->options_;
    QUARRY_PASS_ON(make_folder(o.folder));
    ConnectionOptions connection;
    connection.endpoints = o.endpoints;
    connection.chain_id = deployment.chain_id;
    auto opened = Connection::open(connection);
    if (!opened) return opened.error();
    link->connection_ = std::move(opened).value();
    QUARRY_PASS_ON(check_sequencer(link->connection_->chain(), deployment, key.address()));
    auto view =
        link->connection_->open_view(deployment.hub, deployment.first_block, o.folder + "/hub", deployment.rollup);
    if (!view) return view.error();
    link->view_ = std::move(view).value();
    QUARRY_PASS_ON(catch_up(*link->view_));
    auto sender = link->connection_->open_sender(o.sender, key, o.folder + "/sender.journal");
    if (!sender) return sender.error();
    link->sender_ = std::move(sender).value();
    SettlementOptions settlement = o.settlement;
    settlement.rollup = deployment.rollup;
    link->settlement_ = std::make_unique<L1Settlement>(
        settlement, *link->view_, *link->sender_, link->connection_->chain(), [] { return ethereum::Kzg::shared(); },
        [] {
            const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
            return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since_1970).count());
        });
    (void)link->settlement_->step();  // so that the sequencer starts with the present state of L1
    return link;
}

SequencerLink::~SequencerLink() { stop(); }

void SequencerLink::start() {
    thread_ = std::thread([this] { run(); });
}

void SequencerLink::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stops_ = true;
    }
    wake_.notify_all();
    if (!thread_.joinable()) return;
    connection_->stop();
    thread_.join();
}

void SequencerLink::run() {
    std::unique_lock lock(mutex_);
    while (!stops_) {
        lock.unlock();
        const auto round = settlement_->step();
        report(round);
        lock.lock();
        wake_.wait_for(lock, std::chrono::milliseconds(options_.poll_ms), [this] { return stops_; });
    }
}

void SequencerLink::report(const Outcome<Done>& round) {
    const std::string trouble = round ? std::string() : round.error().name;
    if (trouble != trouble_) {
        if (round) {
            log_(LogLevel::info, "l1_recovered", {});
        } else {
            log_(LogLevel::warning, "l1_trouble", {{"code", trouble}, {"reason", round.error().cause}});
        }
        trouble_ = trouble;
    }
    static constexpr std::pair<std::string_view, std::uint64_t SettlementFigures::*> kEvents[] = {
        {"l1_batch_in_blobs", &SettlementFigures::batches_in_blobs},
        {"l1_batch_in_calldata", &SettlementFigures::batches_in_calldata},
        {"l1_batch_refused", &SettlementFigures::batches_refused},
        {"l1_bounty_raised", &SettlementFigures::raises},
        {"l1_batch_discarded", &SettlementFigures::discards},
        {"l1_orphan_settled", &SettlementFigures::settlements},
        {"l1_raise_reclaimed", &SettlementFigures::reclaims},
        {"l1_money_collected", &SettlementFigures::collections},
    };
    const SettlementFigures now = settlement_->figures();
    for (const auto& [event, figure] : kEvents) {
        if (now.*figure != reported_.*figure) log_(LogLevel::info, event, {{"count", std::to_string(now.*figure)}});
    }
    reported_ = now;
}

}  // namespace quarry::node::l1
