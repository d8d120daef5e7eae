#pragma once
#include <memory>

#include "quarry/node/log.hpp"
#include "quarry/node/sequencer/config.hpp"

namespace quarry::node::sequencer {

/// A whole sequencer: state, ledger, engine, RPC and metrics, wired together.
class Node {
  public:
    /// Opens and listens. `settlement` outlives the node. `now`: milliseconds since 1970.
    static Outcome<std::unique_ptr<Node>> start(const SequencerConfig& config, Settlement& settlement,
                                                std::string version, std::function<Milliseconds()> now, LogSink log);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    /// As stop.
    ~Node();

    [[nodiscard]] std::uint16_t rpc_port() const;
    [[nodiscard]] std::uint16_t metrics_port() const;
    [[nodiscard]] EngineStatus status() const;
    /// Why it takes no operations any more.
    [[nodiscard]] std::optional<Problem> failure() const;
    /// Refuses new operations, answers those that were accepted, closes connections and files.
    void stop();

  private:
    struct Parts;
    explicit Node(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace quarry::node::sequencer
