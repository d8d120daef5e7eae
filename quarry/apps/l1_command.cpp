#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "quarry/apps/files.hpp"
#include "quarry/apps/interrupt.hpp"
#include "quarry/apps/l1_session.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/artifact.hpp"
#include "quarry/node/l1/deploy.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/verifier_artifacts.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
namespace l1 = node::l1;

struct DeployOptions {
    L1Options l1;
    std::string out = "deployment.json";
    std::string contracts = QUARRY_CONTRACTS;
    std::string verifiers = QUARRY_VERIFIERS;
    std::string verifier_data = QUARRY_VERIFIER_DATA;
    std::string profile = "production";
    std::string owner;
    std::vector<std::string> sequencers;
    std::vector<std::string> tokens;
    std::string new_pair_fee = "10";
    std::string bond;
    std::optional<std::uint32_t> upgrade_delay;  ///< seconds; none: the profile's
    std::uint32_t proving_window = 0;            ///< seconds; 0: the profile's
    std::uint32_t key = 0;
    unsigned confirmations = 1;
};

l1::DeployPlan plan_of(const DeployOptions& options, const l1::Address& sender) {
    l1::DeployPlan plan;
    const bool is_production = options.profile == "production";
    plan.parameters = is_production ? l1::production_parameters() : l1::development_parameters();
    if (options.proving_window != 0) {
        plan.parameters.proving_window = options.proving_window;
        plan.parameters.expected_time = std::max<std::uint32_t>(1, options.proving_window / 4);
    }
    plan.parameters.key = options.key;
    if (!options.bond.empty()) plan.parameters.batch_bond = ether_of(options.bond, "--bond");
    plan.upgrade_delay =
        options.upgrade_delay.value_or(is_production ? l1::kProductionUpgradeDelay : l1::kDevelopmentUpgradeDelay);
    if (is_production && plan.upgrade_delay < l1::kProductionUpgradeDelay) {
        throw Failure(exit_usage, "usage", "with --upgrade-delay under 14 days rules change before everybody can leave",
                      "leave it out, or choose --profile development");
    }
    plan.confirmations = options.confirmations;
    plan.owner = options.owner.empty() ? sender : address_of(options.owner, "--owner");
    for (const std::string& x : options.sequencers) plan.sequencers.push_back(address_of(x, "--sequencer"));
    if (plan.sequencers.empty()) plan.sequencers.push_back(sender);
    for (const std::string& x : options.tokens) plan.tokens.push_back(address_of(x, "--token"));
    if (!plan.tokens.empty() && plan.owner != sender) {
        throw Failure(exit_usage, "usage", "only the rollup's owner adds tokens, and --owner is another account",
                      "leave out --token, or --owner");
    }
    plan.min_new_pair_fee = amount_of(options.new_pair_fee);
    plan.label = options.profile;
    if (!options.l1.hub.empty()) {
        plan.hub = address_of(options.l1.hub, "--hub");
        plan.first_block = options.l1.first_block;
        return plan;
    }
    plan.proofs = value_of(l1::read_artifact(options.contracts + "/Proofs.sol/Proofs.json"));
    plan.hub_creation = value_of(l1::read_artifact(options.contracts + "/Hub.sol/Hub.json"));
    plan.verifiers = value_of(l1::read_verifier_artifacts(options.verifiers, options.verifier_data));
    return plan;
}

void print_plan(const std::vector<l1::PlannedTransaction>& plan, const Session& session) {
    l1::U256 cost;
    std::uint64_t gas = 0;
    json::array list;
    if (!session.json) print("nothing was sent; this would be:\n");
    for (const l1::PlannedTransaction& t : plan) {
        gas += t.gas;
        cost = l1::saturated_sum(cost, t.cost);
        list.push_back(json::object{{"name", t.name}, {"bytes", t.bytes}, {"gas", t.gas}});
        if (session.json) continue;
        print(fmt::format("  {:<24} {:>10} bytes  {}\n", t.name, with_commas(t.bytes),
                          t.gas == 0 ? "gas depends on the contracts before it" : with_commas(t.gas) + " gas"));
    }
    if (!session.json) {
        return print(fmt::format("  in all at least {} gas, {} ETH\n", with_commas(gas), l1::ether_text(cost)));
    }
    print_json(json::object{
        {"ok", true}, {"dry_run", true}, {"transactions", list}, {"gas", gas}, {"cost", cost.to_decimal()}});
}

void print_deployment(const l1::Deployment& d, const std::string& path, const Session& session) {
    if (session.json) {
        return print_json(json::object{{"ok", true},
                                       {"deployment", path},
                                       {"l1_chain_id", d.chain_id},
                                       {"hub", ethereum::to_hex(d.hub)},
                                       {"bridge", ethereum::to_hex(d.bridge)},
                                       {"first_block", d.first_block},
                                       {"rollup_id", d.rollup}});
    }
    print(fmt::format("rollup {} on chain {}\n  hub         {}\n  bridge      {}\n  from block  {}\n  deployment  {}\n",
                      d.rollup, d.chain_id, ethereum::to_hex(d.hub), ethereum::to_hex(d.bridge), d.first_block, path));
}

