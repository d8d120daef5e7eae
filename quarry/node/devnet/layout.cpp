#include "quarry/node/devnet/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::node::devnet {
namespace {

// What is stopped last comes first.
constexpr unsigned kChainTier = 0;
constexpr unsigned kNodeTier = 1;
constexpr unsigned kLoadTier = 2;

// Provers take every core there is: what answers users comes first.
constexpr int kProverNiceness = 5;

// The provers share one machine: each takes a batch that the ones before it have left for so long. Both at once would
// be no faster than one, and each take twice the time.
constexpr std::uint64_t kPatienceSeconds = 90;
// Blocks come once a second.
constexpr unsigned kProverTickMs = 200;

constexpr std::uint64_t kChainId = 31337;

std::string local_url(std::uint16_t port) { return fmt::format("http://127.0.0.1:{}", port); }

std::string prover_name(unsigned index) { return fmt::format("prover-{}", index + 1); }

}  // namespace

ethereum::PrivateKey devnet_key(const std::string& name) {
    const auto hash = keccak256(as_bytes("quarry devnet 1: " + name));
    const auto key = ethereum::PrivateKey::from_bytes(hash);
    QUARRY_CHECK(key.has_value());  // but for one name in 2^127
    return *key;
}

std::string Layout::l1_url() const { return local_url(options_.l1_port); }
std::string Layout::rpc_url() const { return local_url(options_.rpc_port); }
std::string Layout::sequencer_metrics_url() const { return local_url(options_.metrics_port); }
std::string Layout::prover_metrics_url(unsigned index) const {
    return local_url(static_cast<std::uint16_t>(options_.metrics_port + 1 + index));
}

std::vector<std::string> Layout::account_names() const {
    std::vector<std::string> names{"deployer", "bank", "sequencer", "user"};
    for (unsigned i = 0; i < options_.provers; ++i) names.push_back(prover_name(i));
    return names;
}

ethereum::Address Layout::payee(unsigned index) { return devnet_key(prover_name(index) + " payee").address(); }

std::vector<std::string> Layout::folders() const {
    std::vector<std::string> folders{options_.folder, path("keys"), path("l1"), path("logs"), path("sequencer")};
    for (unsigned i = 0; i < options_.provers; ++i) folders.push_back(path(prover_name(i)));
    return folders;
}

ServiceSpec Layout::service(const std::string& name, std::vector<std::string> arguments, unsigned tier) const {
    ServiceSpec spec;
    spec.name = name;
    spec.argv = std::move(arguments);
    spec.log_path = path("logs/" + name + ".log");
    spec.tier = tier;
    return spec;
}

ServiceSpec Layout::chain() const {
    // Mainnet's limits; a block a second, since mining at once can stall under a flood of transactions.
    ServiceSpec spec = service("l1",
                               {options_.anvil,
                                "--host",
                                "127.0.0.1",
                                "--port",
                                std::to_string(options_.l1_port),
                                "--chain-id",
                                std::to_string(kChainId),
                                "--hardfork",
                                "osaka",
                                "--enable-tx-gas-limit",
                                "--gas-limit",
                                "60000000",
                                "-b",
                                "1",
                                "--slots-in-an-epoch",
                                "2",
                                "--state",
                                path("l1/state.json"),
                                "--state-interval",
                                "5",
                                "-q"},
                               kChainTier);
    // It writes its state when it is asked to end: also when this process dies.
    spec.stop_signal = SIGINT;
    spec.orphan_signal = SIGINT;
    spec.grace_ms = 30'000;
    return spec;
}

ServiceSpec Layout::deploy() const {
    std::vector<std::string> arguments{options_.program,
                                       "l1",
                                       "deploy",
                                       "--l1",
                                       l1_url(),
                                       "--key",
                                       key_file("deployer"),
                                       "--profile",
                                       "development",
                                       "--sequencer",
                                       ethereum::to_hex(devnet_key("sequencer").address()),
                                       "--proving-window",
                                       std::to_string(options_.proving_seconds),
                                       "--out",
                                       deployment(),
                                       "--quiet"};
    if (!options_.contracts.empty()) arguments.insert(arguments.end(), {"--contracts", options_.contracts});
    if (!options_.verifiers.empty()) arguments.insert(arguments.end(), {"--verifiers", options_.verifiers});
    return service("deploy", std::move(arguments), kNodeTier);
}

ServiceSpec Layout::sequencer() const {
    std::vector<std::string> arguments{
        options_.program, "sequencer",  "--state", path("sequencer/state"), "--l1", l1_url(),
        "--deployment",   deployment(), "--key",   key_file("sequencer")};
    const auto set = [&](const std::string& name, const std::string& value) {
        arguments.insert(arguments.end(), {"--set", name + "=" + value});
    };
    set("rpc.port", std::to_string(options_.rpc_port));
    set("metrics.port", std::to_string(options_.metrics_port));
    set("batch.max_age_ms", std::to_string(1000 * options_.batch_seconds));
    set("l1.final_confirmations", "2");  // a development chain is not reorganised
    for (const std::string& setting : options_.sequencer_settings)
        arguments.insert(arguments.end(), {"--set", setting});
    return service("sequencer", std::move(arguments), kNodeTier);
}

ServiceSpec Layout::prover(unsigned index, const l1::Deployment& deployment) const {
    const std::string name = prover_name(index);
    std::vector<std::string> arguments{options_.program, "prover",
                                       "--l1",           l1_url(),
                                       "--hub",          ethereum::to_hex(deployment.hub),
                                       "--payee",        ethereum::to_hex(payee(index)),
                                       "--key",          key_file(name),
                                       "--folder",       path(name)};
    const auto set = [&](const std::string& setting) { arguments.insert(arguments.end(), {"--set", setting}); };
    set(fmt::format("http.port={}", options_.metrics_port + 1 + index));
    set(fmt::format("prover.workers={}", options_.workers));
    set(fmt::format("prover.tick_ms={}", kProverTickMs));
    set(fmt::format("prover.patience_seconds={}", kPatienceSeconds * index));
    for (const std::string& setting : options_.prover_settings) set(setting);
    ServiceSpec spec = service(name, std::move(arguments), kNodeTier);
    spec.niceness = kProverNiceness;
    return spec;
}

ServiceSpec Layout::load() const {
    // Each of two connections has accounts of its own, and a group must not hold one twice.
    const std::uint64_t group =
        std::max<std::uint64_t>(1, std::min<std::uint64_t>(options_.rate / 2, options_.accounts / 2));
    return service("load",
                   {options_.program, "load", "--rpc", rpc_url(), "--seed", std::to_string(options_.seed), "--first",
                    "0", "--accounts", std::to_string(options_.accounts), "--rate", std::to_string(options_.rate),
                    "--connections", "2", "--group", std::to_string(group), "--seconds", "86400", "--quiet"},
                   kLoadTier);
}

}  // namespace quarry::node::devnet
