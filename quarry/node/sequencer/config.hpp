#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/l1/sequencer_link.hpp"
#include "quarry/node/rpc/server.hpp"
#include "quarry/node/sequencer/engine.hpp"
#include "quarry/node/sequencer/rpc_service.hpp"

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

/// One setting: its name in the file is SECTION.KEY, in the environment QUARRY_SECTION_KEY.
struct Setting {
    std::string name;
    std::string help;
    std::string value;  ///< as it is now, for help
};
/// All settings, with the values of `config`.
std::vector<Setting> settings_of(const SequencerConfig& config);

/// Sets one setting from text. bad_input: unknown_setting, bad_setting. Lists are comma-separated.
Outcome<Done> set_setting(SequencerConfig& config, std::string_view name, std::string_view value);
/// Sets what a TOML text says: tables are sections. bad_input: bad_toml, and as above. `source` is for messages.
Outcome<Done> apply_toml(SequencerConfig& config, std::string_view text, const std::string& source);
/// Sets what the environment says. `environment`: NAME=VALUE strings; only QUARRY_ and a known setting's name counts.
Outcome<Done> apply_environment(SequencerConfig& config, std::span<const std::string> environment);

}  // namespace quarry::node::sequencer