void run_deploy(const DeployOptions& options, const Session& session) {
    if (options.l1.key.empty()) {
        throw Failure(exit_usage, "usage", "no --key says which account pays", "give the file of its secret key");
    }
    if (!options.l1.dry_run) check_writable(options.out);
    const ethereum::PrivateKey key = value_of(l1::read_key_file(options.l1.key));
    const l1::DeployPlan plan = plan_of(options, key.address());
    const auto connection = connect(options.l1, 0);
    if (options.l1.dry_run) {
        return print_plan(value_of(l1::plan_deployment(plan, connection->chain(), key.address())), session);
    }
    // A deployment has one journal and one file: with another --out, what is known is not this one's.
    std::filesystem::path journal = std::filesystem::path(options.out).replace_extension(".journal");
    if (!options.l1.state.empty()) journal = std::filesystem::path(options.l1.state) / journal.filename();
    const auto sender = value_of(connection->open_sender(l1::long_lived_sender(), key, journal.string()));
    Progress progress(session.quiet);
    l1::DeployProgress hooks;
    hooks.started = [&](const std::string& name) { progress.show(name, 0); };
    hooks.stops = [] { return stop_requested().load(); };
    (void)stop_requested();
    const l1::Deployment deployment =
        value_of(l1::deploy(plan, connection->chain(), *sender, ethereum::system_clock(), hooks));
    const std::string text = l1::format_deployment(deployment);
    write_file(options.out, node::as_bytes(text));
    progress.clear();
    print_deployment(deployment, options.out, session);
}

}  // namespace

void add_l1_command(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("l1", "The contracts on Ethereum");
    group->require_subcommand(1);
    const auto options = std::make_shared<DeployOptions>();
    CLI::App* command = add_command(
        *group, session, "deploy", "Puts the contracts on a chain and registers a rollup; goes on after interruptions",
        "quarry l1 deploy --l1 http://127.0.0.1:8545 --key deployer.key --profile development",
        [options, &session] { run_deploy(*options, session); });
    command->add_option("--l1", options->l1.endpoints, "endpoints of an Ethereum node, in the order of preference")
        ->type_name("URL")
        ->envname("QUARRY_L1")
        ->required();
    add_sender_options(*command, options->l1);
    command->add_option("--out", options->out, "the file to write")->type_name("FILE")->capture_default_str();
    command->add_option("--profile", options->profile, "windows and delays")
        ->check(CLI::IsMember({"production", "development"}))
        ->capture_default_str();
    add_number(*command, "--proving-window", options->proving_window, 1, 30 * 24 * 3600,
               "seconds in which a batch is to be proven; the bounty grows after a quarter (default: the profile's)");
    CLI::Option* first_block =
        command->add_option("--first-block", options->l1.first_block, "with --hub: a block before its creation")
            ->type_name("N");
    command->add_option("--hub", options->l1.hub, "register another rollup at this hub")
        ->type_name("ADDRESS")
        ->needs(first_block);
    command->add_option("--owner", options->owner, "of the rollup (default: the sender)")->type_name("ADDRESS");
    command->add_option("--sequencer", options->sequencers, "may submit batches (default: the sender)")
        ->type_name("ADDRESS");
    command->add_option("--token", options->tokens, "contracts of tokens 1, 2, ..")->type_name("ADDRESS");
    command->add_option("--new-pair-fee", options->new_pair_fee, "least fee of a transfer that creates a slot")
        ->type_name("AMOUNT")
        ->capture_default_str();
    command->add_option("--bond", options->bond, "of each batch that is not final, in ether")->type_name("ETHER");
    command->add_option("--verifying-key", options->key, "the hub's number of the verifying contracts")
        ->type_name("N")
        ->capture_default_str();
    command
        ->add_option("--upgrade-delay", options->upgrade_delay,
                     "seconds before changed parameters apply, for ever (default: the profile's)")
        ->type_name("N")
        ->check(CLI::Range(0, 365 * 24 * 3600));
    add_number(*command, "--confirmations", options->confirmations, 1, 64, "blocks to wait for each transaction");
    command->add_option("--contracts", options->contracts, "folder of the compiled contracts")
        ->type_name("DIR")
        ->capture_default_str();
    command->add_option("--verifiers", options->verifiers, "folder of the compiled verifying contracts")
        ->type_name("DIR")
        ->capture_default_str();
    command
        ->add_option("--verifier-data", options->verifier_data, "folder of their data, as `quarry codegen` writes it")
        ->type_name("DIR")
        ->capture_default_str();
}

}  // namespace quarry::apps
