/// `quarry doctor`: looks at a machine and a node's settings before the node runs, and says what to do.
#include <fmt/format.h>
#include <oneapi/tbb/info.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/settings.hpp"
#include "quarry/ethereum/clock.hpp"
#include "quarry/ethereum/json_rpc.hpp"
#include "quarry/ethereum/rpc_chain.hpp"
#include "quarry/node/doctor/l1.hpp"
#include "quarry/node/doctor/machine.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/prover/config.hpp"
#include "quarry/node/sequencer/config.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
namespace doctor = node::doctor;
namespace l1 = node::l1;
using doctor::Check;
using doctor::Finding;
using doctor::Verdict;
using node::prover::ProverConfig;
using node::sequencer::SequencerConfig;

constexpr std::uint64_t kNodeTimeoutMs = 5'000;
constexpr std::uint64_t kAdvisedBatches = 8;  // that the sender's account can pay for at once
constexpr std::uint64_t kAdvisedProofs = 20;

struct DoctorCommand {
    std::string config;
    std::vector<std::string> settings;  ///< NAME=VALUE
};

/// Of the verifying contracts that are generated from this program's circuits.
doctor::KeyDigests known_key_digests() {
    doctor::KeyDigests digests{};
    constexpr std::array<std::string_view, 3> kTexts{QUARRY_KEY_DIGESTS};
    for (std::size_t i = 0; i < digests.size(); ++i) QUARRY_CHECK(ethereum::read_hex(kTexts[i], digests[i]));
    return digests;
}

struct ServerPlace {
    std::string name;
    std::string host;
    std::uint16_t port = 0;
};

/// What a node of either kind works with.
struct Subject {
    Finding settings;  ///< whether they can be read and are complete
    doctor::Needs needs;
    std::string folder;  ///< empty: not known
    std::vector<ServerPlace> servers;
    std::string key;  ///< file
    std::vector<std::string> endpoints;
    std::optional<doctor::HubPlace> place;
    /// Names and URLs of what serves blobs; whether they are beacon nodes.
    std::vector<std::string> blobs;
    bool is_beacon = false;
    std::vector<std::uint32_t> rollups;  ///< empty: all of the hub
    bool submits = false;                ///< batches of its one rollup: a sequencer
    /// Wei that the account is to have for one batch or proof.
    std::function<ethereum::Answer<doctor::U256>(ethereum::Chain&)> price;
    std::uint64_t advised = 1;  ///< times that
};

Finding finding_of(const Failure& failure) { return doctor::fail(failure.cause(), failure.remedy()); }
Finding finding_of(const node::Problem& problem) { return doctor::fail(problem.cause, problem.remedy); }

/// Reads the settings, as far as they can be.
Finding read_settings(const node::Settings& settings, const DoctorCommand& command) {
    try {
        load_settings(settings, command.config);
        apply_settings(settings, command.settings);
    } catch (const Failure& failure) {
        return finding_of(failure);
    }
    return doctor::ok(command.config.empty() ? "no --config: defaults and environment" : command.config);
}

/// What posting a batch of the greatest size blocks, until it is final.
ethereum::Answer<doctor::U256> batch_price(ethereum::Chain& chain, const SequencerConfig& config,
                                           const doctor::Address& hub, std::uint32_t rollup) {
    const auto terms = l1::terms_for(config.l1.settlement, 3 * config.engine.max_operations);
    const auto view = l1::HubReader(chain, hub).rollup_info(rollup);
    if (!view) return view.error();
    return l1::saturated_sum(view.value().parameters.batch_bond, l1::saturated_sum(terms.max, terms.rebate_cap));
}

Subject sequencer_subject(const DoctorCommand& command) {
    const auto config = std::make_shared<SequencerConfig>();
    Subject s;
    s.settings = read_settings(settings_of(*config), command);
    s.needs = doctor::sequencer_needs(config->rpc.limits.max_connections);
    s.folder = config->state;
    s.servers = {{"rpc port", config->rpc.host, config->rpc.port},
                 {"metrics port", config->metrics.host, config->metrics.port}};
    s.key = config->l1_key;
    s.endpoints = config->l1.endpoints;
    s.submits = true;
    s.advised = kAdvisedBatches;
    const std::vector<std::pair<const char*, bool>> required{{"sequencer.state", config->state.empty()},
                                                             {"l1.endpoints", config->l1.endpoints.empty()},
                                                             {"l1.deployment", config->l1_deployment.empty()},
                                                             {"l1.key", config->l1_key.empty()}};
    for (const auto& [name, is_missing] : required) {
        if (is_missing && s.settings.verdict == Verdict::ok) {
            s.settings = finding_of(settings_of(*config).missing(name));
        }
    }
    if (config->l1_deployment.empty()) return s;
    const auto deployment = l1::read_deployment(config->l1_deployment);
    if (!deployment) {
        s.settings = finding_of(deployment.error());
        return s;
    }
    const l1::Deployment& d = deployment.value();
    s.place = doctor::HubPlace{d.hub, d.first_block, d.chain_id};
    s.rollups = {d.rollup};
    s.price = [config, d](ethereum::Chain& chain) { return batch_price(chain, *config, d.hub, d.rollup); };
    return s;
}

