#pragma once
#include <string>

#include "quarry/node/l1/sequencer_link.hpp"
#include "quarry/node/rpc/server.hpp"
#include "quarry/node/sequencer/engine.hpp"
#include "quarry/node/sequencer/rpc_service.hpp"
#include "quarry/node/settings.hpp"

/// What an operator chooses. docs/sequencer.md lists the settings.
namespace quarry::node::sequencer {

struct SequencerConfig {
    std::string state;    ///< directory of the rollup's state
    std::string ledger;   ///< empty: beside the state, with ".ledger"
    std::string batches;  ///< empty: beside the state, with ".batches"
    std::uint64_t tick_ms = 100;
    EngineOptions engine;
    rpc::ServerOptions rpc;
    ServiceLimits service;
    rpc::ServerOptions metrics{
        .host = "127.0.0.1", .port = 9600, .threads = 1, .allowed_origins = {}, .posts = false, .limits = {}};
    l1::SequencerLinkOptions l1;
    std::string l1_deployment;  ///< file that `quarry l1 deploy` wrote
    std::string l1_key;         ///< of the account that posts
    std::string log_level = "info";
};

/// The settings of `config`, which they set.
Settings settings_of(SequencerConfig& config);
/// That whoever asks for fees says who receives them (fee_receiver_missing): the first slots of a rollup belong to
/// whoever deposits first.
Outcome<Done> check_fees(const EngineOptions& options);

}  // namespace quarry::node::sequencer
