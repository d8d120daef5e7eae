#pragma once
#include <string>
#include <vector>

#include "quarry/node/prover/prover.hpp"
#include "quarry/node/settings.hpp"

/// What an operator of a prover chooses. docs/prover.md lists the settings.
namespace quarry::node::prover {

struct ProverConfig {
    std::vector<std::string> endpoints;  ///< of L1, in the order of preference
    std::vector<std::string> beacon;     ///< nodes that serve blobs; empty: the endpoints do
    std::string hub;
    std::uint64_t first_block = 0;  ///< not after the hub's creation; 0: it is looked for
    std::string key;                ///< file; empty: proofs are made and wait
    std::string payee;
    std::string folder = "prover";
    std::string snapshot;  ///< URL of a prover that serves them; empty: from the first batch on
    std::vector<std::string> rollups;
    std::size_t max_rollups = 64;
    std::uint64_t miner_tag = 0;
    std::size_t segments = 1;
    std::uint64_t confirmations = 2;
    std::uint64_t patience_seconds = 0;
    std::size_t max_batches = 16;
    bool untrusted = false;
    unsigned workers = 1;
    std::uint64_t memory_cap_mib = 0;
    std::uint64_t tick_ms = 1000;
    std::uint64_t max_fee_gwei = 300;  ///< of a unit of gas
    std::string wei_per_cpu_hour = "0";
    int margin_percent = 10;
    GasModel gas;
    std::string host = "127.0.0.1";
    std::uint16_t port = 9601;
    std::string log_level = "info";
};

/// The settings of `config`, which they set.
Settings settings_of(ProverConfig& config);

/// What the configuration means. bad_input (missing_setting, bad_setting): no payee, an address that is none.
Outcome<ProverOptions> options_of(const ProverConfig& config);

}  // namespace quarry::node::prover