/// Of handing in one proof, at the fees of now.
ethereum::Answer<doctor::U256> proof_price(ethereum::Chain& chain, const ProverConfig& config) {
    const auto fees = chain.suggest_fees();
    if (!fees) return fees.error();
    const std::uint64_t gas = config.gas.verification_gas.back() + config.gas.item_gas;
    return l1::saturated_product(l1::saturated_sum(fees.value().base_fee, fees.value().priority_fee), gas);
}

Subject prover_subject(const DoctorCommand& command) {
    const auto config = std::make_shared<ProverConfig>();
    Subject s;
    const node::Settings settings = settings_of(*config);
    s.settings = read_settings(settings, command);
    s.needs = doctor::prover_needs();
    s.folder = config->folder;
    s.servers = {{"http port", config->host, config->port}};
    s.key = config->key;
    s.endpoints = config->endpoints;
    s.is_beacon = !config->beacon.empty();
    s.blobs = s.is_beacon ? config->beacon : config->endpoints;
    s.advised = kAdvisedProofs;
    s.price = [config](ethereum::Chain& chain) { return proof_price(chain, *config); };
    const auto options = options_of(*config);
    const auto hub = ethereum::parse_address(config->hub);
    if (options) s.rollups.assign(options.value().rollups.begin(), options.value().rollups.end());
    if (hub) s.place = doctor::HubPlace{hub.value(), config->first_block, 0};
    if (s.settings.verdict != Verdict::ok) return s;
    if (!options) {
        s.settings = finding_of(options.error());
    } else if (config->endpoints.empty()) {
        s.settings = finding_of(settings.missing("l1.endpoints"));
    } else if (!hub) {
        s.settings = config->hub.empty() ? finding_of(settings.missing("l1.hub"))
                                         : finding_of(settings.bad("l1.hub", config->hub, "an address"));
    }
    return s;
}

std::vector<Check> machine_checks(const Subject& s) {
    std::vector<Check> all{
        {"settings", [&s] { return s.settings; }},
        {"cpu", [] { return doctor::check_kernels(cpu_model(), current_isa(), supported_isas().back()); }},
        {"cores",
         [&s] { return doctor::check_cores(static_cast<unsigned>(tbb::info::default_concurrency()), s.needs.cores); }},
        {"memory", [&s] { return doctor::check_memory(free_memory_bytes(), s.needs.memory_bytes); }},
        {"open files", [&s] {
             rlimit limit{};
             (void)::getrlimit(RLIMIT_NOFILE, &limit);
             return doctor::check_open_files(limit.rlim_cur, s.needs.open_files);
         }}};
    if (!s.folder.empty()) {
        all.push_back({"disk", [&s] { return doctor::check_disk(s.folder, s.needs.disk_bytes); }});
        all.push_back({"sync", [&s] { return doctor::check_sync(s.folder, now_seconds); }});
    }
    for (const ServerPlace& server : s.servers)
        all.push_back({server.name, [&server] { return doctor::check_port(server.host, server.port); }});
    if (!s.key.empty()) {
        all.push_back({"key file", [&s] { return doctor::check_key_file(s.key); }});
    } else if (!s.submits) {
        all.push_back({"key file", [] {
                           return doctor::warn("none: proofs are made, and wait",
                                               "set l1.key to the key of an account that pays for gas");
                       }});
    }
    return all;
}

/// Of the hub and the account, asked of the first endpoint that answers.
std::vector<Check> hub_checks(const Subject& s, ethereum::Chain& chain) {
    std::vector<Check> all{{"clock", [&chain] { return doctor::check_clock(chain, unix_seconds()); }}};
    if (s.place) {
        const doctor::Address hub = s.place->hub;
        all.push_back({"hub", [&chain, hub] { return doctor::check_hub(chain, hub); }});
        for (const Finding& finding : doctor::check_verifiers(chain, hub, s.rollups, known_key_digests()))
            all.push_back({"verifiers", [finding] { return finding; }});
    }
    const auto key = l1::read_key_file(s.key);
    if (!key) return all;
    const doctor::Address account = key.value().address();
    if (s.submits && s.place) {
        all.push_back({"sequencer", [&s, &chain, account] {
                           return doctor::check_sequencer(chain, s.place->hub, s.rollups.front(), account);
                       }});
    }
    if (s.price) {
        all.push_back({"balance", [&s, &chain, account] {
                           return doctor::check_balance(chain, account, s.price(chain), s.advised);
                       }});
    }
    return all;
}

