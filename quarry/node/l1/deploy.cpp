#include "quarry/node/l1/deploy.hpp"

#include <algorithm>

#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/hub_events.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::l1 {

using ethereum::AbiValue;
using ethereum::IntentStage;

namespace {

constexpr std::uint64_t kPollMs = 250;
constexpr std::array<const char*, 3> kProfileNames{"1", "4", "16"};

Problem to_problem(const ethereum::EthereumError& error) {
    Problem problem = chain_problem(error);
    problem.remedy += " and the account's balance, then run the command again: it goes on where it was";
    return problem;
}

std::string verifier_name(std::size_t i) { return std::string("verifier-") + kProfileNames[i]; }
std::string part_name(std::size_t i, std::size_t k) { return verifier_name(i) + "-part-" + std::to_string(k); }
std::string token_name(std::size_t i) { return "token-" + std::to_string(i + 1); }

Bytes append(Bytes code, const Bytes& arguments) {
    code.insert(code.end(), arguments.begin(), arguments.end());
    return code;
}

Bytes encoded(std::string_view types, const AbiValue::List& values) {
    auto bytes = ethereum::abi_encode(ethereum::abi_types(types), values);
    QUARRY_CHECK(bytes.ok());
    return std::move(bytes).value();
}

Bytes verifier_creation(const VerifierCode& code, const std::vector<Address>& parts) {
    if (code.parts.empty()) return code.creation;
    AbiValue::List list;
    for (const Address& x : parts) list.emplace_back(x);
    return append(code.creation, encoded("(address[])", {AbiValue(list)}));
}

Bytes hub_creation(const DeployPlan& plan, const Address& proofs, const VerifierSet& set) {
    const AbiValue::List pinned{to_abi(set)};
    return append(plan.hub_creation, encoded("(address," QUARRY_ABI_VERIFIERS "[],uint32)",
                                             {proofs, AbiValue(pinned), std::uint64_t{plan.upgrade_delay}}));
}

Bytes register_call(const DeployPlan& plan) {
    return hub_call::register_rollup(plan.owner, plan.sequencers, to_u256(plan.min_new_pair_fee), plan.parameters);
}

/// Sends what a plan needs, and waits for it.
class Deployer {
  public:
    Deployer(const DeployPlan& plan, ethereum::Chain& chain, ethereum::TransactionManager& sender,
             ethereum::Clock& clock, const DeployProgress& progress)
        : plan_(plan), chain_(chain), sender_(sender), clock_(clock), progress_(progress) {}

    Outcome<Deployment> run() {
        const auto chain_id = chain_.chain_id();
        if (!chain_id) return to_problem(chain_id.error());
        result_.chain_id = chain_id.value();
        result_.owner = plan_.owner;
        result_.sequencers = plan_.sequencers;
        result_.min_new_pair_fee = plan_.min_new_pair_fee;
        if (plan_.hub) {
            result_.hub = *plan_.hub;
            result_.first_block = plan_.first_block;
        } else {
            QUARRY_PASS_ON(make_contracts());
        }
        QUARRY_PASS_ON(find_bridge());
        QUARRY_PASS_ON(register_rollup());
        QUARRY_PASS_ON(add_tokens());
        return result_;
    }

  private:
    std::string id_of(const std::string& name) const { return "deploy/" + plan_.label + "/" + name; }

    Outcome<Done> start(const std::string& name, std::optional<Address> to, Bytes data) {
        if (progress_.started) progress_.started(name);
        ethereum::Intent intent;
        intent.id = id_of(name);
        intent.to = to;
        intent.data = std::move(data);
        const auto submitted = sender_.submit(std::move(intent));
        if (!submitted) return to_problem(submitted.error());
        return Done{};
    }

    Outcome<ethereum::Receipt> finish(const std::string& name) {
        return wait_for(chain_, sender_, id_of(name), plan_.confirmations, clock_, progress_.stops);
    }

