#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "quarry/node/expected.hpp"
#include "quarry/node/log.hpp"
#include "quarry/node/prover/config.hpp"
#include "quarry/node/rpc/server.hpp"

/// A prover as a process runs it: connected, with its pages over HTTP.
namespace quarry::node::prover {

class Service {
  public:
    /// Connects to L1, opens the folder, listens. `doer`: does the tasks of a work folder. bad_input, environment.
    static Outcome<std::unique_ptr<Service>> start(const ProverConfig& config, WorkDoer doer, LogSink log);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service();

    /// Rounds until `stop` turns true; then what runs is stopped, and finished tasks stay. Returns the error that ended
    /// it, if one did.
    Outcome<Done> run(const std::atomic<bool>& stop);

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] ProverStatus status() const;

  private:
    struct Parts;
    explicit Service(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

/// What a path of the HTTP port answers: GET /healthz, /readyz, /status, /metrics, /snapshots/ROLLUP,
/// /batches/ROLLUP/NUMBER/{header,data,effects}. Total.
rpc::HttpAnswer page_of(const Prover& prover, std::string_view path);

}  // namespace quarry::node::prover