std::unique_ptr<ethereum::Chain> chain_of(const std::string& url,
                                          const std::shared_ptr<ethereum::HttpTransport>& transport) {
    ethereum::RpcOptions options;
    options.endpoints = {url};
    options.timeout_ms = kNodeTimeoutMs;
    options.max_attempts = 1;
    auto rpc = ethereum::JsonRpc::create(options, transport, ethereum::system_clock());
    return rpc ? ethereum::make_rpc_chain(std::move(rpc).value()) : nullptr;
}

std::vector<doctor::Diagnosis> diagnose(const Subject& s) {
    std::vector<doctor::Diagnosis> all = doctor::run_checks(machine_checks(s));
    const auto add = [&](const std::vector<Check>& checks) {
        for (doctor::Diagnosis& diagnosis : doctor::run_checks(checks)) all.push_back(std::move(diagnosis));
        return all.back().finding.verdict != Verdict::fail;
    };
    const std::shared_ptr<ethereum::HttpTransport> transport = ethereum::make_http_transport();
    std::unique_ptr<ethereum::Chain> chosen;
    for (const std::string& url : s.endpoints) {
        auto chain = chain_of(url, transport);
        const Check check{"endpoint", [&] {
                              if (chain == nullptr)
                                  return doctor::fail("'" + url + "' is no URL", "write it like http://127.0.0.1:8545");
                              return doctor::check_endpoint(*chain, s.place.value_or(doctor::HubPlace{}),
                                                            unix_seconds());
                          }};
        if (add({check}) && chosen == nullptr) chosen = std::move(chain);
    }
    for (const std::string& url : s.blobs)
        (void)add({{"blobs", [&] { return doctor::check_blobs(*transport, url, s.is_beacon); }}});
    if (chosen != nullptr) (void)add(hub_checks(s, *chosen));
    return all;
}

void show(const std::vector<doctor::Diagnosis>& diagnoses, const Session& session) {
    const Verdict worst = doctor::worst(diagnoses);
    if (session.json) {
        json::array checks;
        for (const auto& [name, finding] : diagnoses) {
            checks.push_back(json::object{{"name", name},
                                          {"result", verdict_name(finding.verdict)},
                                          {"text", finding.text},
                                          {"advice", finding.advice}});
        }
        return print_json(json::object{
            {"ok", worst != Verdict::fail}, {"result", verdict_name(worst)}, {"checks", std::move(checks)}});
    }
    for (const auto& [name, finding] : diagnoses) {
        print(fmt::format("{:<5} {:<13} {}\n", verdict_name(finding.verdict), name, finding.text));
        if (!finding.advice.empty()) print(fmt::format("{:<20}-> {}\n", "", finding.advice));
    }
}

void run_doctor(const Subject& subject, Session& session) {
    const std::vector<doctor::Diagnosis> diagnoses = diagnose(subject);
    show(diagnoses, session);
    if (doctor::worst(diagnoses) == Verdict::fail) session.exit_code = exit_refused;
}

}  // namespace

void add_doctor_command(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("doctor", "Looks at this machine and a node's settings before it runs");
    group->require_subcommand(1);
    group->footer("Example:\n  quarry doctor sequencer --config sequencer.toml");
    struct Kind {
        const char* name;
        const char* description;
        Subject (*subject)(const DoctorCommand&);
    };
    for (const Kind& kind : {Kind{"sequencer", "Whether `quarry sequencer` would run well here", sequencer_subject},
                             Kind{"prover", "Whether `quarry prover` would run well here", prover_subject}}) {
        const auto doctor = std::make_shared<DoctorCommand>();
        CLI::App* command = add_command(
            *group, session, kind.name, kind.description, fmt::format("quarry doctor {0} --config {0}.toml", kind.name),
            [doctor, &session, subject = kind.subject] { run_doctor(subject(*doctor), session); });
        command->add_option("--config", doctor->config, "its settings, TOML")->type_name("FILE");
        command->add_option("--set", doctor->settings, "another setting; over the environment and the file")
            ->type_name("NAME=VALUE");
    }
}

}  // namespace quarry::apps