    /// A contract whose creation was started: where it is, and since which block.
    struct Created {
        Address address;
        std::uint64_t block = 0;
    };
    Outcome<Created> created(const std::string& name) {
        const auto receipt = finish(name);
        if (!receipt) return receipt.error();
        const auto address = receipt.value().contract_address;
        const auto code = chain_.code(address.value_or(Address{}), ethereum::BlockTag::latest);
        if (!code) return to_problem(code.error());
        if (address && !code.value().empty()) return Created{*address, receipt.value().block.number};
        return Problem{Problem::Kind::environment, "deployment_lost",
                       "the journal knows the contract " + name + ", but this chain does not have it",
                       "use another --state folder for another chain"};
    }

    Outcome<Done> make_contracts() {
        // Contracts that need no other's address are sent together.
        QUARRY_PASS_ON(start("proofs", std::nullopt, plan_.proofs));
        for (std::size_t i = 0; i < plan_.verifiers.size(); ++i) {
            for (std::size_t k = 0; k < plan_.verifiers[i].parts.size(); ++k) {
                QUARRY_PASS_ON(start(part_name(i, k), std::nullopt, plan_.verifiers[i].parts[k]));
            }
        }
        for (std::size_t i = 0; i < plan_.verifiers.size(); ++i) {
            std::vector<Address> parts;
            for (std::size_t k = 0; k < plan_.verifiers[i].parts.size(); ++k) {
                const auto part = created(part_name(i, k));
                if (!part) return part.error();
                parts.push_back(part.value().address);
            }
            QUARRY_PASS_ON(start(verifier_name(i), std::nullopt, verifier_creation(plan_.verifiers[i], parts)));
        }
        std::array<Address, 3> fronts;
        for (std::size_t i = 0; i < fronts.size(); ++i) {
            const auto front = created(verifier_name(i));
            if (!front) return front.error();
            fronts[i] = front.value().address;
        }
        result_.verifiers = {plan_.version, fronts[0], fronts[1], fronts[2]};
        const auto proofs = created("proofs");
        if (!proofs) return proofs.error();
        result_.proofs = proofs.value().address;
        QUARRY_PASS_ON(start("hub", std::nullopt, hub_creation(plan_, result_.proofs, result_.verifiers)));
        const auto hub = created("hub");
        if (!hub) return hub.error();
        result_.hub = hub.value().address;
        result_.first_block = hub.value().block;
        return Done{};
    }

    Outcome<Done> find_bridge() {
        const auto bridge = HubReader(chain_, result_.hub).bridge();
        if (!bridge) return to_problem(bridge.error());
        result_.bridge = bridge.value();
        return Done{};
    }

    Outcome<Done> register_rollup() {
        QUARRY_PASS_ON(start("rollup", result_.hub, register_call(plan_)));
        const auto receipt = finish("rollup");
        if (!receipt) return receipt.error();
        for (const ethereum::Log& log : receipt.value().logs) {
            const auto event = decode_event(log);
            if (!event || !event.value()) continue;
            const auto* registered = std::get_if<RollupRegistered>(&*event.value());
            if (registered == nullptr) continue;
            result_.rollup = registered->rollup;
            if (digest_bytes(rollup::domain_hash(result_.rollup_parameters())) == registered->domain) return Done{};
            return Problem{Problem::Kind::refused, "wrong_domain", "the hub computes another domain for the rollup",
                           "use contracts and program of one version"};
        }
        return Problem{Problem::Kind::environment, "deployment_lost", "the registration of the rollup left no event",
                       "use another --state folder for another chain"};
    }

    Outcome<Done> add_tokens() {
        for (std::size_t i = 0; i < plan_.tokens.size(); ++i) {
            const std::string name = token_name(i);
            QUARRY_PASS_ON(start(name, result_.bridge, bridge_call::add_token(result_.rollup, plan_.tokens[i])));
            const auto receipt = finish(name);
            if (!receipt) return receipt.error();
            result_.tokens.push_back(plan_.tokens[i]);
        }
        return Done{};
    }

    const DeployPlan& plan_;
    ethereum::Chain& chain_;
    ethereum::TransactionManager& sender_;
    ethereum::Clock& clock_;
    const DeployProgress& progress_;
    Deployment result_;
};

}  // namespace

std::string failure_cause(const ethereum::IntentStatus& status) {
    if (!status.error) return intent_stage_name(status.stage == IntentStage::mined ? status.outcome : status.stage);
    const bool is_named = !status.error->revert_data.empty();
    return is_named ? revert_name(status.error->revert_data) : ethereum_code_name(status.error->code);
}

Outcome<ethereum::Receipt> receipt_of(ethereum::Chain& chain, const ethereum::IntentStatus& status,
                                      const std::string& id) {
    if (status.receipt) return *status.receipt;
    for (const ethereum::Hash& hash : status.hashes) {
        const auto receipt = chain.receipt(hash);
        if (!receipt) return to_problem(receipt.error());
        if (receipt.value()) return *receipt.value();
    }
    return Problem{Problem::Kind::environment, "deployment_lost",
                   "the journal knows the transaction " + id + ", but this chain does not have it",
                   "use another --state folder for another chain"};
}

Outcome<ethereum::Receipt> wait_for(ethereum::Chain& chain, ethereum::TransactionManager& sender, const std::string& id,
                                    unsigned confirmations, ethereum::Clock& clock,
                                    const std::function<bool()>& stops) {
    for (;;) {
        const auto stepped = sender.step();
        const auto status = sender.status(id);
        if (!status) return to_problem(status.error());
        const ethereum::IntentStatus& s = status.value();
        const IntentStage stage = s.stage_at(confirmations);
        if (stage == IntentStage::confirmed) return receipt_of(chain, s, id);
        if (stage > IntentStage::confirmed) {
            return Problem{Problem::Kind::refused, failure_cause(s), "the transaction " + id + " does not go through",
                           "the code says why: docs/spec/settlement.md"};
        }
        const bool lacks_funds = s.error && s.error->code == ethereum::EthereumCode::insufficient_funds;
        if (lacks_funds) return to_problem(*s.error);
        if (!stepped && !is_transient(stepped.error().code)) return to_problem(stepped.error());
        if (stops && stops()) {
            return Problem{Problem::Kind::environment, "interrupted", "the transaction " + id + " is still on its way",
                           "run the command again: it goes on where it was"};
        }
        clock.sleep_ms(kPollMs);
    }
}

Outcome<std::vector<PlannedTransaction>> plan_deployment(const DeployPlan& plan, ethereum::Chain& chain,
                                                         const Address& sender) {
    const auto fees = chain.suggest_fees();
    if (!fees) return to_problem(fees.error());
    const U256 gas_price = saturated_sum(fees.value().base_fee, fees.value().priority_fee);
    std::vector<PlannedTransaction> out;
    std::optional<Problem> problem;
    const auto add = [&](const std::string& name, std::optional<Address> to, Bytes data, bool is_known) {
        PlannedTransaction& t = out.emplace_back();
        t.name = name;
        t.bytes = data.size();
        ethereum::CallRequest request;
        request.from = sender;
        request.to = to;
        request.data = std::move(data);
        if (!is_known || problem) return;
        const auto gas = chain.estimate_gas(request);
        if (!gas) {
            problem = to_problem(gas.error());
            if (!gas.error().revert_data.empty()) problem->name = revert_name(gas.error().revert_data);
            return;
        }
        t.gas = gas.value();
        t.cost = saturated_product(gas_price, t.gas);
    };
    if (!plan.hub) {
        add("proofs", std::nullopt, plan.proofs, true);
        for (std::size_t i = 0; i < plan.verifiers.size(); ++i) {
            const VerifierCode& code = plan.verifiers[i];
            for (std::size_t k = 0; k < code.parts.size(); ++k) {
                add(part_name(i, k), std::nullopt, code.parts[k], true);
            }
            add(verifier_name(i), std::nullopt, verifier_creation(code, std::vector<Address>(code.parts.size())),
                code.parts.empty());
        }
        add("hub", std::nullopt, hub_creation(plan, {}, {}), false);
    }
    add("rollup", plan.hub, register_call(plan), plan.hub.has_value());
    for (std::size_t i = 0; i < plan.tokens.size(); ++i) {
        add(token_name(i), Address{}, bridge_call::add_token(1, plan.tokens[i]), false);
    }
    if (problem) return *problem;
    return out;
}

Outcome<Deployment> deploy(const DeployPlan& plan, ethereum::Chain& chain, ethereum::TransactionManager& sender,
                           ethereum::Clock& clock, const DeployProgress& progress) {
    return Deployer(plan, chain, sender, clock, progress).run();
}

}  // namespace quarry::node::l1
